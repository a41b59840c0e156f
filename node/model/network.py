"""Nodes, actors, and what passes between them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ActorKind(StrEnum):
    """The ActivityStreams actor types a node has (design: wire profile 8.1)."""

    NODE = "Application"
    COMMUNE = "Group"
    SHOP = "Organization"


class ChangeKind(StrEnum):
    """What a number of the change sequence stands for."""

    SHOP = "shop"
    LISTING = "listing"
    POST = "post"  # news or an event


class Verb(StrEnum):
    """How a change is told to others (ActivityStreams activity types)."""

    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"


@dataclass(frozen=True, slots=True)
class LocalActor:
    """An actor of this node, with the public halves of its keys. Its handle is never reused."""

    handle: str
    kind: ActorKind
    name: str
    rsa_public_pem: str
    ed25519_public: str  # multikey, "z6Mk..."
    created: datetime
    closed: datetime | None
    moved_to: str | None = None  # the actor that goes on in its place, elsewhere
    also_known_as: tuple[str, ...] = ()  # actors elsewhere that are the same shop


@dataclass(frozen=True, slots=True)
class Change:
    """The latest number of one public object in the node's change sequence."""

    seq: int
    kind: ChangeKind
    uri: str
    deleted: bool
    updated: datetime


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What remains of a withdrawn listing or a closed shop, so that others can forget it too."""

    uri: str
    former_type: str
    deleted: datetime


class FollowState(StrEnum):
    """Where a Follow stands."""

    REQUESTED = "requested"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Freshness(StrEnum):
    """How far what came from a node can be believed, by how long it has been silent."""

    FRESH = "fresh"
    OLD = "old"  # shown, and said to be old
    HIDDEN = "hidden"  # not shown until it is heard again


@dataclass(frozen=True, slots=True)
class Peer:
    """Another node, by its host: what each asked of the other, and how well they agree."""

    host: str
    origin: str
    actor: str
    name: str
    software: str
    added: datetime | None  # when our side chose it; None while only they asked
    following: FollowState | None  # ours towards them
    follower: FollowState | None  # theirs towards us
    cursor: int  # their change sequence, read up to here
    sync_total: int | None
    sync_done: int | None
    synced: datetime | None
    heard: datetime | None
    digest_agrees: bool | None
    problem: str | None
    blocked: datetime | None
    suspended: datetime | None = None  # hidden meanwhile (node/moderation.py)
    suspended_why: str | None = None
    etag: str | None = None  # of the last reading that ended in agreement
    theirs: int | None = None  # objects it had when digests were compared last
    held: int | None = None  # and how many of them were held here


@dataclass(frozen=True, slots=True)
class Block:
    """A domain, with all below it, that the node does not speak with."""

    domain: str
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Follower:
    """Somebody who follows an actor of ours, and where they want it delivered."""

    handle: str
    uri: str
    inbox: str
    shared_inbox: str | None
    follow: str  # the id of their Follow activity
    state: FollowState
    since: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """Something one inbox must still hear, and when to try next.

    It names an object, not a message: what is sent is the object's present state. So a later
    change takes the earlier one's place, and order per object is kept by construction. Follow,
    Accept and the like, which have no object of ours behind them, carry their `body`.
    """

    id: int
    inbox: str
    host: str
    object: str
    sender: str  # handle of the local actor that signs
    verb: str
    body: str | None
    version: int
    attempts: int
    due: datetime
    added: datetime
    error: str | None


@dataclass(frozen=True, slots=True)
class Received:
    """An activity as it came in, checked and stored, not yet acted upon."""

    id: int
    actor: str
    body: bytes
    at: datetime
    attempts: int


@dataclass(frozen=True, slots=True)
class Report:
    """What another server reports: ids of ours, and why."""

    id: str
    uri: str
    actor: str
    host: str
    objects: tuple[str, ...]
    words: str
    at: datetime
    closed: datetime | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """What the last published crawl of the node's own pages found."""

    at: datetime
    pages: int
    requests: int
    outside: tuple[str, ...]  # hosts
    cookies: tuple[str, ...]
    stored: tuple[str, ...]
    browser: str | None


@dataclass(frozen=True, slots=True)
class NodeAround:
    """Another node as it describes itself, and which neighbours name it among theirs."""

    host: str
    origin: str
    name: str
    communes: tuple[str, ...]  # place ids
    mode: str  # whom it accepts as neighbours: as in the settings, or "" where it does not say
    fingerprint: str  # of the key that signs its requests
    shops: int | None
    via: tuple[str, ...]  # hosts of neighbours
    seen: datetime
