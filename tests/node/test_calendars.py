"""The calendar file, to the byte where RFC 5545 wants it so."""

from datetime import UTC, date, datetime, timedelta

from node import calendars
from node.model import Badge, Event, EventState, Post

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
STARTS = datetime(2026, 12, 5, 13, 0, tzinfo=UTC)


def post(title: str = "Bal", text: str = "", **more: object) -> Post:
    values = {"starts": STARTS, "ends": STARTS + timedelta(hours=4), "zone": "Europe/Paris"}
    return Post(
        id="1", uri="https://p.example/users/p/events/1", url="https://p.example/agenda/bal-1",
        peer=None, shop=None, account=None, actor="a", author="Pessac", badge=Badge.TOWN_HALL,
        title=title, text=text, language="fr", place=None, link=None, announce=True, kept=False,
        urgent_until=None, published=NOW, updated=NOW, seen=NOW, withdrawn=None,
        event=Event(**{**values, **more}),  # type: ignore[arg-type]
    )  # fmt: skip


def lines(*posts: Post) -> list[str]:
    """The content lines, unfolded as a reader does it."""
    text = calendars.write(posts, "Agenda", "fr")
    assert text.endswith("END:VCALENDAR\r\n")
    assert "\n" not in text.replace("\r\n", "")
    for line in text.split("\r\n"):
        assert len(line.encode()) <= 75
    return text.replace("\r\n ", "").split("\r\n")


def test_once_is_told_in_utc() -> None:
    found = lines(post(state=EventState.CANCELLED, venue="Salle; A, B"))
    assert "DTSTART:20261205T130000Z" in found
    assert "DTEND:20261205T170000Z" in found
    assert "DTSTAMP:20261123T080000Z" in found
    assert "UID:https://p.example/users/p/events/1" in found
    assert "STATUS:CANCELLED" in found
    assert "LOCATION:Salle\\; A\\, B" in found
    assert "BEGIN:VTIMEZONE" not in found


def test_what_comes_again_is_told_on_its_own_clock() -> None:
    found = lines(post(rule="FREQ=MONTHLY;BYDAY=1SA;UNTIL=20270301", excluded=(date(2027, 1, 2),)))
    assert "DTSTART;TZID=Europe/Paris:20261205T140000" in found
    assert "RRULE:FREQ=MONTHLY;BYDAY=1SA;UNTIL=20270301T225959Z" in found
    assert "EXDATE;TZID=Europe/Paris:20270102T140000" in found
    zone = found[found.index("BEGIN:VTIMEZONE") : found.index("END:VTIMEZONE")]
    at = zone.index("DTSTART:20270328T020000")
    assert zone[at - 1 : at + 3] == [
        "BEGIN:DAYLIGHT", "DTSTART:20270328T020000", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200",
    ]  # fmt: skip


def test_whole_days_end_before_the_next() -> None:
    midnight = datetime(2026, 12, 4, 23, 0, tzinfo=UTC)
    days = {"starts": midnight, "ends": midnight + timedelta(days=2), "all_day": True}
    found = lines(post(**days, rule="FREQ=YEARLY;UNTIL=20281231"))
    assert "DTSTART;VALUE=DATE:20261205" in found
    assert "DTEND;VALUE=DATE:20261207" in found
    assert "RRULE:FREQ=YEARLY;UNTIL=20281231" in found


def test_text_is_escaped_and_folded_without_tearing_a_letter() -> None:
    title, text = "Fête " * 30, "Un, deux; trois\\\nquatre\x07" + "é" * 200
    found = lines(post(title, text))
    assert f"SUMMARY:{title}" in found
    assert "DESCRIPTION:Un\\, deux\\; trois\\\\\\nquatre" + "é" * 200 in found


def test_an_empty_calendar_is_one() -> None:
    assert lines()[0] == "BEGIN:VCALENDAR"
