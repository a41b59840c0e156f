"""What comes from feeds and calendars elsewhere: proposed, published, followed when it changes.

A steward looks at what comes first, unless the source is trusted. What is there already under
another name is never published by itself, and what was refused is not proposed again.
"""

import contextlib
import dataclasses
import sqlite3
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from node import errors, feeds, news, recurrence, words
from node.model import Byline, Item, Post, Source, SourceItem
from node.store import posts
from node.store import sources as rows
from node.uris import Uris

SOURCES_MOST = 50
EVERY = timedelta(hours=1)
AGAIN_AT_LAST = timedelta(days=1)
WAITING_MOST = 500  # of one source
NEWS_BACK = timedelta(days=30)  # older news of a feed is no news
GONE_MOST = 3  # or half of them: more at once is a fault of the source


def add(
    db: sqlite3.Connection,
    url: str,
    byline: Byline,
    source_id: str,
    now: datetime,
    *,
    trusted: bool,
) -> Source:
    """Adds a source, to be read at once. Raises errors.Invalid, errors.Conflict."""
    url = url.strip()
    if not news.is_link(url):
        raise errors.Invalid(
            "bad-url",
            f"{url[:80]!r} is no address such as https://example.fr/agenda.ics.",
            fields={"url": "is no address"},
        )
    if rows.get_by_url(db, url) is not None:
        raise errors.Conflict("known-source", f"{url} is read already.")
    if len(rows.find(db)) >= SOURCES_MOST:
        raise errors.Conflict("too-many-sources", f"At most {SOURCES_MOST} sources are read.")
    source = Source(source_id, url, byline, trusted, now, None, None, 0, None)
    rows.add(db, source, now)
    return source


def again_after(failures: int) -> timedelta:
    """How long a source that cannot be read is left alone."""
    wait: timedelta = EVERY * (1 << min(failures, 5))
    return min(wait, AGAIN_AT_LAST)


def take(
    db: sqlite3.Connection,
    uris: Uris,
    source: Source,
    items: Iterable[Item],
    place: str,
    new_id: Callable[[], str],
    now: datetime,
) -> None:
    """Takes over what a source tells now: one transaction."""
    for item in items:
        if item.event is None and item.at is not None and item.at < now - NEWS_BACK:
            continue
        _take(db, uris, source, item, place, new_id, now)


def _take(
    db: sqlite3.Connection,
    uris: Uris,
    source: Source,
    item: Item,
    place: str,
    new_id: Callable[[], str],
    now: datetime,
) -> None:
    mark = feeds.fingerprint(rows.written(item))
    known = rows.get_item(db, source.id, item.guid)
    if known is not None and (known.state == "refused" or known.fingerprint == mark):
        return
    if known is None:
        if rows.count_waiting(db, source.id) >= WAITING_MOST:
            return
        twin = _twin(db, item, now)
        one = SourceItem(source.id, item, "waiting", None, twin, mark)
        rows.put_item(db, one, now)
        if source.trusted and twin is None:
            with contextlib.suppress(errors.Invalid):  # then somebody looks at it
                publish(db, uris, source, one, place, new_id, now)
        return
    changed = dataclasses.replace(known, item=item, fingerprint=mark)
    post = posts.get(db, known.post) if known.post else None
    if known.state == "published":
        if post is None or post.withdrawn is not None:  # taken away here: it stays away
            changed = dataclasses.replace(changed, state="refused")
        else:
            with contextlib.suppress(errors.Invalid):  # what was published stays as it was
                news.revise(db, uris, post.id, _draft(item, post.place), now)
    rows.put_item(db, changed, now)


def _twin(db: sqlite3.Connection, item: Item, now: datetime) -> str | None:
    """The title of what is here already and seems to be the same."""
    name = words.fold(item.title)
    if item.event is not None:
        starts = item.event.starts
        near = posts.find_events(
            db, now - timedelta(days=30), starts, starts + timedelta(minutes=1), 200
        )
        found: list[Post] = [
            post for post in near if post.event is not None and post.event.starts == starts
        ]
    else:
        found = posts.find_news(db, now - timedelta(days=30), 100, own=True)
    return next((post.title for post in found if words.fold(post.title) == name), None)


def _draft(item: Item, place: str | None) -> news.PostDraft:
    return news.PostDraft(
        title=item.title,
        text=item.text,
        place=place,
        link=item.link,
        announce=False,  # timelines are not filled by machines
        event=item.event,
    )


def publish(
    db: sqlite3.Connection,
    uris: Uris,
    source: Source,
    one: SourceItem,
    place: str,
    new_id: Callable[[], str],
    now: datetime,
) -> None:
    """Publishes what waits. Raises errors.Invalid."""
    if one.state != "waiting":
        return
    post = news.publish(db, uris, news.Author(source.byline), _draft(one.item, place), new_id, now)
    rows.put_item(db, dataclasses.replace(one, state="published", post=post.id), now)


def refuse(db: sqlite3.Connection, one: SourceItem, now: datetime) -> None:
    """Does not take over what waits, and is not asked again."""
    if one.state == "waiting":
        rows.put_item(db, dataclasses.replace(one, state="refused"), now)


def follow_gone(
    db: sqlite3.Connection, source: Source, told: frozenset[str], now: datetime
) -> str | None:
    """Takes away events that a calendar no longer has, and that were still to come.

    Says what is wrong where so many are gone at once that the source itself seems broken.
    """
    coming: list[tuple[SourceItem, Post]] = []
    for one in rows.find_published(db, source.id):
        post = posts.get(db, one.post) if one.post else None
        event = post.event if post is not None and post.withdrawn is None else None
        if post is not None and event is not None and recurrence.last(event) > now:
            coming.append((one, post))
    gone = [(one, post) for one, post in coming if one.item.guid not in told]
    if len(gone) > max(GONE_MOST, len(coming) // 2):
        return f"{len(gone)} of {len(coming)} events are gone at once: they are kept here."
    for one, post in gone:
        news.withdraw(db, post.id, now)
        rows.put_item(db, dataclasses.replace(one, state="refused"), now)
    return None
