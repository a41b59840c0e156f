"""What each inbox must still hear, and how delivering to each host goes."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from node.model import ChangeKind, Delivery, Verb
from node.store import times

_COLUMNS = "id, inbox, host, object, sender, verb, body, version, attempts, due, added, error"


@dataclass(frozen=True, slots=True)
class Failed:
    """Something that an inbox never heard, and why."""

    inbox: str
    object: str
    attempts: int
    at: datetime
    error: str


@dataclass(frozen=True, slots=True)
class Publication:
    """A change that is still to be spread over the inboxes of followers."""

    id: int
    uri: str
    kind: ChangeKind
    verb: Verb


def add_publication(
    db: sqlite3.Connection, kind: ChangeKind, uri: str, verb: Verb, now: datetime
) -> None:
    """Writes down, in the change's own transaction, that followers must hear of it."""
    db.execute(
        "INSERT INTO publications (uri, kind, verb, at) VALUES (?, ?, ?, ?)",
        (uri, kind, verb, times.stamp(now)),
    )


def find_publications(db: sqlite3.Connection, limit: int) -> list[Publication]:
    """The oldest changes still to be spread."""
    rows = db.execute("SELECT id, uri, kind, verb FROM publications ORDER BY id LIMIT ?", (limit,))
    return [Publication(row[0], row[1], ChangeKind(row[2]), Verb(row[3])) for row in rows]


def remove_publication(db: sqlite3.Connection, publication_id: int) -> None:
    """It has been spread."""
    db.execute("DELETE FROM publications WHERE id = ?", (publication_id,))


def add(
    db: sqlite3.Connection,
    *,
    inbox: str,
    host: str,
    object_uri: str,
    sender: str,
    verb: str,
    body: str | None,
    now: datetime,
) -> None:
    """An inbox must hear of an object.

    Where it still waits for an earlier change of the same object, one row serves both: a Create
    that never arrived stays a Create of the present state, and a Delete ends whatever was due.
    """
    db.execute(
        """
        INSERT INTO deliveries (inbox, host, object, sender, verb, body, due, added)
        VALUES (:inbox, :host, :object, :sender, :verb, :body, :due, :due)
        ON CONFLICT (inbox, object) DO UPDATE SET
            verb = CASE WHEN deliveries.verb = 'Create' AND excluded.verb = 'Update'
                        THEN 'Create' ELSE excluded.verb END,
            body = excluded.body, version = deliveries.version + 1,
            attempts = 0, due = excluded.due, added = excluded.added
        """,
        {
            "inbox": inbox,
            "host": host,
            "object": object_uri,
            "sender": sender,
            "verb": verb,
            "body": body,
            "due": times.fine(now),
        },
    )


def find_due_hosts(db: sqlite3.Connection, now: datetime) -> list[tuple[str, bool]]:
    """Hosts that something is due for and that are not being left alone, longest due first.

    With each, whether it is a neighbour.
    """
    rows = db.execute(
        """
        SELECT deliveries.host, peers.host IS NOT NULL FROM deliveries
        LEFT JOIN hosts ON hosts.host = deliveries.host
        LEFT JOIN peers ON peers.host = deliveries.host
        WHERE deliveries.due <= :now AND (hosts.retry_at IS NULL OR hosts.retry_at <= :now)
        GROUP BY deliveries.host ORDER BY min(deliveries.due)
        """,
        {"now": times.fine(now)},
    )
    return [(row[0], bool(row[1])) for row in rows]


def find_due(db: sqlite3.Connection, host: str, now: datetime, limit: int) -> list[Delivery]:
    """What is due for a host, oldest first."""
    rows = db.execute(
        f"""
        SELECT {_COLUMNS} FROM deliveries WHERE host = ? AND due <= ? ORDER BY due, id LIMIT ?
        """,  # noqa: S608 (a constant)
        (host, times.fine(now), limit),
    )
    return [_delivery(row) for row in rows]


def _delivery(row: sqlite3.Row) -> Delivery:
    return Delivery(
        id=row["id"],
        inbox=row["inbox"],
        host=row["host"],
        object=row["object"],
        sender=row["sender"],
        verb=row["verb"],
        body=row["body"],
        version=row["version"],
        attempts=row["attempts"],
        due=times.moment(row["due"]),
        added=times.moment(row["added"]),
        error=row["error"],
    )


def remove(db: sqlite3.Connection, delivery: Delivery) -> None:
    """It was delivered. Kept where the object has changed again meanwhile."""
    removed = db.execute(
        "DELETE FROM deliveries WHERE id = ? AND version = ?", (delivery.id, delivery.version)
    ).rowcount
    if not removed:  # the inbox knows the object now, so what is left to tell is an update
        db.execute(
            "UPDATE deliveries SET verb = 'Update' WHERE id = ? AND verb = 'Create'",
            (delivery.id,),
        )


def give_up(db: sqlite3.Connection, delivery: Delivery, error: str, now: datetime) -> None:
    """It will not be tried again; the steward sees it. Kept where the object changed meanwhile."""
    removed = db.execute(
        "DELETE FROM deliveries WHERE id = ? AND version = ?", (delivery.id, delivery.version)
    ).rowcount
    if not removed:
        return
    db.execute(
        """
        INSERT INTO failed_deliveries (inbox, object, verb, attempts, at, error)
        VALUES (?, ?, ?, ?, ?, ?)
        """,
        (
            delivery.inbox,
            delivery.object,
            delivery.verb,
            delivery.attempts + 1,
            times.stamp(now),
            error,
        ),
    )
    db.execute(
        """
        DELETE FROM failed_deliveries WHERE id <=
            (SELECT id FROM failed_deliveries ORDER BY id DESC LIMIT 1 OFFSET 1000)
        """
    )


def find_failed(db: sqlite3.Connection, limit: int) -> list[Failed]:
    """What was given up, latest first."""
    rows = db.execute(
        """
        SELECT inbox, object, attempts, at, error FROM failed_deliveries
        ORDER BY id DESC LIMIT ?
        """,
        (limit,),
    )
    return [Failed(row[0], row[1], row[2], times.moment(row[3]), row[4]) for row in rows]


def remove_inbox(db: sqlite3.Connection, inbox: str) -> None:
    """Drops everything due for an inbox that is gone."""
    db.execute("DELETE FROM deliveries WHERE inbox = ?", (inbox,))


def remove_host(db: sqlite3.Connection, host: str) -> None:
    """Drops everything due for a host."""
    db.execute("DELETE FROM deliveries WHERE host = ?", (host,))


def postpone(db: sqlite3.Connection, delivery: Delivery, error: str, due: datetime) -> None:
    """It was refused for now: this one waits, its host's others do not."""
    db.execute(
        "UPDATE deliveries SET attempts = attempts + 1, due = ?, error = ? WHERE id = ?",
        (times.fine(due), error, delivery.id),
    )


def failures(db: sqlite3.Connection, host: str) -> tuple[int, datetime | None]:
    """How often a host has failed in a row, and since when."""
    row = db.execute("SELECT failures, failing_since FROM hosts WHERE host = ?", (host,)).fetchone()
    return (0, None) if row is None else (row[0], times.moment_or_none(row[1]))


def leave_alone(
    db: sqlite3.Connection, host: str, error: str, now: datetime, retry_at: datetime
) -> None:
    """A host could not be reached: all that is due for it waits until `retry_at`."""
    db.execute(
        """
        INSERT INTO hosts (host, failures, failing_since, retry_at, error)
        VALUES (:host, 1, :now, :retry_at, :error)
        ON CONFLICT (host) DO UPDATE SET failures = failures + 1,
            failing_since = ifnull(failing_since, excluded.failing_since),
            retry_at = excluded.retry_at, error = excluded.error
        """,
        {
            "host": host,
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


def begin_again(db: sqlite3.Connection, now: datetime) -> None:
    """At start: no host is left alone, and all is due at once.

    What kept a host away may be over, and so may the clock that said until when.
    """
    db.execute("UPDATE hosts SET retry_at = NULL")
    db.execute("UPDATE deliveries SET due = :now WHERE due > :now", {"now": times.fine(now)})


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


def count_by_host(db: sqlite3.Connection) -> dict[str, tuple[int, str | None]]:
    """For each host that something waits for: how much, and what went wrong last."""
    rows = db.execute(
        """
        SELECT deliveries.host, count(*), ifnull(hosts.error, max(deliveries.error))
        FROM deliveries LEFT JOIN hosts ON hosts.host = deliveries.host GROUP BY deliveries.host
        """
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def next_due(db: sqlite3.Connection) -> datetime | None:
    """When the next thing falls due, hosts that are left alone counted at their time."""
    row = db.execute(
        """
        SELECT min(max(deliveries.due, ifnull(hosts.retry_at, ''))) FROM deliveries
        LEFT JOIN hosts ON hosts.host = deliveries.host
        """
    ).fetchone()
    return times.moment_or_none(row[0])
