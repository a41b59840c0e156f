"""The desk: who may sit there, and what stands around its pages."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from node import roles
from node.model import Account, Role
from node.store import deeds
from node.web import accounts, render, sessions, state

# Whose acts say themselves what was done.
NOTED = ("/gestion/examiner", "/gestion/contestations/", "/gestion/demandes/")
PATH_MOST = 200


async def steward(request: Request) -> sessions.Person | Response:
    """Who asks, where they may ask for this page (node/roles.py); else the page that says so."""
    if request.method == "POST" and not sessions.is_own_form(request):
        return await render.error(request, 403)
    person = await sessions.person(request)
    if person is None:
        if await sessions.owes_second_factor(request):
            return sessions.see_other(request, "/connexion/second")
        return accounts.ask(request, status=401)
    if not person.desk_roles:
        return await render.error(request, 404)
    page = request.scope["route"].path.removeprefix(render.prefix(request))
    if not roles.may(person.desk_roles, page, request.method):
        return await render.error(request, 403)
    request.state.desk_roles = person.desk_roles
    await note_act(request, person.account)
    return person


async def note_act(request: Request, by: Account) -> None:
    """Notes who is about to change something, and where; what was decided is noted by itself."""
    path = request.scope["path"].removeprefix(render.prefix(request))
    if request.method == "POST" and not path.startswith(NOTED):
        site = state.of(request)
        await site.database.write(deeds.add, by.id, "page", path[:PATH_MOST], site.clock())


def page(request: Request, name: str, *, status: int = 200, **values: Any) -> Response:
    """The template `steward/{name}.html`, with what was just done, and `may`: whether whoever asks
    may read a page of the desk."""
    held: frozenset[Role] = getattr(request.state, "desk_roles", frozenset())
    return render.page(
        request,
        f"steward/{name}.html",
        status=status,
        private=True,
        own_style=state.of(request).assets.address("merchant.css"),
        desk_roles=held,
        may=lambda path: roles.may(held, f"/gestion{path}", "GET"),
        done=request.query_params.get("fait", "")[:20],
        home=f"{render.prefix(request)}/gestion",
        **values,
    )
