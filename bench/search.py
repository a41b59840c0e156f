"""How fast a resident finds something among very many listings, and whether it is the nearest.

A made-up France (`bench/france.py`) in a real node's file, searched by the real `node.search.find`.
Beside it, on the same listings and queries, engines made for nothing but searching
(`bench/rivals.py`).
"""

import asyncio
import gc
import itertools
import os
import random
import sqlite3
import statistics
import sys
import threading
import time
import uuid
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path

from bench import france, measure, rivals, town, wares
from bench.france import NOW
from node import globe, ranking, search, synonyms, upkeep, words
from node.directory import Directory
from node.exchange.listings_read import local_id
from node.model import Listing, Place, RingName, SearchAnswer, SearchQuery
from node.ranking import Run, Where
from node.store import database, doors, listings, matches, migrations, places, search_texts
from node.store import search as index

RADIUS_KM = 15
QUERIES = 500
COLD = 100
SAMPLED = 200
BESIDE = 50  # listings a second that come, change and go
BESIDE_S = 20.0
WRITTEN = 5_000
SMALL = 100_000
SEED = 20261125
FREQUENT = ("bio", "livraison", "rouge", "blanc", "artisanal", "local", "noir", "promo")


@dataclass(frozen=True, slots=True)
class Ask:
    """A query of the mix: what kind it is of, and from where."""

    shape: str
    words: str
    place: Place


def run(base: Path, size: measure.Size) -> None:
    """Prints the tables."""
    folder = size.france or base / "france"
    if not (folder / database.FILE_NAME).exists():
        france.fill(folder, size.listings, random.Random(SEED))
    migrations.migrate(folder, NOW)  # one that was kept may be of yesterday
    _fill_index(folder)
    mix, hard = _queries(folder)
    _speed(folder, mix, hard)
    documents = base / "documents.tsv"
    rivals.write_documents(folder, documents)
    _exactness(folder, mix, documents)
    _rivals(folder, mix, documents)
    _beside_writes(folder, mix)
    _writes(folder)
    _memory(base)


def _queries(folder: Path) -> tuple[list[Ask], list[Ask]]:
    with database.reading(folder) as db:
        return mixed(db, random.Random(SEED)), adversarial(db, random.Random(SEED))


def _fill_index(folder: Path) -> None:
    with database.reading(folder) as db:
        filled = index.is_filled(db)
    begun = time.perf_counter()
    if not filled:
        upkeep.reindex(folder, lambda done: _progress(f"{done:,} in the index"))
    taken = time.perf_counter() - begun
    _progress("")
    with database.reading(folder) as db:
        count = int(db.execute("SELECT count(*) FROM search_rows").fetchone()[0])
        tables = db.execute(
            "SELECT name, sum(pgsize) / 1e6 FROM dbstat WHERE name LIKE '%search%' GROUP BY name"
        ).fetchall()
        words_known = db.execute("SELECT count(*) FROM search_vocabulary").fetchone()[0]
        shops = db.execute("SELECT count(*) FROM shops").fetchone()[0]
    whole = sum(row[1] for row in tables)
    measure.table(
        f"the index of {count:,} listings of {shops:,} shops, {words_known:,} words in titles",
        ("", "MB", "MB per million"),
        [
            *(
                (row[0], f"{row[1]:.1f}", f"{row[1] / count * 1e6:.0f}")
                for row in sorted(tables, key=lambda row: -row[1])
                if row[1] > whole / 100
            ),
            ("all of it (target: < 250)", f"{whole:.1f}", f"{whole / count * 1e6:.0f}"),
            ("`reindex` had been done before", "", "")
            if filled
            else (f"`reindex` took {taken:.0f} s: {count / taken:,.0f} listings/s", "", ""),
        ],
    )


# --- queries -------------------------------------------------------------------------------------


def mixed(db: sqlite3.Connection, chance: random.Random) -> list[Ask]:
    """What residents ask: 15 % one very frequent word, 30 % a thing, 15 % a thing and a frequent
    word, 20 % two words and 20 % three words of one title; from where people live."""
    living = france.communes(db)
    weights = [place.population or 1 for place in living]
    things = [thing for trade in wares.trades() for thing in wares.things(trade)]
    titles = [row[0] for row in db.execute("SELECT name FROM listings ORDER BY id LIMIT 5000")]
    asked = []
    for _ in range(QUERIES):
        drawn = chance.random()
        title = [word for word in chance.choice(titles).split() if len(word) > 2]
        if drawn < 0.15:
            shape, said = "one frequent word", chance.choice(FREQUENT)
        elif drawn < 0.45:
            shape, said = "a thing", chance.choice(things)
        elif drawn < 0.60:
            shape, said = (
                "a thing and a frequent word",
                f"{chance.choice(things)} {chance.choice(FREQUENT)}",
            )
        elif drawn < 0.80:
            shape, said = "two words of a title", " ".join(title[:2])
        else:
            shape, said = "three words of a title", " ".join(title[:3])
        asked.append(Ask(shape, said, chance.choices(living, weights)[0]))
    return asked


def adversarial(db: sqlite3.Connection, chance: random.Random) -> list[Ask]:
    """What makes an index sweat, from the middle of cities, from islands, from the open sea."""
    named = ("FR-75111", "FR-13201", "FR-12202", "FR-2A004", "FR-97411")
    known = [place for one in named if (place := places.get(db, one)) is not None]
    sea = Place("sea", None, "Atlantique", None, None, 38.0, -35.0, None)
    far = Place("far", None, "Helsinki", None, None, 60.17, 24.94, None)
    things = [thing for trade in wares.trades() for thing in wares.things(trade)]
    asked = []
    for place in (*known, sea, far):
        for _ in range(8):
            one, two, three = chance.sample(FREQUENT, 3)
            a, b, c = chance.sample(things, 3)
            asked += [
                Ask("one frequent word", one, place),
                Ask("two frequent words", f"{one} {two}", place),
                Ask("three frequent words", f"{one} {two} {three}", place),
                Ask("a frequent word and a thing", f"{one} {a}", place),
                Ask("three things that never meet", f"{a} {b} {c}", place),
                Ask("a beginning of three letters", a[:3], place),
                Ask("a misspelling", a[:2] + a[3:] if len(a) > 5 else a + "z", place),
                Ask("nonsense", "".join(chance.choices("qzxwkjv", k=9)), place),
            ]
        asked += [
            Ask("one word 10,000 times", "pain " * 10_000, place),
            Ask("10,000 different words", " ".join(map(str, range(10_000))), place),
            Ask("FTS syntax", 'pain OR "miel* NEAR(a b) ^x -y {title}:z', place),
            Ask("signs only", "☂ \x00\x1f … ((", place),
        ]
    return asked


# --- speed ---------------------------------------------------------------------------------------


def reader(folder: Path) -> sqlite3.Connection:
    """A connection as the server's readers have it; files are never mapped into memory."""
    db = database.connect(folder / database.FILE_NAME, writing=False)
    db.execute("PRAGMA mmap_size = 0")
    return db


def started(folder: Path) -> search.Engine:
    """An engine that knows nothing yet."""
    return search.Engine(synonyms.load(folder))


def ask(db: sqlite3.Connection, one: Ask, engine: search.Engine) -> SearchAnswer:
    """A search as the pages make it, its twenty listings read whole."""
    return search.find(db, SearchQuery(one.words, one.place), RADIUS_KM, NOW, engine)


def timed(asked: Sequence[Ask], answer: Callable[[Ask], object]) -> list[float]:
    """Milliseconds of each query."""
    taken = []
    for one in asked:
        begun = time.perf_counter()
        answer(one)
        taken.append((time.perf_counter() - begun) * 1000)
    return taken


def _by_shape(asked: Sequence[Ask], taken: Sequence[float]) -> Iterator[tuple[str, list[float]]]:
    shapes: dict[str, list[float]] = {}
    for one, milliseconds in zip(asked, taken, strict=True):
        shapes.setdefault(one.shape, []).append(milliseconds)
    yield from shapes.items()


def _row(name: str, taken: Sequence[float]) -> tuple[str, ...]:
    parts = [measure.percentile(taken, hundredth) for hundredth in (50, 95, 99, 100)]
    return (name, f"{len(taken)}", *(f"{part:.1f}" for part in parts))


_HEADS = ("queries", "number", "p50", "p95", "p99", "max")


def _speed(folder: Path, mix: Sequence[Ask], hard: Sequence[Ask]) -> None:
    db, engine = reader(folder), started(folder)
    rows = []
    _forget_file(folder)
    cold = timed(mix[:COLD], lambda one: ask(reader(folder), one, engine))
    rows.append(_row("cold: file out of memory, then a new connection for each", cold))
    for one in mix:
        ask(db, one, engine)
    rounds = [timed(mix, lambda one: ask(db, one, engine)) for _ in range(3)]
    warm = min(rounds, key=statistics.median)
    rows += [_row(f"warm, round {number}", taken) for number, taken in enumerate(rounds, 1)]
    rows += [_row(f"  {shape}", taken) for shape, taken in _by_shape(mix, warm)]
    measure.table("searches, ms, one thread, mmap off (target: p95 < 10, p99 < 30)", _HEADS, rows)
    for one in hard:
        ask(db, one, engine)
    taken = timed(hard, lambda one: ask(db, one, engine))
    measure.table(
        "hard shapes, ms, from Paris, Marseille, Rodez, Ajaccio, Saint-Denis, the Atlantic and "
        "Helsinki (target: none over 100)",
        _HEADS,
        [_row(shape, values) for shape, values in _by_shape(hard, taken)],
    )


def _forget_file(folder: Path) -> None:
    """Asks the system to drop what it keeps of the file in memory."""
    for path in folder.glob("node.db*"):
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


# --- beside writes -------------------------------------------------------------------------------


class _Writer(threading.Thread):
    """Adds, changes and removes listings in turn, `rate` a second, in commits of a tenth."""

    def __init__(self, folder: Path, rate: int) -> None:
        super().__init__(daemon=True)
        self._folder = folder
        self._rate = rate
        self._done = threading.Event()
        self.written = 0

    def run(self) -> None:
        """Until stopped."""
        chance = random.Random(1)
        with database.reading(self._folder) as db:
            some = listings.find_ids_after(db, "8", 20_000)
        chance.shuffle(some)
        while not self._done.wait(0.1):
            with database.transaction(self._folder) as db:
                first = self.written % len(some)
                _write(db, listings.find(db, some[first : first + self._rate // 10]))
            self.written += self._rate // 10

    def stop(self) -> None:
        """Ends after what is under way."""
        self._done.set()
        self.join()


def _write(db: sqlite3.Connection, known: Sequence[Listing]) -> None:
    """Adds a listing, changes one, removes one, in turn: together, as what neighbours tell is."""
    added, changed, gone = [], [], []
    for turn, one in enumerate(known):
        if turn % 3 == 0:
            fresh = local_id(str(uuid.uuid4()), datetime.now(UTC))
            offers = tuple(replace(offer, id=str(uuid.uuid4())) for offer in one.offers)
            added.append(replace(one, id=fresh, uri=f"{one.uri}/{fresh}", offers=offers))
        elif turn % 3 == 1:
            changed.append((replace(one, name=f"{one.name} {fresh[-4:]}"), one))
        else:
            gone.append((replace(one, withdrawn=NOW), one))
    listings.add_all(db, added)
    listings.change_all(db, [new for new, _ in changed])
    index.put_all(db, [*((one, None) for one in added), *changed, *gone])
    for one, _ in gone:
        listings.remove(db, one.id)


def _beside_writes(folder: Path, mix: Sequence[Ask]) -> None:
    db, engine = reader(folder), started(folder)
    for one in mix:
        ask(db, one, engine)
    writer = _Writer(folder, BESIDE)
    writer.start()
    taken: list[float] = []
    begun = time.perf_counter()
    while (lasted := time.perf_counter() - begun) < BESIDE_S:
        taken += timed(mix[:50], lambda one: ask(db, one, engine))
    writer.stop()
    measure.table(
        f"the same while {writer.written / lasted:.0f} listings/s are added, changed, removed "
        f"in the same process ({BESIDE} asked)",
        _HEADS,
        [_row("mixed", taken)],
    )


def _writes(folder: Path) -> None:
    """How many listings a second the index takes, a reader beside it."""
    chance = random.Random(2)
    with database.reading(folder) as db:
        some = chance.sample(listings.find_ids_after(db, "4", 50_000), WRITTEN)
    stop = threading.Event()

    def read() -> None:
        db, engine = reader(folder), started(folder)
        mix = mixed(db, random.Random(3))
        for one in itertools.cycle(mix):
            if stop.wait(0.05):
                return
            ask(db, one, engine)

    beside = threading.Thread(target=read, daemon=True)
    beside.start()
    begun = time.perf_counter()
    asyncio.run(_write_all(folder, some))
    taken = time.perf_counter() - begun
    stop.set()
    beside.join()
    measure.table(
        "index writes beside a reader, in commits of 100 by the server's writer, listings and "
        "offers included",
        ("", "listings/s"),
        [("added, changed, removed in turn (target: 1,000)", f"{WRITTEN / taken:,.0f}")],
    )


async def _write_all(folder: Path, some: Sequence[str]) -> None:
    def write(db: sqlite3.Connection, ids: Sequence[str]) -> None:
        _write(db, listings.find(db, ids))

    async with doors.Database(folder) as opened:
        for first in range(0, len(some), 100):
            await opened.write(write, some[first : first + 100])


# --- exactness -----------------------------------------------------------------------------------


class Everything:
    """Which rows have a word, by reading every listing: nothing of the index's lists is used."""

    def __init__(self, db: sqlite3.Connection, documents: Path) -> None:
        self.words: dict[str, array[int]] = {}
        self.titles: dict[str, array[int]] = {}
        self.view = Directory().view(db)
        for row, title, text, _, _ in rivals.read_documents(documents):
            for kept, said in ((self.titles, title), (self.words, text)):
                for token in said.split():
                    kept.setdefault(token, array("q")).append(row)

    def find(self, db: sqlite3.Connection, asked: Ask) -> list[int]:
        """The first twenty row numbers of all that match, in order."""
        terms = [term.alternatives for term in words.read(asked.words).terms]
        rows, titles = self._having(self.words, terms), self._having(self.titles, terms)
        commune = {asked.place.id, *(one.id for one in places.parts(db, asked.place.id))}
        adjoining = {one.id for one in places.adjoining(db, asked.place.id)}
        assert asked.place.latitude is not None
        assert asked.place.longitude is not None
        here = globe.vector(asked.place.latitude, asked.place.longitude)
        first = {search_texts.head_word(tokens[0]) for term in terms for tokens in term}
        heads = {row for word in first for row in self.titles.get(word, ())}
        runs: dict[tuple[str, Where], Run] = {}
        for row in rows:
            block = self.view.by_number.get(row >> index.ROW_BITS)
            assert block is not None
            where = Where.ELSEWHERE
            if row in titles:
                where = Where.HEAD if row in heads else Where.TITLE
            run = runs.get((block.shop, where))
            if run is None:
                km = None if block.point is None else globe.distance_km(here, block.point)
                ring = RingName.FURTHER
                if block.place in commune:
                    ring = RingName.COMMUNE
                elif block.place in adjoining or (km is not None and km <= RADIUS_KM):
                    ring = RingName.AROUND
                run = runs[block.shop, where] = Run(block, km, ring, where, False, [])
            run.rows.append(row)
        placed = ranking.in_order(runs.values(), ranking.seed_of(NOW.date()), RADIUS_KM)
        return [one.row for one in itertools.islice(placed, search.PAGE)]

    def _having(
        self, kept: dict[str, "array[int]"], terms: Sequence[Sequence[Sequence[str]]]
    ) -> set[int]:
        def of(token: str) -> set[int]:
            return set(kept.get(token, ()))

        sets = [
            set().union(*(reduce(set.intersection, map(of, tokens)) for tokens in term))
            for term in terms
        ]
        return reduce(set.intersection, sets) if sets else set()


def _exactness(folder: Path, mix: Sequence[Ask], documents: Path) -> None:
    db, engine = reader(folder), search.Engine(synonyms.Synonyms({}))
    everything = Everything(db, documents)
    sampled = random.Random(4).sample(list(mix), SAMPLED)
    right = 0
    for one in sampled:
        answer = ask(db, one, engine)
        if any(changed.reading != "spelling" for changed in answer.changed):
            continue  # the words were read otherwise: not what is compared here
        shown = [hit.listing.id for ring in answer.rings for hit in ring.hits]
        wanted = everything.find(db, one)
        ids = matches.listings_of(db, wanted)
        right += shown == [ids[row] for row in wanted]
    del everything
    gc.collect()
    measure.table(
        f"the first twenty against a look at every listing, {SAMPLED} of the queries",
        ("", "the same"),
        [("in the same order (target: all)", f"{right} of {SAMPLED}")],
    )


# --- beside others, and at rest ------------------------------------------------------------------


def _rivals(folder: Path, mix: Sequence[Ask], documents: Path) -> None:
    db, engine = reader(folder), started(folder)
    for one in mix:
        ask(db, one, engine)
    rows = [_row("this index: three rings, in order", timed(mix, lambda one: ask(db, one, engine)))]
    for rival in rivals.all_of(documents, mix):
        rows += [_row(name, taken) for name, taken in rival.taken]
        rows.append((f"  made in {rival.made_s:.0f} s, {rival.megabytes:,.0f} MB", *[""] * 5))
    measure.table("the same queries by others, ms, first twenty", _HEADS, rows)


def _memory(base: Path) -> None:
    node = town.found(base, "small")
    france.fill(node.folder, SMALL, random.Random(SEED))
    upkeep.reindex(node.folder)
    node.serve()
    assert node.process is not None
    time.sleep(5)
    at_rest = measure.memory(node.process.pid)
    for one in ("miel", "pain bio", "robe rouge", "qzxv") * 25:
        node.get("/api/v1/search", params={"q": one, "near": "33063"})
    after = measure.memory(node.process.pid)
    node.stop()
    measure.table(
        f"a node with {SMALL:,} listings, resident MiB (target: < 100 at rest)",
        ("", "MiB"),
        [("5 s after ready", f"{at_rest:.1f}"), ("after 100 searches", f"{after:.1f}")],
    )


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text:60}", end="", file=sys.stderr, flush=True)
