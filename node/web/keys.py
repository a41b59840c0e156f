"""A shop's key card: the page on which the merchant's browser makes keys, and what it hands over.

The browser sends public halves and what the seven words wrapped; neither the words nor a private
key ever come here. `static/keys.js` does the making and tells what each step means.
"""

import json
import sqlite3

from starlette.requests import Request
from starlette.responses import Response

from node import errors, sealing, shop_keys
from node.model import Shop, ShopKeys
from node.store import shop_keys as rows
from node.web import forms, merchant, render, reserving, sessions, state


async def card(request: Request) -> Response:
    """`/ma-boutique/{shop}/cle`: the card, this device, and a new card."""
    desk = await merchant.desk_of(request, helped=False)
    if isinstance(desk, Response):
        return desk
    site = state.of(request)
    if request.method != "POST":
        return await _page(request, desk, "")
    if not desk.owner:  # a new card may end what the old one opens
        return await render.error(request, 403)
    async with forms.read(request) as form:
        owner, key = form.line("owner", 60), form.line("sealing", 60)
        created, signature = form.line("created", 30), form.line("signature", 100)
        endorsement = form.line("endorsement", 100)
        wrapped = form.line("wrapped", shop_keys.WRAPPED_MOST * 4 // 3 + 4)
        before = form.line("before", 19)
    now = site.clock()
    try:
        keys = shop_keys.read(desk.shop, owner, key, created, signature, endorsement, wrapped, now)
        await site.database.write(shop_keys.put, desk.shop, keys, before, now)
    except errors.NodeError as error:
        say = render.speak(request)
        problem = (
            say("Somebody else made a new card meanwhile. Nothing of yours was saved.")
            if error.code == "keys-changed"
            else say("These keys could not be saved. Is the clock of this device right?")
        )
        return await _page(request, desk, problem)
    site.workers.poke()
    return sessions.see_other(request, f"/ma-boutique/{desk.shop.handle}/cle?fait=cle")


async def _page(request: Request, desk: merchant.Desk, problem: str) -> Response:
    site = state.of(request)
    keys, wrapped = await site.database.read(_find, desk.shop)
    path = f"/ma-boutique/{desk.shop.handle}/cle"
    return reserving.script_page(
        request,
        "reserve/card.html",
        "keys.js",
        status=409 if problem else 200,
        shop=desk.shop,
        home=f"{render.prefix(request)}/ma-boutique/{desk.shop.handle}",
        several=desk.several,
        owner=desk.owner,
        done=request.query_params.get("fait", "")[:20],
        problem=problem,
        keys=keys,
        wrapped=json.dumps(wrapped),
        address=f"{site.uris.origin}{path}",
        key_mark=""
        if keys is None
        else sealing.fingerprint(sealing.decode(keys.owner, sealing.KEY)),
    )


def _find(db: sqlite3.Connection, shop: Shop) -> tuple[ShopKeys | None, list[str]]:
    """The shop's keys, and every wrap that a card still opens, the newest first."""
    held = rows.find(db, shop.id)
    current = next((keys for keys in held if keys.replaced is None), None)
    return current, [keys.wrapped for keys in held if keys.wrapped]
