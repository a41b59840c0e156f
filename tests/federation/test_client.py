"""The guarded client against a server that lies, drips, floods and redirects, on real sockets."""

import asyncio
import contextlib
import gzip
import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from federation import addresses, client, limits, signing
from federation.errors import FederationError, Gone, Refused, Unreachable

ACTIVITY = b"Content-Type: application/activity+json\r\n"
AGENT = "Echoppe-test/1 (+https://shop.example/)"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture(
    params=[("asyncio", {"use_uvloop": False}), ("asyncio", {"use_uvloop": True})],
    ids=["asyncio", "uvloop"],
)
def anyio_backend(request: pytest.FixtureRequest) -> object:
    return request.param


@dataclass(slots=True)
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Script = Callable[[asyncio.StreamWriter], Awaitable[bool | None]]


@dataclass(slots=True)
class Hostile:
    """A server that says byte for byte what a test wrote down, by path.

    A script that returns True hangs up afterwards; one of bytes keeps the connection.
    """

    port: int = 0
    scripts: dict[str, bytes | Script] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    sent: int = 0
    open: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self.open[task] = writer
        with contextlib.suppress(
            ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError
        ):
            while not await self.serve(reader, writer):
                pass
            await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError, TimeoutError):
            await writer.wait_closed()
        del self.open[task]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = dict(line.split(": ", 1) for line in head[1:-2])
        headers = {name.lower(): value for name, value in headers.items()}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.asked.append(Asked(method, path, headers, body))
        script = self.scripts[path]
        if callable(script):
            return bool(await script(writer))
        writer.write(script)
        return False

    async def stop(self) -> None:
        for task, writer in list(self.open.items()):
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*self.open, return_exceptions=True)
        await asyncio.sleep(0)

    def says(self, path: str, body: bytes, *heads: bytes, status: bytes = b"200 OK") -> str:
        self.scripts[path] = answer(body, *heads, status=status)
        return self.url + path

    def shows(self, path: str, document: dict[str, object], *heads: bytes) -> str:
        return self.says(path, json.dumps(document).encode(), *(heads or (ACTIVITY,)))

    def redirects(self, path: str, to: str, status: bytes = b"302 Found") -> str:
        return self.says(path, b"", b"Location: " + to.encode() + b"\r\n", status=status)


def answer(body: bytes, *heads: bytes, status: bytes = b"200 OK") -> bytes:
    length = b"Content-Length: %d\r\n" % len(body)
    return b"HTTP/1.1 " + status + b"\r\n" + b"".join(heads) + length + b"\r\n" + body


@contextlib.asynccontextmanager
async def serving(context: ssl.SSLContext | None = None) -> AsyncIterator[Hostile]:
    hostile = Hostile()
    server = await asyncio.start_server(hostile.handle, "127.0.0.1", 0, ssl=context)
    hostile.port = server.sockets[0].getsockname()[1]
    try:
        yield hostile
    finally:
        server.close()
        await hostile.stop()


async def loopback(host: str, port: int) -> Sequence[str]:
    """Every name is this machine; which names may be it, the policy says."""
    return ["127.0.0.1"]


@contextlib.asynccontextmanager
async def asking(
    *servers: Hostile,
    names: Sequence[str] = ("127.0.0.1",),
    total_time: float = 30.0,
    ssl_context: ssl.SSLContext | None = None,
) -> AsyncIterator[client.Client]:
    peers = frozenset(f"{name}:{server.port}" for server in servers for name in names)
    async with client.Client(
        addresses.Policy(private_peers=peers),
        AGENT,
        resolver=loopback,
        ssl_context=ssl_context,
        clock=lambda: NOW,
        total_time=total_time,
        connect_time=total_time,
    ) as asker:
        yield asker


async def turns() -> None:
    """Lets everybody else in this process have many turns, and the kernel bring what was sent."""
    for _ in range(30):
        await asyncio.sleep(0.002)


async def get(asker: client.Client, url: str, limit: int = 1000) -> client.Answer:
    return await asker.get(url, accept="*/*", limit=limit)


# What is asked and what is understood.


@pytest.mark.anyio
async def test_a_get_is_plain_and_says_who_asks() -> None:
    async with serving() as hostile, asking(hostile) as asker:
        url = hostile.says("/a?b=c", b"hello", b"X-One: 1\r\n", b"x-one: 2\r\n")
        got = await asker.get(url + "#part", accept="text/plain")
        assert got == client.Answer(
            200, {"x-one": "1, 2", "content-length": "5"}, b"hello", f"{hostile.url}/a?b=c"
        )
        (asked,) = hostile.asked
        assert (asked.method, asked.path) == ("GET", "/a?b=c")
        assert asked.headers == {
            "host": f"127.0.0.1:{hostile.port}",
            "user-agent": AGENT,
            "accept": "text/plain",
            "accept-encoding": "identity",
        }


@pytest.mark.anyio
async def test_a_connection_is_kept_and_used_again() -> None:
    async with serving() as hostile, asking(hostile) as asker:
        for path in ("/a", "/b"):
            hostile.says(path, b"body" * 2000)
            assert (await get(asker, hostile.url + path, 8000)).body == b"body" * 2000
        assert (await asker.post(hostile.url + "/a", b"{}", {})).status == 200
        missing = hostile.says("/none", b"nothing here", status=b"404 Not Found")
        assert (await get(asker, missing)).body == b"nothing here"
        await get(asker, hostile.url + "/a", 8000)
        assert (len(hostile.asked), hostile.connections) == (5, 1)


@pytest.mark.anyio
async def test_a_connection_that_was_hung_up_or_talked_into_is_not_used_again() -> None:
    async def leaves(writer: asyncio.StreamWriter) -> bool:
        writer.write(answer(b"bye"))
        return True

    async def talks_on(writer: asyncio.StreamWriter) -> None:
        writer.write(answer(b"one"))
        await writer.drain()
        await told.wait()
        writer.write(answer(b"smuggled"))

    told = asyncio.Event()
    async with serving() as hostile, asking(hostile) as asker:
        hostile.scripts |= {"/leaves": leaves, "/talks": talks_on}
        hostile.says("/good", b"good")
        for path in ("/leaves", "/talks"):
            told.clear()
            await get(asker, hostile.url + path)
            told.set()
            await turns()
            assert (await get(asker, hostile.url + "/good")).body == b"good"
        assert hostile.connections == 3


@pytest.mark.anyio
async def test_each_host_name_has_connections_of_its_own() -> None:
    async with serving() as hostile, asking(hostile, names=("a.test", "b.test")) as asker:
        hostile.says("/", b"")
        for name in ("a.test", "b.test", "a.test", "B.TEST"):
            await get(asker, f"http://{name}:{hostile.port}/")
        assert hostile.connections == 2
        assert [asked.headers["host"] for asked in hostile.asked] == [
            f"{name}.test:{hostile.port}" for name in "abab"
        ]


@pytest.mark.anyio
async def test_few_hosts_are_kept_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CONNECTED_HOSTS", 2)
    names = ("a.test", "b.test", "c.test")
    async with serving() as hostile, asking(hostile, names=names) as asker:
        hostile.says("/", b"")
        for name in ("a.test", "b.test", "a.test", "c.test", "a.test", "b.test"):
            await get(asker, f"http://{name}:{hostile.port}/")
        assert hostile.connections == 4  # only b.test had been let go

        async def slow(writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(0.05)
            writer.write(answer(b"slow"))

        hostile.scripts["/slow"] = slow
        answers = await asyncio.gather(
            *(get(asker, f"http://{name}:{hostile.port}/slow") for name in names)
        )
        assert [each.body for each in answers] == [b"slow"] * 3  # none was cut off for another


@pytest.mark.anyio
async def test_few_connections_to_one_host() -> None:
    async with serving() as hostile, asking(hostile) as asker:

        async def slow(writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(0.05)
            writer.write(answer(b"slow"))

        hostile.scripts["/slow"] = slow
        answers = await asyncio.gather(*(get(asker, hostile.url + "/slow") for _ in range(20)))
        assert [each.body for each in answers] == [b"slow"] * 20
        assert hostile.connections == limits.CONNECTIONS_PER_HOST


@pytest.mark.anyio
async def test_idle_hosts_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "KEEPALIVE_TIME", 0.02)
    async with serving() as hostile, asking(hostile, names=("a.test", "b.test")) as asker:
        hostile.says("/", b"")
        await get(asker, f"http://a.test:{hostile.port}/")
        await asyncio.sleep(0.05)
        await get(asker, f"http://b.test:{hostile.port}/")
        assert asker._connections.hosts() == [f"b.test:{hostile.port}"]


@pytest.mark.anyio
async def test_a_request_that_nobody_waits_for_any_longer_leaves_nothing_behind() -> None:
    async def never(writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with serving() as hostile, asking(hostile) as asker:
        hostile.scripts["/never"] = never
        tasks = [asyncio.create_task(get(asker, hostile.url + "/never")) for _ in range(8)]
        for _ in range(3000):
            if len(hostile.asked) >= limits.CONNECTIONS_PER_HOST:
                break
            await asyncio.sleep(0.01)
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(each, asyncio.CancelledError) for each in ended)
        assert hostile.connections == limits.CONNECTIONS_PER_HOST
        hostile.says("/good", b"good")
        assert (await get(asker, hostile.url + "/good")).body == b"good"


@pytest.mark.anyio
async def test_a_connection_in_use_while_the_client_closes_is_closed_afterwards() -> None:
    go = asyncio.Event()

    async def slow(writer: asyncio.StreamWriter) -> None:
        await go.wait()
        writer.write(answer(b"slow"))

    async with serving() as hostile, asking(hostile) as asker:
        hostile.scripts["/slow"] = slow
        asking_it = asyncio.create_task(get(asker, hostile.url + "/slow"))
        for _ in range(3000):
            if hostile.asked:
                break
            await asyncio.sleep(0.01)
        await asker.aclose()
        go.set()
        assert (await asking_it).body == b"slow"
        for _ in range(3000):
            if not hostile.open:
                break
            await asyncio.sleep(0.01)
        assert not hostile.open


# Redirects.


@pytest.mark.anyio
@pytest.mark.parametrize("status", [b"301 A", b"302 A", b"303 A", b"307 A", b"308 A"])
async def test_redirects_are_followed_and_each_hop_is_signed_for_itself(status: bytes) -> None:
    key = rsa.generate_private_key(65537, 2048)
    signed: list[tuple[str, str]] = []

    def sign(method: str, url: str) -> dict[str, str]:
        signed.append((method, url))
        return signing.sign_cavage(key, "https://us.example/k", method, url, None, NOW)

    async with serving() as hostile, asking(hostile) as asker:
        hostile.redirects("/a", "b?x#frag", status)
        hostile.redirects("/b?x", f"HTTP://127.0.0.1:{hostile.port}/c", status)
        hostile.says("/c", b"there")
        got = await asker.get(hostile.url + "/a", accept="*/*", sign=sign)
        assert (got.body, got.url) == (b"there", hostile.url + "/c")
        assert signed == [("GET", hostile.url + path) for path in ("/a", "/b?x", "/c")]
        assert len({asked.headers["signature"] for asked in hostile.asked}) == 3
        assert {asked.headers["date"] for asked in hostile.asked} == {
            "Fri, 20 Nov 2026 12:00:00 GMT"
        }


@pytest.mark.anyio
async def test_ssrf_06_no_redirect_leads_inside() -> None:
    async with serving() as hostile, serving() as canary, asking(hostile) as asker:
        for to in (
            f"http://127.0.0.1:{canary.port}/",
            f"//127.0.0.1:{canary.port}/",
            f"https://127.0.0.1:{canary.port}/",
            f"http://localhost:{canary.port}/",
            f"http://2130706433:{canary.port}/",
            f"http://user@127.0.0.1:{hostile.port}/",
            "https://10.0.0.1/",
            "https://169.254.169.254/latest/meta-data/",
            "https://inside.example/",  # which resolves to 127.0.0.1
            "file:///etc/passwd",
            "https://[::1",
            "http://[fe80::1%25lo]/",
            "/a b",
        ):
            with pytest.raises(Refused):
                await get(asker, hostile.redirects("/r", to))
        assert canary.connections == 0


@pytest.mark.anyio
async def test_ssrf_40_a_host_that_is_not_spoken_with_is_never_dialled() -> None:
    """Asked for itself, behind a redirect, or at the dial alone."""
    async with serving() as other, serving() as blocked:
        ports = frozenset({f"127.0.0.1:{other.port}", f"127.0.0.1:{blocked.port}"})
        policy = addresses.Policy(ports, refuses=lambda host: host == f"127.0.0.1:{blocked.port}")
        async with client.Client(policy, "test/1") as asker:
            for url in (blocked.url + "/", other.redirects("/r", blocked.url + "/")):
                with pytest.raises(Refused, match="host-blocked"):
                    await get(asker, url)
            with pytest.raises(Refused, match="host-blocked"):
                await asker.post(blocked.url + "/inbox", b"{}", {})
        backend = addresses.GuardedBackend(policy, lambda host, port: never())
        with pytest.raises(Refused, match="host-blocked"):
            await backend.connect_tcp("127.0.0.1", blocked.port)
        assert blocked.connections == 0
    names = addresses.Policy(refuses=lambda host: host in ("evil.example", "[2001:db8::1]"))
    for url in ("https://EVIL.example/", "https://evil.example:443/", "https://evil.example./"):
        with pytest.raises(Refused):
            addresses.check_url(url, names)


async def never() -> list[str]:
    raise AssertionError("it was looked up")


@pytest.mark.anyio
async def test_ssrf_06_a_private_peer_is_not_reached_through_somebody_else() -> None:
    async with serving() as hostile, serving() as peer, asking(hostile, peer) as asker:
        peer.says("/", b"inside")
        with pytest.raises(Refused, match="redirect-to-private-peer"):
            await get(asker, hostile.redirects("/r", peer.url + "/"))
        assert peer.connections == 0
        assert (await get(asker, peer.url + "/")).body == b"inside"


@pytest.mark.anyio
async def test_a_picture_comes_from_the_host_that_was_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "MEDIA", 100)
    jpeg = b"Content-Type: IMAGE/jpeg\r\n"
    async with serving() as hostile, asking(hostile) as asker:
        hostile.says("/a", b"x" * 100, jpeg)
        assert await asker.fetch_media(hostile.redirects("/r", "/a")) == b"x" * 100
        assert hostile.asked[-1].headers["accept-encoding"] == "identity"
        for code, url in {
            "foreign-answer": hostile.redirects("/away", "https://elsewhere.example/a"),
            "answer-too-large": hostile.says("/large", b"x" * 101, jpeg),
            "wrong-content-type": hostile.says("/html", b"x", b"Content-Type: text/html\r\n"),
            "status-refused": hostile.says("/no", b"x", jpeg, status=b"403 No"),
            "gone": hostile.says("/gone", b"x", jpeg, status=b"410 Gone"),
            "server-error": hostile.says("/down", b"x", jpeg, status=b"503 Down"),
            "content-encoded": hostile.says("/gzip", b"x", jpeg, b"Content-Encoding: gzip\r\n"),
        }.items():
            with pytest.raises(FederationError, match=code):
                await asker.fetch_media(url)


@pytest.mark.anyio
async def test_ssrf_13_redirects_that_never_end() -> None:
    async with serving() as hostile, asking(hostile) as asker:
        with pytest.raises(Refused, match="redirect-loop"):
            await get(asker, hostile.redirects("/self", "/self#again"))
        hostile.redirects("/b", "/a")
        with pytest.raises(Refused, match="redirect-loop"):
            await get(asker, hostile.redirects("/a", "/b"))
        hostile.asked.clear()
        for hop in range(50):
            hostile.redirects(f"/{hop}", f"/{hop + 1}")
        with pytest.raises(Refused, match="too-many-redirects"):
            await get(asker, hostile.url + "/0")
        assert len(hostile.asked) == limits.REDIRECTS + 1
        hostile.says("/3", b"the last that is allowed")
        assert (await get(asker, hostile.url + "/0")).url == hostile.url + "/3"


@pytest.mark.anyio
async def test_ssrf_12_cookies_and_credentials_are_neither_kept_nor_sent() -> None:
    async with serving() as hostile, asking(hostile) as asker:
        hostile.says("/a", b"", b"Set-Cookie: a=b\r\n", b"Location: /b\r\n", status=b"302 Found")
        hostile.says("/b", b"", b'WWW-Authenticate: Basic realm="x"\r\n', status=b"401 No")
        assert (await get(asker, hostile.url + "/a")).status == 401
        for asked in hostile.asked:
            assert not {"cookie", "authorization", "referer"} & set(asked.headers)


# Answers that are too slow, too large, or not what they say.


def dripping(head: bytes, drop: bytes) -> Script:
    async def drip(writer: asyncio.StreamWriter) -> bool:
        writer.write(head)
        for _ in range(3000):  # a minute: much longer than any of these may wait
            if writer.is_closing():  # they have left
                break
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(0.02)
        return True

    return drip


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"", b""),
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
    ],
)
async def test_ssrf_14_the_deadline_covers_everything(head: bytes, drop: bytes) -> None:
    async with serving() as hostile, asking(hostile, total_time=0.15) as asker:
        hostile.scripts["/"] = dripping(head, drop)
        started = asyncio.get_running_loop().time()
        with pytest.raises(Unreachable, match="timeout"):
            await get(asker, hostile.url + "/")
        assert asyncio.get_running_loop().time() - started < 20


@pytest.mark.anyio
async def test_ssrf_14_redirects_share_one_deadline() -> None:
    async def slow(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        writer.write(hop)

    async with serving() as hostile, asking(hostile, total_time=0.15) as asker:
        hop = answer(b"", b"Location: /b\r\n", status=b"302 Found")
        hostile.scripts["/a"] = hostile.scripts["/b"] = slow
        with pytest.raises(Unreachable, match="timeout"):
            await get(asker, hostile.url + "/a")


def flooding(hostile: Hostile, head: bytes, chunk: bytes, times: int = 10_000) -> Script:
    async def flood(writer: asyncio.StreamWriter) -> bool:
        hostile.sent = 0
        writer.write(head)
        for _ in range(times):
            writer.write(chunk)
            await writer.drain()
            hostile.sent += len(chunk)
        return True

    return flood


LONG = b"x" * 65536
CHUNK = b"10000\r\n" + LONG + b"\r\n"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("head", "chunk"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n", LONG),
        (b"HTTP/1.1 200 OK\r\n\r\n", LONG),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", CHUNK),
        # Hardly any body, but framing without end.
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"1;" + b"e" * 16000 + b"\r\nx\r\n",
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"a: b\r\n" * 1000),
    ],
    ids=["length", "until-close", "chunks", "extensions", "trailers"],
)
async def test_ssrf_15_a_body_without_end(head: bytes, chunk: bytes) -> None:
    async with serving() as hostile, asking(hostile) as asker:
        hostile.scripts["/"] = flooding(hostile, head, chunk)
        with pytest.raises(FederationError, match=r"answer-too-large|bad-http"):
            await get(asker, hostile.url + "/", 100_000)
        await asyncio.sleep(0.02)
        assert hostile.sent < 20_000_000  # what sockets hold, not what was offered


@pytest.mark.anyio
async def test_ssrf_15_the_limit_is_exact() -> None:
    async with serving() as hostile, asking(hostile) as asker:
        fits = hostile.says("/fits", b"x" * 1000)
        assert len((await get(asker, fits, 1000)).body) == 1000
        with pytest.raises(Refused, match="answer-too-large"):
            await get(asker, fits, 999)
        chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        hostile.scripts["/tiny"] = chunked + b"1\r\nx\r\n" * 1000 + b"0\r\n\r\n"
        assert len((await get(asker, hostile.url + "/tiny", 1000)).body) == 1000
        with pytest.raises(Refused, match="answer-too-large"):
            await get(asker, hostile.url + "/tiny", 999)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 5000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nA b: c\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\x00: c\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"<html>HTTP/0.9</html>",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"",
    ],
)
async def test_ssrf_18_what_is_no_http_is_no_answer(raw: bytes) -> None:
    async def say(writer: asyncio.StreamWriter) -> bool:
        writer.write(raw)
        return True

    async with serving() as hostile, asking(hostile) as asker:
        hostile.scripts["/"] = say
        with pytest.raises(Unreachable, match=r"bad-http|connection-lost"):
            await get(asker, hostile.url + "/")
        assert (await get(asker, hostile.says("/good", b"good"))).body == b"good"


@pytest.mark.anyio
async def test_ssrf_18_protocol_switches_are_refused() -> None:
    async with serving() as hostile, asking(hostile) as asker:
        hostile.scripts["/"] = (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nhi"
        )
        with pytest.raises(Unreachable, match="bad-http"):
            await get(asker, hostile.url + "/")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("head", "chunk"),
    [
        (b"HTTP/1.1 200 OK\r\nX: ", b"x" * 1000),
        (b"HTTP/1.1 200 OK\r\n", b"a: b\r\n" * 100),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 10),
        (b"HTTP/1.1 200 ", b"O" * 1000),
    ],
    ids=["one-long", "many", "informational", "status-line"],
)
async def test_ssrf_18_headers_without_end(head: bytes, chunk: bytes) -> None:
    async with serving() as hostile, asking(hostile) as asker:
        hostile.scripts["/"] = flooding(hostile, head, chunk, 1_000_000)
        for ask in (get(asker, hostile.url + "/"), asker.post(hostile.url + "/", b"{}", {})):
            with pytest.raises(Refused, match="headers-too-large"):
                await ask
        assert hostile.sent < 10_000_000


@pytest.mark.anyio
async def test_ssrf_18_the_block_of_headers_is_bounded_exactly() -> None:
    async with serving() as hostile, asking(hostile) as asker:
        rest = len(answer(b"", b"X: \r\n"))
        fits = hostile.says("/fits", b"", b"X: " + b"x" * (limits.HEADER_BLOCK - rest) + b"\r\n")
        assert (await get(asker, fits)).status == 200
        over = hostile.says("/over", b"", b"X: " + b"x" * (limits.HEADER_BLOCK) + b"\r\n")
        with pytest.raises(Refused, match="headers-too-large"):
            await get(asker, over)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "encoding", [b"gzip", b"gzip, gzip", b"br", b"zstd", b"deflate", b"GZIP", b"identity, gzip"]
)
async def test_ssrf_16_17_packed_answers_are_not_unpacked(encoding: bytes) -> None:
    bomb = gzip.compress(bytes(50_000_000), 1)
    async with serving() as hostile, asking(hostile) as asker:
        packed = hostile.says("/", bomb, b"Content-Encoding: " + encoding + b"\r\n")
        with pytest.raises(Refused, match="content-encoded"):
            await get(asker, packed, 1_000_000)
        bare = hostile.says("/bare", b"x", b"Content-Encoding: identity\r\n")
        assert (await get(asker, bare)).body == b"x"
        assert (await asker.post(packed, b"{}", {})).status == 200


@pytest.mark.anyio
async def test_ssrf_22_proxies_of_the_environment_are_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with serving() as hostile, serving() as canary:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, canary.url)
            monkeypatch.setenv(name.lower(), canary.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        async with asking(hostile) as asker:
            assert (await get(asker, hostile.says("/", b"direct"))).body == b"direct"
        assert canary.connections == 0


@pytest.mark.anyio
async def test_a_host_that_is_not_there_is_unreachable() -> None:
    async with serving() as hostile:
        url = hostile.url
    async with asking(hostile) as asker:
        with pytest.raises(Unreachable, match="connect-failed"):
            await get(asker, url)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    raw=st.one_of(
        st.binary(max_size=300),
        st.builds(
            lambda head, body: b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + body,
            st.sampled_from(
                [b"Content-Length: 3", b"Transfer-Encoding: chunked", b"Location: x", b"A: \xff"]
            ),
            st.binary(max_size=100),
        ),
    )
)
def test_any_bytes_are_an_answer_or_one_of_our_errors(raw: bytes) -> None:
    async def ask() -> None:
        async def say(writer: asyncio.StreamWriter) -> bool:
            writer.write(raw)
            return True

        async with serving() as hostile, asking(hostile) as asker:
            hostile.scripts["/"] = say
            for each in (asker.fetch_document(hostile.url + "/"), get(asker, hostile.url + "/")):
                with contextlib.suppress(FederationError):
                    await each

    asyncio.run(ask())


# TLS.


def certificate(name: str, folder: Path, *, valid: bool = True) -> tuple[ssl.SSLContext, str]:
    """A server's context with a certificate that it signed itself, and that one in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime.now(UTC) - timedelta(days=30)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=60 if valid else 29))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = built.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = folder / f"{name}.pem"
    file.write_bytes(private + pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context, pem.decode()


@pytest.mark.anyio
async def test_tls_with_a_trusted_certificate(tmp_path: Path) -> None:
    context, pem = certificate("peer.test", tmp_path)
    trusting = ssl.create_default_context(cadata=pem)
    async with (
        serving(context) as hostile,
        asking(hostile, names=["peer.test"], ssl_context=trusting) as asker,
    ):
        hostile.says("/", b"x" * 200_000)
        url = f"https://peer.test:{hostile.port}/"
        for _ in range(2):
            assert len((await get(asker, url, 200_000)).body) == 200_000
        assert (await asker.post(url, b"x" * 200_000, {})).status == 200
        assert len(hostile.asked[-1].body) == 200_000
        assert hostile.connections == 1
        await get(asker, url, 200_000)
        assert hostile.connections == 2  # the post's answer was longer than anyone reads


@pytest.mark.anyio
async def test_a_redirect_from_https_to_http_is_refused(tmp_path: Path) -> None:
    context, pem = certificate("peer.test", tmp_path)
    trusting = ssl.create_default_context(cadata=pem)
    async with (
        serving_both(context) as hostile,
        asking(hostile, names=["peer.test"], ssl_context=trusting) as asker,
    ):
        hostile.says("/plain", b"plain")
        hostile.redirects("/", f"http://peer.test:{hostile.port}/plain")
        with pytest.raises(Refused, match="redirect-downgrade"):
            await get(asker, f"https://peer.test:{hostile.port}/")
        assert len(hostile.asked) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("fault", ["self-signed", "expired", "wrong-name", "plain"])
async def test_ssrf_19_certificates_that_prove_nothing(fault: str, tmp_path: Path) -> None:
    name = "other.test" if fault == "wrong-name" else "peer.test"
    context, pem = certificate(name, tmp_path, valid=fault != "expired")
    trusting = None if fault == "self-signed" else ssl.create_default_context(cadata=pem)
    async with (
        serving(None if fault == "plain" else context) as hostile,
        asking(hostile, names=["peer.test"], ssl_context=trusting, total_time=0.3) as asker,
    ):
        hostile.says("/", b"")
        for ask in (get, lambda asker, url: asker.post(url, b"{}", {})):
            with pytest.raises(Unreachable, match=r"tls-failed|timeout"):
                await ask(asker, f"https://peer.test:{hostile.port}/")
        assert hostile.asked == []


# Deliveries.


@pytest.mark.anyio
async def test_a_post_sends_the_very_bytes_and_headers_that_were_signed() -> None:
    key = rsa.generate_private_key(65537, 2048)
    body = b'{"type":"Create"}'
    async with serving() as hostile, asking(hostile) as asker:
        url = hostile.says("/inbox", b"accepted", status=b"202 Accepted")
        headers = signing.sign_cavage(key, "https://us.example/k", "POST", url, body, NOW)
        got = await asker.post(url, body, headers)
        assert (got.status, got.body, got.url) == (202, b"accepted", url)
        (asked,) = hostile.asked
        assert (asked.method, asked.body) == ("POST", body)
        for name, value in headers.items():
            assert asked.headers[name.lower()] == value
        assert asked.headers["user-agent"] == AGENT
        assert asked.headers["content-length"] == str(len(body))


@pytest.mark.anyio
async def test_a_post_names_no_other_host_and_no_other_line() -> None:
    async with serving() as hostile, asking(hostile, names=["peer.test"]) as asker:
        hostile.says("/", b"")
        url = f"http://peer.test:{hostile.port}/"
        for headers in (
            {"host": "peer.test"},
            {"Host": "evil.example"},
            {"X": "a\r\nHost: evil.example"},
            {"X\r\nY": "a"},
            {"X": "é"},
        ):
            with pytest.raises(Refused, match=r"host-mismatch|unsendable"):
                await asker.post(url, b"{}", headers)
        assert hostile.asked == []
        await asker.post(url, b"{}", {"HOST": f"Peer.TEST:{hostile.port}"})
        assert hostile.asked[0].headers["host"] == f"Peer.TEST:{hostile.port}"


@pytest.mark.anyio
async def test_a_post_is_not_redirected() -> None:
    async with serving() as hostile, asking(hostile) as asker:
        got = await asker.post(hostile.redirects("/a", "/b", b"307 There"), b"{}", {})
        assert (got.status, got.headers["location"]) == (307, "/b")
        assert [asked.path for asked in hostile.asked] == ["/a"]


@pytest.mark.anyio
async def test_dlv_14_an_answer_to_a_delivery_is_not_read_far() -> None:
    async with serving() as hostile, asking(hostile) as asker:
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"
        hostile.scripts["/"] = flooding(hostile, head, LONG)
        got = await asker.post(hostile.url + "/", b"{}", {})
        assert (got.status, len(got.body)) == (200, limits.ANSWER)
        await asyncio.sleep(0.02)
        assert hostile.sent < 20_000_000
        # The rest of that body must not be taken for the next answer.
        assert (await asker.post(hostile.says("/b", b"next"), b"", {})).body == b"next"


@pytest.mark.anyio
async def test_a_delivery_counts_once_its_status_is_in() -> None:
    async with serving() as hostile, asking(hostile, total_time=1.0) as asker:
        head = b"HTTP/1.1 202 Accepted\r\nContent-Length: 900000\r\n\r\n"
        hostile.scripts["/drips"] = dripping(head, b"x")
        hostile.scripts["/breaks"] = flooding(hostile, head, b"short", 1)
        chunked = b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n"
        hostile.scripts["/frames"] = flooding(hostile, chunked, b"1;" + b"e" * 16000 + b"\r\nx\r\n")
        started = asyncio.get_running_loop().time()
        for path in ("/drips", "/breaks", "/frames"):
            assert (await asker.post(hostile.url + path, b"{}", {})).status == 202
        assert asyncio.get_running_loop().time() - started < 20
        hostile.scripts["/hangs"] = dripping(b"", b"")
        with pytest.raises(Unreachable, match="timeout"):
            await asker.post(hostile.url + "/hangs", b"{}", {})


# Documents.


@pytest.mark.anyio
async def test_a_document_is_fetched_from_its_id() -> None:
    async with serving() as hostile, asking(hostile) as asker:
        actor = f"{hostile.url}/users/a"
        hostile.shows("/users/a", {"id": actor, "type": "Person"})
        assert await asker.fetch_document(actor) == ({"id": actor, "type": "Person"}, actor)
        assert await asker.fetch_document(actor + "#main-key") == (
            {"id": actor, "type": "Person"},
            actor,
        )
        (first, _) = hostile.asked
        assert first.headers["accept"] == (
            "application/activity+json, "
            'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
        )


@pytest.mark.anyio
async def test_org_07_a_redirect_does_not_let_one_host_speak_for_another() -> None:
    async with serving() as hostile, asking(hostile, names=["a.test", "b.test"]) as asker:
        a, b = (f"http://{name}.test:{hostile.port}" for name in "ab")
        hostile.shows("/note", {"id": f"{a}/note"})
        with pytest.raises(Refused, match="foreign-id"):
            await asker.fetch_document(f"{b}/note")
        for identifier in ("https://a.example/note", f"https://b.test:{hostile.port}/note"):
            hostile.shows("/note", {"id": identifier})
            with pytest.raises(Refused, match="foreign-id"):
                await asker.fetch_document(f"{b}/note")


@pytest.mark.anyio
async def test_org_08_a_document_with_another_id_is_asked_for_again_by_it() -> None:
    async with serving() as hostile, asking(hostile) as asker:
        url = hostile.url
        hostile.shows("/@a", {"id": f"{url}/users/a", "name": "by page"})
        hostile.shows("/users/a", {"id": f"{url}/users/a", "name": "by id"})
        document, final = await asker.fetch_document(f"{url}/@a")
        assert (document["name"], final) == ("by id", f"{url}/users/a")
        assert len(hostile.asked) == 2

        hostile.shows("/1", {"id": f"{url}/2"})
        hostile.shows("/2", {"id": f"{url}/3"})
        hostile.shows("/3", {"id": f"{url}/3"})
        with pytest.raises(Refused, match="id-mismatch"):
            await asker.fetch_document(f"{url}/1")
        # The id answers with a redirect: then nothing stands at the id itself.
        hostile.redirects("/2", "/3")
        with pytest.raises(Refused, match="id-mismatch"):
            await asker.fetch_document(f"{url}/1")
        hostile.shows("/3", {"id": f"{url}/2"})
        with pytest.raises(Refused, match="id-mismatch"):
            await asker.fetch_document(f"{url}/1")
        hostile.shows("/4", {"id": f"{url}/1"})
        with pytest.raises(Refused, match="id-mismatch"):
            await asker.fetch_document(f"{url}/4")


@pytest.mark.anyio
@pytest.mark.parametrize(
    "identifier", [None, 1, "", [], {}, "note", "acct:a@b", "javascript:1", "\ud800", "x" * 5000]
)
async def test_a_document_without_a_usable_id_is_refused(identifier: object) -> None:
    async with serving() as hostile, asking(hostile) as asker:
        with pytest.raises(Refused):
            await asker.fetch_document(hostile.shows("/", {"id": identifier}))


@pytest.mark.anyio
@pytest.mark.parametrize(
    "content_type",
    [
        "text/html",
        "text/plain",
        "application/json",
        "image/png",
        "application/ld+json",
        "application/jrd+json",
        "application/activity+json, text/html",
        "",
    ],
)
async def test_org_09_ssrf_21_other_content_types_are_refused(content_type: str) -> None:
    async with serving() as hostile, asking(hostile) as asker:
        head = f"Content-Type: {content_type}\r\n".encode() if content_type else b"X: x\r\n"
        url = hostile.shows("/", {"id": f"{hostile.url}/"}, head)
        with pytest.raises(Refused, match="wrong-content-type"):
            await asker.fetch_document(url)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"<html>", b"\xff", b'{"a":NaN}', b"[" * 100_000, b'{"a":1,"a":2}']
)
async def test_a_body_that_is_no_document_is_refused(body: bytes) -> None:
    async with serving() as hostile, asking(hostile) as asker:
        with pytest.raises(Refused):
            await asker.fetch_document(hostile.says("/", body, ACTIVITY))


@pytest.mark.anyio
async def test_a_page_stands_at_its_url() -> None:
    async with serving() as hostile, asking(hostile, names=["a.test", "b.test"]) as asker:
        a, b = (f"http://{name}.test:{hostile.port}" for name in "ab")
        for identifier in (f"{a}/outbox?page=true&x=1", None):
            hostile.shows("/outbox?page=1", {"id": identifier, "type": "OrderedCollectionPage"})
            document, final = await asker.fetch_page(f"{a}/outbox?page=1")
            assert (document["id"], final) == (identifier, f"{a}/outbox?page=1")
        hostile.shows("/foreign", {"id": f"{b}/foreign"})
        with pytest.raises(Refused, match="foreign-id"):
            await asker.fetch_page(f"{a}/foreign")


@contextlib.asynccontextmanager
async def serving_both(context: ssl.SSLContext) -> AsyncIterator[Hostile]:
    """A server that speaks TLS and plain HTTP on one port, so that a port has two origins."""
    hostile = Hostile()
    loop = asyncio.get_running_loop()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    hostile.port = listener.getsockname()[1]

    async def accept() -> None:
        while True:
            connection, _ = await loop.sock_accept(listener)
            first = b""
            while not first:
                await asyncio.sleep(0.001)
                with contextlib.suppress(BlockingIOError):
                    first = connection.recv(1, socket.MSG_PEEK)
            reader = asyncio.StreamReader()
            await loop.connect_accepted_socket(
                lambda reader=reader: asyncio.StreamReaderProtocol(reader, hostile.handle),
                connection,
                ssl=context if first == b"\x16" else None,
            )

    accepting = asyncio.create_task(accept())
    try:
        yield hostile
    finally:
        accepting.cancel()
        await asyncio.gather(accepting, return_exceptions=True)
        listener.close()
        await hostile.stop()


@pytest.mark.anyio
async def test_org_26_a_page_that_was_moved_to_another_origin_is_refused(tmp_path: Path) -> None:
    context, pem = certificate("peer.test", tmp_path)
    trusting = ssl.create_default_context(cadata=pem)
    async with (
        serving_both(context) as hostile,
        asking(hostile, names=["peer.test"], ssl_context=trusting) as asker,
    ):
        moved = f"https://peer.test:{hostile.port}/page"
        hostile.redirects("/", moved)
        hostile.shows("/page", {"id": moved})
        assert (await asker.fetch_page(moved))[1] == moved
        with pytest.raises(Refused, match="foreign-answer"):
            await asker.fetch_page(f"http://peer.test:{hostile.port}/")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (b"404 A", Gone, "not-found"),
        (b"410 A", Gone, "gone"),
        (b"400 A", Refused, "status-refused"),
        (b"401 A", Refused, "status-refused"),
        (b"403 A", Refused, "status-refused"),
        (b"406 A", Refused, "status-refused"),
        (b"202 A", Refused, "status-refused"),
        (b"204 A", Refused, "status-refused"),
        (b"300 A", Refused, "status-refused"),
        (b"304 A", Refused, "status-refused"),
        (b"302 without a location", Refused, "status-refused"),
        (b"408 A", Unreachable, "busy"),
        (b"429 A", Unreachable, "busy"),
        (b"500 A", Unreachable, "server-error"),
        (b"503 A", Unreachable, "server-error"),
        (b"522 A", Unreachable, "server-error"),
    ],
)
async def test_what_a_status_means(status: bytes, kind: type[FederationError], code: str) -> None:
    async with serving() as hostile, asking(hostile) as asker:
        hostile.scripts["/"] = (
            b"HTTP/1.1 " + status + b"\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n"
        )
        with pytest.raises(kind) as caught:
            await asker.fetch_document(hostile.url + "/")
        assert caught.value.code == code
        if isinstance(caught.value, Unreachable):
            assert caught.value.retry_after == 120.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("0", 1.0),
        (" 5 ", 5.0),
        ("9" * 90, 86400.0),
        ("Fri, 20 Nov 2026 12:02:00 GMT", 120.0),
        ("Fri, 20 Nov 2026 12:02:00 -0000", 120.0),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 1.0),
        ("Fri, 20 Nov 2099 11:00:00 GMT", 86400.0),
        ("Fri, 20 Nov 99999999999999999999 11:00:00 GMT", None),
        ("Fri, 20 Nov 2026 99:99:99 GMT", None),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("²", None),
        ("", None),
        ("9" * 5000, None),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    told = client.Answer(429, {"retry-after": value}, b"", "https://a.example/")
    assert client.retry_after(told, NOW) == seconds


@given(st.text())
def test_retry_after_takes_any_text(value: str) -> None:
    seconds = client.retry_after(client.Answer(429, {"retry-after": value}, b"", ""), NOW)
    assert seconds is None or 1.0 <= seconds <= 86400.0


@pytest.mark.anyio
async def test_dos_01_a_budget_ends() -> None:
    budget = client.Budget(2)
    async with serving() as hostile, asking(hostile) as asker:
        url = hostile.url
        hostile.shows("/@a", {"id": f"{url}/a"})
        hostile.shows("/a", {"id": f"{url}/a"})
        with pytest.raises(Refused, match="scheme-refused"):
            await asker.fetch_document("ftp://a.example/", budget=budget)  # costs nothing
        await asker.fetch_document(f"{url}/@a", budget=budget)
        with pytest.raises(Refused, match="too-many-fetches"):
            await asker.fetch_document(f"{url}/a", budget=budget)
        assert len(hostile.asked) == 2
        with pytest.raises(Refused, match="too-many-fetches"):
            await asker.fetch_document(f"{url}/@a", budget=client.Budget(1))


@pytest.mark.anyio
async def test_sig_25_the_client_does_not_call_its_own_server() -> None:
    async with serving() as hostile, serving() as other:
        peers = frozenset({f"127.0.0.1:{hostile.port}", f"127.0.0.1:{other.port}"})
        policy = addresses.Policy(peers, own_authority=f"127.0.0.1:{hostile.port}")
        async with client.Client(policy, AGENT) as asker:
            for ask in (
                asker.fetch_document(f"{hostile.url}/users/instance"),
                asker.post(f"{hostile.url}/inbox", b"{}", {}),
                get(asker, other.redirects("/", f"{hostile.url}/")),
            ):
                with pytest.raises(Refused, match="own-host"):
                    await ask
        assert hostile.connections == 0
