"""A steward's answers to those who ask: a shop to be opened, or a code to be handed over."""

import asyncio
import sqlite3
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from node import accounts, errors, joining, roles, shops, siret
from node.exchange import keys
from node.store import accounts as account_rows
from node.store import applications, deeds, drafts, helpers, places
from node.translation import Translator
from node.web import accounts as accounts_web
from node.web import desk, forms, render, sessions, state, steward
from node.web import joining as joining_web


async def page(request: Request) -> Response:
    """`/gestion/demandes/{id}`: all that was said; opened, sent back, or refused with a reason."""
    person = await desk.steward(request)
    if isinstance(person, Response):
        return person
    site = state.of(request)
    say = render.speak(request)
    application_id = request.path_params["id"]
    found = await site.database.read(_found, application_id)
    if found is None:
        return await render.error(request, 404)
    if request.method == "POST" and found[0].account == person.account.id:
        return await render.error(request, 403)  # nobody answers their own request
    one, place, email, prepared = found
    handle, reason, deed = steward.handle_for(one.name), "", ""
    problems: dict[str, str] = {}
    if request.method == "POST":
        async with forms.read(request) as form:
            deed = form.line("deed", 10)
            handle = form.line("handle", 30).lower() or handle
            reason = form.text("correction" if deed == "correct" else "reason", 1000)
        try:
            if deed == "open":
                made = await asyncio.to_thread(keys.generate, site.ring, handle)
                by = person.account.id
                await site.database.write(
                    _open, site, by, application_id, handle, made, say, site.clock()
                )
                return sessions.see_other(request, f"/gestion/boutiques/{handle}?fait=ouverte")
            back = deed == "correct"
            await site.database.write(
                _decline, site, person.account.id, application_id, reason, back, say, site.clock()
            )
            return sessions.see_other(request, f"/gestion?fait={'renvoyee' if back else 'refusee'}")
        except errors.NotFound:
            return await render.error(request, 404)
        except errors.NodeError as error:
            field = "correction" if deed == "correct" else "reason"
            problems = (
                {field: say("Say why: who asked reads it")}
                if error.code == "no-reason"
                else forms.sentences(error, say)
            )
    return desk.page(
        request,
        "application",
        status=422 if problems else 200,
        one=one,
        place=place,
        email=email,
        siret=siret.written(one.siret),
        prepared=prepared,
        handle=handle,
        reason="" if deed == "correct" else reason,
        correction=reason if deed == "correct" else "",
        errors=problems,
    )


def _found(
    db: sqlite3.Connection, application_id: str
) -> tuple[applications.Application, str, str, int] | None:
    one = applications.get(db, application_id)
    if one is None or one.state != "sent":
        return None
    place, account = places.get(db, one.place), account_rows.get(db, one.account)
    email = account.email if account else None
    return one, place.name if place else "", email or "", len(drafts.find(db, one.shop))


def _open(
    db: sqlite3.Connection,
    site: state.Site,
    by: str,
    application_id: str,
    handle: str,
    made: shops.ActorKeys,
    say: Translator,
    now: datetime,
) -> None:
    joining.approve(db, site.uris, application_id, handle, made, now)
    deeds.add(db, by, "approve", handle, now)
    one = applications.get(db, application_id)
    if one is not None:
        joining_web.told(db, site, one, say, now)


def _decline(
    db: sqlite3.Connection,
    site: state.Site,
    by: str,
    application_id: str,
    reason: str,
    back: bool,
    say: Translator,
    now: datetime,
) -> None:
    """Sends it `back` to be corrected, or refuses it."""
    answered = joining.send_back if back else joining.refuse
    joining_web.told(db, site, answered(db, application_id, reason), say, now)
    deeds.add(db, by, "correction" if back else "refuse", application_id, now)


async def code(request: Request) -> Response:
    """`/gestion/codes`: a code for somebody who asked for one, to be handed over."""
    person = await desk.steward(request)
    if isinstance(person, Response):
        return person
    site = state.of(request)
    async with forms.read(request) as form:
        account_id = form.line("account", 40)
    way_in = accounts_web.new_way_in()
    by = person.account.id
    email = await site.database.write(_let_in, site, by, account_id, way_in, site.clock())
    if email is None:
        return await render.error(request, 404)
    return steward.handed_over(request, email, way_in, "")


def _let_in(
    db: sqlite3.Connection,
    site: state.Site,
    by: str,
    account_id: str,
    way_in: accounts_web.WayIn,
    now: datetime,
) -> str | None:
    waiting = dict(applications.who_asked(db, now - joining.ASKED_KEPT, steward.SHOWN_MOST))
    account = account_rows.get(db, account_id)
    if account is None or account_id not in waiting:
        return None
    roles.check_may_let_in(db, by, account_id, now)
    accounts.let_in(db, account, way_in.token, way_in.code, site.ring, now)
    applications.answered(db, account_id)
    # Who holds the code gets in: the shops that it opens read who had it.
    for grant in account_rows.find_grants(db, account_id, now):
        if grant.shop is not None:
            helpers.add_deed(db, grant.shop, by, "code", now)
    return account.email
