"""What a till tells of a shop: how many are left and what they cost, many in one call.

An item names one offer, by its id, its barcode or the shop's own number. Each is looked at alone:
one that cannot be used changes nothing and hinders no other. Told twice, it is the same.
"""

import dataclasses
import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from node import catalogue, errors, prices
from node.model import Offer, Shop
from node.store import listings, reductions, shops, tills
from node.store.tills import Named
from node.uris import Uris

ITEMS_MOST = 500
_NAMES = ("id", "gtin", "sku")
_KEYS = frozenset((*_NAMES, "stock", "price"))


@dataclass(frozen=True, slots=True)
class Change:
    """What an item asks of an offer; what it does not speak of stays."""

    offer: str
    listing: str
    stock: int | None
    tells_stock: bool
    price_cents: int | None


def hash_of(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()


def shop_of(db: sqlite3.Connection, token: str) -> Shop:
    """The open shop that a token speaks for. Raises errors.NotFound."""
    shop_id = tills.shop_of(db, hash_of(token))
    shop = shops.get(db, shop_id) if shop_id else None
    if shop is None or shop.closed is not None:
        raise errors.NotFound("unknown-token", "No shop has given out this token.")
    return shop


def tell(
    db: sqlite3.Connection, uris: Uris, token: str, items: Sequence[object], now: datetime
) -> list[dict[str, Any]]:
    """Does what the items say, and says of each what came of it.

    Raises errors.NotFound for an unknown token and errors.Invalid for too many items.
    """
    shop = shop_of(db, token)
    if len(items) > ITEMS_MOST:
        raise errors.Invalid("too-many-items", f"One call tells of at most {ITEMS_MOST} items.")
    known = _index(tills.offers(db, shop.id))
    told: list[dict[str, Any]] = []
    changes: dict[str, list[tuple[int, Change]]] = {}
    for number, item in enumerate(items):
        try:
            change = _read(item, known)
        except errors.NodeError as error:
            told.append({"ok": False, "error": {"code": error.code, "message": error.detail}})
            continue
        told.append({"ok": True, "id": change.offer, "changed": False})
        changes.setdefault(change.listing, []).append((number, change))
    for listing_id, wanted in changes.items():
        changed = _apply(db, uris, shop, listing_id, [change for _, change in wanted], now)
        for number, change in wanted:
            told[number]["changed"] = change.offer in changed
    tills.mark_used(db, shop.id, now)
    return told


def _index(offers: Sequence[Named]) -> Mapping[tuple[str, str], list[Named]]:
    found: dict[tuple[str, str], list[Named]] = {}
    for one in offers:
        for name, value in (("id", one.offer), ("gtin", one.gtin), ("sku", one.sku)):
            if value:
                found.setdefault((name, value), []).append(one)
    return found


def _read(item: object, known: Mapping[tuple[str, str], list[Named]]) -> Change:
    if not isinstance(item, dict) or not item.keys() <= _KEYS:
        raise errors.Invalid("bad-item", f"An item has {', '.join(sorted(_KEYS))} and no more.")
    names = [(name, item[name]) for name in _NAMES if name in item]
    if len(names) != 1 or not isinstance(names[0][1], str):
        raise errors.Invalid("bad-item", "An item names one offer, by id, gtin or sku (a string).")
    found = known.get((names[0][0], names[0][1]), [])
    if not found:
        raise errors.NotFound("unknown-offer", "The shop offers nothing of that name.")
    if len(found) > 1:
        raise errors.Conflict("ambiguous", "Several offers have that name: name it by its id.")
    stock = item.get("stock")
    if stock is not None and (
        isinstance(stock, bool) or not isinstance(stock, int) or not 0 <= stock <= prices.STOCK_MOST
    ):
        raise errors.Invalid("bad-stock", "stock is a whole number from 0 on, or null.")
    price = item.get("price")
    if price is not None and not isinstance(price, str):
        raise errors.Invalid("bad-price", 'price is a string such as "12.50", VAT included.')
    cents = prices.parse_price(price) if price is not None else None
    if "stock" not in item and cents is None:
        raise errors.Invalid("bad-item", "An item tells a stock, a price or both.")
    return Change(found[0].offer, found[0].listing, stock, "stock" in item, cents)


def _apply(
    db: sqlite3.Connection,
    uris: Uris,
    shop: Shop,
    listing_id: str,
    changes: Sequence[Change],
    now: datetime,
) -> frozenset[str]:
    """Changes the offers of one listing; says which are other than before."""
    before = catalogue.get_on_show(db, listing_id)
    offers = {offer.id: offer for offer in before.offers}
    for change in changes:
        offers[change.offer] = _changed(db, offers[change.offer], change)
    after = tuple(offers.values())
    draft = dataclasses.replace(catalogue.draft_of(before), offers=after)
    catalogue.revise(db, uris, shop, listing_id, draft, now)
    listings.mark_seen(db, listing_id, now.replace(microsecond=0))
    return frozenset(new.id for old, new in zip(before.offers, after, strict=True) if old != new)


def _changed(db: sqlite3.Connection, offer: Offer, change: Change) -> Offer:
    """A till that says the usual price every night does not end a reduction by it."""
    if change.tells_stock:
        offer = dataclasses.replace(
            offer, stock=change.stock, availability=catalogue.availability(change.stock)
        )
    row = reductions.running(db, offer.id) if offer.reduction is not None else None
    if change.price_cents is not None and (row is None or change.price_cents != row.regular_cents):
        offer = dataclasses.replace(offer, price_cents=change.price_cents)
    return offer


def catalogue_of(db: sqlite3.Connection, token: str) -> list[dict[str, Any]]:
    """All offers of the token's shop as a till may know them. Raises errors.NotFound."""
    shop = shop_of(db, token)
    return [
        {
            "id": offer.id,
            "name": listing.name,
            "axes": dict(offer.axes),
            "gtin": offer.gtin,
            "sku": offer.sku,
            "stock": offer.stock,
            "availability": offer.availability,
            "price": None if offer.price_cents is None else prices.amount(offer.price_cents),
            "url": listing.url,
        }
        for listing in listings.find_of_shop(db, shop.id)
        for offer in listing.offers
    ]
