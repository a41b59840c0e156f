"""Reservations: a resident asks a shop to put something aside; it binds nobody.

Stock is taken once, when it is asked for, never below zero, and given back when the reservation is
cancelled or runs out. Nobody pays here, and nothing says who asked: what a resident wrote is sealed
(`node/sealing.py`), and this node stores it unread.

    asked ──> ready ──> handed over
      └────────┴──────> unavailable, cancelled, expired
"""

import dataclasses
import logging
import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from node import catalogue, errors, hours, prices, sealing, shops
from node.model import Availability, Listing, Offer, Reservation, ReservationState, Shop
from node.store import database, hidden, listings, orders, reservations, shop_keys
from node.store import shops as shop_rows
from node.uris import Uris

log = logging.getLogger("echoppe.reservations")

LASTS = timedelta(hours=48)  # from asking, and again from being ready, of a shop that is open
ORDER_LASTS = timedelta(days=60)  # from being ready, of one that binds (node/orders.py)
SILENT_AFTER = timedelta(hours=24)  # of these; then the page says: call
KEPT = timedelta(days=30)  # after it ended
QUANTITY_MOST = 99
OPEN_MOST = 300  # of one shop: more than a shop can have ready on two days
EXPIRED_AT_ONCE = 100

_LETTERS = "BCDFGHJKLMNPRSTVXZ"
_VOWELS = "AEU"  # I and O look like digits

_ENDS = frozenset(
    {
        ReservationState.HANDED_OVER,
        ReservationState.UNAVAILABLE,
        ReservationState.CANCELLED,
        ReservationState.EXPIRED,
    }
)
# From where each state can be reached.
_FROM = {
    ReservationState.READY: {ReservationState.ASKED},
    ReservationState.HANDED_OVER: {ReservationState.ASKED, ReservationState.READY},
    ReservationState.UNAVAILABLE: {ReservationState.ASKED, ReservationState.READY},
    ReservationState.CANCELLED: {ReservationState.ASKED, ReservationState.READY},
    ReservationState.EXPIRED: {ReservationState.ASKED, ReservationState.READY},
}
# Where what was taken goes back: what is not there any more does not.
_GIVES_BACK = frozenset({ReservationState.CANCELLED, ReservationState.EXPIRED})


@dataclass(frozen=True, slots=True)
class Asked:
    """What a resident asks for. `sealed` and the id of its `key` go together, or neither is."""

    id: str
    handle: str
    listing: str
    offer: str
    quantity: int
    key: str | None = None
    sealed: bytes | None = field(default=None, repr=False)
    lasts: timedelta = LASTS


def new_code() -> str:
    """ "KER-417": said at the counter, no secret."""
    letters = "".join(secrets.choice(one) for one in (_LETTERS, _VOWELS, _LETTERS))
    return f"{letters}-{secrets.randbelow(1000):03d}"


def can_be_reserved(listing: Listing, offer: Offer, quantity: int = 1) -> bool:
    """Whether so much of an offer can be put aside now."""
    if listing.withdrawn is not None or offer.availability is Availability.OUT_OF_STOCK:
        return False
    return offer.stock is None or offer.stock >= quantity


def make(
    db: sqlite3.Connection, uris: Uris, asked: Asked, code: Callable[[], str], now: datetime
) -> tuple[Reservation, bool]:
    """Puts aside what is asked for; whether it is new: the same id again changes nothing.

    Raises errors.NotFound, errors.Invalid, errors.TooMany where the shop has too many open ones,
    and errors.Conflict where there is not enough left.
    """
    known = reservations.get(db, asked.id)
    shop = shops.get_open(db, asked.handle)
    if known is not None:
        if (known.shop, known.listing) != (shop.id, asked.listing):
            raise errors.Conflict("another-reservation", "This reservation is another one's.")
        return known, False
    listing = catalogue.get_on_show(db, asked.listing)
    offer = next((one for one in listing.offers if one.id == asked.offer), None)
    if listing.shop != shop.id or offer is None:
        raise errors.NotFound("unknown-offer", "There is no such offer.")
    if not 1 <= asked.quantity <= QUANTITY_MOST:
        sentence = f"from 1 to {QUANTITY_MOST}"
        raise errors.Invalid("bad-quantity", sentence, fields={"quantity": sentence})
    _check_sealed(db, shop, asked)
    if reservations.count_open(db, shop.id) >= OPEN_MOST:
        raise errors.TooMany("shop-busy", "The shop has too many open ones.", retry_after=3600)
    if not can_be_reserved(listing, offer, asked.quantity):
        raise errors.Conflict("not-enough", "There is not enough of it left.")
    moment = now.replace(microsecond=0)
    made = Reservation(
        id=asked.id,
        shop=shop.id,
        listing=listing.id,
        offer=offer.id,
        item=", ".join((listing.name, *offer.axes.values())),
        quantity=asked.quantity,
        taken=0 if offer.stock is None else asked.quantity,
        code=_free_code(db, shop, code),
        state=ReservationState.ASKED,
        made=moment,
        changed=moment,
        expires=_expires(shop, moment, asked.lasts),
        key=asked.key,
        sealed=asked.sealed,
    )
    _move_stock(db, uris, shop, made, -made.taken, now)
    reservations.add(db, made)
    return made, True


def _check_sealed(db: sqlite3.Connection, shop: Shop, asked: Asked) -> None:
    if asked.sealed is None and asked.key is None:
        return
    if asked.sealed is None or asked.key is None:
        raise errors.Invalid("not-sealed", "A sealed text names its key.")
    sealing.check_sealed(asked.sealed)
    held = {keys.id for keys in shop_keys.find(db, shop.id) if not keys.lost}
    if asked.key not in held:
        raise errors.Conflict("keys-changed", "The shop's key has changed.")


def _free_code(db: sqlite3.Connection, shop: Shop, code: Callable[[], str]) -> str:
    while reservations.is_code_open(db, shop.id, found := code()):
        pass
    return found


def act(
    db: sqlite3.Connection,
    uris: Uris,
    reservation_id: str,
    state: ReservationState,
    now: datetime,
    *,
    shop_id: str | None = None,
    by: str | None = None,
    answer: bytes | None = None,
) -> Reservation:
    """Takes a reservation to another state, with the shop's sealed answer where there is one.

    With `shop_id` it must be that shop's. Raises errors.NotFound, and errors.Conflict where it
    stands elsewhere already: who comes second is told, and changes nothing.
    """
    one = reservations.get(db, reservation_id)
    if one is None or (shop_id is not None and one.shop != shop_id):
        raise errors.NotFound("unknown-reservation", "There is no such reservation.")
    if one.state not in _FROM[state]:
        raise errors.Conflict("acted-already", f"It is {one.state} already.")
    if answer is not None:
        sealing.check_sealed(answer)
    moment = now.replace(microsecond=0)
    shop = shop_rows.get(db, one.shop)
    changed = dataclasses.replace(
        one,
        state=state,
        changed=moment,
        changed_by=by,
        expires=_expires(shop, moment, ORDER_LASTS if orders.exists(db, one.id) else LASTS)
        if state is ReservationState.READY
        else one.expires,
        ended=moment if state in _ENDS else None,
        taken=0 if state in _ENDS else one.taken,
        answer=answer or one.answer,
    )
    reservations.change(db, changed)
    if state in _GIVES_BACK and shop is not None and shop.closed is None:
        _give_back(db, uris, shop, one, now)
    if changed.ended is not None:
        reservations.remove_links(db, one.id)
    return changed


def _give_back(
    db: sqlite3.Connection, uris: Uris, shop: Shop, one: Reservation, now: datetime
) -> None:
    """Puts what was taken back on the shelf, where that can be done.

    A listing that could not be published as it is any more (its shelf is gone, say) must not keep a
    resident from withdrawing, nor what ran out here for ever.
    """
    try:
        with database.savepoint(db):
            _move_stock(db, uris, shop, one, one.taken, now)
    except errors.NodeError:
        log.exception("a reservation ended without giving its stock back")


def _move_stock(
    db: sqlite3.Connection, uris: Uris, shop: Shop, one: Reservation, by: int, now: datetime
) -> None:
    """Takes pieces from the stock of what is reserved, or gives them back, where it is counted."""
    listing = listings.get(db, one.listing)
    if not by or listing is None:
        return
    out_of_sight = hidden.exists(db, listing.uri)
    if listing.withdrawn is not None and not out_of_sight:
        return
    offers = tuple(
        _with_stock(offer, min(max(offer.stock + by, 0), prices.STOCK_MOST))
        if offer.id == one.offer and offer.stock is not None
        else offer
        for offer in listing.offers
    )
    if out_of_sight:  # nobody is told anything of it, until it is shown again as it is then
        listings.change(db, dataclasses.replace(listing, offers=offers))
    elif offers != listing.offers:
        draft = dataclasses.replace(catalogue.draft_of(listing), offers=offers)
        catalogue.revise(db, uris, shop, listing.id, draft, now)


def _with_stock(offer: Offer, stock: int) -> Offer:
    to_order = offer.availability is Availability.ON_ORDER
    availability = offer.availability if to_order else catalogue.availability(stock)
    return dataclasses.replace(offer, stock=stock, availability=availability)


def _expires(shop: Shop | None, now: datetime, lasts: timedelta) -> datetime:
    """When its time is over: counted from the next opening where the shop is closed now.

    Two days of Sunday and Monday, or of a holiday, would leave nobody time to come.
    """
    opens = hours.state(shop.hours, shop.place, now).opens if shop is not None else None
    return (now if opens is None else opens.astimezone(UTC)) + lasts


def is_silent(one: Reservation, now: datetime, lasts: timedelta = LASTS) -> bool:
    """Whether the shop has not answered for so long that one had better call."""
    return one.state is ReservationState.ASKED and now >= one.expires - lasts + SILENT_AFTER


def erase(db: sqlite3.Connection, uris: Uris, reservation_id: str, now: datetime) -> None:
    """Removes a reservation at its resident's wish; an open one is cancelled first."""
    one = reservations.get(db, reservation_id)
    if one is None:
        return
    if one.ended is None:
        act(db, uris, one.id, ReservationState.CANCELLED, now)
    reservations.erase(db, one.id)


def sweep(db: sqlite3.Connection, uris: Uris, now: datetime) -> bool:
    """Ends what ran out, gives its stock back, and erases what ended long ago.

    Says whether more may have run out than one write should hold.
    """
    over = reservations.find_expired(db, now, EXPIRED_AT_ONCE)
    for one in over:
        act(db, uris, one.id, ReservationState.EXPIRED, now)
    reservations.erase_ended(db, now - KEPT)
    shop_keys.prune(db)
    return len(over) == EXPIRED_AT_ONCE
