"""A town as large as a node is made for: 200 shops with 20,000 listings, and 100,000 of neighbours.

How soon it is ready, what it takes when nobody asks for anything, and how long a backup is. Without
photos: those are copied as fast as the disk reads them.
"""

import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from bench import france, measure, start, town
from node import upkeep
from node.store import database, peers
from tests.neighbours import Town

SHOPS, OWN, THEIRS = 200, 20_000, 100_000
STARTS = 5
SETTLE, IDLE = 10.0, 60.0  # seconds
SEED = 20261126
NEIGHBOUR = france.ORIGIN.partition("://")[2]


def run(base: Path, size: measure.Size) -> None:
    """Prints a table."""
    node = town.found(base, "size")
    _fill(node)
    start.settle(node)
    starts = []
    for _ in range(size.rounds or STARTS):
        starts.append(_seconds(node.serve))
        node.stop()
    node.serve()
    assert node.process is not None
    pid = node.process.pid
    try:
        time.sleep(SETTLE)
        at_rest, used = measure.memory(pid), measure.cpu_seconds(pid)
        time.sleep(IDLE)
        idle = (measure.cpu_seconds(pid) - used) / IDLE * 100
        for number in range(200):
            words = town.WORDS[number % len(town.WORDS)]
            node.get("/recherche", params={"q": words, "ou": "33318"})
        searched = measure.memory(pid)
        # Only now: a node that has a key when it starts makes a backup at once.
        node.run("backup", "--new-key", str(base / "key"))
        file = base / "b.echoppe-backup"
        backup = _seconds(lambda: node.run("backup", str(file)))
        after = measure.memory(pid)
    finally:
        node.stop()
    file_size, backup_size = (
        one.stat().st_size / 2**20 for one in (node.folder / database.FILE_NAME, file)
    )
    measure.table(
        f"{SHOPS} shops, {OWN:,} own listings and {THEIRS:,} of neighbours",
        ("", "", "target"),
        [
            (f"ready after, s (median of {len(starts)})", f"{statistics.median(starts):.2f}", "2"),
            ("ready after, s (slowest)", f"{max(starts):.2f}", "2"),
            (f"resident {SETTLE:.0f} s after, MiB", f"{at_rest:.1f}", "150"),
            ("resident after 200 searches, MiB", f"{searched:.1f}", "150"),
            ("resident after a backup, MiB", f"{after:.1f}", "150"),
            (f"idle over {IDLE:.0f} s, % of a core", f"{idle:.2f}", "3"),
            ("backup, s", f"{backup:.1f}", "30"),
            ("database, MiB", f"{file_size:.0f}", "–"),
            ("backup, MiB", f"{backup_size:.0f}", "–"),
        ],
    )


def _fill(node: Town) -> None:
    chance = random.Random(SEED)
    france.fill(node.folder, THEIRS, chance)
    with database.transaction(node.folder) as db:
        peers.add(db, NEIGHBOUR, france.ORIGIN, f"{france.ORIGIN}/users/instance", "?", "echoppe")
        db.execute("UPDATE shops SET peer = ?", (NEIGHBOUR,))
    shops = town.open_shops(node, SHOPS)
    for _ in range(0, OWN, 2000):
        town.publish(node, shops, [town.draft(chance) for _ in range(2000)])
    upkeep.reindex(node.folder)


def _seconds(function: Callable[[], object]) -> float:
    begun = time.perf_counter()
    function()
    return time.perf_counter() - begun
