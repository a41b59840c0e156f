"""Maps: drawn from borders, near our own commune only, bounded."""

import re
from collections.abc import Iterator
from sqlite3 import Connection

import pytest

from node import maps
from node.model import Place
from node.store import places


@pytest.fixture(scope="module")
def db() -> Iterator[Connection]:
    opened = places.open_places()
    yield opened
    opened.close()


def place(db: Connection, place_id: str) -> Place:
    found = places.get(db, place_id)
    assert found is not None
    return found


def test_neighbours_lie_where_they_are(db: Connection) -> None:
    drawn = maps.draw(
        db,
        [
            maps.Territory("own", 0, (place(db, "FR-33318"),)),  # Pessac
            maps.Territory("agreed", 1, (place(db, "FR-33281"),)),  # Mérignac, north-west of it
            maps.Territory("proposed", 2, (place(db, "FR-33039"),)),  # Bègles, to the east
        ],
    )
    assert drawn is not None
    at = {label.number: label for label in drawn.labels}
    assert at[1].y < at[0].y
    assert at[1].x < at[0].x
    assert at[2].x > at[0].x
    kinds = [shape.kind for shape in drawn.shapes]
    assert kinds.count("own") == 1
    assert kinds[-1] == "own"  # drawn last, on top
    assert kinds.count("between") > 5
    for shape in drawn.shapes:
        if shape.kind != "between":
            for x, y in re.findall(r"(-?\d+) (-?\d+)", shape.path):
                assert 0 <= int(x) <= drawn.width
                assert 0 <= int(y) <= drawn.height
    assert len("".join(shape.path for shape in drawn.shapes)) < 20_000


def test_what_is_far_off_does_not_make_the_rest_small(db: Connection) -> None:
    own = maps.Territory("own", 0, (place(db, "FR-33318"),))
    alone = maps.draw(db, [own])
    with_lyon = maps.draw(db, [own, maps.Territory("agreed", 1, (place(db, "FR-69123"),))])
    assert alone == with_lyon
    assert alone is not None


def test_no_border_no_map(db: Connection) -> None:
    assert maps.draw(db, []) is None
    abroad = Place("geonames:1", None, "Ville", None, None, 47.0, 8.0, 1000, "CH", "Suisse")
    assert maps.draw(db, [maps.Territory("own", 0, (abroad,))]) is None
