"""Forms that anybody may send without an account: to reserve, to report, to open a shop."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from node.web import render, sessions, state


async def turn_away(request: Request, what: str = "") -> Response | None:
    """The answer to a form that did not come from a page of ours (403), or from an address that
    has sent too many (429, with when to come again); None for any other. Before it is read.

    Each `what` is counted by itself.
    """
    if not sessions.is_own_form(request):
        return await render.error(request, 403)
    site = state.of(request)
    client = site.door.client(request.headers.raw, request.client.host if request.client else "")
    now = asyncio.get_running_loop().time()
    wait = site.turnstile.wait(client and f"{what} {client}", now)
    return await render.error(request, 429, retry_after=wait) if wait else None
