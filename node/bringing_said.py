"""Delivery and fetching in words."""

import sqlite3
from datetime import datetime

from node import bringing, hours, hours_said, phrases
from node.model import DeliveryTerms, FoundShop, Place, Shop
from node.store import places
from node.translation import Translator

_PLACES_NAMED = 12


def terms(db: sqlite3.Connection, told: DeliveryTerms | None, say: Translator) -> str:
    """Where, for how much, on which days: "À Pessac, 3,50 €, mardi et jeudi"; "" where nowhere."""
    if told is None:
        return ""
    parts = []
    named = [place.name for one in told.places[:_PLACES_NAMED] if (place := places.get(db, one))]
    if named:
        more = len(told.places) > _PLACES_NAMED
        text = say("{places} and other communes") if more else say("to {places}")
        parts.append(text.format(places=", ".join(named)))
    if told.radius_km is not None:
        far = phrases.distance(say, told.radius_km)
        parts.append(say("up to {distance} away").format(distance=far))
    if told.price_cents == 0:
        parts.append(say("free of charge"))
    elif told.price_cents is not None:
        parts.append(say.money(told.price_cents, "EUR"))
    if told.free_from_cents is not None and told.price_cents != 0:
        amount = say.money(told.free_from_cents, "EUR")
        parts.append(say("free from {amount} on").format(amount=amount))
    if told.days:
        names = [phrases.weekday(say, day) for day in told.days]
        on = say("on {days}").format(days=", ".join(names))
        parts.append(say("every day") if len(names) == 7 else on)
    if told.ahead_days is not None or told.cutoff is not None:
        parts.append(_asked_for(told, say))
    text = ", ".join(parts)
    return text[:1].upper() + text[1:]


def _asked_for(told: DeliveryTerms, say: Translator) -> str:
    """By when it is to be asked for."""
    ahead = told.ahead_days or 0
    text = (
        say("if asked for the same day")
        if ahead == 0
        else say("if asked for the day before")
        if ahead == 1
        else say("if asked for {count} days before").format(count=ahead)
    )
    if told.cutoff is not None:
        clock = hours_said.clock(told.cutoff, say)
        text = say("{asked}, before {time}").format(asked=text, time=clock)
    return text


def brought(shop: Shop | FoundShop, place: Place, now: datetime, say: Translator) -> str:
    """ "Livré à Pessac jeudi": when a shop brings things to a place, of those it goes to."""
    day = bringing.next_day(shop, now)
    if day is None:
        return say("Delivered to {place}").format(place=place.name)
    today = now.astimezone(hours.zone_of(shop.place)).date()
    return say("Delivered to {place} {day}").format(
        place=place.name, day=phrases.coming_day(say, day, today)
    )


def ready(shop: Shop, say: Translator) -> str:
    """ "Prêt en 2 h": how soon a thing can be fetched; "" where nobody told."""
    if shop.ready_minutes is None:
        return ""
    return say("Ready within {time}").format(time=phrases.lasting(say, shop.ready_minutes))
