"""What makes reservations orders, as rows: they come and go with the reservation."""

import sqlite3
from datetime import datetime

from node.model import Exempt, Order
from node.store import times


def add(db: sqlite3.Connection, order: Order) -> None:
    """Adds an order to its reservation."""
    db.execute(
        """
        INSERT INTO orders
            (reservation, brought, goods_cents, delivery_cents, exempt, contract, withdrawn)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """,
        (
            order.reservation,
            order.brought,
            order.goods_cents,
            order.delivery_cents,
            order.exempt,
            order.contract,
            times.stamp_or_none(order.withdrawn),
        ),
    )


def get(db: sqlite3.Connection, reservation_id: str) -> Order | None:
    """The order that a reservation is; None for one that binds nobody."""
    row = db.execute(
        """
        SELECT reservation, brought, goods_cents, delivery_cents, exempt, contract, withdrawn
        FROM orders WHERE reservation = ?
        """,
        (reservation_id,),
    ).fetchone()
    if row is None:
        return None
    return Order(
        reservation=row["reservation"],
        brought=bool(row["brought"]),
        goods_cents=row["goods_cents"],
        delivery_cents=row["delivery_cents"],
        exempt=Exempt(row["exempt"]),
        contract=row["contract"],
        withdrawn=times.moment_or_none(row["withdrawn"]),
    )


def exists(db: sqlite3.Connection, reservation_id: str) -> bool:
    """Whether a reservation is an order."""
    found = db.execute("SELECT 1 FROM orders WHERE reservation = ?", (reservation_id,))
    return found.fetchone() is not None


def withdraw(db: sqlite3.Connection, reservation_id: str, now: datetime) -> None:
    """Writes down that its resident withdrew from the contract, and when."""
    db.execute(
        "UPDATE orders SET withdrawn = ? WHERE reservation = ?", (times.stamp(now), reservation_id)
    )
