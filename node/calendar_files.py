"""iCalendar files as others write them (RFC 5545), read into items.

Lines are bounded, and so are events; what comes again without end is a rule, never a list. What is
not understood in full is left out and counted, so that nobody comes on the wrong day.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from node import errors, feeds, news, recurrence
from node.model import Event, EventState, Item

EVENTS_MOST = 200  # taken over: those that are next
READ_MOST = 20_000  # looked at
AGAIN_COUNTS = 20  # as so many of those counts one that comes again
LINE_MOST = 40_000  # characters, unfolded
_STATES = {"CANCELLED": EventState.CANCELLED, "TENTATIVE": EventState.SCHEDULED}
_ESCAPED = {"n": "\n", "N": "\n"}

_Property = tuple[dict[str, str], str]


@dataclass(frozen=True, slots=True)
class Read:
    """What a file holds: its events from now on, and how many cannot be used."""

    items: list[Item]
    unusable: int
    cut: bool  # there were more


def is_calendar(body: bytes) -> bool:
    """Whether it begins as a calendar does."""
    return body[:200].lstrip(b"\xef\xbb\xbf \r\n\t").upper().startswith(b"BEGIN:VCALENDAR")


def parse(body: bytes, zone: str, now: datetime) -> Read:
    """The events that are not over, the next ones first. Times without a zone are of `zone`.

    Raises errors.Invalid (bad-calendar).
    """
    if not is_calendar(body):
        raise errors.Invalid("bad-calendar", "This is no iCalendar file.")
    found: dict[str, Item] = {}
    moved: dict[str, set[date]] = {}
    unusable, looked = 0, 0
    for properties in _events(body.decode("utf-8", "replace")):
        # To see when what comes again is over for good takes as long as many others.
        looked += AGAIN_COUNTS if "RRULE" in properties else 1
        if looked > READ_MOST:
            break
        try:
            item = _item(properties, zone, now)
        except (errors.Invalid, ValueError, OverflowError):
            unusable += 1
            continue
        if item is None:
            continue
        again = _first(properties, "RECURRENCE-ID")
        if again is not None:
            uid = _said(properties, "UID")
            moved.setdefault(uid[: feeds.GUID_MOST], set()).add(_day_of(again, zone))
        found[item.guid] = item
    for guid, days in moved.items():
        master = found.get(guid)
        if master is not None and master.event is not None:
            left_out = tuple(sorted({*master.event.excluded, *days}))[: news.EXCLUDED_MOST]
            found[guid] = replace(master, event=replace(master.event, excluded=left_out))
    coming = [one for one in found.values() if one.event and recurrence.last(one.event) >= now]
    coming.sort(key=lambda one: one.event.starts if one.event else now)
    return Read(coming[:EVENTS_MOST], unusable, len(coming) > EVENTS_MOST or looked > READ_MOST)


def _events(text: str) -> Iterator[dict[str, list[_Property]]]:
    """The properties of each VEVENT, without those of what stands within it."""
    within: list[str] = []
    properties: dict[str, list[_Property]] = {}
    for line in _lines(text):
        head, sign, value = _split(line)
        if not sign:
            continue
        name, *rest = _pieces(head)
        name = name.upper()
        if name == "BEGIN":
            within = [*within[:10], value.upper()]
            if value.upper() == "VEVENT":
                properties = {}
        elif name == "END":
            if value.upper() == "VEVENT" and within[-1:] == ["VEVENT"]:
                yield properties
            within = within[:-1]
        elif within[-1:] == ["VEVENT"] and len(properties) < 60:
            parameters = dict(_parameter(one) for one in rest[:10])
            several = properties.setdefault(name, [])
            if len(several) < news.EXCLUDED_MOST:
                several.append((parameters, value))


def _lines(text: str) -> Iterator[str]:
    """Content lines, unfolded (3.1), each cut where it is longer than any use."""
    current, size = [""], 0
    for piece in re.split(r"\r\n|\n|\r", text):
        if piece[:1] in (" ", "\t"):
            if size < LINE_MOST:
                current.append(piece[1 : LINE_MOST - size])
                size += len(piece)
            continue
        yield "".join(current)
        current, size = [piece[:LINE_MOST]], len(piece)
    yield "".join(current)


def _split(line: str) -> tuple[str, str, str]:
    """Name and parameters before the colon that stands in no quotes, and the value behind."""
    quoted = False
    for place, character in enumerate(line[:2000]):
        if character == '"':
            quoted = not quoted
        elif character == ":" and not quoted:
            return line[:place], ":", line[place + 1 :]
    return line[:100], "", ""


def _pieces(head: str) -> list[str]:
    return re.findall(r'(?:[^;"]|"[^"]*")+', head) or [""]


def _parameter(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.upper(), value.strip('"')


def _first(properties: dict[str, list[_Property]], name: str) -> _Property | None:
    return properties.get(name, [None])[0]


def _said(properties: dict[str, list[_Property]], name: str) -> str:
    """A TEXT value (3.3.11)."""
    found = _first(properties, name)
    value = found[1] if found else ""
    return re.sub(r"\\(.)", lambda match: _ESCAPED.get(match[1], match[1]), value)


def _item(properties: dict[str, list[_Property]], zone: str, now: datetime) -> Item | None:
    starts = _first(properties, "DTSTART")
    title = feeds.line(_said(properties, "SUMMARY"), news.TITLE_MOST)
    if starts is None or not title:
        raise ValueError("no start or no title")
    begins, all_day = _moment(starts, zone)
    clock = _zone_of(starts, zone)
    event = Event(
        starts=begins,
        ends=_end(properties, begins, all_day, clock),
        zone=clock.key,
        all_day=all_day,
        venue=feeds.line(_said(properties, "LOCATION"), news.VENUE_MOST),
        rule=_rule(properties),
        excluded=_excluded(properties, zone, clock),
        state=_STATES.get(_said(properties, "STATUS").upper(), EventState.SCHEDULED),
    )
    uid = _said(properties, "UID")
    again = _first(properties, "RECURRENCE-ID")
    if again is not None:
        _day_of(again, zone)  # what cannot be read stands for nothing
    guid = (f"{uid}/{again[1]}" if again else uid) or f"{title} {begins:%Y%m%dT%H%M}"
    link = _said(properties, "URL").strip()
    draft = news.PostDraft(
        title=title,
        text=feeds.plain(_said(properties, "DESCRIPTION"))[: news.TEXT_MOST],
        link=link if news.is_link(link) else None,
        event=event,
    )
    if event.ends is not None and event.ends < event.starts:
        raise ValueError("it ends before it begins")
    if recurrence.last(event) < now:
        return None
    news.check(draft, now)
    return Item(guid[: feeds.GUID_MOST], draft.title, draft.text, draft.link, None, event)


def _zone_of(told: _Property, zone: str) -> ZoneInfo:
    """The clock of a time; one whose name says nothing here is the node's own."""
    if told[1].endswith("Z"):
        return recurrence.zone(zone)
    name = told[0].get("TZID", "").lstrip("/")
    named = recurrence.zone(name) if re.fullmatch(r"[A-Za-z0-9/_+-]{1,40}", name) else None
    return named if named is not None and named.key != "UTC" else recurrence.zone(zone)


def _moment(told: _Property, zone: str) -> tuple[datetime, bool]:
    """A DATE or DATE-TIME value in UTC, and whether it is a day. Raises ValueError."""
    parameters, value = told
    match = re.fullmatch(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z)?)?", value.strip())
    if match is None:
        raise ValueError(value[:40])
    year, month, day = int(match[1]), int(match[2]), int(match[3])
    clock = _zone_of(told, zone)
    if match[4] is None or parameters.get("VALUE") == "DATE":
        return datetime(year, month, day, tzinfo=clock).astimezone(UTC), True
    second = min(int(match[6]), 59)
    shown = datetime(year, month, day, int(match[4]), int(match[5]), second)
    return shown.replace(tzinfo=UTC if match[7] else clock).astimezone(UTC), False


def _day_of(told: _Property, zone: str) -> date:
    """The day of a time on its own clock. Raises ValueError and OverflowError."""
    return _moment(told, zone)[0].astimezone(_zone_of(told, zone)).date()


def _end(
    properties: dict[str, list[_Property]], begins: datetime, all_day: bool, clock: ZoneInfo
) -> datetime | None:
    told = _first(properties, "DTEND")
    if told is not None:
        return _moment(told, clock.key)[0]
    length = re.fullmatch(
        r"\+?P(?:(\d{1,4})W)?(?:(\d{1,4})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,5})M)?(?:(\d{1,6})S)?)?",
        _said(properties, "DURATION"),
    )
    if length is not None and any(length.groups()):
        weeks, days, hours, minutes, seconds = (int(part or 0) for part in length.groups())
        return begins + timedelta(
            weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds
        )
    if not all_day:
        return None
    after = begins.astimezone(clock).date() + timedelta(days=1)
    return datetime(after.year, after.month, after.day, tzinfo=clock).astimezone(UTC)


def _rule(properties: dict[str, list[_Property]]) -> str | None:
    """Its one rule. Raises errors.Invalid for what is not understood: RDATE and several rules."""
    rules = properties.get("RRULE", [])
    if len(rules) > 1 or "RDATE" in properties:
        raise errors.Invalid("bad-rule", "It comes again in a way that is not understood.")
    if not rules:
        return None
    recurrence.parse(rules[0][1])
    return rules[0][1].strip().upper()


def _excluded(
    properties: dict[str, list[_Property]], zone: str, clock: ZoneInfo
) -> tuple[date, ...]:
    days: set[date] = set()
    for parameters, value in properties.get("EXDATE", []):
        for one in value.split(",")[: news.EXCLUDED_MOST]:
            days.add(_moment((parameters, one), zone)[0].astimezone(clock).date())
    return tuple(sorted(days))[: news.EXCLUDED_MOST]
