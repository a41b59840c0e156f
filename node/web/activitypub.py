"""ActivityPub over HTTP: actors, listings, collections, discovery, and the inbox."""

import hashlib
import json
import logging
import re
import sqlite3
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from federation import client, documents, limits, nodeinfo, signatures, vocabulary, webfinger
from federation.errors import FederationError, Refused
from node import neighbours
from node.exchange import around
from node.exchange.held import page as held_page
from node.exchange.outbox import encode
from node.model import ActorKind, Change, Verb
from node.store import (
    actors,
    changes,
    delivery_hosts,
    followers,
    listings,
    peers,
    posts,
    shops,
)
from node.store import node as node_row
from node.uris import INSTANCE
from node.web import state
from node.web.door import ASKED, Refusal
from node.web.inbox import Post, as_signed

HEARD_LATELY = timedelta(minutes=5)

log = logging.getLogger("echoppe.web")


def answer(
    document: Mapping[str, Any],
    *,
    status: int = 200,
    media_type: str = vocabulary.ACTIVITY_JSON,
    etag: str | None = None,
) -> Response:
    """A document for machines."""
    body = encode(dict(document))
    headers = {"Vary": "Accept", "Cache-Control": "no-cache"}
    headers["ETag"] = etag or f'"{hashlib.sha256(body).hexdigest()[:24]}"'
    return Response(body, status, headers, media_type)


def refusal(status: int, code: str, *, retry_after: int | None = None) -> Response:
    """A refusal for machines: a short name, and nothing of what was sent."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    body = json.dumps({"error": code}).encode()
    return Response(body, status, headers, "application/json")


def wants_activity(request: Request, *, otherwise: bool) -> bool:
    """Whether a reader asks for ActivityStreams rather than a page; `otherwise` if for neither."""
    accept = request.headers.get("accept", "")[:1000].lower()
    for part in accept.split(","):
        media_type, _, parameters = part.partition(";")
        media_type = media_type.strip()
        if re.search(r"\bq=0(?:\.0*)?\s*(?:;|$)", parameters):
            continue
        if media_type in ("application/activity+json", "application/ld+json"):
            return True
        if media_type in ("text/html", "application/xhtml+xml"):
            return False
    return otherwise


def redirect(url: str) -> RedirectResponse:
    """To another form of the same thing."""
    return RedirectResponse(url, 303, {"Vary": "Accept"})


# --- actors and objects --------------------------------------------------------------------------


async def actor(request: Request) -> Response:
    """`/users/{handle}`."""
    site = state.of(request)
    handle = request.path_params["handle"]
    if not wants_activity(request, otherwise=True):
        return redirect(site.uris.origin if handle == INSTANCE else site.uris.profile(handle))
    document = await site.database.read(site.publisher.actor, handle)
    if document is None:
        return refusal(404, "unknown-actor")
    return answer(document, status=410 if document["type"] == "Tombstone" else 200)


async def listing(request: Request) -> Response:
    """`/users/{handle}/items/{id}`: the Note, or 410 with its Tombstone."""
    site = state.of(request)
    return _object(request, await site.database.read(_listing, request), "unknown-listing")


def _object(request: Request, found: tuple[dict[str, Any], str] | None, unknown: str) -> Response:
    """A document, or its page for people; 410 with its Tombstone where it is gone."""
    if found is None:
        return refusal(404, unknown)
    document, page = found
    if not wants_activity(request, otherwise=True):
        return redirect(page)
    return answer(document, status=410 if document["type"] == "Tombstone" else 200)


async def listing_activity(request: Request) -> Response:
    """`…/items/{id}/activity`, `…/update/{n}`, `…/delete`: how it was told of, as it is now."""
    site = state.of(request)
    return _activity(await site.database.read(_listing_activity, request))


def _activity(document: dict[str, Any] | None) -> Response:
    if document is None:
        return refusal(404, "unknown-activity")
    return answer(document, status=410 if document["type"] == "Delete" else 200)


async def post(request: Request) -> Response:
    """`/users/{handle}/news/{id}`, `…/events/{id}`: the Note or Event, or 410 and its Tombstone."""
    site = state.of(request)
    return _object(request, await site.database.read(_post, request), "unknown-post")


async def post_activity(request: Request) -> Response:
    """How news or an event was told of, as it is now."""
    return _activity(await state.of(request).database.read(_post_activity, request))


def _post_uri(request: Request) -> str:
    event = request.url.path.split("/")[3] == "events"
    parameters = request.path_params
    return state.of(request).uris.post(parameters["handle"], parameters["id"], event=event)


def _post(db: sqlite3.Connection, request: Request) -> tuple[dict[str, Any], str] | None:
    found = posts.get_by_uri(db, _post_uri(request))
    if found is None or found.peer is not None:
        return None
    return state.of(request).publisher.post(db, found), found.url


def _post_activity(db: sqlite3.Connection, request: Request) -> dict[str, Any] | None:
    found = _post(db, request)
    if found is None:
        return None
    site, uri = state.of(request), _post_uri(request)
    handle = request.path_params["handle"]
    if request.url.path.endswith("/activity"):
        return site.publisher.wrap(db, uri, handle, found[0], Verb.CREATE)
    change = changes.get(db, uri)
    if change is None or not _is_told(request, found[0], change):
        return None
    return site.publisher.wrap(db, uri, handle, found[0], Verb.UPDATE)


async def actor_activity(request: Request) -> Response:
    """`/users/{handle}/update/{n}` and `…/delete`: how a shop was told of, as it is now."""
    site = state.of(request)
    return _activity(await site.database.read(_actor_activity, request))


def _actor_activity(db: sqlite3.Connection, request: Request) -> dict[str, Any] | None:
    site = state.of(request)
    handle = request.path_params["handle"]
    uri = site.uris.actor(handle)
    found = site.publisher.actor(db, handle)
    change = changes.get(db, uri)
    if found is None or change is None or not _is_told(request, found, change):
        return None
    return site.publisher.wrap(db, uri, handle, found, Verb.UPDATE)


def _is_told(request: Request, found: dict[str, Any], change: Change) -> bool:
    """Whether the address names the latest activity about an object, not an earlier one."""
    if request.url.path.endswith("/delete"):
        return bool(found["type"] == "Tombstone")
    return bool(request.path_params["number"] == change.seq)


def _listing(db: sqlite3.Connection, request: Request) -> tuple[dict[str, Any], str] | None:
    site = state.of(request)
    shop = shops.get_own(db, request.path_params["handle"])
    found = listings.get(db, request.path_params["id"])
    if shop is None or found is None or found.shop != shop.id:
        return None
    return site.publisher.listing(db, found, shop), found.url


def _listing_activity(db: sqlite3.Connection, request: Request) -> dict[str, Any] | None:
    found = _listing(db, request)
    if found is None:
        return None
    site = state.of(request)
    handle = request.path_params["handle"]
    uri = site.uris.listing(handle, request.path_params["id"])
    if request.url.path.endswith("/activity"):
        return site.publisher.wrap(db, uri, handle, found[0], Verb.CREATE)
    change = changes.get(db, uri)
    if change is None or not _is_told(request, found[0], change):
        return None
    return site.publisher.wrap(db, uri, handle, found[0], Verb.UPDATE)


# --- collections ---------------------------------------------------------------------------------


async def outbox(request: Request) -> Response:
    """`/users/{handle}/outbox`; the node's own is the change sequence."""
    site = state.of(request)
    if request.path_params["handle"] == INSTANCE:
        return await _sequence(request)
    before = None
    if "before" in request.query_params:
        match = re.fullmatch(
            r"([0-9]{4}-[0-9T:-]{14}Z),([0-9a-f-]{36})", request.query_params["before"]
        )
        if match is None:
            return refusal(400, "bad-page")
        before = (match[1], match[2])
    document = await site.database.read(_outbox, request, before)
    return refusal(404, "unknown-actor") if document is None else answer(document)


def _outbox(
    db: sqlite3.Connection, request: Request, before: tuple[str, str] | None
) -> dict[str, Any] | None:
    site = state.of(request)
    handle = request.path_params["handle"]
    shop = shops.get_own(db, handle)
    if shop is None or shop.closed is not None:
        known = actors.get(db, handle)
        if known is None or known.closed is not None:
            return None
        shop = None  # the commune's Group
    if "page" in request.query_params:
        return site.publisher.outbox_page(db, handle, shop, before)
    return site.publisher.outbox(db, handle, shop)


async def _sequence(request: Request) -> Response:
    site = state.of(request)
    await _note_reader(request, site)
    text = request.query_params.get("since")
    if text is None:
        return answer(await site.database.read(site.publisher.sequence))
    if not re.fullmatch(r"[0-9]{1,30}", text):
        return refusal(400, "bad-page")
    since = min(int(text), 2**62)  # beyond whatever was given out: begin again
    whole = request.query_params.get("whole") == "1"
    etag = f'"{await site.database.read(changes.head)}.{since}{".whole" if whole else ""}"'
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers={"ETag": etag, "Vary": "Accept"})
    document = await site.database.read(site.publisher.sequence_page, since, whole=whole)
    if document is None:
        # Too old, or never given out: begin again.
        first = f"{site.uris.changes}?since=0"
        again = {"@context": vocabulary.AS2, "type": "OrderedCollectionPage", "first": first}
        return answer(again, status=410)
    return answer(document, etag=etag)


async def held(request: Request) -> Response:
    """`/users/instance/held?of=HOST&after=ID`: what is held of a neighbour that lost it itself."""
    site = state.of(request)
    after = request.query_params.get("after", "")
    found = await site.database.read(
        _held, site, request.query_params.get("of", "")[:300], after[:2048]
    )
    return refusal(404, "no-neighbour") if found is None else answer(found)


def _held(db: sqlite3.Connection, site: state.Site, host: str, after: str) -> dict[str, Any] | None:
    peer = peers.get(db, host)
    if peer is None or not neighbours.is_heard(peer):
        return None
    return held_page(db, site.uris, peer, after)


async def _note_reader(request: Request, site: state.Site) -> None:
    """A neighbour that reads the sequence is there: after an outage this is its first word."""
    if "signature" not in request.headers:
        return
    try:
        claim = signatures.check(
            as_signed(site.uris, request.method, _target(request), request.scope["headers"], b""),
            site.clock(),
        )
        host = documents.address(claim.key_id)[1]
        if not await site.database.read(_was_away, host, site.clock()):
            return
        key, public = await site.resolver.key(claim.key_id, budget=client.Budget(1))
        signatures.verify(claim, public)
    except FederationError as error:
        log.info("a reader's signature does not hold", extra={"code": error.code})
        return
    if documents.same_origin(key.owner, claim.key_id):
        await site.database.write(neighbours.note_life, host, site.clock())


def _was_away(db: sqlite3.Connection, host: str, now: datetime) -> bool:
    """Whether it is news that a host is there, and one that is listened to."""
    return neighbours.is_heard(peers.get(db, host)) and (
        peers.is_silent(db, host, now - HEARD_LATELY) or delivery_hosts.failures(db, host)[0] > 0
    )


async def followers_collection(request: Request) -> Response:
    """`/users/{handle}/followers`: how many, and nobody's name."""
    site = state.of(request)
    handle = request.path_params["handle"]
    count = await site.database.read(_count_followers, handle)
    if count is None:
        return refusal(404, "unknown-actor")
    return answer(_counted(f"{site.uris.actor(handle)}/followers", count))


async def following_collection(request: Request) -> Response:
    """`/users/{handle}/following`: how many."""
    site = state.of(request)
    handle = request.path_params["handle"]
    count = await site.database.read(_count_following, handle)
    if count is None:
        return refusal(404, "unknown-actor")
    return answer(_counted(f"{site.uris.actor(handle)}/following", count))


def _count_followers(db: sqlite3.Connection, handle: str) -> int | None:
    if actors.get(db, handle) is None:
        return None
    if handle == INSTANCE:
        return len(peers.find_followers(db))
    return followers.count(db, handle)


def _count_following(db: sqlite3.Connection, handle: str) -> int | None:
    if actors.get(db, handle) is None:
        return None
    if handle != INSTANCE:
        return 0
    return sum(peer.following == "accepted" for peer in peers.find(db))


def _counted(uri: str, count: int) -> dict[str, Any]:
    return {
        "@context": vocabulary.AS2,
        "id": uri,
        "type": "OrderedCollection",
        "totalItems": count,
    }


# --- discovery -----------------------------------------------------------------------------------


async def webfinger_resource(request: Request) -> Response:
    """`/.well-known/webfinger?resource=…` (RFC 7033)."""
    site = state.of(request)
    if "resource" not in request.query_params:
        return refusal(400, "no-resource")
    try:
        parsed = webfinger.parse_resource(request.query_params["resource"])
    except Refused as error:
        return refusal(error.status, error.code)
    handle: str | None
    if parsed[0] == "acct":
        handle = parsed[1].lower() if parsed[2].lower() == site.uris.authority else None
    elif parsed[1].rstrip("/") == site.uris.origin:
        handle = INSTANCE
    else:
        profile = parsed[1].removeprefix(f"{site.uris.origin}/@")
        handle = profile if profile != parsed[1] else site.uris.handle_of(parsed[1])
    found = await site.database.read(actors.get, handle) if handle else None
    if found is None:
        return refusal(404, "unknown-resource")
    if found.closed is not None:
        return refusal(410, "gone")
    subject = webfinger.resource_for(found.handle, site.uris.authority)
    profile = site.uris.profile(found.handle) if found.kind is ActorKind.SHOP else site.uris.origin
    actor_id = site.uris.actor(found.handle)
    document = webfinger.document(subject, [actor_id, profile], actor_id, profile)
    return answer(document, media_type=vocabulary.JRD_JSON)


async def host_meta(request: Request) -> Response:
    """`/.well-known/host-meta` (RFC 6415), for servers that begin there."""
    site = state.of(request)
    return Response(webfinger.host_meta(site.uris.origin), media_type=vocabulary.XRD_XML)


async def nodeinfo_links(request: Request) -> Response:
    """`/.well-known/nodeinfo`, with the Application actor's address (FEP-2677)."""
    site = state.of(request)
    document = nodeinfo.discovery(site.uris.origin, "/nodeinfo/2.1", f"/users/{INSTANCE}")
    return answer(document, media_type="application/json")


async def nodeinfo_document(request: Request) -> Response:
    """`/nodeinfo/2.1`. How many people use the node is nobody's business, so it is not said."""
    site = state.of(request)
    shop_count, listing_count, commune = await site.database.read(_counts)
    connected = await site.database.read(around.told)
    document = nodeinfo.document(
        "echoppe",
        site.version,
        users={},
        open_registrations=False,
        metadata={
            "nodeName": site.settings.node.name,
            "communes": list(site.settings.node.communes),
            "commune": site.uris.actor(commune),
            "shops": shop_count,
            "listings": listing_count,
            "federation": {"enabled": True, "mode": site.settings.federation.mode},
            "neighbours": connected,
        },
    )
    profile = 'application/json; profile="http://nodeinfo.diaspora.software/ns/schema/2.1#"'
    return answer(document, media_type=profile)


def _counts(db: sqlite3.Connection) -> tuple[int, int, str]:
    return shops.count_own(db), listings.count_own(db), node_row.commune_handle(db)


# --- the inbox -----------------------------------------------------------------------------------


async def inbox(request: Request) -> Response:
    """`/users/{handle}/inbox`; and `/inbox`, where the connection has not handed it on itself."""
    site = state.of(request)
    headers, peer = request.scope["headers"], request.client.host if request.client else ""
    refused = None if ASKED in request.scope else site.door.refusal(headers, peer)
    if refused is None:
        handle = request.path_params.get("handle")
        absent = await site.database.read(_absence, handle) if handle else None
        if absent is not None:
            return absent
        refused = site.inbox.turn_away(headers, peer)
    if refused is None:
        body = bytearray()
        try:
            async for chunk in request.stream():
                body += chunk
                if len(body) > limits.INBOX_BODY:
                    refused = site.inbox.fail(headers, peer, Refusal(413, "too-large"))
                    break
        except ClientDisconnect:
            refused = Refusal(408, "too-slow")
    if refused is None:
        post = Post(_target(request), headers, bytes(body), peer)
        refused = await site.inbox.take(post)
    if refused is None:
        return Response(status_code=202)
    return refusal(refused.status, refused.code, retry_after=refused.retry_after)


def _absence(db: sqlite3.Connection, handle: str) -> Response | None:
    known = actors.get(db, handle)
    if known is None:
        return refusal(404, "unknown-actor")
    return None if known.closed is None else refusal(410, "gone")


def _target(request: Request) -> bytes:
    """Path and query as received."""
    path: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    query: bytes = request.scope["query_string"]
    return path + b"?" + query if query else path
