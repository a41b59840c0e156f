"""A steward's neighbours: asked, accepted, suspended, left or blocked, and how each stands."""

import sqlite3
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from node import errors, moderation, neighbours
from node.exchange import choosing
from node.model import Peer
from node.store import deliveries, nodes_around, peers, received
from node.translation import Translator
from node.uris import Uris
from node.web import desk, forms, render, sessions, state


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another node as the steward sees it."""

    peer: Peer
    state: str  # as node/neighbours.py: state
    waiting: int
    trouble: str | None
    set_aside: int


def find(
    db: sqlite3.Connection, waiting: Mapping[str, tuple[int, str | None]]
) -> tuple[Neighbour, ...]:
    """The other nodes that are known and not blocked, each with what waits for it."""
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


async def add(request: Request) -> Response:
    """`/gestion/voisins/ajouter`: by its address."""
    person = await desk.steward(request)
    if isinstance(person, Response):
        return person
    if request.method != "POST":
        return desk.page(request, "add_neighbour", url="", errors={})
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
        await site.database.write(nodes_around.put, choosing.card(found, (), site.clock()))
    except (errors.Invalid, errors.Conflict) as error:
        problems = forms.sentences(error, render.speak(request))
        if "url" not in problems:
            problems = {"url": " ".join(problems.values())}
        return desk.page(request, "add_neighbour", status=422, url=url, errors=problems)
    return sessions.see_other(request, f"/gestion/voisins/{found.host}?fait=demande")


async def neighbour(request: Request) -> Response:
    """`/gestion/voisins/{host}`: how it stands with a node, and what can be done."""
    person = await desk.steward(request)
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
    return desk.page(
        request,
        "neighbour",
        status=422 if problems else 200,
        one=found,
        told=await site.database.read(nodes_around.get, host),
        errors=problems,
        why=lambda error: why(error, say),
    )


def _neighbour(db: sqlite3.Connection, host: str) -> Neighbour | None:
    waiting = deliveries.count_by_host(db)
    return next((one for one in find(db, waiting) if one.peer.host == host), None)
