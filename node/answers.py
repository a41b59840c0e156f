"""Listings, shops and search answers as the JSON of the contract, for the API and `--json`."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from node import hours, hours_typed, particulars, prices
from node.media_worker import SIZES
from node.model import (
    Availability,
    Contact,
    DeliveryTerms,
    FoundListing,
    Hours,
    Listing,
    Offer,
    Particulars,
    Photo,
    Place,
    Priced,
    SearchAnswer,
    SearchHit,
    Shop,
)
from node.store.times import stamp
from node.uris import Uris


def place(found: Place | None) -> dict[str, Any] | None:
    """A commune."""
    if found is None:
        return None
    return {"id": found.id, "insee": found.insee, "name": found.name}


_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CURRENCY = "EUR"  # of what delivery costs


def shop(found: Shop, now: datetime) -> dict[str, Any]:
    """A shop by itself, and whether it is open now. What it never told is null.

    Raises errors.Unusable where the system has no time zone database.
    """
    state = hours.state(found.hours, found.place, now)
    return {
        "id": found.id,
        "uri": found.uri,
        "url": found.url,
        "handle": found.handle,
        "name": found.name,
        "summary": found.summary,
        "address": found.address,
        "phone": found.phone,
        "place": found.place,
        "latitude": found.latitude,
        "longitude": found.longitude,
        "node": node_of(found.uri),
        "hours": None if found.hours is None else _hours(found.hours),
        "open_now": state.open,
        "open_until": None if state.until is None else state.until.isoformat(),
        "opens_next": None if state.opens is None else state.opens.isoformat(),
        "payments": list(found.payments),
        "step_free": found.step_free,
        "delivery": None if found.delivery is None else _delivery(found.delivery),
        "ready_minutes": found.ready_minutes,
    }


def _hours(told: Hours) -> dict[str, Any]:
    """Times of the shop's own clock. A closing before its opening is of the next day."""
    return {
        "text": hours_typed.write(told, "en"),
        "weekly": [
            {"day": _DAYS[span.day], **_span(span.opens, span.closes)} for span in told.weekly
        ],
        "closed_on_holidays": told.closed_on_holidays,
        "special": [
            {
                "first": days.first.isoformat(),
                "last": days.last.isoformat(),
                "spans": [_span(opens, closes) for opens, closes in days.spans],
                "note": days.note,
            }
            for days in told.special
        ],
    }


def _span(opens: int, closes: int) -> dict[str, str]:
    return {"opens": _clock(opens), "closes": _clock(closes)}


def _clock(minutes: int) -> str:
    hour, minute = divmod(minutes - hours.DAY if minutes > hours.DAY else minutes, 60)
    return f"{hour:02d}:{minute:02d}"


def _delivery(told: DeliveryTerms) -> dict[str, Any]:
    return {
        "places": list(told.places),
        "radius_km": told.radius_km,
        "price": _money(told.price_cents),
        "free_from": _money(told.free_from_cents),
        "days": [_DAYS[day] for day in told.days],
        "ahead_days": told.ahead_days,
        "until": None if told.cutoff is None else _clock(told.cutoff),
    }


def _money(cents: int | None) -> dict[str, str] | None:
    return None if cents is None else {"amount": prices.amount(cents), "currency": _CURRENCY}


def node_of(uri: str) -> str:
    """The node that an object comes from: its authority."""
    return urlsplit(uri).netloc


def _origin(uri: str) -> str:
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}"


def photo(found: Photo, uris: Uris) -> dict[str, Any]:
    """A photo in its sizes, largest first, as WebP and as JPEG."""
    sizes = []
    for side in SIZES:
        width, height = found.size(side)
        sizes.append(
            {
                "width": width,
                "height": height,
                "webp": uris.photo(found.id, side, "webp"),
                "jpeg": uris.photo(found.id, side, "jpg"),
            }
        )
    return {"id": found.id, "alt": found.alt, "sizes": sizes}


def price(offer: Priced) -> dict[str, str] | None:
    """An offer's price; None for one on request."""
    if offer.price_cents is None:
        return None
    return {"amount": prices.amount(offer.price_cents), "currency": offer.currency}


def reduction(offer: Priced) -> dict[str, Any] | None:
    """What a reduced price is announced with: why, from what, by how many whole percent, when."""
    cut = offer.reduction
    if cut is None or offer.price_cents is None:
        return None
    return {
        "kind": cut.kind,
        "reference": {"amount": prices.amount(cut.reference_cents), "currency": offer.currency},
        "percent": prices.percent_off(cut.reference_cents, offer.price_cents),
        "since": stamp(cut.since),
        "until": None if cut.until is None else stamp(cut.until),
    }


def unit_price(offer: Priced) -> dict[str, str] | None:
    """What a unit of it costs, where that says something."""
    unit = prices.unit_price(offer)
    return None if unit is None else {"amount": prices.amount(unit.cents), "per": unit.per}


def listing(found: Listing, of: Shop) -> dict[str, Any]:
    """A listing with its shop and all its offers."""
    main = found.main_offer
    return {
        "id": found.id,
        "uri": found.uri,
        "url": found.url,
        "name": found.name,
        "description": found.description,
        "category": found.category,
        "condition": found.condition,
        "kind": found.kind,
        "pick_up": found.pick_up,
        "delivered": found.delivered,
        "price": price(main),
        "unit_price": unit_price(main),
        "reduction": reduction(main),
        "availability": _availability(found),
        "offers": [_offer(one) for one in found.offers],
        "photos": [photo(one, Uris(_origin(found.uri))) for one in found.photos],
        "particulars": _particulars(found.particulars),
        "shop": {"handle": of.handle, "name": of.name, "url": of.url},
        "node": node_of(found.uri),
        "published": stamp(found.published),
        "updated": stamp(found.updated),
        "seen": stamp(found.seen),
    }


def _particulars(said: Particulars) -> dict[str, Any] | None:
    """What was said of the goods; null where nothing was. Allergens: null where nobody said."""
    if not said:
        return None
    return {
        "allergens": None if said.allergens is None else list(said.allergens),
        "traces": list(said.traces),
        "origin": said.origin or None,
        "brand": said.brand or None,
        "maker": _contact(said.maker),
        "responsible": _contact(said.responsible),
        "warnings": said.warnings or None,
        "energy": said.energy or None,
        "eprel": said.eprel or None,
        "strength": None if said.strength is None else particulars.strength(said.strength),
    }


def _contact(told: Contact | None) -> dict[str, str] | None:
    if told is None:
        return None
    return {"name": told.name, "postal": told.postal, "electronic": told.electronic}


def _offer(offer: Offer) -> dict[str, Any]:
    found: dict[str, Any] = {
        "axes": dict(offer.axes),
        "price": price(offer),
        "unit_price": unit_price(offer),
        "reduction": reduction(offer),
        "availability": offer.availability,
        "gtin": offer.gtin,
        "sku": offer.sku,
    }
    if offer.quantity_milli is not None:
        found["quantity"] = {"value": prices.quantity(offer.quantity_milli), "unit": offer.unit}
    return found


def _small_photo(found: FoundListing, uris: Uris) -> dict[str, Any] | None:
    """The first photo as this node itself has it, a neighbour's included."""
    if found.photos:
        shown = found.photos[0]
        photo_id, alt, (width, height) = shown.id, shown.alt, shown.size(SIZES[-1])
    elif (copy := found.remote_photo) is not None and copy.id is not None:
        photo_id, alt, width, height = copy.id, copy.alt, copy.width, copy.height
    else:
        return None
    address = uris.photo(photo_id, SIZES[-1], "webp")
    return {"alt": alt, "width": width, "height": height, "webp": address}


def _availability(found: Listing | FoundListing) -> Availability:
    """Of the whole listing: it can be had as long as one of its offers can."""
    main = found.main_offer
    if main.availability is not Availability.OUT_OF_STOCK:
        return main.availability
    return next(
        (
            offer.availability
            for offer in found.offers
            if offer.availability is not Availability.OUT_OF_STOCK
        ),
        Availability.OUT_OF_STOCK,
    )


def search(answer: SearchAnswer, uris: Uris) -> dict[str, Any]:
    """The three rings; `uris` are those of the node that answers."""
    return {
        "query": answer.query.words,
        "place": place(answer.query.place),
        "rings": [
            {
                "ring": ring.ring,
                "within_km": ring.within_km,
                "total": ring.total,
                "total_is": "exact" if ring.exact else "at_least",
                "results": [_hit(hit, uris) for hit in ring.hits],
            }
            for ring in answer.rings
        ],
        "changed": [
            {"typed": one.typed, "reading": one.reading, "read_as": list(one.read_as)}
            for one in answer.changed
        ],
        "suggestion": answer.suggestion,
        "seed": answer.seed,
        "next": answer.next_cursor,
    }


def _hit(hit: SearchHit, uris: Uris) -> dict[str, Any]:
    found, of = hit.listing, hit.shop
    main = found.main_offer
    return {
        "uri": found.uri,
        "url": found.url,
        "name": found.name,
        "price": price(main),
        "unit_price": unit_price(main),
        "reduction": reduction(main),
        "availability": _availability(found),
        "shop": {"handle": of.handle, "name": of.name, "url": of.url},
        "node": node_of(found.uri),
        "seen": stamp(found.seen),
        "photo": _small_photo(hit.listing, uris),
        "stale": hit.stale,
        "commune": place(hit.place),
        "distance_km": hit.distance_km,
    }
