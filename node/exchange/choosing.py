"""Choosing neighbours: what a steward does, from a command or from a page."""

import re
import sqlite3
from dataclasses import dataclass
from datetime import datetime

from federation import actors, client, documents, keys, nodeinfo
from federation.errors import FederationError, Refused
from node import errors, moderation, settings
from node.exchange import follows
from node.model import NodeAround, Peer
from node.store import peers
from node.uris import Uris

SOFTWARE = "echoppe"
COMMUNES_MOST = 200  # of one node
NAMED_MOST = 50  # neighbours that a node may name to us

_PLACE = re.compile(r"FR-[0-9][0-9AB][0-9]{3}|geonames:[0-9]{1,10}")


@dataclass(frozen=True, slots=True)
class Found:
    """A node that answered at an address."""

    host: str
    origin: str
    actor: str
    name: str
    software: str
    # What it says of itself besides:
    communes: tuple[str, ...] = ()
    mode: str = ""
    fingerprint: str = ""
    shops: int | None = None
    neighbours: tuple[str, ...] = ()  # origins that it names


async def look_up(
    http: client.Client, uris: Uris, text: str, private_peers: tuple[str, ...]
) -> Found:
    """The node at an address, which must be an Échoppe node and not this one.

    Raises errors.Invalid, saying why not.
    """
    url = settings.check_url(text.strip().rstrip("/"), private_peers)
    _, host, _ = documents.address(url)
    if url == uris.origin:
        raise errors.Invalid("own-address", f"{url} is this very node.")
    try:
        info = await nodeinfo.discover(http, url)
        if info.software != SOFTWARE:
            raise errors.Invalid(
                "other-software",
                f"{url} is a {info.software or 'server of another kind'}, not an Échoppe node. "
                "People there can follow your shops; it cannot be a neighbour.",
            )
        if info.application_actor is None:
            raise Refused("no-application-actor", url)
        document, _ = await http.fetch_document(info.application_actor)
        actor = actors.from_document(document)
        if actor.type != "Application" or not documents.same_origin(actor.id, url):
            raise Refused("not-a-node", f"{actor.id} is a {actor.type}")
    except FederationError as error:
        raise errors.Invalid(
            "no-node-there", f"{url} does not answer as an Échoppe node ({error.code})."
        ) from None
    name = documents.text(info.metadata.get("nodeName"), 100) or actor.name or host
    software = f"{info.software} {info.version}"
    federating = info.metadata.get("federation")
    mode = federating.get("mode") if isinstance(federating, dict) else None
    shops = info.metadata.get("shops")
    return Found(
        host,
        documents.origin(url),
        actor.id,
        name,
        software,
        communes=_places(info.metadata.get("communes")),
        mode=mode if mode in settings.CHOICES["federation.mode"] else "",
        fingerprint=_fingerprint(actor),
        shops=shops if isinstance(shops, int) and 0 <= shops < 1_000_000 else None,
        neighbours=_origins(info.metadata.get("neighbours")),
    )


def card(found: Found, via: tuple[str, ...], now: datetime) -> NodeAround:
    """What is kept of a node that answered; `via`: the neighbours that name it."""
    return NodeAround(
        host=found.host,
        origin=found.origin,
        name=found.name,
        communes=found.communes,
        mode=found.mode,
        fingerprint=found.fingerprint,
        shops=found.shops,
        via=via,
        seen=now,
    )


def _places(told: object) -> tuple[str, ...]:
    """The ids of places among what a node says its communes are."""
    named = documents.as_list(told)[:COMMUNES_MOST]
    return tuple(one for one in named if isinstance(one, str) and _PLACE.fullmatch(one))


def _origins(told: object) -> tuple[str, ...]:
    """The origins among what a node says its neighbours are."""
    found: dict[str, None] = {}
    for one in documents.as_list(told)[:NAMED_MOST]:
        if not isinstance(one, str) or len(one) > 300:
            continue
        try:
            if documents.origin(one) == one:
                found[one] = None
        except Refused:
            continue
    return tuple(found)


def _fingerprint(actor: actors.RemoteActor) -> str:
    """Of the key that signs its requests; "" where it shows none that can be used."""
    for key in actor.keys:
        if key.algorithm == "rsa":
            try:
                return keys.fingerprint(keys.load_rsa_public(key.material))
            except Refused:
                return ""
    return ""


def choose(db: sqlite3.Connection, uris: Uris, found: Found, token: str, now: datetime) -> None:
    """Asks a node to be a neighbour. One that is blocked by its own name is so no more.

    Raises errors.Conflict for one that is blocked together with a domain above it.
    """
    _check_not_blocked(db, found.host)
    peers.add(db, found.host, found.origin, found.actor, found.name, found.software)
    peer = peers.get(db, found.host)
    if peer is not None:
        follows.ask(db, uris, peer, token, now)


def _check_not_blocked(db: sqlite3.Connection, host: str) -> None:
    blocked = moderation.find_block(db, host)
    if blocked is not None and blocked.domain != host:
        raise errors.Conflict(
            "blocked",
            f"{host} is blocked with {blocked.domain}. "
            f"To lift that: echoppe neighbour restore {blocked.domain}",
        )


def get(db: sqlite3.Connection, host: str) -> Peer:
    """The node at a host. Raises errors.NotFound."""
    peer = peers.get(db, host)
    if peer is None:
        raise errors.NotFound(
            "unknown-neighbour", f"There is no neighbour {host!r}. See: echoppe neighbour list"
        )
    return peer


def accept(db: sqlite3.Connection, uris: Uris, host: str, token: str, now: datetime) -> Peer:
    """Accepts a node that asked, and asks it in turn. Raises errors.NotFound."""
    peer = get(db, host)
    if peer.follower is None:
        raise errors.NotFound("no-request", f"{host} has not asked to be a neighbour.")
    _check_not_blocked(db, host)
    follows.ask(db, uris, peer, token, now)
    return peer


def ask_again(db: sqlite3.Connection, uris: Uris, host: str, token: str, now: datetime) -> Peer:
    """Asks a node again that has not answered or has refused."""
    peer = get(db, host)
    _check_not_blocked(db, host)
    follows.ask(db, uris, peer, token, now)
    return peer


def remove(db: sqlite3.Connection, uris: Uris, host: str, token: str, now: datetime) -> Peer:
    """Ends being neighbours. Raises errors.NotFound, and errors.Conflict for a blocked one."""
    peer = get(db, host)
    if peer.blocked is not None:
        raise errors.Conflict(
            "blocked",
            f"{host} is blocked, and stays so until `echoppe neighbour add` chooses it.",
        )
    follows.leave(db, uris, peer, token, now)
    return peer
