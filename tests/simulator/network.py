"""The network between nodes, with links that can be cut: each node's public port is a relay here.

Who calls is told by the User-Agent that every node sends; so a link can be cut between two nodes
while both still hear the third.
"""

import asyncio
import contextlib
import re
import threading
from collections.abc import Coroutine
from typing import Any

_CALLER = re.compile(rb"\r\nuser-agent: echoppe/[^\r\n]*\(\+http://([^)]+)\)", re.IGNORECASE)

Link = frozenset[str]  # two authorities


class Network:
    """Relays from public ports to those that nodes listen on, in a thread of its own."""

    def __init__(self, ports: dict[int, int]) -> None:
        self._ports = ports
        self._cut: set[Link] = set()
        self._open: dict[Link, set[asyncio.StreamWriter]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "Network":
        self._thread.start()
        self._run(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def cut(self, one: str, other: str) -> None:
        """Nothing passes between two nodes any more, in either direction."""
        self._run(self._cut_now(frozenset((one, other))))

    def heal(self) -> None:
        """All links are whole again."""
        self._cut.clear()

    async def _cut_now(self, link: Link) -> None:
        self._cut.add(link)
        for writer in self._open.pop(link, set()):
            writer.transport.abort()

    async def _listen(self) -> None:
        self._servers = [
            await asyncio.start_server(self._relay(public, behind), "127.0.0.1", public)
            for public, behind in self._ports.items()
        ]

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _relay(self, public: int, behind: int) -> Any:
        async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                    await self._pass_on(public, behind, reader, writer)
            finally:
                writer.transport.abort()

        return relay

    async def _pass_on(
        self, public: int, behind: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        caller = _CALLER.search(head)
        link = frozenset((caller[1].decode() if caller else "", f"127.0.0.1:{public}"))
        if link in self._cut:
            return
        to_node_reader, to_node = await asyncio.open_connection("127.0.0.1", behind)
        self._open.setdefault(link, set()).update((writer, to_node))
        try:
            to_node.write(head)
            async with asyncio.TaskGroup() as group:
                group.create_task(_pump(reader, to_node))
                group.create_task(_pump(to_node_reader, writer))
        except* OSError:
            pass
        finally:
            to_node.transport.abort()
            self._open.get(link, set()).difference_update((writer, to_node))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    raise ConnectionResetError  # one side has hung up: so does the other
