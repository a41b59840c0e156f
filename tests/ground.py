"""A node's file for tests: made by the real migrations, with shops that offer things.

    with ground.opened(tmp_path) as db:
        shop = ground.open_shop(db)
        ground.publish(db, shop, "Miel de lavande")

Nothing here signs anything; where real keys are needed, a test makes them.
"""

import contextlib
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from node import catalogue, shops, synonyms, words
from node.model import (
    Availability,
    Condition,
    Listing,
    Offer,
    Place,
    SearchAnswer,
    SearchQuery,
    Shop,
)
from node.search import Engine, find
from node.store import database, matches, migrations, peers, places, search
from node.store import node as node_row
from node.uris import Uris

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
URIS = Uris("https://boutiques.pessac.example")
KEYS = shops.ActorKeys("no pem", b"no key", "no multikey", b"no key")
PEER = "boutiques.merignac.example"
PESSAC, MERIGNAC, BORDEAUX, LYON = "FR-33318", "FR-33281", "FR-33063", "FR-69123"


def make(folder: Path) -> Path:
    """A node's file in `folder`, with an empty index of searches."""
    folder.mkdir(exist_ok=True)
    (folder / database.FILE_NAME).touch(0o600)
    migrations.migrate(folder, NOW)
    with database.transaction(folder) as db:
        node_row.add(db, URIS.origin, "pessac", NOW)
        search.mark_filled(db, search.make_anew(db))
    return folder


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[Any]:
    """A writing connection to a new file, as one command would have it."""
    with (
        database.locked_for_writing(make(folder)),
        contextlib.closing(database.connect(folder / database.FILE_NAME, writing=True)) as db,
    ):
        yield db


def new_id() -> str:
    return str(uuid.uuid4())


def place(db: Any, place_id: str) -> Place:
    found = places.get(db, place_id)
    assert found is not None
    return found


def open_shop(
    db: Any, handle: str = "fleurs", commune: str = PESSAC, now: datetime = NOW, **more: Any
) -> Shop:
    draft = shops.ShopDraft(
        **{"handle": handle, "name": f"Chez {handle}", "place": place(db, commune), **more}
    )
    return shops.open_shop(db, URIS, draft, KEYS, new_id(), now)


def offer(cents: int | None = 1250, **more: Any) -> Offer:
    values: dict[str, Any] = {
        "id": new_id(),
        "axes": {},
        "price_cents": cents,
        "currency": "EUR",
        "quantity_milli": None,
        "unit": None,
        "availability": Availability.IN_STOCK,
        "stock": None,
        "gtin": None,
        "sku": None,
    }
    return Offer(**{**values, **more})


def draft(name: str = "Bouquet", *offers: Offer, **more: Any) -> catalogue.ListingDraft:
    return catalogue.ListingDraft(name=name, offers=offers or (offer(),), **more)


def publish(
    db: Any, shop: Shop, name: str = "Bouquet", *offers: Offer, now: datetime = NOW, **more: Any
) -> Listing:
    return catalogue.publish(db, URIS, shop, draft(name, *offers, **more), new_id, now)


def revise(
    db: Any, shop: Shop, listing: Listing, draft: catalogue.ListingDraft, now: datetime = NOW
) -> Listing:
    return catalogue.revise(db, URIS, shop, listing.id, draft, now)


def remote_shop(db: Any, handle: str = "pains", **more: Any) -> Shop:
    """A neighbour's shop, recorded here."""
    peers.add(db, PEER, f"https://{PEER}", f"https://{PEER}/users/instance", "Mérignac", "echoppe")
    values: dict[str, Any] = {
        "id": new_id(),
        "uri": f"https://{PEER}/users/{handle}",
        "url": f"https://{PEER}/@{handle}",
        "peer": PEER,
        "handle": handle,
        "name": f"Chez {handle}",
        "summary": None,
        "place": MERIGNAC,
        "address": None,
        "phone": None,
        "latitude": None,
        "longitude": None,
        "opened": NOW,
        "updated": NOW,
        "seen": NOW,
        "closed": None,
    }
    shop = Shop(**{**values, **more})
    shops.record_remote(db, shop)
    return shop


def remote_listing(shop: Shop, name: str = "Pain au levain", **more: Any) -> Listing:
    """A neighbour's listing as it would be read from its Note; not recorded yet."""
    listing_id = new_id()
    values: dict[str, Any] = {
        "id": listing_id,
        "uri": f"{shop.uri}/items/{listing_id}",
        "url": f"{shop.url}/pain-{listing_id[:8]}",
        "shop": shop.id,
        "name": name,
        "description": "",
        "category": None,
        "condition": Condition.NEW,
        "language": "fr",
        "announce": False,
        "published": NOW,
        "updated": NOW,
        "seen": NOW,
        "withdrawn": None,
        "offers": (offer(),),
    }
    return Listing(**{**values, **more})


def indexed(db: Any, query: str) -> list[str]:
    """Ids of the listings that the index has under all words of a query."""
    said = " AND ".join(f'"{word}"' for word in words.terms(query))
    if not said:
        return []
    rows = matches.find(db, said, [(0, 2**62)], limit=10_000)
    return list(matches.listings_of(db, rows).values())


def ask(db: Any, query: SearchQuery, radius_km: float = 15, now: datetime = NOW) -> SearchAnswer:
    """A search by an engine that has just been started."""
    return find(db, query, radius_km, now, Engine(synonyms.load(Path("/nonexistent"))))


def contents(db: Any) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table: two of these are equal when nothing has changed."""
    tables = [
        row[0]
        for row in db.execute(
            """
            SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
              AND sql NOT LIKE 'CREATE VIRTUAL%'  -- what these hold is in tables of their own
            """
        )
    ]
    return {
        table: sorted((tuple(row) for row in db.execute(f'SELECT * FROM main."{table}"')), key=repr)
        for table in tables
    }
