"""Opening a shop in four short steps, and waiting for it to be approved.

1 the shop, 2 how to reach who looks after it, with a code, 3 its hours, 4 read and sent. The first
two are for everybody; from the code on it is somebody signed in.
"""

import dataclasses
import sqlite3
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from node import errors, hours_said, hours_typed, joining, mail, prices, rules, siret, territory
from node.model import Place, Role
from node.store import accounts as account_rows
from node.store import applications, drafts, places
from node.store import rules as consents
from node.store.applications import Application
from node.translation import Translator
from node.web import (
    accounts,
    forms,
    listing_form,
    own_hours,
    render,
    sessions,
    state,
    strangers,
)  # fmt: skip

PREPARED_MOST = 30
START = "/ouvrir-ma-boutique"
ANY_PLACE = "FR-33063"  # to look at the rest by, where the place is not understood


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the fields of the first two steps."""

    siret: str = ""
    name: str = ""
    commune: str = ""
    address: str = ""
    email: str = ""
    phone: str = ""


def _page(request: Request, name: str, *, status: int = 200, **values: Any) -> Response:
    return render.page(
        request,
        f"join/{name}.html",
        status=status,
        private=True,
        own_style=state.of(request).assets.address("merchant.css"),
        start=f"{render.prefix(request)}{START}",
        done=request.query_params.get("fait", "")[:20],
        **values,
    )


def _typed_in(form: forms.Form) -> Typed:
    return Typed(
        siret=form.line("siret", 30),
        name=form.line("name", 100),
        commune=form.line("commune", 100),
        address=form.line("address"),
        email=form.line("email", 320),
        phone=form.line("phone", 30),
    )


# --- for everybody -------------------------------------------------------------------------------


async def start(request: Request) -> Response:
    """`/ouvrir-ma-boutique`: the shop; sent, it leads to the second step."""
    site = state.of(request)
    if site.settings.node.opening == "invitation":
        return _page(request, "invitation", status=200 if request.method != "POST" else 403)
    if request.method != "POST":
        typed = Typed(commune=territory.label(site.commune))
        return _page(request, "shop", typed=typed, errors={})
    if not sessions.is_own_form(request):
        return await render.error(request, 403)
    async with forms.read(request) as form:
        typed = _typed_in(form)
    say = render.speak(request)
    problems = await site.database.read(_problems, typed, say)
    if problems:
        return _page(request, "shop", status=422, typed=typed, errors=problems)
    return _page(request, "contact", typed=typed, errors={})


async def contact(request: Request) -> Response:
    """`/ouvrir-ma-boutique/contact`: writes it down, sends a code, and asks for that code."""
    site = state.of(request)
    if site.settings.node.opening == "invitation":
        return _page(request, "invitation", status=403)
    turned_away = await strangers.turn_away(request, "join")
    if turned_away is not None:
        return turned_away
    async with forms.read(request) as form:
        typed = _typed_in(form)
        trapped = form.is_set("website")  # a field that people do not see
    say = render.speak(request)
    problems = await site.database.read(_problems, typed, say)
    if problems:
        return _page(request, "shop", status=422, typed=typed, errors=problems)
    asked = ""
    if not trapped:
        way_in = accounts.new_way_in()
        try:
            asked = await site.database.write(_begin, site, typed, way_in, say, site.clock())
        except errors.TooMany as error:
            return await render.error(request, 429, retry_after=error.retry_after)
        except errors.NodeError as error:
            problems = _sentences(error, say)
            first = problems.keys() & {"siret", "name", "commune", "address"}
            return _page(
                request, "shop" if first else "contact", status=422, typed=typed, errors=problems
            )
    return _page(
        request,
        "code",
        typed=typed,
        asked=asked,
        errors={},
        by_mail=bool(site.settings.mail.host),
    )


def _problems(db: sqlite3.Connection, typed: Typed, say: Translator) -> dict[str, str]:
    """What is wrong with the first step."""
    place, problems = _place(db, typed, say)
    one = _application(typed, place.id if place else ANY_PLACE)
    for wanted in (joining.check_number, joining.check_shop):
        try:
            wanted(db, one)
        except errors.NodeError as error:
            problems = {**_sentences(error, say), **problems}
    problems.pop("phone", None)
    return problems


def _place(
    db: sqlite3.Connection, typed: Typed, say: Translator
) -> tuple[Place | None, dict[str, str]]:
    meant = territory.understand(db, typed.commune, say)
    if meant.place is not None:
        return meant.place, {}
    sentence = meant.sentence or say("This place is not known")
    if meant.choices:
        sentence += " " + ", ".join(choice.label for choice in meant.choices[:8])
    return None, {"commune": sentence}


def _application(typed: Typed, place: str) -> Application:
    return Application(
        id=str(uuid.uuid4()),
        account="",
        shop=str(uuid.uuid4()),
        siret=typed.siret,
        name=typed.name,
        place=place,
        address=typed.address,
        phone=typed.phone,
        hours=None,
        state="begun",
        reason="",
        created=datetime.min,
        sent=None,
        proven=False,
    )


def _begin(
    db: sqlite3.Connection,
    site: state.Site,
    typed: Typed,
    way_in: accounts.WayIn,
    say: Translator,
    now: datetime,
) -> str:
    place, problems = _place(db, typed, say)
    if place is None:
        raise errors.Invalid("unknown-place", fields=problems)
    fresh = _application(typed, place.id)
    fresh = dataclasses.replace(fresh, created=now.replace(microsecond=0))
    _, begun = joining.begin(db, fresh, typed.email, now)
    accounts.give_code(db, site, typed.email, way_in, say, now)
    return begun.id


def _sentences(error: errors.NodeError, say: Translator) -> dict[str, str]:
    known = {
        "bad-siret": ("siret", say("A SIRET has fourteen digits; one of these is wrong")),
        "siret-taken": (
            "siret",
            say("This shop is here already: ask whoever looks after the site for access to it"),
        ),
        "unknown-place": ("commune", say("This place is not known")),
    }
    if error.code in known:
        field, sentence = known[error.code]
        return {field: sentence}
    if isinstance(error, errors.Invalid) and error.fields.get("address") == "is needed":
        return {"address": say("Say the address of the shop")}
    return forms.sentences(error, say)


# --- signed in -----------------------------------------------------------------------------------


async def _asking(request: Request) -> tuple[sessions.Person, Application] | Response:
    """Who asks, and for which shop."""
    if request.method == "POST" and not sessions.is_own_form(request):
        return await render.error(request, 403)
    person = await sessions.person(request)
    if person is None:
        return accounts.ask(request, status=401)
    found = await state.of(request).database.read(applications.of_account, person.account.id)
    if found is None or found.state == "approved":
        return sessions.see_other(request, START if found is None else "/compte")
    return person, found


async def resume(request: Request) -> Response:
    """`/ouvrir-ma-boutique/suite`: wherever one was."""
    asking = await _asking(request)
    if isinstance(asking, Response):
        return asking
    _, one = asking
    if one.state != "begun":
        return sessions.see_other(request, f"{START}/attente")
    return sessions.see_other(request, f"{START}/{'horaires' if one.hours is None else 'envoyer'}")


async def opening_hours(request: Request) -> Response:
    """`/ouvrir-ma-boutique/horaires`: the third step."""
    asking = await _asking(request)
    if isinstance(asking, Response):
        return asking
    person, one = asking
    site = state.of(request)
    say = render.speak(request)
    typed, problems = one.hours or "", {}
    if request.method == "POST":
        async with forms.read(request) as form:
            typed = form.line("week", 100) or form.text("hours", hours_typed.TEXT_MOST)
        try:
            await site.database.write(joining.tell_hours, person.account.id, typed)
            return sessions.see_other(request, f"{START}/envoyer")
        except errors.Invalid:
            problems = {"hours": say("The hours could not be read. Write them as in the example.")}
        except errors.NotFound:
            return sessions.see_other(request, f"{START}/attente")
    return _page(
        request,
        "hours",
        status=422 if problems else 200,
        typed=typed,
        errors=problems,
        templates=[(week, own_hours.said(week, say)) for week in own_hours.TEMPLATES],
    )


async def correct(request: Request) -> Response:
    """`/ouvrir-ma-boutique/corriger`: the first step again, with what was typed, for who began."""
    asking = await _asking(request)
    if isinstance(asking, Response):
        return asking
    person, one = asking
    site = state.of(request)
    say = render.speak(request)
    problems: dict[str, str] = {}
    place = await site.database.read(places.get, one.place)
    typed = Typed(
        siret=siret.written(one.siret),
        name=one.name,
        commune=territory.label(place) if place else "",
        address=one.address,
        phone=one.phone,
    )
    if request.method == "POST":
        async with forms.read(request) as form:
            typed = _typed_in(form)
        try:
            await site.database.write(_mend, person.account.id, typed, say)
            return sessions.see_other(request, f"{START}/envoyer")
        except errors.NotFound:
            return sessions.see_other(request, f"{START}/attente")
        except errors.NodeError as error:
            found = error.fields if isinstance(error, errors.Invalid) else {}
            problems = found if error.code == "unknown-commune" else _sentences(error, say)
    return _page(
        request,
        "correct",
        status=422 if problems else 200,
        typed=typed,
        reason=one.reason,
        errors=problems,
    )


def _mend(db: sqlite3.Connection, account: str, typed: Typed, say: Translator) -> None:
    place, problems = _place(db, typed, say)
    if place is None:
        raise errors.Invalid("unknown-commune", fields=problems)
    joining.mend(db, account, _application(typed, place.id))


async def send(request: Request) -> Response:
    """`/ouvrir-ma-boutique/envoyer`: read, agreed to and sent to the steward."""
    asking = await _asking(request)
    if isinstance(asking, Response):
        return asking
    person, one = asking
    site = state.of(request)
    say = render.speak(request)
    problems: dict[str, str] = {}
    if request.method == "POST":
        async with forms.read(request) as form:
            sure = form.is_set("sure")
        if not sure:
            problems = {"sure": say("Tick the box: only who may speak for the shop opens it")}
        else:
            try:
                await site.database.write(_send, site, person.account.id, say, site.clock())
                return sessions.see_other(request, f"{START}/attente?fait=envoye")
            except errors.NodeError as error:
                problems = _sentences(error, say)
    place = await site.database.read(places.get, one.place)
    return _page(
        request,
        "send",
        status=422 if problems else 200,
        one=one,
        email=person.account.email,
        rules_of=f"{rules.VERSION:%d/%m/%Y}",
        siret=siret.written(one.siret),
        place=place.name if place else "",
        week=hours_said.week(hours_typed.parse(one.hours), say) if one.hours else (),
        errors=problems,
    )


def _send(
    db: sqlite3.Connection, site: state.Site, account: str, say: Translator, now: datetime
) -> None:
    one = joining.send(db, account, now)
    consents.agree(db, account, rules.VERSION, now)
    if not site.settings.mail.host:
        return
    for steward in account_rows.find_with_role(db, Role.STEWARD, now):
        if steward.email:
            mail.queue(
                db,
                steward.email,
                say("A shop asks to be opened"),
                say("{name} asks to be opened. To read and to answer:\n{url}\n").format(
                    name=one.name, url=f"{site.uris.origin}/gestion/demandes/{one.id}"
                ),
                now,
            )


async def wait(request: Request) -> Response:
    """`/ouvrir-ma-boutique/attente`: where it stands; products are prepared meanwhile."""
    asking = await _asking(request)
    if isinstance(asking, Response):
        return asking
    _, one = asking
    site = state.of(request)
    say = render.speak(request)
    if one.state == "begun":
        return sessions.see_other(request, f"{START}/suite")
    typed = listing_form.Typed(forms.new_id())
    problems: dict[str, str] = {}
    if request.method == "POST" and one.state == "sent":
        async with forms.read(request) as form:
            typed = listing_form.typed_in(form)
        if not typed.name:
            problems["name"] = say("Say what it is called")
        if typed.price:
            try:
                prices.parse_price(typed.price)
            except errors.Invalid:
                problems["price"] = say("The price must be a number, for example 12.50")
        if not problems:
            await site.database.write(_prepare, one.shop, typed, site.clock())
            return sessions.see_other(request, f"{START}/attente?fait=garde")
    prepared = await site.database.read(drafts.find, one.shop)
    return _page(
        request,
        "wait",
        status=422 if problems else 200,
        one=one,
        prepared=[(draft.fields["name"], draft.fields["price"]) for draft in prepared],
        typed=typed,
        errors=problems,
    )


def _prepare(db: sqlite3.Connection, shop: str, typed: listing_form.Typed, now: datetime) -> None:
    drafts.put(db, typed.form or forms.new_id(), shop, listing_form.kept_of(typed), now)
    drafts.drop_oldest(db, shop, PREPARED_MOST)


# --- the steward's answer ------------------------------------------------------------------------


def told(
    db: sqlite3.Connection, site: state.Site, one: Application, say: Translator, now: datetime
) -> None:
    """Tells who asked what was decided, where there is mail."""
    account = account_rows.get(db, one.account)
    if account is None or account.email is None or not site.settings.mail.host:
        return
    if one.state == "begun":
        subject = say("Something is to be corrected before your shop opens")
        text = say(
            "Before {name} opens on {site}, please correct this:\n\n{reason}\n\n"
            "Sign in, change it and send it again:\n{url}\n"
        ).format(
            name=one.name,
            site=site.settings.node.name,
            reason=one.reason,
            url=f"{site.uris.origin}/connexion",
        )
    elif one.state == "refused":
        subject = say("Your shop was not opened")
        text = say("{name} was not opened on {site}, for this reason:\n\n{reason}\n").format(
            name=one.name, site=site.settings.node.name, reason=one.reason
        )
    else:
        subject = say("Your shop is open")
        text = say("{name} is open. Sign in to publish your products:\n{url}\n").format(
            name=one.name, url=f"{site.uris.origin}/connexion"
        )
    contact = site.settings.node.contact
    if contact:
        text += "\n" + say("Need help?") + f" {contact}\n"
    mail.queue(db, account.email, subject, text, now, until=now + timedelta(days=3))
