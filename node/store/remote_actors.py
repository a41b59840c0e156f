"""Actors of others as fetched from their own origin, and the public keys they name."""

import sqlite3
from collections.abc import Iterable
from datetime import datetime

from node.store import times


def add(
    db: sqlite3.Connection,
    uri: str,
    document: str,
    keys: Iterable[tuple[str, str, str]],
    now: datetime,
) -> None:
    """Stores an actor's document and its keys (id, algorithm, material), in place of earlier."""
    db.execute(
        """
        INSERT INTO remote_actors (uri, document, fetched) VALUES (?, ?, ?)
        ON CONFLICT (uri) DO UPDATE SET document = excluded.document, fetched = excluded.fetched
        """,
        (uri, document, times.stamp(now)),
    )
    db.execute("DELETE FROM remote_keys WHERE owner = ?", (uri,))
    db.executemany(
        "INSERT OR REPLACE INTO remote_keys (id, owner, algorithm, material) VALUES (?, ?, ?, ?)",
        [(key_id, uri, algorithm, material) for key_id, algorithm, material in keys],
    )


def get(db: sqlite3.Connection, uri: str) -> tuple[str, datetime] | None:
    """An actor's document and when it was fetched."""
    row = db.execute("SELECT document, fetched FROM remote_actors WHERE uri = ?", (uri,)).fetchone()
    return None if row is None else (row[0], times.moment(row[1]))


def get_key(db: sqlite3.Connection, key_id: str) -> tuple[str, str, str] | None:
    """(owner, algorithm, material) of a key."""
    row = db.execute(
        "SELECT owner, algorithm, material FROM remote_keys WHERE id = ?", (key_id,)
    ).fetchone()
    return None if row is None else (row[0], row[1], row[2])


def prune(db: sqlite3.Connection, before: datetime, most: int) -> None:
    """Forgets what was fetched before `before`, and all but the latest `most`.

    They are fetched again when they are needed again. The nodes known here stay: whoever was away
    for long is believed at its first word.
    """
    db.execute(
        """
        DELETE FROM remote_actors
        WHERE fetched < ? AND uri NOT IN (SELECT actor FROM peers)
        """,
        (times.stamp(before),),
    )
    db.execute(
        """
        DELETE FROM remote_actors WHERE uri NOT IN (SELECT actor FROM peers) AND uri IN
            (SELECT uri FROM remote_actors ORDER BY fetched DESC LIMIT -1 OFFSET ?)
        """,
        (most,),
    )


def remove(db: sqlite3.Connection, uri: str) -> None:
    """Forgets an actor and its keys."""
    db.execute("DELETE FROM remote_actors WHERE uri = ?", (uri,))
