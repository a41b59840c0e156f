"""The form of news and events: what was typed, as it is shown again, and what it means."""

import dataclasses
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from node import errors, events, news, recurrence, when
from node.model import Event, EventState, Post
from node.translation import Translator
from node.web import forms

URGENT_HOURS = ("3", "6", "12", "24", "72", "168")
KEEP = "keep"
_EXCEPT_MOST = 1000


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the fields."""

    form: str
    title: str = ""
    text: str = ""
    link: str = ""
    urgent: str = ""
    announce: bool = True
    ring: str = "around"
    day: str = ""
    time: str = ""
    last: str = ""
    end: str = ""
    venue: str = ""
    repeat: str = ""
    until: str = ""
    excluded: str = ""


def typed(form: forms.Form) -> Typed:
    """What was sent."""
    return Typed(
        form=form.line("form", 40),
        title=form.line("title", news.TITLE_MOST),
        text=form.text("text", news.TEXT_MOST),
        link=form.line("link", news.LINK_MOST),
        urgent=form.line("urgent", 10),
        announce=form.is_set("announce"),
        ring="commune" if form.line("ring", 10) == "commune" else "around",
        day=form.line("day", 20),
        time=form.line("time", 20),
        last=form.line("last", 20),
        end=form.line("end", 20),
        venue=form.line("venue", news.VENUE_MOST),
        repeat=form.line("repeat", 20),
        until=form.line("until", 20),
        excluded=form.line("excluded", _EXCEPT_MOST),
    )


def of(post: Post, now: datetime) -> Typed:
    """What one of ours says now, in the fields."""
    shown = Typed(
        form=forms.new_id(),
        title=post.title,
        text=post.text,
        link=post.link or "",
        urgent=KEEP if post.urgent_until is not None and post.urgent_until > now else "",
        announce=post.announce,
        ring="commune" if post.kept else "around",
    )
    event = post.event
    if event is None:
        return shown
    clock = recurrence.zone(event.zone)
    begins = event.starts.astimezone(clock)
    ends = None if event.ends is None else event.ends.astimezone(clock)
    last = None
    if ends is not None:
        last = (ends - timedelta(seconds=1)).date() if event.all_day else ends.date()
    choice = events.choice_of(event)
    return dataclasses.replace(
        shown,
        day=_date(begins.date()),
        time="" if event.all_day else f"{begins:%H:%M}",
        last=_date(last) if last is not None and last != begins.date() else "",
        end="" if ends is None or event.all_day else f"{ends:%H:%M}",
        venue=event.venue,
        repeat=KEEP if choice is None else choice[0],
        until=_date(choice[1]) if choice is not None and choice[1] is not None else "",
        excluded=", ".join(_date(day) for day in event.excluded),
    )


def _date(day: date) -> str:
    return f"{day:%d/%m/%Y}"


def draft(
    said: Typed,
    before: Post | None,
    *,
    event: bool,
    zone: str,
    place: str | None,
    language: str,
    now: datetime,
    say: Translator,
) -> tuple[news.PostDraft | None, dict[str, str]]:
    """What is meant, and a sentence for each field that cannot be used."""
    problems: dict[str, str] = {}
    found = _event(said, before, zone, problems, say) if event else None
    urgent = None
    if not event:
        urgent = before.urgent_until if before is not None and said.urgent == KEEP else None
        if said.urgent in URGENT_HOURS:
            urgent = (now + timedelta(hours=int(said.urgent))).replace(microsecond=0)
    made = news.PostDraft(
        title=said.title,
        text=said.text,
        language=language,
        place=place,
        link=said.link or None,
        announce=said.announce,
        kept=said.ring == "commune",
        urgent_until=urgent,
        event=found,
    )
    checked = made
    if event and found is None:  # everything that is wrong is said at once
        checked = dataclasses.replace(made, text=said.text or "-")
    try:
        old = before is not None and urgent is not None and urgent == before.urgent_until
        news.check(dataclasses.replace(checked, urgent_until=None) if old else checked, now)
    except errors.Invalid as error:
        problems = {**{name: sentence(name, say) for name in error.fields}, **problems}
    return (None if problems else made), problems


def sentence(field: str, say: Translator) -> str:
    """What is wrong with a field, and what would be right."""
    return {
        "title": say("The title must be 1 to 120 readable characters"),
        "text": say("Write a text of at most 5,000 readable characters"),
        "link": say("This is no address such as https://example.fr/page"),
        "urgent": say("What is urgent ends within 30 days"),
        "venue": say("The place must be at most 200 readable characters"),
        "day": say("The day must be within the last year or the next five"),
        "end": say("The end must come after the beginning, within a year"),
        "repeat": say("This way of coming again cannot be used"),
    }[field]


def _event(
    said: Typed, before: Post | None, zone: str, problems: dict[str, str], say: Translator
) -> Event | None:
    first = events.day(said.day)
    if first is None:
        problems["day"] = say("Write a day such as 24/12/2026")
    begins = events.clock(said.time) if said.time else None
    if said.time and begins is None:
        problems["time"] = say("Write a time such as 14:30, or none for the whole day")
    last = events.day(said.last) if said.last else None
    if said.last and last is None:
        problems["last"] = say("Write a day such as 24/12/2026")
    ends = events.clock(said.end) if said.end else None
    if said.end and ends is None:
        problems["end"] = say("Write a time such as 18:00, or none where the end is open")
    elif begins is None and ends is not None and "time" not in problems:
        problems["time"] = say("Say when it begins, too")
    elif last is not None and begins is not None and ends is None:
        problems["end"] = say("Say at what time it ends on the last day")
    if first is not None and last is not None and last < first:
        problems["last"] = say("The last day comes after the first")
    until = events.day(said.until) if said.until else None
    if said.until and (until is None or (first is not None and until < first)):
        problems["until"] = say("Write a day after the first, such as 24/12/2026")
    left_out = _excluded(said.excluded)
    if left_out is None:
        problems["excluded"] = say("Write days such as 24/12/2026, 31/12/2026")
    if problems or first is None:
        return None
    state, rule = EventState.SCHEDULED, events.rule_for(said.repeat, first, until)
    if before is not None and before.event is not None:
        state = before.event.state
        if said.repeat == KEEP:
            rule = before.event.rule
    return events.made(
        first, begins, last, ends, zone, said.venue, rule, state, (left_out or ()) if rule else ()
    )


def _excluded(text: str) -> tuple[date, ...] | None:
    found = []
    for one in filter(None, (part.strip() for part in text.replace(";", ",").split(","))):
        day = events.day(one)
        if day is None:
            return None
        found.append(day)
    return tuple(sorted(set(found)))


def repeats(say: Translator, before: Post | None) -> list[tuple[str, str]]:
    """The choices of how an event comes again."""
    found = [
        ("", say("Once")),
        ("day", say("Every day")),
        ("week", say("Every week")),
        ("fortnight", say("Every two weeks")),
        ("month-day", say("Every month, on this date")),
        ("month-weekday", say("Every month, on this weekday (the first Saturday, say)")),
    ]
    if before is not None and before.event is not None and events.choice_of(before.event) is None:
        found.append((KEEP, say("As now: {rule}").format(rule=when.repeated(say, before.event))))
    return found


def urgencies(say: Translator, before: Post | None, now: datetime) -> list[tuple[str, str]]:
    """The choices of how long news is urgent."""
    found = [
        ("", say("Not urgent")),
        ("3", say("For 3 hours")),
        ("6", say("For 6 hours")),
        ("12", say("For 12 hours")),
        ("24", say("For a day")),
        ("72", say("For 3 days")),
        ("168", say("For a week")),
    ]
    if before is not None and before.urgent_until is not None and before.urgent_until > now:
        found.append((KEEP, say("As long as said before")))
    return found
