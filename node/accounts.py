"""People who sign in: invited by name, let in by a one-time link or a six-digit code.

There are no passwords.
"""

import hashlib
import hmac
import re
import sqlite3
from datetime import datetime, timedelta

from node import errors
from node.keyring import Keyring
from node.model import Account, Grant, Role
from node.store import accounts

LINK_LASTS = timedelta(hours=1)
CODE_LASTS = timedelta(minutes=15)
CODE_TRIES = 5  # wrong ones, then the right one is wrong too
TRIES_AN_HOUR = 25  # for one account, whatever codes it was given
FORMS_KEPT = timedelta(days=2)
SESSION_LASTS = timedelta(days=30)

# Plain addresses only: quotes, comments and routes have no use here and fool mail programs.
_EMAIL = re.compile(
    r"[a-z0-9](?:[a-z0-9._+-]{0,62}[a-z0-9_+-])?@(?=.{1,253}\Z)"
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}"
)


def invite(
    db: sqlite3.Connection,
    email: str | None,
    role: Role,
    *,
    shop: str | None = None,
    territory: str | None = None,
    account_id: str,
    token: str,
    now: datetime,
) -> Account:
    """Grants a role to the account of an address, made where there is none, with a one-time link.

    Without an address it is the first steward's, whom nobody could write to yet. `token` is the
    link's secret, of which only a hash is kept. Raises errors.Invalid.
    """
    address = None if email is None else _address(email)
    account = None if address is None else accounts.get_by_email(db, address)
    if account is None:
        account = Account(account_id, address, now)
        accounts.add(db, account)
    accounts.add_grant(db, Grant(account.id, role, shop, territory, None), now)
    accounts.add_link(db, hash_of(token), account.id, now + LINK_LASTS)
    return account


def is_address(email: str) -> bool:
    """Whether it is a mail address that somebody can be invited by."""
    address = email.strip().lower()
    return _EMAIL.fullmatch(address) is not None and ".." not in address


def _address(email: str) -> str:
    address = email.strip().lower()
    if not is_address(address):
        raise errors.Invalid(
            "bad-email",
            f"{email!r} is not a mail address such as claire@example.fr.",
            fields={"email": "is not a mail address"},
        )
    return address


def sign_in(db: sqlite3.Connection, token: str, session_token: str, now: datetime) -> Account:
    """Uses a one-time link up for a session. Raises errors.NotFound for one that does not hold."""
    account = accounts.get_link(db, hash_of(token), now)
    if account is None or not accounts.remove_link(db, hash_of(token)):
        raise errors.NotFound("link-used", "This link was used already, or has run out.")
    accounts.remove_ways_in(db, account.id)
    accounts.add_session(db, hash_of(session_token), account.id, now + SESSION_LASTS)
    return account


def let_in(
    db: sqlite3.Connection, account: Account, token: str, code: str, ring: Keyring, now: datetime
) -> None:
    """Gives an account a fresh link and a fresh code, whichever is handed over. Old ones end."""
    accounts.add_link(db, hash_of(token), account.id, now + LINK_LASTS)
    accounts.add_code(db, account.id, _code_mac(ring, account.id, code), now + CODE_LASTS)


def enter_code(
    db: sqlite3.Connection,
    email: str,
    code: str,
    ring: Keyring,
    session_token: str,
    now: datetime,
) -> Account | None:
    """Uses a code up for a session. None for whatever does not fit, and never says what.

    It does not raise: that a wrong code was tried must stay written.
    """
    address = email.strip().lower()[:320]
    account = accounts.get_by_email(db, address)
    digits = "".join(code.split())[:20]
    typed = _code_mac(ring, account.id if account else address, digits)
    if account is None:
        return None
    if accounts.count_tries(db, account.id, now - timedelta(hours=1)) >= TRIES_AN_HOUR:
        return None
    accounts.add_try(db, account.id, now)
    held = accounts.get_code(db, account.id, now)
    if held is None or not hmac.compare_digest(held, typed):
        accounts.count_wrong_code(db, account.id, CODE_TRIES)
        return None
    accounts.remove_ways_in(db, account.id)
    accounts.add_session(db, hash_of(session_token), account.id, now + SESSION_LASTS)
    return account


def prune(db: sqlite3.Connection, now: datetime) -> None:
    """Forgets what has run out."""
    accounts.prune(db, now, now - timedelta(hours=1), now - FORMS_KEPT)


def _code_mac(ring: Keyring, account_id: str, code: str) -> bytes:
    return ring.mac("sign-in code", f"{account_id} {code}")


def hash_of(token: str) -> bytes:
    """What is kept of a secret: a random one needs no salt and no slowness."""
    return hashlib.sha256(token.encode()).digest()
