"""Selling at a distance: a shop's own decision, and what the law then asks of it first.

Without it a reservation binds nobody and all of this stands still. With it, what a resident orders
is a contract between the two (Code de la consommation, L221-1 and following); this node carries
the sealed order, shows what has to be said, and neither takes nor records a payment.
"""

import dataclasses
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from node import accounts, duties, errors, reservations, siret, transfers, words
from node.law import Law
from node.model import Exempt, Kind, Listing, Offer, Selling, Shop
from node.store import applications, imprints, shop_keys
from node.store import selling as rows

LINE_MOST = 200
TERMS_MOST = 12_000
LINK_MOST = 500
DAYS_MOST = 30  # L216-1: what is not agreed on otherwise is delivered within 30 days
MADE_MOST = 500
# The line on top of the terms that the site proposes: as long as it stands there, nobody has read
# them as they should be.
UNREAD = ("à faire relire", "to be read by a lawyer")


@dataclass(frozen=True, slots=True)
class Quote:
    """What ordering costs, all included, and what holds for it. Amounts are euro cents."""

    offer: str
    quantity: int
    brought: bool
    goods_cents: int
    delivery_cents: int
    exempt: Exempt
    adults_only: bool

    @property
    def total_cents(self) -> int:
        """All that there is to pay."""
        return self.goods_cents + self.delivery_cents


# --- what the shop says --------------------------------------------------------------------------


def of_shop(db: sqlite3.Connection, shop: Shop) -> Selling:
    """What a shop says so far. The SIRET that it was opened with is known, and so is what it says
    in its legal notice."""
    said = rows.get(db, shop.id)
    if said is not None:
        return said
    asked = applications.of_shop(db, shop.id)
    notice = imprints.get(db, shop.id)
    return Selling(
        shop.id,
        siret=asked.siret if asked is not None and asked.state == "approved" else "",
        trader=", ".join(part for part in (notice.trader, notice.form) if part)[:LINE_MOST],
        email=notice.email,
        mediator=notice.mediator,
    )


def missing(db: sqlite3.Connection, shop: Shop, said: Selling) -> tuple[str, ...]:
    """What is needed before a shop sells at a distance, by name; none where it may."""
    delivery = shop.delivery
    has = {
        "trader": said.trader,
        "siret": said.siret,
        "address": shop.address,
        "phone": shop.phone,
        "email": said.email,
        "mediator": said.mediator,
        "delivery": delivery is not None and delivery.price_cents is not None,
        "within_days": said.within_days,
        "return_address": said.return_address,
        "terms": said.terms and not any(line in said.terms.lower() for line in UNREAD),
        "payment": said.iban or said.link,
        "key": shop_keys.current(db, shop.id),
    }
    return tuple(name for name, there in has.items() if not there)


def checked(said: Selling) -> Selling:
    """What was typed, in the form it is kept in; empty fields stay so, since they are asked later.

    Raises errors.Invalid, naming each field that cannot be used.
    """
    problems: dict[str, str] = {}
    for name in ("trader", "mediator", "return_address"):
        value = getattr(said, name)
        if len(value) > LINE_MOST or not words.is_plain(value):
            problems[name] = "is too long, or unreadable"
    if said.email and not accounts.is_address(said.email):
        problems["email"] = "is no address"
    if len(said.terms) > TERMS_MOST or not words.is_plain(said.terms, lines=True):
        problems["terms"] = "are too long, or unreadable"
    if said.within_days is not None and not 1 <= said.within_days <= DAYS_MOST:
        problems["within_days"] = f"is from 1 to {DAYS_MOST}"
    if said.link and not _is_link(said.link):
        problems["link"] = "is no https address"
    if len(said.made_to_measure) > MADE_MOST:
        problems["made_to_measure"] = "are too many"
    digits, iban, holder = "", "", ""
    try:
        digits = siret.check(said.siret) if said.siret else ""
    except errors.Invalid:
        problems["siret"] = "is none"
    try:
        iban = transfers.check_iban(said.iban) if said.iban else ""
    except errors.Invalid as error:
        problems["iban"] = error.code
    try:
        holder = transfers.check_holder(said.holder) if said.holder or said.iban else ""
    except errors.Invalid:
        problems["holder"] = "is no name"
    if problems:
        raise errors.Invalid("bad-selling", "Some of this cannot be used.", fields=problems)
    return dataclasses.replace(said, siret=digits, iban=iban, holder=holder)


def _is_link(text: str) -> bool:
    """Whether it is an https address without a name and password before the host."""
    if len(text) > LINK_MOST or not text.isascii() or not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    return parts.scheme == "https" and "." in host and "@" not in parts.netloc and port != 0


def save(db: sqlite3.Connection, shop: Shop, said: Selling, now: datetime, *, on: bool) -> Selling:
    """Keeps what a shop says; with `on` it sells from now on, where nothing is missing.

    What goes on stays on, unless something is missing now. Raises errors.Invalid.
    """
    before = rows.get(db, shop.id)
    since = before.since if before is not None else None
    kept = checked(said)
    if missing(db, shop, kept):
        since = None
    elif on and since is None:
        since = now.replace(microsecond=0)
    kept = dataclasses.replace(kept, since=since)
    rows.put(db, kept)
    return kept


def stop(db: sqlite3.Connection, shop: Shop) -> None:
    """No order is taken any more; those that there are stay what they are."""
    said = rows.get(db, shop.id)
    if said is not None and said.since is not None:
        rows.put(db, dataclasses.replace(said, since=None))


# --- what can be ordered, for how much -----------------------------------------------------------


def open_for(db: sqlite3.Connection, shop: Shop) -> Selling | None:
    """What a shop says that sells at a distance now; None for one that does not."""
    said = rows.get(db, shop.id)
    if said is None or said.since is None or shop.closed is not None or missing(db, shop, said):
        return None
    return said


def may_be_ordered(shop: Shop, said: Selling, listing: Listing, law: Law) -> bool:
    """Whether a listing can be ordered at all, and says all that the law asks for before that.

    It needs a shelf: by that it is known whether it perishes and who may have it.
    """
    return (
        listing.kind is Kind.GOODS
        and listing.withdrawn is None
        and listing.category is not None
        and any(has_price(offer) for offer in listing.offers)
        and (said.alcohol or not duties.is_alcohol(listing.category, law))
        and bool(ways(shop, listing))
        and not duties.missing(listing, True, law)
    )


def has_price(offer: Offer) -> bool:
    """Whether an offer can be ordered: for a known amount of euros."""
    return bool(offer.price_cents) and offer.currency == "EUR"


def ways(shop: Shop, listing: Listing) -> tuple[bool, ...]:
    """How it can be had: True brought to the resident, False fetched at the shop."""
    brings = listing.delivered and shop.delivery is not None
    return tuple(way for way, there in ((True, brings), (False, listing.pick_up)) if there)


def quote(
    shop: Shop,
    said: Selling,
    listing: Listing,
    offer: Offer,
    quantity: int,
    brought: bool,
    law: Law,
) -> Quote:
    """What so much of an offer costs, all included. Raises errors.Invalid for what cannot be."""
    if not 1 <= quantity <= reservations.QUANTITY_MOST:
        sentence = f"from 1 to {reservations.QUANTITY_MOST}"
        raise errors.Invalid("bad-quantity", sentence, fields={"quantity": sentence})
    if not has_price(offer) or brought not in ways(shop, listing):
        raise errors.Invalid("cannot-be-ordered", "It cannot be had in this way.")
    goods = (offer.price_cents or 0) * quantity
    return Quote(
        offer=offer.id,
        quantity=quantity,
        brought=brought,
        goods_cents=goods,
        delivery_cents=_delivery(shop, goods) if brought else 0,
        exempt=exempt(said, listing, law),
        adults_only=duties.is_alcohol(listing.category, law),
    )


def _delivery(shop: Shop, goods_cents: int) -> int:
    terms = shop.delivery
    if terms is None or terms.price_cents is None:
        raise errors.Invalid("cannot-be-ordered", "Nobody said what delivery costs.")
    free = terms.free_from_cents is not None and goods_cents >= terms.free_from_cents
    return 0 if free else terms.price_cents


def exempt(said: Selling, listing: Listing, law: Law) -> Exempt:
    """Why there is no right of withdrawal from buying it; Exempt.NO where there is one."""
    if listing.id in said.made_to_measure:
        return Exempt.MADE_TO_MEASURE
    return Exempt.PERISHABLE if law.is_perishable(listing.category) else Exempt.NO
