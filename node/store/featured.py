"""Listings that a shop pins, ours and the neighbours'."""

import sqlite3
from datetime import datetime

from node.store import times


def add(db: sqlite3.Connection, shop_id: str, listing_id: str, now: datetime) -> None:
    """Pins a listing of a shop; one that is pinned stays as it is."""
    db.execute(
        "INSERT OR IGNORE INTO featured (listing, shop, at) VALUES (?, ?, ?)",
        (listing_id, shop_id, times.stamp(now)),
    )


def remove(db: sqlite3.Connection, listing_id: str) -> bool:
    """Takes a pin away; says whether there was one."""
    return db.execute("DELETE FROM featured WHERE listing = ?", (listing_id,)).rowcount > 0


def find(db: sqlite3.Connection, shop_id: str) -> list[str]:
    """Ids of the listings that a shop pins and that are on show, the latest pinned first."""
    rows = db.execute(
        """
        SELECT featured.listing FROM featured JOIN listings ON listings.id = featured.listing
        WHERE featured.shop = ? AND listings.withdrawn IS NULL
        ORDER BY featured.at DESC, featured.listing
        """,
        (shop_id,),
    )
    return [row[0] for row in rows]
