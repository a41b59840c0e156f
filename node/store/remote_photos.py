"""Photos of neighbours' listings: where they are, which are held here as a small copy, and which
are to be fetched.

A row without a copy is fetched when it is due. Without a time it waits until a page would show it
(`show`); with GIVEN_UP tries it waits until its listing names another photo.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from node.model import RemotePhoto
from node.store import times

GIVEN_UP = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """A photo to be fetched. `shown`: a page would show it, so that room is made for it."""

    listing: str
    url: str
    host: str
    tries: int
    shown: bool


def change(
    db: sqlite3.Connection, listing_id: str, photo: RemotePhoto | None, now: datetime
) -> None:
    """Writes the photo of a listing. The copy stays while the address does; a new one is due."""
    if photo is None:
        db.execute("DELETE FROM remote_photos WHERE listing = ?", (listing_id,))
        return
    written = db.execute(_WRITE, (photo.url, photo.alt, times.fine(now), listing_id))
    if written.rowcount == 0:  # the same photo, perhaps said otherwise
        db.execute(
            "UPDATE remote_photos SET alt = :alt WHERE listing = :listing AND alt <> :alt",
            {"listing": listing_id, "alt": photo.alt},
        )


_WRITE = """
    INSERT INTO remote_photos (listing, host, url, alt, due)
    SELECT listings.id, shops.peer, ?, ?, ?
    FROM listings JOIN shops ON shops.id = listings.shop WHERE listings.id = ?
    ON CONFLICT (listing) DO UPDATE SET url = excluded.url, alt = excluded.alt,
        id = NULL, width = 0, height = 0, bytes = 0, tries = 0, due = excluded.due
        WHERE url <> excluded.url
"""


def add_all(db: sqlite3.Connection, told: Iterable[tuple[str, RemotePhoto, datetime]]) -> None:
    """Writes the photos of listings that have none: each is due at the time beside it."""
    db.executemany(
        _WRITE, [(photo.url, photo.alt, times.fine(due), listing) for listing, photo, due in told]
    )


def begin_again(db: sqlite3.Connection, now: datetime) -> None:
    """Nothing waits for a time that another clock set."""
    db.execute("UPDATE remote_photos SET due = :now WHERE due > :now", {"now": times.fine(now)})


def find(db: sqlite3.Connection, listing_ids: Iterable[str]) -> dict[str, RemotePhoto]:
    """The photos of listings, by listing; none for one without."""
    rows = db.execute(
        """
        SELECT listing, url, alt, id, width, height FROM remote_photos
        WHERE listing IN (SELECT value FROM json_each(?))
        """,
        (json.dumps(list(listing_ids)),),
    )
    return {row[0]: RemotePhoto(row[1], row[2], row[3], row[4], row[5]) for row in rows}


# Whose photos are fetched and served: neighbours that are heard, and not silent for too long.
_HEARD = """
    peers.following = 'accepted' AND peers.blocked IS NULL AND peers.suspended IS NULL
    AND (peers.heard IS NULL OR peers.heard > :heard_after)
"""


def is_held(db: sqlite3.Connection, photo_id: str, heard_after: datetime) -> bool:
    """Whether that is a copy that may be looked at."""
    return (
        db.execute(
            f"""
            SELECT 1 FROM remote_photos JOIN peers ON peers.host = remote_photos.host
            WHERE remote_photos.id = :id AND {_HEARD} AND NOT EXISTS (
                SELECT 1 FROM listings JOIN shops ON shops.id = listings.shop
                JOIN hidden ON hidden.uri IN (listings.uri, shops.uri)
                WHERE listings.id = remote_photos.listing)
            """,  # noqa: S608 (a constant)
            {"id": photo_id, "heard_after": times.stamp(heard_after)},
        ).fetchone()
        is not None
    )


def find_due(db: sqlite3.Connection, now: datetime, heard_after: datetime) -> list[Wanted]:
    """Of each neighbour the one photo to be fetched next: one that a page would show, if any."""
    rows = db.execute(
        f"""
        SELECT found.listing, found.url, found.host, found.tries, found.shown IS NOT NULL
        FROM peers JOIN remote_photos AS found ON found.listing = ifnull(
            (SELECT listing FROM remote_photos AS its WHERE its.host = peers.host
                AND its.due IS NOT NULL AND its.due <= :now AND its.shown IS NOT NULL
             ORDER BY its.due LIMIT 1),
            (SELECT listing FROM remote_photos AS its WHERE its.host = peers.host
                AND its.due IS NOT NULL AND its.due <= :now
             ORDER BY its.due LIMIT 1))
        WHERE {_HEARD}
        ORDER BY found.shown IS NULL, found.due
        """,  # noqa: S608
        {"now": times.fine(now), "heard_after": times.stamp(heard_after)},
    )
    return [Wanted(row[0], row[1], row[2], row[3], bool(row[4])) for row in rows]


def keep(
    db: sqlite3.Connection, wanted: Wanted, photo_id: str, width: int, height: int, size: int
) -> None:
    """Writes down that a copy is held, if the listing still names that photo."""
    db.execute(
        """
        UPDATE remote_photos SET id = :id, width = :width, height = :height, bytes = :bytes,
            tries = 0, due = NULL
        WHERE listing = :listing AND url = :url
        """,
        {
            "id": photo_id,
            "width": width,
            "height": height,
            "bytes": size,
            "listing": wanted.listing,
            "url": wanted.url,
        },
    )


def postpone(db: sqlite3.Connection, wanted: Wanted, tries: int, due: datetime | None) -> None:
    """After a failure: how often it has failed by now, and when it is tried again, if ever."""
    db.execute(
        "UPDATE remote_photos SET tries = ?, due = ? WHERE listing = ? AND url = ?",
        (tries, None if due is None else times.fine(due), wanted.listing, wanted.url),
    )


def find_to_note(
    db: sqlite3.Connection, listing_ids: Collection[str], since: datetime
) -> list[str]:
    """Of listings that a page showed, those whose photo was not noted as shown since a time."""
    rows = db.execute(
        """
        SELECT listing FROM remote_photos
        WHERE listing IN (SELECT value FROM json_each(:listings))
          AND (shown IS NULL OR shown <= :since
               OR (id IS NULL AND due IS NULL AND tries < :given_up))
        """,
        {
            "listings": json.dumps(list(listing_ids)),
            "since": times.stamp(since),
            "given_up": GIVEN_UP,
        },
    )
    return [row[0] for row in rows]


def show(db: sqlite3.Connection, listing_ids: Collection[str], now: datetime) -> None:
    """Notes that pages showed listings; a photo that was dropped is then due."""
    db.execute(
        """
        UPDATE remote_photos SET shown = :shown,
            due = CASE WHEN id IS NULL AND due IS NULL AND tries < :given_up
                       THEN :due ELSE due END
        WHERE listing IN (SELECT value FROM json_each(:listings))
        """,
        {
            "shown": times.stamp(now),
            "due": times.fine(now),
            "given_up": GIVEN_UP,
            "listings": json.dumps(list(listing_ids)),
        },
    )


def total_bytes(db: sqlite3.Connection) -> int:
    """What all copies take; one that two listings share counts twice."""
    row = db.execute("SELECT ifnull(sum(bytes), 0) FROM remote_photos WHERE bytes > 0").fetchone()
    return int(row[0])


def drop_least_shown(db: sqlite3.Connection, most: int) -> set[str]:
    """Forgets copies until the others take at most so many bytes; those least lately shown first.

    Returns ids that no listing has any more.
    """
    excess = total_bytes(db) - most
    dropped: list[tuple[str, str]] = []
    if excess > 0:
        # NULL, which has never been shown, comes first.
        for row in db.execute(
            "SELECT listing, id, bytes FROM remote_photos WHERE bytes > 0 ORDER BY shown"
        ):
            dropped.append((row[0], row[1]))
            excess -= row[2]
            if excess <= 0:
                break
    db.executemany(
        "UPDATE remote_photos SET id = NULL, width = 0, height = 0, bytes = 0 WHERE listing = ?",
        [(listing,) for listing, _ in dropped],
    )
    return {photo_id for _, photo_id in dropped} - find_ids(db, {one for _, one in dropped})


def find_ids(db: sqlite3.Connection, among: Collection[str] | None = None) -> frozenset[str]:
    """All copies that are held, or those of the given ones that are."""
    if among is None:
        rows = db.execute("SELECT id FROM remote_photos WHERE id IS NOT NULL")
    else:
        rows = db.execute(
            "SELECT id FROM remote_photos WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(among)),),
        )
    return frozenset(row[0] for row in rows)
