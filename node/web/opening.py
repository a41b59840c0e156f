"""When a shop is open, as pages say it: a sentence for now, and the week with today marked."""

from dataclasses import dataclass
from datetime import datetime

from node import hours, hours_said, phrases
from node.model import FoundShop, Hours, Shop
from node.translation import Translator

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
    times: str
    today: bool


@dataclass(frozen=True, slots=True)
class Timetable:
    """A week in words, what is open today, and what departs from the week soon."""

    rows: tuple[Row, ...]
    today: str
    notes: tuple[str, ...]


def state(say: Translator, shop: Shop | FoundShop, now: datetime) -> Said:
    """ "Ouvert jusqu'à 19 h", "Fermé, ouvre lundi à 9 h", "En congés jusqu'au 14 décembre"; nothing
    where nobody told."""
    if shop.hours is None:
        return Said(None, "")
    zone = hours.zone_of(shop.place)
    away = hours.away_until(shop.hours, now.astimezone(zone).date()) if zone else None
    if away is not None:
        return Said(False, say("On holiday until {date}").format(date=phrases.day(say, away)))
    found = hours.state(shop.hours, shop.place, now)
    words = hours_said.state(found, now, say) or ""
    return Said(found.open, words[:1].upper() + words[1:])


class Board:
    """What was said of shops within the present minute: many pages show the same ones."""

    def __init__(self) -> None:
        self._minute = 0
        self._said: dict[tuple[str, datetime, str], Said] = {}

    def state(self, say: Translator, shop: Shop | FoundShop, now: datetime) -> Said:
        """As `state`."""
        minute = int(now.timestamp() // 60)
        if minute != self._minute:
            self._minute, self._said = minute, {}
        known = self._said  # another thread may begin a new minute meanwhile
        key = (shop.id, shop.updated, say.language)
        found = known.get(key)
        if found is None:
            found = known[key] = state(say, shop, now)
        return found


def timetable(say: Translator, told: Hours, place: str | None, now: datetime) -> Timetable:
    """The week from Monday on, with today as it really is, and the exceptions to come."""
    zone = hours.zone_of(place)
    today = now.astimezone(zone).date()
    real = hours_said.times(hours.spans_on(told, today, hours.department_of(place)), say)
    rows = []
    for number in range(_WEEK):
        usual = tuple((span.opens, span.closes) for span in told.weekly if span.day == number)
        is_today = number == today.weekday()
        times = real if is_today else hours_said.times(usual, say)
        rows.append(Row(phrases.weekday(say, number), times, is_today))
    notes = []
    for days in hours.without_past(told, today).special[:_SPECIAL_SHOWN]:
        when, what = hours_said.special(days, say)
        notes.append(f"{when[:1].upper()}{when[1:]}{say(': ')}{what}.")
    if told.closed_on_holidays:
        notes.append(say("Closed on public holidays."))
    return Timetable(tuple(rows), real, tuple(notes))
