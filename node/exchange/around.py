"""Looking around: which nodes the neighbours name as theirs, asked of each for themselves.

A node tells in its NodeInfo with whom it is connected (`metadata.neighbours`, a list of origins).
Nothing that a neighbour says of another node is believed but that it might be there: its name, its
communes and its key are asked of that node. Nobody is asked to be a neighbour by looking.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from federation import client, keys
from node import errors, moderation, neighbours, territory
from node.exchange import choosing
from node.model import NodeAround, Place
from node.store import nodes_around, peers, places
from node.uris import Uris

LOOKED_MOST = 80  # nodes that are asked at one look
AT_ONCE = 8
PATIENCE = 25.0  # seconds for all of it
KEPT = timedelta(days=30)
TOLD_MOST = 100  # neighbours that this node names


@dataclass(frozen=True, slots=True)
class Look:
    """What came of looking around: nodes that answered, and hosts that did not."""

    met: tuple[NodeAround, ...]
    silent: tuple[str, ...]


def told(db: sqlite3.Connection) -> list[str]:
    """The origins that this node names in its NodeInfo: neighbours that agreed."""
    return [
        peer.origin for peer in peers.find(db) if neighbours.state(peer) == "agreed"
    ][:TOLD_MOST]  # fmt: skip


def to_ask(db: sqlite3.Connection) -> list[tuple[str, str]]:
    """The neighbours that are asked when one looks around: host and origin."""
    states = ("agreed", "one-sided", "asked", "asks")
    return [(peer.host, peer.origin) for peer in peers.find(db) if neighbours.state(peer) in states]


async def look(
    http: client.Client,
    uris: Uris,
    known: Iterable[tuple[str, str]],
    private_peers: tuple[str, ...],
    now: datetime,
) -> Look:
    """Asks neighbours (host, origin) whom they are connected with, and those who they are."""
    turns = asyncio.Semaphore(AT_ONCE)
    silent: list[str] = []

    async def ask(origin: str) -> choosing.Found | None:
        async with turns:
            try:
                return await choosing.look_up(http, uris, origin, private_peers)
            except errors.Invalid:
                silent.append(origin.partition("://")[2])
                return None

    first = dict(known)
    met: dict[str, choosing.Found] = {}
    via: dict[str, set[str]] = {}
    # What answered in time is told; the others another time.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            for host, found in zip(
                first, await asyncio.gather(*map(ask, first.values())), strict=True
            ):
                if found is None:
                    continue
                met[host] = found
                for origin in found.neighbours:
                    via.setdefault(origin, set()).add(host)
            new = [
                origin
                for origin in via
                if origin != uris.origin and origin not in first.values()
            ][:LOOKED_MOST]  # fmt: skip
            for found in await asyncio.gather(*map(ask, new)):
                if found is not None:
                    met.setdefault(found.host, found)
    cards = tuple(
        choosing.card(found, tuple(sorted(via.get(found.origin, set()))), now)
        for found in met.values()
    )
    return Look(cards, tuple(silent))


def record(db: sqlite3.Connection, looked: Look, now: datetime) -> None:
    """Keeps what was met, and forgets what nobody named for long."""
    for node in looked.met:
        nodes_around.put(db, node)
    nodes_around.prune(db, now - KEPT)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A node that could be a neighbour: how far its town hall is from ours, and its communes."""

    node: NodeAround
    communes: tuple[Place, ...]
    km: float | None


def proposals(db: sqlite3.Connection, home: Place) -> list[Proposal]:
    """Nodes met that are no neighbours, were not asked and are not blocked: the nearest first."""
    found = [
        proposal(db, node, home)
        for node in nodes_around.find(db)
        if peers.get(db, node.host) is None and moderation.find_block(db, node.host) is None
    ]
    return sorted(found, key=lambda one: (one.km is None, one.km or 0.0, one.node.host))


def proposal(db: sqlite3.Connection, node: NodeAround, home: Place) -> Proposal:
    """A node with its communes and its distance."""
    communes = tuple(
        place for one in node.communes if (place := places.get(db, one)) is not None
    )  # fmt: skip
    return Proposal(node, communes, distance(communes, home))


def distance(communes: Iterable[Place], home: Place) -> float | None:
    """Kilometres from our town hall to the nearest of theirs."""
    if home.latitude is None or home.longitude is None:
        return None
    return min(
        (
            territory.distance_km(home.latitude, home.longitude, one.latitude, one.longitude)
            for one in communes
            if one.latitude is not None and one.longitude is not None
        ),
        default=None,
    )


def recommended(
    db: sqlite3.Connection, home: Place, host: str, within_km: float, most: int
) -> list[NodeAround]:
    """The nodes that a neighbour names, within a distance: those that can be asked."""
    return [
        one.node
        for one in proposals(db, home)
        if host in one.node.via and one.km is not None and one.km <= within_km
    ][:most]  # fmt: skip


def fingerprint_of(pem: str) -> str:
    """The fingerprint of a key of our own, to be compared with what others see."""
    return keys.fingerprint(keys.load_rsa_public(pem))
