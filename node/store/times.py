"""Times as the database writes them: UTC ISO text that sorts as it reads.

Two grains, never mixed in one column: whole seconds for what people and other servers see,
milliseconds for what queues compare.
"""

import functools
from datetime import UTC, datetime


def stamp(moment: datetime) -> str:
    """ "2026-11-23T08:00:00Z"."""
    return _stamp(_utc(moment))


# What is written together is mostly of the same few times. (Of UTC only: on other clocks two times
# that differ can be equal, in the hour that comes twice.)
@functools.lru_cache(maxsize=64)
def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")[:-6] + "Z"


def stamp_or_none(moment: datetime | None) -> str | None:
    """The same, where there may be none."""
    return None if moment is None else stamp(moment)


def fine(moment: datetime) -> str:
    """ "2026-11-23T08:00:00.250Z"."""
    return _utc(moment).isoformat(timespec="milliseconds")[:-6] + "Z"


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def moment(text: str) -> datetime:
    """Reads either grain."""
    return datetime.fromisoformat(text)


def moment_or_none(text: str | None) -> datetime | None:
    """The same, where there may be none."""
    return None if text is None else datetime.fromisoformat(text)
