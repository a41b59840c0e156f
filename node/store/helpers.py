"""Town-hall helpers at a shop: until when its owner agrees to them, and what they did there."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from node.store import times


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that a helper did at a shop: `what` is the last part of the page's address."""

    email: str | None
    at: datetime
    what: str


def agree(db: sqlite3.Connection, shop: str, account: str, until: datetime, now: datetime) -> None:
    """Notes that an owner lets helpers in until a time."""
    db.execute(
        "INSERT OR REPLACE INTO helper_consents (shop, account, given, until) VALUES (?, ?, ?, ?)",
        (shop, account, times.stamp(now), times.stamp(until)),
    )


def revoke(db: sqlite3.Connection, shop: str) -> None:
    """Lets nobody in any more."""
    db.execute("DELETE FROM helper_consents WHERE shop = ?", (shop,))


def until(db: sqlite3.Connection, shop: str, now: datetime) -> datetime | None:
    """Until when helpers are let in; None where they are not."""
    row = db.execute(
        "SELECT until FROM helper_consents WHERE shop = ? AND until > ?", (shop, times.stamp(now))
    ).fetchone()
    return None if row is None else times.moment(row[0])


def add_deed(db: sqlite3.Connection, shop: str, account: str, what: str, now: datetime) -> None:
    """Notes what a helper did."""
    db.execute(
        "INSERT INTO helper_deeds (shop, account, at, what) VALUES (?, ?, ?, ?)",
        (shop, account, times.stamp(now), what),
    )


def deeds(db: sqlite3.Connection, shop: str, limit: int) -> list[Deed]:
    """What helpers did at a shop, the last first."""
    rows = db.execute(
        """
        SELECT accounts.email, helper_deeds.at, helper_deeds.what FROM helper_deeds
        LEFT JOIN accounts ON accounts.id = helper_deeds.account
        WHERE helper_deeds.shop = ? ORDER BY helper_deeds.id DESC LIMIT ?
        """,
        (shop, limit),
    )
    return [Deed(row[0], times.moment(row[1]), row[2]) for row in rows]


def prune(db: sqlite3.Connection, since: datetime) -> None:
    """Drops what is older."""
    db.execute("DELETE FROM helper_deeds WHERE at < ?", (times.stamp(since),))
