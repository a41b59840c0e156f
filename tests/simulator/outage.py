"""One node of three is away for days, while the others go on; then it is back."""

import time
from dataclasses import dataclass

from node import neighbours
from node.store import database
from tests.neighbours import eventually
from tests.simulator.world import World

DAY = 86400.0


@dataclass(frozen=True)
class Outage:
    """What happened, and how long it took from `ready` until all three agreed, in seconds."""

    days: float
    changes: int
    live: int
    freshness: str  # of the absent node's listings, before it was back
    agreed_after: float


def happen(world: World, days: float, count: int) -> Outage:
    """The last node is off for `days`, while the first two create, change and delete.

    A third of `count` each: listings of before are changed and deleted, and new ones come.
    """
    *others, absent = world.towns
    third = count // (3 * len(others))
    for town in others:
        world.publish(town, *(f"Avant {days} {number}" for number in range(2 * third)))
    world.publish(absent, f"Absent {days}")
    world.agree()
    absent.kill()
    for town in others:
        old = [key for key, name in world.on_show[town.port].items()
               if name.startswith(f"Avant {days}")]  # fmt: skip
        world.publish(town, *(f"Pendant {days} {number}" for number in range(third)))
        world.revise(town, {one: f"Changé {days} {one}" for one in old[:third]})
        world.withdraw(town, *old[third:])
    for town in world.towns:  # the days pass
        town.kill()
        world.set_clock(town, world.offsets.get(town.port, 0) + days * DAY)
    for town in others:
        town.serve()
    freshness = _silence(world).freshness(absent.authority)
    absent.serve()
    begun = time.perf_counter()
    world.agree()
    taken = time.perf_counter() - begun
    eventually(lambda: _silence(world).freshness(absent.authority) == "fresh")
    live = sum(len(shown) for shown in world.on_show.values())
    return Outage(days, 3 * third * len(others), live, freshness, taken)


def _silence(world: World) -> neighbours.Silence:
    """Who has been silent for long, as the first node sees it."""
    town = world.towns[0]
    with database.reading(town.folder) as db:
        return neighbours.silence(db, world.now(town))
