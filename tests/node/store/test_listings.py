"""Listings as they are written and read back."""

import dataclasses
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from node.model import (
    Availability,
    Condition,
    Kind,
    Particulars,
    Reduction,
    ReductionKind,
    RemotePhoto,
)
from node.store import listings
from tests import ground
from tests.ground import NOW


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with ground.opened(tmp_path) as opened:
        yield opened


def told() -> dict[str, Any]:
    """Something else than usual in every column that may change."""
    later = NOW + timedelta(hours=3)
    cut = Reduction(ReductionKind.PROMOTION, 2000, NOW, later)
    return {
        "url": "https://merignac.example/other",
        "name": "Miel",
        "description": "De lavande",
        "category": "epicerie.miel",
        "condition": Condition.USED,
        "language": "de",
        "announce": True,
        "updated": later,
        "seen": later + timedelta(hours=1),
        "withdrawn": later + timedelta(hours=2),
        "kind": Kind.SERVICE,
        "pick_up": False,
        "delivered": True,
        "particulars": Particulars(brand="Ruche", allergens=()),
        "remote_photo": RemotePhoto("https://merignac.example/1.webp", "Un pot"),
        "offers": (
            ground.offer(
                axes={"taille": "été"},
                quantity_milli=500_000,
                unit="g",
                availability=Availability.ON_ORDER,
                stock=3,
                gtin="3017620422003",
                sku="A-1",
                reduction=cut,
            ),
            ground.offer(None, reduction=dataclasses.replace(cut, until=None)),
        ),
    }


def test_all_of_it_is_written_and_read_back(db: sqlite3.Connection) -> None:
    shop = ground.remote_shop(db)
    listing = ground.remote_listing(shop, **told())
    listings.add(db, listing)
    assert listings.get(db, listing.id) == listing


def test_all_that_may_change_is_changed_and_nothing_else(db: sqlite3.Connection) -> None:
    shop = ground.remote_shop(db)
    other, listing = ground.remote_listing(shop), ground.remote_listing(shop)
    listings.add_all(db, [other, listing])
    changed = dataclasses.replace(listing, **told())
    assert all(
        getattr(changed, field.name) != getattr(listing, field.name)
        for field in dataclasses.fields(listing)
        if field.name not in ("id", "uri", "shop", "published", "photos")
    )
    elsewhere = dataclasses.replace(
        changed, uri=other.uri, shop="?", published=NOW - timedelta(hours=1)
    )
    listings.change(db, elsewhere)
    assert listings.get(db, listing.id) == changed
    assert listings.get(db, other.id) == other


def test_what_is_written_are_plain_strings_and_numbers(db: sqlite3.Connection) -> None:
    # Of anything else SQLite's module asks several times as long what it may be.
    rows = listings.rows_of(ground.remote_listing(ground.remote_shop(db), **told()))
    values = [*rows.listing, *(value for offer in rows.offers for value in offer)]
    assert {type(value) for value in values} == {str, int, type(None)}
