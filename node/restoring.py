"""A node from its backup: everything is checked before it is there, and it keeps quiet at first.

Two nodes of one address that both speak would be worse than none: others would hear now this one,
now that one. So a restored node starts in quarantine, a file in its folder: it can be read, it
sends nothing and takes nothing in, until its operator says that the old one is off. Then its change
sequence goes on at numbers that were never given out, and all of its own counts as changed just
now: neighbours read all of it anew, and what they heard after the backup was made is not held
against it.
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, cast

from node import backups, errors, keyring, media, publications, sealed_files, settings
from node.media_worker import SIZES, SUFFIXES
from node.store import actors, changes, copies, database, migrations, photos, times
from node.store import node as node_row
from node.uris import INSTANCE

QUARANTINE = "quarantine.json"
JUMP = 1_000_000  # numbers of the change sequence that may have been given out since the backup
_SMALL = backups.BESIDE_MOST
_PHOTO = re.compile(rf"{media.FOLDER}/([0-9a-f]{{2}})/(\1[0-9a-f]{{62}}\.[0-9]+\.[a-z]+)")


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup holds, all of it checked."""

    url: str
    made: str
    version: str
    bytes: int
    photos: int
    photos_missing: tuple[str, ...]


def restore(
    file: Path, secret: str, folder: Path, progress: Callable[[str], None] = lambda _: None
) -> Contents:
    """Makes a node in `folder` (empty, or not there) from a backup, in quarantine.

    Raises errors.Conflict for a folder that is not empty, errors.Unusable for a backup that is not
    whole, and leaves nothing then.
    """
    check_empty(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _unpacked(file, secret, folder.parent, progress) as (building, contents):
        (building / QUARANTINE).write_text(json.dumps({"made": contents.made}), encoding="utf-8")
        os.sync()  # once for all of them: photos are many
        building.replace(folder)
        sealed_files.sync_folder(folder.parent)
    return contents


def check_empty(folder: Path) -> None:
    """Raises errors.Conflict for a folder that holds anything."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise errors.Conflict(
            "folder-not-empty", f"{folder} is not an empty folder. Name one that is empty or new."
        )


def rehearse(
    file: Path, secret: str, where: Path, progress: Callable[[str], None] = lambda _: None
) -> Contents:
    """Does all that `restore` does, in a folder inside `where` that is removed again."""
    with _unpacked(file, secret, where, progress) as (_, contents):
        return contents


@contextlib.contextmanager
def _unpacked(
    file: Path, secret: str, where: Path, progress: Callable[[str], None]
) -> Iterator[tuple[Path, Contents]]:
    key = sealed_files.secret_key(secret)
    building = Path(tempfile.mkdtemp(prefix=".echoppe-restore-", dir=where))
    try:
        with file.open("rb") as source:
            manifest = _unpack(sealed_files.Opener(source, key), building, progress)
        progress("checking")
        yield building, _check(building, manifest, file.stat().st_size)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _bad(why: str) -> errors.Unusable:
    return errors.Unusable("bad-backup", f"The backup cannot be used: {why}.")


def _unpack(
    source: sealed_files.Opener, building: Path, progress: Callable[[str], None]
) -> dict[str, Any]:
    """Puts every file of the stream into its place; returns the manifest.

    Whoever has the public key can make a backup, so no name and no number in it is believed.
    """
    manifest: dict[str, Any] | None = None
    ended = False
    count = 0
    try:
        with tarfile.open(fileobj=cast(IO[bytes], source), mode="r|", bufsize=1 << 16) as tar:
            for info in tar:
                # One with holes would be larger than the backup itself.
                whole = info.isreg() and not info.issparse()
                member = tar.extractfile(info) if whole else None
                if member is None or ended:
                    raise _bad(f"{info.name[:80]!r} is no file that belongs in one")
                if manifest is None:
                    manifest = _document(member, info, backups.MANIFEST)
                    if manifest.get("format") != backups.FORMAT:
                        raise _bad("it was made by another version; install that one")
                    _check_room(building, manifest.get("database_bytes"))
                elif info.name == backups.END:
                    _document(member, info, backups.END)
                    ended = True
                else:
                    _put(member, info, building)
                    count += 1
                    if count % 500 == 0:
                        progress(f"{count} files opened")
        while source.read(1 << 16):  # to the last chunk, which tells that all of it is there
            pass
    except (tarfile.TarError, ValueError) as error:
        raise _bad(str(error)) from None
    if manifest is None or not ended:
        raise _bad("it was cut short")
    return manifest


def _document(member: IO[bytes], info: tarfile.TarInfo, name: str) -> dict[str, Any]:
    if info.name != name or info.size > _SMALL:
        raise _bad(f"{info.name[:80]!r} stands where {name} should")
    try:
        found = json.loads(member.read())
    except ValueError:
        raise _bad(f"{name} cannot be read") from None
    if not isinstance(found, dict):
        raise _bad(f"{name} cannot be read")
    return found


def _check_room(building: Path, size: object) -> None:
    free = shutil.disk_usage(building).free
    if not isinstance(size, int) or size + 50_000_000 > free:
        raise errors.Unusable(
            "no-room", f"The database needs {size} bytes, and {free} are free on that disk."
        )


def _put(member: IO[bytes], info: tarfile.TarInfo, building: Path) -> None:
    photo = _PHOTO.fullmatch(info.name)
    if photo is not None and media.parse_name(photo[2]) is not None:
        target = building / media.FOLDER / photo[1] / photo[2]
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    elif backups.PLAIN_NAME.fullmatch(info.name) and (
        info.name == database.FILE_NAME or info.size <= _SMALL
    ):
        target = building / info.name
    else:
        raise _bad(f"{info.name[:80]!r} does not belong in one")
    try:
        descriptor = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise _bad(f"it holds {info.name} twice") from None
    with os.fdopen(descriptor, "wb") as out:
        shutil.copyfileobj(member, out, 1 << 20)


def _check(building: Path, manifest: dict[str, Any], size: int) -> Contents:
    """Everything fits together: settings, key, database, photos. Raises errors.NodeError."""
    configured = settings.load(building)
    ring = keyring.load(building)
    if not (building / database.FILE_NAME).is_file():
        raise _bad("it holds no database")
    copies.check(building / database.FILE_NAME)
    with database.reading(building) as db:
        migrations.check(db)
        if not migrations.applied(db) or node_row.origin(db) != configured.node.url:
            raise _bad("its database is not that of its settings")
        wrapped = actors.get_private_keys(db, INSTANCE)
        if wrapped is None:
            raise _bad("its database holds no keys")
        ring.unwrap(f"{INSTANCE}/rsa", wrapped[0])
        shown = sorted(photos.find_ids(db))
    missing = [one for one in shown if not _is_true(building, one)]
    return Contents(
        url=configured.node.url,
        made=str(manifest.get("made"))[:40],
        version=str(manifest.get("version"))[:40],
        bytes=size,
        photos=len(shown) - len(missing),
        photos_missing=tuple(missing),
    )


def _is_true(folder: Path, photo_id: str) -> bool:
    """Whether a photo is whole, and is the one that its name says."""
    if not media.is_whole(folder, photo_id):
        return False
    with media.path(folder, photo_id, SIZES[0], SUFFIXES[1]).open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest() == photo_id


# --- Quarantine ----------------------------------------------------------------------------------


def is_quiet(folder: Path) -> bool:
    """Whether the node in `folder` was restored and its operator has not said the word yet."""
    return (folder / QUARANTINE).exists()


def speak(folder: Path) -> None:
    """Ends the quarantine, after `begin_anew` was committed."""
    (folder / QUARANTINE).unlink(missing_ok=True)
    sealed_files.sync_folder(folder)


def begin_anew(db: sqlite3.Connection, now: datetime) -> int:
    """Makes all that the node says from now on newer than all it said before it was lost.

    Returns how many things count as changed now. Doing it twice does no harm. Numbers
    go on at the time in milliseconds, more than there were changes: so they are new as well where
    one backup is put back a second time, and what was given out after the first time is not in it.
    """
    start = max(changes.head(db) + JUMP, int(now.timestamp() * 1000))
    copies.shift_changes(db, start)
    states = copies.own_states(db)
    for uri, before in states:
        updated = times.stamp(publications.next_update(times.moment(before), now))
        copies.change_updated(db, uri, updated, publications.fingerprint(uri, updated))
    return len(states)
