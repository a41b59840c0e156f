"""When a shop is open, in words."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from node import hours, phrases
from node.model import Hours, OpenState, Shop
from node.translation import Translator

_FIXED = "\u00a0"
_MINUTES = 60
_DAY = 24 * _MINUTES
_WEEK = 7
_SPECIAL_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Said:
    """A state in words; `open` is None where nobody told."""

    open: bool | None
    words: str


@dataclass(frozen=True, slots=True)
class Row:
    """One day of the week."""

    day: str
    spans: str
    today: bool


@dataclass(frozen=True, slots=True)
class Timetable:
    """A week in words, and what departs from it soon."""

    rows: tuple[Row, ...]
    notes: tuple[str, ...]


def clock(say: Translator, minutes: int) -> str:
    """ "9 h", "18 h 30"; "09:00" in English. Minutes may exceed a day: 26 h is 2 h."""
    hour, minute = divmod(minutes % _DAY, _MINUTES)
    if say.language != "fr":
        return f"{hour:02d}:{minute:02d}"
    return f"{hour}{_FIXED}h" + (f"{_FIXED}{minute:02d}" if minute else "")


def spans(say: Translator, found: tuple[tuple[int, int], ...]) -> str:
    """ "9 h à 12 h 30, 14 h 30 à 19 h"; "fermé"."""
    if not found:
        return say("closed")
    if found == ((0, _DAY),):
        return say("open day and night")
    return ", ".join(
        say("{opens} to {closes}").format(opens=clock(say, opens), closes=_closing(say, closes))
        for opens, closes in found
    )


def _closing(say: Translator, minutes: int) -> str:
    return say("midnight") if minutes == _DAY else clock(say, minutes)


def state(say: Translator, shop: Shop, now: datetime) -> Said:
    """ "Ouvert jusqu'à 19 h", "Rouvre à 14 h", "Ouvre lundi à 9 h"; nothing where nobody told."""
    if shop.hours is None:
        return Said(None, "")
    return said(say, hours.state(shop.hours, shop.place, now), shop.place, now)


def said(say: Translator, found: OpenState, place: str | None, now: datetime) -> Said:
    """A state in words."""
    zone = hours.zone_of(place)
    if found.open is None or zone is None:
        return Said(None, "")
    here = now.astimezone(zone)
    if found.open:
        if found.until is None:
            return Said(True, say("Open day and night"))
        until = _moment(say, found.until, here, midnight=True)
        return Said(True, say("Open until {moment}").format(moment=until))
    if found.opens is None:
        return Said(False, say("Closed"))
    moment = _moment(say, found.opens, here)
    minutes = here.hour * _MINUTES + here.minute
    again = found.opens.date() == here.date() and any(
        closes <= minutes for _, closes in found.today
    )
    text = say("Opens again {moment}") if again else say("Opens {moment}")
    return Said(False, text.format(moment=moment))


def _moment(say: Translator, when: datetime, here: datetime, *, midnight: bool = False) -> str:
    """ "19 h" on the day itself or in the night after it, else with its day.

    After "jusqu'à" French needs no "à" before the hour of the day, after "ouvre" it does.
    """
    time = clock(say, when.hour * _MINUTES + when.minute)
    days = (when.date() - here.date()).days
    if midnight:
        if days == 1 and when.hour == when.minute == 0:
            return say("midnight")
        if days == 0 or (days == 1 and when.hour < here.hour):
            return time
        return f"{phrases.weekday(say, when.weekday())} {time}"
    at = say("at {time}").format(time=time)
    if days == 0:
        return at
    if days == 1:
        return say("tomorrow {at}").format(at=at)
    if days < _WEEK:
        return say("{day} {at}").format(day=phrases.weekday(say, when.weekday()), at=at)
    return say("on {date}").format(date=phrases.day(say, when.date()))


def timetable(say: Translator, found: Hours, place: str | None, now: datetime) -> Timetable:
    """The week from Monday on, with today as it really is, and the exceptions to come."""
    zone = hours.zone_of(place)
    department = hours.department_of(place)
    today = now.astimezone(zone).date() if zone else None
    rows = []
    for number in range(_WEEK):
        is_today = today is not None and number == today.weekday()
        usual = tuple((span.opens, span.closes) for span in found.weekly if span.day == number)
        real = hours.spans_on(found, today, department) if today and is_today else usual
        rows.append(Row(phrases.weekday(say, number), spans(say, real), is_today))
    notes = [_special(say, one.first, one.last, one.spans, one.note) for one in found.special
             if today is None or one.last >= today]  # fmt: skip
    if found.closed_on_holidays:
        notes.append(say("Closed on public holidays."))
    return Timetable(tuple(rows), tuple(notes[:_SPECIAL_SHOWN]))


def _special(
    say: Translator, first: date, last: date, open_then: tuple[tuple[int, int], ...], note: str
) -> str:
    begin, end = phrases.day(say, first), phrases.day(say, last)
    if first == last:
        when = say("On {date}").format(date=begin)
    elif first.month == last.month and last - first < timedelta(days=31):
        number = "1er" if say.language == "fr" and first.day == 1 else str(first.day)
        when = say("From {first} to {last}").format(first=number, last=end)
    else:
        when = say("From {first} to {last}").format(first=begin, last=end)
    return say("{when}: {spans}.").format(when=when, spans=spans(say, open_then)) + (
        f" {note}" if note else ""
    )
