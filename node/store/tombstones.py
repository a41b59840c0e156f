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


def prune(db: sqlite3.Connection, before: datetime) -> None:
    """Forgets deletions older than `before`."""
    db.execute("DELETE FROM remote_tombstones WHERE at < ?", (times.stamp(before),))
