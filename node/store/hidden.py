"""What stewards hid: listings and shops of ours that can come back, and neighbours' objects."""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from node.store import times


@dataclass(frozen=True, slots=True)
class Hidden:
    """An object that is not shown here, by its ActivityPub id, and since when."""

    uri: str
    since: datetime


def add(db: sqlite3.Connection, uri: str, now: datetime, under: str | None = None) -> None:
    """Hides an object; with `under`, because the shop of that id is suspended."""
    db.execute(
        "INSERT OR IGNORE INTO hidden (uri, since, under) VALUES (?, ?, ?)",
        (uri, times.stamp(now), under),
    )


def remove(db: sqlite3.Connection, uri: str) -> bool:
    """Hides it no longer; whether it was hidden."""
    return db.execute("DELETE FROM hidden WHERE uri = ?", (uri,)).rowcount > 0


def exists(db: sqlite3.Connection, uri: str) -> bool:
    """Whether an object is hidden by itself."""
    return db.execute("SELECT 1 FROM hidden WHERE uri = ?", (uri,)).fetchone() is not None


def covers(db: sqlite3.Connection, uri: str, shop_id: str) -> bool:
    """Whether a listing is hidden, by itself or with its shop."""
    row = db.execute(
        """
        SELECT 1 FROM hidden
        WHERE uri = :uri OR uri = (SELECT uri FROM shops WHERE id = :shop) LIMIT 1
        """,
        {"uri": uri, "shop": shop_id},
    ).fetchone()
    return row is not None


def find_covering(db: sqlite3.Connection, uris: Iterable[str], shop_ids: Iterable[str]) -> set[str]:
    """Those of the uris that are hidden by themselves, and those of the shops' ids that are."""
    rows = db.execute(
        """
        SELECT uri FROM hidden WHERE uri IN (SELECT value FROM json_each(:uris))
        UNION ALL
        SELECT shops.id FROM shops JOIN hidden ON hidden.uri = shops.uri
        WHERE shops.id IN (SELECT value FROM json_each(:shops))
        """,
        {"uris": json.dumps(list(uris)), "shops": json.dumps(list(shop_ids))},
    )
    return {row[0] for row in rows}


def find_under(db: sqlite3.Connection, shop_uri: str) -> list[str]:
    """Ids of the listings that a shop's suspension hid."""
    rows = db.execute("SELECT uri FROM hidden WHERE under = ? ORDER BY uri", (shop_uri,))
    return [row[0] for row in rows]


def find(db: sqlite3.Connection, limit: int) -> list[Hidden]:
    """What is hidden by itself, the latest first."""
    rows = db.execute(
        "SELECT uri, since FROM hidden WHERE under IS NULL ORDER BY since DESC, uri LIMIT ?",
        (limit,),
    )
    return [Hidden(row[0], times.moment(row[1])) for row in rows]
