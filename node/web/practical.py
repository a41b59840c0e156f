"""What one needs to know before going to a shop, in words."""

import re
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from node import bringing_said, hours, phrases, prices
from node.model import (
    Availability,
    Condition,
    Kind,
    Listing,
    Offer,
    Place,
    ReductionKind,
    Shop,
)
from node.store import places
from node.translation import Translator
from node.web import opening, searching, shown


@dataclass(frozen=True, slots=True)
class Stock:
    """Whether it can be had, in words."""

    words: str
    style: str  # done, wait or stop


@dataclass(frozen=True, slots=True)
class Facts:
    """A shop, said. Empty where nobody told."""

    name: str
    summary: str
    address: str
    place: Place | None
    phone: str
    phone_link: str
    payments: str
    access: str
    delivery: str
    ready: str
    timetable: opening.Timetable | None
    map_application: str  # geo: address, where its point is known
    map_page: str  # a map on the web, followed only by who presses it


def facts(db: sqlite3.Connection, say: Translator, shop: Shop, now: datetime) -> Facts:
    """What is told of a shop."""
    place = places.get(db, shop.place) if shop.place else None
    name = shown.line(shop.name, 120)
    address = shown.line(
        ", ".join(part for part in (shop.address, place.name if place else None) if part), 250
    )
    return Facts(
        name=name,
        summary=shown.paragraphs(shop.summary or "", 500),
        address=address,
        place=place,
        phone=shown.line(shop.phone or "", 40),
        phone_link=f"tel:{re.sub(r'[^0-9+]', '', shop.phone)}" if shop.phone else "",
        payments=_sentence(", ".join(searching.payment(say, one) for one in shop.payments)),
        access=""
        if shop.step_free is None
        else say("Step-free entrance")
        if shop.step_free
        else say("There is a step at the entrance"),
        delivery=bringing_said.terms(db, shop.delivery, say),
        ready=bringing_said.ready(shop, say),
        timetable=opening.timetable(say, shop.hours, shop.place, now)
        if shop.hours and hours.zone_of(shop.place)
        else None,
        map_application=""
        if shop.latitude is None
        else f"geo:{shop.latitude},{shop.longitude}?q={shop.latitude},{shop.longitude}"
        f"({quote(name)})",
        map_page=_map_page(shop, address),
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _map_page(shop: Shop, address: str) -> str:
    site = "https://www.openstreetmap.org"
    if shop.latitude is not None:
        at = f"{shop.latitude}/{shop.longitude}"
        return f"{site}/?mlat={shop.latitude}&mlon={shop.longitude}#map=18/{at}"
    return f"{site}/search?query={quote(address)}" if shop.address else ""


def stock(say: Translator, offer: Offer) -> Stock:
    """Whether an offer can be had."""
    if offer.availability is Availability.IN_STOCK and offer.stock == 1:
        return Stock(say("The last one"), "wait")
    style = {
        Availability.IN_STOCK: "done",
        Availability.LIMITED: "wait",
        Availability.ON_ORDER: "wait",
        Availability.OUT_OF_STOCK: "stop",
    }[offer.availability]
    return Stock(say.availability(offer.availability), style)


def reduction_kind(say: Translator, kind: ReductionKind) -> str:
    """What a reduction is called."""
    return {
        ReductionKind.PROMOTION: say("Promotion"),
        ReductionKind.SALES: say("Soldes (seasonal sales)"),
        ReductionKind.CLEARANCE: say("Clearance"),
        ReductionKind.PERISHABLE: say("Against waste"),
    }[kind]


def reduction(say: Translator, offer: Offer, place: str | None, now: datetime) -> str:
    """What a reduced price is reduced from, since when and until when; "" for one that is not."""
    cut = prices.current_reduction(offer, now)
    if cut is None:
        return ""
    zone = hours.zone_of(place)
    first = phrases.day(say, cut.since.astimezone(zone))
    kind = reduction_kind(say, cut.kind)
    if cut.until is None:
        when = say("{kind} since {first}.").format(kind=kind, first=first)
    else:
        last = phrases.day(say, (cut.until - timedelta(seconds=1)).astimezone(zone))
        when = say("{kind} from {first} to {last}.").format(kind=kind, first=first, last=last)
    amount = say.money(cut.reference_cents, offer.currency)
    against = (
        say("{amount} was the price just before.")
        if cut.kind is ReductionKind.PERISHABLE
        else say("{amount} was the lowest price of the 30 days before.")
    ).format(amount=amount)
    return f"{when} {against}"


def condition(say: Translator, found: Condition) -> str:
    """How worn a thing is; nothing for a new one."""
    return {
        Condition.NEW: "",
        Condition.REFURBISHED: say("Refurbished"),
        Condition.USED: say("Second-hand"),
        Condition.DAMAGED: say("Damaged"),
    }[found]


def ways(say: Translator, found: Listing) -> str:
    """How it is had: fetched, delivered, or both."""
    if found.kind is Kind.SERVICE:
        return ""
    if found.pick_up and found.delivered:
        return say("To be fetched at the shop or delivered")
    return say("Delivered only") if found.delivered else say("To be fetched at the shop")
