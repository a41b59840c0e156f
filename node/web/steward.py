"""What a steward does: shops and their merchants, neighbours, and what waits or failed.

A link or a code is shown once, in answer to the very form that asked for it: only its hash is kept.
"""

import asyncio
import sqlite3
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from node import (
    accounts,
    digest,
    errors,
    hours_typed,
    joining,
    mail,
    roles,
    second_factor,
    setup,
    shops,
    territory,
)
from node.exchange import keys
from node.model import Account, Block, Report, Role, Shop
from node.settings import Settings
from node.store import accounts as account_rows
from node.store import (
    applications,
    blocks,
    deliveries,
    helpers,
    hidden,
    listings,
    mails,
    places,
    queues,
    reports,
)
from node.store import shops as shop_rows
from node.store.applications import Application
from node.translation import Translator
from node.uris import is_handle, slug
from node.web import accounts as accounts_web
from node.web import desk, forms, neighbouring, render, sessions, state

SHOWN_MOST = 500
FAILED_SHOWN = 20


# --- the dashboard -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Overview:
    """What the dashboard shows."""

    shops: tuple[tuple[Shop, str, int], ...]  # with the commune's name, and how many listings
    neighbours: tuple[neighbouring.Neighbour, ...]
    blocked: tuple[Block, ...]
    failed: tuple[queues.Failed, ...]
    post: mails.Standing
    asked: tuple[Application, ...]  # shops that wait to be opened
    want_code: tuple[tuple[str, str], ...]  # who waits for a code: account, address
    reports: tuple[Report, ...]
    numbers: digest.Numbers
    todo: tuple[setup.Task, ...]


def _overview(
    db: sqlite3.Connection, folder: Path, configured: Settings, now: datetime
) -> Overview:
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
        neighbours=neighbouring.find(db, waiting),
        blocked=tuple(blocks.find(db)),
        failed=tuple(queues.find_failed(db, FAILED_SHOWN)),
        post=mail.standing(db),
        asked=tuple(applications.waiting(db, SHOWN_MOST)),
        want_code=tuple(applications.who_asked(db, now - joining.ASKED_KEPT, FAILED_SHOWN)),
        reports=tuple(reports.find_open(db)[:FAILED_SHOWN]),
        numbers=digest.numbers(db, folder, now),
        todo=tuple(setup.tasks(db, configured, now)),
    )


async def home(request: Request) -> Response:
    """`/gestion`: four numbers, the shops, the neighbours, and what was given up."""
    person = await desk.steward(request)
    if isinstance(person, Response):
        return person
    site = state.of(request)
    found = await site.database.read(_overview, site.database.folder, site.settings, site.clock())
    say = render.speak(request)
    return desk.page(
        request,
        "home",
        overview=found,
        person=person,
        why=lambda error: neighbouring.why(error, say),
        size=lambda number: digest.size(number, say),
        mail_sent_by=site.settings.mail.host,
        mail_trouble=mail_trouble(found.post.error, say),
    )


def mail_trouble(error: str | None, say: Translator) -> str:
    """Why mail does not get through, in a sentence that says what to look at."""
    if error is None:
        return ""
    known = {
        "sign-in-refused": say("The mail server refuses the account or its password."),
        "sender-refused": say("The mail server refuses the sender’s address."),
        "not-supported": say("The mail server does not offer this kind of safe connection."),
        "certificate": say("The certificate of the mail server is not valid for its name."),
        "tls": say("No safe connection to the mail server: check port and security."),
        "no-password-file": say("The file of the mail password is missing or cannot be read."),
        "silent": say("The mail server does not answer."),
        "hung-up": say("The mail server hangs up."),
        "unreachable": say("The mail server cannot be reached."),
        "unsendable": say("A mail could not be written as mail."),
    }
    if error.startswith("recipient-"):
        return say("The mail server refuses an address: it may be mistyped.")
    if error.startswith("content-"):
        return say("The mail server refuses a mail for what it says or for too many of them.")
    return known.get(error, say("The mail server answered what was not expected."))


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
    person = await desk.steward(request)
    if isinstance(person, Response):
        return person
    site = state.of(request)
    if request.method != "POST":
        return desk.page(
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
        way_in = accounts_web.new_way_in()
        try:
            where = await site.database.write(
                _open_shop, site, person.account, typed, draft, made, way_in, site.clock()
            )
        except errors.NodeError as error:
            problems = forms.sentences(error, say)
        else:
            if typed.email:
                return handed_over(request, typed.email, way_in, f"/boutiques/{draft.handle}")
            return sessions.see_other(request, where)
    return desk.page(request, "add_shop", status=422, typed=typed, errors=problems)


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
    way_in: accounts_web.WayIn,
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
        shop = shops.get_open(db, draft.handle)
        _invite(db, site, account.id, typed.email, shop, Role.MERCHANT, way_in, now)
    return sent


async def shop(request: Request) -> Response:
    """`/gestion/boutiques/{shop}`: what it says, and who looks after it."""
    person = await desk.steward(request)
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
    helped = await site.database.read(helpers.until, shop.id, site.clock())
    suspended = await site.database.read(hidden.exists, shop.uri)
    return desk.page(
        request,
        "shop",
        status=422 if problems else 200,
        shop=shop,
        place=place,
        count=count,
        people=people,
        helped=helped is not None,
        suspended=suspended,
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
    person = await desk.steward(request)
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


async def invite(request: Request) -> Response:
    """`/gestion/boutiques/{shop}/inviter` and `/gestion/acces`: a link and a code to hand over."""
    person = await desk.steward(request)
    if isinstance(person, Response):
        return person
    site = state.of(request)
    handle = request.path_params.get("handle")
    say = render.speak(request)
    async with forms.read(request) as form:
        email, wanted = form.line("email", 320), form.line("role", 20)
    role = Role(wanted) if wanted in roles.DESK else Role.STEWARD
    way_in = accounts_web.new_way_in()
    try:
        by = person.account.id
        await site.database.write(_invite_to, site, by, email, role, handle, way_in, site.clock())
    except errors.NotFound:
        return await render.error(request, 404)
    except errors.Invalid as error:
        problems = forms.sentences(error, say)
        if handle is not None:
            return await _shop_page(request, email=email, problems=problems)
        return await _access_page(request, email=email, problems=problems)
    return handed_over(request, email, way_in, f"/boutiques/{handle}" if handle else "/acces")


def _invite_to(
    db: sqlite3.Connection,
    site: state.Site,
    by: str,
    email: str,
    role: Role,
    handle: str | None,
    way_in: accounts_web.WayIn,
    now: datetime,
) -> None:
    shop = shops.get_open(db, handle) if handle else None
    _invite(db, site, by, email, shop, Role.MERCHANT if shop else role, way_in, now)
    if shop is not None:  # its owners read who was let in, and by whom
        helpers.add_deed(db, shop.id, by, "inviter", now)


def _invite(
    db: sqlite3.Connection,
    site: state.Site,
    by: str,
    email: str,
    shop: Shop | None,
    role: Role,
    way_in: accounts_web.WayIn,
    now: datetime,
) -> None:
    known = account_rows.get_by_email(db, email.strip().lower()[:320])
    roles.check_may_let_in(db, by, known.id if known else None, now)
    account = accounts.invite(
        db,
        email,
        role,
        shop=shop.id if shop else None,
        territory=None if shop else site.settings.node.communes[0],
        account_id=str(uuid.uuid4()),
        token=way_in.token,
        now=now,
    )
    accounts.let_in(db, account, way_in.token, way_in.code, site.ring, now)
    applications.answered(db, account.id)


def handed_over(request: Request, email: str, way_in: accounts_web.WayIn, back: str) -> Response:
    """A link and a code, shown this once, for the steward to hand over."""
    origin = state.of(request).uris.origin
    return desk.page(
        request,
        "handed_over",
        email=email.lower(),
        link=f"{origin}/connexion/{way_in.token}",
        entrance=f"{origin}/connexion",
        code=f"{way_in.code[:3]} {way_in.code[3:]}",
        back=back,
    )


async def access(request: Request) -> Response:
    """`/gestion/acces`: who else works at the desk, and as what."""
    person = await desk.steward(request)
    if isinstance(person, Response):
        return person
    return await invite(request) if request.method == "POST" else await _access_page(request)


async def remove_access(request: Request) -> Response:
    """`/gestion/acces/retirer`: takes a role of the desk from somebody."""
    person = await desk.steward(request)
    if isinstance(person, Response):
        return person
    site = state.of(request)
    say = render.speak(request)
    async with forms.read(request) as form:
        account, _, role = form.line("which", 80).partition(" ")
    if role not in roles.DESK:
        return await render.error(request, 404)
    try:
        await site.database.write(roles.remove, account, Role(role), site.clock())
    except errors.Conflict:
        problem = {"": say("The site keeps a steward who can sign in: invite another one first")}
        return await _access_page(request, problems=problem)
    return sessions.see_other(request, "/gestion/acces?fait=retire")


async def _access_page(
    request: Request, *, email: str = "", problems: Mapping[str, str] | None = None
) -> Response:
    site = state.of(request)
    say = render.speak(request)
    return desk.page(
        request,
        "access",
        status=422 if problems else 200,
        people=await site.database.read(_people, site.clock()),
        role_names=role_names(say),
        email=email,
        errors=problems or {},
    )


def _people(db: sqlite3.Connection, now: datetime) -> list[tuple[Account, Role, bool]]:
    """Who works at the desk, as what, and whether with a second factor."""
    return [
        (account, role, second_factor.is_in_use(db, account.id))
        for role in roles.DESK
        for account in account_rows.find_with_role(db, role, now)
    ]


def role_names(say: Translator) -> list[tuple[str, str]]:
    """The roles of the desk, each with what it may do."""
    return [
        (Role.STEWARD, say("Steward: everything")),
        (Role.ASSOCIATION, say("Merchants’ association: opens shops and hands codes over")),
        (Role.AGENT, say("Helper of merchants: reads, and hands codes over")),
        (Role.AUDITOR, say("Auditor: reads everything, changes nothing")),
    ]
