"""The server's two doors to the database file, `read` and `write`.

Two reader threads serve `read`, each with its own read-only connection, the second only while the
first takes long (`readers.py`); ONE writer thread serves `write`. The writer takes whatever waits
into a single commit, where there are several each function under a savepoint of its own: a failing
one undoes only itself, and nobody is told of success before the commit has reached the disk
(`synchronous=FULL`). What else writes to the file meanwhile: `database.py`.
"""

import asyncio
import contextlib
import errno
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from node import errors
from node.store import database, readers
from node.store.jobs import Job

P = ParamSpec("P")
T = TypeVar("T")

READERS = 2  # the second one goes on while the first takes long; more only compete
_DISK = frozenset(
    {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
)
_DISK_ERRNO = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})
EMPTY_AFTER = 1.0  # seconds without a write, upon which private words that went leave the log too
EMPTY_AT_MOST = 60.0  # seconds, on a node that never rests


def _settle_all(batch: list[Job]) -> None:
    for job in batch:
        job.settle()


class Database:
    """The server's doors to one node's file. Use as an async context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._connections: list[sqlite3.Connection] = []
        self._readers: readers.Readers | None = None
        self._writer = threading.Thread(target=self._write_loop, name="writer", daemon=True)
        self._writing: database.Connection | None = None
        self._watching: sqlite3.Connection | None = None
        self._watched = -1
        self._closed = False

    async def __aenter__(self) -> "Database":
        with database.locked_for_writing(self.folder):
            self._writing = self._connect(writing=True)
            database.keep_log(self._writing, self.folder)
        # Whoever was killed may have left private words in the log that it had wiped.
        self._writing.wiped = True
        self._empty_log()
        self._watching = self._connect(writing=False)
        # All at once, and before anybody is served: a thread that finds no descriptor left when it
        # begins would end reading for good.
        for _ in range(READERS):
            self._connections.append(self._connect(writing=False))
        self._readers = readers.Readers(*self._connections)
        self._writer.start()
        return self

    def _connect(self, *, writing: bool) -> database.Connection:
        return database.connect(self.folder / database.FILE_NAME, writing=writing)

    async def __aexit__(self, *_: object) -> None:
        self._closed = True
        self._jobs.put(None)
        await asyncio.to_thread(self._writer.join)
        if self._readers is not None:
            await self._readers.close()
        for db in self._connections:
            db.close()
        if self._watching is not None:
            self._watching.close()
        if self._writing is not None:
            # Last to close, and under the lock: closing checkpoints.
            with database.locked_for_writing(self.folder):
                (self.folder / database.KEPT_NAME).unlink(missing_ok=True)
                self._writing.close()

    async def read(
        self,
        function: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kw: P.kwargs,
    ) -> T:
        """Runs `function(connection, *args)` on a reader thread, in one consistent snapshot."""
        assert self._readers is not None
        found: T = await self._readers.read(lambda db: function(db, *args, **kw))
        return found

    async def write(
        self,
        function: Callable[Concatenate[sqlite3.Connection, P], T],
        *args: P.args,
        **kw: P.kwargs,
    ) -> T:
        """Runs `function(connection, *args)` on the writer thread; returns once it is on disk.

        The function's work is one transaction: all of it is kept, or, when it raises, nothing.
        Cancelling the waiter does not stop a write that was handed over.
        """
        if self._closed:
            raise RuntimeError("the database is closed")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._jobs.put(Job(lambda db: function(db, *args, **kw), future, loop))
        return await future

    def changed(self) -> bool:
        """Whether anybody, a command included, has committed since the last call."""
        version = self.version()
        previous, self._watched = self._watched, version
        return version != previous

    def version(self) -> int:
        """Another number than before once anybody, a command included, has committed."""
        assert self._watching is not None
        return int(self._watching.execute("PRAGMA data_version").fetchone()[0])

    def waiting(self) -> int:
        """How many writes wait for the writer."""
        return self._jobs.qsize()

    def _write_loop(self) -> None:
        open_for_more = True
        since = 0.0  # when private words were first left in the log
        while open_for_more:
            wiped = self._writing is not None and self._writing.wiped
            since = (since or time.monotonic()) if wiped else 0.0
            try:
                job = self._jobs.get(timeout=EMPTY_AFTER if wiped else None)
            except queue.Empty:
                self._empty_log()
                continue
            if wiped and time.monotonic() - since > EMPTY_AT_MOST:
                self._empty_log()
                since = 0.0  # a reader that stays long, a backup, holds up one write in a while
            batch: list[Job] = []
            while job is not None:
                batch.append(job)
                if len(batch) == database.BATCH:
                    break
                try:
                    job = self._jobs.get_nowait()
                except queue.Empty:
                    break
            else:
                open_for_more = False
            if batch:
                self._commit(batch)

    def _empty_log(self) -> None:
        assert self._writing is not None
        # What goes wrong here, a full disk, goes wrong again with the next write and is told then.
        with contextlib.suppress(sqlite3.Error, OSError), database.locked_for_writing(self.folder):
            database.empty_log(self._writing)

    def _commit(self, batch: list[Job]) -> None:
        assert self._writing is not None
        db = self._writing
        try:
            with database.locked_for_writing(self.folder):
                db.execute("BEGIN IMMEDIATE")
                try:
                    if len(batch) == 1:
                        # It is undone with the transaction. (Inside a savepoint SQLite would copy
                        # each page aside before it changes it, into a file of its own.)
                        batch[0].result = batch[0].function(db)
                    else:
                        for job in batch:
                            _run_in_savepoint(db, job)
                    db.execute("COMMIT")
                except BaseException:
                    if db.in_transaction:
                        db.execute("ROLLBACK")
                    raise
        except BaseException as error:  # all of it failed: a lone function, disk full, file gone
            for job in batch:
                job.error = _refusal(job.error) or _refusal(error) or error
        # One wake-up of the loop for all of them: a thread's hand-over costs more than most writes.
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits
            batch[0].loop.call_soon_threadsafe(_settle_all, batch)


def _refusal(error: BaseException | None) -> errors.Unwritable | None:
    """What is told where it is the disk that takes nothing; None for any other error."""
    if isinstance(error, OSError):  # of the lock
        if error.errno not in _DISK_ERRNO:
            return None
    elif (
        not isinstance(error, sqlite3.OperationalError)
        or getattr(error, "sqlite_errorcode", 0) & 0xFF not in _DISK
    ):
        return None
    return errors.Unwritable(f"The disk takes nothing now ({error}). Nothing was changed.")


def _run_in_savepoint(db: sqlite3.Connection, job: Job) -> None:
    try:
        with database.savepoint(db):
            job.result = job.function(db)
    except Exception as error:
        job.error = error
