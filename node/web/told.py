"""How news and events look in lists: who says it, since when, when and where it takes place."""

import dataclasses
import itertools
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from starlette.requests import Request

from node import agenda, hours, when
from node.model import Badge, EventState, Occurrence, Post
from node.store import places
from node.store.times import stamp
from node.translation import Translator
from node.web import render, shown, state

EXCERPT_MOST = 280
HOME_MOST = 3
_LOOK_AHEAD = (7, 60)  # days


@dataclass(frozen=True, slots=True)
class Card:
    """News or an event in a list, all of it said."""

    href: str
    title: str
    language: str  # where it is not the page's own
    author: str
    badge: str
    where: str  # the commune, where it is another
    host: str  # the node, where it is another
    said: str  # when it was published, or when it takes place
    venue: str
    excerpt: str
    state: str  # "Annulé", "Reporté"
    cancelled: bool
    until: str  # of what is urgent


def card(
    db: sqlite3.Connection, request: Request, post: Post, occurrence: Occurrence | None = None
) -> Card:
    """How it looks on this page; an event with the time that is meant, under its day's heading."""
    site, say = state.of(request), render.speak(request)
    zone = hours.zone_of(site.commune.id)
    event = post.event
    if event is None:
        said = when.day(say, post.published.astimezone(zone).date())
    elif occurrence is None:
        said = when.event(say, event)
    else:
        said = when.time_of_day(say, event, occurrence.starts, occurrence.ends)
    place = places.get(db, post.place) if post.place and post.place != site.commune.id else None
    return Card(
        href=href(request, post),
        title=shown.line(post.title, 160),
        language="" if post.language == say.language else post.language,
        author=shown.line(post.author, 100),
        badge=say.badge(post.badge),
        where=place.name if place else "",
        host=shown.host(post.peer) if post.peer else "",
        said=said,
        venue=shown.line(event.venue, 200) if event else "",
        excerpt=shown.line(post.text, EXCERPT_MOST),
        state=when.state(say, event.state) if event else "",
        cancelled=event is not None and event.state is EventState.CANCELLED,
        until=_until(say, post.urgent_until.astimezone(zone)) if post.urgent_until else "",
    )


def _until(say: Translator, moment: datetime) -> str:
    return say("{day}, at {time}").format(
        day=when.day(say, moment.date(), year=False), time=when.clock(say, moment)
    )


def href(request: Request, post: Post) -> str:
    """The page of it: ours in the language that is read, a neighbour's where it is."""
    if post.peer is not None:
        return post.url
    return render.prefix(request) + post.url.removeprefix(state.of(request).uris.origin)


def style(request: Request) -> str:
    """The address of the stylesheet of pages that show news or events."""
    return state.of(request).assets.address("news.css")


def home(db: sqlite3.Connection, request: Request, now: datetime) -> dict[str, Any]:
    """What the page of the territory says: what is urgent, what comes next, what is new."""
    return {
        "news_style": style(request),
        "urgent": [card(db, request, post) for post in agenda.urgent(db, now)],
        "coming": coming(db, request, now),
        "latest": [card(db, request, post) for post in agenda.news(db, now, HOME_MOST)],
    }


def of_shop(db: sqlite3.Connection, request: Request, shop: str, now: datetime) -> dict[str, Any]:
    """And the page of a shop."""
    return {
        "news_style": style(request),
        "coming": coming(db, request, now, shop=shop),
        "latest": [card(db, request, post) for post in agenda.news(db, now, HOME_MOST, shop=shop)],
    }


def coming(
    db: sqlite3.Connection, request: Request, now: datetime, *, shop: str | None = None
) -> list[Card]:
    """The next events, each once: ours, then the neighbours'; in the order of time."""
    first: dict[str, Occurrence] = {}
    # Neighbours' are asked for only where there is place, what is far only where little is near.
    for own, days in itertools.product((True,) if shop else (True, False), _LOOK_AHEAD):
        if len(first) >= HOME_MOST:
            break
        end = now + timedelta(days=days)
        for one in agenda.between(db, now, end, now, own=own, shop=shop):
            if len(first) < HOME_MOST:
                first.setdefault(one.post.id, one)
    return [
        card_with_day(db, request, one)
        for one in sorted(first.values(), key=lambda one: one.starts)
    ]


def card_with_day(db: sqlite3.Connection, request: Request, one: Occurrence) -> Card:
    """An occurrence as it looks where no heading names its day."""
    say = render.speak(request)
    made = card(db, request, one.post, one)
    assert one.post.event is not None
    said = when.occurrence(say, one.post.event, one.starts, one.ends)
    return dataclasses.replace(made, said=said)


def entry(say: Translator, post: Post) -> tuple[str, str]:
    """When it changed, and the Atom entry."""
    updated = stamp(post.updated)
    said = shown.paragraphs(post.text, 1000)
    title = shown.line(post.title, 200)
    if post.event is not None:
        venue = shown.line(post.event.venue, 200)
        said = ". ".join(filter(None, (when.event(say, post.event), venue, said)))
        state_said = when.state(say, post.event.state)
        title = f"{state_said}{say(': ')}{title}" if state_said else title
    author = shown.line(post.author, 100)
    if post.badge in (Badge.MEDIA, Badge.ASSOCIATION):
        author = f"{author} ({say.badge(post.badge)})"
    return updated, (
        f"<entry><title>{escape(title)}</title><id>{escape(post.uri)}</id>"
        f"<published>{stamp(post.published)}</published><updated>{updated}</updated>"
        f'<link rel="alternate" type="text/html" href={quoteattr(post.url)}/>'
        f"<author><name>{escape(author)}</name></author>"
        f"<summary>{escape(said)}</summary></entry>\n"
    )
