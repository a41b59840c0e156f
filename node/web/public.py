"""The pages that residents read: the territory, its shops and what they have."""

import re
import sqlite3

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from node.model import Listing, Place, Shop
from node.store import listings, places, shops
from node.uris import slug
from node.web import activitypub, assets, content, render, state


async def home(request: Request) -> Response:
    """`/`: the communes and their shops."""
    site = state.of(request)
    communes, found = await site.database.read(_home, site.settings.node.communes)
    return render.page(request, "home.html", communes=communes, shops=found)


def _home(
    db: sqlite3.Connection, place_ids: tuple[str, ...]
) -> tuple[list[Place], list[tuple[Shop, Place | None]]]:
    communes = [place for one in place_ids if (place := places.get(db, one))]
    own = sorted(shops.find(db, own=True), key=lambda shop: shop.name.casefold())
    return communes, [(shop, places.get(db, shop.place or "")) for shop in own]


async def shop(request: Request) -> Response:
    """`/@{shop}`: who they are and what they have."""
    site = state.of(request)
    handle = request.path_params["handle"]
    if activitypub.wants_activity(request, otherwise=False):
        return activitypub.redirect(site.uris.actor(handle))
    found, place, on_show = await site.database.read(_shop, handle)
    if found is None:
        return await render.error(request, 404)
    if found.closed is not None:
        return await render.error(request, 410)
    return render.page(
        request, "shop.html", vary="Accept", shop=found, place=place, listings=on_show
    )


def _shop(db: sqlite3.Connection, handle: str) -> tuple[Shop | None, Place | None, list[Listing]]:
    found = shops.get_own(db, handle)
    if found is None:
        return None, None, []
    place = places.get(db, found.place) if found.place else None
    return found, place, listings.find_of_shop(db, found.id, 500)


async def listing(request: Request) -> Response:
    """`/@{shop}/{slug}-{8 hex}`; a slug that has changed since redirects."""
    site = state.of(request)
    handle, named = request.path_params["handle"], request.path_params["slug"]
    match = re.fullmatch(r"(.{0,80})-([0-9a-f]{8})", named)
    found, of, place = (
        await site.database.read(_listing, handle, match[2]) if match else (None, None, None)
    )
    if match is None or found is None or of is None:
        return await render.error(request, 404)
    if activitypub.wants_activity(request, otherwise=False):
        return activitypub.redirect(found.uri)
    if found.withdrawn is not None:
        return await render.error(request, 410)
    if match[1] != slug(found.name):
        return RedirectResponse(found.url, 301)
    return render.page(request, "listing.html", vary="Accept", listing=found, shop=of, place=place)


def _listing(
    db: sqlite3.Connection, handle: str, prefix: str
) -> tuple[Listing | None, Shop | None, Place | None]:
    of = shops.get_own(db, handle)
    found = listings.get_of_shop(db, of.id, prefix) if of else None
    place = places.get(db, of.place) if of and of.place else None
    return found, of, place


async def static(request: Request) -> Response:
    """`/static/{name}`: what pages are dressed with, kept for ever under its content."""
    asset = state.of(request).assets.get(request.path_params["name"])
    if asset is None:
        return await render.error(request, 404)
    headers = {"Cache-Control": assets.FOR_EVER, "Vary": "Accept-Encoding"}
    body = asset.body
    if content.accepts_gzip(request.headers.get("accept-encoding", "")):
        body = asset.compressed
        if body is not asset.body:
            headers["Content-Encoding"] = "gzip"
    return Response(body, 200, headers, media_type=asset.media_type)
