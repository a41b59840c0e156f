"""Hours in words."""

from datetime import UTC, date, datetime

import pytest

from node import hours, hours_said, hours_typed
from node.model import SpecialDays
from node.translation import Catalogues

PESSAC = "FR-33318"


def plain(text: str | None) -> str | None:
    return text and text.replace("\u00a0", " ").replace("\u202f", " ")


@pytest.mark.parametrize(
    ("typed", "french", "english"),
    [
        (
            "mar-sam 9h-12h30 14h-19h; fériés fermé",
            ["lundi | fermé", "mardi à samedi | 9 h à 12 h 30, 14 h à 19 h", "dimanche | fermé",
             "jours fériés | fermé"],
            ["Monday | closed", "Tuesday to Saturday | 9 am to 12:30 pm, 2 pm to 7 pm",
             "Sunday | closed", "public holidays | closed"],
        ),
        ("24/7", ["tous les jours | jour et nuit"], ["every day | day and night"]),
        ("lun-mar 18h-2h; mer-dim 12h-minuit",
         ["lundi et mardi | 18 h à 2 h", "mercredi à dimanche | 12 h à minuit"],
         ["Monday and Tuesday | 6 pm to 2 am", "Wednesday to Sunday | 12 pm to midnight"]),
        ("fermé", ["tous les jours | fermé"], ["every day | closed"]),
    ],
)  # fmt: skip
def test_the_week_in_words(typed: str, french: list[str], english: list[str]) -> None:
    for language, expected in (("fr", french), ("en", english)):
        say = Catalogues().speak(language)
        lines = hours_said.week(hours_typed.parse(typed), say)
        assert [plain(" | ".join(line)) for line in lines] == expected


def test_the_week_in_one_line() -> None:
    told = hours_typed.parse("mar-sam 9h-12h30; dim 8h-13h")
    assert plain(hours_said.week_line(told, Catalogues().speak("fr"))) == (
        "mardi à samedi : 9 h à 12 h 30 ; dimanche : 8 h à 13 h"
    )
    assert hours_said.week_line(hours_typed.parse("fermé"), Catalogues().speak("en")) == "closed"


@pytest.mark.parametrize(
    ("days", "french", "english"),
    [
        (SpecialDays(date(2026, 12, 24), date(2026, 12, 24), ((540, 960),)),
         ("le 24 décembre 2026", "9 h à 16 h"), ("on 24 December 2026", "9 am to 4 pm")),
        (SpecialDays(date(2026, 8, 1), date(2026, 8, 15), (), "congés"),
         ("du 1er août 2026 au 15 août 2026", "fermé (congés)"),
         ("from 1 August 2026 to 15 August 2026", "closed (congés)")),
    ],
)  # fmt: skip
def test_an_exception_in_words(
    days: SpecialDays, french: tuple[str, str], english: tuple[str, str]
) -> None:
    for language, expected in (("fr", french), ("en", english)):
        said = hours_said.special(days, Catalogues().speak(language))
        assert tuple(plain(part) for part in said) == expected


@pytest.mark.parametrize(
    ("when", "typed", "french", "english"),
    [
        ("2026-11-25 10:00", "mer 9h-19h", "ouvert jusqu’à 19 h", "open until 7 pm"),
        ("2026-11-25 10:00", "24/7", "ouvert jour et nuit", "open day and night"),
        ("2026-11-25 22:00", "mer 18h-2h", "ouvert jusqu’à 2 h", "open until 2 am"),
        ("2026-11-25 22:00", "mer 18h-minuit", "ouvert jusqu’à minuit", "open until midnight"),
        ("2026-11-25 22:00", "mer-jeu 0h-24h; ven 0h-9h", "ouvert jusqu’à vendredi, 9 h",
         "open until Friday, 9 am"),
        ("2026-11-25 08:00", "mer 9h30-19h", "fermé, ouvre à 9 h 30", "closed, opens at 9:30 am"),
        ("2026-11-25 20:00", "jeu 9h-19h", "fermé, ouvre demain à 9 h",
         "closed, opens tomorrow at 9 am"),
        ("2026-11-25 20:00", "lun 9h-19h", "fermé, ouvre lundi à 9 h",
         "closed, opens on Monday at 9 am"),
        ("2026-11-25 20:00", "mer 9h-19h", "fermé jusqu’au 1er décembre 2026",
         "closed until 1 December 2026"),
        ("2026-11-25 20:00", "fermé", "fermé", "closed"),
    ],
)  # fmt: skip
def test_the_state_in_words(when: str, typed: str, french: str, english: str) -> None:
    # The server's clock is an hour behind: what counts is the shop's day.
    now = datetime.fromisoformat(when).replace(tzinfo=UTC)
    now = now.replace(hour=now.hour - 1)
    state = hours.state(hours_typed.parse(typed), PESSAC, now)
    for language, expected in (("fr", french), ("en", english)):
        assert plain(hours_said.state(state, now, Catalogues().speak(language))) == expected


def test_nothing_is_said_where_nobody_told() -> None:
    now = datetime(2026, 11, 25, 12, tzinfo=UTC)
    assert hours_said.state(hours.state(None, PESSAC, now), now, Catalogues().speak("fr")) is None
