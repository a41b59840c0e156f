"""The index of searches. Derived from the listings, dropped and rebuilt at will; nothing refers
to its rows.

Its layout carries a version of its own: where the file has another, `prepare` makes it anew.
"""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from node import words
from node.store import times

VERSION = 1

_DROP = """
DROP TABLE IF EXISTS search_words;
DROP TABLE IF EXISTS search_rows;
DROP TABLE IF EXISTS search_index;
"""
# Words come normalised and joined by spaces (`words.normalise`). The ascii tokenizer parts them
# there and nowhere else; another one's idea of a letter may differ from Python's, and would make a
# phrase of a word, which `detail = column` cannot look for.
_CREATE = """
CREATE TABLE search_index (version INTEGER NOT NULL, filled INTEGER NOT NULL) STRICT;
CREATE TABLE search_rows (
    id INTEGER PRIMARY KEY,
    listing TEXT NOT NULL UNIQUE,
    shop TEXT NOT NULL,
    place TEXT,
    latitude REAL,
    longitude REAL,
    updated TEXT NOT NULL
) STRICT;
CREATE VIRTUAL TABLE search_words USING fts5 (
    title, body, detail = column, columnsize = 0, tokenize = 'ascii'
);
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A listing that matched: where it is and whether its title did. No point for some places."""

    listing: str
    shop: str
    place: str | None
    latitude: float | None
    longitude: float | None
    updated: datetime
    in_title: bool


def is_filled(db: sqlite3.Connection) -> bool:
    """Whether the index is there, in this version's layout, and holds every listing."""
    try:
        row = db.execute("SELECT version, filled FROM search_index").fetchone()
    except sqlite3.OperationalError:
        return False
    return row is not None and tuple(row) == (VERSION, 1)


def make_anew(db: sqlite3.Connection) -> None:
    """Drops the index and makes it anew, empty. Listings are then put back with `add`."""
    for statement in (_DROP + _CREATE).split(";"):
        db.execute(statement)
    db.execute("INSERT INTO search_index (version, filled) VALUES (?, 0)", (VERSION,))


def mark_filled(db: sqlite3.Connection) -> None:
    """Every listing is in the index."""
    db.execute("UPDATE search_index SET filled = 1")


def add(db: sqlite3.Connection, listing_id: str) -> None:
    """Puts a listing into the index as it is now, in place of what was there of it.

    Its point is its shop's own, else its commune's town hall. Withdrawn listings are left out.
    """
    remove(db, listing_id)
    row = db.execute(
        """
        SELECT listings.id AS listing, listings.shop, shops.place, listings.updated,
               listings.name, listings.description,
               CASE WHEN shops.latitude IS NULL THEN places.latitude ELSE shops.latitude END
                   AS latitude,
               CASE WHEN shops.latitude IS NULL THEN places.longitude ELSE shops.longitude END
                   AS longitude
        FROM listings
        JOIN shops ON shops.id = listings.shop
        LEFT JOIN places ON places.id = shops.place
        WHERE listings.id = ? AND listings.withdrawn IS NULL
        """,
        (listing_id,),
    ).fetchone()
    if row is None:
        return
    cursor = db.execute(
        """
        INSERT INTO search_rows (listing, shop, place, latitude, longitude, updated)
        VALUES (:listing, :shop, :place, :latitude, :longitude, :updated)
        """,
        {key: row[key] for key in ("listing", "shop", "place", "latitude", "longitude", "updated")},
    )
    db.execute(
        "INSERT INTO search_words (rowid, title, body) VALUES (?, ?, ?)",
        (cursor.lastrowid, words.normalise(row["name"]), words.normalise(row["description"])),
    )


def remove(db: sqlite3.Connection, listing_id: str) -> None:
    """Takes a listing out of the index."""
    row = db.execute("SELECT id FROM search_rows WHERE listing = ?", (listing_id,)).fetchone()
    if row is not None:
        db.execute("DELETE FROM search_words WHERE rowid = ?", (row[0],))
        db.execute("DELETE FROM search_rows WHERE id = ?", (row[0],))


def find(db: sqlite3.Connection, terms: list[str], limit: int) -> list[Row]:
    """Listings that hold every term, each as a whole word or as the beginning of one."""
    if not terms:
        return []
    match = " AND ".join(f'"{term}"*' for term in terms)
    in_title = {
        row[0]
        for row in db.execute(
            "SELECT rowid FROM search_words WHERE search_words MATCH ? LIMIT ?",
            (f"title : ({match})", limit),
        )
    }
    rows = db.execute(
        """
        SELECT search_rows.* FROM search_words
        JOIN search_rows ON search_rows.id = search_words.rowid
        WHERE search_words MATCH ? LIMIT ?
        """,
        (match, limit),
    )
    return [
        Row(
            listing=row["listing"],
            shop=row["shop"],
            place=row["place"],
            latitude=row["latitude"],
            longitude=row["longitude"],
            updated=times.moment(row["updated"]),
            in_title=row["id"] in in_title,
        )
        for row in rows
    ]
