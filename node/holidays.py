"""Public holidays in France, computed: by department, with those of Alsace-Moselle and overseas.

The eleven of the whole country (Code du travail, L3133-1) and those that a part of it adds: Good
Friday and 26 December where local law holds (L3134-13), the days on which the abolition of slavery
is commemorated (L3422-2), and those of the collectivities of the Pacific.
"""

import functools
from collections.abc import Mapping
from datetime import date, timedelta

ALSACE_MOSELLE = frozenset(("57", "67", "68"))
WALLIS, POLYNESIA, CALEDONIA = "986", "987", "988"

_FIXED = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))
_AFTER_EASTER = (1, 39, 50)  # Easter Monday, Ascension, Whit Monday, in days
_GOOD_FRIDAY = -2
_ADDED: Mapping[str, tuple[tuple[int, int], ...]] = {
    "971": ((5, 27),),
    "972": ((5, 22),),
    "973": ((6, 10),),
    "974": ((12, 20),),
    "976": ((4, 27),),
    "977": ((10, 9),),
    "978": ((5, 28),),
    WALLIS: ((4, 28), (6, 29), (7, 29)),
    POLYNESIA: ((3, 5),),
    CALEDONIA: ((9, 24),),
}


def easter(year: int) -> date:
    """Easter Sunday of a Gregorian year (the computus of Meeus, Jones and Butcher)."""
    century, rest = divmod(year, 100)
    moon = year % 19
    correction = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * moon + century - century // 4 - correction + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    late = (moon + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


@functools.lru_cache(maxsize=256)
def of_year(year: int, department: str) -> frozenset[date]:
    """The public holidays of a year in a department or overseas collectivity ("33", "974")."""
    sunday = easter(year)
    moving = list(_AFTER_EASTER)
    fixed = [*_FIXED, *_ADDED.get(department, ())]
    if department in ALSACE_MOSELLE:
        fixed.append((12, 26))
    if department in ALSACE_MOSELLE or department == POLYNESIA:
        moving.append(_GOOD_FRIDAY)
    if department == POLYNESIA:
        # Matari'i took the place of the feast of autonomy (loi du pays of 2025).
        fixed.append((11, 20) if year >= 2025 else (6, 29))
    return frozenset(
        [date(year, month, day) for month, day in fixed]
        + [sunday + timedelta(days=days) for days in moving]
    )


def is_holiday(day: date, department: str) -> bool:
    """Whether a day is a public holiday there."""
    return day in of_year(day.year, department)
