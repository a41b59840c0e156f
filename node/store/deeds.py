"""Who did what at the stewards' desk, on what and when: nothing of what was written or read."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from node.store import times


@dataclass(frozen=True, slots=True)
class Deed:
    """One act: `what` is a short name, `object` an address or a handle, `who` a mail address."""

    id: int
    account: str
    who: str | None
    what: str
    object: str
    at: datetime


def add(db: sqlite3.Connection, account: str, what: str, about: str, now: datetime) -> None:
    """Notes an act."""
    db.execute(
        "INSERT INTO deeds (account, what, object, at) VALUES (?, ?, ?, ?)",
        (account, what, about, times.stamp(now)),
    )


def find(db: sqlite3.Connection, before: int | None, limit: int) -> list[Deed]:
    """Acts, the last first; with `before` those that came before the act of that number."""
    rows = db.execute(
        """
        SELECT deeds.id, deeds.account, accounts.email, deeds.what, deeds.object, deeds.at
        FROM deeds LEFT JOIN accounts ON accounts.id = deeds.account
        WHERE :before IS NULL OR deeds.id < :before ORDER BY deeds.id DESC LIMIT :limit
        """,
        {"before": before, "limit": limit},
    )
    return [Deed(row[0], row[1], row[2], row[3], row[4], times.moment(row[5])) for row in rows]


def prune(db: sqlite3.Connection, since: datetime) -> None:
    """Drops what is older."""
    db.execute("DELETE FROM deeds WHERE at < ?", (times.stamp(since),))
