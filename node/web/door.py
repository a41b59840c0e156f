"""The door in front of the inbox: who is turned away before a byte of a body is read.

It goes by the head of a request alone: what waits already, and the host that the key in its
signature belongs to, if the signature is true. That is not believed, only held against whoever
says it. `protocol.BoundedHttp` asks here first, so that a flood costs next to nothing; the handler
asks for requests that come another way.
"""

import asyncio
import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from federation import documents, limits
from federation.errors import Refused
from federation.penalties import Penalties
from node.workers import Workers

_INBOX = re.compile(rb"/inbox|/users/[^/?#]+/inbox")
_KEY_ID = re.compile(rb'[Kk]ey[Ii]d="([^"]{1,2048})"')
_SIGNED = (b"signature", b"signature-input", b"authorization")

ASKED = "echoppe.door_asked"  # in the scope of a request that was let in before it was read
QUIET_TIME = 300  # seconds after which to come again to a node that was restored
_CLIENTS = 1024  # addresses whose short form is remembered

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer in place of a reading: a status, a short name, and seconds to come again after."""

    status: int
    code: str
    retry_after: int | None = None

    def written(self, headers: bytes = b"") -> bytes:
        """All of the answer, as HTTP/1.1 has it, with these headers beside its own."""
        body = f'{{"error": "{self.code}"}}'
        later = "" if self.retry_after is None else f"retry-after: {self.retry_after}\r\n"
        head = (
            f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}\r\n"
            f"content-type: application/json\r\n{later}content-length: {len(body)}\r\n"
        )
        return b"".join((head.encode("ascii"), headers, b"\r\n", body.encode("ascii")))


def is_inbox(path: bytes) -> bool:
    """Whether a path, as it was sent, is that of an inbox. One that is written in an odd way is
    found to be so later, by the table of addresses; its handler asks at the door itself."""
    return _INBOX.fullmatch(path) is not None


class Door:
    """The door of one node. `trusted_proxies` are addresses whose word for a client's is taken."""

    def __init__(self, workers: Workers, trusted_proxies: Iterable[str]) -> None:
        self._workers = workers
        self._trusted = frozenset(trusted_proxies)
        self._penalties = Penalties()
        self._clients: dict[str, str | None] = {}

    def refusal(self, headers: Headers, peer: str) -> Refusal | None:
        """Why a post to an inbox is turned away unread; None for one that is let in.

        `peer` is the address of the other end of the connection.
        """
        if self._workers.quiet:
            return Refusal(503, "restored", QUIET_TIME)
        if self._workers.backlog.is_full():
            return Refusal(503, "busy", limits.BUSY_TIME)
        host = claimed_host(headers)
        if host and self._workers.standing.refuses(host):
            return Refusal(403, "blocked")
        if self._workers.backlog.is_full_of(host):
            return Refusal(429, "busy", limits.BUSY_TIME)
        wait = self._penalties.wait(host, self.client(headers, peer), _now())
        return None if wait is None else Refusal(429, "too-many-failures", 1 + int(wait))

    def failed(self, headers: Headers, peer: str) -> None:
        """A post to an inbox failed."""
        self._penalties.failed(claimed_host(headers), self.client(headers, peer), _now())

    def proved(self, host: str, headers: Headers, peer: str) -> None:
        """A post to an inbox was truly this host's."""
        self._penalties.proved(host, self.client(headers, peer), _now())

    def client(self, headers: Headers, peer: str) -> str | None:
        """The address that a request came from, IPv6 as its /64; None where a proxy hides it.

        The last address of X-Forwarded-For that is not a trusted proxy's own, where the other end
        is one. A loopback peer that is not listed is taken for a proxy that says nothing.
        """
        address = peer
        if peer in self._trusted:
            for name, value in headers:
                if name == b"x-forwarded-for":
                    for part in reversed(value.decode("latin-1")[-1000:].split(",")):
                        address = part.strip()
                        if address not in self._trusted:
                            break
        if address not in self._clients:
            if len(self._clients) >= _CLIENTS:
                self._clients.clear()
            self._clients[address] = _client(address)
        return self._clients[address]


def _client(address: str) -> str | None:
    try:
        read = ipaddress.ip_address(address)
    except ValueError:
        return None
    if read.is_loopback:
        return None
    if isinstance(read, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((read, 64), strict=False))
    return str(read)


def claimed_host(headers: Headers) -> str:
    """Host and port of the key that a request's signature names, unproved; empty without one."""
    for name, value in headers:
        if name in _SIGNED and (found := _KEY_ID.search(value)) is not None:
            try:
                return documents.address(found[1].decode("latin-1"))[1]
            except Refused:
                break
    return ""


def _now() -> float:
    return asyncio.get_running_loop().time()
