"""Shops, ours and the neighbours'."""

import sqlite3
from dataclasses import asdict
from datetime import datetime

from node.model import Shop
from node.store import times

_COLUMNS = """id, uri, url, peer, handle, name, summary, place, address, phone,
              latitude, longitude, opened, updated, seen, closed"""


def _shop(row: sqlite3.Row) -> Shop:
    values = {key: row[key] for key in row.keys()}  # noqa: SIM118 (a Row iterates over values)
    values["opened"] = times.moment(values["opened"])
    values["updated"] = times.moment(values["updated"])
    values["seen"] = times.moment(values["seen"])
    values["closed"] = times.moment_or_none(values["closed"])
    return Shop(**values)


def _values(shop: Shop) -> dict[str, object]:
    values = asdict(shop)
    values["opened"] = times.stamp(shop.opened)
    values["updated"] = times.stamp(shop.updated)
    values["seen"] = times.stamp(shop.seen)
    values["closed"] = times.stamp_or_none(shop.closed)
    return values


def add(db: sqlite3.Connection, shop: Shop) -> None:
    """Adds a shop."""
    db.execute(
        f"""
        INSERT INTO shops ({_COLUMNS})
        VALUES (:id, :uri, :url, :peer, :handle, :name, :summary, :place, :address, :phone,
                :latitude, :longitude, :opened, :updated, :seen, :closed)
        """,  # noqa: S608 (a constant)
        _values(shop),
    )


def change(db: sqlite3.Connection, shop: Shop) -> None:
    """Writes all of a shop but its id, uri and peer, which never change."""
    db.execute(
        """
        UPDATE shops SET url = :url, handle = :handle, name = :name, summary = :summary,
            place = :place, address = :address, phone = :phone, latitude = :latitude,
            longitude = :longitude, opened = :opened, updated = :updated, seen = :seen,
            closed = :closed
        WHERE id = :id
        """,
        _values(shop),
    )


def mark_seen(db: sqlite3.Connection, shop_id: str, now: datetime) -> None:
    """Notes that a shop was heard of again, unchanged."""
    db.execute("UPDATE shops SET seen = ? WHERE id = ?", (times.stamp(now), shop_id))


def remove(db: sqlite3.Connection, shop_id: str) -> None:
    """Removes a shop with its listings."""
    db.execute("DELETE FROM shops WHERE id = ?", (shop_id,))


def get(db: sqlite3.Connection, shop_id: str) -> Shop | None:
    """The shop of that id."""
    row = db.execute(f"SELECT {_COLUMNS} FROM shops WHERE id = ?", (shop_id,)).fetchone()  # noqa: S608
    return None if row is None else _shop(row)


def get_by_uri(db: sqlite3.Connection, uri: str) -> Shop | None:
    """The shop of that ActivityPub id."""
    row = db.execute(f"SELECT {_COLUMNS} FROM shops WHERE uri = ?", (uri,)).fetchone()  # noqa: S608
    return None if row is None else _shop(row)


def get_own(db: sqlite3.Connection, handle: str) -> Shop | None:
    """The shop of this node with that handle, closed ones included."""
    row = db.execute(
        f"SELECT {_COLUMNS} FROM shops WHERE peer IS NULL AND handle = ?",  # noqa: S608
        (handle,),
    ).fetchone()
    return None if row is None else _shop(row)


def find(
    db: sqlite3.Connection,
    *,
    peer: str | None = None,
    own: bool = False,
    after: str = "",
    limit: int = 1000,
) -> list[Shop]:
    """Open shops in the order of ids, from after `after` on: all shown, our own, or a peer's."""
    rows = db.execute(
        f"""
        SELECT {_COLUMNS} FROM shops
        WHERE closed IS NULL AND (peer = :peer OR :peer IS NULL AND NOT EXISTS (
              SELECT 1 FROM peers WHERE peers.host = shops.peer AND peers.suspended IS NOT NULL))
          AND (NOT :own OR peer IS NULL) AND id > :after
        ORDER BY id LIMIT :limit
        """,  # noqa: S608
        {"peer": peer, "own": own, "after": after, "limit": limit},
    )
    return [_shop(row) for row in rows]


def count_own(db: sqlite3.Connection) -> int:
    """How many shops of this node are open."""
    return int(
        db.execute("SELECT count(*) FROM shops WHERE peer IS NULL AND closed IS NULL").fetchone()[0]
    )
