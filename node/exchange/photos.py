"""Photos of neighbours' listings: one small copy each, so that a reader's browser asks nobody else.

What a neighbour's server answers is developed anew like a photo of our own. New ones are fetched
while there is room; beyond `[storage] remote_photos_mb` only what pages show is, and what was least
lately shown goes for it. Everything here can be had again: nothing of it is worth a backup.
"""

import asyncio
import logging
import random
import sqlite3
import tempfile
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from federation.errors import FederationError, Unreachable
from node import errors, media
from node.exchange.context import Context
from node.neighbours import HIDDEN_AFTER
from node.store import remote_photos
from node.store.remote_photos import GIVEN_UP, Wanted

AT_ONCE = 2  # each of another host
PAUSE = 0.2  # seconds, between photos that nobody waits for: a first reading has thousands
LOOK_EVERY = 5.0  # seconds: what a page showed without a photo has one soon after
NOTED_EVERY = timedelta(hours=1)
SHOWN_MOST = 5000  # listings that pages showed since the last look
AGAIN_AFTER = timedelta(minutes=5)  # four times as long after each further failure
HOST_HELD = timedelta(minutes=1)  # after a failure: a slow host must not hold up the others
REST = 4  # times as long as a photo took that was none: bombs must not keep the node busy
ROOM_FOR_NEW = 0.9  # of what copies may take: the rest is for what pages show
BUSY = timedelta(seconds=20)

log = logging.getLogger("echoppe.photos")


class Shown:
    """Which neighbours' listings pages have shown since somebody looked. Written from any thread:
    showing a page writes nothing else."""

    def __init__(self) -> None:
        self._listings: set[str] = set()

    def note(self, listing_id: str) -> None:
        """A page shows this listing."""
        if len(self._listings) < SHOWN_MOST:
            self._listings.add(listing_id)

    def take(self) -> set[str]:
        """All that were noted since the last time."""
        taken, self._listings = self._listings, set()
        return taken


class Copies:
    """Fetches, keeps and drops the copies of one node."""

    def __init__(
        self,
        context: Context,
        folder: Path,
        darkroom: media.Darkroom,
        chance: random.Random,
        most_bytes: int,
    ) -> None:
        self.shown = Shown()
        self._context = context
        self._folder = folder
        self._darkroom = darkroom
        self._chance = chance
        self._most = most_bytes
        self._held: dict[str, datetime] = {}  # hosts that are left alone, until when
        # From the making of a file to its row, and from the going of a row to that of its file.
        self._files = asyncio.Lock()

    async def work(self) -> float | None:
        """Notes what was shown and fetches what is due; in how many seconds to look again."""
        if self._most == 0:
            return None
        database = self._context.database
        now = self._context.clock()
        if shown := self.shown.take():
            stale = await database.read(remote_photos.find_to_note, shown, now - NOTED_EVERY)
            if stale:
                await database.write(remote_photos.show, stale, now)
        due: list[Wanted] = await database.read(remote_photos.find_due, now, now - HIDDEN_AFTER)
        self._held = {host: until for host, until in self._held.items() if until > now}
        due = [wanted for wanted in due if wanted.host not in self._held]
        if not all(wanted.shown for wanted in due):
            held = await database.read(remote_photos.total_bytes)
            if held >= self._most * ROOM_FOR_NEW:
                due = [wanted for wanted in due if wanted.shown]
        chosen = due[:AT_ONCE]
        async with asyncio.TaskGroup() as group:
            for wanted in chosen:
                group.create_task(self._fetch(wanted))
        if not chosen:
            return LOOK_EVERY
        if not any(wanted.shown for wanted in chosen):
            await asyncio.sleep(PAUSE)
        return 0.0

    async def _fetch(self, wanted: Wanted) -> None:
        now, timer = self._context.clock, asyncio.get_running_loop().time
        begun = timer()
        self._held[wanted.host] = now() + HOST_HELD  # whatever happens, a full disk included
        try:
            content = await self._context.http.fetch_media(wanted.url)
            await self._keep(wanted, content)
            del self._held[wanted.host]
        except errors.TooMany:
            await self._postpone(wanted, wanted.tries, now() + BUSY)
        except Unreachable as error:
            tries = wanted.tries + 1
            wait = AGAIN_AFTER * 4**wanted.tries * self._chance.uniform(1, 1.2)
            await self._postpone(wanted, tries, now() + wait if tries < GIVEN_UP else None, error)
        except (FederationError, errors.Invalid) as error:
            await self._postpone(wanted, GIVEN_UP, None, error)
            self._held[wanted.host] = now() + timedelta(seconds=REST * (timer() - begun))

    async def _postpone(
        self,
        wanted: Wanted,
        tries: int,
        due: datetime | None,
        error: FederationError | errors.NodeError | None = None,
    ) -> None:
        if error is not None:
            log.info(
                "a neighbour's photo cannot be had",
                extra={
                    "peer": wanted.host,
                    "code": error.code,
                    "detail": error.detail[:200],
                    "given_up": due is None,
                },
            )
        await self._context.database.write(remote_photos.postpone, wanted, tries, due)

    async def _keep(self, wanted: Wanted, content: bytes) -> None:
        """Develops a copy and writes it down; others go where it is one too many."""
        async with self._files:
            with tempfile.TemporaryFile(dir=self._folder) as source:
                await asyncio.to_thread(_fill, source, content)
                made = await self._darkroom.develop_copy(source)
            gone = await self._context.database.write(_record, wanted, made, self._most)
            await asyncio.to_thread(_remove, self._folder, gone)

    async def sweep(self) -> int:
        """Removes the files that no listing has any more, also after the setting was lowered.

        Returns how many.
        """
        async with self._files:
            await self._context.database.write(remote_photos.drop_least_shown, self._most)
            known = await self._context.database.read(remote_photos.find_ids)
            return await asyncio.to_thread(media.sweep_copies, self._folder, known)


def _record(db: sqlite3.Connection, wanted: Wanted, made: media.Developed, most: int) -> set[str]:
    remote_photos.keep(db, wanted, made.id, made.width, made.height, made.bytes)
    return remote_photos.drop_least_shown(db, most)


def _fill(source: IO[bytes], content: bytes) -> None:
    source.write(content)
    source.flush()


def _remove(folder: Path, gone: Iterable[str]) -> None:
    for photo_id in gone:
        media.copy_path(folder, photo_id).unlink(missing_ok=True)
