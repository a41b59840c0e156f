"""The table of what is received, and how one received activity is acted upon.

An activity is first prepared, which may fetch what it names, and then applied together with its
"done" in one write. Whose it is was made sure of at the door; here it is checked what its
author may do: speak of its own objects, on its own origin, and only where it is heard at all.
"""

import functools
import itertools
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from federation import actors, client, documents
from federation.errors import FederationError, Gone, Refused, Unreachable
from node import catalogue, neighbours, shops
from node import news as posts_here
from node.exchange import (
    adapters,
    enquiries,
    featured,
    follows,
    joins,
    moves,
    reactions,
    reports,
    terms,
    values,
)
from node.exchange import listings_read as listing_documents
from node.exchange import news as news_documents
from node.exchange import shops as shop_documents
from node.exchange.context import Apply, Context
from node.exchange.recording import Batch, RecordListing, UnknownShop, is_by
from node.model import Received, Shop
from node.store import (
    database,
    followers,
    listings,
    peers,
    posts,
    received,
    remote_actors,
)
from node.store import enquiries as answers
from node.store import reactions as reaction_rows
from node.store import shops as shop_rows
from node.store.times import stamp

TRIES = 5

Handler = Callable[[Context, dict[str, Any], str, client.Budget], Awaitable[Apply | None]]

log = logging.getLogger("echoppe.inbox")


# --- listings and shops --------------------------------------------------------------------------


async def receive_object(
    context: Context, activity: dict[str, Any], actor: str, budget: client.Budget
) -> Apply | None:
    """A Create or Update of a listing, or an Update of a shop's actor by itself.

    An object named by its id alone is fetched from its origin. One that is embedded counts only
    if its author is the activity's actor.
    """
    found = documents.first(activity.get("object"))
    if isinstance(found, str):
        uri = documents.check_id(found)
        if not documents.same_origin(uri, actor):
            raise Refused("foreign-object", f"{uri} told by {actor}")
        if not neighbours.is_heard(await context.database.read(peers.get, _host(actor))):
            return None  # strangers do not make us fetch
        found, _ = await context.http.fetch_document(uri, sign=context.sign, budget=budget)
    if not isinstance(found, dict):
        raise Refused("no-object", actor)
    return record(context, _dated(context, activity, found), actor)


def _dated(context: Context, activity: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """An object with its `updated`: Flohmarkt's Update has none, and is no news without."""
    if activity.get("type") != "Update" or "updated" in found:
        return found
    return {**found, "updated": stamp(context.clock())}


def record(context: Context, found: dict[str, Any], author: str) -> Apply | None:
    """What to write for a document whose author is certain; None for kinds that are not kept.

    What is returned raises UnknownShop where the author's shop must be fetched first. It writes
    nothing for an author who is not heard here. Raises Refused.
    """
    kind = documents.type_of(found)
    uri = documents.check_id(found.get("id"))
    now = context.clock()
    if kind == "Organization":
        if uri != author:
            raise Refused("not-the-author", f"{uri} told by {author}")
        actor = actors.from_document(found)
        if found.get("suspended") is True:  # its own node hides it until further notice
            context.resolver.take(actor)
            return functools.partial(_hide_shop, uri)
        shop = shop_documents.from_document(found, _host(uri), context.new_id(), now)
        context.resolver.take(actor)
        return functools.partial(_record_shop, actor, shop, now)
    if kind not in ("Note", "Event"):
        return None
    if not is_by(found, author):
        raise Refused("not-the-author", f"{uri} told by {author}")
    if terms.is_post(found):
        told = news_documents.from_document(found, author, _host(uri), context.new_id(), now)
        return functools.partial(_record_post, told, now)
    answered = enquiries.about(found)
    if answered is not None and documents.same_origin(answered, context.uris.origin):
        return enquiries.receive(context, found, author)
    return RecordListing(found, author, listing_documents.local_id(context.new_id(), now), now)


def _record_post(told: news_documents.Told, now: datetime, db: sqlite3.Connection) -> None:
    """Writes a neighbour's news or event. Raises UnknownShop."""
    peer = peers.get(db, _host(told.post.actor))
    if peer is None or not neighbours.is_heard(peer):
        return
    shop = shop_rows.get_by_uri(db, told.post.actor)
    if shop is None and told.by_shop:
        raise UnknownShop(told.post.actor)
    if shop is None or shop.peer is not None:
        posts_here.record_remote(db, told.of(shop, peer.name), now)


async def fetch_shop(context: Context, uri: str, budget: client.Budget) -> Apply:
    """What to write for a shop that is not known yet, from its own origin.

    Whoever sells on a market node of another kind is a Person there (Flohmarkt).
    """
    found = (await context.resolver.actor(uri, budget=budget)).document
    if found.get("suspended") is True:
        raise Refused("suspended", uri)
    if documents.type_of(found) == "Person":
        found = {**found, "type": "Organization"}
    apply = record(context, found, uri)
    if apply is None:
        raise Refused("not-a-shop", uri)
    return apply


def _hide_shop(uri: str, db: sqlite3.Connection) -> None:
    if neighbours.is_heard(peers.get(db, _host(uri))):
        shops.remove_remote(db, uri)


def _record_shop(
    actor: actors.RemoteActor, shop: Shop, now: datetime, db: sqlite3.Connection
) -> None:
    if neighbours.is_heard(peers.get(db, _host(shop.uri))):
        adapters.keep(db, actor, now)
        shops.record_remote(db, shop)


async def receive_announce(
    context: Context, activity: dict[str, Any], actor: str, budget: client.Budget
) -> Apply | None:
    """An Announce: of a listing of ours it is counted; of another's, told by somebody who is heard
    here, the listing is fetched from where it comes from. What is embedded is never believed."""
    uri = documents.identifier(documents.first(activity.get("object")))
    if uri is None:
        raise Refused("no-object", actor)
    if documents.same_origin(uri, context.uris.origin):
        return await reactions.receive_reaction(context, activity, actor, budget)
    heard = await context.database.read(_both_heard, actor, documents.check_id(uri))
    if not heard:
        return None  # strangers do not make us fetch
    found, _ = await context.http.fetch_document(uri, sign=context.sign, budget=budget)
    author = documents.identifier(documents.first(found.get("attributedTo")))
    if found.get("id") != uri or author is None:
        return None  # an activity, for those who read no objects
    return record(context, found, author)


def _both_heard(db: sqlite3.Connection, actor: str, uri: str) -> bool:
    return all(neighbours.is_heard(peers.get(db, _host(one))) for one in (actor, uri))


async def receive_delete(
    context: Context, activity: dict[str, Any], actor: str, _budget: client.Budget
) -> Apply | None:
    """A Delete of a listing by its shop, of a shop by itself, or of any other actor by itself."""
    return delete(context, activity, actor)


def delete(context: Context, activity: dict[str, Any], actor: str) -> Apply:
    """What to write for a Delete. Raises Refused."""
    uri = documents.identifier(documents.first(activity.get("object")))
    if uri is None:
        raise Refused("no-object", actor)
    if not documents.same_origin(documents.check_id(uri, fragment=True), actor):
        raise Refused("foreign-object", f"{uri} deleted by {actor}", status=403)
    found = documents.first(activity.get("object"))
    now = context.clock()
    deleted = values.plausible(found.get("deleted"), now) if isinstance(found, dict) else None
    return functools.partial(remove, uri, actor, now, deleted)


def remove(
    uri: str, actor: str, now: datetime, deleted: datetime | None, db: sqlite3.Connection
) -> None:
    """Removes an object of another node, if its author, or that node itself, says so.

    `deleted` is when it ended, where they tell.
    """
    peer = peers.get(db, _host(actor))
    by_node = peer is not None and peer.actor == actor
    post = posts.get_by_uri(db, uri)
    if post is not None:
        if post.peer is not None and (post.actor == actor or by_node):
            posts_here.remove_remote(db, uri, now, deleted)
        return
    shop = shop_rows.get_by_uri(db, uri)
    listing = listings.get_by_uri(db, uri)
    if shop is not None:
        if shop.peer is not None and (uri == actor or by_node):
            shops.remove_remote(db, uri)
    elif listing is not None:
        owner = shop_rows.get(db, listing.shop)
        if owner is not None and owner.peer is not None and (owner.uri == actor or by_node):
            catalogue.remove_remote(db, uri, now, deleted)
    elif neighbours.is_heard(peer):
        # Not here yet: the Create may still be on its way.
        catalogue.remove_remote(db, uri, now, deleted)
    if shop is None and listing is None and uri != actor:
        answers.remove_by(db, actor, uri)
        reaction_rows.remove_by(db, actor, uri)
    if uri == actor:
        followers.remove_everywhere(db, uri)
        answers.remove_by(db, uri)
        reaction_rows.remove_by(db, uri)
        remote_actors.remove(db, uri)


def _host(uri: str) -> str:
    return documents.address(uri)[1]


# --- the table -----------------------------------------------------------------------------------

HANDLERS: dict[str, Handler] = {
    "Create": receive_object,
    "Update": receive_object,
    "Delete": receive_delete,
    "Follow": follows.receive_follow,
    "Accept": follows.receive_answer,
    "Reject": follows.receive_answer,
    "Undo": follows.receive_undo,
    "Announce": receive_announce,
    "Like": reactions.receive_reaction,
    "Block": reactions.receive_reaction,
    "Offer": enquiries.receive_offer,
    "Join": joins.receive_join,
    "Add": featured.receive_pin,
    "Remove": featured.receive_pin,
    "Flag": reports.receive_flag,
    "Move": moves.receive_move,
}


@dataclass(frozen=True, slots=True)
class Work:
    """A received activity, and what to write for it, or why nothing can be written."""

    row: Received
    applies: tuple[Apply, ...] = ()
    error: Exception | None = None


def prepare_at_once(
    context: Context, row: Received, activity: dict[str, Any] | None = None
) -> Work | None:
    """What `prepare` gives, for what can be read without asking anybody; None for the rest.

    That is nearly all there is: objects that are told in full, and what is deleted. `activity` is
    what the row says, where that is at hand.
    """
    try:
        if activity is None:
            activity = documents.parse(row.body)
        kind = documents.type_of(activity) or ""
        if kind not in HANDLERS:
            return Work(row)
        if kind == "Delete":
            apply: Apply | None = delete(context, activity, row.actor)
        elif kind in ("Create", "Update") and isinstance(activity.get("object"), dict):
            apply = record(context, _dated(context, activity, activity["object"]), row.actor)
        else:
            return None
        return Work(row, () if apply is None else (apply,))
    except Exception as error:
        return Work(row, error=error)


async def prepare(context: Context, row: Received) -> Work:
    """Reads a received activity and fetches what it names; what goes wrong is in the answer."""
    try:
        activity = documents.parse(row.body)
        handler = HANDLERS.get(documents.type_of(activity) or "")
        if handler is None:
            return Work(row)
        apply = await handler(context, activity, row.actor, client.Budget())
        return Work(row, () if apply is None else (apply,))
    except Exception as error:
        return Work(row, error=error)


async def apply(context: Context, works: Sequence[Work]) -> list[tuple[Work, Exception]]:
    """Writes works in one transaction, in their order, each with its "done".

    Each is undone alone if it fails. Returns those that could not be written, and why.
    """
    failures: list[Exception | None]
    try:
        failures = await context.database.write(_apply_together, works, context.clock())
    except Exception:  # nothing of them was written: whatever it is, it must not fail the others
        failures = await context.database.write(_apply_each, works, context.clock())
    return [(work, error) for work, error in zip(works, failures, strict=True) if error is not None]


async def settle(context: Context, work: Work, error: Exception) -> None:
    """What becomes of an activity that could not be acted upon at once.

    What is refused is done with: its author did wrong, and will not do better. What cannot be
    fetched now is tried again later. What breaks our own code is set aside after TRIES tries.
    """
    row = work.row
    try:
        if not isinstance(error, UnknownShop):
            raise error
        shop = await fetch_shop(context, error.uri, client.Budget())
        for _, failure in await apply(context, [Work(row, (shop, *work.applies))]):
            raise failure
    except (Refused, Gone) as refusal:
        log.info("activity refused", extra=_fields(row, refusal))
        await context.database.write(received.wipe, row.id)
    except Unreachable as trouble:
        log.info("activity waits", extra=_fields(row, trouble))
        await _try_later(context, row, str(trouble), minutes=2**row.attempts)
    except Exception as fault:
        log.exception("activity cannot be handled", extra={"actor_host": _host(row.actor)})
        await _try_later(context, row, f"{type(fault).__name__}: {fault}", minutes=row.attempts)


def _apply_together(
    db: sqlite3.Connection, works: Sequence[Work], now: datetime
) -> list[Exception | None]:
    """Raises where listings that came in a row cannot be written together."""
    failures: list[Exception | None] = []
    for are_listings, run in itertools.groupby(works, key=_is_listing):
        if are_listings:
            failures += _apply_listings(db, list(run), now)
        else:
            failures += [_apply_one(db, work) for work in run]
    return _note_lives(db, works, failures, now)


def _apply_each(
    db: sqlite3.Connection, works: Sequence[Work], now: datetime
) -> list[Exception | None]:
    return _note_lives(db, works, [_apply_one(db, work) for work in works], now)


def _note_lives(
    db: sqlite3.Connection,
    works: Sequence[Work],
    failures: list[Exception | None],
    now: datetime,
) -> list[Exception | None]:
    heard = {work.row.actor for work, error in zip(works, failures, strict=True) if error is None}
    for host in set(map(_host, heard)):
        neighbours.note_life(db, host, now)
    return failures


def _is_listing(work: Work) -> bool:
    return (
        work.error is None and len(work.applies) == 1 and isinstance(work.applies[0], RecordListing)
    )


def _apply_one(db: sqlite3.Connection, work: Work) -> Exception | None:
    if work.error is not None:
        return work.error
    try:
        with database.savepoint(db):
            for write in work.applies:
                write(db)
                if isinstance(write, enquiries.TakeReply) and write.is_private:
                    received.wipe(db, work.row.id)
            received.remove(db, work.row.id)
    except Exception as failure:
        return failure
    return None


def _apply_listings(
    db: sqlite3.Connection, works: Sequence[Work], now: datetime
) -> list[Exception | None]:
    records = [one for work in works for one in work.applies if isinstance(one, RecordListing)]
    failures = Batch(records).write(db, now)
    done = [work.row.id for work, error in zip(works, failures, strict=True) if error is None]
    received.remove(db, *done)
    return failures


async def _try_later(context: Context, row: Received, why: str, minutes: float) -> None:
    if row.attempts + 1 >= TRIES:
        await context.database.write(received.set_aside, row.id, why)
    else:
        due = context.clock() + timedelta(minutes=minutes)
        await context.database.write(received.change_due, row.id, due, why)


def _fields(row: Received, error: FederationError) -> dict[str, str]:
    return {"actor_host": _host(row.actor), "code": error.code, "detail": error.detail[:200]}
