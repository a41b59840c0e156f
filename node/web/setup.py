"""Setting a node up in six screens: communes, address, operator, stewards, opening rule, copies.

What is a setting is written into `instance.toml`, the one place for it, and holds after the next
start; where that cannot be done safely, the page says which line to write.
"""

import asyncio
import sqlite3
from collections.abc import Mapping
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from node import accounts, errors, settings, settings_file, setup, territory
from node.model import Role
from node.store import accounts as account_rows
from node.store import node as node_row
from node.store import places, setup_notes
from node.translation import Translator
from node.web import address_check, desk, forms, render, sessions, state

NOTE_MOST = 300


async def begin(request: Request) -> Response:
    """`/gestion/installation`: the first screen."""
    person = await desk.steward(request)
    if isinstance(person, Response):
        return person
    return sessions.see_other(request, "/gestion/installation/1")


async def screen(request: Request) -> Response:
    """`/gestion/installation/{step}`: one of the six; sent, it leads to the next."""
    person = await desk.steward(request)
    if isinstance(person, Response):
        return person
    step = int(request.path_params["step"])
    if not 1 <= step <= setup.STEPS:
        return await render.error(request, 404)
    if request.method != "POST":
        return await _page(request, person, step)
    async with forms.read(request) as form:
        typed = {
            name: form.line(name, NOTE_MOST)
            for name in ("name", "communes", "operator", "contact", "email", "opening", "copies")
        }
    site = state.of(request)
    say = render.speak(request)
    if step == 2:
        return await _page(request, person, step, answer=await _asked(site))
    try:
        if step == 4:
            await site.database.write(_own_address, person.account.id, typed["email"])
        elif step == 6:
            if not typed["copies"] or len(typed["copies"]) > NOTE_MOST:
                raise errors.Invalid("no-note", "A note is needed.", fields={"copies": "is empty"})
            await site.database.write(setup_notes.put, "backup", typed["copies"], site.clock())
        else:
            changes = await site.database.read(_changes, site, step, typed)
            await asyncio.to_thread(settings_file.change, site.database.folder, changes)
    except errors.NodeError as error:
        problems = _sentences(error, say)
        by_hand = error.code in ("settings-by-hand", "settings-not-writable")
        lines = [settings_file.line(*one) for one in changes.items()] if by_hand else []
        return await _page(request, person, step, typed=typed, problems=problems, lines=lines)
    if step == setup.STEPS:
        return sessions.see_other(request, "/gestion?fait=installe")
    return sessions.see_other(request, f"/gestion/installation/{step + 1}")


def _sentences(error: errors.NodeError, say: Translator) -> dict[str, str]:
    """What could not be saved, by field."""
    known = {
        "settings-by-hand": ("", say("The file of settings is written in a way that only a person can change. Write this line in it yourself:")),  # noqa: E501
        "settings-not-writable": ("", say("The file of settings cannot be written by the server. Write this line in it yourself:")),  # noqa: E501
        "email-taken": ("email", say("This address is another account’s")),
        "first-commune": ("communes", say("The first commune is the site’s own and stays the first")),  # noqa: E501
        "unknown-place": ("communes", say("One of these communes is not known, or several have its name")),  # noqa: E501
        "no-note": ("copies", say("Write down where the copies go")),
    }  # fmt: skip
    if error.code in known:
        name, sentence = known[error.code]
        return {name: sentence}
    return forms.sentences(error, say)


def _changes(
    db: sqlite3.Connection, site: state.Site, step: int, typed: Mapping[str, str]
) -> dict[str, settings_file.Value]:
    """The settings that a screen is about. Raises errors.NodeError for what cannot be used."""
    if step == 1:
        found = []
        for text in filter(None, (part.strip() for part in typed["communes"].split(","))):
            try:
                found.append(territory.resolve(db, text).id)
            except errors.NodeError as error:
                raise errors.Invalid("unknown-place", error.detail) from None
        if not found or found[0] != site.settings.node.communes[0]:
            raise errors.Invalid("first-commune", "The node's own commune stays the first.")
        if not 1 <= len(typed["name"]) <= 100 or not typed["name"].isprintable():
            raise errors.Invalid("bad-name", "1 to 100 characters.", fields={"name": "is not"})
        return {"node.name": typed["name"], "node.communes": list(dict.fromkeys(found))}
    if step == 3:
        operators = settings.CHOICES["node.operator"]
        if typed["operator"] not in operators or not typed["contact"].isprintable():
            raise errors.Invalid("bad-operator", "One of the three.")
        return {"node.operator": typed["operator"], "node.contact": typed["contact"]}
    if typed["opening"] not in settings.CHOICES["node.opening"]:
        raise errors.Invalid("bad-opening", "One of the two.")
    return {"node.opening": typed["opening"]}


def _own_address(db: sqlite3.Connection, account_id: str, email: str) -> None:
    """Gives the first steward's account the address that codes are sent to.

    One that has an address keeps it: an open session alone must not hand an account over.
    """
    account = account_rows.get(db, account_id)
    if not email or account is None or account.email is not None:
        return
    if not accounts.is_address(email):
        raise errors.Invalid("bad-email", "no mail address", fields={"email": "is none"})
    address = email.strip().lower()
    other = account_rows.get_by_email(db, address)
    if other is not None and other.id != account_id:
        raise errors.Conflict("email-taken", "That address is another account's.")
    account_rows.change_email(db, account_id, address)


async def _asked(site: state.Site) -> address_check.Answer:
    handle = await site.database.read(node_row.commune_handle)
    answer = await address_check.ask(site.uris.origin, site.uris.actor(handle))
    if not answer.trouble:
        await site.database.write(setup_notes.put, "address", site.uris.origin, site.clock())
    return answer


async def _page(
    request: Request,
    person: sessions.Person,
    step: int,
    *,
    typed: Mapping[str, str] | None = None,
    problems: Mapping[str, str] | None = None,
    answer: address_check.Answer | None = None,
    lines: list[str] | None = None,
) -> Response:
    site = state.of(request)
    written = settings.load(site.database.folder)  # what holds after the next start
    known, notes, people = await site.database.read(_known, written, site.clock())
    stands = {
        "name": written.node.name,
        "communes": ", ".join(known),
        "operator": written.node.operator,
        "contact": written.node.contact,
        "email": person.account.email or "",
        "opening": written.node.opening,
        "copies": notes["backup"][0] if "backup" in notes else "",
    }
    return desk.page(
        request,
        "setup",
        status=422 if problems else 200,
        step=step,
        steps=setup.STEPS,
        typed=typed or stands,
        errors=problems or {},
        lines=lines or [],
        answer=answer,
        checked=notes.get("address"),
        origin=site.uris.origin,
        known_as=person.account.email,
        folder=str(site.database.folder),
        people=people,
        backups=bool(written.backup.key),
        waits_for_start=(written.node, written.backup)
        != (site.settings.node, site.settings.backup),
    )


def _known(
    db: sqlite3.Connection, written: settings.Settings, now: datetime
) -> tuple[list[str], dict[str, tuple[str, datetime]], list[str]]:
    named = [
        territory.label(place)
        for one in written.node.communes
        if (place := places.get(db, one)) is not None
    ]
    people = account_rows.find_with_role(db, Role.STEWARD, now)
    return named, setup_notes.find(db), [one.email for one in people if one.email]
