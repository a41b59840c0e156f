"""Which hosts and addresses may be dialled: the one guard in front of every outbound request.

Two gates, and nothing reaches the network without passing both:

    check_url         what a URL says, before anything is looked up
    GuardedBackend    what its name resolves to, at the moment of dialling

The name is resolved once, every answer is checked, and the connection goes to the very address that
was checked: a name server that answers differently the second time is never asked a second time.
Connections are kept by host name (connections.py), and TLS checks the certificate for that name.
HTTP itself lives in client.py.
"""

# ruff: noqa: ASYNC109 - the interface of httpcore2 has these timeouts
import asyncio
import contextlib
import ipaddress
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, cast

import httpcore2

from federation import limits
from federation.errors import Refused, Unreachable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Gives the addresses of a name, as text, or raises OSError.
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]

_DEFAULT_PORTS = {"https": 443, "http": 80}

# Names that no public server has: RFC 6761 (localhost, test, invalid), RFC 6762 (local), RFC 7686
# (onion), RFC 9476 (alt), ICANN's reservation of 2024 (internal), and arpa, which covers home.arpa
# (RFC 8375). RFC 6761 treats `example` as any other name, which happens to have no address.
_SPECIAL_USE = frozenset(
    {"alt", "arpa", "internal", "invalid", "local", "localhost", "onion", "test"}
)

# Letters on which the two editions of IDNA disagree (UTS #46, section 7): one spelling would name
# two different hosts. Nobody needs to reach a shop that way.
_DEVIATIONS = frozenset("ßẞς\u200c\u200d")

_URL = re.compile(r"(https?)://([^/?#]*)(/[^?#]*)?(\?[^#]*)?(#.*)?", re.IGNORECASE | re.DOTALL)
_URL_TEXT = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*")
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]@]+)(?::([0-9]{1,5}))?")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")

_NOT_PUBLIC_4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "100.64.0.0/10",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "224.0.0.0/3",
    )
)
_PUBLIC_6 = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(
    ipaddress.IPv6Network(network)
    for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)


def _nobody(_authority: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may be dialled beside the public internet, and who never.

    `private_peers` are exact authorities, "host:port" in lower case (an IPv6 host in brackets), to
    which private addresses, any port and plain http are allowed. Empty in production.
    `own_authority` is this server's own "host" or "host:port": it is never dialled, so that nobody
    can make it call itself. `refuses` says whether the application does not speak with an
    authority, written as in `Target`: asked before every dial and every hop of a redirect.
    """

    private_peers: frozenset[str] = frozenset()
    own_authority: str = ""
    refuses: Callable[[str], bool] = _nobody

    def is_private_peer(self, host: str, port: int) -> bool:
        """Whether this very host and port is among the private peers."""
        return _with_port(host, port) in self.private_peers

    def is_own(self, host: str, port: int) -> bool:
        """Whether this host and port is this server itself."""
        own = self.own_authority.lower()
        return own == _with_port(host, port) or (own == _bracketed(host) and port in (443, 80))


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that may be asked for, taken apart once, by the parser that checked it.

    `host` is lower case, in its ASCII form (A-labels), an IPv6 address without brackets.
    `authority` is what goes into `Host`: without the port where it is the scheme's own.
    `path` begins with "/" and includes the query. `url` is all of it again, without the fragment.
    """

    scheme: str
    host: str
    port: int
    authority: str
    path: str
    url: str


def check_url(url: str, policy: Policy) -> Target:
    """Reads a URL that a stranger may have written, for dialling.

    https on port 443 to a public host name; anything else only to a private peer of the policy.
    Raises Refused for whatever else, and never another exception, whatever the argument.
    """
    if not isinstance(url, str):
        raise Refused("url-not-text")
    if len(url) > limits.URL:
        raise Refused("url-too-long", url[:100])
    parts = _URL.fullmatch(url)
    if parts is None:
        written = _SCHEME.match(url)
        known = written is None or written[1].lower() in _DEFAULT_PORTS
        raise Refused("bad-url" if known else "scheme-refused", url[:100])
    scheme = parts[1].lower()
    if "@" in parts[2]:
        # No detail: it would carry a password into the log.
        raise Refused("url-userinfo")
    authority = _AUTHORITY.fullmatch(parts[2])
    # What follows the host is ASCII in a URL (RFC 3986); a stricter reading than browsers', so that
    # no second reader can understand it otherwise.
    if authority is None or not _URL_TEXT.fullmatch(url, parts.end(2)):
        raise Refused("bad-url", url[:100])
    host = _ascii_host(authority[1])
    port = _DEFAULT_PORTS[scheme] if authority[2] is None else int(authority[2])
    _check_endpoint(host, port, policy)
    if scheme != "https" and not policy.is_private_peer(host, port):
        raise Refused("scheme-refused", url[:100])
    shown = _bracketed(host) if port == _DEFAULT_PORTS[scheme] else _with_port(host, port)
    path = (parts[3] or "/") + (parts[4] or "")
    return Target(scheme, host, port, shown, path, f"{scheme}://{shown}{path}")


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet, one host, reachable by its own number.

    IPv6 by what is allowed: 2000::/3 without its tunnels, documentation and protocol blocks. IPv4
    by what is not: `ipaddress` knows most of it, but calls multicast and 192.0.0.8 global. An IPv4
    address mapped into IPv6 counts as what it maps.
    """
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return False
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        return address in _PUBLIC_6 and not any(address in network for network in _NOT_PUBLIC_6)
    return address.is_global and not any(address in network for network in _NOT_PUBLIC_4)


def _ascii_host(host: str) -> str:
    """The host in lower case with A-labels, an IPv6 literal in its short form without brackets."""
    if host.startswith("["):
        try:
            return str(ipaddress.IPv6Address(host[1:-1]))
        except ValueError:
            raise Refused("bad-host", host[:100]) from None
    if len(host) > 253:
        raise Refused("bad-host", host[:100])
    if not host.isascii():
        if not _DEVIATIONS.isdisjoint(host):
            raise Refused("bad-host", host)
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            raise Refused("bad-host", ascii(host)) from None
    host = host.lower()
    # A trailing dot fails here too: the label after it is empty.
    if len(host) > 253 or not _NAME.fullmatch(host):
        raise Refused("bad-host", host[:100])
    return host


def _check_endpoint(host: str, port: int, policy: Policy) -> None:
    """Refuses a host and port by their names alone."""
    if policy.is_own(host, port):
        raise Refused("own-host", host)
    if policy.refuses(_bracketed(host) if port in (443, 80) else _with_port(host, port)):
        raise Refused("host-blocked", host)
    if policy.is_private_peer(host, port):
        return
    if port != 443:
        raise Refused("port-refused", _with_port(host, port))
    labels = host.split(".")
    # No top-level domain begins with a digit, and every spelling of an IPv4 address that resolvers
    # understand ends in a number, be it decimal, octal or hexadecimal.
    if len(labels) < 2 or ":" in host or not labels[-1][:1].isalpha():
        raise Refused("host-refused", host)
    if labels[-1] in _SPECIAL_USE:
        raise Refused("host-refused", host)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _with_port(host: str, port: int) -> str:
    return f"{_bracketed(host)}:{port}"


class SystemResolver:
    """Looks names up as the operating system does, in threads of its own.

    The event loop's own threads are few and others wait for them too; a stranger with a name server
    that never answers must hold up look-ups at most.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(limits.NAME_LOOKUPS, thread_name_prefix="resolver")

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """The addresses of a name, in the system's order of preference. Raises OSError."""
        answers = await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, proto=socket.IPPROTO_TCP)
        )
        return [str(answer[4][0]) for answer in answers]

    def close(self) -> None:
        """Takes no more names. A look-up under way ends on its own."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class GuardedBackend(httpcore2.AsyncNetworkBackend):
    """Dials for a client, and only where the policy allows.

    `resolver` gives the addresses of a name; the system's by default.
    """

    def __init__(self, policy: Policy, resolver: Resolver) -> None:
        self._policy = policy
        self._resolver = resolver

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> "Stream":
        """Resolves, checks and connects, all within `timeout` seconds.

        Raises Refused where host, port or any of the addresses may not be dialled, Unreachable
        where the name has no address or none of the addresses answers.
        """
        _check_endpoint(host, port, self._policy)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (limits.CONNECT_TIME if timeout is None else timeout)
        addresses = await self._resolve(host, port, deadline)
        attempts = addresses[: limits.DIAL_ATTEMPTS]
        failure: OSError | None = None
        for tried, address in enumerate(attempts):
            # A share of what time is left: one black hole must not use up the turn of the others.
            share = (deadline - loop.time()) / (len(attempts) - tried)
            try:
                async with asyncio.timeout(share):
                    _, stream = await loop.create_connection(
                        Stream,
                        str(address),
                        port,
                        # The address stands there in digits: nothing is looked up again.
                        flags=socket.AI_NUMERICHOST,
                        local_addr=None if local_address is None else (local_address, 0),
                    )
            except OSError as error:  # TimeoutError is one
                failure = error
                continue
            for option in socket_options or ():
                stream.get_extra_info("socket").setsockopt(*option)
            return stream
        code = "connect-timeout" if isinstance(failure, TimeoutError) else "connect-failed"
        raise Unreachable(code, f"{host}: {failure}")

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ARG002
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore2.AsyncNetworkStream:
        """Refuses: no other server is reached that way."""
        raise Refused("address-refused", path)

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        await asyncio.sleep(seconds)

    async def _resolve(self, host: str, port: int, deadline: float) -> list[Address]:
        """All addresses of a host, each of which may be dialled."""
        private = self._policy.is_private_peer(host, port)
        with contextlib.suppress(ValueError):  # it is a name
            return [_checked(ipaddress.ip_address(host), host, private=private)]
        try:
            async with asyncio.timeout_at(deadline):
                answers = await self._resolver(host, port)
        except TimeoutError:
            raise Unreachable("name-timeout", host) from None
        except (OSError, UnicodeError) as error:
            raise Unreachable("name-not-resolved", f"{host}: {error}") from None
        addresses: dict[Address, None] = {}
        for answer in answers:
            try:
                address = ipaddress.ip_address(answer)
            except ValueError:
                raise Refused("address-refused", f"{host}: {answer[:100]}") from None
            addresses[_checked(address, host, private=private)] = None
        if not addresses:
            raise Unreachable("name-not-resolved", host)
        return list(addresses)


def _checked(address: Address, host: str, *, private: bool) -> Address:
    """The address to dial, a mapped one unwrapped. Raises Refused."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    if not private and not is_public(address):
        raise Refused("address-refused", f"{host}: {address}")
    return mapped or address


class Stream(asyncio.Protocol, httpcore2.AsyncNetworkStream):
    """One TCP or TLS connection, read no faster and no further than it is allowed to.

    What the other side may send before the next request is counted on the wire, below HTTP: no
    header, informational answer, chunk extension or trailer escapes it. Every write sets the
    allowance to a block of headers; `allow` raises it once they are in.
    """

    _AHEAD = 64 * 1024  # read from the socket before anyone has asked for it
    _TOGETHER = 64 * 1024  # held back until an answer is asked for

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._buffer = bytearray()
        self._unsent = bytearray()
        self._news = asyncio.Event()  # bytes, their end, or the loss of the connection
        self._writable = asyncio.Event()
        self._writable.set()
        self._ended = False
        self._failure: Exception | None = None
        self._paused = False
        self._allowance = limits.HEADER_BLOCK
        self._excess = "headers-too-large"

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # One in kind; the transports of uvloop do not derive from it.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._news.set()
        if len(self._buffer) >= self._AHEAD and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def eof_received(self) -> None:
        self._ended = True
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        self._failure = exc
        self._news.set()
        self._writable.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    # What the connection and the client call.

    def allow(self, count: int, excess: str) -> None:
        """Lets `count` more bytes in before the next write; what is beyond is Refused(excess)."""
        self._allowance = count
        self._excess = excess

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """The next bytes, or none at the end. Raises httpcore2.ReadError, ReadTimeout, or Refused
        where the allowance is used up."""
        if self._allowance <= 0:
            raise Refused(self._excess)
        if self._unsent:
            self._send()
        while not self._buffer and not self._ended:
            self._news.clear()
            await _within(timeout, self._news, httpcore2.ReadTimeout)
        if not self._buffer and self._failure is not None:
            raise httpcore2.ReadError(self._failure)
        count = min(max_bytes, self._allowance, len(self._buffer))
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        self._allowance -= count
        if self._paused and len(self._buffer) < self._AHEAD:
            self._paused = False
            if not self._ended:
                self._transport.resume_reading()
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Sends bytes; few of them when the answer is waited for, so that a request's head and body
        leave together. Raises httpcore2.WriteError or WriteTimeout."""
        if not buffer:
            return
        self.allow(limits.HEADER_BLOCK, "headers-too-large")
        if self._ended or self._transport.is_closing():
            raise httpcore2.WriteError("the connection is closed")
        self._unsent += buffer
        if len(self._unsent) < self._TOGETHER:
            return
        self._send()
        if not self._writable.is_set():
            await _within(timeout, self._writable, httpcore2.WriteTimeout)
        if self._failure is not None:
            raise httpcore2.WriteError(self._failure)

    def _send(self) -> None:
        if not self._ended and not self._transport.is_closing():
            self._transport.write(bytes(self._unsent))
        self._unsent.clear()

    async def aclose(self) -> None:
        """Closes at once: whoever does not say goodbye gets no time from us."""
        self._transport.abort()
        await asyncio.sleep(0)  # the loop closes the socket in its next turn

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> "Stream":
        """Turns the connection into a TLS one, for the given name. Raises Unreachable."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                transport = await loop.start_tls(
                    self._transport, self, ssl_context, server_hostname=server_hostname
                )
        except TimeoutError:
            await self.aclose()
            raise Unreachable("connect-timeout", f"{server_hostname}: TLS") from None
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            await self.aclose()
            raise Unreachable("tls-failed", f"{server_hostname}: {error}") from None
        # Bytes from before the handshake would be read as if they had come through it.
        if transport is None or self._buffer or self._ended:
            await self.aclose()
            raise Unreachable("tls-failed", f"{server_hostname}: spoke or left before the request")
        self._transport = transport
        return self

    def get_extra_info(self, info: str) -> Any:
        """What a connection asks about itself, by the names that httpcore2 gives it."""
        if info == "is_readable":
            # On an idle connection any byte is one too many, and so is the end.
            return bool(self._buffer) or self._ended or self._transport.is_closing()
        names = {
            "ssl_object": "ssl_object",
            "client_addr": "sockname",
            "server_addr": "peername",
            "socket": "socket",
        }
        return self._transport.get_extra_info(names[info]) if info in names else None


async def _within(timeout: float | None, event: asyncio.Event, late: type[Exception]) -> None:
    """Waits for an event, and where there is a `timeout`, no longer than that. Raises `late`."""
    if timeout is None:
        await event.wait()
        return
    try:
        async with asyncio.timeout(timeout):
            await event.wait()
    except TimeoutError as error:
        raise late(error) from None
