"""Starting: `serve` until it is ready, memory at rest, and what a command costs before its work."""

import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench import measure, town
from tests import neighbours
from tests.neighbours import Town

ROUNDS = 10
SHOPS, LISTINGS = 100, 10_000
REST = 5.0


def run(base: Path, size: measure.Size) -> None:
    """Prints two tables."""
    rounds = size.rounds or ROUNDS
    empty, full = town.found(base, "empty"), town.found(base, "full")
    chance = random.Random(1)
    town.publish(full, town.open_shops(full, SHOPS), [town.draft(chance) for _ in range(LISTINGS)])
    towns = {"no listing": empty, f"{SHOPS} shops, {LISTINGS:,} listings": full}
    for one in towns.values():
        settle(one)
    ready: dict[str, list[float]] = {name: [] for name in towns}
    for _ in range(rounds):
        for name, one in towns.items():
            ready[name].append(_timed(one.serve))
            one.stop()
    measure.table(
        f"serve, from spawning it to its `ready` line, ms, {rounds} rounds (target: < 1,000)",
        ("existing folder with", "min", "median", "max"),
        [(name, *measure.spread(values)) for name, values in ready.items()],
    )
    measure.table(
        "resident memory, MiB (target: < 80 at rest)",
        ("existing folder with", f"{REST:.0f} s after ready", "after 500 requests", "peak"),
        [(name, *_memory(one)) for name, one in towns.items()],
    )
    _commands(base, rounds)


def settle(one: Town) -> None:
    """Starts once, so that nothing is left over from filling the folder."""
    one.serve()
    with town.reader(one) as db:
        neighbours.eventually(
            lambda: not db.execute("SELECT count(*) FROM publications").fetchone()[0], 600
        )
    one.stop()


def _timed(function: Callable[[], object]) -> float:
    begun = time.perf_counter()
    function()
    return (time.perf_counter() - begun) * 1000


def _memory(one: Town) -> tuple[str, str, str]:
    one.serve()
    assert one.process is not None
    time.sleep(REST)
    rest = measure.memory(one.process.pid)
    for number in range(100):
        for path in (
            "/",
            "/nodeinfo/2.1",
            "/users/instance",
            "/users/instance/outbox?since=0",
            f"/api/v1/search?q={town.WORDS[number % len(town.WORDS)]}",
        ):
            one.get(path)
    after, peak = measure.memory(one.process.pid), measure.memory(one.process.pid, "VmHWM")
    one.stop()
    return f"{rest:.1f}", f"{after:.1f}", f"{peak:.1f}"


def _commands(base: Path, rounds: int) -> None:
    script = Path(sys.executable).with_name("echoppe")
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "python -m node --help": [sys.executable, "-m", "node", "--help"],
    }
    if script.exists():
        commands["echoppe --help"] = [str(script), "--help"]
    taken: dict[str, list[float]] = {name: [] for name in (*commands, "echoppe init")}
    for number in range(rounds):
        for name, command in commands.items():
            taken[name].append(
                _timed(
                    lambda command=command: subprocess.run(  # type: ignore[misc]
                        command, cwd=neighbours.ROOT, stdout=subprocess.DEVNULL, check=True
                    )
                )
            )
        taken["echoppe init"].append(_timed(lambda: town.found(base, f"new-{number}")))  # noqa: B023
    measure.table(
        f"commands, from start to end, ms, {rounds} rounds (target: --help < 300)",
        ("command", "min", "median", "max"),
        [(name, *measure.spread(values)) for name, values in taken.items()],
    )
