"""Tokens by which tills speak for a shop, only hashed, and the offers that a till names."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from node.store import times


@dataclass(frozen=True, slots=True)
class Named:
    """An offer by every name a till may have for it."""

    offer: str
    listing: str
    gtin: str | None
    sku: str | None


def give(db: sqlite3.Connection, shop: str, token_hash: bytes, now: datetime) -> None:
    """Gives a shop a token, in place of an earlier one."""
    db.execute(
        "INSERT OR REPLACE INTO tills (shop, token_hash, given) VALUES (?, ?, ?)",
        (shop, token_hash, times.stamp(now)),
    )


def take(db: sqlite3.Connection, shop: str) -> None:
    """Takes a shop's token back."""
    db.execute("DELETE FROM tills WHERE shop = ?", (shop,))


def shop_of(db: sqlite3.Connection, token_hash: bytes) -> str | None:
    """The shop that a token speaks for."""
    row = db.execute("SELECT shop FROM tills WHERE token_hash = ?", (token_hash,)).fetchone()
    return None if row is None else str(row[0])


def mark_used(db: sqlite3.Connection, shop: str, now: datetime) -> None:
    """Notes that a shop's till spoke."""
    db.execute("UPDATE tills SET used = ? WHERE shop = ?", (times.stamp(now), shop))


def standing(db: sqlite3.Connection, shop: str) -> tuple[datetime, datetime | None] | None:
    """When a shop's token was given and last used; None where it has none."""
    row = db.execute("SELECT given, used FROM tills WHERE shop = ?", (shop,)).fetchone()
    return None if row is None else (times.moment(row[0]), times.moment_or_none(row[1]))


def offers(db: sqlite3.Connection, shop: str) -> list[Named]:
    """All offers that a shop has on show."""
    rows = db.execute(
        """
        SELECT offers.id, offers.listing, offers.gtin, offers.sku FROM listings
        JOIN offers ON offers.listing = listings.id
        WHERE listings.shop = ? AND listings.withdrawn IS NULL ORDER BY offers.id
        """,
        (shop,),
    )
    return [Named(row[0], row[1], row[2], row[3]) for row in rows]
