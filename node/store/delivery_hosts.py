"""How delivering to each host goes: who is left alone and until when, who wants which signature."""

import sqlite3
from datetime import datetime

from node.store import times


def failures(db: sqlite3.Connection, host: str) -> tuple[int, datetime | None]:
    """How often a host has failed in a row, and since when."""
    row = db.execute("SELECT failures, failing_since FROM hosts WHERE host = ?", (host,)).fetchone()
    return (0, None) if row is None else (row[0], times.moment_or_none(row[1]))


def leave_alone(
    db: sqlite3.Connection,
    host: str,
    error: str,
    now: datetime,
    retry_at: datetime,
    *,
    failed: bool = True,
) -> None:
    """A host could not be reached: all that is due for it waits until `retry_at`.

    Not `failed` is one that is there, and only asks for patience.
    """
    db.execute(
        """
        INSERT INTO hosts (host, failures, failing_since, retry_at, error)
        VALUES (:host, :failed, CASE WHEN :failed THEN :now END, :retry_at, :error)
        ON CONFLICT (host) DO UPDATE SET failures = failures + :failed,
            failing_since = ifnull(failing_since, excluded.failing_since),
            retry_at = excluded.retry_at, error = excluded.error
        """,
        {
            "host": host,
            "failed": failed,
            "now": times.stamp(now),
            "retry_at": times.fine(retry_at),
            "error": error,
        },
    )


def revive(db: sqlite3.Connection, host: str) -> bool:
    """A sign of life: what waits for the host is due at once. Says whether it had failed."""
    return (
        db.execute(
            """
            UPDATE hosts SET failures = 0, failing_since = NULL, retry_at = NULL, error = NULL
            WHERE host = ? AND failures > 0
            """,
            (host,),
        ).rowcount
        > 0
    )


def remember_rfc9421(db: sqlite3.Connection, host: str, until: datetime) -> None:
    """The host took an RFC 9421 signature after refusing the other kind."""
    db.execute(
        """
        INSERT INTO hosts (host, rfc9421_until) VALUES (:host, :until)
        ON CONFLICT (host) DO UPDATE SET rfc9421_until = excluded.rfc9421_until
        """,
        {"host": host, "until": times.stamp(until)},
    )


def forget_rfc9421(db: sqlite3.Connection, host: str) -> None:
    """The host took the other kind of signature again."""
    db.execute("UPDATE hosts SET rfc9421_until = NULL WHERE host = ?", (host,))


def wants_rfc9421(db: sqlite3.Connection, host: str, now: datetime) -> bool:
    """Whether the host is known to want RFC 9421 signatures."""
    row = db.execute("SELECT rfc9421_until FROM hosts WHERE host = ?", (host,)).fetchone()
    return row is not None and row[0] is not None and row[0] > times.stamp(now)


def prune_hosts(db: sqlite3.Connection, now: datetime) -> None:
    """Forgets how it went with hosts that nothing waits for."""
    db.execute(
        """
        DELETE FROM hosts WHERE host NOT IN (SELECT host FROM deliveries)
            AND (rfc9421_until IS NULL OR rfc9421_until < ?)
        """,
        (times.stamp(now),),
    )


def find_failing(db: sqlite3.Connection) -> frozenset[str]:
    """Hosts that failed when they were last tried."""
    return frozenset(row[0] for row in db.execute("SELECT host FROM hosts WHERE failures > 0"))
