"""Listings as Notes (wire profile 8.2); `listings_read.py` reads those of others.

A plain Note that any server can show, which also carries what a shop listing is: FEP-0837's terms
for the first offer, `flohmarkt:data` for Flohmarkt, and schema.org's for all offers. The document
is a function of the listing alone: asked for twice, it is the same to the byte, proof included.
"""

import html
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation import activities, documents, proofs, vocabulary
from node import categories, prices
from node.exchange import particulars, shops, terms
from node.model import (
    Listing,
    Offer,
    Photo,
    Place,
    Shop,
    Tombstone,
)
from node.store.times import stamp
from node.translation import Translator
from node.uris import Uris

DESCRIPTION_SHOWN = 700  # of the description in the Note's text; all of it is in the data beside
PHOTO_SIDE = 800  # the copy that other servers fetch: theirs are smaller


def document(
    listing: Listing,
    shop: Shop,
    place: Place | None,
    commune_handle: str,
    uris: Uris,
    say: Translator,
    key: Ed25519PrivateKey,
) -> dict[str, Any]:
    """A listing of ours as a Note with its proof."""
    commune = uris.actor(commune_handle)
    text = _content(listing, shop, say)
    note: dict[str, Any] = {
        "@context": terms.LISTING_CONTEXT,
        "id": listing.uri,
        "type": "Note",
        "attributedTo": shop.uri,
        "to": [vocabulary.PUBLIC],
        "cc": [f"{shop.uri}/followers", commune],
        "audience": commune,
        "url": listing.url,
        "published": stamp(listing.published),
        "updated": stamp(listing.updated),
        "content": text,
        "contentMap": {listing.language: text},
        "sensitive": False,
        "attachment": [_image(photo, uris) for photo in listing.photos],
        "tag": [],
        "replies": f"{listing.uri}/replies",
        "likes": f"{listing.uri}/likes",
        "shares": f"{listing.uri}/shares",
    }
    location = _location(shop, place)
    if location is not None:
        note["location"] = location
    note |= _marketplace(listing, location)
    note["sdo:offers"] = [_offer(listing, offer, place) for offer in listing.offers]
    if listing.particulars:
        note[particulars.TERM] = particulars.document(listing.particulars)
    return proofs.sign(note, key, uris.object_key(shop.handle), listing.updated)


def held_copy(listing: Listing, shop: Shop, place: Place | None) -> dict[str, Any]:
    """What this node holds of a neighbour's listing, in the terms of `document`, without a proof:
    a node that was put back from a backup asks for it (node/exchange/held.py)."""
    held = {
        "id": listing.uri,
        "type": "Note",
        "attributedTo": shop.uri,
        "url": listing.url,
        "published": stamp(listing.published),
        "updated": stamp(listing.updated),
        "contentMap": {listing.language: ""},
        "sdo:offers": [_offer(listing, offer, place) for offer in listing.offers],
    }
    if listing.particulars:
        held[particulars.TERM] = particulars.document(listing.particulars)
    return held


def _image(photo: Photo, uris: Uris) -> dict[str, Any]:
    """A photo, as a JPEG: what every server shows. `name` is read to who cannot see it."""
    width, height = photo.size(PHOTO_SIDE)
    return {
        "type": "Image",
        "mediaType": "image/jpeg",
        "url": uris.photo(photo.id, PHOTO_SIDE, "jpg"),
        "name": photo.alt,
        "width": width,
        "height": height,
    }


def tombstone(stone: Tombstone, handle: str, uris: Uris, key: Ed25519PrivateKey) -> dict[str, Any]:
    """What remains of a withdrawn listing or a closed shop, with its proof."""
    found = activities.tombstone(stone.uri, stone.former_type, stone.deleted)
    found["@context"] = terms.TOMBSTONE_CONTEXT
    return proofs.sign(found, key, uris.object_key(handle), stone.deleted)


def _content(listing: Listing, shop: Shop, say: Translator) -> str:
    """What servers that know nothing of shops show: title and price come first."""

    def escaped(text: str) -> str:
        return html.escape(text, quote=False)

    offer = listing.main_offer
    first = f"<strong>{escaped(listing.name)}</strong> — {escaped(_price(listing, offer, say))}"
    description = listing.description
    if len(description) > DESCRIPTION_SHOWN:
        description = description[:DESCRIPTION_SHOWN].rsplit(None, 1)[0] + " …"
    lines = [escaped(description).replace("\n", "<br>")] if description else []
    lines.append(escaped(say.availability(offer.availability)))
    link = html.escape(listing.url)
    see = escaped(say("See it at {shop}").format(shop=shop.name))
    return f'<p>{first}</p><p>{"<br>".join(lines)}</p><p><a href="{link}">{see}</a></p>'


def _price(listing: Listing, offer: Offer, say: Translator) -> str:
    if offer.price_cents is None:
        return say("price on request")
    amount = say.money(offer.price_cents, offer.currency)
    several = len({one.price_cents for one in listing.offers}) > 1
    text = (say("from {amount} incl. VAT") if several else say("{amount} incl. VAT")).format(
        amount=amount
    )
    cut = offer.reduction
    if cut is not None:
        text += say(", reduced from {amount}").format(
            amount=say.money(cut.reference_cents, offer.currency)
        )
    unit = prices.unit_price(offer)
    if unit is not None:
        text += f" ({say.money(unit.cents, unit.currency)}/{say.unit(unit.per)})"
    return text


def _location(shop: Shop, place: Place | None) -> dict[str, Any] | None:
    where = ", ".join(
        part for part in (shop.name, shop.address, place.name if place else None) if part
    )
    latitude, longitude = shop.latitude, shop.longitude
    if latitude is None and place is not None:
        latitude, longitude = place.latitude, place.longitude
    if latitude is None or longitude is None:
        return None
    return {"type": "Place", "name": where, "latitude": latitude, "longitude": longitude}


def _marketplace(listing: Listing, location: dict[str, Any] | None) -> dict[str, Any]:
    """FEP-0837's terms and Flohmarkt's, which each know one offer: the one shown first.

    A price on request has neither: without `reciprocal` it would be a gift by FEP-0837.
    """
    offer = listing.main_offer
    currency = terms.currency_uri(offer.currency)
    if offer.price_cents is None or currency is None:
        return {}
    amount = prices.amount(offer.price_cents)
    data: dict[str, Any] = {
        "original_id": listing.id,
        "name": listing.name,
        "description": listing.description,
        "price": amount,
        "currency": offer.currency,
    }
    if location is not None:
        data["coordinates"] = {"lat": location["latitude"], "lng": location["longitude"]}
    return {
        "purpose": "offer",
        "publishes": {
            "type": "Intent",
            "id": f"{listing.uri}#primary",
            "action": terms.ACTION[listing.kind],
            "resourceQuantity": {"hasUnit": "one", "hasNumericalValue": "1"},
        },
        "reciprocal": {
            "type": "Intent",
            "id": f"{listing.uri}#reciprocal",
            "action": "transfer",
            "resourceConformsTo": currency,
            "resourceQuantity": {"hasUnit": "one", "hasNumericalValue": amount},
        },
        "unitBased": True,
        "flohmarkt:data": data,
    }


def _offer(listing: Listing, offer: Offer, place: Place | None) -> dict[str, Any]:
    item: dict[str, Any] = {"type": terms.KIND[listing.kind], "sdo:name": listing.name}
    if listing.description and offer is listing.offers[0]:  # once is enough
        item["sdo:description"] = listing.description
    if offer.sku:
        item["sdo:sku"] = offer.sku
    if offer.gtin:
        item[f"sdo:gtin{len(offer.gtin)}"] = offer.gtin
    if listing.category:
        item["sdo:category"] = _category(listing.category, listing.language)
    if offer.quantity_milli is not None and offer.unit is not None:
        item["sdo:size"] = _measure(prices.quantity(offer.quantity_milli), offer.unit)
    if offer.axes:
        item["sdo:additionalProperty"] = [
            {"type": "sdo:PropertyValue", "sdo:name": axis, "sdo:value": value}
            for axis, value in offer.axes.items()
        ]
    found: dict[str, Any] = {
        "type": "sdo:Offer",
        "sdo:availability": terms.AVAILABILITY[offer.availability],
        "sdo:itemCondition": terms.CONDITION[listing.condition],
        "sdo:availableDeliveryMethod": terms.delivery_methods(
            pick_up=listing.pick_up, delivered=listing.delivered
        ),
        "sdo:itemOffered": item,
    }
    if offer.price_cents is not None:
        found["sdo:price"] = prices.amount(offer.price_cents)
        found["sdo:priceCurrency"] = offer.currency
        unit = prices.unit_price(offer)
        if unit is not None:
            found["sdo:priceSpecification"] = {
                "type": "sdo:UnitPriceSpecification",
                "sdo:price": prices.amount(unit.cents),
                "sdo:priceCurrency": unit.currency,
                "sdo:valueAddedTaxIncluded": True,
                "sdo:referenceQuantity": _measure("1", unit.per),
            }
        if offer.reduction is not None:
            found["sdo:priceSpecification"] = [
                *documents.as_list(found.get("sdo:priceSpecification")),
                terms.reduction(offer.reduction, offer.currency),
            ]
    if place is not None:
        found["sdo:areaServed"] = [shops.area(place)]
    return found


def _category(category_id: str, language: str) -> list[str]:
    """Our id of a category, and what people call it."""
    found = [f"{terms.CATEGORY_PREFIX}{category_id}"]
    known = categories.get(category_id)
    if known is not None:
        found.append(known.en if language == "en" else known.fr)
    return found


def _measure(value: str, unit: str) -> dict[str, Any]:
    return {
        "type": "sdo:QuantitativeValue",
        "sdo:value": value,
        "sdo:unitCode": terms.UNIT_CODES[unit],
    }
