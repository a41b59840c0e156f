"""Listings as Notes, out and in (wire profile 8.2).

A plain Note that any server can show, which also carries what a shop listing is: FEP-0837's terms
for the first offer, `flohmarkt:data` for Flohmarkt, and schema.org's for all offers. The document
is a function of the listing alone: asked for twice, it is the same to the byte, proof included.
"""

import html
import re
import uuid
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation import activities, documents, proofs, vocabulary
from federation.errors import Refused
from node import categories, prices
from node.exchange import particulars, shops, terms
from node.model import (
    Availability,
    Condition,
    Kind,
    Listing,
    Offer,
    Photo,
    Place,
    RemotePhoto,
    Shop,
    Tombstone,
)
from node.store.times import stamp
from node.translation import Translator
from node.uris import Uris

DESCRIPTION_SHOWN = 700  # of the description in the Note's text; all of it is in the data beside
OFFERS_READ = 50
PHOTO_SIDE = 800  # the copy that other servers fetch: theirs are smaller
AXES_READ = 4
CATEGORIES_READ = 10
ATTACHMENTS_READ = 16
ALT_READ = 200
_CURRENCY = re.compile(r"[A-Z]{3}")
_GTIN = re.compile(r"[0-9]{8,14}")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_PICTURES = frozenset({"Image", "Document"})
_FORMS = (None, "image/jpeg", "image/png", "image/webp")


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


# --- In ------------------------------------------------------------------------------------------


def point_of(note: dict[str, Any]) -> tuple[float, float] | None:
    """Where an item of Flohmarkt is, (latitude, longitude): its sellers say it of items alone."""
    data = note.get("flohmarkt:data")
    told = data.get("coordinates") if isinstance(data, dict) else None
    if not isinstance(told, dict):
        return None
    point = []
    for name, most in (("lat", 90), ("lng", 180)):
        value = told.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= most:
            return None
        point.append(float(value))
    return (point[0], point[1]) if any(point) else None  # 0, 0 is what nobody filled in


def local_id(random_id: str, now: datetime) -> str:
    """A neighbour's listing's id on this node: a random UUID that begins with the time (RFC 9562,
    version 7). What comes together then lies together in the file, and is written together."""
    time = f"{int(now.timestamp() * 1000):012x}"
    return f"{time[:8]}-{time[8:]}-7{random_id[15:]}"


def from_document(note: dict[str, Any], shop: Shop, listing_id: str, now: datetime) -> Listing:
    """A neighbour's listing as its Note tells of it.

    Reading is tolerant: one value where several are expected, a missing term, an unknown one are
    kept simple. Raises Refused (not-a-listing) for a Note that offers nothing.
    """
    uri = documents.check_id(note.get("id"))
    if documents.type_of(note) != "Note" or note.get("inReplyTo"):
        raise Refused("not-a-listing", uri)
    offered = [one for one in documents.as_list(note.get("sdo:offers")) if isinstance(one, dict)]
    data = note.get("flohmarkt:data")
    data = data if isinstance(data, dict) else {}
    if not offered and not data and not isinstance(note.get("reciprocal"), dict):
        raise Refused("not-a-listing", uri)
    item = _item(offered[0]) if offered else {}
    name = _name(note, item, data)
    if name is None:
        raise Refused("no-name", uri)
    offers = tuple(
        _offer_from(one, uri, position) for position, one in enumerate(offered[:OFFERS_READ])
    ) or (_offer_from_fep0837(note, data, uri),)
    url = note.get("url")
    published = shops.plausible(note.get("published"), now) or now
    updated = shops.plausible(note.get("updated"), now) or published
    pick_up, delivered = terms.delivery_methods_from(offered[0] if offered else {})
    condition = offered[0].get("sdo:itemCondition") if offered else None
    languages = note.get("contentMap")
    language = next(iter(languages), "") if isinstance(languages, dict) else ""
    description = item.get("sdo:description", data.get("description"))
    if description is None and not offered:
        description = shops.plain(note.get("content"))
    return Listing(
        id=listing_id,
        uri=uri,
        url=url if isinstance(url, str) and documents.same_origin(url, uri) else uri,
        shop=shop.id,
        name=name,
        description=documents.text(description, 5000) or "",
        category=_category_from(item.get("sdo:category")),
        condition=terms.condition_from(condition) if condition else Condition.NEW,
        language=language if _LANGUAGE.fullmatch(language) else "fr",
        announce=False,
        published=published.replace(microsecond=0),
        updated=updated.replace(microsecond=0),
        seen=now.replace(microsecond=0),
        withdrawn=None,
        offers=offers,
        kind=_kind(note, item),
        pick_up=pick_up,
        delivered=delivered,
        remote_photo=_photo(note, uri),
        particulars=particulars.from_document(note.get(particulars.TERM)),
    )


def _photo(note: dict[str, Any], uri: str) -> RemotePhoto | None:
    """The first picture that can be fetched from where the listing itself comes from."""
    for one in documents.as_list(note.get("attachment"))[:ATTACHMENTS_READ]:
        if not isinstance(one, dict) or documents.type_of(one) not in _PICTURES:
            continue
        link = documents.first(one.get("url"))
        link = link if isinstance(link, dict) else {"href": link}
        said = one.get("mediaType", link.get("mediaType"))
        if said is None and documents.type_of(one) != "Image":
            continue  # a document of any kind
        url = link.get("href")
        if said not in _FORMS or not isinstance(url, str) or not documents.same_origin(url, uri):
            continue
        alt = documents.text(one.get("name"), ALT_READ) or ""
        return RemotePhoto(url, " ".join(alt.split()))
    return None


def _item(offer: dict[str, Any]) -> dict[str, Any]:
    item = documents.first(offer.get("sdo:itemOffered"))
    return item if isinstance(item, dict) else {}


def _kind(note: dict[str, Any], item: dict[str, Any]) -> Kind:
    """By the type of what is offered; where nothing of it is told, by FEP-0837's action."""
    if item:
        return terms.kind_from(documents.type_of(item))
    intent = note.get("publishes")
    action = intent.get("action") if isinstance(intent, dict) else None
    return terms.kind_from_action(action)


def _category_from(told: object) -> str | None:
    """The id of a category, which may stand among what others call it."""
    for one in documents.as_list(told)[:CATEGORIES_READ]:
        text = documents.text(one, 80)
        if text and text.startswith(terms.CATEGORY_PREFIX):
            return text.removeprefix(terms.CATEGORY_PREFIX)
    return None


def _name(note: dict[str, Any], item: dict[str, Any], data: dict[str, Any]) -> str | None:
    for candidate in (item.get("sdo:name"), data.get("name"), note.get("name")):
        name = documents.text(candidate, 120)
        if name is not None:
            return " ".join(name.split())
    text = documents.text(shops.plain(note.get("content")), 500)
    return text.splitlines()[0][:120].strip() if text else None


def _offer_from(offer: dict[str, Any], uri: str, position: int) -> Offer:
    item = _item(offer)
    size = documents.first(item.get("sdo:size"))
    unit, milli = None, None
    if isinstance(size, dict):
        unit = terms.UNITS_BY_CODE.get(str(size.get("sdo:unitCode")))
        milli = terms.decimal(size.get("sdo:value"), 3)
        if unit is None or not milli or milli > prices.QUANTITY_MOST * 1000:
            unit, milli = None, None
    cents = terms.cents(offer.get("sdo:price"))
    axes: dict[str, str] = {}
    for pair in documents.as_list(item.get("sdo:additionalProperty"))[:AXES_READ]:
        if isinstance(pair, dict):
            axis = documents.text(pair.get("sdo:name"), 40)
            value = documents.text(pair.get("sdo:value"), 40)
            if axis and value:
                axes[axis] = value
    gtin = next(
        (
            str(item[key])
            for key in ("sdo:gtin13", "sdo:gtin8", "sdo:gtin12", "sdo:gtin14")
            if isinstance(item.get(key), str) and _GTIN.fullmatch(item[key])
        ),
        None,
    )
    return Offer(
        id=_offer_id(uri, position),
        axes=axes,
        price_cents=cents,
        currency=_currency(offer.get("sdo:priceCurrency")),
        quantity_milli=milli,
        unit=unit,
        availability=terms.availability_from(offer.get("sdo:availability")),
        stock=None,
        gtin=gtin,
        sku=documents.text(item.get("sdo:sku"), 60),
        reduction=terms.reduction_from(offer.get("sdo:priceSpecification"), cents),
    )


def _offer_id(uri: str, position: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{uri}#{position}"))


def _offer_from_fep0837(note: dict[str, Any], data: dict[str, Any], uri: str) -> Offer:
    """The one offer of a listing that says it in FEP-0837's or Flohmarkt's words only."""
    reciprocal = note.get("reciprocal")
    quantity = reciprocal.get("resourceQuantity") if isinstance(reciprocal, dict) else None
    value = quantity.get("hasNumericalValue") if isinstance(quantity, dict) else None
    # Others name the currency where the FEP names a unit.
    unit = quantity.get("hasUnit") if isinstance(quantity, dict) else None
    named = (
        terms.currency_from(reciprocal.get("resourceConformsTo"))
        if isinstance(reciprocal, dict)
        else None
    )
    return Offer(
        id=_offer_id(uri, 0),
        axes={},
        price_cents=terms.cents(value if value is not None else _amount(data.get("price"))),
        currency=named or _currency(unit if unit not in (None, "one") else data.get("currency")),
        quantity_milli=None,
        unit=None,
        availability=Availability.IN_STOCK,
        stock=None,
        gtin=None,
        sku=None,
    )


def _amount(price: object) -> object:
    """What Flohmarkt's price says, which may be typed with its sign: "1,50 €"."""
    typed = re.fullmatch(r"([0-9]{1,8})(?:[.,]([0-9]{1,2}))?\s?(?:€|EUR)?", str(price)[:20].strip())
    return f"{typed[1]}.{(typed[2] or '').ljust(2, '0')}" if typed else price


def _currency(value: object) -> str:
    return value if isinstance(value, str) and _CURRENCY.fullmatch(value) else "EUR"
