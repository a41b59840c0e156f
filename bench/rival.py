"""The same work done by an ActivityPub server of another make, in the same run: the peer of the
interop tests, on the Fedify library. It verifies, and keeps what it received in memory; it writes
nothing to a disk, indexes nothing, and checks each signature twice (once for its report)."""

import asyncio
import time
import uuid
from pathlib import Path
from typing import Any

from bench import stand_in, wire
from federation import activities
from node.exchange.outbox import encode
from node.model import Place
from tests import neighbours
from tests.interop import fedify
from tests.interop.fedify import Peer

CONNECTIONS = 16
FOLLOWERS = 10
CREATES = 5


def missing() -> str | None:
    """Why there is no peer to compare with; None where there is."""
    try:
        fedify.install()
    except (fedify.SourceMissing, fedify.NpmMissing) as error:
        return str(error)
    return None


async def receive(base: Path, neighbour: stand_in.StandIn, place: Place, count: int) -> float:
    """Signed Creates a second that it accepts; `neighbour` must be served meanwhile."""
    with fedify.serving(neighbours.free_port(), base) as peer:
        letters = neighbour.creates(count + len(neighbour.shops), peer.authority, place)
        warm, rest = letters[: len(neighbour.shops)], letters[len(neighbour.shops) :]
        await wire.send(peer.port, warm, 1, 202)  # it has fetched every key
        sent = await wire.send(peer.port, rest, CONNECTIONS, 202)
        told = await asyncio.to_thread(peer.tell, "received", type="Create")
        verified = sum(one["verify"]["http"] == "verified" for one in told)
        assert verified == len(letters), f"{verified} of {len(letters)} verified"
        return count / sent.seconds


async def send(base: Path, place: Place) -> float:
    """Deliveries a second that it makes of a note, to as many inboxes of one host as follow."""
    port = neighbours.free_port()
    neighbour = stand_in.found(port, FOLLOWERS, place)
    came: list[float] = []

    async def answer(method: str, target: str, body: bytes) -> tuple[int, str, bytes]:
        if method == "POST" and b'"Create"' in body:
            came.append(time.perf_counter())
            return 202, "text/plain", b""
        return await neighbour.answer(method, target, body)

    async with await wire.serve(port, answer):
        with fedify.serving(neighbours.free_port(), base) as peer:
            await wire.send(peer.port, _follows(neighbour, peer), 1, 202)
            await asyncio.to_thread(_note, peer)  # warms up
            came.clear()
            for _ in range(CREATES):
                await asyncio.to_thread(_note, peer)
    assert len(came) == FOLLOWERS * CREATES, came
    return len(came) / (came[-1] - came[0])


def _note(peer: Peer) -> Any:
    done = peer.ask("create", actor="alice", content="Bonjour", followers=True)
    assert done["ok"], done
    return done


def _follows(neighbour: stand_in.StandIn, peer: Peer) -> list[bytes]:
    made = []
    for shop in neighbour.shops:
        follow = activities.follow(f"{shop.uri}#follow/{uuid.uuid4()}", shop.uri, peer.person())
        made.append(neighbour.letter(shop.handle, peer.authority, encode(follow)))
    return made
