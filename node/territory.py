"""What people mean by the name of a place, and how far places are from each other.

A place is given as an INSEE code ("33063"), an id ("FR-33063", "geonames:3120304"), a postal code
("51300", which may serve many), a name, a name beside its department ("Saint-Denis (93)",
"Saint-Denis 93", "Saint-Denis, La Réunion") or beside its postal code ("33000 Bordeaux"), an
arrondissement ("Paris 11e"), the name of a commune that was merged since, which means the commune
of today, a town of another country ("Irun", "Irun (Espagne)"), or a point ("44.84, -0.58").

`resolve` takes a text at its word, for commands and programs: a name of several is refused with
the choices, "Paris" means the whole city, which is a place of its own that an association may
serve. `understand` is for people: it forgives typing mistakes, takes the evident one of several
namesakes while offering the others, and asks those who name Paris, Lyon or Marseille which
arrondissement, because there the arrondissement is the commune.

French places come before others of their name. The first argument is a connection to the gazetteer
(`node.store.places.open_places`) or to a node's database, which has it attached.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from sqlite3 import Connection

from node import place_names, place_spelling
from node.borders import place_at as place_at
from node.errors import Invalid, NotFound
from node.gazetteer import names
from node.model import Place
from node.store import places

EARTH_RADIUS_KM = 6371.0088  # IUGG mean radius

_MOST_CHOICES = 10
_MOST_NEAR = 6

# Of several places of one name the evident one is the only one so near the node's own commune,
# else one that is so large, and so many times larger than the next.
_EVIDENT_KM = 50
_EVIDENT_POPULATION = 20_000
_EVIDENT_TIMES = 10
# What is so much larger is more likely meant than what is called exactly so.
_LIKELIER_TIMES = 5
_MOST_BEGUN = 50


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the places that a text may mean, with what tells it from the others."""

    place: Place
    label: str  # "Saint-Denis (974)"
    postal_codes: tuple[str, ...]  # none abroad


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


def fold(text: str) -> str:
    """`text` made for comparing names: no accents, case, signs; "St" is "saint".

    See `node.gazetteer.names.fold`, which this is. Takes any string.
    """
    return names.fold(text)


def label(place: Place) -> str:
    """The name with what tells it from its namesakes: "Saint-Denis (974)", "Irun (Espagne)"."""
    return f"{place.name} ({place.department or place.country_name})"


def find(places_db: Connection, text: str) -> list[Place]:
    """The places that `text` may mean, likeliest first; empty if there is none.

    Five digits are first the commune of that INSEE code, then those of that postal code. Of a name,
    those that bear it today come first, then those that took in a commune of that name; if there
    are none, those called so but for an article, and then those whose name begins so. Any text is
    safe to give and answered in bounded time.
    """
    return place_names.search(places_db, text).all()


def resolve(places_db: Connection, text: str) -> Place:
    """The one place that `text` means.

    Raises NotFound ("unknown-place") naming near spellings, or Invalid ("ambiguous-place") naming
    the choices: a name borne by several communes, however unequal, a postal code of several, five
    digits that are one commune's INSEE code and another's postal code (the id, "FR-17300", is the
    INSEE code alone), or a town abroad where a larger French one is spelled nearly so: "Pesac" is a
    village in Romania. A name that one commune bears today wins over those that took in a commune
    of that name.
    """
    found = place_names.search(places_db, text)
    french = _nearly_so_in_france(places_db, text, found.best)
    if len(found.best) == 1 and not french:
        return found.best[0]
    choices = place_names.once([*french, *found.all()])
    if not choices:
        raise NotFound("unknown-place", _unknown(places_db, text))
    raise Invalid("ambiguous-place", _ambiguous(text, choices))


def has_point(place: Place) -> bool:
    """Whether distances from this place can be told: some 99 communes have no coordinates."""
    return place.latitude is not None and place.longitude is not None


def understand(
    places_db: Connection,
    text: str,
    say: Callable[[str], str] = str,
    *,
    home: Place | None = None,
) -> Understood:
    """What a person means by `text`, for every field that asks for a place. Never raises.

    `say` translates the sentence (a `Translator` is one); without it is English. `home`, the
    node's own commune, makes a namesake near it the evident one. Ids and codes are taken at their
    word. Who names Paris, Lyon or Marseille is asked which arrondissement; the whole city is the
    last choice (its id, "FR-75056", and its INSEE code mean the city at once). Some 20 ms at most.
    """
    found = place_names.search(places_db, text)
    if not found:
        return _misspelt(places_db, text, say, home)
    likelier = _likelier(places_db, text, found.best)
    best = place_names.once([*likelier, *found.best])
    place = _evident(best, home, by_size=not likelier)
    if place is None:
        sentence = say("Several places match “{typed}”: choose one.").format(typed=_shown(text))
        choices = _choices(places_db, place_names.once([*best, *found.others]))
        return Understood(None, choices, None, sentence)
    others = [one for one in place_names.once([*best, *found.others]) if one != place]
    if _is_asked_for_parts(places_db, place, text):
        return _which_part(places_db, place, None, say)
    sentences = []
    if len(best) > 1:
        taken = say("Several places are called so; {place} was taken.")
        sentences.append(taken.format(place=label(place)))
    elif found.formerly:
        merged = say("“{typed}” is part of {place} today.")
        sentences.append(merged.format(typed=_shown(text), place=label(place)))
    if not has_point(place):
        unplaced = say("Where {place} lies is not known here, so no distances can be told.")
        sentences.append(unplaced.format(place=label(place)))
    return Understood(place, _choices(places_db, others), None, " ".join(sentences) or None)


def _misspelt(
    db: Connection, text: str, say: Callable[[str], str], home: Place | None
) -> Understood:
    typed = _shown(text)
    if not typed:
        return Understood(None, (), None, say("Name a town or a postal code."))
    near = place_spelling.near(db, text)
    if not near:
        unknown = say("No place is known as “{typed}”. Try a town nearby or a postal code.")
        return Understood(None, (), None, unknown.format(typed=typed))
    least = near[0].mistakes
    nearest = place_names.once(
        place for one in near if one.mistakes == least for place in one.places
    )
    place = _evident(nearest, home)
    largest = len(nearest) > 1
    if place and (largest or near[0].sure):
        if _is_asked_for_parts(db, place, text):
            return _which_part(db, place, typed, say)
        others = [one for one in nearest if one != place]
        read = say("No place is known as “{typed}”; it was read as {place}.")
        sentence = read.format(typed=typed, place=label(place))
        return Understood(place, _choices(db, others), typed, sentence)
    perhaps = say("No place is known as “{typed}”. Is it one of these?").format(typed=typed)
    return Understood(None, _choices(db, _all_near(near)), None, perhaps)


def _likelier(db: Connection, text: str, found: list[Place]) -> list[Place]:
    """Larger places in France that a text may mean, though others are called exactly so.

    "Aix" is a village, but Aix-en-Provence is more often meant; "Saint Dennis" is one in Cornwall,
    but Saint-Denis is spelled nearly so.
    """
    largest = max((one.population or 0 for one in found), default=0)
    if all(one.country != "FR" for one in found):
        return _nearly_so_in_france(db, text, found)
    known = max(_EVIDENT_POPULATION, _LIKELIER_TIMES * largest)
    begun = places.by_prefix(db, f"{fold(text)} ", _MOST_BEGUN)
    return [place for place in begun if (place.population or 0) >= known]


def _nearly_so_in_france(db: Connection, text: str, found: list[Place]) -> list[Place]:
    """The larger French places one mistake away, where only places abroad are called exactly so."""
    if not found or any(one.country == "FR" for one in found):
        return []
    largest = max((one.population or 0 for one in found), default=0)
    near = [one for one in place_spelling.french(db, fold(text)) if one.mistakes == 1]
    return [place for place in _all_near(near) if (place.population or 0) > largest]


def _evident(found: list[Place], home: Place | None, *, by_size: bool = True) -> Place | None:
    """The one of several namesakes that is meant without doubt; None where none stands out."""
    if len(found) == 1:
        return found[0]
    nearby = [place for place in found if home and _is_by(place, home)]
    if nearby:
        return nearby[0] if len(nearby) == 1 else None
    largest, next_one = sorted((place.population or 0 for place in found), reverse=True)[:2]
    if not by_size or largest < max(_EVIDENT_POPULATION, _EVIDENT_TIMES * next_one):
        return None
    return max(found, key=lambda place: place.population or 0)


def _is_by(place: Place, home: Place) -> bool:
    if place.latitude is None or place.longitude is None:
        return False
    if home.latitude is None or home.longitude is None:
        return False
    there = (place.latitude, place.longitude, home.latitude, home.longitude)
    return distance_km(*there) <= _EVIDENT_KM


def _is_asked_for_parts(db: Connection, place: Place, text: str) -> bool:
    """Whether a city of arrondissements was named, and not given by its id or INSEE code."""
    word = fold(text).replace("fr ", "")
    return word != (place.insee or "").lower() and bool(places.parts(db, place.id))


def _which_part(
    db: Connection, city: Place, corrected: str | None, say: Callable[[str], str]
) -> Understood:
    choices = _choices(db, [*places.parts(db, city.id), city])
    sentence = say("{place} has arrondissements: choose yours.").format(place=city.name)
    return Understood(None, choices, corrected, sentence)


def _choices(db: Connection, found: Iterable[Place]) -> tuple[Choice, ...]:
    return tuple(Choice(place, label(place), places.postal_codes(db, place.id)) for place in found)


def complete(places_db: Connection, text: str, limit: int = 8) -> list[Place]:
    """At most `limit` places while `text` is being typed: those of that name, then those it begins.

    The last word counts as unfinished: "St" is Strasbourg as well as Saint-Denis. Text with digits
    is read as `find` reads it.
    """
    folded = fold(text) if len(text) <= place_names.LONGEST_TEXT else ""
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
    found = place_names.once(places.by_folded_name(places_db, typed.rstrip()) + begun)[:limit]
    # Abroad is looked for last, and only by what is more than a few letters: those are many.
    if len(found) < limit and len(folded) > 2:
        found += places.abroad_by_prefix(places_db, typed.rstrip(), limit)
    return found[:limit]


def distance_km(a_lat: float, a_lon: float, b_lat: float, b_lon: float) -> float:
    """The great-circle distance in kilometres between two points given in degrees (haversine)."""
    a_phi, b_phi = math.radians(a_lat), math.radians(b_lat)
    chord = (
        math.sin((b_phi - a_phi) / 2) ** 2
        + math.cos(a_phi) * math.cos(b_phi) * math.sin(math.radians(b_lon - a_lon) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, chord)))


def _unknown(db: Connection, text: str) -> str:
    if len(text) > place_names.LONGEST_TEXT:
        return f"No place has a name of {len(text)} characters."
    shown = _shown(text)
    if not shown:
        return "No place was named."
    sentence = f'No place is known as "{shown}".'
    near = [label(place) for place in _all_near(place_spelling.near(db, text))[:_MOST_NEAR]]
    return f"{sentence} Near spellings: {', '.join(near)}." if near else sentence


def _all_near(near: list[place_spelling.Near]) -> list[Place]:
    return place_names.once(place for one in near for place in one.places)


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
