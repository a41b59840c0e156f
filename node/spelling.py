"""Spelling help from the node's own words: what a word that nothing matches was meant to be.

A guess is a word of the vocabulary at a small distance (letters added, left out, changed or
swapped), the likeliest first: nearer counts most, then how many listings hold it, and whether
both sound alike in French. Numbers and codes are never mended.
"""

import bisect
import itertools
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from node import words

SHORTEST = 4  # letters; a shorter word may be anything
LONG = 6  # from here on two mistakes are forgiven where the words sound alike
VERY_LONG = 8  # from here on wherever they are
_LETTER_MISTAKE = 3.0  # cost of each, in the same measure as the logarithm of a word's listings
_SOUNDS_ALIKE = 2.5
_FIRST_LETTER = 1.5
_PAIR_LEAST = 3  # letters of each half of what was written without its space

_SOUNDS = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"ph", "f"), (r"[dt]h", "t"), (r"rh", "r"), (r"sch|ch|sh", "1"), (r"qu|ck|k|q", "k"),
        (r"c(?=[eiy])|ss|sc(?=[eiy])|ti(?=on)", "s"), (r"c", "k"), (r"gu(?=[ei])", "g"),
        (r"g(?=[eiy])", "j"), (r"h", ""), (r"e?aux?|au", "o"), (r"[ae]i|ei|ay", "e"),
        (r"oeu|eu", "e"), (r"y", "i"), (r"z", "s"), (r"[ae][mn](?=[^aeiouymn]|$)", "2"),
        (r"i[mn](?=[^aeiouymn]|$)", "3"), (r"o[mn](?=[^aeiouymn]|$)", "4"),
        (r"(.)\1+", r"\1"), (r"(?<=..)(?:[esxtd]|er|es|ent)$", ""),
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words and in how many listings each stands, made once and kept until much has changed."""

    listings: Mapping[str, int]
    ordered: tuple[str, ...]
    alike: Mapping[tuple[str, int], tuple[str, ...]]  # by how they begin and their length

    def __contains__(self, word: object) -> bool:
        return word in self.listings

    def begins(self, start: str) -> bool:
        """Whether a word begins so."""
        at = bisect.bisect_left(self.ordered, start)
        return at < len(self.ordered) and self.ordered[at].startswith(start)


@dataclass(frozen=True, slots=True)
class Correction:
    """What a query may have meant: its text mended, and each word beside what it was taken for."""

    text: str
    changed: tuple[tuple[str, str], ...]


def vocabulary(counted: Iterable[tuple[str, int]]) -> Vocabulary:
    """Prepares words that the index holds (tokens, as `words.normalise` makes them) for guessing.

    Those with digits and the shortest are left out. 50,000 words take some 10 MB.
    """
    listings = {
        word: count
        for word, count in counted
        if len(word) >= _PAIR_LEAST and word.isalpha() and count > 0
    }
    alike: dict[tuple[str, int], list[str]] = {}
    for word in listings:
        alike.setdefault((_beginning(word), len(word)), []).append(word)
    return Vocabulary(
        listings, tuple(sorted(listings)), {key: tuple(same) for key, same in alike.items()}
    )


def correct(query: words.Query, text: str, known: Vocabulary) -> Correction | None:
    """What a query may have meant, where it has words that the vocabulary lacks; None without.

    A word is known too if one of its alternatives is (joined with its neighbour, or a synonym), or
    if it is the beginning of a known word and may be unfinished.
    """
    changed: list[tuple[str, str]] = []
    for term in query.terms:
        if term.fixed or any(all(token in known for token in way) for way in term.alternatives):
            continue
        if term.prefix and known.begins(term.word):
            continue
        guess = nearest(term.word, known)
        if guess is not None:
            changed.append((term.typed, guess))
    return Correction(_mended(text, dict(changed)), tuple(changed)) if changed else None


def nearest(word: str, known: Vocabulary) -> str | None:
    """The likeliest word, or two words, that a folded one was meant to be; None if none is near.

    "vello" is "velo", "tondeuze" "tondeuse", "tirebouchon" "tire bouchon", "lhuile" "huile".
    """
    if len(word) < SHORTEST or not word.isalpha() or word in known:
        return None
    found = _by_letters(word, known)
    apart = _apart(word, known)
    return apart if apart and (found is None or found[1] > _LETTER_MISTAKE) else found and found[0]


def sound(word: str) -> str:
    """Roughly how a folded French word sounds: "farmacie" and "pharmacie" give the same."""
    for pattern, heard in _SOUNDS:
        word = pattern.sub(heard, word)
    return word


def _by_letters(word: str, known: Vocabulary) -> tuple[str, float] | None:
    """The word of the vocabulary that costs least, and its cost; mistakes weigh more than rarity.

    People get a word's beginning right, or at least its sound: only words that begin alike, or
    that do once the first letter typed is set aside, are compared.
    """
    from rapidfuzz import process  # only where something is misspelt: it takes memory
    from rapidfuzz.distance import OSA

    forgiven = 1 if len(word) < LONG else 2
    heard = sound(word)
    best: tuple[str, float] | None = None
    lengths = range(len(word) - forgiven, len(word) + forgiven + 1)
    for key in itertools.product({_beginning(word), _beginning(word[1:])}, lengths):
        near = process.extract(
            word,
            known.alike.get(key, ()),
            scorer=OSA.distance,
            score_cutoff=forgiven,
            limit=None,
        )
        for candidate, distance, _ in near:
            alike = sound(candidate) == heard
            if distance > 1 and not alike and len(word) < VERY_LONG:
                continue  # "lavande" is not "lande"
            cost = (
                _LETTER_MISTAKE * distance
                - math.log(known.listings[candidate])
                - (_SOUNDS_ALIKE if alike else 0)
                + (_FIRST_LETTER if candidate[0] != word[0] else 0)
            )
            if best is None or (cost, candidate) < (best[1], best[0]):
                best = (candidate, cost)
    return best


def _beginning(word: str) -> str:
    """The first letter by its sound: c, k and qu are one, so are f and ph; h is not heard."""
    word = word.lstrip("h") or word
    if word[:2] in ("ch", "sh") and word[2:3] not in ("r", "l"):
        return "ch"
    if word[0] == "p" and word[1:2] == "h":
        return "f"
    soft = word[1:2] in ("e", "i", "y")
    if word[0] == "c":
        return "s" if soft else "k"
    if word[0] == "g" and soft:
        return "j"
    return {"q": "k", "z": "s", "y": "i"}.get(word[0], word[0])


def _apart(word: str, known: Vocabulary) -> str | None:
    """Two known words written as one, the pair whose rarer is commonest; or a word and its l'."""
    for elided in ("qu", "l", "d"):
        if word.startswith(elided) and word[len(elided) :] in known and len(word) > SHORTEST:
            return word[len(elided) :]
    pairs = [
        (min(known.listings[first], known.listings[second]), f"{first} {second}")
        for at in range(_PAIR_LEAST, len(word) - _PAIR_LEAST + 1)
        if (first := word[:at]) in known and (second := words.singular(word[at:])) in known
    ]
    return max(pairs)[1] if pairs else None


def _mended(text: str, changed: Mapping[str, str]) -> str:
    """The text as typed, but for the words that were changed."""

    def mend(match: re.Match[str]) -> str:
        return changed.get(words.fold(match.group()), match.group())

    return re.sub(r"[^\W_]+", mend, text[: words.QUERY_MOST])
