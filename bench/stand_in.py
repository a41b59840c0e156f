"""A neighbour that is no node: it has actors and shops, accepts to be followed, and says that
nothing changed. So that a node can be flooded by a true neighbour at no cost to itself."""

import asyncio
import json
import random
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bench import town, wire
from federation import activities, keys, nodeinfo, vocabulary
from node.exchange import actors, listings, shops, terms
from node.exchange.outbox import encode
from node.model import ActorKind, LocalActor, Place, Shop
from node.translation import Catalogues
from node.uris import INSTANCE, Uris


@dataclass(slots=True)
class StandIn:
    """The neighbour: its address, its shops with their keys, and the documents it shows."""

    uris: Uris
    rsa: dict[str, RSAPrivateKey]
    ed25519: Ed25519PrivateKey
    shops: list[Shop]
    documents: dict[str, bytes]
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def answer(self, method: str, target: str, body: bytes) -> tuple[int, str, bytes]:
        """What it says to a request; a Follow is accepted at once."""
        path = target.partition("?")[0]
        if method == "POST":
            activity = json.loads(body)
            if activity["type"] == "Follow":
                task = asyncio.create_task(self._accept(activity))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)
            return 202, "text/plain", b""
        if path not in self.documents:
            return 404, "text/plain", b""
        kind = "application/json" if "nodeinfo" in path else vocabulary.ACTIVITY_JSON
        return 200, kind, self.documents[path]

    async def _accept(self, follow: dict[str, Any]) -> None:
        host = urlsplit(follow["actor"]).netloc
        accept_id = self.uris.answer("Accept", str(uuid.uuid4()))
        accept = activities.answer(
            "Accept", accept_id, self.uris.instance, follow, to=follow["actor"]
        )
        message = self.letter(INSTANCE, host, encode(accept))
        await wire.send(int(host.rpartition(":")[2]), [message], 1, 202)

    def letter(self, handle: str, host: str, body: bytes) -> bytes:
        """A request to the inbox of a node, signed by one of ours."""
        headers = wire.signed_headers(
            self.rsa[handle], self.uris.main_key(handle), host, "/inbox", body
        )
        return wire.request("POST", "/inbox", headers, body)

    def creates(self, count: int, host: str, place: Place) -> list[bytes]:
        """So many Creates of listings, each a whole request."""
        chance, say = random.Random(2), Catalogues().speak("fr")
        made = []
        for number in range(count):
            shop = self.shops[number % len(self.shops)]
            listing = town.listing(shop, self.uris, chance)
            note = listings.document(listing, shop, place, "talence", self.uris, say, self.ed25519)
            create = activities.activity(
                "Create",
                self.uris.create(listing.uri),
                shop.uri,
                note,
                to=[vocabulary.PUBLIC],
                cc=[f"{shop.uri}/followers"],
                published=listing.published,
            )
            made.append(self.letter(shop.handle, host, encode(create)))
        return made


def found(port: int, shop_count: int, place: Place) -> StandIn:
    """A stand-in with shops, to be served with `wire.serve(port, stand_in.answer)`."""
    uris, now = Uris(f"http://127.0.0.1:{port}"), datetime.now(UTC)
    handles = [f"etal_{number}" for number in range(shop_count)]
    rsa = {handle: keys.generate_rsa() for handle in (INSTANCE, *handles)}
    ed25519 = keys.generate_ed25519()

    def actor(handle: str, kind: ActorKind) -> LocalActor:
        pem, multikey = keys.rsa_public_pem(rsa[handle]), keys.multikey(ed25519)
        return LocalActor(handle, kind, handle, pem, multikey, now, None)

    opened = [
        Shop(
            id=str(uuid.uuid4()), uri=uris.actor(handle), url=uris.profile(handle), peer=None,
            handle=handle, name=f"Étal {handle}", summary=None, place=place.id, address=None,
            phone=None, latitude=None, longitude=None, opened=now, updated=now, seen=now,
            closed=None,
        )
        for handle in handles
    ]  # fmt: skip
    documents: dict[str, dict[str, Any]] = {
        "/.well-known/nodeinfo": nodeinfo.discovery(
            uris.origin, "/nodeinfo/2.1", f"/users/{INSTANCE}"
        ),
        "/nodeinfo/2.1": nodeinfo.document(
            "echoppe", "0", users={}, open_registrations=False, metadata={"nodeName": "Stand-in"}
        ),
        f"/users/{INSTANCE}": actors.document(
            actor(INSTANCE, ActorKind.NODE), uris, name="Stand-in", url=uris.origin
        ),
        f"/users/{INSTANCE}/outbox": {
            "@context": terms.SEQUENCE_CONTEXT,
            "id": f"{uris.changes}?since=0",
            "type": "OrderedCollectionPage",
            "totalItems": 0,
            "orderedItems": [],
            terms.HEAD: 0,
            terms.DIGEST: "0" * 64,
            terms.COUNT: 0,
        },
    }
    say = Catalogues().speak("fr")
    for shop in opened:
        documents[f"/users/{shop.handle}"] = shops.document(
            shop, actor(shop.handle, ActorKind.SHOP), place, uris, say
        )
    encoded = {path: encode(document) for path, document in documents.items()}
    return StandIn(uris, rsa, ed25519, opened, encoded)
