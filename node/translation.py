"""What people read, in their language. Message ids are English; French is complete and default."""

import gettext
import os
import tempfile
from pathlib import Path

from node.model import Availability, Badge

DOMAIN = "echoppe"
LOCALES = Path(__file__).parent / "locales"
DEFAULT = "fr"

_NARROW_SPACE = "\u202f"
_SYMBOLS = {"EUR": "€", "CHF": "CHF", "GBP": "£"}


class Translator:
    """Speaks one language. Call it with a message id."""

    def __init__(self, language: str, catalogue: gettext.NullTranslations) -> None:
        self.language = language
        self._catalogue = catalogue

    def __call__(self, message: str) -> str:
        """The message in this language; the message itself where a catalogue lacks it."""
        return self._catalogue.gettext(message)

    def money(self, cents: int, currency: str) -> str:
        """ "12,50 €" or "€12.50"."""
        symbol = _SYMBOLS.get(currency, currency)
        whole, rest = divmod(cents, 100)
        if self.language == "fr":
            grouped = f"{whole:,}".replace(",", _NARROW_SPACE)
            return f"{grouped},{rest:02d}{_NARROW_SPACE}{symbol}"
        return f"{symbol}{whole:,}.{rest:02d}"

    def availability(self, availability: Availability) -> str:
        """Stock in words."""
        return {
            Availability.IN_STOCK: self("In stock"),
            Availability.LIMITED: self("Last ones"),
            Availability.OUT_OF_STOCK: self("Sold out"),
            Availability.ON_ORDER: self("To order"),
        }[availability]

    def badge(self, badge: Badge) -> str:
        """Who speaks in a piece of news."""
        return {
            Badge.TOWN_HALL: self("Town hall"),
            Badge.MEDIA: self("Media"),
            Badge.ASSOCIATION: self("Association"),
            Badge.SHOP: self("Shop"),
        }[badge]

    def unit(self, unit: str) -> str:
        """A unit as it stands behind a price."""
        if unit == "piece":
            return self("piece")
        return "m²" if unit == "m2" else unit


class Catalogues:
    """The languages of the node, each loaded once."""

    def __init__(self) -> None:
        self._loaded: dict[str, Translator] = {}

    def speak(self, language: str) -> Translator:
        """The translator of a language; an unknown one speaks the default."""
        if language not in self._loaded:
            known = language if language in ("en", *languages()) else DEFAULT
            self._loaded[language] = Translator(known, _catalogue(known))
        return self._loaded[language]


def languages() -> list[str]:
    """The languages that there is a catalogue for; English needs none."""
    return sorted(path.parent.name for path in LOCALES.glob("*/LC_MESSAGES"))


def _catalogue(language: str) -> gettext.NullTranslations:
    if language == "en":
        return gettext.NullTranslations()
    with compiled(language).open("rb") as opened:
        return gettext.GNUTranslations(opened)


def compiled(language: str) -> Path:
    """The compiled catalogue of a language, made first where a checkout has changed it since.

    Whole or not at all, so that two processes may do it at once.
    """
    source = LOCALES / language / "LC_MESSAGES" / f"{DOMAIN}.po"
    target = source.with_suffix(".mo")
    if not source.exists():  # an installed wheel carries the compiled ones alone
        return target
    if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
        return target
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with source.open("rb") as opened:
        catalogue = read_po(opened, locale=language, abort_invalid=True)
    handle, name = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=target.parent)
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "wb") as output:
            write_mo(output, catalogue)
            os.fchmod(output.fileno(), 0o644)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return target


if __name__ == "__main__":
    for one in languages():
        compiled(one)
