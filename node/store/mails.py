"""Mails of the node that wait to be sent, and the few that were given up."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from node.store import times


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that waits. `message_id` names it to mail programs, so that a second copy is seen."""

    id: int
    message_id: str
    recipient: str
    subject: str
    text: str
    added: datetime
    until: datetime  # when it is of no use any more
    attempts: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How the mail stands: how many wait and since when, how many were given up, and why."""

    waiting: int
    oldest: datetime | None
    given_up: int
    error: str | None  # the last trouble, whether it still waits or was given up
    last_sent: datetime | None


def add(
    db: sqlite3.Connection,
    message_id: str,
    recipient: str,
    subject: str,
    text: str,
    now: datetime,
    until: datetime,
) -> None:
    """Adds a mail, due at once."""
    db.execute(
        """
        INSERT INTO mails (message_id, recipient, subject, text, added, until, due)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """,
        (
            message_id,
            recipient,
            subject,
            text,
            times.stamp(now),
            times.stamp(until),
            times.fine(now),
        ),
    )


def count_waiting(db: sqlite3.Connection) -> int:
    """How many wait."""
    return int(db.execute("SELECT count(*) FROM mails WHERE given_up IS NULL").fetchone()[0])


def find_due(db: sqlite3.Connection, now: datetime, limit: int) -> list[Mail]:
    """What is to be tried now, the longest waiting first."""
    rows = db.execute(
        """
        SELECT id, message_id, recipient, subject, text, added, until, attempts FROM mails
        WHERE given_up IS NULL AND due <= ? ORDER BY due, id LIMIT ?
        """,
        (times.fine(now), limit),
    )
    return [
        Mail(
            id=row["id"],
            message_id=row["message_id"],
            recipient=row["recipient"],
            subject=row["subject"],
            text=row["text"],
            added=times.moment(row["added"]),
            until=times.moment(row["until"]),
            attempts=row["attempts"],
        )
        for row in rows
    ]


def next_due(db: sqlite3.Connection) -> datetime | None:
    """When the next one falls due."""
    row = db.execute("SELECT min(due) FROM mails WHERE given_up IS NULL").fetchone()
    return times.moment_or_none(row[0])


def mark_sent(db: sqlite3.Connection, mail_id: int, now: datetime) -> None:
    """Forgets a mail that was handed over; only when that was is kept."""
    db.execute("DELETE FROM mails WHERE id = ?", (mail_id,))
    db.execute("INSERT OR REPLACE INTO mails_sent (id, last) VALUES (1, ?)", (times.stamp(now),))


def postpone(db: sqlite3.Connection, mail_id: int, error: str, due: datetime) -> None:
    """Notes a failed try, and when the next one is."""
    db.execute(
        "UPDATE mails SET attempts = attempts + 1, error = ?, due = ? WHERE id = ?",
        (error, times.fine(due), mail_id),
    )


def give_up(db: sqlite3.Connection, mail_id: int, error: str, now: datetime) -> None:
    """Tries a mail no more. What it said and whom it was for is erased with it."""
    db.execute(
        """
        UPDATE mails SET attempts = attempts + 1, error = ?, given_up = ?,
            recipient = '', subject = '', text = ''
        WHERE id = ?
        """,
        (error, times.stamp(now), mail_id),
    )


def begin_again(db: sqlite3.Connection, now: datetime) -> None:
    """At start, nothing waits for a time that another clock set."""
    db.execute(
        "UPDATE mails SET due = :now WHERE given_up IS NULL AND due > :now",
        {"now": times.fine(now)},
    )


def prune(db: sqlite3.Connection, since: datetime) -> None:
    """Drops the traces of what was given up before a time."""
    db.execute("DELETE FROM mails WHERE given_up < ?", (times.stamp(since),))


def standing(db: sqlite3.Connection) -> Standing:
    """How it stands."""
    waiting = db.execute("SELECT count(*), min(added) FROM mails WHERE given_up IS NULL").fetchone()
    given_up = db.execute("SELECT count(*) FROM mails WHERE given_up IS NOT NULL").fetchone()[0]
    trouble = db.execute(
        "SELECT error FROM mails WHERE error IS NOT NULL ORDER BY given_up IS NULL DESC, id DESC"
    ).fetchone()
    last = db.execute("SELECT last FROM mails_sent").fetchone()
    return Standing(
        waiting=int(waiting[0]),
        oldest=times.moment_or_none(waiting[1]),
        given_up=int(given_up),
        error=None if trouble is None else str(trouble[0]),
        last_sent=None if last is None else times.moment(last[0]),
    )
