"""Opening hours in words, for pages and for other servers' profiles."""

from datetime import date, datetime, timedelta

from node import hours
from node.hours_typed import runs
from node.model import Hours, OpenState, SpecialDays
from node.translation import Translator

_HARD_SPACE = "\u00a0"
# Until when of the next day "open until 2 h" is still understood to be tonight.
_NIGHT_ENDS = 6


def week(told: Hours, say: Translator) -> tuple[tuple[str, str], ...]:
    """Days and their times, Monday first, days that are alike together.

    ("mardi à samedi", "9 h à 12 h 30, 14 h à 19 h"); a line for public holidays where it closes.
    """
    lines = [
        (_days(first, last, say), times(spans, say)) for first, last, spans in runs(told.weekly)
    ]
    if told.closed_on_holidays:
        lines.append((say("public holidays"), say("closed")))
    return tuple(lines)


def week_line(told: Hours, say: Translator) -> str:
    """The days it is open on in one line: "mardi à samedi : 9 h à 12 h 30 ; dimanche : …"."""
    open_days = [
        _days(first, last, say) + say(": ") + times(spans, say)
        for first, last, spans in runs(told.weekly)
        if spans
    ]
    return say("; ").join(open_days) or say("closed")


def special(days: SpecialDays, say: Translator) -> tuple[str, str]:
    """An exception: ("du 1er août 2026 au 15 août 2026", "fermé (congés)")."""
    if days.first == days.last:
        when = say("on {date}").format(date=day(days.first, say))
    else:
        when = say("from {first} to {last}").format(
            first=day(days.first, say), last=day(days.last, say)
        )
    what = times(days.spans, say)
    return when, f"{what} ({days.note})" if days.note else what


def times(spans: tuple[tuple[int, int], ...], say: Translator) -> str:
    """ "9 h à 12 h 30, 14 h à 19 h"; "fermé" where there is nothing."""
    if not spans:
        return say("closed")
    if spans == ((0, hours.DAY),):
        return say("day and night")
    return ", ".join(
        say("{opens} to {closes}").format(opens=clock(opens, say), closes=clock(closes, say))
        for opens, closes in spans
    )


def clock(minutes: int, say: Translator) -> str:
    """ "12 h 30" or "12:30 pm"; midnight by its name."""
    hour, minute = divmod(minutes % hours.DAY, 60)
    if hour == minute == 0:
        return say("midnight")
    if say.language == "fr":
        end = f"{_HARD_SPACE}{minute:02d}" if minute else ""
        return f"{hour}{_HARD_SPACE}h{end}"
    end = f":{minute:02d}" if minute else ""
    return f"{(hour - 1) % 12 + 1}{end}{_HARD_SPACE}{'pm' if hour >= 12 else 'am'}"


def state(now_state: OpenState, now: datetime, say: Translator) -> str | None:
    """ "ouvert jusqu’à 19 h", "fermé, ouvre demain à 9 h"; None where nobody told."""
    if now_state.open is None:
        return None
    if now_state.open:
        until = now_state.until
        if until is None:
            return say("open day and night")
        ahead = (until.date() - now.astimezone(until.tzinfo).date()).days
        if ahead == 0 or (ahead == 1 and until.hour < _NIGHT_ENDS):
            return say("open until {time}").format(time=_time(until, say))
        return say("open until {day}, {time}").format(
            day=_weekday(until.weekday(), say), time=_time(until, say)
        )
    opens = now_state.opens
    if opens is None:
        return say("closed")
    ahead = (opens.date() - now.astimezone(opens.tzinfo).date()).days
    time = _time(opens, say)
    if ahead == 0:
        return say("closed, opens at {time}").format(time=time)
    if ahead == 1:
        return say("closed, opens tomorrow at {time}").format(time=time)
    if ahead < 7:
        return say("closed, opens on {day} at {time}").format(
            day=_weekday(opens.weekday(), say), time=time
        )
    return say("closed until {date}").format(date=day(opens.date() - timedelta(days=1), say))


def day(when: date, say: Translator) -> str:
    """ "1er août 2026" or "1 August 2026"."""
    number = "1er" if say.language == "fr" and when.day == 1 else str(when.day)
    return f"{number} {_month(when.month, say)} {when.year}"


def _time(moment: datetime, say: Translator) -> str:
    return clock(moment.hour * 60 + moment.minute, say)


def _days(first: int, last: int, say: Translator) -> str:
    if (first, last) == (0, 6):
        return say("every day")
    if first == last:
        return _weekday(first, say)
    names = {"first": _weekday(first, say), "last": _weekday(last, say)}
    text = say("{first} and {last}") if last == first + 1 else say("{first} to {last}")
    return text.format(**names)


def _weekday(number: int, say: Translator) -> str:
    return (
        say("Monday"),
        say("Tuesday"),
        say("Wednesday"),
        say("Thursday"),
        say("Friday"),
        say("Saturday"),
        say("Sunday"),
    )[number]


def _month(number: int, say: Translator) -> str:
    return (
        say("January"),
        say("February"),
        say("March"),
        say("April"),
        say("May"),
        say("June"),
        say("July"),
        say("August"),
        say("September"),
        say("October"),
        say("November"),
        say("December"),
    )[number - 1]
