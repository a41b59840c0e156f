"""The desk: who may sit there, and what stands around its pages."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from node import roles
from node.web import accounts, render, sessions, state


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
    return person


def page(request: Request, name: str, *, status: int = 200, **values: Any) -> Response:
    """The template `steward/{name}.html`, with what was just done."""
    return render.page(
        request,
        f"steward/{name}.html",
        status=status,
        private=True,
        own_style=state.of(request).assets.address("merchant.css"),
        desk_roles=getattr(request.state, "desk_roles", frozenset()),
        done=request.query_params.get("fait", "")[:20],
        home=f"{render.prefix(request)}/gestion",
        **values,
    )
