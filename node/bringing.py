"""Where a shop brings things, and when: the day on which what is asked for now comes, and how soon
it can be fetched instead."""

import re
from datetime import date, datetime, timedelta

from node import errors, hours, hours_typed, prices
from node.holidays import is_holiday
from node.model import DeliveryTerms, FoundShop, Shop

PLACES_MOST = 100
KM_MOST = 500
AHEAD_MOST = 30  # days between asking and the first day on which it can come
READY_MOST = 14 * 24 * 60  # minutes
_LOOKED_AT = 60  # days ahead: whoever is away for longer names no day


def parse_days(text: str) -> tuple[int, ...]:
    """Days of the week as people write them: "mar jeu", "lun-ven", "tous les jours".

    None for nothing. Raises errors.Invalid.
    """
    if not text.strip():
        return ()
    try:
        week = hours_typed.parse(f"{text} 9h-10h").weekly
    except errors.Invalid:
        week = ()
    if not week or any((span.opens, span.closes) != (540, 600) for span in week):
        raise errors.Invalid(
            "bad-days",
            f"{text!r} are no days of the week such as: mar jeu",
            fields={"days": "are no days of the week"},
        )
    return tuple(sorted({span.day for span in week}))


def parse_clock(text: str) -> int | None:
    """Minutes of a day from "12h", "12:00", "18h30"; None for nothing. Raises errors.Invalid."""
    if not text.strip():
        return None
    match = re.fullmatch(r"([0-9]{1,2}) ?(?:[h:] ?([0-5][0-9])?)?", text.strip().lower())
    minutes = int(match[1]) * 60 + int(match[2] or 0) if match else 0
    if not 0 < minutes < hours.DAY:
        raise errors.Invalid(
            "bad-time", f"{text!r} is no hour such as 12h30", fields={"until": "is no hour"}
        )
    return minutes


def problem(terms: DeliveryTerms) -> str | None:
    """A sentence about terms that cannot be used."""
    if not terms.places and terms.radius_km is None:
        return "delivery needs the communes it goes to, or how many kilometres it reaches"
    if len(terms.places) > PLACES_MOST:
        return f"delivery names at most {PLACES_MOST} communes; give a radius instead"
    if terms.radius_km is not None and not 0 < terms.radius_km <= KM_MOST:
        return f"delivery reaches more than 0 and at most {KM_MOST} kilometres"
    if terms.radius_km is not None and round(terms.radius_km, 3) != terms.radius_km:
        return "delivery reaches a whole number of metres"
    for cents in (terms.price_cents, terms.free_from_cents):
        if cents is not None and not 0 <= cents <= prices.CENTS_MOST:
            return "the price of delivery must be 0 or more, and less than 10 million"
    if terms.free_from_cents is not None and terms.price_cents is None:
        return "delivery that is free from an amount on has a price below it: say that too"
    if not all(0 <= day <= 6 for day in terms.days) or sorted(set(terms.days)) != list(terms.days):
        return "the days of delivery are days of the week"
    if terms.ahead_days is not None and not 0 <= terms.ahead_days <= AHEAD_MOST:
        return f"delivery comes 0 to {AHEAD_MOST} days after it was asked for"
    if terms.cutoff is not None and not 0 < terms.cutoff < hours.DAY:
        return "the hour until which is asked for the same day is an hour such as 12:00"
    if not terms.days and (terms.ahead_days is not None or terms.cutoff is not None):
        return "say on which days things are delivered too"
    return None


def goes_to(shop: Shop | FoundShop, place: str | None, distance_km: float | None) -> bool:
    """Whether a shop delivers to a place (its id), `distance_km` away where that is known."""
    terms = shop.delivery
    if terms is None:
        return False
    if place is not None and place in terms.places:
        return True
    return (
        terms.radius_km is not None and distance_km is not None and distance_km <= terms.radius_km
    )


def next_day(shop: Shop | FoundShop, now: datetime) -> date | None:
    """The day on which what is asked for at `now` comes; None where the shop tells no days.

    By the shop's own clock, and never on a public holiday, nor while it is away.
    """
    terms, zone = shop.delivery, hours.zone_of(shop.place)
    if terms is None or not terms.days or zone is None:
        return None
    local = now.astimezone(zone)
    late = terms.cutoff is not None and local.hour * 60 + local.minute >= terms.cutoff
    first = local.date() + timedelta(days=(terms.ahead_days or 0) + late)
    department = hours.department_of(shop.place)
    for number in range(_LOOKED_AT):
        day = first + timedelta(days=number)
        if day.weekday() not in terms.days:
            continue
        if department is not None and is_holiday(day, department):
            continue
        special = hours.special_on(shop.hours, day) if shop.hours is not None else None
        if special is None or special.spans:
            return day
    return None
