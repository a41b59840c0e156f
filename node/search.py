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

import bisect
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime

from node import globe, hours, ranking, reading, shops
from node.directory import Block, Directory, View
from node.model import Filters, Ring, RingName, SearchAnswer, SearchHit, SearchQuery, Shop
from node.ranking import Found, Key, Placed
from node.reading import Plan
from node.store import listings, places, search
from node.store import shops as shop_rows
from node.synonyms import Synonyms

PAGE = 20
PAGE_MOST = 500
EXACT_UP_TO = 200
# A word that at most so many listings have is rare: reading all of them costs a few milliseconds.
RARE = 1_500
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
    asked = _Asked(db, query, radius_km, seed, now, engine.directory.view(db))
    start = 0 if after else (min(query.page, PAGE_MOST) - 1) * PAGE
    gathered = asked.gather(plan, after, start + PAGE + 1)
    if not gathered.placed and (shorter := reading.without_needless(db, plan)):
        plan = shorter
        gathered = asked.gather(plan, after, start + PAGE + 1)
    begun = start if after is None else _shown_before(gathered.placed, after)
    shown = gathered.placed[begun : begun + PAGE]
    more = len(gathered.placed) > begun + PAGE
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
        next_cursor=ranking.write_cursor(seed, shown[-1].key) if more else None,
    )


def _shown_before(placed: Sequence[Placed], after: Key) -> int:
    return bisect.bisect_right(placed, after, key=lambda one: one.key)


class _Gathered:
    """What was found: in order as far as that is decided, how many there are of each ring at least,
    and of which rings that is all."""

    def __init__(
        self, placed: list[Placed], found: Iterable[Found], whole: Iterable[RingName]
    ) -> None:
        self.placed = placed
        self.whole = frozenset(whole)
        self.totals = dict.fromkeys(RingName, 0)
        self._farthest: dict[RingName, float | None] = dict.fromkeys(RingName)
        for one in found:
            self.totals[one.ring] += 1
            if one.km is not None and one.km > (self._farthest[one.ring] or -1.0):
                self._farthest[one.ring] = one.km

    def within_km(self, ring: RingName) -> float | None:
        """How far what is known of a ring reaches."""
        if ring is RingName.COMMUNE:
            return 0.0
        farthest = self._farthest[ring]
        return None if farthest is None else round(farthest, 1)

    def totals_known(self) -> bool:
        """Whether each ring's total is exact, or beyond what is counted."""
        return all(name in self.whole or total > EXACT_UP_TO for name, total in self.totals.items())


class _Asked:
    """A query on its way: from where, of which shops, and what is known of them by now."""

    def __init__(
        self,
        db: sqlite3.Connection,
        query: SearchQuery,
        radius_km: float,
        seed: str,
        now: datetime,
        view: View,
    ) -> None:
        self.db = db
        self.place = query.place
        self.filters = query.filters
        self.radius_km = radius_km
        self.seed = seed
        self.now = now
        self.view = view
        self.point = None
        if self.place.latitude is not None and self.place.longitude is not None:
            self.point = globe.vector(self.place.latitude, self.place.longitude)
        parts = places.parts(db, self.place.id)
        self.commune = {self.place.id, *(one.id for one in parts)}
        self.adjoining = {one.id for one in places.adjoining(db, self.place.id)} - self.commune
        self.prices = None
        if self.filters.price_least is not None or self.filters.price_most is not None:
            self.prices = search.Prices(self.filters.price_least, self.filters.price_most)
        self._of_shops = _asks_of_shops(self.filters)
        self._facts: dict[str, bool] = {}

    def gather(self, plan: Plan, after: Key | None, wanted: int) -> _Gathered:
        """Finds enough to show `wanted` hits from the beginning, or from behind `after`."""
        if self._is_rare(plan):
            return self._from_everything(plan)
        return self._from_near(plan, after, wanted) or self._from_everything(plan)

    def _is_rare(self, plan: Plan) -> bool:
        parts = [*(term.expression for term in plan.terms), *plan.demands]
        return any(search.count(self.db, part, RARE + 1) <= RARE for part in parts)

    def _from_everything(self, plan: Plan) -> _Gathered:
        rows = search.find(
            self.db, plan.expression, _EVERYTHING, prices=self.prices, limit=MATCHES_MOST
        )
        found = self._found(plan, rows, _EVERYTHING, None)
        whole = RingName if len(rows) < MATCHES_MOST else ()
        return _Gathered(self._in_order(found), found, whole)

    def _from_near(self, plan: Plan, after: Key | None, wanted: int) -> _Gathered | None:
        """From the nearest shops; None where the zones do not decide it."""
        if self.point is None:
            return None  # nothing is nearer than anything
        first = self.view.of_places([*self.commune, *self.adjoining])
        taken = {block.number for block in first}
        found = self._of_blocks(plan, first)
        nearer = self.view.from_near(self.point)
        lying = 0
        for end in ZONES:
            zone: list[Block] = []
            reached: float | None = None
            for reached, block in nearer:  # noqa: B007
                lying += block.used
                if block.number not in taken:
                    zone.append(block)
                if lying >= end:
                    break
            else:
                found += self._of_blocks(plan, zone)
                return _Gathered(self._in_order(found), found, RingName)
            found += self._of_blocks(plan, zone)
            if reached is None:
                return None  # what is left has no point
            whole = {RingName.COMMUNE} | ({RingName.AROUND} if reached > self.radius_km else set())
            gathered = _Gathered(self._decided(self._in_order(found), reached), found, whole)
            begun = 0 if after is None else _shown_before(gathered.placed, after)
            if len(gathered.placed) - begun >= wanted and gathered.totals_known():
                return gathered
        return None

    def _in_order(self, found: Iterable[Found]) -> list[Placed]:
        return ranking.in_order(found, self.seed, self.radius_km)

    def _decided(self, placed: Sequence[Placed], reached: float) -> list[Placed]:
        """Those that nothing further than `reached` can come before."""
        limit = ranking.tenths(reached)
        circle = ranking.circle_of(RingName.FURTHER, reached, self.radius_km)
        around = reached > self.radius_km
        decided = []
        for one in placed:
            ring, its_circle, body, stale, turn, distance, _, _ = one.key
            # Of a circle that is not whole yet: the first turn of what is as good as can be.
            best = not (body or stale or turn) and distance < limit
            if ring == 1 and not (around or best):
                break
            if ring == 2 and not (
                around and (its_circle < circle or (best and its_circle == circle))
            ):
                break
            decided.append(one)
        return decided

    def _of_blocks(self, plan: Plan, blocks: Sequence[Block]) -> list[Found]:
        ranges = self.view.ranges(blocks)
        rows = search.find(self.db, plan.expression, ranges, prices=self.prices, limit=MATCHES_MOST)
        return self._found(plan, rows, ranges, {block.number for block in blocks})

    def _found(
        self,
        plan: Plan,
        rows: Iterable[int],
        ranges: Iterable[tuple[int, int]],
        only: set[int] | None,
    ) -> list[Found]:
        in_title: set[int] = set()
        if plan.in_title is not None:
            in_title.update(
                search.find(self.db, plan.in_title, ranges, titles=True, limit=MATCHES_MOST)
            )
        found: list[Found] = []
        number, block, km, ring = -1, None, None, RingName.FURTHER
        for row in rows:
            if row >> search.ROW_BITS != number:
                number = row >> search.ROW_BITS
                block = self.view.by_number.get(number) if only is None or number in only else None
                if block is not None:
                    km = self._distance(block)
                    if self._of_shops and not self._shop_fits(block, km):
                        block = None
                    else:
                        ring = self._ring(block, km)
            if block is not None:
                found.append(Found(row, block, km, ring, row in in_title, stale=False))
        return found

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
    ids = search.listings_of(db, [one.found.row for one in placed])
    known = {one.id: one for one in listings.find(db, list(ids.values()))}
    of = {shop: shop_rows.get(db, shop) for shop in {one.shop for one in known.values()}}
    where = {
        place: places.get(db, place)
        for place in {shop.place for shop in of.values() if shop is not None}
        if place is not None
    }
    hits = []
    for one in placed:
        listing = known.get(ids.get(one.found.row, ""))
        shop = of[listing.shop] if listing else None
        if listing is not None and shop is not None:
            km = one.found.km
            hit = SearchHit(
                listing=listing,
                shop=shop,
                place=where.get(shop.place or ""),
                distance_km=None if km is None else round(km, 1),
                stale=one.found.stale,
            )
            hits.append((one.found.ring, hit))
    return hits
