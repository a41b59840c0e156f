"""What was noted or checked while a node was set up."""

import sqlite3
from datetime import datetime

from node.store import times


def put(db: sqlite3.Connection, subject: str, text: str, now: datetime) -> None:
    """Keeps a note in the place of the one before."""
    db.execute(
        "INSERT OR REPLACE INTO setup_notes (subject, text, at) VALUES (?, ?, ?)",
        (subject, text, times.stamp(now)),
    )


def find(db: sqlite3.Connection) -> dict[str, tuple[str, datetime]]:
    """All notes by their subject: the text, and when it was written."""
    rows = db.execute("SELECT subject, text, at FROM setup_notes")
    return {row[0]: (row[1], times.moment(row[2])) for row in rows}
