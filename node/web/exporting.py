"""A shop's sealed reservations as one file that opens anywhere, with the words of the key card.

The file is a page with its scripts and its data inside: saved, it needs no node, and
`echoppe open FILE` reads it too.
"""

import json
import re
import sqlite3
from importlib import resources
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from node import sealing
from node.model import Shop
from node.store import listings, shop_keys
from node.store import reservations as rows
from node.web import content, merchant, render, state

ENDED_MOST = 10_000
_PARTS = ("sealing.js", "words.js", "vault.js", "opener.js")
_IMPORT = re.compile(r"^import [^;]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)


async def export(request: Request) -> Response:
    """`/ma-boutique/{shop}/reservations.html`: the file, to be saved."""
    desk = await merchant.desk_of(request, helped=False)
    if isinstance(desk, Response):
        return desk
    site = state.of(request)
    held = await site.database.read(_held, desk.shop)
    data = json.dumps(held, ensure_ascii=False).replace("<", "\\u003c")
    text = site.pages.render(
        "reserve/export.html",
        render.language(request),
        shop=desk.shop,
        data=Markup(data),  # noqa: S704 (JSON without "<")
        script=Markup(bundle()),  # noqa: S704 (our own files)
    )
    name = f"reservations-{desk.shop.handle}.html"
    return content.private(text, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def bundle() -> str:
    """Our own scripts as one, each after those that it stands on."""
    folder = resources.files("node.web").joinpath("static")
    texts = (folder.joinpath(name).read_text(encoding="utf-8") for name in _PARTS)
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", text)) for text in texts)


def _held(db: sqlite3.Connection, shop: Shop) -> dict[str, Any]:
    found = [*rows.find_open(db, shop.id), *rows.find_ended(db, shop.id, ENDED_MOST)]
    addresses = {one.listing: listings.get(db, one.listing) for one in found}
    return {
        "format": "echoppe reservations 1",
        "suite": sealing.SUITE,
        "shop": shop.uri,
        "cards": [keys.wrapped for keys in shop_keys.find(db, shop.id) if keys.wrapped],
        "reservations": [
            {
                "id": one.id,
                "code": one.code,
                "item": one.item,
                "quantity": one.quantity,
                "state": one.state,
                "key": one.key,
                "listing": listing.uri,
                "sealed": sealing.encode(one.sealed),
            }
            for one in found
            if one.sealed is not None and (listing := addresses[one.listing]) is not None
        ],
    }
