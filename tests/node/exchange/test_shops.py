"""Shops as Organization actors, out and in."""

import copy
import dataclasses
import html
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation import documents
from federation.errors import Refused
from node.exchange import outbox, shops, terms
from node.model import ActorKind, LocalActor, Place, Shop
from node.store import places
from node.translation import Catalogues
from node.uris import Uris
from tests import ground
from tests.ground import NOW

URIS = Uris("https://boutiques.pessac.example")
LATER = NOW + timedelta(days=3)
HOST = "boutiques.pessac.example"

ACTOR = LocalActor(
    "fleurs", ActorKind.SHOP, "Fleurs", "-----BEGIN PUBLIC KEY-----", "z6MkKey", NOW, None
)
SHOP = Shop(
    id="shop",
    uri=URIS.actor("fleurs"),
    url=URIS.profile("fleurs"),
    peer=None,
    handle="fleurs",
    name="Au Fil des Fleurs & Cie",
    summary='Bouquets <3, "faits main" & livrés',
    place=ground.PESSAC,
    address="3 rue du Four",
    phone="+33 5 56 00 00 00",
    latitude=44.8,
    longitude=-0.6,
    opened=NOW,
    updated=NOW + timedelta(hours=1),
    seen=NOW,
    closed=None,
)
BARE = dataclasses.replace(
    SHOP, summary=None, place=None, address=None, phone=None, latitude=None, longitude=None
)


@pytest.fixture(scope="module")
def pessac() -> Iterator[Place]:
    with closing(places.open_places()) as db:
        found = places.get(db, ground.PESSAC)
        assert found is not None
        yield found


def document(shop: Shop, place: Place | None = None) -> dict[str, Any]:
    return shops.document(shop, ACTOR, place, URIS, Catalogues().speak("fr"))


def read(found: dict[str, Any]) -> Shop:
    return shops.from_document(documents.parse(outbox.encode(found)), HOST, "new", LATER)


@pytest.mark.parametrize("shop", [SHOP, BARE, dataclasses.replace(SHOP, summary="Pain\nfrais")])
def test_a_neighbour_reads_what_was_written(shop: Shop, pessac: Place) -> None:
    got = read(document(shop, pessac if shop.place else None))
    assert got == dataclasses.replace(shop, id="new", peer=HOST, seen=LATER)


def test_without_a_point_of_its_own_the_town_hall_stands_for_it(pessac: Place) -> None:
    shop = dataclasses.replace(SHOP, latitude=None, longitude=None)
    location = document(shop, pessac)["location"]
    assert (location["latitude"], location["longitude"]) == (pessac.latitude, pessac.longitude)
    assert document(BARE)["location"] == {"type": "Place", "name": SHOP.name}


def test_it_is_an_actor_that_others_can_follow(pessac: Place) -> None:
    found = document(SHOP, pessac)
    assert (found["type"], found["preferredUsername"]) == ("Organization", "fleurs")
    assert found["webfinger"] == "fleurs@boutiques.pessac.example"
    assert found["publicKey"]["owner"] == found["id"] == SHOP.uri
    assert found["publicKey"]["id"] == URIS.main_key("fleurs")
    assert found["assertionMethod"][0]["publicKeyMultibase"] == "z6MkKey"
    assert found["manuallyApprovesFollowers"] is False
    assert found["discoverable"] is True
    assert found["endpoints"]["sharedInbox"] == URIS.shared_inbox
    assert found["updated"] == "2026-11-23T09:00:00Z"


def test_markup_in_what_people_typed_is_text(pessac: Place) -> None:
    evil = "<script>alert(1)</script>"
    shop = dataclasses.replace(SHOP, summary=evil, address=evil)
    found = document(shop, pessac)
    assert found["summary"] == f"<p>{html.escape(evil)}</p>"
    for attached in found["attachment"]:
        assert "<" not in attached["value"]
    assert read(found).summary == evil


def test_every_member_is_mapped_by_the_context(pessac: Place) -> None:
    found = document(SHOP, pessac)
    mapped = terms.ACTOR_CONTEXT[-1]
    known = {
        "@context", "id", "type", "preferredUsername", "name", "summary", "url", "published",
        "updated", "inbox", "outbox", "followers", "following", "endpoints", "publicKey",
        "location", "attachment", "generator",
    }  # fmt: skip
    for name in found.keys() - known:
        assert name in mapped or name.partition(":")[0] in mapped, name


@pytest.mark.parametrize(
    ("changed", "field", "value"),
    [
        ({"name": None}, "name", "fleurs"),
        ({"name": 3}, "name", "fleurs"),
        ({"name": " "}, "name", "fleurs"),
        ({"name": "x" * 500}, "name", "x" * 100),
        ({"summary": "<p>a<br>b</p><script>x()</script>"}, "summary", "a\nb"),
        ({"summary": []}, "summary", None),
        ({"sdo:telephone": "javascript:alert(1)"}, "phone", None),
        ({"sdo:telephone": 556000000}, "phone", None),
        ({"sdo:address": {"street": "x"}}, "address", None),
        ({"url": "https://evil.example/@fleurs"}, "url", SHOP.uri),
        ({"url": ["https://boutiques.pessac.example/"]}, "url", SHOP.uri),
        ({"location": {"latitude": 91, "longitude": 0}}, "latitude", None),
        ({"location": {"latitude": "44.8", "longitude": -0.6}}, "latitude", None),
        ({"location": {"latitude": True, "longitude": False}}, "latitude", None),
        ({"location": {"latitude": 44.8}}, "latitude", None),
        ({"location": [{"latitude": 44, "longitude": -1}]}, "longitude", -1.0),
        ({"location": "Pessac"}, "longitude", None),
        ({"sdo:containedInPlace": "FR-INSEE:33318"}, "place", None),
        ({"sdo:containedInPlace": [{"sdo:identifier": "FR-INSEE:2a004"}]}, "place", "FR-2A004"),
        ({"sdo:containedInPlace": {"sdo:identifier": "FR-INSEE:../../x"}}, "place", None),
        ({"sdo:containedInPlace": {"sdo:identifier": "geonames:1/x"}}, "place", None),
        ({"updated": "yesterday"}, "updated", LATER),
        ({"published": None}, "opened", LATER),
    ],
)
def test_what_cannot_be_used_is_left_out(
    changed: dict[str, Any], field: str, value: object, pessac: Place
) -> None:
    assert getattr(read({**document(SHOP, pessac), **changed}), field) == value


@pytest.mark.parametrize(
    "changed",
    [
        {"type": "Person"},
        {"type": "Application"},
        {"type": []},
        {"preferredUsername": None},
        {"preferredUsername": ""},
        {"id": None},
        {"id": "urn:x"},
    ],
)
def test_what_is_no_shop_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        read({**document(SHOP), **changed})


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.just([]),
    st.just({}),
    st.just([[]]),
    st.just([None, {}]),
    st.just({"latitude": float("nan"), "longitude": 1}),
    st.just({"sdo:identifier": 3}),
)


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(sorted(document(SHOP))), JUNK, min_size=1, max_size=5))
def test_a_strange_document_is_read_or_refused_and_nothing_else(changed: dict[str, Any]) -> None:
    try:
        got = shops.from_document({**copy.deepcopy(document(SHOP)), **changed}, HOST, "new", LATER)
    except Refused:
        return
    assert 1 <= len(got.name) <= 100
    assert (got.latitude is None) == (got.longitude is None)
    assert got.latitude is None or -90 <= got.latitude <= 90
    assert got.place is None or re.fullmatch(r"FR-[0-9A-Z]{5}", got.place)


@pytest.mark.parametrize(
    ("place_id", "reference"),
    [
        ("FR-33318", "FR-INSEE:33318"),
        ("FR-2A004", "FR-INSEE:2A004"),
        ("FR-97411", "FR-INSEE:97411"),
        ("geonames:3120304", "geonames:3120304"),
    ],
)
def test_a_place_is_named_there_and_back(place_id: str, reference: str) -> None:
    assert terms.place_reference(place_id) == reference
    assert terms.place_from(reference) == place_id
