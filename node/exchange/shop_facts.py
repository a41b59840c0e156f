"""What residents choose a shop by, out and in: hours, means of payment, access, delivery.

In schema.org's terms on the shop's actor. Reading takes what it can use and leaves out the rest:
a stranger's odd hours are no reason to refuse a shop.
"""

import itertools
import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from federation import documents
from node import bringing, errors, hours, hours_typed, prices, shops
from node.exchange import terms
from node.model import DeliveryTerms, Hours, Shop, Span, SpecialDays

SPECS_READ = (
    400  # of opening hours (SPECIAL_MOST days of SPANS_A_DAY_MOST fit), and of each other list
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
HOLIDAYS = "PublicHolidays"
STEP_FREE = "stepFree"
CURRENCY = "EUR"

Document = dict[str, Any]


def members(shop: Shop) -> Document:
    """The facts of a shop as members of its actor's document; what was not told is left out."""
    found: Document = {}
    if shop.hours is not None:
        found |= _hours(shop.hours)
    if shop.payments:
        found["sdo:acceptedPaymentMethod"] = list(shop.payments)
    if shop.step_free is not None:
        found["sdo:amenityFeature"] = [
            {
                "type": "sdo:LocationFeatureSpecification",
                "sdo:name": STEP_FREE,
                "sdo:value": shop.step_free,
            }
        ]
    if shop.delivery is not None:
        found["sdo:shippingDetails"] = _delivery(shop.delivery, shop.latitude, shop.longitude)
    if shop.ready_minutes is not None:
        found["sdo:deliveryLeadTime"] = _duration(shop.ready_minutes, "MIN")
    return found


# --- Hours ---------------------------------------------------------------------------------------


def _hours(told: Hours) -> Document:
    weekly: list[Document] = []
    for (opens, closes), spans in itertools.groupby(
        sorted(told.weekly, key=lambda span: (span.opens, span.closes, span.day)),
        key=lambda span: (span.opens, span.closes),
    ):
        days = [f"{terms.SDO}{DAYS[span.day]}" for span in spans]
        weekly.append(_specification(opens, closes) | {"sdo:dayOfWeek": days})
    if told.closed_on_holidays:
        weekly.append(_specification(0, 0) | {"sdo:dayOfWeek": [f"{terms.SDO}{HOLIDAYS}"]})
    found: Document = {
        "sdo:openingHoursSpecification": weekly,
        "sdo:openingHours": [
            f"{_days_code(first, last)} {_clock(opens)}-{_closing(opens, closes)}"
            for first, last, spans in hours_typed.runs(told.weekly)
            for opens, closes in spans
        ],
    }
    if told.special:
        found["sdo:specialOpeningHoursSpecification"] = [
            _specification(opens, closes)
            | {"sdo:validFrom": days.first.isoformat(), "sdo:validThrough": days.last.isoformat()}
            | ({"sdo:description": days.note} if days.note else {})
            for days in told.special
            for opens, closes in days.spans or ((0, 0),)
        ]
    return found


def _specification(opens: int, closes: int) -> Document:
    """One stretch. Closing before opening means the next day; at the same time, not at all."""
    return {
        "type": "sdo:OpeningHoursSpecification",
        "sdo:opens": _clock(opens),
        "sdo:closes": _closing(opens, closes),
    }


def _closing(opens: int, closes: int) -> str:
    # schema.org's times end before 24:00: a whole day is told as 00:00 to 23:59.
    return "23:59" if (opens, closes) == (0, hours.DAY) else _clock(closes)


def _clock(minutes: int) -> str:
    hour, minute = divmod(minutes % hours.DAY, 60)
    return f"{hour:02d}:{minute:02d}"


def _days_code(first: int, last: int) -> str:
    return DAYS[first][:2] if first == last else f"{DAYS[first][:2]}-{DAYS[last][:2]}"


def hours_from(found: Document) -> Hours | None:
    """The hours of a shop; None where it tells none, or none that can be used."""
    weekly = found.get("sdo:openingHoursSpecification")
    specials = found.get("sdo:specialOpeningHoursSpecification")
    if weekly is None and specials is None:
        return _hours_from_text(found.get("sdo:openingHours"))
    spans: list[Span] = []
    closed_on_holidays = usable = False
    for one in _objects(weekly):
        stretch = _stretch(one)
        days = {terms.local_name(day) for day in documents.as_list(one.get("sdo:dayOfWeek"))[:8]}
        if stretch is None or not days & {*DAYS, HOLIDAYS}:
            continue
        usable = True
        opens, closes = stretch
        if opens == closes:
            closed_on_holidays |= HOLIDAYS in days
        else:
            spans += [Span(day, opens, closes) for day, name in enumerate(DAYS) if name in days]
    special = _specials_from(specials)
    if not usable and not special and weekly != []:
        return None
    week = hours.tidy_week(spans)
    kept = [
        span
        for _, of_day in itertools.groupby(week, key=lambda span: span.day)
        for span in itertools.islice(of_day, hours.SPANS_A_DAY_MOST)
    ]
    return Hours(tuple(kept), special, closed_on_holidays)


def _specials_from(told: object) -> tuple[SpecialDays, ...]:
    by_days: dict[tuple[date, date], tuple[list[tuple[int, int]], str]] = {}
    for one in _objects(told):
        first, last = _date(one.get("sdo:validFrom")), _date(one.get("sdo:validThrough"))
        stretch = _stretch(one)
        if first is None or last is None or stretch is None:
            continue
        note = documents.text(one.get("sdo:description"), hours.NOTE_MOST) or ""
        spans, _ = by_days.setdefault((first, last), ([], " ".join(note.split())))
        if stretch[0] != stretch[1]:
            spans.append(stretch)
    found = [
        SpecialDays(first, last, hours.tidy(spans)[: hours.SPANS_A_DAY_MOST], note)
        for (first, last), (spans, note) in by_days.items()
    ]
    usable = [days for days in found if hours.problem(Hours((), (days,))) is None]
    return tuple(usable[: hours.SPECIAL_MOST])


def _hours_from_text(told: object) -> Hours | None:
    """schema.org's short form, "Tu-Sa 09:00-12:30", where it stands alone."""
    lines = [one for one in documents.as_list(told)[:SPECS_READ] if isinstance(one, str)]
    try:
        return hours_typed.parse("; ".join(lines)) if lines else None
    except errors.Invalid:
        return None


def _stretch(one: Document) -> tuple[int, int] | None:
    """Opening and closing in minutes; both 0 for closed all day; None for what is no time."""
    if one.get("sdo:opens") is None and one.get("sdo:closes") is None:
        return 0, 0
    opens, closes = _minutes(one.get("sdo:opens")), _minutes(one.get("sdo:closes"))
    if opens is None or closes is None or opens == hours.DAY:
        return None
    if closes == opens:
        return 0, 0
    if closes == hours.DAY - 1:
        closes = hours.DAY
    return opens, closes + hours.DAY if closes < opens else closes


def _minutes(told: object) -> int | None:
    match = (
        re.fullmatch(r"([01][0-9]|2[0-4]):([0-5][0-9])(?::[0-5][0-9](?:\.0+)?)?", told)
        if isinstance(told, str) and len(told) <= 20
        else None
    )
    minutes = int(match[1]) * 60 + int(match[2]) if match else None
    return minutes if minutes is not None and minutes <= hours.DAY else None


def _date(told: object) -> date | None:
    if not isinstance(told, str) or not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9])", told):
        return None
    try:
        return date.fromisoformat(told[:10])
    except ValueError:
        return None


# --- Payment and access --------------------------------------------------------------------------


def payments_from(found: Document) -> tuple[str, ...]:
    """The means of payment that are known here."""
    told = documents.as_list(found.get("sdo:acceptedPaymentMethod"))[:SPECS_READ]
    return shops.in_order(one for one in told if isinstance(one, str))


def step_free_from(found: Document) -> bool | None:
    """Whether it can be entered without a step; None where it does not say."""
    for one in _objects(found.get("sdo:amenityFeature")):
        if one.get("sdo:name") == STEP_FREE and isinstance(one.get("sdo:value"), bool):
            return bool(one["sdo:value"])
    return None


# --- Delivery ------------------------------------------------------------------------------------


def _delivery(terms_of: DeliveryTerms, latitude: float | None, longitude: float | None) -> Document:
    where: list[Document] = [
        {"type": "sdo:AdministrativeArea", "sdo:identifier": terms.place_reference(place)}
        for place in terms_of.places
    ]
    if terms_of.radius_km is not None:
        circle: Document = {
            "type": "sdo:GeoCircle",
            "sdo:geoRadius": round(terms_of.radius_km * 1000),  # in metres
        }
        if latitude is not None and longitude is not None:
            circle["sdo:geoMidpoint"] = {
                "type": "sdo:GeoCoordinates",
                "sdo:latitude": latitude,
                "sdo:longitude": longitude,
            }
        where.append(circle)
    found: Document = {"type": "sdo:OfferShippingDetails", "sdo:shippingDestination": where}
    if terms_of.price_cents is not None:
        found["sdo:shippingRate"] = _amount(terms_of.price_cents)
        if terms_of.free_from_cents is not None:
            found["sdo:shippingRate"] = {
                "type": "sdo:ShippingRateSettings",
                "sdo:shippingRate": found["sdo:shippingRate"],
                "sdo:freeShippingThreshold": _amount(terms_of.free_from_cents),
            }
    if terms_of.days:
        found["sdo:deliveryTime"] = _when(terms_of)
    return found


def _when(terms_of: DeliveryTerms) -> Document:
    found: Document = {
        "type": "sdo:ShippingDeliveryTime",
        "sdo:businessDays": {
            "type": "sdo:OpeningHoursSpecification",
            "sdo:dayOfWeek": [f"{terms.SDO}{DAYS[day]}" for day in terms_of.days],
        },
    }
    if terms_of.ahead_days is not None:
        found["sdo:handlingTime"] = _duration(terms_of.ahead_days, "DAY")
    if terms_of.cutoff is not None:
        found["sdo:cutoffTime"] = _clock(terms_of.cutoff)
    return found


def _duration(value: int, unit: str) -> Document:
    """How long at least, in a unit of UN/CEFACT: MIN or DAY."""
    return {"type": "sdo:QuantitativeValue", "sdo:minValue": value, "sdo:unitCode": unit}


def _amount(cents: int) -> Document:
    return {
        "type": "sdo:MonetaryAmount",
        "sdo:value": prices.amount(cents),
        "sdo:currency": CURRENCY,
    }


def delivery_from(found: Document) -> DeliveryTerms | None:
    """Where a shop delivers; None where it tells no place and no radius."""
    places: list[str] = []
    radius = price = free_from = None
    days: tuple[int, ...] = ()
    ahead = cutoff = None
    for one in _objects(found.get("sdo:shippingDetails")):
        for where in _objects(one.get("sdo:shippingDestination")):
            place = terms.place_from(where.get("sdo:identifier"))
            if place is not None and place not in places:
                places.append(place)
            radius = radius or _radius(where.get("sdo:geoRadius"))
        rate = documents.first(one.get("sdo:shippingRate"))
        if price is None and isinstance(rate, dict):
            inner = documents.first(rate.get("sdo:shippingRate"))
            price = _cents(inner if isinstance(inner, dict) else rate)
            free_from = _cents(documents.first(rate.get("sdo:freeShippingThreshold")))
        when = documents.first(one.get("sdo:deliveryTime"))
        if not days and isinstance(when, dict):
            days = _days_of(when)
            ahead = _least(when.get("sdo:handlingTime"), "DAY", bringing.AHEAD_MOST)
            cutoff = _cutoff(when.get("sdo:cutoffTime"))
    if not places and radius is None:
        return None
    return DeliveryTerms(
        tuple(places[: bringing.PLACES_MOST]),
        radius,
        price,
        free_from if price is not None else None,
        days,
        ahead if days else None,
        cutoff if days else None,
    )


def _days_of(when: Document) -> tuple[int, ...]:
    names = {
        terms.local_name(day)
        for one in _objects(when.get("sdo:businessDays"))
        for day in documents.as_list(one.get("sdo:dayOfWeek"))[:8]
    }
    return tuple(day for day, name in enumerate(DAYS) if name in names)


def _least(told: object, unit: str, most: int) -> int | None:
    """A whole number of a unit, from 0 to `most`, as its least value or simply its value."""
    one = documents.first(told)
    if not isinstance(one, dict) or one.get("sdo:unitCode") != unit:
        return None
    value = one.get("sdo:minValue", one.get("sdo:value"))
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        return None
    return value


def _cutoff(told: object) -> int | None:
    minutes = _minutes(told)
    return minutes if minutes is not None and 0 < minutes < hours.DAY else None


def ready_from(found: Document) -> int | None:
    """After how many minutes things can be fetched; None where it does not say."""
    return _least(found.get("sdo:deliveryLeadTime"), "MIN", bringing.READY_MOST) or None


def _radius(metres: object) -> float | None:
    if isinstance(metres, bool) or not isinstance(metres, int | float):
        return None
    return round(metres) / 1000 if 1 <= metres <= bringing.KM_MOST * 1000 else None


def _cents(amount: object) -> int | None:
    if not isinstance(amount, dict) or amount.get("sdo:currency", CURRENCY) != CURRENCY:
        return None
    return terms.cents(amount.get("sdo:value"))


def _objects(told: object) -> Iterator[Document]:
    several: Iterable[object] = documents.as_list(told)[:SPECS_READ]
    return (one for one in several if isinstance(one, dict))
