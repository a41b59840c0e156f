"""Domains that the node does not speak with, and why."""

import sqlite3
from datetime import datetime

from node.model import Block
from node.store import times


def add(db: sqlite3.Connection, domain: str, reason: str, now: datetime) -> None:
    """Blocks a domain; blocked already, it keeps its date and takes the new reason."""
    db.execute(
        """
        INSERT INTO blocks (domain, reason, since) VALUES (?, ?, ?)
        ON CONFLICT (domain) DO UPDATE SET reason = excluded.reason
        """,
        (domain, reason, times.stamp(now)),
    )


def remove(db: sqlite3.Connection, domain: str) -> bool:
    """Lifts the block of exactly that domain; whether there was one."""
    return db.execute("DELETE FROM blocks WHERE domain = ?", (domain,)).rowcount > 0


def find(db: sqlite3.Connection) -> list[Block]:
    """All blocks, by domain."""
    rows = db.execute("SELECT domain, reason, since FROM blocks ORDER BY domain")
    return [Block(row["domain"], row["reason"], times.moment(row["since"])) for row in rows]


def known_hosts(db: sqlite3.Connection) -> list[str]:
    """Every host that something is kept of, or due for."""
    rows = db.execute(
        """
        SELECT host FROM peers UNION SELECT host FROM followers UNION SELECT host FROM received
        UNION SELECT host FROM deliveries
        """
    )
    return [row[0] for row in rows]
