"""A flood: one host posts 2,000 badly signed activities a second; what the others notice of it.

Before, during and after, at a steady pace of their own, residents search and a true neighbour posts
listings. The flood comes from a process of its own, over connections that stay open as long as the
node lets them.
"""

import asyncio
import multiprocessing
import random
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import uvloop

from bench import measure, stand_in, town, wire
from node import territory
from node.store import places
from tests import neighbours
from tests.neighbours import Town

ROUNDS = 3
RATE = 2000  # badly signed posts a second
FLOOD_CONNECTIONS = 64
SPAN = 8.0  # seconds of each part
PACE = 15  # searches, and good posts, a second
LISTINGS = 2000  # in the index, so that a search is one
PARTS = ("before", "during", "after")


@dataclass(slots=True)
class _Part:
    """What was seen in one part of a round."""

    search: list[float]  # ms
    inbox: list[float]
    memory: float  # MiB
    cpu: float  # share of a core


@dataclass(slots=True)
class _Round:
    parts: dict[str, _Part] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    rate: float = 0.0
    peak: float = 0.0


def run(base: Path, size: measure.Size) -> None:
    """Prints two tables."""
    rounds = [_one_round(base / f"{number}", number) for number in range(size.rounds or ROUNDS)]
    _print(rounds)


def _one_round(base: Path, number: int) -> _Round:
    base.mkdir()
    db = places.open_places()
    place = territory.resolve(db, "Talence")
    db.close()
    good_port, bad_port = neighbours.free_ports(2)
    good, bad = (stand_in.found(port, 2, place) for port in (good_port, bad_port))
    node = town.found(base, "node", [f"127.0.0.1:{port}" for port in (good_port, bad_port)])
    shops = town.open_shops(node, 1)
    chance = random.Random(number)
    town.publish(node, shops, [town.draft(chance) for _ in range(LISTINGS)])
    letters = good.creates(int(3.5 * SPAN * PACE), node.authority, place)
    # Each is signed, and then a letter of it is changed: nothing tells before the key is used.
    spoilt = [_spoilt(letter) for letter in bad.creates(200, node.authority, place)]
    return asyncio.run(_measure(node, good, bad, letters, spoilt))


def _spoilt(letter: bytes) -> bytes:
    head, found, rest = letter.partition(b'signature="')
    swapped = b"B" if rest[10:11] != b"B" else b"C"
    return head + found + rest[:10] + swapped + rest[11:]


async def _measure(
    node: Town,
    good: stand_in.StandIn,
    bad: stand_in.StandIn,
    letters: list[bytes],
    spoilt: list[bytes],
) -> _Round:
    done = _Round()
    async with (
        await wire.serve(int(good.uris.authority.rpartition(":")[2]), good.answer),
        await wire.serve(int(bad.uris.authority.rpartition(":")[2]), bad.answer),
    ):
        await asyncio.to_thread(node.serve)
        try:
            await asyncio.to_thread(node.run, "neighbour", "add", good.uris.origin)
            await asyncio.to_thread(
                neighbours.eventually, lambda: node.run("neighbour", "list")[0]["synced"]
            )
            assert node.process is not None
            left = iter(letters)
            await _part(node, left, 2.0)  # warms up
            for name in PARTS:
                if name != "during":
                    done.parts[name] = await _part(node, left, SPAN)
                    continue
                told = multiprocessing.get_context("spawn").Queue()
                flood = multiprocessing.get_context("spawn").Process(
                    target=send, args=(node.port, spoilt, RATE, SPAN + 2, told)
                )
                flood.start()
                await asyncio.sleep(1.5)
                done.parts[name] = await _part(node, left, SPAN)
                done.statuses, done.rate = await asyncio.to_thread(told.get)
                await asyncio.to_thread(flood.join)
                await asyncio.sleep(1.5)
            done.peak = measure.memory(node.process.pid, "VmHWM")
        finally:
            await asyncio.to_thread(node.stop)
    return done


async def _part(node: Town, letters: Iterator[bytes], seconds: float) -> _Part:
    assert node.process is not None
    pid, begun = node.process.pid, time.perf_counter()
    used, words = measure.cpu_seconds(pid), random.Random(5)
    asked = (
        wire.request(
            "GET",
            f"/api/v1/search?q={words.choice(('miel', 'savon', 'pain', 'noix'))}&near=33318",
            {"host": node.authority},
        )
        for _ in range(10**6)
    )
    search, inbox = await asyncio.gather(
        _paced(node.port, asked, seconds, 200), _paced(node.port, letters, seconds, 202)
    )
    spent = measure.cpu_seconds(pid) - used
    return _Part(search, inbox, measure.memory(pid), spent / (time.perf_counter() - begun))


async def _paced(port: int, requests: Iterator[bytes], seconds: float, wanted: int) -> list[float]:
    """Milliseconds that each request took from the moment it was due, at a steady pace."""
    waits: list[float] = []
    connections = [await asyncio.open_connection("127.0.0.1", port) for _ in range(4)]
    free: asyncio.Queue[int] = asyncio.Queue()
    for number in range(len(connections)):
        free.put_nowait(number)

    async def one(message: bytes, due: float) -> None:
        number = await free.get()
        reader, writer = connections[number]
        writer.write(message)
        status = await wire.status_of(reader)
        waits.append((time.perf_counter() - due) * 1000)
        assert status == wanted, status
        free.put_nowait(number)

    begun = time.perf_counter()
    tasks = []
    for turn in range(int(seconds * PACE)):
        due = begun + turn / PACE
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(one(next(requests), due)))
    await asyncio.gather(*tasks)
    for _, writer in connections:
        writer.close()
    return waits


def send(
    port: int, messages: Sequence[bytes], rate: int, seconds: float, told: "multiprocessing.Queue"
) -> None:
    """The flooding process: so many messages a second, whatever becomes of them."""
    told.put(uvloop.run(_flood(port, messages, rate, seconds)))


class _Connection(asyncio.Protocol):
    """One connection of the flood, which costs its sender as little as can be."""

    def __init__(self, idle: list["_Connection"], statuses: Counter[int]) -> None:
        self._idle = idle
        self._statuses = statuses
        self.transport: asyncio.Transport | None = None
        self._waits = False
        self._told = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._idle.append(self)

    def say(self, message: bytes) -> None:
        """Sends one message; the connection is idle again once it is answered."""
        assert self.transport is not None
        self._waits = True
        self.transport.write(message)

    def data_received(self, data: bytes) -> None:
        self._told += data
        head, end, body = self._told.partition(b"\r\n\r\n")
        if end and len(body) >= wire.length_of(head + end):
            self._statuses[int(head[9:12])] += 1
            self._told, self._waits = b"", False
            self._idle.append(self)

    def connection_lost(self, _exc: Exception | None) -> None:
        self.transport = None
        if self._waits:
            self._statuses[0] += 1
        if self in self._idle:
            self._idle.remove(self)


async def _flood(
    port: int, messages: Sequence[bytes], rate: int, seconds: float
) -> tuple[Counter[int], float]:
    statuses: Counter[int] = Counter()
    idle: list[_Connection] = []
    every: list[_Connection] = []
    loop, sent = asyncio.get_running_loop(), 0
    begun = loop.time()
    while (passed := loop.time() - begun) < seconds:
        every = [one for one in every if one.transport is not None]
        for _ in range(FLOOD_CONNECTIONS - len(every)):
            made = await loop.create_connection(
                lambda: _Connection(idle, statuses), "127.0.0.1", port
            )
            every.append(made[1])
        while idle and sent < passed * rate:
            idle.pop().say(messages[sent % len(messages)])
            sent += 1
        await asyncio.sleep(0.002)
    for one in every:
        if one.transport is not None:
            one.transport.close()
    return statuses, statuses.total() / seconds


def _print(rounds: list[_Round]) -> None:
    def median(part: str, take: str) -> list[float]:
        found = []
        for one in rounds:
            value = getattr(one.parts[part], take)
            found.append(measure.percentile(value, 95) if isinstance(value, list) else value)
        return found

    rows = []
    for title, take, form in (
        ("search, p95, ms", "search", ",.1f"),
        ("good post, p95, ms", "inbox", ",.1f"),
        ("memory, MiB", "memory", ",.1f"),
        ("processor, share of a core", "cpu", ".2f"),
    ):
        medians = [statistics.median(median(part, take)) for part in PARTS]
        rows.append((title, *(format(value, form) for value in medians),
                     f"{medians[1] / medians[0]:.2f}"))  # fmt: skip
    used = statistics.median(
        (one.parts["during"].cpu - one.parts["before"].cpu) / one.rate * 1e6 for one in rounds
    )
    rates = statistics.median(one.rate for one in rounds)
    measure.table(
        f"{RATE:,} badly signed posts a second from one host (reached: {rates:,.0f}/s); "
        f"medians of {len(rounds)} rounds (wanted: at most doubled, memory under 150 MiB)",
        ("", *PARTS, "during/before"),
        rows,
    )
    statuses = sum((one.statuses for one in rounds), Counter())
    measure.table(
        "how the flood was answered, and memory at most",
        ("", ""),
        [
            *((f"status {status or 'none'}", f"{count:,}") for status, count in statuses.items()),
            ("node's processor time for each, µs", f"{used:,.0f}"),
            ("memory at most, MiB", f"{max(one.peak for one in rounds):,.1f}"),
        ],
    )
