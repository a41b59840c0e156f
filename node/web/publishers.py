"""Who may publish news and events, and with which badge: settled by a steward."""

import sqlite3
import uuid
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from node import accounts, errors, news
from node.model import Account, Badge, Byline, Role
from node.store import accounts as account_rows
from node.store import posts
from node.web import accounts as accounts_web
from node.web import desk, forms, render, sessions, state, steward, told

BADGES = (Badge.ASSOCIATION, Badge.MEDIA, Badge.TOWN_HALL)


async def page(request: Request) -> Response:
    """`/gestion/publicateurs`: who they are, another one let in, or one no longer."""
    person = await desk.steward(request)
    if isinstance(person, Response):
        return person
    site, say = state.of(request), render.speak(request)
    name = email = ""
    badge, problems = Badge.ASSOCIATION.value, {}
    if request.method == "POST":
        async with forms.read(request) as form:
            gone = form.line("account", 40)
            name, email = form.line("name", news.AUTHOR_MOST), form.line("email", 320)
            badge = form.line("badge", 20)
        if gone:
            await site.database.write(account_rows.remove_role, gone, Role.PUBLISHER)
            return sessions.see_other(request, "/gestion/publicateurs?fait=parti")
        way_in = accounts_web.new_way_in()
        try:
            await site.database.write(_invite, site, email, name, badge, way_in, site.clock())
        except errors.Invalid as error:
            problems = forms.sentences(error, say)
        else:
            return steward.handed_over(request, email, way_in, "/publicateurs")
    people = await site.database.read(_find, site.settings.node.name, site.clock())
    return render.page(
        request,
        "news/publishers.html",
        status=422 if problems else 200,
        private=True,
        own_style=site.assets.address("merchant.css"),
        news_style=told.style(request),
        done="",
        gone=request.query_params.get("fait") == "parti",
        home=f"{render.prefix(request)}/gestion",
        people=people,
        badges=[(one.value, say.badge(one)) for one in BADGES],
        name=name,
        badge=badge,
        email=email,
        errors=problems,
    )


def _find(db: sqlite3.Connection, fallback: str, now: datetime) -> list[tuple[Account, Byline]]:
    people = account_rows.find_with_role(db, Role.PUBLISHER, now)
    return [(one, news.voice(db, one.id, fallback)) for one in people]


def _invite(
    db: sqlite3.Connection,
    site: state.Site,
    email: str,
    name: str,
    badge: str,
    way_in: accounts_web.WayIn,
    now: datetime,
) -> None:
    byline = news.byline(name, badge)
    account = accounts.invite(
        db,
        email,
        Role.PUBLISHER,
        territory=site.settings.node.communes[0],
        account_id=str(uuid.uuid4()),
        token=way_in.token,
        now=now,
    )
    posts.put_byline(db, account.id, byline)
    accounts.let_in(db, account, way_in.token, way_in.code, site.ring, now)
