"""The shops by where they are: the nearest first, all over the globe."""

import itertools
import math
import random

import pytest

from node import directory, globe
from node.store import matches
from node.store import search as index


def _view(points: list[tuple[float, float]]) -> directory.View:
    blocks = []
    for nth, (latitude, longitude) in enumerate(points):
        cell = globe.cell(latitude, longitude)
        number = (cell << index.BLOCK_BITS) + nth
        blocks.append(
            matches.Block(number, f"shop-{nth}", f"u{nth}", None, None, latitude, longitude, 1)
        )
    blocks.sort(key=lambda block: block.number)
    return directory._built(matches.State(1, 1), blocks)


def _scattered(chance: random.Random, count: int) -> list[tuple[float, float]]:
    return [(chance.uniform(-85, 85), chance.uniform(-180, 180)) for _ in range(count)]


def _in_towns(chance: random.Random, towns: int, each: int) -> list[tuple[float, float]]:
    return [
        (latitude + chance.gauss(0, 0.05), longitude + chance.gauss(0, 0.05))
        for latitude, longitude in _scattered(chance, towns)
        for _ in range(each)
    ]


def test_where_the_first_look_ends_none_comes_too_early() -> None:
    """Shops all around, as far away as the belt that is looked at first."""
    chance = random.Random(7)
    here = (45.0, 2.0)
    points = []
    for _ in range(600):
        km, bearing = chance.uniform(0.6, 1.4) * directory.BELT_KM, chance.uniform(0, 2 * math.pi)
        north, east = km * math.cos(bearing) / 111.2, km * math.sin(bearing) / 78.6
        points.append((here[0] + north, here[1] + east))
    point = globe.vector(*here)
    found = list(itertools.chain.from_iterable(_view(points).from_near(point)))
    distances = [globe.distance_km(point, block.point) for block in found if block.point]
    assert len(distances) == 600
    assert max(distances) > directory.BELT_KM > min(distances)
    for nearer, further in itertools.pairwise(distances):
        assert nearer <= further + 0.01


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("lie", ["scattered", "in towns", "in one town"])
def test_every_block_comes_once_and_none_before_a_nearer_one(lie: str, seed: int) -> None:
    chance = random.Random(seed)
    points = {
        "scattered": lambda: _scattered(chance, 300),
        "in towns": lambda: _in_towns(chance, 12, 25),
        "in one town": lambda: _in_towns(chance, 1, 300),
    }[lie]()
    view = _view(points)
    for _ in range(5):
        # From among the shops, and from anywhere.
        at = chance.choice(points) if chance.random() < 0.5 else _scattered(chance, 1)[0]
        point = globe.vector(*at)
        found = list(itertools.chain.from_iterable(view.from_near(point)))
        assert sorted(block.shop for block in found) == sorted(b.shop for b in view.blocks)
        distances = [globe.distance_km(point, block.point) for block in found if block.point]
        for nearer, further in itertools.pairwise(distances):
            assert nearer <= further + 0.01


def test_orders_that_are_kept_are_true_for_each_point_and_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chance = random.Random(3)
    view = _view(_scattered(chance, 60))
    points = [globe.vector(*at) for at in _scattered(chance, 10)]
    monkeypatch.setattr(directory, "ORDERED_MOST", 200)
    orders = []
    for point in points * 2:
        next(view.from_near(point))  # somebody who looks no further
        orders.append([*itertools.chain.from_iterable(view.from_near(point))])
        kept = view._orders.values()
        assert sum(len(part) for order in kept for part in order.found) <= 200 + 60
    assert orders[:10] == orders[10:]
    assert len({tuple(block.shop for block in order) for order in orders}) > 1


def test_without_any_block_nothing_is_near() -> None:
    assert list(_view([]).from_near(globe.vector(44.8, -0.6))) == []
