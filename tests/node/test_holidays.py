"""Public holidays, against calendars that were printed."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import holidays

# https://www.service-public.gouv.fr/particuliers/vosdroits/F2405, year by year.
PRINTED = {
    2024: "01-01 04-01 05-01 05-08 05-09 05-20 07-14 08-15 11-01 11-11 12-25",
    2025: "01-01 04-21 05-01 05-08 05-29 06-09 07-14 08-15 11-01 11-11 12-25",
    2026: "01-01 04-06 05-01 05-08 05-14 05-25 07-14 08-15 11-01 11-11 12-25",
    2027: "01-01 03-29 05-01 05-06 05-08 05-17 07-14 08-15 11-01 11-11 12-25",
    # Ascension and 8 May are one day.
    2008: "01-01 03-24 05-01 05-08 05-12 07-14 08-15 11-01 11-11 12-25",
}


def days(year: int, text: str) -> frozenset[date]:
    return frozenset(date.fromisoformat(f"{year}-{day}") for day in text.split())


@pytest.mark.parametrize(
    ("year", "sunday"),
    [
        (1818, "03-22"),  # the earliest there is
        (1943, "04-25"),  # the latest
        (1954, "04-18"),
        (1981, "04-19"),
        (2000, "04-23"),
        (2008, "03-23"),
        (2019, "04-21"),
        (2024, "03-31"),
        (2025, "04-20"),
        (2026, "04-05"),
        (2027, "03-28"),
        (2038, "04-25"),
        (2049, "04-18"),
        (2076, "04-19"),
    ],
)
def test_easter(year: int, sunday: str) -> None:
    assert holidays.easter(year) == date.fromisoformat(f"{year}-{sunday}")


@given(st.integers(1583, 9998))
def test_easter_is_a_sunday_in_spring(year: int) -> None:
    found = holidays.easter(year)
    assert found.weekday() == 6
    assert date(year, 3, 22) <= found <= date(year, 4, 25)


@pytest.mark.parametrize("year", PRINTED)
def test_the_holidays_of_the_whole_country(year: int) -> None:
    assert holidays.of_year(year, "33") == days(year, PRINTED[year])
    for day in PRINTED[year].split():
        assert holidays.is_holiday(date.fromisoformat(f"{year}-{day}"), "33")


@pytest.mark.parametrize(
    ("department", "year", "added"),
    [
        ("57", 2026, "04-03 12-26"),
        ("67", 2025, "04-18 12-26"),
        ("68", 2024, "03-29 12-26"),
        ("54", 2026, ""),  # beside Moselle
        ("2A", 2026, ""),
        ("971", 2026, "05-27"),
        ("972", 2026, "05-22"),
        ("973", 2026, "06-10"),
        ("974", 2026, "12-20"),
        ("975", 2026, ""),
        ("976", 2026, "04-27"),
        ("977", 2026, "10-09"),
        ("978", 2026, "05-28"),
        ("986", 2026, "04-28 06-29 07-29"),
        ("987", 2024, "03-05 03-29 06-29"),
        ("987", 2026, "03-05 04-03 11-20"),
        ("988", 2026, "09-24"),
    ],
)
def test_what_a_department_adds(department: str, year: int, added: str) -> None:
    expected = days(year, PRINTED[year]) | days(year, added)
    assert holidays.of_year(year, department) == expected
    every = {date.fromordinal(date(year, 1, 1).toordinal() + n) for n in range(366)}
    found = {day for day in every if holidays.is_holiday(day, department) and day.year == year}
    assert found == expected
