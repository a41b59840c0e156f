"""Opening hours as a shopkeeper types them, read and written back.

    lun-ven 9h-12h30 14h-19h; sam 9h-13h; fériés fermé
    Tue to Sat 9:30am-7pm, closed on Monday
    du 2026-08-01 au 2026-08-15 fermé : congés        (an exception)

French and English, with or without accents, dashes of any length.
"""

import itertools
import re
from collections.abc import Iterable
from datetime import date
from typing import NoReturn

from node import hours, hours_words
from node.model import Hours, Span, SpecialDays

TEXT_MOST = 1000

# --- The week ------------------------------------------------------------------------------------


def parse(text: str) -> Hours:
    """A week as it is typed, without exceptions. Raises errors.Invalid with a sentence."""
    if len(text) > TEXT_MOST:
        hours_words.refuse(f"they are longer than {TEXT_MOST} characters")
    reader = hours_words.Reader(text)
    week: dict[int, list[tuple[int, int]]] = {}
    closed: set[int] = set()
    said = False
    while not reader.ended:
        days, spans, excepted = reader.entry()
        said = True
        closed |= excepted & {hours_words.HOLIDAY}
        if not spans:
            closed |= days
            continue
        if hours_words.HOLIDAY in days:
            hours_words.refuse("hours of public holidays are told day by day, as exceptions")
        for day in days:
            week.setdefault(day, []).extend(spans)
    if not said:
        hours_words.refuse("there is nothing to read")
    if not week and not closed >= set(range(7)):
        hours_words.refuse("they say when it is closed, and not when it is open")
    for day in closed:
        week.pop(day, None)
    for day, spans in week.items():
        spans = sorted(set(spans))
        if any(after[0] < before[1] for before, after in itertools.pairwise(spans)):
            told = " and ".join(_span_typed(span, "fr") for span in spans)
            hours_words.refuse(f"{_SHORT['fr'][day]} is told twice: {told}")
    found = hours.tidy_week(Span(day, *span) for day, spans in week.items() for span in spans)
    read = Hours(found, (), hours_words.HOLIDAY in closed)
    sentence = hours.problem(read)
    if sentence is not None:
        hours_words.refuse(sentence)
    return read


# --- Exceptions ----------------------------------------------------------------------------------

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
        hours_words.refuse(why, "exception")

    if len(text) > TEXT_MOST:
        refuse(f"it is longer than {TEXT_MOST} characters")
    folded = hours_words.fold(text).replace("\n", " ")
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
        end = hours_words.end_of_times(folded, rest)
        if end > rest:
            spans = hours.tidy(hours_words.Reader(text[rest:end], "exception").spans())
            rest = end
    skipped = _NOTE.match(folded, rest)
    note = " ".join(text[skipped.end() if skipped else rest :].split())
    note = note.removesuffix(")") if note.count(")") > note.count("(") else note
    found = SpecialDays(first, last, spans, note)
    sentence = hours.problem(Hours((), (found,)))
    if sentence is not None:
        refuse(sentence)
    return found


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
