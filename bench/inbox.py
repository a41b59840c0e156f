"""Receiving: a neighbour posts thousands of signed listings; how fast they are safe, and found."""

import asyncio
import itertools
import json
import shutil
import sqlite3
import statistics
import time
import timeit
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from bench import measure, rival, stand_in, town, wire
from federation import documents, signatures
from federation import inbox as door
from node import territory
from node.model import Place
from node.store import places
from tests import neighbours
from tests.neighbours import Town

ROUNDS = 3
CONNECTIONS = (16, 32, 64)  # neighbours that tell at the same time
RIVAL = 200  # activities sent to the server beside
SHOPS = 10
LIVEZ = 5000
WITHIN = 300.0


@dataclass(slots=True)
class _Round:
    accepted: float  # a second
    waits: list[float]  # ms
    visible: float  # a second
    behind: float  # ms from the last acceptance until the last is found
    busy: int
    lost: int
    node_cpu: float  # µs an activity
    own_cpu: float
    before: float  # MiB
    after: float
    peak: float
    again: float  # the same activities once more, a second
    again_cpu: float
    livez: float
    livez_cpu: float


def run(base: Path, size: measure.Size) -> None:
    """Prints three tables."""
    db = places.open_places()
    place = territory.resolve(db, "Talence")
    db.close()
    port = neighbours.free_port()
    neighbour = stand_in.found(port, SHOPS, place)
    first = town.found(base, "node", [f"127.0.0.1:{port}"])
    print(f"\n{size.activities:,} activities are being signed …", flush=True)
    letters = neighbour.creates(size.activities, first.authority, place)
    done, theirs = asyncio.run(
        _rounds(base, first, neighbour, letters, size.rounds or ROUNDS, place)
    )
    for connections, rounds in done.items():
        _print(rounds, letters, connections)
    if theirs:
        measure.table(
            f"beside it, in the same run: {RIVAL:,} of them sent to a Fedify server",
            ("", "min", "median", "max"),
            [("accepted/s (in memory, nothing indexed)", *measure.spread(theirs))],
        )
    _micro(neighbour, letters[0], first)


async def _rounds(
    base: Path,
    first: Town,
    neighbour: stand_in.StandIn,
    letters: list[bytes],
    count: int,
    place: Place,
) -> tuple[dict[int, list[_Round]], list[float]]:
    """Each round on a fresh copy of a folder in which the stand-in is a neighbour already, and
    after it the same work by a server of another make."""
    why = await asyncio.to_thread(rival.missing)
    if why is not None:
        print(f"\nNOT COMPARED with another server: {why}", flush=True)
    port = int(neighbour.uris.authority.rpartition(":")[2])
    async with await wire.serve(port, neighbour.answer):
        await asyncio.to_thread(first.serve)
        await asyncio.to_thread(first.run, "neighbour", "add", neighbour.uris.origin)
        await asyncio.to_thread(
            neighbours.eventually, lambda: first.run("neighbour", "list")[0]["synced"]
        )
        await asyncio.to_thread(first.stop)
        done: dict[int, list[_Round]] = {connections: [] for connections in CONNECTIONS}
        theirs = []
        for number, connections in itertools.product(range(count), CONNECTIONS):
            folder = base / f"round-{number}-{connections}"
            shutil.copytree(first.folder, folder)
            one = Town(folder, first.port)
            await asyncio.to_thread(one.serve)
            try:
                done[connections].append(await _round(one, letters, connections))
            finally:
                await asyncio.to_thread(one.stop)
            shutil.rmtree(folder)
            if why is None and connections == CONNECTIONS[0]:
                theirs.append(
                    await rival.receive(base / f"rival-{number}", neighbour, place, RIVAL)
                )
    return done, theirs


async def _round(one: Town, letters: list[bytes], connections: int) -> _Round:
    assert one.process is not None
    pid, count = one.process.pid, len(letters)
    await wire.send(one.port, [_livez(one)] * 100, connections, 200)
    await asyncio.sleep(1)
    before, own, used = measure.memory(pid), time.process_time(), _cpu(pid)
    begun = time.perf_counter()
    with town.reader(one) as db:
        watching = asyncio.create_task(_visible(db, count))
        sent = await wire.send(one.port, letters, connections, 202)
        visible = await watching - begun
        node_cpu, own_cpu = _cpu(pid) - used, time.process_time() - own
        await asyncio.sleep(1)
        after, peak = measure.memory(pid), measure.memory(pid, "VmHWM")
        used = _cpu(pid)
        again = await wire.send(one.port, letters, connections, 202)
        again_cpu, used = _cpu(pid) - used, _cpu(pid)
        livez = await wire.send(one.port, [_livez(one)] * LIVEZ, connections, 200)
        livez_cpu = _cpu(pid) - used
        rows = db.execute("SELECT count(*) FROM listings").fetchone()[0]
        left = db.execute("SELECT count(*) FROM received").fetchone()[0]
    assert not left, f"{left} activities are left or set aside"
    return _Round(
        accepted=count / sent.seconds,
        waits=[wait * 1000 for wait in sent.waits],
        visible=count / visible,
        behind=(visible - sent.seconds) * 1000,
        busy=sent.busy,
        lost=count - rows,
        node_cpu=node_cpu / count * 1e6,
        own_cpu=own_cpu / count * 1e6,
        before=before,
        after=after,
        peak=peak,
        again=count / again.seconds,
        again_cpu=again_cpu / count * 1e6,
        livez=LIVEZ / livez.seconds,
        livez_cpu=livez_cpu / LIVEZ * 1e6,
    )


_cpu = measure.cpu_seconds


def _livez(one: Town) -> bytes:
    return wire.request("GET", "/livez", {"host": one.authority})


async def _visible(db: sqlite3.Connection, count: int) -> float:
    """When the last one can be found: its row in the index is committed."""
    deadline = time.perf_counter() + WITHIN
    while db.execute("SELECT count(*) FROM search_rows").fetchone()[0] < count:
        assert time.perf_counter() < deadline, "not all were ever found"
        await asyncio.sleep(0.02)
    return time.perf_counter()


def _print(rounds: list[_Round], letters: list[bytes], connections: int) -> None:
    def row(name: str, values: list[float], form: str = ",.0f") -> tuple[str, ...]:
        return (name, *measure.spread(values, form))

    measure.table(
        f"{len(letters):,} Creates of {len(letters[0]):,} bytes over {connections} connections, "
        f"{len(rounds)} rounds (wanted: 1,500 visible/s in every round, p99 below 1 s, 130 MiB)",
        ("", "min", "median", "max"),
        [
            row("accepted/s", [one.accepted for one in rounds]),
            row("visible/s (until the last is found)", [one.visible for one in rounds]),
            row("last accepted, and found after, ms", [one.behind for one in rounds]),
            *(
                row(
                    f"answer, p{part}, ms",
                    [measure.percentile(one.waits, part) for one in rounds],
                    ",.1f",
                )
                for part in (50, 95, 99)
            ),
            row("told to come again, and sent again", [one.busy for one in rounds]),
            row("lost", [one.lost for one in rounds]),
            row("node's processor time, µs each", [one.node_cpu for one in rounds]),
            row("generator's processor time, µs each", [one.own_cpu for one in rounds]),
            row("node's memory before, MiB", [one.before for one in rounds], ".1f"),
            row("node's memory after, MiB", [one.after for one in rounds], ".1f"),
            row("node's memory at most, MiB", [one.peak for one in rounds], ".1f"),
        ],
    )
    measure.table(
        "to compare: the door alone, and no door at all",
        ("", "min", "median", "max"),
        [
            row("the same again (nothing to act upon)/s", [one.again for one in rounds]),
            row("   node's processor time, µs each", [one.again_cpu for one in rounds]),
            row("GET /livez/s", [one.livez for one in rounds]),
            row("   node's processor time, µs each", [one.livez_cpu for one in rounds]),
        ],
    )


def _micro(neighbour: stand_in.StandIn, letter: bytes, one: Town) -> None:
    """One activity through each check, without any HTTP."""
    head, _, body = letter.partition(b"\r\n\r\n")
    pairs = [line.decode().split(": ", 1) for line in head.split(b"\r\n")[1:]]
    request = signatures.Request(
        method="POST",
        authority=one.authority,
        scheme="http",
        target="/inbox",
        headers=tuple((name, value) for name, value in pairs),
        body=body,
    )
    now = datetime.now(UTC)
    claim = door.read(request, now)
    key = neighbour.rsa[neighbour.shops[0].handle].public_key()
    base = claim.signature.base

    def whole() -> None:
        signatures.verify(door.read(replace(request), now).signature, key)

    steps: dict[str, Callable[[], object]] = {
        "json.loads (no gate)": lambda: json.loads(body),
        "documents.parse (the gate)": lambda: documents.parse(body),
        "signatures.read": lambda: signatures.read(replace(request)),
        "signatures.check_policy": lambda: signatures.check_policy(claim.signature, now),
        "signatures.check_digest": lambda: signatures.check_digest(request),
        "plain RSA verify": lambda: key.verify(
            claim.signature.signature, base, PKCS1v15(), SHA256()
        ),
        "signatures.verify": lambda: signatures.verify(replace(claim.signature), key),
        "fingerprint": lambda: claim.fingerprint,
        "inbox.read + verify (the whole door)": whole,
    }
    taken = {
        name: [second / 500 * 1e6 for second in timeit.repeat(step, number=500, repeat=5)]
        for name, step in steps.items()
    }
    measure.table(
        f"one activity of {len(body):,} bytes, µs, median of 5 times 500",
        ("", "µs"),
        [(name, f"{statistics.median(values):,.1f}") for name, values in taken.items()],
    )
