"""What a steward does: shops and their merchants, neighbours, and what waits or failed.

A link or a code is shown once, in answer to the very form that asked for it: only its hash is kept.
"""

import asyncio
import secrets
import sqlite3
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from node import accounts, errors, hours_typed, moderation, neighbours, shops, territory
from node.exchange import choosing, keys
from node.model import Account, Block, Peer, Role, Shop
from node.store import accounts as account_rows
from node.store import blocks, deliveries, listings, peers, places, received
from node.store import shops as shop_rows
from node.translation import Translator
from node.uris import Uris, is_handle, slug
from node.web import accounts as account_pages
from node.web import forms, render, sessions, state

SHOWN_MOST = 500
FAILED_SHOWN = 20


async def _steward(request: Request) -> sessions.Person | Response:
    """Who asks, where they look after the node; else the page that says so."""
    if request.method == "POST" and not sessions.is_own_form(request):
        return await render.error(request, 403)
    person = await sessions.person(request)
    if person is None:
        return account_pages.ask(request, status=401)
    return person if person.is_steward else await render.error(request, 404)


def _page(request: Request, name: str, *, status: int = 200, **values: Any) -> Response:
    return render.page(
        request,
        f"steward/{name}.html",
        status=status,
        private=True,
        done=request.query_params.get("fait", "")[:20],
        home=f"{render.prefix(request)}/gestion",
        **values,
    )


# --- the dashboard -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another node as the steward sees it."""

    peer: Peer
    state: str  # as node/neighbours.py: state
    waiting: int
    trouble: str | None
    set_aside: int


@dataclass(frozen=True, slots=True)
class Overview:
    """What the dashboard shows."""

    shops: tuple[tuple[Shop, str, int], ...]  # with the commune's name, and how many listings
    neighbours: tuple[Neighbour, ...]
    blocked: tuple[Block, ...]
    failed: tuple[deliveries.Failed, ...]
    waiting: int

    @property
    def listings(self) -> int:
        """How many listings are on show."""
        return sum(count for _, _, count in self.shops)

    @property
    def requests(self) -> int:
        """How many nodes ask to be neighbours."""
        return sum(one.state == "asks" for one in self.neighbours)

    @property
    def agreed(self) -> int:
        """How many neighbours there are."""
        return sum(one.state == "agreed" for one in self.neighbours)


def _overview(db: sqlite3.Connection) -> Overview:
    own = sorted(
        shop_rows.find(db, own=True, limit=SHOWN_MOST), key=lambda shop: shop.name.casefold()
    )
    named = [
        (shop, place.name if shop.place and (place := places.get(db, shop.place)) else "")
        for shop in own
    ]
    waiting = deliveries.count_by_host(db)
    return Overview(
        shops=tuple((shop, place, listings.count_of_shop(db, shop.id)) for shop, place in named),
        neighbours=_neighbours(db, waiting),
        blocked=tuple(blocks.find(db)),
        failed=tuple(deliveries.find_failed(db, FAILED_SHOWN)),
        waiting=sum(count for count, _ in waiting.values()),
    )


def _neighbours(
    db: sqlite3.Connection, waiting: Mapping[str, tuple[int, str | None]]
) -> tuple[Neighbour, ...]:
    set_aside = received.count_dead_by_host(db)
    return tuple(
        Neighbour(
            peer,
            neighbours.state(peer),
            *waiting.get(peer.host, (0, None)),
            set_aside.get(peer.host, (0, ""))[0],
        )
        for peer in peers.find(db)
        if peer.blocked is None  # those are told of as blocked domains
    )


async def home(request: Request) -> Response:
    """`/gestion`: four numbers, the shops, the neighbours, and what was given up."""
    person = await _steward(request)
    if isinstance(person, Response):
        return person
    found = await state.of(request).database.read(_overview)
    say = render.speak(request)
    return _page(request, "home", overview=found, person=person, why=lambda error: why(error, say))


def why(error: str | None, say: Translator) -> str:
    """What went wrong with another node, in words for people. The details are in the log."""
    code = (error or "").partition(":")[0].strip()
    groups = (
        (
            ("connect-timeout", "timeout", "connection-lost", "name-timeout"),
            say("The other site does not answer. It will be tried again."),
        ),
        (("name-not-resolved",), say("The other site’s name leads nowhere.")),
        (("tls-failed",), say("The other site’s certificate is not valid.")),
        (
            ("server-error", "busy", "not-now", "bad-http"),
            say("The other site has a fault. It will be tried again."),
        ),
        (("gone", "not-found", "inbox-gone"), say("There is nobody at this address any more.")),
        (
            ("address-refused", "host-refused", "port-refused", "scheme-refused"),
            say("The other site’s address is one that may not be dialled."),
        ),
        (("refused", "redirected", "status-refused"), say("The other site refused the message.")),
    )
    for codes, sentence in groups:
        if code in codes:
            return sentence
    return say("Something unforeseen; the log says what.") if error else ""


# --- shops ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ShopTyped:
    """What stands in the fields of a new shop."""

    form: str
    name: str = ""
    handle: str = ""
    commune: str = ""
    address: str = ""
    phone: str = ""
    summary: str = ""
    hours: str = ""
    email: str = ""


async def add_shop(request: Request) -> Response:
    """`/gestion/boutiques/ajouter`."""
    person = await _steward(request)
    if isinstance(person, Response):
        return person
    site = state.of(request)
    if request.method != "POST":
        return _page(
            request,
            "add_shop",
            typed=ShopTyped(forms.new_id(), commune=territory.label(site.commune)),
            errors={},
        )
    async with forms.read(request) as form:
        typed = ShopTyped(
            form=form.line("form", 40),
            name=form.line("name", 100),
            handle=form.line("handle", 30).lower(),
            commune=form.line("commune", 100),
            address=form.line("address"),
            phone=form.line("phone", 30),
            summary=form.line("summary", 500),
            hours=form.text("hours", hours_typed.TEXT_MOST),
            email=form.line("email", 320),
        )
    say = render.speak(request)
    draft, problems = await site.database.read(_shop_draft, typed, say)
    if draft is not None and not problems:
        made = await asyncio.to_thread(keys.generate, site.ring, draft.handle)
        way_in = new_way_in()
        try:
            where = await site.database.write(
                _open_shop, site, person.account, typed, draft, made, way_in, site.clock()
            )
        except errors.NodeError as error:
            problems = forms.sentences(error, say)
        else:
            if typed.email:
                return _handed_over(request, typed.email, way_in, f"/boutiques/{draft.handle}")
            return sessions.see_other(request, where)
    return _page(request, "add_shop", status=422, typed=typed, errors=problems)


def _shop_draft(
    db: sqlite3.Connection, typed: ShopTyped, say: Translator
) -> tuple[shops.ShopDraft | None, dict[str, str]]:
    problems: dict[str, str] = {}
    meant = territory.understand(db, typed.commune, say)
    if meant.place is None:
        problems["commune"] = meant.sentence or say("This place is not known")
        if meant.choices:
            named = ", ".join(choice.label for choice in meant.choices[:8])
            problems["commune"] += f" {named}"
    hours = None
    if typed.hours:
        try:
            hours = hours_typed.parse(typed.hours)
        except errors.Invalid:
            problems["hours"] = say("The hours could not be read. Write them as in the example.")
    if typed.email and not accounts.is_address(typed.email):
        problems["email"] = say("This is no e-mail address such as claire@example.fr")
    if meant.place is None:
        return None, problems
    draft = shops.ShopDraft(
        handle=typed.handle or handle_for(typed.name),
        name=typed.name,
        place=meant.place,
        summary=typed.summary or None,
        address=typed.address or None,
        phone=typed.phone or None,
        hours=hours,
    )
    try:
        shops.check(draft)
    except errors.Invalid as error:
        problems = {**forms.sentences(error, say), **problems}
    return draft, problems


def handle_for(name: str) -> str:
    """A short name made from a shop's name: "Fleurs de Lys" is fleurs_de_lys."""
    made = slug(name).replace("-", "_")[:30].strip("_")
    return made if is_handle(made) else "boutique"


def _open_shop(
    db: sqlite3.Connection,
    site: state.Site,
    account: Account,
    typed: ShopTyped,
    draft: shops.ShopDraft,
    made: shops.ActorKeys,
    way_in: "WayIn",
    now: datetime,
) -> str:
    """Opens a shop, once for each form, and lets its merchant in."""
    sent = account_rows.get_sent(db, account.id, typed.form) if typed.form else None
    if sent is None:
        shop = shops.open_shop(db, site.uris, draft, made, str(uuid.uuid4()), now)
        sent = f"/gestion/boutiques/{shop.handle}?fait=ouverte"
        if typed.form:
            account_rows.add_sent(db, account.id, typed.form, sent, now)
    if typed.email:
        _invite(db, site, typed.email, shops.get_open(db, draft.handle), way_in, now)
    return sent


async def shop(request: Request) -> Response:
    """`/gestion/boutiques/{shop}`: what it says, and who looks after it."""
    person = await _steward(request)
    if isinstance(person, Response):
        return person
    return await _shop_page(request)


async def _shop_page(
    request: Request, *, email: str = "", problems: Mapping[str, str] | None = None
) -> Response:
    site = state.of(request)
    found = await site.database.read(_shop, request.path_params["handle"], site.clock())
    if found is None:
        return await render.error(request, 404)
    shop, place, count, people = found
    return _page(
        request,
        "shop",
        status=422 if problems else 200,
        shop=shop,
        place=place,
        count=count,
        people=people,
        email=email,
        errors=problems or {},
    )


def _shop(
    db: sqlite3.Connection, handle: str, now: datetime
) -> tuple[Shop, str, int, list[Account]] | None:
    found = shop_rows.get_own(db, handle)
    if found is None:
        return None
    place = places.get(db, found.place) if found.place else None
    return (
        found,
        place.name if place else "",
        listings.count_of_shop(db, found.id),
        account_rows.find_of_shop(db, found.id, now),
    )


async def close_shop(request: Request) -> Response:
    """`/gestion/boutiques/{shop}/fermer`: for good, where the box is ticked."""
    person = await _steward(request)
    if isinstance(person, Response):
        return person
    site = state.of(request)
    async with forms.read(request) as form:
        sure = form.is_set("sure")
    if not sure:
        say = render.speak(request)
        return await _shop_page(request, problems={"sure": say("Tick the box to close the shop")})
    try:
        await site.database.write(shops.close_shop, request.path_params["handle"], site.clock())
    except errors.NotFound:
        return await render.error(request, 404)
    return sessions.see_other(request, "/gestion?fait=fermee")


# --- letting people in ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WayIn:
    """The secrets of a link and a code."""

    token: str
    code: str


def new_way_in() -> WayIn:
    """Fresh ones."""
    return WayIn(secrets.token_urlsafe(24), f"{secrets.randbelow(1_000_000):06d}")


async def invite(request: Request) -> Response:
    """`/gestion/boutiques/{shop}/inviter` and `/gestion/acces`: a link and a code to hand over."""
    person = await _steward(request)
    if isinstance(person, Response):
        return person
    site = state.of(request)
    handle = request.path_params.get("handle")
    say = render.speak(request)
    async with forms.read(request) as form:
        email = form.line("email", 320)
    way_in = new_way_in()
    try:
        await site.database.write(_invite_to, site, email, handle, way_in, site.clock())
    except errors.NotFound:
        return await render.error(request, 404)
    except errors.Invalid as error:
        problems = forms.sentences(error, say)
        if handle is not None:
            return await _shop_page(request, email=email, problems=problems)
        return await _access_page(request, email=email, problems=problems)
    return _handed_over(request, email, way_in, f"/boutiques/{handle}" if handle else "/acces")


def _invite_to(
    db: sqlite3.Connection,
    site: state.Site,
    email: str,
    handle: str | None,
    way_in: WayIn,
    now: datetime,
) -> None:
    _invite(db, site, email, shops.get_open(db, handle) if handle else None, way_in, now)


def _invite(
    db: sqlite3.Connection,
    site: state.Site,
    email: str,
    shop: Shop | None,
    way_in: WayIn,
    now: datetime,
) -> None:
    account = accounts.invite(
        db,
        email,
        Role.MERCHANT if shop else Role.STEWARD,
        shop=shop.id if shop else None,
        territory=None if shop else site.settings.node.communes[0],
        account_id=str(uuid.uuid4()),
        token=way_in.token,
        now=now,
    )
    accounts.let_in(db, account, way_in.token, way_in.code, site.ring, now)


def _handed_over(request: Request, email: str, way_in: WayIn, back: str) -> Response:
    origin = state.of(request).uris.origin
    return _page(
        request,
        "handed_over",
        email=email.lower(),
        link=f"{origin}/connexion/{way_in.token}",
        entrance=f"{origin}/connexion",
        code=f"{way_in.code[:3]} {way_in.code[3:]}",
        back=back,
    )


async def access(request: Request) -> Response:
    """`/gestion/acces`: who else looks after the node."""
    person = await _steward(request)
    if isinstance(person, Response):
        return person
    return await invite(request) if request.method == "POST" else await _access_page(request)


async def _access_page(
    request: Request, *, email: str = "", problems: Mapping[str, str] | None = None
) -> Response:
    site = state.of(request)
    people = await site.database.read(account_rows.find_with_role, Role.STEWARD, site.clock())
    return _page(
        request,
        "access",
        status=422 if problems else 200,
        people=people,
        email=email,
        errors=problems or {},
    )


# --- neighbours ----------------------------------------------------------------------------------


async def add_neighbour(request: Request) -> Response:
    """`/gestion/voisins/ajouter`: by its address."""
    person = await _steward(request)
    if isinstance(person, Response):
        return person
    if request.method != "POST":
        return _page(request, "add_neighbour", url="", errors={})
    site = state.of(request)
    async with forms.read(request) as form:
        url = form.line("url", 300)
    typed = url if "://" in url else f"{site.uris.scheme}://{url}"
    try:
        found = await choosing.look_up(
            site.http, site.uris, typed, site.settings.federation.private_peers
        )
        await site.database.write(
            choosing.choose, site.uris, found, str(uuid.uuid4()), site.clock()
        )
    except (errors.Invalid, errors.Conflict) as error:
        problems = forms.sentences(error, render.speak(request))
        if "url" not in problems:
            problems = {"url": " ".join(problems.values())}
        return _page(request, "add_neighbour", status=422, url=url, errors=problems)
    return sessions.see_other(request, f"/gestion/voisins/{found.host}?fait=demande")


async def neighbour(request: Request) -> Response:
    """`/gestion/voisins/{host}`: how it stands with a node, and what can be done."""
    person = await _steward(request)
    if isinstance(person, Response):
        return person
    site = state.of(request)
    host = request.path_params["host"]
    say = render.speak(request)
    if request.method == "POST":
        async with forms.read(request) as form:
            deed, sure = form.line("deed", 20), form.is_set("sure")
        if deed in ("remove", "block") and not sure:
            problems = {"sure": say("Tick the box: the shops of this site leave yours")}
            return await _neighbour_page(request, host, problems)
        try:
            done = await site.database.write(
                _deal, site.uris, host, deed, str(uuid.uuid4()), site.clock()
            )
        except errors.NodeError:
            return await render.error(request, 404)
        return sessions.see_other(request, done)
    return await _neighbour_page(request, host, {})


def _deal(
    db: sqlite3.Connection, uris: Uris, host: str, deed: str, token: str, now: datetime
) -> str:
    """Does what was chosen; says where to go on."""
    here = f"/gestion/voisins/{host}"
    if deed == "unblock":
        if not moderation.unblock(db, host):
            raise errors.NotFound("not-blocked")
        return "/gestion?fait=debloque"
    choosing.get(db, host)
    if deed == "accept":
        choosing.accept(db, uris, host, token, now)
        return f"{here}?fait=accepte"
    if deed == "ask":
        choosing.ask_again(db, uris, host, token, now)
        return f"{here}?fait=demande"
    if deed == "block":
        moderation.block(db, host, "", now)
        return "/gestion?fait=bloque"
    if deed == "suspend":
        moderation.suspend(db, host, "", now)
        return f"{here}?fait=suspendu"
    if deed == "restore":
        moderation.restore(db, host, now)
        return f"{here}?fait=retabli"
    if deed == "remove":
        choosing.remove(db, uris, host, token, now)
        return "/gestion?fait=quitte"
    raise errors.NotFound("unknown-deed")


async def _neighbour_page(request: Request, host: str, problems: Mapping[str, str]) -> Response:
    site = state.of(request)
    found = await site.database.read(_neighbour, host)
    if found is None:
        return await render.error(request, 404)
    say = render.speak(request)
    return _page(
        request,
        "neighbour",
        status=422 if problems else 200,
        one=found,
        errors=problems,
        why=lambda error: why(error, say),
    )


def _neighbour(db: sqlite3.Connection, host: str) -> Neighbour | None:
    waiting = deliveries.count_by_host(db)
    return next((one for one in _neighbours(db, waiting) if one.peer.host == host), None)
