"""When the stewards were last told by mail what waits."""

import sqlite3
from datetime import datetime

from node.store import times


def last(db: sqlite3.Connection) -> datetime | None:
    """When the last mail of the week was written."""
    row = db.execute("SELECT at FROM digests").fetchone()
    return None if row is None else times.moment(row[0])


def mark(db: sqlite3.Connection, now: datetime) -> None:
    """Notes that one was."""
    db.execute("INSERT OR REPLACE INTO digests (one, at) VALUES (1, ?)", (times.stamp(now),))
