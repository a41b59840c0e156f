"""Ordering, as residents do it, at a shop that sells at a distance.

The page shows what it costs in all, then everything that has to be read before a contract is
concluded (Code de la consommation, L221-5), and last the button that says what it means (L221-14).
Who orders is sealed as with a reservation (`node/web/reserving.py`), by the same script; without it
there is nothing to press, since an order nobody's name goes with could not be delivered.
"""

import hashlib
import re
import secrets
import sqlite3
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from node import bringing_said, errors, order_notices, orders, reservations, sealing, selling
from node import siret as numbers
from node.model import Condition, Exempt, Listing, Offer, Selling, Shop, ShopKeys
from node.selling import Quote
from node.store import listings, places, shop_keys, shops
from node.store import orders as rows
from node.translation import Translator
from node.web import cards, forms, render, reserving, sessions, shown, state, strangers

_SLUG = re.compile(r".{0,80}-([0-9a-f]{8})")


@dataclass(frozen=True, slots=True)
class Found:
    """A listing that can be ordered now, of a shop that sells at a distance."""

    shop: Shop
    listing: Listing
    said: Selling
    keys: ShopKeys
    offers: tuple[Offer, ...]
    delivery: str  # where the shop delivers, in words
    place: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is ordered, and what is read before: the terms, and a mark of them and the amounts."""

    quote: Quote
    offer: Offer
    item: str
    contract: Markup
    mark: str


def address(db: sqlite3.Connection, request: Request, shop: Shop, listing: Listing) -> str:
    """Where a listing of ours is ordered; empty where it cannot be."""
    if _find_in(db, render.speak(request), state.of(request), shop, listing) is None:
        return ""
    path = listing.url.removeprefix(state.of(request).uris.origin)
    return f"{render.prefix(request)}{path}/commander"


def _find_in(
    db: sqlite3.Connection, say: Translator, site: state.Site, shop: Shop, listing: Listing
) -> Found | None:
    said = selling.open_for(db, shop)
    if said is None or not selling.may_be_ordered(shop, said, listing, site.law):
        return None
    offers = tuple(
        one
        for one in listing.offers
        if selling.has_price(one) and reservations.can_be_reserved(listing, one)
    )
    keys = shop_keys.current(db, shop.id)
    if not offers or keys is None:
        return None
    place = places.get(db, shop.place) if shop.place else None
    delivery = bringing_said.terms(db, shop.delivery, say)
    return Found(shop, listing, said, keys, offers, delivery, place.name if place else "")


def _find(
    db: sqlite3.Connection, request: Request, handle: str, prefix: str
) -> tuple[bool, Found | None]:
    """Whether there is such a listing, and as it can be ordered now."""
    shop = shops.get_own(db, handle)
    listing = listings.get_of_shop(db, shop.id, prefix) if shop is not None else None
    if shop is None or listing is None:
        return False, None
    return True, _find_in(db, render.speak(request), state.of(request), shop, listing)


async def page(request: Request) -> Response:
    """`/@{shop}/{slug}-{8 hex}/commander`: what it costs, what holds, and the order."""
    site = state.of(request)
    match = _SLUG.fullmatch(request.path_params["slug"])
    if match is None:
        return await render.error(request, 404)
    handle = request.path_params["handle"]
    if request.method == "POST":
        return await _order(request, handle, match[1])
    is_there, found = await site.database.read(_find, request, handle, match[1])
    if found is None:
        return await render.error(request, 410 if is_there else 404)
    query = request.query_params
    return _form(
        request,
        found,
        {},
        offer=query.get("offer", "")[:40],
        quantity=query.get("quantity", "1")[:6],
        brought=query.get("brought", "")[:5],
    )


def _choose(request: Request, found: Found, offer_id: str, quantity: str, brought: str) -> Chosen:
    """What is chosen, with all that holds for it. Raises errors.NodeError for what cannot be."""
    site = state.of(request)
    say = render.speak(request)
    offer = next((one for one in found.offers if one.id == offer_id), None)
    if offer is None:
        raise errors.NotFound("unknown-offer", "There is no such offer.")
    quote = selling.quote(
        found.shop,
        found.said,
        found.listing,
        offer,
        int(quantity) if re.fullmatch(r"[0-9]{1,3}", quantity) else 0,
        brought == "1",
        site.law,
    )
    item = _item(found.listing, offer)
    text = site.pages.render(
        "reserve/contract.html",
        render.language(request),
        shop=found.shop,
        shop_name=shown.line(found.shop.name, 120),
        shop_address=shown.line(
            ", ".join(part for part in (found.shop.address, found.place) if part), 250
        ),
        phone=shown.line(found.shop.phone or "", 40),
        said=found.said,
        siret=numbers.written(found.said.siret),
        terms=shown.paragraphs(found.said.terms, selling.TERMS_MOST),
        delivery=found.delivery,
        item=item,
        used=found.listing.condition is not Condition.NEW,
        rows=bill(say, quote, offer),
        total=say.money(quote.total_cents, "EUR"),
        quote=quote,
        days=site.law.withdrawal_days,
        answered=orders.ANSWERED_WITHIN.days,
        why=exempt(say, quote.exempt),
    )
    mark = hashlib.sha256(f"{quote.total_cents} {text}".encode()).hexdigest()[:32]
    return Chosen(quote, offer, item, Markup(text), mark)  # noqa: S704 (a template of ours)


def _item(listing: Listing, offer: Offer) -> str:
    return shown.line(", ".join((listing.name, *offer.axes.values())), 200)


def bill(say: Translator, quote: Quote, offer: Offer) -> list[tuple[str, str]]:
    """What makes up the total, in words and amounts."""
    price = say.money(offer.price_cents or 0, "EUR")
    goods = say("{count} × {price}").format(count=quote.quantity, price=price)
    way = say("Delivery") if quote.brought else say("Fetched at the shop")
    cost = say.money(quote.delivery_cents, "EUR") if quote.delivery_cents else say("free of charge")
    return [(goods, say.money(quote.goods_cents, "EUR")), (way, cost)]


def exempt(say: Translator, why: Exempt) -> str:
    """Why there is no right of withdrawal; "" where there is."""
    return {
        Exempt.NO: "",
        Exempt.PERISHABLE: say(
            "You have no right of withdrawal: goods that spoil quickly are exempt "
            "(French consumer code, L221-28, 4°)."
        ),
        Exempt.MADE_TO_MEASURE: say(
            "You have no right of withdrawal: goods made to measure or personalised are exempt "
            "(French consumer code, L221-28, 3°)."
        ),
    }[why]


def _form(
    request: Request,
    found: Found,
    problems: dict[str, str],
    *,
    offer: str,
    quantity: str,
    brought: str,
    status: int = 200,
) -> Response:
    site = state.of(request)
    say = render.speak(request)
    there = selling.ways(found.shop, found.listing)
    ids = {one.id for one in found.offers}
    offer = offer if offer in ids else found.offers[0].id
    brought = brought if (brought == "1") in there and brought in ("0", "1") else str(int(there[0]))
    chosen: Chosen | None = None
    try:
        chosen = _choose(request, found, offer, quantity, brought)
    except errors.NodeError as error:
        problems = {**_sentences(error, say), **problems}
        status = 422 if status == 200 else status
    path = found.listing.url.removeprefix(site.uris.origin)
    back = f"{render.prefix(request)}{path}"
    words = {True: say("Brought to me"), False: say("I fetch it at the shop")}
    return reserving.script_page(
        request,
        "reserve/order.html",
        "reserve.js",
        status=status,
        shop=found.shop,
        shop_name=shown.line(found.shop.name, 120),
        phone=shown.line(found.shop.phone or "", 40),
        listing=found.listing,
        name=shown.line(found.listing.name, cards.NAME_MOST),
        back=back,
        here=f"{back}/commander",
        reserve=f"{back}/reserver",
        offers=[(one.id, reserving.said_offer(say, one)) for one in found.offers],
        ways=[(str(int(way)), words[way]) for way in there],
        offer=offer,
        quantity=quantity,
        brought=brought,
        chosen=chosen,
        agreed="" if chosen is None else _agreed(say, chosen),
        secret=secrets.token_urlsafe(32),
        keys=found.keys,
        key_mark=sealing.fingerprint(sealing.decode(found.keys.owner, sealing.KEY)),
        errors=problems,
    )


def _agreed(say: Translator, chosen: Chosen) -> str:
    """What is sealed with the order, for the shop to see what its customer has read."""
    quote = chosen.quote
    return say("{count} × {item}, {way}, {total} in all; terms {mark}").format(
        count=quote.quantity,
        item=chosen.item,
        way=say("delivered") if quote.brought else say("fetched"),
        total=say.money(quote.total_cents, "EUR"),
        mark=chosen.mark[:8],
    )


async def _order(request: Request, handle: str, prefix: str) -> Response:
    site = state.of(request)
    say = render.speak(request)
    turned_away = await strangers.turn_away(request)
    if turned_away is not None:
        return turned_away
    async with forms.read(request) as form:
        secret = form.line("link", 43)
        typed = {name: form.line(name, 40) for name in ("offer", "quantity", "brought")}
        key, sealed = form.line("key", 19), form.line("sealed", reserving.SEALED_MOST * 4 // 3 + 4)
        mark = form.line("mark", 32)
        agrees, of_age = form.is_set("terms"), form.is_set("of_age")
    if not reserving.SECRET.fullmatch(secret):
        return await render.error(request, 400)
    # Sent again, it is there already, even if nothing is left or the price is another one by now.
    if await site.database.read(rows.exists, sealing.reservation_id(secret)):
        return sessions.see_other(request, f"/reservation/{secret}")
    is_there, found = await site.database.read(_find, request, handle, prefix)
    if found is None:
        return await render.error(request, 410 if is_there else 404)
    try:
        chosen = _choose(request, found, typed["offer"], typed["quantity"], typed["brought"])
        if mark != chosen.mark:
            raise errors.Conflict("terms-changed", "Something changed since it was read.")
        _check_ticked(chosen, agrees, of_age)
        asked = reservations.Asked(
            id=sealing.reservation_id(secret),
            handle=found.shop.handle,
            listing=found.listing.id,
            offer=chosen.offer.id,
            quantity=chosen.quote.quantity,
            key=key or None,
            sealed=sealing.decode(sealed, reserving.SEALED_MOST) if sealed else None,
        )
        agreed = orders.Agreed(chosen.quote, found.said, str(chosen.contract))
        await site.database.write(_make, site, found.shop, asked, agreed, site.clock())
    except errors.TooMany as error:
        return await render.error(request, 429, retry_after=error.retry_after)
    except errors.NotFound:
        return await render.error(request, 410)
    except errors.NodeError as error:
        problems = _sentences(error, say)
        # As they are now.
        _, again = await site.database.read(_find, request, found.shop.handle, found.listing.id[:8])
        if again is None:
            return await render.error(request, 410)
        return _form(
            request,
            again,
            problems,
            offer=typed["offer"],
            quantity=typed["quantity"],
            brought=typed["brought"],
            status=409,
        )
    site.workers.poke()
    return sessions.see_other(request, f"/reservation/{secret}")


def _check_ticked(chosen: Chosen, agrees: bool, of_age: bool) -> None:
    if not agrees:
        raise errors.Invalid("terms", "The terms were not agreed to.")
    if chosen.quote.adults_only and not of_age:
        raise errors.Invalid("of_age", "Nobody said that they are of age.")


def _make(
    db: sqlite3.Connection,
    site: state.Site,
    shop: Shop,
    asked: reservations.Asked,
    agreed: orders.Agreed,
    now: datetime,
) -> None:
    """Orders, and writes down that the shop is told, where this node can send mail."""
    one, is_new = orders.make(db, site.uris, site.law, asked, agreed, reservations.new_code, now)
    if is_new and site.settings.mail.host:
        say = site.pages.speak(site.settings.node.languages[0])
        order_notices.ordered(db, site.uris, say, shop, one, now)


def _sentences(error: errors.NodeError, say: Translator) -> dict[str, str]:
    if error.code == "terms":
        return {"terms": say("Say that you agree to the terms")}
    if error.code == "of_age":
        return {"of_age": say("Only who is of age can order this: say that you are")}
    if error.code == "terms-changed":
        return {"": say("A price or the terms have just changed. Read them again, please.")}
    if error.code == "cannot-be-ordered":
        return {"": say("It cannot be had in this way: choose another one.")}
    return reserving.sentences(error, say)
