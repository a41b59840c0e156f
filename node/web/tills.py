"""The API for tills (`/api/v1/till`), the token that a shop gives its till, and the manual."""

import json
import secrets
from importlib import resources

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from federation import documents
from federation.errors import Refused
from node import errors, hours, phrases, tills
from node.store import tills as till_rows
from node.web import api, forms, merchant, render, sessions, state

BODY_MOST = 256 * 1024


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not 20 <= len(token.strip()) <= 100:
        raise errors.NotFound("unknown-token", "Say the shop's token: Authorization: Bearer …")
    return token.strip()


async def till(request: Request) -> Response:
    """GET: the shop's offers. POST: `{"items": [{"gtin": …, "stock": 3, "price": "12.50"}]}`."""
    site = state.of(request)
    try:
        token = _token(request)
        if request.method == "GET":
            found = await site.database.read(tills.catalogue_of, token)
            return _private({"offers": found})
        await site.database.read(tills.shop_of, token)  # before a byte of a stranger's is read
        body = documents.parse(await _body(request), limit=BODY_MOST)
        items = body.get("items")
        if not isinstance(items, list):
            raise errors.Invalid("bad-body", 'The body is {"items": [ … ]}.')
        told = await site.database.write(tills.tell, site.uris, token, items, site.clock())
        return _private({"items": told})
    except Refused as error:
        return JSONResponse({"error": {"code": error.code, "message": "bad JSON"}}, error.status)
    except errors.NotFound as error:
        body = {"error": {"code": error.code, "message": error.detail}}
        return JSONResponse(body, 401, {"WWW-Authenticate": "Bearer"})
    except errors.NodeError as error:
        return api.refuse(error)


def _private(body: object) -> Response:
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


async def _body(request: Request) -> bytes:
    read = b""
    try:
        async for chunk in request.stream():
            read += chunk
            if len(read) > BODY_MOST:
                break
    except ClientDisconnect:
        raise errors.Invalid("gone", "The body did not arrive whole.") from None
    return read


async def openapi(_request: Request) -> Response:
    """`/api/v1/openapi.json`: what programs may ask here."""
    text = resources.files("node.web").joinpath("openapi.json").read_text(encoding="utf-8")
    return JSONResponse(json.loads(text))


# --- the token -----------------------------------------------------------------------------------


async def page(request: Request) -> Response:
    """`/ma-boutique/{shop}/caisse`: owners give their till a token, shown once, or take it back."""
    desk = await merchant.desk_of(request)
    if isinstance(desk, Response):
        return desk
    if not desk.owner:
        return await render.error(request, 404)
    site = state.of(request)
    token = ""
    if request.method == "POST":
        async with forms.read(request) as form:
            deed = form.line("deed", 10)
        if deed == "take":
            await site.database.write(till_rows.take, desk.shop.id)
            return sessions.see_other(request, f"/ma-boutique/{desk.shop.handle}/caisse")
        token = f"caisse_{secrets.token_urlsafe(32)}"
        hashed = tills.hash_of(token)
        await site.database.write(till_rows.give, desk.shop.id, hashed, site.clock())
    say = render.speak(request)
    zone = hours.zone_of(desk.shop.place)
    found = await site.database.read(till_rows.standing, desk.shop.id)
    return merchant.page(
        request,
        "till",
        desk,
        token=token,
        given=phrases.day(say, found[0].astimezone(zone)) if found else "",
        used=phrases.day(say, found[1].astimezone(zone)) if found and found[1] else "",
        address=f"{site.uris.origin}/api/v1/till",
        manual=f"{site.uris.origin}/api/v1/openapi.json",
    )
