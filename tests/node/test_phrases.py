"""Turns of phrase, as French and English have them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from node import phrases
from node.translation import Catalogues

FR = Catalogues().speak("fr")
EN = Catalogues().speak("en")


@pytest.mark.parametrize(
    ("name", "of", "at"),
    [
        ("Pessac", "de Pessac", "à Pessac"),
        ("Andernos-les-Bains", "d’Andernos-les-Bains", "à Andernos-les-Bains"),
        ("Èze", "d’Èze", "à Èze"),
        ("Yvetot", "d’Yvetot", "à Yvetot"),
        ("Yutz", "de Yutz", "à Yutz"),
        ("Le Bouscat", "du Bouscat", "au Bouscat"),
        ("Les Mureaux", "des Mureaux", "aux Mureaux"),
        ("La Rochelle", "de La Rochelle", "à La Rochelle"),
        ("L'Union", "de L'Union", "à L'Union"),
        ("Lesparre-Médoc", "de Lesparre-Médoc", "à Lesparre-Médoc"),
    ],
)
def test_a_place_and_its_little_word(name: str, of: str, at: str) -> None:
    assert "".join(phrases.of_place(FR, name)) == of
    assert phrases.at_place(FR, name) == at
    assert phrases.at_place(EN, name) == f"in {name}"


def test_french_counts_nothing_as_one() -> None:
    counts = [phrases.counted(FR, n, "{count} a", "{count} b") for n in (0, 1, 2, 12345)]
    assert counts == ["0 a", "1 a", "2 b", "12\u202f345 b"]
    counts = [phrases.counted(EN, n, "{count} a", "{count} b") for n in (0, 1, 2, 12345)]
    assert counts == ["0 b", "1 a", "2 b", "12,345 b"]


@pytest.mark.parametrize(
    ("km", "text"),
    [(0, "50 m"), (0.04, "50 m"), (0.63, "650 m"), (0.97, "950 m"), (1, "1,0 km"),
     (2.96, "3,0 km"), (3.4, "3 km"), (29.6, "30 km")],
)  # fmt: skip
def test_a_distance_is_no_finer_than_it_is_known(km: float, text: str) -> None:
    assert phrases.distance(FR, km) == text.replace(" ", "\u00a0")


def test_how_old_what_is_told_is() -> None:
    now = datetime(2026, 11, 25, 9, tzinfo=UTC)

    def said(days: int, **more: bool) -> str:
        return phrases.seen(FR, now - timedelta(days=days), now, **more)

    assert said(-1) == said(0) == "Vu en rayon aujourd’hui"
    assert said(1) == "Vu en rayon hier"
    assert said(2) == "Vu en rayon il y a 2 jours"
    assert said(15) == "Information du 10\u00a0novembre"
    assert said(400) == "Information du 21\u00a0octobre 2025"
    assert said(2, on_shelf=False) == "Confirmé il y a 2 jours"
    assert phrases.day(FR, date(2026, 5, 1)) == "1er\u00a0mai"
