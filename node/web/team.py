"""`/ma-boutique/{shop}/equipe`: who looks after a shop, and whether the town hall may help."""

import sqlite3
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from node import errors, hours, mail, phrases, team
from node.model import Role
from node.store import helpers
from node.store.helpers import Deed
from node.translation import Translator
from node.web import forms, merchant, render, sessions, state

DEEDS_SHOWN = 30


async def page(request: Request) -> Response:
    """Owners only: adds, removes, agrees to help and takes that back."""
    desk = await merchant.desk_of(request)
    if isinstance(desk, Response):
        return desk
    if not desk.owner:
        return await render.error(request, 404)
    site = state.of(request)
    say = render.speak(request)
    email, role, problems = "", Role.SELLER.value, {}
    if request.method == "POST":
        async with forms.read(request) as form:
            deed, which = form.line("deed", 10), form.line("account", 40)
            email, role = form.line("email", 320), form.line("role", 20)
        try:
            done = await site.database.write(
                _do, site, desk, deed, which, email, role, say, site.clock()
            )
            return sessions.see_other(
                request, f"/ma-boutique/{desk.shop.handle}/equipe?fait={done}"
            )
        except errors.NodeError as error:
            problems = _sentences(error, say)
    now = site.clock()
    zone = hours.zone_of(desk.shop.place)
    people, until, deeds = await site.database.read(_told, desk, now)
    return merchant.page(
        request,
        "team",
        desk,
        status=422 if problems else 200,
        people=people,
        mine=desk.account.id,
        until=phrases.day(say, until.astimezone(zone)) if until else "",
        deeds=[
            (phrases.day(say, deed.at.astimezone(zone)), deed.email or "", _what(say, deed))
            for deed in deeds
        ],
        email=email,
        role=role,
        errors=problems,
    )


def _told(
    db: sqlite3.Connection, desk: merchant.Desk, now: datetime
) -> tuple[list[team.Member], datetime | None, list[Deed]]:
    return (
        team.members(db, desk.shop, now),
        helpers.until(db, desk.shop.id, now),
        helpers.deeds(db, desk.shop.id, DEEDS_SHOWN),
    )


def _do(
    db: sqlite3.Connection,
    site: state.Site,
    desk: merchant.Desk,
    deed: str,
    which: str,
    email: str,
    role: str,
    say: Translator,
    now: datetime,
) -> str:
    if deed == "agree":
        team.agree(db, desk.shop, desk.account, now)
        return "aide"
    if deed == "revoke":
        helpers.revoke(db, desk.shop.id)
        return "sansaide"
    if deed == "remove":
        team.remove(db, desk.shop, which, now)
        return "parti"
    if role not in tuple(Role):
        raise errors.Invalid("bad-role")
    account = team.add(db, desk.shop, email, Role(role), now)
    if site.settings.mail.host and account.email:
        name = " ".join(desk.shop.name.split())[:100]
        text = say(
            "You may look after {shop} on {site} now. Ask for a code with this address here:\n"
            "{url}\n"
        ).format(shop=name, site=site.settings.node.name, url=f"{site.uris.origin}/connexion")
        mail.queue(db, account.email, say("You look after {shop}").format(shop=name), text, now)
    return "equipe"


def _sentences(error: errors.NodeError, say: Translator) -> dict[str, str]:
    known = {
        "last-owner": ("", say("A shop keeps one owner at least")),
        "team-full": ("email", say("There are twenty people already: remove one first")),
        "bad-role": ("role", say("Choose owner or seller")),
    }
    if error.code in known:
        field, sentence = known[error.code]
        return {field: sentence}
    return forms.sentences(error, say)


def _what(say: Translator, deed: Deed) -> str:
    return {
        "ajouter": say("added a product"),
        "importer": say("imported a catalogue"),
        "rayon": say("changed the stock"),
        "retirer": say("withdrew a product"),
        "choix": say("changed the choices of a product"),
        "promotion": say("changed a promotion"),
        "horaires": say("changed the opening hours"),
        "confirmer": say("confirmed the shelf"),
        "effacer": say("erased a draft"),
        "inviter": say("let somebody in to the shop"),
        "code": say("had a sign-in code to hand over"),
        "actualites": say("wrote news or announced an event"),
    }.get(deed.what, say("changed a product"))
