"""Publishing: from `listing add` at one node until the listing is found at its neighbour."""

import http.client
import json
import random
import statistics
import string
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench import measure, town
from tests import neighbours
from tests.neighbours import Town

ROUNDS = 30
POLL = 0.005
WITHIN = 20.0


@dataclass(frozen=True, slots=True)
class _Times:
    begun: float
    written: float
    found: float


def run(base: Path, size: measure.Size) -> None:
    """Prints one table."""
    rounds = size.rounds or ROUNDS
    towns = neighbours.found(["Pessac", "Bordeaux"], base)
    with neighbours.serving(towns):
        neighbours.befriend(*towns)
        here, there = towns
        shops = town.open_shops(here, 1)
        chance = random.Random(1)

        def by_command(name: str) -> None:
            subprocess.run(
                [
                    sys.executable, "-m", "node", "-C", str(here.folder), "listing", "add",
                    shops[0].handle, "--name", f"Miel {name}", "--price", "6.50",
                    "--description", " ".join(chance.choices(town.WORDS, k=40)),
                ],
                cwd=neighbours.ROOT,
                stdout=subprocess.DEVNULL,
                check=True,
            )  # fmt: skip

        def directly(name: str) -> None:
            town.publish(here, shops, [town.draft(chance, f"Miel {name}")])

        ways = {"listing add": by_command, "written directly": directly}
        times: dict[str, list[_Times]] = {way: [] for way in ways}
        by_command("premier")  # the shop becomes known over there
        _wait_for(_Finder(there), "premier")
        for _ in range(rounds):
            for way, publish in ways.items():
                name = "".join(chance.choices(string.ascii_lowercase, k=12))
                time.sleep(chance.random() / 2)  # not in step with what the node does by the clock
                times[way].append(_measure(publish, name, there))
    rows = []
    for way, all_times in times.items():
        for what, values in (
            ("begun to found", [one.found - one.begun for one in all_times]),
            ("written to found", [one.found - one.written for one in all_times]),
            ("the writing itself", [one.written - one.begun for one in all_times]),
        ):
            milliseconds = [value * 1000 for value in values]
            rows.append(
                (
                    f"{way}: {what}",
                    f"{min(milliseconds):,.0f}",
                    f"{statistics.median(milliseconds):,.0f}",
                    f"{measure.percentile(milliseconds, 95):,.0f}",
                    f"{max(milliseconds):,.0f}",
                )
            )
    measure.table(
        f"from here to found at the neighbour, ms, {rounds} rounds (target: median < 1,000)",
        ("", "min", "median", "p95", "max"),
        rows,
    )


class _Finder:
    """Searches at a node over one connection that stays open."""

    def __init__(self, where: Town) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", where.port, timeout=10)

    def finds(self, word: str) -> bool:
        self._connection.request("GET", f"/api/v1/search?q={word}&near=33318")
        found = json.loads(self._connection.getresponse().read())
        return any(ring["total"] for ring in found["rings"])


def _wait_for(finder: _Finder, word: str) -> float:
    deadline = time.perf_counter() + WITHIN
    while not finder.finds(word):
        assert time.perf_counter() < deadline, f"{word} was never found"
        time.sleep(POLL)
    return time.perf_counter()


def _measure(publish: Callable[[str], None], word: str, there: Town) -> _Times:
    """Looks for it from the beginning, beside the writing."""
    finder = _Finder(there)
    finder.finds(word)
    written: list[float] = []

    def write() -> None:
        publish(word)
        written.append(time.perf_counter())

    begun = time.perf_counter()
    writing = threading.Thread(target=write)
    writing.start()
    found = _wait_for(finder, word)
    writing.join()
    return _Times(begun, written[0], found)
