"""What others did in public with a listing or a shop of ours: counted and linked, never shown."""

import sqlite3
from datetime import datetime

from node.store import times


def put(
    db: sqlite3.Connection, obj: str, kind: str, actor: str, uri: str, host: str, now: datetime
) -> None:
    """Counts a reaction once: one Like, Announce or Block of an actor; each of its replies."""
    if kind != "Reply":
        remove(db, actor, obj, kind)
    db.execute(
        """
        INSERT OR REPLACE INTO reactions (object, kind, actor, uri, host, at)
        VALUES (?, ?, ?, ?, ?, ?)
        """,
        (obj, kind, actor, uri, host, times.stamp(now)),
    )


def count(
    db: sqlite3.Connection,
    obj: str,
    kind: str,
    *,
    host: str | None = None,
    actor: str | None = None,
) -> int:
    """How many of a kind an object has: of everybody, of a host's people, or of one of them."""
    return int(
        db.execute(
            """
            SELECT count(*) FROM reactions
            WHERE object = :object AND kind = :kind
              AND (:host IS NULL OR host = :host) AND (:actor IS NULL OR actor = :actor)
            """,
            {"object": obj, "kind": kind, "host": host, "actor": actor},
        ).fetchone()[0]
    )


def find_uris(db: sqlite3.Connection, obj: str, kind: str, limit: int) -> list[str]:
    """The addresses of an object's newest reactions of a kind."""
    rows = db.execute(
        "SELECT uri FROM reactions WHERE object = ? AND kind = ? ORDER BY at DESC, uri LIMIT ?",
        (obj, kind, limit),
    )
    return [row[0] for row in rows]


def remove(db: sqlite3.Connection, actor: str, obj: str, kind: str) -> None:
    """Takes back what an actor did with an object."""
    db.execute(
        "DELETE FROM reactions WHERE object = ? AND kind = ? AND actor = ?", (obj, kind, actor)
    )


def remove_by(db: sqlite3.Connection, actor: str, uri: str | None = None) -> None:
    """Takes back what an actor did by that id, or all that it did."""
    db.execute(
        "DELETE FROM reactions WHERE actor = :actor AND (:uri IS NULL OR uri = :uri)",
        {"actor": actor, "uri": uri},
    )


def remove_host(db: sqlite3.Connection, host: str) -> None:
    """Forgets what came from a host."""
    db.execute("DELETE FROM reactions WHERE host = ?", (host,))
