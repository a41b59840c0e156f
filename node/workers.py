"""Work that goes on beside requests: changes spread, deliveries made, what came in acted upon,
neighbours read, their photos fetched, mail sent, and old things swept.

All of it is driven by rows: a worker that is killed loses nothing, and the next start goes on
where it stopped. A worker looks when it is poked (something was written by this process), when the
file changed (a command wrote), and when the next row falls due.
"""

import asyncio
import contextlib
import logging
import random
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType

from node import (
    accounts,
    importing,
    joining,
    mail,
    media,
    moderation,
    news,
    notices,
    reductions,
    reservations,
)
from node.exchange import keys, outbox, sources, sync
from node.exchange.backlog import Backlog, Document
from node.exchange.context import Context
from node.exchange.deliveries import Deliveries
from node.exchange.enquiries import KEPT as ENQUIRIES_KEPT
from node.exchange.photos import Copies
from node.exchange.recorder import Recorder
from node.law import Law
from node.model import Peer
from node.publications import TOMBSTONES_KEPT
from node.restoring import is_quiet
from node.store import (
    changes,
    database,
    deliveries,
    delivery_hosts,
    doors,
    enquiries,
    imports,
    mails,
    peers,
    received,
    remote_actors,
    remote_photos,
    tombstones,
)
from node.store import reductions as reduction_rows

WATCH_EVERY = 0.2
LOOK_EVERY = 60.0
SWEEP_EVERY = 3600.0
BACKUP_LOOK_EVERY = 900.0
AFTER_FAULT = 5.0
BATCH = 100
IMPORT_PAUSE = 0.05  # between a few products and the next: searches go first
LONGEST_WAIT = timedelta(days=1)  # that any rule makes a delivery wait
SEEN_KEPT = timedelta(days=3)
DEAD_KEPT = 200
ACTORS_KEPT = timedelta(days=30)
ACTORS_MOST = 20_000

log = logging.getLogger("echoppe.workers")


class Workers:
    """The background work of one node. Use as an async context manager."""

    def __init__(
        self,
        context: Context,
        db: doors.Database,
        signers: keys.Signers,
        chance: random.Random,
        standing: moderation.Standing,
        copies: Copies,
        post: mail.Post,
        law: Law,
        remind: Callable[[sqlite3.Connection, datetime], int] | None = None,
        *,
        commune: str,
    ) -> None:
        self._context = context
        self._database = db
        self.backlog = Backlog(context, Recorder(db.folder))
        self._deliveries = Deliveries(context, signers, chance)
        self._reading: dict[str, asyncio.Task[None]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._spread_bell = asyncio.Event()
        self._act_bell = asyncio.Event()
        self._deliver_bell = asyncio.Event()
        self._read_bell = asyncio.Event()
        self._photo_bell = asyncio.Event()
        self._mail_bell = asyncio.Event()
        self._price_bell = asyncio.Event()
        self._import_bell = asyncio.Event()
        self._source_bell = asyncio.Event()
        self._commune = commune
        self.standing = standing
        self.copies = copies
        self._post = post
        self._law = law
        self._remind = remind  # None where there is no mail to remind anybody by
        # Set before it is entered; None where there is no key to seal backups to.
        self.back_up: Callable[[datetime], Awaitable[None]] | None = None
        # Restored from a backup, and not yet told that the old node is off: nothing is done.
        self.quiet = is_quiet(db.folder)

    async def __aenter__(self) -> "Workers":
        self.standing.learn(*await self._database.read(moderation.standing))
        if self.quiet:
            log.warning("restored from a backup: quiet until `echoppe restore --confirm`")
        else:
            await self._begin()
        self._tasks.append(asyncio.create_task(self._watch()))
        return self

    async def _begin(self) -> None:
        await self._database.write(_begin, self._context.clock())
        for work, bell in (
            (self._spread, self._spread_bell),
            (self._act, self._act_bell),
            (self._deliver, self._deliver_bell),
            (self._read_neighbours, self._read_bell),
            (self.copies.work, self._photo_bell),
            (self._post.work, self._mail_bell),
            (self._turn_prices, self._price_bell),
            (self._import, self._import_bell),
            (self._read_sources, self._source_bell),
        ):
            self._tasks.append(asyncio.create_task(self._loop(work, bell)))
        self._tasks.append(asyncio.create_task(self._sweep()))
        if self.back_up is not None:
            self._tasks.append(asyncio.create_task(self._make_backups(self.back_up)))

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        tasks = [*self._tasks, *self._reading.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._deliveries.stop()
        await self.backlog.stop()

    def poke(self) -> None:
        """Something was written that a worker may have to do with."""
        for bell in (
            self._spread_bell,
            self._act_bell,
            self._deliver_bell,
            self._read_bell,
            self._photo_bell,
            self._mail_bell,
            self._price_bell,
            self._import_bell,
            self._source_bell,
        ):
            bell.set()

    async def accept(self, letter: received.Letter, activity: Document) -> None:
        """Stores an activity, which is on the disk when this returns, to be acted upon."""
        if await self.backlog.accept(letter, activity):
            self._act_bell.set()

    async def _watch(self) -> None:
        """Pokes when the file changes: a command may have written."""
        while True:
            try:
                if self.quiet and not is_quiet(self._database.folder):
                    await self._begin()
                    self.quiet = False
                if self._database.changed():
                    self.standing.learn(*await self._database.read(moderation.standing))
                    self.poke()
            except database.TROUBLE:
                log.exception("the database cannot be watched")
                await asyncio.sleep(AFTER_FAULT)
            await asyncio.sleep(WATCH_EVERY)

    async def _loop(self, work: Callable[[], Awaitable[float | None]], bell: asyncio.Event) -> None:
        """Does a piece of work again and again; it says in how many seconds to look again."""
        while True:
            bell.clear()
            try:
                wait = await work()
            except Exception:
                log.exception("a worker failed and will try again")
                await asyncio.sleep(AFTER_FAULT)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY if wait is None else min(wait, LOOK_EVERY)):
                    await bell.wait()

    async def _spread(self) -> float | None:
        """Spreads changes over the inboxes of followers."""
        while found := await self._database.read(deliveries.find_publications, BATCH):
            now = self._context.clock()
            shut = await self._database.read(outbox.shut, now)
            if shut is None:
                log.warning("too many deliveries wait: only neighbours are told of changes")
            await asyncio.gather(
                *(
                    self._database.write(outbox.spread, self._context.uris, one, now, shut)
                    for one in found
                )
            )
            self._deliver_bell.set()
        return None

    async def _act(self) -> float | None:
        """Acts upon what came in; answers may then be due, and neighbours to be read."""
        wait = await self.backlog.act()
        self._deliver_bell.set()
        self._read_bell.set()
        return wait

    async def _deliver(self) -> float | None:
        return await self._deliveries.start_due(self._deliver_bell)

    async def _turn_prices(self) -> float | None:
        """Begins and ends reductions on their days."""
        uris, clock = self._context.uris, self._context.clock
        while await self._database.read(reduction_rows.find_due, clock(), 1):
            await self._database.write(reductions.turn, uris, clock(), self._law)
            self._spread_bell.set()
        due = await self._database.read(reduction_rows.next_due)
        return None if due is None else max(0.5, (due - clock()).total_seconds())

    async def _import(self) -> float | None:
        """Puts catalogues that came as files on the shelf, a few products at a time."""
        uris, clock = self._context.uris, self._context.clock
        while await self._database.read(imports.is_any_running):
            await self._database.write(importing.work, uris, clock(), self._law)
            self._spread_bell.set()
            await asyncio.sleep(IMPORT_PAUSE)
        return None

    async def _read_sources(self) -> float | None:
        """Reads feeds and calendars elsewhere that are due."""
        wait = await sources.work(self._context, self._commune)
        self._spread_bell.set()
        return wait

    async def _read_neighbours(self) -> float | None:
        """Reads the change sequences that are to be read, one task for each neighbour."""
        for peer in await self._database.read(peers.find_to_sync, self._context.clock()):
            if peer.host not in self._reading:
                self._reading[peer.host] = asyncio.create_task(self._read(peer))
        due = await self._database.read(peers.next_sync)
        if due is None:
            return None
        return max(1.0, (due - self._context.clock()).total_seconds())

    async def _read(self, peer: Peer) -> None:
        try:
            await sync.read(self._context, peer)
        except Exception as error:
            log.exception("reading a neighbour failed", extra={"peer": peer.host})
            await asyncio.sleep(AFTER_FAULT)
            with contextlib.suppress(*database.TROUBLE):
                await self._database.write(
                    peers.postpone_sync,
                    peer.host,
                    type(error).__name__,
                    self._context.clock() + sync.AGAIN_AFTER_FAILURE,
                )
        finally:
            self._reading.pop(peer.host, None)
        self._read_bell.set()

    async def _sweep(self) -> None:
        tasks = [self._forget, self._end_reservations, self._sweep_copies, self._ask]
        while True:
            now = self._context.clock()
            # Each by itself: what fails in one must not keep the others from their turn.
            for task in tasks:
                try:
                    await task(now)
                except Exception:
                    log.exception("sweeping failed and will be tried again")
            if self._give_up not in tasks:  # not at once: who was not to be reached may be there
                tasks.append(self._give_up)
            await asyncio.sleep(SWEEP_EVERY)

    async def _make_backups(self, back_up: Callable[[datetime], Awaitable[None]]) -> None:
        while True:
            try:
                await back_up(self._context.clock())
            except Exception:
                log.exception("a backup could not be made and will be tried again")
            await asyncio.sleep(BACKUP_LOOK_EVERY)

    async def _forget(self, now: datetime) -> None:
        await self._database.write(_sweep, self._database.folder, now)

    async def _end_reservations(self, now: datetime) -> None:
        while await self._database.write(reservations.sweep, self._context.uris, now):
            pass

    async def _give_up(self, now: datetime) -> None:
        since = now - outbox.UNAVAILABLE_AFTER
        await self._database.write(deliveries.give_up_unavailable, since, now)

    async def _sweep_copies(self, _now: datetime) -> None:
        await self.copies.sweep()

    async def _ask(self, now: datetime) -> None:
        """Asks shops by mail whether their shelves are still true."""
        if self._remind is not None:
            await self._database.write(self._remind, now)
            self._mail_bell.set()


def _begin(db: sqlite3.Connection, now: datetime) -> None:
    """At start: nothing waits for a time that another clock set; neighbours are read at once."""
    deliveries.begin_again(db, now)
    received.begin_again(db, now)
    remote_photos.begin_again(db, now)
    mails.begin_again(db, now)
    for peer in peers.find(db):
        peers.want_sync(db, peer.host, now)


def _sweep(db: sqlite3.Connection, folder: Path, now: datetime) -> None:
    media.sweep(db, folder, now)
    news.sweep(db, now)
    received.prune(db, now - SEEN_KEPT, DEAD_KEPT)
    moderation.drop_hidden(db, now)
    joining.prune(db, now)
    accounts.prune(db, now)
    mail.prune(db, now)
    notices.prune(db, now)
    delivery_hosts.prune_hosts(db, now)
    deliveries.prune_told(db, now - outbox.QUIET)
    deliveries.mend_times(db, now, now + LONGEST_WAIT)
    remote_actors.prune(db, now - ACTORS_KEPT, ACTORS_MOST)
    changes.prune(db, now - TOMBSTONES_KEPT)
    tombstones.prune(db, now - TOMBSTONES_KEPT)
    enquiries.prune(db, now - ENQUIRIES_KEPT)
