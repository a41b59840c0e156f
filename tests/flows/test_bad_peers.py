"""Inboxes that misbehave, beside one that does not: a real node tells all of them of its listings.

Bounded, visible to the steward, and harmless to the others.
"""

import contextlib
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from node.model import Follower, FollowState
from node.store import database, followers
from tests import neighbours
from tests.neighbours import Town, eventually

DEAD_INBOXES = 10_000
GIB = 1024**3

Answer = Callable[[socket.socket, "Sink"], None]


@dataclass
class Sink:
    """A server that takes requests to an inbox and answers as it likes."""

    answer: Answer
    bodies: list[bytes] = field(default_factory=list)  # of the requests, as they came
    connections: int = 0
    sent: int = 0  # bytes of answers, as far as the other side took them
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            pending = b""
            while True:
                while b"\r\n\r\n" not in pending:
                    pending += (data := connection.recv(65536))
                    if not data:
                        return
                head, _, pending = pending.partition(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
                while len(pending) < length:
                    pending += (data := connection.recv(65536))
                    if not data:  # else this would turn for ever
                        return
                self.bodies.append(pending[:length])
                pending = pending[length:]
                self.answer(connection, self)

    @property
    def requests(self) -> int:
        return len(self.bodies)

    def heard(self, name: str) -> bool:
        return any(name.encode() in body for body in list(self.bodies))

    def close(self) -> None:
        self.stop.set()
        self._listener.close()


def accept(connection: socket.socket, _sink: Sink) -> None:
    connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")


def flood(connection: socket.socket, sink: Sink) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % GIB)
    while sink.sent < GIB:
        sink.sent += connection.send(b"x" * 65536)


def drip(connection: socket.socket, sink: Sink) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not sink.stop.wait(0.3):
        sink.sent += connection.send(b"x")


def redirect_to(port: int) -> Answer:
    def redirect(connection: socket.socket, _sink: Sink) -> None:
        place = b"http://127.0.0.1:%d/inbox" % port
        connection.sendall(
            b"HTTP/1.1 307 Go There\r\nLocation: " + place + b"\r\nContent-Length: 0\r\n\r\n"
        )

    return redirect


@dataclass
class Ground:
    """A node whose shop is followed from these."""

    town: Town
    good: Sink
    bad: dict[str, Sink]
    dead: int  # a port that nobody listens on

    def announce(self, name: str) -> None:
        self.town.run("listing", "add", "fleurs", "--name", name, "--price", "3", "--announce")

    def trouble(self, port: int) -> dict[str, Any] | None:
        """What the steward is told of a host, once it was tried."""
        found = self.town.run("deliveries", "list")["waiting"]
        tried = [one for one in found if one["host"] == f"127.0.0.1:{port}" and one["error"]]
        return tried[0] if tried else None

    def waiting(self, port: int) -> int:
        found = self.town.run("deliveries", "list")["waiting"]
        return sum(one["waiting"] for one in found if one["host"] == f"127.0.0.1:{port}")


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    base = tmp_path_factory.mktemp("bad-peers")
    good, elsewhere = Sink(accept), Sink(accept)
    bad = {
        "flood": Sink(flood),
        "drip": Sink(drip),
        "redirect": Sink(redirect_to(elsewhere.port)),
        "elsewhere": elsewhere,
    }
    port, dead = neighbours.free_ports(2)
    town = Town(base / "pessac", port)
    sinks = [good, *bad.values()]
    private = [f"--private-peer=127.0.0.1:{one}" for one in (dead, *(s.port for s in sinks))]
    neighbours.echoppe(
        "init", str(town.folder), "--url", town.url, "--listen", town.authority,
        "--name", "Pessac", "--commune", "Pessac", *private,
    )  # fmt: skip
    town.run("shop", "add", "fleurs", "--name", "Fleurs", "--commune", "Pessac")
    ports = [one.port for name, one in {"good": good, **bad}.items() if name != "elsewhere"]
    with database.transaction(town.folder) as db:
        for one in ports:
            _follow(db, one, 1)
    with neighbours.serving([town]):
        yield Ground(town, good, bad, dead)
    for sink in sinks:
        sink.close()


def _follow(db: sqlite3.Connection, port: int, count: int) -> None:
    now = datetime.now(UTC)
    for number in range(count):
        uri = f"http://127.0.0.1:{port}/users/lea_{number}"
        one = Follower("fleurs", uri, f"{uri}/inbox", None, f"{uri}#f", FollowState.ACCEPTED, now)
        followers.add(db, one, f"127.0.0.1:{port}")


def test_answers_without_end_that_drip_or_lead_elsewhere(ground: Ground) -> None:
    """DLV-13, DLV-14."""
    ground.announce("Pivoine")
    # What the shop says of itself may come beside the listing: one arrival is what is waited for.
    eventually(lambda: ground.good.requests >= 1, within=150)
    flooding, dripping = ground.bad["flood"], ground.bad["drip"]
    for name in ("flood", "drip", "redirect"):
        eventually(lambda name=name: ground.bad[name].requests >= 1, within=150)
    # A 200 is an arrival, whatever is said after it.
    eventually(lambda: ground.waiting(flooding.port) == 0, within=150)
    eventually(lambda: ground.waiting(dripping.port) == 0, within=150)
    time.sleep(0.5)
    assert flooding.sent < 16 * 1024 * 1024  # what the kernel's buffers took; 64 kB were read

    def is_let_go() -> bool:
        before = dripping.sent
        time.sleep(1)
        return dripping.sent - before <= 1

    eventually(is_let_go)
    # The redirect is shown to the steward, and nobody went there.
    told = eventually(lambda: ground.trouble(ground.bad["redirect"].port))
    assert told["error"].startswith("redirected")
    assert ground.bad["elsewhere"].connections == 0
    assert ground.town.get("/livez").status_code == 200


def test_ten_thousand_dead_inboxes(ground: Ground) -> None:
    """DOS-04: two listings are 20,000 deliveries that cannot be made."""
    with database.transaction(ground.town.folder) as db:
        _follow(db, ground.dead, DEAD_INBOXES)
    names = [f"Iris {number}" for number in range(2)]
    for name in names:
        ground.announce(name)
    eventually(lambda: all(map(ground.good.heard, names)), within=150)
    assert ground.waiting(ground.dead) == 2 * DEAD_INBOXES
    told = eventually(lambda: ground.trouble(ground.dead))
    assert told["failures"] < 20
    assert "connect" in told["error"]
    assert ground.town.get("/livez").status_code == 200
    assert ground.town.process is not None
    status = Path(f"/proc/{ground.town.process.pid}/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    assert peak < 130  # MiB
    assert "Traceback" not in ground.town.log()


def test_the_steward_has_them_tried_again(ground: Ground) -> None:
    host = f"127.0.0.1:{ground.bad['redirect'].port}"
    before = ground.bad["redirect"].requests
    answer = ground.town.run("deliveries", "replay", host)
    assert answer["again"] + answer["waiting"] >= 1
    eventually(lambda: ground.bad["redirect"].requests > before)
    assert ground.town.run("deliveries")["waiting"]
