"""Opening hours as a shopkeeper types them, read and written back.

    lun-ven 9h-12h30 14h-19h; sam 9h-13h; fériés fermé
    Tue to Sat 9:30am-7pm, closed on Monday
    du 2026-08-01 au 2026-08-15 fermé : congés        (an exception)

French and English, with or without accents, dashes of any length.
"""

import itertools
import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from typing import NoReturn

from node import errors, hours
from node.model import Hours, Span, SpecialDays

TEXT_MOST = 1000
# Beyond midnight for longer than this is a slip: "14h-12h" meant the morning before.
_NIGHT_MOST = 20 * 60
_HOLIDAY = 7  # beside the days of the week, 0 to 6

_EXAMPLE = "lun-ven 9h-12h30 14h-19h; sam 9h-13h"
_SPECIAL_EXAMPLE = "2026-12-24 9h-16h, or du 2026-08-01 au 2026-08-15 fermé : congés"

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
_MONTHS = (
    "janvier janv jan january",
    "fevrier fevr fev february feb",
    "mars march mar",
    "avril avr april apr",
    "mai may",
    "juin june jun",
    "juillet juil july jul",
    "aout august aug",
    "septembre sept sep september",
    "octobre oct october",
    "novembre nov november",
    "decembre dec december",
)
_MONTH_NUMBERS = {name: at for at, names in enumerate(_MONTHS, 1) for name in names.split()}

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


def _fold(text: str) -> str:
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


# --- The week ------------------------------------------------------------------------------------


def parse(text: str) -> Hours:
    """A week as it is typed, without exceptions. Raises errors.Invalid with a sentence."""
    if len(text) > TEXT_MOST:
        _refuse(f"they are longer than {TEXT_MOST} characters")
    reader = _Reader(text)
    week: dict[int, list[tuple[int, int]]] = {}
    closed: set[int] = set()
    said = False
    while not reader.ended:
        days, spans, excepted = reader.entry()
        said = True
        closed |= excepted & {_HOLIDAY}
        if not spans:
            closed |= days
            continue
        if _HOLIDAY in days:
            _refuse("hours of public holidays are told day by day, as exceptions")
        for day in days:
            week.setdefault(day, []).extend(spans)
    if not said:
        _refuse("there is nothing to read")
    if not week and not closed >= set(range(7)):
        _refuse("they say when it is closed, and not when it is open")
    for day in closed:
        week.pop(day, None)
    for day, spans in week.items():
        spans = sorted(set(spans))
        if any(after[0] < before[1] for before, after in itertools.pairwise(spans)):
            told = " and ".join(_span_typed(span, "fr") for span in spans)
            _refuse(f"{_SHORT['fr'][day]} is told twice: {told}")
    found = hours.tidy_week(Span(day, *span) for day, spans in week.items() for span in spans)
    read = Hours(found, (), _HOLIDAY in closed)
    sentence = hours.problem(read)
    if sentence is not None:
        _refuse(sentence)
    return read


def _refuse(why: str, field: str = "hours", example: str = _EXAMPLE) -> NoReturn:
    what = "The hours" if field == "hours" else "The exception"
    detail = f"{what} cannot be read: {why}. Write them like {example}."
    raise errors.Invalid(f"bad-{field}", detail, fields={field: why})


class _Reader:
    """The words of a text, taken one after the other."""

    def __init__(self, text: str, field: str = "hours", example: str = _EXAMPLE) -> None:
        self._field, self._example = field, example
        self._tokens: list[tuple[str, str]] = []
        folded, at = _fold(text), 0
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
        _refuse(why, self._field, self._example)

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
                if days == {_HOLIDAY} and not spans:
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
        if last is None or len(last) != 1 or _HOLIDAY in one | last:
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
            return {_HOLIDAY}
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


# --- Exceptions ----------------------------------------------------------------------------------

_DATE = (
    r"(?:(?P<y{n}>[0-9]{{4}})-(?P<m{n}>[0-9]{{1,2}})-(?P<d{n}>[0-9]{{1,2}})"
    r"|(?P<dd{n}>[0-9]{{1,2}})(?:er|st|nd|rd|th)?"
    r"(?:(?:/(?P<mm{n}>[0-9]{{1,2}})|\ (?P<name{n}>[a-z]{{3,10}})\.?)"
    r"(?:[/\ ](?P<yy{n}>[0-9]{{4}}))?)?)"
)
_DATES = re.compile(
    r"\s*(?:(?:du|le|from|on|the)\s+)?(?:(?:lun|mar|mercre|jeu|vendre|same)di\s+|dimanche\s+)?"
    + _DATE.format(n=1)
    + r"(?:\s*(?:\bau\b|\ba\b|\bto\b|\buntil\b|-|\.\.|/)\s*"
    + _DATE.format(n=2)
    + r")?(?![0-9a-z]|:[0-9])[\s:,]*"
)
_CLOSED = re.compile(r"(?:fermee?s?|closed)\b")
_NOTE = re.compile(r"[\s:(\[,;-]*")


def parse_special(text: str, today: date) -> SpecialDays:
    """An exception to the week: one day or several, closed or with hours of their own, and why.

    A date without its year is the next one to come after `today`. Raises errors.Invalid.
    """

    def refuse(why: str) -> NoReturn:
        _refuse(why, "exception", _SPECIAL_EXAMPLE)

    if len(text) > TEXT_MOST:
        refuse(f"it is longer than {TEXT_MOST} characters")
    folded = _fold(text).replace("\n", " ")
    match = _DATES.match(folded)
    if match is None:
        refuse(f"there is no date at the beginning of {text.strip()[:40]!r}")
    if match["d2"] is None and match["dd2"] is None:
        first = last = _date(match, 1, today, None) or refuse("there is no such day")
    else:
        # "du 1er au 15 août": the first day is of the last one's month.
        last_day = _date(match, 2, today, None)
        first_day = _date(match, 1, today, last_day)
        if last_day is None or first_day is None:
            refuse("there is no such day")
        first, last = first_day, last_day
        if last < first and match["yy2"] is None and match["y2"] is None:
            last = _replace_year(last, first.year + (last.month < first.month)) or last
    rest = match.end()
    closed = _CLOSED.match(folded, rest)
    spans: tuple[tuple[int, int], ...] = ()
    if closed:
        rest = closed.end()
    else:
        end = _end_of_times(folded, rest)
        if end > rest:
            spans = hours.tidy(_Reader(text[rest:end], "exception", _SPECIAL_EXAMPLE).spans())
            rest = end
    skipped = _NOTE.match(folded, rest)
    note = " ".join(text[skipped.end() if skipped else rest :].split())
    note = note.removesuffix(")") if note.count(")") > note.count("(") else note
    found = SpecialDays(first, last, spans, note)
    sentence = hours.problem(Hours((), (found,)))
    if sentence is not None:
        refuse(sentence)
    return found


def _end_of_times(folded: str, start: int) -> int:
    """Where the hours end that begin at `start`, and a note may follow."""
    at = end = start
    while match := _TOKEN.match(folded, at):
        if match.lastgroup in ("time", "round"):
            end = match.end()
        elif match.lastgroup not in ("to", "sep", "skip") or re.search("[:(]", match[0]):
            break
        at = match.end()
    return end


def parse_specials(text: str, today: date) -> tuple[SpecialDays, ...]:
    """Exceptions, one a line. Raises errors.Invalid."""
    return tuple(parse_special(line, today) for line in text.splitlines() if line.strip())


def _date(match: re.Match[str], which: int, today: date, like: date | None) -> date | None:
    """One of the dates matched; its month and year are those of `like` where it has none."""
    year, month, day = (match[f"{part}{which}"] for part in "ymd")
    if day is None:
        year, day = match[f"yy{which}"], match[f"dd{which}"]
        name = match[f"name{which}"]
        month = match[f"mm{which}"]
        if name is not None:
            month = str(_MONTH_NUMBERS.get(name, 0))
    if month is None:
        if like is None:
            return None
        month, year = str(like.month), year or str(like.year)
    try:
        if year is not None:
            return date(int(year), int(month), int(day))
        if like is not None:
            found = date(like.year, int(month), int(day))
            return found if found <= like else _replace_year(found, like.year - 1)
        found = date(today.year, int(month), int(day))
    except ValueError:
        return None
    return found if found >= today else _replace_year(found, today.year + 1)


def _replace_year(day: date, year: int) -> date | None:
    try:
        return day.replace(year=year)
    except ValueError:
        return None


# --- Written back --------------------------------------------------------------------------------

_SHORT = {
    "fr": ("lun", "mar", "mer", "jeu", "ven", "sam", "dim"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
_WORDS = {
    "fr": {"closed": "fermé", "holidays": "fériés", "from": "du", "to": "au", "colon": " : "},
    "en": {
        "closed": "closed",
        "holidays": "public holidays",
        "from": "from",
        "to": "to",
        "colon": ": ",
    },
}


def write(told: Hours, language: str = "fr") -> str:
    """The week as it would be typed; `parse` reads it back."""
    names, words = _SHORT.get(language, _SHORT["en"]), _WORDS.get(language, _WORDS["en"])
    entries = []
    for first, last, spans in runs(told.weekly):
        if spans:
            days = names[first] if first == last else f"{names[first]}-{names[last]}"
            entries.append(f"{days} {' '.join(_span_typed(span, language) for span in spans)}")
    if not entries:
        entries.append(words["closed"])
    if told.closed_on_holidays:
        entries.append(f"{words['holidays']} {words['closed']}")
    return "; ".join(entries)


def write_special(days: SpecialDays, language: str = "fr") -> str:
    """An exception as it would be typed; `parse_special` reads it back."""
    words = _WORDS.get(language, _WORDS["en"])
    text = f"{days.first}"
    if days.last != days.first:
        text = f"{words['from']} {days.first} {words['to']} {days.last}"
    times = " ".join(_span_typed(span, language) for span in days.spans) or words["closed"]
    note = f"{words['colon']}{days.note}" if days.note else ""
    return f"{text} {times}{note}"


def write_specials(special: Iterable[SpecialDays], language: str = "fr") -> str:
    """Exceptions, one a line."""
    return "\n".join(write_special(days, language) for days in special)


def runs(weekly: Iterable[Span]) -> list[tuple[int, int, tuple[tuple[int, int], ...]]]:
    """The week as runs of days that are alike: first day, last day, their spans."""
    by_day: dict[int, list[tuple[int, int]]] = {day: [] for day in range(7)}
    for span in weekly:
        by_day[span.day].append((span.opens, span.closes))
    found: list[tuple[int, int, tuple[tuple[int, int], ...]]] = []
    for day in range(7):
        spans = tuple(by_day[day])
        if found and found[-1][2] == spans:
            found[-1] = (found[-1][0], day, spans)
        else:
            found.append((day, day, spans))
    return found


def _span_typed(span: tuple[int, int], language: str) -> str:
    opens, closes = span
    if closes > hours.DAY:
        closes -= hours.DAY
    return f"{_time_typed(opens, language)}-{_time_typed(closes, language)}"


def _time_typed(minutes: int, language: str) -> str:
    hour, minute = divmod(minutes, 60)
    if language != "fr":
        return f"{hour}:{minute:02d}"
    return f"{hour}h{minute:02d}" if minute else f"{hour}h"
