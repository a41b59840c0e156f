"""What neighbours hold of our listings, asked for by a node that was put back from a backup.

What was published or changed after the backup is lost here, and still on show at the neighbours.
They are believed, being chosen; they tell no photo, no stock and no reduction.
"""

import dataclasses
import logging
import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from federation import client, documents
from federation.errors import FederationError, Refused
from node import catalogue, errors
from node.exchange import listings as listing_documents
from node.exchange import listings_read, terms
from node.exchange.outbox import SEQUENCE_PAGE_BYTES, encode
from node.model import Availability, Listing, Offer, Peer, Shop
from node.store import database, listings, places, shops, tombstones
from node.uris import Uris

log = logging.getLogger("echoppe.held")

PAGES = 2000  # of one neighbour
BYTES = 128 * 1024 * 1024  # of all that one neighbour tells
ITEMS_IN_PAGE = 100


def page(db: sqlite3.Connection, uris: Uris, peer: Peer, after: str) -> dict[str, Any]:
    """What is held here of a neighbour's listings, in the order of their ids, those behind `after`;
    the ones that it deleted as Tombstones."""
    live = {one.uri: one for one in listings.find_page_of_peer(db, peer.host, after, ITEMS_IN_PAGE)}
    known = sorted({*live, *tombstones.find_page(db, peer.origin, after, ITEMS_IN_PAGE)})
    items: list[dict[str, Any]] = []
    size = 0
    for uri in known[:ITEMS_IN_PAGE]:
        item: dict[str, Any] = {"id": uri, "type": "Tombstone"}
        shop = shops.get(db, live[uri].shop) if uri in live else None
        if shop is not None:
            place = None if shop.place is None else places.get(db, shop.place)
            item = listing_documents.held_copy(live[uri], shop, place)
        size += len(encode(item))
        if size > SEQUENCE_PAGE_BYTES and items:
            break
        items.append(item)
    first = f"{uris.instance}/held?of={quote(peer.host)}"
    found: dict[str, Any] = {
        "@context": terms.LISTING_CONTEXT,
        "id": f"{first}&after={quote(after, safe='')}",
        "type": "OrderedCollectionPage",
        "orderedItems": items,
    }
    if items and items[-1]["id"] != known[-1]:
        found["next"] = f"{first}&after={quote(str(items[-1]['id']), safe='')}"
    return found


@dataclass(frozen=True, slots=True)
class Told:
    """What a neighbour told, or why it did not."""

    host: str
    items: tuple[dict[str, Any], ...]
    trouble: str | None = None


@dataclass(slots=True)
class Back:
    """How many listings came back, were changed or withdrawn, and which could not be used."""

    added: int = 0
    changed: int = 0
    withdrawn: int = 0
    refused: int = 0


async def ask(http: client.Client, uris: Uris, peer: Peer) -> Told:
    """All that a neighbour holds of ours. Trouble is told, not raised: others may know more."""
    first = f"{peer.origin}/users/instance/held?of={quote(uris.authority)}"
    found: list[dict[str, Any]] = []
    after, size = "", 0
    try:
        for _ in range(PAGES):
            told, _url = await http.fetch_page(f"{first}&after={quote(after, safe='')}")
            items = documents.as_list(told.get("orderedItems"))
            if len(items) > ITEMS_IN_PAGE:
                raise Refused("page-too-long", f"{len(items)} items at {peer.host}")
            for item in items:
                uri = item.get("id") if isinstance(item, dict) else None
                if not isinstance(uri, str) or uri <= after:
                    raise Refused("page-goes-back", f"{str(uri)[:200]} at {peer.host}")
                after = uri
                found.append(item)
            size += len(encode(told))
            if size > BYTES:
                raise Refused("too-much", f"{size} bytes of {peer.host}")
            if not items or told.get("next") is None:
                return Told(peer.host, tuple(found))
        raise Refused("too-many-pages", f"{PAGES} pages of {peer.host}")
    except FederationError as error:
        return Told(peer.host, tuple(found), f"{error.code}")


def deleted(told: Iterable[Told]) -> frozenset[str]:
    """Ids of what any neighbour heard the end of: who missed it does not bring it back."""
    return frozenset(
        str(item["id"]) for one in told for item in one.items if item.get("type") == "Tombstone"
    )


def take_back(
    db: sqlite3.Connection,
    uris: Uris,
    items: tuple[dict[str, Any], ...],
    now: datetime,
    gone: Collection[str] = (),
) -> Back:
    """Writes down what is newer than what is here, for shops that are here and open, and nothing
    that is `gone`."""
    back = Back()
    for item in items:
        if item.get("type") != "Tombstone" and item.get("id") in gone:
            continue
        named = uris.listing_of(str(item.get("id")))
        shop = None if named is None else shops.get_own(db, named[0])
        if named is None or shop is None or shop.closed is not None:
            continue
        try:
            with database.savepoint(db):
                _take_one(db, uris, shop, named[1], item, back, now)
        except (errors.NodeError, Refused):
            back.refused += 1
        except Exception:
            # One that our own code cannot take must not keep the node from coming back.
            log.exception("a listing cannot be taken back", extra={"object": named[1]})
            back.refused += 1
    return back


def _take_one(
    db: sqlite3.Connection,
    uris: Uris,
    shop: Shop,
    listing_id: str,
    item: dict[str, Any],
    back: Back,
    now: datetime,
) -> None:
    known = listings.get(db, listing_id)
    if known is not None and (known.shop != shop.id or known.withdrawn is not None):
        return
    if item.get("type") == "Tombstone":
        if known is not None:
            catalogue.withdraw(db, listing_id, now)
            back.withdrawn += 1
        return
    told = listings_read.from_document(item, shop, listing_id, now)
    if known is None:
        if listings.get_of_shop(db, shop.id, listing_id[:8]) is not None:
            raise Refused("id-taken", told.uri)
        draft = dataclasses.replace(catalogue.draft_of(told), offers=_offers(told, None))
        catalogue.publish(db, uris, shop, draft, lambda: listing_id, now)
        back.added += 1
    elif told.updated > known.updated:
        draft = dataclasses.replace(
            catalogue.draft_of(told),
            offers=_offers(told, known),
            announce=known.announce,
            photos=known.photos,
        )
        catalogue.revise(db, uris, shop, listing_id, draft, now)
        back.changed += 1


def _offers(told: Listing, known: Listing | None) -> tuple[Offer, ...]:
    """Offers as they were told, those that are known under their own ids and with their stock."""
    offers = []
    for position, offer in enumerate(told.offers):
        offer = dataclasses.replace(offer, reduction=None)
        if known is not None and position < len(known.offers):
            before = known.offers[position]
            stock = before.stock if offer.availability is before.availability else None
            if offer.availability is Availability.OUT_OF_STOCK and before.stock is not None:
                stock = 0
            offer = dataclasses.replace(
                offer, id=before.id, stock=stock, reduction=before.reduction
            )
        offers.append(offer)
    return tuple(offers)
