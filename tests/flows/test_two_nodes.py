"""The main job, told with real nodes: what is published at one is found at the other."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import neighbours
from tests.neighbours import Town, eventually


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Town, Town]]:
    """Bordeaux and Pessac, serving, not yet neighbours. They adjoin."""
    towns = neighbours.found(["Bordeaux", "Pessac"], tmp_path)
    with neighbours.serving(towns):
        yield towns[0], towns[1]


def open_shop(town: Town, handle: str = "ruche", commune: str = "Bordeaux") -> None:
    town.run("shop", "add", handle, "--name", "La Ruche", "--commune", commune)


def publish(town: Town, name: str, *more: str, handle: str = "ruche") -> str:
    listing = town.run("listing", "add", handle, "--name", name, "--price", "12.50", *more)
    return str(listing["id"])


def test_a_listing_is_found_changed_and_gone_at_the_neighbour(pair: tuple[Town, Town]) -> None:
    bordeaux, pessac = pair
    open_shop(bordeaux)
    neighbours.befriend(bordeaux, pessac)

    listing = publish(bordeaux, "Miel de lavande", "--quantity", "500", "--unit", "g")
    eventually(lambda: pessac.names("miel", "Pessac") == ["Miel de lavande"])
    answer = pessac.run("search", "miels de Lavande", "--near", "33318")
    assert [ring["total"] for ring in answer["rings"]] == [0, 1, 0]
    (hit,) = answer["rings"][1]["results"]
    assert hit["price"] == {"amount": "12.50", "currency": "EUR"}
    assert hit["unit_price"] == {"amount": "25.00", "per": "kg"}
    assert hit["shop"]["name"] == "La Ruche"
    assert hit["commune"]["insee"] == "33063"
    assert hit["node"] == bordeaux.authority

    bordeaux.run("listing", "revise", listing, "--price", "9,90", "--name", "Miel de châtaignier")
    eventually(lambda: pessac.names("châtaignier", "Pessac") == ["Miel de châtaignier"])
    assert pessac.names("lavande", "Pessac") == []

    bordeaux.run("listing", "withdraw", listing)
    eventually(lambda: pessac.names("miel", "Pessac") == [])
    uri = f"/users/ruche/items/{listing}"
    gone = bordeaux.get(uri)
    assert gone.status_code == 410
    assert gone.json()["type"] == "Tombstone"


def test_the_whole_catalogue_is_read_when_neighbours_accept_each_other(
    pair: tuple[Town, Town],
) -> None:
    bordeaux, pessac = pair
    open_shop(bordeaux)
    names = [f"Bougie numéro {number}" for number in range(130)]  # more than a page
    fill(bordeaux, names)
    withdrawn = publish(bordeaux, "Bougie retirée")
    bordeaux.run("listing", "withdraw", withdrawn)
    neighbours.befriend(pessac, bordeaux)
    (peer,) = pessac.run("neighbour", "list")
    assert peer["digest_agrees"] is True
    assert peer["sync_done"] == peer["sync_total"] == 132  # shop, listings, tombstone
    answer = pessac.run("search", "bougie", "--near", "Pessac")
    assert answer["rings"][1]["total"] == 130


def fill(town: Town, names: list[str]) -> None:
    """Many listings in one go, through the product's own functions on the node's own file."""
    import uuid
    from datetime import UTC, datetime

    from node import catalogue, prices
    from node.model import Availability, Offer
    from node.store import database, shops
    from node.uris import Uris

    with database.transaction(town.folder) as db:
        shop = shops.get_own(db, "ruche")
        assert shop is not None
        for name in names:
            offer = Offer(
                str(uuid.uuid4()), {}, prices.parse_price("4"), "EUR", None, None,
                Availability.IN_STOCK, None, None, None,
            )  # fmt: skip
            draft = catalogue.ListingDraft(name, (offer,))
            catalogue.publish(
                db, Uris(town.url), shop, draft, lambda: str(uuid.uuid4()), datetime.now(UTC)
            )


def test_a_closed_shop_leaves_the_neighbour_too(pair: tuple[Town, Town]) -> None:
    bordeaux, pessac = pair
    open_shop(bordeaux)
    publish(bordeaux, "Cire")
    neighbours.befriend(bordeaux, pessac)
    assert pessac.names("cire", "Pessac") == ["Cire"]
    bordeaux.run("shop", "close", "ruche")
    eventually(lambda: pessac.names("cire", "Pessac") == [])
    eventually(lambda: len(pessac.get("/api/v1/shops").json()["shops"]) == 0)
    assert bordeaux.get("/users/ruche").status_code == 410
    refused = bordeaux.run(
        "shop", "add", "ruche", "--name", "Autre", "--commune", "Bordeaux", status=1
    )
    assert "never given out twice" in refused


def test_a_stranger_is_not_read_until_it_is_accepted(pair: tuple[Town, Town]) -> None:
    bordeaux, pessac = pair
    open_shop(bordeaux)
    publish(bordeaux, "Propolis")
    bordeaux.run("neighbour", "add", pessac.url)
    (request,) = eventually(lambda: pessac.run("neighbour", "list"))
    assert request["follower"] == "requested"
    assert request["following"] is None
    assert pessac.names("propolis", "Pessac") == []
    pessac.run("neighbour", "accept", bordeaux.authority)
    eventually(lambda: pessac.names("propolis", "Pessac") == ["Propolis"])


def test_two_that_chose_each_other_need_no_accepting(pair: tuple[Town, Town]) -> None:
    bordeaux, pessac = pair
    open_shop(bordeaux)
    publish(bordeaux, "Pollen")
    bordeaux.run("neighbour", "add", pessac.url)
    pessac.run("neighbour", "add", bordeaux.url)
    eventually(lambda: pessac.names("pollen", "Pessac") == ["Pollen"])
    eventually(
        lambda: all(
            peer["following"] == peer["follower"] == "accepted"
            for town in pair
            for peer in town.run("neighbour", "list")
        )
    )


def test_parting_takes_the_listings_away_on_both_sides(pair: tuple[Town, Town]) -> None:
    bordeaux, pessac = pair
    open_shop(bordeaux)
    publish(bordeaux, "Gelée royale")
    open_shop(pessac, "moulin", "Pessac")
    publish(pessac, "Farine", handle="moulin")
    neighbours.befriend(bordeaux, pessac)
    assert bordeaux.names("farine", "Bordeaux") == ["Farine"]
    pessac.run("neighbour", "remove", bordeaux.authority)
    assert pessac.names("gelée", "Pessac") == []
    eventually(lambda: bordeaux.names("farine", "Bordeaux") == [])
    publish(bordeaux, "Nougat")
    publish(pessac, "Son", handle="moulin")
    publish(bordeaux, "Repère")
    eventually(lambda: bordeaux.names("repère", "Bordeaux") == ["Repère"])
    assert pessac.names("nougat", "Pessac") == []
    assert bordeaux.names("son", "Bordeaux") == []
    # And again: parting was no quarrel.
    neighbours.befriend(pessac, bordeaux)
    eventually(lambda: pessac.names("nougat", "Pessac") == ["Nougat"])


def test_who_left_may_come_back_by_asking_alone(pair: tuple[Town, Town]) -> None:
    bordeaux, pessac = pair
    open_shop(bordeaux)
    publish(bordeaux, "Miel")
    neighbours.befriend(bordeaux, pessac)
    bordeaux.run("neighbour", "remove", pessac.authority)
    eventually(lambda: pessac.names("miel", "Pessac") == [])
    # Pessac had chosen Bordeaux, and still does.
    bordeaux.run("neighbour", "add", pessac.url)
    eventually(lambda: pessac.names("miel", "Pessac") == ["Miel"])
    (peer,) = pessac.run("neighbour", "list")
    assert peer["state"] == "neighbour"


def test_a_blocked_node_is_not_heard(pair: tuple[Town, Town]) -> None:
    bordeaux, pessac = pair
    open_shop(bordeaux)
    publish(bordeaux, "Hydromel")
    neighbours.befriend(bordeaux, pessac)
    pessac.run("neighbour", "block", bordeaux.authority)
    assert pessac.names("hydromel", "Pessac") == []
    publish(bordeaux, "Hydromel doux")
    eventually(lambda: bordeaux.run("neighbour", "list")[0]["delivery_problem"])
    assert pessac.names("hydromel", "Pessac") == []


def test_several_offers_arrive_whole(pair: tuple[Town, Town]) -> None:
    bordeaux, pessac = pair
    open_shop(bordeaux)
    neighbours.befriend(bordeaux, pessac)
    bordeaux.run(
        "listing", "add", "ruche", "--name", "Miel en pot",
        "--offer", "pot=petit,price=6.50,quantity=250,unit=g,stock=0",
        "--offer", "pot=grand,price=11.90,quantity=500,unit=g,stock=2",
    )  # fmt: skip
    eventually(lambda: pessac.names("miel", "Pessac"))
    with sqlite3.connect(pessac.folder / "node.db") as db:
        offers = db.execute(
            "SELECT axes, price_cents, quantity_milli, unit, availability FROM offers ORDER BY 2"
        ).fetchall()
    db.close()
    assert [(json.loads(row[0]), *row[1:]) for row in offers] == [
        ({"pot": "petit"}, 650, 250_000, "g", "out_of_stock"),
        ({"pot": "grand"}, 1190, 500_000, "g", "limited"),
    ]
    (hit,) = pessac.run("search", "miel", "--near", "Pessac")["rings"][1]["results"]
    assert hit["price"]["amount"] == "11.90"  # the cheapest that can be had
    assert hit["availability"] == "limited"
