"""In which commune a point lies.

A point inside a border is in that commune; in Paris, Lyon and Marseille in the arrondissement. One
inside no border, at sea or abroad, belongs to whatever is nearest within reach: a commune by its
border, a town of another country by its centre, as its border is not known. So a point abroad
that is nearer to France than to the centre of any town there is taken for France.

Borders are simplified to some hundred metres, and so is the answer. The first argument is a
connection to the gazetteer.
"""

import math
from sqlite3 import Connection

from node.gazetteer.outlines import Ring
from node.model import Place
from node.store import places

WITHIN_KM = 20.0

_KM_PER_DEGREE = 111.195  # of latitude, on a sphere of the mean radius


def place_at(
    places_db: Connection, latitude: float, longitude: float, within_km: float = WITHIN_KM
) -> Place | None:
    """The place that a point in degrees lies in, else the nearest within `within_km`, else None.

    Anything that is no point on Earth is nowhere. Towns of other countries are found within some
    10 km at most, and `within_km` is taken for 100 at most.
    """
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):  # NaN too
        return None
    inside = [
        place_id
        for place_id, rings in places.borders_near(places_db, latitude, longitude, (0.0, 0.0))
        if _inside(latitude, longitude, rings)
    ]
    if inside:
        # A city holds its arrondissements: the place that is part of another is the narrower one.
        parts = {part.id for one in inside for part in places.parts(places_db, one)}
        return places.get(places_db, min(inside, key=lambda one: (one not in parts, one)))
    return _nearest(places_db, latitude, longitude, min(within_km, 100.0))


def _inside(latitude: float, longitude: float, rings: tuple[Ring, ...]) -> bool:
    """Whether a line from the point due east crosses the rings an odd number of times."""
    odd = False
    for ring in rings:
        before_lat, before_lon = ring[-1]
        for lat, lon in ring:
            if (lat > latitude) != (before_lat > latitude):
                crossing = lon + (before_lon - lon) * (latitude - lat) / (before_lat - lat)
                odd ^= longitude < crossing
            before_lat, before_lon = lat, lon
    return odd


def _nearest(db: Connection, latitude: float, longitude: float, within_km: float) -> Place | None:
    """Looks close by first: what is found within a reach cannot be beaten from beyond it."""
    scale = _KM_PER_DEGREE * math.cos(math.radians(latitude))  # km of a degree of longitude
    towns = []
    for one in places.abroad_near(db, latitude, longitude):
        if one.latitude is not None and one.longitude is not None:
            north = (one.latitude - latitude) * _KM_PER_DEGREE
            towns.append((math.hypot(north, (one.longitude - longitude) * scale), one.id))
    for reach_km in (within_km / 10, within_km):
        reach = (reach_km / _KM_PER_DEGREE, min(360.0, reach_km / max(scale, 1e-9)))
        communes = [
            (_distance_km(latitude, longitude, rings, scale), place_id)
            for place_id, rings in places.borders_near(db, latitude, longitude, reach)
        ]
        distance, found = min(communes + towns, default=(math.inf, ""))
        if distance <= reach_km:
            return places.get(db, found)
    return None


def _distance_km(latitude: float, longitude: float, rings: tuple[Ring, ...], scale: float) -> float:
    """How far the nearest edge is; the Earth counts as flat, which it is over such distances."""
    least = math.inf
    for ring in rings:
        points = [
            ((lon - longitude) * scale, (lat - latitude) * _KM_PER_DEGREE) for lat, lon in ring
        ]
        x, y = points[-1]
        for to_x, to_y in points:
            along_x, along_y = to_x - x, to_y - y
            square = along_x * along_x + along_y * along_y
            part = -(x * along_x + y * along_y) / square if square else 0.0
            part = min(1.0, max(0.0, part))
            least = min(least, math.hypot(x + part * along_x, y + part * along_y))
            x, y = to_x, to_y
    return least
