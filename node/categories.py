"""The categories of what shops sell, read from categories.toml beside this file.

An id is "epicerie" for a shelf and "epicerie.huiles" for what stands on it. How to add one is told
at the head of the file.
"""

import difflib
import functools
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from node import words

_FILE = Path(__file__).with_name("categories.toml")
_NAME = re.compile(r"[a-z]+(-[a-z]+)*")
_KEYS = frozenset({"fr", "en", "words", "google"})
_NAME_LOOKED_AT = 200
_AROUND_WORDS = '.,;:!?()[]"«»“”0123456789'
_LONGEST_ID = 60  # ids given by others may be of any length


@dataclass(frozen=True, slots=True)
class Category:
    """A shelf (`parent` is None) or what stands on it."""

    id: str  # "epicerie.huiles"
    parent: str | None  # "epicerie"
    fr: str  # "Huiles et vinaigres"
    en: str  # "Oils and vinegars"
    words: tuple[str, ...]  # folded French words and phrases that hint at it
    google: int | None  # number in Google's product taxonomy


def get(category_id: str) -> Category | None:
    """The category of this id."""
    return _load().get(category_id)


def all() -> tuple[Category, ...]:
    """Every category in the file's order, each shelf before what stands on it."""
    return tuple(_load().values())


def is_on(category: str | None, shelves: Collection[str]) -> bool:
    """Whether a category is one of these, or stands on one."""
    return category is not None and (category in shelves or category.partition(".")[0] in shelves)


def nearest(category_id: str) -> str | None:
    """The id spelled most like this one, to name in an error message; None if none is close.

    The last part alone will do: "huiles" is near "epicerie.huiles".
    """
    given = category_id[:_LONGEST_ID].casefold()
    spellings = {known: known for known in _load()}
    for known in _load():
        spellings.setdefault(known.rpartition(".")[2], known)
    close = difflib.get_close_matches(given, spellings, n=1, cutoff=0.7)
    return spellings[close[0]] if close else None


def guess(name: str) -> Category | None:
    """The category that a product's name points at: that of its first word that is known, or of
    the longest known phrase that begins there.

    French says the thing first: "miel de lavande" is honey, "pain au miel" bread; but "moule à
    gâteau" is no mussel. None where no word is known.
    """
    said = _words(name[:_NAME_LOOKED_AT])
    hints, longest = _hints()
    for begin in range(len(said)):
        for end in range(min(len(said), begin + longest), begin, -1):
            found = hints.get(" ".join(said[begin:end]))
            if found is not None:
                return found
    return None


def _words(text: str) -> list[str]:
    parted = words.fold(text).replace("'", " ").replace("-", " ")
    stripped = (word.strip(_AROUND_WORDS) for word in parted.split())
    return [words.singular(word) for word in stripped if word]


@functools.cache
def _hints() -> tuple[Mapping[str, Category], int]:
    """Each word or phrase that points at a category, one of two the first of the file; and of how
    many words the longest is."""
    found: dict[str, Category] = {}
    for category in _load().values():
        for hint in category.words:
            found.setdefault(" ".join(_words(hint)), category)
    return found, max(len(hint.split()) for hint in found)


@functools.cache
def _load() -> Mapping[str, Category]:
    with _FILE.open("rb") as opened:
        return read(tomllib.load(opened))


def read(shelves: Mapping[str, object]) -> Mapping[str, Category]:
    """The categories of a parsed file, by id. Raises ValueError naming what is wrong in it."""
    found: dict[str, Category] = {}
    for shelf_id, shelf in shelves.items():
        if not isinstance(shelf, dict):
            raise ValueError(f"{shelf_id} is not a table")
        things = {key: value for key, value in shelf.items() if isinstance(value, dict)}
        rest = {key: value for key, value in shelf.items() if key not in things}
        found[shelf_id] = _category(shelf_id, None, rest)
        for name, thing in things.items():
            category_id = f"{shelf_id}.{name}"
            found[category_id] = _category(category_id, shelf_id, thing)
    return found


def _category(category_id: str, parent: str | None, table: Mapping[str, object]) -> Category:
    if not _NAME.fullmatch(category_id.rpartition(".")[2]) or len(category_id) > _LONGEST_ID:
        raise ValueError(f"{category_id} is not an id of small letters and hyphens")
    unknown = sorted(table.keys() - _KEYS)
    if unknown:
        raise ValueError(f"{category_id} has an unknown key: {unknown[0]}")
    fr, en, google = table.get("fr"), table.get("en"), table.get("google")
    hints = table.get("words", [])
    if not isinstance(fr, str) or not isinstance(en, str) or not fr or not en:
        raise ValueError(f"{category_id} needs its labels fr and en")
    if not isinstance(hints, list) or not {type(word) for word in hints} <= {str}:
        raise ValueError(f"{category_id}: words is not a list of words")
    if not isinstance(google, int | None) or isinstance(google, bool):
        raise ValueError(f"{category_id}: google is not a number")
    return Category(category_id, parent, fr, en, tuple(hints), google)
