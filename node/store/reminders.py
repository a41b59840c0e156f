"""When a shop was last asked by mail whether its shelf is still true."""

import sqlite3
from datetime import datetime

from node.store import times


def find_due(db: sqlite3.Connection, since: datetime, limit: int) -> list[tuple[str, int]]:
    """(shop, how many) of this node's open shops with something on the shelf that nobody has seen
    since a time, and that were not asked since then either."""
    rows = db.execute(
        """
        SELECT shops.id, count(*) FROM shops
        JOIN listings ON listings.shop = shops.id
        WHERE shops.peer IS NULL AND shops.closed IS NULL
          AND listings.withdrawn IS NULL AND listings.seen < :since
          AND EXISTS (SELECT 1 FROM offers WHERE offers.listing = listings.id
                      AND offers.availability != 'out_of_stock')
          AND NOT EXISTS (SELECT 1 FROM reminders
                          WHERE reminders.shop = shops.id AND reminders.at > :since)
        GROUP BY shops.id ORDER BY shops.id LIMIT :limit
        """,
        {"since": times.stamp(since), "limit": limit},
    )
    return [(row[0], int(row[1])) for row in rows]


def mark(db: sqlite3.Connection, shop: str, now: datetime) -> None:
    """Notes that a shop was asked."""
    db.execute(
        "INSERT OR REPLACE INTO reminders (shop, at) VALUES (?, ?)", (shop, times.stamp(now))
    )
