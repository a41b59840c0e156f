"""How a query is read against what there is: words as the index has them, mended where nothing
else is found. Whatever is read otherwise than it was typed is said.

An unknown word is first taken for the beginning of known ones ("boulang"), then for a misspelling
of one ("tondeuze"), and at last left out. A word that any listing has is never mended.
"""

import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from node import spelling, synonyms, words
from node.model import Changed, Filters, Reading
from node.store import matches, search_texts

BEGINNINGS = 12
VOCABULARY_KEPT = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Plan:
    """A query as it is asked of the index.

    `terms` is empty where nothing can be found. `suggestion` is the query with its spelling mended.
    """

    terms: tuple[words.Term, ...]
    demands: tuple[str, ...]  # what filters ask for
    refusals: tuple[str, ...]  # what filters refuse
    changed: tuple[Changed, ...] = ()
    suggestion: str | None = None

    @property
    def expression(self) -> str:
        """What a listing must match."""
        return self._asked or _quoted(search_texts.EVERYTHING)

    @property
    def in_title(self) -> str | None:
        """What its title must match for it to come first; None where no words were typed."""
        return self._asked if self.terms else None

    @property
    def first_words(self) -> tuple[str, ...]:
        """With which words a title begins that comes first, as French names of things do."""
        return tuple({one[0]: None for term in self.terms for one in term.alternatives})

    @property
    def at_head(self) -> str | None:
        """What a title must match to have all the words and begin with one of them."""
        if not self.terms:
            return None
        heads = " OR ".join(_quoted(search_texts.head_word(word)) for word in self.first_words)
        return f"({self.in_title}) AND ({heads})"

    @property
    def _asked(self) -> str:
        wanted = " AND ".join([*(expression(term) for term in self.terms), *self.demands])
        if not self.refusals:
            return wanted
        return f"({wanted or _quoted(search_texts.EVERYTHING)}) NOT ({' OR '.join(self.refusals)})"


class Vocabulary:
    """The node's own words, to mend spellings by: read when first needed, and again when old."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._words: spelling.Vocabulary | None = None
        self._read = datetime.min

    def of(self, db: sqlite3.Connection, now: datetime) -> spelling.Vocabulary:
        """The words as they were at most VOCABULARY_KEPT ago."""
        with self._lock:
            if self._words is None or not self._read <= now < self._read + VOCABULARY_KEPT:
                self._words = spelling.vocabulary(matches.vocabulary(db))
                self._read = now
            return self._words


def plan(
    db: sqlite3.Connection,
    text: str,
    filters: Filters,
    known: synonyms.Synonyms,
    vocabulary: Vocabulary,
    now: datetime,
) -> Plan | None:
    """How a query is asked; None where nothing is asked for, or none of its words is known."""
    query = synonyms.widen(words.read(text), known)
    demands, refusals = asked_by(filters)
    changed = [Changed(word, Reading.SYNONYM, added) for word, added in query.widened]
    terms: list[words.Term] = []
    mended: dict[str, str] = {}
    known_words = _Known(db, query.terms)
    for term in query.terms:
        met = known_words.met(term)
        if met is not None:
            terms.append(met)
            continue
        read_as, how = _mended(db, term, vocabulary, now)
        if how is Reading.SPELLING:
            mended_terms = synonyms.widen(words.read(read_as[0]), known).terms
            known_mended = _Known(db, mended_terms)
            meant = [known_mended.met(one) for one in mended_terms]
            if all(meant):
                terms += [one for one in meant if one is not None]
                mended[term.typed] = read_as[0]
            else:
                read_as, how = (), Reading.LEFT_OUT
        elif read_as:
            terms.append(replace(term, alternatives=tuple((word,) for word in read_as)))
        changed.append(Changed(term.typed, how, read_as))
    if not terms and (query.terms or not (demands or refusals or asks_beyond_words(filters))):
        return None
    suggestion = " ".join(mended.get(term.typed, term.typed) for term in query.terms)
    return Plan(tuple(terms), demands, refusals, tuple(changed), suggestion if mended else None)


class _Known:
    """Which alternatives of some terms any listing has.

    Whether a word stands in a title is had at once for all of them; the full-text tables, where a
    look costs more, are asked for the others only.
    """

    def __init__(self, db: sqlite3.Connection, terms: Sequence[words.Term]) -> None:
        self._db = db
        alone = {one[0] for term in terms for one in term.alternatives if len(one) == 1}
        found = matches.in_titles(db, alone)
        self._met: dict[tuple[str, ...], bool] = {(word,): True for word in found}

    def met(self, term: words.Term) -> words.Term | None:
        """The term with those of its alternatives that any listing has; None where there are none.

        One that is never met would be looked for to the end of every list, in every zone.
        """
        kept = tuple(filter(self._is_met, term.alternatives))
        return replace(term, alternatives=kept) if kept else None

    def _is_met(self, tokens: tuple[str, ...]) -> bool:
        met = self._met.get(tokens)
        if met is None:
            met = self._met[tokens] = bool(matches.count(self._db, _all_of(tokens), 1))
        return met


def _mended(
    db: sqlite3.Connection, term: words.Term, vocabulary: Vocabulary, now: datetime
) -> tuple[tuple[str, ...], Reading]:
    if not term.fixed and len(term.alternatives[0]) == 1:
        word = term.alternatives[0][0]
        if term.prefix and (longer := matches.beginning(db, word, BEGINNINGS)):
            return tuple(longer), Reading.BEGINNING
        right = spelling.nearest(word, vocabulary.of(db, now))
        if right is not None:
            return (right,), Reading.SPELLING
    return (), Reading.LEFT_OUT


def without_needless(db: sqlite3.Connection, plan: Plan) -> Plan | None:
    """The plan with as many of its words as some listing has together, the most telling first; None
    where that leaves nothing out."""
    kept: list[words.Term] = []
    for term in words.telling(plan.terms):
        tried = replace(plan, terms=(*kept, term))
        if matches.count(db, tried.expression, 1):
            kept.append(term)
    if not kept or len(kept) == len(plan.terms):
        return None
    left_out = [
        Changed(term.typed, Reading.LEFT_OUT, ()) for term in plan.terms if term not in kept
    ]
    return replace(
        plan,
        terms=tuple(term for term in plan.terms if term in kept),
        changed=(*plan.changed, *left_out),
    )


def asked_by(filters: Filters) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What filters demand of a listing's words, and what they refuse."""
    demanded, refused = search_texts.filter_words(filters)
    return tuple(map(_quoted, demanded)), tuple(map(_quoted, refused))


def asks_beyond_words(filters: Filters) -> bool:
    """Whether something is asked that depends on the shop or on prices, not on words."""
    return (
        filters.open_now
        or filters.step_free
        or filters.payment is not None
        or filters.price_least is not None
        or filters.price_most is not None
    )


def expression(term: words.Term) -> str:
    """A term as the full-text tables are asked: any of its alternatives, each with all tokens."""
    # What has all the tokens of one and more is met with it: an index that is asked for both takes
    # several times as long.
    wanted = [frozenset(tokens) for tokens in term.alternatives]
    least = [
        tokens
        for tokens, all_of in zip(term.alternatives, wanted, strict=True)
        if not any(other < all_of for other in wanted)
    ]
    said = [_all_of(tokens) for tokens in least]
    if len(said) == 1 and len(least[0]) == 1:
        return said[0]
    return "(" + " OR ".join(f"({one})" for one in said) + ")"


def _all_of(tokens: Sequence[str]) -> str:
    return " AND ".join(map(_quoted, tokens))


def _quoted(token: str) -> str:
    return f'"{token}"'
