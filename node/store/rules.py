"""Who has agreed to which version of the site's rules."""

import sqlite3
from datetime import date, datetime

from node.store import times


def agree(db: sqlite3.Connection, account: str, version: date, now: datetime) -> None:
    """Notes that somebody agrees; a second time changes nothing."""
    db.execute(
        "INSERT OR IGNORE INTO rule_consents (account, version, at) VALUES (?, ?, ?)",
        (account, version.isoformat(), times.stamp(now)),
    )


def agreed(db: sqlite3.Connection, account: str, version: date) -> datetime | None:
    """When somebody agreed to a version; None where they did not."""
    row = db.execute(
        "SELECT at FROM rule_consents WHERE account = ? AND version = ?",
        (account, version.isoformat()),
    ).fetchone()
    return None if row is None else times.moment(row[0])


def has_agreed_before(db: sqlite3.Connection, account: str, version: date) -> bool:
    """Whether somebody agreed to an earlier version."""
    row = db.execute(
        "SELECT 1 FROM rule_consents WHERE account = ? AND version < ? LIMIT 1",
        (account, version.isoformat()),
    ).fetchone()
    return row is not None
