"""When an event takes place again: the part of RFC 5545's RECUR that agendas use.

Every day, week, month or year, every so many of them, on days of the week ("first Saturday"), until
a day or so many times. A rule is reckoned on the clock of its zone, so that a market at nine stays
at nine when the clocks change.
"""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from node import errors
from node.model import Event

OCCURRENCES_MOST = 400  # within what is shown at once
COUNT_MOST = 400  # times that a rule may name
STEPS_MOST = 4000  # days, weeks, months or years that are looked at: ten years of days
RULE_MOST = 300  # characters
DAYS_MOST = 20 * 366  # that those reach over
LOOKED_AHEAD = timedelta(days=5 * 366)  # of a rule without an end

_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_BY_DAY = re.compile(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)")


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that was read. `days` are (which of the month, weekday from Monday); 0: every."""

    frequency: str  # DAILY, WEEKLY, MONTHLY, YEARLY
    interval: int = 1
    days: tuple[tuple[int, int], ...] = ()
    month_days: tuple[int, ...] = ()
    count: int | None = None
    until: datetime | None = None  # UTC where `until_day` is None
    until_day: date | None = None


def parse(text: str) -> Rule:
    """Reads a RECUR value. Raises errors.Invalid (bad-rule) for what is not understood in full:
    an event on the wrong days is worse than none."""
    found: dict[str, str] = {}
    for part in text.strip().upper()[: RULE_MOST + 1].split(";"):
        name, sign, value = part.partition("=")
        if not sign or name in found:
            raise _bad(f"{part[:40]!r} cannot be read")
        found[name] = value
    frequency = found.pop("FREQ", "")
    if len(text) > RULE_MOST or frequency not in ("DAILY", "WEEKLY", "MONTHLY", "YEARLY"):
        raise _bad("it must repeat daily, weekly, monthly or yearly")
    interval = _number(found.pop("INTERVAL", "1"), 1, 100)
    count = _number(found.pop("COUNT"), 1, COUNT_MOST) if "COUNT" in found else None
    until, until_day = _until(found.pop("UNTIL", None))
    days = _by_day(found.pop("BYDAY", ""), frequency)
    month_days = tuple(
        _number(one, -31, 31, zero=False)
        for one in filter(None, found.pop("BYMONTHDAY", "").split(","))
    )[:31]
    if found.pop("WKST", "MO") != "MO" and frequency == "WEEKLY" and interval > 1:
        raise _bad("its weeks must begin on Monday")
    if found:
        raise _bad(f"{', '.join(sorted(found))[:80]} is not understood")
    if month_days and (frequency != "MONTHLY" or days):
        raise _bad("days of the month go with months only")
    if days and frequency == "YEARLY":
        raise _bad("days of the week go with weeks and months only")
    return Rule(frequency, interval, days, month_days, count, until, until_day)


def _bad(why: str) -> errors.Invalid:
    return errors.Invalid("bad-rule", f"This recurrence cannot be used: {why}.")


def _number(text: str, least: int, most: int, *, zero: bool = True) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,9}", text) or not least <= int(text) <= most:
        raise _bad(f"{text[:20]!r} is not a number from {least} to {most}")
    if int(text) == 0 and not zero:
        raise _bad("there is no day 0")
    return int(text)


def _until(text: str | None) -> tuple[datetime | None, date | None]:
    if text is None:
        return None, None
    match = re.fullmatch(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)Z?)?", text)
    try:
        if match is None:
            raise ValueError(text)
        day = date(int(match[1]), int(match[2]), int(match[3]))
        if match[4] is None:
            return None, day
        moment = datetime(
            day.year, day.month, day.day, int(match[4]), int(match[5]), int(match[6]), tzinfo=UTC
        )
    except ValueError:
        raise _bad(f"{text[:20]!r} is no date") from None
    return moment, None


def _by_day(text: str, frequency: str) -> tuple[tuple[int, int], ...]:
    found = []
    for one in filter(None, text.split(",")):
        match = _BY_DAY.fullmatch(one)
        if match is None or (match[1] and frequency != "MONTHLY"):
            raise _bad(f"{one[:20]!r} is not understood")
        found.append((int(match[1] or 0), _DAYS.index(match[2])))
    if len(found) > 14:
        raise _bad("it names too many days")
    return tuple(found)


def zone(name: str) -> ZoneInfo:
    """A time zone by its name; UTC where this system does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return ZoneInfo("UTC")


def occurrences(
    event: Event, begin: datetime, end: datetime, most: int = OCCURRENCES_MOST
) -> list[tuple[datetime, datetime | None]]:
    """When an event takes place between two moments, begun before or not: starts and ends, UTC.

    At most `most`, the earliest first.
    """
    found: list[tuple[datetime, datetime | None]] = []
    for starts, ends in _all(event, begin):
        if starts >= end or len(found) >= most:
            break
        if (ends or starts) > begin or starts >= begin:
            found.append((starts, ends))
    return found


def last(event: Event) -> datetime:
    """When the last occurrence is over, as far as it is looked ahead."""
    over = event.ends or event.starts
    end = event.starts + LOOKED_AHEAD
    for begin in (_near(event, end), None):
        for starts, ends in _all(event, begin):
            if starts > end:
                break
            over = max(over, ends or starts)
        if over > (event.ends or event.starts):
            break
    return over


def _near(event: Event, end: datetime) -> datetime | None:
    """Shortly before the end, where what comes again and again surely takes place since then, but
    for days that are left out."""
    rule = None if event.rule is None else parse(event.rule)
    if rule is None or rule.frequency not in ("DAILY", "WEEKLY"):
        return None
    endless = rule.count is None and rule.until is None and rule.until_day is None
    return end - timedelta(days=14 * rule.interval) if endless else None


def _all(event: Event, begin: datetime | None = None) -> Iterator[tuple[datetime, datetime | None]]:
    """Every occurrence in order; the first is always the event's own start.

    With `begin`, those that are long over by then may be left out.
    """
    if event.rule is None:
        yield event.starts, event.ends
        return
    rule, clock = parse(event.rule), zone(event.zone)
    begins = event.starts.astimezone(clock).replace(tzinfo=None)
    lasts = None if event.ends is None else event.ends.astimezone(clock).replace(tzinfo=None)
    length = None if lasts is None else lasts - begins
    left_out = frozenset(event.excluded)
    told = 0
    looked_from = begins.date()
    if begin is not None:
        early = (begin - (length or timedelta())).astimezone(clock).date() - timedelta(days=1)
        looked_from = max(looked_from, early)
    for day in _days(rule, begins.date(), looked_from if rule.count is None else None):
        if day < looked_from:
            told += 1  # long over, and counts
            if told == rule.count:
                return
            continue
        shown = datetime.combine(day, begins.time())
        starts = shown.replace(tzinfo=clock).astimezone(UTC)
        if (rule.count is not None and told >= rule.count) or _is_over(rule, day, starts):
            return
        told += 1
        if day in left_out:
            continue
        ends = None
        if length is not None:
            ends = (shown + length).replace(tzinfo=clock).astimezone(UTC)
        yield starts, ends


def _is_over(rule: Rule, day: date, starts: datetime) -> bool:
    if rule.until_day is not None:
        return day > rule.until_day
    return rule.until is not None and starts > rule.until


def _days(rule: Rule, first: date, looked_from: date | None) -> Iterator[date]:
    """The days of a rule from the first on, that one included whatever the rule says of it.

    Those between it and a little before `looked_from` may be left out.
    """
    yield first
    skipped = 0
    length = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 31, "YEARLY": 366}[rule.frequency] * rule.interval
    if looked_from is not None and looked_from > first:
        skipped = max(0, (looked_from - first).days // length - 2)
    steps = min(STEPS_MOST, DAYS_MOST // length + 4)
    for step in range(skipped, skipped + steps):
        try:
            for day in _in_step(rule, first, step * rule.interval):
                if day > first:
                    yield day
        except (OverflowError, ValueError):
            return


def _in_step(rule: Rule, first: date, ahead: int) -> list[date]:
    """The days of the day, week, month or year that lies so many ahead of the first."""
    if rule.frequency == "DAILY":
        day = first + timedelta(days=ahead)
        wanted = {weekday for _, weekday in rule.days}
        return [day] if not wanted or day.weekday() in wanted else []
    if rule.frequency == "WEEKLY":
        monday = first - timedelta(days=first.weekday()) + timedelta(weeks=ahead)
        wanted = {weekday for _, weekday in rule.days} or {first.weekday()}
        return [monday + timedelta(days=weekday) for weekday in sorted(wanted)]
    if rule.frequency == "YEARLY":
        year = first.year + ahead
        if first.month == 2 and first.day == 29 and not calendar.isleap(year):
            return []
        return [first.replace(year=year)]
    months = first.year * 12 + first.month - 1 + ahead
    year, month = months // 12, months % 12 + 1
    size = calendar.monthrange(year, month)[1]
    if rule.days:
        return sorted({day for one in rule.days for day in _of_month(year, month, size, *one)})
    numbers = rule.month_days or (first.day,)
    days = {number if number > 0 else size + 1 + number for number in numbers}
    return [date(year, month, day) for day in sorted(days) if 1 <= day <= size]


def _of_month(year: int, month: int, size: int, which: int, weekday: int) -> list[date]:
    days = [
        date(year, month, day)
        for day in range(1, size + 1)
        if date(year, month, day).weekday() == weekday
    ]
    if which == 0:
        return days
    place = which - 1 if which > 0 else which
    return [days[place]] if -len(days) <= place < len(days) else []
