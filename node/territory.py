"""What people mean by the name of a place, and how far places are from each other.

A place is given as an INSEE code ("33063"), an id ("FR-33063"), a postal code ("51300", which may
serve many), a name, a name beside its department ("Saint-Denis (93)", "Saint-Denis 93",
"Saint-Denis, La Réunion") or beside its postal code ("33000 Bordeaux"), an arrondissement ("Paris
11e"), or the name of a commune that was merged since, which means the commune of today.

"Paris", "Lyon" and "Marseille" mean the whole city, which is a place of its own: an association may
serve all of it. Whoever wants one arrondissement names it; `find` offers them after the city.

The first argument is a connection to the gazetteer (`node.store.places.open_places`), not to the
node's database.
"""

import difflib
import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from sqlite3 import Connection

from node.errors import Invalid, NotFound
from node.gazetteer import names
from node.model import Place
from node.store import places

# The longest name has 45 characters. This leaves room for a department and a postal code.
LONGEST_TEXT = 200

EARTH_RADIUS_KM = 6371.0088  # IUGG mean radius

_CODE = re.compile(r"\d{5}|2[ab]\d{3}", re.ASCII)
_SPACED_CODE = re.compile(r"(\d\d) (\d{3})", re.ASCII)
_LONGEST_DEPARTMENT = 6  # words
_MOST_CHOICES = 10
_MOST_BY_PREFIX = 50
_MOST_NEAR = 3
_LIKENESS = 0.75


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the places that a text may mean, with what tells it from the others."""

    place: Place
    label: str  # "Saint-Denis (974)"
    postal_codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Understood:
    """What was made of a text that somebody typed where a place is asked for.

    `place` is the one that is meant; where it is None, the person must choose among `choices`, or
    type again if there are none. Beside a `place`, `choices` are others that are called so too.
    `corrected_from` is what was typed, where it was misspelt and read as a near name. `sentence`
    tells the person whatever is not plain: what was corrected, that there is a choice, that there
    is no such place, that no distances can be told. It is None when there is nothing to say.
    """

    place: Place | None
    choices: tuple[Choice, ...]
    corrected_from: str | None
    sentence: str | None


@dataclass(frozen=True, slots=True)
class _Found:
    """What a text may mean: what it most likely does, and what else people call so."""

    best: list[Place]
    others: list[Place]

    def __bool__(self) -> bool:
        return bool(self.best or self.others)

    def all(self) -> list[Place]:
        return _once(self.best + self.others)


_NOTHING = _Found([], [])


def fold(text: str) -> str:
    """`text` made for comparing names: no accents, case, signs; "St" is "saint".

    See `node.gazetteer.names.fold`, which this is. Takes any string.
    """
    return names.fold(text)


def label(place: Place) -> str:
    """The name with the department that tells it from its namesakes: "Saint-Denis (974)"."""
    return f"{place.name} ({place.department})" if place.department else place.name


def find(places_db: Connection, text: str) -> list[Place]:
    """The places that `text` may mean, likeliest first; empty if there is none.

    Five digits are first the commune of that INSEE code, then those of that postal code. Of a name,
    those that bear it today come first, then those that took in a commune of that name; if there
    are none, those called so but for an article, and then those whose name begins so. Any text is
    safe to give and answered in bounded time.
    """
    return _search(places_db, text).all()


def resolve(places_db: Connection, text: str) -> Place:
    """The one place that `text` means.

    Raises NotFound ("unknown-place") naming near spellings, or Invalid ("ambiguous-place") naming
    the choices: a name borne by several communes, however unequal, a postal code of several, or
    five digits that are one commune's INSEE code and another's postal code (the id, "FR-17300", is
    the INSEE code alone). A name that one commune bears today wins over those that took in
    a commune of that name.
    """
    found = _search(places_db, text)
    if len(found.best) == 1:
        return found.best[0]
    choices = found.all()
    if not choices:
        raise NotFound("unknown-place", _unknown(places_db, text))
    raise Invalid("ambiguous-place", _ambiguous(text, choices))


def has_point(place: Place) -> bool:
    """Whether distances from this place can be told: some 99 communes have no coordinates."""
    return place.latitude is not None and place.longitude is not None


def understand(places_db: Connection, text: str, say: Callable[[str], str] = str) -> Understood:
    """What a person means by `text`, for every field that asks for a place. Never raises.

    `say` translates the sentence (a `Translator` is one); English without. Ids and codes are taken
    at their word. A person who names Paris, Lyon or Marseille is asked which arrondissement; the
    whole city is the last choice (its id, "FR-75056", and its INSEE code mean the city at once).
    """
    found = _search(places_db, text)
    if len(found.best) == 1:
        place = found.best[0]
        return Understood(place, _choices(places_db, found.others), None, None)
    choices = _choices(places_db, found.all())
    if not choices:
        return Understood(None, (), None, say("No such place is known."))
    return Understood(None, choices, None, say("Several places are called so: choose one."))


def _choices(db: Connection, found: Iterable[Place]) -> tuple[Choice, ...]:
    return tuple(Choice(place, label(place), places.postal_codes(db, place.id)) for place in found)


def complete(places_db: Connection, text: str, limit: int = 8) -> list[Place]:
    """At most `limit` places while `text` is being typed: those of that name, then those it begins.

    The last word counts as unfinished: "St" is Strasbourg as well as Saint-Denis. Text with digits
    is read as `find` reads it.
    """
    folded = fold(text) if len(text) <= LONGEST_TEXT else ""
    if not folded:
        return []
    if any(letter.isdecimal() for letter in folded):
        return find(places_db, text)[:limit]
    # With a letter added the last word is no abbreviation, and a space before it stays.
    typed = fold(text + "x")[:-1]
    begun = places.by_prefix(places_db, typed, limit)
    if folded != typed.rstrip():
        begun += places.by_prefix(places_db, folded, limit)
        begun.sort(key=lambda place: -(place.population or 0))
    return _once(places.by_folded_name(places_db, typed.rstrip()) + begun)[:limit]


def distance_km(a_lat: float, a_lon: float, b_lat: float, b_lon: float) -> float:
    """The great-circle distance in kilometres between two points given in degrees (haversine)."""
    a_phi, b_phi = math.radians(a_lat), math.radians(b_lat)
    chord = (
        math.sin((b_phi - a_phi) / 2) ** 2
        + math.cos(a_phi) * math.cos(b_phi) * math.sin(math.radians(b_lon - a_lon) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, chord)))


def _once(found: Iterable[Place]) -> list[Place]:
    return list({place.id: place for place in found}.values())


def _search(db: Connection, text: str) -> _Found:
    if len(text) > LONGEST_TEXT:
        return _NOTHING
    folded = _SPACED_CODE.sub(r"\1\2", fold(text))
    words = [word for word in folded.split() if word != "cedex"]
    if not words:
        return _NOTHING
    if len(words) == 2 and words[0] == "fr" and _CODE.fullmatch(words[1]):
        place = places.get(db, f"FR-{words[1].upper()}")
        return _Found([place] if place else [], [])
    if len(words) == 1 and _CODE.fullmatch(words[0]):
        return _by_code(db, words[0].upper())
    if _CODE.fullmatch(words[0]):
        return _by_code_and_name(db, words[0].upper(), " ".join(words[1:]))
    if _CODE.fullmatch(words[-1]):
        return _by_code_and_name(db, words[-1].upper(), " ".join(words[:-1]))
    return _by_name(db, " ".join(words))


def _by_code(db: Connection, code: str) -> _Found:
    commune = places.by_insee(db, code)
    served = places.by_postal_code(db, code)
    if commune and commune.insee != code and served:
        # A merged commune's code is for old papers; a postal code is in daily use.
        return _Found(served, [commune])
    return _Found(_once(([commune] if commune else []) + served), [])


def _by_code_and_name(db: Connection, code: str, name: str) -> _Found:
    """As on a letter. A code of large receivers (CEDEX) is in no list, but tells the department."""
    coded = {place.id for place in _by_code(db, code).all()}
    named = _by_name(db, name)
    for kept in (
        [place for place in group if place.id in coded] for group in (named.best, named.others)
    ):
        if kept:
            return _Found(kept, [])
    department = places.department(db, code[:3] if code[:2] in {"97", "98"} else code[:2])
    return _in_department(db, name, department) if department else _NOTHING


def _by_name(db: Connection, name: str) -> _Found:
    found = _exactly(db, name)
    if found:
        cities = places.parts(db, found.best[0].id) if len(found.best) == 1 else []
        return _Found(found.best, found.others + cities)
    numbered = names.arrondissement(name)
    if numbered and (found := _exactly(db, numbered)):
        return found
    for shorter, department in _readings(db, name):
        if found := _in_department(db, shorter, department):
            return found
    return _beginning(db, name) or _exactly(db, names.without_article(name))


def _exactly(db: Connection, name: str, department: str | None = None) -> _Found:
    """Those of this very name, or else of this name after an article."""
    for shortened in (False, True):
        today = places.by_folded_name(db, name, shortened=shortened, department=department)
        former = places.by_folded_name(
            db, name, shortened=shortened, former=True, department=department
        )
        if today:
            return _Found(today, former)
        if former:
            return _Found(_once(former), [])
    return _NOTHING


def _in_department(db: Connection, name: str, department: str) -> _Found:
    return (
        _exactly(db, name, department)
        or _beginning(db, name, department)
        or _exactly(db, names.without_article(name), department)
    )


def _beginning(db: Connection, name: str, department: str | None = None) -> _Found:
    return _Found(places.by_prefix(db, f"{name} ", _MOST_BY_PREFIX, department=department), [])


def _readings(db: Connection, name: str) -> Iterator[tuple[str, str]]:
    """Each way to read the name's last words as a department, longest department first."""
    words = name.split()
    for cut in range(max(1, len(words) - _LONGEST_DEPARTMENT), len(words)):
        tail = " ".join(words[cut:])
        code = places.department(db, tail.zfill(2) if tail.isdecimal() else tail)
        if code:
            yield " ".join(words[:cut]), code


def _unknown(db: Connection, text: str) -> str:
    if len(text) > LONGEST_TEXT:
        return f"No place has a name of {len(text)} characters."
    shown = _shown(text)
    if not shown:
        return "No place was named."
    sentence = f'No place is known as "{shown}".'
    near = [label(place) for place in _near(db, text)]
    return f"{sentence} Near spellings: {', '.join(near)}." if near else sentence


def _near(db: Connection, text: str) -> list[Place]:
    """The places whose names are spelled most like the name in this text.

    Names of about the length are first compared by the pairs of letters they share, which is
    cheap, and only the best of them letter by letter, which is not.
    """
    words = [word for word in fold(text).split() if not word.isdecimal() and word != "cedex"]
    folded = next((name for name, _ in _readings(db, " ".join(words))), " ".join(words))
    slack = 1 + len(folded) // 6
    pairs = _pairs(folded)
    likely = sorted(
        places.names_of_length(db, max(2, len(folded) - slack), len(folded) + slack),
        key=lambda name: -len(pairs & _pairs(name)),
    )[:100]
    close = difflib.get_close_matches(folded, likely, n=_MOST_NEAR, cutoff=_LIKENESS)
    found = (place for name in close for place in _exactly(db, name).all())
    return _once(found)[: 2 * _MOST_NEAR]


def _pairs(name: str) -> set[str]:
    return {name[at : at + 2] for at in range(len(name) - 1)}


def _ambiguous(text: str, choices: list[Place]) -> str:
    named = ", ".join(f"{label(place)} {place.id}" for place in choices[:_MOST_CHOICES])
    more = len(choices) - _MOST_CHOICES
    rest = f", and {more} more" if more > 0 else ""
    return (
        f'"{_shown(text)}" may be {len(choices)} places: {named}{rest}. '
        "Give the id, or add the department."
    )


def _shown(text: str) -> str:
    """The text as it may be repeated on a terminal: one short line without control characters."""
    line = "".join(letter if letter.isprintable() else " " for letter in text[:80])
    return " ".join(line.split())
