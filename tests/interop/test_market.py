"""The matrix: our node and a market node of another make, each way, by each one's own code.

Each test is a cell or two of it; `make interop` prints the whole at the end.
"""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from federation import proofs
from federation.errors import Refused
from tests import neighbours
from tests.interop import market as markets
from tests.interop.conftest import WHAT, Matrix
from tests.interop.fedify import NpmMissing
from tests.interop.market import Market
from tests.neighbours import Town
from tests.skipping import missing

AS2 = "https://www.w3.org/ns/activitystreams"
PUBLIC = f"{AS2}#Public"
OURS, THEIRS = "node → market", "market → node"


@pytest.fixture(scope="module")
def town_and_market(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Town, Market]]:
    """Both, neighbours: the market asked, and a steward accepted it."""
    try:
        markets.install()
    except NpmMissing as error:
        missing(WHAT, str(error))
    folder = tmp_path_factory.mktemp("market")
    port, other = neighbours.free_port(), neighbours.free_port()
    neighbours.echoppe(
        "init", str(folder / "pessac"), "--url", f"http://127.0.0.1:{port}", "--name",
        "Boutiques Pessac", "--commune", "Pessac", "--listen", f"127.0.0.1:{port}",
        f"--private-peer=127.0.0.1:{other}",
    )  # fmt: skip
    town = Town(folder / "pessac", port)
    town.run("shop", "add", "fleurs", "--name", "Au Fil des Fleurs", "--commune", "Pessac")
    with neighbours.serving([town]), markets.serving(other, folder) as market:
        yield town, market


@pytest.fixture
def town(town_and_market: tuple[Town, Market]) -> Town:
    return town_and_market[0]


@pytest.fixture
def market(town_and_market: tuple[Town, Market]) -> Market:
    return town_and_market[1]


def activity(market: Market, name: str, kind: str, obj: Any, **more: Any) -> dict[str, Any]:
    return {
        "@context": AS2,
        "id": f"{market.actor(name)}#{kind.lower()}/{uuid.uuid4()}",
        "type": kind,
        "actor": market.actor(name),
        "to": [PUBLIC],
        "object": obj,
        **more,
    }


def send(market: Market, town: Town, what: dict[str, Any], scheme: str = "cavage") -> None:
    name = what["actor"].rpartition("/")[2]
    told = market.ask("send", **{"from": name}, url=f"{town.url}/inbox", activity=what,
                      scheme=scheme)  # fmt: skip
    assert told["status"] == 202


def note(market: Market, name: str, price: str = "25") -> dict[str, Any]:
    """An item as market nodes tell of it: FEP-0837 on a Note, and Flohmarkt's data."""
    uri = f"{market.actor('stand')}/items/{uuid.uuid4()}"
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return {
        "@context": AS2,
        "id": uri,
        "type": "Note",
        "attributedTo": market.actor("stand"),
        "to": [PUBLIC],
        "published": now,
        "url": uri,
        "content": f"<p>{name}</p>",
        "flohmarkt:data": {"name": name, "price": price, "currency": "EUR", "description": ""},
    }


def price(town: Town, name: str, uri: str) -> str | None:
    """The price that a resident finds an item at; None where it is not found."""
    told = town.get(f"/api/v1/search?q={name}&near=Pessac").json()
    hits = [hit for ring in told["rings"] for hit in ring["results"] if hit["uri"] == uri]
    return hits[0]["price"]["amount"] if hits else None


def test_discovery(town: Town, market: Market, matrix: Matrix) -> None:
    with matrix.cell("discovery", THEIRS):
        shop = f"{town.url}/users/fleurs"
        found = market.ask("webfinger", resource=f"acct:fleurs@{town.authority}")
        assert shop in {one.get("href") for one in found["links"]}
        assert market.ask("find", target=f"@fleurs@{town.authority}")["type"] == "Organization"
        assert market.ask("find", target=f"{town.url}/users/instance")["type"] == "Application"
        assert market.ask("find", target=f"{town.url}/users/pessac")["type"] == "Group"


def test_follow_both_ways(town: Town, market: Market, matrix: Matrix) -> None:
    instance = f"{town.url}/users/instance"
    with matrix.cell("follow, accept", THEIRS):
        follow = activity(market, "instance", "Follow", instance, to=[instance])
        send(market, town, follow)
        neighbours.eventually(lambda: town.run("neighbour", "list"))
        town.run("neighbour", "accept", market.authority)
        accept = market.wait_for("Accept", follow["id"])
        assert accept["signed"]
        assert accept["accepted"]
    with matrix.cell("follow, accept", OURS):
        # Our Follow made it fetch nothing more than our actor, and its Accept is believed.
        market.wait_for("Follow", market.actor("instance"))
        neighbours.eventually(
            lambda: [one for one in town.run("neighbour", "list") if one["following"] == "accepted"]
        )
    with matrix.cell("discovery", OURS):
        (one,) = town.run("neighbour", "list")
        assert one["host"] == market.authority


def test_our_listing_is_told_changed_and_ended(town: Town, market: Market, matrix: Matrix) -> None:
    listing = town.run("listing", "add", "fleurs", "--name", "Roses", "--price", "12.50")
    with matrix.cell("create", OURS):
        create = market.wait_for("Create", listing["uri"])
        assert create["signed"]
        assert create["accepted"]
        assert "12,50" in create["activity"]["object"]["content"]
    told = create["activity"]["object"]
    with matrix.cell("proofs", OURS):
        assert market.ask("proves", document=told, kind="Note")["proof"]
        forged = {**told, "content": told["content"].replace("12,50", "1,50")}
        assert not market.ask("proves", document=forged, kind="Note")["proof"]
    with matrix.cell("read by id", THEIRS):
        seen = market.ask("find", target=listing["uri"])
        assert (seen["type"], seen["document"]["id"]) == ("Note", listing["uri"])
    with matrix.cell("update", OURS):
        town.run("listing", "revise", listing["id"], "--description", "Rouges")
        update = market.wait_for("Update", listing["uri"])
        assert update["signed"]
        assert "Rouges" in update["activity"]["object"]["content"]
    with matrix.cell("delete", OURS):
        town.run("listing", "withdraw", listing["id"])
        delete = market.wait_for("Delete", listing["uri"])
        assert delete["signed"]
        assert delete["activity"]["object"]["type"] == "Tombstone"


@pytest.mark.parametrize("scheme", ["cavage", "rfc9421"])
def test_its_listing_is_found_changed_and_gone(
    town: Town, market: Market, matrix: Matrix, scheme: str
) -> None:
    name = f"velo {uuid.uuid4().hex}"
    item = note(market, name)
    with matrix.cell("create", THEIRS), matrix.cell(f"signature {scheme}", THEIRS):
        send(market, town, activity(market, "stand", "Create", item), scheme)
        neighbours.eventually(lambda: price(town, name, item["id"]) == "25.00")
    with matrix.cell("update", THEIRS):
        published = datetime.fromisoformat(item["published"])
        updated = (published + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        later = {**note(market, name, "20"), "id": item["id"], "updated": updated}
        send(market, town, activity(market, "stand", "Update", later), scheme)
        neighbours.eventually(lambda: price(town, name, item["id"]) == "20.00")
    with matrix.cell("delete", THEIRS):
        stone = {"id": item["id"], "type": "Tombstone"}
        send(market, town, activity(market, "stand", "Delete", stone), scheme)
        neighbours.eventually(lambda: price(town, name, item["id"]) is None)


@pytest.mark.parametrize("scheme", ["cavage", "rfc9421"])
def test_a_server_that_knows_one_kind_of_signature_hears_of_it(
    town: Town, market: Market, matrix: Matrix, scheme: str
) -> None:
    market.ask("mode", refuse="rfc9421" if scheme == "cavage" else "cavage")
    with matrix.cell(f"signature {scheme}", OURS):
        listing = town.run("listing", "add", "fleurs", "--name", "Iris", "--price", "3")
        taken = market.wait_for("Create", listing["uri"])
        assert (taken["scheme"], taken["signed"]) == (scheme, True)
    market.ask("mode", refuse=None)


def test_its_proof_is_good_and_a_changed_word_is_noticed(market: Market, matrix: Matrix) -> None:
    with matrix.cell("proofs", THEIRS):
        author = market.actor("stand")
        plain = activity(market, "stand", "Create", {
            "id": f"{author}/items/1", "type": "Note", "attributedTo": author, "content": "Vélo",
        })  # fmt: skip
        del plain["to"]  # with the public in `to`, the library writes other than it signed
        signed = market.ask("prove", **{"from": "stand"}, activity=plain)
        document = market.ask("find", target=author)["document"]
        key = proofs.key_of(document, proofs.verification_method(signed))
        proofs.verify(signed, key, datetime.now(UTC))
        changed = json.loads(json.dumps(signed, ensure_ascii=False).replace("Vélo", "Velo"))
        with pytest.raises(Refused):
            proofs.verify(changed, key, datetime.now(UTC))
