"""A steward's desk: who may sit there, and what stands around its pages."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from node.web import accounts, render, sessions, state


async def steward(request: Request) -> sessions.Person | Response:
    """Who asks, where they look after the node; else the page that says so."""
    if request.method == "POST" and not sessions.is_own_form(request):
        return await render.error(request, 403)
    person = await sessions.person(request)
    if person is None:
        return accounts.ask(request, status=401)
    return person if person.is_steward else await render.error(request, 404)


def page(request: Request, name: str, *, status: int = 200, **values: Any) -> Response:
    """The template `steward/{name}.html`, with what was just done."""
    return render.page(
        request,
        f"steward/{name}.html",
        status=status,
        private=True,
        own_style=state.of(request).assets.address("merchant.css"),
        done=request.query_params.get("fait", "")[:20],
        home=f"{render.prefix(request)}/gestion",
        **values,
    )
