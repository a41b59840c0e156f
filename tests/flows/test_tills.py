"""A till that tells stock and prices of its shop, and of no other."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from node.store import database, listings
from tests import neighbours
from tests.flows.test_merchant import Browser, signed_in
from tests.neighbours import Town

TILL = "/ma-boutique/fleurs/caisse"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    (town,) = neighbours.found(["Pessac"], tmp_path_factory.mktemp("tills"))
    with neighbours.serving([town]):
        for handle in ("fleurs", "pains"):
            town.run("shop", "add", handle, "--name", handle, "--commune", "Pessac")
        town.run("listing", "add", "fleurs", "--name", "Pot", "--price", "5", "--stock", "9",
                 "--gtin", "3017620422003")  # fmt: skip
        town.run("listing", "add", "fleurs", "--name", "Vase", "--price", "12")
        town.run("listing", "add", "pains", "--name", "Pain", "--price", "2",
                 "--gtin", "4006381333931")  # fmt: skip
        yield town


@pytest.fixture(scope="module")
def claire(town: Town) -> Browser:
    return signed_in(town, "claire@example.fr", "--role", "merchant", "--shop", "fleurs")


def token_in(page: str) -> str:
    found = re.search(r"caisse_[A-Za-z0-9_-]{43}", page)
    assert found is not None
    return found[0]


@pytest.fixture(scope="module")
def token(claire: Browser) -> str:
    return token_in(claire.post(TILL, data={"deed": "give"}).text)


def call(town: Town, token: str, body: Any, **options: Any) -> httpx2.Response:
    content = body if isinstance(body, bytes) else json.dumps({"items": body}).encode()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx2.post(
        f"{town.url}/api/v1/till",
        content=content,
        headers=headers,
        timeout=neighbours.PATIENCE,
        **options,
    )


def offers(town: Town, token: str) -> dict[str, Any]:
    answer = town.get("/api/v1/till", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    return {one["name"]: one for one in answer.json()["offers"]}


def test_stock_and_price_in_one_call_each_item_alone(town: Town, token: str) -> None:
    known = offers(town, token)
    assert set(known) == {"Pot", "Vase"}
    told = call(town, token, [
        {"gtin": "3017620422003", "stock": 0, "price": "5.50"},
        {"id": known["Vase"]["id"], "stock": 2},
        {"gtin": "4006381333931", "stock": 1},  # another shop's
        {"gtin": "3017620422003", "stock": -1},
        {"sku": "none", "stock": 1},
        {"id": known["Vase"]["id"], "price": "0"},
    ]).json()["items"]  # fmt: skip
    assert [one["ok"] for one in told] == [True, True, False, False, False, False]
    assert [one["changed"] for one in told[:2]] == [True, True]
    assert [one["error"]["code"] for one in told[2:]] == [
        "unknown-offer", "bad-stock", "unknown-offer", "bad-price",
    ]  # fmt: skip
    known = offers(town, token)
    assert (known["Pot"]["stock"], known["Pot"]["price"]) == (0, "5.50")
    assert known["Pot"]["availability"] == "out_of_stock"
    assert (known["Vase"]["stock"], known["Vase"]["price"]) == (2, "12.00")
    # Told again, it is the same, and nobody is told of a change.
    again = call(town, token, [{"gtin": "3017620422003", "stock": 0, "price": "5.50"}])
    assert again.json()["items"][0]["changed"] is False
    with database.reading(town.folder) as db:
        (pain,) = [one for one in listings.find(db, listings.find_ids_after(db, "", 9))
                   if one.name == "Pain"]  # fmt: skip
    assert pain.offers[0].stock is None


def test_the_usual_price_told_every_night_does_not_end_a_promotion(
    town: Town, claire: Browser, token: str
) -> None:
    vase = offers(town, token)["Vase"]
    listing_id = next(
        one["id"] for one in town.run("listing", "list", "fleurs") if one["name"] == "Vase"
    )
    last = f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%d}"
    wish = {"price-0": "9", "kind": "promotion", "last": last, "sure": "1"}
    claire.follow(f"/ma-boutique/fleurs/produits/{listing_id}/promotion", data=wish)
    call(town, token, [{"id": vase["id"], "price": "12.00", "stock": 1}])
    shown = town.get(f"/api/v1/listings/{listing_id}").json()
    assert (shown["price"]["amount"], shown["reduction"]["percent"]) == ("9.00", 25)
    call(town, token, [{"id": vase["id"], "price": "11.00"}])
    shown = town.get(f"/api/v1/listings/{listing_id}").json()
    assert (shown["price"]["amount"], shown["reduction"]) == ("11.00", None)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b'{"items": 1}', 422),
        (b'{"items": {}}', 422),
        (b'{"items": [' + b"[" * 2000 + b"]" * 2000 + b"]}", 400),
        (b'{"items": [' + b"1," * 600 + b"1]}", 422),
        (b'{"items": [], "items": []}', 400),
        (b" " * 300_000, 413),
        (b"\xff", 400),
    ],
)
def test_bodies_that_cannot_be(town: Town, token: str, body: bytes, status: int) -> None:
    assert call(town, token, body).status_code == status


@pytest.mark.parametrize(
    "item",
    [
        1, None, "x", [], {}, {"stock": 1}, {"id": 1, "stock": 1}, {"gtin": "3017620422003"},
        {"gtin": "3017620422003", "id": "x", "stock": 1}, {"gtin": "3017620422003", "stock": True},
        {"gtin": "3017620422003", "stock": 1.5}, {"gtin": "3017620422003", "stock": "1"},
        {"gtin": "3017620422003", "stock": 10**7}, {"gtin": "3017620422003", "price": 5},
        {"gtin": "3017620422003", "price": "-5"}, {"gtin": "3017620422003", "price": "5.555"},
        {"gtin": "3017620422003", "stock": 1, "name": "x"},
    ],
)  # fmt: skip
def test_items_that_cannot_be_change_nothing(town: Town, token: str, item: object) -> None:
    before = offers(town, token)
    (told,) = call(town, token, [item]).json()["items"]
    assert told["ok"] is False
    assert offers(town, token) == before


def test_only_the_token_speaks_and_only_the_last_one(
    town: Town, claire: Browser, token: str
) -> None:
    for wrong in ("x", "x" * 50, token[:-1], f"{token}x", "é" * 30):
        headers = {"Authorization": f"Bearer {wrong}".encode()}
        answer = httpx2.post(
            f"{town.url}/api/v1/till",
            content=b'{"items":[]}',
            headers=headers,
            timeout=neighbours.PATIENCE,
        )
        assert answer.status_code == 401, wrong
    # Another origin's page cannot read it, and a cookie does not count.
    assert claire.get("/api/v1/till").status_code == 401
    second = token_in(claire.post(TILL, data={"deed": "give"}).text)
    assert call(town, token, []).status_code == 401
    assert call(town, second, []).status_code == 200
    assert second not in claire.get(TILL).text
    with database.reading(town.folder) as db:
        rows = db.execute("SELECT * FROM tills").fetchall()
    assert not any(second in str(tuple(row)) for row in rows)
    claire.follow(TILL, data={"deed": "take"})
    assert call(town, second, []).status_code == 401
    assert claire.post(TILL, data={"deed": "give"}, own=False).status_code == 403
    yann = signed_in(town, "yann@example.fr", "--role", "merchant", "--shop", "pains")
    assert yann.get(TILL).status_code == 404


def test_the_manual_is_open_and_names_what_there_is(town: Town) -> None:
    manual = town.get("/api/v1/openapi.json").json()
    assert manual["openapi"] == "3.1.0"
    for path in manual["paths"]:
        assert town.get(path.replace("{id}", "x")).status_code in (200, 401, 404, 422), path
    item = manual["components"]["schemas"]["Item"]["properties"]
    assert set(item) == {"id", "gtin", "sku", "stock", "price"}
