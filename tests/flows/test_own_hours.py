"""Opening hours from a telephone: a week by one tap, day by day, holidays; residents read them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from node.model import Hours, Span
from node.store import database, shops
from tests import neighbours
from tests.flows.test_merchant import Browser, signed_in
from tests.neighbours import Town

HOURS = "/ma-boutique/fleurs/horaires"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    (town,) = neighbours.found(["Pessac"], tmp_path_factory.mktemp("hours"))
    with neighbours.serving([town]):
        town.run("shop", "add", "fleurs", "--name", "Fleurs", "--commune", "Pessac")
        town.run("listing", "add", "fleurs", "--name", "Tulipes", "--price", "6")
        yield town


@pytest.fixture(scope="module")
def claire(town: Town) -> Browser:
    return signed_in(town, "claire@example.fr", "--role", "merchant", "--shop", "fleurs")


def told(town: Town) -> Hours:
    with database.reading(town.folder) as db:
        shop = shops.get_own(db, "fleurs")
    assert shop is not None
    assert shop.hours is not None
    return shop.hours


def set_days(claire: Browser, **times: str) -> str:
    return claire.follow(HOURS, data={"deed": "days", **times}).text


def test_a_usual_week_by_one_tap(town: Town, claire: Browser) -> None:
    page = claire.follow(HOURS, data={"deed": "template", "week": "mar-sam 9h30-19h"}).text
    assert "mardi à samedi" in page
    assert told(town) == Hours(tuple(Span(day, 570, 1140) for day in range(1, 6)), (), True)
    assert claire.post(HOURS, data={"deed": "template", "week": "lun 3h-4h"}).status_code == 422
    assert "9\u00a0h\u00a030 à 19\u00a0h" in town.get("/@fleurs").text


def test_day_by_day_past_midnight_and_a_browser_without_fields_for_times(
    town: Town, claire: Browser
) -> None:
    page = set_days(claire, d0a="09:00", d0b="12:30", d0c="14:00", d0d="19:00", d4a="18h", d4b="2h")
    assert told(town).weekly == (Span(0, 540, 750), Span(0, 840, 1140), Span(4, 1080, 1560))
    assert 'name="d0a" type="time" value="09:00"' in page
    assert 'name="d4b" type="time" value="02:00"' in page


@pytest.mark.parametrize(
    ("typed", "where"),
    [
        ({"d2a": "09:00"}, 'href="#d2a"'),
        ({"d2a": "9h", "d2b": "25h"}, 'href="#d2a"'),
        ({"d2c": "9h", "d2d": "9h"}, 'href="#d2c"'),
        ({"d2a": "9h", "d2b": "15h", "d2c": "14h", "d2d": "19h"}, "se chevauchent"),
    ],
)
def test_days_that_cannot_be_stay_in_the_fields(
    town: Town, claire: Browser, typed: dict[str, str], where: str
) -> None:
    set_days(claire, d0a="10:00", d0b="11:00")
    answer = claire.post(HOURS, data={"deed": "days", **typed})
    assert answer.status_code == 422
    assert where in answer.text
    assert all(f'value="{value}"' in answer.text for value in typed.values())
    assert told(town).weekly == (Span(0, 600, 660),)


def test_on_holiday_until_a_day_and_back(town: Town, claire: Browser) -> None:
    set_days(claire, **{f"d{day}{part}": time for day in range(7) for part, time in
                        (("a", "00:00"), ("b", "00:00"))})  # fmt: skip
    last = (datetime.now(UTC).astimezone(ZoneInfo("Europe/Paris")) + timedelta(days=9)).date()
    away = {"deed": "away", "first": "", "last": f"{last:%d/%m/%Y}", "note": "congés"}
    assert "(congés)" in claire.follow(HOURS, data=away).text
    # Residents read it, and everything else can still be read and found.
    page = town.get("/@fleurs").text
    assert "(congés)" in page
    assert "fermé" in page.lower()
    assert "Tulipes" in page
    assert town.names("tulipes", "33318") == ["Tulipes"]
    # The week and the public holidays may change meanwhile: the days away stay.
    claire.follow(HOURS, data={"deed": "template", "week": "lun-sam 10h-19h"})
    claire.follow(HOURS, data={"deed": "holidays"})
    (one,) = told(town).special
    assert (one.last, told(town).closed_on_holidays) == (last, False)
    claire.follow(HOURS, data=away)  # told twice: once is kept
    assert len(told(town).special) == 1
    claire.follow(HOURS, data={"deed": "back", "which": f"{one.first}_{one.last}"})
    assert told(town).special == ()


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"last": "31/02/2027"}, "last"),
        ({"first": "hier"}, "first"),
        ({"last": "01/01/2020"}, "last"),
        ({"first": "2027-01-10", "last": "2027-01-02"}, "last"),
        ({"last": "2099-01-01"}, "last"),
        ({"opens": "9h"}, "opens"),
        ({"note": "x" * 101}, "note"),
    ],
)
def test_days_away_that_cannot_be(
    town: Town, claire: Browser, typed: dict[str, str], field: str
) -> None:
    answer = claire.post(HOURS, data={"deed": "away", **typed})
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert told(town).special == ()


def test_a_day_with_other_times_and_three_spans_by_words_only(town: Town, claire: Browser) -> None:
    day = f"{datetime.now(UTC) + timedelta(days=300):%Y-%m-%d}"
    claire.follow(
        HOURS, data={"deed": "away", "first": day, "last": day, "opens": "9h", "closes": "12h"}
    )
    assert told(town).special[0].spans == ((540, 720),)
    page = claire.follow(HOURS, data={"hours": "lun 8h-9h 10h-11h 12h-13h"}).text
    assert len(told(town).weekly) == 3
    assert told(town).special != ()
    assert "Jour par jour" not in page
