"""Reports between servers: a Flag that comes in waits for a steward; one that goes out is told by
the node itself, so that nobody's name leaves it."""

import functools
import sqlite3
from datetime import datetime
from typing import Any

from federation import activities, client, documents
from federation.errors import Refused
from node import errors
from node.exchange import outbox, values
from node.exchange.context import Apply, Context
from node.model import Report
from node.store import listings, peers, reports
from node.store import shops as shop_rows
from node.uris import INSTANCE, Uris

OBJECTS_READ = 20
WORDS_MOST = 2000
OPEN_MOST = 1000
OF_HOST_MOST = 50


async def receive_flag(
    context: Context, activity: dict[str, Any], actor: str, _budget: client.Budget
) -> Apply | None:
    """A Flag of listings or shops of ours, which waits for a steward. Raises Refused for others."""
    named = documents.strings(activity.get("object"), OBJECTS_READ)
    ours = tuple(
        uri for uri in named if context.uris.listing_of(uri) or context.uris.handle_of(uri)
    )
    if not ours:
        raise Refused("not-ours", f"Flag by {actor}")
    report = Report(
        id=context.new_id(),
        uri=documents.check_id(activity.get("id"), fragment=True),
        actor=actor,
        host=documents.address(actor)[1],
        objects=ours,
        words=documents.text(values.plain(activity.get("content")), WORDS_MOST) or "",
        at=context.clock(),
    )
    return functools.partial(_add, report)


def _add(report: Report, db: sqlite3.Connection) -> None:
    if reports.count_open(db) >= OPEN_MOST or reports.count_open(db, report.host) >= OF_HOST_MOST:
        raise Refused("too-many-reports", report.host)
    reports.add(db, report)


def send(
    db: sqlite3.Connection, uris: Uris, uri: str, words: str, token: str, now: datetime
) -> str:
    """Reports a neighbour's listing or shop to its own node; returns that node's host.

    Raises errors.NotFound for what is not known here, or is our own.
    """
    listing = listings.get_by_uri(db, uri)
    shop = shop_rows.get(db, listing.shop) if listing else shop_rows.get_by_uri(db, uri)
    peer = peers.get(db, shop.peer) if shop and shop.peer else None
    if peer is None:
        raise errors.NotFound("unknown-object", f"{uri} is no neighbour's listing or shop.")
    flag = activities.activity(
        "Flag", f"{uris.instance}#flags/{token}", uris.instance, uri, to=[peer.actor]
    )
    flag["content"] = words[:WORDS_MOST]
    outbox.send(db, flag, INSTANCE, f"{peer.origin}/inbox", now)
    return peer.host
