"""A made-up France, for benchmarks: shops where people live, overseas too, each with its wares.

It is written straight into the tables of a node's file, in the order of nothing; the index is then
filled as `echoppe reindex` fills it.
"""

import random
import sqlite3
import sys
import uuid
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from bench import wares
from node.model import Place
from node.store import database, migrations, places
from node.store import node as node_row
from node.store import search as index

ORIGIN = "https://bench.example"
NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


def fill(folder: Path, count: int, chance: random.Random) -> None:
    """A node's file with so many listings, their index not yet filled."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / database.FILE_NAME
    made = path.exists()  # by the real command
    if not made:
        path.touch(0o600)
        migrations.migrate(folder, NOW)
    with (
        database.locked_for_writing(folder),
        closing(database.connect(path, writing=True)) as db,
    ):
        db.execute("PRAGMA synchronous = OFF")
        if not made:
            node_row.add(db, ORIGIN, "bench", NOW)
        index.make_anew(db)
        _fill(db, count, chance)


def _fill(db: sqlite3.Connection, count: int, chance: random.Random) -> None:
    living = communes(db)
    weights = [place.population or 1 for place in living]
    lexicon = wares.Lexicon(chance, [place.name for place in living])
    stamp = "2026-11-20T08:00:00Z"
    trades = wares.trades()
    made = 0
    db.execute("BEGIN")
    while made < count:
        shop = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        place = chance.choices(living, weights)[0]
        latitude, longitude = place.latitude, place.longitude
        if latitude is not None and longitude is not None:
            latitude += chance.gauss(0, 0.008)
            longitude += chance.gauss(0, 0.011)
        handle = f"s{shop[:8]}{made}"
        uri = f"{ORIGIN}/users/{handle}"
        db.execute(
            """
            INSERT INTO shops (id, uri, url, handle, name, place, latitude, longitude, opened,
                               updated, seen) VALUES (?,?,?,?,?,?,?,?,?,?,?)
            """,
            (shop, uri, uri, handle, lexicon.maker(), place.id, latitude, longitude, stamp, stamp,
             stamp),
        )  # fmt: skip
        making = wares.make(chance.choice(trades), lexicon, chance)
        for _ in range(min(count - made, max(1, round(chance.lognormvariate(3.5, 0.9))))):
            _add(db, shop, uri, next(making), chance, stamp)
            made += 1
            if made % 20_000 == 0:
                db.execute("COMMIT")
                db.execute("BEGIN")
                print(f"\r{made:,} listings made", end="", file=sys.stderr, flush=True)
    db.execute("COMMIT")
    print("\r", end="", file=sys.stderr)


def _add(
    db: sqlite3.Connection,
    shop: str,
    uri: str,
    ware: wares.Ware,
    chance: random.Random,
    stamp: str,
) -> None:
    listing = str(uuid.UUID(int=chance.getrandbits(128), version=4))
    item = f"{uri}/items/{listing}"
    db.execute(
        """
        INSERT INTO listings (id, uri, url, shop, name, description, category, condition, language,
                              announce, published, updated, seen)
        VALUES (?,?,?,?,?,?,?,'new','fr',0,?,?,?)
        """,
        (
            listing,
            item,
            item,
            shop,
            ware.name,
            ware.description,
            ware.category,
            stamp,
            stamp,
            stamp,
        ),
    )
    quantity, unit = ware.quantity or (None, None)
    db.execute(
        """
        INSERT INTO offers (id, listing, position, price_cents, currency, quantity_milli, unit,
                            availability) VALUES (?,?,0,?,'EUR',?,?,'in_stock')
        """,
        (f"{listing}0", listing, ware.cents, quantity and quantity * 1000, unit),
    )


def communes(db: sqlite3.Connection) -> list[Place]:
    """Where people live: every commune, the arrondissements in place of their cities."""
    rows = db.execute(
        """
        SELECT id FROM places WHERE country = 'FR' AND population > 0 AND latitude IS NOT NULL
          AND number NOT IN (SELECT part_of FROM places WHERE part_of IS NOT NULL)
        """
    ).fetchall()
    found = [places.get(db, row[0]) for row in rows]
    return [place for place in found if place is not None]
