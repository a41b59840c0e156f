"""Reservations as rows, and the single-use links of their notices."""

import sqlite3
from collections.abc import Iterator
from datetime import datetime

from node.model import Reservation, ReservationState
from node.store import database, times

_COLUMNS = (
    "id, shop, listing, offer, item, quantity, taken, code, state, made, changed, expires, ended, "
    "changed_by, key, sealed, answer"
)


def add(db: sqlite3.Connection, one: Reservation) -> None:
    """Adds a reservation."""
    db.execute(
        f"""
        INSERT INTO reservations ({_COLUMNS})
        VALUES (:id, :shop, :listing, :offer, :item, :quantity, :taken, :code, :state, :made,
                :changed, :expires, :ended, :changed_by, :key, :sealed, :answer)
        """,  # noqa: S608 (a constant)
        _values(one),
    )


def change(db: sqlite3.Connection, one: Reservation) -> None:
    """Writes where it stands: state, times, what is taken, who acted, and the shop's answer."""
    with database.wiping(db):  # a row that is written anew leaves its old pages behind
        db.execute(
            """
            UPDATE reservations SET taken = :taken, state = :state, changed = :changed,
                expires = :expires, ended = :ended, changed_by = :changed_by, answer = :answer
            WHERE id = :id
            """,
            _values(one),
        )


def get(db: sqlite3.Connection, reservation_id: str) -> Reservation | None:
    """The reservation of that id."""
    row = db.execute(
        f"SELECT {_COLUMNS} FROM reservations WHERE id = ?",  # noqa: S608
        (reservation_id,),
    ).fetchone()
    return None if row is None else _reservation(row)


def find_open(db: sqlite3.Connection, shop_id: str) -> list[Reservation]:
    """A shop's open ones, the oldest first."""
    rows = db.execute(
        f"""
        SELECT {_COLUMNS} FROM reservations WHERE shop = ? AND ended IS NULL ORDER BY made, id
        """,  # noqa: S608 (a constant)
        (shop_id,),
    )
    return [_reservation(row) for row in rows]


def find_ended(db: sqlite3.Connection, shop_id: str, limit: int) -> list[Reservation]:
    """A shop's ended ones, the latest first."""
    rows = db.execute(
        f"""
        SELECT {_COLUMNS} FROM reservations WHERE shop = ? AND ended IS NOT NULL
        ORDER BY ended DESC, id LIMIT ?
        """,  # noqa: S608 (a constant)
        (shop_id, limit),
    )
    return [_reservation(row) for row in rows]


def find_all(db: sqlite3.Connection) -> Iterator[Reservation]:
    """Every reservation there is, one at a time."""
    for row in db.execute(f"SELECT {_COLUMNS} FROM reservations"):  # noqa: S608
        yield _reservation(row)


def count_open(db: sqlite3.Connection, shop_id: str) -> int:
    """How many of a shop's are open."""
    row = db.execute(
        "SELECT count(*) FROM reservations WHERE shop = ? AND ended IS NULL", (shop_id,)
    ).fetchone()
    return int(row[0])


def is_code_open(db: sqlite3.Connection, shop_id: str, code: str) -> bool:
    """Whether a code stands for an open reservation of the shop."""
    return (
        db.execute(
            "SELECT 1 FROM reservations WHERE shop = ? AND code = ? AND ended IS NULL",
            (shop_id, code),
        ).fetchone()
        is not None
    )


def find_expired(db: sqlite3.Connection, now: datetime, limit: int) -> list[Reservation]:
    """Open ones whose time is over."""
    rows = db.execute(
        f"""
        SELECT {_COLUMNS} FROM reservations WHERE ended IS NULL AND expires <= ?
        ORDER BY expires LIMIT ?
        """,  # noqa: S608 (a constant)
        (times.stamp(now), limit),
    )
    return [_reservation(row) for row in rows]


def erase(db: sqlite3.Connection, reservation_id: str) -> None:
    """Removes a reservation; its bytes are overwritten."""
    with database.wiping(db):
        db.execute("DELETE FROM reservations WHERE id = ?", (reservation_id,))


def erase_ended(db: sqlite3.Connection, before: datetime) -> None:
    """Removes those that ended before a moment; their bytes are overwritten."""
    with database.wiping(db):
        db.execute("DELETE FROM reservations WHERE ended < ?", (times.stamp(before),))


# --- the links of a notice -----------------------------------------------------------------------


def add_link(db: sqlite3.Connection, hash_of: bytes, reservation_id: str, act: str) -> None:
    """Adds a link, of which the hash is kept."""
    db.execute(
        "INSERT INTO reservation_links (hash, reservation, act) VALUES (?, ?, ?)",
        (hash_of, reservation_id, act),
    )


def get_link(db: sqlite3.Connection, hash_of: bytes) -> tuple[str, str] | None:
    """The reservation and the act that a link stands for."""
    row = db.execute(
        "SELECT reservation, act FROM reservation_links WHERE hash = ?", (hash_of,)
    ).fetchone()
    return None if row is None else (row["reservation"], row["act"])


def remove_links(db: sqlite3.Connection, reservation_id: str) -> None:
    """Ends both links of a reservation."""
    db.execute("DELETE FROM reservation_links WHERE reservation = ?", (reservation_id,))


def _values(one: Reservation) -> dict[str, object]:
    return {
        "id": one.id,
        "shop": one.shop,
        "listing": one.listing,
        "offer": one.offer,
        "item": one.item,
        "quantity": one.quantity,
        "taken": one.taken,
        "code": one.code,
        "state": one.state,
        "made": times.stamp(one.made),
        "changed": times.stamp(one.changed),
        "expires": times.stamp(one.expires),
        "ended": times.stamp_or_none(one.ended),
        "changed_by": one.changed_by,
        "key": one.key,
        "sealed": one.sealed,
        "answer": one.answer,
    }


def _reservation(row: sqlite3.Row) -> Reservation:
    return Reservation(
        id=row["id"],
        shop=row["shop"],
        listing=row["listing"],
        offer=row["offer"],
        item=row["item"],
        quantity=row["quantity"],
        taken=row["taken"],
        code=row["code"],
        state=ReservationState(row["state"]),
        made=times.moment(row["made"]),
        changed=times.moment(row["changed"]),
        expires=times.moment(row["expires"]),
        ended=times.moment_or_none(row["ended"]),
        changed_by=row["changed_by"],
        key=row["key"],
        sealed=row["sealed"],
        answer=row["answer"],
    )
