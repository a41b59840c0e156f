"""`/ma-boutique/{shop}/mentions`: the owner completes the shop's legal notice."""

import sqlite3

from starlette.requests import Request
from starlette.responses import Response

from node import errors, imprints
from node.model import Imprint, Shop
from node.store import places
from node.translation import Translator
from node.web import forms, merchant, render, sessions, state


async def page(request: Request) -> Response:
    """The form, filled as far as the site knows, and what it brings."""
    desk = await merchant.desk_of(request, helped=False)
    if isinstance(desk, Response):
        return desk
    if not desk.owner:
        return await render.error(request, 404)
    site = state.of(request)
    problems: dict[str, str] = {}
    typed = await site.database.read(_begun, desk.shop)
    if request.method == "POST":
        async with forms.read(request) as form:
            typed = Imprint(
                trader=form.line("trader", imprints.LINE_MOST),
                form=form.line("form", imprints.LINE_MOST),
                register=form.line("register", imprints.LINE_MOST),
                vat=form.line("vat", imprints.LINE_MOST),
                email=form.line("email", imprints.LINE_MOST),
                mediator=form.line("mediator", imprints.LINE_MOST),
                authority=form.line("authority", imprints.LINE_MOST),
            )
        try:
            await site.database.write(imprints.save, desk.shop, typed)
            return sessions.see_other(
                request, f"/ma-boutique/{desk.shop.handle}/mentions?fait=change"
            )
        except errors.Invalid as error:
            problems = _sentences(error, render.speak(request))
    return merchant.page(
        request,
        "imprint",
        desk,
        status=422 if problems else 200,
        errors=problems,
        typed=typed,
    )


def _begun(db: sqlite3.Connection, shop: Shop) -> Imprint:
    place = places.get(db, shop.place) if shop.place else None
    return imprints.begun(db, shop, place.name if place else "")


def _sentences(error: errors.Invalid, say: Translator) -> dict[str, str]:
    too_long = say("This is too long, or holds unreadable characters")
    told = dict.fromkeys(error.fields, too_long)
    if "email" in told:
        told["email"] = say("This is no e-mail address such as claire@example.fr")
    return told
