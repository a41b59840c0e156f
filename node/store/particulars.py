"""What was said of the goods of a listing, as a column of JSON; who makes what, by brand."""

import dataclasses
import json
import sqlite3
from datetime import datetime
from typing import Any

from node.model import NOTHING_SAID, Contact, Particulars
from node.store import times


def written(said: Particulars) -> str | None:
    """The column: only what was said; None where nothing was."""
    if not said:
        return None
    fields = dataclasses.asdict(said)
    told = {
        name: value
        for name, value in fields.items()
        if value is not None and (value != () or name == "allergens") and value != ""
    }
    return json.dumps(told, ensure_ascii=False)


def read(column: str | None) -> Particulars:
    """The column, read back."""
    if column is None:
        return NOTHING_SAID
    told: dict[str, Any] = json.loads(column)
    for name in ("allergens", "traces"):
        if name in told:
            told[name] = tuple(told[name])
    for name in ("maker", "responsible"):
        if name in told:
            told[name] = Contact(**told[name])
    return Particulars(**told)


def keep_maker(
    db: sqlite3.Connection, shop_id: str, said: Particulars, now: datetime, most: int
) -> None:
    """Keeps who makes the goods of a brand, in the place of what was kept of it before; of the
    brands of a shop, the `most` last used."""
    told = Particulars(brand=said.brand, maker=said.maker, responsible=said.responsible)
    db.execute(
        """
        INSERT INTO makers (shop, brand, told, used) VALUES (:shop, :brand, :told, :used)
        ON CONFLICT (shop, brand) DO UPDATE SET told = excluded.told, used = excluded.used
        """,
        {
            "shop": shop_id,
            "brand": said.brand.casefold(),
            "told": written(told),
            "used": times.stamp(now),
        },
    )
    db.execute(
        """
        DELETE FROM makers WHERE shop = :shop AND brand NOT IN (
            SELECT brand FROM makers WHERE shop = :shop ORDER BY used DESC, brand LIMIT :most)
        """,
        {"shop": shop_id, "most": most},
    )


def find_makers(db: sqlite3.Connection, shop_id: str) -> tuple[Particulars, ...]:
    """The brands a shop has told of, each with its maker, in the order of their names."""
    rows = db.execute("SELECT told FROM makers WHERE shop = ? ORDER BY brand", (shop_id,))
    return tuple(read(row["told"]) for row in rows)
