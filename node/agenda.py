"""What people see of news and events: in which order, from whom, and what is urgent now."""

import sqlite3
from datetime import datetime

from node import neighbours, recurrence
from node.model import Occurrence, Post
from node.store import posts

CANDIDATES_MOST = 1500  # events that are looked at for one page


def between(
    db: sqlite3.Connection,
    begin: datetime,
    end: datetime,
    now: datetime,
    *,
    own: bool | None = None,
    shop: str | None = None,
    most: int = recurrence.OCCURRENCES_MOST,
) -> list[Occurrence]:
    """What takes place between two moments, in order; at one moment ours come first.

    With `own`, one side alone; with `shop`, a shop's alone.
    """
    silent = now - neighbours.HIDDEN_AFTER
    found = [
        Occurrence(post, starts, ends)
        for post in posts.find_events(db, silent, begin, end, CANDIDATES_MOST, own=own, shop=shop)
        if post.event is not None
        for starts, ends in recurrence.occurrences(post.event, begin, end)
    ]
    found.sort(key=lambda one: (one.starts, one.post.peer is not None, one.post.title))
    return found[:most]


def news(
    db: sqlite3.Connection,
    now: datetime,
    limit: int,
    offset: int = 0,
    *,
    own: bool | None = None,
    shop: str | None = None,
) -> list[Post]:
    """News, ours first, each side the newest first; with `own`, one side alone."""
    silent = now - neighbours.HIDDEN_AFTER
    return posts.find_news(db, silent, limit, offset, own=own, shop=shop)


def urgent(db: sqlite3.Connection, now: datetime, limit: int = 3) -> list[Post]:
    """What is urgent now; it ends by itself."""
    return posts.find_urgent(db, now - neighbours.HIDDEN_AFTER, now, limit)
