"""The reading API (`/api/v1/…`): JSON, without account, for whoever wants it."""

import re
import sqlite3
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from node import answers, errors, filters, moderation, search, territory
from node.model import SearchQuery
from node.store import hidden, listings, shops
from node.web import state

QUERY_MOST = 1000
SHOPS_PAGE = 100

STATUS: dict[type[errors.NodeError], int] = {
    errors.NotFound: 404,
    errors.Forbidden: 403,
    errors.Conflict: 409,
    errors.Invalid: 422,
    errors.TooMany: 429,
    errors.Unusable: 503,
}


def refuse(error: errors.NodeError) -> Response:
    """An error as JSON."""
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, errors.TooMany) else {}
    return say(STATUS[type(error)], error.code, error.detail, headers)


def say(
    status: int, code: str, detail: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """What is wrong, as JSON."""
    return JSONResponse({"error": {"code": code, "message": detail}}, status, headers)


def parse_page(text: str) -> int:
    """A page number, 1 where none is given. Raises errors.Invalid."""
    if not text:
        return 1
    if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) < 1:
        raise errors.Invalid("bad-page", "page must be a number from 1 on.")
    return min(int(text), search.PAGE_MOST)


async def find(request: Request) -> Response:
    """`/api/v1/search?q=…&near=PLACE`, with `page` or `cursor`, and filters (`filters.NAMES`)."""
    site = state.of(request)
    near = request.query_params.get("near") or site.settings.node.communes[0]
    try:
        found = await site.database.read(_find, site, request.query_params, near)
    except errors.NodeError as error:
        return refuse(error)
    return JSONResponse(found)


def _find(
    db: sqlite3.Connection, site: state.Site, given: Mapping[str, str], near: str
) -> dict[str, Any]:
    query = SearchQuery(
        words=given.get("q", "")[:QUERY_MOST],
        place=territory.resolve(db, near),
        page=parse_page(given.get("page", "")),
        cursor=given.get("cursor") or None,
        filters=filters.read(given),
    )
    radius_km = site.settings.federation.radius_km
    found = search.find(db, query, radius_km, site.clock(), site.engine)
    for ring in found.rings:
        for hit in ring.hits:
            if hit.listing.remote_photo is not None:
                site.workers.copies.shown.note(hit.listing.id)
    return answers.search(found, site.uris)


async def listing(request: Request) -> Response:
    """`/api/v1/listings/{id}`."""
    site = state.of(request)
    try:
        return JSONResponse(await site.database.read(_listing, request.path_params["id"]))
    except errors.NodeError as error:
        return refuse(error)


def _listing(db: sqlite3.Connection, listing_id: str) -> dict[str, Any]:
    found = listings.get(db, listing_id)
    shop = shops.get(db, found.shop) if found else None
    if found is None or shop is None or found.withdrawn is not None:
        raise errors.NotFound("unknown-listing", "There is no such listing.")
    if moderation.is_hidden(db, shop.id) or hidden.covers(db, found.uri, shop.id):
        raise errors.NotFound("unknown-listing", "There is no such listing.")
    return answers.listing(found, shop)


async def shop_list(request: Request) -> Response:
    """`/api/v1/shops?after=ID`: this node's shops and its neighbours', by id."""
    site = state.of(request)
    after = request.query_params.get("after", "")[:40]
    found = await site.database.read(shops.find, after=after, limit=SHOPS_PAGE + 1)
    now = site.clock()
    page = [answers.shop(shop, now) for shop in found[:SHOPS_PAGE]]
    more = page[-1]["id"] if len(found) > SHOPS_PAGE else None
    return JSONResponse({"shops": page, "next": more})
