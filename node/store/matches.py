"""Reading the index of searches (`store/search.py`): which rows match, and whose they are."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from node.store import search_texts


@dataclass(frozen=True, slots=True)
class Block:
    """A run of row numbers that one shop has, and where that shop is."""

    number: int
    shop: str
    uri: str
    peer: str | None
    place: str | None
    latitude: float | None
    longitude: float | None
    used: int


@dataclass(frozen=True, slots=True)
class State:
    """What a copy of the blocks in memory is compared with."""

    generation: int
    revision: int


def state(db: sqlite3.Connection) -> State:
    """Which blocks there are, in two numbers."""
    row = db.execute("SELECT generation, revision FROM search_index").fetchone()
    return State(row["generation"], row["revision"])


def blocks(db: sqlite3.Connection, after: int = 0) -> list[Block]:
    """The blocks whose revision is above `after`, in the order of numbers."""
    rows = db.execute(
        """
        SELECT number, shop, shops.uri, shops.peer, search_blocks.place,
               search_blocks.latitude, search_blocks.longitude, used
        FROM search_blocks JOIN shops ON shops.id = search_blocks.shop
        WHERE revision > ? ORDER BY number
        """,
        (after,),
    )
    return [Block(*row) for row in rows.fetchall()]


def count(db: sqlite3.Connection, expression: str, limit: int, *, titles: bool = False) -> int:
    """How many rows an expression matches, counted up to `limit`."""
    return int(db.execute(_COUNT[titles], (expression, limit)).fetchone()[0])


_COUNT = [
    f"SELECT count(*) FROM (SELECT 1 FROM {table} WHERE {table} MATCH ? LIMIT ?)"  # noqa: S608
    for table in ("search_words", "search_titles")
]


@dataclass(frozen=True, slots=True)
class Prices:
    """A range of prices in cents, both ends included; None where it is open."""

    least: int | None
    most: int | None


def find(
    db: sqlite3.Connection,
    expression: str,
    ranges: Iterable[tuple[int, int]],
    *,
    titles: bool = False,
    prices: Prices | None = None,
    limit: int,
) -> list[int]:
    """Row numbers that match, in each of some ranges of row numbers, at most `limit` of each.

    `titles`: matched by the title alone.
    """
    statement = _FIND[titles, prices is not None]
    values = {
        "expression": expression,
        "limit": limit,
        "least": prices.least if prices and prices.least is not None else 0,
        "most": prices.most if prices and prices.most is not None else 2**62,
    }
    found: list[int] = []
    for first, last in ranges:
        values["first"], values["last"] = first, last
        found += json.loads(db.execute(statement, values).fetchone()[0])
    return found


# There may be thousands: in one row they are had in two thirds of the time that as many rows take,
# and no other thread is let in between.
_MATCH = """
SELECT json_group_array(rowid) FROM (
    SELECT rowid FROM {table} WHERE {table} MATCH :expression AND rowid BETWEEN :first AND :last
    LIMIT :limit)
"""
_MATCH_PRICED = """
SELECT json_group_array(id) FROM (
    SELECT search_rows.id FROM {table} CROSS JOIN search_rows ON search_rows.id = {table}.rowid
    WHERE {table} MATCH :expression AND {table}.rowid BETWEEN :first AND :last
      AND low <= :most AND high >= :least
      AND (low >= :least OR high <= :most OR EXISTS (
          SELECT 1 FROM json_each(others) WHERE value BETWEEN :least AND :most))
    LIMIT :limit)
"""
_FIND = {
    (titles, priced): (_MATCH_PRICED if priced else _MATCH).format(
        table="search_titles" if titles else "search_words"
    )
    for titles in (False, True)
    for priced in (False, True)
}


def beginning_with(
    db: sqlite3.Connection, numbers: Iterable[int], first_words: Iterable[str]
) -> frozenset[int]:
    """Those of some rows whose titles begin with one of some words."""
    found = db.execute(
        """
        SELECT json_group_array(search_rows.id)
        FROM json_each(?) AS asked CROSS JOIN search_rows ON search_rows.id = asked.value
        WHERE head IN (SELECT value FROM json_each(?))
        """,
        (
            json.dumps(sorted(numbers)),
            json.dumps([search_texts.head_number(word) for word in first_words]),
        ),
    ).fetchone()[0]
    return frozenset(json.loads(found))


def listings_of(db: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, str]:
    """The listing of each row number; a number that leads nowhere is left out."""
    rows = db.execute(
        """
        SELECT search_rows.id, hex(listing)
        FROM json_each(?) AS asked CROSS JOIN search_rows ON search_rows.id = asked.value
        """,
        (json.dumps(numbers),),
    )
    rows.row_factory = None
    found = {}
    for number, key in rows:
        digits = key.lower()
        found[number] = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    return found


def beginning(db: sqlite3.Connection, start: str, limit: int) -> list[str]:
    """The commonest words of titles that begin so."""
    rows = db.execute(
        """
        SELECT word FROM search_vocabulary
        WHERE word >= :start AND word < :after AND listings > 0
        ORDER BY listings DESC, word LIMIT :limit
        """,
        {"start": start, "after": start + "\U0010ffff", "limit": limit},
    )
    return [row[0] for row in rows]


def in_titles(db: sqlite3.Connection, words: Iterable[str]) -> list[str]:
    """Those of some words that titles of listings have."""
    rows = db.execute(
        """
        SELECT word FROM search_vocabulary
        WHERE word IN (SELECT value FROM json_each(?)) AND listings > 0
        """,
        (json.dumps(list(words)),),
    )
    return [row[0] for row in rows]


def vocabulary(db: sqlite3.Connection) -> list[tuple[str, int]]:
    """Every word of titles with the number of listings that have it."""
    rows = db.execute("SELECT word, listings FROM search_vocabulary WHERE listings > 0")
    return [(row[0], row[1]) for row in rows]
