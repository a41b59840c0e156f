"""Telling many: an announced listing is delivered to 1,000 inboxes on 50 hosts."""

import asyncio
import multiprocessing
import random
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

from bench import measure, rival, town, wire
from federation import keys
from node import territory
from node.model import Follower, FollowState, Shop
from node.store import database, followers, places
from tests import neighbours
from tests.neighbours import Town

ROUNDS = 5
HOSTS, PER_HOST = 50, 20
BURST = 5
RAW = 5000
WITHIN = 120.0


class _Sink(asyncio.Protocol):
    """Answers 202 to whatever comes, at once, and counts."""

    def __init__(self, tally: "_Tally") -> None:
        self._tally = tally
        self._pending = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._tally.connections.value += 1

    def data_received(self, data: bytes) -> None:
        self._pending += data
        while True:
            head, found, rest = self._pending.partition(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
            if not found or len(rest) < length:
                return
            self._pending = rest[length:]
            self._transport.write(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")
            now = time.perf_counter()
            if not self._tally.count.value:
                self._tally.first.value = now
            self._tally.last.value = now
            self._tally.count.value += 1


@dataclass(slots=True)
class _Tally:
    """What the sink has seen, in memory that both processes share. Its clock is the machine's."""

    count: "Synchronized[int]"
    first: "Synchronized[float]"
    last: "Synchronized[float]"
    connections: "Synchronized[int]"

    def clear(self) -> None:
        self.count.value = 0
        self.connections.value = 0


def _sink(tally: _Tally, ports: Any) -> None:
    """Listens on ports of its own choice and sends their numbers."""

    async def listen() -> None:
        loop = asyncio.get_running_loop()
        servers = [
            await loop.create_server(lambda: _Sink(tally), "127.0.0.1", 0) for _ in range(HOSTS)
        ]
        ports.send([server.sockets[0].getsockname()[1] for server in servers])
        await asyncio.Event().wait()

    asyncio.run(listen())


@dataclass(frozen=True, slots=True)
class _Round:
    first: float  # ms from the commit
    last: float
    rate: float  # a second, from the first to the last
    cpu: float  # µs of the node for each
    connections: int


def run(base: Path, size: measure.Size) -> None:
    """Prints two tables."""
    context = multiprocessing.get_context("spawn")
    tally = _Tally(
        context.Value("Q", 0),
        context.Value("d", 0.0),
        context.Value("d", 0.0),
        context.Value("Q", 0),
    )
    receiving, sending = context.Pipe(duplex=False)
    sink = context.Process(target=_sink, args=(tally, sending), daemon=True)
    sink.start()
    assert receiving.poll(30), "the sink does not listen"
    ports: list[int] = receiving.recv()
    here = town.found(base, "node", [f"127.0.0.1:{port}" for port in ports])
    shops = town.open_shops(here, 1)
    _add_followers(here, shops[0], ports)
    rounds = size.rounds or ROUNDS
    try:
        here.serve()
        # Warms up; the shop itself is told of too.
        _announce(here, shops, 1, tally, told=2)
        single, burst = [], []
        for _ in range(rounds):
            single.append(_announce(here, shops, 1, tally))
            burst.append(_announce(here, shops, BURST, tally))
        raw = {signing: _raw(ports, tally, rounds, signing=signing) for signing in (False, True)}
    finally:
        here.stop()
        sink.terminate()
        sink.join()
    why = rival.missing()
    theirs = (
        [] if why else [asyncio.run(_rival(base / f"rival-{n}")) for n in range(min(3, rounds))]
    )
    for title, done in (
        (f"one listing to {HOSTS * PER_HOST} inboxes on {HOSTS} hosts, {rounds} rounds", single),
        (f"{BURST} listings at once: {BURST * HOSTS * PER_HOST:,} deliveries", burst),
    ):
        measure.table(
            f"{title} (wanted: 1,200 deliveries/s)",
            ("", "min", "median", "max"),
            [
                ("deliveries/s", *measure.spread([one.rate for one in done])),
                ("from commit to the first, ms", *measure.spread([one.first for one in done])),
                ("from commit to the last, ms", *measure.spread([one.last for one in done])),
                ("node's processor time, µs each", *measure.spread([one.cpu for one in done])),
                ("connections opened", *measure.spread([one.connections for one in done])),
            ],
        )
    if theirs:
        measure.table(
            f"beside it, in the same run: a note by a Fedify server to {rival.FOLLOWERS} inboxes, "
            f"{rival.CREATES} times",
            ("", "min", "median", "max"),
            [("deliveries/s", *measure.spread(theirs))],
        )
    else:
        print(f"\nNOT COMPARED with another server: {why}", flush=True)
    measure.table(
        f"to compare: bare asyncio streams, {HOSTS} connections to the same sink, deliveries/s",
        ("", "min", "median", "max"),
        [
            ("signing each as it is sent", *measure.spread(raw[True])),
            ("signed beforehand", *measure.spread(raw[False])),
        ],
    )


async def _rival(folder: Path) -> float:
    db = places.open_places()
    place = territory.resolve(db, town.COMMUNE)
    db.close()
    return await rival.send(folder, place)


def _add_followers(here: Town, shop: Shop, ports: Sequence[int]) -> None:
    """Written into the file before the node starts: a Follow each would measure something else."""
    now = datetime.now(UTC)
    with database.transaction(here.folder) as db:
        for port in ports:
            for number in range(PER_HOST):
                uri = f"http://127.0.0.1:{port}/users/lea_{number}"
                follow = f"{uri}#follow/{uuid.uuid4()}"
                one = Follower(
                    shop.handle, uri, f"{uri}/inbox", None, follow, FollowState.ACCEPTED, now
                )
                followers.add(db, one, f"127.0.0.1:{port}")


def _announce(
    here: Town, shops: Sequence[Shop], count: int, tally: _Tally, *, told: int | None = None
) -> _Round:
    assert here.process is not None
    expected = (told or count) * HOSTS * PER_HOST
    chance = random.Random(count)
    tally.clear()
    used = measure.cpu_seconds(here.process.pid)
    town.publish(here, shops, [town.draft(chance, announce=True) for _ in range(count)])
    committed = time.perf_counter()
    neighbours.eventually(lambda: tally.count.value >= expected, WITHIN)
    with town.reader(here) as db:
        neighbours.eventually(
            lambda: not db.execute("SELECT count(*) FROM deliveries").fetchone()[0], WITHIN
        )
    cpu = measure.cpu_seconds(here.process.pid) - used
    assert tally.count.value == expected, (tally.count.value, expected)
    return _Round(
        first=(tally.first.value - committed) * 1000,
        last=(tally.last.value - committed) * 1000,
        rate=expected / (tally.last.value - tally.first.value),
        cpu=cpu / expected * 1e6,
        connections=tally.connections.value,
    )


def _raw(ports: Sequence[int], tally: _Tally, rounds: int, *, signing: bool) -> list[float]:
    """What the sink, the loop and the signing allow at best."""
    key, body = keys.generate_rsa(), b"x" * 3000

    def letter(port: int) -> bytes:
        headers = wire.signed_headers(
            key, "http://127.0.0.1/users/a#main-key", f"127.0.0.1:{port}", "/users/lea/inbox", body
        )
        return wire.request("POST", "/users/lea/inbox", headers, body)

    async def post(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        message = letter(port)
        for _ in range(RAW // HOSTS):
            writer.write(letter(port) if signing else message)
            await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async def post_all() -> None:
        await asyncio.gather(*(post(port) for port in ports))

    rates = []
    for _ in range(rounds):
        tally.clear()
        asyncio.run(post_all())
        rates.append(RAW / (tally.last.value - tally.first.value))
    return rates
