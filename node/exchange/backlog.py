"""What was accepted at the door and waits to be acted upon: how much of it, and the acting.

What needs the network is waited for apart, a few at a time for each host, so that nobody's slow
server holds up what others sent.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Sequence
from typing import Any

from federation import documents
from node.exchange import inbox
from node.exchange.context import Context
from node.model import Received
from node.store import received

QUEUE_MOST = 5000
QUEUE_BYTES_MOST = 50 * 1024 * 1024
OF_HOST_MOST = 500  # of one host's, so that none fills the queue alone
BATCH = 100
PATIENCE = 0.05  # seconds for what needs no network to be ready
SLOW_MOST = 50
SLOW_OF_HOST = 5


class Backlog:
    """The queue of one node. `waiting` and the others are as far as is known."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._of_host: Counter[str] = Counter()
        self._bytes = 0
        self._slow: dict[int, str] = {}  # rows that wait for the network, and their hosts
        self._tasks: set[asyncio.Task[None]] = set()

    def is_full(self) -> bool:
        """Whether so much waits that nothing more should be accepted now."""
        return self._of_host.total() >= QUEUE_MOST or self._bytes >= QUEUE_BYTES_MOST

    def is_full_of(self, host: str) -> bool:
        """Whether so much of one host's waits."""
        return self._of_host[host] >= OF_HOST_MOST

    def accepted(self, host: str, size: int) -> None:
        """An activity of `size` bytes was accepted."""
        self._of_host[host] += 1
        self._bytes += size

    async def act(self) -> float | None:
        """Acts upon all that is due; says in how many seconds to look again."""
        while True:
            slow_of = Counter(self._slow.values())
            crowded = len(self._slow) >= SLOW_MOST
            stalled = [host for host, n in slow_of.items() if crowded or n >= SLOW_OF_HOST]
            rows = await self._context.database.read(
                received.find_due, self._context.clock(), BATCH, list(self._slow), stalled
            )
            if len(rows) < BATCH:  # nearly done: a good moment to count
                counted = await self._context.database.read(received.count_by_host)
                self._of_host = Counter({host: count for host, count, _ in counted})
                self._bytes = sum(size for _, _, size in counted)
            if not rows:
                return 5.0 if self._of_host.total() else None
            await self._act_upon(rows)

    async def stop(self) -> None:
        """Ends what waits for the network; its rows are still there."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _act_upon(self, rows: Sequence[Received]) -> None:
        tasks = {row.id: asyncio.create_task(inbox.prepare(self._context, row)) for row in rows}
        await asyncio.wait(tasks.values(), timeout=PATIENCE)
        works = []
        for row in rows:
            task = tasks[row.id]
            if task.done():
                works.append(task.result())
                self._gone(row)
            else:
                self._apart(row, self._finish(task))
        for work, error in await inbox.apply(self._context, works):
            settling = inbox.settle(self._context, work, error)
            if isinstance(error, inbox.UnknownShop):
                self._apart(work.row, settling)
            else:
                await settling

    async def _finish(self, task: "asyncio.Task[inbox.Work]") -> None:
        work = await task
        self._gone(work.row)
        for failed, error in await inbox.apply(self._context, [work]):
            await inbox.settle(self._context, failed, error)

    def _gone(self, row: Received) -> None:
        host = documents.address(row.actor)[1]
        self._of_host[host] = max(0, self._of_host[host] - 1)
        self._bytes = max(0, self._bytes - len(row.body))

    def _apart(self, row: Received, work: Coroutine[Any, Any, None]) -> None:
        """Goes on with something that waits for the network, out of the way of the others."""
        self._slow[row.id] = documents.address(row.actor)[1]
        task = asyncio.create_task(work)
        self._tasks.add(task)

        def ended(ended_task: asyncio.Task[None]) -> None:
            self._tasks.discard(ended_task)
            self._slow.pop(row.id, None)

        task.add_done_callback(ended)
