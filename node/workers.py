"""Work that goes on beside requests: changes spread, deliveries made, what came in acted upon,
neighbours read, and old things swept.

All of it is driven by rows: a worker that is killed loses nothing, and the next start goes on
where it stopped. A worker looks when it is poked (something was written by this process), when the
file changed (a command wrote), and when the next row falls due.
"""

import asyncio
import contextlib
import functools
import logging
import random
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType

from federation import delivery
from federation.errors import Gone, Refused, Unreachable
from node.exchange import inbox, keys, outbox, sync
from node.exchange.context import Context
from node.model import Delivery, Peer
from node.publications import TOMBSTONES_KEPT
from node.store import (
    accounts,
    changes,
    database,
    deliveries,
    followers,
    peers,
    received,
    remote_actors,
    tombstones,
)

WATCH_EVERY = 0.2
LOOK_EVERY = 60.0
SWEEP_EVERY = 3600.0
BATCH = 100
HOSTS_AT_ONCE = 50
LETTERS = 20  # for one host, rendered and settled together
SEEN_KEPT = timedelta(days=3)
DEAD_KEPT = 200
ACTORS_KEPT = timedelta(days=30)
ACTORS_MOST = 20_000
QUEUE_MOST = 5000
QUEUE_BYTES_MOST = 50 * 1024 * 1024

log = logging.getLogger("echoppe.workers")


@dataclass(frozen=True, slots=True)
class _Letter:
    """Something to deliver, rendered; no body where nothing is left to tell."""

    row: Delivery
    body: bytes | None
    signer: delivery.Signer


class Workers:
    """The background work of one node. Use as an async context manager."""

    def __init__(
        self,
        context: Context,
        db: database.Database,
        signers: keys.Signers,
        chance: random.Random,
    ) -> None:
        self._context = context
        self._database = db
        self._signers = signers
        self._chance = chance
        self._tasks: list[asyncio.Task[None]] = []
        self._bells: list[asyncio.Event] = []
        self._act_bell = asyncio.Event()
        self._delivering: dict[str, asyncio.Task[None]] = {}
        self._reading: dict[str, asyncio.Task[None]] = {}
        # Activities accepted and not yet acted upon, as far as is known, and their bytes.
        self.waiting = 0
        self.waiting_bytes = 0
        self.blocked: frozenset[str] = frozenset()  # hosts turned away at the door

    async def __aenter__(self) -> "Workers":
        await self._database.write(_read_all_neighbours, self._context.clock())
        self.blocked = await self._database.read(peers.find_blocked)
        for work in (self._spread, self._act, self._deliver, self._read_neighbours, self._sweep):
            bell = self._act_bell if work == self._act else asyncio.Event()
            self._bells.append(bell)
            self._tasks.append(asyncio.create_task(self._loop(work, bell)))
        self._tasks.append(asyncio.create_task(self._watch()))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        tasks = [*self._tasks, *self._delivering.values(), *self._reading.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def poke(self) -> None:
        """Something was written that a worker may have to do with."""
        for bell in self._bells:
            bell.set()

    def is_full(self) -> bool:
        """Whether so much waits that nothing more should be accepted now."""
        return self.waiting >= QUEUE_MOST or self.waiting_bytes >= QUEUE_BYTES_MOST

    def accepted(self, size: int) -> None:
        """An activity of `size` bytes was accepted and is to be acted upon."""
        self.waiting += 1
        self.waiting_bytes += size
        self._act_bell.set()

    async def _watch(self) -> None:
        """Pokes when the file changes: a command may have written."""
        while True:
            try:
                if self._database.changed():
                    self.blocked = await self._database.read(peers.find_blocked)
                    self.poke()
            except sqlite3.Error:
                log.exception("the database cannot be watched")
            await asyncio.sleep(WATCH_EVERY)

    async def _loop(self, work: Callable[[], Awaitable[float | None]], bell: asyncio.Event) -> None:
        """Does a piece of work again and again; it says in how many seconds to look again."""
        while True:
            bell.clear()
            try:
                wait = await work()
            except Exception:
                log.exception("a worker failed and will try again")
                wait = 5.0
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY if wait is None else min(wait, LOOK_EVERY)):
                    await bell.wait()

    # --- changes, spread over inboxes ------------------------------------------------------------

    async def _spread(self) -> float | None:
        while True:
            found = await self._database.read(deliveries.find_publications, BATCH)
            if not found:
                return None
            now = self._context.clock()
            await asyncio.gather(
                *(
                    self._database.write(outbox.spread, self._context.uris, one, now)
                    for one in found
                )
            )
            self.poke()

    # --- what came in ----------------------------------------------------------------------------

    async def _act(self) -> float | None:
        while True:
            rows = await self._database.read(received.find_due, self._context.clock(), BATCH)
            if len(rows) < BATCH:  # nearly done: a good moment to count
                counted = await self._database.read(received.count_waiting)
                self.waiting, self.waiting_bytes = counted
            if not rows:
                return 5.0 if self.waiting else None
            await inbox.act(self._context, rows)
            self.waiting = max(0, self.waiting - len(rows))
            self.waiting_bytes = max(0, self.waiting_bytes - sum(len(row.body) for row in rows))
            self.poke()

    # --- deliveries ------------------------------------------------------------------------------

    async def _deliver(self) -> float | None:
        """Keeps one task for each host that something is due for: in order within a host."""
        now = self._context.clock()
        for host in await self._database.read(deliveries.find_due_hosts, now):
            running = self._delivering.get(host)
            if (running is None or running.done()) and len(self._delivering) < HOSTS_AT_ONCE:
                task = asyncio.create_task(self._deliver_to(host))
                self._delivering[host] = task
                task.add_done_callback(functools.partial(self._delivered, host))
        due = await self._database.read(deliveries.next_due)
        if due is None:
            return None
        return max(0.5, (due - self._context.clock()).total_seconds())

    def _delivered(self, host: str, task: asyncio.Task[None]) -> None:
        self._delivering.pop(host, None)
        if not task.cancelled() and task.exception() is not None:
            log.error("delivering failed", extra={"host": host}, exc_info=task.exception())
        self.poke()

    async def _deliver_to(self, host: str) -> None:
        """Delivers what is due for a host, in order, until nothing is or it must be left alone."""
        while True:
            now = self._context.clock()
            rfc9421 = await self._database.read(deliveries.wants_rfc9421, host, now)
            letters = await self._database.read(self._letters, host, now)
            if not letters:
                return
            arrived: list[tuple[Delivery, bool]] = []
            try:
                for letter in letters:
                    if not await self._deliver_one(letter, rfc9421, arrived):
                        return
            finally:
                # Together: a crash before this repeats a few deliveries, and repeats do no harm.
                if arrived:
                    await asyncio.shield(
                        self._database.write(
                            _arrived, host, arrived, rfc9421, self._context.clock()
                        )
                    )

    def _letters(self, db: sqlite3.Connection, host: str, now: datetime) -> list[_Letter]:
        """The next things due for a host, rendered as they are now."""
        return [
            _Letter(
                row,
                self._context.publisher.body(db, row),
                self._signers.requests(db, row.sender),
            )
            for row in deliveries.find_due(db, host, now, LETTERS)
        ]

    async def _deliver_one(
        self, letter: _Letter, rfc9421: bool, arrived: list[tuple[Delivery, bool]]
    ) -> bool:
        """Delivers one thing; False when its host is to be left alone."""
        context, db, row = self._context, self._database, letter.row
        now = context.clock()
        if letter.body is None:  # nothing is left to tell
            arrived.append((row, rfc9421))
            return True
        try:
            used = await delivery.deliver(
                context.http, row.inbox, letter.body, letter.signer, now, rfc9421=rfc9421
            )
            arrived.append((row, used))
        except Gone as error:
            await db.write(_inbox_gone, row, str(error), now)
        except Refused as error:
            await db.write(_refused, row, str(error), now, self._chance)
        except Unreachable as error:
            await db.write(_unreachable, row, error, now, self._chance)
            log.info(
                "host left alone",
                extra={"host": row.host, "code": error.code, "detail": error.detail[:200]},
            )
            return False
        return True

    # --- neighbours' change sequences ------------------------------------------------------------

    async def _read_neighbours(self) -> float | None:
        for peer in await self._database.read(peers.find_to_sync, self._context.clock()):
            running = self._reading.get(peer.host)
            if running is None or running.done():
                self._reading[peer.host] = asyncio.create_task(self._read(peer))
        return None

    async def _read(self, peer: Peer) -> None:
        try:
            await sync.read(self._context, peer)
        except Exception as error:
            log.exception("reading a neighbour failed", extra={"peer": peer.host})
            await self._database.write(
                peers.postpone_sync,
                peer.host,
                f"{type(error).__name__}"[:300],
                self._context.clock() + sync.AGAIN_AFTER_FAILURE,
            )
        self.poke()

    # --- sweeping --------------------------------------------------------------------------------

    async def _sweep(self) -> float | None:
        await self._database.write(_sweep, self._context.clock())
        await asyncio.sleep(SWEEP_EVERY)
        return None


def _read_all_neighbours(db: sqlite3.Connection, now: datetime) -> None:
    """At start: what neighbours changed while this node was away is read at once."""
    for peer in peers.find(db):
        peers.want_sync(db, peer.host, now)


def _arrived(
    db: sqlite3.Connection,
    host: str,
    arrived: list[tuple[Delivery, bool]],
    tried_rfc9421: bool,
    now: datetime,
) -> None:
    for row, _ in arrived:
        deliveries.remove(db, row)
    deliveries.revive(db, host)
    used_rfc9421 = arrived[-1][1]
    if tried_rfc9421 and not used_rfc9421:
        deliveries.forget_rfc9421(db, host)
    elif used_rfc9421 and not tried_rfc9421:
        until = now + timedelta(seconds=delivery.RFC9421_REMEMBERED)
        deliveries.remember_rfc9421(db, host, until)


def _inbox_gone(db: sqlite3.Connection, row: Delivery, why: str, now: datetime) -> None:
    """404 or 410: nobody is there any more. A neighbour stays one; only this message is lost."""
    deliveries.give_up(db, row, why, now)
    peers.note_problem(db, row.host, why[:300])
    if peers.get(db, row.host) is None:
        followers.remove_inbox(db, row.inbox)
        deliveries.remove_inbox(db, row.inbox)


def _refused(
    db: sqlite3.Connection, row: Delivery, why: str, now: datetime, chance: random.Random
) -> None:
    if row.attempts + 1 >= delivery.REFUSALS_MOST:
        deliveries.give_up(db, row, why, now)
        peers.note_problem(db, row.host, why[:300])
        log.warning("delivery given up", extra={"host": row.host, "detail": why[:200]})
    else:
        wait = timedelta(seconds=60 * delivery.backoff(row.attempts, chance))
        deliveries.postpone(db, row, why, now + wait)


def _unreachable(
    db: sqlite3.Connection, row: Delivery, error: Unreachable, now: datetime, chance: random.Random
) -> None:
    failures, since = deliveries.failures(db, row.host)
    if since is not None and (now - since).total_seconds() > delivery.GIVE_UP_AFTER:
        # Kept for a week in vain. Neighbours catch up by the change sequence when they are back.
        deliveries.give_up(db, row, str(error), now)
    wait = error.retry_after or delivery.backoff(failures, chance)
    deliveries.leave_alone(db, row.host, str(error), now, now + timedelta(seconds=wait))


def _sweep(db: sqlite3.Connection, now: datetime) -> None:
    received.prune(db, now - SEEN_KEPT, DEAD_KEPT)
    accounts.prune(db, now)
    deliveries.prune_hosts(db, now)
    remote_actors.prune(db, now - ACTORS_KEPT, ACTORS_MOST)
    changes.prune(db, now - TOMBSTONES_KEPT)
    tombstones.prune(db, now - TOMBSTONES_KEPT)
