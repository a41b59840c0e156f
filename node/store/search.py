"""The index of searches. Derived from the listings, dropped and rebuilt at will; nothing refers to
its rows.

Where a row stands says where its listing is. A row's number is `block << ROW_BITS | nth`, a block's
is `cell << BLOCK_BITS | nth`, and a cell's is its place on the Hilbert curve (`node.globe`): a shop
has one block, or several where it offers very much, and a neighbourhood is a few runs of numbers.
The full-text tables keep their lists in the order of row numbers and can jump inside them, so that
"this word, around here" reads what is around here and no more. Which block a row belongs to, and
so whose it is and how far, is read off its number.

Two tables of words, of titles and of everything, each without columns, positions and sizes: a word
of a title is then found without reading those of descriptions (`store/search_texts.py`: which words
a listing has; `store/matches.py`: reading them). Neither table keeps its text: to take a row out,
the text it was put in with is made again from the listing as it was.

The layout carries a version of its own: where the file has another, `upkeep` makes it anew.
"""

import itertools
import json
import secrets
import sqlite3
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from node import globe
from node.model import Listing
from node.store import hidden, many, places, search_texts

VERSION = 3
BLOCK_BITS = 12
ROW_BITS = 11
BLOCKS_IN_CELL = 1 << BLOCK_BITS
ROWS_IN_BLOCK = 1 << ROW_BITS
MERGED_PAGES = 500  # in one transaction: some hundredths of a second
NOWHERE = 1 << 2 * globe.CELL_BITS  # the cell, beyond all others, of shops without a point

_DROP = """
DROP TABLE IF EXISTS search_words;
DROP TABLE IF EXISTS search_titles;
DROP TABLE IF EXISTS search_rows;
DROP TABLE IF EXISTS search_blocks;
DROP TABLE IF EXISTS search_vocabulary;
DROP TABLE IF EXISTS search_index;
"""
# Words come normalised and joined by spaces (`words.normalise`). The ascii tokenizer parts them
# there and nowhere else; another one's idea of a letter may differ from Python's.
_CREATE = """
CREATE TABLE search_index (
    version INTEGER NOT NULL,
    -- Of what makes a listing's words: to take them out, they must be made just so again.
    texts_version INTEGER NOT NULL,
    -- 1 when every listing is in it; below 0, which making of it is not done yet.
    filled INTEGER NOT NULL,
    -- Rises when blocks go; `revision` when one comes or changes: a reader's copy knows what to
    -- read again.
    generation INTEGER NOT NULL,
    revision INTEGER NOT NULL
) STRICT;
CREATE TABLE search_blocks (
    number INTEGER PRIMARY KEY,
    shop TEXT NOT NULL,
    place TEXT,
    latitude REAL,
    longitude REAL,
    -- How many of its row numbers were given out.
    used INTEGER NOT NULL,
    revision INTEGER NOT NULL
) STRICT;
CREATE INDEX search_blocks_shop ON search_blocks (shop);
CREATE INDEX search_blocks_revision ON search_blocks (revision);
CREATE TABLE search_rows (
    id INTEGER PRIMARY KEY,
    listing BLOB NOT NULL UNIQUE,
    -- The lowest and the highest price in cents, and those in between where there are any.
    low INTEGER,
    high INTEGER,
    others TEXT,
    -- The word its title begins with (`head_number`).
    head INTEGER,
    -- Of the words it was put in with.
    checksum INTEGER NOT NULL
) STRICT;
CREATE VIRTUAL TABLE search_words USING fts5 (
    words, content = '', detail = none, columnsize = 0, tokenize = 'ascii'
);
CREATE VIRTUAL TABLE search_titles USING fts5 (
    words, content = '', detail = none, columnsize = 0, tokenize = 'ascii'
);
-- The words of titles, with the number of listings that have them.
CREATE TABLE search_vocabulary (
    word TEXT PRIMARY KEY,
    listings INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"""


# --- the index as a whole ------------------------------------------------------------------------


def is_filled(db: sqlite3.Connection) -> bool:
    """Whether the index is there, in this version's layout, and holds every listing."""
    try:
        row = db.execute("SELECT version, texts_version, filled FROM search_index").fetchone()
    except sqlite3.OperationalError:
        return False
    return row is not None and tuple(row) == (VERSION, search_texts.version(), 1)


def make_anew(db: sqlite3.Connection) -> int:
    """Drops the index and makes it anew, empty. Listings are then put back with `put`.

    Returns what names this making of it, for `is_being_made` and `mark_filled`.
    """
    try:
        generation = int(db.execute("SELECT generation FROM search_index").fetchone()[0])
    except (sqlite3.OperationalError, TypeError):
        generation = 0
    for statement in (_DROP + _CREATE).split(";\n"):
        db.execute(statement)
    making = -1 - secrets.randbits(62)
    db.execute(
        """
        INSERT INTO search_index (version, texts_version, filled, generation, revision)
        VALUES (?, ?, ?, ?, 0)
        """,
        (VERSION, search_texts.version(), making, generation + 1),
    )
    return making


def is_being_made(db: sqlite3.Connection, making: int) -> bool:
    """Whether it is still this making of it, and no other has begun since."""
    return int(db.execute("SELECT filled FROM search_index").fetchone()[0]) == making


def shops_along_the_curve(db: sqlite3.Connection) -> list[str]:
    """Every shop with something to index, in the order in which their blocks will lie.

    The full-text tables take rows in this order several times as fast as in any other.
    """
    rows = db.execute(
        """
        SELECT shops.id,
            CASE WHEN shops.latitude IS NULL THEN places.latitude ELSE shops.latitude END
                AS latitude,
            CASE WHEN shops.latitude IS NULL THEN places.longitude ELSE shops.longitude END
                AS longitude
        FROM shops LEFT JOIN places ON places.id = shops.place
        LEFT JOIN peers ON peers.host = shops.peer
        WHERE shops.closed IS NULL AND peers.suspended IS NULL
        """
    )
    placed = [(_cell(row["latitude"], row["longitude"]), row["id"]) for row in rows]
    return [shop for _, shop in sorted(placed)]


def mark_filled(db: sqlite3.Connection, making: int) -> None:
    """Every listing is in the index, if it is still the one that was made then."""
    db.execute("UPDATE search_index SET filled = 1 WHERE filled = ?", (making,))


def merge(db: sqlite3.Connection, *, begin: bool) -> bool:
    """Merges some of the parts that the full-text tables are in; whether there is more to merge.

    A table in one part answers about twice as fast as one in twenty. `begin`: what is merged is
    settled anew, as for the first call of several.
    """
    more = False
    for table in ("search_words", "search_titles"):
        before = db.total_changes
        pages = -MERGED_PAGES if begin else MERGED_PAGES
        db.execute(f"INSERT INTO {table} ({table}, rank) VALUES ('merge', ?)", (pages,))  # noqa: S608
        more |= db.total_changes - before >= 2  # so FTS5 says that it had something to do
    return more


# --- writing -------------------------------------------------------------------------------------


def key_of(listing_id: str) -> bytes:
    return bytes.fromhex(listing_id.replace("-", ""))


class _Pending:
    """What is still to be written to the tables of words.

    A full-text table gathers what comes in the order of its row numbers, and writes all of it out
    whenever a lower one follows a higher one. So what belongs to one transaction is put in order
    first; of one row, what came first stays first.
    """

    def __init__(self) -> None:
        self._rows: list[tuple[int, bool, str, str]] = []
        self._vocabulary: Counter[str] = Counter()

    def add(self, number: int, entry: "Entry") -> None:
        """A row comes."""
        self._rows.append((number, True, entry.title, entry.text))
        self._vocabulary.update(entry.typed)

    def take_out(self, number: int, entry: "Entry") -> None:
        """A row goes, with the words that it was put in with."""
        self._rows.append((number, False, entry.title, entry.text))
        self._vocabulary.subtract(entry.typed)

    def write(self, db: sqlite3.Connection) -> None:
        """Writes it."""
        self._rows.sort(key=_number)
        # What comes together goes in one call each: a call costs about as much as a row.
        for comes, run in itertools.groupby(self._rows, key=_comes):
            rows = list(run)
            words = [(number, text) for number, _, _, text in rows]
            titles = [(number, title) for number, _, title, _ in rows]
            db.executemany(_PUT_WORDS if comes else _TAKE_WORDS, words)
            db.executemany(_PUT_TITLE if comes else _TAKE_TITLE, titles)
        db.executemany(
            """
            INSERT INTO search_vocabulary (word, listings) VALUES (?, ?)
            ON CONFLICT (word) DO UPDATE SET listings = listings + excluded.listings
            """,
            [(word, more) for word, more in sorted(self._vocabulary.items()) if more > 0],
        )
        db.executemany(
            "UPDATE search_vocabulary SET listings = listings + ? WHERE word = ?",
            [(less, word) for word, less in self._vocabulary.items() if less < 0],
        )


_PUT_WORDS = "INSERT INTO search_words (rowid, words) VALUES (?, ?)"
_PUT_TITLE = "INSERT INTO search_titles (rowid, words) VALUES (?, ?)"
_TAKE_WORDS = "INSERT INTO search_words (search_words, rowid, words) VALUES ('delete', ?, ?)"
_TAKE_TITLE = "INSERT INTO search_titles (search_titles, rowid, words) VALUES ('delete', ?, ?)"


def _number(row: tuple[int, bool, str, str]) -> int:
    return row[0]


def _comes(row: tuple[int, bool, str, str]) -> bool:
    return row[1]


class Entry(NamedTuple):
    """What the index has of a listing, wherever its row may be."""

    title: str  # its words, and all of them (`search_texts.texts`)
    text: str
    typed: frozenset[str]  # the words of its title without those that nobody typed
    # What its row says: low, high, others, head, checksum.
    columns: tuple[int | None, int | None, str | None, int | None, int]

    @property
    def checksum(self) -> int:
        """Of its words."""
        return self.columns[-1]


def entry_of(listing: Listing) -> Entry:
    """What the index has of a listing."""
    title, text = search_texts.texts(listing)
    in_title = title.split()
    head = None
    if in_title and not search_texts.is_ours(in_title[0]):
        head = search_texts.head_number(in_title[0])
    return Entry(
        title,
        text,
        frozenset(word for word in in_title if not search_texts.is_ours(word)),
        (*_prices(listing), head, zlib.crc32(text.encode())),
    )


def put(db: sqlite3.Connection, listing: Listing, before: Listing | None = None) -> None:
    """Puts a listing into the index. `before` is the listing as it was, where it was in it.

    A withdrawn one, or one that a steward hides, is taken out.
    """
    put_all(db, [(listing, before)])


def put_all(
    db: sqlite3.Connection,
    changes: Sequence[tuple[Listing, Listing | None]],
    made: Mapping[str, Entry] = MappingProxyType({}),
) -> None:
    """As `put`, for many listings of one transaction, each of them once.

    `made`: what the index has of them, by ActivityPub id, where it is at hand.
    """
    pending = _Pending()
    rows = _find_rows(db, [listing.id for listing, _ in changes])
    unseen = hidden.find_covering(
        db, [listing.uri for listing, _ in changes], {listing.shop for listing, _ in changes}
    )
    staying: list[tuple[object, ...]] = []
    coming: dict[str, list[tuple[str, Entry]]] = {}
    for listing, before in changes:
        row = rows.get(listing.id)
        if listing.withdrawn is not None or listing.uri in unseen or listing.shop in unseen:
            if row is not None:
                _take_out(db, row, before or listing, pending)
            continue
        entry = made.get(listing.uri) or entry_of(listing)
        # With a new price, another stock, the words stay as they are; under another name some of
        # them may only have left the title, which the checksum does not tell.
        renamed = before is not None and before.name != listing.name
        if row is not None and (renamed or row.checksum != entry.checksum):
            if _forget(row, before or listing, pending):
                pending.add(row.number, entry)
            else:
                db.execute(_DELETE_ROW, (row.number,))
                row = None
        if row is None:
            coming.setdefault(listing.shop, []).append((listing.id, entry))
        else:
            staying.append((*entry.columns, row.number))
    db.executemany(
        """
        UPDATE search_rows SET low = ?, high = ?, others = ?, head = ?, checksum = ? WHERE id = ?
        """,
        staying,
    )
    for shop, some in coming.items():
        _add_rows(db, shop, some, pending)
    pending.write(db)


class _Row(NamedTuple):
    """Where a listing is in the index, and the checksum of the words it was put in with."""

    number: int
    checksum: int


def _find_rows(db: sqlite3.Connection, listing_ids: Iterable[str]) -> dict[str, _Row]:
    """The rows of those listings that are in the index, by their ids."""
    ids = {key_of(one): one for one in listing_ids}
    marks, keys = many.question_marks(list(ids))
    found = db.execute(
        f"SELECT listing, id, checksum FROM search_rows WHERE listing IN ({marks})",  # noqa: S608
        keys,
    )
    return {ids[key]: _Row(number, checksum) for key, number, checksum in found}


def _add_rows(
    db: sqlite3.Connection, shop: str, coming: Sequence[tuple[str, Entry]], pending: _Pending
) -> None:
    """Adds rows for listings of a shop; none for a shop that is not there."""
    rows = []
    # There are fewer numbers only where there is no shop.
    numbers = _give_numbers(db, shop, len(coming))
    for number, (listing_id, entry) in zip(numbers, coming, strict=False):
        rows.append((number, key_of(listing_id), *entry.columns))
        pending.add(number, entry)
    db.executemany(
        """
        INSERT INTO search_rows (id, listing, low, high, others, head, checksum)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """,
        rows,
    )


def remove(db: sqlite3.Connection, listing: Listing) -> None:
    """Takes a listing out of the index; `listing` is as it was when it was put in."""
    pending = _Pending()
    for row in _find_rows(db, [listing.id]).values():
        _take_out(db, row, listing, pending)
    pending.write(db)


_DELETE_ROW = "DELETE FROM search_rows WHERE id = ?"


def _take_out(db: sqlite3.Connection, row: _Row, listing: Listing, pending: _Pending) -> None:
    db.execute(_DELETE_ROW, (row.number,))
    _forget(row, listing, pending)


def _forget(row: _Row, listing: Listing, pending: _Pending) -> bool:
    """Takes the words of a row out; whether its number is free again.

    Should its words not be those that were put in, they stay behind under a number that must lead
    nowhere, until the index is made anew: a wrong word taken out would break the index.
    """
    entry = entry_of(listing)
    if entry.checksum != row.checksum:
        return False
    pending.take_out(row.number, entry)
    return True


def _prices(listing: Listing) -> tuple[int | None, int | None, str | None]:
    cents = sorted({one.price_cents for one in listing.offers if one.price_cents is not None})
    if not cents:
        return None, None, None
    return cents[0], cents[-1], json.dumps(cents[1:-1]) if len(cents) > 2 else None


def _give_numbers(db: sqlite3.Connection, shop: str, count: int) -> list[int]:
    """Row numbers for listings of a shop, in a new block where the last one is used up."""
    numbers: list[int] = []
    row = db.execute(
        "SELECT number, used FROM search_blocks WHERE shop = ? ORDER BY number DESC LIMIT 1",
        (shop,),
    ).fetchone()
    block, used = (None, 0) if row is None else (int(row[0]), int(row[1]))
    while len(numbers) < count:
        if block is None or used == ROWS_IN_BLOCK:
            block, used = _add_block(db, shop), 0
            if block is None:
                break
        then = min(used + count - len(numbers), ROWS_IN_BLOCK)
        numbers += [block << ROW_BITS | nth for nth in range(used, then)]
        db.execute("UPDATE search_blocks SET used = ? WHERE number = ?", (then, block))
        if any(used <= 1 << bits < then for bits in range(4, ROW_BITS)):
            # Readers go by how many there are, roughly: told at each doubling.
            db.execute(
                "UPDATE search_blocks SET revision = ? WHERE number = ?",
                (_next_revision(db), block),
            )
        used = then
    return numbers


def _add_block(db: sqlite3.Connection, shop: str) -> int | None:
    row = db.execute(
        "SELECT place, latitude, longitude FROM shops WHERE id = ?", (shop,)
    ).fetchone()
    if row is None:
        return None
    # A commune that was merged since is the commune of today.
    place = places.get(db, row["place"]) if row["place"] else None
    latitude, longitude = row["latitude"], row["longitude"]
    if latitude is None and place is not None:
        latitude, longitude = place.latitude, place.longitude
    cell = _cell(latitude, longitude)
    first = cell << BLOCK_BITS
    # A full cell runs over into the next: distances are measured from points, not from cells.
    last = db.execute(
        "SELECT max(number) FROM search_blocks WHERE number BETWEEN ? AND ?",
        (first, first + BLOCKS_IN_CELL - 1),
    ).fetchone()[0]
    number = first if last is None else last + 1
    while db.execute("SELECT 1 FROM search_blocks WHERE number = ?", (number,)).fetchone():
        number += 1
    db.execute(
        """
        INSERT INTO search_blocks (number, shop, place, latitude, longitude, used, revision)
        VALUES (?, ?, ?, ?, ?, 0, ?)
        """,
        (
            number,
            shop,
            place.id if place else row["place"],
            latitude,
            longitude,
            _next_revision(db),
        ),
    )
    return number


def _cell(latitude: float | None, longitude: float | None) -> int:
    return NOWHERE if latitude is None or longitude is None else globe.cell(latitude, longitude)


def _next_revision(db: sqlite3.Connection) -> int:
    db.execute("UPDATE search_index SET revision = revision + 1")
    return int(db.execute("SELECT revision FROM search_index").fetchone()[0])


def forget_shop(db: sqlite3.Connection, shop: str) -> None:
    """Gives up the blocks of a shop whose listings have been removed: it moved, or it is gone."""
    gone = db.execute("DELETE FROM search_blocks WHERE shop = ?", (shop,)).rowcount
    if gone:
        db.execute("UPDATE search_index SET generation = generation + 1")
