"""Backups: all of a node in one sealed file, made while it runs, checked, and kept for some nights.

Inside the seal (node/sealed_files.py) is a tar: `manifest.json` first, the settings and what
stands beside them, `node.key`, the database, the files of every photo that the database names, and
`end.json` with what was counted. Copies of neighbours' photos are left out: they can be had again.
"""

import contextlib
import fcntl
import io
import itertools
import json
import os
import re
import shutil
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import IO, cast

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

import node
from node import errors, keyring, media, sealed_files, settings
from node.media_worker import SIZES, SUFFIXES
from node.store import copies, database, photos

FORMAT = 1
MANIFEST, END = "manifest.json", "end.json"
BESIDE = ("synonyms.toml", "law.toml")
BESIDE_MOST = 1 << 20  # bytes of each; restoring takes no larger one
SUFFIX = ".echoppe-backup"
REHEARSED = "backup.rehearsed"  # the day on which a backup was last restored for a trial
REHEARSE_EVERY = timedelta(days=100)  # once a quarter
NIGHT = range(1, 5)  # hours (UTC) in which the node makes its own
NOT_BEFORE = timedelta(hours=20)
AT_LAST = timedelta(hours=30)  # whatever the hour: the machine may be off at night
SKEW = timedelta(hours=1)  # beyond it, a name is from the future
LATE = timedelta(hours=50)  # and somebody should know
PLAIN_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")  # of a file beside the database
_WORK = "backup.tmp"
_NAME = re.compile(r"([0-9]{8}T[0-9]{6}Z)" + re.escape(SUFFIX))


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that is whole and on the disk."""

    file: Path
    bytes: int
    photos: int
    photos_missing: int


def make(
    folder: Path,
    configured: settings.Settings,
    target: Path,
    now: datetime,
    progress: Callable[[str], None] = lambda _: None,
) -> Made:
    """Makes a backup of the node in `folder` at `target`, sealed to its `[backup] key`.

    The file appears under its name only when it is whole and on the disk. Raises errors.Invalid
    without a key, errors.Conflict where there is a file already or another backup is being made,
    errors.Unusable for a database that is damaged and a disk without room.
    """
    if not configured.backup.key:
        raise errors.Invalid(
            "no-backup-key",
            "There is no key to seal backups to. Make one: echoppe backup --new-key FILE",
        )
    key = sealed_files.public_key(configured.backup.key)
    beside = _beside(folder, configured)
    if target.exists():
        raise errors.Conflict("backup-exists", f"{target} is there already. Name another file.")
    if not target.parent.is_dir():
        raise errors.Invalid("no-such-folder", f"There is no folder {target.parent}.")
    part = target.with_name(f".{target.name}.part")
    with _alone(folder) as work:
        size = (folder / database.FILE_NAME).stat().st_size
        _check_room(folder, size)
        progress("copying the database")
        copy = work / database.FILE_NAME
        copies.snapshot(folder, copy)
        progress("checking the copy")
        copies.check(copy)
        with copies.opened(copy) as db:
            shown = sorted(photos.find_ids(db))
        _check_room(target.parent, copy.stat().st_size)
        part.unlink(missing_ok=True)
        try:
            descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "wb") as out:
                missing = _write(folder, configured, beside, copy, shown, out, key, now, progress)
                out.flush()
                os.fsync(out.fileno())
            _name(part, target)
        except FileExistsError:
            raise errors.Conflict("backup-exists", f"{target} is there already.") from None
        finally:
            part.unlink(missing_ok=True)
        sealed_files.sync_folder(target.parent)
    return Made(target, target.stat().st_size, len(shown), missing)


def _beside(folder: Path, configured: settings.Settings) -> list[Path]:
    """The small files of a node: settings, key, and what stands beside them. Raises errors.Invalid
    for one that is too large to be restored, rather than make a backup that is none."""
    optional = {*BESIDE, configured.mail.password_file}
    names = [one for one in sorted(optional) if PLAIN_NAME.fullmatch(one)]
    found = [folder / settings.FILE_NAME, folder / keyring.FILE_NAME]
    found += [folder / one for one in names if (folder / one).is_file()]
    for one in found:
        if one.stat().st_size > BESIDE_MOST:
            raise errors.Invalid(
                "too-large-for-backup",
                f"{one} is larger than {BESIDE_MOST // 2**20} MiB, which no backup takes. "
                "Make it shorter.",
            )
    return found


def _name(part: Path, target: Path) -> None:
    """Gives a whole file its name. Raises FileExistsError: one that came meanwhile is not replaced,
    being somebody's backup too."""
    try:
        os.link(part, target)
    except FileExistsError:
        raise
    except OSError:  # a stick (FAT, exFAT) or a share knows no second name of a file
        if target.exists():
            raise FileExistsError from None
        part.rename(target)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[Path]:
    """A folder to work in, for one backup at a time; what a killed one left in it is removed."""
    with (folder / "backup.lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise errors.Conflict(
                "backup-under-way", "Another backup of this node is being made. Wait for it."
            ) from None
        work = folder / _WORK
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(mode=0o700)
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _check_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed + 50_000_000:
        raise errors.Unusable(
            "no-room-for-backup",
            f"There is no room for a backup on the disk of {folder}: {free // 10**6} MB are free, "
            f"{needed // 10**6 + 50} MB are needed. Free some, or name a folder on another disk.",
        )


def _write(
    folder: Path,
    configured: settings.Settings,
    beside: list[Path],
    copy: Path,
    shown: list[str],
    out: IO[bytes],
    key: X25519PublicKey,
    now: datetime,
    progress: Callable[[str], None],
) -> int:
    """Writes all of a backup; returns how many photos were not whole (withdrawn meanwhile)."""
    sealer = sealed_files.Sealer(out, key)
    # tarfile asks for no more of a stream than `write`.
    stream = cast(IO[bytes], sealer)
    with tarfile.open(fileobj=stream, mode="w|", bufsize=sealed_files.CHUNK) as tar:
        _add_document(
            tar,
            MANIFEST,
            {
                "format": FORMAT,
                "version": node.__version__,
                "url": configured.node.url,
                "made": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "database_bytes": copy.stat().st_size,
                "photos": len(shown),
            },
        )
        for found in beside:
            _add(tar, found.name, found)
        progress("sealing the database")
        _add(tar, database.FILE_NAME, copy)
        missing = 0
        for number, photo_id in enumerate(shown):
            if number % 500 == 0:
                progress(f"sealing photos: {number} of {len(shown)}")
            try:
                for side, form in itertools.product(SIZES, SUFFIXES):
                    file = media.path(folder, photo_id, side, form)
                    _add(tar, f"{media.FOLDER}/{photo_id[:2]}/{file.name}", file)
            except FileNotFoundError:
                missing += 1
        _add_document(tar, END, {"photos": len(shown) - missing})
    sealer.finish()
    return missing


def _add(tar: tarfile.TarFile, name: str, file: Path) -> None:
    with file.open("rb") as opened:
        info = tarfile.TarInfo(name)
        info.size = os.fstat(opened.fileno()).st_size
        info.mode = 0o600
        tar.addfile(info, opened)


def _add_document(tar: tarfile.TarFile, name: str, document: dict[str, object]) -> None:
    data = json.dumps(document).encode()
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


# --- Nightly -------------------------------------------------------------------------------------


def place(folder: Path, configured: settings.Settings) -> Path:
    """Where the node keeps the backups that it makes itself."""
    return folder / configured.backup.folder


def name(now: datetime) -> str:
    """What a backup of its own is called."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}{SUFFIX}"


def kept(where: Path) -> list[tuple[datetime, Path]]:
    """The backups that lie in a folder under names of our own, oldest first."""
    found = []
    for file in where.glob(f"*{SUFFIX}") if where.is_dir() else ():
        match = _NAME.fullmatch(file.name)
        if match is not None:
            with contextlib.suppress(ValueError):
                moment = datetime.strptime(match[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
                found.append((moment, file))
    return sorted(found)


def by_age(where: Path, now: datetime) -> list[tuple[datetime, Path]]:
    """The same, and before them those from the future: made while the clock was wrong."""
    return sorted(kept(where), key=lambda one: (one[0] <= now + SKEW, one[0]))


def is_due(configured: settings.Settings, last: datetime | None, now: datetime) -> bool:
    """Whether the node should make a backup now: at night, or whenever the last is too old.

    One from the future (the clock was set back) does not count as the last.
    """
    if not configured.backup.key:
        return False
    if last is None or last > now + SKEW:
        return True
    age = now - last
    return age > AT_LAST or (age > NOT_BEFORE and now.astimezone(UTC).hour in NIGHT)


def rotate(where: Path, keep: int, now: datetime) -> list[Path]:
    """Removes the oldest of our own backups beyond `keep`; returns which."""
    gone = [file for _, file in by_age(where, now)[:-keep]]
    for file in gone:
        file.unlink(missing_ok=True)
    return gone


def note_rehearsal(folder: Path, now: datetime) -> None:
    """Keeps in mind that a backup of the node was restored for a trial, where its key is."""
    (folder / REHEARSED).write_text(f"{now.astimezone(UTC):%Y-%m-%d}\n", encoding="ascii")


def rehearsed(folder: Path) -> date | None:
    """When that was last; None where nobody ever said so."""
    try:
        return date.fromisoformat((folder / REHEARSED).read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        return None


# --- A key for them ------------------------------------------------------------------------------


def put_key(folder: Path, public: str) -> None:
    """Writes the public half into instance.toml. Raises errors.Conflict where one stands there."""
    path = folder / settings.FILE_NAME
    text = path.read_text(encoding="utf-8")
    if settings.load(folder).backup.key:
        raise errors.Conflict(
            "backup-key-set",
            "instance.toml names a key already: backups made with it need its secret half. "
            "To have a new one, empty `key` in [backup] first.",
        )
    line = f'key = "{public}"'
    if re.search(r"(?m)^\[backup\][ \t]*(#.*)?$", text):
        text = re.sub(r'(?m)^key[ \t]*=[ \t]*"".*\n?', "", text) if _has_empty_key(text) else text
        text = re.sub(r"(?m)^(\[backup\][ \t]*(?:#.*)?)$", rf"\1\n{line}", text, count=1)
    else:
        text = f"{text.rstrip()}\n\n[backup]\n{line}\n"
    if settings.parse(text).backup.key != public:
        raise errors.Invalid("cannot-set-key", f"Write this into instance.toml: [backup] {line}")
    new = path.with_name(f".{path.name}.new")
    with new.open("w", encoding="utf-8") as out:
        os.fchmod(out.fileno(), path.stat().st_mode & 0o777)
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    new.replace(path)
    sealed_files.sync_folder(folder)


def _has_empty_key(text: str) -> bool:
    after = text.partition("[backup]")[2].partition("\n[")[0]
    return re.search(r'(?m)^key[ \t]*=[ \t]*""', after) is not None
