"""Spelling help: mended from the node's own words, never where there is nothing to mend."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import spelling, words

LISTINGS = {
    "velo": 400, "velle": 1, "tondeuse": 50, "pantalon": 300, "cafetiere": 80, "tire": 60,
    "bouchon": 70, "huile": 300, "pharmacie": 10, "chocolat": 900, "fromage": 500,
    "chaussure": 600, "basket": 200, "quincaillerie": 5, "cahier": 80, "lavande": 100,
    "poisson": 50, "boisson": 60, "savon": 200, "pain": 700, "ours": 9, "casque": 100,
    "souris": 40, "gateau": 90, "lampe": 30, "shampoing": 20,
    "hamecon": 4, "lr6": 30, "12": 100, "a4": 50,
}  # fmt: skip
KNOWN = spelling.vocabulary(LISTINGS.items())


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("vello", "velo"),  # not "velle", which is as near and rare
        ("tondeuze", "tondeuse"),
        ("pantallon", "pantalon"),
        ("cafetierre", "cafetiere"),
        ("farmacie", "pharmacie"),
        ("baskette", "basket"),
        ("kincaillerie", "quincaillerie"),
        ("caier", "cahier"),
        ("lavnade", "lavande"),
        ("poison", "poisson"),
        ("quasque", "casque"),
        ("amecon", "hamecon"),
        ("champoing", "shampoing"),
        ("tirebouchon", "tire bouchon"),
        ("lhuile", "huile"),
        ("dhuile", "huile"),
    ],
)
def test_a_misspelt_word_is_taken_for_the_likeliest(typed: str, meant: str) -> None:
    assert spelling.nearest(typed, KNOWN) == meant


@pytest.mark.parametrize(
    "word", ["velo", "pin", "zzzzzz", "lr7", "3017620422003", "trottinette", "", "a4", "pais-moi"]
)
def test_what_is_known_short_strange_or_a_number_is_left(word: str) -> None:
    assert spelling.nearest(word, KNOWN) is None


def test_one_mistake_is_forgiven_in_a_short_word_and_two_in_a_long_one() -> None:
    assert spelling.nearest("savan", KNOWN) == "savon"
    assert spelling.nearest("savun", KNOWN) == "savon"
    assert spelling.nearest("sovan", KNOWN) is None
    assert spelling.nearest("chokolat", KNOWN) == "chocolat"
    assert spelling.nearest("chokollat", KNOWN) == "chocolat"
    assert spelling.nearest("chokollats", KNOWN) is None


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("Tondeuze d'occasion", "tondeuse d'occasion"),
        ("l’huille de Provence", "l’huile de Provence"),
        ("Vello, VELLO", "velo, velo"),
        ("lr7 chocolatt", "lr7 chocolat"),
    ],
)
def test_a_query_is_mended_where_it_stands(text: str, mended: str) -> None:
    known = spelling.vocabulary({**LISTINGS, "occasion": 3, "provence": 9}.items())
    found = spelling.correct(words.read(text), text, known)
    assert found is not None
    assert found.text == mended


@pytest.mark.parametrize("text", ["vélo", "chocol", "tire-bouchons", "pile lr6", "", "souris pc"])
def test_what_can_be_found_is_not_mended(text: str) -> None:
    assert spelling.correct(words.read(text), text, KNOWN) is None


def test_a_word_with_a_known_equivalent_is_not_mended() -> None:
    term = words.Term("bicyclette", (("bicyclette",), ("velo",)))
    assert spelling.correct(words.Query((term,)), "bicyclette", KNOWN) is None


@given(st.text(max_size=60), st.dictionaries(st.text(max_size=12), st.integers(-1, 99)))
def test_nothing_makes_it_fail(text: str, counted: dict[str, int]) -> None:
    known = spelling.vocabulary(counted.items())
    nearest = spelling.nearest(text, known)
    assert nearest is None or counted.get(nearest, 0) > 0 or nearest.replace(" ", "") == text
    correction = spelling.correct(words.read(text), text, known)
    assert correction is None or (correction.changed and correction.text != text)
