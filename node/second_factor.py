"""The second factor of signing in: a code of six digits that changes every half minute.

RFC 6238 (TOTP) with SHA-1, 30 seconds and six digits, which every authenticator program knows. The
secret is kept wrapped by the node's key. A code counts once, and each recovery code once. Until it
was given, a session opens nothing.
"""

import base64
import hmac
import secrets
import sqlite3
from datetime import datetime, timedelta
from urllib.parse import quote

from node import errors
from node.keyring import Keyring
from node.store import accounts
from node.store import second_factors as rows

STEP = 30  # seconds
DIGITS = 6
DRIFT = 1  # steps that a telephone's clock may be off, either way
SECRET_BYTES = 20
RECOVERY_CODES = 10
TRIES_AN_HOUR = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another


def totp(secret: bytes, at: int, digits: int = DIGITS) -> str:
    """The code of a secret at a time in seconds since 1970 (RFC 6238, 4; RFC 4226, 5.3)."""
    return _hotp(secret, at // STEP, digits)


def _hotp(secret: bytes, counter: int, digits: int) -> str:
    digest = hmac.digest(secret, counter.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}d}"


def new_secret() -> bytes:
    """A fresh one."""
    return secrets.token_bytes(SECRET_BYTES)


def new_recovery_codes() -> tuple[str, ...]:
    """Codes for the day when the telephone is lost: ten letters each, 49 bits."""
    made = ("".join(secrets.choice(_LETTERS) for _ in range(10)) for _ in range(RECOVERY_CODES))
    return tuple(f"{one[:5]}-{one[5:]}" for one in made)


def base32(secret: bytes) -> str:
    """A secret as people type it: groups of four letters."""
    text = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def link(secret: bytes, site: str, who: str) -> str:
    """The address that authenticator programs read (otpauth, as Google's Key Uri Format has it)."""
    issuer = quote(site[:60], safe="")
    text = base32(secret).replace(" ", "")
    return f"otpauth://totp/{issuer}:{quote(who[:80], safe='')}?secret={text}&issuer={issuer}"


def begin(
    db: sqlite3.Connection, ring: Keyring, account: str, secret: bytes, now: datetime
) -> bytes:
    """Keeps a secret that is not asked for yet, until `confirm`; the one begun before stays.

    Gives the secret that is kept. Raises errors.Conflict where one is in use.
    """
    held = rows.get(db, account)
    if held is not None and held.confirmed:
        raise errors.Conflict("factor-in-use", "The second factor is set up already.")
    if held is not None and now - held.begun < timedelta(hours=1):
        return ring.unwrap(_name(account), held.secret)
    rows.put(db, account, ring.wrap(_name(account), secret), now)
    return secret


def confirm(
    db: sqlite3.Connection,
    ring: Keyring,
    account: str,
    code: str,
    session_hash: bytes,
    recovery: tuple[str, ...],
    now: datetime,
) -> bool:
    """Puts the secret that was begun into use, once a code shows that it arrived.

    The session that asks goes on; every other one of the account must give a code. Says whether
    the code was right.
    """
    held = rows.get(db, account)
    if held is None or held.confirmed:
        return False
    step = _step_of(ring.unwrap(_name(account), held.secret), code, held.last_step, now)
    if step is None:
        return False
    rows.confirm(db, account, step)
    rows.put_recovery(db, account, [_mac(ring, account, one) for one in recovery])
    rows.mark_proven(db, session_hash)
    return True


def check(
    db: sqlite3.Connection,
    ring: Keyring,
    account: str,
    code: str,
    session_hash: bytes,
    now: datetime,
) -> bool:
    """Opens a session by a code of now or by a recovery code, each of which counts once.

    Says whether it did. It does not raise: that a wrong code was tried must stay written.
    """
    held = rows.get(db, account)
    if held is None or not held.confirmed:
        return False
    if accounts.count_tries(db, account, now - timedelta(hours=1)) >= TRIES_AN_HOUR:
        return False
    accounts.add_try(db, account, now)
    step = _step_of(ring.unwrap(_name(account), held.secret), code, held.last_step, now)
    if step is not None:
        rows.confirm(db, account, step)
    elif not rows.use_recovery(db, account, _mac(ring, account, code)):
        return False
    rows.mark_proven(db, session_hash)
    return True


def is_in_use(db: sqlite3.Connection, account: str) -> bool:
    """Whether an account is asked for a second factor."""
    held = rows.get(db, account)
    return held is not None and held.confirmed


def is_missing(db: sqlite3.Connection, account: str, session_hash: bytes) -> bool:
    """Whether a session still owes the second factor of its account."""
    return is_in_use(db, account) and not rows.is_proven(db, session_hash)


def _step_of(secret: bytes, code: str, last_step: int, now: datetime) -> int | None:
    """The step that a code is of, later than the last one used."""
    typed = "".join(code.split())[:20].encode()
    current = int(now.timestamp()) // STEP
    found = None
    for step in range(current - DRIFT, current + DRIFT + 1):
        if hmac.compare_digest(_hotp(secret, step, DIGITS).encode(), typed) and step > last_step:
            found = step
    return found


def _name(account: str) -> str:
    return f"second factor {account}"


def _mac(ring: Keyring, account: str, code: str) -> bytes:
    folded = "".join(one for one in code.lower()[:40] if one.isalnum())
    return ring.mac("recovery code", f"{account} {folded}")
