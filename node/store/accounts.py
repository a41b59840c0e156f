"""People who sign in, what each may do, and their one-time links and sessions."""

import sqlite3
from datetime import datetime

from node.model import Account, Grant, Role
from node.store import times


def add(db: sqlite3.Connection, account: Account) -> None:
    """Adds an account."""
    db.execute(
        "INSERT INTO accounts (id, email, created) VALUES (?, ?, ?)",
        (account.id, account.email, times.stamp(account.created)),
    )


def get_by_email(db: sqlite3.Connection, email: str) -> Account | None:
    """The account of an address (already folded)."""
    row = db.execute("SELECT id, email, created FROM accounts WHERE email = ?", (email,)).fetchone()
    return None if row is None else Account(row[0], row[1], times.moment(row[2]))


def add_grant(db: sqlite3.Connection, grant: Grant, now: datetime) -> None:
    """Grants a role; a grant that exists takes the new end."""
    db.execute(
        """
        INSERT INTO grants (account, role, shop, territory, granted, until)
        VALUES (:account, :role, :shop, :territory, :granted, :until)
        ON CONFLICT (account, role, ifnull(shop, ''), ifnull(territory, ''))
            DO UPDATE SET until = excluded.until
        """,
        {
            "account": grant.account,
            "role": grant.role,
            "shop": grant.shop,
            "territory": grant.territory,
            "granted": times.stamp(now),
            "until": times.stamp_or_none(grant.until),
        },
    )


def find_grants(db: sqlite3.Connection, account_id: str, now: datetime) -> list[Grant]:
    """The grants of an account that hold now."""
    rows = db.execute(
        """
        SELECT account, role, shop, territory, until FROM grants
        WHERE account = ? AND (until IS NULL OR until > ?)
        """,
        (account_id, times.stamp(now)),
    )
    return [
        Grant(
            account=row["account"],
            role=Role(row["role"]),
            shop=row["shop"],
            territory=row["territory"],
            until=times.moment_or_none(row["until"]),
        )
        for row in rows
    ]


def add_link(db: sqlite3.Connection, token_hash: bytes, account_id: str, expires: datetime) -> None:
    """Adds a one-time link; earlier ones of the account end (AUTH-04: no old one after a new)."""
    db.execute("DELETE FROM sign_in_links WHERE account = ?", (account_id,))
    db.execute(
        "INSERT INTO sign_in_links (token_hash, account, expires) VALUES (?, ?, ?)",
        (token_hash, account_id, times.stamp(expires)),
    )


def get_link(db: sqlite3.Connection, token_hash: bytes, now: datetime) -> Account | None:
    """Whose link that is, while it holds."""
    row = db.execute(
        """
        SELECT accounts.id, accounts.email, accounts.created FROM sign_in_links
        JOIN accounts ON accounts.id = sign_in_links.account
        WHERE token_hash = ? AND expires > ?
        """,
        (token_hash, times.stamp(now)),
    ).fetchone()
    return None if row is None else Account(row[0], row[1], times.moment(row[2]))


def remove_link(db: sqlite3.Connection, token_hash: bytes) -> bool:
    """Uses a link up; says whether it was there."""
    return db.execute("DELETE FROM sign_in_links WHERE token_hash = ?", (token_hash,)).rowcount > 0


def add_session(
    db: sqlite3.Connection, token_hash: bytes, account_id: str, expires: datetime
) -> None:
    """Begins a session."""
    db.execute(
        "INSERT INTO sessions (token_hash, account, expires) VALUES (?, ?, ?)",
        (token_hash, account_id, times.stamp(expires)),
    )


def get_session(db: sqlite3.Connection, token_hash: bytes, now: datetime) -> Account | None:
    """Whose session that is, while it holds."""
    row = db.execute(
        """
        SELECT accounts.id, accounts.email, accounts.created FROM sessions
        JOIN accounts ON accounts.id = sessions.account
        WHERE token_hash = ? AND expires > ?
        """,
        (token_hash, times.stamp(now)),
    ).fetchone()
    return None if row is None else Account(row[0], row[1], times.moment(row[2]))


def remove_session(db: sqlite3.Connection, token_hash: bytes) -> None:
    """Ends a session."""
    db.execute("DELETE FROM sessions WHERE token_hash = ?", (token_hash,))


def prune(db: sqlite3.Connection, now: datetime) -> None:
    """Drops links and sessions that have run out."""
    db.execute("DELETE FROM sign_in_links WHERE expires <= ?", (times.stamp(now),))
    db.execute("DELETE FROM sessions WHERE expires <= ?", (times.stamp(now),))
