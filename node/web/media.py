"""`/media/{name}`: the clean copies of photos."""

import sqlite3
import stat
from datetime import datetime
from pathlib import Path

import anyio
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from node import media
from node.neighbours import HIDDEN_AFTER
from node.store import photos, remote_photos
from node.web import state

_TYPES = {"webp": "image/webp", "jpg": "image/jpeg"}
# Its name is its content's hash. Kept by the reader's own browser alone: what is taken down here
# must not go on being served by a cache in between.
_CACHE = "private, max-age=31536000, immutable"


async def photo(request: Request) -> Response:
    """A size of a photo that a listing shows or its shop is about to publish; or the copy of a
    neighbour's."""
    site = state.of(request)
    named = media.parse_name(request.path_params["name"])
    if named is None:
        return _missing()
    where = await site.database.read(_find, site.database.folder, named, site.clock())
    if where is None:
        return _missing()
    try:
        status = await anyio.Path(where).lstat()
    except OSError:
        return _missing()
    if not stat.S_ISREG(status.st_mode):
        return _missing()
    return FileResponse(
        where,
        headers={"Cache-Control": _CACHE},
        media_type=_TYPES[named[2]],
        stat_result=status,
    )


def _find(
    db: sqlite3.Connection, folder: Path, named: tuple[str, int, str], now: datetime
) -> Path | None:
    if photos.is_shown(db, named[0], now):
        return media.path(folder, *named)
    if named[1:] == media.COPY and remote_photos.is_held(db, named[0], now - HIDDEN_AFTER):
        return media.copy_path(folder, named[0])
    return None


def _missing() -> Response:
    return PlainTextResponse("No such photo.\n", 404, {"Cache-Control": "no-store"})
