"""The one row of what was settled when the node was made."""

import sqlite3
from datetime import datetime

from node.store import times


def add(db: sqlite3.Connection, origin: str, commune_handle: str, now: datetime) -> None:
    """Writes the row, once."""
    db.execute(
        "INSERT INTO node (id, origin, commune_handle, created) VALUES (1, ?, ?, ?)",
        (origin, commune_handle, times.stamp(now)),
    )


def origin(db: sqlite3.Connection) -> str:
    """The origin that every id of this node begins with."""
    return str(db.execute("SELECT origin FROM node").fetchone()[0])


def commune_handle(db: sqlite3.Connection) -> str:
    """The handle of the commune's Group actor."""
    return str(db.execute("SELECT commune_handle FROM node").fetchone()[0])
