"""What is said of a shop just now."""

import dataclasses
from datetime import date, timedelta
from pathlib import Path

import pytest

from node.model import Hours, Span, SpecialDays
from node.translation import Catalogues
from node.web import opening
from tests import ground
from tests.ground import NOW

WEEK = tuple(Span(day, 540, 1140) for day in range(7))
TODAY = NOW.date()  # Monday, 23 November


def days(first: int, last: int, *spans: tuple[int, int]) -> SpecialDays:
    def day(number: int) -> date:
        return TODAY + timedelta(days=number)

    return SpecialDays(day(first), day(last), spans, "")


@pytest.mark.parametrize(
    ("special", "words"),
    [
        ((), "Ouvert jusqu’à 19\u00a0h"),
        ((days(0, 8),), "En congés jusqu’au 1er\u00a0décembre"),
        ((days(-3, 0),), "En congés jusqu’au 23\u00a0novembre"),
        ((days(1, 8),), "Ouvert jusqu’à 19\u00a0h"),  # from tomorrow on
        ((days(0, 0),), "Fermé, ouvre demain à 9\u00a0h"),  # a day alone is no holiday
        ((days(0, 8, (540, 720)),), "Ouvert jusqu’à 12\u00a0h"),  # shorter hours are none either
        (
            (days(0, 8), days(0, 0, (540, 720))),
            "Ouvert jusqu’à 12\u00a0h",
        ),  # open today all the same
    ],
)
def test_a_shop_that_is_away_says_until_when(
    tmp_path: Path, special: tuple[SpecialDays, ...], words: str
) -> None:
    with ground.opened(tmp_path) as db:
        shop = dataclasses.replace(ground.open_shop(db), hours=Hours(WEEK, special))
        said = opening.state(Catalogues().speak("fr"), shop, NOW)
        assert said.words == words
        assert said.open is words.startswith("Ouvert")
