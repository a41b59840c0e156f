"""The change sequence: every public change takes the next number (wire profile 8.5).

One row stands for an object's latest state, so a reader who asks "since N" gets each object once.
"""

import sqlite3
from datetime import datetime

from node.model import Change, ChangeKind
from node.store import times


def add(
    db: sqlite3.Connection,
    kind: ChangeKind,
    uri: str,
    *,
    deleted: bool,
    updated: datetime,
    fingerprint: bytes,
    kept: bool = False,
) -> int:
    """Gives an object the next number, in place of its earlier one. Returns the number.

    What is `kept` is numbered all the same, and not told to those who read the sequence.
    """
    db.execute("DELETE FROM changes WHERE uri = ?", (uri,))
    cursor = db.execute(
        """
        INSERT INTO changes (uri, kind, deleted, updated, fingerprint, kept)
        VALUES (?, ?, ?, ?, ?, ?) RETURNING seq
        """,
        (uri, kind, deleted, times.stamp(updated), fingerprint, kept),
    )
    return int(cursor.fetchone()[0])


def get(db: sqlite3.Connection, uri: str) -> Change | None:
    """An object's place in the sequence."""
    row = db.execute(
        "SELECT seq, kind, uri, deleted, updated FROM changes WHERE uri = ?", (uri,)
    ).fetchone()
    return None if row is None else _change(row)


def find_since(db: sqlite3.Connection, seq: int, limit: int) -> list[Change]:
    """What changed after `seq`, oldest change first."""
    rows = db.execute(
        """
        SELECT seq, kind, uri, deleted, updated FROM changes WHERE seq > ? AND kept = 0
        ORDER BY seq LIMIT ?
        """,
        (seq, limit),
    )
    return [_change(row) for row in rows]


def _change(row: sqlite3.Row) -> Change:
    return Change(
        seq=row["seq"],
        kind=ChangeKind(row["kind"]),
        uri=row["uri"],
        deleted=bool(row["deleted"]),
        updated=times.moment(row["updated"]),
    )


def head(db: sqlite3.Connection) -> int:
    """The last number given out, 0 at the beginning."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'changes'").fetchone()
    return 0 if row is None else int(row[0])


def count_since(db: sqlite3.Connection, seq: int) -> int:
    """How many objects that neighbours are told of changed after `seq`."""
    row = db.execute("SELECT count(*) FROM changes WHERE seq > ? AND kept = 0", (seq,)).fetchone()
    return int(row[0])


def is_kept(db: sqlite3.Connection, uri: str) -> bool:
    """Whether an object is of this commune alone."""
    row = db.execute("SELECT kept FROM changes WHERE uri = ?", (uri,)).fetchone()
    return row is not None and bool(row[0])


def live_fingerprints(db: sqlite3.Connection) -> list[bytes]:
    """The fingerprints of all objects that neighbours are told of and that are not deleted."""
    rows = db.execute("SELECT fingerprint FROM changes WHERE deleted = 0 AND kept = 0")
    return [row[0] for row in rows]


def pruned_through(db: sqlite3.Connection) -> int:
    """The highest number whose tombstone was dropped: who stopped before it must read it all."""
    return int(db.execute("SELECT changes_pruned FROM node").fetchone()[0])


def prune(db: sqlite3.Connection, before: datetime) -> int:
    """Drops tombstones older than `before`; returns how many."""
    last = db.execute(
        "SELECT max(seq) FROM changes WHERE deleted = 1 AND updated < ?", (times.stamp(before),)
    ).fetchone()[0]
    if last is None:
        return 0
    removed = db.execute(
        "DELETE FROM changes WHERE deleted = 1 AND updated < ?", (times.stamp(before),)
    ).rowcount
    db.execute("UPDATE node SET changes_pruned = max(changes_pruned, ?)", (last,))
    return removed
