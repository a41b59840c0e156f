"""What each inbox must still hear.

How it goes with each host is in `delivery_hosts`; what a steward sees and does, in `queues`.
"""

import contextlib
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from node.model import ChangeKind, Delivery, Verb
from node.store import database, enquiries, times

FAILED_KEPT = 1000

_COLUMNS = "id, inbox, host, object, sender, verb, body, version, attempts, due, added, error"


@dataclass(frozen=True, slots=True)
class Publication:
    """A change that is still to be spread over the inboxes of followers."""

    id: int
    uri: str
    kind: ChangeKind
    verb: Verb
    quiet: bool


def add_publication(
    db: sqlite3.Connection,
    kind: ChangeKind,
    uri: str,
    verb: Verb,
    now: datetime,
    *,
    quiet: bool = False,
) -> None:
    """Writes down, in the change's own transaction, that followers must hear of it.

    A `quiet` change is one of price or stock, of which a few may be told as one.
    """
    db.execute(
        "INSERT INTO publications (uri, kind, verb, at, quiet) VALUES (?, ?, ?, ?, ?)",
        (uri, kind, verb, times.stamp(now), quiet),
    )


def find_publications(db: sqlite3.Connection, limit: int) -> list[Publication]:
    """The oldest changes still to be spread."""
    rows = db.execute(
        "SELECT id, uri, kind, verb, quiet FROM publications ORDER BY id LIMIT ?", (limit,)
    )
    return [
        Publication(row[0], row[1], ChangeKind(row[2]), Verb(row[3]), bool(row[4])) for row in rows
    ]


def when_quiet(db: sqlite3.Connection, uri: str, now: datetime, apart: timedelta) -> datetime:
    """When neighbours hear of a change of price or stock: now, and at most once in `apart`.

    What is said after the first is gathered, and told in its last state when that time is over.
    """
    row = db.execute("SELECT at FROM told WHERE uri = ?", (uri,)).fetchone()
    due = now
    if row is not None:
        last = times.moment(row[0])
        if now < last <= now + apart:
            return last  # one waits already
        if last <= now < last + apart:
            due = last + apart
    db.execute("INSERT OR REPLACE INTO told (uri, at) VALUES (?, ?)", (uri, times.fine(due)))
    return due


def prune_told(db: sqlite3.Connection, before: datetime) -> None:
    """Forgets what was told before that."""
    db.execute("DELETE FROM told WHERE at < ?", (times.fine(before),))


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
    due: datetime | None = None,
) -> None:
    """An inbox must hear of an object, now or, where one is given, when it is `due`."""
    add_all(
        db,
        [(inbox, host, due or now)],
        object_uri=object_uri,
        sender=sender,
        verb=verb,
        body=body,
        now=now,
    )


def add_all(
    db: sqlite3.Connection,
    inboxes: Sequence[tuple[str, str, datetime]],
    *,
    object_uri: str,
    sender: str,
    verb: str,
    body: str | None,
    now: datetime,
) -> None:
    """Inboxes, each with its host and when it is due, must hear of an object, in this order.

    Where one still waits for an earlier change of the same object, one row serves both: a Create
    that never arrived stays a Create of the present state, and a Delete ends whatever was due.
    """
    stamps = {due: times.fine(due) for due in {due for _, _, due in inboxes}}
    # In one statement: a thread gives back the interpreter for each, and waits to have it again.
    db.execute(
        """
        INSERT INTO deliveries (inbox, host, object, sender, verb, body, due, added)
        SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), :object, :sender, :verb,
               :body, json_extract(value, '$[2]'), :added
        FROM json_each(:inboxes) WHERE true
        ON CONFLICT (inbox, object) DO UPDATE SET
            verb = CASE WHEN deliveries.verb = 'Create' AND excluded.verb = 'Update'
                        THEN 'Create' ELSE excluded.verb END,
            body = excluded.body, version = deliveries.version + 1,
            attempts = 0, due = min(deliveries.due, excluded.due), added = excluded.added
        """,
        {
            "inboxes": json.dumps([(inbox, host, stamps[due]) for inbox, host, due in inboxes]),
            "object": object_uri,
            "sender": sender,
            "verb": verb,
            "body": body,
            "added": times.fine(now),
        },
    )


# Each host that something waits for, and when it is due first. The index is entered once for each
# host, however much waits for it.
_WAITING = """
    WITH RECURSIVE hosts_waiting (host) AS (
        SELECT min(host) FROM deliveries
        UNION ALL
        SELECT (SELECT min(host) FROM deliveries WHERE host > hosts_waiting.host)
        FROM hosts_waiting WHERE hosts_waiting.host IS NOT NULL
    ),
    waiting (host, due) AS (
        SELECT host, (SELECT min(due) FROM deliveries WHERE host = hosts_waiting.host)
        FROM hosts_waiting WHERE host IS NOT NULL
    )
"""


def find_due_hosts(db: sqlite3.Connection, now: datetime) -> list[tuple[str, bool]]:
    """Hosts that something is due for and that are not being left alone, longest due first.

    With each, whether it is a neighbour.
    """
    rows = db.execute(
        f"""
        {_WAITING}
        SELECT waiting.host, peers.host IS NOT NULL FROM waiting
        LEFT JOIN hosts ON hosts.host = waiting.host
        LEFT JOIN peers ON peers.host = waiting.host
        WHERE waiting.due <= :now AND (hosts.retry_at IS NULL OR hosts.retry_at <= :now)
        ORDER BY waiting.due
        """,  # noqa: S608 (a constant)
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


def remove(db: sqlite3.Connection, delivered: Sequence[Delivery]) -> None:
    """They were delivered. Kept where the object has changed again meanwhile."""
    told = json.dumps([(one.id, one.version, one.inbox, one.object) for one in delivered])
    # Of what is told, each row is found by its key, and nothing else is looked at.
    with database.wiping(db) if any(map(_is_private, delivered)) else contextlib.nullcontext():
        removed = db.execute(
            """
            DELETE FROM deliveries WHERE id IN (
                SELECT deliveries.id FROM json_each(?) AS told CROSS JOIN deliveries
                ON deliveries.id = json_extract(told.value, '$[0]')
                WHERE version = json_extract(told.value, '$[1]')
            )
            """,
            (told,),
        ).rowcount
    if removed < len(delivered):  # inboxes know the object now, so what is left is an update
        db.execute(
            """
            UPDATE deliveries SET verb = 'Update' WHERE verb = 'Create'
                AND id IN (SELECT json_extract(value, '$[0]') FROM json_each(?))
            """,
            (told,),
        )
    # Earlier states that were given up are of no use any more.
    db.execute(
        """
        DELETE FROM failed_deliveries WHERE id IN (
            SELECT failed_deliveries.id FROM json_each(?) AS told CROSS JOIN failed_deliveries
            ON inbox = json_extract(told.value, '$[2]')
            AND object = json_extract(told.value, '$[3]')
        )
        """,
        (told,),
    )


def _is_private(delivery: Delivery) -> bool:
    """Whether it is a shop's answer to somebody: other objects are rendered when they are sent."""
    return delivery.verb == "Create" and delivery.body is not None


def _delete(db: sqlite3.Connection, delivery: Delivery) -> bool:
    with database.wiping(db) if _is_private(delivery) else contextlib.nullcontext():
        return (
            db.execute(
                "DELETE FROM deliveries WHERE id = ? AND version = ?",
                (delivery.id, delivery.version),
            ).rowcount
            > 0
        )


def give_up(db: sqlite3.Connection, delivery: Delivery, error: str, now: datetime) -> None:
    """It will not be tried again; the steward sees it. Kept where the object changed meanwhile.

    A shop's private answer is not kept for anybody to see: the shop itself is told.
    """
    if not _delete(db, delivery):
        return
    if _is_private(delivery):
        enquiries.mark_failed(db, delivery.object.removesuffix("/activity"), now)
        return
    db.execute(
        """
        INSERT OR REPLACE INTO failed_deliveries
            (inbox, host, object, sender, verb, body, attempts, at, error)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (
            delivery.inbox,
            delivery.host,
            delivery.object,
            delivery.sender,
            delivery.verb,
            delivery.body,
            delivery.attempts + 1,
            times.stamp(now),
            error,
        ),
    )
    db.execute(
        """
        DELETE FROM failed_deliveries WHERE id <=
            (SELECT id FROM failed_deliveries ORDER BY id DESC LIMIT 1 OFFSET ?)
        """,
        (FAILED_KEPT,),
    )


def remove_inbox(db: sqlite3.Connection, inbox: str, now: datetime) -> None:
    """Drops everything due for an inbox that is gone; shops are told that their answers failed."""
    _remove_all(db, "inbox = ?", inbox, now)


def remove_host(db: sqlite3.Connection, host: str, now: datetime) -> None:
    """Drops everything due for a host; shops are told that their answers failed."""
    _remove_all(db, "host = ?", host, now)


def _remove_all(db: sqlite3.Connection, where: str, value: str, now: datetime) -> None:
    with database.wiping(db):
        dropped = db.execute(
            f"""
            DELETE FROM deliveries WHERE {where}
            RETURNING iif(verb = 'Create' AND body IS NOT NULL, object, NULL)
            """,  # noqa: S608 (a constant)
            (value,),
        ).fetchall()
    for (answer,) in dropped:
        if answer is not None:
            enquiries.mark_failed(db, answer.removesuffix("/activity"), now)


def postpone(db: sqlite3.Connection, delivery: Delivery, error: str, due: datetime) -> None:
    """It was refused for now: this one waits, its host's others do not."""
    db.execute(
        "UPDATE deliveries SET attempts = attempts + 1, due = ?, error = ? WHERE id = ?",
        (times.fine(due), error, delivery.id),
    )


def begin_again(db: sqlite3.Connection, now: datetime) -> None:
    """At start: no host is left alone, and all is due at once.

    What kept a host away may be over, and so may the clock that said until when.
    """
    db.execute("UPDATE hosts SET retry_at = NULL")
    db.execute("UPDATE deliveries SET due = :now WHERE due > :now", {"now": times.fine(now)})


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
        f"""
        {_WAITING}
        SELECT min(max(waiting.due, ifnull(hosts.retry_at, ''))) FROM waiting
        LEFT JOIN hosts ON hosts.host = waiting.host
        """  # noqa: S608
    ).fetchone()
    return times.moment_or_none(row[0])


# --- bounds --------------------------------------------------------------------------------------


def holds_more_than(db: sqlite3.Connection, count: int) -> bool:
    """Whether more than so many deliveries wait."""
    row = db.execute("SELECT 1 FROM deliveries LIMIT 1 OFFSET ?", (count,)).fetchone()
    return row is not None


def find_unavailable(db: sqlite3.Connection, since: datetime) -> frozenset[str]:
    """Hosts that have failed since before `since`, and that something waits for to probe them."""
    rows = db.execute(
        """
        SELECT host FROM hosts WHERE failing_since < ?
            AND EXISTS (SELECT 1 FROM deliveries WHERE deliveries.host = hosts.host)
        """,
        (times.stamp(since),),
    )
    return frozenset(row[0] for row in rows)


def give_up_unavailable(db: sqlite3.Connection, since: datetime, now: datetime) -> int:
    """Gives up what waits for hosts that have failed since before `since`; returns how much.

    The newest delivery to each stays: it is the probe by which a host that is back is noticed. So
    do deletions that have not waited that long themselves.
    """
    rows = db.execute(
        f"""
        SELECT {_COLUMNS} FROM deliveries
        WHERE host IN (SELECT host FROM hosts WHERE failing_since < :since)
            AND id NOT IN (SELECT max(id) FROM deliveries GROUP BY host)
            AND (verb <> 'Delete' OR added < :since)
        """,  # noqa: S608
        {"since": times.stamp(since)},
    ).fetchall()
    for row in rows:
        delivery = _delivery(row)
        give_up(db, delivery, f"its host does not answer ({delivery.error or 'never tried'})", now)
    return len(rows)


def mend_times(db: sqlite3.Connection, now: datetime, latest: datetime) -> None:
    """Makes due what waits for a time that no rule gives: the clock was set back meanwhile."""
    db.execute("UPDATE hosts SET retry_at = NULL WHERE retry_at > ?", (times.fine(latest),))
    db.execute("UPDATE deliveries SET due = ? WHERE due > ?", (times.fine(now), times.fine(latest)))
