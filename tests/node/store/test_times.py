"""Times as the file has them."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from node.store import times


def test_a_stamp_is_in_utc_and_whole_seconds_whatever_clock_the_time_is_on() -> None:
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    for moment in (noon, noon + timedelta(microseconds=999_999)):
        for zone in (UTC, timezone(timedelta(hours=-5)), ZoneInfo("Europe/Paris")):
            for _ in range(2):
                assert times.stamp(moment.astimezone(zone)) == "2026-11-23T12:00:00Z"


def test_the_hour_that_comes_twice_is_two_hours() -> None:
    first = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Paris"))
    second = first.replace(fold=1)
    assert first == second  # so Python has it
    assert times.stamp(first) == "2026-10-25T00:30:00Z"
    assert times.stamp(second) == "2026-10-25T01:30:00Z"
