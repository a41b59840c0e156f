"""What is posted to the shared inbox, on real sockets: taken in by the connection itself."""

import asyncio
import contextlib
import gc
import logging
import re
import socket
import struct
import weakref
from collections.abc import AsyncIterator

import pytest

from federation import limits
from node.uris import Uris
from node.web import middleware, protocol
from node.web.door import ASKED, Headers, Refusal
from node.web.inbox import Post
from tests.node.web.test_protocol import CLOSE, Server, get, serving

pytestmark = pytest.mark.anyio


class Open:
    """A door that lets everybody in."""

    def refusal(self, headers: Headers, peer: str) -> Refusal | None:
        return None


class Box:
    """An inbox that keeps what it is given, and answers as it is told."""

    uris = Uris("http://x")

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self.answers: list[Refusal | Exception | None] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    def turn_away(self, headers: Headers, peer: str) -> Refusal | None:
        wrong = (b"content-type", b"text/plain") in headers
        return Refusal(415, "wrong-content-type") if wrong else None

    async def take(self, post: Post) -> Refusal | None:
        self.posts.append(post)
        await self.may_answer.wait()
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
async def server(box: Box) -> AsyncIterator[Server]:
    async with serving(Open(), box) as found:
        yield found


def post(body: bytes, *headers: str, to: str = "/inbox", version: str = "1.1") -> bytes:
    """A post, as it goes over the wire."""
    lines = [f"POST {to} HTTP/{version}", "Host: x", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def statuses(answer: bytes) -> list[int]:
    return [int(one) for one in re.findall(rb"HTTP/1.1 (\d{3}) ", answer)]


async def until(condition: object) -> None:
    """Returns when it holds."""
    for _ in range(1000):
        if condition():  # type: ignore[operator]
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never was so")


async def test_a_post_is_taken_in_without_the_application(server: Server, box: Box) -> None:
    server.state.default_headers = [(b"date", b"today")]
    answer = await server.say(post(b'{"a": 1}', "Signature: s") + post(b"{}", CLOSE))
    assert statuses(answer) == [202, 200]
    (taken,) = box.posts
    assert (taken.target, taken.body, taken.peer) == (b"/inbox", b'{"a": 1}', "127.0.0.1")
    assert (b"signature", b"s") in taken.headers
    head = answer.partition(b"\r\n\r\n")[0].lower()
    for needed in (b"content-length: 0", b"content-security-policy: ", b"date: today"):
        assert needed in head
    # What was sent ahead of the answer goes the long way, and must ask at the door.
    assert [(one["path"], ASKED in one) for one in server.asked] == [("/inbox", False)]


async def test_one_connection_posts_again_and_again(server: Server, box: Box) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    for number in range(5):
        writer.write(post(str(number).encode()))
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 202 ")
    assert [one.body for one in box.posts] == [b"0", b"1", b"2", b"3", b"4"]
    assert not server.asked
    writer.close()


async def test_a_body_comes_in_pieces(server: Server, box: Box) -> None:
    body = b"x" * (limits.INBOX_BODY - 1)
    whole = post(body, CLOSE)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    for begin in range(0, len(whole), 30_000):
        writer.write(whole[begin : begin + 30_000])
        await writer.drain()
        await asyncio.sleep(0.001)
    assert statuses(await asyncio.wait_for(reader.read(), 30)) == [202]
    assert box.posts[0].body == body
    writer.close()


async def test_an_empty_body_is_one(server: Server, box: Box) -> None:
    box.answers = [Refusal(400, "bad-json")]
    answer = await server.say(post(b"", CLOSE))
    assert statuses(answer) == [400]
    assert answer.endswith(b'{"error": "bad-json"}')
    assert box.posts[0].body == b""


async def test_answers_keep_the_order_of_the_requests(server: Server, box: Box) -> None:
    box.answers = [Refusal(429, "busy", 30)]
    answer = await server.say(post(b"1") + get("/a") + get("/b", CLOSE))
    assert statuses(answer) == [429, 200, 200]
    assert b"retry-after: 30\r\n" in answer
    assert [one["path"] for one in server.asked] == ["/a", "/b"]


@pytest.mark.parametrize(
    "request_",
    [
        post(b"1", CLOSE, to="/inbox?a"),
        post(b"1", CLOSE, to="/users/fleurs/inbox"),
        post(b"1", CLOSE).replace(b"Host: x", b"Host: y"),
        post(b"1", CLOSE).replace(b"Host: x\r\n", b"Host: x\r\nHost: x\r\n"),
        post(b"1", CLOSE, "Expect: 100-continue"),
        post(b"1", CLOSE, version="1.0"),
        post(b"", CLOSE).replace(b"Content-Length: 0\r\n", b""),
        post(b"", CLOSE).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
        + b"1\r\n1\r\n0\r\n\r\n",
    ],
)
async def test_whatever_is_unusual_goes_the_long_way(
    server: Server, box: Box, request_: bytes
) -> None:
    assert statuses(await server.say(request_))[-1] == 200
    assert not box.posts
    assert ASKED in server.asked[0]


@pytest.mark.parametrize(
    "target", ["/%69nbox", "/inbox#x", "http://x/inbox", "http://y/inbox", "/users/a/%69nbox"]
)
async def test_sig_40_an_odd_way_to_write_an_inbox_was_not_asked_at_the_door(
    server: Server, box: Box, target: str
) -> None:
    """What the table of addresses makes of it is not known here; its handler asks."""
    assert statuses(await server.say(post(b"1", CLOSE, to=target))) == [200]
    assert not box.posts
    assert ASKED not in server.asked[0]


async def test_a_head_that_is_turned_away_costs_no_connection(server: Server, box: Box) -> None:
    answer = await server.say(post(b"1" * 999, "Content-Type: text/plain") + post(b"2", CLOSE))
    assert statuses(answer) == [415, 202]
    assert [one.body for one in box.posts] == [b"2"]


async def test_an_answer_says_that_it_is_the_last(server: Server, box: Box) -> None:
    for request_, status in (
        (post(b"1", "Content-Type: text/plain", CLOSE), 415),
        (post(b"1", CLOSE), 202),
    ):
        answer = await server.say(request_)
        assert statuses(answer) == [status]
        assert b"\r\nconnection: close\r\n" in answer


async def test_dos_06_a_body_is_never_longer_than_the_most(server: Server, box: Box) -> None:
    """Whatever its head says, and whatever is made of that."""
    head = post(b"").replace(b"Length: 0", b"Length: 00000000004000000000")
    answer = await server.say(head + b"x" * 4 * limits.INBOX_BODY)
    assert statuses(answer) in ([], [400])
    assert not box.posts
    assert not server.state.connections


async def test_dos_40_a_flood_that_is_turned_away_is_cut(server: Server, box: Box) -> None:
    wrong = post(b"", "Content-Type: text/plain")
    answer = await server.say(wrong * 20_000)
    assert statuses(answer).count(415) <= protocol.PIPELINED_MOST
    assert not server.state.connections


async def test_dos_43_who_takes_no_refusals_gets_none(server: Server, box: Box) -> None:
    """A few at a time, which is no flood, and never an answer read."""
    wrong = post(b"", "Content-Type: text/plain") * 4
    _, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
    await until(lambda: server.state.connections)
    for one in list(server.state.connections):
        small = one.transport.get_extra_info("socket")  # type: ignore[union-attr]
        small.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    sent = 0
    with contextlib.suppress(OSError):
        while server.state.connections and sent < 3000:
            writer.write(wrong)
            await asyncio.sleep(0.001)
            sent += 1
    assert sent < 3000
    writer.close()


async def test_dos_06_a_connection_keeps_no_body_that_it_handed_on(
    server: Server, box: Box
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(post(b"x" * 200_000))
    assert statuses(await reader.readuntil(b"\r\n\r\n")) == [202]
    (connection,) = server.state.connections
    assert not connection.cycle.body  # type: ignore[union-attr]
    writer.close()


async def test_dos_06_a_connection_that_ended_leaves_nothing(server: Server, box: Box) -> None:
    """Not even until somebody looks for garbage, which is seldom."""
    gone = []
    gc.disable()
    try:
        for request_ in (post(b"x" * 200_000)[:-1], post(b"1"), post(b"1")[:-1], get("/")):
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(request_)
            await until(lambda: server.state.connections)
            await asyncio.sleep(0.05)
            (connection,) = server.state.connections
            gone.append(weakref.ref(connection))
            del connection
            reset = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            writer.transport.abort()
            await until(lambda: not server.state.connections and not server.state.tasks)
        await until(lambda: not any(one() for one in gone))
        assert len(gone) == 4
    finally:
        gc.enable()


async def test_dos_07_a_body_that_takes_too_long(
    server: Server, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, "BODY_TIME", 0.3)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(post(b"1" * 99)[:-90])
    answer = b""
    with contextlib.suppress(OSError):
        while not answer:  # a drop now and then is no more time
            writer.write(b"1")
            with contextlib.suppress(TimeoutError):
                answer = await asyncio.wait_for(reader.read(), 0.05)
    assert statuses(answer) == [408]
    assert b"connection: close" in answer
    assert not box.posts
    writer.close()


async def test_a_fault_is_one_answer_and_no_end(
    server: Server, box: Box, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "echoppe.web")
    box.answers = [RuntimeError("a fault")]
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(post(b"1"))
    assert b" 500 " in await reader.readuntil(b"\r\n\r\n")
    writer.write(post(b"2", CLOSE))
    assert statuses(await asyncio.wait_for(reader.read(), 30)) == [202]
    writer.close()


async def test_who_hangs_up_is_taken_in_all_the_same(server: Server, box: Box) -> None:
    box.may_answer.clear()
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(post(b"1"))
    await until(lambda: box.posts)
    writer.transport.abort()
    await until(lambda: not server.state.connections)
    box.may_answer.set()
    await until(lambda: not server.state.tasks)
    assert statuses(await server.say(post(b"2", CLOSE))) == [202]


async def test_a_server_that_stops_answers_first(server: Server, box: Box) -> None:
    box.may_answer.clear()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(post(b"1"))
    await until(lambda: box.posts)
    for one in list(server.state.connections):
        one.shutdown()
    box.may_answer.set()
    answer = await asyncio.wait_for(reader.read(), 30)
    assert statuses(answer) == [202]
    assert b"connection: close" in answer
    writer.close()
