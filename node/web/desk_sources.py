"""`/gestion/sources`: feeds and calendars elsewhere, and what waits to be looked at."""

import sqlite3
import uuid
from collections.abc import Mapping
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from node import errors, hours, news, sources, when
from node.model import Badge, Source, SourceItem
from node.store import sources as rows
from node.translation import Translator
from node.web import desk, forms, publishers, render, sessions, shown, state, told

WAITING_SHOWN = 50


async def page(request: Request) -> Response:
    """The sources, the form for another, and what came and waits."""
    person = await desk.steward(request)
    if isinstance(person, Response):
        return person
    if request.method != "POST":
        return await _page(request, {}, {"badge": Badge.ASSOCIATION.value})
    site, say = state.of(request), render.speak(request)
    async with forms.read(request) as form:
        typed = {
            "url": form.line("url", news.LINK_MOST),
            "name": form.line("name", news.AUTHOR_MOST),
            "badge": form.line("badge", 20),
            "trusted": form.line("trusted", 5),
        }
    try:
        await site.database.write(_add, typed, site.clock())
    except errors.Invalid as error:
        problems = forms.sentences(error, say)
        if "url" in error.fields:
            problems = {"url": say("This is no address such as https://example.fr/page")}
        return await _page(request, problems, typed)
    except errors.Conflict as error:
        said = {
            "known-source": say("This source is read already"),
            "too-many-sources": say("So many sources are read already: remove one first"),
        }
        return await _page(request, {"url": said[error.code]}, typed)
    return sessions.see_other(request, "/gestion/sources?fait=ajoute")


def _add(db: sqlite3.Connection, typed: dict[str, str], now: datetime) -> None:
    byline = news.byline(typed["name"], typed["badge"])
    trusted = bool(typed["trusted"])
    sources.add(db, typed["url"], byline, str(uuid.uuid4()), now, trusted=trusted)


async def act(request: Request) -> Response:
    """`/gestion/sources/{id}`: read now, trusted or no longer, removed; an item taken or not."""
    person = await desk.steward(request)
    if isinstance(person, Response):
        return person
    site = state.of(request)
    async with forms.read(request) as form:
        deed, guid = form.line("deed", 20), form.text("guid", 600)
    try:
        done = await site.database.write(
            _act, site, request.path_params["id"], deed, guid, site.clock()
        )
    except errors.NotFound:
        return await render.error(request, 404)
    except errors.Invalid:
        done = "impossible"
    return sessions.see_other(request, f"/gestion/sources?fait={done}")


def _act(
    db: sqlite3.Connection, site: state.Site, source_id: str, deed: str, guid: str, now: datetime
) -> str:
    source = rows.get(db, source_id)
    if source is None:
        raise errors.NotFound("unknown-source")
    if deed in ("publish", "refuse"):
        one = rows.get_item(db, source.id, guid)
        if one is None:
            raise errors.NotFound("unknown-item")
        if deed == "refuse":
            sources.refuse(db, one, now)
            return "refuse"
        place = site.commune.id
        sources.publish(db, site.uris, source, one, place, lambda: str(uuid.uuid4()), now)
        return "publie"
    if deed == "read":
        rows.change_due(db, source.id, now)
    elif deed in ("trust", "distrust"):
        rows.change_trust(db, source.id, trusted=deed == "trust")
    elif deed == "remove":
        rows.remove(db, source.id)
        return "retire"
    return "note"


async def _page(
    request: Request, problems: Mapping[str, str], typed: Mapping[str, str]
) -> Response:
    site, say = state.of(request), render.speak(request)
    found, waiting, count = await site.database.read(_find)
    by_id = {one.id: one for one in found}
    zone = hours.zone_of(site.commune.id)
    return render.page(
        request,
        "news/sources.html",
        status=422 if problems else 200,
        private=True,
        own_style=site.assets.address("merchant.css"),
        news_style=told.style(request),
        done="",
        did=request.query_params.get("fait", "")[:20],
        home=f"{render.prefix(request)}/gestion",
        sources=[
            (
                one,
                when.day(say, one.fetched.astimezone(zone).date()) if one.fetched else "",
                trouble(one, say),
            )
            for one in found
        ],
        waiting=[
            (
                one,
                by_id[one.source],
                when.event(say, one.item.event) if one.item.event else "",
                when.state(say, one.item.event.state) if one.item.event else "",
                shown.line(one.item.text, told.EXCERPT_MOST),
            )
            for one in waiting
            if one.source in by_id
        ],
        count=count,
        badges=[(one.value, say.badge(one)) for one in publishers.BADGES],
        typed={"url": "", "name": "", "badge": "association", "trusted": "", **typed},
        errors=problems,
    )


def _find(db: sqlite3.Connection) -> tuple[list[Source], list[SourceItem], int]:
    return rows.find(db), rows.find_waiting(db, WAITING_SHOWN), rows.count_waiting(db)


def trouble(source: Source, say: Translator) -> str:
    """What is wrong with a source, in a sentence."""
    code = source.problem
    if code is None:
        return ""
    if code.startswith("unusable:"):
        text = say("{count} of its events cannot be used: wrong dates, or too odd a recurrence.")
        return text.format(count=code[9:])
    known = {
        "many-gone": say("Many of its events are gone at once: they are kept here."),
        "bad-feed": say("This is no RSS or Atom feed, or a damaged one."),
        "bad-calendar": say("This is no calendar, or a damaged one."),
        "answer-too-large": say("It is larger than 2 MB."),
        "not-found": say("There is nothing at this address."),
        "gone": say("There is nothing at this address."),
    }
    if code in ("address-refused", "host-refused", "port-refused", "scheme-refused"):
        return say("Only public addresses of the web are read.")
    return known.get(code, say("It cannot be read just now; it is tried again."))
