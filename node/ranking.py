"""The order of results, in full. Nothing else counts, and nothing can be bought.

1. The commune comes first, then what is around it, then what is further.
2. Further away, the shops are taken in circles, each twice as wide as the one before.
3. Inside each of these, what has all the words in its title comes before what has some of them
   elsewhere; first of all where the title begins with one of them, as the name of a thing does.
4. What is known to be true today comes before what a silent neighbour said long ago.
5. The shops take turns: in the commune each shop shows one listing, then each its second; outside,
   each shows three, then each three more.
6. Outside the commune, the nearer shop comes first.
7. Between shops that are still alike, the day decides: a number made of the date and the shop's
   address, so that nobody is always first and anybody can check it.
8. Of one shop, the newest comes first.

The price never counts.
"""

import bisect
import heapq
import math
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from functools import partial

from node import errors
from node.directory import Block
from node.model import RingName

TURN = {RingName.COMMUNE: 1, RingName.AROUND: 3, RingName.FURTHER: 3}
RINGS = tuple(RingName)
_RING_NUMBERS = {ring: number for number, ring in enumerate(RINGS)}
_TURNS = tuple(TURN[ring] for ring in RINGS)
_UNKNOWN_CIRCLE = 99
_UNKNOWN_DISTANCE = 10**6  # tenths of a kilometre
_CURSOR = re.compile(r"(\d{8})((?:\.[0-9a-f]{1,9}){8})")

# (ring, circle, where, stale, turn, tenths of km, nth of the shop, tie)
Key = tuple[int, int, int, int, int, int, int, int]


class Where(IntEnum):
    """Where a listing has the words."""

    HEAD = 0  # all in the title, and one of them at its beginning
    TITLE = 1
    ELSEWHERE = 2


@dataclass(slots=True, eq=False)
class Run:
    """The rows of one shop that matched alike, and what their place in the order depends on."""

    block: Block
    km: float | None
    ring: RingName
    where: Where
    stale: bool
    rows: list[int]  # the newest first, once in order


@dataclass(frozen=True, slots=True)
class Placed:
    """A row at its place in the order."""

    key: Key
    row: int
    run: Run


def in_order(
    runs: Iterable[Run], seed: str, radius_km: float, after: Key | None = None
) -> Iterator[Placed]:
    """The rows in the order in which they are shown, from the first behind `after` on.

    One at a time: what nobody asks for is never put in order.
    """
    waiting: list[tuple[Key, str, int, Run]] = []
    for run in runs:
        run.rows.sort(reverse=True)
        nth, key = 0, _key(run, seed, radius_km)
        if after is not None and key <= after:
            nth = bisect.bisect_right(range(len(run.rows)), after, key=partial(_nth, key))
            if nth == len(run.rows):
                continue
            key = _nth(key, nth)
        waiting.append((key, run.block.shop, nth, run))
    heapq.heapify(waiting)
    while waiting:
        key, shop, nth, run = waiting[0]
        yield Placed(key, run.rows[nth], run)
        nth += 1
        if nth < len(run.rows):
            heapq.heapreplace(waiting, (_nth(key, nth), shop, nth, run))
        else:
            heapq.heappop(waiting)


def _key(run: Run, seed: str, radius_km: float) -> Key:
    """Of the first of a run."""
    ring = run.ring
    return (
        _RING_NUMBERS[ring],
        0 if ring is not RingName.FURTHER else circle_of(ring, run.km, radius_km),
        run.where,
        int(run.stale),
        0,
        0 if ring is RingName.COMMUNE else tenths(run.km),
        0,
        tie_of(seed, run.block.uri),
    )


def _nth(key: Key, nth: int) -> Key:
    """The key of another of the same run: it has its own turn, and comes behind those before it."""
    ring, circle, where, stale, _, distance, _, tie = key
    return ring, circle, where, stale, nth // _TURNS[ring], distance, nth, tie


def circle_of(ring: RingName, km: float | None, radius_km: float) -> int:
    """Which circle a shop lies in: 0 up to the end of "around", then each twice as wide."""
    if ring is not RingName.FURTHER:
        return 0
    if km is None:
        return _UNKNOWN_CIRCLE
    return 1 + int(math.log2(max(1.0, km / max(radius_km, 1.0))))


def end_of_circle(km: float, radius_km: float) -> float:
    """Where what is around, or the circle further away, that a distance lies in ends."""
    if km <= radius_km:
        return radius_km
    return float(2 ** circle_of(RingName.FURTHER, km, radius_km) * max(radius_km, 1.0))


def tenths(km: float | None) -> int:
    """A distance as it is shown, in tenths of a kilometre."""
    return _UNKNOWN_DISTANCE if km is None else round(km * 10)


def tie_of(seed: str, uri: str) -> int:
    """What decides between shops that are alike: CRC-32 of the date and the shop's address."""
    return zlib.crc32(f"{seed} {uri}".encode())


def seed_of(day: date) -> str:
    """The seed of a day, as it is printed on the page."""
    return day.isoformat()


def write_cursor(seed: str, key: Key) -> str:
    """Where an answer ended, to go on from there."""
    return seed.replace("-", "") + "".join(f".{part:x}" for part in key)


def read_cursor(text: str) -> tuple[str, Key]:
    """The seed and the place that a cursor names. Raises errors.Invalid (bad-cursor)."""
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise errors.Invalid("bad-cursor", "The cursor is not one that an answer gave.")
    day = match[1]
    parts: Sequence[int] = [int(part, 16) for part in match[2][1:].split(".")]
    a, b, c, d, e, f, g, h = parts
    return f"{day[:4]}-{day[4:6]}-{day[6:]}", (a, b, c, d, e, f, g, h)
