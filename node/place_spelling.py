"""Places whose names are spelled nearly like what was typed: what a mistake may have meant.

Mistakes are letters left out, added, changed, or two neighbours changed about (optimal string
alignment). Each name of about the length is compared, which takes a millisecond in C; so there is
no index of misspellings and nothing is kept in memory between two questions.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from sqlite3 import Connection

from node import place_names
from node.gazetteer import names
from node.model import Place
from node.store import places

_MOST = 30  # names
_LARGE_ABROAD = 100_000  # inhabitants

# How long a name must be to be known for certain with no, one, two or three mistakes.
_SURE_FROM = (3, 5, 10, 14)


@dataclass(frozen=True, slots=True)
class Near:
    """Who bears a name like the one that was typed."""

    mistakes: int
    sure: bool  # so few in so long a name that it can be no other, if nothing else is as near
    places: list[Place]


def near(db: Connection, text: str) -> list[Near]:
    """What a text may mean whose name is misspelt: the fewest mistakes first, then the largest.

    The code or the department beside the name is held to. Where no name is like it, the places of
    the postal code are what is left. Names abroad count only with fewer mistakes than the French
    ones, those of large cities with as many.
    """
    if len(text) > place_names.LONGEST_TEXT:
        return []
    words, codes = place_names.split(text)
    name = " ".join(word for word in words if word not in codes)
    if codes and (found := _coded(db, name, codes[0])):
        return found
    numbered = names.arrondissement(name)
    if numbered and (found := french(db, numbered)):
        return found
    for shorter, department in place_names.readings(db, name):
        if found := french(db, shorter, department):
            return found
    bare = " ".join(word for word in name.split() if not word.isdecimal())
    return _with_abroad(db, bare, french(db, bare))


def french(db: Connection, misspelt: str, department: str | None = None) -> list[Near]:
    """The French places with a name like this folded one, those in a department where it is given.

    In the order of `near`.
    """
    mistakes = _names(db, misspelt)
    bearers = places.by_spellings(db, list(mistakes), department=department)
    return _sorted(
        Near(mistakes[name], _is_sure(misspelt, mistakes[name]), borne)
        for name, borne in bearers.items()
    )


def _coded(db: Connection, misspelt: str, code: str) -> list[Near]:
    """Those whose code it is; of a city that has several, the arrondissement too.

    A code of large receivers (CEDEX) is in no list, but tells the department.
    """
    served = place_names.by_code(db, code).all()
    found = []
    for name, mistakes in _names(db, misspelt).items() if served else ():
        meant = [place for place in place_names.by_name(db, name).all() if place in served]
        if meant:
            found.append(Near(mistakes, True, meant))
    if found:
        return _sorted(found)
    if by_post := places.by_postal_code(db, code):
        return [Near(0, True, by_post)]
    department = place_names.department_of(db, code)
    return french(db, misspelt, department) if department else []


def _with_abroad(db: Connection, misspelt: str, found: list[Near]) -> list[Near]:
    least = found[0].mistakes if found else len(_SURE_FROM)
    mistakes = _names(db, misspelt, least, abroad=True)
    fewer = [name for name, count in mistakes.items() if count < least]
    borne = places.abroad_by_spellings(db, list(mistakes), _LARGE_ABROAD)
    borne.update(places.abroad_by_spellings(db, fewer, 0))
    abroad = [
        Near(mistakes[name], _is_sure(misspelt, mistakes[name]), bearers)
        for name, bearers in borne.items()
    ]
    return _sorted([*found, *abroad])


def _is_sure(misspelt: str, mistakes: int) -> bool:
    return len(misspelt) >= _SURE_FROM[mistakes]


def _sorted(found: Iterable[Near]) -> list[Near]:
    return sorted(
        found,
        key=lambda one: (one.mistakes, -max(place.population or 0 for place in one.places)),
    )


def _names(
    db: Connection, folded: str, most: int = len(_SURE_FROM), *, abroad: bool = False
) -> dict[str, int]:
    """The names nearest to a folded one, each with its number of mistakes, `most` or fewer."""
    # Loaded when first needed: most texts are spelled right, and it takes some 25 ms.
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    most = min(most, (len(folded) > 2) + (len(folded) > 5) + (len(folded) > 12))
    if not most:
        return {}
    all_names = places.spellings(db, len(folded) - most, len(folded) + most, abroad=abroad)
    found = process.extract(folded, all_names, scorer=OSA.distance, score_cutoff=most, limit=_MOST)
    return {name: int(mistakes) for name, mistakes, _ in found}
