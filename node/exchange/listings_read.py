"""Listings of other nodes, read from their Notes (wire profile 8.2).

Nothing here writes, signs or asks: a process that has little memory can do it.
"""

import hashlib
import re
import uuid
from datetime import datetime
from typing import Any

from federation import documents
from federation.errors import Refused
from node import prices
from node.exchange import particulars, terms, values
from node.model import Availability, Condition, Kind, Listing, Offer, RemotePhoto, Shop

OFFERS_READ = 50
AXES_READ = 4
CATEGORIES_READ = 10
ATTACHMENTS_READ = 16
ALT_READ = 200
_CURRENCY = re.compile(r"[A-Z]{3}")
_GTIN = re.compile(r"[0-9]{8,14}")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_PICTURES = frozenset({"Image", "Document"})
_URLS = uuid.NAMESPACE_URL.bytes
_FORMS = (None, "image/jpeg", "image/png", "image/webp")


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
    published = values.plausible(note.get("published"), now) or now
    updated = values.plausible(note.get("updated"), now) or published
    pick_up, delivered = terms.delivery_methods_from(offered[0] if offered else {})
    condition = offered[0].get("sdo:itemCondition") if offered else None
    languages = note.get("contentMap")
    language = next(iter(languages), "") if isinstance(languages, dict) else ""
    description = item.get("sdo:description", data.get("description"))
    if description is None and not offered:
        description = values.plain(note.get("content"))
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
        published=_in_seconds(published),
        updated=_in_seconds(updated),
        seen=_in_seconds(now),
        withdrawn=None,
        offers=offers,
        kind=_kind(note, item),
        pick_up=pick_up,
        delivered=delivered,
        remote_photo=_photo(note, uri),
        particulars=particulars.from_document(note.get(particulars.TERM)),
    )


def _in_seconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=0) if moment.microsecond else moment


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
    text = documents.text(values.plain(note.get("content")), 500)
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
    """A UUID made of the address (RFC 9562, version 5), as `uuid.uuid5` makes it in thrice the
    time."""
    digest = hashlib.sha1(_URLS + f"{uri}#{position}".encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digest[16], 16) & 3]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


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
