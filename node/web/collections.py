"""Small public collections of other servers' interest: what a shop pins, who reacted how often."""

import sqlite3
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from federation import vocabulary
from node.exchange import featured as pins
from node.store import featured as featured_rows
from node.store import listings, shops
from node.store import reactions as reaction_rows
from node.web import state
from node.web.activitypub import answer, refusal

REPLIES_TOLD = 50
_KINDS = {"replies": "Reply", "likes": "Like", "shares": "Announce"}


async def featured(request: Request) -> Response:
    """`/users/{handle}/collections/featured`: the ids of what a shop pins."""
    found = await state.of(request).database.read(_featured, request)
    return refusal(404, "unknown-actor") if found is None else answer(found)


def _featured(db: sqlite3.Connection, request: Request) -> dict[str, Any] | None:
    handle = request.path_params["handle"]
    shop = shops.get_own(db, handle)
    if shop is None or shop.closed is not None:
        return None
    pinned = listings.find(db, featured_rows.find(db, shop.id))
    return {
        "@context": vocabulary.AS2,
        "id": pins.collection(state.of(request).uris, handle),
        "type": "OrderedCollection",
        "totalItems": len(pinned),
        "orderedItems": [listing.uri for listing in pinned],
    }


async def reactions(request: Request) -> Response:
    """`…/items/{id}/replies`, `likes`, `shares`: how many there are.

    Public replies are linked, the newest of them; who likes or passes on is nobody's business.
    """
    found = await state.of(request).database.read(_reactions, request)
    return refusal(404, "unknown-listing") if found is None else answer(found)


def _reactions(db: sqlite3.Connection, request: Request) -> dict[str, Any] | None:
    uri = state.of(request).uris.listing(request.path_params["handle"], request.path_params["id"])
    listing = listings.get_by_uri(db, uri)
    if listing is None or listing.withdrawn is not None:
        return None
    name = request.url.path.rpartition("/")[2]
    found: dict[str, Any] = {
        "@context": vocabulary.AS2,
        "id": f"{uri}/{name}",
        "type": "Collection",
        "totalItems": reaction_rows.count(db, uri, _KINDS[name]),
    }
    if name == "replies":
        found["items"] = reaction_rows.find_uris(db, uri, "Reply", REPLIES_TOLD)
    return found
