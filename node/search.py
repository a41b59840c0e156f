"""Finding what a resident looks for: in their commune first, then around it, then further away.

How a query is read is told in `node/reading.py`, the order of results in `node/ranking.py`. Here is
how they are gathered, so that no query reads much:

- A query with a word that few listings have is answered from all of those.
- Any other is answered from the nearest shops: first the commune's and the adjoining ones', then,
  zone by zone, the next that have so many listings together, until the page is decided and the
  totals are known. What is decided is exactly what a look at everything would have given.
- Where the zones have not been enough, everything is looked at after all: by then it is known that
  the words are seldom met together.
"""

import itertools
import math
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from node import globe, hours, neighbours, ranking, reading, shops
from node.directory import Block, Directory
from node.model import (
    Filters,
    Freshness,
    Place,
    Ring,
    RingName,
    SearchAnswer,
    SearchHit,
    SearchQuery,
    Shop,
)
from node.ranking import Key, Placed, Run, Where
from node.reading import Plan
from node.store import listings, places, search
from node.store import shops as shop_rows
from node.synonyms import Synonyms

PAGE = 20
PAGE_MOST = 500
EXACT_UP_TO = 200
SURROUNDINGS_KEPT = 5_000
# A word that at most so many listings have is rare: reading all of them costs a few milliseconds.
RARE = 1_000
# Zones end where so many listings lie nearer.
ZONES = (2_000, 10_000, 50_000)
# Of what is looked at in full, no more than this is ranked.
MATCHES_MOST = 20_000
_EVERYTHING = ((0, 2**62),)


class Engine:
    """What searches keep in memory between them: where shops are, synonyms, the node's words."""

    def __init__(self, synonyms: Synonyms) -> None:
        self.directory = Directory()
        self.synonyms = synonyms
        self.vocabulary = reading.Vocabulary()
        self._surroundings: dict[str, Surroundings] = {}

    def surroundings(self, db: sqlite3.Connection, place: Place) -> "Surroundings":
        """What lies in a commune and beside it; borders do not change while a node runs."""
        known = self._surroundings.get(place.id)
        if known is None:
            commune = frozenset({place.id, *(one.id for one in places.parts(db, place.id))})
            beside = frozenset(one.id for one in places.adjoining(db, place.id))
            known = Surroundings(commune, beside - commune)
            if len(self._surroundings) >= SURROUNDINGS_KEPT:
                self._surroundings.clear()
            self._surroundings[place.id] = known
        return known


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Place ids: of the commune itself with its arrondissements, and of those it borders on."""

    commune: frozenset[str]
    adjoining: frozenset[str]


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
    asked = _Asked(db, query, radius_km, seed, now, engine)
    start = 0 if after else (min(query.page, PAGE_MOST) - 1) * PAGE
    gathered = asked.gather(plan, after, start + PAGE + 1)
    if gathered.is_empty() and (shorter := reading.without_needless(db, plan)):
        plan = shorter
        gathered = asked.gather(plan, after, start + PAGE + 1)
    shown = gathered.placed[start : start + PAGE]
    hits = _hits(db, shown)
    return SearchAnswer(
        query=query,
        rings=tuple(
            Ring(
                ring=name,
                within_km=gathered.within_km(name),
                total=min(gathered.totals[name], EXACT_UP_TO),
                exact=name in gathered.whole and gathered.totals[name] <= EXACT_UP_TO,
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


class _Gathered:
    """What was found: the first of it in order, how many there are of each ring at least, and of
    which rings that is all."""

    def __init__(
        self, placed: list[Placed], runs: Iterable[Run], whole: Iterable[RingName]
    ) -> None:
        self.placed = placed
        self.whole = set(whole)
        self.totals = dict.fromkeys(RingName, 0)
        self._farthest: dict[RingName, float | None] = dict.fromkeys(RingName)
        for run in runs:
            self.totals[run.ring] += len(run.rows)
            if run.km is not None and run.km > (self._farthest[run.ring] or -1.0):
                self._farthest[run.ring] = run.km

    def is_empty(self) -> bool:
        """Whether nothing was found at all."""
        return not any(self.totals.values())

    def within_km(self, ring: RingName) -> float | None:
        """How far what is known of a ring reaches."""
        if ring is RingName.COMMUNE:
            return 0.0
        farthest = self._farthest[ring]
        return None if farthest is None else round(farthest, 1)

    def knows(self, ring: RingName) -> bool:
        """Whether a ring's total is exact, or beyond what is counted."""
        return ring in self.whole or self.totals[ring] > EXACT_UP_TO


class _Asked:
    """A query on its way: from where, of which shops, and what is known of them by now."""

    def __init__(
        self,
        db: sqlite3.Connection,
        query: SearchQuery,
        radius_km: float,
        seed: str,
        now: datetime,
        engine: Engine,
    ) -> None:
        self.db = db
        self.place = query.place
        self.filters = query.filters
        self.radius_km = radius_km
        self.seed = seed
        self.now = now
        self.view = engine.directory.view(db)
        self.point = None
        if self.place.latitude is not None and self.place.longitude is not None:
            self.point = globe.vector(self.place.latitude, self.place.longitude)
        around = engine.surroundings(db, query.place)
        self.commune, self.adjoining = around.commune, around.adjoining
        self.prices = None
        if self.filters.price_least is not None or self.filters.price_most is not None:
            self.prices = search.Prices(self.filters.price_least, self.filters.price_most)
        self.silence = neighbours.silence(db, now)
        self._of_shops = _asks_of_shops(self.filters)
        self._facts: dict[str, bool] = {}

    def gather(self, plan: Plan, after: Key | None, wanted: int) -> _Gathered:
        """Finds enough to show `wanted` hits from the beginning, or from behind `after`."""
        if not self._is_rare(plan) and (near := self._from_near(plan, after, wanted)):
            return near
        rows = search.find(
            self.db, plan.expression, _EVERYTHING, prices=self.prices, limit=MATCHES_MOST
        )
        runs = self._runs(rows, self._titles(plan, _EVERYTHING), None)
        whole = RingName if len(rows) < MATCHES_MOST else ()
        return _Gathered(self._first(runs, after, wanted), runs, whole)

    def _is_rare(self, plan: Plan) -> bool:
        parts = [*map(reading.expression, plan.terms), *plan.demands]
        return any(search.count(self.db, part, RARE + 1) <= RARE for part in parts)

    def _from_near(self, plan: Plan, after: Key | None, wanted: int) -> _Gathered | None:
        """From the nearest shops; None where the zones do not decide it."""
        if self.point is None:
            return None  # nothing is nearer than anything
        titles = None
        if plan.in_title is None or (
            search.count(self.db, plan.in_title, RARE + 1, titles=True) <= RARE
        ):
            titles = self._titles(plan, _EVERYTHING)  # few: what is not among them is in no title
        first = self.view.of_places([*self.commune, *self.adjoining])
        taken = {block.number for block in first}
        runs = self._of_blocks(plan, first, titles)
        nearer = self.view.from_near(self.point)
        lying = 0
        for end in ZONES:
            zone: list[Block] = []
            reached: float | None = math.inf
            for reached, block in nearer:  # noqa: B007 (how far it came is asked for below)
                lying += block.used
                if block.number not in taken:
                    zone.append(block)
                if lying >= end:
                    break
            else:
                reached = math.inf
            runs += self._of_blocks(plan, zone, titles)
            if reached is None:
                return None  # what is left has no point
            gathered = self._as_far_as(runs, reached, titles, after, wanted)
            if len(gathered.placed) >= wanted and self._knows_totals(plan, gathered):
                return gathered
            if reached == math.inf:
                return gathered
        return None

    def _as_far_as(
        self,
        runs: Sequence[Run],
        reached: float,
        titles: "_Titles | None",
        after: Key | None,
        wanted: int,
    ) -> _Gathered:
        """What is decided when everything up to `reached` kilometres has been looked at."""
        whole = {RingName.COMMUNE}
        if reached > self.radius_km:
            whole.add(RingName.AROUND)
        if reached == math.inf:
            whole.add(RingName.FURTHER)
        limit = ranking.tenths(min(reached, globe.EARTH_RADIUS_KM * 4))
        circle = ranking.circle_of(RingName.FURTHER, min(reached, 1e5), self.radius_km)

        def is_decided(one: Placed) -> bool:
            ring, its_circle, where, stale, turn, distance, _, _ = one.key
            if one.run.ring in whole or (ring == 2 and its_circle < circle and len(whole) > 1):
                return True
            if ring == 2 and not (len(whole) > 1 and its_circle == circle):
                return False
            # Of a circle that is not whole yet: what nothing further away can come before.
            if titles is not None and where < Where.ELSEWHERE:
                return True
            best = Where.ELSEWHERE if titles is not None else Where.HEAD
            return not (stale or turn) and where == best and distance < limit

        decided = itertools.takewhile(
            is_decided, ranking.in_order(runs, self.seed, self.radius_km, after)
        )
        return _Gathered(list(itertools.islice(decided, wanted)), runs, whole)

    def _first(self, runs: Iterable[Run], after: Key | None, wanted: int) -> list[Placed]:
        placed = ranking.in_order(runs, self.seed, self.radius_km, after)
        return list(itertools.islice(placed, wanted))

    def _knows_totals(self, plan: Plan, gathered: _Gathered) -> bool:
        """Whether the totals are what they must be; counts what is further where it is not."""
        if not gathered.knows(RingName.AROUND):
            return False
        # What is counted must all be shown.
        by_words_alone = not (self._of_shops or self.prices or self.silence.hidden)
        if not gathered.knows(RingName.FURTHER) and by_words_alone:
            nearer = sum(gathered.totals.values()) - gathered.totals[RingName.FURTHER]
            most = nearer + EXACT_UP_TO + 1
            everywhere = search.count(self.db, plan.expression, most)
            gathered.totals[RingName.FURTHER] = everywhere - nearer
            if everywhere < most:
                gathered.whole.add(RingName.FURTHER)
        return gathered.knows(RingName.FURTHER)

    def _titles(self, plan: Plan, ranges: Sequence[tuple[int, int]]) -> "_Titles":
        if plan.in_title is None or plan.at_head is None:
            return _Titles(frozenset(), frozenset())
        found = search.find(self.db, plan.in_title, ranges, titles=True, limit=MATCHES_MOST)
        heads = search.find(self.db, plan.at_head, ranges, titles=True, limit=MATCHES_MOST)
        return _Titles(frozenset(found), frozenset(heads))

    def _of_blocks(
        self, plan: Plan, blocks: Sequence[Block], titles: "_Titles | None"
    ) -> list[Run]:
        ranges = self.view.ranges(blocks)
        rows = search.find(self.db, plan.expression, ranges, prices=self.prices, limit=MATCHES_MOST)
        if titles is None:
            titles = self._titles(plan, ranges)
        return self._runs(rows, titles, {block.number for block in blocks})

    def _runs(self, rows: Iterable[int], titles: "_Titles", only: set[int] | None) -> list[Run]:
        """Rows by their shops, as far as these pass the filters; `only` those of some blocks."""
        runs: dict[tuple[str, Where], Run] = {}
        for number, of_block in itertools.groupby(rows, _block_number):
            block = self.view.by_number.get(number)
            if block is None or (only is not None and number not in only):
                continue
            freshness = self.silence.freshness(block.peer)
            if freshness is Freshness.HIDDEN:
                continue
            km = self._distance(block)
            if self._of_shops and not self._shop_fits(block, km):
                continue
            ring = self._ring(block, km)
            for row in of_block:
                where = titles.where(row)
                run = runs.get((block.shop, where))
                if run is None:
                    run = runs[block.shop, where] = Run(
                        block, km, ring, where, freshness is Freshness.OLD, []
                    )
                run.rows.append(row)
        return list(runs.values())

    def _distance(self, block: Block) -> float | None:
        if self.point is None or block.point is None:
            return None
        return globe.distance_km(self.point, block.point)

    def _ring(self, block: Block, km: float | None) -> RingName:
        if block.place in self.commune:
            return RingName.COMMUNE
        if block.place in self.adjoining or (km is not None and km <= self.radius_km):
            return RingName.AROUND
        return RingName.FURTHER

    def _shop_fits(self, block: Block, km: float | None) -> bool:
        known = self._facts.get(block.shop)
        if known is None:
            shop = shop_rows.get(self.db, block.shop)
            known = self._facts[block.shop] = shop is not None and _fits(
                shop, self.filters, self.place.id, km, self.now
            )
        return known


@dataclass(frozen=True, slots=True)
class _Titles:
    """Rows that have the words in their titles, and those of them that begin with one."""

    rows: frozenset[int]
    heads: frozenset[int]

    def where(self, row: int) -> Where:
        """Where a row has the words."""
        if row not in self.rows:
            return Where.ELSEWHERE
        return Where.HEAD if row in self.heads else Where.TITLE


def _block_number(row: int) -> int:
    return row >> search.ROW_BITS


def _asks_of_shops(filters: Filters) -> bool:
    return filters.open_now or filters.delivered or filters.step_free or filters.payment is not None


def _fits(shop: Shop, filters: Filters, place: str, km: float | None, now: datetime) -> bool:
    """Whether a shop is what the filters ask of shops. What is not told counts as not so."""
    if filters.step_free and not shop.step_free:
        return False
    if filters.payment is not None and filters.payment not in shop.payments:
        return False
    if filters.delivered and not shops.delivers_to(shop, place, km):
        return False
    return not filters.open_now or hours.state(shop.hours, shop.place, now).open is True


def _hits(db: sqlite3.Connection, placed: Sequence[Placed]) -> list[tuple[RingName, SearchHit]]:
    """What is shown, read whole."""
    ids = search.listings_of(db, [one.row for one in placed])
    known = {one.id: one for one in listings.find(db, list(ids.values()))}
    of = {one.id: one for one in shop_rows.find_some(db, {one.shop for one in known.values()})}
    where = {
        one.id: one for one in places.find(db, {shop.place for shop in of.values() if shop.place})
    }
    hits = []
    for one in placed:
        listing = known.get(ids.get(one.row, ""))
        shop = of.get(listing.shop) if listing else None
        if listing is not None and shop is not None:
            km = one.run.km
            hit = SearchHit(
                listing=listing,
                shop=shop,
                place=where.get(shop.place or "") or places.get(db, shop.place or ""),
                distance_km=None if km is None else round(km, 1),
                stale=one.run.stale,
            )
            hits.append((one.run.ring, hit))
    return hits
