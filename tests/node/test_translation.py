"""What people read: complete in French, written in English, and no stale catalogue."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages import extract, pofile
from babel.messages.catalog import Catalog

from node import translation
from node.model import Availability
from tests.neighbours import ROOT

CATALOGUE = translation.LOCALES / "fr" / "LC_MESSAGES" / "echoppe.po"
KEYWORDS: dict[str, None] = {"_": None, "say": None, "self": None}


def written() -> Catalog:
    return pofile.read_po(BytesIO(CATALOGUE.read_bytes()), abort_invalid=True)


def used() -> dict[str, str]:
    """Every message id that code and templates say, with where."""
    found: dict[str, str] = {}
    sources: list[tuple[Path, str]] = [
        *((path, "python") for path in (ROOT / "node").rglob("*.py")),
        *((path, "jinja2.ext:babel_extract") for path in (ROOT / "templates").rglob("*.*ml")),
    ]
    for path, method in sources:
        with path.open("rb") as handle:
            for line, message, _, _ in extract.extract(method, handle, keywords=KEYWORDS):
                assert isinstance(message, str)
                found[message] = f"{path.relative_to(ROOT)}:{line}"
    return found


def test_the_scan_finds_what_templates_and_code_say() -> None:
    """So that the tests below cannot pass by finding nothing."""
    found = used()
    assert len(found) > 25
    assert found["Skip to content"].startswith("templates/base.html")
    assert found["price on request"].endswith(tuple("0123456789"))
    assert found["See it at {shop}"].startswith("node/exchange/listings.py")
    assert found["In stock"].startswith("node/translation.py")


def test_a_message_said_by_other_means_is_noticed() -> None:
    """A message must be written where it is said: `_(variable)` would escape the scan."""
    pattern = re.compile(r"""\b(?:_|say)\((?!\s*["'])[^)]""")
    loose = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in (ROOT / "templates").rglob("*.*ml")
        for match in pattern.finditer(path.read_text(encoding="utf-8"))
    ]
    assert loose == []


def test_everything_said_has_a_french_translation() -> None:
    known = written()
    missing = {message: where for message, where in used().items() if message not in known}
    assert missing == {}


def test_nothing_is_translated_that_nobody_says() -> None:
    said = used()
    assert [message.id for message in written() if message.id and message.id not in said] == []


def test_no_translation_is_empty_fuzzy_or_obsolete() -> None:
    catalogue = written()
    assert not catalogue.fuzzy
    assert len(catalogue.obsolete) == 0
    for message in catalogue:
        assert message.string, message.id
        assert not (message.fuzzy and message.id), message.id


def test_translations_keep_their_placeholders() -> None:
    for message in written():
        if message.id:
            assert isinstance(message.id, str)
            assert sorted(re.findall(r"\{\w*\}", message.id)) == sorted(
                re.findall(r"\{\w*\}", str(message.string))
            ), message.id


def test_message_ids_are_english() -> None:
    """French words in an id mean that French was written where English belongs."""
    french = re.compile(r"[àâçéèêëîïôùûüÿœ«»]|\b(?:le|la|les|des|une|vous|est|pas)\b", re.I)
    for message in written():
        if isinstance(message.id, str):
            text = message.id.replace("Échoppe", "")
            assert not french.search(text), message.id


def test_the_compiled_catalogue_is_the_written_one() -> None:
    """A failure here asks for the catalogue to be compiled: install the checkout again."""
    say = translation.Catalogues().speak("fr")
    for message in written():
        if message.id:
            assert say(str(message.id)) == message.string


def test_english_says_the_ids_and_an_unknown_language_speaks_french() -> None:
    catalogues = translation.Catalogues()
    assert catalogues.speak("en")("Sold out") == "Sold out"
    assert catalogues.speak("xx")("Sold out") == "Épuisé"
    assert catalogues.speak("xx").language == "fr"
    assert catalogues.speak("fr") is catalogues.speak("fr")
    assert catalogues.speak("fr")("Nobody translated this") == "Nobody translated this"


@pytest.mark.parametrize("language", ["../../..", "", "fr/LC_MESSAGES", "."])
def test_no_language_name_leads_elsewhere(language: str) -> None:
    assert translation.Catalogues().speak(language)("Sold out") == "Épuisé"


@pytest.mark.parametrize(
    ("language", "cents", "currency", "text"),
    [
        ("fr", 1250, "EUR", "12,50\u202f€"),
        ("fr", 5, "EUR", "0,05\u202f€"),
        ("fr", 123_456_789, "EUR", "1\u202f234\u202f567,89\u202f€"),
        ("fr", 100, "CHF", "1,00\u202fCHF"),
        ("en", 1250, "EUR", "€12.50"),
        ("en", 123_456_789, "GBP", "£1,234,567.89"),
    ],
)
def test_money(language: str, cents: int, currency: str, text: str) -> None:
    assert translation.Catalogues().speak(language).money(cents, currency) == text


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_availability_and_unit_has_words(language: str) -> None:
    say = translation.Catalogues().speak(language)
    assert len({say.availability(one) for one in Availability}) == len(Availability)
    assert say.unit("kg") == "kg"
    assert say.unit("m2") == "m²"
    assert say.unit("piece") == {"fr": "pièce", "en": "piece"}[language]
