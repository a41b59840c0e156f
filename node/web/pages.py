"""Signing in by a one-time link, and out."""

import secrets
import sqlite3
from http.cookies import CookieError, SimpleCookie

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from node import accounts, errors
from node.model import Account, Grant, Shop
from node.store import accounts as account_rows
from node.store import shops
from node.web import render, state

COOKIE_LASTS = int(accounts.SESSION_LASTS.total_seconds())


async def sign_in(request: Request) -> Response:
    """`/connexion/{token}`: shows who would be signed in; only the button does it.

    Mail programs open links before people do, so opening one must change nothing.
    """
    site = state.of(request)
    token = request.path_params["token"]
    if request.method == "POST":
        if not is_own_form(request):
            return await render.error(request, 403)
        session = secrets.token_urlsafe(32)
        try:
            await site.database.write(accounts.sign_in, token, session, site.clock())
        except errors.NotFound:
            return render.page(request, "sign_in.html", status=404, private=True, account=None)
        answer = RedirectResponse(
            f"{render.prefix(request)}/compte", 303, {"Cache-Control": "no-store"}
        )
        answer.headers.append("Set-Cookie", _cookie(site, session, COOKIE_LASTS))
        return answer
    found = await site.database.read(account_rows.get_link, accounts.hash_of(token), site.clock())
    return render.page(
        request, "sign_in.html", status=200 if found else 404, private=True, account=found
    )


async def account(request: Request) -> Response:
    """`/compte`: who is signed in and what they may do; a POST ends the session."""
    site = state.of(request)
    session = _session(request, site)
    if request.method == "POST":
        if not is_own_form(request):
            return await render.error(request, 403)
        if session:
            await site.database.write(account_rows.remove_session, accounts.hash_of(session))
        answer = RedirectResponse(f"{render.prefix(request)}/", 303, {"Cache-Control": "no-store"})
        answer.headers.append("Set-Cookie", _cookie(site, "", 0))
        return answer
    found, grants = (
        await site.database.read(_account, accounts.hash_of(session), site)
        if session
        else (None, [])
    )
    if found is None:
        return render.page(request, "sign_in.html", status=401, private=True, account=None)
    return render.page(request, "account.html", private=True, account=found, grants=grants)


def _account(
    db: sqlite3.Connection, token_hash: bytes, site: state.Site
) -> tuple[Account | None, list[tuple[Grant, Shop | None]]]:
    found = account_rows.get_session(db, token_hash, site.clock())
    if found is None:
        return None, []
    grants = account_rows.find_grants(db, found.id, site.clock())
    return found, [(grant, shops.get(db, grant.shop) if grant.shop else None) for grant in grants]


def is_own_form(request: Request) -> bool:
    """Whether a change was asked for by a page of this node, as the browser itself says."""
    fetch_site = request.headers.get("sec-fetch-site")
    if fetch_site is not None:
        return fetch_site == "same-origin"
    return request.headers.get("origin") == state.of(request).uris.origin


def _cookie_name(site: state.Site) -> str:
    """Cookies know no ports: two nodes on one host must not sign each other out."""
    name = f"echoppe-{accounts.hash_of(site.uris.origin).hex()[:6]}"
    return f"__Host-{name}" if site.uris.scheme == "https" else name


def _cookie(site: state.Site, value: str, seconds: int) -> str:
    secure = "; Secure" if site.uris.scheme == "https" else ""
    return (
        f"{_cookie_name(site)}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
    )


def _session(request: Request, site: state.Site) -> str | None:
    try:
        cookies = SimpleCookie(request.headers.get("cookie", "")[:4096])
    except CookieError:
        return None
    morsel = cookies.get(_cookie_name(site))
    return morsel.value if morsel is not None and morsel.value else None
