"""News and events, ours and the neighbours', and how who publishes them is shown."""

import json
import sqlite3
from datetime import date, datetime

from node.model import Badge, Byline, Event, EventState, Post
from node.store import times

_POST = """posts.id, uri, url, peer, shop, account, actor, author, badge, title, text, language,
           place, link, announce, kept, urgent_until, published, updated, seen, withdrawn"""
_EVENT = "starts, ends, zone, all_day, venue, rule, excluded, state, last"
_SELECT = f"SELECT {_POST}, {_EVENT} FROM posts LEFT JOIN events ON events.post = posts.id"  # noqa: S608
# What is on show: not withdrawn, not hidden by itself or with its shop, and not of a node that is
# suspended or silent for too long.
_SHOWN = """posts.withdrawn IS NULL AND (peer IS NULL OR peer NOT IN (
                SELECT host FROM peers WHERE suspended IS NOT NULL OR blocked IS NOT NULL
                   OR (heard IS NOT NULL AND heard < :silent)))
            AND NOT EXISTS (SELECT 1 FROM hidden WHERE hidden.uri IN (posts.uri, posts.actor))"""


def _post(row: sqlite3.Row) -> Post:
    event = None
    if row["starts"] is not None:
        event = Event(
            starts=times.moment(row["starts"]),
            ends=times.moment_or_none(row["ends"]),
            zone=row["zone"],
            all_day=bool(row["all_day"]),
            venue=row["venue"],
            rule=row["rule"],
            excluded=tuple(date.fromisoformat(day) for day in json.loads(row["excluded"])),
            state=EventState(row["state"]),
        )
    return Post(
        id=row["id"],
        uri=row["uri"],
        url=row["url"],
        peer=row["peer"],
        shop=row["shop"],
        account=row["account"],
        actor=row["actor"],
        author=row["author"],
        badge=Badge(row["badge"]),
        title=row["title"],
        text=row["text"],
        language=row["language"],
        place=row["place"],
        link=row["link"],
        announce=bool(row["announce"]),
        kept=bool(row["kept"]),
        urgent_until=times.moment_or_none(row["urgent_until"]),
        published=times.moment(row["published"]),
        updated=times.moment(row["updated"]),
        seen=times.moment(row["seen"]),
        withdrawn=times.moment_or_none(row["withdrawn"]),
        event=event,
    )


def _values(post: Post) -> dict[str, object]:
    return {
        "id": post.id,
        "uri": post.uri,
        "url": post.url,
        "peer": post.peer,
        "shop": post.shop,
        "account": post.account,
        "actor": post.actor,
        "author": post.author,
        "badge": post.badge,
        "title": post.title,
        "text": post.text,
        "language": post.language,
        "place": post.place,
        "link": post.link,
        "announce": post.announce,
        "kept": post.kept,
        "urgent_until": times.stamp_or_none(post.urgent_until),
        "published": times.stamp(post.published),
        "updated": times.stamp(post.updated),
        "seen": times.stamp(post.seen),
        "withdrawn": times.stamp_or_none(post.withdrawn),
    }


def add(db: sqlite3.Connection, post: Post, last: datetime | None) -> None:
    """Adds one. `last` is when an event's last occurrence is over."""
    db.execute(
        """
        INSERT INTO posts (id, uri, url, peer, shop, account, actor, author, badge, title, text,
                           language, place, link, announce, kept, urgent_until, published, updated,
                           seen, withdrawn)
        VALUES (:id, :uri, :url, :peer, :shop, :account, :actor, :author, :badge, :title, :text,
                :language, :place, :link, :announce, :kept, :urgent_until, :published, :updated,
                :seen, :withdrawn)
        """,
        _values(post),
    )
    _put_event(db, post, last)


def change(db: sqlite3.Connection, post: Post, last: datetime | None) -> None:
    """Writes what one is now."""
    db.execute(
        """
        UPDATE posts SET url = :url, author = :author, badge = :badge, title = :title, text = :text,
               language = :language, place = :place, link = :link, announce = :announce,
               urgent_until = :urgent_until, updated = :updated, seen = :seen,
               withdrawn = :withdrawn
        WHERE id = :id
        """,
        _values(post),
    )
    _put_event(db, post, last)


def _put_event(db: sqlite3.Connection, post: Post, last: datetime | None) -> None:
    event = post.event
    if event is None:
        return
    db.execute(
        """
        INSERT OR REPLACE INTO events (post, starts, ends, zone, all_day, venue, rule, excluded,
                                       state, last)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (
            post.id,
            times.stamp(event.starts),
            times.stamp_or_none(event.ends),
            event.zone,
            event.all_day,
            event.venue,
            event.rule,
            json.dumps([day.isoformat() for day in event.excluded]),
            event.state,
            times.stamp(last or event.ends or event.starts),
        ),
    )


def mark_seen(db: sqlite3.Connection, post_id: str, now: datetime) -> None:
    """It was told again, unchanged."""
    db.execute("UPDATE posts SET seen = ? WHERE id = ?", (times.stamp(now), post_id))


def remove(db: sqlite3.Connection, post_id: str) -> None:
    """Removes one altogether."""
    db.execute("DELETE FROM posts WHERE id = ?", (post_id,))


def remove_of_peer(db: sqlite3.Connection, host: str) -> None:
    """Removes all that came from a node."""
    db.execute("DELETE FROM posts WHERE peer = ?", (host,))


def get(db: sqlite3.Connection, post_id: str) -> Post | None:
    """One by its id."""
    row = db.execute(f"{_SELECT} WHERE posts.id = ?", (post_id,)).fetchone()
    return None if row is None else _post(row)


def get_by_uri(db: sqlite3.Connection, uri: str) -> Post | None:
    """One by its id on the network."""
    row = db.execute(f"{_SELECT} WHERE uri = ?", (uri,)).fetchone()
    return None if row is None else _post(row)


def get_own(db: sqlite3.Connection, prefix: str, *, event: bool) -> Post | None:
    """News or an event of ours, by the beginning of its id."""
    row = db.execute(
        f"""
        {_SELECT} WHERE posts.id >= :prefix AND posts.id < :prefix || 'g' AND peer IS NULL
          AND (starts IS NOT NULL) = :event
        """,
        {"prefix": prefix, "event": event},
    ).fetchone()
    return None if row is None else _post(row)


def find_news(
    db: sqlite3.Connection,
    silent: datetime,
    limit: int,
    offset: int = 0,
    *,
    own: bool | None = None,
    shop: str | None = None,
) -> list[Post]:
    """News on show: our own first, then the neighbours', each the newest first.

    Nodes last heard before `silent` are left out. With `own`, one side alone; with `shop`, a
    shop's alone.
    """
    rows = db.execute(
        f"""
        {_SELECT} WHERE starts IS NULL AND {_SHOWN}
          AND (:own IS NULL OR (peer IS NULL) = :own) AND (:shop IS NULL OR shop = :shop)
        ORDER BY peer IS NOT NULL, published DESC, posts.id LIMIT :limit OFFSET :offset
        """,
        {
            "silent": times.stamp(silent),
            "limit": limit,
            "offset": offset,
            "own": own,
            "shop": shop,
        },
    )
    return [_post(row) for row in rows]


def find_urgent(db: sqlite3.Connection, silent: datetime, now: datetime, limit: int) -> list[Post]:
    """What is urgent at a moment, ours first."""
    rows = db.execute(
        f"""
        {_SELECT} WHERE urgent_until > :now AND {_SHOWN}
        ORDER BY peer IS NOT NULL, published DESC LIMIT :limit
        """,
        {"silent": times.stamp(silent), "now": times.stamp(now), "limit": limit},
    )
    return [_post(row) for row in rows]


def find_events(
    db: sqlite3.Connection,
    silent: datetime,
    begin: datetime,
    end: datetime,
    limit: int,
    *,
    own: bool | None = None,
    shop: str | None = None,
) -> list[Post]:
    """Events on show that may have an occurrence between two moments, ours first."""
    rows = db.execute(
        f"""
        {_SELECT} WHERE last >= :begin AND starts < :end AND {_SHOWN}
          AND (:own IS NULL OR (peer IS NULL) = :own)
          AND (:shop IS NULL OR shop = :shop)
        ORDER BY peer IS NOT NULL, starts, posts.id LIMIT :limit
        """,
        {
            "silent": times.stamp(silent),
            "begin": times.stamp(begin),
            "end": times.stamp(end),
            "limit": limit,
            "own": own,
            "shop": shop,
        },
    )
    return [_post(row) for row in rows]


def find_written(
    db: sqlite3.Connection,
    *,
    event: bool,
    account: str | None,
    shop: str | None,
    limit: int,
) -> list[Post]:
    """What was written here and is on show, for a desk: by an account, for a shop, or for none."""
    rows = db.execute(
        f"""
        {_SELECT} WHERE peer IS NULL AND withdrawn IS NULL AND (starts IS NOT NULL) = :event
          AND (:account IS NULL OR account = :account)
          AND ((:shop IS NULL AND shop IS NULL) OR shop = :shop)
        ORDER BY coalesce(starts, published) DESC, posts.id LIMIT :limit
        """,
        {"event": event, "account": account, "shop": shop, "limit": limit},
    )
    return [_post(row) for row in rows]


def find_page_of_actor(
    db: sqlite3.Connection, actor: str, before: tuple[str, str] | None, limit: int
) -> list[Post]:
    """What an actor of ours says in public, newest first, after the one published then and so."""
    rows = db.execute(
        f"""
        {_SELECT} WHERE actor = :actor AND peer IS NULL AND withdrawn IS NULL
          AND (:at IS NULL OR (published, posts.id) < (:at, :id))
        ORDER BY published DESC, posts.id DESC LIMIT :limit
        """,
        {
            "actor": actor,
            "at": before[0] if before else None,
            "id": before[1] if before else None,
            "limit": limit,
        },
    )
    return [_post(row) for row in rows]


def count_of_actor(db: sqlite3.Connection, actor: str) -> int:
    """How much an actor of ours says in public."""
    row = db.execute(
        "SELECT count(*) FROM posts WHERE actor = ? AND peer IS NULL AND withdrawn IS NULL",
        (actor,),
    ).fetchone()
    return int(row[0])


def find_own_pages(db: sqlite3.Connection, limit: int) -> list[tuple[str, str]]:
    """(address, when it changed) of our own pages, the newest first."""
    rows = db.execute(
        """
        SELECT url, updated FROM posts WHERE peer IS NULL AND withdrawn IS NULL
        ORDER BY published DESC LIMIT ?
        """,
        (limit,),
    )
    return [(row[0], row[1]) for row in rows]


def find_over(db: sqlite3.Connection, before: datetime, limit: int) -> list[str]:
    """Ids of events of ours that were over before a moment and are still on show."""
    rows = db.execute(
        """
        SELECT posts.id FROM posts JOIN events ON events.post = posts.id
        WHERE last < ? AND peer IS NULL AND withdrawn IS NULL LIMIT ?
        """,
        (times.stamp(before), limit),
    )
    return [row[0] for row in rows]


# --- who publishes -------------------------------------------------------------------------------


def get_byline(db: sqlite3.Connection, account: str) -> Byline | None:
    """How an account is shown beside what it publishes."""
    row = db.execute("SELECT name, badge FROM publishers WHERE account = ?", (account,)).fetchone()
    return None if row is None else Byline(row[0], Badge(row[1]))


def put_byline(db: sqlite3.Connection, account: str, byline: Byline) -> None:
    """Says how an account is shown."""
    db.execute(
        "INSERT OR REPLACE INTO publishers (account, name, badge) VALUES (?, ?, ?)",
        (account, byline.name, byline.badge),
    )
