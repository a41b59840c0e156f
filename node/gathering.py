"""How what a resident looks for is gathered, so that no query reads much.

- What few listings match is answered from all of those.
- What more match is answered from whole circles around the place, where they hold little; else from
  the nearest shops: the commune's, then, zone by zone, the next, until the page is decided and the
  totals are known. How large a circle or zone must be is guessed from how often the words are met.
  What is decided is exactly what a look at everything would have given.
- Where three zones have not been enough, or would be too large, everything is looked at after all.
"""

import bisect
import heapq
import itertools
import math
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from node import bringing, globe, hours, neighbours, ranking
from node.directory import Block, View
from node.model import Filters, RingName, SearchQuery, Shop
from node.ranking import RINGS, Key, Placed, Run, Where
from node.reading import Plan
from node.store import matches, search
from node.store import shops as shop_rows

EXACT_UP_TO = 200
# What at most so many listings match is rare: looking at all of them costs a few milliseconds.
RARE = 300
# Where about so few match, no zone is tried.
FEW = 2_500
# Whole circles are read where they hold about so many matches at most, and so often.
CIRCLES_HOLD = 1_500
CIRCLES_TRIED = 3
SLACK = 1e-6  # of an angle, so that nothing is passed over for a rounding: some metres
# A zone is made to hold about what is hoped for in it, with a margin; it is no smaller, no larger.
MARGIN = 1.3
ZONE_LEAST, ZONE_MOST = 1_000, 80_000
# Going on reading over what was not asked for costs less than another range while it is less than
# so many matches.
RANGE_COSTS = 100
AVERAGE_SHOP = 50
# The first words of at most so many titles are looked up one by one.
LOOKED_UP_MOST = 2_000
# Of what is looked at in full, no more than this is ranked.
MATCHES_MOST = 20_000
_LAST = 2**62
_EVERYTHING = ((0, _LAST),)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Place ids: of the commune itself with its arrondissements, and of those it borders on."""

    commune: frozenset[str]
    adjoining: frozenset[str]


class Gathered:
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

    def counts_at_least(self, totals: Mapping[RingName, int]) -> None:
        """Takes over totals found elsewhere, for rings of which not all is known here."""
        for ring, total in totals.items():
            if ring not in self.whole:
                self.totals[ring] = max(self.totals[ring], total)

    def knows(self, ring: RingName) -> bool:
        """Whether a ring's total is exact, or beyond what is counted."""
        return ring in self.whole or self.totals[ring] > EXACT_UP_TO


class Asked:
    """A query on its way: from where, of which shops, and what is known of them by now."""

    def __init__(
        self,
        db: sqlite3.Connection,
        query: SearchQuery,
        radius_km: float,
        seed: str,
        now: datetime,
        view: View,
        around: Surroundings,
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
        self.commune, self.adjoining = around.commune, around.adjoining
        self.prices = None
        if self.filters.price_least is not None or self.filters.price_most is not None:
            self.prices = matches.Prices(self.filters.price_least, self.filters.price_most)
        self.silence = neighbours.silence(db, now)
        self._of_shops = _asks_of_shops(self.filters)
        # Whether all that match in the index are shown, so that counting them will do.
        self._by_index_alone = not (self._of_shops or self.silence.hidden)
        self._facts: dict[str, bool] = {}
        self._met_at_least = 0
        self._decided: Gathered | None = None  # a page, whose totals are not known

    def gather(self, plan: Plan, after: Key | None, wanted: int) -> Gathered:
        """Finds enough to show `wanted` hits from the beginning, or from behind `after`."""
        self._decided = None
        rows = self._everywhere(plan, RARE + 1)
        if len(rows) > RARE:
            self._met_at_least = len(rows)
            near = self._from_circles(plan, rows, after, wanted)
            near = near or self._from_near(plan, rows, after, wanted)
            if near is not None:
                return near
            rows += self._everywhere(plan, MATCHES_MOST - len(rows), behind=rows[-1])
        found = self._from_all(plan, rows, after, wanted)
        if self._decided is not None and len(rows) >= MATCHES_MOST:
            # These are perhaps not all, and anywhere: they tell of totals and not of a page.
            self._decided.counts_at_least(found.totals)
            return self._decided
        return found

    def _from_all(
        self, plan: Plan, rows: Sequence[int], after: Key | None, wanted: int
    ) -> Gathered:
        """From all that match: the nearest are put in order first, and mostly that will do."""
        titled = self._in_title(plan, _EVERYTHING)
        runs: list[Run] = []
        if self._by_index_alone and self.point is not None:
            near = _Nearness(self, rows)
            for chunk in (wanted, 4 * wanted, 16 * wanted):
                taken = near.next(chunk)
                if taken is None:
                    break
                some, reached = taken
                heads = self._heads(plan, titled.intersection(some))
                runs += self._runs(some, _Titles(titled, heads))
                if reached is None:
                    continue
                # A title further away may come before a description nearer by.
                ranked = sum(len(run.rows) for run in runs if run.where < Where.ELSEWHERE)
                best = Where.HEAD if ranked < len(titled) else Where.ELSEWHERE
                gathered = self._as_far_as(runs, reached, best, after, wanted)
                if len(gathered.placed) >= wanted and RingName.AROUND in gathered.whole:
                    gathered.totals[RingName.FURTHER] += near.left
                    if len(rows) < MATCHES_MOST:
                        gathered.whole.add(RingName.FURTHER)
                    return gathered
        runs = self._runs(rows, self._titles(plan, _EVERYTHING, titled))
        placed = ranking.in_order(runs, self.seed, self.radius_km, after)
        whole = RingName if len(rows) < MATCHES_MOST else ()
        return Gathered(list(itertools.islice(placed, wanted)), runs, whole)

    def _everywhere(self, plan: Plan, limit: int, behind: int = -1) -> list[int]:
        """The matches with the lowest numbers, or those behind one."""
        ranges = _EVERYTHING if behind < 0 else ((behind + 1, _LAST),)
        return matches.find(self.db, plan.expression, ranges, prices=self.prices, limit=limit)

    def _from_circles(
        self, plan: Plan, some: Sequence[int], after: Key | None, wanted: int
    ) -> Gathered | None:
        """From all that lies in the commune, around it, and in as many whole circles as the page is
        hoped for in; None where that is much, or does not decide it. `some` as in `_from_near`.

        A circle that is read whole is decided, whatever comes first in it: little is read twice.
        """
        if self.point is None:
            return None
        met = self._density(some)
        hoped = wanted * MARGIN / met
        own = self.view.of_places([*self.commune, *self.adjoining])
        reached = 0.0
        for _ in range(CIRCLES_TRIED):
            km = self.view.km_holding(self.point, hoped)
            if km == math.inf:
                return None
            edge = ranking.end_of_circle(max(km, reached), self.radius_km)
            ranges = self.view.ranges_within(
                self.point, edge, RANGE_COSTS / met, CIRCLES_HOLD / met
            )
            if ranges is None:
                return None
            # Shops of the commune that are somewhere else, or nowhere.
            starts = [first for first, _ in ranges]
            ranges += self.view.ranges(
                [
                    one
                    for one in own
                    if not _is_within(one.number << search.ROW_BITS, ranges, starts)
                ],
                0,
            )
            rows = self._matches(plan, ranges)
            titled = self._in_title(plan, ranges)
            if max(len(rows), len(titled)) >= MATCHES_MOST:
                return None  # perhaps not all of them
            rows = self._within(rows, edge, own)
            titled = titled.intersection(rows)
            runs = self._runs(rows, _Titles(titled, self._heads(plan, titled, ranges)))
            reached = math.nextafter(edge, math.inf)
            gathered = self._as_far_as(runs, reached, Where.HEAD, after, wanted)
            if len(gathered.placed) >= wanted:
                self._decided = gathered
                return gathered if self._knows_totals(plan, gathered) else None
            hoped *= min(8.0, max(2.0, wanted * MARGIN / max(1, len(gathered.placed))))
        return None

    def _within(self, rows: Sequence[int], km: float, own: Iterable[Block]) -> list[int]:
        """Those of some rows whose shops are that far away at most, or are among some own ones."""
        assert self.point is not None
        a, b, c = self.point
        angle = km / globe.EARTH_RADIUS_KM + SLACK
        least = math.cos(angle) if angle < math.pi else -2.0  # rounded, -1 may be a little less
        points = self.view.points
        asked = {row >> search.ROW_BITS for row in rows}
        near = asked.intersection([block.number for block in own])
        for number in asked:
            point = points.get(number)
            if point is not None and a * point[0] + b * point[1] + c * point[2] >= least:
                near.add(number)
        return [row for row in rows if row >> search.ROW_BITS in near]

    def _matches(self, plan: Plan, ranges: Sequence[tuple[int, int]]) -> list[int]:
        return matches.find(
            self.db, plan.expression, ranges, prices=self.prices, limit=MATCHES_MOST
        )

    def _from_near(
        self, plan: Plan, some: Sequence[int], after: Key | None, wanted: int
    ) -> Gathered | None:
        """From the nearest shops; None where the zones do not decide it.

        `some` are the matches with the lowest numbers: how far they reach tells how many there are.
        """
        if self.point is None:
            return None  # nothing is nearer than anything
        density = met = self._density(some)
        if met * self.view.listings() < FEW:
            return None
        passed_over = self._passed_over(met)
        # What comes first is known wherever it is, where that is little; else how often it is met.
        best, titles = Where.ELSEWHERE, self._some(plan.in_title)
        heads = self._some(plan.at_head) if titles else []
        known = titles
        if len(titles) > RARE:
            best, known = Where.TITLE, heads
            if len(heads) > RARE:
                best, known = Where.HEAD, []
            density = self._density(heads if best is Where.HEAD else titles)
        passed = frozenset(known)
        runs = self._runs(known, _Titles(passed, frozenset(heads)))
        zone = self.view.of_places(list(self.commune))
        beside = self.view.of_places(list(self.adjoining))
        taken = {block.number for block in zone}
        nearer = itertools.chain.from_iterable(self.view.from_near(self.point))
        lying = 0
        placed: list[Placed] | None = None
        for hoped in (wanted, 8 * wanted, 24 * wanted, None, None):
            decided = placed is not None
            if hoped is None and not decided:
                return None
            # Once the page is decided only totals are wanting: everything around, or very much.
            more = EXACT_UP_TO * MARGIN / met
            if hoped is not None and not decided:
                more = hoped * MARGIN / density - lying
            end = lying + max(ZONE_LEAST, more)
            if end > ZONE_MOST:
                return None
            reached = math.inf
            last: Block | None = None
            for block in nearer:
                # Never between two blocks of one shop, which are at one point.
                if (lying >= end or decided) and last is not None and block.point != last.point:
                    km = self._distance(block) or 0.0
                    if lying >= end or km > self.radius_km:
                        reached = km
                        nearer = itertools.chain([block], nearer)
                        break
                last = block
                lying += block.used
                if block.number not in taken:
                    zone.append(block)
                    taken.add(block.number)
            else:
                zone += [block for block in self.view.nowhere if block.number not in taken]
            if reached > self.radius_km:  # what borders on the commune is around it, however far
                zone += [block for block in beside if block.number not in taken]
                taken.update([block.number for block in beside])
                beside = []
            ranges = self.view.ranges(zone, passed_over)
            only = {block.number for block in zone}
            met_there = self._matches(plan, ranges)
            if len(met_there) >= MATCHES_MOST:
                return None  # perhaps not all of them
            rows = [
                row for row in met_there if row >> search.ROW_BITS in only and row not in passed
            ]
            there = _Titles(passed, passed)
            if placed is None and best < Where.ELSEWHERE:
                titled = self._in_title(plan, ranges)
                heads_there = passed if best is Where.TITLE else self._heads(plan, titled)
                there = _Titles(titled, heads_there)
            runs += self._runs(rows, there)
            if placed is None:
                gathered = self._as_far_as(runs, reached, best, after, wanted)
                if len(gathered.placed) >= wanted:
                    placed = gathered.placed
            else:
                gathered = Gathered(placed, runs, self._whole(reached))
            if placed is not None:
                self._decided = gathered
            if reached == math.inf or (placed is not None and self._knows_totals(plan, gathered)):
                return gathered
            zone = []
        return None

    def _some(self, expression: str | None) -> list[int]:
        """Rows whose titles match: all of them, or more than RARE."""
        if expression is None:
            return []
        return matches.find(
            self.db, expression, _EVERYTHING, titles=True, prices=self.prices, limit=RARE + 1
        )

    def _density(self, some: Sequence[int]) -> float:
        """How many of all listings match, guessed from those with the lowest numbers."""
        return len(some) / max(1, self.view.listings_before(some[-1]))

    def _whole(self, reached: float) -> set[RingName]:
        whole = {RingName.COMMUNE}
        if reached > self.radius_km:
            whole.add(RingName.AROUND)
        if reached == math.inf:
            whole.add(RingName.FURTHER)
        return whole

    def _as_far_as(
        self, runs: Sequence[Run], reached: float, best: Where, after: Key | None, wanted: int
    ) -> Gathered:
        """What is decided when everything up to `reached` kilometres has been looked at, and every
        match that is better than `best`, wherever it is."""
        whole = self._whole(reached)
        limit = ranking.tenths(min(reached, 1e5))
        circle = ranking.circle_of(RingName.FURTHER, min(reached, 1e5), self.radius_km)

        further = RINGS.index(RingName.FURTHER)

        def is_decided(one: Placed) -> bool:
            ring, its_circle, where, stale, turn, distance, _, _ = one.key
            if one.run.ring in whole:
                return True
            if ring == further:
                if RingName.AROUND not in whole or its_circle > circle:
                    return False
                if its_circle < circle:
                    return True
            # Of a circle that is not whole yet: what nothing further away can come before.
            return where < best or (where == best and not (stale or turn) and distance < limit)

        decided = itertools.takewhile(
            is_decided, ranking.in_order(runs, self.seed, self.radius_km, after)
        )
        return Gathered(list(itertools.islice(decided, wanted)), runs, whole)

    def _knows_totals(self, plan: Plan, gathered: Gathered) -> bool:
        """Whether the totals are what they must be; counts what is further where it is not."""
        if not gathered.knows(RingName.AROUND):
            return False
        if not gathered.knows(RingName.FURTHER) and self._by_index_alone:
            nearer = sum(gathered.totals.values()) - gathered.totals[RingName.FURTHER]
            most = nearer + EXACT_UP_TO + 1
            everywhere = most
            if self._met_at_least < most:
                everywhere = self._count(plan, most)
            gathered.totals[RingName.FURTHER] = everywhere - nearer
            if everywhere < most:
                gathered.whole.add(RingName.FURTHER)
        return gathered.knows(RingName.FURTHER)

    def _titles(
        self,
        plan: Plan,
        ranges: Sequence[tuple[int, int]],
        titled: frozenset[int] | None = None,
    ) -> "_Titles":
        """The rows of some ranges that match by their titles; `titled` where that is known."""
        rows = self._in_title(plan, ranges) if titled is None else titled
        return _Titles(rows, self._heads(plan, rows))

    def _count(self, plan: Plan, most: int) -> int:
        """How many match, up to `most`."""
        if self.prices is None:
            return matches.count(self.db, plan.expression, most)
        return len(self._everywhere(plan, most))

    def _in_title(self, plan: Plan, ranges: Sequence[tuple[int, int]]) -> frozenset[int]:
        if plan.in_title is None:
            return frozenset()
        rows = matches.find(self.db, plan.in_title, ranges, titles=True, limit=MATCHES_MOST)
        return frozenset(rows)

    def _heads(
        self,
        plan: Plan,
        titled: frozenset[int],
        ranges: Sequence[tuple[int, int]] = _EVERYTHING,
    ) -> frozenset[int]:
        """Those of some rows with the words in their titles that begin with one of them; `ranges`
        hold them all."""
        if len(titled) > LOOKED_UP_MOST and plan.at_head is not None:
            heads = matches.find(self.db, plan.at_head, ranges, titles=True, limit=MATCHES_MOST)
            return titled.intersection(heads)
        return matches.beginning_with(self.db, titled, plan.first_words) if titled else titled

    @staticmethod
    def _passed_over(density: float) -> int:
        """How many blocks that are not asked for a range goes on over, of what is met so often."""
        return int(RANGE_COSTS / max(density, 1e-6) / AVERAGE_SHOP)

    def _runs(self, rows: Iterable[int], titles: "_Titles") -> list[Run]:
        """Rows by their shops, as far as these pass the filters.

        Every row found goes through here, so this loop is kept short.
        """
        runs: list[Run] = []
        of_shop: dict[str, list[Run | None]] = {}
        of_number = self.view.by_number.get
        in_title, at_head = titles.rows, titles.heads
        last, placed = -1, None
        for row in rows:
            number = row >> search.ROW_BITS
            if number != last:
                last = number
                block = of_number(number)
                placed = None if block is None else self._placed(block)
                if placed is not None:
                    its = of_shop.setdefault(placed[0].shop, [None] * len(Where))
            if placed is None:
                continue
            where = Where.ELSEWHERE
            if row in in_title:
                where = Where.HEAD if row in at_head else Where.TITLE
            run = its[where]
            if run is None:
                block, km, ring, stale = placed
                run = its[where] = Run(block, km, ring, where, stale, [])
                runs.append(run)
            run.rows.append(row)
        return runs

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


class _Nearness:
    """Rows to be taken from the nearest shops on: those of the commune and beside it first.

    Of some thousand rows a few dozen are wanted, so nothing here puts all of them in order.
    """

    def __init__(self, asked: Asked, rows: Sequence[int]) -> None:
        """`asked` has a point; `rows` are in the order of their numbers."""
        assert asked.point is not None
        a, b, c = asked.point
        of_number = asked.view.by_number
        once = dict.fromkeys([row >> search.ROW_BITS for row in rows])
        numbers = list(once)
        if not of_number.keys() >= once.keys():
            numbers = [number for number in numbers if number in of_number]
            rows = [row for row in rows if row >> search.ROW_BITS in of_number]
        self._asked = asked
        self._rows = rows
        self._numbers = numbers
        # The cosine of the angle between: quick, and enough to sort by.
        point_of = asked.view.points.__getitem__
        with_point = bisect.bisect_left(numbers, search.NOWHERE << search.BLOCK_BITS)
        self._near = [a * x + b * y + c * z for x, y, z in map(point_of, numbers[:with_point])]
        self._near += [-2.0] * (len(numbers) - with_point)
        for block in asked.view.of_places([*asked.commune, *asked.adjoining]):
            position = bisect.bisect_left(numbers, block.number)
            if position < len(numbers) and numbers[position] == block.number:
                self._near[position] = 2.0
        self._reached = math.inf
        self.left = len(rows)

    def next(self, shops: int) -> tuple[list[int], float | None] | None:
        """The rows of about so many shops more, and how many kilometres away the next shop is.

        That is None where it is not known, or the next is still of the commune or beside it. Of
        fewer shops than are asked for nothing is given.
        """
        taken = len(self._rows) - self.left
        there = [near for near in self._near if near <= self._reached] if taken else self._near
        if shops >= len(there):
            return None
        limit = heapq.nlargest(shops + 1, there)[-1]
        some: list[int] = []
        following = -1
        near_enough = [at for at, near in enumerate(self._near) if limit <= near <= self._reached]
        for position in near_enough:
            if self._near[position] > limit:
                first = self._numbers[position] << search.ROW_BITS
                begin = bisect.bisect_left(self._rows, first)
                end = bisect.bisect_left(self._rows, first + search.ROWS_IN_BLOCK, begin)
                some += self._rows[begin:end]
            else:
                following = self._numbers[position]
        self._reached = limit
        self.left -= len(some)
        km = self._asked._distance(self._asked.view.by_number[following])
        return some, None if limit > 1.0 else km


def _is_within(row: int, ranges: Sequence[tuple[int, int]], starts: Sequence[int]) -> bool:
    """Whether one of some ranges, whose beginnings are `starts`, holds a row number."""
    position = bisect.bisect_right(starts, row) - 1
    return position >= 0 and row <= ranges[position][1]


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
    if filters.delivered and not bringing.goes_to(shop, place, km):
        return False
    return not filters.open_now or hours.state(shop.hours, shop.place, now).open is True
