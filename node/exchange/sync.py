"""Reading a neighbour's change sequence, so that agreement never depends on single deliveries.

A page is fetched, and written in one transaction together with the number it reaches: interrupted
at any point, the reading goes on there. Where the number is too old for the other side, everything
is read from the beginning, and what was not met in that pass is removed (wire profile 8.5).
"""

import logging
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from federation import client, documents
from federation.errors import FederationError, Gone, Refused
from node import neighbours
from node.exchange import inbox, news, plain, terms
from node.exchange.context import Apply, Context
from node.exchange.recording import UnknownShop
from node.model import Peer
from node.store import database, delivery_hosts, peers, shops

EVERY = timedelta(days=1)
AGAIN_AFTER_FAILURE = timedelta(minutes=5)  # and a quarter of how long it has been silent
AGAIN_AT_LAST = timedelta(hours=12)
LOOK_AGAIN = timedelta(seconds=5)
LOOK_AGAIN_LATER = timedelta(minutes=5)
PAGES_IN_ONE_READING = 500
GO_ON_AFTER = timedelta(hours=1)
ITEMS_IN_PAGE = 200

log = logging.getLogger("echoppe.sync")


@dataclass(frozen=True, slots=True)
class _Page:
    items: list[dict[str, Any]]
    reached: int
    next: str | None
    left: int | None
    digest: str | None
    count: int | None
    etag: str | None


async def read(context: Context, peer: Peer) -> None:
    """Reads what a neighbour changed since last time, and compares digests at the end.

    Failures are noted beside the neighbour, and the reading is tried again later.
    """
    # Before anything is read: what is asked for in the meantime must not be taken for this one.
    await context.database.write(peers.begin_sync, peer.host, context.clock() + EVERY)
    try:
        await _read(context, peer)
    except FederationError as error:
        log.warning(
            "reading a neighbour's changes failed",
            extra={"peer": peer.host, "code": error.code, "detail": error.detail[:200]},
        )
        await context.database.write(
            peers.postpone_sync,
            peer.host,
            f"{error.code}: {error.detail}"[:300],
            context.clock() + _patience(peer, context.clock()),
        )


def _patience(peer: Peer, now: datetime) -> timedelta:
    """How long to wait after a failed reading: the longer it has been silent, the longer."""
    last = peer.heard or peer.added
    silent = timedelta() if last is None else now - last
    return min(max(AGAIN_AFTER_FAILURE, silent / 4), AGAIN_AT_LAST)


async def _read(context: Context, peer: Peer) -> None:
    actor = await context.resolver.actor(peer.actor, fresh=peer.cursor == 0)
    sequence = documents.check_id(actor.document.get("outbox"))
    if not documents.same_origin(sequence, peer.origin):
        raise Refused("foreign-collection", sequence)
    cursor, etag = peer.cursor, peer.etag
    # All that there is, from the beginning: then old numbers are no reason to begin again.
    whole = (
        peer.synced is None
        or await context.database.read(peers.full_pass_started, peer.host) is not None
    )
    total: int | None = None
    done = 0
    restarted = False
    for _ in range(PAGES_IN_ONE_READING):
        try:
            found, etag = await context.http.fetch_page_anew(
                f"{sequence}?since={cursor}" + ("&whole=1" if whole and cursor else ""),
                etag,
                sign=context.sign,
            )
            if found is None:
                await context.database.write(_confirm, peer.host, context.clock())
                return
            if _is_plain(found):
                await _read_plain(context, peer, found)
                return
            page, etag = _page(peer, found, cursor, etag), None
        except Gone:
            if restarted or cursor == 0:
                raise
            await context.database.write(peers.start_full_pass, peer.host, context.clock())
            cursor, etag, whole, restarted = 0, None, True, True
            continue
        total = page.left if total is None else total
        done += len(page.items)
        writes = await _prepare(context, peer, page)
        if page.next is not None and page.reached <= cursor:
            raise Refused("sequence-stands-still", f"{page.next} after {cursor}")
        cursor = page.reached
        heard = await context.database.write(
            _write, peer.host, writes, cursor, max(total or 0, done), done
        )
        if not heard:
            return  # parted or blocked in the meantime
        if page.next is None:
            await _finish(context, peer, page, news=done > 0)
            return
    # More than a reading may cost: the next one goes on from here.
    await context.database.write(
        peers.postpone_sync,
        peer.host,
        f"{PAGES_IN_ONE_READING} pages read, and there is more: goes on in an hour",
        context.clock() + GO_ON_AFTER,
    )


def _is_plain(document: dict[str, Any]) -> bool:
    """Whether this is any server's outbox, and no change sequence."""
    items = documents.as_list(document.get("orderedItems"))
    return (
        terms.HEAD not in document
        and len(items) <= ITEMS_IN_PAGE
        and not any(isinstance(item, dict) and terms.SEQ in item for item in items)
    )


async def _read_plain(context: Context, peer: Peer, outbox: dict[str, Any]) -> None:
    done = 0
    async for items in plain.pages(context, peer, outbox):
        page = _Page(items, 0, None, None, None, None, None)
        writes = await _prepare(context, peer, page)
        done += len(items)
        if not await context.database.write(_write, peer.host, writes, 0, done, done):
            return
    writes = await plain.ask_again(context, peer)
    if await context.database.write(_write, peer.host, writes, 0, done, done):
        page = _Page([], 0, None, None, None, None, None)
        await _finish(context, peer, page, news=done > 0)


def _page(peer: Peer, document: dict[str, Any], cursor: int, etag: str | None) -> _Page:
    items = [
        item for item in documents.as_list(document.get("orderedItems")) if isinstance(item, dict)
    ]
    if len(items) > ITEMS_IN_PAGE:
        raise Refused("page-too-long", f"{len(items)} items at {peer.host}")
    numbers = [_number(item.get(terms.SEQ)) for item in items]
    reached = cursor
    for number in numbers:
        if number is None or number <= reached:
            raise Refused("sequence-goes-back", f"{number} after {reached} at {peer.host}")
        reached = number
    head = _number(document.get(terms.HEAD))
    following = documents.identifier(document.get("next"))
    if following is not None and not documents.same_origin(following, peer.origin):
        raise Refused("foreign-page", following)
    if following is None and head is not None:
        reached = max(reached, head)
    digest = document.get(terms.DIGEST)
    return _Page(
        items=items,
        reached=reached,
        next=following,
        left=_number(document.get("totalItems")),
        digest=digest if isinstance(digest, str) else None,
        count=_number(document.get(terms.COUNT)),
        etag=None if reached > cursor else etag,  # that of the very page to be asked for next
    )


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


async def _prepare(context: Context, peer: Peer, page: _Page) -> list[Apply]:
    """What to write for a page. An item that is refused is left out; the others count.

    Shops come before their listings. One whose latest change stands later in the sequence than a
    listing of its is fetched.
    """
    of_shops: dict[str, Apply] = {}
    others: list[Apply] = []
    authors: set[str] = set()
    for item in page.items:
        try:
            apply = _prepare_one(context, peer, item)
        except Refused as error:
            log.info("change refused", extra=_fields(peer, error))
            continue
        if apply is None:
            continue
        found = item["object"]
        kind = documents.type_of(found) if isinstance(found, dict) else None
        if kind == "Organization":
            of_shops[_author(item)] = apply
        else:
            others.append(apply)
        if (kind == "Note" and not terms.is_post(found)) or (kind and news.needs_shop(found)):
            authors.add(_author(item))
    budget = client.Budget(ITEMS_IN_PAGE)
    known = await context.database.read(_known_shops, authors - of_shops.keys())
    for uri in sorted(authors - of_shops.keys() - known):
        try:
            of_shops[uri] = await inbox.fetch_shop(context, uri, budget)
        except (Refused, Gone) as error:
            log.info("shop refused", extra=_fields(peer, error))
    return [*of_shops.values(), *others]


def _prepare_one(context: Context, peer: Peer, item: dict[str, Any]) -> Apply | None:
    found = item.get("object")
    uri = documents.check_id(documents.identifier(found))
    if not documents.same_origin(uri, peer.origin):
        raise Refused("foreign-object", f"{uri} in the sequence of {peer.host}")
    if documents.type_of(item) == "Delete":
        # The page came from the node itself, which speaks for all its shops.
        return inbox.delete(context, item, peer.actor)
    if not isinstance(found, dict):
        raise Refused("no-object", uri)
    author = _author(item)
    if not documents.same_origin(author, peer.origin):
        raise Refused("foreign-author", f"{author} in the sequence of {peer.host}")
    return inbox.record(context, found, author)


def _author(item: dict[str, Any]) -> str:
    """Whose an item's object is: the one it is attributed to, or, being an actor, its own."""
    found = item.get("object")
    owner = documents.first(found.get("attributedTo")) if isinstance(found, dict) else None
    return documents.check_id(documents.identifier(owner) or documents.identifier(found))


def _known_shops(db: sqlite3.Connection, uris: set[str]) -> set[str]:
    return {uri for uri in uris if shops.get_by_uri(db, uri) is not None}


def _fields(peer: Peer, error: FederationError) -> dict[str, str]:
    return {"peer": peer.host, "code": error.code, "detail": error.detail[:200]}


def _write(
    db: sqlite3.Connection, host: str, writes: list[Apply], cursor: int, total: int, done: int
) -> bool:
    if not neighbours.is_heard(peers.get(db, host)):
        return False
    for apply in writes:
        try:
            with database.savepoint(db):
                apply(db)
        except Refused as error:
            log.info("change refused", extra={"peer": host, "code": error.code})
        except UnknownShop:
            log.info("change refused", extra={"peer": host, "code": "shop-refused"})
        except Exception:
            # One object that our own code cannot take must not hold up all that follow it.
            log.exception("change cannot be handled", extra={"peer": host})
    peers.change_sync(db, host, cursor=cursor, total=total, done=done)
    return True


async def _finish(context: Context, peer: Peer, page: _Page, *, news: bool) -> None:
    agrees = await context.database.write(_close, peer.host, page, news, context.clock())
    level = logging.INFO if agrees is not False else logging.WARNING
    log.log(level, "neighbour read", extra={"peer": peer.host, "digest_agrees": agrees})


def _close(
    db: sqlite3.Connection, host: str, page: _Page, news: bool, now: datetime
) -> bool | None:
    """Ends a reading: sweeps after a full pass, and compares what is held with their digest.

    Where they differ while there was news, more may have come in between: a look soon after will
    tell. Where they differ and nothing is new, everything is read again; if they still do, it is
    shown, until the next day's reading.
    """
    full_pass = peers.full_pass_started(db, host)
    if full_pass is not None and full_pass <= now:  # not after the clock was set back
        neighbours.forget_unmet(db, host, full_pass)
    digest, count = neighbours.digest(db, host)
    agrees = None if page.digest is None else (digest, count) == (page.digest, page.count)
    peer = peers.get(db, host)
    again = peer is not None and peer.synced is not None and now - peer.synced < LOOK_AGAIN_LATER
    peers.finish_sync(
        db,
        host,
        now,
        digest_agrees=agrees,
        theirs=page.count,
        held=count,
        etag=page.etag if agrees else None,
    )
    delivery_hosts.revive(db, host)
    if agrees is False and full_pass is None:
        if not news:
            peers.start_full_pass(db, host, now)
        # Whoever always has news and never agrees is not read without end.
        peers.want_sync(db, host, now + (LOOK_AGAIN_LATER if news and again else LOOK_AGAIN))
    return agrees


def _confirm(db: sqlite3.Connection, host: str, now: datetime) -> None:
    """Ends a reading that brought nothing: all is as it was when both sides agreed."""
    peers.confirm_sync(db, host, now)
    delivery_hosts.revive(db, host)
