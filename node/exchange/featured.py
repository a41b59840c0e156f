"""What a shop pins: Add and Remove of its `featured` collection, out and in."""

import functools
import sqlite3
from datetime import datetime
from typing import Any

from federation import activities, client, documents, vocabulary
from federation.errors import Refused
from node import catalogue, errors, neighbours
from node.exchange import outbox
from node.exchange.context import Apply, Context
from node.model import Listing, Shop
from node.store import featured, followers, listings, peers
from node.store import shops as shop_rows
from node.uris import Uris

PINS_MOST = 5  # as Mastodon shows


def collection(uris: Uris, handle: str) -> str:
    """The id of what an actor of ours pins."""
    return f"{uris.actor(handle)}/collections/featured"


async def receive_pin(
    context: Context, activity: dict[str, Any], actor: str, budget: client.Budget
) -> Apply | None:
    """An Add to or Remove from the `featured` of a neighbour's shop, by that shop itself."""
    target = documents.identifier(documents.first(activity.get("target")))
    uri = documents.identifier(documents.first(activity.get("object")))
    if uri is None:
        raise Refused("no-object", actor)
    if not neighbours.is_heard(await context.database.read(peers.get, documents.address(actor)[1])):
        return None
    known = await context.resolver.actor(actor, budget=budget)
    if target is None or target != documents.identifier(known.document.get("featured")):
        return None  # some other collection
    adding = documents.type_of(activity) == "Add"
    return functools.partial(_pin, actor, uri, adding, context.clock())


def _pin(actor: str, uri: str, adding: bool, now: datetime, db: sqlite3.Connection) -> None:
    shop = shop_rows.get_by_uri(db, actor)
    listing = listings.get_by_uri(db, uri)
    if shop is None or shop.peer is None or listing is None or listing.shop != shop.id:
        return
    if not adding:
        featured.remove(db, listing.id)
    elif len(featured.find(db, shop.id)) < PINS_MOST:
        featured.add(db, shop.id, listing.id, now)


def change(
    db: sqlite3.Connection, uris: Uris, listing_id: str, token: str, now: datetime, *, pin: bool
) -> Listing:
    """Pins a listing of ours, or takes its pin away, and tells followers and neighbours.

    Raises errors.NotFound, and errors.Conflict where too many are pinned.
    """
    listing = catalogue.get_on_show(db, listing_id)
    shop = shop_rows.get(db, listing.shop)
    if shop is None or shop.peer is not None:
        raise errors.NotFound("unknown-listing", f"{listing_id} is not a listing of this node.")
    pinned = featured.find(db, shop.id)
    if pin == (listing.id in pinned):
        return listing
    if pin and len(pinned) >= PINS_MOST:
        raise errors.Conflict("too-many-pins", f"A shop pins at most {PINS_MOST} listings.")
    if pin:
        featured.add(db, shop.id, listing.id, now)
    else:
        featured.remove(db, listing.id)
    _tell(db, uris, shop, listing, "Add" if pin else "Remove", token, now)
    return listing


def _tell(
    db: sqlite3.Connection,
    uris: Uris,
    shop: Shop,
    listing: Listing,
    verb: str,
    token: str,
    now: datetime,
) -> None:
    activity = activities.activity(
        verb,
        f"{shop.uri}#{verb.lower()}/{token}",
        shop.uri,
        listing.uri,
        to=[vocabulary.PUBLIC],
        cc=[f"{shop.uri}/followers"],
    )
    activity["target"] = collection(uris, shop.handle)
    inboxes = {f"{peer.origin}/inbox" for peer in peers.find_followers(db)}
    if listing.announce:  # whom it was shown to
        inboxes |= {inbox for inbox, _ in followers.find_inboxes(db, shop.handle)}
    for inbox in sorted(inboxes):
        outbox.send(db, activity, shop.handle, inbox, now)
