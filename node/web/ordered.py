"""An order's private page: how it is paid, the terms to keep, and the function for withdrawing
(Code de la consommation, L221-13, L221-21, D221-5). A reservation's is `node/web/reserving.py`.
"""

import contextlib
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from node import (
    duties,
    errors,
    order_notices,
    orders,
    phrases,
    qr,
    reservations,
    sealing,
    transfers,
)
from node.model import Order, Reservation, ReservationState, Selling, Shop
from node.store import listings, shops
from node.store import orders as order_rows
from node.store import reservations as rows
from node.store import selling as selling_rows
from node.translation import Translator
from node.web import (
    content,
    forms,
    merchant,
    ordering,
    practical,
    render,
    reserving,
    sessions,
    shown,
    state,
)

# Where there is still, or already, something to pay.
_PAYABLE = (ReservationState.ASKED, ReservationState.READY, ReservationState.HANDED_OVER)


@dataclass(frozen=True, slots=True)
class Found:
    """An order, whole."""

    one: Reservation
    order: Order
    shop: Shop
    said: Selling | None  # as the shop says it now: its account may have changed


async def _found(request: Request) -> Found | None:
    """The order that the secret of an address leads to; None where it leads to none."""
    secret = request.path_params["secret"]
    if not reserving.SECRET.fullmatch(secret):
        return None
    site = state.of(request)
    return await site.database.read(_get, sealing.reservation_id(secret))


def _get(db: sqlite3.Connection, reservation_id: str) -> Found | None:
    one, order = rows.get(db, reservation_id), order_rows.get(db, reservation_id)
    shop = None if one is None else shops.get(db, one.shop)
    if one is None or order is None or shop is None:
        return None
    return Found(one, order, shop, selling_rows.get(db, shop.id))


async def follow(request: Request) -> Response:
    """`/reservation/{secret}`: where an order stands. A POST erases it, once it has ended."""
    found = await _found(request)
    if found is None:
        return await reserving.follow(request)
    site = state.of(request)
    if request.method == "POST":
        if not sessions.is_own_form(request):
            return await render.error(request, 403)
        async with forms.read(request) as form:
            act = form.line("act", 20)
        if act == "erase" and found.one.ended is not None:
            await site.database.write(reservations.erase, site.uris, found.one.id, site.clock())
            return reserving.script_page(request, "reserve/erased.html", "follow.js")
        return sessions.see_other(request, f"/reservation/{request.path_params['secret']}")
    values = await site.database.read(_values, request, found)
    return reserving.script_page(request, "reserve/ordered.html", "follow.js", **values)


def _values(db: sqlite3.Connection, request: Request, found: Found) -> dict[str, Any]:
    site = state.of(request)
    say = render.speak(request)
    one, order, shop = found.one, found.order, found.shop
    now = site.clock()
    listing = listings.get(db, one.listing)
    last = orders.last_day(one, shop, site.law)
    return {
        **_common(request, found),
        "own": _own(request),
        "facts": practical.facts(db, say, shop, now),
        "state": said(say, one, order),
        "silent": reservations.is_silent(one, now, orders.ANSWERED_WITHIN),
        "until": reserving.until(say, one, shop),
        "answer": sealing.encode(one.answer) if one.answer else "",
        "is_open": one.ended is None,
        "total": say.money(order.total_cents, "EUR"),
        "contract": Markup(order.contract),  # noqa: S704 (written by a template of ours)
        "may_withdraw": orders.may_withdraw(one, order, shop, site.law, now),
        "last": "" if last is None else phrases.day(say, last),
        "why": ordering.exempt(say, order.exempt),
        "pay": _payment(found) if one.state in _PAYABLE and order.withdrawn is None else None,
        "adults_only": listing is not None and duties.is_alcohol(listing.category, site.law),
    }


def _common(request: Request, found: Found) -> dict[str, Any]:
    """What every page and file of an order says."""
    say = render.speak(request)
    withdrawn = found.order.withdrawn
    return {
        "one": found.one,
        "order": found.order,
        "item": shown.line(found.one.item, 200),
        "shop": found.shop,
        "shop_name": shown.line(found.shop.name, 120),
        "ordered": reserving.moment(say, found.one.made, found.shop),
        "withdrawn": "" if withdrawn is None else moment(say, withdrawn, found.shop),
    }


def _own(request: Request) -> str:
    """The address of an order's page, without what stands behind its #."""
    return f"{render.prefix(request)}/reservation/{request.path_params['secret']}"


def moment(say: Translator, when: datetime, shop: Shop) -> str:
    """A day with its year and a time, on the shop's own clock: to be kept for years."""
    local = reserving.on_its_clock(when, shop)
    return say("{date} at {time}").format(
        date=f"{phrases.day(say, local)} {local.year}", time=f"{local:%H:%M:%S}"
    )


def said(say: Translator, one: Reservation, order: Order) -> tuple[str, str]:
    """Where an order stands in words, and the style of its mark."""
    if order.withdrawn is not None:
        return say("You have withdrawn from the contract"), "stop"
    return {
        ReservationState.ASKED: (say("Sent: the shop has not answered yet"), "wait"),
        ReservationState.READY: (
            say("Accepted: the shop brings it to you")
            if order.brought
            else say("Accepted: it waits for you at the shop"),
            "done",
        ),
        ReservationState.HANDED_OVER: (say("Received"), "done"),
        ReservationState.UNAVAILABLE: (
            say("Not available: what you have paid is paid back"),
            "stop",
        ),
        ReservationState.CANCELLED: (
            say("Refused by the shop: what you have paid is paid back"),
            "stop",
        ),
        ReservationState.EXPIRED: (say("Lapsed: what you have paid is paid back"), "stop"),
    }[one.state]


def _payment(found: Found) -> dict[str, Any] | None:
    """How the shop is paid: the parts of a transfer, its code, and its own page."""
    said, one, cents = found.said, found.one, found.order.total_cents
    if said is None or not (said.iban or said.link):
        return None
    return {
        "holder": said.holder,
        "iban": transfers.written(said.iban),
        "reference": one.code,
        "link": said.link,
        "size": qr.SIZE,
        "code": transfers.code(said.holder, said.iban, cents, one.code) if said.iban else "",
    }


async def contract(request: Request) -> Response:
    """`/reservation/{secret}/contrat.html`: all of it as one file to keep."""
    found = await _found(request)
    if found is None:
        return await render.error(request, 404)
    return _file(request, found)


async def shop_contract(request: Request) -> Response:
    """`/ma-boutique/{shop}/reservations/{id}/contrat.html`: the same for the shop to keep."""
    desk = await merchant.desk_of(request, helped=False)
    if isinstance(desk, Response):
        return desk
    reservation_id = request.path_params["id"][: sealing.ID + 1]
    found = await state.of(request).database.read(_get, reservation_id)
    if found is None or found.shop.id != desk.shop.id:
        return await render.error(request, 404)
    return _file(request, found)


def _file(request: Request, found: Found) -> Response:
    site = state.of(request)
    say = render.speak(request)
    text = site.pages.render(
        "reserve/contract_file.html",
        render.language(request),
        **_common(request, found),
        total=say.money(found.order.total_cents, "EUR"),
        contract=Markup(found.order.contract),  # noqa: S704 (written by a template of ours)
    )
    name = f"commande-{found.one.code}.html"
    return content.private(text, headers={"Content-Disposition": f'attachment; filename="{name}"'})


async def withdrawal(request: Request) -> Response:
    """`/reservation/{secret}/retractation`: the declaration, and the button that confirms it."""
    found = await _found(request)
    if found is None:
        return await render.error(request, 404)
    site = state.of(request)
    back = f"/reservation/{request.path_params['secret']}"
    if request.method == "POST":
        if not sessions.is_own_form(request):
            return await render.error(request, 403)
        async with forms.read(request):
            pass
        # Where there is no right to it, or no longer, the order's page says so.
        with contextlib.suppress(errors.Conflict):
            await site.database.write(_withdraw, site, found, site.clock())
            site.workers.poke()
        return sessions.see_other(request, back)
    if not orders.may_withdraw(found.one, found.order, found.shop, site.law, site.clock()):
        return sessions.see_other(request, back)
    said = found.said
    return reserving.script_page(
        request,
        "reserve/withdraw.html",
        "follow.js",
        **_common(request, found),
        own=_own(request),
        trader=said.trader if said is not None else "",
        return_address=said.return_address if said is not None else "",
    )


def _withdraw(db: sqlite3.Connection, site: state.Site, found: Found, now: datetime) -> None:
    """Withdraws, and writes down that the shop is told, where this node can send mail."""
    one, is_new = orders.withdraw(db, site.uris, site.law, found.one.id, now)
    if is_new and site.settings.mail.host:
        say = site.pages.speak(site.settings.node.languages[0])
        order_notices.withdrawn(db, site.uris, say, found.shop, one, now)
