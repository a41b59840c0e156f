"""The catalogue: listings published, revised and withdrawn here, or recorded from neighbours.

Each function is the whole of one transaction: the listing, its prices, the index of searches and
the note to followers change together or not at all.
"""

import dataclasses
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from node import categories, errors, particulars, prices, publications, words
from node.model import (
    NOTHING_SAID,
    Availability,
    ChangeKind,
    Condition,
    Kind,
    Listing,
    Offer,
    Particulars,
    Photo,
    Shop,
    Verb,
)
from node.store import hidden, listings, photos, search, tombstones
from node.store import prices as price_rows
from node.uris import Uris

NAME_MOST = 120
DESCRIPTION_MOST = 5000
OFFERS_MOST = 50
AXES_MOST = 2
AXIS_MOST = 40
SKU_MOST = 60
PHOTOS_MOST = 8
ALT_MOST = 200


@dataclass(frozen=True, slots=True)
class ListingDraft:
    """What is said to publish a listing. Each offer comes with an id made for it."""

    name: str
    offers: tuple[Offer, ...]
    description: str = ""
    category: str | None = None
    condition: Condition = Condition.NEW
    language: str = "fr"
    announce: bool = False
    kind: Kind = Kind.GOODS
    pick_up: bool = True
    delivered: bool = False
    photos: tuple[Photo, ...] = ()
    particulars: Particulars = NOTHING_SAID


def check(draft: ListingDraft) -> None:
    """Raises errors.Invalid, with a sentence for each field that cannot be used."""
    fields: dict[str, str] = {}
    if not words.is_plain(draft.name):
        fields["name"] = "the name holds characters that cannot be read"
    if not words.is_plain(draft.description, lines=True):
        fields["description"] = "the description holds characters that cannot be read"
    if not 1 <= len(draft.name.strip()) <= NAME_MOST:
        fields["name"] = f"the name must be 1 to {NAME_MOST} characters"
    if len(draft.description) > DESCRIPTION_MOST:
        fields["description"] = f"the description must be at most {DESCRIPTION_MOST} characters"
    if draft.category is not None and categories.get(draft.category) is None:
        near = categories.nearest(draft.category)
        hint = f"; did you mean {near}?" if near else ""
        fields["category"] = f"there is no category {draft.category!r}{hint}"
    if draft.kind is Kind.GOODS and not (draft.pick_up or draft.delivered):
        fields["pick_up"] = "goods are fetched at the shop, delivered, or both"
    if not 1 <= len(draft.offers) <= OFFERS_MOST:
        fields["offers"] = f"a listing has 1 to {OFFERS_MOST} offers"
    axes = {tuple(offer.axes) for offer in draft.offers}
    values = {tuple(offer.axes.items()) for offer in draft.offers}
    if len(axes) > 1 or len(values) < len(draft.offers):
        fields["offers"] = "offers of one listing differ in the values of the same axes"
    for offer in draft.offers:
        if len(offer.axes) > AXES_MOST:
            fields["offers"] = f"offers differ on at most {AXES_MOST} axes"
        if any(not 1 <= len(text) <= AXIS_MOST for pair in offer.axes.items() for text in pair):
            fields["offers"] = f"axes and their values are 1 to {AXIS_MOST} characters"
        if offer.unit is not None and offer.unit not in prices.UNITS:
            fields["unit"] = f"there is no unit {offer.unit!r}; known: {', '.join(prices.UNITS)}"
        if (offer.unit is None) != (offer.quantity_milli is None):
            fields["unit"] = "a quantity and its unit go together"
        if len(offer.sku or "") > SKU_MOST:
            fields["sku"] = f"the shop's own number is at most {SKU_MOST} characters"
        if offer.stock is not None and not 0 <= offer.stock <= prices.STOCK_MOST:
            fields["stock"] = f"the stock must be 0 to {prices.STOCK_MOST}"
    if len(draft.photos) > PHOTOS_MOST:
        fields["photo"] = f"a listing has at most {PHOTOS_MOST} photos"
    if not all(words.is_plain(photo.alt) and len(photo.alt) <= ALT_MOST for photo in draft.photos):
        fields["alt"] = f"a photo is described in at most {ALT_MOST} plain characters"
    fields |= particulars.check(draft.particulars)
    if fields:
        raise errors.Invalid("bad-listing", "; ".join(fields.values()) + ".", fields=fields)


def _check_photos(db: sqlite3.Connection, draft: ListingDraft) -> None:
    """Raises errors.Invalid for a photo that is no longer kept."""
    if not all(photos.is_known(db, photo.id) for photo in draft.photos):
        detail = "The photo is no longer kept. Choose it again."
        raise errors.Invalid("photo-gone", detail, fields={"photo": detail})


def availability(stock: int | None) -> Availability:
    """What a stock amounts to; where nobody counts, it is there."""
    if stock is None or stock > 3:
        return Availability.IN_STOCK
    return Availability.LIMITED if stock else Availability.OUT_OF_STOCK


def publish(
    db: sqlite3.Connection,
    uris: Uris,
    shop: Shop,
    draft: ListingDraft,
    new_id: Callable[[], str],
    now: datetime,
) -> Listing:
    """Publishes a listing of one of our shops. Raises errors.Invalid, and errors.Forbidden while
    the shop is suspended."""
    check(draft)
    if hidden.exists(db, shop.uri):
        raise errors.Forbidden("shop-suspended", f"The shop {shop.handle!r} is suspended.")
    _check_photos(db, draft)
    listing_id = new_id()
    # The address of its page names it by the beginning of its id.
    while listings.get_of_shop(db, shop.id, listing_id[:8]) is not None:
        listing_id = new_id()
    moment = now.replace(microsecond=0)
    listing = Listing(
        id=listing_id,
        uri=uris.listing(shop.handle, listing_id),
        url=uris.listing_page(shop.handle, listing_id, draft.name),
        shop=shop.id,
        name=draft.name.strip(),
        description=draft.description.strip(),
        category=draft.category,
        condition=draft.condition,
        language=draft.language,
        announce=draft.announce,
        published=moment,
        updated=moment,
        seen=moment,
        withdrawn=None,
        offers=draft.offers,
        kind=draft.kind,
        pick_up=draft.pick_up,
        delivered=draft.delivered,
        photos=draft.photos,
        particulars=draft.particulars,
    )
    listings.add(db, listing)
    price_rows.add_changed(db, listing, now)
    search.put(db, listing)
    publications.announce(db, ChangeKind.LISTING, listing.uri, Verb.CREATE, moment, now)
    return listing


def revise(
    db: sqlite3.Connection,
    uris: Uris,
    shop: Shop,
    listing_id: str,
    draft: ListingDraft,
    now: datetime,
    *,
    announced: bool = False,
) -> Listing:
    """Changes a listing of one of our shops; one that says the same already is left as it is.

    A price that is changed loses the reduction it was announced with, unless what is announced
    now (`announced`) was computed for it. Raises errors.Invalid and errors.NotFound.
    """
    check(draft)
    _check_photos(db, draft)
    listing = get_on_show(db, listing_id)
    if listing.shop != shop.id:
        raise errors.NotFound("unknown-listing", f"There is no listing {listing_id}.")
    if not announced:
        draft = dataclasses.replace(draft, offers=_unannounced(listing.offers, draft.offers))
    revised = dataclasses.replace(
        listing,
        url=uris.listing_page(shop.handle, listing_id, draft.name),
        name=draft.name.strip(),
        description=draft.description.strip(),
        category=draft.category,
        condition=draft.condition,
        language=draft.language,
        announce=draft.announce,
        offers=draft.offers,
        kind=draft.kind,
        pick_up=draft.pick_up,
        delivered=draft.delivered,
        photos=draft.photos,
        particulars=draft.particulars,
    )
    if revised == listing:
        return listing
    quiet = _only_price_or_stock(listing, revised)
    updated = publications.next_update(listing.updated, now)
    revised = dataclasses.replace(revised, updated=updated, seen=updated)
    listings.change(db, revised)
    price_rows.add_changed(db, revised, now)
    search.put(db, revised, listing)
    # Followers from elsewhere have not heard of one that was not announced before.
    verb = Verb.CREATE if revised.announce and not listing.announce else Verb.UPDATE
    publications.announce(db, ChangeKind.LISTING, listing.uri, verb, updated, now, quiet=quiet)
    return revised


def _unannounced(before: tuple[Offer, ...], after: tuple[Offer, ...]) -> tuple[Offer, ...]:
    """The offers; those whose price is another than before without their reduction."""
    known = {offer.id: offer.price_cents for offer in before}
    return tuple(
        dataclasses.replace(offer, reduction=None)
        if offer.reduction is not None and known.get(offer.id) != offer.price_cents
        else offer
        for offer in after
    )


def _only_price_or_stock(before: Listing, after: Listing) -> bool:
    """Whether a change can wait a few minutes for the next one: nothing else, and not sold out."""

    def rest(offer: Offer) -> Offer:
        return dataclasses.replace(
            offer,
            id="",
            price_cents=None,
            stock=None,
            availability=Availability.IN_STOCK,
            reduction=None,
        )

    if dataclasses.replace(after, offers=before.offers) != before:
        return False
    if [rest(offer) for offer in before.offers] != [rest(offer) for offer in after.offers]:
        return False
    gone = Availability.OUT_OF_STOCK
    return not any(
        new.availability is gone and old.availability is not gone
        for old, new in zip(before.offers, after.offers, strict=True)
    )


def draft_of(listing: Listing) -> ListingDraft:
    """What is to be said to leave a listing as it is: to be changed in part."""
    return ListingDraft(
        name=listing.name,
        offers=listing.offers,
        description=listing.description,
        category=listing.category,
        condition=listing.condition,
        language=listing.language,
        announce=listing.announce,
        kind=listing.kind,
        pick_up=listing.pick_up,
        delivered=listing.delivered,
        photos=listing.photos,
        particulars=listing.particulars,
    )


def sell_out(
    db: sqlite3.Connection,
    uris: Uris,
    shop: Shop,
    listing_id: str,
    now: datetime,
    *,
    back: bool = False,
) -> Listing:
    """Says that nothing is left of any offer, or with `back` that all are there again.

    Raises errors.NotFound.
    """
    listing = get_on_show(db, listing_id)
    stock = None if back else 0
    offers = tuple(
        offer
        if back and offer.availability is not Availability.OUT_OF_STOCK
        else dataclasses.replace(offer, stock=stock, availability=availability(stock))
        for offer in listing.offers
    )
    draft = dataclasses.replace(draft_of(listing), offers=offers)
    return revise(db, uris, shop, listing_id, draft, now)


def count(
    db: sqlite3.Connection, uris: Uris, shop: Shop, listing_id: str, by: int, now: datetime
) -> Listing:
    """One more or one less of each offer that somebody counts; never less than none.

    Raises errors.NotFound.
    """
    listing = get_on_show(db, listing_id)
    offers = []
    for offer in listing.offers:
        if offer.stock is not None:
            left = min(max(offer.stock + by, 0), prices.STOCK_MOST)
            offer = dataclasses.replace(offer, stock=left, availability=availability(left))
        offers.append(offer)
    draft = dataclasses.replace(draft_of(listing), offers=tuple(offers))
    return revise(db, uris, shop, listing_id, draft, now)


def stock_written(listing: Listing) -> str:
    """The stock of each offer in a line, to come back to: "3.limited,-.on_order"."""
    return ",".join(
        f"{'-' if offer.stock is None else offer.stock}.{offer.availability}"
        for offer in listing.offers
    )


def restock(
    db: sqlite3.Connection,
    uris: Uris,
    shop: Shop,
    listing_id: str,
    before: str,
    after: str,
    now: datetime,
) -> Listing:
    """Undoes what led from one `stock_written` to another, and that alone: what was reserved or
    brought back since stays so. Raises errors.NotFound.

    What does not fit the listing as it is now (another number of offers, no such words) changes
    nothing: somebody was faster.
    """
    listing = get_on_show(db, listing_id)
    was, became = _stocks(before), _stocks(after)
    if not len(was) == len(became) == len(listing.offers):
        return listing
    offers = []
    for offer, old, new in zip(listing.offers, was, became, strict=True):
        stock, word = old
        if (offer.stock, offer.availability) != new:  # something else has happened since
            if offer.stock is None or stock is None or new[0] is None:
                offers.append(offer)
                continue
            stock = min(max(offer.stock + stock - new[0], 0), prices.STOCK_MOST)
            word = word if word is Availability.ON_ORDER else availability(stock)
        offers.append(dataclasses.replace(offer, stock=stock, availability=word))
    draft = dataclasses.replace(draft_of(listing), offers=tuple(offers))
    return revise(db, uris, shop, listing_id, draft, now)


def _stocks(written: str) -> list[tuple[int | None, Availability]]:
    """What `stock_written` wrote, read back; nothing where it is not of that form."""
    found: list[tuple[int | None, Availability]] = []
    for part in written.split(","):
        number, _, word = part.partition(".")
        counted = number.isascii() and number.isdecimal() and len(number) <= 7
        if word not in tuple(Availability) or not (counted or number == "-"):
            return []
        found.append((int(number) if counted else None, Availability(word)))
    return found


def confirm(db: sqlite3.Connection, shop: Shop, now: datetime) -> int:
    """All that a shop has on show and not sold out is still there: says of how many."""
    return listings.mark_confirmed(db, shop.id, now.replace(microsecond=0))


def withdraw(db: sqlite3.Connection, listing_id: str, now: datetime) -> Listing:
    """Takes a listing of one of our shops off the shelf for good. Raises errors.NotFound."""
    listing = get_on_show(db, listing_id)
    updated = publications.next_update(listing.updated, now)
    withdrawn = dataclasses.replace(listing, updated=updated, withdrawn=updated, photos=())
    listings.change(db, withdrawn)
    search.remove(db, listing)
    publications.announce(db, ChangeKind.LISTING, listing.uri, Verb.DELETE, updated, now)
    return withdrawn


def get_on_show(db: sqlite3.Connection, listing_id: str) -> Listing:
    """The listing of that id that has not been withdrawn. Raises errors.NotFound."""
    listing = listings.get(db, listing_id)
    if listing is None:
        raise errors.NotFound("unknown-listing", f"There is no listing {listing_id}.")
    if listing.withdrawn is not None:
        raise errors.NotFound(
            "listing-withdrawn",
            f"The listing {listing_id} was withdrawn on {listing.withdrawn:%F}.",
        )
    return listing


class Prepared(NamedTuple):
    """What is written of a listing, in the tables and in the index of searches."""

    rows: listings.Rows
    entry: search.Entry


def prepare(listing: Listing) -> Prepared:
    """Makes what is written of a listing. Nobody needs to wait for that: it writes nothing."""
    return Prepared(listings.rows_of(listing), search.entry_of(listing))


def record_remote(db: sqlite3.Connection, listing: Listing, now: datetime) -> bool:
    """Records a neighbour's listing as its own node tells of it; says whether it changed.

    An older state than the one held changes nothing, and neither does one of a listing that its
    author has deleted, however late it arrives. Only a state later than the end that the author
    told of brings it back: it was hidden, and is shown again.
    """
    return record_all_remote(db, [listing], now) == 1


def record_all_remote(
    db: sqlite3.Connection,
    told: Iterable[Listing],
    now: datetime,
    prepared: Mapping[str, Prepared] = MappingProxyType({}),
) -> int:
    """As `record_remote`, for many, in the order in which they were told; says how many changed.

    `prepared`: what is written of them, by ActivityPub id, where it is at hand.
    """
    changed = 0
    together: dict[str, Listing] = {}
    for listing in told:
        if listing.uri in together:  # told twice: the second time it is one that is known
            changed += _record_together(db, together, now, prepared)
            together = {}
        together[listing.uri] = listing
    return changed + _record_together(db, together, now, prepared)


def _record_together(
    db: sqlite3.Connection,
    told: dict[str, Listing],
    now: datetime,
    prepared: Mapping[str, Prepared],
) -> int:
    """Writes listings, by their ActivityPub ids; says how many changed."""
    ends = tombstones.find(db, told)
    known = listings.find_by_uri(db, told)
    fresh: list[Listing] = []
    changed: list[tuple[Listing, Listing]] = []
    for uri, listing in told.items():
        if uri in ends:
            ended = ends[uri]
            if ended is None or listing.updated <= ended:
                continue
        before = known.get(uri)
        if before is None:
            fresh.append(listing)
        elif before.shop != listing.shop:
            continue
        elif listing.updated <= before.updated:
            # Told again, perhaps by a node that was put back from a copy: it is there, that is all.
            listings.mark_seen(db, before.id, now)
        else:
            listing = dataclasses.replace(listing, id=before.id, published=before.published)
            changed.append((listing, before))
    for listing in fresh:
        if listing.uri in ends:
            tombstones.remove(db, listing.uri)
    listings.add_all(db, fresh, {uri: one.rows for uri, one in prepared.items()})
    listings.change_all(db, [listing for listing, _ in changed])
    # The index has the same of a change as of what is new: no id is in it, and no date.
    entries = {uri: one.entry for uri, one in prepared.items()}
    search.put_all(db, [*((listing, None) for listing in fresh), *changed], entries)
    return len(fresh) + len(changed)


def remove_remote(
    db: sqlite3.Connection, uri: str, now: datetime, deleted: datetime | None = None
) -> None:
    """Removes a neighbour's listing, and remembers that it was deleted (when, if it is told)."""
    tombstones.add(db, uri, now, deleted)
    listing = listings.get_by_uri(db, uri)
    if listing is not None:
        search.remove(db, listing)
        listings.remove(db, listing.id)
