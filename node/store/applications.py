"""Shops that somebody asks to open, and codes that somebody asks for."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from node.store import times


@dataclass(frozen=True, slots=True)
class Application:
    """A shop that is asked for. `shop` is the id it will have, under which drafts wait already."""

    id: str
    account: str
    shop: str
    siret: str
    name: str
    place: str
    address: str
    phone: str
    hours: str | None  # as typed; "" where none are told, None while it was not asked
    state: str  # begun, sent, approved, refused
    reason: str
    created: datetime
    sent: datetime | None
    proven: bool  # that the address is theirs who typed it


_COLUMNS = """id, account, shop, siret, name, place, address, phone, hours, state, reason, created,
              sent, proven"""


def _application(row: sqlite3.Row) -> Application:
    return Application(
        id=row["id"],
        account=row["account"],
        shop=row["shop"],
        siret=row["siret"],
        name=row["name"],
        place=row["place"],
        address=row["address"],
        phone=row["phone"],
        hours=row["hours"],
        state=row["state"],
        reason=row["reason"],
        created=times.moment(row["created"]),
        sent=times.moment_or_none(row["sent"]),
        proven=bool(row["proven"]),
    )


def put(db: sqlite3.Connection, one: Application) -> None:
    """Writes all of an application, new or changed."""
    db.execute(
        f"""
        INSERT OR REPLACE INTO applications ({_COLUMNS})
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,  # noqa: S608
        (
            one.id,
            one.account,
            one.shop,
            one.siret,
            one.name,
            one.place,
            one.address,
            one.phone,
            one.hours,
            one.state,
            one.reason,
            times.stamp(one.created),
            times.stamp_or_none(one.sent),
            one.proven,
        ),
    )


def get(db: sqlite3.Connection, application_id: str) -> Application | None:
    """The application of that id."""
    return _one(db, "id = ?", application_id)


def of_account(db: sqlite3.Connection, account: str) -> Application | None:
    """The last one of somebody, of those whose address they have shown to be theirs."""
    return _one(db, "account = ? AND proven", account)


def typed_for(db: sqlite3.Connection, account: str) -> list[Application]:
    """What was typed in the name of an account, by whoever: nothing of it is proven."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM applications"  # noqa: S608
        " WHERE account = ? AND NOT proven ORDER BY created, id",
        (account,),
    )
    return [_application(row) for row in rows]


def drop_begun(db: sqlite3.Connection, account: str, but: str) -> None:
    """Drops all that was begun for an account and not sent, except one."""
    db.execute(
        "DELETE FROM applications WHERE account = ? AND state = 'begun' AND id <> ?", (account, but)
    )


def of_shop(db: sqlite3.Connection, shop: str) -> Application | None:
    """The one that a shop was opened by."""
    return _one(db, "shop = ?", shop)


def of_siret(db: sqlite3.Connection, siret: str) -> Application | None:
    """The one that a shop was opened by which is still open, or that waits, with that number."""
    return _one(
        db,
        """siret = ? AND (state = 'sent' OR state = 'approved' AND EXISTS (
            SELECT 1 FROM shops WHERE shops.id = applications.shop AND shops.closed IS NULL))""",
        siret,
    )


def _one(db: sqlite3.Connection, where: str, value: str) -> Application | None:
    row = db.execute(
        f"SELECT {_COLUMNS} FROM applications WHERE {where}"  # noqa: S608
        " ORDER BY created DESC, id LIMIT 1",
        (value,),
    ).fetchone()
    return None if row is None else _application(row)


def waiting(db: sqlite3.Connection, limit: int) -> list[Application]:
    """What waits for a steward, the longest waiting first."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM applications WHERE state = 'sent' ORDER BY sent, id LIMIT ?",  # noqa: S608
        (limit,),
    )
    return [_application(row) for row in rows]


def count_since(db: sqlite3.Connection, since: datetime) -> int:
    """How many were begun since a time."""
    return int(
        db.execute(
            "SELECT count(*) FROM applications WHERE created > ?", (times.stamp(since),)
        ).fetchone()[0]
    )


def prune(db: sqlite3.Connection, since: datetime, unproven_since: datetime) -> None:
    """Drops what was begun before a time and never sent, or refused; sooner what nobody proved."""
    db.execute(
        """
        DELETE FROM applications
        WHERE state IN ('begun', 'refused') AND created < iif(proven, ?, ?)
        """,
        (times.stamp(since), times.stamp(unproven_since)),
    )


# --- codes ---------------------------------------------------------------------------------------


def ask_code(db: sqlite3.Connection, account: str, now: datetime) -> None:
    """Notes that a code was asked for, for an account."""
    db.execute("INSERT INTO code_requests (account, at) VALUES (?, ?)", (account, times.fine(now)))


def codes_asked(db: sqlite3.Connection, account: str | None, since: datetime) -> int:
    """How often since a time: for an account, or altogether."""
    return int(
        db.execute(
            """
            SELECT count(*) FROM code_requests
            WHERE at > :since AND (:account IS NULL OR account = :account)
            """,
            {"since": times.fine(since), "account": account},
        ).fetchone()[0]
    )


def who_asked(db: sqlite3.Connection, since: datetime, limit: int) -> list[tuple[str, str]]:
    """(account, address) of those who asked for a code since a time, the last first."""
    rows = db.execute(
        """
        SELECT accounts.id, accounts.email, max(at) AS last FROM code_requests
        JOIN accounts ON accounts.id = code_requests.account
        WHERE at > ? AND accounts.email IS NOT NULL
        GROUP BY accounts.id ORDER BY last DESC LIMIT ?
        """,
        (times.fine(since), limit),
    )
    return [(row[0], row[1]) for row in rows]


def answered(db: sqlite3.Connection, account: str) -> None:
    """A code was handed over: nothing is asked any more."""
    db.execute("DELETE FROM code_requests WHERE account = ?", (account,))


def prune_codes(db: sqlite3.Connection, since: datetime) -> None:
    """Forgets who asked before a time."""
    db.execute("DELETE FROM code_requests WHERE at < ?", (times.fine(since),))
