"""The query of a search page: its words, place and filters out of an address, and back into one."""

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from node import categories, errors, prices
from node.model import PAYMENTS, Condition, Filters, Kind
from node.translation import Translator

WORDS_MOST = 200
PLACE_MOST = 100
CURSOR_MOST = 200


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
    """Reads an address. What a filter cannot be is told beside its field and asks for nothing."""
    wrong: dict[str, str] = {}
    pairs: list[tuple[str, str]] = []

    def value(name: str, most: int = 40) -> str:
        found = query.get(name, "").strip()[:most]
        if found:
            pairs.append((name, found))
        return found

    def cents(name: str) -> int | None:
        text = value(name)
        try:
            return prices.parse_price(text) if text else None
        except errors.Invalid:
            wrong[name] = say("A price is a number, such as 12.50.")
            return None

    def one_of(name: str, known: Callable[[str], object]) -> str | None:
        text = value(name, 60)
        if text and not known(text):
            pairs.pop()
            return None
        return text or None

    def flag(name: str) -> bool:
        if value(name) not in ("", "1"):
            pairs.pop()
            return False
        return bool(pairs) and pairs[-1] == (name, "1")

    condition = one_of("etat", set(Condition).__contains__)
    kind = one_of("type", set(Kind).__contains__)
    filters = Filters(
        category=one_of("rayon", categories.get),
        open_now=flag("ouvert"),
        price_least=cents("prix_min"),
        price_most=cents("prix_max"),
        condition=Condition(condition) if condition else None,
        kind=Kind(kind) if kind else None,
        pick_up=flag("retrait"),
        delivered=flag("livraison"),
        payment=one_of("paiement", PAYMENTS.__contains__),
        step_free=flag("acces"),
    )
    return Asked(
        words=" ".join(query.get("q", "")[:WORDS_MOST].split()),
        near=" ".join(query.get("ou", "")[:PLACE_MOST].split()),
        cursor=query.get("suite", "")[:CURSOR_MOST] or None,
        filters=filters,
        pairs=tuple(pairs),
        errors=wrong,
    )
