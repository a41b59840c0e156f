"""What people on other servers do, in the words of their servers, and what they are told."""

import uuid
from typing import Any

from tests import neighbours
from tests.hostile.arena import Arena
from tests.hostile.stub import PUBLIC, Actor, Document

__all__ = ["Actor", "Document"]

SHOP = "fleurs"


def shop(arena: Arena) -> str:
    """The id of the node's own shop."""
    return f"{arena.town.url}/users/{SHOP}"


def told(actor: Actor, kind: str, about: str | None = None) -> list[Document]:
    """What was delivered to an actor's server of one kind, about an id."""
    found = actor.stub.deliveries(kind)
    return [one for one in found if about in (None, _id(one["object"]))]


def wait(actor: Actor, kind: str, about: str | None = None) -> Document:
    """The first of those, once it came."""
    return neighbours.eventually(lambda: told(actor, kind, about))[0]


def _id(value: Any) -> Any:
    return value.get("id") if isinstance(value, dict) else value


def follow(arena: Arena, actor: Actor, target: str) -> None:
    """Has somebody follow, and waits until it is accepted."""
    asked = actor.activity("Follow", target)
    assert arena.post(actor, asked).status == 202
    wait(actor, "Accept", asked["id"])


def reply(actor: Actor, answered: str, words: str, *recipients: str, **changed: Any) -> Document:
    """A note that answers another, for those recipients or for everybody."""
    return {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"{actor.uri}/statuses/{uuid.uuid4()}",
        "type": "Note",
        "attributedTo": actor.uri,
        "inReplyTo": answered,
        "to": list(recipients) or [PUBLIC],
        "cc": [],
        "content": f"<p>{words}</p>",
        **changed,
    }


def say(arena: Arena, actor: Actor, kind: str, obj: Any, **changed: Any) -> Document:
    """Posts an activity, which is taken; returns it."""
    activity = actor.activity(kind, obj, **changed)
    assert arena.post(actor, activity).status == 202
    return activity


def tell(arena: Arena, actor: Actor, note: Document) -> None:
    """Posts a note to whom it is for."""
    say(arena, actor, "Create", note, to=note["to"])


def enquiries(arena: Arena, actor: Actor) -> list[Document]:
    """What the shop finds in its mailbox of somebody."""
    found = arena.town.run("enquiry", "list", SHOP)
    return [one for one in found if one["actor"] == actor.uri]


def reports(arena: Arena, actor: Actor) -> list[Document]:
    """What waits for the steward and came from somebody."""
    host = actor.stub.authority
    return [one for one in arena.town.run("report", "list") if one["from"] == host]


def count(arena: Arena, listing: str, what: str) -> int:
    """How many replies, likes or shares the node says that a listing has."""
    return int(arena.get(f"{listing.removeprefix(arena.town.url)}/{what}")["totalItems"])


def listing(arena: Arena, name: str, *more: str) -> Document:
    """Publishes a listing of the node's own shop."""
    return arena.town.run("listing", "add", SHOP, "--name", name, "--price", "4.20", *more)
