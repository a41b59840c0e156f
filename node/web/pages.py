"""The few pages for people that addresses given out so far lead to: the node, a shop, a listing,
and signing in by a one-time link."""

import re
import secrets
import sqlite3
from http.cookies import CookieError, SimpleCookie
from importlib import resources
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from node import accounts, errors
from node.model import Account, Grant, Listing, Place, Shop
from node.store import accounts as account_rows
from node.store import listings, places, shops
from node.uris import slug
from node.web import activitypub, state

COOKIE_LASTS = int(accounts.SESSION_LASTS.total_seconds())


def render(
    request: Request, name: str, *, status: int = 200, private: bool = False, **values: Any
) -> Response:
    """A page as an answer; a private one is kept by nobody."""
    site = state.of(request)
    language = site.settings.node.languages[0]
    body = site.pages.render(
        name, language, node=site.settings.node, origin=site.uris.origin, **values
    )
    cache = "no-store" if private else "no-cache"
    return HTMLResponse(body, status, {"Cache-Control": cache, "Vary": "Accept"})


async def error(request: Request, status: int) -> Response:
    """A page that says what is wrong and where to go on."""
    return render(request, "error.html", status=status, code=status)


async def home(request: Request) -> Response:
    """`/`: the communes and their shops."""
    site = state.of(request)
    communes, found = await site.database.read(_home, site.settings.node.communes)
    return render(request, "home.html", communes=communes, shops=found)


def _home(
    db: sqlite3.Connection, place_ids: tuple[str, ...]
) -> tuple[list[Place], list[tuple[Shop, Place | None]]]:
    communes = [place for one in place_ids if (place := places.get(db, one))]
    own = sorted(shops.find(db, own=True), key=lambda shop: shop.name.casefold())
    return communes, [(shop, places.get(db, shop.place or "")) for shop in own]


async def shop(request: Request) -> Response:
    """`/@{shop}`: who they are and what they have."""
    site = state.of(request)
    handle = request.path_params["handle"]
    if activitypub.wants_activity(request, otherwise=False):
        return activitypub.redirect(site.uris.actor(handle))
    found, place, on_show = await site.database.read(_shop, handle)
    if found is None:
        return await error(request, 404)
    if found.closed is not None:
        return await error(request, 410)
    return render(request, "shop.html", shop=found, place=place, listings=on_show)


def _shop(db: sqlite3.Connection, handle: str) -> tuple[Shop | None, Place | None, list[Listing]]:
    found = shops.get_own(db, handle)
    if found is None:
        return None, None, []
    place = places.get(db, found.place) if found.place else None
    return found, place, listings.find_of_shop(db, found.id, 500)


async def listing(request: Request) -> Response:
    """`/@{shop}/{slug}-{8 hex}`; a slug that has changed since redirects."""
    site = state.of(request)
    handle, named = request.path_params["handle"], request.path_params["slug"]
    match = re.fullmatch(r"(.{0,80})-([0-9a-f]{8})", named)
    found, of, place = (
        await site.database.read(_listing, handle, match[2]) if match else (None, None, None)
    )
    if match is None or found is None or of is None:
        return await error(request, 404)
    if activitypub.wants_activity(request, otherwise=False):
        return activitypub.redirect(found.uri)
    if found.withdrawn is not None:
        return await error(request, 410)
    if match[1] != slug(found.name):
        return RedirectResponse(found.url, 301)
    return render(request, "listing.html", listing=found, shop=of, place=place)


def _listing(
    db: sqlite3.Connection, handle: str, prefix: str
) -> tuple[Listing | None, Shop | None, Place | None]:
    of = shops.get_own(db, handle)
    found = listings.get_of_shop(db, of.id, prefix) if of else None
    place = places.get(db, of.place) if of and of.place else None
    return found, of, place


async def static(request: Request) -> Response:
    """`/static/{name}`: files as they were written."""
    name = request.path_params["name"]
    if not re.fullmatch(r"[a-z0-9-]+\.css", name):
        return await error(request, 404)
    source = resources.files("node.web").joinpath("static", name)
    if not source.is_file():
        return await error(request, 404)
    return Response(
        source.read_bytes(), media_type="text/css", headers={"Cache-Control": "max-age=3600"}
    )


# --- signing in ----------------------------------------------------------------------------------


async def sign_in(request: Request) -> Response:
    """`/connexion/{token}`: shows who would be signed in; only the button does it.

    Mail programs open links before people do, so opening one must change nothing.
    """
    site = state.of(request)
    token = request.path_params["token"]
    if request.method == "POST":
        if not is_own_form(request):
            return await error(request, 403)
        session = secrets.token_urlsafe(32)
        try:
            await site.database.write(accounts.sign_in, token, session, site.clock())
        except errors.NotFound:
            return render(request, "sign_in.html", status=404, private=True, account=None)
        answer = RedirectResponse("/compte", 303, {"Cache-Control": "no-store"})
        answer.headers.append("Set-Cookie", _cookie(site, session, COOKIE_LASTS))
        return answer
    found = await site.database.read(account_rows.get_link, accounts.hash_of(token), site.clock())
    return render(
        request, "sign_in.html", status=200 if found else 404, private=True, account=found
    )


async def account(request: Request) -> Response:
    """`/compte`: who is signed in and what they may do; a POST ends the session."""
    site = state.of(request)
    session = _session(request, site)
    if request.method == "POST":
        if not is_own_form(request):
            return await error(request, 403)
        if session:
            await site.database.write(account_rows.remove_session, accounts.hash_of(session))
        answer = RedirectResponse("/", 303, {"Cache-Control": "no-store"})
        answer.headers.append("Set-Cookie", _cookie(site, "", 0))
        return answer
    found, grants = (
        await site.database.read(_account, accounts.hash_of(session), site)
        if session
        else (None, [])
    )
    if found is None:
        return render(request, "sign_in.html", status=401, private=True, account=None)
    return render(request, "account.html", private=True, account=found, grants=grants)


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
