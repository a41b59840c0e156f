"""Actors of other servers and the public keys they name: read, fetched, and kept.

A key counts only together with its owner: the owner's own document, fetched from the owner's own
origin, must name that very key (FEP-fe34, reciprocal claims).
"""

import asyncio
import contextlib
import json
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from federation import client, documents, keys, limits, vocabulary
from federation.errors import FederationError, Gone, Refused, Unreachable

KEYS_IN_DOCUMENT = 8
CACHED_KEYS = 2000

# Failures that are the host's, whatever it was asked for.
_OF_THE_HOST = frozenset(
    {
        "bad-http",  # or hung up before an answer
        "connect-failed",
        "connect-timeout",
        "connection-lost",
        "name-not-resolved",
        "name-timeout",
        "tls-failed",
    }
)

Algorithm = Literal["rsa", "ed25519"]


@dataclass(frozen=True, slots=True)
class ActorKey:
    """A public key as an actor's document names it: PEM for RSA, a multikey for Ed25519."""

    id: str
    owner: str
    algorithm: Algorithm
    material: str

    def load(self) -> RSAPublicKey | Ed25519PublicKey:
        """The key itself. Raises Refused for one that is no acceptable key."""
        if self.algorithm == "rsa":
            return keys.load_rsa_public(self.material)
        return keys.load_multikey(self.material)


@dataclass(frozen=True, slots=True)
class RemoteActor:
    """What one needs of another server's actor to talk with it.

    `inbox` and `shared_inbox` are None unless they are on the actor's own origin: nobody may
    direct our deliveries at a third party (ORG-15, ORG-16).
    """

    id: str
    type: str
    inbox: str | None
    shared_inbox: str | None
    preferred_username: str | None
    name: str | None
    keys: tuple[ActorKey, ...]
    document: dict[str, Any]


def from_document(document: dict[str, Any]) -> RemoteActor:
    """Reads an actor's document (ActivityPub, section 4; FEP-521a). Raises Refused."""
    actor_id = documents.check_id(document.get("id"))
    kind = documents.type_of(document)
    if kind not in vocabulary.ACTOR_TYPES:
        raise Refused("not-an-actor", f"{actor_id} is a {kind}")
    if len(json.dumps(document)) > limits.ACTOR:
        raise Refused("actor-too-large", actor_id)
    endpoints = document.get("endpoints")
    shared = endpoints.get("sharedInbox") if isinstance(endpoints, dict) else None
    return RemoteActor(
        id=actor_id,
        type=kind,
        inbox=_on_origin(document.get("inbox"), actor_id),
        shared_inbox=_on_origin(shared, actor_id),
        preferred_username=documents.text(document.get("preferredUsername"), 100),
        name=documents.text(document.get("name"), 200),
        keys=tuple(_keys(document, actor_id)),
        document=document,
    )


def _on_origin(value: object, actor_id: str) -> str | None:
    if isinstance(value, str) and documents.same_origin(value, actor_id):
        return value
    return None


def _keys(document: dict[str, Any], actor_id: str) -> list[ActorKey]:
    found: list[ActorKey] = []
    named: tuple[tuple[str, str, str, Algorithm], ...] = (
        ("publicKey", "owner", "publicKeyPem", "rsa"),
        ("assertionMethod", "controller", "publicKeyMultibase", "ed25519"),
    )
    for member, owner, material, algorithm in named:
        for key in documents.as_list(document.get(member))[:KEYS_IN_DOCUMENT]:
            if not isinstance(key, dict):
                continue
            key_id, text = key.get("id"), key.get(material)
            if not isinstance(key_id, str) or not isinstance(text, str):
                continue
            if len(text) > limits.PEM or key.get(owner, actor_id) != actor_id:
                continue
            if len(key_id) <= limits.KEY_ID and documents.same_origin(key_id, actor_id):
                found.append(ActorKey(key_id, actor_id, algorithm, text))
    return found


class ActorStore(Protocol):
    """Where fetched actors are kept between restarts: the application's part."""

    async def get_actor(self, uri: str) -> tuple[dict[str, Any], datetime] | None:
        """An actor's document as last stored, and when it was fetched."""

    async def get_key(self, key_id: str) -> ActorKey | None:
        """A key as last stored."""

    async def put(self, actor: RemoteActor) -> None:
        """Stores an actor with its keys, in place of what was stored."""


class Clock(Protocol):
    """Tells the time."""

    def __call__(self) -> datetime:
        """Now, aware."""


@dataclass(frozen=True, slots=True)
class _Failure:
    """What went wrong, without the exception itself: that would keep a stranger's bytes alive."""

    kind: type[FederationError]
    code: str
    detail: str
    until: datetime

    def again(self) -> FederationError:
        """The same failure, anew."""
        return self.kind(self.code, self.detail)


class ActorResolver:
    """Finds actors and keys: in memory, in the store, or at their origin.

    What could not be had is not asked for again for a while, so that a stranger who names dead or
    made-up keys cannot make this server knock on doors (SIG-24).
    """

    def __init__(
        self, http: client.Client, store: ActorStore, sign: client.Sign | None, now: Clock
    ) -> None:
        self._http = http
        self._store = store
        self._sign = sign
        self._now = now
        self._loaded: OrderedDict[str, tuple[ActorKey, RSAPublicKey | Ed25519PublicKey]] = (
            OrderedDict()
        )
        self._failed: OrderedDict[str, _Failure] = OrderedDict()
        self._misses: OrderedDict[str, tuple[datetime, int]] = OrderedDict()
        self._down: OrderedDict[str, int] = OrderedDict()  # failures of a host in a row
        self._refetched: OrderedDict[str, datetime] = OrderedDict()
        self._finding: dict[str, asyncio.Event] = {}  # keys that are being asked for

    async def actor(
        self, uri: str, *, budget: client.Budget | None = None, fresh: bool = False
    ) -> RemoteActor:
        """The actor of that id, from its own origin if it is not known or must be `fresh`.

        Raises Refused, Unreachable, Gone.
        """
        documents.check_id(uri)
        if not fresh:
            stored = await self._store.get_actor(uri)
            if stored is not None:
                return from_document(stored[0])
        document = await self._fetch(uri, budget)
        actor = from_document(document)
        if actor.id != uri:
            raise Refused("other-id", f"asked for {uri}, got {actor.id}")
        await self._keep(actor)
        return actor

    async def key(
        self, key_id: str, *, budget: client.Budget | None = None
    ) -> tuple[ActorKey, RSAPublicKey | Ed25519PublicKey]:
        """The key of that id with its owner. Raises Refused, Unreachable, Gone."""
        known = self._loaded.get(key_id)
        if known is not None:
            self._loaded.move_to_end(key_id)
            return known
        stored = await self._store.get_key(key_id)
        if stored is not None:
            return self._remember(stored)
        while (found := self._finding.get(key_id)) is not None:
            await found.wait()  # somebody asks for it already
            if key_id in self._loaded:
                return self._loaded[key_id]
        return await self._find_alone(key_id, budget)

    async def key_again(
        self, key_id: str, *, budget: client.Budget | None = None
    ) -> tuple[ActorKey, RSAPublicKey | Ed25519PublicKey] | None:
        """The key as its origin has it now, since a signature did not fit (SIG-26).

        None where it was asked for again only just now. Raises Refused, Unreachable, Gone.
        """
        last = self._refetched.get(key_id)
        now = self._now()
        if last is not None and timedelta() <= now - last < timedelta(
            seconds=limits.KEY_REFETCH_INTERVAL
        ):
            return None
        if key_id in self._finding:
            return None
        _bounded(self._refetched, key_id, now)
        return await self._find_alone(key_id, budget)

    def take(self, actor: RemoteActor) -> None:
        """Goes by the keys that an actor, whose document is certain, names now, and by no others.

        A key that it changed by an Update is out from then on, not only once it is asked for again.
        """
        for key_id in [name for name, (key, _) in self._loaded.items() if key.owner == actor.id]:
            del self._loaded[key_id]
        for key in actor.keys:
            with contextlib.suppress(Refused):  # one that is no acceptable key
                self._remember(key)

    async def _find_alone(
        self, key_id: str, budget: client.Budget | None
    ) -> tuple[ActorKey, RSAPublicKey | Ed25519PublicKey]:
        """Asks for a key that nobody else is asking for, unless too much is being asked for."""
        origin = documents.origin(key_id)
        of_host = sum(documents.same_origin(other, origin) for other in self._finding)
        if len(self._finding) >= limits.KEY_FETCHES or of_host >= limits.KEY_FETCHES_OF_HOST:
            raise Unreachable("too-many-key-fetches", key_id)
        self._finding[key_id] = asyncio.Event()
        try:
            return self._remember(await self._find(key_id, budget))
        finally:
            self._finding.pop(key_id).set()

    async def _find(self, key_id: str, budget: client.Budget | None) -> ActorKey:
        """Fetches the document a key id names, and from there its owner's if it is another.

        A key may stand in its owner's document (most servers: `actor#main-key`) or in one of its
        own that names the owner (GoToSocial: `actor/main-key`).
        """
        document = await self._fetch(key_id.partition("#")[0], budget)
        owner = _owner(document, key_id)
        if owner is not None:
            if document.get("id") != owner or not document.get("inbox"):
                document = await self._fetch(owner, budget)
            actor = from_document(document)
            if actor.id != owner:
                raise Refused("other-id", f"asked for {owner}, got {actor.id}", status=401)
            await self._keep(actor)
            for key in actor.keys:
                if key.id == key_id:
                    return key
        raise Refused("key-not-named", f"{key_id} is not named by its owner", status=401)

    async def _fetch(self, url: str, budget: client.Budget | None) -> dict[str, Any]:
        origin = documents.origin(url)
        for name in (url, origin):
            failure = self._failed.get(name)
            if failure is not None:
                if self._now() < failure.until:
                    raise failure.again()
                del self._failed[name]
        try:
            document, _ = await self._http.fetch_document(
                url, limit=limits.ACTOR, sign=self._sign, budget=budget
            )
        except FederationError as error:
            if error.code != "too-many-fetches":
                self._fail(url, origin, error)
            raise
        self._down.pop(origin, None)
        return document

    def _fail(self, url: str, origin: str, error: FederationError) -> None:
        now = self._now()
        final = isinstance(error, Gone | Refused)
        seconds = limits.NEGATIVE_KEY_TIME if final else limits.NEGATIVE_HOST_TIME
        failure = _Failure(type(error), error.code, error.detail, now + timedelta(seconds=seconds))
        _bounded(self._failed, url, failure)
        # A host that fails again and again, or that too many bad addresses were named of, is left
        # alone for a moment as a whole. Not at once: it may just have been started again.
        since, misses = self._misses.get(origin, (now, 0))
        if now - since > timedelta(seconds=limits.NEGATIVE_HOST_TIME):
            since, misses = now, 0
        down = self._down.get(origin, 0) + (error.code in _OF_THE_HOST)
        _bounded(self._misses, origin, (since, misses + 1))
        _bounded(self._down, origin, down)
        if down >= limits.HOST_FAILURES or misses + 1 >= limits.MISSES_AT_HOST:
            until = now + timedelta(seconds=limits.HOST_HELD)
            whole = _Failure(Unreachable, "host-left-alone", origin, until)
            _bounded(self._failed, origin, whole)

    async def _keep(self, actor: RemoteActor) -> None:
        for key in actor.keys:
            self._loaded.pop(key.id, None)
        await self._store.put(actor)

    def _remember(self, key: ActorKey) -> tuple[ActorKey, RSAPublicKey | Ed25519PublicKey]:
        loaded = (key, key.load())
        _bounded(self._loaded, key.id, loaded)
        return loaded


def _owner(document: dict[str, Any], key_id: str) -> str | None:
    """The actor that a fetched document says the key belongs to, if it is on the key's origin."""
    if documents.type_of(document) in vocabulary.ACTOR_TYPES and document.get("inbox"):
        owner = document.get("id")
    elif isinstance(key := documents.first(document.get("publicKey")), dict):
        owner = key.get("owner")
    else:
        owner = document.get("owner", document.get("controller"))
    if isinstance(owner, str) and documents.same_origin(owner, key_id):
        return documents.check_id(owner)
    return None


def _bounded(table: "OrderedDict[str, Any]", name: str, value: Any) -> None:
    table[name] = value
    table.move_to_end(name)
    while len(table) > CACHED_KEYS:
        table.popitem(last=False)
