"""Shops opened, closed, and recorded as neighbours tell of them."""

import dataclasses
import sqlite3
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from node import bringing, bringing_said, catalogue, errors, shops
from node.model import (
    ChangeKind,
    DeliveryTerms,
    Hours,
    SearchQuery,
    Shop,
    Span,
    SpecialDays,
    Verb,
)
from node.store import actors, changes, deliveries, listings
from node.store import shops as rows
from node.translation import Catalogues
from tests import ground
from tests.ground import NOW, URIS

DAY = date(2026, 12, 24)
LATER = NOW + timedelta(days=1)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with ground.opened(tmp_path) as opened:
        yield opened


def test_opening_a_shop_makes_its_actor_and_tells_of_it(db: sqlite3.Connection) -> None:
    shop = ground.open_shop(db, "fleurs", name="Au Fil des Fleurs", address="3 rue du Four")
    assert rows.get_own(db, "fleurs") == shop
    assert shop.uri == "https://boutiques.pessac.example/users/fleurs"
    assert shop.peer is None
    actor = actors.get(db, "fleurs")
    assert actor is not None
    assert (actor.name, actor.closed) == ("Au Fil des Fleurs", None)
    change = changes.get(db, shop.uri)
    assert change is not None
    assert (change.kind, change.deleted, change.updated) == (ChangeKind.SHOP, False, shop.updated)
    assert [one.uri for one in deliveries.find_publications(db, 9)] == [shop.uri]


def test_a_handle_is_given_out_once(db: sqlite3.Connection) -> None:
    ground.open_shop(db, "fleurs")
    with pytest.raises(errors.Conflict) as caught:
        ground.open_shop(db, "fleurs", name="Another")
    assert caught.value.code == "handle-taken"


def test_the_handle_of_a_closed_shop_stays_taken(db: sqlite3.Connection) -> None:
    ground.open_shop(db, "fleurs")
    shops.close_shop(db, "fleurs", NOW)
    with pytest.raises(errors.Conflict):
        ground.open_shop(db, "fleurs", now=NOW + timedelta(days=4000))


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"handle": "Fleurs"}, "handle"),
        ({"handle": ""}, "handle"),
        ({"handle": "a" * 31}, "handle"),
        ({"handle": "instance"}, "handle"),
        ({"handle": "admin"}, "handle"),
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"summary": "x" * 501}, "summary"),
        ({"address": "x" * 201}, "address"),
        ({"phone": "call me"}, "phone"),
        ({"phone": "05"}, "phone"),
        ({"latitude": 44.8}, "latitude"),
        ({"longitude": -0.6}, "latitude"),
        ({"latitude": 91.0, "longitude": 0.0}, "latitude"),
        ({"latitude": 0.0, "longitude": -181.0}, "latitude"),
        ({"latitude": float("nan"), "longitude": 0.0}, "latitude"),
        ({"hours": Hours((Span(0, 720, 540),))}, "hours"),
        ({"hours": Hours((), (SpecialDays(DAY, DAY, (), "\x1b[2J"),))}, "hours"),
        ({"payments": ("cash", "bitcoin")}, "payments"),
        ({"delivery": DeliveryTerms()}, "delivery"),
        ({"delivery": DeliveryTerms(radius_km=0.0)}, "delivery"),
        ({"delivery": DeliveryTerms(radius_km=501.0)}, "delivery"),
        ({"delivery": DeliveryTerms(radius_km=1.00001)}, "delivery"),
        ({"delivery": DeliveryTerms(radius_km=float("nan"))}, "delivery"),
        ({"delivery": DeliveryTerms(("FR-33063",) * 101)}, "delivery"),
        ({"delivery": DeliveryTerms(("FR-33063",), price_cents=-1)}, "delivery"),
        ({"delivery": DeliveryTerms(("FR-33063",), free_from_cents=100)}, "delivery"),
    ],
)
def test_a_field_that_cannot_be_used_is_named_and_nothing_is_written(
    db: sqlite3.Connection, changed: dict[str, Any], field: str
) -> None:
    before = ground.contents(db)
    with pytest.raises(errors.Invalid) as caught:
        ground.open_shop(db, **changed)
    assert set(caught.value.fields) == {field}
    assert ground.contents(db) == before


def test_several_wrong_fields_are_all_named(db: sqlite3.Connection) -> None:
    with pytest.raises(errors.Invalid) as caught:
        ground.open_shop(db, "NO", name="", phone="x")
    assert set(caught.value.fields) == {"handle", "name", "phone"}


def test_closing_a_shop_withdraws_its_listings_and_nobody_elses(db: sqlite3.Connection) -> None:
    fleurs, miel = ground.open_shop(db, "fleurs"), ground.open_shop(db, "miel")
    roses, tulips = ground.publish(db, fleurs, "Roses"), ground.publish(db, fleurs, "Tulipes")
    honey = ground.publish(db, miel, "Miel")
    closed = shops.close_shop(db, "fleurs", NOW + timedelta(days=1))
    assert closed.closed == closed.updated == NOW + timedelta(days=1)
    for listing in (roses, tulips):
        change = changes.get(db, listing.uri)
        assert change is not None
        assert change.deleted
        with pytest.raises(errors.NotFound):
            catalogue.get_on_show(db, listing.id)
    assert catalogue.get_on_show(db, honey.id) == honey
    assert ground.indexed(db, "rose") == []
    assert ground.indexed(db, "miel") == [honey.id]
    change = changes.get(db, fleurs.uri)
    assert change is not None
    assert change.deleted
    assert actors.get(db, "fleurs").closed is not None  # type: ignore[union-attr]
    told = [(one.uri, one.verb) for one in deliveries.find_publications(db, 99)]
    assert set(told[-3:]) == {
        (roses.uri, Verb.DELETE),
        (tulips.uri, Verb.DELETE),
        (fleurs.uri, Verb.DELETE),
    }
    assert told[-1][0] == fleurs.uri


def test_a_closed_shop_and_one_that_never_was_are_told_apart(db: sqlite3.Connection) -> None:
    ground.open_shop(db, "fleurs")
    shops.close_shop(db, "fleurs", NOW)
    for handle, code in (("fleurs", "shop-closed"), ("miel", "unknown-shop")):
        with pytest.raises(errors.NotFound) as caught:
            shops.get_open(db, handle)
        assert caught.value.code == code
        with pytest.raises(errors.NotFound):
            shops.close_shop(db, handle, NOW)


def test_a_remote_shop_with_the_handle_of_ours_is_another_shop(db: sqlite3.Connection) -> None:
    ours, theirs = ground.open_shop(db, "fleurs"), ground.remote_shop(db, "fleurs")
    assert rows.get_own(db, "fleurs") == ours
    assert rows.get_by_uri(db, theirs.uri) == theirs
    shops.remove_remote(db, ours.uri)
    assert rows.get_own(db, "fleurs") == ours


def test_an_older_state_of_a_remote_shop_changes_nothing(db: sqlite3.Connection) -> None:
    shop = ground.remote_shop(db, name="Now")
    older = dataclasses.replace(shop, name="Before", updated=NOW - timedelta(seconds=1))
    shops.record_remote(db, older)
    assert rows.get_by_uri(db, shop.uri) == shop


def test_a_newer_state_keeps_the_id_and_the_opening(db: sqlite3.Connection) -> None:
    shop = ground.remote_shop(db)
    newer = dataclasses.replace(
        shop, id=ground.new_id(), name="New", updated=NOW + timedelta(1), opened=NOW + timedelta(1)
    )
    shops.record_remote(db, newer)
    assert rows.get_by_uri(db, shop.uri) == dataclasses.replace(
        newer, id=shop.id, opened=shop.opened
    )


def test_listings_are_found_where_their_shop_has_moved_to(db: sqlite3.Connection) -> None:
    shop = ground.remote_shop(db, place=ground.MERIGNAC)
    catalogue.record_remote(db, ground.remote_listing(shop, "Pain"), NOW)
    query = SearchQuery("pain", ground.place(db, ground.LYON))
    assert [ring.total for ring in ground.ask(db, query).rings] == [0, 0, 1]
    moved = dataclasses.replace(shop, place=ground.LYON, updated=NOW + timedelta(seconds=1))
    shops.record_remote(db, moved)
    assert [ring.total for ring in ground.ask(db, query).rings] == [1, 0, 0]


def test_removing_a_remote_shop_leaves_nothing_of_it(db: sqlite3.Connection) -> None:
    before = ground.contents(db)
    shop = ground.remote_shop(db)
    listing = ground.remote_listing(shop, "Pain")
    catalogue.record_remote(db, listing, NOW)
    shops.remove_remote(db, shop.uri)
    after = ground.contents(db)
    assert listings.get(db, listing.id) is None
    assert ground.indexed(db, "pain") == []
    for table in ("shops", "listings", "offers", "search_rows"):
        assert after[table] == before[table], table
    shops.remove_remote(db, shop.uri)


def test_a_point_of_its_own_is_kept(db: sqlite3.Connection) -> None:
    shop = ground.open_shop(db, latitude=44.8, longitude=0.0)
    assert (shop.latitude, shop.longitude) == (44.8, 0.0)
    assert rows.get(db, shop.id) == shop
    assert URIS.handle_of(shop.uri) == "fleurs"


# --- changing what is said of a shop -------------------------------------------------------------


def draft_of(db: sqlite3.Connection, shop: Shop, **changed: Any) -> shops.ShopDraft:
    assert shop.place is not None
    values: dict[str, Any] = {
        "place": ground.place(db, shop.place),
        **{
            field.name: getattr(shop, field.name)
            for field in dataclasses.fields(shops.ShopDraft)
            if field.name != "place"
        },
    }
    return shops.ShopDraft(**{**values, **changed})


CHANGES: tuple[dict[str, Any], ...] = (
    {"name": "Autre"},
    {"summary": "Des fleurs"},
    {"address": "2 rue du Four"},
    {"phone": "05 56 00 00 01"},
    {"latitude": 44.8, "longitude": -0.6},
    {"hours": Hours((Span(1, 540, 1140),))},
    {"payments": ("cash", "card")},
    {"step_free": False},
    {"delivery": DeliveryTerms((ground.BORDEAUX,), 5.0, 300, 2000)},
)


@pytest.mark.parametrize("changed", CHANGES, ids=lambda changed: next(iter(changed)))
def test_each_thing_that_changes_is_kept_and_told(
    db: sqlite3.Connection, changed: dict[str, Any]
) -> None:
    shop = ground.open_shop(db)
    head = changes.head(db)
    revised = shops.revise_shop(db, draft_of(db, shop, **changed), LATER)
    assert revised == dataclasses.replace(shop, **changed, updated=LATER, seen=LATER)
    assert rows.get_own(db, "fleurs") == revised
    change = changes.get(db, shop.uri)
    assert change is not None
    assert (change.seq, change.deleted, change.updated) == (head + 1, False, LATER)
    last = deliveries.find_publications(db, 99)[-1]
    assert (last.uri, last.verb) == (shop.uri, Verb.UPDATE)


def test_saying_the_same_again_changes_nothing(db: sqlite3.Connection) -> None:
    shop = ground.open_shop(db, payments=("card", "cash"), step_free=True)
    assert shop.payments == ("cash", "card")
    before = ground.contents(db)
    assert shops.revise_shop(db, draft_of(db, shop, payments=("card", "cash")), LATER) == shop
    assert ground.contents(db) == before


def test_its_actor_bears_the_new_name(db: sqlite3.Connection) -> None:
    shop = ground.open_shop(db)
    shops.revise_shop(db, draft_of(db, shop, name="Au Fil des Fleurs"), NOW)
    assert actors.get(db, "fleurs").name == "Au Fil des Fleurs"  # type: ignore[union-attr]


def test_a_shop_that_moves_takes_its_listings_along(db: sqlite3.Connection) -> None:
    shop = ground.open_shop(db)
    ground.publish(db, shop, "Roses")
    query = SearchQuery("roses", ground.place(db, ground.LYON))
    assert [ring.total for ring in ground.ask(db, query).rings] == [0, 0, 1]
    shops.revise_shop(db, draft_of(db, shop, place=ground.place(db, ground.LYON)), LATER)
    assert [ring.total for ring in ground.ask(db, query).rings] == [1, 0, 0]


def test_only_an_open_shop_of_ours_is_changed_and_only_to_what_can_be(
    db: sqlite3.Connection,
) -> None:
    shop, theirs = ground.open_shop(db), ground.remote_shop(db, "pains")
    before = ground.contents(db)
    with pytest.raises(errors.Invalid):
        shops.revise_shop(db, draft_of(db, shop, payments=("gold",)), LATER)
    with pytest.raises(errors.NotFound):
        shops.revise_shop(db, draft_of(db, theirs, name="Ours"), LATER)
    assert ground.contents(db) == before
    shops.close_shop(db, "fleurs", NOW)
    with pytest.raises(errors.NotFound):
        shops.revise_shop(db, draft_of(db, shop, name="Again"), LATER)


def test_what_a_neighbours_shop_says_now_is_what_is_held(db: sqlite3.Connection) -> None:
    shop = ground.remote_shop(db, hours=Hours(()), payments=("cash",), step_free=True)
    said = {"hours": Hours((Span(0, 0, 60),)), "payments": (), "step_free": None}
    newer = dataclasses.replace(shop, updated=LATER, **said)  # type: ignore[arg-type]
    shops.record_remote(db, newer)
    assert rows.get_by_uri(db, shop.uri) == newer


# --- delivery ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("delivery", "place", "distance_km", "delivers"),
    [
        (None, ground.PESSAC, 0.0, False),
        (DeliveryTerms((ground.PESSAC,)), ground.PESSAC, None, True),
        (DeliveryTerms((ground.PESSAC,)), ground.PESSAC, 900.0, True),
        (DeliveryTerms((ground.PESSAC,)), ground.LYON, 0.0, False),
        (DeliveryTerms((ground.PESSAC,)), None, 0.0, False),
        (DeliveryTerms((), 5.0), ground.PESSAC, 5.0, True),
        (DeliveryTerms((), 5.0), ground.PESSAC, 5.01, False),
        (DeliveryTerms((), 5.0), None, 1.0, True),
        (DeliveryTerms((), 5.0), ground.PESSAC, None, False),
        (DeliveryTerms((ground.LYON,), 5.0), ground.LYON, 430.0, True),
    ],
)
def test_where_a_shop_delivers(
    db: sqlite3.Connection,
    delivery: DeliveryTerms | None,
    place: str | None,
    distance_km: float | None,
    delivers: bool,
) -> None:
    shop = ground.open_shop(db, delivery=delivery)
    assert bringing.goes_to(shop, place, distance_km) is delivers


# Monday, 23 November 2026, nine in the morning at Pessac.
@pytest.mark.parametrize(
    ("days", "ahead", "cutoff", "hours_later", "told"),
    [
        ((), None, None, 0, "Livré à Mérignac"),
        ((0,), None, None, 0, "Livré à Mérignac aujourd’hui"),
        ((0,), 0, 600, 0, "Livré à Mérignac aujourd’hui"),
        ((0,), 0, 540, 0, "Livré à Mérignac le 30\u00a0novembre"),
        ((1,), 0, None, 0, "Livré à Mérignac demain"),
        ((3,), 1, 720, 0, "Livré à Mérignac jeudi"),
        ((3,), 1, 720, 24 * 2, "Livré à Mérignac demain"),
        ((3,), 1, 720, 24 * 2 + 4, "Livré à Mérignac le 3\u00a0décembre"),
        ((4,), 30, None, 24, "Livré à Mérignac le 8\u00a0janvier"),  # 25 December, 1 January: none
        ((0, 1, 2, 3, 4, 5, 6), None, None, 24 * 9, "Livré à Mérignac le 15\u00a0décembre"),  # away
    ],
)
def test_when_a_shop_delivers(
    db: sqlite3.Connection,
    days: tuple[int, ...],
    ahead: int | None,
    cutoff: int | None,
    hours_later: int,
    told: str,
) -> None:
    terms = DeliveryTerms((ground.MERIGNAC,), None, None, None, days, ahead, cutoff)
    away = SpecialDays(date(2026, 12, 1), date(2026, 12, 14), ())
    now = ground.NOW + timedelta(hours=hours_later)
    week = Hours((Span(0, 540, 1140),), (away,) if len(days) == 7 else ())
    shop = ground.open_shop(db, delivery=terms, hours=week)
    say = Catalogues().speak("fr")
    assert bringing_said.brought(shop, ground.place(db, ground.MERIGNAC), now, say) == told


@pytest.mark.parametrize(
    ("text", "days"),
    [("mar jeu", (1, 3)), ("lun-ven", (0, 1, 2, 3, 4)), ("", ()), ("dimanche", (6,))],
)
def test_days_as_they_are_typed(text: str, days: tuple[int, ...]) -> None:
    assert bringing.parse_days(text) == days


@pytest.mark.parametrize("text", ["demain", "lun 8h", "9h", "lun fermé", "x" * 500])
def test_what_is_no_day(text: str) -> None:
    with pytest.raises(errors.Invalid):
        bringing.parse_days(text)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("12h", 720), ("12 h 30", 750), ("9:05", 545), ("", None), ("18", 1080)],
)
def test_an_hour_as_it_is_typed(text: str, minutes: int | None) -> None:
    assert bringing.parse_clock(text) == minutes


@pytest.mark.parametrize("text", ["midi", "25h", "0h", "12h75", "-3"])
def test_what_is_no_hour(text: str) -> None:
    with pytest.raises(errors.Invalid):
        bringing.parse_clock(text)


def test_a_neighbour_s_shop_is_placed_by_an_item_only_where_it_has_told_no_place(
    db: sqlite3.Connection,
) -> None:
    told = ground.remote_shop(db, "livres")
    assert shops.place_remote(db, told, 48.0, 2.0) == told
    silent = dataclasses.replace(
        told, id=ground.new_id(), uri=f"{told.uri}2", handle="livres2", place=None,
        latitude=None, longitude=None,
    )  # fmt: skip
    shops.record_remote(db, silent)
    placed = shops.place_remote(db, silent, 48.0, 2.0)
    assert (placed.latitude, placed.longitude) == (48.0, 2.0)
    assert rows.get(db, silent.id) == placed
    assert shops.place_remote(db, placed, 44.0, 0.0) == placed  # the first item has said it
