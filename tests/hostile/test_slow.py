"""Others that take their time. All of them at once, so that the whole costs one deadline: 15 s for
a body that comes in, 10 s for an answer that is waited for (design: safety, SSRF-14, DOS-07)."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.hostile import stub
from tests.hostile.arena import Arena
from tests.hostile.stub import Actor, Handler, Reply, Script
from tests.hostile.test_outbound import OK

GENEROUS = 45.0  # seconds; the deadlines themselves are 10 and 15, and what drips never ends
Timed = tuple[float, bytes]


def dripping(head: bytes, drop: bytes, stop: threading.Event) -> Script:
    """A head at once, and then a drop a second."""

    def drip(handler: Handler) -> None:
        handler.close_connection = True
        with contextlib.suppress(OSError):
            handler.wfile.write(head)
            while not stop.wait(1):
                handler.wfile.write(drop)

    return drip


def slow_request(arena: Arena, head: str, stop: threading.Event) -> Timed:
    """A request whose body, or head, comes a byte a second; when and how it ended."""
    begun = time.monotonic()
    answer = b""
    with socket.create_connection(("127.0.0.1", arena.town.port)) as connection:
        connection.settimeout(1)
        connection.sendall(head.encode())
        while not stop.is_set() and time.monotonic() - begun < GENEROUS:
            try:
                connection.sendall(b"a")
                chunk = connection.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                break
            answer += chunk
            if not chunk or answer.startswith(b"HTTP/1.1 4"):
                break
    return time.monotonic() - begun, answer


def slow_answer(arena: Arena, number: int, script: Script) -> tuple[float, Reply]:
    """An actor whose document comes slowly: when and how its activity was answered."""
    ghost = Actor(arena.peer, f"lent{number}", "Organization", arena.peer.key)
    arena.peer.script(ghost.path, script)
    begun = time.monotonic()
    reply = arena.post(ghost, ghost.activity("Create", ghost.note("poison")))
    return time.monotonic() - begun, reply


@pytest.fixture(scope="module")
def under_way(arena: Arena) -> Iterator[dict[str, Future]]:
    """All slow things, begun."""
    stop = threading.Event()
    inbox = f"POST /inbox HTTP/1.1\r\nHost: {arena.town.authority}\r\n"
    begin: dict[str, Callable[[], object]] = {
        "body": lambda: slow_request(
            arena,
            f"{inbox}Content-Type: {stub.ACTIVITY_JSON}\r\nContent-Length: 100000\r\n\r\n",
            stop,
        ),
        "form": lambda: slow_request(
            arena,
            f"POST /compte HTTP/1.1\r\nHost: {arena.town.authority}\r\nContent-Length: 9999\r\n"
            f"Origin: {arena.town.url}\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n",
            stop,
        ),
        "request": lambda: slow_request(
            arena, f"GET / HTTP/1.1\r\nHost: {arena.town.authority}\r\nX: ", stop
        ),
        "head": lambda: slow_answer(arena, 1, dripping(OK + b"X: ", b"y", stop)),
        "document": lambda: slow_answer(
            arena, 2, dripping(OK + b"Content-Length: 9999\r\n\r\n{", b" ", stop)
        ),
        "silence": lambda: slow_answer(arena, 3, dripping(b"", b"", stop)),
    }
    with ThreadPoolExecutor(len(begin)) as threads:
        yield {name: threads.submit(run) for name, run in begin.items()}
        stop.set()


def test_others_are_answered_meanwhile(arena: Arena, under_way: dict[str, Future]) -> None:
    arena.settle()
    assert len(arena.get("/api/v1/shops")["shops"]) > 0
    assert under_way
    arena.hold()


@pytest.mark.parametrize("what", ["head", "document", "silence"])
def test_ssrf_14_an_answer_that_drips(under_way: dict[str, Future], what: str) -> None:
    taken, reply = under_way[what].result(GENEROUS * 2)
    assert reply.status == 401
    assert taken < GENEROUS


def test_a_body_that_drips(under_way: dict[str, Future]) -> None:
    taken, answer = under_way["body"].result(GENEROUS * 2)
    assert taken < GENEROUS
    assert answer == b"" or answer.startswith(b"HTTP/1.1 408")


def test_a_form_that_drips(under_way: dict[str, Future]) -> None:
    taken, answer = under_way["form"].result(GENEROUS * 2)
    assert taken < GENEROUS
    assert not answer.startswith(b"HTTP/1.1 5")


def test_dos_07_a_head_that_drips(under_way: dict[str, Future]) -> None:
    taken, answer = under_way["request"].result(GENEROUS * 2)
    assert taken < GENEROUS
    assert not answer.startswith(b"HTTP/1.1 5")
