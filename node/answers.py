"""Listings, shops and search answers as the JSON of the contract, for the API and `--json`."""

from typing import Any
from urllib.parse import urlsplit

from node import prices
from node.media_worker import SIZES
from node.model import Availability, Listing, Offer, Photo, Place, SearchAnswer, SearchHit, Shop
from node.store.times import stamp
from node.uris import Uris


def place(found: Place | None) -> dict[str, Any] | None:
    """A commune."""
    if found is None:
        return None
    return {"id": found.id, "insee": found.insee, "name": found.name}


def shop(found: Shop) -> dict[str, Any]:
    """A shop, by itself."""
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
    }


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


def price(offer: Offer) -> dict[str, str] | None:
    """An offer's price; None for one on request."""
    if offer.price_cents is None:
        return None
    return {"amount": prices.amount(offer.price_cents), "currency": offer.currency}


def unit_price(offer: Offer) -> dict[str, str] | None:
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
        "price": price(main),
        "unit_price": unit_price(main),
        "availability": _availability(found),
        "offers": [_offer(one) for one in found.offers],
        "photos": [photo(one, Uris(_origin(found.uri))) for one in found.photos],
        "shop": {"handle": of.handle, "name": of.name, "url": of.url},
        "node": node_of(found.uri),
        "published": stamp(found.published),
        "updated": stamp(found.updated),
        "seen": stamp(found.seen),
    }


def _offer(offer: Offer) -> dict[str, Any]:
    found: dict[str, Any] = {
        "axes": dict(offer.axes),
        "price": price(offer),
        "unit_price": unit_price(offer),
        "availability": offer.availability,
        "gtin": offer.gtin,
        "sku": offer.sku,
    }
    if offer.quantity_milli is not None:
        found["quantity"] = {"value": prices.quantity(offer.quantity_milli), "unit": offer.unit}
    return found


def _availability(found: Listing) -> Availability:
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


def search(answer: SearchAnswer) -> dict[str, Any]:
    """The three rings."""
    return {
        "query": answer.query.words,
        "place": place(answer.query.place),
        "rings": [
            {
                "ring": ring.ring,
                "within_km": ring.within_km,
                "total": ring.total,
                "total_is": "exact" if ring.exact else "at_least",
                "results": [_hit(hit) for hit in ring.hits],
            }
            for ring in answer.rings
        ],
        "suggestion": None,
        "next": answer.next_page,
    }


def _hit(hit: SearchHit) -> dict[str, Any]:
    found = listing(hit.listing, hit.shop)
    kept = (
        "uri", "url", "name", "price", "unit_price", "availability", "shop", "node", "seen",
    )  # fmt: skip
    return {
        **{key: found[key] for key in kept},
        "commune": place(hit.place),
        "distance_km": hit.distance_km,
    }
