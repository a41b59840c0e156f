"""Whether a shop is open: by its own clock, its week, its exceptions and the holidays there."""

import itertools
import zoneinfo
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import errors, hours, hours_typed
from node.model import Hours, OpenState, Span, SpecialDays

PARIS, PESSAC, STRASBOURG = "FR-75111", "FR-33318", "FR-67482"
TODAY = date(2026, 11, 25)


def told(week: str, *exceptions: str) -> Hours:
    found = hours_typed.parse(week)
    special = tuple(hours_typed.parse_special(text, TODAY) for text in exceptions)
    return Hours(found.weekly, special, found.closed_on_holidays)


SHOP = told("mar-sam 9h-12h30 14h-19h")
BAR = told("jeu-sam 18h-2h; dim 0h-1h")
NIGHT = told("lun-dim 22h-6h")
ALWAYS = told("24/7")
BAKERY = told("mar-dim 7h-13h; fériés fermé")
CLOSING = told(
    "lun-sam 9h-19h",
    "du 2026-08-01 au 2026-08-15 fermé : congés",
    "2026-08-07 10h-12h : marché",
    "2026-12-24 9h-16h",
)
NEVER = Hours(())
ONCE = told("fermé", "2026-12-05 10h-18h : vente")
OPEN_ON_A_HOLIDAY = told("lun-ven 9h-18h; fériés fermé", "2026-07-14 9h-12h")


@pytest.mark.parametrize(
    ("when", "shop", "place", "expected"),
    [
        # The week (25 November 2026 is a Wednesday). What follows "open"/"closed" is when it
        # ends, on the shop's own clock.
        ("2026-11-25 08:59", SHOP, PESSAC, "closed 2026-11-25 09:00"),
        ("2026-11-25 09:00", SHOP, PESSAC, "open 2026-11-25 12:30"),
        ("2026-11-25 12:29", SHOP, PESSAC, "open 2026-11-25 12:30"),
        ("2026-11-25 12:30", SHOP, PESSAC, "closed 2026-11-25 14:00"),
        ("2026-11-25 18:59", SHOP, PESSAC, "open 2026-11-25 19:00"),
        ("2026-11-25 19:00", SHOP, PESSAC, "closed 2026-11-26 09:00"),
        ("2026-11-28 19:00", SHOP, PESSAC, "closed 2026-12-01 09:00"),  # over Sunday and Monday
        ("2026-11-29 12:00", SHOP, PESSAC, "closed 2026-12-01 09:00"),
        ("2026-11-30 23:59", SHOP, PESSAC, "closed 2026-12-01 09:00"),
        # Past midnight.
        ("2026-11-26 17:59", BAR, PESSAC, "closed 2026-11-26 18:00"),
        ("2026-11-26 23:30", BAR, PESSAC, "open 2026-11-27 02:00"),
        ("2026-11-27 00:00", BAR, PESSAC, "open 2026-11-27 02:00"),
        ("2026-11-27 01:59", BAR, PESSAC, "open 2026-11-27 02:00"),
        ("2026-11-27 02:00", BAR, PESSAC, "closed 2026-11-27 18:00"),
        ("2026-11-29 00:30", BAR, PESSAC, "open 2026-11-29 02:00"),  # two spans over each other
        ("2026-11-29 02:00", BAR, PESSAC, "closed 2026-12-03 18:00"),
        ("2026-11-25 01:00", BAR, PESSAC, "closed 2026-11-26 18:00"),
        ("2026-11-25 05:59", NIGHT, PESSAC, "open 2026-11-25 06:00"),
        ("2026-11-25 06:00", NIGHT, PESSAC, "closed 2026-11-25 22:00"),
        ("2026-11-29 23:00", NIGHT, PESSAC, "open 2026-11-30 06:00"),  # Sunday into Monday
        # Midnight itself, and never closing.
        ("2026-11-25 12:00", ALWAYS, PESSAC, "open"),
        ("2026-11-25 00:00", ALWAYS, PESSAC, "open"),
        ("2026-11-25 23:00", told("mer 20h-minuit; jeu 0h-3h"), PESSAC, "open 2026-11-26 03:00"),
        ("2026-11-25 23:00", told("mer 0h-24h"), PESSAC, "open 2026-11-26 00:00"),
        ("2026-11-26 00:00", told("mer 0h-24h"), PESSAC, "closed 2026-12-02 00:00"),
        ("2026-11-25 23:00", told("mer-ven 0h-24h"), PESSAC, "open 2026-11-28 00:00"),
        # Exceptions.
        ("2026-08-03 10:00", CLOSING, PESSAC, "closed 2026-08-07 10:00"),
        ("2026-08-07 11:00", CLOSING, PESSAC, "open 2026-08-07 12:00"),  # the narrower one holds
        ("2026-08-07 12:00", CLOSING, PESSAC, "closed 2026-08-17 09:00"),  # 16 is a Sunday
        ("2026-07-31 19:00", CLOSING, PESSAC, "closed 2026-08-07 10:00"),
        ("2026-12-24 15:59", CLOSING, PESSAC, "open 2026-12-24 16:00"),
        ("2026-12-24 16:00", CLOSING, PESSAC, "closed 2026-12-25 09:00"),  # as usual: not told
        ("2026-12-24 08:00", told("lun-ven 6h-12h", "2026-12-24"), PESSAC,
         "closed 2026-12-25 06:00"),
        ("2026-12-31 23:00", told("lun-sam 9h-19h", "2026-12-31 18h-3h"), PESSAC,
         "open 2027-01-01 03:00"),
        ("2026-12-26 01:00", told("ven 18h-2h", "2026-12-26"), PESSAC,
         "open 2026-12-26 02:00"),  # the evening before goes on
        ("2026-11-25 10:00", ONCE, PESSAC, "closed 2026-12-05 10:00"),
        ("2026-12-05 10:00", ONCE, PESSAC, "open 2026-12-05 18:00"),
        ("2026-12-05 18:00", ONCE, PESSAC, "closed"),
        ("2026-11-25 10:00", NEVER, PESSAC, "closed"),
        # Public holidays.
        ("2026-07-14 09:00", BAKERY, PESSAC, "closed 2026-07-15 07:00"),
        ("2026-07-14 09:00", SHOP, PESSAC, "open 2026-07-14 12:30"),  # open as usual
        ("2026-05-14 08:00", BAKERY, PESSAC, "closed 2026-05-15 07:00"),  # Ascension
        ("2026-04-03 08:00", BAKERY, PESSAC, "open 2026-04-03 13:00"),  # Good Friday
        ("2026-04-03 08:00", BAKERY, STRASBOURG, "closed 2026-04-04 07:00"),
        ("2026-12-26 08:00", BAKERY, STRASBOURG, "closed 2026-12-27 07:00"),
        ("2026-12-25 13:30", BAKERY, STRASBOURG, "closed 2026-12-27 07:00"),
        ("2026-07-14 10:00", OPEN_ON_A_HOLIDAY, PESSAC, "open 2026-07-14 12:00"),
        # Other clocks: the moment is Paris's in winter (UTC+1), the answer the shop's.
        ("2026-11-25 06:00", SHOP, "FR-97411", "open 2026-11-25 12:30"),  # Réunion: 9 h
        ("2026-11-25 05:59", SHOP, "FR-97411", "closed 2026-11-25 09:00"),
        ("2026-11-25 13:59", SHOP, "FR-97105", "closed 2026-11-25 09:00"),  # Guadeloupe: 8:59
        ("2026-11-25 14:00", SHOP, "FR-97105", "open 2026-11-25 12:30"),
        ("2026-11-25 14:00", SHOP, "FR-97209", "open 2026-11-25 12:30"),  # Martinique
        ("2026-11-25 13:00", SHOP, "FR-97302", "open 2026-11-25 12:30"),  # Guyane
        ("2026-11-25 13:00", SHOP, "FR-97502", "open 2026-11-25 12:30"),  # Saint-Pierre, UTC-3
        ("2026-11-25 07:00", SHOP, "FR-97611", "open 2026-11-25 12:30"),  # Mayotte
        ("2026-11-25 14:00", SHOP, "FR-97701", "open 2026-11-25 12:30"),  # Saint-Barthélemy
        ("2026-11-25 14:00", SHOP, "FR-97801", "open 2026-11-25 12:30"),  # Saint-Martin
        ("2026-11-24 22:00", SHOP, "FR-98613", "open 2026-11-25 12:30"),  # Wallis, tomorrow's
        ("2026-11-25 20:00", SHOP, "FR-98735", "open 2026-11-25 12:30"),  # Tahiti
        ("2026-11-25 19:30", SHOP, "FR-98731", "open 2026-11-25 12:30"),  # Marquesas, UTC-9:30
        ("2026-11-25 19:00", SHOP, "FR-98719", "open 2026-11-25 12:30"),  # Gambier
        ("2026-11-24 23:00", SHOP, "FR-98818", "open 2026-11-25 12:30"),  # Nouméa
        ("2026-12-20 06:00", told("dim 9h-12h; fériés fermé"), "FR-97411",
         "closed 2026-12-27 09:00"),  # abolition of slavery
        ("2026-11-25 10:00", SHOP, "FR-2A004", "open 2026-11-25 12:30"),  # Corsica
        # Summer time begins on 29 March 2026 and ends on 25 October.
        ("2026-03-29 01:30", NIGHT, PESSAC, "open 2026-03-29 06:00"),
        ("2026-03-29 03:30", NIGHT, PESSAC, "open 2026-03-29 06:00"),
        ("2026-07-01 09:00", SHOP, PESSAC, "open 2026-07-01 12:30"),
        ("2026-10-25 05:59", NIGHT, PESSAC, "open 2026-10-25 06:00"),
        ("2026-03-29 03:10", told("sam 20h-2h30"), PESSAC, "open 2026-03-29 03:30"),
        ("2026-03-28 23:00", told("dim 2h15-2h45"), PESSAC, "closed 2026-03-29 03:15"),
        # Nobody knows.
        ("2026-11-25 10:00", None, PESSAC, "unknown"),
        ("2026-11-25 10:00", SHOP, None, "unknown"),
        ("2026-11-25 10:00", SHOP, "geonames:2800866", "unknown"),
    ],
)  # fmt: skip
def test_open_or_closed_and_until_when(
    when: str, shop: Hours | None, place: str | None, expected: str
) -> None:
    now = datetime.fromisoformat(when).replace(tzinfo=ZoneInfo("Europe/Paris"))
    assert said(hours.state(shop, place, now)) == expected
    assert said(hours.state(shop, place, now.astimezone(UTC))) == expected
    assert hours.is_open(shop, place, now) == hours.state(shop, place, now).open


def said(state: OpenState) -> str:
    if state.open is None:
        assert (state.until, state.opens, state.today) == (None, None, ())
        return "unknown"
    assert state.until is None or state.open
    assert state.opens is None or not state.open
    end = state.until or state.opens
    return " ".join(
        [("closed", "open")[state.open], *([f"{end:%Y-%m-%d %H:%M}"] if end is not None else [])]
    )


def test_an_hour_that_comes_twice_is_its_first() -> None:
    """On 25 October 2026 the clocks show 2:30 at 0:30 and at 1:30 UTC."""
    bar = told("sam 20h-2h30")
    last = datetime(2026, 10, 25, 0, 29, tzinfo=UTC)
    until = hours.state(bar, PESSAC, last).until
    assert until is not None
    assert until.astimezone(UTC) == last + timedelta(minutes=1)
    assert hours.state(bar, PESSAC, last + timedelta(minutes=1)).open is False


def test_today_is_of_the_shops_own_day() -> None:
    week = told("mar 9h-12h; mer 14h-19h")
    late = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)  # already Wednesday in Pessac
    assert hours.state(week, PESSAC, late).today == ((840, 1140),)
    assert hours.state(week, "FR-97105", late).today == ((540, 720),)


def test_the_end_of_the_calendar_is_no_trap() -> None:
    assert hours.state(SHOP, PESSAC, datetime(9999, 12, 31, 12, tzinfo=UTC)).open in (True, False)
    assert hours.state(NEVER, PESSAC, datetime(9999, 12, 30, 12, tzinfo=UTC)).open is False


@pytest.mark.parametrize(
    ("place", "department"),
    [
        ("FR-33063", "33"),
        ("FR-2A004", "2A"),
        ("FR-97411", "974"),
        ("FR-98818", "988"),
        ("FR-01001", "01"),
        (None, None),
        ("", None),
        ("FR-", None),
        ("geonames:2988507", None),
    ],
)
def test_the_department_of_a_place(place: str | None, department: str | None) -> None:
    assert hours.department_of(place) == department


def test_zones_that_are_not_on_the_system_are_said_to_be_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hours.check_zones()
    # The tzdata package, where it is installed, would stand in for the system's.
    monkeypatch.setattr("zoneinfo._common.load_tzdata", _no_zones)
    ZoneInfo.clear_cache()
    zoneinfo.reset_tzpath(to=())
    try:
        with pytest.raises(errors.Unusable, match="apt install tzdata"):
            hours.check_zones()
    finally:
        zoneinfo.reset_tzpath()
        ZoneInfo.clear_cache()


def _no_zones(key: str) -> None:
    raise zoneinfo.ZoneInfoNotFoundError(key)


# --- what hours can be ---------------------------------------------------------------------------

SPANS = st.lists(st.tuples(st.integers(-100, 1600), st.integers(-100, 3200)), max_size=6)


@given(SPANS)
def test_a_tidy_day_stays_so_and_is_in_order(spans: list[tuple[int, int]]) -> None:
    tidied = hours.tidy(spans)
    assert hours.tidy(tidied) == tidied
    for opens, closes in tidied:
        assert 0 <= opens < 1440
        assert opens < closes <= opens + 1440
        assert closes != opens + 1440 or opens == 0
    assert all(one[1] < other[0] for one, other in itertools.pairwise(tidied))


@pytest.mark.parametrize(
    ("spans", "tidied"),
    [
        ([(840, 1140), (540, 750)], ((540, 750), (840, 1140))),
        ([(540, 720), (720, 900)], ((540, 900),)),
        ([(540, 720), (600, 900)], ((540, 900),)),
        ([(540, 900), (600, 700)], ((540, 900),)),
        ([(0, 1439)], ((0, 1440),)),
        ([(540, 540)], ()),
        ([(540, 500)], ()),
        ([(1440, 1500)], ()),
        ([(540, 1980)], ()),
        ([(-5, 10)], ()),
    ],
)
def test_tidying(spans: list[tuple[int, int]], tidied: tuple[tuple[int, int], ...]) -> None:
    assert hours.tidy(spans) == tidied


DAY = date(2026, 8, 1)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (Hours((Span(7, 540, 720),)), "in order"),
        (Hours((Span(0, 540, 720), Span(0, 600, 800))), "in order"),
        (Hours((Span(1, 540, 720), Span(0, 600, 800))), "in order"),
        (Hours(tuple(Span(0, n * 10, n * 10 + 5) for n in range(7))), "at most 6"),
        (Hours((), (SpecialDays(DAY, date(2026, 7, 1)),)), "before it begins"),
        (Hours((), (SpecialDays(DAY, date(2028, 7, 1)),)), "a year"),
        (Hours((), (SpecialDays(DAY, DAY, ((600, 500),)),)), "not in order"),
        (Hours((), (SpecialDays(DAY, DAY, (), "x" * 101),)), "100 characters"),
        (Hours((), (SpecialDays(DAY, DAY), SpecialDays(DAY, DAY, ((0, 9),)))), "told twice"),
        (
            Hours(
                (), tuple(SpecialDays(DAY + timedelta(n), DAY + timedelta(n)) for n in range(61))
            ),
            "at most 60",
        ),
    ],
)
def test_hours_that_cannot_be(bad: Hours, words: str) -> None:
    assert words in (hours.problem(bad) or "")


@pytest.mark.parametrize("good", [SHOP, BAR, NIGHT, ALWAYS, BAKERY, CLOSING, NEVER, ONCE])
def test_hours_that_can_be(good: Hours) -> None:
    assert hours.problem(good) is None


def test_exceptions_that_are_over_are_dropped() -> None:
    kept = hours.without_past(CLOSING, date(2026, 8, 16))
    assert [days.first for days in kept.special] == [date(2026, 12, 24)]
    assert hours.without_past(CLOSING, date(2026, 8, 7)) == CLOSING
