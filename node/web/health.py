"""Whether the node lives and can serve, for supervisors."""

import shutil

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from node.store import database, search
from node.web import state

DISK_LEAST = 50 * 1024 * 1024


async def livez(_request: Request) -> Response:
    """The process answers."""
    return PlainTextResponse("ok\n")


async def readyz(request: Request) -> Response:
    """The database can be read, the writer keeps up, and there is room on the disk."""
    site = state.of(request)
    problems = []
    try:
        if not await site.database.read(search.is_filled):
            problems.append("index-being-filled")
    except Exception:
        problems.append("database-unreadable")
    if site.database.waiting() > 10 * database.BATCH:
        problems.append("writer-behind")
    if shutil.disk_usage(site.database.folder).free < DISK_LEAST:
        problems.append("disk-full")
    return JSONResponse({"problems": problems}, 503 if problems else 200)
