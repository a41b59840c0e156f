"""Orders: reservations that bind, of a shop that sells at a distance.

They are made, sealed and seen to as reservations are. What is more: what was agreed stays beside
it, nobody cancels a contract in silence, and the resident may withdraw (L221-18). Whether anybody
paid is known to the two alone.
"""

import dataclasses
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from node import catalogue, errors, hours, reservations, selling, shops
from node.holidays import is_holiday
from node.law import Law
from node.model import Exempt, Order, Reservation, ReservationState, Selling, Shop
from node.reservations import Asked
from node.selling import Quote
from node.store import orders
from node.store import reservations as rows
from node.store import shops as shop_rows
from node.uris import Uris

ANSWERED_WITHIN = timedelta(days=7)  # or it lapses: the terms say so
_OPEN = (ReservationState.ASKED, ReservationState.READY)


@dataclass(frozen=True, slots=True)
class Agreed:
    """What the resident read before ordering: the amounts, what the shop says, and the terms."""

    quote: Quote
    said: Selling
    contract: str


def make(
    db: sqlite3.Connection,
    uris: Uris,
    law: Law,
    asked: Asked,
    agreed: Agreed,
    code: Callable[[], str],
    now: datetime,
) -> tuple[Reservation, bool]:
    """Orders what was read, under exactly these terms; whether it is new: the same id again
    changes nothing.

    Raises what `reservations.make` does, errors.Invalid for an order that nothing was sealed with,
    and errors.Conflict where anything of it is no longer as it was read.
    """
    if asked.sealed is None or asked.key is None:
        raise errors.Invalid("not-sealed", "An order says to the shop who orders.")
    if rows.get(db, asked.id) is None:
        _check_as_read(db, law, asked, agreed)
    asked = dataclasses.replace(asked, lasts=ANSWERED_WITHIN)
    one, is_new = reservations.make(db, uris, asked, code, now)
    if is_new:
        quote = agreed.quote
        orders.add(
            db,
            Order(
                one.id,
                quote.brought,
                quote.goods_cents,
                quote.delivery_cents,
                quote.exempt,
                agreed.contract,
            ),
        )
    elif not orders.exists(db, one.id):
        raise errors.Conflict("another-reservation", "This is a reservation that binds nobody.")
    return one, is_new


def _check_as_read(db: sqlite3.Connection, law: Law, asked: Asked, agreed: Agreed) -> None:
    shop = shops.get_open(db, asked.handle)
    listing = catalogue.get_on_show(db, asked.listing)
    offer = next((one for one in listing.offers if one.id == asked.offer), None)
    said = selling.open_for(db, shop)
    if listing.shop != shop.id or offer is None:
        raise errors.NotFound("unknown-offer", "There is no such offer.")
    changed = errors.Conflict("terms-changed", "Something changed since it was read.")
    if said is None or said != agreed.said:
        raise changed
    if not selling.may_be_ordered(shop, said, listing, law):
        raise changed
    brought = agreed.quote.brought
    if selling.quote(shop, said, listing, offer, asked.quantity, brought, law) != agreed.quote:
        raise changed


# --- withdrawing ---------------------------------------------------------------------------------


def last_day(one: Reservation, shop: Shop, law: Law) -> date | None:
    """The last day to withdraw on, by the shop's clock; None while nothing was received yet.

    Fourteen days from the one after, and on to the next working day (L221-18, L221-19).
    """
    if one.state is not ReservationState.HANDED_OVER:
        return None
    received = one.changed.astimezone(hours.zone_of(shop.place) or UTC).date()
    day = received + timedelta(days=law.withdrawal_days)
    department = hours.department_of(shop.place)
    while day.weekday() >= 5 or (department is not None and is_holiday(day, department)):
        day += timedelta(days=1)
    return day


def may_withdraw(one: Reservation, order: Order, shop: Shop, law: Law, now: datetime) -> bool:
    """Whether its resident can withdraw from an order now."""
    if order.withdrawn is not None or order.exempt is not Exempt.NO:
        return False
    last = last_day(one, shop, law)
    if last is None:
        return one.state in _OPEN
    return now.astimezone(hours.zone_of(shop.place) or UTC).date() <= last


def withdraw(
    db: sqlite3.Connection, uris: Uris, law: Law, reservation_id: str, now: datetime
) -> tuple[Reservation, bool]:
    """Withdraws from an order at its resident's wish; whether it is new: once is enough.

    Raises errors.NotFound, and errors.Conflict where there is no right to it, or no longer.
    """
    one, order = rows.get(db, reservation_id), orders.get(db, reservation_id)
    shop = None if one is None else shop_rows.get(db, one.shop)
    if one is None or order is None or shop is None:
        raise errors.NotFound("unknown-order", "There is no such order.")
    if order.withdrawn is not None:
        return one, False
    if not may_withdraw(one, order, shop, law, now):
        raise errors.Conflict("no-withdrawal", "There is no right of withdrawal, or no longer.")
    orders.withdraw(db, one.id, now)
    if one.state in _OPEN:
        return reservations.act(db, uris, one.id, ReservationState.CANCELLED, now), True
    # It was received: both still have to see to it, so it is kept from now on.
    kept = dataclasses.replace(one, ended=now.replace(microsecond=0))
    rows.change(db, kept)
    return kept, True


def refuse(
    db: sqlite3.Connection,
    uris: Uris,
    reservation_id: str,
    now: datetime,
    *,
    shop_id: str,
    by: str,
    answer: bytes | None,
) -> Reservation:
    """Ends an order from the shop's side, and puts what it took back on the shelf.

    Raises errors.NotFound for what is no order of that shop, and errors.Conflict as `act` does.
    """
    if not orders.exists(db, reservation_id):
        raise errors.NotFound("unknown-order", "There is no such order.")
    return reservations.act(
        db,
        uris,
        reservation_id,
        ReservationState.CANCELLED,
        now,
        shop_id=shop_id,
        by=by,
        answer=answer,
    )
