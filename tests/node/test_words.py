"""Words as the index of searches keeps them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import words

# What French listings are written with.
FRENCH = "abcdefghijklmnopqrstuvwxyzàâäçéèêëîïôöùûüÿœæABCDEFGÉÈŒ 0123456789'’-.,"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("œufs", "oeufs"),
        ("Œufs", "ŒUFS"),
        ("œuf", "Oeufs"),
        ("bœuf", "boeuf"),
        ("cæsium", "caesium"),
        ("Été", "ete"),
        ("Ê\u0301", "e"),
        ("crème brûlée", "CREME BRULEE"),
        ("cafe\u0301", "café"),
        ("Straße", "strasse"),
        ("gâteaux", "gateau"),
        ("journaux", "journal"),
        ("chevaux", "cheval"),
        ("bijoux", "bijou"),
        ("vélos", "velo"),
        ("pêches-abricots", "peche abricot"),
        ("snake_case", "snake case"),
        ("1 000", "1\u202f000"),
    ],
)
def test_what_differs_only_in_writing_is_the_same(one: str, other: str) -> None:
    assert words.normalise(one) == words.normalise(other)


@pytest.mark.parametrize(
    "word",
    ["noix", "riz", "souris", "radis", "bois", "prix", "jus", "mais", "colis", "roux", "gaz"],
)
def test_a_final_s_or_x_that_belongs_to_the_word_stays(word: str) -> None:
    assert words.normalise(word) == word


@pytest.mark.parametrize(
    ("one", "other"), [("port", "porte"), ("frais", "fraise"), ("pain", "peinture"), ("os", "o")]
)
def test_different_goods_stay_different(one: str, other: str) -> None:
    assert words.normalise(one) != words.normalise(other)


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("l'huile d'olive", ["huile", "olive"]),
        ("L’HUILE D’OLIVE", ["huile", "olive"]),
        ("qu'il n'y", ["il", "y"]),
        ("miel de lavande", ["miel", "de", "lavande"]),
        ("pommes pomme POMME", ["pomme"]),
        ("", []),
        ("   '’ - !", []),
        ("l' d' qu'", []),
        ("vélo, VÉLOS; velo", ["velo"]),
    ],
)
def test_the_terms_of_a_query(query: str, terms: list[str]) -> None:
    assert words.terms(query) == terms


def test_what_is_elided_in_a_query_is_harmless_in_the_index() -> None:
    indexed = words.normalise("Savon à l'huile d'olive").split()
    assert set(words.terms("l'huile d'olive")) <= set(indexed)


def test_a_query_of_ten_thousand_words_is_cut() -> None:
    assert len(words.terms(" ".join(f"mot{n}" for n in range(10_000)))) == words.WORDS_IN_QUERY
    assert words.terms("a" * 1_000_000) == ["a" * 2000]


@pytest.mark.parametrize(
    ("styled", "plain"),
    [("𝐁𝐎𝐔𝐐𝐔𝐄𝐓", "bouquet"), ("ＢＩＯ", "bio"), ("𝓜iel", "miel"), ("Ⓑⓘⓞ", "bio"), ("™", "tm")],
)
def test_letters_styled_for_show_are_letters(styled: str, plain: str) -> None:
    assert words.fold(styled) == plain


@given(st.text())
def test_no_text_makes_it_fail(text: str) -> None:
    for word in words.normalise(text).split(" "):
        assert word == word.strip()
    assert len(words.terms(text)) <= words.WORDS_IN_QUERY


@given(st.text(FRENCH))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert words.fold(words.fold(text)) == words.fold(text)


@given(st.text(FRENCH))
def test_normalising_settles(text: str) -> None:
    """Each further pass may take one more plural ending off, never do anything else.

    No French word ends in "sx" or "xs", so that what people write is settled by the first pass.
    """
    once = words.normalise(text)
    twice = words.normalise(once)
    for first, second in zip(once.split(), twice.split(), strict=True):
        assert second in (first, words.singular(first))


@given(
    st.lists(
        st.sampled_from(
            ["œufs", "gâteaux", "chevaux", "noix", "bijoux", "riz", "jus", "pommes", "été", "l'"]
        )
    )
)
def test_normalising_twice_is_normalising_once_for_words_of_the_market(text: list[str]) -> None:
    once = words.normalise(" ".join(text))
    assert words.normalise(once) == once


@given(st.text(FRENCH, max_size=200))
def test_what_is_asked_in_the_words_of_a_title_is_in_its_index(title: str) -> None:
    assert set(words.terms(title)) <= set(words.normalise(title).split())
