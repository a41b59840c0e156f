"""What the site decided about a shop, as its merchant reads it and may not agree."""

import sqlite3
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from node import errors, notices
from node.model import Shop
from node.store import notices as rows
from node.store.notices import Appeal, Decision
from node.web import forms, merchant, render, sessions, state, statements

SHOWN_MOST = 50


async def page(request: Request) -> Response:
    """`/ma-boutique/{shop}/decisions`: each with its reasons, and the owner's appeal."""
    desk = await merchant.desk_of(request, helped=False)
    if isinstance(desk, Response):
        return desk
    site = state.of(request)
    say = render.speak(request)
    problems: dict[str, str] = {}
    wanted, typed = "", ""
    if request.method == "POST":
        if not desk.owner:
            return await render.error(request, 403)
        async with forms.read(request) as form:
            wanted, typed = form.line("decision", 40), form.text("words", notices.WORDS_MOST)
        try:
            await site.database.write(_appeal, desk.shop, wanted, typed, site.clock())
            where = f"/ma-boutique/{desk.shop.handle}/decisions?fait=conteste"
            return sessions.see_other(request, where)
        except errors.Invalid:
            problems = {"words": say("Say in a few words why, in 2000 characters at most")}
        except errors.NotFound:
            return await render.error(request, 404)
    found = await site.database.read(_found, desk.shop, site.clock())
    return merchant.page(
        request,
        "decisions",
        desk,
        status=422 if problems else 200,
        decided=[(statements.statement(site, say, one), appeal, may) for one, appeal, may in found],
        conteste=request.query_params.get("fait") == "conteste",
        refused=wanted,
        typed=typed,
        errors=problems,
    )


def _found(
    db: sqlite3.Connection, shop: Shop, now: datetime
) -> list[tuple[Decision, Appeal | None, bool]]:
    return [
        (one, rows.get_appeal(db, one.id, ""), notices.may_appeal(db, one, "", now))
        for one in rows.find_decisions_of_shop(db, shop.id, SHOWN_MOST)
    ]


def _appeal(db: sqlite3.Connection, shop: Shop, wanted: str, typed: str, now: datetime) -> None:
    one = rows.get_decision(db, wanted)
    if one is None or one.shop != shop.id:
        raise errors.NotFound("no-decision")
    notices.appeal(db, one.id, "", typed, now)
