"""`/ma-boutique/{shop}/livraison`: how soon things can be fetched at the shop; where it delivers,
for how much, and on which days."""

import dataclasses
import sqlite3
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from node import bringing, bringing_said, errors, phrases, prices, shops, territory
from node.model import DeliveryTerms, Shop
from node.store import places
from node.translation import Translator
from node.web import forms, merchant, render, sessions, state

# How soon things can be fetched, to choose from, in minutes.
READY = (15, 30, 60, 2 * 60, 4 * 60, 24 * 60, 2 * 24 * 60, 3 * 24 * 60, 7 * 24 * 60)
AHEAD = (0, 1, 2, 3, 5, 7, 14)


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the fields, as it was typed."""

    ready: str = ""
    places: str = ""
    km: str = ""
    price: str = ""
    free_from: str = ""
    days: tuple[int, ...] = ()
    ahead: str = ""
    until: str = ""


async def page(request: Request) -> Response:
    """The form, and what it brings."""
    desk = await merchant.desk_of(request)
    if isinstance(desk, Response):
        return desk
    site = state.of(request)
    say = render.speak(request)
    problems: dict[str, str] = {}
    if request.method == "POST":
        async with forms.read(request) as form:
            typed = _typed_in(form)
            none = form.line("deed", 10) == "none"
        if none:
            typed = Typed(ready=typed.ready)
        problems = await site.database.write(_save, desk.shop.handle, typed, say, site.clock())
        if not problems:
            return sessions.see_other(
                request, f"/ma-boutique/{desk.shop.handle}/livraison?fait=livraison"
            )
    else:
        typed = await site.database.read(_typed_of, desk.shop)
    chosen = {desk.shop.ready_minutes, *READY} - {None}
    minutes = sorted(one for one in chosen if one is not None)
    ahead = sorted({*AHEAD, *([desk.shop.delivery.ahead_days or 0] if desk.shop.delivery else [])})
    return merchant.page(
        request,
        "delivery",
        desk,
        status=422 if problems else 200,
        errors=problems,
        typed=typed,
        readies=[
            ("", say("I do not say")),
            *((str(one), phrases.lasting(say, one)) for one in minutes),
        ],
        aheads=[("", "—"), *((str(one), _ahead(say, one)) for one in ahead)],
        weekdays=[(day, phrases.weekday(say, day)) for day in range(7)],
        said=await site.database.read(bringing_said.terms, desk.shop.delivery, say),
        ready=bringing_said.ready(desk.shop, say),
    )


def _ahead(say: Translator, days: int) -> str:
    if days < 2:
        return say("the day before") if days else say("the same day")
    return say("{count} days before").format(count=days)


def _typed_in(form: forms.Form) -> Typed:
    return Typed(
        ready=form.line("ready", 10),
        places=form.line("places", 2000),
        km=form.line("km", 10),
        price=form.line("price", 20),
        free_from=form.line("free_from", 20),
        days=tuple(day for day in range(7) if form.is_set(f"day-{day}")),
        ahead=form.line("ahead", 5),
        until=form.line("until", 10),
    )


def _typed_of(db: sqlite3.Connection, shop: Shop) -> Typed:
    """What a shop tells, as it would have been typed."""
    ready = "" if shop.ready_minutes is None else str(shop.ready_minutes)
    terms = shop.delivery
    if terms is None:
        return Typed(ready=ready)
    named = [territory.label(place) for one in terms.places if (place := places.get(db, one))]
    return Typed(
        ready=ready,
        places=", ".join(named),
        km="" if terms.radius_km is None else f"{terms.radius_km:g}".replace(".", ","),
        price=_amount(terms.price_cents),
        free_from=_amount(terms.free_from_cents),
        days=terms.days,
        ahead="" if terms.ahead_days is None else str(terms.ahead_days),
        until="" if terms.cutoff is None else f"{terms.cutoff // 60}:{terms.cutoff % 60:02d}",
    )


def _amount(cents: int | None) -> str:
    return "" if cents is None else prices.amount(cents).replace(".", ",")


def _save(
    db: sqlite3.Connection, handle: str, typed: Typed, say: Translator, now: datetime
) -> dict[str, str]:
    """Writes it; or says, for each field that cannot be used, why. Raises errors.NotFound."""
    problems: dict[str, str] = {}
    shop = shops.get_open(db, handle)
    place = places.get(db, shop.place) if shop.place else None
    if place is None:
        raise errors.NotFound("unknown-place")
    terms = _terms(db, typed, say, problems)
    ready = _number(typed.ready, "ready", bringing.READY_MOST, say, problems)
    if problems:
        return problems
    draft = dataclasses.replace(
        shops.draft_of(shop, place), delivery=terms, ready_minutes=ready or None
    )
    shops.revise_shop(db, draft, now)
    return {}


def _terms(
    db: sqlite3.Connection, typed: Typed, say: Translator, problems: dict[str, str]
) -> DeliveryTerms | None:
    """What was typed about delivery; None where nothing was."""
    if typed == Typed(ready=typed.ready):
        return None
    found: dict[str, None] = {}
    for name in typed.places.replace(";", ",").split(","):
        if name.strip():
            meant = territory.understand(db, name.strip(), say)
            if meant.place is None:
                problems["places"] = say(
                    "“{name}” is not known, or there are several: add its postal code"
                ).format(name=name.strip()[:60])
                break  # spelling costs time, and others who write wait
            found[meant.place.id] = None
    price = _cents(typed.price, "price", say, problems)
    free_from = _cents(typed.free_from, "free_from", say, problems)
    if free_from is not None and price is None and "price" not in problems:
        problems["price"] = say("Say what it costs below that amount")
    km, until = None, None
    try:
        km = prices.parse_quantity(typed.km) / 1000 if typed.km else None
    except errors.Invalid:
        problems["km"] = say("How far is a number of kilometres, for example 5")
    if km is not None and not 0 < km <= bringing.KM_MOST:
        problems["km"] = say("How far is a number of kilometres, for example 5")
    try:
        until = bringing.parse_clock(typed.until)
    except errors.Invalid:
        problems["until"] = say("This is no hour such as 12:00")
    if not found and km is None and "places" not in problems and "km" not in problems:
        problems["places"] = say("Say which communes you deliver to, or how many kilometres far")
    if len(found) > bringing.PLACES_MOST:
        problems["places"] = say("These are more than 100 communes: say how many kilometres far")
    ahead = _number(typed.ahead, "ahead", bringing.AHEAD_MOST, say, problems)
    if not typed.days and (ahead is not None or until is not None):
        problems["day-0"] = say("Say on which days you deliver")
    return DeliveryTerms(tuple(found), km, price, free_from, typed.days, ahead, until)


def _number(
    text: str, field: str, most: int, say: Translator, problems: dict[str, str]
) -> int | None:
    """One of those that there are to choose from; None for none."""
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 6 else None
    if text and (number is None or number > most):
        problems[field] = say("Choose one of these")
        return None
    return number


def _cents(text: str, field: str, say: Translator, problems: dict[str, str]) -> int | None:
    if not text:
        return None
    if text.strip(" €") in ("0", "0,00", "0.00"):
        return 0
    try:
        return prices.parse_price(text)
    except errors.Invalid:
        problems[field] = say("The price must be a number, for example 12.50")
        return None
