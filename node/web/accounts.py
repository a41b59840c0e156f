"""Signing in, by a one-time link or by address and code, and out."""

from starlette.requests import Request
from starlette.responses import Response

from node import accounts, errors
from node.store import accounts as account_rows
from node.web import forms, render, sessions, state


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
            await site.database.write(accounts.sign_in, token, session, site.clock())
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
        found = await site.database.write(
            accounts.enter_code,
            email,
            form.line("code", 40),
            site.ring,
            session,
            site.clock(),
        )
    if found is None:
        return ask(request, status=422, email=email, wrong=True)
    answer = sessions.see_other(request, "/compte")
    sessions.begin(request, answer, session)
    return answer


def ask(
    request: Request,
    *,
    status: int = 200,
    email: str = "",
    wrong: bool = False,
    link_used: bool = False,
) -> Response:
    """The page that asks for address and code, for whoever is not signed in."""
    say = render.speak(request)
    problems = (
        {"code": say("This address and this code do not go together, or the code has run out.")}
        if wrong
        else {}
    )
    return render.page(
        request,
        "sign_in.html",
        status=status,
        private=True,
        email=email,
        errors=problems,
        link_used=link_used,
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
        return ask(request, status=401)
    if not person.is_steward and len(person.shops) == 1:
        return sessions.see_other(request, f"/ma-boutique/{person.shops[0].handle}")
    if person.is_steward and not person.shops:
        return sessions.see_other(request, "/gestion")
    return render.page(request, "account.html", private=True, person=person)
