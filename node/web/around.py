"""The territories around: who is a neighbour, who could be one, on a map and in a list.

The public page tells residents whose shops they find here; the steward's asks the neighbours whom
they know, and sends a request to one node, or to those that a neighbour recommends.
"""

import sqlite3
import uuid
from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import Response

from node import errors, maps, neighbours, phrases
from node.exchange import around, choosing
from node.exchange.around import Proposal
from node.model import NodeAround, Peer, Place
from node.store import actors, deliveries, nodes_around, peers, places
from node.store import shops as shop_rows
from node.uris import INSTANCE
from node.web import desk, forms, neighbouring, render, sessions, state

ASKED_AT_ONCE = 20
KM_MOST = 300


@dataclass(frozen=True, slots=True)
class Territory:
    """A neighbour in the list: its number on the map, its communes, how far it is."""

    number: int
    peer: Peer
    communes: tuple[Place, ...]
    km: float | None
    shops: int
    node: NodeAround | None


def neighbour_territories(
    db: sqlite3.Connection, site: state.Site, states: tuple[str, ...]
) -> list[Territory]:
    """Neighbours in these states, the nearest first."""
    found = []
    for peer in peers.find(db):
        if neighbours.state(peer) not in states:
            continue
        held = shop_rows.count_of_peer(db, peer.host)
        node = nodes_around.get(db, peer.host)
        communes = around.proposal(db, node, site.commune).communes if node else ()
        if not communes and held:  # not asked yet: where most of its shops are
            place = places.get(db, next(iter(held)))
            communes = () if place is None else (place,)
        km = around.distance(communes, site.commune)
        found.append(Territory(0, peer, communes, km, sum(held.values()), node))
    found.sort(key=lambda one: (one.km is None, one.km or 0.0, one.peer.host))
    return [replace(one, number=number) for number, one in enumerate(found, 1)]


def _own(db: sqlite3.Connection, site: state.Site) -> maps.Territory:
    communes = tuple(
        place
        for one in site.settings.node.communes
        if (place := places.get(db, one)) is not None
    )  # fmt: skip
    return maps.Territory("own", 0, communes)


# --- for everybody -------------------------------------------------------------------------------


async def page(request: Request) -> Response:
    """`/voisins`: the territories whose shops are found here."""
    site = state.of(request)
    found, drawing = await site.database.read(_public, site)
    say = render.speak(request)
    return render.page(
        request,
        "around.html",
        territories=found,
        map_style=site.assets.address("around.css"),
        map=drawing,
        far=lambda km: phrases.distance(say, km),
        count=lambda number: phrases.counted(
            say, number, say("{count} shop"), say("{count} shops")
        ),
    )


def _public(db: sqlite3.Connection, site: state.Site) -> tuple[list[Territory], maps.Map | None]:
    found = neighbour_territories(db, site, ("agreed", "one-sided"))
    marks = [maps.Territory("agreed", one.number, one.communes) for one in found]
    return found, maps.draw(db, [_own(db, site), *marks])


# --- for stewards --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the steward's page shows."""

    neighbours: tuple[tuple[Territory, neighbouring.Neighbour], ...]
    proposals: tuple[tuple[int, Proposal], ...]  # with the number on the map
    map: maps.Map | None
    fingerprint: str  # our own


async def surroundings(request: Request) -> Response:
    """`/gestion/voisins`: neighbours, and nodes that could be; looking around, and asking one."""
    person = await desk.steward(request)
    if isinstance(person, Response):
        return person
    site = state.of(request)
    if request.method != "POST":
        return await _surroundings_page(request)
    async with forms.read(request) as form:
        deed, url = form.line("deed", 20), form.line("url", 300)
    if deed == "look":
        met = await look(site)
        return await _surroundings_page(request, met)
    try:
        await ask_each(site, [url])
    except (errors.Invalid, errors.Conflict) as error:
        return await _surroundings_page(
            request, problems=forms.sentences(error, render.speak(request))
        )
    return sessions.see_other(request, "/gestion/voisins?fait=demande")


async def look(site: state.Site) -> around.Look:
    """Asks the neighbours, and whom they name, who they are."""
    now = site.clock()
    known = await site.database.read(around.to_ask)
    private = site.settings.federation.private_peers
    looked = await around.look(site.http, site.uris, known, private, now)
    await site.database.write(around.record, looked, now)
    return looked


async def ask_each(site: state.Site, origins: list[str]) -> None:
    """Sends a request to be neighbours to each, which must answer as a node now.

    Raises errors.Invalid or errors.Conflict for the first that cannot be asked.
    """
    private = site.settings.federation.private_peers
    for origin in origins:
        found = await choosing.look_up(site.http, site.uris, origin, private)
        await site.database.write(
            choosing.choose, site.uris, found, str(uuid.uuid4()), site.clock()
        )


async def recommended(request: Request) -> Response:
    """`/gestion/voisins/{host}/recommandes`: whom a neighbour knows, up to so many kilometres."""
    person = await desk.steward(request)
    if isinstance(person, Response):
        return person
    site = state.of(request)
    host = request.path_params["host"]
    peer = await site.database.read(peers.get, host)
    if peer is None or neighbours.state(peer) != "agreed":
        return await render.error(request, 404)
    km, sure = 30, False
    if request.method == "POST":
        async with forms.read(request) as form:
            typed, sure = form.line("km", 10), form.is_set("sure")
        km = int(typed) if typed.isascii() and typed.isdecimal() else -1
        if not 1 <= km <= KM_MOST:
            say = render.speak(request)
            problem = {"km": say("Type a whole number of kilometres, from 1 to 300")}
            return desk.page(
                request, "recommended", status=422, peer=peer, km=typed, found=None,
                errors=problem, map_style=site.assets.address("around.css"),
            )  # fmt: skip
        if not sure:
            await look(site)
    found = await site.database.read(
        around.recommended, site.commune, host, float(km), ASKED_AT_ONCE
    )
    if sure:
        asked = 0
        for node in found:
            try:
                await ask_each(site, [node.origin])
            except (errors.Invalid, errors.Conflict):
                continue  # it has gone since it was met; the others are asked all the same
            asked += 1
        return sessions.see_other(request, f"/gestion/voisins?fait=demandes&nombre={asked}")
    shown = await site.database.read(_shown, site, found)
    return desk.page(
        request, "recommended", peer=peer, km=str(km), errors={},
        map_style=site.assets.address("around.css"),
        found=shown if request.method == "POST" else None,
        far=lambda km: phrases.distance(render.speak(request), km),
    )  # fmt: skip


def _shown(db: sqlite3.Connection, site: state.Site, found: list[NodeAround]) -> list[Proposal]:
    return [around.proposal(db, node, site.commune) for node in found]


async def _surroundings_page(
    request: Request,
    looked: around.Look | None = None,
    problems: dict[str, str] | None = None,
) -> Response:
    site = state.of(request)
    say = render.speak(request)
    number = request.query_params.get("nombre", "")[:3]
    return desk.page(
        request,
        "around",
        map_style=site.assets.address("around.css"),
        status=422 if problems else 200,
        found=await site.database.read(_surroundings, site),
        looked=looked,
        asked=int(number) if number.isascii() and number.isdecimal() else None,
        errors=problems or {},
        policy=site.settings.federation.mode,
        why=lambda error: neighbouring.why(error, say),
        far=lambda km: phrases.distance(say, km),
    )


def _surroundings(db: sqlite3.Connection, site: state.Site) -> Surroundings:
    states = ("agreed", "one-sided", "asked", "asks", "refused", "suspended")
    found = neighbour_territories(db, site, states)
    standing = {
        one.peer.host: one for one in neighbouring.find(db, deliveries.count_by_host(db))
    }  # fmt: skip
    could_be = list(enumerate(around.proposals(db, site.commune), len(found) + 1))
    marks = [
        maps.Territory(
            "agreed" if standing[one.peer.host].state in ("agreed", "one-sided") else "asked",
            one.number,
            one.communes,
        )
        for one in found
    ]
    marks += [maps.Territory("proposed", number, one.communes) for number, one in could_be]
    own = actors.get(db, INSTANCE)
    return Surroundings(
        neighbours=tuple((one, standing[one.peer.host]) for one in found),
        proposals=tuple(could_be),
        map=maps.draw(db, [_own(db, site), *marks]),
        fingerprint=around.fingerprint_of(own.rsa_public_pem) if own else "",
    )
