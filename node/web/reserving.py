"""Reserving, as residents do it: asking, following, cancelling, erasing; with script and without.

Without script, or where the browser or the shop cannot seal, a reservation is a pick-up code and no
personal word. With it, `static/reserve.js` seals what was typed before it leaves the browser: the
fields that people type into have no name, so no form can ever send them as they are.

The address of a reservation holds a secret, of which the node keeps only a hash (the id). What
stands behind the `#` of it, the key that opens the shop's answer, is never sent at all.
"""

import contextlib
import re
import secrets
import sqlite3
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from node import errors, hours, hours_said, prices, reservation_notices, reservations, sealing
from node.model import Listing, Offer, Reservation, ReservationState, Shop, ShopKeys
from node.store import listings, shop_keys, shops
from node.store import reservations as rows
from node.translation import Translator
from node.web import (
    cards,
    forms,
    middleware,
    opening,
    practical,
    render,
    sessions,
    shown,
    state,
    strangers,
)

SECRET = re.compile(r"[A-Za-z0-9_-]{43}")  # 256 bits
SEALED_MOST = max(sealing.SIZES) + sealing.OVERHEAD


def address(request: Request, listing: Listing) -> str:
    """Where a listing of ours is reserved; empty where it cannot be had now."""
    if not any(reservations.can_be_reserved(listing, offer) for offer in listing.offers):
        return ""
    path = listing.url.removeprefix(state.of(request).uris.origin)
    return f"{render.prefix(request)}{path}/reserver"


def fingerprint(db: sqlite3.Connection, shop: Shop) -> str:
    """The mark of a shop's owner key, as its card has it; empty where it has none."""
    keys = shop_keys.current(db, shop.id)
    return "" if keys is None else sealing.fingerprint(sealing.decode(keys.owner, sealing.KEY))


def script_page(
    request: Request, template: str, script: str, *, status: int = 200, **values: Any
) -> Response:
    """A private page that `static/{script}` makes more of; without it, it works as it is."""
    assets = state.of(request).assets
    return render.page(
        request,
        template,
        status=status,
        private=True,
        headers=middleware.WITH_SCRIPT,
        script=assets.address(script),
        sheet=assets.address("reserve.css"),
        **values,
    )


# --- asking --------------------------------------------------------------------------------------


async def ask(request: Request) -> Response:
    """`/@{shop}/{slug}-{8 hex}/reserver`: the form, and what it brings."""
    site = state.of(request)
    match = re.fullmatch(r".{0,80}-([0-9a-f]{8})", request.path_params["slug"])
    shop, listing, keys = (None, None, None)
    if match is not None:
        shop, listing, keys = await site.database.read(
            _find, request.path_params["handle"], match[1]
        )
    if shop is None or listing is None:
        return await render.error(request, 404)
    if shop.closed is not None or listing.withdrawn is not None:
        return await render.error(request, 410)
    if request.method != "POST":
        return await _form(request, shop, listing, keys, {})
    turned_away = await strangers.turn_away(request)
    if turned_away is not None:
        return turned_away
    async with forms.read(request) as form:
        secret = form.line("link", 43)
        typed = form.line("quantity", 6)
        offer = form.line("offer", 40)
        key, sealed = form.line("key", 19), form.line("sealed", SEALED_MOST * 4 // 3 + 4)
    if not SECRET.fullmatch(secret):
        return await render.error(request, 400)
    say = render.speak(request)
    try:
        asked = reservations.Asked(
            id=sealing.reservation_id(secret),
            handle=shop.handle,
            listing=listing.id,
            offer=offer,
            quantity=int(typed) if re.fullmatch(r"[0-9]{1,3}", typed) else 0,
            key=key or None,
            sealed=sealing.decode(sealed, SEALED_MOST) if sealed else None,
        )
        await site.database.write(_make, site, shop, asked, site.clock())
    except errors.TooMany as error:
        return await render.error(request, 429, retry_after=error.retry_after)
    except errors.NotFound:
        return await render.error(request, 410)
    except errors.NodeError as error:
        problems = sentences(error, say)
        shop, listing, keys = await site.database.read(
            _find, shop.handle, listing.id[:8]
        )  # as they are now
        assert shop is not None
        assert listing is not None
        return await _form(
            request, shop, listing, keys, problems, secret=secret, quantity=typed, chosen=offer
        )
    site.workers.poke()
    return sessions.see_other(request, f"/reservation/{secret}")


def _make(
    db: sqlite3.Connection,
    site: state.Site,
    shop: Shop,
    asked: reservations.Asked,
    now: datetime,
) -> None:
    """Puts it aside and writes down that the shop is told, where this node can send mail."""
    one, is_new = reservations.make(db, site.uris, asked, reservations.new_code, now)
    if is_new and site.settings.mail.host:
        say = site.pages.speak(site.settings.node.languages[0])
        reservation_notices.tell(db, site.uris, say, shop, one, sessions.new_token, now)


def _find(
    db: sqlite3.Connection, handle: str, prefix: str
) -> tuple[Shop | None, Listing | None, ShopKeys | None]:
    shop = shops.get_own(db, handle)
    if shop is None:
        return None, None, None
    return shop, listings.get_of_shop(db, shop.id, prefix), shop_keys.current(db, shop.id)


def sentences(error: errors.NodeError, say: Translator) -> dict[str, str]:
    """Why something could not be put aside, by field; "" is for none."""
    if error.code == "bad-quantity":
        most = reservations.QUANTITY_MOST
        return {"quantity": say("Say how many, from 1 to {most}").format(most=most)}
    return {
        "": {
            "not-enough": say("There is not so much left. Take less, or call the shop."),
            "keys-changed": say("The shop has just changed its key. Please send it once more."),
        }.get(error.code, say("This could not be read. Please reload the page and try again."))
    }


async def _form(
    request: Request,
    shop: Shop,
    listing: Listing,
    keys: ShopKeys | None,
    problems: dict[str, str],
    *,
    secret: str = "",
    quantity: str = "1",
    chosen: str = "",
) -> Response:
    say = render.speak(request)
    offers = [
        (offer.id, said_offer(say, offer))
        for offer in listing.offers
        if reservations.can_be_reserved(listing, offer)
    ]
    path = listing.url.removeprefix(state.of(request).uris.origin)
    return script_page(
        request,
        "reserve/ask.html",
        "reserve.js",
        status=409 if problems else 200,
        shop=shop,
        shop_name=shown.line(shop.name, 120),
        phone=shown.line(shop.phone or "", 40),
        listing=listing,
        name=shown.line(listing.name, cards.NAME_MOST),
        back=f"{render.prefix(request)}{path}",
        price=cards.offer_price(say, listing.main_offer),
        offers=offers,
        chosen=chosen or (offers[0][0] if offers else ""),
        stock=practical.stock(say, listing.main_offer),
        opening=opening.state(say, shop, state.of(request).clock()),
        quantity=quantity,
        secret=secret or secrets.token_urlsafe(32),
        keys=keys,
        key_mark=""
        if keys is None
        else sealing.fingerprint(sealing.decode(keys.owner, sealing.KEY)),
        delivers=listing.delivered and shop.delivery is not None,
        errors=problems,
    )


def said_offer(say: Translator, offer: Offer) -> str:
    """An offer in a list to choose from: its axes and its price."""
    axes = ", ".join(shown.line(value, 60) for value in offer.axes.values())
    price = (
        say("price on request")
        if offer.price_cents is None
        else say.money(offer.price_cents, offer.currency)
    )
    unit = "" if offer.quantity_milli is None else f"{prices.quantity(offer.quantity_milli)} "
    size = f"{unit}{say.unit(offer.unit)}" if offer.unit else ""
    return " – ".join(part for part in (axes or size, price) if part)


# --- following -----------------------------------------------------------------------------------


async def follow(request: Request) -> Response:
    """`/reservation/{secret}`: where it stands; a POST cancels or erases it."""
    site = state.of(request)
    secret = request.path_params["secret"]
    if not SECRET.fullmatch(secret):
        return await render.error(request, 404)
    reservation_id = sealing.reservation_id(secret)
    if request.method == "POST":
        if not sessions.is_own_form(request):
            return await render.error(request, 403)
        async with forms.read(request) as form:
            act = form.line("act", 20)
        now = site.clock()
        # Where it stands elsewhere by now, the page says so.
        with contextlib.suppress(errors.Conflict):
            if act == "erase":
                await site.database.write(reservations.erase, site.uris, reservation_id, now)
                site.workers.poke()
                return script_page(request, "reserve/erased.html", "follow.js")
            if act == "cancel":
                await site.database.write(
                    reservations.act, site.uris, reservation_id, ReservationState.CANCELLED, now
                )
                site.workers.poke()
        return sessions.see_other(request, f"/reservation/{secret}")
    found = await site.database.read(_followed, site, request, reservation_id)
    if found is None:
        return await render.error(request, 404)
    return script_page(request, "reserve/follow.html", "follow.js", **found)


def _followed(
    db: sqlite3.Connection, site: state.Site, request: Request, reservation_id: str
) -> dict[str, Any] | None:
    one = rows.get(db, reservation_id)
    shop = None if one is None else shops.get(db, one.shop)
    if one is None or shop is None:
        return None
    say = render.speak(request)
    now = site.clock()
    keys = {held.id: held for held in shop_keys.find(db, shop.id)}
    held = keys.get(one.key or "")
    return {
        "one": one,
        "item": shown.line(one.item, 200),
        "shop": shop,
        "facts": practical.facts(db, say, shop, now),
        "state": said(say, one.state),
        "silent": reservations.is_silent(one, now),
        "unreadable": one.key is not None and (held is None or held.lost),
        "until": until(say, one, shop),
        "answer": sealing.encode(one.answer) if one.answer else "",
        "is_open": one.ended is None,
    }


def said(say: Translator, where: ReservationState) -> tuple[str, str]:
    """A state in words, and the style of its mark."""
    return {
        ReservationState.ASKED: (say("Not ready yet: wait for the shop’s answer"), "wait"),
        ReservationState.READY: (say("Ready: it waits for you at the shop"), "done"),
        ReservationState.HANDED_OVER: (say("Handed over"), "done"),
        ReservationState.UNAVAILABLE: (say("No longer available: sorry"), "stop"),
        ReservationState.CANCELLED: (say("Cancelled"), "stop"),
        ReservationState.EXPIRED: (say("Its time has run out"), "stop"),
    }[where]


def until(say: Translator, one: Reservation, shop: Shop) -> str:
    """Until when an open one is kept aside, on the shop's own clock."""
    return moment(say, one.expires, shop)


def moment(say: Translator, when: datetime, shop: Shop) -> str:
    """A day and a time, on the shop's own clock."""
    local = on_its_clock(when, shop)
    return say("{date} at {time}").format(
        date=hours_said.day(local.date(), say),
        time=hours_said.clock(local.hour * 60 + local.minute, say),
    )


def on_its_clock(when: datetime, shop: Shop) -> datetime:
    """A moment on the shop's own clock."""
    return when.astimezone(hours.zone_of(shop.place) or UTC)
