"""The border of a place as few bytes, and back.

A border is one or more rings, the parts and the holes of a commune alike: a point is inside when
it is inside an odd number of them. Each ring is written as the number of its points and then the
points, west to east before south to north in thousandths of a degree (some 110 m), the first from
0, 0 and the next each from the one before. Every number is a variable-length integer: seven bits a
byte, the lowest first, the sign in the lowest bit. A border's neighbours share its points exactly.
"""

from collections.abc import Iterator

Ring = tuple[tuple[float, float], ...]  # latitude, longitude in degrees; not closed by a repetition

_SCALE = 1000


def from_source(text: str) -> list[list[tuple[int, int]]]:
    """The rings of a line of the source, as thousandths of a degree east and north.

    There rings are parted by ";", points by spaces, a point is "east,north" from the one before,
    and some rings end where they began. Raises ValueError.
    """
    rings = []
    for ring in text.split(";"):
        points = []
        east = north = 0
        for step in ring.split():
            eastward, northward = step.split(",")
            east, north = east + int(eastward), north + int(northward)
            points.append((east, north))
        if len(points) > 1 and points[0] == points[-1]:
            points.pop()
        rings.append(points)
    return rings


def pack(rings: list[list[tuple[int, int]]]) -> bytes:
    """Rings in thousandths of a degree (east, north) as bytes."""
    numbers: list[int] = []
    for ring in rings:
        numbers.append(len(ring))
        before_east = before_north = 0
        for east, north in ring:
            numbers += (east - before_east, north - before_north)
            before_east, before_north = east, north
    packed = bytearray()
    for number in numbers:
        rest = number << 1 if number >= 0 else (-number << 1) - 1
        while rest > 0x7F:
            packed.append(rest & 0x7F | 0x80)
            rest >>= 7
        packed.append(rest)
    return bytes(packed)


def unpack(packed: bytes) -> tuple[Ring, ...]:
    """The rings that `pack` was given, in degrees, latitude first."""
    numbers = _numbers(packed)
    rings = []
    for count in numbers:
        east = north = 0
        ring = []
        for _ in range(count):
            east, north = east + next(numbers), north + next(numbers)
            ring.append((north / _SCALE, east / _SCALE))
        rings.append(tuple(ring))
    return tuple(rings)


def _numbers(packed: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in packed:
        number |= (byte & 0x7F) << shift
        if byte & 0x80:
            shift += 7
        else:
            yield -(number + 1 >> 1) if number & 1 else number >> 1
            number = shift = 0
