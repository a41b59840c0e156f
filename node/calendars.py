"""Events as an iCalendar file (RFC 5545), for calendars that subscribe to an agenda."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from node import recurrence
from node.model import Event, EventState, Post

MEDIA_TYPE = "text/calendar"
_LINE = 75  # octets of a line, its end not counted (RFC 5545, 3.1)
_STATUS = {
    EventState.SCHEDULED: "CONFIRMED",
    EventState.CANCELLED: "CANCELLED",
    EventState.POSTPONED: "TENTATIVE",
}
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_YEARS = 6  # that the changes of a zone's clock are written out for


def write(posts: Iterable[Post], name: str, language: str) -> str:
    """A calendar of events. Times of what comes again are on the clock of its zone, others in UTC.

    The same events give the same bytes: `DTSTAMP` is when an event was last changed.
    """
    found = [(post, post.event) for post in posts if post.event is not None]
    zones = sorted({event.zone for _, event in found if _is_local(event)})
    first = min((event.starts for _, event in found), default=datetime(2026, 1, 1, tzinfo=UTC))
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Echoppe//Agenda//FR",
        "CALSCALE:GREGORIAN",
        f"NAME:{_text(name)}",
        f"X-WR-CALNAME:{_text(name)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
    ]
    for zone in zones:
        lines += _zone(recurrence.zone(zone), first)
    for post, event in found:
        lines += _event(post, event, language)
    lines.append("END:VCALENDAR")
    return "".join(_folded(line) + "\r\n" for line in lines)


def _is_local(event: Event) -> bool:
    return event.rule is not None and not event.all_day


def _event(post: Post, event: Event, language: str) -> list[str]:
    lines = [
        "BEGIN:VEVENT",
        f"UID:{post.uri}",
        f"DTSTAMP:{_utc(post.updated)}",
        f"CREATED:{_utc(post.published)}",
        f"LAST-MODIFIED:{_utc(post.updated)}",
        f"DTSTART{_moment(event, event.starts)}",
    ]
    if event.ends is not None and event.ends > event.starts:
        lines.append(f"DTEND{_moment(event, event.ends)}")
    if event.rule is not None:
        lines.append(f"RRULE:{_rule(event)}")
        clock = recurrence.zone(event.zone)
        shown = event.starts.astimezone(clock).time()
        for day in event.excluded:
            left_out = datetime.combine(day, shown).replace(tzinfo=clock)
            lines.append(f"EXDATE{_moment(event, left_out)}")
    spoken = "" if post.language == language else f";LANGUAGE={post.language}"
    lines += [f"SUMMARY{spoken}:{_text(post.title)}", f"STATUS:{_STATUS[event.state]}"]
    if post.text:
        lines.append(f"DESCRIPTION{spoken}:{_text(post.text)}")
    if event.venue:
        lines.append(f"LOCATION:{_text(event.venue)}")
    return [*lines, f"URL:{post.url}", "END:VEVENT"]


def _moment(event: Event, of: datetime) -> str:
    """What stands behind the name of a property that is a time of an event."""
    if event.all_day:
        return f";VALUE=DATE:{of.astimezone(recurrence.zone(event.zone)):%Y%m%d}"
    if _is_local(event):
        shown = of.astimezone(recurrence.zone(event.zone))
        return f";TZID={recurrence.zone(event.zone).key}:{shown:%Y%m%dT%H%M%S}"
    return f":{_utc(of)}"


def _rule(event: Event) -> str:
    """The rule; its UNTIL of the kind that DTSTART is of (RFC 5545, 3.3.10)."""
    assert event.rule is not None
    rule, clock = recurrence.parse(event.rule), recurrence.zone(event.zone)
    parts = [f"FREQ={rule.frequency}"]
    if rule.interval != 1:
        parts.append(f"INTERVAL={rule.interval}")
    if rule.days:
        days = ",".join(f"{which or ''}{_DAYS[day]}" for which, day in rule.days)
        parts.append(f"BYDAY={days}")
    if rule.month_days:
        parts.append(f"BYMONTHDAY={','.join(str(day) for day in rule.month_days)}")
    if rule.count is not None:
        parts.append(f"COUNT={rule.count}")
    last, until = rule.until_day, rule.until
    if event.all_day and until is not None:
        last = until.astimezone(clock).date()
    if last is not None:
        after = _midnight(last + timedelta(days=1), clock) - timedelta(seconds=1)
        parts.append(f"UNTIL={last:%Y%m%d}" if event.all_day else f"UNTIL={_utc(after)}")
    elif until is not None:
        parts.append(f"UNTIL={_utc(until)}")
    return ";".join(parts)


def _midnight(day: date, clock: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=clock)


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _zone(zone: ZoneInfo, first: datetime) -> list[str]:
    """A VTIMEZONE: what the zone's clock showed before the first event, and each change since."""
    lines = ["BEGIN:VTIMEZONE", f"TZID:{zone.key}"]
    day = datetime(first.year - 1, 1, 1, tzinfo=UTC)
    lines += _observance(zone, day, None)
    for _ in range(366 * (_YEARS + 1)):
        following = day + timedelta(days=1)
        before = day.astimezone(zone).utcoffset()
        if following.astimezone(zone).utcoffset() != before:
            moment = day
            for _ in range(24):
                moment += timedelta(hours=1)
                if moment.astimezone(zone).utcoffset() != before:
                    break
            lines += _observance(zone, moment, before)
        day = following
    return [*lines, "END:VTIMEZONE"]


def _observance(zone: ZoneInfo, moment: datetime, before: timedelta | None) -> list[str]:
    """From a moment on, until the next: its DTSTART is on the clock as it was until then."""
    shown = moment.astimezone(zone)
    offset = shown.utcoffset() or timedelta()
    was = offset if before is None else before
    kind = "DAYLIGHT" if shown.dst() else "STANDARD"
    began = moment.astimezone(UTC) + was
    return [
        f"BEGIN:{kind}",
        f"DTSTART:{began:%Y%m%dT%H%M%S}",
        f"TZOFFSETFROM:{_offset(was)}",
        f"TZOFFSETTO:{_offset(offset)}",
        f"TZNAME:{shown.tzname()}",
        f"END:{kind}",
    ]


def _offset(of: timedelta) -> str:
    minutes = round(of.total_seconds() / 60)
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}"


def _text(text: str) -> str:
    """A TEXT value (RFC 5545, 3.3.11), without controls that no calendar may hold."""
    kept = "".join(c for c in text if c == "\n" or (c >= " " and c != "\x7f"))
    for sign, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        kept = kept.replace(sign, written)
    return kept


def _folded(line: str) -> str:
    """A content line in pieces of at most 75 octets, no character torn."""
    pieces: list[str] = []
    piece, size = "", 0
    for character in line:
        width = len(character.encode())
        if size + width > _LINE:
            pieces.append(piece)
            piece, size = " ", 1
        piece += character
        size += width
    return "\r\n".join([*pieces, piece])
