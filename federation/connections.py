"""The connections to other servers that are kept: few to each, to few hosts, and not for long.

A small set for each host costs less than one pool for all, which looks through everything it has
for each request. HTTP itself is httpcore2's; where may be dialled is decided in addresses.py.
"""

import asyncio
import contextlib
import ssl
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpcore2

from federation import addresses, limits


@dataclass(slots=True)
class _Host:
    """The connections to one host that wait for work, and how many requests there are."""

    places: asyncio.Semaphore
    idle: list[httpcore2.AsyncHTTP11Connection] = field(default_factory=list)
    requests: int = 0
    used_at: float = 0.0


class Connections:
    """The connections of one client; each serves one request at a time."""

    def __init__(
        self,
        backend: addresses.GuardedBackend,
        *,
        ssl_context: ssl.SSLContext | None = None,
        connect_time: float = limits.CONNECT_TIME,
    ) -> None:
        self._backend = backend
        self._ssl_context = ssl_context
        self._connect_time = connect_time
        # By scheme and authority. The least recently used host comes first.
        self._hosts: OrderedDict[tuple[str, str], _Host] = OrderedDict()

    def hosts(self) -> list[str]:
        """The authorities of the hosts that connections are kept to, the latest used last."""
        return [authority for _, authority in self._hosts]

    @contextlib.asynccontextmanager
    async def lend(
        self, target: addresses.Target
    ) -> AsyncIterator[httpcore2.AsyncHTTP11Connection]:
        """A connection for the time of one request; waits where a host has all it may have.

        Raises what the backend raises where it dials.
        """
        now = asyncio.get_running_loop().time
        key = (target.scheme, target.authority)
        host = self._hosts.get(key)
        if host is None:
            host = self._hosts[key] = _Host(asyncio.Semaphore(limits.CONNECTIONS_PER_HOST))
        self._hosts.move_to_end(key)
        host.requests += 1
        try:
            await self._close_idle(now())
            async with host.places:
                connection = await self._take(host, target)
                try:
                    yield connection
                finally:
                    # A host that was let go meanwhile keeps nothing any more.
                    if connection.is_available() and self._hosts.get(key) is host:
                        host.idle.append(connection)
                    else:
                        await connection.aclose()
        finally:
            host.requests -= 1
            host.used_at = now()

    async def aclose(self) -> None:
        """Closes all connections; one that is lent, as soon as it is given back."""
        while self._hosts:
            _, host = self._hosts.popitem()
            await _close(host.idle)

    async def _take(self, host: _Host, target: addresses.Target) -> httpcore2.AsyncHTTP11Connection:
        """The connection used last, if it is still good, or a new one."""
        expired = [one for one in host.idle if one.has_expired()]
        if expired:
            host.idle = [one for one in host.idle if one not in expired]
            await _close(expired)
        return host.idle.pop() if host.idle else await self._dial(target)

    async def _dial(self, target: addresses.Target) -> httpcore2.AsyncHTTP11Connection:
        stream = await self._backend.connect_tcp(target.host, target.port, self._connect_time)
        if target.scheme == "https":
            if self._ssl_context is None:
                # Reading the system's certificates takes a while; not every process needs them.
                self._ssl_context = httpcore2.default_ssl_context()
            self._ssl_context.set_alpn_protocols(["http/1.1"])
            stream = await stream.start_tls(self._ssl_context, target.host, self._connect_time)
        origin = httpcore2.Origin(target.scheme.encode(), target.host.encode(), target.port)
        return httpcore2.AsyncHTTP11Connection(origin, stream, limits.KEEPALIVE_TIME)

    async def _close_idle(self, now: float) -> None:
        """Lets go of hosts that have not been called lately, and of the oldest beyond the bound."""
        excess = len(self._hosts) - limits.CONNECTED_HOSTS
        closing: list[tuple[str, str]] = []
        for key, host in self._hosts.items():
            old = host.used_at + limits.KEEPALIVE_TIME < now
            if host.requests == 0 and (old or excess > len(closing)):
                closing.append(key)
            elif not old and excess <= len(closing):
                break
        for idle in [self._hosts.pop(key).idle for key in closing]:
            await _close(idle)


async def _close(connections: list[httpcore2.AsyncHTTP11Connection]) -> None:
    for connection in connections:
        await connection.aclose()
