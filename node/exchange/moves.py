"""An actor that goes on elsewhere: Move, believed only where both ends say so.

The old actor must name the new one (`movedTo`), and the new one the old (`alsoKnownAs`), each in
its own document, asked for anew at its own origin.
"""

import functools
import sqlite3
from datetime import datetime
from typing import Any

from federation import activities, client, documents, vocabulary
from federation.actors import RemoteActor
from federation.errors import FederationError, Refused
from node import errors, moderation, neighbours, shops
from node.exchange import adapters, follows, outbox
from node.exchange import shops as shop_documents
from node.exchange.context import Apply, Context
from node.model import Shop
from node.store import actors as actor_rows
from node.store import followers, peers
from node.store import shops as shop_rows

ALIASES_READ = 20

# --- what comes in -------------------------------------------------------------------------------


async def receive_move(
    context: Context, activity: dict[str, Any], actor: str, budget: client.Budget
) -> Apply | None:
    """The Move of a neighbour's node or shop: what we follow is followed where it goes on.

    Of anybody else it does nothing here: who follows our shops from a new place says so from
    there. Raises Refused where one of both ends does not say so.
    """
    old = documents.identifier(documents.first(activity.get("object")))
    new = documents.identifier(documents.first(activity.get("target")))
    if old != actor or new is None:
        raise Refused("not-its-own-move", f"{old} moved by {actor}")
    documents.check_id(new)
    peer = await context.database.read(peers.get_by_actor, actor)
    shop = await context.database.read(shop_rows.get_by_uri, actor)
    if peer is None and (shop is None or shop.peer is None):
        return None
    left = await context.resolver.actor(old, budget=budget, fresh=True)
    if documents.identifier(left.document.get("movedTo")) != new:
        raise Refused("move-not-confirmed", f"{old} does not name {new}")
    target = await context.resolver.actor(new, budget=budget, fresh=True)
    if old not in documents.strings(target.document.get("alsoKnownAs"), ALIASES_READ):
        raise Refused("move-not-confirmed", f"{new} does not name {old}")
    if peer is not None:
        return functools.partial(_move_node, context, old, target, context.new_id())
    return functools.partial(_move_shop, context, old, target, context.new_id())


def _move_node(
    context: Context, old: str, target: RemoteActor, token: str, db: sqlite3.Connection
) -> None:
    peer = peers.get_by_actor(db, old)
    _, host, _ = documents.address(target.id)
    if peer is None or peer.following is None or target.type != "Application":
        return
    if peer.blocked is not None or moderation.find_block(db, host) is not None:
        return
    now = context.clock()
    known = peers.get(db, host)
    if known is None:
        name = target.name or peer.name
        peers.add(db, host, documents.origin(target.id), target.id, name, peer.software)
        known = peers.get(db, host)
    if known is None or known.actor != target.id or known.suspended is not None:
        return  # a suspension is the steward's to lift
    if peer.added is not None:
        follows.ask(db, context.uris, known, token, now)
    follows.leave(db, context.uris, peer, f"{token}-left", now)


def _move_shop(
    context: Context, old: str, target: RemoteActor, shop_id: str, db: sqlite3.Connection
) -> None:
    _, host, _ = documents.address(target.id)
    if not neighbours.is_heard(peers.get(db, host)):
        return
    now = context.clock()
    shop = shop_documents.from_document(target.document, host, shop_id, now)
    adapters.keep(db, target, now)
    shops.record_remote(db, shop)
    shops.remove_remote(db, old)


# --- what a steward does -------------------------------------------------------------------------


def add_alias(db: sqlite3.Connection, shop: Shop, alias: str, now: datetime) -> None:
    """Says that a shop of ours is also known as an actor elsewhere, which may then move to it."""
    actor = actor_rows.get(db, shop.handle)
    if actor is None or alias in actor.also_known_as:
        return
    if len(actor.also_known_as) >= ALIASES_READ:
        raise errors.Conflict("too-many-aliases", f"A shop has at most {ALIASES_READ} aliases.")
    actor_rows.change_aliases(db, shop.handle, (*actor.also_known_as, alias))
    shops.touch(db, shop, now)


async def check_target(http: client.Client, shop_uri: str, target: str) -> None:
    """Returns if an actor elsewhere says that it is this shop. Raises errors.Invalid."""
    try:
        document, _ = await http.fetch_document(documents.check_id(target))
    except FederationError as error:
        raise errors.Invalid("no-actor-there", f"{target} cannot be read ({error.code}).") from None
    if shop_uri not in documents.strings(document.get("alsoKnownAs"), ALIASES_READ):
        raise errors.Invalid(
            "not-an-alias",
            f"{target} does not say that it is {shop_uri}. Say it there first: "
            f"echoppe shop alias HANDLE {shop_uri}",
        )


def move(db: sqlite3.Connection, shop: Shop, target: str, token: str, now: datetime) -> None:
    """Says that a shop of ours goes on elsewhere, to all who follow it and to the neighbours."""
    actor_rows.change_moved(db, shop.handle, target)
    shops.touch(db, shop, now)
    activity = activities.activity(
        "Move",
        f"{shop.uri}#move/{token}",
        shop.uri,
        shop.uri,
        to=[vocabulary.PUBLIC],
        cc=[f"{shop.uri}/followers"],
    )
    activity["target"] = target
    inboxes = {inbox for inbox, _ in followers.find_inboxes(db, shop.handle)}
    inboxes |= {f"{peer.origin}/inbox" for peer in peers.find_followers(db)}
    for inbox in sorted(inboxes):
        outbox.send(db, activity, shop.handle, inbox, now)
