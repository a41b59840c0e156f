"""Who is signed in: the cookie, the session behind it, and what its account may do."""

import secrets
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from http.cookies import CookieError, SimpleCookie

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from node import accounts, roles, second_factor
from node.model import Account, Grant, Role, Shop
from node.store import accounts as account_rows
from node.store import shops
from node.web import render, state

COOKIE_LASTS = int(accounts.SESSION_LASTS.total_seconds())


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in, with what they hold now."""

    account: Account
    grants: tuple[tuple[Grant, Shop | None], ...]

    @property
    def is_steward(self) -> bool:
        """Whether they look after the node."""
        return any(grant.role is Role.STEWARD for grant, _ in self.grants)

    @property
    def publishes(self) -> bool:
        """Whether they may publish news and events in the commune's name."""
        return any(grant.role is Role.PUBLISHER for grant, _ in self.grants)

    @property
    def shops(self) -> tuple[Shop, ...]:
        """The open shops they look after."""
        return tuple(
            shop
            for grant, shop in self.grants
            if grant.role in (Role.MERCHANT, Role.SELLER)
            and shop is not None
            and shop.closed is None
        )

    def owns(self, shop: Shop) -> bool:
        """Whether a shop is theirs, people and all."""
        return any(
            grant.role is Role.MERCHANT and grant.shop == shop.id for grant, _ in self.grants
        )

    @property
    def desk_roles(self) -> frozenset[Role]:
        """What they are at the desk."""
        return frozenset(grant.role for grant, _ in self.grants if grant.role in roles.DESK)

    @property
    def may_help(self) -> bool:
        """Whether they may act for a merchant who lets a helper in."""
        return bool(self.desk_roles & {Role.STEWARD, Role.AGENT})


async def person(request: Request) -> Person | None:
    """Who asks; None for nobody known."""
    site = state.of(request)
    token = session_token(request)
    if token is None:
        return None
    return await site.database.read(_person, accounts.hash_of(token), site.clock())


def _person(db: sqlite3.Connection, token_hash: bytes, now: datetime) -> Person | None:
    found = account_rows.get_session(db, token_hash, now)
    if found is None or second_factor.is_missing(db, found.id, token_hash):
        return None
    return Person(
        found,
        tuple(
            (grant, shops.get(db, grant.shop) if grant.shop else None)
            for grant in account_rows.find_grants(db, found.id, now)
        ),
    )


async def owes_second_factor(request: Request) -> Account | None:
    """Whose session this is, where it opens nothing until the second factor is given."""
    token = session_token(request)
    if token is None:
        return None
    site = state.of(request)
    return await site.database.read(_owes, accounts.hash_of(token), site.clock())


def _owes(db: sqlite3.Connection, token_hash: bytes, now: datetime) -> Account | None:
    found = account_rows.get_session(db, token_hash, now)
    if found is None or not second_factor.is_missing(db, found.id, token_hash):
        return None
    return found


def new_token() -> str:
    """A fresh secret for a session."""
    return secrets.token_urlsafe(32)


def is_own_form(request: Request) -> bool:
    """Whether a change was asked for by a page of this node, as the browser itself says."""
    fetch_site = request.headers.get("sec-fetch-site")
    if fetch_site is not None:
        return fetch_site == "same-origin"
    return request.headers.get("origin") == state.of(request).uris.origin


def see_other(request: Request, path: str) -> RedirectResponse:
    """To a page of this node, after something was done: asking again does it no second time."""
    return RedirectResponse(f"{render.prefix(request)}{path}", 303, {"Cache-Control": "no-store"})


def begin(request: Request, answer: Response, token: str) -> None:
    """Lets the browser keep a session."""
    answer.headers.append("Set-Cookie", _cookie(state.of(request), token, COOKIE_LASTS))


def end(request: Request, answer: Response) -> None:
    """Lets the browser forget its session."""
    answer.headers.append("Set-Cookie", _cookie(state.of(request), "", 0))


def _cookie_name(site: state.Site) -> str:
    """Cookies know no ports: two nodes on one host must not sign each other out."""
    name = f"echoppe-{accounts.hash_of(site.uris.origin).hex()[:6]}"
    return f"__Host-{name}" if site.uris.scheme == "https" else name


def _cookie(site: state.Site, value: str, seconds: int) -> str:
    secure = "; Secure" if site.uris.scheme == "https" else ""
    return (
        f"{_cookie_name(site)}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
    )


def session_token(request: Request) -> str | None:
    """The secret of the session that the browser holds."""
    try:
        cookies = SimpleCookie(request.headers.get("cookie", "")[:4096])
    except CookieError:
        return None
    morsel = cookies.get(_cookie_name(state.of(request)))
    return morsel.value if morsel is not None and morsel.value else None
