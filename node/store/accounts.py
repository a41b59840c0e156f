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


def remove_sessions(db: sqlite3.Connection, account_id: str) -> None:
    """Ends all sessions of an account."""
    db.execute("DELETE FROM sessions WHERE account = ?", (account_id,))


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


def add_code(db: sqlite3.Connection, account_id: str, code_mac: bytes, expires: datetime) -> None:
    """Gives an account a code, in place of an earlier one."""
    db.execute(
        "INSERT OR REPLACE INTO sign_in_codes (account, code_mac, expires) VALUES (?, ?, ?)",
        (account_id, code_mac, times.stamp(expires)),
    )


def get_code(db: sqlite3.Connection, account_id: str, now: datetime) -> bytes | None:
    """What is kept of an account's code, while it holds."""
    row = db.execute(
        "SELECT code_mac FROM sign_in_codes WHERE account = ? AND expires > ?",
        (account_id, times.stamp(now)),
    ).fetchone()
    return None if row is None else bytes(row[0])


def count_wrong_code(db: sqlite3.Connection, account_id: str, most: int) -> None:
    """A wrong code was tried: the right one ends with the last of `most` tries."""
    db.execute("UPDATE sign_in_codes SET wrong = wrong + 1 WHERE account = ?", (account_id,))
    db.execute("DELETE FROM sign_in_codes WHERE account = ? AND wrong >= ?", (account_id, most))


def add_try(db: sqlite3.Connection, account_id: str, now: datetime) -> None:
    """Notes that a code was tried."""
    db.execute(
        "INSERT INTO sign_in_tries (account, at) VALUES (?, ?)", (account_id, times.stamp(now))
    )


def count_tries(db: sqlite3.Connection, account_id: str, since: datetime) -> int:
    """How often a code was tried since a time."""
    row = db.execute(
        "SELECT count(*) FROM sign_in_tries WHERE account = ? AND at > ?",
        (account_id, times.stamp(since)),
    ).fetchone()
    return int(row[0])


def remove_ways_in(db: sqlite3.Connection, account_id: str) -> None:
    """One of them was used: the link and the code of an account end together."""
    db.execute("DELETE FROM sign_in_links WHERE account = ?", (account_id,))
    db.execute("DELETE FROM sign_in_codes WHERE account = ?", (account_id,))


def find_of_shop(db: sqlite3.Connection, shop_id: str, now: datetime) -> list[Account]:
    """Who may look after a shop now."""
    return _accounts(
        db.execute(
            """
            SELECT DISTINCT accounts.id, accounts.email, accounts.created FROM accounts
            JOIN grants ON grants.account = accounts.id
            WHERE grants.shop = ? AND (grants.until IS NULL OR grants.until > ?)
            ORDER BY accounts.email
            """,
            (shop_id, times.stamp(now)),
        )
    )


def find_with_role(db: sqlite3.Connection, role: Role, now: datetime) -> list[Account]:
    """Who has a role now."""
    return _accounts(
        db.execute(
            """
            SELECT DISTINCT accounts.id, accounts.email, accounts.created FROM accounts
            JOIN grants ON grants.account = accounts.id
            WHERE grants.role = ? AND (grants.until IS NULL OR grants.until > ?)
            ORDER BY accounts.email
            """,
            (role, times.stamp(now)),
        )
    )


def _accounts(rows: sqlite3.Cursor) -> list[Account]:
    return [Account(row[0], row[1], times.moment(row[2])) for row in rows]


def get(db: sqlite3.Connection, account_id: str) -> Account | None:
    """The account of that id."""
    found = _accounts(
        db.execute("SELECT id, email, created FROM accounts WHERE id = ?", (account_id,))
    )
    return found[0] if found else None


def change_email(db: sqlite3.Connection, account_id: str, email: str) -> None:
    """Gives an account another address (already folded)."""
    db.execute("UPDATE accounts SET email = ? WHERE id = ?", (email, account_id))


def remove_role(db: sqlite3.Connection, account_id: str, role: Role) -> None:
    """Takes a role on the node from an account; what it holds of shops stays."""
    db.execute(
        "DELETE FROM grants WHERE account = ? AND role = ? AND shop IS NULL", (account_id, role)
    )


def remove_grant(db: sqlite3.Connection, account_id: str, shop_id: str) -> None:
    """Takes a shop from an account."""
    db.execute("DELETE FROM grants WHERE account = ? AND shop = ?", (account_id, shop_id))


def get_sent(db: sqlite3.Connection, account_id: str, form: str) -> str | None:
    """Where somebody was sent who sent that very form before."""
    row = db.execute(
        "SELECT outcome FROM sent_forms WHERE account = ? AND form = ?", (account_id, form)
    ).fetchone()
    return None if row is None else str(row[0])


def add_sent(
    db: sqlite3.Connection, account_id: str, form: str, outcome: str, now: datetime
) -> None:
    """Notes that a form was acted upon, and where its sender is sent."""
    db.execute(
        "INSERT INTO sent_forms (account, form, outcome, at) VALUES (?, ?, ?, ?)",
        (account_id, form, outcome, times.stamp(now)),
    )


def prune(
    db: sqlite3.Connection, now: datetime, tries_since: datetime, forms_since: datetime
) -> None:
    """Drops links, codes and sessions that have run out, and what was noted long enough ago; and
    accounts that nothing is left of: an address that somebody typed once is not kept."""
    for table in ("sign_in_links", "sign_in_codes", "sessions"):
        db.execute(f"DELETE FROM {table} WHERE expires <= ?", (times.stamp(now),))  # noqa: S608
    db.execute("DELETE FROM sign_in_tries WHERE at <= ?", (times.stamp(tries_since),))
    db.execute("DELETE FROM sent_forms WHERE at <= ?", (times.stamp(forms_since),))
    db.execute(
        """
        DELETE FROM accounts
        WHERE email IS NOT NULL AND created <= ?
          AND NOT EXISTS (SELECT 1 FROM grants WHERE account = accounts.id)
          AND NOT EXISTS (SELECT 1 FROM sessions WHERE account = accounts.id)
          AND NOT EXISTS (SELECT 1 FROM sign_in_links WHERE account = accounts.id)
          AND NOT EXISTS (SELECT 1 FROM sign_in_codes WHERE account = accounts.id)
          AND NOT EXISTS (SELECT 1 FROM applications WHERE account = accounts.id)
        """,
        (times.stamp(forms_since),),
    )
