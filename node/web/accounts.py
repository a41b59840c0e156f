"""Signing in, by a one-time link or by address and code, and out.

A code is sent by mail to whoever asks for one; where there is no mail, a steward hands it over.
"""

import secrets
import sqlite3
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from node import accounts, errors, joining, mail
from node.keyring import Keyring
from node.model import Account
from node.store import accounts as account_rows
from node.store import applications
from node.translation import Translator
from node.web import forms, render, sessions, state


@dataclass(frozen=True, slots=True)
class WayIn:
    """The secrets of a link and a code."""

    token: str
    code: str


def new_way_in() -> WayIn:
    """Fresh ones."""
    return WayIn(secrets.token_urlsafe(24), f"{secrets.randbelow(1_000_000):06d}")


def give_code(
    db: sqlite3.Connection,
    site: state.Site,
    email: str,
    way_in: WayIn,
    say: Translator,
    now: datetime,
) -> None:
    """Sends a code to an address that is known; nothing tells whether it is."""
    if not site.settings.mail.host:  # a steward sees who asks, and hands one over
        account = account_rows.get_by_email(db, email.strip().lower()[:320])
        joining.may_have_code(db, account, now)
        return
    account = joining.ask_code(db, email, way_in.token, way_in.code, site.ring, now)
    if account is None or account.email is None:
        return
    text = say(
        "Your code for {site}: {code}\nIt holds for a quarter of an hour.\n\nOr open this link "
        "within an hour:\n{link}\n\nIf you did not ask for it, do nothing.\n"
    ).format(
        site=site.settings.node.name,
        code=f"{way_in.code[:3]} {way_in.code[3:]}",
        link=f"{site.uris.origin}/connexion/{way_in.token}",
    )
    subject = say("Your sign-in code")
    mail.queue(db, account.email, subject, text, now, until=now + accounts.CODE_LASTS)


async def send_code(request: Request) -> Response:
    """`/connexion/code`: asks for a code. Every address gets the same answer."""
    site = state.of(request)
    if not sessions.is_own_form(request):
        return await render.error(request, 403)
    async with forms.read(request) as form:
        email = form.line("email", 320)
        asked_for = form.line("asked", 40)
    say = render.speak(request)
    if not accounts.is_address(email):
        problem = {"email": say("This is no e-mail address such as claire@example.fr")}
        return _ask(request, status=422, email=email, problems=problem, asked_for=asked_for)
    await site.database.write(give_code, site, email, new_way_in(), say, site.clock())
    return _ask(request, email=email, asked=True, asked_for=asked_for)


async def by_link(request: Request) -> Response:
    """`/connexion/{token}`: shows who would be signed in; only the button does it.

    Mail programs open links before people do, so opening one must change nothing.
    """
    site = state.of(request)
    token = request.path_params["token"]
    if request.method == "POST":
        if not sessions.is_own_form(request):
            return await render.error(request, 403)
        session = sessions.new_token()
        try:
            await site.database.write(_enter_by_link, token, session, site.clock())
        except errors.NotFound:
            return ask(request, status=404, link_used=True)
        answer = sessions.see_other(request, "/compte")
        sessions.begin(request, answer, session)
        return answer
    found = await site.database.read(account_rows.get_link, accounts.hash_of(token), site.clock())
    if found is None:
        return ask(request, status=404, link_used=True)
    return render.page(request, "sign_in_link.html", private=True, account=found)


async def by_code(request: Request) -> Response:
    """`/connexion`: address and code. Whatever does not fit gets the same answer."""
    site = state.of(request)
    if request.method != "POST":
        return ask(request)
    if not sessions.is_own_form(request):
        return await render.error(request, 403)
    async with forms.read(request) as form:
        session = sessions.new_token()
        email = form.line("email", 320)
        asked = form.line("asked", 40)
        found = await site.database.write(
            _enter_by_code, email, form.line("code", 40), asked, site.ring, session, site.clock()
        )
    if found is None:
        return ask(request, status=422, email=email, wrong=True, asked_for=asked)
    answer = sessions.see_other(request, "/compte")
    sessions.begin(request, answer, session)
    return answer


def _enter_by_link(db: sqlite3.Connection, token: str, session: str, now: datetime) -> None:
    joining.claim(db, accounts.sign_in(db, token, session, now).id, "")


def _enter_by_code(
    db: sqlite3.Connection,
    email: str,
    code: str,
    asked: str,
    ring: Keyring,
    session: str,
    now: datetime,
) -> Account | None:
    found = accounts.enter_code(db, email, code, ring, session, now)
    if found is not None:
        joining.claim(db, found.id, asked)
    return found


def ask(
    request: Request,
    *,
    status: int = 200,
    email: str = "",
    wrong: bool = False,
    link_used: bool = False,
    asked_for: str = "",
) -> Response:
    """The page that asks for address and code, for whoever is not signed in."""
    say = render.speak(request)
    problems = (
        {"code": say("This address and this code do not go together, or the code has run out.")}
        if wrong
        else {}
    )
    return _ask(
        request,
        status=status,
        email=email,
        problems=problems,
        link_used=link_used,
        asked_for=asked_for,
    )


def _ask(
    request: Request,
    *,
    status: int = 200,
    email: str = "",
    problems: dict[str, str] | None = None,
    link_used: bool = False,
    asked: bool = False,
    asked_for: str = "",
) -> Response:
    return render.page(
        request,
        "sign_in.html",
        status=status,
        private=True,
        email=email,
        errors=problems or {},
        link_used=link_used,
        asked=asked,
        asked_for=asked_for,
        by_mail=bool(state.of(request).settings.mail.host),
    )


async def account(request: Request) -> Response:
    """`/compte`: where somebody who is signed in can go; a POST ends the session."""
    site = state.of(request)
    if request.method == "POST":
        if not sessions.is_own_form(request):
            return await render.error(request, 403)
        token = sessions.session_token(request)
        if token:
            await site.database.write(account_rows.remove_session, accounts.hash_of(token))
        answer = sessions.see_other(request, "/")
        sessions.end(request, answer)
        return answer
    person = await sessions.person(request)
    if person is None:
        if await sessions.owes_second_factor(request):
            return sessions.see_other(request, "/connexion/second")
        return ask(request, status=401)
    if not person.desk_roles and len(person.shops) == 1:
        return sessions.see_other(request, f"/ma-boutique/{person.shops[0].handle}")
    if person.is_steward and person.account.email is None:
        return sessions.see_other(request, "/gestion/installation/1")  # the first day of a node
    if person.desk_roles and not person.shops:
        return sessions.see_other(request, "/gestion")
    if person.publishes and not person.is_steward and not person.shops:
        return sessions.see_other(request, "/gestion/actualites")
    asked_for = await site.database.read(applications.of_account, person.account.id)
    if asked_for is not None and asked_for.state != "approved" and not person.shops:
        return sessions.see_other(request, "/ouvrir-ma-boutique/suite")
    return render.page(request, "account.html", private=True, person=person)
