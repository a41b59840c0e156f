"""Photos: taken in from a phone, kept as clean copies in three sizes, and thrown away.

A photo is a set of six files in the node's folder, `media/ab/abcdef….{1600,800,320}.{webp,jpg}`,
named by the SHA-256 of the largest JPEG, and a row in the database. The files are whole and on the
disk before the row is written, and go only after no row names them; both under the lock of
writing, so that a listing never shows a photo that is not there.

Of a neighbour's photo one small copy is kept, in a folder of its own whose files can be had again
(node/exchange/photos.py): neither sweep sees the other's files.
"""

import asyncio
import contextlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from node import errors
from node.media_worker import SIZES, SUFFIXES
from node.model import Photo, Shop
from node.store import photos

UPLOAD_MOST = 15 * 1024 * 1024
DRAFTS_KEPT = timedelta(days=1)  # a photo of a form that was not sent to its end
SHOP_BYTES_MOST = 1024**3
SHOP_PER_MINUTE = 30
WAITING_MOST = 8  # photos that wait for the one that is being developed
DEVELOPED_WITHIN = 30.0  # seconds
FOLDER = "media"
COPIES_FOLDER = "media-remote"
COPY = (SIZES[-1], SUFFIXES[0])  # the one size and form of a copy of a neighbour's photo
INCOMING = "incoming"

_NAME = re.compile(rf"([0-9a-f]{{64}})\.({'|'.join(map(str, SIZES))})\.({'|'.join(SUFFIXES)})")
_DETAILS = {
    "heic": "This is a HEIC photo, which browsers cannot show; choose JPEG in the camera's "
    "settings, or send a screenshot of it.",
    "not-a-photo": "This is not a photo: JPEG, PNG and WebP can be used.",
    "damaged": "The photo is damaged or did not arrive whole.",
    "too-many-pixels": "The photo has more than 40 million pixels.",
    "too-heavy": "The photo is larger than 15 MB.",
    "empty": "The file is empty.",
}


@dataclass(frozen=True, slots=True)
class Developed:
    """A photo whose files are in place, not yet written down."""

    id: str
    width: int
    height: int
    bytes: int


def refusal(code: str) -> errors.Invalid:
    """Why a photo cannot be used."""
    detail = _DETAILS[code]
    return errors.Invalid(f"photo-{code}", detail, fields={"photo": detail})


def develop(folder: Path, source: IO[bytes]) -> Developed:
    """Makes the clean copies of a photo in the node's folder, in a process of its own.

    `source` is a file with a descriptor. Takes up to a second of that process. Raises
    errors.Invalid with a sentence.
    """
    incoming = folder / FOLDER / INCOMING
    with _developed(incoming, source) as (made, answer):
        for side in SIZES:
            for suffix in SUFFIXES:
                _put(made, path(folder, answer.id, side, suffix))
        _settle(path(folder, answer.id, SIZES[0], SUFFIXES[0]).parent)
    return answer


def develop_copy(folder: Path, source: IO[bytes]) -> Developed:
    """Makes the one small copy of a neighbour's photo, as `develop` does."""
    with _developed(folder / COPIES_FOLDER / INCOMING, source, "small") as (made, answer):
        target = copy_path(folder, answer.id)
        _put(made, target)
        _settle(target.parent)
    return answer


@contextlib.contextmanager
def _developed(incoming: Path, source: IO[bytes], *how: str) -> Iterator[tuple[Path, Developed]]:
    """The folder in which the photo process left its files, and what it said of them."""
    size = source.seek(0, os.SEEK_END)
    source.seek(0)
    os.lseek(source.fileno(), 0, os.SEEK_SET)  # the process begins where the descriptor stands
    if size > UPLOAD_MOST:
        raise refusal("too-heavy")
    if size == 0:
        raise refusal("empty")
    incoming.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=incoming, ignore_cleanup_errors=True) as target:
        try:
            done = subprocess.run(  # noqa: S603 (our own program, and no word of a stranger's)
                [sys.executable, "-m", "node.media_worker", target, *how],
                stdin=source,
                capture_output=True,
                timeout=DEVELOPED_WITHIN,
                check=False,
                cwd=Path(__file__).resolve().parent.parent,
            )
        except subprocess.TimeoutExpired:
            raise refusal("damaged") from None
        try:
            answer = json.loads(done.stdout)
        except ValueError:  # ended by a limit
            raise refusal("damaged") from None
        if "refused" in answer:
            raise refusal(answer["refused"])
        yield (
            Path(target),
            Developed(answer["id"], answer["width"], answer["height"], answer["bytes"]),
        )


def _put(made: Path, target: Path) -> None:
    """Moves a file to where it is served from."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    (made / target.name.partition(".")[2]).replace(target)


def _settle(shelf: Path) -> None:
    """What was put on a shelf is on the disk when this returns."""
    for changed in (shelf, shelf.parent):
        descriptor = os.open(changed, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def path(folder: Path, photo_id: str, side: int, suffix: str) -> Path:
    """Where a size of a photo lies."""
    return folder / FOLDER / photo_id[:2] / f"{photo_id}.{side}.{suffix}"


def copy_path(folder: Path, photo_id: str) -> Path:
    """Where the copy of a neighbour's photo lies."""
    side, suffix = COPY
    return folder / COPIES_FOLDER / photo_id[:2] / f"{photo_id}.{side}.{suffix}"


def parse_name(name: str) -> tuple[str, int, str] | None:
    """Id, longest side and suffix in the last part of a photo's address; None for any other."""
    match = _NAME.fullmatch(name)
    return (match[1], int(match[2]), match[3]) if match else None


def is_whole(folder: Path, photo_id: str) -> bool:
    """Whether all files of a photo are there."""
    return all(path(folder, photo_id, side, kind).is_file() for side in SIZES for kind in SUFFIXES)


def keep(
    db: sqlite3.Connection, folder: Path, shop: Shop, made: Developed, alt: str, now: datetime
) -> Photo:
    """Writes a developed photo down as a draft of a shop's, to be put on a listing within a day.

    Raises errors.TooMany when the shop has sent too many or holds too much.
    """
    if not is_whole(folder, made.id):  # swept between developing and this: developed again, it is
        raise errors.TooMany("photo-swept", "The photo could not be kept. Send it again.")
    photos.add_medium(
        db, made.id, shop.id, made.width, made.height, made.bytes, now, now + DRAFTS_KEPT
    )
    return Photo(made.id, alt, made.width, made.height)


def check_room(db: sqlite3.Connection, shop: Shop, now: datetime) -> None:
    """Raises errors.TooMany when a shop has sent too many photos, or holds too much already."""
    held, lately = photos.held_by_shop(db, shop.id, now - timedelta(minutes=1))
    if lately >= SHOP_PER_MINUTE:
        raise errors.TooMany(
            "too-many-photos", "That is a lot of photos at once. Wait a minute.", retry_after=60
        )
    if held > SHOP_BYTES_MOST:
        raise errors.TooMany(
            "photos-full", "The shop holds too many photos. Withdraw some listings first."
        )


def sweep_copies(folder: Path, known: frozenset[str]) -> int:
    """Removes what lies among the copies and is none of the known. Returns how many.

    Only for whoever makes copies, while none is being made.
    """
    removed = 0
    for found in (folder / COPIES_FOLDER).glob("*/*"):
        named = parse_name(found.name)
        if named is None or named[0] not in known:
            _remove(found)
            removed += 1
    return removed


def _remove(found: Path) -> None:
    if found.is_dir() and not found.is_symlink():
        shutil.rmtree(found, ignore_errors=True)  # what a killed process left
    else:
        found.unlink(missing_ok=True)


def sweep(db: sqlite3.Connection, folder: Path, now: datetime) -> int:
    """Forgets photos that nothing shows, and removes files that no row names. Returns how many.

    Files younger than an hour are left: their row may be on its way.
    """
    photos.remove_unused(db, now)
    known = photos.find_ids(db)
    removed = 0
    oldest_kept = now.timestamp() - 3600
    for found in (folder / FOLDER).glob("*/*"):
        named = parse_name(found.name)
        if named is not None and named[0] in known:
            continue
        if found.lstat().st_mtime > oldest_kept:
            continue
        _remove(found)
        removed += 1
    return removed


class Darkroom:
    """Where photos are developed for one server: one at a time, off the event loop."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._busy = asyncio.Lock()
        self._waiting = 0

    async def develop(self, source: IO[bytes]) -> Developed:
        """As `develop` above. Raises errors.TooMany when too many wait."""
        return await self._in_turn(develop, source)

    async def develop_copy(self, source: IO[bytes]) -> Developed:
        """As `develop_copy` above. Raises errors.TooMany when too many wait."""
        return await self._in_turn(develop_copy, source)

    async def _in_turn(
        self, work: Callable[[Path, IO[bytes]], Developed], source: IO[bytes]
    ) -> Developed:
        if self._waiting >= WAITING_MOST:
            raise errors.TooMany("photos-busy", "Many photos arrive just now. Try again.")
        self._waiting += 1
        try:
            async with self._busy:
                return await asyncio.to_thread(work, self._folder, source)
        finally:
            self._waiting -= 1
