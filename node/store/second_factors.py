"""Second factors of accounts, their recovery codes, and which sessions have given one."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from node.store import times


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """What is kept of one."""

    secret: bytes  # wrapped by the node's key
    begun: datetime
    confirmed: bool  # in use
    last_step: int  # the last half minute whose code was used


def get(db: sqlite3.Connection, account: str) -> SecondFactor | None:
    """The second factor of an account."""
    row = db.execute(
        "SELECT secret, begun, confirmed, last_step FROM second_factors WHERE account = ?",
        (account,),
    ).fetchone()
    if row is None:
        return None
    return SecondFactor(bytes(row[0]), times.moment(row[1]), bool(row[2]), row[3])


def put(db: sqlite3.Connection, account: str, secret: bytes, now: datetime) -> None:
    """Keeps one that is not in use yet."""
    db.execute(
        """
        INSERT OR REPLACE INTO second_factors (account, secret, begun, confirmed, last_step)
        VALUES (?, ?, ?, 0, 0)
        """,
        (account, secret, times.stamp(now)),
    )


def confirm(db: sqlite3.Connection, account: str, step: int) -> None:
    """It is in use, and the codes up to a step are used."""
    db.execute(
        "UPDATE second_factors SET confirmed = 1, last_step = ? WHERE account = ?", (step, account)
    )


def remove(db: sqlite3.Connection, account: str) -> bool:
    """Takes it away, with its recovery codes; says whether there was one."""
    return db.execute("DELETE FROM second_factors WHERE account = ?", (account,)).rowcount > 0


def put_recovery(db: sqlite3.Connection, account: str, macs: Iterable[bytes]) -> None:
    """Keeps recovery codes in the place of those before."""
    db.execute("DELETE FROM recovery_codes WHERE account = ?", (account,))
    db.executemany(
        "INSERT INTO recovery_codes (account, mac) VALUES (?, ?)",
        [(account, mac) for mac in macs],
    )


def use_recovery(db: sqlite3.Connection, account: str, mac: bytes) -> bool:
    """Uses a recovery code up; says whether it was there."""
    return (
        db.execute(
            "DELETE FROM recovery_codes WHERE account = ? AND mac = ?", (account, mac)
        ).rowcount
        > 0
    )


def count_recovery(db: sqlite3.Connection, account: str) -> int:
    """How many recovery codes are left."""
    row = db.execute("SELECT count(*) FROM recovery_codes WHERE account = ?", (account,))
    return int(row.fetchone()[0])


def mark_proven(db: sqlite3.Connection, session_hash: bytes) -> None:
    """A session has given the second factor."""
    db.execute("INSERT OR IGNORE INTO proven_sessions (token_hash) VALUES (?)", (session_hash,))


def is_proven(db: sqlite3.Connection, session_hash: bytes) -> bool:
    """Whether a session has."""
    row = db.execute("SELECT 1 FROM proven_sessions WHERE token_hash = ?", (session_hash,))
    return row.fetchone() is not None
