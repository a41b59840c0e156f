"""What people elsewhere ask a shop of ours in private, and what it answers.

Whatever is removed leaves no word of it in the file.
"""

import sqlite3
from datetime import datetime

from node.model import Enquiry, EnquiryAnswer
from node.store import database, times

_COLUMNS = "id, uri, shop, listing, actor, name, host, inbox, words, at, key, sealed"


def _enquiry(row: sqlite3.Row) -> Enquiry:
    return Enquiry(
        id=row["id"],
        uri=row["uri"],
        shop=row["shop"],
        listing=row["listing"],
        actor=row["actor"],
        name=row["name"],
        host=row["host"],
        inbox=row["inbox"],
        words=row["words"],
        at=times.moment(row["at"]),
        key=row["key"],
        sealed=row["sealed"],
    )


def put(db: sqlite3.Connection, enquiry: Enquiry) -> None:
    """Keeps an enquiry; one that is known by its note's id only has its words changed."""
    with database.wiping(db):  # what it said before goes
        db.execute(
            f"""
            INSERT INTO enquiries ({_COLUMNS})
            VALUES (:id, :uri, :shop, :listing, :actor, :name, :host, :inbox, :words, :at, :key,
                    :sealed)
            ON CONFLICT (uri) DO UPDATE
                SET words = excluded.words, key = excluded.key, sealed = excluded.sealed
                WHERE actor = excluded.actor
            """,  # noqa: S608 (a constant)
            {
                "id": enquiry.id,
                "uri": enquiry.uri,
                "shop": enquiry.shop,
                "listing": enquiry.listing,
                "actor": enquiry.actor,
                "name": enquiry.name,
                "host": enquiry.host,
                "inbox": enquiry.inbox,
                "words": enquiry.words,
                "at": times.stamp(enquiry.at),
                "key": enquiry.key,
                "sealed": enquiry.sealed,
            },
        )


def get(db: sqlite3.Connection, enquiry_id: str) -> Enquiry | None:
    """The enquiry of that id."""
    return _one(db, "id = ?", enquiry_id)


def get_by_uri(db: sqlite3.Connection, uri: str) -> Enquiry | None:
    """The enquiry that came as the note of that id."""
    return _one(db, "uri = ?", uri)


def get_by_answer(db: sqlite3.Connection, uri: str) -> Enquiry | None:
    """The enquiry that the note of that id, one of ours, answered."""
    return _one(db, "id = (SELECT enquiry FROM enquiry_answers WHERE uri = ?)", uri)


def _one(db: sqlite3.Connection, where: str, value: str) -> Enquiry | None:
    row = db.execute(
        f"SELECT {_COLUMNS} FROM enquiries WHERE {where}",  # noqa: S608 (constants)
        (value,),
    ).fetchone()
    return None if row is None else _enquiry(row)


def find(db: sqlite3.Connection, shop_id: str, limit: int | None, offset: int = 0) -> list[Enquiry]:
    """A shop's enquiries, the newest first: as many as that, or all, without the first `offset`."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM enquiries WHERE shop = ? ORDER BY at DESC, id"  # noqa: S608
        " LIMIT ? OFFSET ?",
        (shop_id, -1 if limit is None else limit, offset),
    )
    return [_enquiry(row) for row in rows]


def find_all(db: sqlite3.Connection) -> list[Enquiry]:
    """All that there are, of every shop."""
    return [_enquiry(row) for row in db.execute(f"SELECT {_COLUMNS} FROM enquiries ORDER BY id")]  # noqa: S608


def count(
    db: sqlite3.Connection, shop_id: str, actor: str | None = None, *, host: str | None = None
) -> int:
    """How many a shop has, of everybody, of one actor, or of all of one host."""
    return int(
        db.execute(
            """
            SELECT count(*) FROM enquiries
            WHERE shop = :shop AND (:actor IS NULL OR actor = :actor)
                AND (:host IS NULL OR host = :host)
            """,
            {"shop": shop_id, "actor": actor, "host": host},
        ).fetchone()[0]
    )


def remove(db: sqlite3.Connection, enquiry_id: str) -> None:
    """Removes one with its answers."""
    with database.wiping(db):
        db.execute("DELETE FROM enquiries WHERE id = ?", (enquiry_id,))


def remove_by(db: sqlite3.Connection, actor: str, uri: str | None = None) -> None:
    """Removes what an actor has asked: one note of its, or all."""
    with database.wiping(db):
        db.execute(
            "DELETE FROM enquiries WHERE actor = :actor AND (:uri IS NULL OR uri = :uri)",
            {"actor": actor, "uri": uri},
        )


def remove_host(db: sqlite3.Connection, host: str) -> None:
    """Removes what was asked from a host."""
    with database.wiping(db):
        db.execute("DELETE FROM enquiries WHERE host = ?", (host,))


def prune(db: sqlite3.Connection, before: datetime) -> None:
    """Forgets what was asked before `before`."""
    with database.wiping(db):
        db.execute("DELETE FROM enquiries WHERE at < ?", (times.stamp(before),))


def put_answer(db: sqlite3.Connection, answer: EnquiryAnswer) -> None:
    """Keeps what was answered; of one that is there, its words are changed."""
    with database.wiping(db):
        db.execute(
            """
            INSERT INTO enquiry_answers (uri, enquiry, words, at, key, sealed)
            VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (uri) DO UPDATE
                SET words = excluded.words, key = excluded.key, sealed = excluded.sealed
            """,
            (
                answer.uri,
                answer.enquiry,
                answer.words,
                times.stamp(answer.at),
                answer.key,
                answer.sealed,
            ),
        )


def find_answers(db: sqlite3.Connection, enquiry_id: str) -> list[EnquiryAnswer]:
    """What was answered, the oldest first."""
    rows = db.execute(
        """
        SELECT uri, enquiry, words, at, key, sealed, failed FROM enquiry_answers
        WHERE enquiry = ? ORDER BY at, uri
        """,
        (enquiry_id,),
    )
    return [
        EnquiryAnswer(
            uri=row["uri"],
            enquiry=row["enquiry"],
            words=row["words"],
            at=times.moment(row["at"]),
            key=row["key"],
            sealed=row["sealed"],
            failed=times.moment_or_none(row["failed"]),
        )
        for row in rows
    ]


def mark_failed(db: sqlite3.Connection, uri: str, now: datetime) -> None:
    """An answer did not reach the one who asked."""
    db.execute("UPDATE enquiry_answers SET failed = ? WHERE uri = ?", (times.stamp(now), uri))


def has_answers(db: sqlite3.Connection, enquiry_id: str) -> bool:
    """Whether it was answered."""
    row = db.execute(
        "SELECT 1 FROM enquiry_answers WHERE enquiry = ? LIMIT 1", (enquiry_id,)
    ).fetchone()
    return row is not None
