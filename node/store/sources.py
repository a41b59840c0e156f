"""Feeds and calendars elsewhere, and what came from each."""

import json
import sqlite3
from datetime import date, datetime
from typing import Any

from node.model import Badge, Byline, Event, EventState, Item, Source, SourceItem
from node.store import times

_COLUMNS = "id, url, name, badge, trusted, due, fetched, etag, failures, problem"
_ITEM = "source, guid, state, post, twin, fingerprint, item"


def _source(row: sqlite3.Row) -> Source:
    return Source(
        id=row["id"],
        url=row["url"],
        byline=Byline(row["name"], Badge(row["badge"])),
        trusted=bool(row["trusted"]),
        due=times.moment(row["due"]),
        fetched=times.moment_or_none(row["fetched"]),
        etag=row["etag"],
        failures=row["failures"],
        problem=row["problem"],
    )


def add(db: sqlite3.Connection, source: Source, now: datetime) -> None:
    """Adds one. Raises sqlite3.IntegrityError where its address is there already."""
    db.execute(
        """
        INSERT INTO sources (id, url, name, badge, trusted, added, due)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """,
        (
            source.id,
            source.url,
            source.byline.name,
            source.byline.badge,
            source.trusted,
            times.stamp(now),
            times.stamp(source.due),
        ),
    )


def find(db: sqlite3.Connection) -> list[Source]:
    """All of them, by name."""
    rows = db.execute(f"SELECT {_COLUMNS} FROM sources ORDER BY name, url")  # noqa: S608
    return [_source(row) for row in rows]


def get(db: sqlite3.Connection, source_id: str) -> Source | None:
    """One by its id."""
    row = db.execute(
        f"SELECT {_COLUMNS} FROM sources WHERE id = ?",  # noqa: S608
        (source_id,),
    ).fetchone()
    return None if row is None else _source(row)


def get_by_url(db: sqlite3.Connection, url: str) -> Source | None:
    """One by its address."""
    row = db.execute(
        f"SELECT {_COLUMNS} FROM sources WHERE url = ?",  # noqa: S608
        (url,),
    ).fetchone()
    return None if row is None else _source(row)


def find_due(db: sqlite3.Connection, now: datetime) -> list[Source]:
    """Those to be read now, the longest due first."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM sources WHERE due <= ? ORDER BY due LIMIT 20",  # noqa: S608
        (times.stamp(now),),
    )
    return [_source(row) for row in rows]


def next_due(db: sqlite3.Connection) -> datetime | None:
    """When the next one is to be read."""
    return times.moment_or_none(db.execute("SELECT min(due) FROM sources").fetchone()[0])


def change_due(db: sqlite3.Connection, source_id: str, due: datetime) -> None:
    """Has one read at another time."""
    db.execute("UPDATE sources SET due = ? WHERE id = ?", (times.stamp(due), source_id))


def change_trust(db: sqlite3.Connection, source_id: str, *, trusted: bool) -> None:
    """Says whether what comes from it is published at once."""
    db.execute("UPDATE sources SET trusted = ? WHERE id = ?", (trusted, source_id))


def note_read(
    db: sqlite3.Connection,
    source_id: str,
    *,
    now: datetime,
    due: datetime,
    etag: str | None,
    problem: str | None,
) -> None:
    """It was read; `problem` is what of it could not be used."""
    db.execute(
        """
        UPDATE sources SET fetched = ?, due = ?, etag = ?, failures = 0, problem = ? WHERE id = ?
        """,
        (times.stamp(now), times.stamp(due), etag, problem, source_id),
    )


def note_failure(db: sqlite3.Connection, source_id: str, due: datetime, problem: str) -> None:
    """It could not be read."""
    db.execute(
        "UPDATE sources SET due = ?, failures = failures + 1, problem = ? WHERE id = ?",
        (times.stamp(due), problem, source_id),
    )


def remove(db: sqlite3.Connection, source_id: str) -> None:
    """Removes one; what was published from it stays."""
    db.execute("DELETE FROM sources WHERE id = ?", (source_id,))


# --- what they told ------------------------------------------------------------------------------


def get_item(db: sqlite3.Connection, source_id: str, guid: str) -> SourceItem | None:
    """One by the source's own name for it."""
    row = db.execute(
        f"SELECT {_ITEM} FROM source_items WHERE source = ? AND guid = ?",  # noqa: S608
        (source_id, guid),
    ).fetchone()
    return None if row is None else _source_item(row)


def put_item(db: sqlite3.Connection, one: SourceItem, now: datetime) -> None:
    """Writes what it is now."""
    db.execute(
        """
        INSERT OR REPLACE INTO source_items
            (source, guid, state, post, twin, title, fingerprint, item, seen)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (
            one.source,
            one.item.guid,
            one.state,
            one.post,
            one.twin,
            one.item.title,
            one.fingerprint,
            written(one.item),
            times.stamp(now),
        ),
    )


def find_waiting(db: sqlite3.Connection, limit: int) -> list[SourceItem]:
    """What a steward is to look at, the newest first."""
    rows = db.execute(
        f"""
        SELECT {_ITEM} FROM source_items WHERE state = 'waiting' ORDER BY seen DESC, guid LIMIT ?
        """,  # noqa: S608
        (limit,),
    )
    return [_source_item(row) for row in rows]


def count_waiting(db: sqlite3.Connection, source_id: str | None = None) -> int:
    """How much waits, of one source or of all."""
    row = db.execute(
        "SELECT count(*) FROM source_items WHERE state = 'waiting' AND (? IS NULL OR source = ?)",
        (source_id, source_id),
    ).fetchone()
    return int(row[0])


def find_published(db: sqlite3.Connection, source_id: str) -> list[SourceItem]:
    """What was published from a source."""
    rows = db.execute(
        f"SELECT {_ITEM} FROM source_items WHERE source = ? AND state = 'published'",  # noqa: S608
        (source_id,),
    )
    return [_source_item(row) for row in rows]


def _source_item(row: sqlite3.Row) -> SourceItem:
    return SourceItem(
        source=row["source"],
        item=_item(json.loads(row["item"])),
        state=row["state"],
        post=row["post"],
        twin=row["twin"],
        fingerprint=row["fingerprint"],
    )


def written(item: Item) -> str:
    """An item as JSON text, always the same for the same."""
    event = item.event
    found: dict[str, Any] = {
        "guid": item.guid,
        "title": item.title,
        "text": item.text,
        "link": item.link,
        "at": times.stamp_or_none(item.at),
    }
    if event is not None:
        found["event"] = {
            "starts": times.stamp(event.starts),
            "ends": times.stamp_or_none(event.ends),
            "zone": event.zone,
            "all_day": event.all_day,
            "venue": event.venue,
            "rule": event.rule,
            "excluded": [day.isoformat() for day in event.excluded],
            "state": event.state,
        }
    return json.dumps(found, ensure_ascii=False)


def _item(found: dict[str, Any]) -> Item:
    told = found.get("event")
    event = None
    if told is not None:
        event = Event(
            starts=times.moment(told["starts"]),
            ends=times.moment_or_none(told["ends"]),
            zone=told["zone"],
            all_day=told["all_day"],
            venue=told["venue"],
            rule=told["rule"],
            excluded=tuple(date.fromisoformat(day) for day in told["excluded"]),
            state=EventState(told["state"]),
        )
    return Item(
        guid=found["guid"],
        title=found["title"],
        text=found["text"],
        link=found["link"],
        at=times.moment_or_none(found["at"]),
        event=event,
    )
