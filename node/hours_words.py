"""The words in which people type opening hours, taken one after the other.

What a whole text means is in `hours_typed.py`.
"""

import re
import unicodedata
from typing import NoReturn

from node import errors, hours

HOLIDAY = 7  # beside the days of the week, 0 to 6
# Beyond midnight for longer than this is a slip: "14h-12h" meant the morning before.
_NIGHT_MOST = 20 * 60

_EXAMPLE = "lun-ven 9h-12h30 14h-19h; sam 9h-13h"
_EXCEPTION = "2026-12-24 9h-16h, or du 2026-08-01 au 2026-08-15 fermé : congés"

_DAY_NAMES = (
    "lundi lun lu l monday mon mo",
    "mardi mar ma tuesday tues tue tu",
    "mercredi mer me wednesday wed we",
    "jeudi jeu je thursday thurs thur thu th",
    "vendredi ven ve v friday fri fr",
    "samedi sam sa s saturday sat",
    "dimanche dim di d sunday sun su",
)
_DAYS = {name: {day} for day, names in enumerate(_DAY_NAMES) for name in names.split()} | {
    f"{name}s": {day} for day, names in enumerate(_DAY_NAMES) for name in names.split()[:1]
}
_DAYS |= {f"{name}s": days for name, days in list(_DAYS.items()) if name.endswith("day")}
_DAYS |= {"daily": set(range(7)), "tlj": set(range(7)), "weekend": {5, 6}, "weekends": {5, 6}}
_TOKEN = re.compile(
    r"""
    (?P<always>24\ ?h?\ ?/\ ?7\b)
  | (?P<round>24\ ?h?\ ?/\ ?24\ ?h?|24\ ?h(?:eures)?\ sur\ 24|jour\ et\ nuit)
  | (?P<all>7\ ?j?(?:ours)?\ ?(?:/|sur)\ ?7\ ?j?(?:ours)?|tous\ les\ jours|every\ ?day|all\ week)
  | (?P<week>(?:en|la)\ semaine|week[ -]?days?)
  | (?P<weekend>week[ -]ends?)
  | (?P<holiday>(?:les\ )?(?:jours\ )?feries?|(?:public|bank)\ holidays?|holidays?)
  | (?P<time>[0-9]{1,2}(?:
        \ ?(?:heures?|hrs?|h)(?:\ ?[0-5][0-9](?![0-9]|\ ?[h:]))?
      | [:.][0-5][0-9](?:\ ?[ap]\.?m\b\.?)?
      | \ ?[ap]\.?m\b\.?
      )?(?![0-9a-z])
      | midi\b|noon\b|minuit\b|midnight\b)
  | (?P<to>-|\ba\b|\bau\b|\bto\b|\buntil\b|\btill\b|\bjusqu['’]?\ ?a\b)
  | (?P<end>[;\n])
  | (?P<sep>[,/&]|\bet\b|\band\b|\bpuis\b|\bthen\b)
  | (?P<closed>fermee?s?\b|closed\b)
  | (?P<open>ouverte?s?\b|open\b)
  | (?P<except>sauf\b|except\b)
  | (?P<skip>[\ :.()\t\r]+|\b(?:de|du|des|le|les|la|from|on|the|of|h|heures)\b|\bl['’])
  | (?P<day>[a-z]+)
    """,
    re.VERBOSE,
)


def fold(text: str) -> str:
    """Small letters without accents, dashes and spaces of one kind; as long as it was."""
    folded = []
    for character in text:
        base = unicodedata.normalize("NFKD", character)[:1].lower()[:1] or " "
        if unicodedata.category(character) == "Pd" or character == "−":
            base = "-"
        elif character.isspace() and character != "\n":
            base = " "
        folded.append(base)
    return "".join(folded)


def refuse(why: str, field: str = "hours") -> NoReturn:
    """Raises errors.Invalid: why "hours", or an "exception" to them, cannot be read."""
    what, example = ("The hours", _EXAMPLE) if field == "hours" else ("The exception", _EXCEPTION)
    detail = f"{what} cannot be read: {why}. Write them like {example}."
    raise errors.Invalid(f"bad-{field}", detail, fields={field: why})


class Reader:
    """The words of a text, taken one after the other."""

    def __init__(self, text: str, field: str = "hours") -> None:
        self._field = field
        self._tokens: list[tuple[str, str]] = []
        folded, at = fold(text), 0
        while at < len(folded):
            match = _TOKEN.match(folded, at)
            if match is None:
                self._fail(f"{text[at : at + 12].strip()!r} is not understood")
            kind = match.lastgroup or ""
            if kind == "day" and match[0] not in _DAYS:
                self._fail(f"{text[match.start() : match.end()]!r} is not understood")
            if kind != "skip":
                self._tokens.append((kind, match[0]))
            at = match.end()
        self._at = 0
        self._skip("sep", "end")

    def _fail(self, why: str) -> NoReturn:
        refuse(why, self._field)

    @property
    def ended(self) -> bool:
        return self._at >= len(self._tokens)

    @property
    def _kind(self) -> str:
        return "" if self.ended else self._tokens[self._at][0]

    def _take(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _skip(self, *kinds: str) -> None:
        while self._kind in kinds:
            self._at += 1

    def entry(self) -> tuple[set[int], list[tuple[int, int]], set[int]]:
        """Days, what is open on them (nothing: closed), and the days that are excepted."""
        spans: list[tuple[int, int]] = []
        excepted: set[int] = set()
        if self._kind == "always":
            self._take()
            days, spans = set(range(7)), [(0, hours.DAY)]
        elif self._kind == "closed":
            self._take()
            days = self._closed_days()
        else:
            spans = self.spans()  # "9am-5pm Mon-Fri", "24h/24, 7j/7"
            self._skip("open", *(("sep",) if spans else ()))
            days = self._days()
            excepted = self._except()
            self._skip("open", "sep")
            if self._kind == "closed" and days and not spans:
                self._take()
            else:
                spans = spans or self.spans()
                if days == {HOLIDAY} and not spans:
                    return set(), [], set()  # open as on any day
                if not spans:
                    self._fail("the hours are missing")
                if not days and spans != [(0, hours.DAY)]:
                    self._fail("the days are missing")
                days = days or set(range(7))
        excepted |= self._except()
        self._skip("sep", "end")
        return days - excepted, spans, excepted

    def _closed_days(self) -> set[int]:
        """The days after "closed": "closed Monday, Tue-Sat 9h-19h" names Monday alone."""
        found = self._group()
        while True:
            at = self._at
            self._skip("sep")
            more = self._group()
            if not more or self._kind in ("time", "open"):
                self._at = at
                return found or set(range(7))
            found |= more

    def _days(self) -> set[int]:
        found = self._group()
        while True:
            at = self._at
            self._skip("sep")
            more = self._group()
            if not more:
                self._at = at
                return found
            found |= more

    def _group(self) -> set[int]:
        """One day, or the days from one to another."""
        one = self._day()
        if one is None or self._kind != "to" or len(one) != 1:
            return one or set()
        self._take()
        last = self._day()
        if last is None or len(last) != 1 or HOLIDAY in one | last:
            self._fail("a day is missing after a dash")
        first, end = min(one), min(last)
        return {(first + days) % 7 for days in range((end - first) % 7 + 1)}

    def _except(self) -> set[int]:
        at = self._at
        self._skip("sep")
        if self._kind != "except":
            self._at = at
            return set()
        self._take()
        return self._days()

    def _day(self) -> set[int] | None:
        whole = {"all": set(range(7)), "week": set(range(5)), "weekend": {5, 6}}
        if self._kind == "day":
            return set(_DAYS[self._take()])
        if self._kind == "holiday":
            self._take()
            return {HOLIDAY}
        if self._kind in whole:
            kind = self._kind
            self._take()
            return whole[kind]
        return None

    def spans(self) -> list[tuple[int, int]]:
        """Spans of one day, one after the other."""
        found: list[tuple[int, int]] = []
        while True:
            at = self._at
            self._skip("open")
            if found:
                self._skip("sep")
            if self._kind == "round":
                self._take()
                found.append((0, hours.DAY))
            elif self._kind == "time":
                found.append(self._span())
            else:
                self._at = at
                return found

    def _span(self) -> tuple[int, int]:
        opens_typed = self._take()
        if self._kind != "to":
            self._fail(f"there is no closing time after {opens_typed}")
        self._take()
        if self._kind != "time":
            self._fail(f"there is no closing time after {opens_typed}")
        closes_typed = self._take()
        opens, closes = self._minutes(opens_typed), self._minutes(closes_typed)
        half = closes_typed.replace(".", "")[-2:]
        if half == "pm" and opens_typed.isdecimal() and 0 < opens < 720 and opens + 720 < closes:
            opens += 720  # "2-6pm"
        if closes_typed in ("minuit", "midnight") or (closes == 0 and opens > 0):
            closes = hours.DAY
        if opens == hours.DAY:
            opens = 0
        if closes <= opens:
            closes += hours.DAY
            if closes - opens > _NIGHT_MOST:
                self._fail(f"{opens_typed}-{closes_typed} ends before it begins")
        if hours.tidy([(opens, closes)]) not in (((opens, closes),), ((opens, hours.DAY),)):
            self._fail(f"{opens_typed}-{closes_typed} is not within a day")
        return opens, closes

    def _minutes(self, typed: str) -> int:
        if typed in ("midi", "noon"):
            return 720
        if typed in ("minuit", "midnight"):
            return 0
        numbers = [int(number) for number in re.findall(r"[0-9]+", typed)]
        hour, minute = numbers[0], numbers[1] if len(numbers) > 1 else 0
        half = typed.replace(".", "")[-2:]
        if half in ("am", "pm"):
            if not 1 <= hour <= 12:
                self._fail(f"there is no {typed}")
            hour = hour % 12 + (12 if half == "pm" else 0)
        if hour > 24 or (hour == 24 and minute):
            self._fail(f"there is no {typed}")
        return hour * 60 + minute


def end_of_times(folded: str, start: int) -> int:
    """Where the hours end that begin at `start`, and a note may follow."""
    at = end = start
    while match := _TOKEN.match(folded, at):
        if match.lastgroup in ("time", "round"):
            end = match.end()
        elif match.lastgroup not in ("to", "sep", "skip") or re.search("[:(]", match[0]):
            break
        at = match.end()
    return end
