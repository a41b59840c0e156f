"""In which commune a point lies, asked of the real gazetteer."""

import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from node import borders, territory
from node.store import places


@pytest.fixture(scope="module")
def db() -> Iterator[sqlite3.Connection]:
    with closing(places.open_places()) as opened:
        yield opened


@pytest.mark.parametrize(
    ("latitude", "longitude", "place_id"),
    [
        (44.8378, -0.5792, "FR-33063"),  # Bordeaux
        (48.8590, 2.3790, "FR-75111"),  # an arrondissement, not the city around it
        (45.7600, 4.8500, "FR-69383"),
        (-20.88, 55.45, "FR-97411"),  # overseas
        (3.6, -54.0, "FR-97353"),  # the tallest commune of all
        (44.5995, 2.3972, "FR-12218"),  # made of others in 2016
        (44.64, -1.30, "FR-33236"),  # at sea before Cap Ferret
        (43.339, -1.789, "geonames:3120304"),  # Irun
        (43.360, -1.774, "FR-64260"),  # Hendaye, on the other bank
        (46.204, 6.140, "geonames:2660646"),  # Geneva
        (43.7372, 7.4214, "geonames:2993458"),  # Monaco
    ],
)
def test_the_place_of_a_point(
    db: sqlite3.Connection, latitude: float, longitude: float, place_id: str
) -> None:
    found = territory.place_at(db, latitude, longitude)
    assert found is not None
    assert found.id == place_id


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [
        (44.0, -20.0),  # far out in the Atlantic
        (90.0, 0.0),
        (-90.0, 180.0),
        (0.0, 0.0),
        (91.0, 0.0),
        (0.0, 181.0),
        (math.nan, 0.0),
        (0.0, math.inf),
    ],
)
def test_a_point_far_from_every_place_is_nowhere(
    db: sqlite3.Connection, latitude: float, longitude: float
) -> None:
    assert borders.place_at(db, latitude, longitude) is None
    assert borders.place_at(db, latitude, longitude, 1e9) is None


def test_how_far_at_sea_is_still_somewhere(db: sqlite3.Connection) -> None:
    assert borders.place_at(db, 44.64, -1.30, within_km=1) is None
    assert borders.place_at(db, 44.64, -1.30, within_km=4) is not None
    assert borders.place_at(db, 44.64, -2.20) is None
    far_out = borders.place_at(db, 44.64, -2.20, within_km=90)
    assert far_out is not None
    assert far_out.department == "33"


def test_town_halls_stand_in_their_commune(db: sqlite3.Connection) -> None:
    rows = db.execute(
        "SELECT id FROM places WHERE kind <> 'ABR' AND latitude IS NOT NULL AND number % 60 = 0"
    ).fetchall()
    assert len(rows) > 500
    elsewhere = 0
    for row in rows:
        place = places.get(db, row["id"])
        assert place is not None
        assert place.latitude is not None
        assert place.longitude is not None
        elsewhere += borders.place_at(db, place.latitude, place.longitude) != place
    # Borders are simplified to some ten points each, and some town halls stand near theirs.
    assert elsewhere / len(rows) < 0.05
