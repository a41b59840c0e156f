"""Catalogues that come as a file: what was read, and how far it is put on the shelf."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from node.store import times


@dataclass(frozen=True, slots=True)
class Import:
    """One file of one shop. Each of its `items` is done in turn; `done` of them are."""

    id: str
    shop: str
    state: str  # ready, running, done
    items: tuple[dict[str, Any], ...]
    missing: tuple[str, ...]
    half_gone: bool
    done: int
    failed: int
    created: datetime


def add(
    db: sqlite3.Connection,
    import_id: str,
    shop: str,
    items: Sequence[dict[str, Any]],
    missing: Sequence[str],
    half_gone: bool,
    now: datetime,
) -> None:
    """Adds one that waits to be started, in place of others that do."""
    db.execute("DELETE FROM imports WHERE shop = ? AND state != 'running'", (shop,))
    db.execute(
        """
        INSERT INTO imports (id, shop, state, items, missing, half_gone, created)
        VALUES (?, ?, 'ready', ?, ?, ?, ?)
        """,
        (
            import_id,
            shop,
            json.dumps(list(items), ensure_ascii=False),
            json.dumps(list(missing)),
            half_gone,
            times.stamp(now),
        ),
    )


def start(
    db: sqlite3.Connection, import_id: str, shop: str, more: Sequence[dict[str, Any]]
) -> bool:
    """Lets one run that waits, with some more items at its end; says whether it did."""
    found = get(db, import_id)
    if found is None or found.shop != shop or found.state != "ready" or running(db, shop):
        return False
    items = json.dumps([*found.items, *more], ensure_ascii=False)
    db.execute("UPDATE imports SET state = 'running', items = ? WHERE id = ?", (items, import_id))
    return True


def running(db: sqlite3.Connection, shop: str) -> bool:
    """Whether one of a shop runs."""
    row = db.execute(
        "SELECT 1 FROM imports WHERE shop = ? AND state = 'running'", (shop,)
    ).fetchone()
    return row is not None


def is_any_running(db: sqlite3.Connection) -> bool:
    """Whether there is anything to do."""
    return db.execute("SELECT 1 FROM imports WHERE state = 'running'").fetchone() is not None


def get(db: sqlite3.Connection, import_id: str) -> Import | None:
    """The one of that id."""
    return _one(db, "id = ?", import_id)


def last(db: sqlite3.Connection, shop: str) -> Import | None:
    """The last one of a shop that was started."""
    return _one(db, "shop = ? AND state != 'ready'", shop)


def next_running(db: sqlite3.Connection) -> Import | None:
    """The one that runs longest."""
    return _one(db, "state = ?", "running")


def _one(db: sqlite3.Connection, where: str, value: str) -> Import | None:
    row = db.execute(
        f"SELECT * FROM imports WHERE {where} ORDER BY created DESC, id LIMIT 1",  # noqa: S608
        (value,),
    ).fetchone()
    if row is None:
        return None
    return Import(
        id=row["id"],
        shop=row["shop"],
        state=row["state"],
        items=tuple(json.loads(row["items"])),
        missing=tuple(json.loads(row["missing"])),
        half_gone=bool(row["half_gone"]),
        done=row["done"],
        failed=row["failed"],
        created=times.moment(row["created"]),
    )


def advance(db: sqlite3.Connection, import_id: str, by: int, failed: int, *, last: bool) -> None:
    """Notes that so many more are done, and whether they were the last."""
    db.execute(
        """
        UPDATE imports SET done = done + ?, failed = failed + ?,
            state = CASE WHEN ? THEN 'done' ELSE state END
        WHERE id = ?
        """,
        (by, failed, last, import_id),
    )
