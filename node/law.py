"""The law as data: `law.toml` beside this file, and what a node's own `law.toml` says otherwise.

The periods of the soldes are computed from its rules; what else is in it is read by who applies it.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from node import categories, errors, holidays

FILE_NAME = "law.toml"
_FILE = Path(__file__).with_name(FILE_NAME)
# An order is erased 30 days after its end, and must be there as long as one may withdraw from it.
_WITHDRAWAL_MOST = 21


@dataclass(frozen=True, slots=True)
class Period:
    """Days of soldes, the first and the last, in the shop's department."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Law:
    """The rules in force at this node."""

    tables: Mapping[str, Any]

    @property
    def reference_days(self) -> int:
        """How many days back the reference price is looked for."""
        return int(self.tables["reductions"]["days"])

    @property
    def longest_reduction(self) -> timedelta:
        """How long a reduction may last."""
        return timedelta(days=int(self.tables["reductions"]["longest"]))

    @property
    def soldes_open(self) -> int:
        """The hour at which soldes begin on their first day."""
        return int(self.tables["soldes"]["opens"])

    @property
    def offered_before(self) -> timedelta:
        """How long goods have been offered when soldes begin."""
        return timedelta(days=int(self.tables["soldes"]["offered_before_days"]))

    def is_perishable(self, category: str | None) -> bool:
        """Whether what stands on this shelf perishes fast."""
        return categories.is_on(category, self.tables["perishable"]["shelves"])

    @property
    def withdrawal_days(self) -> int:
        """How many days there are to withdraw from a contract concluded at a distance."""
        return int(self.tables["distance"]["withdrawal_days"])

    def soldes(self, department: str, around: date) -> tuple[Period, ...]:
        """The periods of a department from the year before a day to the year after, in order."""
        days = timedelta(days=int(self.tables["soldes"]["days"]) - 1)
        found = []
        for season in ("winter", "summer"):
            rules = [one for one in self.tables["soldes"]["periods"] if one["season"] == season]
            own = [one for one in rules if department in one["departments"]]
            rule = (own or [one for one in rules if not one["departments"]])[0]
            for year in range(around.year - 1, around.year + 2):
                first = _first_day(rule, year, department)
                found.append(Period(first, first + days))
        return tuple(sorted(found, key=lambda period: period.first))


def _first_day(rule: Mapping[str, Any], year: int, department: str) -> date:
    month = int(rule["month"])
    days = [date(year, month, 1)]
    while (day := days[-1] + timedelta(days=1)).month == month:
        days.append(day)
    if rule.get("first_working_day"):
        return next(
            day for day in days if day.weekday() < 6 and not holidays.is_holiday(day, department)
        )
    fitting = [day for day in days if day.weekday() == rule["weekday"]]
    if "after_day" in rule:
        return next(day for day in fitting if day.day > rule["after_day"])
    nth = int(rule["nth"])
    found = fitting[nth - 1 if nth > 0 else nth]
    if "not_after" in rule and found.day > rule["not_after"]:
        found -= timedelta(days=7)
    return found


def load(folder: Path | None = None) -> Law:
    """The law of the program, with the tables of the folder's own file in their place.

    Raises errors.Unusable for a file that cannot be read or that lacks what is needed.
    """
    with _FILE.open("rb") as opened:
        tables = tomllib.load(opened)
    own = None if folder is None else folder / FILE_NAME
    if own is not None and own.exists():
        try:
            tables |= tomllib.loads(own.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise errors.Unusable("law-unreadable", f"{own} cannot be read: {error}") from None
    law = Law(tables)
    try:  # everything once, so that a mistake is found at start
        assert law.reference_days > 0
        assert law.longest_reduction > timedelta(0)
        assert 0 <= law.soldes_open < 24
        assert law.offered_before >= timedelta(0)
        law.is_perishable("x")
        if not 14 <= law.withdrawal_days <= _WITHDRAWAL_MOST:
            raise ValueError(f"withdrawal_days is from 14 to {_WITHDRAWAL_MOST}")
        law.soldes("33", date(2026, 1, 1))
    except (
        AssertionError, KeyError, TypeError, ValueError, IndexError, OverflowError, StopIteration,
    ) as error:  # fmt: skip
        raise errors.Unusable(
            "law-incomplete", f"{own or _FILE} lacks or mistakes a rule: {error!r}"
        ) from None
    return law
