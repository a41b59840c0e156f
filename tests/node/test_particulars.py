"""What is typed and told of goods: read, bounded, written to a column and to the wire and back."""

from typing import Any

import pytest

from node import errors, particulars
from node.exchange import particulars as wire
from node.model import ALLERGENS, NOTHING_SAID, Contact, Particulars
from node.store import particulars as column
from node.web import particulars_form

MAKER = Contact("Atelier du Pin", "3 rue des Pins, 33600 Pessac", "contact@pin.example")
ALL = Particulars(
    allergens=("gluten", "milk"),
    traces=("nuts",),
    origin="France (Gironde)",
    brand="Bois & Vif",
    maker=MAKER,
    responsible=Contact("Import SAS", "1 quai, Bordeaux", "https://import.example/contact"),
    warnings="Petites pièces.\nPas avant 3 ans.",
    energy="C",
    eprel="https://eprel.ec.europa.eu/screen/product/lightsources/12345",
    strength=135,
)


@pytest.mark.parametrize("said", [NOTHING_SAID, ALL, Particulars(allergens=())])
def test_what_was_said_comes_back_as_it_was(said: Particulars) -> None:
    assert column.read(column.written(said)) == said
    assert wire.from_document(wire.document(said)) == said
    assert particulars.check(said) == {}
    typed = particulars_form.typed_from(particulars.as_typed(said))
    assert particulars_form.typed_from(particulars_form.kept_of(typed)) == typed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("aucun", ()),
        ("None", ()),
        ("Gluten, lait et œufs.", ("gluten", "eggs", "milk")),
        ("fruits à coque / SULFITES", ("nuts", "sulphites")),
        ("blé;arachides;Crustacés", ("gluten", "crustaceans", "peanuts")),
        ("molluscs,lupin", ("lupin", "molluscs")),
        ("gluten,gluten", ("gluten",)),
        ("gluten, plastique", None),
        ("", None),
        ("gluten,,", None),
    ],
)
def test_allergens_as_people_write_them(text: str, expected: tuple[str, ...] | None) -> None:
    if expected is None:
        with pytest.raises(errors.Invalid, match="none of the 14"):
            particulars.parse_allergens(text)
    else:
        assert particulars.parse_allergens(text) == expected


@pytest.mark.parametrize(
    ("text", "tenths"),
    [("13,5", 135), ("13.5 % vol", 135), ("40°", 400), ("0", 0), ("100", 1000), ("0,5%", 5),
     ("101", None), ("13,55", None), ("-1", None), ("fort", None), ("100,5", None)],
)  # fmt: skip
def test_alcohol_as_people_write_it(text: str, tenths: int | None) -> None:
    if tenths is None:
        with pytest.raises(errors.Invalid):
            particulars.parse_strength(text)
    else:
        assert particulars.parse_strength(text) == tenths


@pytest.mark.parametrize(
    ("term", "value"),
    [
        ("echoppe:allergens", ["gluten", "kryptonite"]),
        ("echoppe:allergens", "gluten"),
        ("echoppe:allergens", [["gluten"]]),
        ("echoppe:allergens", ["gluten"] * 15),
        ("echoppe:traces", {"gluten": True}),
        ("echoppe:origin", ["France"]),
        ("echoppe:origin", 3),
        ("echoppe:maker", "Moi"),
        ("echoppe:maker", {"sdo:name": "x", "sdo:address": "y"}),
        ("echoppe:maker", {"sdo:name": "x", "sdo:address": "y", "sdo:url": "javascript:alert(1)"}),
        ("echoppe:maker", {"sdo:name": {"x": 1}, "sdo:address": "y", "sdo:url": "https://x.fr"}),
        ("echoppe:energy", "Z"),
        ("echoppe:energy", ["A"]),
        ("echoppe:eprel", "https://eprel.ec.europa.eu.evil.example/"),
        ("echoppe:eprel", "https://eprel.ec.europa.eu/" + "x" * 200),
        ("echoppe:strength", "1e9"),
        ("echoppe:strength", 100.1),
        ("echoppe:strength", True),
        ("echoppe:strength", {}),
    ],
)
def test_what_strangers_tell_is_read_whole_or_not_at_all(term: str, value: Any) -> None:
    assert wire.from_document({term: value}) == NOTHING_SAID
    for told in (None, "x", [], [{term: value}], 3, {}):
        assert wire.from_document(told) == NOTHING_SAID


def test_long_words_of_strangers_are_cut() -> None:
    said = wire.from_document({"echoppe:origin": "x " * 5000, "echoppe:warnings": "é\n" * 5000})
    assert len(said.origin) <= particulars.ORIGIN_MOST
    assert len(said.warnings) <= particulars.WARNINGS_MOST


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("allergens", ("plastic",)), ("allergens", ("milk", "milk")), ("traces", ("x",)),
        ("origin", "x" * 101), ("origin", "a\x00b"), ("brand", "x" * 61), ("warnings", "x" * 1001),
        ("maker", Contact("", "x", "a@b.fr")), ("maker", Contact("x", "x", "nowhere")),
        ("responsible", Contact("x" * 101, "x", "a@b.fr")), ("energy", "H"),
        ("eprel", "http://eprel.ec.europa.eu/x"), ("strength", 1001), ("strength", -1),
    ],
)  # fmt: skip
def test_what_goes_beyond_the_bounds_is_named(field: str, value: Any) -> None:
    assert list(particulars.check(Particulars(**{field: value}))) == [field]


def test_there_are_fourteen() -> None:
    assert len(ALLERGENS) == len(set(ALLERGENS)) == 14
