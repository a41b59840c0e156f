"""The order of results, in full. Nothing else counts, and nothing can be bought.

1. The commune comes first, then what is around it, then what is further.
2. Further away, the shops are taken in circles, each twice as wide as the one before.
3. Inside each of these, what has all the words in its title comes before what has some of them in
   its description.
4. What is known to be true today comes before what a silent neighbour said long ago.
5. The shops take turns: in the commune each shop shows one listing, then each its second; outside,
   each shows three, then each three more.
6. Outside the commune, the nearer shop comes first.
7. Between shops that are still alike, the day decides: a number made of the date and the shop's
   address, so that nobody is always first and anybody can check it.
8. Of one shop, the newest comes first.

The price never counts.
"""

import math
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from node import errors
from node.directory import Block
from node.model import RingName

TURN = {RingName.COMMUNE: 1, RingName.AROUND: 3, RingName.FURTHER: 3}
RINGS = tuple(RingName)
_UNKNOWN_CIRCLE = 99
_UNKNOWN_DISTANCE = 10**6  # tenths of a kilometre
_CURSOR = re.compile(r"(\d{8})((?:\.[0-9a-f]{1,9}){8})")

# (ring, circle, not in title, stale, turn, tenths of km, tie, nth of the shop)
Key = tuple[int, int, int, int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Found:
    """A row that matched, and what its place in the order depends on."""

    row: int
    block: Block
    km: float | None
    ring: RingName
    in_title: bool
    stale: bool


@dataclass(frozen=True, slots=True)
class Placed:
    """A row at its place in the order."""

    key: Key
    found: Found


def in_order(found: Iterable[Found], seed: str, radius_km: float) -> list[Placed]:
    """What was found in the order in which it is shown."""
    of_shop: dict[tuple[str, bool], list[Found]] = {}
    for one in found:
        of_shop.setdefault((one.block.shop, one.in_title), []).append(one)
    placed = []
    for group in of_shop.values():
        group.sort(key=_row, reverse=True)  # the newest first
        first = group[0]
        ring = RINGS.index(first.ring)
        circle = circle_of(first.ring, first.km, radius_km)
        distance = 0 if ring == 0 else tenths(first.km)
        turn = TURN[first.ring]
        tie = tie_of(seed, first.block.uri)
        body = int(not first.in_title)
        for nth, one in enumerate(group):
            key = (ring, circle, body, int(one.stale), nth // turn, distance, tie, nth)
            placed.append(Placed(key, one))
    placed.sort(key=_key)
    return placed


def _row(one: Found) -> int:
    return one.row


def _key(one: Placed) -> tuple[Key, str]:
    return one.key, one.found.block.shop


def circle_of(ring: RingName, km: float | None, radius_km: float) -> int:
    """Which circle a shop lies in: 0 up to the end of "around", then each twice as wide."""
    if ring is not RingName.FURTHER:
        return 0
    if km is None:
        return _UNKNOWN_CIRCLE
    return 1 + int(math.log2(max(1.0, km / max(radius_km, 1.0))))


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
