"""Photos: which there are, and which listing shows which."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime

from node.model import Photo
from node.store import times


def add_medium(
    db: sqlite3.Connection,
    photo_id: str,
    shop_id: str,
    width: int,
    height: int,
    size: int,
    now: datetime,
    draft_until: datetime,
) -> None:
    """Writes a photo down; one that is known already is a draft again, of who sent it last."""
    db.execute(
        """
        INSERT INTO media (id, shop, width, height, bytes, added, draft_until)
        VALUES (:id, :shop, :width, :height, :bytes, :added, :draft_until)
        ON CONFLICT (id) DO UPDATE SET
            shop = excluded.shop, added = excluded.added, draft_until = excluded.draft_until
        """,
        {
            "id": photo_id,
            "shop": shop_id,
            "width": width,
            "height": height,
            "bytes": size,
            "added": times.stamp(now),
            "draft_until": times.stamp(draft_until),
        },
    )


def get_draft(
    db: sqlite3.Connection, photo_id: str, shop_id: str, alt: str, now: datetime
) -> Photo | None:
    """A photo that a shop sent and may still put on a listing."""
    row = db.execute(
        "SELECT width, height FROM media WHERE id = ? AND shop = ? AND draft_until > ?",
        (photo_id, shop_id, times.stamp(now)),
    ).fetchone()
    return None if row is None else Photo(photo_id, alt, row[0], row[1])


def is_known(db: sqlite3.Connection, photo_id: str) -> bool:
    """Whether there is such a photo."""
    return db.execute("SELECT 1 FROM media WHERE id = ?", (photo_id,)).fetchone() is not None


def is_shown(db: sqlite3.Connection, photo_id: str, now: datetime) -> bool:
    """Whether a photo may be looked at: a listing shows it, or somebody is about to publish it."""
    return (
        db.execute(
            """
            SELECT 1 FROM media WHERE id = :id AND (draft_until > :now
                OR EXISTS (SELECT 1 FROM photos JOIN listings ON listings.id = photos.listing
                           WHERE photos.id = media.id AND listings.withdrawn IS NULL))
            """,
            {"id": photo_id, "now": times.stamp(now)},
        ).fetchone()
        is not None
    )


def keep(db: sqlite3.Connection, photo_id: str, shop_id: str, until: datetime) -> None:
    """Lets a photo that waits for its listing wait until then, at least."""
    db.execute(
        """
        UPDATE media SET draft_until = max(draft_until, :until)
        WHERE id = :id AND shop = :shop AND draft_until IS NOT NULL
        """,
        {"id": photo_id, "shop": shop_id, "until": times.stamp(until)},
    )


def change(db: sqlite3.Connection, listing_id: str, found: Sequence[Photo]) -> None:
    """Writes all photos of a listing, in their order; they are drafts no more."""
    db.execute("DELETE FROM photos WHERE listing = ?", (listing_id,))
    if not found:
        return
    db.executemany(
        "INSERT INTO photos (listing, position, id, alt) VALUES (?, ?, ?, ?)",
        [(listing_id, position, photo.id, photo.alt) for position, photo in enumerate(found)],
    )
    db.executemany(
        "UPDATE media SET draft_until = NULL WHERE id = ?", [(photo.id,) for photo in found]
    )


def find(db: sqlite3.Connection, listing_ids: Iterable[str]) -> dict[str, tuple[Photo, ...]]:
    """The photos of listings, in their order, by listing; none for one without."""
    found: dict[str, tuple[Photo, ...]] = {}
    for row in db.execute(
        """
        SELECT photos.listing, photos.id, photos.alt, media.width, media.height
        FROM photos JOIN media ON media.id = photos.id
        WHERE photos.listing IN (SELECT value FROM json_each(?))
        ORDER BY photos.listing, photos.position
        """,
        (json.dumps(list(listing_ids)),),
    ):
        found[row[0]] = (*found.get(row[0], ()), Photo(row[1], row[2], row[3], row[4]))
    return found


def held_by_shop(db: sqlite3.Connection, shop_id: str, since: datetime) -> tuple[int, int]:
    """How many bytes a shop's photos take, and how many it has sent since a time."""
    row = db.execute(
        "SELECT ifnull(sum(bytes), 0), count(*) FILTER (WHERE added >= :since) FROM media"
        " WHERE shop = :shop",
        {"shop": shop_id, "since": times.stamp(since)},
    ).fetchone()
    return int(row[0]), int(row[1])


def find_ids(db: sqlite3.Connection) -> frozenset[str]:
    """All photos written down."""
    return frozenset(row[0] for row in db.execute("SELECT id FROM media"))


def remove_unused(db: sqlite3.Connection, now: datetime) -> None:
    """Forgets photos that no listing shows and that nobody is about to publish."""
    db.execute(
        """
        DELETE FROM media WHERE (draft_until IS NULL OR draft_until <= ?)
            AND NOT EXISTS (SELECT 1 FROM photos WHERE photos.id = media.id)
        """,
        (times.stamp(now),),
    )
