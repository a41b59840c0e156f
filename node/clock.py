"""What time it is. Passed down, so that weeks can go by in a test."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]


def clock(offset_s: int = 0) -> Clock:
    """A clock in UTC, set ahead by `offset_s` seconds ([testing] clock_offset_s)."""
    offset = timedelta(seconds=offset_s)
    return lambda: datetime.now(UTC) + offset
