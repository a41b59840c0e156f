"""Reading a neighbour that keeps no change sequence: any ActivityPub server (wire profile 8.5).

Its outboxes are read from their newest page backwards, the node's own and those of the shops known
here, as far as a budget goes. What was not met in them for a while is asked for by its id, because
an outbox tells of no end, and some servers have none. Nothing can be compared.
"""

import functools
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from federation import client, documents
from federation.errors import FederationError, Gone, Refused
from node.exchange import inbox
from node.exchange.context import Apply, Context
from node.model import Peer
from node.store import peers

FETCHES_MOST = 100  # for all of a reading
PAGES_OF_OUTBOX = 10
SHOPS_MOST = 50
ITEMS_OF_PAGE = 50
ASKED_AGAIN = 50
UNSEEN_FOR = timedelta(days=2)

Document = dict[str, Any]

log = logging.getLogger("echoppe.sync")


async def pages(context: Context, peer: Peer, outbox: Document) -> AsyncIterator[list[Document]]:
    """What its outboxes tell, a page at a time; `outbox` is the node's own, fetched already.

    Raises Refused and Unreachable where that one cannot be read; a shop's is then left out.
    """
    budget = client.Budget(FETCHES_MOST)
    async for items in _of_outbox(context, peer, outbox, budget):
        yield items
    for uri in (await context.database.read(peers.find_shop_uris, peer.host))[:SHOPS_MOST]:
        try:
            actor = await context.resolver.actor(uri, budget=budget)
            found = documents.check_id(actor.document.get("outbox"))
            _check(peer, found)
            document, _ = await context.http.fetch_page(found, sign=context.sign, budget=budget)
            async for items in _of_outbox(context, peer, document, budget):
                yield items
        except Refused as error:
            if error.code == "too-many-fetches":
                return
            log.info("outbox refused", extra={"peer": peer.host, "code": error.code})
        except Gone:
            continue


async def _of_outbox(
    context: Context, peer: Peer, document: Document, budget: client.Budget
) -> AsyncIterator[list[Document]]:
    for _ in range(PAGES_OF_OUTBOX):
        items = documents.as_list(document.get("orderedItems", document.get("items")))
        found = [
            await _whole(context, peer, item, budget)
            for item in items[:ITEMS_OF_PAGE]
            if isinstance(item, dict)
        ]
        yield [item for item in found if item is not None]
        following = document.get("next", document.get("first"))
        if isinstance(following, dict):
            document = following
            continue
        if not isinstance(following, str):
            return
        _check(peer, documents.check_id(following))
        document, _ = await context.http.fetch_page(following, sign=context.sign, budget=budget)


async def _whole(
    context: Context, peer: Peer, item: Document, budget: client.Budget
) -> Document | None:
    """An item with its object in full; None where that is not to be had, or not the peer's."""
    found = item.get("object")
    if not isinstance(found, str) or documents.type_of(item) not in ("Create", "Update"):
        return item
    try:
        _check(peer, documents.check_id(found))
        document, _ = await context.http.fetch_document(found, sign=context.sign, budget=budget)
    except (Refused, Gone):
        return None
    return {**item, "object": document}


def _check(peer: Peer, url: str) -> None:
    if not documents.same_origin(url, peer.origin):
        raise Refused("foreign-page", url)


async def ask_again(context: Context, peer: Peer) -> list[Apply]:
    """What to write for listings that were met nowhere for a while, each asked for by its id."""
    writes: list[Apply] = []
    now = context.clock()
    uris = await context.database.read(
        peers.find_longest_unseen, peer.host, now - UNSEEN_FOR, ASKED_AGAIN
    )
    for uri in uris:
        try:
            document, _ = await context.http.fetch_document(uri, sign=context.sign)
            owner = documents.identifier(documents.first(document.get("attributedTo")))
            if documents.type_of(document) == "Tombstone":
                raise Gone("tombstone", uri)
            apply = inbox.record(context, document, owner or "")
            if apply is not None:
                writes.append(apply)
        except Gone:
            writes.append(functools.partial(inbox.remove, uri, peer.actor, now, None))
        except FederationError as error:
            log.info("listing not found again", extra={"peer": peer.host, "code": error.code})
    return writes
