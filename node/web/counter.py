"""The merchant's list of reservations, and the links of the notice that a new one brings.

Codes, items and states can be read and acted upon without unlocking anything; what residents wrote
is opened by `static/counter.js`, on a device that holds the shop's key.
"""

import sqlite3
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from node import accounts as trade_accounts
from node import errors, orders, reservations, sealing
from node.model import Order, Reservation, ReservationState, Shop
from node.store import accounts as account_rows
from node.store import listings, selling, shop_keys, shops
from node.store import orders as order_rows
from node.store import reservations as rows
from node.translation import Translator
from node.web import forms, merchant, render, reserving, sessions, shown, state

ENDED_SHOWN = 30
_ANSWER_MOST = max(sealing.SIZES) + sealing.OVERHEAD
_ACTS = {
    one.value: one
    for one in (
        ReservationState.READY,
        ReservationState.HANDED_OVER,
        ReservationState.UNAVAILABLE,
    )
}


async def waiting(request: Request) -> Response:
    """`/ma-boutique/{shop}/reservations`: what waits, and what ended lately."""
    desk = await merchant.desk_of(request, helped=False)
    if isinstance(desk, Response):
        return desk
    return await _list(request, desk, "")


async def act(request: Request) -> Response:
    """`/ma-boutique/{shop}/reservations/{id}`: ready, handed over, or no longer available."""
    desk = await merchant.desk_of(request, helped=False)
    if isinstance(desk, Response):
        return desk
    site = state.of(request)
    async with forms.read(request) as form:
        typed = form.line("act", 20)
        answer = form.line("answer", _ANSWER_MOST * 4 // 3 + 4)
    if typed not in (*_ACTS, "refused"):
        return await render.error(request, 400)
    reservation_id = request.path_params["id"][: sealing.ID + 1]
    try:
        data = sealing.decode(answer, _ANSWER_MOST) if answer else None
        await site.database.write(_act, site, desk, reservation_id, typed, data)
    except errors.Conflict:
        problem = await site.database.read(_acted_already, request, reservation_id)
        return await _list(request, desk, problem, status=409)
    except errors.Invalid:
        return await render.error(request, 400)
    site.workers.poke()
    return sessions.see_other(request, f"/ma-boutique/{desk.shop.handle}/reservations?fait={typed}")


def _act(
    db: sqlite3.Connection,
    site: state.Site,
    desk: merchant.Desk,
    reservation_id: str,
    typed: str,
    answer: bytes | None,
) -> None:
    """Does what the button says, in the name of who pressed it. Only an order can be refused."""
    now, by = site.clock(), desk.account.id
    if typed == "refused":
        orders.refuse(
            db, site.uris, reservation_id, now, shop_id=desk.shop.id, by=by, answer=answer
        )
        return
    reservations.act(
        db,
        site.uris,
        reservation_id,
        _ACTS[typed],
        now,
        shop_id=desk.shop.id,
        by=by,
        answer=answer,
    )


def _acted_already(db: sqlite3.Connection, request: Request, reservation_id: str) -> str:
    """Who comes second reads what was done, and by whom."""
    say = render.speak(request)
    one = rows.get(db, reservation_id)
    if one is None:
        return ""
    by = account_rows.get(db, one.changed_by) if one.changed_by else None
    words = reserving.said(say, one.state)[0]
    if by is None or not by.email:
        return say("{code}, dealt with already: {state}").format(code=one.code, state=words)
    return say("{code}, dealt with already by {who}: {state}").format(
        code=one.code, who=by.email, state=words
    )


async def _list(
    request: Request, desk: merchant.Desk, problem: str, *, status: int = 200
) -> Response:
    site = state.of(request)
    found = await site.database.read(_found, request, desk.shop)
    return reserving.script_page(
        request,
        "reserve/counter.html",
        "counter.js",
        status=status,
        shop=desk.shop,
        home=f"{render.prefix(request)}/ma-boutique/{desk.shop.handle}",
        several=desk.several,
        done=request.query_params.get("fait", "")[:20],
        problem=problem,
        **found,
    )


def _found(db: sqlite3.Connection, request: Request, shop: Shop) -> dict[str, Any]:
    say = render.speak(request)
    keys = {held.id: held for held in shop_keys.find(db, shop.id)}
    return {
        "open": [_view(db, say, shop, one, keys) for one in rows.find_open(db, shop.id)],
        "ended": [
            _view(db, say, shop, one, keys) for one in rows.find_ended(db, shop.id, ENDED_SHOWN)
        ],
        "sells": selling.get(db, shop.id) is not None,
        "has_keys": any(held.replaced is None for held in keys.values()),
    }


def _view(
    db: sqlite3.Connection, say: Translator, shop: Shop, one: Reservation, keys: dict[str, Any]
) -> dict[str, Any]:
    listing = listings.get(db, one.listing)
    held = keys.get(one.key or "")
    order = order_rows.get(db, one.id)
    withdrawn = None if order is None else order.withdrawn
    return {
        "one": one,
        "order": order,
        "total": "" if order is None else say.money(order.total_cents, "EUR"),
        "withdrawn": "" if withdrawn is None else reserving.moment(say, withdrawn, shop),
        "item": shown.line(one.item, 200),
        "state": reserving.said(say, one.state) if order is None else _stands(say, one, order),
        "until": reserving.until(say, one, shop),
        "made": reserving.moment(say, one.made, shop),
        "listing": listing.uri if listing else "",
        "sealed": sealing.encode(one.sealed) if one.sealed else "",
        "lost": one.key is not None and (held is None or held.lost),
    }


def _stands(say: Translator, one: Reservation, order: Order) -> tuple[str, str]:
    """Where an order stands, as its shop reads it, and the style of its mark."""
    if order.withdrawn is not None:
        return say("The customer has withdrawn: pay back what was paid within 14 days"), "stop"
    return {
        ReservationState.ASKED: (say("To be accepted or refused within 7 days"), "wait"),
        ReservationState.READY: (say("Accepted, to be delivered or fetched"), "done"),
        ReservationState.HANDED_OVER: (say("Received by the customer"), "done"),
        ReservationState.UNAVAILABLE: (say("Not available: pay back what was paid"), "stop"),
        ReservationState.CANCELLED: (say("Refused: pay back what was paid"), "stop"),
        ReservationState.EXPIRED: (say("Lapsed: pay back what was paid"), "stop"),
    }[one.state]


# --- the links of a notice -----------------------------------------------------------------------


async def notice(request: Request) -> Response:
    """`/avis/{token}`: a link of a notice. GET shows what it would do, POST does it, once."""
    site = state.of(request)
    hash_of = trade_accounts.hash_of(request.path_params["token"][:60])
    found = await site.database.read(_noticed, hash_of)
    if found is None:
        return await render.error(request, 410)
    one, wanted, shop = found
    if request.method == "POST":
        if not sessions.is_own_form(request):
            return await render.error(request, 403)
        try:
            await site.database.write(
                lambda db: _act_by_link(db, site, hash_of, one.id, ReservationState(wanted))
            )
        except errors.NodeError:
            return await render.error(request, 410)
        site.workers.poke()
    say = render.speak(request)
    return render.page(
        request,
        "reserve/notice.html",
        private=True,
        one=one,
        item=shown.line(one.item, 200),
        shop=shop,
        wanted=wanted,
        done=request.method == "POST",
        made=reserving.moment(say, one.made, shop),
    )


def _noticed(db: sqlite3.Connection, hash_of: bytes) -> tuple[Reservation, str, Shop] | None:
    link = rows.get_link(db, hash_of)
    one = rows.get(db, link[0]) if link else None
    shop = shops.get(db, one.shop) if one else None
    return None if link is None or one is None or shop is None else (one, link[1], shop)


def _act_by_link(
    db: sqlite3.Connection,
    site: state.Site,
    hash_of: bytes,
    reservation_id: str,
    wanted: ReservationState,
) -> None:
    """Both links end with the use of either."""
    if rows.get_link(db, hash_of) is None:
        raise errors.NotFound("link-used", "This link was used already.")
    rows.remove_links(db, reservation_id)
    reservations.act(db, site.uris, reservation_id, wanted, site.clock())
