"""Feeds and calendars elsewhere, fetched by the guarded client: hourly, bounded, with ETags."""

import asyncio
import logging
import re
import sqlite3
from datetime import datetime

from federation import client
from federation.errors import FederationError
from node import calendar_files, errors, events, feeds
from node import sources as taken
from node.exchange.context import Context
from node.model import Item, Source
from node.store import sources

BYTES_MOST = 2 * 1024 * 1024
ACCEPT = (
    "text/calendar, application/atom+xml, application/rss+xml, application/xml;q=0.9, "
    "text/xml;q=0.9, */*;q=0.1"
)
_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{0,200}"')

log = logging.getLogger("echoppe.sources")


async def work(context: Context, commune: str) -> float | None:
    """Reads what is due. Says in how many seconds to look again."""
    for source in await context.database.read(sources.find_due, context.clock()):
        try:
            await read(context, source, commune)
        except Exception:  # of our own doing: it must not keep the others from their turn
            log.exception("source cannot be handled", extra={"url": source.url[:200]})
            due = context.clock() + taken.again_after(source.failures)
            await context.database.write(sources.note_failure, source.id, due, "fault")
    following: datetime | None = await context.database.read(sources.next_due)
    if following is None:
        return None
    return max(1.0, (following - context.clock()).total_seconds())


async def read(context: Context, source: Source, commune: str) -> None:
    """Reads one source and takes over what it tells; what goes wrong is noted beside it."""
    now = context.clock()
    try:
        answer = await context.http.get(
            source.url, accept=ACCEPT, limit=BYTES_MOST, etag=source.etag
        )
        if answer.status == 304 and source.etag is not None:
            await context.database.write(
                sources.note_read, source.id, now=now, due=now + taken.EVERY, etag=source.etag,
                problem=source.problem,
            )  # fmt: skip
            return
        client.check_status(answer, now)
        zone = events.zone_name(commune)
        # In a thread: a large file takes a while, and nobody else is to wait for it.
        items, unusable, whole = await asyncio.to_thread(_parse, answer.body, zone, now)
    except (FederationError, errors.Invalid) as error:
        log.info("source not read", extra={"url": source.url[:200], "code": error.code})
        due = now + taken.again_after(source.failures)
        await context.database.write(sources.note_failure, source.id, due, error.code)
        return
    etag = answer.headers.get("etag", "")
    await context.database.write(
        _take, context, source, items, unusable, whole, commune,
        etag if _ETAG.fullmatch(etag) else None, now,
    )  # fmt: skip


def _parse(body: bytes, zone: str, now: datetime) -> tuple[list[Item], int, bool]:
    """The items, how many could not be used, and whether a calendar was read to its end."""
    if calendar_files.is_calendar(body):
        found = calendar_files.parse(body, zone, now)
        return found.items, found.unusable, not found.cut and not found.unusable
    return feeds.parse(body), 0, False


def _take(
    db: sqlite3.Connection,
    context: Context,
    source: Source,
    items: list[Item],
    unusable: int,
    whole: bool,
    commune: str,
    etag: str | None,
    now: datetime,
) -> None:
    if sources.get(db, source.id) is None:
        return  # removed meanwhile
    taken.take(db, context.uris, source, items, commune, context.new_id, now)
    problem = f"unusable:{unusable}" if unusable else None
    if whole:
        told = frozenset(item.guid for item in items)
        if taken.follow_gone(db, source, told, now) is not None:
            problem = "many-gone"
    sources.note_read(db, source.id, now=now, due=now + taken.EVERY, etag=etag, problem=problem)
