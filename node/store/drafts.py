"""What a merchant has begun to write and not yet published: the fields as typed."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from node.store import times


@dataclass(frozen=True, slots=True)
class Draft:
    """The fields of a form as typed, by name; `id` is the form's own."""

    id: str
    shop: str
    fields: Mapping[str, str]
    updated: datetime


def put(
    db: sqlite3.Connection, draft_id: str, shop_id: str, fields: Mapping[str, str], now: datetime
) -> None:
    """Keeps a draft in the place of its earlier state; another shop's of that id stays its own."""
    db.execute(
        """
        INSERT INTO drafts (id, shop, fields, updated) VALUES (:id, :shop, :fields, :updated)
        ON CONFLICT (id) DO UPDATE SET fields = excluded.fields, updated = excluded.updated
            WHERE shop = excluded.shop
        """,
        {
            "id": draft_id,
            "shop": shop_id,
            "fields": json.dumps(dict(fields), ensure_ascii=False),
            "updated": times.stamp(now),
        },
    )


def find(db: sqlite3.Connection, shop_id: str) -> list[Draft]:
    """A shop's drafts, the last touched first."""
    rows = db.execute(
        "SELECT id, shop, fields, updated FROM drafts WHERE shop = ? ORDER BY updated DESC, id",
        (shop_id,),
    )
    return [
        Draft(row["id"], row["shop"], json.loads(row["fields"]), times.moment(row["updated"]))
        for row in rows
    ]


def get(db: sqlite3.Connection, shop_id: str, draft_id: str) -> Draft | None:
    """The draft of that id, where it is this shop's."""
    return next((draft for draft in find(db, shop_id) if draft.id == draft_id), None)


def remove(db: sqlite3.Connection, shop_id: str, draft_id: str) -> None:
    """Drops a draft: it was published, or is not wanted."""
    db.execute("DELETE FROM drafts WHERE id = ? AND shop = ?", (draft_id, shop_id))


def drop_oldest(db: sqlite3.Connection, shop_id: str, most: int) -> None:
    """Keeps the `most` last touched of a shop."""
    db.execute(
        """
        DELETE FROM drafts WHERE shop = :shop AND id NOT IN (
            SELECT id FROM drafts WHERE shop = :shop ORDER BY updated DESC, id LIMIT :most)
        """,
        {"shop": shop_id, "most": most},
    )


def prune(db: sqlite3.Connection, since: datetime) -> None:
    """Drops drafts that nobody has touched since a time."""
    db.execute("DELETE FROM drafts WHERE updated < ?", (times.stamp(since),))
