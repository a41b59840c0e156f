"""A resident who searches while something else is measured."""

import contextlib
import multiprocessing
import random
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection

import httpx2

from bench import wares

EVERY = 0.05  # seconds from one answer to the next question
SEED = 20261126


@contextlib.contextmanager
def searching(url: str, taken: list[float]) -> Iterator[None]:
    """Searches all the while, for one thing after another, and adds the milliseconds of each to
    `taken`.

    In a process of its own: what else is sent from this one would hold it up.
    """
    here, there = multiprocessing.Pipe()
    resident = multiprocessing.get_context("spawn").Process(target=_search, args=(url, there))
    resident.start()
    here.recv()
    try:
        yield
    finally:
        here.send("enough")
        taken += here.recv()
        resident.join()


def _search(url: str, told: Connection) -> None:
    chance = random.Random(SEED)
    things = [thing for trade in wares.trades() for thing in wares.things(trade)]
    taken: list[float] = []
    with httpx2.Client(base_url=url, timeout=60) as client:
        told.send("ready")
        while not told.poll(EVERY):
            asked = {"q": chance.choice(things), "near": "33318"}
            begun = time.perf_counter()
            assert client.get("/api/v1/search", params=asked).status_code == 200
            taken.append((time.perf_counter() - begun) * 1000)
    told.send(taken)
