"""Activities that were accepted and wait to be acted upon, and those set aside."""

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from node.model import Received
from node.store import database, many, times


class Letter(NamedTuple):
    """What is stored of an activity that is accepted. `fingerprint` tells it from all others."""

    fingerprint: bytes
    actor: str
    host: str
    body: bytes


def add(db: sqlite3.Connection, letters: Sequence[Letter], now: datetime) -> list[int | None]:
    """Stores activities: the numbers of their rows, and None, with nothing stored, for what was
    accepted before.
    """
    marks, asked = many.question_marks([one.fingerprint for one in letters])
    rows = db.execute(
        f"SELECT fingerprint FROM seen_activities WHERE fingerprint IN ({marks})",  # noqa: S608
        asked,
    )
    known = {row[0] for row in rows}
    fresh = {one.fingerprint: one for one in letters if one.fingerprint not in known}
    if not fresh:
        return [None] * len(letters)
    at, due = times.stamp(now), times.fine(now)
    db.executemany(
        "INSERT INTO seen_activities (fingerprint, at) VALUES (?, ?)",
        [(fingerprint, at) for fingerprint in fresh],
    )
    db.executemany(
        "INSERT INTO received (actor, host, body, at, due) VALUES (?, ?, ?, ?, ?)",
        [(one.actor, one.host, one.body, at, due) for one in fresh.values()],
    )
    last = db.execute("SELECT last_insert_rowid()").fetchone()[0]
    # Nobody else writes meanwhile, so they are numbered one after the other.
    numbers = dict(zip(fresh, range(last + 1 - len(fresh), last + 1), strict=True))
    return [numbers.pop(one.fingerprint, None) for one in letters]


def find_due(
    db: sqlite3.Connection,
    now: datetime,
    limit: int,
    skip: Sequence[int] = (),
    skip_hosts: Sequence[str] = (),
) -> list[Received]:
    """What is to be acted upon now, in the order it came, but for some rows and some hosts'."""
    rows = db.execute(
        """
        SELECT id, actor, body, at, attempts FROM received
        WHERE dead = 0 AND due <= :now AND id NOT IN (SELECT value FROM json_each(:skip))
            AND host NOT IN (SELECT value FROM json_each(:skip_hosts))
        ORDER BY id LIMIT :limit
        """,
        {
            "now": times.fine(now),
            "skip": json.dumps(list(skip)),
            "skip_hosts": json.dumps(list(skip_hosts)),
            "limit": limit,
        },
    )
    return [_received(row) for row in rows]


def find(db: sqlite3.Connection, received_ids: Sequence[int]) -> list[Received]:
    """Those of that number that still wait, in that order."""
    rows = db.execute(
        """
        SELECT id, actor, body, at, attempts FROM received
        WHERE id IN (SELECT value FROM json_each(?)) AND dead = 0
        """,
        (json.dumps(list(received_ids)),),
    )
    found = {row[0]: _received(row) for row in rows}
    return [found[one] for one in dict.fromkeys(received_ids) if one in found]


def _received(row: sqlite3.Row) -> Received:
    received_id, actor, body, at, attempts = row
    return Received(received_id, actor, body, times.moment(at), attempts)


def remove(db: sqlite3.Connection, *received_ids: int) -> None:
    """Done: the raw bodies go."""
    db.execute(
        "DELETE FROM received WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(received_ids),),
    )


def wipe(db: sqlite3.Connection, received_id: int) -> None:
    """Done with what was private: no word of the raw body stays in the file."""
    with database.wiping(db):
        db.execute("DELETE FROM received WHERE id = ?", (received_id,))


def remove_host(db: sqlite3.Connection, host: str) -> None:
    """Drops everything that came from a host and waits, private words among it."""
    with database.wiping(db):
        db.execute("DELETE FROM received WHERE host = ?", (host,))


def change_due(db: sqlite3.Connection, received_id: int, due: datetime, error: str) -> None:
    """It could not be acted upon yet."""
    db.execute(
        "UPDATE received SET attempts = attempts + 1, due = ?, error = ? WHERE id = ?",
        (times.fine(due), error, received_id),
    )


def begin_again(db: sqlite3.Connection, now: datetime) -> None:
    """At start: all that waits is due at once."""
    db.execute("UPDATE received SET due = :now WHERE due > :now", {"now": times.fine(now)})


def set_aside(db: sqlite3.Connection, received_id: int, error: str) -> None:
    """It cannot be acted upon: kept for the steward, out of the way of the others."""
    db.execute(
        "UPDATE received SET attempts = attempts + 1, dead = 1, error = ? WHERE id = ?",
        (error, received_id),
    )


def age(db: sqlite3.Connection) -> tuple[int, datetime | None]:
    """How many wait to be acted upon, and since when the oldest does."""
    row = db.execute("SELECT count(*), min(at) FROM received WHERE dead = 0").fetchone()
    return row[0], times.moment_or_none(row[1])


def count_by_host(db: sqlite3.Connection) -> list[tuple[str, int, int]]:
    """For each host: how many of its activities wait, and how many bytes they are."""
    rows = db.execute(
        "SELECT host, count(*), sum(length(body)) FROM received WHERE dead = 0 GROUP BY host"
    )
    return [(row[0], row[1], row[2]) for row in rows]


def count_dead_by_host(db: sqlite3.Connection) -> dict[str, tuple[int, str]]:
    """For each host: how many of its activities were set aside, and why the last one was."""
    rows = db.execute(
        "SELECT host, count(*), error, max(id) FROM received WHERE dead = 1 GROUP BY host"
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def prune(db: sqlite3.Connection, before: datetime, keep_dead: int) -> None:
    """Forgets what was seen before `before`, and all but the newest `keep_dead` set aside."""
    db.execute("DELETE FROM seen_activities WHERE at < ?", (times.stamp(before),))
    db.execute(
        """
        DELETE FROM received WHERE dead = 1 AND id NOT IN
            (SELECT id FROM received WHERE dead = 1 ORDER BY id DESC LIMIT ?)
        """,
        (keep_dead,),
    )
