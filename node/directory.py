"""The shops by where they are, in memory: which are in a commune, and which come next from a point.

A copy of the index's blocks (`store/search.py`), kept in step by two numbers: a search that finds
them changed reads what is new. It is shared by the threads that read; each works on a `View`, whose
blocks nobody changes.
"""

import itertools
import math
import sqlite3
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from node import globe
from node.store import matches, search

# Blocks are grouped by squares of so many cells a side, so that far ones are passed over together.
_GROUP_BITS = 5
_GROUP_SHIFT = search.BLOCK_BITS + 2 * _GROUP_BITS
BELT_KM = 250.0
# Blocks in the orders kept, all places together: eight bytes each.
ORDERED_MOST = 1_000_000
# Points that the order of groups is kept for: some ten kilobytes each in a crowded country.
SQUARES_KEPT = 200
# Cosines are exact to some decimetres: nothing must be taken for further than it is.
_SLACK_KM = 0.001


@dataclass(slots=True, eq=False)
class Block:
    """A shop's run of row numbers, and where it is; None where a shop has no point."""

    number: int
    shop: str
    uri: str
    peer: str | None
    place: str | None
    point: globe.Vector | None
    used: int  # roughly how many listings


_Points = list[tuple[float, float, float, Block]]


@dataclass(slots=True)
class _Group:
    """Blocks that lie together, and the circle around them."""

    blocks: list[Block]
    centre: globe.Vector = (0.0, 0.0, 0.0)
    radius_km: float = 0.0
    points: _Points = field(default_factory=list)

    def measure(self) -> None:
        """Draws the circle again."""
        self.points = [(*block.point, block) for block in self.blocks if block.point is not None]
        x, y, z = (sum(axis) for axis in list(zip(*self.points, strict=True))[:3])
        length = (x * x + y * y + z * z) ** 0.5
        # Points all around the globe have no middle; any point will do then, with a wide circle.
        self.centre = (x / length, y / length, z / length) if length > 1e-9 else self.points[0][:3]
        self.radius_km = max(
            globe.distance_km(self.centre, (x, y, z)) for x, y, z, _ in self.points
        )


@dataclass(frozen=True, slots=True)
class _Circles:
    """Where groups are, in the order of their numbers: these, their middles, their radius and
    points, about how many listings lie in them, and in all before each."""

    keys: list[int]
    centres: list[globe.Vector]
    held: list[tuple[float, _Points]]
    widest_km: float
    used: list[int]
    before: list[int]


@dataclass(frozen=True, slots=True)
class _Squares:
    """The groups from one point on, the nearest middle first: their positions among all, how far
    off they are (the cosine, negative so that it rises), and how many listings lie up to each."""

    positions: list[int]
    farness: list[float]
    lying: list[int]


class _Order:
    """The blocks from one point on, the nearest first: as many as anybody has asked for yet."""

    def __init__(self, rest: Iterator[list[Block]]) -> None:
        self.found: list[list[Block]] = []
        self._rest = rest
        self._lock = threading.Lock()

    def look_further(self, known: int) -> int:
        """Finds more where only `known` parts are known; returns how many blocks it found."""
        with self._lock:
            if len(self.found) > known:
                return 0
            part = next(self._rest, None)
            if part is None:
                return 0
            self.found.append(part)
            return len(part)


@dataclass(slots=True)
class View:
    """The blocks as they were at one moment."""

    state: matches.State
    numbers: list[int] = field(default_factory=list)  # sorted
    blocks: list[Block] = field(default_factory=list)  # in the same order
    by_number: dict[int, Block] = field(default_factory=dict)
    by_place: dict[str, list[Block]] = field(default_factory=dict)
    groups: dict[int, _Group] = field(default_factory=dict)
    points: dict[int, globe.Vector] = field(default_factory=dict)  # by number
    nowhere: list[Block] = field(default_factory=list)
    _circles: _Circles | None = None
    _orders: dict[globe.Vector, _Order] = field(default_factory=dict)
    _ordered: int = 0
    _squares: dict[tuple[globe.Vector, float], _Squares] = field(default_factory=dict)

    def circles(self) -> "_Circles":
        """The groups as they are compared."""
        circles = self._circles
        if circles is None:
            keys = sorted(self.groups)
            groups = [self.groups[key] for key in keys]
            used = [sum([block.used for block in group.blocks]) for group in groups]
            circles = self._circles = _Circles(
                keys,
                [group.centre for group in groups],
                [(group.radius_km + _SLACK_KM, group.points) for group in groups],
                max((group.radius_km + _SLACK_KM for group in groups), default=0.0),
                used,
                list(itertools.accumulate(used, initial=0)),
            )
        return circles

    def listings(self) -> int:
        """About how many listings there are: every so manieth block is enough to guess by."""
        step = max(1, len(self.blocks) // 200)
        return step * sum(block.used for block in self.blocks[::step])

    def listings_before(self, row: int) -> int:
        """About how many of them have lower row numbers."""
        position = bisect_left(self.numbers, row >> search.ROW_BITS)
        return int((position + 1) / max(1, len(self.numbers)) * self.listings())

    def km_holding(self, point: globe.Vector, listings: float) -> float:
        """About how far around a point so many listings lie."""
        for belt_km in (BELT_KM, math.inf):
            squares = self._squares_from(point, belt_km)
            position = bisect_left(squares.lying, listings)
            if position < len(squares.lying):
                nearness = max(-1.0, min(1.0, -squares.farness[position]))
                return math.acos(nearness) * globe.EARTH_RADIUS_KM
        return math.inf

    def ranges_within(
        self, point: globe.Vector, km: float, passed_over: float, most: float
    ) -> list[tuple[int, int]] | None:
        """Row numbers that hold every shop that far around a point, by whole groups of them; None
        where more than `most` listings lie there. A range goes on over up to `passed_over`
        listings that are not asked for."""
        circles = self.circles()
        far = km + circles.widest_km
        squares = self._squares_from(point, BELT_KM if far < BELT_KM else math.inf)
        angle = far / globe.EARTH_RADIUS_KM
        count = bisect_right(squares.farness, -math.cos(angle)) if angle < math.pi else None
        positions = sorted(squares.positions[:count])
        if not positions:
            return []
        if squares.lying[len(positions) - 1] > most:
            return None
        found = []
        first = last = positions[0]
        for position in positions[1:]:
            if circles.before[position] - circles.before[last + 1] > passed_over:
                found.append(_of_groups(circles.keys[first], circles.keys[last]))
                first = position
            last = position
        found.append(_of_groups(circles.keys[first], circles.keys[last]))
        return found

    def _squares_from(self, point: globe.Vector, belt_km: float) -> _Squares:
        """The groups whose middles are that far from a point at most."""
        squares = self._squares.get((point, belt_km))
        if squares is None:
            a, b, c = point
            circles = self.circles()
            most = 2.0 if belt_km == math.inf else -math.cos(belt_km / globe.EARTH_RADIUS_KM)
            far = [-(a * x + b * y + c * z) for x, y, z in circles.centres]
            near = sorted([(one, position) for position, one in enumerate(far) if one <= most])
            if len(self._squares) >= SQUARES_KEPT:
                self._squares.clear()
            squares = self._squares[point, belt_km] = _Squares(
                [position for _, position in near],
                [one for one, _ in near],
                list(itertools.accumulate([circles.used[position] for _, position in near])),
            )
        return squares

    def of_places(self, places: Sequence[str]) -> list[Block]:
        """The blocks of shops in some communes."""
        return [block for place in places for block in self.by_place.get(place, ())]

    def from_near(self, point: globe.Vector) -> Iterator[list[Block]]:
        """Every block that has a point, the nearest first, in parts.

        Residents of a commune ask from the same point again and again: the order is kept.
        """
        order = self._orders.get(point)
        if order is None:
            if self._ordered > ORDERED_MOST:
                self._orders, self._ordered = {}, 0
            order = self._orders.setdefault(point, _Order(self._from_near(point)))
        known = 0
        while True:
            if known == len(order.found):
                self._ordered += order.look_further(known)
                if known == len(order.found):
                    return
            yield order.found[known]
            known += 1

    def _from_near(self, point: globe.Vector) -> Iterator[list[Block]]:
        at, bt, ct = point
        # How near a point is, as the cosine of the angle between: quick, and enough to sort by.
        circles = self.circles()
        nearness = [at * x + bt * y + ct * z for x, y, z in circles.centres]
        waiting: list[tuple[float, int, Block]] = []
        # Few look further than the first belt, so what lies behind it is not even sorted.
        most = 2.0
        for belt_km in (BELT_KM, math.inf):
            least = math.cos(belt_km / globe.EARTH_RADIUS_KM) if belt_km < math.inf else -2.0
            groups = sorted(
                [
                    (math.acos(max(-1.0, min(1.0, near))) * globe.EARTH_RADIUS_KM - radius, points)
                    for near, (radius, points) in zip(nearness, circles.held, strict=True)
                    if least < near <= most
                ],
                key=_edge,
            )
            most = least
            behind = belt_km - circles.widest_km
            edges = [*(min(edge, behind) for edge, _ in groups[1:]), behind]
            for (_, points), edge in zip(groups, edges, strict=False):
                waiting += [(at * x + bt * y + ct * z, -one.number, one) for x, y, z, one in points]
                if edge <= 0.0 or edge == math.inf:
                    continue  # the next may hold nearer ones, or there is none
                near = math.cos(min(math.pi, edge / globe.EARTH_RADIUS_KM))
                ready = [one for one in waiting if one[0] > near]
                if not ready:
                    continue
                waiting = [one for one in waiting if one[0] <= near]
                ready.sort(key=_nearness, reverse=True)
                yield [block for _, _, block in ready]
        if waiting:
            waiting.sort(key=_nearness, reverse=True)
            yield [block for _, _, block in waiting]

    def ranges(self, blocks: Sequence[Block], passed_over: int) -> list[tuple[int, int]]:
        """Runs of row numbers that hold those of some blocks; each goes on over at most
        `passed_over` blocks that were not asked for."""
        found: list[tuple[int, int]] = []
        first = last = position = -1
        for number in sorted(block.number for block in blocks):
            here = bisect_left(self.numbers, number)
            if first >= 0 and here - position > passed_over + 1:
                found.append(_rows(first, last))
                first = number
            elif first < 0:
                first = number
            last, position = number, here
        if first >= 0:
            found.append(_rows(first, last))
        return found


def _rows(first: int, last: int) -> tuple[int, int]:
    return first << search.ROW_BITS, ((last + 1) << search.ROW_BITS) - 1


def _of_groups(first: int, last: int) -> tuple[int, int]:
    bits = _GROUP_SHIFT + search.ROW_BITS
    return first << bits, ((last + 1) << bits) - 1


def _edge(group: tuple[float, _Points]) -> float:
    return group[0]


def _nearness(one: tuple[float, int, Block]) -> tuple[float, int]:
    return one[0], one[1]


class Directory:
    """Keeps a view in step with the index."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._view = View(matches.State(-1, -1))

    def view(self, db: sqlite3.Connection) -> View:
        """The blocks as they are for this connection."""
        state = matches.state(db)
        view = self._view
        if view.state == state:
            return view
        with self._lock:
            view = self._view
            if view.state.generation != state.generation:
                view = _built(state, matches.blocks(db))
            elif view.state.revision < state.revision:
                view = _renewed(view, state, matches.blocks(db, view.state.revision))
            self._view = view
            return view


def _built(state: matches.State, stored: Sequence[matches.Block]) -> View:
    view = View(state)
    for one in stored:  # they come in the order of numbers
        block = _block(one)
        view.numbers.append(block.number)
        view.blocks.append(block)
        view.by_number[block.number] = block
        if block.place is not None:
            view.by_place.setdefault(block.place, []).append(block)
        if block.point is None:
            view.nowhere.append(block)
        else:
            view.points[block.number] = block.point
            view.groups.setdefault(block.number >> _GROUP_SHIFT, _Group([])).blocks.append(block)
    for group in view.groups.values():
        group.measure()
    return view


def _renewed(view: View, state: matches.State, stored: Sequence[matches.Block]) -> View:
    """A view with some blocks more; those it has already have only grown."""
    fresh = [one for one in stored if one.number not in view.by_number]
    for one in stored:
        known = view.by_number.get(one.number)
        if known is not None:
            known.used = one.used
    if not fresh:
        view.state = state
        return view
    renewed = View(
        state,
        list(view.numbers),
        list(view.blocks),
        dict(view.by_number),
        dict(view.by_place),
        dict(view.groups),
        dict(view.points),
        list(view.nowhere),
    )
    for one in fresh:
        block = _block(one)
        position = bisect_left(renewed.numbers, block.number)
        renewed.numbers.insert(position, block.number)
        renewed.blocks.insert(position, block)
        renewed.by_number[block.number] = block
        if block.place is not None:
            renewed.by_place[block.place] = [*renewed.by_place.get(block.place, ()), block]
        if block.point is None:
            renewed.nowhere.append(block)
        else:
            renewed.points[block.number] = block.point
            key = block.number >> _GROUP_SHIFT
            known_group = renewed.groups.get(key)
            group = _Group([*(known_group.blocks if known_group else ()), block])
            group.measure()
            renewed.groups[key] = group
    return renewed


def _block(stored: matches.Block) -> Block:
    point = None
    if stored.latitude is not None and stored.longitude is not None:
        point = globe.vector(stored.latitude, stored.longitude)
    return Block(
        number=stored.number,
        shop=stored.shop,
        uri=stored.uri,
        peer=stored.peer,
        place=stored.place,
        point=point,
        used=stored.used,
    )
