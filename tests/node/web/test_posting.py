"""What is posted to the shared inbox, on real sockets: taken in by the connection itself."""

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator

import pytest

from federation import limits
from node.uris import Uris
from node.web import middleware
from node.web.door import ASKED, Headers, Refusal
from node.web.inbox import Post
from tests.node.web.test_protocol import CLOSE, Server, get, serving

pytestmark = pytest.mark.anyio


class Open:
    """A door that lets everybody in."""

    def refusal(self, method: str, path: bytes, headers: Headers, peer: str) -> Refusal | None:
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
        get("/inbox", CLOSE),
    ],
)
async def test_whatever_is_unusual_goes_the_long_way(
    server: Server, box: Box, request_: bytes
) -> None:
    assert statuses(await server.say(request_))[-1] == 200
    assert not box.posts
    assert ASKED in server.asked[0]


async def test_a_head_that_is_turned_away_costs_no_connection(server: Server, box: Box) -> None:
    answer = await server.say(post(b"1" * 999, "Content-Type: text/plain") + post(b"2", CLOSE))
    assert statuses(answer) == [415, 202]
    assert [one.body for one in box.posts] == [b"2"]


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
