"""Finding what a resident looks for: in their commune first, then around it, then further away.

How a query is read is told in `node/reading.py`, how what it matches is gathered in
`node/gathering.py`, the order of results in `node/ranking.py`.
"""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from node import bringing, gathering, ranking, reading, territory
from node.directory import Directory
from node.gathering import Surroundings
from node.model import Place, Ring, RingName, SearchAnswer, SearchHit, SearchQuery
from node.ranking import Placed
from node.store import hits as found_rows
from node.store import places
from node.synonyms import Synonyms
from node.translation import Translator

PAGE = 20
PAGE_MOST = 500
PLACES_KEPT = 5_000


class Engine:
    """What searches keep in memory between them: where shops are, synonyms, the node's words."""

    def __init__(self, synonyms: Synonyms) -> None:
        self.directory = Directory()
        self.synonyms = synonyms
        self.vocabulary = reading.Vocabulary()
        self._surroundings: dict[str, Surroundings] = {}
        self._places: dict[str, Place | None] = {}
        self._understood: dict[tuple[str, str], territory.Understood] = {}

    def understand(
        self, db: sqlite3.Connection, text: str, say: Translator
    ) -> territory.Understood:
        """What a person means by the name of a place: from the gazetteer alone, which does not
        change while a node runs, so it is looked up once."""
        key = (text, say.language)
        known = self._understood.get(key)
        if known is None:
            known = territory.understand(db, text, say)
            if len(self._understood) >= PLACES_KEPT:
                self._understood.clear()
            self._understood[key] = known
        return known

    def place(self, db: sqlite3.Connection, place_id: str) -> Place | None:
        """A place of the gazetteer, which does not change while a node runs."""
        known = self._places.get(place_id)
        if known is None:
            known = places.get(db, place_id)
            if len(self._places) >= PLACES_KEPT:
                self._places.clear()
            self._places[place_id] = known
        return known

    def surroundings(self, db: sqlite3.Connection, place: Place) -> Surroundings:
        """What lies in a commune and beside it; borders do not change while a node runs."""
        known = self._surroundings.get(place.id)
        if known is None:
            commune = frozenset({place.id, *(one.id for one in places.parts(db, place.id))})
            beside = frozenset(one.id for one in places.adjoining(db, place.id))
            known = Surroundings(commune, beside - commune)
            if len(self._surroundings) >= PLACES_KEPT:
                self._surroundings.clear()
            self._surroundings[place.id] = known
        return known


def find(
    db: sqlite3.Connection, query: SearchQuery, radius_km: float, now: datetime, engine: Engine
) -> SearchAnswer:
    """The three rings for a query: PAGE hits counted through them, and the totals of each.

    Raises errors.Invalid for a cursor that no answer gave.
    """
    seed, after = ranking.seed_of(now.date()), None
    if query.cursor is not None:
        seed, after = ranking.read_cursor(query.cursor)
    plan = reading.plan(db, query.words, query.filters, engine.synonyms, engine.vocabulary, now)
    if plan is None:
        empty = tuple(Ring(name, None, 0, exact=True) for name in RingName)
        return SearchAnswer(query, empty, (), None, seed, None)
    view, around = engine.directory.view(db), engine.surroundings(db, query.place)
    asked = gathering.Asked(db, query, radius_km, seed, now, view, around)
    start = 0 if after else (min(query.page, PAGE_MOST) - 1) * PAGE
    gathered = asked.gather(plan, after, start + PAGE + 1)
    if gathered.is_empty() and (shorter := reading.without_needless(db, plan)):
        plan = shorter
        gathered = asked.gather(plan, after, start + PAGE + 1)
    shown = gathered.placed[start : start + PAGE]
    hits = _hits(db, shown, engine, query.place.id)
    return SearchAnswer(
        query=query,
        rings=tuple(
            Ring(
                ring=name,
                within_km=gathered.within_km(name),
                total=min(gathered.totals[name], gathering.EXACT_UP_TO),
                exact=name in gathered.whole and gathered.totals[name] <= gathering.EXACT_UP_TO,
                hits=tuple(hit for ring, hit in hits if ring is name),
            )
            for name in RingName
        ),
        changed=plan.changed,
        suggestion=plan.suggestion,
        seed=seed,
        next_cursor=ranking.write_cursor(seed, shown[-1].key)
        if len(gathered.placed) > start + PAGE
        else None,
    )


def _hits(
    db: sqlite3.Connection, placed: Sequence[Placed], engine: Engine, near: str
) -> list[tuple[RingName, SearchHit]]:
    """What is shown."""
    known = found_rows.find(db, [one.row for one in placed])
    hits = []
    for one in placed:
        if (found := known.get(one.row)) is not None:
            listing, shop = found
            km = one.run.km
            hit = SearchHit(
                listing=listing,
                shop=shop,
                place=engine.place(db, shop.place) if shop.place else None,
                distance_km=None if km is None else round(km, 1),
                stale=one.run.stale,
                delivered=listing.delivered and bringing.goes_to(shop, near, km),
            )
            hits.append((one.run.ring, hit))
    return hits
