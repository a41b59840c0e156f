"""Likes and Announces of our listings, and Blocks of our shops: counted, and taken back.

An Announce by a neighbour's actor of a listing of a neighbour's is news of that listing: it is
fetched from where it comes from, whoever told of it.
"""

import functools
import sqlite3
from typing import Any

from federation import client, documents
from federation.errors import Refused
from node.exchange import enquiries
from node.exchange.context import Apply, Context
from node.store import followers, listings, reactions
from node.store import shops as shop_rows

KINDS = frozenset({"Like", "Announce", "Block"})


async def receive_reaction(
    context: Context, activity: dict[str, Any], actor: str, _budget: client.Budget
) -> Apply | None:
    """A Like or an Announce of a listing of ours, or a Block of a shop of ours.

    About anything else it does nothing.
    """
    kind = documents.type_of(activity) or ""
    target = documents.identifier(documents.first(activity.get("object")))
    uri = documents.check_id(activity.get("id"), fragment=True)
    if target is None:
        raise Refused("no-object", actor)
    return functools.partial(_count, context, kind, target, actor, uri)


def _count(
    context: Context, kind: str, target: str, actor: str, uri: str, db: sqlite3.Connection
) -> None:
    now = context.clock()
    if kind == "Block":
        handle = context.uris.handle_of(target)
        if handle is not None and shop_rows.get_own(db, handle) is not None:
            followers.remove(db, handle, actor)
            enquiries.count_reaction(db, target, kind, actor, uri, now)
        return
    named = context.uris.listing_of(target)
    listing = listings.get(db, named[1]) if named else None
    if listing is not None and listing.uri == target and listing.withdrawn is None:
        enquiries.count_reaction(db, target, kind, actor, uri, now)


def undo(
    actor: str, uri: str | None, kind: str | None, target: str | None, db: sqlite3.Connection
) -> None:
    """Takes back a Like, Announce or Block, named by its id or by what it was about."""
    if uri is not None:
        reactions.remove_by(db, actor, uri)
    if kind in KINDS and target is not None:
        reactions.remove(db, actor, target, kind)
