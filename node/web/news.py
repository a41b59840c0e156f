"""What is told: the list of news, a page for each piece of news and each event, and the feed."""

import re
import sqlite3
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from node import agenda, hours, phrases, recurrence, when
from node.model import EventState, Post
from node.store import node as node_row
from node.store import places, posts, shops
from node.translation import Translator
from node.uris import slug
from node.web import activitypub, machine, nearby, render, shown, state, structured, told

PAGE = 20
PAGES_MOST = 200
FEED_MOST = 50
NEXT_SHOWN = 8  # dates of an event that comes again


async def listed(request: Request) -> Response:
    """`/actualites?page=…`: the commune's own first, then its neighbours'."""
    values = await state.of(request).database.read(_listed, request)
    return render.page(request, "news/list.html", **values)


def _listed(db: sqlite3.Connection, request: Request) -> dict[str, Any]:
    site, say = state.of(request), render.speak(request)
    now = site.clock()
    text = request.query_params.get("page", "")
    number = min(int(text), PAGES_MOST) if re.fullmatch(r"[1-9][0-9]{0,2}", text) else 1
    found = agenda.news(db, now, PAGE + 1, (number - 1) * PAGE)
    cards = [(post.peer is None, told.card(db, request, post)) for post in found[:PAGE]]
    at = render.prefix(request)

    def address(of: int) -> str:
        return f"{at}/actualites" + (f"?page={of}" if of > 1 else "")

    handle = node_row.commune_handle(db)
    return {
        "around": render.Around(
            query=(("page", str(number)),) if number > 1 else (),
            near=nearby.around(site, site.commune).near,
            feed=f"{at}/actualites.atom",
        ),
        "own": [one for own, one in cards if own],
        "others": [one for own, one in cards if not own],
        "urgent": [told.card(db, request, post) for post in agenda.urgent(db, now)],
        "here": phrases.at_place(say, site.commune.name),
        "news_style": told.style(request),
        "address_of_actor": f"@{handle}@{site.uris.authority}",
        "before": address(number - 1) if number > 1 else None,
        "following": address(number + 1) if len(found) > PAGE else None,
    }


# --- one of them ---------------------------------------------------------------------------------


async def piece(request: Request) -> Response:
    """`/actualites/{slug}-{8 hex}`; a slug that has changed since redirects."""
    return await page_of(request, event=False)


def get(db: sqlite3.Connection, named: str, *, event: bool) -> Post | None:
    """What the last part of a page's address names."""
    match = re.fullmatch(r".{0,80}-([0-9a-f]{8})", named)
    return posts.get_own(db, match[1], event=event) if match else None


async def page_of(request: Request, *, event: bool) -> Response:
    """The page of a piece of news, or of an event."""
    site = state.of(request)
    named = request.path_params["slug"]
    post = await site.database.read(get, named, event=event)
    if post is None:
        return await render.error(request, 404)
    if activitypub.wants_activity(request, otherwise=False):
        return activitypub.redirect(post.uri)
    if post.withdrawn is not None:
        return await render.error(request, 410)
    if named[:-9] != slug(post.title):
        return RedirectResponse(site.uris.origin + told.href(request, post), 301)
    values = await site.database.read(_page, request, post)
    return render.page(request, "news/post.html", vary="Accept", **values)


def _page(db: sqlite3.Connection, request: Request, post: Post) -> dict[str, Any]:
    site, say = state.of(request), render.speak(request)
    now = site.clock()
    card = told.card(db, request, post)
    zone = hours.zone_of(site.commune.id)
    event = post.event
    place = places.get(db, post.place) if post.place else None
    shop = shops.get(db, post.shop) if post.shop else None
    folder = "agenda" if event else "actualites"
    changed = when.day(say, post.updated.astimezone(zone).date())
    return {
        "around": render.Around(
            near=nearby.around(site, site.commune).near,
            feed=f"{render.prefix(request)}/{folder}.atom",
            properties=(
                ("og:title", card.title),
                ("og:type", "article"),
                ("og:url", post.url),
                ("og:site_name", site.settings.node.name),
                ("og:description", (card.said + " " if event else "") + card.excerpt),
            ),
        ),
        "news_style": told.style(request),
        "post": post,
        "card": card,
        "text": shown.paragraphs(post.text, 5000),
        "place": place.name if place else "",
        "shop": shop if shop is not None and shop.closed is None else None,
        "published": when.day(say, post.published.astimezone(zone).date()),
        "changed": changed if post.updated > post.published else "",
        "is_urgent": post.urgent_until is not None and post.urgent_until > now,
        "dates": _dates(say, post, request),
        "calendar": f"{told.href(request, post)}.ics" if event else "",
        "linked_data": structured.block(structured.event(post, event, place)) if event else "",
    }


def _dates(say: Translator, post: Post, request: Request) -> list[str]:
    """The next times of an event that comes again."""
    event, now = post.event, state.of(request).clock()
    if event is None or event.rule is None or event.state is EventState.CANCELLED:
        return []
    found = recurrence.occurrences(event, now, now + timedelta(days=400), NEXT_SHOWN)
    return [when.occurrence(say, event, starts, ends) for starts, ends in found]


# --- for programs --------------------------------------------------------------------------------


async def feed(request: Request) -> Response:
    """`/actualites.atom`: the commune's own news; neighbours have feeds of their own."""
    site, say = state.of(request), render.speak(request)
    found = await site.database.read(agenda.news, site.clock(), FEED_MOST, own=True)
    found.sort(key=lambda post: post.updated, reverse=True)
    title = f"{say('News')} – {site.settings.node.name}"
    page = f"{site.uris.origin}{render.prefix(request)}/actualites"
    return machine.feed(request, title, page, [told.entry(say, post) for post in found])
