"""What was accepted at the door and waits to be acted upon: how much of it, and the acting.

What is accepted is a row first. What it says is then handed on in memory, so that it need not be
read and parsed a second time; the rows are read after a start, and for what found no place there.
What needs the network is waited for apart, a few at a time for each host, so that nobody's slow
server holds up what others sent.
"""

import asyncio
import itertools
from collections import Counter, deque
from collections.abc import Coroutine, Sequence
from typing import Any, NamedTuple

from federation import documents
from node.exchange import inbox
from node.exchange.context import Context
from node.exchange.recorder import Recorder
from node.exchange.recording import UnknownShop
from node.model import Received
from node.store import received

QUEUE_MOST = 5000
QUEUE_BYTES_MOST = 50 * 1024 * 1024
OF_HOST_MOST = 500  # of one host's, so that none fills the queue alone
STORED_MOST = 100  # in one transaction
AT_HAND_MOST = 500  # activities kept in memory
PARSED_MOST = 100  # of them, with what was read of them at the door
BATCH = 100  # rows read together, and what is worth not waiting for more
BATCH_MOST = 200  # written together: while that lasts nobody else is accepted, which slows a flood
GATHER = 0.1  # seconds between two batches: in a rush all are found well within one
BATCH_RECORDED = 120  # handed over together; nobody is accepted while the recorder writes them
GATHER_RECORDED = 0.03
HANDED_OVER_MOST = 2  # one that it writes, and one that it finds when it is done
STEPS_ASIDE = 0.3  # seconds, at most, for residents who wait for a page
LOOK_EVERY = 1.0  # seconds between two looks at the rows while there is enough at hand
PATIENCE = 0.05  # seconds for what needs no network to be ready
SLOW_MOST = 50
SLOW_OF_HOST = 5

Document = dict[str, Any]


class _Waiting(NamedTuple):
    """An activity that waits; with what it says, where that was kept."""

    row: Received
    activity: Document | None
    tells: bool = False  # of an object, how it is now


_TELLING = ("Create", "Update")


def _tells(one: _Waiting) -> bool:
    return one.tells


class Backlog:
    """The queue of one node. `is_full` and the others are as far as is known."""

    def __init__(self, context: Context, recorder: Recorder | None = None) -> None:
        self._context = context
        self._recorder = recorder
        self._recording: dict[asyncio.Task[None], set[int]] = {}  # handed over, and the rows
        self._of_host: Counter[str] = Counter()
        self._bytes = 0
        self._knocking: list[tuple[received.Letter, Document, asyncio.Future[bool]]] = []
        self._storing: asyncio.Task[None] | None = None
        self._at_hand: deque[_Waiting] = deque()
        self._acted = 0.0  # when what was read last was written, by the loop's clock
        self._looked: float | None = None  # when the rows were last read; None: they must be
        self._slow: dict[int, str] = {}  # rows that wait for the network, and their hosts
        self._tasks: set[asyncio.Task[None]] = set()

    def is_full(self) -> bool:
        """Whether so much waits that nothing more should be accepted now."""
        return self._of_host.total() >= QUEUE_MOST or self._bytes >= QUEUE_BYTES_MOST

    def is_full_of(self, host: str) -> bool:
        """Whether so much of one host's waits."""
        return self._of_host[host] >= OF_HOST_MOST

    async def accept(self, letter: received.Letter, activity: Document) -> bool:
        """Stores an activity, whose author is certain; it is on the disk when this returns.

        `activity` is what its body says.

        False when the same was accepted before. All that knock while others are being stored are
        stored together: one transaction costs little more than one activity in it.
        """
        self._count(letter.host, len(letter.body), 1)
        stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._knocking.append((letter, activity, stored))
        if self._storing is None:
            self._storing = asyncio.create_task(self._store())
        return await stored

    async def _store(self) -> None:
        while self._knocking:
            group = self._knocking[:STORED_MOST]
            del self._knocking[:STORED_MOST]
            now = self._context.clock()
            letters = [letter for letter, _, _ in group]
            try:
                ids = await self._context.database.write(received.add, letters, now)
            except Exception as error:  # a full disk: nobody is told that it was accepted
                for letter, _, stored in group:
                    self._count(letter.host, len(letter.body), -1)
                    if not stored.done():
                        stored.set_exception(error)
                continue
            for (letter, activity, stored), row_id in zip(group, ids, strict=True):
                if row_id is None:
                    self._count(letter.host, len(letter.body), -1)
                elif len(self._at_hand) < AT_HAND_MOST:
                    row = Received(row_id, letter.actor, letter.body, now, 0)
                    # Read once more is cheaper than kept: thousands of small objects each.
                    kept = len(self._at_hand) < PARSED_MOST and not self._has_recorder()
                    tells = documents.type_of(activity) in _TELLING
                    self._at_hand.append(_Waiting(row, activity if kept else None, tells))
                else:
                    self._looked = None
                if not stored.done():
                    stored.set_result(row_id is not None)
        self._storing = None

    def _count(self, host: str, size: int, number: int) -> None:
        self._of_host[host] = max(0, self._of_host[host] + number)
        self._bytes = max(0, self._bytes + number * size)

    async def act(self) -> float | None:
        """Acts upon all that is due; says in how many seconds to look again."""
        loop = asyncio.get_running_loop()
        while True:
            recorded = self._has_recorder()
            # In a rush, what comes is gathered: ten at once cost half as much as ten by themselves.
            soon = self._acted + (GATHER_RECORDED if recorded else GATHER) - loop.time()
            if soon > 0 and len(self._at_hand) < BATCH:
                await asyncio.sleep(soon)
            if not recorded:
                await self._context.residents.go_first(STEPS_ASIDE)
            if self._recorder is not None:
                self._recorder.gauge(len(self._at_hand))
            most = min(BATCH_RECORDED if recorded else BATCH_MOST, len(self._at_hand))
            batch = [self._at_hand.popleft() for _ in range(most)]
            if batch:
                await self._see_to(batch)
            if batch and self._looked is not None and loop.time() < self._looked + LOOK_EVERY:
                continue
            rows = await self._look()
            if rows:
                await self._until_recorded()
                await self._act_upon([_Waiting(row, None) for row in rows])
            elif not self._at_hand and not self._recording:
                return 5.0 if self._of_host.total() else None
            elif not self._at_hand:
                await self._until_recorded()

    def _has_recorder(self) -> bool:
        return self._recorder is not None and self._recorder.is_ready

    async def _look(self) -> list[Received]:
        """Rows that are due and not at hand."""
        self._looked = asyncio.get_running_loop().time()
        slow_of = Counter(self._slow.values())
        crowded = len(self._slow) >= SLOW_MOST
        stalled = [host for host, n in slow_of.items() if crowded or n >= SLOW_OF_HOST]
        handed_over = itertools.chain(*self._recording.values())
        taken = [*self._slow, *(one.row.id for one in self._at_hand), *handed_over]
        rows: list[Received] = await self._context.database.read(
            received.find_due, self._context.clock(), BATCH, taken, stalled
        )
        if len(rows) < BATCH:  # nearly done: a good moment to count
            counted = await self._context.database.read(received.count_by_host)
            self._of_host = Counter({host: count for host, count, _ in counted})
            self._bytes = sum(size for _, _, size in counted)
        else:
            self._looked = None
        # What was stored a moment ago may have come to hand meanwhile.
        at_hand = {one.row.id for one in self._at_hand}
        return [row for row in rows if row.id not in at_hand]

    async def stop(self) -> None:
        """Ends what waits for the network; its rows are still there."""
        if self._recorder is not None:
            await self._recorder.stop()  # what it has in hand it finishes
        tasks = [*self._tasks, *self._recording]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _see_to(self, batch: Sequence[_Waiting]) -> None:
        """Acts upon a batch; or has the recorder do it, and returns when it is worth to gather the
        next.

        What tells of objects may be written in any order, it says itself how new it is. What ends
        them, or says anything else, keeps its place among all.
        """
        if not self._has_recorder():
            await self._until_recorded()
            await self._act_upon(batch)
            return
        for tells, run in itertools.groupby(batch, key=_tells):
            if not tells:
                await self._until_recorded()
                await self._act_upon(list(run))
                continue
            await self._until_recorded(but=HANDED_OVER_MOST - 1)
            rows = [one.row for one in run]
            task = asyncio.create_task(self._have_recorded(rows))
            self._recording[task] = {row.id for row in rows}
        self._acted = asyncio.get_running_loop().time()

    async def _until_recorded(self, but: int = 0) -> None:
        """Returns when all batches at the recorder are done with, but for so many; raises what went
        wrong."""
        while len(self._recording) > but:
            done, _ = await asyncio.wait(self._recording, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                del self._recording[task]
            for task in done:
                task.result()

    async def _have_recorded(self, rows: Sequence[Received]) -> None:
        assert self._recorder is not None
        left = await self._recorder.record([row.id for row in rows], self._context.clock())
        if left:
            # Where it ended before it answered it may have done them; or a steward dropped them.
            found = await self._context.database.read(received.find, list(left))
            left = {row.id for row in found}
        for row in rows:
            if row.id not in left:
                self._gone(row)
        if left:
            await self._act_upon([_Waiting(row, None) for row in rows if row.id in left])

    async def _act_upon(self, batch: Sequence[_Waiting]) -> None:
        works: list[inbox.Work | None] = [
            inbox.prepare_at_once(self._context, one.row, one.activity) for one in batch
        ]
        asking: dict[int, asyncio.Task[inbox.Work]] = {}
        waiting = Counter(self._slow.values())
        for one, work in zip(batch, works, strict=True):
            row = one.row
            host = documents.address(row.actor)[1]
            full = len(self._slow) + len(asking) >= SLOW_MOST or waiting[host] >= SLOW_OF_HOST
            if work is not None:
                continue
            if full:
                self._looked = None  # its row is read again when there is a place
                continue
            waiting[host] += 1
            asking[row.id] = asyncio.create_task(inbox.prepare(self._context, row))
        if asking:
            await asyncio.wait(asking.values(), timeout=PATIENCE)
        ready = []
        for one, work in zip(batch, works, strict=True):
            row = one.row
            if work is None:
                task = asking.get(row.id)
                if task is None:
                    continue
                if not task.done():
                    self._apart(row, self._finish(task))
                    continue
                work = task.result()
            ready.append(work)
            self._gone(row)
        failures = await inbox.apply(self._context, ready)
        self._acted = asyncio.get_running_loop().time()
        for failed, error in failures:
            settling = inbox.settle(self._context, failed, error)
            if isinstance(error, UnknownShop):
                self._apart(failed.row, settling)
            else:
                await settling

    async def _finish(self, task: "asyncio.Task[inbox.Work]") -> None:
        work = await task
        self._gone(work.row)
        for failed, error in await inbox.apply(self._context, [work]):
            await inbox.settle(self._context, failed, error)

    def _gone(self, row: Received) -> None:
        self._count(documents.address(row.actor)[1], len(row.body), -1)

    def _apart(self, row: Received, work: Coroutine[Any, Any, None]) -> None:
        """Goes on with something that waits for the network, out of the way of the others."""
        self._slow[row.id] = documents.address(row.actor)[1]
        task = asyncio.create_task(work)
        self._tasks.add(task)

        def ended(ended_task: asyncio.Task[None]) -> None:
            self._tasks.discard(ended_task)
            self._slow.pop(row.id, None)

        task.add_done_callback(ended)
