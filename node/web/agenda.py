"""What takes place: the agenda by days, an event's own page, and both as calendar and feed."""

import sqlite3
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from node import agenda, calendars, events, neighbours, phrases, recurrence, when
from node.model import Occurrence, Post
from node.store import hidden, posts, shops
from node.translation import Translator
from node.web import content, machine, nearby, news, render, shown, state, told

DAYS = 28  # of a page
BACK = timedelta(days=365)
AHEAD = timedelta(days=5 * 365)
CALENDAR_BACK = timedelta(days=30)
CALENDAR_AHEAD = timedelta(days=400)
CALENDAR_MOST = 1000
FEED_MOST = 50


@dataclass(frozen=True, slots=True)
class Window:
    """The days of a page, the last one not among them, and what they are called."""

    first: date
    after: date
    chosen: str  # "", "week", "weekend" or "month"

    def moments(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """When it begins and ends."""
        return _midnight(self.first, zone), _midnight(self.after, zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def zone_of(site: state.Site) -> ZoneInfo:
    """The clock of the node's commune."""
    return recurrence.zone(events.zone_name(site.commune.id))


def window(request: Request, today: date) -> Window:
    """Which days an address asks for; four weeks from today where it says nothing usable."""
    asked = request.query_params
    monday = today - timedelta(days=today.weekday())
    if asked.get("quand") == "semaine":
        return Window(today, monday + timedelta(days=7), "week")
    if asked.get("quand") == "week-end":
        saturday = monday + timedelta(days=5)
        return Window(max(today, saturday), saturday + timedelta(days=2), "weekend")
    month = events.day(f"{asked.get('mois', '')[:7]}-01")
    if month is not None and _within(month, today):
        return Window(month, (month + timedelta(days=31)).replace(day=1), "month")
    first = events.day(asked.get("du", "")[:10])
    if first is None or not _within(first, today):
        first = today
    return Window(first, first + timedelta(days=DAYS), "")


def _within(day: date, today: date) -> bool:
    return today - BACK <= day <= today + AHEAD


async def days(request: Request) -> Response:
    """`/agenda?quand=…`, `?mois=…`, `?du=…`: what takes place, day by day."""
    values = await state.of(request).database.read(_days, request)
    return render.page(request, "news/agenda.html", **values)


def _days(db: sqlite3.Connection, request: Request) -> dict[str, Any]:
    site, say = state.of(request), render.speak(request)
    zone, now = zone_of(site), site.clock()
    today = now.astimezone(zone).date()
    asked = window(request, today)
    begin, end = asked.moments(zone)
    if asked.first == today:
        begin = now  # what is over today is over
    found = agenda.between(db, begin, end, now)
    after = asked.after
    if len(found) == recurrence.OCCURRENCES_MOST:
        after = max(_day(found[-1], begin, zone), asked.first + timedelta(days=1))
        found = [one for one in found if _day(one, begin, zone) < after]
    by_day: dict[date, list[Occurrence]] = {}
    for one in found:
        by_day.setdefault(_day(one, begin, zone), []).append(one)
    shown_days = []
    for day in sorted(by_day):
        entries = sorted(by_day[day], key=lambda one: (one.post.peer is not None, one.starts))
        shown_days.append((_heading(say, day, today), _cards(db, request, entries)))
    at = render.prefix(request)
    return {
        "around": _around(request, site),
        "days": shown_days,
        "urgent": [told.card(db, request, post) for post in agenda.urgent(db, now)],
        "news_style": told.style(request),
        "chosen": asked.chosen,
        "here": phrases.at_place(say, site.commune.name),
        "span": say("from {first} to {last}").format(
            first=when.day(say, asked.first), last=when.day(say, after - timedelta(days=1))
        ),
        "month": f"{at}/agenda?{urlencode({'mois': f'{today:%Y-%m}'})}",
        "before": _before(at, asked, today),
        "following": _following(at, asked, after, today),
    }


def _day(one: Occurrence, begin: datetime, zone: ZoneInfo) -> date:
    """The day that an occurrence stands under: its first that is shown."""
    return max(one.starts, begin).astimezone(zone).date()


def _heading(say: Translator, day: date, today: date) -> str:
    named = when.day(say, day, year=day.year != today.year)
    if day == today:
        return say("Today, {day}").format(day=named)
    if day == today + timedelta(days=1):
        return say("Tomorrow, {day}").format(day=named)
    return named[:1].upper() + named[1:]


def _cards(db: sqlite3.Connection, request: Request, entries: list[Occurrence]) -> list[told.Card]:
    return [told.card(db, request, one.post, one) for one in entries]


def _before(at: str, asked: Window, today: date) -> str | None:
    if asked.chosen == "month":
        month = (asked.first - timedelta(days=1)).replace(day=1)
        query = {"mois": f"{month:%Y-%m}"}
        return f"{at}/agenda?{urlencode(query)}" if _within(month, today) else None
    first = asked.first - timedelta(days=DAYS)
    if asked.chosen or not _within(first, today):
        return None
    return f"{at}/agenda" if first == today else f"{at}/agenda?{urlencode({'du': str(first)})}"


def _following(at: str, asked: Window, after: date, today: date) -> str | None:
    if asked.chosen == "month" and after == asked.after:
        query = {"mois": f"{after:%Y-%m}"}
    elif asked.chosen in ("week", "weekend"):
        return None
    else:
        query = {"du": str(after)}
    return f"{at}/agenda?{urlencode(query)}" if _within(after, today) else None


def _around(request: Request, site: state.Site) -> render.Around:
    kept = ("quand", "mois", "du")
    asked = request.query_params
    return render.Around(
        query=tuple((name, asked[name][:10]) for name in kept if name in asked),
        near=nearby.around(site, site.commune).near,
        feed=f"{render.prefix(request)}/agenda.atom",
    )


# --- one event -----------------------------------------------------------------------------------


async def event(request: Request) -> Response:
    """`/agenda/{slug}-{8 hex}`; a slug that has changed since redirects."""
    return await news.page_of(request, event=True)


async def event_calendar(request: Request) -> Response:
    """`/agenda/{slug}-{8 hex}.ics`: one event, to be put into one's own calendar."""
    site = state.of(request)
    named = request.path_params["slug"]
    found = await site.database.read(news.get, named, event=True)
    if found is None or found.withdrawn is not None:
        return await render.error(request, 410 if found else 404)
    return _calendar(request, [found], found.title)


# --- for programs --------------------------------------------------------------------------------


async def calendar(request: Request) -> Response:
    """`/agenda.ics`: a month back and a year ahead."""
    site = state.of(request)
    now = site.clock()
    found = await site.database.read(
        posts.find_events,
        now - neighbours.HIDDEN_AFTER,
        now - CALENDAR_BACK,
        now + CALENDAR_AHEAD,
        CALENDAR_MOST,
    )
    name = f"{render.speak(request)('Agenda')} – {site.settings.node.name}"
    return _calendar(request, found, name)


async def shop_calendar(request: Request) -> Response:
    """`/@{shop}.ics`: the events of one shop."""
    site = state.of(request)
    now = site.clock()
    shop = await site.database.read(shops.get_own, request.path_params["handle"])
    if shop is None or shop.closed is not None:
        return await render.error(request, 410 if shop else 404)
    if await site.database.read(hidden.exists, shop.uri):
        return await render.error(request, 410, hidden="shop")
    found = await site.database.read(
        posts.find_events,
        now - neighbours.HIDDEN_AFTER,
        now - CALENDAR_BACK,
        now + CALENDAR_AHEAD,
        CALENDAR_MOST,
        shop=shop.id,
    )
    return _calendar(request, found, shop.name)


def _calendar(request: Request, found: list[Post], name: str) -> Response:
    text = calendars.write(found, shown.line(name, 200), render.language(request))
    return content.answer(request, text, f"{calendars.MEDIA_TYPE}; charset=utf-8")


async def feed(request: Request) -> Response:
    """`/agenda.atom`: what takes place next, what was changed last on top."""
    site, say = state.of(request), render.speak(request)
    now = site.clock()
    found = await site.database.read(agenda.between, now, now + timedelta(days=DAYS * 3), now)
    told_once = {one.post.id: one.post for one in reversed(found)}
    entries = sorted(told_once.values(), key=lambda post: post.updated, reverse=True)
    title = f"{say('Agenda')} – {site.settings.node.name}"
    page = f"{site.uris.origin}{render.prefix(request)}/agenda"
    return machine.feed(
        request, title, page, [told.entry(say, post) for post in entries[:FEED_MOST]]
    )
