"""The query of a search page: its words, place and filters out of an address, and back into one."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from node import errors, filters
from node.model import Filters
from node.translation import Translator

WORDS_MOST = 200
PLACE_MOST = 100
CURSOR_MOST = 200
FILTER_MOST = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader asks for. `pairs` are the filters as the address has them."""

    words: str
    near: str
    cursor: str | None
    filters: Filters
    pairs: tuple[tuple[str, str], ...]
    errors: dict[str, str]  # by name of the field, a sentence

    def value(self, name: str) -> str:
        """What stands in a filter's field."""
        return next((value for key, value in self.pairs if key == name), "")

    def address(self, at: str, place_id: str, *more: tuple[str, str], filtered: bool = True) -> str:
        """The address of this search from a place, in the language of `at`."""
        pairs = [("q", self.words), ("ou", place_id), *(self.pairs if filtered else ()), *more]
        return f"{at}/recherche?{urlencode([pair for pair in pairs if pair[1]])}"

    def pairs_of_page(self, place_id: str, on_shelf: bool) -> Iterator[tuple[str, str]]:
        """What makes this page another one than its neighbours: for its own address."""
        for name, value in (("q", self.words), ("ou", place_id)):
            if value:
                yield name, value
        yield from (pair for pair in self.pairs if not (on_shelf and pair[0] == "rayon"))
        if self.cursor:
            yield "suite", self.cursor


def plain_address(at: str, words: str, place_id: str) -> str:
    """The address of a search for these words from a place."""
    return f"{at}/recherche?{urlencode([('q', words), ('ou', place_id)])}"


def on_shelf(asked: Asked, category: str) -> Asked:
    """The same on one shelf."""
    return dataclasses.replace(
        asked,
        filters=dataclasses.replace(asked.filters, category=category),
        pairs=(("rayon", category), *(pair for pair in asked.pairs if pair[0] != "rayon")),
    )


def read(say: Translator, query: QueryParams) -> Asked:
    """Reads an address. What a filter cannot be asks for nothing; of a price that is said."""
    given = {
        name: text
        for name, french in filters.FRENCH.items()
        if (text := query.get(french, "").strip()[:FILTER_MOST])
    }
    wrong: dict[str, str] = {}
    usable = dict(given)
    try:
        found = filters.read(usable)
    except errors.Invalid as error:
        for name in error.fields:
            del usable[name]
            if name in ("price_min", "price_max"):
                wrong[filters.FRENCH[name]] = say("A price is a number, such as 12.50.")
            else:
                del given[name]
        found = filters.read(usable)
    return Asked(
        words=" ".join(query.get("q", "")[:WORDS_MOST].split()),
        near=" ".join(query.get("ou", "")[:PLACE_MOST].split()),
        cursor=query.get("suite", "")[:CURSOR_MOST] or None,
        filters=found,
        pairs=tuple((filters.FRENCH[name], text) for name, text in given.items()),
        errors=wrong,
    )
