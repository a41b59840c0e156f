"""The second factor on pages: given when signing in, set up and taken away on one's own account."""

import sqlite3
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from node import accounts, errors, qr, second_factor
from node.keyring import Keyring
from node.store import second_factors
from node.web import accounts as accounts_web
from node.web import forms, render, sessions, state

CODE_MOST = 40


async def give(request: Request) -> Response:
    """`/connexion/second`: the code of now, or a recovery code; then the session opens."""
    site = state.of(request)
    if request.method == "POST" and not sessions.is_own_form(request):
        return await render.error(request, 403)
    account = await sessions.owes_second_factor(request)
    token = sessions.session_token(request)
    if account is None or token is None:
        return sessions.see_other(request, "/compte")
    if request.method != "POST":
        return render.page(request, "second_factor/give.html", private=True, errors={})
    async with forms.read(request) as form:
        code = form.line("code", CODE_MOST)
    right = await site.database.write(
        second_factor.check, site.ring, account.id, code, accounts.hash_of(token), site.clock()
    )
    if right:
        return sessions.see_other(request, "/compte")
    say = render.speak(request)
    problem = {
        "code": say(
            "This code does not hold, or was used already. After ten wrong ones, wait an hour."
        )
    }
    return render.page(request, "second_factor/give.html", status=422, private=True, errors=problem)


async def manage(request: Request) -> Response:
    """`/compte/second-facteur`: sets it up, shows recovery codes once, or takes it away."""
    site = state.of(request)
    if request.method == "POST" and not sessions.is_own_form(request):
        return await render.error(request, 403)
    person = await sessions.person(request)
    token = sessions.session_token(request)
    if person is None or token is None:
        if await sessions.owes_second_factor(request):
            return sessions.see_other(request, "/connexion/second")
        return accounts_web.ask(request, status=401)
    account, session = person.account, accounts.hash_of(token)
    say = render.speak(request)
    if request.method != "POST":
        in_use, left = await site.database.read(_stands, account.id)
        return _page(request, in_use=in_use, left=left)
    async with forms.read(request) as form:
        deed, code = form.line("deed", 10), form.line("code", CODE_MOST)
    if deed == "remove":
        if await site.database.write(_remove, site.ring, account.id, code, session, site.clock()):
            return sessions.see_other(request, "/compte/second-facteur?fait=retire")
        return _page(
            request, in_use=True, problem=say("This code does not hold, or was used already.")
        )
    try:
        secret = await site.database.write(
            second_factor.begin, site.ring, account.id, second_factor.new_secret(), site.clock()
        )
    except errors.Conflict:
        return sessions.see_other(request, "/compte/second-facteur")
    problem = ""
    if deed == "confirm":
        recovery = second_factor.new_recovery_codes()
        if await site.database.write(
            second_factor.confirm, site.ring, account.id, code, session, recovery, site.clock()
        ):
            return _page(request, in_use=True, recovery=recovery)
        problem = say("This is not the code of now: look again, and check the telephone’s clock.")
    who = account.email or say("the first steward")
    link = second_factor.link(secret, site.settings.node.name, who)
    return _page(
        request,
        secret=second_factor.base32(secret),
        link=link,
        drawn=qr.path(link) if len(link) <= qr.TEXT_MOST else "",
        problem=problem,
    )


def _stands(db: sqlite3.Connection, account: str) -> tuple[bool, int]:
    return second_factor.is_in_use(db, account), second_factors.count_recovery(db, account)


def _remove(
    db: sqlite3.Connection, ring: Keyring, account: str, code: str,
    session: bytes, now: datetime,
) -> bool:  # fmt: skip
    """Takes it away from whoever can still give a code: an open session alone is not enough."""
    if not second_factor.check(db, ring, account, code, session, now):
        return False
    return second_factors.remove(db, account)


def _page(
    request: Request,
    *,
    in_use: bool = False,
    left: int | None = None,
    secret: str = "",
    link: str = "",
    drawn: str = "",
    recovery: tuple[str, ...] = (),
    problem: str = "",
) -> Response:
    return render.page(
        request,
        "second_factor/manage.html",
        status=422 if problem else 200,
        private=True,
        own_style=state.of(request).assets.address("merchant.css"),
        in_use=in_use,
        left=left,
        secret=secret,
        link=link,
        drawn=drawn,
        size=qr.SIZE,
        recovery=recovery,
        removed=request.query_params.get("fait") == "retire",
        errors={"code": problem} if problem else {},
    )
