"""`/media/{name}`: the clean copies of photos."""

import stat

import anyio
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from node import media
from node.store import photos
from node.web import state

_TYPES = {"webp": "image/webp", "jpg": "image/jpeg"}
# Its name is its content's hash. Kept by the reader's own browser alone: what is taken down here
# must not go on being served by a cache in between.
_CACHE = "private, max-age=31536000, immutable"


async def photo(request: Request) -> Response:
    """A size of a photo that a listing shows, or that its shop is about to publish."""
    site = state.of(request)
    named = media.parse_name(request.path_params["name"])
    if named is None or not await site.database.read(photos.is_shown, named[0], site.clock()):
        return _missing()
    where = media.path(site.database.folder, *named)
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


def _missing() -> Response:
    return PlainTextResponse("No such photo.\n", 404, {"Cache-Control": "no-store"})
