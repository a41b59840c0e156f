"""What words a listing has in the index of searches: those of its title, and all of them.

What a filter asks of a listing is a word too, with a letter before it that nobody can type.
"""

import functools
import hashlib
import unicodedata
import zlib

from node import categories, words
from node.model import Condition, Filters, Kind, Listing

# A private-use letter: `words` never makes a word with one, so what stands behind it is ours.
_MARK = "\ue000"
EVERYTHING = f"{_MARK}all"


def version() -> int:
    """Of all that makes words: to take them out of the index, they must be made just so again."""
    labels = [(one.id, one.fr, one.en) for one in categories.all()]
    said = f"{words.VERSION} {unicodedata.unidata_version} {labels}"
    return zlib.crc32(said.encode())


Texts = tuple[str, str]  # of the title, and of all


def texts(listing: Listing) -> Texts:
    """A listing's words: those of its title, and all of them; what filters ask for in both."""
    title = words.tokens(listing.name)
    asked = facets(listing)
    everything = title | words.tokens(listing.description)
    everything |= _shelf_words(listing.category)
    for offer in listing.offers:
        everything |= words.of_offer(offer)
    head = [head_word(word) for word in title][:1]
    return (
        " ".join([*title, *head, *asked]),
        f"{' '.join(everything)} {' '.join(asked)} {EVERYTHING}",
    )


def head_word(word: str) -> str:
    """The word that every title beginning with `word` has besides."""
    return f"{_MARK}h{word}"


def head_number(word: str) -> int:
    """A number for the first word of a title: no two words of a language have the same."""
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=6).digest())


def is_ours(word: str) -> bool:
    """Whether it is a word that nobody typed."""
    return word[0] == _MARK


def facets(listing: Listing) -> list[str]:
    """The words that filters ask for. What most listings are goes without one."""
    found = category_words(listing.category)
    if listing.condition is not Condition.NEW:
        found.append(_CONDITIONS[listing.condition])
    if listing.kind is Kind.SERVICE:
        found.append(_SERVICE)
    if not listing.pick_up:
        found.append(_NO_PICK_UP)
    if listing.delivered:
        found.append(_DELIVERED)
    return found


_SERVICE, _NO_PICK_UP, _DELIVERED = f"{_MARK}service", f"{_MARK}stays", f"{_MARK}delivered"
_CONDITIONS = {one: f"{_MARK}is{one}" for one in Condition if one is not Condition.NEW}


def filter_words(filters: Filters) -> tuple[list[str], list[str]]:
    """The words that a listing must have, and those it must not have, to pass the filters."""
    wanted: list[str] = []
    unwanted: list[str] = []
    if filters.category is not None:
        wanted.append(category_word(filters.category))
    if filters.condition is Condition.NEW:
        unwanted += _CONDITIONS.values()
    elif filters.condition is not None:
        wanted.append(_CONDITIONS[filters.condition])
    if filters.kind is not None:
        (wanted if filters.kind is Kind.SERVICE else unwanted).append(_SERVICE)
    if filters.pick_up:
        unwanted.append(_NO_PICK_UP)
    if filters.delivered:
        wanted.append(_DELIVERED)
    return wanted, unwanted


@functools.lru_cache(maxsize=1024)  # for every listing, of a few hundred shelves
def _shelf_words(category: str | None) -> dict[str, None]:
    """What the category is called, so that "viennoiseries" finds croissants."""
    known = categories.get(category) if category else None
    # Its own name only: the shelf "Sport, vélo et plein air" would make every ball a bicycle.
    return words.tokens(known.fr) if known else {}


def category_words(category: str | None) -> list[str]:
    """One for the shelf and one for what stands on it: "epicerie" finds "epicerie.huiles"."""
    if category is None:
        return []
    shelf, _, thing = category.partition(".")
    return [category_word(shelf)] + ([category_word(category)] if thing else [])


@functools.lru_cache(maxsize=1024)
def category_word(category: str) -> str:
    """The word that every listing of a category, or of its shelf, has."""
    letters = "".join(letter if letter.isalnum() else _MARK for letter in category)
    return f"{_MARK}c{letters}"
