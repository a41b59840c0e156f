"""How fast a resident finds something among very many listings, and whether it is the nearest.

A made-up France: shops where people live, overseas too, each with its wares (`bench/wares.py`), in
a real node's file, searched by the real `node.search.find`. Beside it, on the same listings and
queries, engines made for nothing but searching (`bench/rivals.py`).
"""

import itertools
import random
import sqlite3
import sys
import time
import uuid
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench import wares
from node import globe, ranking, search, words
from node.directory import Block, View
from node.model import (
    Place,
    RingName,
    SearchAnswer,
    SearchQuery,
)
from node.ranking import Run
from node.store import database, listings, migrations, places
from node.store import node as node_row
from node.store import search as index

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
LISTINGS = 1_000_000
A_SHOP = 50
RADIUS_KM = 15
QUERIES = 500
SAMPLED = 200
SEED = 20261125


@dataclass(frozen=True, slots=True)
class Ask:
    """A query of the mix: what kind it is of, and from where."""

    shape: str
    words: str
    place: Place


# --- the made-up France --------------------------------------------------------------------------


def fill(folder: Path, count: int, chance: random.Random) -> None:
    """A node's file with so many listings, their index not yet filled."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / database.FILE_NAME).touch(0o600)
    migrations.migrate(folder, NOW)
    with (
        database.locked_for_writing(folder),
        closing(database.connect(folder / database.FILE_NAME, writing=True)) as db,
    ):
        db.execute("PRAGMA synchronous = OFF")
        node_row.add(db, "https://bench.example", "bench", NOW)
        index.make_anew(db)
        _fill(db, count, chance)


def _fill(db: sqlite3.Connection, count: int, chance: random.Random) -> None:
    communes = _communes(db)
    weights = [place.population or 1 for place in communes]
    lexicon = wares.Lexicon(chance, [place.name for place in communes])
    stamp = "2026-11-20T08:00:00Z"
    trades = wares.trades()
    made = 0
    db.execute("BEGIN")
    while made < count:
        shop = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        place = chance.choices(communes, weights)[0]
        latitude, longitude = place.latitude, place.longitude
        if latitude is not None and longitude is not None:
            latitude += chance.gauss(0, 0.008)
            longitude += chance.gauss(0, 0.011)
        handle = f"s{shop[:8]}{made}"
        uri = f"https://bench.example/users/{handle}"
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


def _communes(db: sqlite3.Connection) -> list[Place]:
    """Where people live: every commune, the arrondissements in place of their cities."""
    rows = db.execute(
        """
        SELECT id FROM places WHERE country = 'FR' AND population > 0 AND latitude IS NOT NULL
          AND number NOT IN (SELECT part_of FROM places WHERE part_of IS NOT NULL)
        """
    ).fetchall()
    found = [places.get(db, row[0]) for row in rows]
    return [place for place in found if place is not None]


# --- queries -------------------------------------------------------------------------------------


def mixed(db: sqlite3.Connection, chance: random.Random, count: int = QUERIES) -> list[Ask]:
    """What residents ask: 15 % one very frequent word, 30 % a thing, 15 % a thing and a frequent
    word, 20 % two words and 20 % three words of one title; where people live."""
    communes = _communes(db)
    weights = [place.population or 1 for place in communes]
    frequent = ["bio", "livraison", "rouge", "blanc", "artisanal", "local", "noir", "promo"]
    things = [thing for trade in wares.trades() for thing in wares.things(trade)]
    titles = [row[0] for row in db.execute("SELECT name FROM listings ORDER BY id LIMIT 5000")]
    asked = []
    for _ in range(count):
        drawn = chance.random()
        title = [word for word in chance.choice(titles).split() if len(word) > 2]
        if drawn < 0.15:
            shape, said = "one frequent word", chance.choice(frequent)
        elif drawn < 0.45:
            shape, said = "a thing", chance.choice(things)
        elif drawn < 0.60:
            shape, said = "a thing, frequent", f"{chance.choice(things)} {chance.choice(frequent)}"
        elif drawn < 0.80:
            shape, said = "two of a title", " ".join(title[:2])
        else:
            shape, said = "three of a title", " ".join(title[:3])
        asked.append(Ask(shape, said, chance.choices(communes, weights)[0]))
    return asked


def adversarial(db: sqlite3.Connection, chance: random.Random) -> list[Ask]:
    """What makes an index sweat, from the middle of cities, from islands, from the open sea."""
    named = {row["insee"]: places.get(db, row["id"]) for row in db.execute(
        "SELECT id, insee FROM places WHERE insee IN ('75111','13201','12202','2A004','97411')")}  # fmt: skip
    known = [place for place in named.values() if place is not None]
    sea = Place("sea", None, "Atlantique", None, None, 38.0, -35.0, None)
    far = Place("far", None, "Helsinki", None, None, 60.17, 24.94, None)
    froms = [*known, sea, far]
    frequent = ["bio", "livraison", "rouge", "blanc", "artisanal", "local", "noir", "promo"]
    things = [thing for trade in wares.trades() for thing in wares.things(trade)]
    asked = []
    for place in froms:
        for _ in range(8):
            one, two, three = chance.sample(frequent, 3)
            a, b, c = chance.sample(things, 3)
            asked += [
                Ask("frequent word", one, place),
                Ask("two frequent", f"{one} {two}", place),
                Ask("three frequent", f"{one} {two} {three}", place),
                Ask("frequent and a thing", f"{one} {a}", place),
                Ask("three things that never meet", f"{a} {b} {c}", place),
                Ask("a beginning", a[:3], place),
                Ask("a misspelling", a[:2] + a[3:] if len(a) > 5 else a + "z", place),
                Ask("nonsense", "".join(chance.choices("qzxwkjv", k=9)), place),
            ]
        asked += [
            Ask("10,000 words", "pain " * 10_000, place),
            Ask("FTS syntax", 'pain OR "miel* NEAR(a b) ^x -y {title}:z', place),
            Ask("signs only", "☂ \x00\x1f … ((", place),
        ]
    return asked


# --- asking --------------------------------------------------------------------------------------


def ask(db: sqlite3.Connection, one: Ask, engine: search.Engine) -> SearchAnswer:
    """A search as the pages make it."""
    return search.find(db, SearchQuery(one.words, one.place), RADIUS_KM, NOW, engine)


def timed(db: sqlite3.Connection, asked: Sequence[Ask], engine: search.Engine) -> list[float]:
    """Milliseconds of each query."""
    taken = []
    for one in asked:
        begun = time.perf_counter()
        ask(db, one, engine)
        taken.append((time.perf_counter() - begun) * 1000)
    return taken


def reader(folder: Path) -> sqlite3.Connection:
    """A connection as the server's readers have it, without memory mapping."""
    db = database.connect(folder / database.FILE_NAME, writing=False)
    db.execute("PRAGMA mmap_size = 0")
    return db


Texts = dict[int, tuple[Block, frozenset[str], frozenset[str]]]


def everything(db: sqlite3.Connection, view: View) -> Texts:
    """Every listing's words, in memory."""
    found: Texts = {}
    rows = {row["listing"]: row["id"] for row in db.execute("SELECT id, listing FROM search_rows")}
    after = ""
    while ids := listings.find_ids_after(db, after, 1000):
        for listing in listings.find(db, ids):
            row = rows[uuid.UUID(listing.id).bytes]
            title, text = index.texts(listing)
            block = view.block_of(row)
            assert block is not None
            found[row] = (block, frozenset(title.split()), frozenset(text.split()))
        after = ids[-1]
    return found


def oracle(db: sqlite3.Connection, asked: Ask, texts: Texts) -> list[int]:
    """The first twenty by looking at every listing: nothing of the index is used."""
    terms = [term.alternatives for term in words.read(asked.words).terms]
    commune = {asked.place.id, *(one.id for one in places.parts(db, asked.place.id))}
    adjoining = {one.id for one in places.adjoining(db, asked.place.id)}
    here = None
    if asked.place.latitude is not None and asked.place.longitude is not None:
        here = globe.vector(asked.place.latitude, asked.place.longitude)
    runs: dict[tuple[str, bool], Run] = {}
    for row, (block, title, text) in texts.items():
        if not all(any(all(token in text for token in one) for one in term) for term in terms):
            continue
        in_title = all(any(all(token in title for token in one) for one in term) for term in terms)
        run = runs.get((block.shop, in_title))
        if run is None:
            km = None
            if here is not None and block.point is not None:
                km = globe.distance_km(here, block.point)
            ring = RingName.FURTHER
            if block.place in commune:
                ring = RingName.COMMUNE
            elif block.place in adjoining or (km is not None and km <= RADIUS_KM):
                ring = RingName.AROUND
            run = runs[block.shop, in_title] = Run(block, km, ring, in_title, False, [])
        run.rows.append(row)
    placed = ranking.in_order(runs.values(), ranking.seed_of(NOW.date()), RADIUS_KM)
    return [one.row for one in itertools.islice(placed, search.PAGE)]
