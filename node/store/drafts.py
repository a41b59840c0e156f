"""What a merchant has begun to write and not yet published: the fields as typed."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from node.store import times


@dataclass(frozen=True, slots=True)
class Draft:
    """The fields of a form as typed, by name; `id` is the form's own.

    One that is `kept` lacks what the law asks: it stays until it is published or erased.
    """

    id: str
    shop: str
    fields: Mapping[str, str]
    updated: datetime
    kept: bool = False


def put(
    db: sqlite3.Connection,
    draft_id: str,
    shop_id: str,
    fields: Mapping[str, str],
    now: datetime,
    *,
    kept: bool = False,
) -> None:
    """Keeps a draft in the place of its earlier state; another shop's of that id stays its own."""
    db.execute(
        """
        INSERT INTO drafts (id, shop, fields, updated, kept)
        VALUES (:id, :shop, :fields, :updated, :kept)
        ON CONFLICT (id) DO UPDATE
            SET fields = excluded.fields, updated = excluded.updated,
                kept = max(kept, excluded.kept)
            WHERE shop = excluded.shop
        """,
        {
            "id": draft_id,
            "shop": shop_id,
            "fields": json.dumps(dict(fields), ensure_ascii=False),
            "updated": times.stamp(now),
            "kept": kept,
        },
    )


def find(
    db: sqlite3.Connection, shop_id: str, *, kept: bool = False, most: int = -1
) -> list[Draft]:
    """A shop's drafts, or those that are `kept`, the last touched first; at most so many."""
    rows = db.execute(
        """
        SELECT id, shop, fields, updated, kept FROM drafts WHERE shop = ? AND kept = ?
        ORDER BY updated DESC, id LIMIT ?
        """,
        (shop_id, kept, most),
    )
    return [_draft(row) for row in rows]


def count_kept(db: sqlite3.Connection, shop_id: str) -> int:
    """How many of a shop lack what the law asks."""
    found: int = db.execute(
        "SELECT count(*) FROM drafts WHERE shop = ? AND kept", (shop_id,)
    ).fetchone()[0]
    return found


def get(db: sqlite3.Connection, shop_id: str, draft_id: str) -> Draft | None:
    """The draft of that id, where it is this shop's."""
    row = db.execute(
        "SELECT id, shop, fields, updated, kept FROM drafts WHERE id = ? AND shop = ?",
        (draft_id, shop_id),
    ).fetchone()
    return None if row is None else _draft(row)


def _draft(row: sqlite3.Row) -> Draft:
    return Draft(
        row["id"],
        row["shop"],
        json.loads(row["fields"]),
        times.moment(row["updated"]),
        bool(row["kept"]),
    )


def remove(db: sqlite3.Connection, shop_id: str, draft_id: str) -> None:
    """Drops a draft: it was published, or is not wanted."""
    db.execute("DELETE FROM drafts WHERE id = ? AND shop = ?", (draft_id, shop_id))


def drop_oldest(db: sqlite3.Connection, shop_id: str, most: int) -> None:
    """Keeps the `most` last touched of a shop, and all that are `kept`."""
    db.execute(
        """
        DELETE FROM drafts WHERE shop = :shop AND NOT kept AND id NOT IN (
            SELECT id FROM drafts WHERE shop = :shop AND NOT kept
            ORDER BY updated DESC, id LIMIT :most)
        """,
        {"shop": shop_id, "most": most},
    )


def prune(db: sqlite3.Connection, since: datetime) -> None:
    """Drops drafts that nobody has touched since a time, but those that are `kept`."""
    db.execute("DELETE FROM drafts WHERE updated < ? AND NOT kept", (times.stamp(since),))
