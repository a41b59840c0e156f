"""The node's answers to what the federation layer asks: where fetched actors are kept."""

import json
import sqlite3
from datetime import datetime
from typing import Any, Literal, cast

from federation import actors
from node.clock import Clock
from node.exchange.context import Doors
from node.store import remote_actors


class StoredActors:
    """`federation.actors.ActorStore` on the node's database."""

    def __init__(self, database: Doors, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def get_actor(self, uri: str) -> tuple[dict[str, Any], datetime] | None:
        """An actor's document as last stored, and when it was fetched."""
        found = await self._database.read(remote_actors.get, uri)
        return None if found is None else (json.loads(found[0]), found[1])

    async def get_key(self, key_id: str) -> actors.ActorKey | None:
        """A key as last stored."""
        found = await self._database.read(remote_actors.get_key, key_id)
        if found is None:
            return None
        owner, algorithm, material = found
        return actors.ActorKey(key_id, owner, cast(Literal["rsa", "ed25519"], algorithm), material)

    async def put(self, actor: actors.RemoteActor) -> None:
        """Stores an actor with its keys."""
        await self._database.write(keep, actor, self._clock())


def keep(db: sqlite3.Connection, actor: actors.RemoteActor, now: datetime) -> None:
    """Stores an actor with its keys, in place of what was stored."""
    remote_actors.add(
        db,
        actor.id,
        json.dumps(actor.document, ensure_ascii=False, separators=(",", ":")),
        [(key.id, key.algorithm, key.material) for key in actor.keys],
        now,
    )
