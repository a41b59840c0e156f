"""Following: neighbours by their Application actors, and everybody else by a shop's or commune's.

Between nodes both sides choose. Whoever was chosen here is accepted when it asks, and is asked in
turn; any other node waits until a steward accepts it.
"""

import functools
import sqlite3
from collections.abc import Callable
from datetime import datetime
from typing import Any

from federation import activities, client, documents
from federation.actors import RemoteActor
from federation.errors import Refused
from node import neighbours
from node.exchange import outbox, reactions, relays
from node.exchange.context import Apply, Context
from node.model import Follower, FollowState, Peer
from node.store import actors as actor_rows
from node.store import blocks, deliveries, delivery_hosts, followers, peers
from node.uris import INSTANCE, Uris

REQUESTS_MOST = 500  # nodes that ask to be neighbours, kept for a steward to look at
FOLLOWERS_OF_HOST_MOST = 20_000  # of one actor of ours
INBOXES_OF_HOST_MOST = 100  # which they want it told to

# --- what a steward does -------------------------------------------------------------------------


def ask(db: sqlite3.Connection, uris: Uris, peer: Peer, token: str, now: datetime) -> None:
    """Chooses a node as neighbour: follows it, and accepts its own request where one waits.

    Asking again sends a new Follow, for one that was lost or refused.
    """
    peers.change_added(db, peer.host, now)
    blocks.remove(db, peer.host)
    peers.change_blocked(db, peer.host, None)
    peers.change_suspended(db, peer.host, None, None)
    delivery_hosts.revive(db, peer.host)
    if peer.following is not FollowState.ACCEPTED:
        _follow(db, uris, peer, token, now)
    if peer.follower is FollowState.REQUESTED:
        _answer(db, uris, peer, "Accept", token, now)


def _follow(db: sqlite3.Connection, uris: Uris, peer: Peer, token: str, now: datetime) -> None:
    follow_id = uris.follow(token)  # never used before: the same again would be no news to them
    peers.change_following(db, peer.host, FollowState.REQUESTED, follow_id)
    follow = activities.follow(follow_id, uris.instance, peer.actor)
    outbox.send(db, follow, INSTANCE, f"{peer.origin}/inbox", now)


def _answer(
    db: sqlite3.Connection, uris: Uris, peer: Peer, verb: str, token: str, now: datetime
) -> None:
    _, theirs = peers.follow_ids(db, peer.host)
    if theirs is None:
        return
    state = FollowState.ACCEPTED if verb == "Accept" else FollowState.REJECTED
    peers.change_follower(db, peer.host, state, theirs)
    asked = activities.follow(theirs, peer.actor, uris.instance)
    answer = activities.answer(verb, uris.answer(verb, token), uris.instance, asked, to=peer.actor)
    outbox.send(db, answer, INSTANCE, f"{peer.origin}/inbox", now)


def accept_again(
    db: sqlite3.Connection, uris: Uris, new_token: Callable[[], str], now: datetime
) -> int:
    """Tells every neighbour anew that its request is accepted; returns how many.

    That changes nothing between them, but whoever hears it reads our change sequence at once.
    """
    told = peers.find_followers(db)
    for peer in told:
        _answer(db, uris, peer, "Accept", new_token(), now)
    return len(told)


def leave(db: sqlite3.Connection, uris: Uris, peer: Peer, token: str, now: datetime) -> None:
    """Ends being neighbours: forgets what came from the other side, and tells it."""
    ours, theirs = peers.follow_ids(db, peer.host)
    neighbours.forget(db, peer.host, now)
    ended = []
    if ours is not None:
        ended.append(("Undo", activities.follow(ours, uris.instance, peer.actor)))
    if theirs is not None:
        ended.append(("Reject", activities.follow(theirs, peer.actor, uris.instance)))
    for verb, follow in ended:
        activity = activities.answer(
            verb, uris.answer(verb, token), uris.instance, follow, to=peer.actor
        )
        outbox.send(db, activity, INSTANCE, f"{peer.origin}/inbox", now)


# --- what comes in -------------------------------------------------------------------------------


async def receive_follow(
    context: Context, activity: dict[str, Any], actor: str, budget: client.Budget
) -> Apply | None:
    """A Follow of the node (a neighbour's request), of a shop or of the commune."""
    target = documents.identifier(documents.first(activity.get("object")))
    handle = context.uris.handle_of(target) if target else None
    if handle is None:
        raise Refused("not-ours", f"Follow of {target}")
    who = await context.resolver.actor(actor, budget=budget)
    follow_id = documents.check_id(activity.get("id"), fragment=True)
    token = context.new_id()
    if handle == INSTANCE:
        return functools.partial(_follow_of_node, context, who, follow_id, token)
    return functools.partial(_follow_of_actor, context, handle, who, follow_id, token)


def _follow_of_node(
    context: Context, who: RemoteActor, follow_id: str, token: str, db: sqlite3.Connection
) -> None:
    now = context.clock()
    if who.type != "Application":
        # People follow shops; told so, they do not wait for an answer.
        if who.inbox is not None:
            asked = activities.follow(follow_id, who.id, context.uris.instance)
            reject = activities.answer(
                "Reject",
                context.uris.answer("Reject", token),
                context.uris.instance,
                asked,
                to=who.id,
            )
            outbox.send(db, reject, INSTANCE, who.inbox, now)
        return
    origin = documents.origin(who.id)
    _, host, _ = documents.address(who.id)
    peer = peers.get_by_actor(db, who.id)
    if peer is None:
        if peers.count_requests(db) >= REQUESTS_MOST:
            raise Refused("too-many-requests", f"{host} asks to be a neighbour")
        peers.add(db, host, origin, who.id, who.name or host, "")
        peer = peers.get(db, host)
    if peer is None or peer.blocked is not None or peer.actor != who.id:
        return
    peers.change_follower(db, host, FollowState.REQUESTED, follow_id)
    if peer.added is not None or context.accept_any_node:
        _answer(db, context.uris, peer, "Accept", token, now)
        if peer.following in (None, FollowState.REJECTED):
            _follow(db, context.uris, peer, token, now)


def _follow_of_actor(
    context: Context,
    handle: str,
    who: RemoteActor,
    follow_id: str,
    token: str,
    db: sqlite3.Connection,
) -> None:
    local = actor_rows.get(db, handle)
    if local is None or local.closed is not None:
        raise Refused("not-ours", f"Follow of {handle}")
    if who.inbox is None:
        raise Refused("no-inbox", f"{who.id} has no inbox on its own origin")
    now = context.clock()
    _, host, _ = documents.address(who.inbox)
    if followers.get(db, handle, who.id) is None:
        people, inboxes = followers.count_of_host(db, handle, host)
        if people >= FOLLOWERS_OF_HOST_MOST or (
            # Each inbox is a delivery of everything that is told; a shared one is one for all.
            inboxes >= INBOXES_OF_HOST_MOST
            and not followers.is_told(db, handle, who.shared_inbox or who.inbox)
        ):
            raise Refused("too-many-followers", f"{host} of {handle}")
    follower = Follower(
        handle=handle,
        uri=who.id,
        inbox=who.inbox,
        shared_inbox=who.shared_inbox,
        follow=follow_id,
        state=FollowState.ACCEPTED,
        since=now,
    )
    followers.add(db, follower, host)
    uri = context.uris.actor(handle)
    asked = activities.follow(follow_id, who.id, uri)
    accept = activities.answer("Accept", f"{uri}#accepts/{token}", uri, asked, to=who.id)
    outbox.send(db, accept, handle, who.inbox, now)


async def receive_answer(
    context: Context, activity: dict[str, Any], actor: str, _budget: client.Budget
) -> Apply | None:
    """An Accept or Reject of our Follow; of anything else, or by anybody else, it does nothing."""
    accepted = documents.type_of(activity) == "Accept"
    return functools.partial(
        _answered,
        context,
        actor,
        documents.identifier(documents.first(activity.get("object"))),
        accepted,
    )


def _answered(
    context: Context, actor: str, follow_id: str | None, accepted: bool, db: sqlite3.Connection
) -> None:
    if relays.answered(db, actor, follow_id, accepted=accepted):
        return
    peer = peers.get_by_actor(db, actor)
    if peer is None or peer.following is None:
        return
    ours, _ = peers.follow_ids(db, peer.host)
    # A Reject that ends a relation may come without an id, long after the Follow was accepted.
    if follow_id != ours and (accepted or follow_id is not None):
        return
    now = context.clock()
    if accepted:
        peers.change_following(db, peer.host, FollowState.ACCEPTED, ours)
        peers.want_sync(db, peer.host, now)
    else:
        peers.change_following(db, peer.host, FollowState.REJECTED, ours)
        neighbours.remove_shops(db, peer.host)


async def receive_undo(
    context: Context, activity: dict[str, Any], actor: str, _budget: client.Budget
) -> Apply | None:
    """The Undo of a Follow, by its own actor. Undoing anything else does nothing here."""
    undone = documents.first(activity.get("object"))
    target = None
    if isinstance(undone, dict):
        kind = documents.type_of(undone)
        if kind in reactions.KINDS and documents.identifier(undone.get("actor")) in (actor, None):
            about = documents.identifier(documents.first(undone.get("object")))
            return functools.partial(
                reactions.undo, actor, documents.identifier(undone), kind, about
            )
        if undone.get("type") != "Follow" or documents.identifier(undone.get("actor")) not in (
            actor,
            None,
        ):
            return None
        target = documents.identifier(undone.get("object"))
    return functools.partial(_undone, context, actor, documents.identifier(undone), target)


def _undone(
    context: Context,
    actor: str,
    follow_id: str | None,
    target: str | None,
    db: sqlite3.Connection,
) -> None:
    peer = peers.get_by_actor(db, actor)
    if peer is not None and target in (context.uris.instance, None):
        _, theirs = peers.follow_ids(db, peer.host)
        if theirs is not None and follow_id in (theirs, None):
            peers.change_follower(db, peer.host, None, None)
            deliveries.remove_host(db, peer.host, context.clock())
            return
    handle = context.uris.handle_of(target) if target else None
    if handle is not None:
        followers.remove(db, handle, actor)
    elif follow_id is not None:
        followers.remove_by_follow(db, actor, follow_id)
        reactions.undo(actor, follow_id, None, None, db)
