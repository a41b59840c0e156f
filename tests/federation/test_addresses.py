"""What may be dialled: what a URL says, what its name resolves to, and where the bytes then go."""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Sequence

import httpcore2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import addresses, limits
from federation.errors import Refused, Unreachable

PUBLIC = addresses.Policy()


@pytest.fixture(
    params=[("asyncio", {"use_uvloop": False}), ("asyncio", {"use_uvloop": True})],
    ids=["asyncio", "uvloop"],
)
def anyio_backend(request: pytest.FixtureRequest) -> object:
    return request.param


class Names:
    """A resolver that answers from a list, one list an asking, and remembers what was asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


class Listener:
    """Greets whoever connects, with its own name, and counts them."""

    def __init__(self) -> None:
        self.connections = 0
        self.open = 0
        self.port = 0
        self.greeting = b"hello"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        writer.write(self.greeting)
        with contextlib.suppress(ConnectionError):
            while await reader.read(65536):
                pass
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        self.open -= 1


@contextlib.asynccontextmanager
async def listening(
    host: str = "127.0.0.1", port: int = 0, greeting: bytes = b"hello"
) -> AsyncIterator[Listener]:
    listener = Listener()
    listener.greeting = greeting
    server = await asyncio.start_server(listener.handle, host, port)
    listener.port = server.sockets[0].getsockname()[1]
    try:
        yield listener
    finally:
        server.close()
        for _ in range(500):  # none is left behind for the loop to close, however busy the machine
            await asyncio.sleep(0.01)
            if not listener.open:
                break


def refusal(url: str, policy: addresses.Policy = PUBLIC) -> str:
    with pytest.raises(Refused) as caught:
        addresses.check_url(url, policy)
    return caught.value.code


# What a URL says.


def test_a_url_is_taken_apart_once() -> None:
    target = addresses.check_url("HTTPS://Shop.Example:443/users/a?page=1#main-key", PUBLIC)
    assert target == addresses.Target(
        scheme="https",
        host="shop.example",
        port=443,
        authority="shop.example",
        path="/users/a?page=1",
        url="https://shop.example/users/a?page=1",
    )


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://a.example", "/"),
        ("https://a.example?x=[1]", "/?x=[1]"),
        ("https://a.example#", "/"),
    ],
)
def test_a_path_is_never_empty(url: str, path: str) -> None:
    assert addresses.check_url(url, PUBLIC).path == path


def test_a_host_in_another_script_becomes_ascii() -> None:
    target = addresses.check_url("https://Épicerie.example/é".replace("/é", "/"), PUBLIC)
    assert target.host == "xn--picerie-9xa.example"
    assert target.url == "https://xn--picerie-9xa.example/"
    assert addresses.check_url("https://ｓｈｏｐ。example/", PUBLIC).host == "shop.example"


@pytest.mark.parametrize("host", ["straße.example", "a\u200db.example", "ος.example"])
def test_a_host_that_two_editions_of_idna_read_differently_is_refused(host: str) -> None:
    assert refusal(f"https://{host}/") == "bad-host"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.example",
        "//shop.example/",
        "https:/shop.example/",
        "https:///path",
        "https://shop.example\\@evil.example/",
        "https://shop.example/a b",
        "https://shop.example/\t",
        "https://shop.example/\r\nHost: x",
        " https://shop.example/",
        "https://shop.example/é",
        "https://shop.example/\x00",
        "https://shop.example:/",
        "https://shop.example:443443443/",
        "https://shop.example:٤٤٣/",
        "https://shop.example:+443/",
        "https://[::1/",
        "https://::1/",
        "https://[127.0.0.1]/",
        "https://[::1]x/",
        "https://[fe80::1%25lo]/",
        "https://shop..example/",
        "https://.shop.example/",
        "https://shop.example./",
        "https://127.0.0.1./",
        "https://-shop.example/",
        "https://shop-.example/",
        "https://sh_op.example/",
        "https://shop%2eexample/",
        "https://%31%32%37.0.0.1/",
        "https://sh*op.example/",
        "https://" + "a" * 64 + ".example/",
        "https://" + "a." * 126 + "example/",
        "https://" + "é" * 250 + ".example/",
        "https://\ud800.example/",
    ],
)
def test_what_is_not_plainly_a_url_is_refused(url: str) -> None:
    assert refusal(url) in ("bad-url", "bad-host", "url-userinfo")


def test_a_long_url_is_refused() -> None:
    fitting = "https://a.example/".ljust(limits.URL, "a")
    assert addresses.check_url(fitting, PUBLIC).url == fitting
    assert refusal(fitting + "a") == "url-too-long"


@pytest.mark.parametrize("url", [None, 1, b"https://a.example/", ["https://a.example/"], {}])
def test_what_is_no_text_is_refused(url: object) -> None:
    assert refusal(url) == "url-not-text"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "data:application/activity+json,{}",
        "gopher://shop.example/",
        "ftp://shop.example/",
        "unix:/run/x.sock",
        "javascript:alert(1)",
        "acct:a@shop.example",
        "http://shop.example/",
        "HTTP://shop.example:443/",
        "http+unix://x/",
        "ws://shop.example/",
    ],
)
def test_ssrf_10_schemes(url: str) -> None:
    assert refusal(url) in ("scheme-refused", "port-refused")


@pytest.mark.parametrize("port", [0, 22, 25, 80, 444, 5432, 6379, 8443, 65535, 65536, 99999])
def test_ssrf_11_ports(port: int) -> None:
    assert refusal(f"https://shop.example:{port}/") == "port-refused"


@pytest.mark.parametrize("user", ["user@", "user:secret@", "@", ":@", "a%40b@", "shop.example@"])
def test_ssrf_12_credentials_in_a_url(user: str) -> None:
    with pytest.raises(Refused, match="url-userinfo") as caught:
        addresses.check_url(f"https://{user}shop.example/", PUBLIC)
    assert "secret" not in str(caught.value)


LITERALS = [
    "2130706433",
    "0x7f000001",
    "0x7F.1",
    "127.0.0.0x1",
    "0177.0.0.1",
    "127.1",
    "127.0.1",
    "0",
    "0x0",
    "①②⑦.⓪.⓪.①",
    "１２７.０.０.１",
    "127。0。0。1",
    "127.0.0.1",
    "8.8.8.8",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[2606:4700::1111]",
]


@pytest.mark.parametrize("host", LITERALS)
def test_ssrf_05_an_address_in_any_notation_is_no_host(host: str) -> None:
    assert refusal(f"https://{host}/") in ("host-refused", "bad-host")


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "intranet",
        "a.localhost",
        "printer.local",
        "metadata.google.internal",
        "abcdefghij.onion",
        "router.home.arpa",
        "1.0.0.127.in-addr.arpa",
        "shop.test",
        "shop.invalid",
        "shop.alt",
        "SHOP.ONION",
        "shop.ｌｏｃａｌ",
        "shop.123",
        "shop.1com",
    ],
)
def test_ssrf_20_names_that_no_public_server_has(host: str) -> None:
    assert refusal(f"https://{host}/") == "host-refused"


def test_sig_25_this_server_is_never_dialled() -> None:
    policy = addresses.Policy(
        private_peers=frozenset({"127.0.0.1:8001", "127.0.0.1:8002"}),
        own_authority="127.0.0.1:8001",
    )
    assert refusal("http://127.0.0.1:8001/users/instance", policy) == "own-host"
    assert addresses.check_url("http://127.0.0.1:8002/", policy).port == 8002
    for own in ("shop.example", "shop.example:443", "Shop.Example"):
        policy = addresses.Policy(own_authority=own)
        assert refusal("https://SHOP.example/a", policy) == "own-host"
        assert addresses.check_url("https://other.shop.example/", policy)


def test_a_private_peer_is_exactly_one_host_and_port() -> None:
    policy = addresses.Policy(private_peers=frozenset({"127.0.0.1:8001", "[::1]:8002", "b:443"}))
    target = addresses.check_url("http://127.0.0.1:8001/a", policy)
    assert (target.authority, target.url) == ("127.0.0.1:8001", "http://127.0.0.1:8001/a")
    target = addresses.check_url("http://[0:0::1]:8002", policy)
    assert (target.host, target.authority) == ("::1", "[::1]:8002")
    assert addresses.check_url("https://B/", policy).authority == "b"
    for url in (
        "http://127.0.0.1:8002/",
        "http://127.0.0.1/",
        "https://127.0.0.1/",
        "http://127.0.0.2:8001/",
        "http://127.1:8001/",
        "http://0x7f000001:8001/",
        "http://localhost:8001/",
        "http://[::ffff:127.0.0.1]:8001/",
        "http://b/",
    ):
        refusal(url, policy)


@given(st.one_of(st.text(), st.from_regex(r"(https?|ftp)://[^/]{0,40}(/.*)?", fullmatch=True)))
def test_any_text_is_either_a_target_or_refused(url: str) -> None:
    try:
        target = addresses.check_url(url, PUBLIC)
    except Refused:
        return
    assert (target.scheme, target.port) == ("https", 443)
    assert target.url.isascii()
    assert target.url.isprintable()
    # What was checked reads the same the second time.
    assert addresses.check_url(target.url, PUBLIC) == target


# Which addresses are public.

NOT_PUBLIC = [
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "0.0.0.0",
    "0.1.2.3",
    "255.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "192.0.0.1",
    "192.0.0.8",
    "192.0.0.9",
    "192.0.0.170",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:7f00:1",
    "64:ff9b::7f00:1",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00::1",
    "fe80::1",
    "fe80::1%lo",
    "2606:4700::1111%lo",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_ssrf_01_02_04_addresses_that_are_not_public(address: str) -> None:
    assert not addresses.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "93.184.216.34",
        "193.0.0.1",
        "192.0.1.1",
        "223.255.255.254",
        "::ffff:8.8.8.8",
        "2001:200::1",
        "2001:4860:4860::8888",
        "2606:4700::1111",
        "2a01:e0a::1",
        "3ffe::1",
    ],
)
def test_public_addresses(address: str) -> None:
    assert addresses.is_public(ipaddress.ip_address(address))


# Dialling.


@pytest.mark.anyio
@pytest.mark.parametrize("address", [*NOT_PUBLIC, "no address", "127.1", "0x7f000001", ""])
async def test_ssrf_01_a_public_name_with_such_an_address_is_not_dialled(address: str) -> None:
    for answers in ([address], ["93.184.216.34", address], [address, "93.184.216.34"]):
        names = Names(answers)
        backend = addresses.GuardedBackend(PUBLIC, names)
        with pytest.raises(Refused, match="address-refused"):
            await backend.connect_tcp("rebind.example", 443)
        assert names.asked == [("rebind.example", 443)]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("127.0.0.1", 443),
        ("::1", 443),
        ("93.184.216.34", 443),
        ("localhost", 443),
        ("shop.example", 80),
        ("shop.example", 6379),
        ("own.example", 443),
    ],
)
async def test_the_backend_checks_for_itself(host: str, port: int) -> None:
    names = Names(["127.0.0.1"])
    backend = addresses.GuardedBackend(addresses.Policy(own_authority="own.example"), names)
    with pytest.raises(Refused):
        await backend.connect_tcp(host, port)
    assert names.asked == []


@pytest.mark.anyio
async def test_ssrf_08_the_address_that_was_checked_is_the_one_that_is_dialled() -> None:
    async with listening(greeting=b"first") as first:  # noqa: SIM117
        async with listening("127.0.0.2", first.port, b"second") as second:
            peer = f"peer.test:{first.port}"
            names = Names(["127.0.0.1"], ["127.0.0.2"])
            backend = addresses.GuardedBackend(
                addresses.Policy(private_peers=frozenset({peer})), names
            )
            stream = await backend.connect_tcp("peer.test", first.port, timeout=30.0)
            assert await stream.read(100, timeout=30.0) == b"first"
            assert stream.get_extra_info("server_addr")[:2] == ("127.0.0.1", first.port)
            await stream.aclose()
            assert (names.asked, second.connections) == ([("peer.test", first.port)], 0)


@pytest.mark.anyio
async def test_ssrf_08_a_name_turned_private_is_refused_at_the_second_dial() -> None:
    names = Names(["93.184.216.34", "10.0.0.1"], ["127.0.0.1"])
    backend = addresses.GuardedBackend(PUBLIC, names)
    for _ in range(2):
        with pytest.raises(Refused, match="address-refused"):
            await backend.connect_tcp("rebind.example", 443)


@pytest.mark.anyio
async def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    async with listening() as listener:
        policy = addresses.Policy(private_peers=frozenset({f"peer.test:{listener.port}"}))
        names = Names(["127.0.0.3", "127.0.0.3", "127.0.0.1"])
        stream = await addresses.GuardedBackend(policy, names).connect_tcp(
            "peer.test", listener.port, timeout=30.0
        )
        assert await stream.read(100) == b"hello"
        await stream.aclose()
        names = Names(["127.0.0.3", "127.0.0.4", "127.0.0.5", "127.0.0.1"])
        with pytest.raises(Unreachable, match="connect-failed"):
            await addresses.GuardedBackend(policy, names).connect_tcp("peer.test", listener.port)
        assert listener.connections == 1


@pytest.mark.anyio
async def test_a_name_that_does_not_resolve_is_unreachable() -> None:
    async def fails(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    async def hangs(host: str, port: int) -> Sequence[str]:
        await asyncio.sleep(60)
        return []

    cases: list[tuple[addresses.Resolver, str]] = [
        (fails, "name-not-resolved"),
        (Names([]), "name-not-resolved"),
        (hangs, "name-timeout"),
    ]
    for resolver, code in cases:
        with pytest.raises(Unreachable, match=code):
            await addresses.GuardedBackend(PUBLIC, resolver).connect_tcp(
                "shop.example", 443, timeout=0.05
            )


@pytest.mark.anyio
async def test_a_host_that_takes_no_connection_is_given_up_in_time() -> None:
    # A listener with a full queue leaves further connections unanswered.
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    port = full.getsockname()[1]
    fillers = [socket.socket() for _ in range(4)]
    for filler in fillers:
        filler.setblocking(False)
        filler.connect_ex(("127.0.0.1", port))
    policy = addresses.Policy(private_peers=frozenset({f"127.0.0.1:{port}"}))
    started = asyncio.get_running_loop().time()
    try:
        with pytest.raises(Unreachable, match="connect-timeout"):
            await addresses.GuardedBackend(policy, Names()).connect_tcp(
                "127.0.0.1", port, timeout=0.1
            )
        # The kernel's own patience lasts for minutes.
        assert asyncio.get_running_loop().time() - started < 20
        # It does not use up the turn of the next address.
        async with listening("127.0.0.2", port):
            policy = addresses.Policy(private_peers=frozenset({f"peer.test:{port}"}))
            names = Names(["127.0.0.1", "127.0.0.2"])
            stream = await addresses.GuardedBackend(policy, names).connect_tcp(
                "peer.test", port, timeout=2.0
            )
            assert await stream.read(100) == b"hello"
            await stream.aclose()
    finally:
        for each in (full, *fillers):
            each.close()


@pytest.mark.anyio
async def test_the_system_resolver_knows_this_machine() -> None:
    resolver = addresses.SystemResolver()
    assert set(await resolver("localhost", 443)) <= {"127.0.0.1", "::1"}
    with pytest.raises(OSError, match=r".+"):
        await resolver("no.such.name.invalid", 443)
    resolver.close()


@pytest.mark.anyio
async def test_unix_sockets_are_refused() -> None:
    with pytest.raises(Refused, match="address-refused"):
        await addresses.GuardedBackend(PUBLIC, Names()).connect_unix_socket("/run/docker.sock")


# The connection.


@contextlib.asynccontextmanager
async def connected(listener: Listener) -> AsyncIterator[addresses.Stream]:
    policy = addresses.Policy(private_peers=frozenset({f"127.0.0.1:{listener.port}"}))
    stream = await addresses.GuardedBackend(policy, Names()).connect_tcp(
        "127.0.0.1", listener.port, timeout=30.0
    )
    try:
        yield stream
    finally:
        await stream.aclose()


async def read_all(stream: addresses.Stream) -> tuple[int, str]:
    """How much was let in, and the code with which that ended."""
    read = 0
    try:
        while data := await stream.read(100_000, timeout=30.0):
            read += len(data)
    except Refused as refused:
        return read, refused.code
    return read, ""


@pytest.mark.anyio
async def test_a_stream_reads_no_more_than_it_is_allowed() -> None:
    async with listening(greeting=b"x" * 300_000) as listener, connected(listener) as stream:
        assert await read_all(stream) == (limits.HEADER_BLOCK, "headers-too-large")
        stream.allow(250_000, "answer-too-large")
        assert await read_all(stream) == (250_000, "answer-too-large")
        await stream.write(b"next")
        assert len(await stream.read(100_000)) == limits.HEADER_BLOCK


@pytest.mark.anyio
async def test_a_stream_holds_little_of_what_nobody_asked_for() -> None:
    async with listening(greeting=b"x" * 50_000_000) as listener, connected(listener) as stream:
        await asyncio.sleep(0.1)
        assert len(stream._buffer) < 1_000_000


@pytest.mark.anyio
async def test_a_stream_tells_the_pool_whether_it_may_be_used_again() -> None:
    async with listening(greeting=b"") as listener, connected(listener) as quiet:
        await asyncio.sleep(0.02)
        assert not quiet.get_extra_info("is_readable")
        assert quiet.get_extra_info("socket").fileno() >= 0
        assert quiet.get_extra_info("ssl_object") is None
        assert quiet.get_extra_info("unheard-of") is None
    assert quiet.get_extra_info("is_readable")
    async with listening(greeting=b"unasked") as listener, connected(listener) as talker:
        for _ in range(3000):
            if talker.get_extra_info("is_readable"):
                break
            await asyncio.sleep(0.01)
        assert talker.get_extra_info("is_readable")


class Wire(asyncio.Transport):
    """Keeps what is sent, packet by packet."""

    def __init__(self) -> None:
        super().__init__()
        self.packets: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.packets.append(bytes(data))

    def is_closing(self) -> bool:
        return False


@pytest.mark.anyio
async def test_a_head_and_its_body_leave_together_and_long_ones_at_once() -> None:
    stream, wire = addresses.Stream(), Wire()
    stream.connection_made(wire)
    await stream.write(b"head ")
    await stream.write(b"body")
    stream.data_received(b"answer")
    assert await stream.read(100) == b"answer"
    assert wire.packets == [b"head body"]
    await stream.write(b"next ")
    await stream.write(b"x" * 100_000)
    assert wire.packets[1:] == [b"next " + b"x" * 100_000]
    stream.data_received(b"answer")
    await stream.read(100)
    assert len(wire.packets) == 2  # and nothing twice


@pytest.mark.anyio
async def test_a_stream_says_in_the_pools_words_what_failed() -> None:
    async with listening(greeting=b"") as listener, connected(listener) as stream:
        with pytest.raises(httpcore2.ReadTimeout):
            await stream.read(1, timeout=0.02)
        with pytest.raises(httpcore2.WriteTimeout):
            await stream.write(b"x" * 50_000_000, timeout=0.02)
        await stream.aclose()
        with pytest.raises(httpcore2.WriteError):
            await stream.write(b"x")
        assert await stream.read(1) == b""


@pytest.mark.anyio
async def test_words_from_before_the_handshake_do_not_pass_for_encrypted_ones() -> None:
    greeting = b"HTTP/1.1 200 OK\r\n\r\n"
    context = ssl.create_default_context()
    async with listening(greeting=greeting) as listener, connected(listener) as stream:
        await asyncio.sleep(0.02)
        with pytest.raises(Unreachable, match=r"tls-failed|connect-timeout"):
            await stream.start_tls(context, server_hostname="a.example", timeout=0.2)


@pytest.mark.anyio
async def test_few_names_are_looked_up_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that never answers holds up so many threads, and the event loop not at all."""
    go, asked = threading.Event(), []

    def slow(host: str, port: int, **_: object) -> list[object]:
        asked.append(host)
        go.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    resolver = addresses.SystemResolver()
    asking = asyncio.gather(*(resolver(f"{number}.example", 443) for number in range(50)))
    for _ in range(3000):
        if len(asked) >= limits.NAME_LOOKUPS:
            break
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)  # for one that should not
    assert len(asked) == limits.NAME_LOOKUPS
    go.set()
    await asking
    assert len(asked) == 50
    resolver.close()
