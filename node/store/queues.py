"""Deliveries as the steward sees them: what waits for each host, and what was given up."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from node.store import deliveries, times


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits for one host, as the steward sees it."""

    host: str
    waiting: int
    since: datetime  # when the oldest of it was added
    due: datetime  # the next try
    failures: int  # in a row
    failing_since: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Failed:
    """A delivery that was given up, and why."""

    id: int
    inbox: str
    host: str
    object: str
    verb: str
    attempts: int
    at: datetime
    error: str


def find_queues(db: sqlite3.Connection) -> list[Queue]:
    """What waits, by host, the longest waiting first."""
    rows = db.execute(
        """
        SELECT deliveries.host, count(*) AS waiting, min(added) AS since, failing_since,
               ifnull(failures, 0) AS failures,
               max(min(due), ifnull(retry_at, '')) AS due,
               ifnull(hosts.error, max(deliveries.error)) AS error
        FROM deliveries LEFT JOIN hosts ON hosts.host = deliveries.host
        GROUP BY deliveries.host ORDER BY min(added)
        """
    )
    return [
        Queue(
            host=row["host"],
            waiting=row["waiting"],
            since=times.moment(row["since"]),
            due=times.moment(row["due"]),
            failures=row["failures"],
            failing_since=times.moment_or_none(row["failing_since"]),
            error=row["error"],
        )
        for row in rows
    ]


def find_failed(db: sqlite3.Connection, limit: int = deliveries.FAILED_KEPT) -> list[Failed]:
    """Deliveries given up, the latest first."""
    rows = db.execute(
        """
        SELECT id, inbox, host, object, verb, attempts, at, error FROM failed_deliveries
        ORDER BY id DESC LIMIT ?
        """,
        (limit,),
    )
    return [
        Failed(
            id=row["id"],
            inbox=row["inbox"],
            host=row["host"],
            object=row["object"],
            verb=row["verb"],
            attempts=row["attempts"],
            at=times.moment(row["at"]),
            error=row["error"],
        )
        for row in rows
    ]


def whereabouts(db: sqlite3.Connection, object_uri: str) -> dict[str, tuple[str, str]]:
    """Of each host that has not heard the latest of an object: "waiting" or "failed", and why."""
    found: dict[str, tuple[str, str]] = {}
    for state, table in (("failed", "failed_deliveries"), ("waiting", "deliveries")):
        for row in db.execute(
            f"SELECT host, ifnull(error, '') FROM {table} WHERE object = ?",  # noqa: S608
            (object_uri,),
        ):
            found[row[0]] = (state, row[1])
    return found


def is_spread(db: sqlite3.Connection, object_uri: str) -> bool:
    """Whether each inbox has its row, of all that changed of an object."""
    row = db.execute("SELECT 1 FROM publications WHERE uri = ? LIMIT 1", (object_uri,)).fetchone()
    return row is None


def replay(db: sqlite3.Connection, host: str | None, now: datetime) -> tuple[int, int]:
    """Puts back what was given up for a host, or for all, and makes all that waits due now.

    Returns how many were put back, and how many waited.
    """
    failed = db.execute(
        """
        SELECT inbox, host, object, sender, verb, body FROM failed_deliveries
        WHERE :host IS NULL OR host = :host ORDER BY id
        """,
        {"host": host},
    ).fetchall()
    waiting = db.execute(
        "UPDATE deliveries SET due = :now, attempts = 0 WHERE :host IS NULL OR host = :host",
        {"host": host, "now": times.fine(now)},
    ).rowcount
    for row in failed:
        deliveries.add(
            db,
            inbox=row["inbox"],
            host=row["host"],
            object_uri=row["object"],
            sender=row["sender"],
            verb=row["verb"],
            body=row["body"],
            now=now,
        )
    db.execute("DELETE FROM failed_deliveries WHERE :host IS NULL OR host = :host", {"host": host})
    db.execute(
        """
        UPDATE hosts SET failures = 0, failing_since = NULL, retry_at = NULL
        WHERE :host IS NULL OR host = :host
        """,
        {"host": host},
    )
    return len(failed), waiting
