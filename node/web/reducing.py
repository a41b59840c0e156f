"""A merchant's reductions: what may be announced is computed, what may not is refused."""

import csv
import io
import sqlite3
from dataclasses import dataclass
from datetime import date, datetime

from starlette.requests import Request
from starlette.responses import Response

from node import errors, hours, phrases, prices, reductions
from node.model import Listing, PriceRow, ReductionKind, Shop
from node.reductions import Verdict, Wish
from node.store import listings
from node.store import prices as price_rows
from node.store import reductions as rows
from node.store.times import stamp
from node.translation import Translator
from node.web import content, forms, merchant, own_hours, practical, render, sessions, state


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the fields: a new price for each offer (empty: none), why and when."""

    prices: tuple[str, ...]
    kind: str = ReductionKind.PROMOTION
    first: str = ""
    last: str = ""
    offered: bool = False


async def page(request: Request) -> Response:
    """`/ma-boutique/{shop}/produits/{id}/promotion`: asks, says what it comes to, does it."""
    desk = await merchant.desk_of(request)
    if isinstance(desk, Response):
        return desk
    site = state.of(request)
    say = render.speak(request)
    listing = await site.database.read(merchant.own_listing, desk.shop, request.path_params["id"])
    if listing is None:
        return await render.error(request, 404)
    now = site.clock()
    today = now.astimezone(hours.zone_of(desk.shop.place)).date()
    typed = Typed(tuple("" for _ in listing.offers))
    problems: dict[str, str] = {}
    verdicts: list[Verdict] = []
    if request.method == "POST":
        async with forms.read(request) as form:
            stopped, sure = form.line("stop", 20), form.is_set("sure")
            typed = _typed_in(form, listing)
        if stopped.isascii() and stopped.isdecimal() and len(stopped) <= 12:
            await site.database.write(reductions.stop, site.uris, listing.id, int(stopped), now)
            return _done(request, desk.shop, listing, "arrete")
        wishes, problems = _wishes(say, typed, listing, today)
        if not problems:
            offers = {offer.id: at for at, offer in enumerate(listing.offers)}
            try:
                if sure:
                    verdicts = await site.database.write(
                        reductions.decide, site.uris, desk.shop, listing.id, wishes, now, site.law
                    )
                else:
                    verdicts = await site.database.read(
                        _consider, desk.shop, listing, wishes, site, now
                    )
            except errors.NotFound:
                return await render.error(request, 404)
            for (offer_id, _), verdict in zip(wishes, verdicts, strict=True):
                if not verdict.allowed:
                    field, sentence = _refusal(say, verdict)
                    problems[f"price-{offers[offer_id]}" if field == "price" else field] = sentence
            if sure and not problems:
                return _done(request, desk.shop, listing, "promotion")
    found, history = await site.database.read(_past, listing.id)
    zone = hours.zone_of(desk.shop.place)
    return merchant.page(
        request,
        "reduce",
        desk,
        status=422 if problems else 200,
        listing=listing,
        typed=typed,
        errors=problems,
        said=[_said(say, verdict, site.law.reference_days) for verdict in verdicts]
        if verdicts and not problems
        else [],
        kinds=[(kind.value, practical.reduction_kind(say, kind)) for kind in ReductionKind],
        now_shown=[say.money(one.price_cents, one.currency) if one.price_cents is not None else ""
                   for one in listing.offers],
        current=[
            (row, practical.reduction_kind(say, row.kind), say.money(row.price_cents, row.currency),
             phrases.day(say, row.starts.astimezone(zone)),
             phrases.day(say, own_hours.last_day(row.ends, zone)))
            for row in found if row.state in ("planned", "running")
        ],
        history=[
            (phrases.day(say, row.shown_from.astimezone(zone)),
             say.money(row.price_cents, row.currency) if row.price_cents is not None
             else say("price on request"))
            for row in history[-20:] if len(listing.offers) == 1
        ],
    )  # fmt: skip


def _done(request: Request, shop: Shop, listing: Listing, done: str) -> Response:
    return sessions.see_other(
        request, f"/ma-boutique/{shop.handle}/produits/{listing.id}/promotion?fait={done}"
    )


def _typed_in(form: forms.Form, listing: Listing) -> Typed:
    return Typed(
        prices=tuple(form.line(f"price-{number}", 20) for number in range(len(listing.offers))),
        kind=form.line("kind", 20),
        first=form.line("first", 20),
        last=form.line("last", 20),
        offered=form.is_set("offered"),
    )


def _wishes(
    say: Translator, typed: Typed, listing: Listing, today: date
) -> tuple[list[tuple[str, Wish]], dict[str, str]]:
    problems: dict[str, str] = {}
    first, last = own_hours.day(typed.first), own_hours.day(typed.last)
    if typed.first and first is None:
        problems["first"] = say("This is no date such as 24/12/2026")
    if last is None:
        problems["last"] = say("Say its last day, for example 24/12/2026")
    if typed.kind not in tuple(ReductionKind):
        problems["kind"] = say("There is no such reduction")
    wanted: list[tuple[str, int]] = []
    for number, (offer, text) in enumerate(zip(listing.offers, typed.prices, strict=True)):
        if not text:
            continue
        try:
            wanted.append((offer.id, prices.parse_price(text)))
        except errors.Invalid:
            problems[f"price-{number}"] = say("The price must be a number, for example 12.50")
    if not wanted and not any(name.startswith("price") for name in problems):
        problems["price-0"] = say("Say the reduced price")
    if problems or last is None:
        return [], problems
    kind = ReductionKind(typed.kind)
    return [
        (offer_id, Wish(kind, cents, first or today, last, typed.offered))
        for offer_id, cents in wanted
    ], {}


def _consider(
    db: sqlite3.Connection,
    shop: Shop,
    listing: Listing,
    wishes: list[tuple[str, Wish]],
    site: state.Site,
    now: datetime,
) -> list[Verdict]:
    offers = {offer.id: offer for offer in listing.offers}
    return [
        reductions.consider(db, shop, listing, offers[offer_id], wish, now, site.law)
        for offer_id, wish in wishes
    ]


def _past(db: sqlite3.Connection, listing_id: str) -> tuple[list[rows.Row], list[PriceRow]]:
    return rows.find(db, listing_id), price_rows.find(db, listing_id)


def _refusal(say: Translator, verdict: Verdict) -> tuple[str, str]:
    """The field, and why it may not be announced: with the price and the day that make it so."""
    day = phrases.day(say, verdict.day) if verdict.day else ""
    amount = say.money(verdict.cents, "EUR")
    if verdict.refused == "no-reduction":
        return "price", say(
            "This cannot be announced as a reduction: {amount} was the price on {day}, within the "
            "30 days before. You can change the price without announcing anything."
        ).format(amount=amount, day=day)
    if verdict.refused == "outside-soldes":
        until = phrases.day(say, verdict.shown_since) if verdict.shown_since else ""
        return "kind", say(
            "Soldes are only allowed on their days: here from {first} to {last}."
        ).format(first=day, last=until)
    if verdict.refused == "not-offered-before":
        return "offered", say(
            "Here since {day}: in soldes stands what was offered for a month. Tick the box where "
            "it was in your shop before."
        ).format(day=day)
    return {
        "no-price": ("price", say("It has its price on request: there is nothing to reduce")),
        "never-shown": ("price", say("It was never shown at a price: there is nothing to reduce")),
        "over": ("last", say("The last day comes before the first one, or is over")),
        "too-long": ("last", say("That is more than a year")),
        "too-far": ("first", say("That is more than a year away: plan it when it is nearer")),
        "not-perishable": ("kind", say(
            "Against waste is for what perishes fast: put the product on its shelf first")),
        "no-soldes-here": ("kind", say("No soldes are known where the shop is")),
    }[verdict.refused or ""]  # fmt: skip


def _said(say: Translator, verdict: Verdict, days: int) -> str:
    """What an allowed one comes to."""
    text = say(
        "The reference is {amount}, the lowest price of the {days} days before. People will read "
        "−{percent}%."
    ).format(amount=say.money(verdict.cents, "EUR"), days=days, percent=verdict.percent)
    if verdict.shown_since is not None:
        text += " " + say("It has been shown since {day} only.").format(
            day=phrases.day(say, verdict.shown_since)
        )
    return text


# --- the record ----------------------------------------------------------------------------------


async def record(request: Request) -> Response:
    """`/ma-boutique/{shop}/prix.csv`: every price that was ever shown, for whoever must see it."""
    desk = await merchant.desk_of(request)
    if isinstance(desk, Response):
        return desk
    text = await state.of(request).database.read(_record, desk.shop)
    return content.private(
        text,
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": "attachment; filename=prix.csv",
        },
    )


def _record(db: sqlite3.Connection, shop: Shop) -> str:
    """With semicolons and decimal commas, as spreadsheets here read them."""
    written = io.StringIO()
    table = csv.writer(written, delimiter=";", lineterminator="\r\n")
    table.writerow(("produit", "choix", "depuis", "prix", "monnaie", "identifiant"))
    for listing in listings.find_of_shop(db, shop.id):
        axes = {offer.id: ", ".join(offer.axes.values()) for offer in listing.offers}
        for row in price_rows.find(db, listing.id):
            amount = "" if row.price_cents is None else prices.amount(row.price_cents)
            table.writerow((
                harmless(listing.name), harmless(axes.get(row.offer, "")), stamp(row.shown_from),
                amount.replace(".", ","), row.currency, row.offer,
            ))  # fmt: skip
    return "\ufeff" + written.getvalue()


def harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe before what would begin one."""
    return f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@", "\uff1d")) else text
