"""Points on the globe: how far apart they are, and a number that keeps neighbours together.

The Hilbert curve (1891) runs once through every cell of a grid over the whole world, from each cell
to one beside it. So cells that lie near each other mostly have numbers near each other, and a
region is a few runs of numbers. The walk below takes a bit of each axis at a time.
"""

import math

EARTH_RADIUS_KM = 6371.0088  # mean radius, IUGG
CELL_BITS = 15  # for each axis: cells of 1.2 km of longitude at the equator by 0.6 km of latitude

Vector = tuple[float, float, float]


def cell(latitude: float, longitude: float) -> int:
    """The number of the cell that a point in degrees lies in: 0 to 4**CELL_BITS - 1."""
    side = 1 << CELL_BITS
    x = min(side - 1, max(0, int((longitude + 180.0) / 360.0 * side)))
    y = min(side - 1, max(0, int((latitude + 90.0) / 180.0 * side)))
    number = 0
    step = side >> 1
    while step:
        right, up = int(bool(x & step)), int(bool(y & step))
        number = number << 2 | (3 * right ^ up)
        if not up:  # the curve turns in the lower quarters
            if right:
                x, y = side - 1 - x, side - 1 - y
            x, y = y, x
        step >>= 1
    return number


def vector(latitude: float, longitude: float) -> Vector:
    """A point in degrees as a vector of length 1 from the middle of the earth."""
    phi, theta = math.radians(latitude), math.radians(longitude)
    flat = math.cos(phi)
    return flat * math.cos(theta), flat * math.sin(theta), math.sin(phi)


def distance_km(a: Vector, b: Vector) -> float:
    """The great-circle distance in kilometres between two such vectors."""
    chord = math.sqrt((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2)
    return 2 * EARTH_RADIUS_KM * math.asin(min(1.0, chord / 2))
