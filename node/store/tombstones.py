"""Objects of others that their author deleted."""

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime

from node.store import times


def add(db: sqlite3.Connection, uri: str, now: datetime, deleted: datetime | None = None) -> None:
    """Remembers that an object was deleted, and when, where its author says so."""
    db.execute(
        "INSERT OR REPLACE INTO remote_tombstones (uri, at, deleted) VALUES (?, ?, ?)",
        (uri, times.stamp(now), times.stamp_or_none(deleted)),
    )


def covers(db: sqlite3.Connection, uri: str, updated: datetime) -> bool:
    """Whether its author deleted it, and `updated` is no later state by which it came back."""
    return any(ended is None or updated <= ended for ended in find(db, [uri]).values())


def find(db: sqlite3.Connection, uris: Iterable[str]) -> dict[str, datetime | None]:
    """Those of the objects that were deleted, and when, where their author said so."""
    rows = db.execute(
        """
        SELECT uri, deleted FROM remote_tombstones
        WHERE uri IN (SELECT value FROM json_each(?))
        """,
        (json.dumps(list(uris)),),
    )
    return {row[0]: times.moment_or_none(row[1]) for row in rows}


def remove(db: sqlite3.Connection, uri: str) -> None:
    """Forgets that an object was deleted: it came back."""
    db.execute("DELETE FROM remote_tombstones WHERE uri = ?", (uri,))


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
