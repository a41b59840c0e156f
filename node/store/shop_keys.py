"""The keys of shops: public halves, and private ones as their key card wrapped them."""

import sqlite3
from datetime import datetime

from node.model import ShopKeys
from node.store import times

_COLUMNS = "id, shop, owner, sealing, created, signature, endorsement, wrapped, replaced, lost"


def add(db: sqlite3.Connection, keys: ShopKeys) -> None:
    """Adds a shop's keys; those before must have been replaced."""
    db.execute(
        f"INSERT INTO shop_keys ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        (
            keys.id,
            keys.shop,
            keys.owner,
            keys.sealing,
            keys.created,
            keys.signature,
            keys.endorsement,
            keys.wrapped,
            times.stamp_or_none(keys.replaced),
            keys.lost,
        ),
    )


def current(db: sqlite3.Connection, shop_id: str) -> ShopKeys | None:
    """The keys that residents seal to; None for a shop without a key card."""
    row = db.execute(
        f"SELECT {_COLUMNS} FROM shop_keys WHERE shop = ? AND replaced IS NULL",  # noqa: S608
        (shop_id,),
    ).fetchone()
    return None if row is None else _keys(row)


def find(db: sqlite3.Connection, shop_id: str) -> list[ShopKeys]:
    """All keys of a shop, the newest first."""
    rows = db.execute(
        f"""
        SELECT {_COLUMNS} FROM shop_keys WHERE shop = ? ORDER BY replaced IS NOT NULL, replaced DESC
        """,  # noqa: S608 (a constant)
        (shop_id,),
    )
    return [_keys(row) for row in rows]


def replace(
    db: sqlite3.Connection, keys_id: str, now: datetime, *, lost: bool, carried: bool
) -> None:
    """Marks keys as no longer sealed to. Where the new card `carried` them, the old wrap goes."""
    db.execute(
        """
        UPDATE shop_keys SET replaced = ?, lost = ?, wrapped = CASE WHEN ? THEN '' ELSE wrapped END
        WHERE id = ?
        """,
        (times.stamp(now), lost, carried, keys_id),
    )


def prune(db: sqlite3.Connection) -> None:
    """Drops replaced keys that nothing is sealed to any more."""
    db.execute(
        """
        DELETE FROM shop_keys WHERE replaced IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM reservations WHERE reservations.key = shop_keys.id)
          AND NOT EXISTS (SELECT 1 FROM enquiries WHERE enquiries.key = shop_keys.id)
          AND NOT EXISTS (SELECT 1 FROM enquiry_answers WHERE enquiry_answers.key = shop_keys.id)
        """
    )


def _keys(row: sqlite3.Row) -> ShopKeys:
    return ShopKeys(
        id=row["id"],
        shop=row["shop"],
        owner=row["owner"],
        sealing=row["sealing"],
        created=row["created"],
        signature=row["signature"],
        endorsement=row["endorsement"],
        wrapped=row["wrapped"],
        replaced=times.moment_or_none(row["replaced"]),
        lost=bool(row["lost"]),
    )
