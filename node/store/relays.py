"""Relays that pass on what is announced."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from node.model import FollowState
from node.store import times


@dataclass(frozen=True, slots=True)
class Relay:
    """A relay by its inbox, our Follow, and what it answered."""

    inbox: str
    follow: str
    state: FollowState


def find(db: sqlite3.Connection) -> list[Relay]:
    """All of them."""
    rows = db.execute("SELECT inbox, follow, state FROM relays ORDER BY inbox")
    return [Relay(row[0], row[1], FollowState(row[2])) for row in rows]


def add(db: sqlite3.Connection, inbox: str, follow: str, now: datetime) -> None:
    """Notes that a relay was asked."""
    db.execute(
        "INSERT INTO relays (inbox, follow, state, since) VALUES (?, ?, 'requested', ?)",
        (inbox, follow, times.stamp(now)),
    )


def change_state(db: sqlite3.Connection, inbox: str, state: FollowState) -> None:
    """Notes what a relay answered."""
    db.execute("UPDATE relays SET state = ? WHERE inbox = ?", (state, inbox))


def remove(db: sqlite3.Connection, inbox: str) -> None:
    """Forgets a relay."""
    db.execute("DELETE FROM relays WHERE inbox = ?", (inbox,))
