"""Places whose names are spelled nearly like what was typed: what a mistake may have meant.

Mistakes are letters left out, added, changed, or two neighbours changed about (optimal string
alignment). Each name of about the length is compared, which takes a millisecond in C; so there is
no index of misspellings and nothing is kept in memory between two questions.
"""

from dataclasses import dataclass
from sqlite3 import Connection

from node import place_names
from node.gazetteer import names
from node.model import Place
from node.store import places

_MOST = 20  # names

# How long a name must be to be known for certain with no, one, two or three mistakes.
_SURE_FROM = (3, 5, 8, 14)


@dataclass(frozen=True, slots=True)
class Near:
    """Who bears a name like the one that was typed."""

    mistakes: int
    sure: bool  # so few in so long a name that it can be no other, if nothing else is as near
    places: list[Place]


def near(db: Connection, text: str) -> list[Near]:
    """What a text may mean whose name is misspelt: the fewest mistakes first, then the largest.

    The code or the department beside the name is held to as long as there is such a place there.
    Where no name is like it, the places of the postal code are what is left.
    """
    if len(text) > place_names.LONGEST_TEXT:
        return []
    words, codes = place_names.split(text)
    name = " ".join(word for word in words if word not in codes)
    attempts = list(place_names.readings(db, name))
    if codes:
        attempts.insert(0, (name, codes[0]))
    attempts.append((names.arrondissement(name) or name, ""))
    attempts.append((" ".join(word for word in name.split() if not word.isdecimal()), ""))
    for misspelt, beside in dict.fromkeys(attempts):
        for abroad in (False, True):
            if found := _bearers(db, misspelt, beside, abroad=abroad):
                return found
    served = place_names.by_code(db, codes[0]).all() if codes else []
    return [Near(0, True, served)] if served else []


def _bearers(db: Connection, misspelt: str, beside: str, *, abroad: bool) -> list[Near]:
    found = [
        Near(mistakes, len(misspelt) >= _SURE_FROM[mistakes], meant.best)
        for mistakes, name in _names(db, misspelt, abroad=abroad)
        if (meant := place_names.search(db, f"{name} {beside}")).best
    ]
    return sorted(
        found,
        key=lambda one: (one.mistakes, -max(place.population or 0 for place in one.places)),
    )


def _names(db: Connection, folded: str, *, abroad: bool) -> list[tuple[int, str]]:
    """The names nearest to a folded one, each after its number of mistakes."""
    # Loaded when first needed: most texts are spelled right, and it takes some 25 ms.
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    most = (len(folded) > 2) + (len(folded) > 5) + (len(folded) > 12)
    if not most:
        return []
    all_names = places.spellings(db, len(folded) - most, len(folded) + most, abroad=abroad)
    found = process.extract(folded, all_names, scorer=OSA.distance, score_cutoff=most, limit=_MOST)
    return [(int(mistakes), name) for name, mistakes, _ in found]
