"""What a text says when it is read as the name of a place: every way of putting it, in turn.

Codes, ids and points are read first, then names as they are today and as they were, names with a
department, a country or a postal code beside them, beginnings of names. Nothing here forgives a
mistake (`place_spelling`) or decides what is meant (`territory`).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from sqlite3 import Connection

from node.borders import place_at
from node.gazetteer import names
from node.model import Place
from node.store import places

# The longest name has 52 characters. This leaves room for a department and a postal code.
LONGEST_TEXT = 200

_CODE = re.compile(r"\d{5}|2[ab]\d{3}", re.ASCII)
_SPACED_CODE = re.compile(r"(\d\d) (\d{3})", re.ASCII)
_POINT = re.compile(r"\s*(-?\d{1,2}\.\d{1,12})\s*[,;]?\s*(-?\d{1,3}\.\d{1,12})\s*", re.ASCII)
_LONGEST_DEPARTMENT = 6  # words
_LONGEST_COUNTRY = 2
_MOST_BY_PREFIX = 50


@dataclass(frozen=True, slots=True)
class Found:
    """What a text may mean: what it most likely does, and what else people call so."""

    best: list[Place]
    others: list[Place]
    formerly: bool = False  # the best are called so no more: they took in a commune of that name

    def __bool__(self) -> bool:
        return bool(self.best or self.others)

    def all(self) -> list[Place]:
        return once(self.best + self.others)


NOTHING = Found([], [])


def split(text: str) -> tuple[list[str], list[str]]:
    """The words of a text, folded and without "cedex", and the postal or INSEE codes among them."""
    words = [
        word for word in _SPACED_CODE.sub(r"\1\2", names.fold(text)).split() if word != "cedex"
    ]
    return words, [word for word in words if _CODE.fullmatch(word)]


def search(db: Connection, text: str) -> Found:
    """What the text may mean. Any text is safe to give, and is answered in bounded time."""
    if len(text) > LONGEST_TEXT:
        return NOTHING
    if point := _POINT.fullmatch(text):
        place = place_at(db, float(point[1]), float(point[2]))
        return Found([place] if place else [], [])
    words, _ = split(text)
    if not words:
        return NOTHING
    if len(words) == 2 and words[0] == "fr" and _CODE.fullmatch(words[1]):
        place = places.get(db, f"FR-{words[1].upper()}")
        return Found([place] if place else [], [])
    if len(words) == 2 and words[0] == "geonames":
        place = places.get(db, f"geonames:{words[1]}")
        return Found([place] if place else [], [])
    if len(words) == 1 and _CODE.fullmatch(words[0]):
        return by_code(db, words[0].upper())
    if _CODE.fullmatch(words[0]):
        return _by_code_and_name(db, words[0].upper(), " ".join(words[1:]))
    if _CODE.fullmatch(words[-1]):
        return _by_code_and_name(db, words[-1].upper(), " ".join(words[:-1]))
    return by_name(db, " ".join(words))


def by_code(db: Connection, code: str) -> Found:
    """Who has this INSEE code or is served under this postal code."""
    commune = places.by_insee(db, code)
    served = places.by_postal_code(db, code)
    if commune and commune.insee != code and served:
        # A merged commune's code is for old papers; a postal code is in daily use.
        return Found(served, [commune])
    formerly = commune is not None and commune.insee != code
    return Found(once(([commune] if commune else []) + served), [], formerly)


def _by_code_and_name(db: Connection, code: str, name: str) -> Found:
    """As on a letter. A code of large receivers (CEDEX) is in no list, but tells the department."""
    coded = {place.id for place in by_code(db, code).all()}
    named = by_name(db, name)
    for kept in (
        [place for place in group if place.id in coded] for group in (named.best, named.others)
    ):
        if kept:
            return Found(kept, [])
    department = department_of(db, code)
    return _in_department(db, name, department) if department else NOTHING


def department_of(db: Connection, code: str) -> str | None:
    """The department that a postal or INSEE code begins with."""
    return places.department(db, code[:3] if code[:2] in {"97", "98"} else code[:2])


def by_name(db: Connection, name: str) -> Found:
    """Who is called by this folded name, perhaps with a department or a country beside it."""
    found = exactly(db, name)
    elsewhere = places.abroad(db, name, _MOST_BY_PREFIX)
    if found:
        cities = places.parts(db, found.best[0].id) if len(found.best) == 1 else []
        return Found(found.best, found.others + cities + elsewhere, found.formerly)
    numbered = names.arrondissement(name)
    if numbered and (found := exactly(db, numbered)):
        return found
    for shorter, department in readings(db, name):
        if found := _in_department(db, shorter, department):
            return found
    begun = _beginning(db, name) or exactly(db, names.without_article(name))
    if begun or elsewhere:
        return Found(begun.best + elsewhere, begun.others, begun.formerly and not elsewhere)
    return _abroad(db, name)


def exactly(db: Connection, name: str, department: str | None = None) -> Found:
    """Those of this very name, or else of this name after an article."""
    for shortened in (False, True):
        today = places.by_folded_name(db, name, shortened=shortened, department=department)
        former = places.by_folded_name(
            db, name, shortened=shortened, former=True, department=department
        )
        if today:
            return Found(today, former)
        if former:
            return Found(once(former), [], formerly=True)
    return NOTHING


def _in_department(db: Connection, name: str, department: str) -> Found:
    return (
        exactly(db, name, department)
        or _beginning(db, name, department)
        or exactly(db, names.without_article(name), department)
    )


def _beginning(db: Connection, name: str, department: str | None = None) -> Found:
    return Found(places.by_prefix(db, f"{name} ", _MOST_BY_PREFIX, department=department), [])


def _abroad(db: Connection, name: str) -> Found:
    """A town beside its country, "irun espagne" or "irun es", or the beginning of its name."""
    words = name.split()
    for cut in range(max(1, len(words) - _LONGEST_COUNTRY), len(words)):
        country = places.country(db, " ".join(words[cut:]))
        if country:
            return Found(
                places.abroad(db, " ".join(words[:cut]), _MOST_BY_PREFIX, country=country), []
            )
    return Found(places.abroad_by_prefix(db, f"{name} ", _MOST_BY_PREFIX), [])


def readings(db: Connection, name: str) -> Iterator[tuple[str, str]]:
    """Each way to read the name's last words as a department, longest department first."""
    words = name.split()
    for cut in range(max(1, len(words) - _LONGEST_DEPARTMENT), len(words)):
        tail = " ".join(words[cut:])
        code = places.department(db, tail.zfill(2) if tail.isdecimal() else tail)
        if code:
            yield " ".join(words[:cut]), code


def once(found: Iterable[Place]) -> list[Place]:
    """Each place once, in the order it first came."""
    return list({place.id: place for place in found}.values())
