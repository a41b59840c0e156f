"""Synonyms: those that come with the program, and those that a steward adds."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import errors, synonyms, words


def alternatives(text: str, known: synonyms.Synonyms) -> list[tuple[tuple[str, ...], ...]]:
    return [term.alternatives for term in synonyms.widen(words.read(text), known).terms]


def finds(text: str, title: str, known: synonyms.Synonyms) -> bool:
    tokens = set(words.normalise(title).split())
    return all(any(tokens >= set(way) for way in ways) for ways in alternatives(text, known))


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("bicyclette", "Vélo de ville"),
        ("chocolatines", "Pain au chocolat pur beurre"),
        ("pain au chocolat", "Chocolatine"),
        ("pains au chocolat aux amandes", "Chocolatine aux amandes"),
        ("frigo", "Réfrigérateur combiné"),
        ("gsm", "Téléphone à grosses touches"),
        ("tee-shirt rouge", "Tshirt rouge"),
        ("clefs", "Porte-clés"),
        ("machine à laver", "Lave-linge hublot"),
        ("porte monnaie", "Portemonnaie en cuir"),
        ("tirebouchon", "Limonadier"),
    ],
)
def test_what_means_the_same_is_found(tmp_path: Path, typed: str, title: str) -> None:
    known = synonyms.load(tmp_path)
    assert finds(typed, title, known)
    assert synonyms.widen(words.read(typed), known).widened


def test_one_way_is_one_way(tmp_path: Path) -> None:
    known = synonyms.load(tmp_path)
    assert finds("doliprane", "Paracétamol 500 mg", known)
    assert not finds("paracétamol", "Doliprane 500 mg", known)


def test_what_was_added_is_said(tmp_path: Path) -> None:
    query = synonyms.widen(words.read("frigo neuf"), synonyms.load(tmp_path))
    assert query.widened == (("frigo", ("réfrigérateur", "frigidaire")),)
    assert [term.typed for term in query.terms] == ["frigo", "neuf"]


def test_the_longest_phrase_wins() -> None:
    known = synonyms.parse('same = [["pain au chocolat", "chocolatine"], ["chocolat", "cacao"]]')
    assert not finds("pain au chocolat", "Pain au cacao", known)
    assert finds("chocolat", "Cacao maigre", known)


def test_a_steward_adds_some(tmp_path: Path) -> None:
    (tmp_path / synonyms.FILE_NAME).write_text(
        'same = [["vélo", "biclou"]]\nalso = [["souvenir", "magnet"]]\n', encoding="utf-8"
    )
    known = synonyms.load(tmp_path)
    assert finds("biclou", "Vélo", known)
    assert finds("vélos", "Biclou", known)
    assert finds("vélo", "Bicyclette", known)  # those of the program stay
    assert finds("souvenirs", "Magnet du phare", known)
    assert not finds("magnet", "Souvenir du phare", known)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("same = [", "not valid TOML"),
        ("a = 1\nb = 2", "line 1: there is no 'a'"),
        ('same = [\n["vélo"],\n]', "line 2: the group ['vélo'] holds 1"),
        ('same = [\n["a", "b"],\n["pain", "!"]]', "line 3: '!' is not 1 to 5 words"),
        ('same = ["a", "b"]', "'a' is not a group"),
        ('same = "a"', "line 1: `same` is not a list"),
        ('also = [["a", 1]]', "is not a group"),
        ('same = [["a", "un deux trois quatre cinq six sept"]]', "line 1"),
        ("same = " + "[" * 5000, "not valid TOML"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / synonyms.FILE_NAME).write_text(text, encoding="utf-8")
    with pytest.raises(errors.Invalid) as raised:
        synonyms.load(tmp_path)
    assert said in raised.value.detail
    assert synonyms.FILE_NAME in raised.value.detail


def test_a_file_that_is_no_text_or_has_no_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / synonyms.FILE_NAME
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(errors.Invalid, match="UTF-8"):
        synonyms.load(tmp_path)
    path.write_bytes(b"#" * (synonyms.FILE_MOST + 1))
    with pytest.raises(errors.Invalid, match="longer"):
        synonyms.load(tmp_path)


def test_alternatives_of_one_word_are_bounded() -> None:
    groups = ",".join(f'["vélo", "engin{n}"]' for n in range(100))
    known = synonyms.parse(f"same = [{groups}]")
    (ways,) = alternatives("vélo", known)
    assert len(ways) == synonyms.ALTERNATIVES_MOST
    assert ways[0] == ("velo",)


@given(st.text(max_size=100))
def test_no_query_makes_it_fail(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    known = synonyms.load(tmp_path_factory.getbasetemp())
    query = words.read(text)
    widened = synonyms.widen(query, known)
    for before, after in zip(query.terms, widened.terms, strict=True):
        assert after.alternatives[: len(before.alternatives)] == before.alternatives
