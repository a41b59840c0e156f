"""Events as people type them: a day, a time, an end, and how they come again."""

import re
from datetime import UTC, date, datetime, time, timedelta

from node import errors, hours, recurrence
from node.model import Event, EventState

_NEUTRAL = "Europe/Paris"  # of a place whose zone nobody told
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
REPEATS = ("", "day", "week", "fortnight", "month-day", "month-weekday")


def zone_name(place: str | None) -> str:
    """The name of a place's time zone."""
    found = hours.zone_of(place)
    return found.key if found is not None else _NEUTRAL


def day(text: str) -> date | None:
    """A day as it is typed: "24/12/2026", "24.12.26" or "2026-12-24"; None for no day."""
    iso = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", text.strip())
    french = re.fullmatch(r"(\d{1,2})[/. -](\d{1,2})[/. -](\d{2}|\d{4})", text.strip())
    if iso is not None:
        year, month, number = (int(part) for part in iso.groups())
    elif french is not None:
        number, month, year = (int(part) for part in french.groups())
        year += 2000 if year < 100 else 0
    else:
        return None
    try:
        return date(year, month, number)
    except ValueError:
        return None


def clock(text: str) -> time | None:
    """A time as it is typed: "14:30", "14h30", "14 h", "9"; None for no time."""
    match = re.fullmatch(r"(\d{1,2})\s*(?:[h:.]\s*(\d{2})?)?\s*", text.strip().lower())
    if match is None or int(match[1]) > 23 or int(match[2] or 0) > 59:
        return None
    return time(int(match[1]), int(match[2] or 0))


def made(
    first: date,
    begins: time | None,
    last: date | None,
    ends: time | None,
    zone: str,
    venue: str = "",
    rule: str | None = None,
    state: EventState = EventState.SCHEDULED,
    excluded: tuple[date, ...] = (),
) -> Event:
    """An event on the clock of its zone: of whole days where it has no time of day."""
    clock_of = recurrence.zone(zone)

    def utc(of: date, at: time) -> datetime:
        return datetime.combine(of, at).replace(tzinfo=clock_of).astimezone(UTC)

    if begins is None:
        after = (last or first) + timedelta(days=1)
        return Event(
            utc(first, time()), utc(after, time()), zone, True, venue, rule, excluded, state
        )
    end = None
    if ends is not None:
        over = last or first
        if last is None and ends <= begins:
            over += timedelta(days=1)  # into the night
        end = utc(over, ends)
    return Event(utc(first, begins), end, zone, False, venue, rule, excluded, state)


def typed(starts: str, ends: str | None, zone: str, venue: str, rule: str | None) -> Event:
    """An event from "2026-12-05 09:00" or a day alone, as a command has it.

    Raises errors.Invalid.
    """
    first, begins = _moment(starts)
    last, over = _moment(ends) if ends else (None, None)
    return made(first, begins, last, over, zone, venue, rule)


def _moment(text: str) -> tuple[date, time | None]:
    on, _, at = text.strip().replace("T", " ").partition(" ")
    found, shown = day(on), clock(at) if at else None
    if found is None or (at and shown is None):
        raise errors.Invalid(
            "bad-date", f'{text[:40]!r} is no time such as "2026-12-05 09:00", and no day.'
        )
    return found, shown


def rule_for(repeat: str, first: date, until: date | None) -> str | None:
    """The rule behind a choice of REPEATS; None for once."""
    end = f";UNTIL={until:%Y%m%d}" if until else ""
    which = (first.day - 1) // 7 + 1
    return {
        "day": f"FREQ=DAILY{end}",
        "week": f"FREQ=WEEKLY{end}",
        "fortnight": f"FREQ=WEEKLY;INTERVAL=2{end}",
        "month-day": f"FREQ=MONTHLY{end}",
        "month-weekday": f"FREQ=MONTHLY;BYDAY={-1 if which == 5 else which}"
        f"{_DAYS[first.weekday()]}{end}",
    }.get(repeat)


def choice_of(event: Event) -> tuple[str, date | None] | None:
    """The choice of REPEATS, and until when, that gives an event's rule; None where none does."""
    if event.rule is None:
        return "", None
    first = event.starts.astimezone(recurrence.zone(event.zone)).date()
    try:
        until = recurrence.parse(event.rule).until_day
    except errors.Invalid:
        return None
    for repeat in REPEATS[1:]:
        if rule_for(repeat, first, until) == event.rule:
            return repeat, until
    return None
