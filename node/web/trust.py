"""The pages that say who runs the site, what it does with what, and how results are ordered.

They say what is so, out of the settings and the code's own constants, and nothing that is not.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from node import ranking as order
from node import search
from node.model import RingName
from node.web import render, state


async def legal(request: Request) -> Response:
    """`/mentions-legales`: who publishes the site."""
    return _page(request, "legal.html")


async def accessibility(request: Request) -> Response:
    """`/accessibilite`: the declaration, as it is today."""
    return _page(request, "accessibility.html")


async def privacy(request: Request) -> Response:
    """`/donnees-personnelles`: what is kept of whom."""
    return _page(request, "privacy.html")


async def ranking(request: Request) -> Response:
    """`/classement`: the order of results, in full (code de la consommation, D111-6)."""
    return _page(
        request,
        "ranking.html",
        page_size=search.PAGE,
        exact_up_to=search.EXACT_UP_TO,
        turn_near=order.TURN[RingName.COMMUNE],
        turn_far=order.TURN[RingName.FURTHER],
    )


async def credits(request: Request) -> Response:
    """`/credits`: whose data and software this stands on."""
    return _page(request, "credits.html")


def _page(request: Request, name: str, **values: Any) -> Response:
    site = state.of(request)
    return render.page(
        request,
        name,
        version=site.version,
        host=site.uris.authority,
        radius_km=site.settings.federation.radius_km,
        **values,
    )
