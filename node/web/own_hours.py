"""A merchant's opening hours on a telephone: a usual week by one tap, day by day, or as it is said;
public holidays; holidays and other days on which the week does not hold.

Whatever is changed is changed alone: a new week keeps the holidays that were told, and so on.
"""

import dataclasses
import re
import sqlite3
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from starlette.requests import Request
from starlette.responses import Response

from node import errors, hours, hours_said, hours_typed, phrases, shops, words
from node.holidays import is_holiday
from node.model import Hours, Shop, Span, SpecialDays
from node.store import places
from node.translation import Translator
from node.web import forms, merchant, render, sessions, state

# Weeks that many shops have, as they are typed; each is one button.
TEMPLATES = (
    "mar-sam 9h-12h30 14h-19h",
    "mar-sam 9h30-19h",
    "lun-sam 9h-12h 14h-19h",
    "lun-sam 10h-19h",
    "lun-ven 9h-12h 14h-18h",
    "lun 14h-19h; mar-sam 9h-12h 14h-19h",
    "mar-sam 7h-13h 15h30-19h30; dim 7h-13h",
    "mar-dim 8h-13h",
)
HOLIDAYS_SHOWN = 4
FORM = "hours-form"  # the code of errors whose fields hold sentences for people
_TIME = re.compile(r"([0-9]{1,2})(?:(?::| ?h ?)([0-9]{2})?)?")
_DATE = re.compile(r"([0-9]{1,2})[/. -]([0-9]{1,2})[/. -]([0-9]{4})")


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the week as four times in fields: from, to, and again from, to."""

    name: str
    times: tuple[str, str, str, str]


async def page(request: Request) -> Response:
    """`/ma-boutique/{shop}/horaires`."""
    desk = await merchant.desk_of(request)
    if isinstance(desk, Response):
        return desk
    site = state.of(request)
    say = render.speak(request)
    zone = hours.zone_of(desk.shop.place)
    today = site.clock().astimezone(zone).date()
    told = desk.shop.hours or Hours(())
    problems: dict[str, str] = {}
    sent: forms.Form | None = None
    if request.method == "POST":
        async with forms.read(request) as form:
            sent = form
            try:
                made = _changed(form, told, today, say)
                if desk.shop.hours is None and form.line("deed", 10) == "template":
                    made = dataclasses.replace(made or told, closed_on_holidays=True)
                await site.database.write(_set, desk.shop.handle, made, site.clock())
                return sessions.see_other(
                    request, f"/ma-boutique/{desk.shop.handle}/horaires?fait=horaires"
                )
            except errors.Invalid as error:
                problems = (
                    error.fields if error.code == FORM else {"": say("The hours could not be read")}
                )
    text = hours_typed.write(told, say.language) if desk.shop.hours else ""
    kept = hours.without_past(told, today)
    return merchant.page(
        request,
        "hours",
        desk,
        status=422 if problems else 200,
        errors=problems,
        week=hours_said.week(told, say) if desk.shop.hours else (),
        templates=[(one, said(one, say)) for one in TEMPLATES],
        typed=sent.text("hours", hours_typed.TEXT_MOST) if sent and sent.text("hours") else text,
        days=_days(told, sent if sent and sent.line("deed") == "days" else None, say),
        holidays=[phrases.day(say, one) for one in _next_holidays(desk.shop, today)],
        closed_on_holidays=told.closed_on_holidays,
        special=[
            (f"{one.first}_{one.last}", *hours_said.special(one, say)) for one in kept.special
        ],
        away=dict.fromkeys(("first", "last", "opens", "closes", "note"), "")
        if sent is None or sent.line("deed") != "away"
        else {name: sent.line(name, 100) for name in ("first", "last", "opens", "closes", "note")},
        opened=sent.line("deed", 10) if sent else "",
    )


def said(typed: str, say: Translator) -> str:
    """A template as people read it."""
    return hours_said.week_line(hours_typed.parse(typed), say)


def _days(told: Hours, sent: forms.Form | None, say: Translator) -> list[Day]:
    """The week in fields; none where a day has more than two spans, which only words can tell."""
    found = []
    for number in range(7):
        spans = [span for span in told.weekly if span.day == number]
        if len(spans) > 2:
            return []
        times = [_clock(minutes) for span in spans for minutes in (span.opens, span.closes)]
        if sent is not None:
            times = [sent.line(f"d{number}{part}", 10) for part in "abcd"]
        times += [""] * (4 - len(times))
        found.append(Day(phrases.weekday(say, number), (times[0], times[1], times[2], times[3])))
    return found


def _clock(minutes: int) -> str:
    """As a browser's field for a time wants it."""
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def _next_holidays(shop: Shop, today: date) -> list[date]:
    department = hours.department_of(shop.place)
    if department is None:
        return []
    days = (today + timedelta(days=ahead) for ahead in range(366))
    return [day for day in days if is_holiday(day, department)][:HOLIDAYS_SHOWN]


# --- what was sent -------------------------------------------------------------------------------


def _changed(form: forms.Form, told: Hours, today: date, say: Translator) -> Hours | None:
    """The hours with the one thing changed that was sent. Raises errors.Invalid."""
    deed = form.line("deed", 10)
    told = hours.without_past(told, today)
    if deed == "days":
        return dataclasses.replace(told, weekly=_week(form, say))
    if deed == "holidays":
        return dataclasses.replace(told, closed_on_holidays=form.is_set("closed"))
    if deed == "away":
        days = _away(form, today, say)
        others = tuple(
            one for one in told.special if (one.first, one.last) != (days.first, days.last)
        )
        return dataclasses.replace(told, special=(*others, days))
    if deed == "back":
        gone = form.line("which", 30)
        kept = tuple(one for one in told.special if f"{one.first}_{one.last}" != gone)
        return dataclasses.replace(told, special=kept)
    if deed == "template":
        week = hours_typed.parse(_known(form.line("week", 100)))
        return dataclasses.replace(told, weekly=week.weekly)
    typed = form.text("hours", hours_typed.TEXT_MOST)
    if not typed:
        return None
    try:
        read = hours_typed.parse(typed)
    except errors.Invalid as error:
        raise _wrong(
            "hours", say("The hours could not be read. Write them as in the example.")
        ) from error
    return dataclasses.replace(read, special=told.special)


def _known(template: str) -> str:
    if template not in TEMPLATES:
        raise errors.Invalid("bad-week")
    return template


def _week(form: forms.Form, say: Translator) -> tuple[Span, ...]:
    spans: list[Span] = []
    problems: dict[str, str] = {}
    for number in range(7):
        for first, last in ("ab", "cd"):
            typed = form.line(f"d{number}{first}", 10), form.line(f"d{number}{last}", 10)
            if not any(typed):
                continue
            span = _span(typed[0], typed[1])
            if span is None:
                problems[f"d{number}{first}"] = say("{day}: from when to when?").format(
                    day=phrases.weekday(say, number).capitalize()
                )
            else:
                spans.append(Span(number, *span))
    week = hours.tidy_week(spans)
    if not problems and len(week) < len(spans):
        problems[""] = say("The morning and the afternoon of a day overlap")
    if problems:
        raise errors.Invalid(FORM, fields=problems)
    return week


def _span(opens: str, closes: str) -> tuple[int, int] | None:
    """Minutes of "9:00" and "12h30"; past midnight where it closes earlier than it opens."""
    first, last = _minutes(opens), _minutes(closes)
    if first is None or last is None or first == last != 0:
        return None
    return first, last if last > first else last + hours.DAY


def _minutes(text: str) -> int | None:
    match = _TIME.fullmatch(text.lower())
    if match is None:
        return None
    hour, minute = int(match[1]), int(match[2] or 0)
    return hour * 60 + minute if hour < 24 and minute < 60 else None


def _away(form: forms.Form, today: date, say: Translator) -> SpecialDays:
    first, last = day(form.line("first", 20)), day(form.line("last", 20))
    problems: dict[str, str] = {}
    if form.line("first", 20) and first is None:
        problems["first"] = say("This is no date such as 24/12/2026")
    if form.line("last", 20) and last is None:
        problems["last"] = say("This is no date such as 24/12/2026")
    first = first or today
    last = last or first
    if not problems and last < max(first, today):
        problems["last"] = say("The last day comes before the first one, or is over")
    if not problems and last - first > timedelta(days=hours.SPECIAL_DAYS_MOST):
        problems["last"] = say("That is more than a year")
    spans: tuple[tuple[int, int], ...] = ()
    times = form.line("opens", 10), form.line("closes", 10)
    if any(times):
        span = _span(*times)
        if span is None:
            problems["opens"] = say("From when to when?")
        else:
            spans = hours.tidy((span,))
    note = form.line("note", hours.NOTE_MOST)
    if len(note) > hours.NOTE_MOST or not words.is_plain(note):
        problems["note"] = say("The reason is too long, or holds unreadable characters")
    if problems:
        raise errors.Invalid(FORM, fields=problems)
    return SpecialDays(first, last, spans, note)


def last_day(ends: datetime, zone: tzinfo | None) -> date:
    """The last day of what ends at a midnight."""
    return (ends - timedelta(seconds=1)).astimezone(zone).date()


def day(text: str) -> date | None:
    """A day as a browser's field writes it, or as people do: 24/12/2026."""
    match = _DATE.fullmatch(text)
    try:
        if match is not None:
            return date(int(match[3]), int(match[2]), int(match[1]))
        return date.fromisoformat(text)
    except ValueError:
        return None


def _wrong(field: str, sentence: str) -> errors.Invalid:
    return errors.Invalid(FORM, fields={field: sentence})


def _set(db: sqlite3.Connection, handle: str, told: Hours | None, now: datetime) -> None:
    shop = shops.get_open(db, handle)
    place = places.get(db, shop.place) if shop.place else None
    if place is None:
        raise errors.NotFound("unknown-place")
    shops.revise_shop(db, dataclasses.replace(shops.draft_of(shop, place), hours=told), now)
