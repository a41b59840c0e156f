"""Feeds and calendars as others write them, the damaged and the hostile among them."""

from datetime import UTC, date, datetime

import pytest

from node import calendar_files, errors, feeds, news, recurrence
from node.model import EventState, Item

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
ZONE = "Europe/Paris"

RSS = """<?xml version="1.0" encoding="iso-8859-1"?><rss version="2.0"
 xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>Le Journal</title>
<item><title>Le &lt;b&gt;pont&lt;/b&gt; rouvre</title><link>https://journal.example/pont</link>
<guid isPermaLink="false">42</guid><pubDate>Mon, 23 Nov 2026 07:00:00 +0100</pubDate>
<description>court</description>
<content:encoded><![CDATA[<p>Dès lundi.</p>
<script>alert(1)</script><p>À 8 h</p>]]></content:encoded>
</item><item><title></title></item></channel></rss>""".encode("latin-1")
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title><entry><id>urn:1</id>
<title type="html">Fête</title><link rel="self" href="https://a.example/self"/>
<link href="https://a.example/fete"/><updated>2026-11-22T10:00:00Z</updated>
<summary>Samedi</summary></entry></feed>""".encode()


def test_rss_and_atom_are_read() -> None:
    (item,) = feeds.parse(RSS)
    assert item == Item(
        "42", "Le pont rouvre", "Dès lundi.\n\nÀ 8 h", "https://journal.example/pont",
        datetime(2026, 11, 23, 6, 0, tzinfo=UTC), None,
    )  # fmt: skip
    (item,) = feeds.parse(ATOM)
    assert (item.guid, item.title, item.link) == ("urn:1", "Fête", "https://a.example/fete")


LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>
<rss><channel><item><title>&b;</title></item></channel></rss>"""
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<rss><channel><item><title>&x;</title></item></channel></rss>"""


@pytest.mark.parametrize(
    "body",
    [
        LAUGHS, OUTSIDE, b"", b"<html></html>", b"<rss><channel>", b"\x00" * 100,
        b"<a>" * 100_000, b'<?xml version="1.0" encoding="x-none"?><rss/>', b"not xml",
        b'<!DOCTYPE rss [<!ENTITY % p SYSTEM "http://127.0.0.1/x"> %p;]><rss/>',
    ],
)  # fmt: skip
def test_what_is_no_feed_is_refused(body: bytes) -> None:
    with pytest.raises(errors.Invalid):
        feeds.parse(body)


def test_feeds_are_bounded() -> None:
    items = b"".join(
        b"<item><guid>%d</guid><title>%s</title><description>%s</description></item>"
        % (number, b"t" * 500, b"d" * 9000)
        for number in range(300)
    )
    found = feeds.parse(b"<rss><channel>" + items + b"</channel></rss>")
    assert len(found) == feeds.ITEMS_MOST
    assert all(
        len(one.title) <= news.TITLE_MOST and len(one.text) <= news.TEXT_MOST for one in found
    )


def ics(*lines: str) -> bytes:
    inside = "\r\n".join(lines)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{inside}\r\nEND:VCALENDAR\r\n".encode()


def event(*lines: str, uid: str = "1") -> str:
    return "\r\n".join(["BEGIN:VEVENT", f"UID:{uid}", "SUMMARY:Bal", *lines, "END:VEVENT"])


def test_an_event_is_read_with_its_folds_and_escapes() -> None:
    body = ics(
        "BEGIN:VTIMEZONE", "TZID:Europe/Paris", "DTSTART:19700101T000000", "END:VTIMEZONE",
        "BEGIN:VEVENT", "UID:1", 'SUMMARY;X="a:b;c":Grand bal\\, suite', " \\; fin",
        "DTSTART;TZID=Europe/Paris:20261205T203000", "DURATION:PT3H30M",
        "DESCRIPTION:Un\\nDeux", "LOCATION:Le Galet", "URL:https://a.example/bal",
        "RRULE:FREQ=MONTHLY;BYDAY=1SA;COUNT=3", "EXDATE;TZID=Europe/Paris:20270102T203000",
        "BEGIN:VALARM", "SUMMARY:faux", "DTSTART:19990101T000000", "END:VALARM", "END:VEVENT",
    )  # fmt: skip
    (item,) = calendar_files.parse(body, ZONE, NOW).items
    assert (item.title, item.text, item.link) == (
        "Grand bal, suite; fin", "Un\nDeux", "https://a.example/bal",
    )  # fmt: skip
    assert item.event is not None
    assert item.event.starts == datetime(2026, 12, 5, 19, 30, tzinfo=UTC)
    assert item.event.ends == datetime(2026, 12, 5, 23, 0, tzinfo=UTC)
    assert (item.event.zone, item.event.venue) == (ZONE, "Le Galet")
    assert item.event.excluded == (date(2027, 1, 2),)


def test_whole_days_floating_times_and_what_is_cancelled() -> None:
    body = ics(
        event("DTSTART;VALUE=DATE:20261205", uid="a"),
        event("DTSTART:20261206T100000", "STATUS:CANCELLED", uid="b"),
        event("DTSTART;TZID=Romance Standard Time:20261207T100000", uid="c"),
        event("DTSTART:20261208T100000Z", uid="d"),
        event("DTSTART:20261001T100000Z", uid="over"),
    )  # fmt: skip
    a, b, c, d = calendar_files.parse(body, ZONE, NOW).items
    assert a.event is not None
    assert a.event.all_day
    assert recurrence.occurrences(a.event, NOW, NOW.replace(year=2027)) == [
        (datetime(2026, 12, 4, 23, tzinfo=UTC), datetime(2026, 12, 5, 23, tzinfo=UTC))
    ]
    assert b.event is not None
    assert b.event.state is EventState.CANCELLED
    assert b.event.starts == datetime(2026, 12, 6, 9, tzinfo=UTC)
    assert c.event is not None
    assert c.event.starts == datetime(2026, 12, 7, 9, tzinfo=UTC)
    assert d.event is not None
    assert d.event.starts == datetime(2026, 12, 8, 10, tzinfo=UTC)


def test_one_date_that_moved_stands_for_itself() -> None:
    body = ics(
        event("DTSTART;TZID=Europe/Paris:20261205T100000", "RRULE:FREQ=WEEKLY;COUNT=3"),
        event(
            "RECURRENCE-ID;TZID=Europe/Paris:20261212T100000",
            "DTSTART;TZID=Europe/Paris:20261213T100000",
        ),
    )
    master, moved = calendar_files.parse(body, ZONE, NOW).items
    assert master.event is not None
    assert moved.event is not None
    assert master.event.excluded == (date(2026, 12, 12),)
    assert moved.event.starts == datetime(2026, 12, 13, 9, tzinfo=UTC)
    assert moved.guid != master.guid


@pytest.mark.parametrize(
    "lines",
    [
        ["DTSTART:20261205T100000Z", "RRULE:FREQ=SECONDLY"],
        ["DTSTART:20261205T100000Z", "RRULE:FREQ=DAILY;COUNT=1000000"],
        ["DTSTART:20261205T100000Z", "RDATE:20261206T100000Z"],
        ["DTSTART:20261399T100000Z"], ["DTSTART:99991231T235959Z"], ["DTSTART:x"], [],
        ["DTSTART:20261205T100000Z", "DTEND:20201205T100000Z"],
        ["DTSTART:20261205T100000Z", "DTEND:20301205T100000Z"],
        ["DTSTART:20261205T100000Z", "RECURRENCE-ID:x"],
        ["DTSTART:20261205T100000Z", "RECURRENCE-ID:00010101T000000"],
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_counted_and_left_out(lines: list[str]) -> None:
    good = event("DTSTART:20261210T100000Z", uid="good")
    found = calendar_files.parse(ics(event(*lines), good), ZONE, NOW)
    assert [one.guid for one in found.items] == ["good"]
    assert found.unusable == 1


def test_floods_are_bounded() -> None:
    many = ics(*(event(f"DTSTART:20261205T10{n % 60:02d}00Z", uid=str(n)) for n in range(3000)))
    found = calendar_files.parse(many, ZONE, NOW)
    assert len(found.items) == calendar_files.EVENTS_MOST
    assert found.cut
    long = ics(event("DTSTART:20261205T100000Z", "DESCRIPTION:" + "\r\n x" * 200_000))
    (item,) = calendar_files.parse(long, ZONE, NOW).items
    assert len(item.text) <= news.TEXT_MOST
    excluded = event("DTSTART:20261205T100000Z", "RRULE:FREQ=DAILY",
                     "EXDATE:" + ",".join(["20261206T100000Z"] * 2000))  # fmt: skip
    assert len(calendar_files.parse(ics(excluded), ZONE, NOW).items) == 1
    with pytest.raises(errors.Invalid):
        calendar_files.parse(b"BEGIN:VCARD", ZONE, NOW)
    nested = b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\n" * 100_000
    assert calendar_files.parse(nested, ZONE, NOW).items == []


def test_what_comes_again_is_bounded_more_tightly() -> None:
    looked_at = calendar_files.READ_MOST // calendar_files.AGAIN_COUNTS
    again = [event("DTSTART:x", "RRULE:FREQ=DAILY")] * (looked_at + 5)
    found = calendar_files.parse(ics(*again), ZONE, NOW)
    assert (found.unusable, found.cut) == (looked_at, True)
