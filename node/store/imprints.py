"""What shops say of who runs them, as rows."""

import dataclasses
import sqlite3

from node.model import Imprint


def get(db: sqlite3.Connection, shop_id: str) -> Imprint:
    """What a shop says; all empty where it never said anything."""
    row = db.execute(
        """
        SELECT trader, form, register, vat, email, mediator, authority FROM imprints WHERE shop = ?
        """,
        (shop_id,),
    ).fetchone()
    return Imprint() if row is None else Imprint(**dict(zip(row.keys(), row, strict=True)))


def put(db: sqlite3.Connection, shop_id: str, said: Imprint) -> None:
    """Writes all that a shop says, in the place of what it said before."""
    db.execute(
        """
        INSERT OR REPLACE INTO imprints
            (shop, trader, form, register, vat, email, mediator, authority)
        VALUES (:shop, :trader, :form, :register, :vat, :email, :mediator, :authority)
        """,
        {"shop": shop_id, **dataclasses.asdict(said)},
    )
