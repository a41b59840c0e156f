"""A map of communes, drawn from the borders of the gazetteer: nobody else is asked for a picture.

What is drawn is lines for an SVG; what they mean the page says in words beside it. The Earth counts
as flat, which it is over such distances.
"""

import math
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from node.gazetteer.outlines import Ring
from node.model import Place
from node.store import places

WIDTH = 640  # units of the drawing; the page scales it
HEIGHT_MOST = 560
MARGIN = 14
WITHIN_KM = 60.0  # what is further off would make the rest too small; the list has it
SHAPES_MOST = 300
_STEP = 1.2  # units: points nearer to the one before are left out


@dataclass(frozen=True, slots=True)
class Territory:
    """Whom to draw: the communes of one site, what it is to us, and the number it has in the list.

    `kind` is "own", "agreed", "asked" or "proposed".
    """

    kind: str
    number: int
    communes: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """A commune, as the `d` of an SVG path."""

    kind: str  # as of its territory, or "between" for what lies between them
    path: str


@dataclass(frozen=True, slots=True)
class Label:
    """The number of a territory, where it is to stand."""

    kind: str
    number: int
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Map:
    """A drawing."""

    width: int
    height: int
    shapes: tuple[Shape, ...]
    labels: tuple[Label, ...]


def draw(db: sqlite3.Connection, territories: Sequence[Territory]) -> Map | None:
    """The map of the territories near our own, with the communes around; None without borders."""
    home = next((place for one in territories if one.kind == "own" for place in one.communes), None)
    if home is None or home.latitude is None or home.longitude is None:
        return None
    scale = math.cos(math.radians(home.latitude))
    drawn: dict[str, tuple[str, tuple[Ring, ...]]] = {}
    centres: list[tuple[Territory, Place]] = []
    for one in territories:
        for place in one.communes:
            rings = places.border(db, place.id)
            if rings and place.id not in drawn and _is_near(place, home, scale):
                drawn[place.id] = (one.kind, rings)
        shown = next((place for place in one.communes if place.id in drawn), None)
        if shown is not None:
            centres.append((one, shown))
    if not drawn:
        return None
    for place in [near for known in list(drawn) for near in places.adjoining(db, known)]:
        if place.id not in drawn and len(drawn) < SHAPES_MOST:
            rings = places.border(db, place.id)
            if rings and not places.parts(db, place.id):
                drawn[place.id] = ("between", rings)
    # The frame is around what has a name; the communes around run out of it.
    corners = [
        (lon * scale, -lat)
        for kind, rings in drawn.values()
        if kind != "between"
        for ring in rings
        for lat, lon in ring
    ]
    left, right = min(x for x, _ in corners), max(x for x, _ in corners)
    top, bottom = min(y for _, y in corners), max(y for _, y in corners)
    least = 0.12  # degrees: a small commune alone is shown with its surroundings
    unit = min(
        (WIDTH - 2 * MARGIN) / max(right - left, least),
        (HEIGHT_MOST - 2 * MARGIN) / max(bottom - top, least),
    )
    height = max(round((bottom - top) * unit), 240) + 2 * MARGIN
    middle_x, middle_y = (left + right) / 2, (top + bottom) / 2

    def at(lat: float, lon: float) -> tuple[float, float]:
        return (
            WIDTH / 2 + (lon * scale - middle_x) * unit,
            height / 2 + (-lat - middle_y) * unit,
        )

    order = {"between": 0, "proposed": 1, "asked": 2, "agreed": 3, "own": 4}
    shapes = [
        Shape(kind, _path([[at(*point) for point in ring] for ring in rings]))
        for kind, rings in sorted(drawn.values(), key=lambda one: order[one[0]])
    ]
    labels = [
        Label(one.kind, one.number, *map(_rounded, at(place.latitude, place.longitude)))
        for one, place in centres
        if place.latitude is not None and place.longitude is not None
    ]
    return Map(WIDTH, height, tuple(shape for shape in shapes if shape.path), tuple(labels))


def _is_near(place: Place, home: Place, scale: float) -> bool:
    if None in (place.latitude, place.longitude, home.latitude, home.longitude):
        return False
    assert place.latitude is not None
    assert place.longitude is not None
    assert home.latitude is not None
    assert home.longitude is not None
    north = (place.latitude - home.latitude) * 111.195
    east = (place.longitude - home.longitude) * 111.195 * scale
    return math.hypot(north, east) <= WITHIN_KM


def _rounded(value: float) -> float:
    return round(value, 1)


def _path(rings: list[list[tuple[float, float]]]) -> str:
    """Rings as one path, without points that would not be seen."""
    parts = []
    for ring in rings:
        kept: list[tuple[float, float]] = []
        for x, y in ring:
            if not kept or math.hypot(x - kept[-1][0], y - kept[-1][1]) >= _STEP:
                kept.append((x, y))
        if len(kept) >= 3:
            parts.append("M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in kept) + "Z")
    return "".join(parts)
