"""Shops: opened and closed by this node, or recorded as a neighbour tells of them."""

import dataclasses
import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from node import bringing, catalogue, errors, hiding, hours, news, publications, words
from node.model import (
    PAYMENTS,
    ActorKind,
    ChangeKind,
    DeliveryTerms,
    Hours,
    Listing,
    LocalActor,
    Place,
    Shop,
    Verb,
)
from node.store import actors, listings, search, shops
from node.uris import RESERVED_HANDLES, Uris, is_handle

PHONE = r"\+?[0-9][0-9 .()/-]{2,28}"


@dataclass(frozen=True, slots=True)
class ShopDraft:
    """What is said to open a shop, or to change one."""

    handle: str
    name: str
    place: Place
    summary: str | None = None
    address: str | None = None
    phone: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    hours: Hours | None = None
    payments: tuple[str, ...] = ()
    step_free: bool | None = None
    delivery: DeliveryTerms | None = None
    ready_minutes: int | None = None


@dataclass(frozen=True, slots=True)
class ActorKeys:
    """Key pairs made for a new actor: public halves to show, private ones wrapped."""

    rsa_public_pem: str
    rsa_private: bytes
    ed25519_public: str
    ed25519_private: bytes


def open_shop(
    db: sqlite3.Connection,
    uris: Uris,
    draft: ShopDraft,
    keys: ActorKeys,
    shop_id: str,
    now: datetime,
) -> Shop:
    """Opens a shop with its actor. Raises errors.Invalid, or errors.Conflict for a taken handle."""
    check(draft)
    moment = now.replace(microsecond=0)
    add_actor(db, draft.handle, ActorKind.SHOP, draft.name, keys, now)
    shop = Shop(
        id=shop_id,
        uri=uris.actor(draft.handle),
        url=uris.profile(draft.handle),
        peer=None,
        handle=draft.handle,
        name=draft.name,
        summary=draft.summary,
        place=draft.place.id,
        address=draft.address,
        phone=draft.phone,
        latitude=draft.latitude,
        longitude=draft.longitude,
        opened=moment,
        updated=moment,
        seen=moment,
        closed=None,
        hours=draft.hours,
        payments=in_order(draft.payments),
        step_free=draft.step_free,
        delivery=draft.delivery,
        ready_minutes=draft.ready_minutes,
    )
    shops.add(db, shop)
    publications.announce(db, ChangeKind.SHOP, shop.uri, Verb.UPDATE, shop.updated, now)
    return shop


def draft_of(shop: Shop, place: Place) -> ShopDraft:
    """What is to be said to leave a shop of ours as it is: to be changed in part."""
    return ShopDraft(
        handle=shop.handle,
        name=shop.name,
        place=place,
        summary=shop.summary,
        address=shop.address,
        phone=shop.phone,
        latitude=shop.latitude,
        longitude=shop.longitude,
        hours=shop.hours,
        payments=shop.payments,
        step_free=shop.step_free,
        delivery=shop.delivery,
        ready_minutes=shop.ready_minutes,
    )


def revise_shop(db: sqlite3.Connection, draft: ShopDraft, now: datetime) -> Shop:
    """Changes what is said of a shop of ours; one that says the same already is left as it is.

    Its handle, which is its address, stays. Raises errors.Invalid and errors.NotFound.
    """
    check(draft)
    shop = get_open(db, draft.handle)
    revised = dataclasses.replace(
        shop,
        name=draft.name,
        summary=draft.summary,
        place=draft.place.id,
        address=draft.address,
        phone=draft.phone,
        latitude=draft.latitude,
        longitude=draft.longitude,
        hours=draft.hours,
        payments=in_order(draft.payments),
        step_free=draft.step_free,
        delivery=draft.delivery,
        ready_minutes=draft.ready_minutes,
    )
    if revised == shop:
        return shop
    updated = publications.next_update(shop.updated, now)
    revised = dataclasses.replace(revised, updated=updated, seen=updated)
    shops.change(db, revised)
    if revised.name != shop.name:
        actors.rename(db, shop.handle, revised.name)
    _index_anew(db, shop, revised)
    publications.announce(db, ChangeKind.SHOP, shop.uri, Verb.UPDATE, updated, now)
    return revised


def add_actor(
    db: sqlite3.Connection,
    handle: str,
    kind: ActorKind,
    name: str,
    keys: ActorKeys,
    now: datetime,
) -> None:
    """Adds an actor of this node. Raises errors.Conflict when the handle was ever given out."""
    if actors.get(db, handle) is not None:
        raise errors.Conflict(
            "handle-taken",
            f"The handle {handle!r} is taken, or was: handles are never given out twice.",
        )
    actor = LocalActor(
        handle=handle,
        kind=kind,
        name=name,
        rsa_public_pem=keys.rsa_public_pem,
        ed25519_public=keys.ed25519_public,
        created=now,
        closed=None,
    )
    actors.add(db, actor, keys.rsa_private, keys.ed25519_private)


def check(draft: ShopDraft) -> None:
    """Raises errors.Invalid, with a sentence for each field that cannot be used."""
    fields: dict[str, str] = {}
    if not is_handle(draft.handle):
        fields["handle"] = (
            f"{draft.handle!r} cannot be a handle: 1 to 30 of a-z, 0-9 and _ inside, "
            "such as fleurs_de_lys"
        )
    elif draft.handle in RESERVED_HANDLES:
        fields["handle"] = f"{draft.handle!r} is a word the node keeps for itself"
    for field in ("name", "summary", "address"):
        if not words.is_plain(getattr(draft, field) or ""):
            fields[field] = f"the {field} holds characters that cannot be read"
    if not 1 <= len(draft.name.strip()) <= 100:
        fields["name"] = "the name must be 1 to 100 characters"
    for field, most in (("summary", 500), ("address", 200)):
        if len(getattr(draft, field) or "") > most:
            fields[field] = f"the {field} must be at most {most} characters"
    if draft.phone is not None and not re.fullmatch(PHONE, draft.phone):
        fields["phone"] = f"{draft.phone!r} is not a telephone number"
    if (draft.latitude is None) != (draft.longitude is None):
        fields["latitude"] = "latitude and longitude go together"
    elif not (-90 <= (draft.latitude or 0) <= 90 and -180 <= (draft.longitude or 0) <= 180):
        fields["latitude"] = "latitude is -90 to 90 and longitude -180 to 180"
    fields |= _check_facts(draft)
    if fields:
        raise errors.Invalid("bad-shop", "; ".join(fields.values()) + ".", fields=fields)


def _check_facts(draft: ShopDraft) -> dict[str, str]:
    """Sentences about hours, means of payment and delivery that cannot be used, by field."""
    fields: dict[str, str] = {}
    if draft.hours is not None:
        sentence = hours.problem(draft.hours)
        if sentence is not None:
            fields["hours"] = sentence
        elif not all(words.is_plain(days.note) for days in draft.hours.special):
            fields["hours"] = "a note of the hours holds characters that cannot be read"
    unknown = [payment for payment in draft.payments if payment not in PAYMENTS]
    if unknown:
        fields["payments"] = (
            f"there is no means of payment {unknown[0]!r}; known: {', '.join(PAYMENTS)}"
        )
    if draft.delivery is not None:
        sentence = bringing.problem(draft.delivery)
        if sentence is not None:
            fields["delivery"] = sentence
    if draft.ready_minutes is not None and not 0 < draft.ready_minutes <= bringing.READY_MOST:
        fields["ready"] = "things can be fetched after a minute to 14 days"
    return fields


def in_order(payments: Iterable[str]) -> tuple[str, ...]:
    """Means of payment in the order of model.PAYMENTS, each once; unknown ones are left out."""
    given = frozenset(payments)
    return tuple(payment for payment in PAYMENTS if payment in given)


def get_open(db: sqlite3.Connection, handle: str) -> Shop:
    """The open shop of this node with that handle. Raises errors.NotFound."""
    shop = shops.get_own(db, handle)
    if shop is None:
        raise errors.NotFound("unknown-shop", f"There is no shop {handle!r} on this node.")
    if shop.closed is not None:
        raise errors.NotFound("shop-closed", f"The shop {handle!r} was closed on {shop.closed:%F}.")
    return shop


def touch(db: sqlite3.Connection, shop: Shop, now: datetime) -> None:
    """Notes that a shop's document has changed in something that its row does not hold."""
    updated = publications.next_update(shop.updated, now)
    shops.change(db, dataclasses.replace(shop, updated=updated, seen=updated))
    publications.announce(db, ChangeKind.SHOP, shop.uri, Verb.UPDATE, updated, now)


def close_shop(db: sqlite3.Connection, handle: str, now: datetime) -> Shop:
    """Closes a shop for good: its listings are withdrawn, its actor is gone for others too.

    Raises errors.NotFound.
    """
    shop = get_open(db, handle)
    for listing_id in listings.find_ids_of_shop(db, shop.id):
        catalogue.withdraw(db, listing_id, now)
    hiding.end(db, shop, now)
    news.withdraw_all_of(db, shop.uri, now)
    updated = publications.next_update(shop.updated, now)
    search.forget_shop(db, shop.id)
    closed = dataclasses.replace(shop, updated=updated, closed=updated)
    shops.change(db, closed)
    actors.close(db, handle, now)
    publications.announce(db, ChangeKind.SHOP, shop.uri, Verb.DELETE, updated, now)
    return closed


def record_remote(db: sqlite3.Connection, shop: Shop) -> None:
    """Records a neighbour's shop as its own node tells of it; an older state changes nothing."""
    known = shops.get_by_uri(db, shop.uri)
    if known is None:
        shops.add(db, shop)
        return
    if shop.updated < known.updated:
        shops.mark_seen(db, known.id, shop.seen)
        return
    shops.change(db, dataclasses.replace(shop, id=known.id, opened=known.opened))
    _index_anew(db, known, shop)


def is_placed(shop: Shop) -> bool:
    """Whether a shop has said where it is."""
    return shop.place is not None or shop.latitude is not None


def place_remote(db: sqlite3.Connection, shop: Shop, latitude: float, longitude: float) -> Shop:
    """Puts a neighbour's shop that has never said where it is at a point that a listing of its
    names; one that has said it stays where it is."""
    if is_placed(shop):
        return shop
    placed = dataclasses.replace(shop, latitude=latitude, longitude=longitude)
    shops.change(db, placed)
    _index_anew(db, shop, placed)
    return placed


def _index_anew(db: sqlite3.Connection, before: Shop, after: Shop) -> None:
    """Puts a shop's listings into the index of searches again where the shop has moved."""
    if (before.place, before.latitude, before.longitude) != (
        after.place,
        after.latitude,
        after.longitude,
    ):
        _out_of_index(db, before.id)
        for listing in _on_show(db, before.id):
            search.put(db, listing)


def _out_of_index(db: sqlite3.Connection, shop_id: str) -> None:
    for listing in _on_show(db, shop_id):
        search.remove(db, listing)
    search.forget_shop(db, shop_id)


def _on_show(db: sqlite3.Connection, shop_id: str) -> Iterator[Listing]:
    """One at a time: a shop may have very many."""
    for listing_id in listings.find_ids_of_shop(db, shop_id):
        listing = listings.get(db, listing_id)
        if listing is not None:
            yield listing


def remove_remote(db: sqlite3.Connection, uri: str) -> None:
    """Removes a neighbour's shop and everything in it."""
    shop = shops.get_by_uri(db, uri)
    if shop is None or shop.peer is None:
        return
    _out_of_index(db, shop.id)
    shops.remove(db, shop.id)
