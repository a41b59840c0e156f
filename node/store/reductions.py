"""Every reduction that was decided here, and the price rows they are judged by."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from node.model import ReductionKind
from node.store import times


@dataclass(frozen=True, slots=True)
class Row:
    """One reduction of one offer."""

    id: int
    offer: str
    listing: str
    kind: ReductionKind
    price_cents: int
    currency: str
    regular_cents: int | None
    reference_cents: int | None
    since: datetime | None
    starts: datetime
    ends: datetime
    state: str  # planned, running, ended, stopped, refused
    why: str | None


_COLUMNS = """id, offer, listing, kind, price_cents, currency, regular_cents, reference_cents,
              since, starts, ends, state, why"""


def _row(row: sqlite3.Row) -> Row:
    return Row(
        id=row["id"],
        offer=row["offer"],
        listing=row["listing"],
        kind=ReductionKind(row["kind"]),
        price_cents=row["price_cents"],
        currency=row["currency"],
        regular_cents=row["regular_cents"],
        reference_cents=row["reference_cents"],
        since=times.moment_or_none(row["since"]),
        starts=times.moment(row["starts"]),
        ends=times.moment(row["ends"]),
        state=row["state"],
        why=row["why"],
    )


def plan(
    db: sqlite3.Connection,
    offer: str,
    listing: str,
    kind: ReductionKind,
    price_cents: int,
    currency: str,
    starts: datetime,
    ends: datetime,
    now: datetime,
) -> int:
    """Adds a planned reduction; its number."""
    cursor = db.execute(
        """
        INSERT INTO reductions
            (offer, listing, kind, price_cents, currency, starts, ends, decided, state)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'planned') RETURNING id
        """,
        (
            offer,
            listing,
            kind,
            price_cents,
            currency,
            times.stamp(starts),
            times.stamp(ends),
            times.stamp(now),
        ),
    )
    return int(cursor.fetchone()[0])


def run(
    db: sqlite3.Connection,
    reduction_id: int,
    regular_cents: int,
    reference_cents: int,
    since: datetime,
) -> None:
    """Notes that a planned one begins, what it is announced against, and what comes after it."""
    db.execute(
        """
        UPDATE reductions SET state = 'running', regular_cents = ?, reference_cents = ?, since = ?
        WHERE id = ?
        """,
        (regular_cents, reference_cents, times.stamp(since), reduction_id),
    )


def close(db: sqlite3.Connection, reduction_id: int, state: str, why: str | None = None) -> None:
    """Notes how one came to its end."""
    db.execute("UPDATE reductions SET state = ?, why = ? WHERE id = ?", (state, why, reduction_id))


def get(db: sqlite3.Connection, reduction_id: int) -> Row | None:
    """The reduction of that number."""
    row = db.execute(
        f"SELECT {_COLUMNS} FROM reductions WHERE id = ?",  # noqa: S608
        (reduction_id,),
    ).fetchone()
    return None if row is None else _row(row)


def find(db: sqlite3.Connection, listing: str) -> list[Row]:
    """All of a listing, the oldest first."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM reductions WHERE listing = ? ORDER BY id",  # noqa: S608
        (listing,),
    )
    return [_row(row) for row in rows]


def running(db: sqlite3.Connection, offer: str) -> Row | None:
    """The one that an offer has now."""
    row = db.execute(
        f"SELECT {_COLUMNS} FROM reductions WHERE offer = ? AND state = 'running'"  # noqa: S608
        " ORDER BY id DESC LIMIT 1",
        (offer,),
    ).fetchone()
    return None if row is None else _row(row)


def find_due(db: sqlite3.Connection, now: datetime, limit: int) -> list[Row]:
    """What is to begin or to end, beginnings first: one that follows on another keeps to it."""
    rows = db.execute(
        f"""
        SELECT {_COLUMNS} FROM reductions
        WHERE (state = 'planned' AND starts <= :now) OR (state = 'running' AND ends <= :now)
        ORDER BY state = 'running', starts, id LIMIT :limit
        """,  # noqa: S608
        {"now": times.stamp(now), "limit": limit},
    )
    return [_row(row) for row in rows]


def next_due(db: sqlite3.Connection) -> datetime | None:
    """When something begins or ends next."""
    row = db.execute(
        """
        SELECT min(CASE state WHEN 'planned' THEN starts ELSE ends END) FROM reductions
        WHERE state IN ('planned', 'running')
        """
    ).fetchone()
    return times.moment_or_none(row[0])
