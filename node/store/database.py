"""The two doors to the database file, `read` and `write`, and the locks around it.

One server process owns the file. Inside it two reader threads serve `read`, each with its own
read-only connection, the second only while the first takes long (`readers.py`); ONE writer thread
serves `write`. The writer takes whatever waits into a single commit, where there are several each
function under a savepoint of its own: a failing one undoes only itself, and nobody is told of
success before the commit has reached the disk (`synchronous=FULL`).

Commands write to the same file while the server runs, through `transaction`, and so may a process
of the server's own, through a `SecondWriter`. Two file locks keep them apart:

- `server.lock`, held for the server's life: a second server is refused;
- `write.lock`, around every batch of writes by anybody. A command opens and closes its writing
  connection inside it; the server's writer keeps one open that is idle outside of it. So two
  connections never write or checkpoint at once, which SQLite before 3.51.3 does not survive
  unharmed (Debian 12 has 3.40.1).
"""

import asyncio
import contextlib
import errno
import fcntl
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from node import errors, gazetteer
from node.store import readers
from node.store.jobs import Job

P = ParamSpec("P")
T = TypeVar("T")

FILE_NAME = "node.db"
LOG_NAME = f"{FILE_NAME}-wal"
KEPT_NAME = "node.log-kept"  # another name of the log, while a server runs and after it was killed
READERS = 2  # the second one goes on while the first takes long; more only compete
BATCH = 200  # functions in one commit at most: bounds how long others wait for the lock
BUSY_MS = 5000
_DISK = frozenset(
    {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
)
_DISK_ERRNO = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})
EMPTY_AFTER = 1.0  # seconds without a write, upon which private words that went leave the log too
EMPTY_AT_MOST = 60.0  # seconds, on a node that never rests
EMPTY_MS = 200  # that readers are waited for meanwhile


class _Connection(sqlite3.Connection):
    wiped = False  # private words went, and are still in the write-ahead log


# What the doors raise where it is the file or the disk, not what was asked.
TROUBLE = (sqlite3.Error, errors.Unusable, errors.Unwritable)


def connect(path: Path, *, writing: bool) -> _Connection:
    """Opens the database as every part of the node does, in autocommit mode.

    Raises errors.Unusable when the file is missing, is no database, or cannot be opened.
    """
    mode = "rw" if writing else "ro"
    put_back_log(path.parent)
    db = None
    try:
        db = sqlite3.connect(
            factory=_Connection,
            database=f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        db.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA trusted_schema = OFF")
        db.execute("PRAGMA cell_size_check = ON")
        db.execute("PRAGMA mmap_size = 0")
        if writing:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA secure_delete = FAST")
        else:
            db.execute("PRAGMA query_only = ON")
        # Eight megabytes: a search reads its words' lists again and again, and a transaction whose
        # pages find no room is written out, and out again.
        db.execute("PRAGMA cache_size = -8000")
        db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        # Which communes there are, beside the node's own tables and never written.
        db.execute("ATTACH ? AS gazetteer", (f"{gazetteer.path().as_uri()}?mode=ro&immutable=1",))
    except sqlite3.DatabaseError as error:
        if db is not None:
            db.close()
        raise errors.Unusable("database-unusable", f"{path} cannot be used: {error}.") from None
    db.row_factory = sqlite3.Row
    return db


@contextlib.contextmanager
def wiping(db: sqlite3.Connection) -> Iterator[None]:
    """What is deleted or replaced inside is written over with zeros, also on pages of its own, and
    the log that it came by is emptied soon after.

    That costs a write for each such page, so it is for private words; everything else is written
    over where that costs nothing.
    """
    if isinstance(db, _Connection):
        db.wiped = True
    db.execute("PRAGMA secure_delete = ON")
    try:
        yield
    finally:
        db.execute("PRAGMA secure_delete = FAST")


@contextlib.contextmanager
def _locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """An exclusive lock on a file, freed by the kernel when its holder dies."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if (
            os.geteuid() == 0
        ):  # a command that was run as root must not shut out the node's own user
            owner = path.parent.stat()
            os.fchown(handle, owner.st_uid, owner.st_gid)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise errors.Conflict(
                "folder-in-use",
                f"{path.parent} is in use: another server runs there. Stop it first.",
            ) from None
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[None]:
    """Held while a server runs on `folder`; raises errors.Conflict when another one does."""
    with _locked(folder / "server.lock", wait=False):
        yield


@contextlib.contextmanager
def locked_for_writing(folder: Path) -> Iterator[None]:
    """Keeps every other writer out, this process's own included, while the block runs."""
    with _locked(folder / "write.lock"):
        yield


def put_back_log(folder: Path) -> bool:
    """Puts back the write-ahead log that somebody removed after a server was killed: what it holds
    would be lost. Returns whether that was so.

    A server keeps a second name for it. Whoever closes the file last folds the log in before it
    takes it away: the file is the younger one then, and the log no more to be used. So it is with
    a file that was put in the place of another.
    """
    log, kept = folder / LOG_NAME, folder / KEPT_NAME
    # First of all whether it is there: it goes after the file was written, so whoever finds it gone
    # sees a file that is younger. The other way round a command in between would be undone.
    if log.exists():
        return False
    try:
        held, file = kept.stat(), (folder / FILE_NAME).stat()
        younger = max(file.st_mtime_ns, file.st_ctime_ns) >= held.st_mtime_ns
        if not held.st_size or younger:
            return False
        os.link(kept, log)
    except OSError:  # there is none, or another process was quicker
        return False
    return True


def _keep_log(db: sqlite3.Connection, folder: Path) -> None:
    db.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()  # makes the log
    with contextlib.suppress(OSError):  # not every file system has two names for a file
        (folder / KEPT_NAME).unlink(missing_ok=True)
        os.link(folder / LOG_NAME, folder / KEPT_NAME)


@contextlib.contextmanager
def transaction(folder: Path) -> Iterator[sqlite3.Connection]:
    """A writing transaction for a command: all of the block is kept, or nothing of it."""
    with (
        locked_for_writing(folder),
        contextlib.closing(connect(folder / FILE_NAME, writing=True)) as db,
    ):
        with _whole(db):
            yield db
        _empty_log(db)


@contextlib.contextmanager
def _whole(db: sqlite3.Connection) -> Iterator[None]:
    """All of the block is kept, or nothing of it. The caller holds the lock of writing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


class SecondWriter:
    """The door of a process that writes beside the server: a connection that is kept open, and that
    writes inside of the lock only. Use as a context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with locked_for_writing(folder):
            self.db: sqlite3.Connection = connect(folder / FILE_NAME, writing=True)
        # Room for one batch: what was read before it is stale, the server has written since.
        self.db.execute("PRAGMA cache_size = -4000")

    def __enter__(self) -> "SecondWriter":
        return self

    def __exit__(self, *_: object) -> None:
        with locked_for_writing(self._folder):  # whoever closes last checkpoints
            self.db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of the block is kept, or nothing of it."""
        with locked_for_writing(self._folder), _whole(self.db):
            yield self.db


def _empty_log(db: sqlite3.Connection) -> None:
    """Empties the log of words that were wiped; where a reader is in the way, the next time.

    The caller holds the lock of writing.
    """
    if isinstance(db, _Connection) and db.wiped:
        db.execute(f"PRAGMA busy_timeout = {EMPTY_MS}")
        try:
            busy, _, _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            db.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        db.wiped = bool(busy)


@contextlib.contextmanager
def reading(folder: Path) -> Iterator[sqlite3.Connection]:
    """A read-only connection for a command."""
    with contextlib.closing(connect(folder / FILE_NAME, writing=False)) as db:
        yield db


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
        self._writing: _Connection | None = None
        self._watching: sqlite3.Connection | None = None
        self._watched = -1
        self._closed = False

    async def __aenter__(self) -> "Database":
        with locked_for_writing(self.folder):
            self._writing = connect(self.folder / FILE_NAME, writing=True)
            _keep_log(self._writing, self.folder)
        # Whoever was killed may have left private words in the log that it had wiped.
        self._writing.wiped = True
        self._empty_log()
        self._watching = connect(self.folder / FILE_NAME, writing=False)
        # All at once, and before anybody is served: a thread that finds no descriptor left when it
        # begins would end reading for good.
        for _ in range(READERS):
            self._connections.append(connect(self.folder / FILE_NAME, writing=False))
        self._readers = readers.Readers(*self._connections)
        self._writer.start()
        return self

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
            with locked_for_writing(self.folder):
                (self.folder / KEPT_NAME).unlink(missing_ok=True)
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
                if len(batch) == BATCH:
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
        with contextlib.suppress(sqlite3.Error, OSError), locked_for_writing(self.folder):
            _empty_log(self._writing)

    def _commit(self, batch: list[Job]) -> None:
        assert self._writing is not None
        db = self._writing
        try:
            with locked_for_writing(self.folder):
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


@contextlib.contextmanager
def savepoint(db: sqlite3.Connection) -> Iterator[None]:
    """A part of a transaction that is undone alone when it raises."""
    db.execute("SAVEPOINT part")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK TO part")
        db.execute("RELEASE part")
        raise
    db.execute("RELEASE part")


def _run_in_savepoint(db: sqlite3.Connection, job: Job) -> None:
    try:
        with savepoint(db):
            job.result = job.function(db)
    except Exception as error:
        job.error = error


def copy(folder: Path, target: Path) -> None:
    """A consistent copy of the database at `target`, on the disk when this returns."""
    with contextlib.closing(connect(folder / FILE_NAME, writing=True)) as db:
        db.execute("VACUUM INTO ?", (str(target),))
    target.chmod(0o600)
    descriptor = os.open(target, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
