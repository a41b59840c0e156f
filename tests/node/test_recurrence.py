"""When events take place again: rules read, days reckoned, floods refused."""

from datetime import UTC, date, datetime, timedelta

import pytest

from node import errors, recurrence
from node.model import Event

START = datetime(2026, 10, 3, 7, 0, tzinfo=UTC)  # a Saturday, nine o'clock in Paris


def days(rule: str, start: datetime = START, most: int = 6, **more: object) -> list[str]:
    event = Event(start, start + timedelta(hours=3), "Europe/Paris", rule=rule, **more)  # type: ignore[arg-type]
    found = recurrence.occurrences(event, start, start + timedelta(days=4000), most)
    return [f"{starts:%m-%d %H}" for starts, _ in found]


def test_a_market_at_nine_stays_at_nine_when_the_clocks_change() -> None:
    assert days("FREQ=WEEKLY;COUNT=5") == [
        "10-03 07", "10-10 07", "10-17 07", "10-24 07", "10-31 08",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=DAILY;UNTIL=20261005", ["10-03", "10-04", "10-05"]),
        ("FREQ=DAILY;UNTIL=20261004T070000Z", ["10-03", "10-04"]),
        ("FREQ=WEEKLY;INTERVAL=2;COUNT=3", ["10-03", "10-17", "10-31"]),
        ("FREQ=WEEKLY;BYDAY=TU,SA;COUNT=4", ["10-03", "10-06", "10-10", "10-13"]),
        ("FREQ=MONTHLY;BYDAY=1SA;COUNT=3", ["10-03", "11-07", "12-05"]),
        ("FREQ=MONTHLY;BYDAY=-1SU;COUNT=3", ["10-03", "10-25", "11-29"]),
        ("FREQ=MONTHLY;BYMONTHDAY=31;COUNT=3", ["10-03", "10-31", "12-31"]),
        ("FREQ=MONTHLY;COUNT=2", ["10-03", "11-03"]),
        ("FREQ=YEARLY;COUNT=2", ["10-03", "10-03"]),
    ],
)
def test_rules_give_their_days(rule: str, expected: list[str]) -> None:
    assert [one[:5] for one in days(rule)] == expected


def test_days_left_out_are_left_out_and_count_all_the_same() -> None:
    assert days("FREQ=WEEKLY;COUNT=3", excluded=(date(2026, 10, 10),)) == ["10-03 07", "10-17 07"]


@pytest.mark.parametrize(
    "rule",
    [
        "", "FREQ=HOURLY", "FREQ=SECONDLY;COUNT=5", "FREQ=DAILY;COUNT=1000000",
        "FREQ=DAILY;COUNT=0", "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;FREQ=DAILY", "FREQ=WEEKLY;BYSETPOS=1",
        "FREQ=WEEKLY;BYDAY=2MO", "FREQ=MONTHLY;BYMONTHDAY=0", "FREQ=DAILY;UNTIL=20261332",
        "FREQ=DAILY;" + "X=1;" * 500, "FREQ=YEARLY;BYDAY=MO", "FREQ=DAILY;COUNT=٣",
    ],
)  # fmt: skip
def test_what_is_not_understood_in_full_is_refused(rule: str) -> None:
    with pytest.raises(errors.Invalid):
        recurrence.parse(rule)


def test_no_rule_gives_more_than_a_page_can_show_and_none_runs_for_ever() -> None:
    daily = Event(START, None, "Europe/Paris", rule="FREQ=DAILY")
    found = recurrence.occurrences(daily, START, START + timedelta(days=9000))
    assert len(found) == recurrence.OCCURRENCES_MOST
    assert recurrence.last(daily) <= START + recurrence.LOOKED_AHEAD
    never = Event(START.replace(day=31), None, "UTC", rule="FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=32")
    with pytest.raises(errors.Invalid):
        recurrence.last(never)


def test_what_is_under_way_at_the_beginning_of_the_window_is_in_it() -> None:
    long = Event(START, START + timedelta(days=3), "UTC")
    begin = START + timedelta(days=1)
    assert len(recurrence.occurrences(long, begin, begin + timedelta(days=1))) == 1
    assert recurrence.occurrences(long, START + timedelta(days=3), START + timedelta(days=9)) == []


@pytest.mark.parametrize(
    "rule",
    ["FREQ=DAILY;INTERVAL=3", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SA", "FREQ=MONTHLY;BYDAY=-1SA",
     "FREQ=MONTHLY;INTERVAL=5;BYMONTHDAY=3,-1", "FREQ=YEARLY", "FREQ=DAILY;COUNT=390"],
)  # fmt: skip
def test_a_late_window_gives_what_all_of_them_give(rule: str) -> None:
    """What is long over is skipped, and nothing else."""
    event = Event(START, START + timedelta(hours=40), "Europe/Paris", rule=rule)
    whole = recurrence.occurrences(event, START, START + timedelta(days=1900), 10_000)
    for days in (1, 30, 400, 1200):
        begin = START + timedelta(days=days)
        end = begin + timedelta(days=370)
        expected = [one for one in whole if one[0] < end and (one[1] or one[0]) > begin]
        assert recurrence.occurrences(event, begin, end, 10_000) == expected
