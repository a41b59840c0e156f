"""Copies of the whole file: made beside a server that writes, cleaned, checked, and begun anew."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from node import errors
from node.store import database

# What no copy needs: bodies as others sent them, and ways in that may have been ended since.
_LEFT_OUT = ("received", "sessions", "sign_in_links", "sign_in_codes", "sign_in_tries",
             "code_requests", "sent_forms")  # fmt: skip


def snapshot(folder: Path, target: Path) -> None:
    """A copy of the file as of one moment, without what is left out of copies.

    The connection only reads: it neither writes nor checkpoints, so a server may go on writing.
    Raises errors.Unusable for a file that cannot be read, or a disk without room.
    """
    source = folder / database.FILE_NAME
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    uri = f"{source.absolute().as_uri()}?mode=ro"
    try:
        with contextlib.closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as db:
            db.execute(f"PRAGMA busy_timeout = {database.BUSY_MS}")
            db.execute("VACUUM INTO ?", (str(target),))
    except sqlite3.Error as error:
        raise errors.Unusable(
            "cannot-copy",
            f"The database cannot be copied: it may be damaged, or the disk full ({error}). "
            "See: echoppe check",
        ) from None
    with contextlib.closing(sqlite3.connect(target, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = OFF")  # a copy that fails is thrown away
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA foreign_keys = ON")  # what hangs on these rows goes with them
        db.execute("PRAGMA secure_delete = ON")
        for table in _LEFT_OUT:
            db.execute(f"DELETE FROM {table}")  # noqa: S608 (a constant)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A copy, to be read only."""
    with contextlib.closing(database.connect(path, writing=False)) as db:
        yield db


def check(path: Path) -> None:
    """Raises errors.Unusable, with what SQLite says, for a file that is not whole."""
    with opened(path) as db:
        faults = faults_of(db)
    if faults:
        raise errors.Unusable("database-damaged", f"The database is damaged: {faults[0]}.")


def faults_of(db: sqlite3.Connection, *, quick: bool = False) -> list[str]:
    """What is wrong with a file; nothing where it is whole. `quick`: without the indexes."""
    try:
        pragma = "quick_check" if quick else "integrity_check"
        said = [str(row[0]) for row in db.execute(f"PRAGMA main.{pragma}(5)")]
        if said != ["ok"]:
            return said
        broken = db.execute("PRAGMA main.foreign_key_check").fetchmany(1)
    except sqlite3.DatabaseError as error:
        return [str(error)]
    return [f"a row of {row[0]} refers to nothing" for row in broken]


def sqlite_version() -> tuple[int, ...]:
    """The version of SQLite that the node runs on."""
    return sqlite3.sqlite_version_info


def shift_changes(db: sqlite3.Connection, start: int) -> int:
    """Moves every number of the change sequence beyond `start`, more than was ever given out.

    Whoever stopped at an earlier number must begin again. Returns the highest number.
    """
    first = db.execute("SELECT min(seq) FROM changes").fetchone()[0]
    jump = start + 1 - int(first or start + 1)
    db.execute("UPDATE changes SET seq = seq + ?", (jump,))
    last = int(db.execute("SELECT ifnull(max(seq), ?) FROM changes", (start,)).fetchone()[0])
    head = db.execute(
        "UPDATE sqlite_sequence SET seq = ? WHERE name = 'changes' RETURNING seq", (last,)
    ).fetchone()
    if head is None:
        db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('changes', ?)", (last,))
    db.execute("UPDATE node SET changes_pruned = ?", (start,))
    return last


def own_states(db: sqlite3.Connection) -> list[tuple[str, str]]:
    """Id and `updated` of every shop, listing, news and event of ours that is not deleted."""
    return [
        (row[0], row[1]) for row in db.execute("SELECT uri, updated FROM changes WHERE deleted = 0")
    ]


def change_updated(db: sqlite3.Connection, uri: str, updated: str, fingerprint: bytes) -> None:
    """Something of ours counts as changed at that time, and says so in the sequence."""
    db.execute("UPDATE shops SET updated = ? WHERE uri = ?", (updated, uri))
    db.execute("UPDATE listings SET updated = ? WHERE uri = ?", (updated, uri))
    db.execute("UPDATE posts SET updated = ? WHERE uri = ?", (updated, uri))
    db.execute(
        "UPDATE changes SET updated = ?, fingerprint = ? WHERE uri = ?", (updated, fingerprint, uri)
    )
