"""Opening hours: whether a shop is open at a moment, until when, and when it opens next.

Hours are of the shop's own clock, whose zone follows from its department. How people write and
read hours is in `hours_typed.py` and `hours_said.py`.
"""

import zoneinfo
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from node import errors, holidays
from node.model import Hours, OpenState, Span, SpecialDays

DAY = 24 * 60
SPANS_A_DAY_MOST = 6
SPECIAL_MOST = 60
SPECIAL_DAYS_MOST = 366
NOTE_MOST = 100

# How far ahead an opening is looked for: beyond a year it is of no use to anybody.
_DAYS_AHEAD = 370
# A shop that stays open longer than this on end does not close.
_NEVER_CLOSES = timedelta(days=9)

METROPOLITAN = "Europe/Paris"
OVERSEAS = {
    "971": "America/Guadeloupe",
    "972": "America/Martinique",
    "973": "America/Cayenne",
    "974": "Indian/Reunion",
    "975": "America/Miquelon",
    "976": "Indian/Mayotte",
    "977": "America/St_Barthelemy",
    "978": "America/Marigot",
    "986": "Pacific/Wallis",
    "987": "Pacific/Tahiti",
    "988": "Pacific/Noumea",
}
# In French Polynesia the Marquesas and the Gambier islands keep clocks of their own.
_MARQUESAS = frozenset(("98718", "98723", "98731", "98750", "98756", "98757"))
_GAMBIER = "98719"


# --- Where ---------------------------------------------------------------------------------------


def department_of(place: str | None) -> str | None:
    """The department of a French place id: "33" of "FR-33063", "974" of "FR-97411"."""
    if place is None or not place.startswith("FR-") or len(place) != 8:
        return None
    code = place[3:]
    return code[:3] if code[:2] in ("97", "98") else code[:2]


def zone_of(place: str | None) -> ZoneInfo | None:
    """The time zone of a place id; None where it is not known.

    Raises errors.Unusable where the system has no time zone database.
    """
    department = department_of(place)
    if place is None or department is None:
        return None
    code = place[3:]
    if code in _MARQUESAS:
        return _zone("Pacific/Marquesas")
    if code == _GAMBIER:
        return _zone("Pacific/Gambier")
    return _zone(OVERSEAS.get(department, METROPOLITAN))


def check_zones() -> None:
    """Raises errors.Unusable, saying what to install, where the zones of France are not there."""
    for name in (METROPOLITAN, *OVERSEAS.values()):
        _zone(name)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)  # kept by zoneinfo: read from the disk once
    except (zoneinfo.ZoneInfoNotFoundError, OSError, ValueError):
        raise errors.Unusable(
            "no-time-zones",
            f"The time zone {name} is not on this system, so nobody can tell what time it is at "
            "a shop. Install the time zone database: apt install tzdata.",
        ) from None


# --- What can be ---------------------------------------------------------------------------------


def tidy(spans: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The spans of one day in order, those that touch or overlap made one, impossible ones gone.

    A span begins on its day; a minute before midnight means midnight. It lasts less than a day,
    or is the whole day: from nine to nine the next day says the same as not at all.
    """
    found: list[tuple[int, int]] = []
    for opens, closes in sorted(spans):
        if not 0 <= opens < DAY:
            continue
        if closes == DAY - 1:
            closes = DAY
        if not opens < closes <= _latest(opens):
            continue
        if found and opens <= found[-1][1]:
            first, last = found[-1]
            found[-1] = (first, min(max(last, closes), _latest(first)))
        else:
            found.append((opens, closes))
    return tuple(found)


def _latest(opens: int) -> int:
    return opens + DAY - 1 if opens else DAY


def tidy_week(spans: Iterable[Span]) -> tuple[Span, ...]:
    """A week in order, each day made tidy."""
    by_day: dict[int, list[tuple[int, int]]] = {}
    for span in spans:
        if 0 <= span.day <= 6:
            by_day.setdefault(span.day, []).append((span.opens, span.closes))
    return tuple(
        Span(day, opens, closes) for day in sorted(by_day) for opens, closes in tidy(by_day[day])
    )


def problem(hours: Hours) -> str | None:
    """A sentence about why hours cannot be used; None where they can."""
    if tidy_week(hours.weekly) != hours.weekly:
        return "the hours of a day must be in order, none over another, each at most a day long"
    for day in range(7):
        if sum(span.day == day for span in hours.weekly) > SPANS_A_DAY_MOST:
            return f"a day has at most {SPANS_A_DAY_MOST} spans of opening"
    if len(hours.special) > SPECIAL_MOST:
        return f"there are at most {SPECIAL_MOST} exceptions to the week"
    if len({(days.first, days.last) for days in hours.special}) < len(hours.special):
        return "an exception to the week is told twice"
    for days in hours.special:
        if days.last < days.first:
            return f"the exception from {days.first} ends before it begins, on {days.last}"
        if days.last - days.first > timedelta(days=SPECIAL_DAYS_MOST):
            return f"the exception from {days.first} lasts longer than a year"
        if tidy(days.spans) != days.spans or len(days.spans) > SPANS_A_DAY_MOST:
            return f"the hours of the exception from {days.first} are not in order"
        if len(days.note) > NOTE_MOST:
            return f"the note of an exception is at most {NOTE_MOST} characters"
    return None


def without_past(hours: Hours, today: date) -> Hours:
    """The same without the exceptions that are over."""
    kept = tuple(days for days in hours.special if days.last >= today)
    return hours if kept == hours.special else Hours(hours.weekly, kept, hours.closed_on_holidays)


# --- When ----------------------------------------------------------------------------------------


def spans_on(hours: Hours, day: date, department: str | None) -> tuple[tuple[int, int], ...]:
    """What is open on a day: an exception (the narrowest) comes before holidays and the week."""
    special = special_on(hours, day)
    if special is not None:
        return special.spans
    if hours.closed_on_holidays and department and holidays.is_holiday(day, department):
        return ()
    weekday = day.weekday()
    return tuple((span.opens, span.closes) for span in hours.weekly if span.day == weekday)


def special_on(hours: Hours, day: date) -> SpecialDays | None:
    """The exception that holds on a day: the narrowest of those that cover it."""
    covering = [days for days in hours.special if days.first <= day <= days.last]
    return min(covering, key=lambda days: days.last - days.first, default=None)


def away_until(hours: Hours, today: date) -> date | None:
    """The last day on which a shop is shut that is shut for several days just now; None where it is
    not, or is shut for a day alone."""
    days = special_on(hours, today)
    if days is None or days.spans or days.first == days.last:
        return None
    return days.last


def state(hours: Hours | None, place: str | None, now: datetime) -> OpenState:
    """Whether a shop at a place (its id) is open at a moment, until when, and when it opens next.

    Raises errors.Unusable where the system has no time zone database.
    """
    zone = zone_of(place)
    if hours is None or zone is None:
        return OpenState(None, None, None, ())
    department = department_of(place)
    today = now.astimezone(zone).date()
    spans = spans_on(hours, today, department)
    current: tuple[datetime, datetime] | None = None
    for opens, closes in _stretches(hours, department, today, zone):
        if current is None:
            if opens > now:
                return OpenState(False, None, opens.astimezone(zone), spans)
            if closes > now:
                current = opens, closes
        elif opens <= current[1]:
            current = current[0], max(current[1], closes)
        else:
            break
        if current is not None and current[1] - current[0] > _NEVER_CLOSES:
            return OpenState(True, None, None, spans)
    if current is None:
        return OpenState(False, None, None, spans)
    return OpenState(True, current[1].astimezone(zone), None, spans)


def is_open(hours: Hours | None, place: str | None, now: datetime) -> bool | None:
    """Whether a shop is open at a moment, and no more than that: for the many of a search.

    Raises errors.Unusable where the system has no time zone database.
    """
    zone = zone_of(place)
    if hours is None or zone is None:
        return None
    department, today = department_of(place), now.astimezone(zone).date()
    return any(
        moment(day, opens, zone) <= now < moment(day, closes, zone)
        for day in (today - timedelta(days=1), today)
        for opens, closes in spans_on(hours, day, department)
    )


def _stretches(
    hours: Hours, department: str | None, today: date, zone: ZoneInfo
) -> Iterator[tuple[datetime, datetime]]:
    """Opening by opening in UTC, from yesterday's on: it may last past midnight."""
    if not hours.weekly and not any(days.spans for days in hours.special):
        return
    for ahead in range(-1, _DAYS_AHEAD):
        try:
            day = today + timedelta(days=ahead)
        except OverflowError:  # a clock at the end of the calendar
            return
        for opens, closes in spans_on(hours, day, department):
            yield moment(day, opens, zone), moment(day, closes, zone)


def moment(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """What a clock in that zone shows as `minutes` after a day's midnight, in UTC.

    Of an hour that comes twice, in autumn, the first is meant; one that never comes, in spring,
    is taken for the hour after it.
    """
    shown = datetime.combine(day, time()) + timedelta(minutes=minutes)
    return shown.replace(tzinfo=zone).astimezone(UTC)
