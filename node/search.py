"""Finding what a resident looks for: in their commune first, then around it, then further away.

How a query is read is told in `node/reading.py`, the order of results in `node/ranking.py`. Here is
how they are gathered, so that no query reads much:

- What few listings match is answered from all of those.
- What more match is answered from the nearest shops: the commune's and the adjoining ones', then,
  zone by zone, the next, until the page is decided and the totals are known. How large a zone must
  be is guessed from how often the words are met. What is decided is exactly what a look at
  everything would have given.
- Where three zones have not been enough, or would be too large, everything is looked at after all.
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
    Place,
    Ring,
    RingName,
    SearchAnswer,
    SearchHit,
    SearchQuery,
    Shop,
)
from node.ranking import RINGS, Key, Placed, Run, Where
from node.reading import Plan
from node.store import listings, places, search
from node.store import shops as shop_rows
from node.synonyms import Synonyms

PAGE = 20
PAGE_MOST = 500
EXACT_UP_TO = 200
SURROUNDINGS_KEPT = 5_000
# What at most so many listings match is rare: looking at all of them costs a few milliseconds.
RARE = 500
# Where about so few match, no zone is tried.
FEW = 5_000
# A zone is made to hold about what is hoped for in it, with a margin; it is no smaller, no larger.
MARGIN = 1.3
ZONE_LEAST, ZONE_MOST = 1_000, 80_000
# Going on reading over what was not asked for costs less than another range while it is less than
# so many matches.
RANGE_COSTS = 100
AVERAGE_SHOP = 50
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
        # Whether all that match by their words are shown, so that counting them will do.
        self._by_words_alone = not (self._of_shops or self.prices or self.silence.hidden)
        self._facts: dict[str, bool] = {}

    def gather(self, plan: Plan, after: Key | None, wanted: int) -> _Gathered:
        """Finds enough to show `wanted` hits from the beginning, or from behind `after`."""
        rows = self._everywhere(plan, RARE + 1)
        if len(rows) > RARE:
            near = self._from_near(plan, rows, after, wanted)
            if near is not None:
                return near
            rows = self._everywhere(plan, MATCHES_MOST)
        return self._from_all(plan, rows, after, wanted)

    def _from_all(
        self, plan: Plan, rows: Sequence[int], after: Key | None, wanted: int
    ) -> _Gathered:
        """From all that match: the nearest are put in order first, and mostly that will do."""
        titles = self._titles(plan, _EVERYTHING)
        shops = [
            (self._nearness(block), number, list(of_block))
            for number, of_block in itertools.groupby(rows, _block_number)
            if (block := self.view.by_number.get(number)) is not None
        ]
        shops.sort(reverse=True)
        runs: list[Run] = []
        done = 0
        for chunk in (wanted, 4 * wanted, 16 * wanted):
            if not self._by_words_alone or self.point is None or done + chunk >= len(shops):
                break
            some = [row for _, _, of_block in shops[done : done + chunk] for row in of_block]
            runs += self._runs(some, titles)
            done += chunk
            nearness, number, _ = shops[done]
            km = self._distance(self.view.by_number[number])
            if km is None or nearness > 1.0:
                continue
            left = [row for _, _, of_block in shops[done:] for row in of_block]
            # A title further away may come before a description nearer by.
            best = Where.HEAD if any(row in titles.rows for row in left) else Where.ELSEWHERE
            gathered = self._as_far_as(runs, km, best, after, wanted)
            if len(gathered.placed) >= wanted and RingName.AROUND in gathered.whole:
                gathered.totals[RingName.FURTHER] += len(left)
                if len(rows) < MATCHES_MOST:
                    gathered.whole.add(RingName.FURTHER)
                return gathered
        runs = self._runs(rows, titles)
        placed = ranking.in_order(runs, self.seed, self.radius_km, after)
        whole = RingName if len(rows) < MATCHES_MOST else ()
        return _Gathered(list(itertools.islice(placed, wanted)), runs, whole)

    def _nearness(self, block: Block) -> float:
        """What sorts blocks by how near they are: those of the commune and beside it first."""
        if block.place in self.commune or block.place in self.adjoining:
            return 2.0
        if self.point is None or block.point is None:
            return -2.0
        (a, b, c), (x, y, z) = self.point, block.point
        return a * x + b * y + c * z

    def _everywhere(self, plan: Plan, limit: int) -> list[int]:
        return search.find(self.db, plan.expression, _EVERYTHING, prices=self.prices, limit=limit)

    def _from_near(
        self, plan: Plan, some: Sequence[int], after: Key | None, wanted: int
    ) -> _Gathered | None:
        """From the nearest shops; None where the zones do not decide it.

        `some` are the matches with the lowest numbers: how far they reach tells how many there are.
        """
        if self.point is None:
            return None  # nothing is nearer than anything
        density = self._density(some)
        if density * self.view.listings() < FEW:
            return None
        passed_over = int(RANGE_COSTS / density / AVERAGE_SHOP)
        # What comes first is known wherever it is, where that is little; else how often it is met.
        best, titles, heads = Where.ELSEWHERE, self._some(plan.in_title), self._some(plan.at_head)
        known = titles
        if len(titles) > RARE:
            best, known = Where.TITLE, heads
            if len(heads) > RARE:
                best, known = Where.HEAD, []
            density = self._density(heads if best is Where.HEAD else titles)
        passed = frozenset(known)
        runs = self._runs(known, _Titles(passed, frozenset(heads)))
        first = self.view.of_places([*self.commune, *self.adjoining])
        taken = {block.number for block in first}
        zone: list[Block] = list(first)
        nearer = self.view.from_near(self.point)
        lying = 0
        for hoped in (wanted, EXACT_UP_TO, EXACT_UP_TO * 3):
            end = max(ZONE_LEAST, int(hoped * MARGIN / density))
            if end > ZONE_MOST:
                return None
            reached = math.inf
            for block in nearer:
                lying += block.used
                if block.number not in taken:
                    zone.append(block)
                if lying >= end:
                    reached = self._distance(block) or 0.0
                    break
            else:
                zone += [block for block in self.view.nowhere if block.number not in taken]
            ranges = self.view.ranges(zone, passed_over)
            only = {block.number for block in zone}
            rows = [
                row
                for row in search.find(
                    self.db, plan.expression, ranges, prices=self.prices, limit=MATCHES_MOST
                )
                if row >> search.ROW_BITS in only and row not in passed
            ]
            there = _Titles(passed, passed)
            if best < Where.ELSEWHERE:
                there = self._titles(plan, ranges)
            runs += self._runs(rows, there)
            gathered = self._as_far_as(runs, reached, best, after, wanted)
            if reached == math.inf or (
                len(gathered.placed) >= wanted and self._knows_totals(plan, gathered)
            ):
                return gathered
            zone = []
        return None

    def _some(self, expression: str | None) -> list[int]:
        """Rows whose titles match: all of them, or more than RARE."""
        if expression is None:
            return []
        return search.find(
            self.db, expression, _EVERYTHING, titles=True, prices=self.prices, limit=RARE + 1
        )

    def _density(self, some: Sequence[int]) -> float:
        """How many of all listings match, guessed from those with the lowest numbers."""
        return len(some) / max(1, self.view.listings_before(some[-1]))

    def _as_far_as(
        self, runs: Sequence[Run], reached: float, best: Where, after: Key | None, wanted: int
    ) -> _Gathered:
        """What is decided when everything up to `reached` kilometres has been looked at, and every
        match that is better than `best`, wherever it is."""
        whole = {RingName.COMMUNE}
        if reached > self.radius_km:
            whole.add(RingName.AROUND)
        if reached == math.inf:
            whole.add(RingName.FURTHER)
        limit = ranking.tenths(min(reached, 1e5))
        circle = ranking.circle_of(RingName.FURTHER, min(reached, 1e5), self.radius_km)

        def is_decided(one: Placed) -> bool:
            ring, its_circle, where, stale, turn, distance, _, _ = one.key
            if one.run.ring in whole:
                return True
            if ring == RINGS.index(RingName.FURTHER):
                if RingName.AROUND not in whole or its_circle > circle:
                    return False
                if its_circle < circle:
                    return True
            # Of a circle that is not whole yet: what nothing further away can come before.
            return where < best or (where == best and not (stale or turn) and distance < limit)

        decided = itertools.takewhile(
            is_decided, ranking.in_order(runs, self.seed, self.radius_km, after)
        )
        return _Gathered(list(itertools.islice(decided, wanted)), runs, whole)

    def _knows_totals(self, plan: Plan, gathered: _Gathered) -> bool:
        """Whether the totals are what they must be; counts what is further where it is not."""
        if not gathered.knows(RingName.AROUND):
            return False
        if not gathered.knows(RingName.FURTHER) and self._by_words_alone:
            nearer = sum(gathered.totals.values()) - gathered.totals[RingName.FURTHER]
            most = nearer + EXACT_UP_TO + 1
            everywhere = search.count(self.db, plan.expression, most)
            gathered.totals[RingName.FURTHER] = everywhere - nearer
            if everywhere < most:
                gathered.whole.add(RingName.FURTHER)
        return gathered.knows(RingName.FURTHER)

    def _titles(self, plan: Plan, ranges: Sequence[tuple[int, int]]) -> "_Titles":
        """The rows of some ranges that match by their titles."""
        found = []
        # In a zone it is quicker to look for the heads alone: little is there in any case.
        heads = plan.at_head if ranges is _EVERYTHING else plan.head
        for expression in (plan.in_title, heads):
            rows: list[int] = []
            if expression is not None:
                rows = search.find(self.db, expression, ranges, titles=True, limit=MATCHES_MOST)
            found.append(frozenset(rows))
        return _Titles(*found)

    def _runs(self, rows: Iterable[int], titles: "_Titles") -> list[Run]:
        """Rows by their shops, as far as these pass the filters.

        Every row found goes through here, so this loop is kept short.
        """
        runs: dict[tuple[str, Where], Run] = {}
        of_number = self.view.by_number.get
        in_title, at_head = titles.rows, titles.heads
        last, placed = -1, None
        for row in rows:
            number = row >> search.ROW_BITS
            if number != last:
                last = number
                block = of_number(number)
                placed = None if block is None else self._placed(block)
            if placed is None:
                continue
            where = Where.ELSEWHERE
            if row in in_title:
                where = Where.HEAD if row in at_head else Where.TITLE
            block, km, ring, stale = placed
            run = runs.get((block.shop, where))
            if run is None:
                runs[block.shop, where] = Run(block, km, ring, where, stale, [row])
            else:
                run.rows.append(row)
        return list(runs.values())

    def _placed(self, block: Block) -> tuple[Block, float | None, RingName, bool] | None:
        """A block with its distance, its ring, and whether its node is silent; None where it is
        not to be shown."""
        peer, stale = block.peer, False
        if peer is not None:
            if peer in self.silence.hidden:
                return None
            stale = peer in self.silence.old
        km = self._distance(block)
        if self._of_shops and not self._shop_fits(block, km):
            return None
        if block.place in self.commune:
            ring = RingName.COMMUNE
        elif block.place in self.adjoining or (km is not None and km <= self.radius_km):
            ring = RingName.AROUND
        else:
            ring = RingName.FURTHER
        return block, km, ring, stale

    def _distance(self, block: Block) -> float | None:
        if self.point is None or block.point is None:
            return None
        return globe.distance_km(self.point, block.point)

    def _shop_fits(self, block: Block, km: float | None) -> bool:
        known = self._facts.get(block.shop)
        if known is None:
            shop = shop_rows.get(self.db, block.shop)
            known = self._facts[block.shop] = shop is not None and _fits(
                shop, self.filters, self.place.id, km, self.now
            )
        return known


def _block_number(row: int) -> int:
    return row >> search.ROW_BITS


@dataclass(frozen=True, slots=True)
class _Titles:
    """Rows that have the words in their titles, and those of them that begin with one."""

    rows: frozenset[int]
    heads: frozenset[int]


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
