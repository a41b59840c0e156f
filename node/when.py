"""When something takes place, in words: "samedi 28 novembre 2026, de 14 h à 18 h"."""

from datetime import date, datetime, timedelta

from node import errors, hours_said, phrases, recurrence
from node.model import Event, EventState
from node.translation import Translator


def day(say: Translator, of: date, *, year: bool = True) -> str:
    """ "samedi 28 novembre 2026"; "Saturday 28 November 2026"."""
    text = f"{phrases.weekday(say, of.weekday())} {phrases.day(say, of)}"
    return f"{text} {of.year}" if year else text


def clock(say: Translator, moment: datetime) -> str:
    """ "14 h 30" of a local moment."""
    return hours_said.clock(moment.hour * 60 + moment.minute, say)


def event(say: Translator, found: Event) -> str:
    """When an event takes place first, and how it goes on."""
    text = occurrence(say, found, found.starts, found.ends)
    again = repeated(say, found)
    return f"{text} ({again})" if again else text


def occurrence(say: Translator, found: Event, starts: datetime, ends: datetime | None) -> str:
    """One of its times, with its day."""
    zone = recurrence.zone(found.zone)
    begin = starts.astimezone(zone)
    end = None if ends is None else ends.astimezone(zone)
    if found.all_day:
        last = begin.date() if end is None else (end - timedelta(seconds=1)).date()
        if last <= begin.date():
            return day(say, begin.date())
        return say("from {first} to {last}").format(
            first=day(say, begin.date()), last=day(say, last)
        )
    if end is None:
        return say("{day}, at {time}").format(day=day(say, begin.date()), time=clock(say, begin))
    if end.date() == begin.date() or end - begin < timedelta(hours=12):
        return say("{day}, from {start} to {end}").format(
            day=day(say, begin.date()), start=clock(say, begin), end=clock(say, end)
        )
    return say("from {day}, {start}, to {last}, {end}").format(
        day=day(say, begin.date()),
        start=clock(say, begin),
        last=day(say, end.date()),
        end=clock(say, end),
    )


def time_of_day(say: Translator, found: Event, starts: datetime, ends: datetime | None) -> str:
    """The same under a heading that names the day already: "14 h à 18 h", "toute la journée"."""
    zone = recurrence.zone(found.zone)
    begin = starts.astimezone(zone)
    end = None if ends is None else ends.astimezone(zone)
    if found.all_day:
        last = begin.date() if end is None else (end - timedelta(seconds=1)).date()
        if last <= begin.date():
            return say("all day")
        return say("until {day}").format(day=day(say, last, year=False))
    if end is None:
        return clock(say, begin)
    if end.date() == begin.date() or end - begin < timedelta(hours=12):
        return say("{opens} to {closes}").format(opens=clock(say, begin), closes=clock(say, end))
    return say("{start}, until {day}").format(
        start=clock(say, begin), day=day(say, end.date(), year=False)
    )


def state(say: Translator, of: EventState) -> str:
    """Whether it takes place, where that has to be said."""
    return {
        EventState.SCHEDULED: "",
        EventState.CANCELLED: say("Event cancelled"),
        EventState.POSTPONED: say("Event postponed"),
    }[of]


def repeated(say: Translator, found: Event) -> str:
    """ "toutes les semaines jusqu’au 20 décembre"; nothing where it takes place once."""
    if found.rule is None:
        return ""
    try:
        rule = recurrence.parse(found.rule)
    except errors.Invalid:
        return ""
    one = {
        "DAILY": say("every day"),
        "WEEKLY": say("every week"),
        "MONTHLY": say("every month"),
        "YEARLY": say("every year"),
    }
    many = {
        "DAILY": say("every {count} days"),
        "WEEKLY": say("every {count} weeks"),
        "MONTHLY": say("every {count} months"),
        "YEARLY": say("every {count} years"),
    }
    text = one[rule.frequency] if rule.interval == 1 else many[rule.frequency]
    text = text.format(count=rule.interval)
    until = rule.until_day
    if rule.until is not None:
        until = rule.until.astimezone(recurrence.zone(found.zone)).date()
    if until is not None:
        text += " " + say("until {day}").format(day=day(say, until))
    return text
