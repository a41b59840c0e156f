"""The record of every price shown by a shop of ours. Rows are added, never changed."""

import sqlite3
from datetime import datetime

from node.model import Listing, PriceRow
from node.store import times


def add_changed(db: sqlite3.Connection, listing: Listing, now: datetime) -> None:
    """Adds a row for each offer whose price is not the one last shown."""
    for offer in listing.offers:
        last = db.execute(
            """
            SELECT price_cents, currency FROM price_rows WHERE offer = ? ORDER BY id DESC LIMIT 1
            """,
            (offer.id,),
        ).fetchone()
        if last is not None and tuple(last) == (offer.price_cents, offer.currency):
            continue
        db.execute(
            """
            INSERT INTO price_rows (offer, listing, price_cents, currency, shown_from)
            VALUES (?, ?, ?, ?, ?)
            """,
            (offer.id, listing.id, offer.price_cents, offer.currency, times.stamp(now)),
        )


def find(db: sqlite3.Connection, listing_id: str) -> list[PriceRow]:
    """The prices a listing has shown, oldest first."""
    rows = db.execute(
        """
        SELECT offer, price_cents, currency, shown_from FROM price_rows
        WHERE listing = ? ORDER BY id
        """,
        (listing_id,),
    )
    return [PriceRow(row[0], row[1], row[2], times.moment(row[3])) for row in rows]
