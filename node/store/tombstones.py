"""Objects of others that their author deleted."""

import sqlite3
from datetime import datetime

from node.store import times


def add(db: sqlite3.Connection, uri: str, now: datetime) -> None:
    """Remembers that an object was deleted."""
    db.execute(
        "INSERT OR IGNORE INTO remote_tombstones (uri, at) VALUES (?, ?)", (uri, times.stamp(now))
    )


def exists(db: sqlite3.Connection, uri: str) -> bool:
    """Whether its author deleted it."""
    row = db.execute("SELECT 1 FROM remote_tombstones WHERE uri = ?", (uri,)).fetchone()
    return row is not None


def find_page(db: sqlite3.Connection, origin: str, after: str, limit: int) -> list[str]:
    """Deleted objects of an origin in the order of their ids, those behind `after`."""
    rows = db.execute(
        """
        SELECT uri FROM remote_tombstones WHERE uri > max(:after, :first) AND uri < :end
        ORDER BY uri LIMIT :limit
        """,
        {"after": after, "first": f"{origin}/", "end": f"{origin}0", "limit": limit},
    )
    return [row[0] for row in rows]


def prune(db: sqlite3.Connection, before: datetime) -> None:
    """Forgets deletions older than `before`."""
    db.execute("DELETE FROM remote_tombstones WHERE at < ?", (times.stamp(before),))
