"""The categories: the file itself, and what is refused in it."""

import re

import pytest

from node import categories
from node.gazetteer import names


def test_two_levels_each_with_its_labels() -> None:
    known = categories.all()
    assert 60 <= len(known) <= 120
    assert len({category.id for category in known}) == len(known)
    seen: set[str] = set()
    for category in known:
        assert re.fullmatch(r"[a-z-]+(\.[a-z-]+)?", category.id)
        if category.parent is None:
            assert "." not in category.id
        else:
            assert category.id.startswith(f"{category.parent}.")
            assert category.parent in seen
        assert category.fr == category.fr.strip() != ""
        assert category.en == category.en.strip() != ""
        seen.add(category.id)
    parents = {category.parent for category in known}
    assert all(category.id in parents for category in known if category.parent is None)


def test_labels_and_numbers_are_not_used_twice() -> None:
    for values in (
        [category.fr for category in categories.all()],
        [category.en for category in categories.all()],
        [category.google for category in categories.all() if category.google],
    ):
        assert len(set(values)) == len(values)


def test_hints_are_folded() -> None:
    for category in categories.all():
        for word in category.words:
            assert names.fold(word) == word


def test_the_one_the_wire_profile_names() -> None:
    oils = categories.get("epicerie.huiles")
    assert oils is not None
    assert (oils.parent, oils.fr, oils.en) == (
        "epicerie",
        "Huiles et vinaigres",
        "Oils and vinegars",
    )
    assert categories.get("epicerie.nothing") is None
    assert categories.get("") is None


@pytest.mark.parametrize(
    ("given", "near"),
    [
        ("epicerie.huile", "epicerie.huiles"),
        ("huiles", "epicerie.huiles"),
        ("Boulangerie.Pains", "boulangerie.pain"),
        ("boulangrie", "boulangerie"),
        ("BOULANGERIE", "boulangerie"),
        ("qqqq", None),
        ("", None),
        ("x" * 1_000_000, None),
    ],
)
def test_the_nearest_id(given: str, near: str | None) -> None:
    assert categories.nearest(given) == near


@pytest.mark.parametrize(
    ("shelves", "wrong"),
    [
        ({"a": 1}, "a is not a table"),
        ({"a": {"fr": "A"}}, "a needs its labels"),
        ({"a": {"fr": "A", "en": "A", "de": "A"}}, "unknown key: de"),
        ({"A": {"fr": "A", "en": "A"}}, "A is not an id"),
        ({"a": {"fr": "A", "en": "A", "google": "1"}}, "google is not a number"),
        ({"a": {"fr": "A", "en": "A", "words": [1]}}, "not a list of words"),
        ({"a": {"fr": "A", "en": "A", "b": {"fr": "B", "en": ""}}}, "a.b needs its labels"),
        ({"a": {"fr": "A", "en": "A", "b": {"fr": "B", "en": "B", "c": {}}}}, "unknown key: c"),
    ],
)
def test_a_slip_in_the_file_is_named(shelves: dict[str, object], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        categories.read(shelves)
