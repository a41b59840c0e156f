"""Shops and listings as schema.org data within their pages (JSON-LD), for whoever reads those.

It is a data block: browsers do not run it, so the content security policy needs no exception.
"""

import json
from datetime import datetime, timedelta
from typing import Any

from markupsafe import Markup

from node import prices, recurrence
from node.exchange import terms
from node.model import (
    ENERGY_CLASSES,
    Event,
    EventState,
    Hours,
    Listing,
    Offer,
    Particulars,
    Place,
    Post,
    Shop,
)

_SCHEMA = "https://schema.org"
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAY = 24 * 60


def block(document: dict[str, Any]) -> Markup:
    """The document as the inside of a script element: nothing in it can end the element."""
    text = json.dumps({"@context": _SCHEMA, **document}, ensure_ascii=False)
    for sign, written in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(sign, written)
    return Markup(text)  # noqa: S704 (escaped above)


def shop(found: Shop, place: Place | None) -> dict[str, Any]:
    """A shop as a LocalBusiness."""
    document: dict[str, Any] = {
        "@type": "LocalBusiness",
        "@id": found.url,
        "name": found.name,
        "url": found.url,
    }
    address = {
        "@type": "PostalAddress",
        "streetAddress": found.address,
        "addressLocality": place.name if place else None,
        "addressCountry": "FR" if found.place and found.place.startswith("FR-") else None,
    }
    document["address"] = {key: value for key, value in address.items() if value}
    if found.summary:
        document["description"] = found.summary
    if found.phone:
        document["telephone"] = found.phone
    if found.latitude is not None and found.longitude is not None:
        document["geo"] = {
            "@type": "GeoCoordinates",
            "latitude": found.latitude,
            "longitude": found.longitude,
        }
    if found.hours is not None:
        document["openingHoursSpecification"] = _hours(found.hours)
    return document


def _hours(hours: Hours) -> list[dict[str, Any]]:
    week = [
        {
            "@type": "OpeningHoursSpecification",
            "dayOfWeek": f"{_SCHEMA}/{_DAYS[span.day]}",
            "opens": _time(span.opens),
            "closes": _time(span.closes),
        }
        for span in hours.weekly
    ]
    special = [
        {
            "@type": "OpeningHoursSpecification",
            "validFrom": days.first.isoformat(),
            "validThrough": days.last.isoformat(),
            "opens": _time(opens),
            "closes": _time(closes),
        }
        for days in hours.special
        for opens, closes in days.spans or ((0, 0),)  # opens and closes alike: closed
    ]
    return week + special


def _time(minutes: int) -> str:
    """Of a day that ends at midnight, the last minute; past midnight, the hour of the next day."""
    if minutes == _DAY:
        return "23:59"
    hour, minute = divmod(minutes % _DAY, 60)
    return f"{hour:02d}:{minute:02d}"


def listing(found: Listing, of: Shop, images: tuple[str, ...] = ()) -> dict[str, Any]:
    """A listing as a Product with its offers."""
    document: dict[str, Any] = {
        "@type": "Product",
        "@id": found.url,
        "name": found.name,
        "url": found.url,
        "offers": [_offer(one, found, of) for one in found.offers],
    }
    if found.description:
        document["description"] = found.description
    if images:
        document["image"] = list(images)
    if found.category:
        document["category"] = found.category
    if len(found.offers) == 1:
        document |= _codes(found.offers[0])
    return document | _particulars(found.particulars)


def _particulars(said: Particulars) -> dict[str, Any]:
    """What schema.org has a word for: it has none for allergens."""
    document: dict[str, Any] = {}
    if said.brand:
        document["brand"] = {"@type": "Brand", "name": said.brand}
    if said.origin:
        document["countryOfOrigin"] = said.origin
    if said.maker is not None:
        written = said.maker.electronic
        document["manufacturer"] = {
            "@type": "Organization",
            "name": said.maker.name,
            "address": said.maker.postal,
            "email" if "@" in written else "url": written,
        }
    if said.energy in ENERGY_CLASSES[:-1] and said.energy:
        document["hasEnergyConsumptionDetails"] = {
            "@type": "EnergyConsumptionDetails",
            "hasEnergyEfficiencyCategory": f"{_SCHEMA}/EUEnergyEfficiencyCategory{said.energy}",
        }
    return document


def _offer(offer: Offer, of: Listing, shop: Shop) -> dict[str, Any]:
    document: dict[str, Any] = {
        "@type": "Offer",
        "url": of.url,
        "availability": terms.AVAILABILITY[offer.availability],
        "itemCondition": terms.CONDITION[of.condition],
        "seller": {"@type": "LocalBusiness", "@id": shop.url, "name": shop.name},
    }
    if offer.axes:
        document["name"] = ", ".join(offer.axes.values())
    if offer.price_cents is not None:
        document["price"] = prices.amount(offer.price_cents)
        document["priceCurrency"] = offer.currency
        if offer.reduction is not None:
            document["priceSpecification"] = {
                "@type": "UnitPriceSpecification",
                "priceType": f"{_SCHEMA}/StrikethroughPrice",
                "price": prices.amount(offer.reduction.reference_cents),
                "priceCurrency": offer.currency,
            }
            if offer.reduction.until is not None:
                document["priceValidUntil"] = f"{offer.reduction.until:%F}"
    return document | _codes(offer)


def _codes(offer: Offer) -> dict[str, str]:
    codes = {"gtin": offer.gtin, "sku": offer.sku}
    return {key: value for key, value in codes.items() if value}


_STATES = {
    EventState.SCHEDULED: f"{_SCHEMA}/EventScheduled",
    EventState.CANCELLED: f"{_SCHEMA}/EventCancelled",
    EventState.POSTPONED: f"{_SCHEMA}/EventPostponed",
}


def event(of: Post, found: Event, place: Place | None) -> dict[str, Any]:
    """An event as an Event; of whole days it tells the days alone."""
    zone = recurrence.zone(found.zone)

    def said(moment: datetime) -> str:
        local = moment.astimezone(zone)
        return f"{local:%F}" if found.all_day else local.isoformat(timespec="seconds")

    document: dict[str, Any] = {
        "@type": "Event",
        "@id": of.url,
        "name": of.title,
        "url": of.url,
        "startDate": said(found.starts),
        "eventStatus": _STATES[found.state],
        "eventAttendanceMode": f"{_SCHEMA}/OfflineEventAttendanceMode",
        "organizer": {"@type": "Organization", "name": of.author},
    }
    if found.ends is not None:
        over = found.ends - timedelta(seconds=1) if found.all_day else found.ends
        document["endDate"] = said(over)
    if of.text:
        document["description"] = of.text
    where = {
        "@type": "Place",
        "name": found.venue or (place.name if place else None),
        "address": place.name if place else None,
    }
    if where["name"]:
        document["location"] = {key: value for key, value in where.items() if value}
    return document
