"""What a connection may hold: the protocol on real sockets, around a small application."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from federation import limits
from node.uris import Uris
from node.web import protocol
from node.web.door import Refusal

BIG = b"x" * 8_000_000


class Shut:
    """A door that turns everybody away."""

    def refusal(self, headers: Any, peer: str) -> Refusal | None:
        return Refusal(429, "too-many-failures", 7)


class Unasked:
    """An inbox that nothing reaches."""

    uris = Uris("http://x")


class Server:
    """The protocol with an application that counts, reads what it is sent, and answers."""

    def __init__(self, state: ServerState, port: int) -> None:
        self.state = state
        self.port = port
        self.asked: list[dict[str, Any]] = []

    async def say(self, data: bytes, within: float = 30.0) -> bytes:
        """Sends bytes; all that comes back until the other side closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        received = b""
        with contextlib.suppress(OSError, TimeoutError):
            writer.write(data)
            async with asyncio.timeout(within):
                while chunk := await reader.read(65536):
                    received += chunk
        writer.close()
        return received


@contextlib.asynccontextmanager
async def serving(door: Any, inbox: Any) -> AsyncIterator[Server]:
    """A server with that door and that inbox, and room for five connections."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message["more_body"]:
                break
        else:
            return
        found.asked.append({**scope, "body": body})
        content = BIG if scope["path"] == "/big" else b"ok"
        length = (b"content-length", str(len(content)).encode())
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": content})

    config = Config(app, lifespan="off", log_config=None, access_log=False, timeout_keep_alive=20)
    config.load()
    state = ServerState()
    made = protocol.bounded(door, inbox, 5)
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(lambda: made(config, state, {}), "127.0.0.1", 0)
    found = Server(state, listener.sockets[0].getsockname()[1])
    yield found
    listener.close()
    for one in list(state.connections):
        cast(Any, one).transport.abort()
    for _ in range(100):
        await asyncio.sleep(0.01)
        if not state.connections and not state.tasks:
            break


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """One that turns away whatever is posted to the inbox."""
    async with serving(Shut(), Unasked()) as found:
        yield found


def get(path: str = "/", *headers: str) -> bytes:
    """A request, as it goes over the wire."""
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: x", *headers, "", ""]).encode()


CLOSE = "Connection: close"


@pytest.mark.anyio
async def test_dos_06_who_is_turned_away_is_answered_before_the_body(server: Server) -> None:
    """And on the same connection; what the body holds is never a request."""
    body = get("/smuggled")
    post = f"POST /inbox HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    for _ in range(3):
        writer.write(post)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
        assert head.startswith(b"HTTP/1.1 429 ")
        assert b"retry-after: 7\r\n" in head
        assert await reader.readexactly(30) == b'{"error": "too-many-failures"}'
        writer.write(body)
    writer.write(get("/after", CLOSE))
    assert b" 200 " in await reader.read()
    assert [one["path"] for one in server.asked] == ["/after"]
    writer.close()


@pytest.mark.anyio
@pytest.mark.parametrize(
    "framing",
    ["Transfer-Encoding: chunked", f"Content-Length: {limits.INBOX_BODY + 1}",
     "Content-Length: 99999999999999999999"],
)  # fmt: skip
async def test_dos_06_a_body_of_no_usual_length_ends_the_connection(
    server: Server, framing: str
) -> None:
    answer = await server.say(f"POST /inbox HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n".encode())
    assert answer.startswith((b"HTTP/1.1 429 ", b"HTTP/1.1 400 "))
    assert not server.asked


@pytest.mark.anyio
async def test_dos_06_a_body_that_is_passed_over_has_an_end(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "SKIP_TIME", 0.2)
    answer = await server.say(b"POST /inbox HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1")
    assert answer.startswith(b"HTTP/1.1 429 ")
    assert not server.state.connections


@pytest.mark.anyio
async def test_dos_07_a_crowd_of_idle_connections_shuts_nobody_out(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has dawdled longest makes room; who is being answered does not."""
    monkeypatch.setattr(protocol, "HEAD_TIME", 600.0)  # nothing else ends them
    idle = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(5)]
    for _, writer in idle[1:3]:
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n12")
    await asyncio.sleep(0.05)
    for number in range(3):
        assert b" 200 " in await server.say(get("/", CLOSE)), number
    assert len(server.state.connections) <= 5
    assert await asyncio.wait_for(idle[0][0].read(), 30) == b""
    for _, writer in idle:
        writer.close()


@pytest.mark.anyio
async def test_dos_40_pipelining_is_bounded(server: Server) -> None:
    """Ten thousand requests at once: a few are answered, and none of the others is kept."""
    flood = get("/big") + get("/") * 10_000
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    with contextlib.suppress(OSError):
        writer.write(flood)
        while await reader.read(1_000_000):
            pass
    assert len(server.asked) <= 1 + protocol.PIPELINED_MOST
    writer.close()


@pytest.mark.anyio
async def test_a_few_requests_ahead_are_answered_in_order(server: Server) -> None:
    paths = [f"/{number}" for number in range(protocol.PIPELINED_MOST)]
    answer = await server.say(b"".join(map(get, paths)) + get("/last", CLOSE))
    assert answer.count(b" 200 ") == protocol.PIPELINED_MOST + 1
    assert [one["path"] for one in server.asked] == [*paths, "/last"]


@pytest.mark.anyio
async def test_dos_42_headers_are_bounded_in_number_and_size_however_they_come(
    server: Server,
) -> None:
    """In one piece, too, which is whole before anybody has counted what is not."""
    many = [f"A{number}: b" for number in range(protocol.HEADERS_MOST)]
    for request in (
        get("/", CLOSE, *many),
        get("/", CLOSE, f"Long: {'y' * limits.HEADER_BLOCK}"),
        get(f"/{'y' * limits.HEADER_BLOCK}", CLOSE),
        get("/", "Endless: " + "y" * 20_000)[:-4],
        b"\r\n" * 20_000,
    ):
        answer = await server.say(request)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 400 "), request[:40]
    assert not server.asked
    good = get("/", CLOSE, *many[: protocol.HEADERS_MOST - 2])
    assert (await server.say(good)).startswith(b"HTTP/1.1 200 ")


@pytest.mark.anyio
async def test_dos_41_and_sig_41_trailers_are_no_headers(server: Server) -> None:
    """What comes after a body adds nothing to what the head said, and is bounded."""
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    answer = await server.say(
        head + b"3;name=value\r\nabc\r\n0\r\nSignature: s\r\nHost: evil\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 200 ")
    (asked,) = server.asked
    assert asked["body"] == b"abc"
    assert [name for name, _ in asked["headers"]] == [b"host", b"transfer-encoding", b"connection"]
    for endless in (b"0\r\nT: " + b"y" * 200_000, b"1;" + b"e" * 200_000):
        assert b" 200 " not in await server.say(head + endless)
    drops = b"1;" + b"e" * 1000 + b"\r\na\r\n"
    assert b" 200 " not in await server.say(head + drops * 500 + b"0\r\n\r\n")
    assert len(server.asked) == 1


@pytest.mark.anyio
async def test_dos_43_an_answer_that_nobody_takes_does_not_wait_for_ever(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "WRITE_TIME", 0.2)
    _, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
    writer.write(get("/big"))
    for _ in range(500):
        await asyncio.sleep(0.01)
        if server.asked and not server.state.connections:
            break
    assert server.asked
    assert not server.state.connections
    writer.close()


@pytest.mark.anyio
async def test_dos_07_a_head_or_a_pause_between_line_ends_has_an_end(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_TIME", 0.2)
    for begun in (b"", b"GET / HT", b"\r\n"):
        assert await server.say(begun) == b""
    monkeypatch.setattr(protocol, "HEAD_TIME", 1.0)  # enough for a head that is sent at once
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(get("/"))
    assert b" 200 " in await reader.readuntil(b"ok")
    writer.write(b"\r\n")
    assert await asyncio.wait_for(reader.read(), 30) == b""
    writer.close()
