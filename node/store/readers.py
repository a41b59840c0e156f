"""Two threads that read, each with a connection of its own.

The second reads only while the first is long at one job: beside each other they fight for the
interpreter, and in turn each finds the other's memory in the processor's cache.
"""

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable
from typing import Any

from node.store.jobs import Job

LOOK_S = 0.01  # seconds; after once or twice that long the first is relieved


class Readers:
    """The threads. Use from one event loop."""

    def __init__(self, first: sqlite3.Connection, second: sqlite3.Connection) -> None:
        self._waiting: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._stuck: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._begun = 0  # how many jobs the first has begun
        self._begun_before = 0
        self._looking = False
        self._closed = False
        self._threads = [
            threading.Thread(target=self._read, args=(first,), name="reader_0", daemon=True),
            threading.Thread(target=self._relieve, args=(second,), name="reader_1", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    async def read(self, function: Callable[[sqlite3.Connection], Any]) -> Any:
        """What `function` returns for a connection, in one consistent snapshot."""
        if self._closed:
            raise RuntimeError("the database is closed")
        loop = asyncio.get_running_loop()
        job = Job(function, loop.create_future(), loop)
        self._waiting.put(job)
        if not self._looking:
            self._looking = True
            self._begun_before = self._begun
            loop.call_later(LOOK_S, self._look, loop)
        return await job.future

    async def close(self) -> None:
        """Ends when everything that waited has been read."""
        self._closed = True
        self._waiting.put(None)
        self._stuck.put(None)
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._waiting.empty():
            self._looking = False
            return
        if self._begun == self._begun_before:
            self._stuck.put(self._begun)
        self._begun_before = self._begun
        loop.call_later(LOOK_S, self._look, loop)

    def _read(self, db: sqlite3.Connection) -> None:
        while (job := self._waiting.get()) is not None:
            self._begun += 1
            _run(job, db)

    def _relieve(self, db: sqlite3.Connection) -> None:
        while (stuck_at := self._stuck.get()) is not None:
            while self._begun == stuck_at:
                try:
                    job = self._waiting.get_nowait()
                except queue.Empty:
                    break
                if job is None:  # that is for the first
                    self._waiting.put(None)
                    break
                _run(job, db)


def _run(job: Job, db: sqlite3.Connection) -> None:
    """Reads in one consistent snapshot, and hands the answer to the loop."""
    try:
        db.execute("BEGIN")
        try:
            job.result = job.function(db)
        finally:
            db.execute("COMMIT")
    except BaseException as error:
        job.error = error
    with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits
        job.loop.call_soon_threadsafe(job.settle)
