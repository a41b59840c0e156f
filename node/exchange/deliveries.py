"""Deliveries made: one task for each host, in order within it, in turns that end.

What is due are rows; here it is decided how an answer changes them. A host that cannot be reached,
or says when to come back, is left alone; one inbox that fails by itself waits alone.
"""

import asyncio
import contextlib
import functools
import hashlib
import logging
import random
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from federation import delivery
from federation.errors import Gone, Refused, Unreachable
from node.exchange import keys
from node.exchange.context import Context
from node.model import Delivery
from node.store import deliveries, delivery_hosts, followers, peers

HOSTS_AT_ONCE = 50  # beside neighbours, who always have a place
LETTERS = 20  # for one host, rendered and settled together
SIGNERS = 2  # threads: one computes while the other waits for the interpreter
TURN_TIME = 5.0  # seconds after which a slow host lets others have its place
FAILURES_IN_TURN = 3  # inboxes that fail one after the other: it is the host
AGAIN_AFTER = 0.5  # seconds, at least, between two looks without an occasion
HELD_AFTER_FAULT = 10.0  # seconds, when it is our own disk that fails

log = logging.getLogger("echoppe.deliveries")


@dataclass(slots=True)
class _Letter:
    """Something to deliver, rendered, then signed; no body where nothing is left to tell."""

    row: Delivery
    body: bytes | None
    signer: delivery.Signer
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Turn:
    """What came of the deliveries to a host so far."""

    rfc9421: bool
    settling: set[asyncio.Task[None]] = field(default_factory=set)
    used_rfc9421: bool | None = None
    trouble: Unreachable | None = None  # why the host is to be left alone


class Deliveries:
    """The deliveries of one node."""

    def __init__(self, context: Context, signers: keys.Signers, chance: random.Random) -> None:
        self._context = context
        self._signers = signers
        self._chance = chance
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._neighbours: set[str] = set()
        self._held: dict[str, float] = {}
        self._bell: asyncio.Event | None = None
        self._arrived: list[Delivery] = []
        self._settling: asyncio.Task[None] | None = None
        # Signing lets go of the interpreter: while one host's letters are signed, others are sent.
        self._signing = ThreadPoolExecutor(SIGNERS, thread_name_prefix="signing")

    async def start_due(self, bell: asyncio.Event) -> float | None:
        """Starts a turn for each host that something is due for, as far as there is place.

        `bell` is rung when a turn has ended. Says in how many seconds to look again.
        """
        self._bell = bell
        loop = asyncio.get_running_loop()
        self._held = {host: until for host, until in self._held.items() if until > loop.time()}
        now = self._context.clock()
        hosts, due = await self._context.database.read(_find_due, now)
        for host, is_neighbour in hosts:
            if host in self._tasks or host in self._held:
                continue
            if is_neighbour:
                self._neighbours.add(host)
            elif len(self._tasks.keys() - self._neighbours) >= HOSTS_AT_ONCE:
                continue
            task = asyncio.create_task(self._turn(host))
            self._tasks[host] = task
            task.add_done_callback(functools.partial(self._ended, host))
        if hosts:
            return AGAIN_AFTER
        return None if due is None else max(AGAIN_AFTER, (due - now).total_seconds())

    async def stop(self) -> None:
        """Ends what is under way; its rows are still there."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._signing.shutdown()

    def _ended(self, host: str, task: asyncio.Task[None]) -> None:
        self._tasks.pop(host, None)
        self._neighbours.discard(host)
        if not task.cancelled() and task.exception() is not None:
            # A fault of our own, such as a full disk: sending the same again at once helps nobody.
            self._held[host] = asyncio.get_running_loop().time() + HELD_AFTER_FAULT
            log.error("delivering failed", extra={"host": host}, exc_info=task.exception())
        if self._bell is not None:
            self._bell.set()

    async def _turn(self, host: str) -> None:
        loop, now = asyncio.get_running_loop(), self._context.clock()
        turn, letters = await self._context.database.read(self._begin, host, now)
        await loop.run_in_executor(self._signing, _sign, letters, now, turn.rfc9421)
        end, failures = loop.time() + TURN_TIME, 0
        try:
            for letter in letters:
                if await self._deliver(letter, turn):
                    failures = 0
                else:
                    failures += 1
                if failures >= FAILURES_IN_TURN and turn.trouble is None:
                    turn.trouble = Unreachable("not-now", f"{failures} inboxes failed")
                if turn.trouble is not None or loop.time() > end:
                    break
        finally:
            await asyncio.shield(self._end_turn(host, turn))

    def _begin(
        self, db: sqlite3.Connection, host: str, now: datetime
    ) -> tuple[_Turn, list[_Letter]]:
        """The next things due for a host, rendered as they are now."""
        bodies: dict[tuple[str, str, str | None], bytes | None] = {}
        letters = []
        for row in deliveries.find_due(db, host, now, LETTERS):
            # Mostly one thing is told to many.
            told = (row.object, row.verb, row.body)
            if told not in bodies:
                bodies[told] = self._context.publisher.body(db, row)
            letters.append(_Letter(row, bodies[told], self._signers.requests(db, row.sender)))
        return _Turn(delivery_hosts.wants_rfc9421(db, host, now)), letters

    async def _deliver(self, letter: _Letter, turn: _Turn) -> bool:
        """Delivers one thing; False where it must be tried again."""
        context, row = self._context, letter.row
        if letter.body is None:  # nothing is left to tell
            turn.settling.add(self._arrive(row))
            return True
        now = context.clock()
        try:
            turn.used_rfc9421 = await delivery.deliver(
                context.http,
                row.inbox,
                letter.body,
                letter.signer,
                now,
                rfc9421=turn.rfc9421,
                headers=letter.headers or None,
            )
            turn.settling.add(self._arrive(row))
        except Gone as error:
            await context.database.write(_inbox_gone, row, str(error), now)
        except Refused as error:
            await context.database.write(self._refused, row, str(error), now)
        except Unreachable as error:
            if error.code != "not-now" or error.retry_after is not None:
                turn.trouble = error
            await context.database.write(self._postponed, row, error, now)
            return False
        return True

    def _arrive(self, row: Delivery) -> asyncio.Task[None]:
        """Writes down that something arrived, together with what arrives elsewhere meanwhile.

        So a crash repeats what was in flight and the few of the last commit, and repeats do no
        harm.
        """
        self._arrived.append(row)
        if self._settling is None or self._settling.done():
            self._settling = asyncio.create_task(self._settle())
        return self._settling

    async def _settle(self) -> None:
        while self._arrived:
            rows, self._arrived = self._arrived, []
            await self._context.database.write(deliveries.remove, rows)

    async def _end_turn(self, host: str, turn: _Turn) -> None:
        """Writes down what came of a turn. What arrived is settled when this returns."""
        for settling in turn.settling:
            await settling
        if turn.used_rfc9421 is not None or turn.trouble is not None:
            await self._context.database.write(self._note, host, turn)

    def _refused(self, db: sqlite3.Connection, row: Delivery, why: str, now: datetime) -> None:
        if row.attempts + 1 >= delivery.REFUSALS_MOST:
            _give_up(db, row, why, now)
        else:
            wait = timedelta(seconds=60 * delivery.backoff(row.attempts, self._chance))
            deliveries.postpone(db, row, why, now + wait)

    def _postponed(
        self, db: sqlite3.Connection, row: Delivery, error: Unreachable, now: datetime
    ) -> None:
        if (now - row.added).total_seconds() > delivery.GIVE_UP_AFTER:
            # Kept for a week in vain. Neighbours catch up by the change sequence.
            _give_up(db, row, str(error), now)
        elif error.code == "not-now":
            wait = timedelta(seconds=delivery.backoff(row.attempts, self._chance))
            deliveries.postpone(db, row, str(error), now + wait)

    def _note(self, db: sqlite3.Connection, host: str, turn: _Turn) -> None:
        """How it went with a host."""
        now = self._context.clock()
        if turn.used_rfc9421 is not None:
            delivery_hosts.revive(db, host)
            if turn.rfc9421 and not turn.used_rfc9421:
                delivery_hosts.forget_rfc9421(db, host)
            elif turn.used_rfc9421 and not turn.rfc9421:
                until = now + timedelta(seconds=delivery.RFC9421_REMEMBERED)
                delivery_hosts.remember_rfc9421(db, host, until)
        if turn.trouble is not None:
            wait = turn.trouble.retry_after or delivery.backoff(
                delivery_hosts.failures(db, host)[0], self._chance
            )
            retry_at = now + timedelta(seconds=wait)
            patient = turn.trouble.retry_after is not None  # it is there, and says when
            delivery_hosts.leave_alone(
                db, host, str(turn.trouble), now, retry_at, failed=not patient
            )
            log.info("host left alone", extra={"host": host, "code": turn.trouble.code})


def _find_due(
    db: sqlite3.Connection, now: datetime
) -> tuple[list[tuple[str, bool]], datetime | None]:
    """Hosts that something is due for; where there is none, when the next thing falls due."""
    hosts = deliveries.find_due_hosts(db, now)
    return hosts, None if hosts else deliveries.next_due(db)


def _sign(letters: Sequence[_Letter], now: datetime, rfc9421: bool) -> None:
    """Signs them. One that cannot be is refused when its turn comes, and no other with it."""
    digests: dict[bytes, bytes] = {}  # mostly one thing is told to many
    for letter in letters:
        body = letter.body
        if body is None:
            continue
        if body not in digests:
            digests[body] = hashlib.sha256(body).digest()
        with contextlib.suppress(Refused):
            letter.headers = delivery.sign(
                letter.row.inbox, body, letter.signer, now, rfc9421=rfc9421, digest=digests[body]
            )


def _inbox_gone(db: sqlite3.Connection, row: Delivery, why: str, now: datetime) -> None:
    """404 or 410: nobody is there any more. A neighbour stays one; only this message is lost."""
    _give_up(db, row, why, now)
    if peers.get(db, row.host) is None:
        followers.remove_inbox(db, row.inbox)
        deliveries.remove_inbox(db, row.inbox, now)


def _give_up(db: sqlite3.Connection, row: Delivery, why: str, now: datetime) -> None:
    deliveries.give_up(db, row, why, now)
    peers.note_problem(db, row.host, why[:300])
    log.warning("delivery given up", extra={"host": row.host, "detail": why[:200]})
