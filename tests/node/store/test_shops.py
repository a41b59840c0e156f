"""What the tables of shops and listings give back is what was put in."""

import dataclasses
import sqlite3
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from node.model import PAYMENTS, DeliveryTerms, Hours, Kind, Span, SpecialDays
from node.store import database, listings, migrations, shops
from tests import ground
from tests.ground import NOW

HOURS = Hours(
    weekly=(Span(1, 540, 750), Span(1, 840, 1140), Span(5, 1080, 1560)),
    special=(
        SpecialDays(date(2026, 8, 1), date(2026, 8, 15), (), "congés d’été"),
        SpecialDays(date(2026, 12, 24), date(2026, 12, 24), ((540, 960),)),
    ),
    closed_on_holidays=True,
)
DELIVERY = DeliveryTerms((ground.PESSAC, ground.BORDEAUX), 12.5, 450, 3000)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with ground.opened(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("step_free", [None, True, False])
@pytest.mark.parametrize("hours", [None, Hours(()), HOURS])
@pytest.mark.parametrize("delivery", [None, DELIVERY, DeliveryTerms(radius_km=3.0)])
def test_the_facts_of_a_shop(
    db: sqlite3.Connection,
    hours: Hours | None,
    step_free: bool | None,
    delivery: DeliveryTerms | None,
) -> None:
    shop = ground.open_shop(
        db, hours=hours, payments=PAYMENTS[:2], step_free=step_free, delivery=delivery
    )
    assert shops.get(db, shop.id) == shop
    assert (shop.hours, shop.step_free, shop.delivery) == (hours, step_free, delivery)
    changed = dataclasses.replace(shop, hours=HOURS, payments=(), delivery=None)
    shops.change(db, changed)
    assert shops.get(db, shop.id) == changed


def test_what_a_listing_is_and_how_it_is_had(db: sqlite3.Connection) -> None:
    shop = ground.open_shop(db)
    listing = ground.publish(
        db, shop, "Taille de haie", kind=Kind.SERVICE, pick_up=False, delivered=True
    )
    assert listings.get(db, listing.id) == listing
    assert (listing.kind, listing.pick_up, listing.delivered) == (Kind.SERVICE, False, True)
    changed = dataclasses.replace(listing, kind=Kind.GOODS, pick_up=True, delivered=False)
    listings.change(db, changed)
    assert listings.get(db, listing.id) == changed


def test_what_was_written_before_these_facts_says_nothing_of_them(tmp_path: Path) -> None:
    path = tmp_path / database.FILE_NAME
    path.touch()
    migrations.migrate(tmp_path, NOW, migrations.STEPS[:1])
    with database.transaction(tmp_path) as db:
        db.execute(
            """
            INSERT INTO shops (id, uri, url, handle, name, opened, updated, seen)
            VALUES ('1', 'https://a.example/users/a', 'https://a.example/@a', 'a', 'A',
                    '2026-11-23T08:00:00Z', '2026-11-23T08:00:00Z', '2026-11-23T08:00:00Z')
            """
        )
        db.execute(
            """
            INSERT INTO listings (id, uri, url, shop, name, description, condition, language,
                                  announce, published, updated, seen)
            VALUES ('2', 'https://a.example/i', 'https://a.example/i', '1', 'B', '', 'new', 'fr', 0,
                    '2026-11-23T08:00:00Z', '2026-11-23T08:00:00Z', '2026-11-23T08:00:00Z')
            """
        )
    migrations.migrate(tmp_path, NOW)
    with database.reading(tmp_path) as db:
        shop, listing = shops.get(db, "1"), listings.get(db, "2")
    assert shop is not None
    assert listing is not None
    assert (shop.hours, shop.payments, shop.step_free, shop.delivery) == (None, (), None, None)
    assert (listing.kind, listing.pick_up, listing.delivered) == (Kind.GOODS, True, False)
