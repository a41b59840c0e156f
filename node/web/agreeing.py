"""The rules of the site, as whoever looks after a shop agrees to them."""

import sqlite3
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from node import rules
from node.model import Account
from node.store import rules as consents
from node.web import forms, merchant, sessions, state, statements


async def page(request: Request) -> Response:
    """`/ma-boutique/{shop}/regles`: what is agreed to, since when, or still to be."""
    desk = await merchant.desk_of(request, helped=False)
    if isinstance(desk, Response):
        return desk
    site = state.of(request)
    if request.method == "POST":
        async with forms.read(request):
            pass
        who = desk.account.id
        await site.database.write(consents.agree, who, rules.VERSION, site.clock())
        return sessions.see_other(request, f"/ma-boutique/{desk.shop.handle}?fait=regles")
    since, before = await site.database.read(_standing, desk.account)
    return merchant.page(
        request,
        "rules",
        desk,
        version=f"{rules.VERSION:%d/%m/%Y}",
        since=statements.day(since) if since else None,
        before=before,
    )


def _standing(db: sqlite3.Connection, account: Account) -> tuple[datetime | None, bool]:
    return (
        consents.agreed(db, account.id, rules.VERSION),
        consents.has_agreed_before(db, account.id, rules.VERSION),
    )
