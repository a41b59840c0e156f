"""Shops opened, closed, and recorded as neighbours tell of them."""

import dataclasses
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from node import catalogue, errors, shops
from node.model import ChangeKind, SearchQuery, Verb
from node.search import find as search_for
from node.store import actors, changes, deliveries, listings, search
from node.store import shops as rows
from tests import ground
from tests.ground import NOW, URIS


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
    assert [row.listing for row in search.find(db, ["rose"], 9)] == []
    assert [row.listing for row in search.find(db, ["miel"], 9)] == [honey.id]
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
    assert [ring.total for ring in search_for(db, query, 15).rings] == [0, 0, 1]
    moved = dataclasses.replace(shop, place=ground.LYON, updated=NOW + timedelta(seconds=1))
    shops.record_remote(db, moved)
    assert [ring.total for ring in search_for(db, query, 15).rings] == [1, 0, 0]


def test_removing_a_remote_shop_leaves_nothing_of_it(db: sqlite3.Connection) -> None:
    before = ground.contents(db)
    shop = ground.remote_shop(db)
    listing = ground.remote_listing(shop, "Pain")
    catalogue.record_remote(db, listing, NOW)
    shops.remove_remote(db, shop.uri)
    after = ground.contents(db)
    assert listings.get(db, listing.id) is None
    assert search.find(db, ["pain"], 9) == []
    for table in ("shops", "listings", "offers", "search_rows"):
        assert after[table] == before[table], table
    shops.remove_remote(db, shop.uri)


def test_a_point_of_its_own_is_kept(db: sqlite3.Connection) -> None:
    shop = ground.open_shop(db, latitude=44.8, longitude=0.0)
    assert (shop.latitude, shop.longitude) == (44.8, 0.0)
    assert rows.get(db, shop.id) == shop
    assert URIS.handle_of(shop.uri) == "fleurs"
