"""Reports from other servers, as a steward closes them; the dashboard shows what is open."""

import sqlite3
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from node import errors
from node.store import reports
from node.web import desk, forms, render, sessions, state


async def close(request: Request) -> Response:
    """`/gestion/signalements/{id}`: it was looked into."""
    person = await desk.steward(request)
    if isinstance(person, Response):
        return person
    site = state.of(request)
    async with forms.read(request):
        pass
    try:
        await site.database.write(_close, request.path_params["id"], site.clock())
    except errors.NotFound:
        return await render.error(request, 404)
    return sessions.see_other(request, "/gestion")


def _close(db: sqlite3.Connection, report_id: str, now: datetime) -> None:
    if reports.get(db, report_id) is None:
        raise errors.NotFound("unknown-report")
    reports.close(db, report_id, now)
