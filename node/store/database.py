"""The database file: connections to it, and the locks around it.

One server process owns the file, through the doors of `doors.py`. Commands write to the same file
while the server runs, through `transaction`, and so may a process of the server's own, through a
`SecondWriter`. Two file locks keep them apart:

- `server.lock`, held for the server's life: a second server is refused;
- `write.lock`, around every batch of writes by anybody. A command opens and closes its writing
  connection inside it; the server's writer keeps one open that is idle outside of it. So two
  connections never write or checkpoint at once, which SQLite before 3.51.3 does not survive
  unharmed (Debian 12 has 3.40.1).
"""

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from node import errors, gazetteer

FILE_NAME = "node.db"
LOG_NAME = f"{FILE_NAME}-wal"
KEPT_NAME = "node.log-kept"  # another name of the log, while a server runs and after it was killed
BATCH = 200  # functions in one commit at most: bounds how long others wait for the lock
BUSY_MS = 5000
EMPTY_MS = 200  # that readers are waited for meanwhile


class Connection(sqlite3.Connection):
    """A connection that remembers whether there is something to be emptied."""

    wiped = False  # private words went, and are still in the write-ahead log


# What the doors raise where it is the file or the disk, not what was asked.
TROUBLE = (sqlite3.Error, errors.Unusable, errors.Unwritable)


def connect(path: Path, *, writing: bool) -> Connection:
    """Opens the database as every part of the node does, in autocommit mode.

    Raises errors.Unusable when the file is missing, is no database, or cannot be opened.
    """
    mode = "rw" if writing else "ro"
    put_back_log(path.parent)
    db = None
    try:
        db = sqlite3.connect(
            factory=Connection,
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
    if isinstance(db, Connection):
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


def keep_log(db: sqlite3.Connection, folder: Path) -> None:
    """Makes a second name for the log, while a server runs."""
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
        empty_log(db)


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
    writes inside of the lock only. Use as a context manager.

    It is for work that is done again where it is not there: when the power fails, the last of its
    transactions may be lost, whole, and with them the word that the work was done.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with locked_for_writing(folder):
            self.db: sqlite3.Connection = connect(folder / FILE_NAME, writing=True)
        # Room for one batch: what was read before it is stale, the server has written since.
        self.db.execute("PRAGMA cache_size = -4000")
        # Nobody is told that it is safe, so nobody waits for the disk. The server's next commit
        # puts it there: they write to one log, and in order.
        self.db.execute("PRAGMA synchronous = NORMAL")

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


def empty_log(db: sqlite3.Connection) -> None:
    """Empties the log of words that were wiped; where a reader is in the way, the next time.

    The caller holds the lock of writing.
    """
    if isinstance(db, Connection) and db.wiped:
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
