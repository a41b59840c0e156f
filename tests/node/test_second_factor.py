"""Codes by RFC 6238, each counting once; a QR code as an independent encoder draws it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import segno
from segno import encoder

from node import accounts, errors, qr, second_factor
from node.keyring import Keyring
from node.model import Role
from node.store import accounts as account_rows
from node.store import second_factors
from tests import ground
from tests.ground import NOW

RING = Keyring(b"k" * 32)
SECRET = b"12345678901234567890"
SESSION, OTHER = b"s" * 32, b"o" * 32


@pytest.mark.parametrize(
    ("at", "code"),
    [  # RFC 6238, appendix B, SHA-1
        (59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"),
        (1234567890, "89005924"), (2000000000, "69279037"), (20000000000, "65353130"),
    ],
)  # fmt: skip
def test_the_vectors_of_the_standard(at: int, code: str) -> None:
    assert second_factor.totp(SECRET, at, 8) == code
    assert second_factor.totp(SECRET, at) == code[2:]


def made(db: Any) -> str:
    account = accounts.invite(
        db, "nadia@example.fr", Role.STEWARD, territory=ground.PESSAC, account_id=ground.new_id(),
        token="t", now=NOW,
    )  # fmt: skip
    for session in (SESSION, OTHER):
        account_rows.add_session(db, session, account.id, NOW + timedelta(days=9))
    return account.id


def code(seconds: int = 0) -> str:
    return second_factor.totp(SECRET, int(NOW.timestamp()) + seconds)


def test_it_is_asked_for_once_a_code_has_shown_that_the_secret_arrived(tmp_path: Path) -> None:
    with ground.opened(tmp_path / "node") as db:
        account = made(db)

        def check(typed: str, minutes: float = 0, session: bytes = OTHER) -> bool:
            now = NOW + timedelta(minutes=minutes)
            return second_factor.check(db, RING, account, typed, session, now)

        assert second_factor.begin(db, RING, account, SECRET, NOW) == SECRET
        # Asked again it is the same secret, so that two tabs do not spoil each other.
        assert second_factor.begin(db, RING, account, b"x" * 20, NOW) == SECRET
        assert not second_factor.is_missing(db, account, SESSION)
        assert not check(code())  # not in use yet
        recovery = second_factor.new_recovery_codes()
        for typed, right in (("000000", False), (code(), True)):
            assert second_factor.confirm(db, RING, account, typed, SESSION, recovery, NOW) is right
        assert not second_factor.is_missing(db, account, SESSION)
        assert second_factor.is_missing(db, account, OTHER)
        with pytest.raises(errors.Conflict):
            second_factor.begin(db, RING, account, b"y" * 20, NOW)

        assert not check(code())  # used up by confirming
        assert not check(code(90), 0)  # of a time to come
        assert check(f"{code(30)[:3]} {code(30)[3:]}", 0.5)
        assert not second_factor.is_missing(db, account, OTHER)
        assert not check(code(30), 0.5)
        # A recovery code, however it is typed; once.
        assert check(recovery[3].upper().replace("-", " "), 70)
        assert not check(recovery[3], 70)
        assert second_factors.count_recovery(db, account) == second_factor.RECOVERY_CODES - 1
        # Nothing of the secret or of the codes is in the file as it is.
        kept = str(ground.contents(db)).lower()
        assert SECRET.decode() not in kept
        assert not [one for one in recovery if one in kept or one.replace("-", "") in kept]
        assert second_factors.remove(db, account)
        assert second_factors.count_recovery(db, account) == 0
        assert not second_factor.is_missing(db, account, b"new" * 8)


def test_guessing_ends(tmp_path: Path) -> None:
    with ground.opened(tmp_path / "node") as db:
        account = made(db)
        second_factor.begin(db, RING, account, SECRET, NOW)
        second_factor.confirm(db, RING, account, code(), SESSION, (), NOW)
        later = NOW + timedelta(minutes=5)
        for _ in range(second_factor.TRIES_AN_HOUR):
            assert not second_factor.check(db, RING, account, "abcdef", OTHER, later)
        assert not second_factor.check(db, RING, account, code(300), OTHER, later)
        hour = NOW + timedelta(minutes=66)
        assert second_factor.check(db, RING, account, code(66 * 60), OTHER, hour)


@pytest.mark.parametrize("length", [1, 120, 213])
def test_a_qr_code_as_another_encoder_draws_it(
    length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Segno 1.6 writes a byte of zeros where the stream ends on a byte already (7.4.10 wants none);
    # readers do not mind, but two drawings would differ.
    monkeypatch.setattr(encoder, "write_padding_bits", lambda buff, version, length: None)
    text = ("otpauth://totp/Boutiques:nadia%40example.fr?secret=ABCDEFGH&" * 4)[:length]
    other = segno.make(text, version=10, error="m", mode="byte", mask=0, boost_error=False)
    assert [[bool(one) for one in row] for row in other.matrix] == qr.modules(text)
    with pytest.raises(ValueError, match="too long"):
        qr.modules("x" * 214)


def test_the_link_for_authenticators() -> None:
    found = second_factor.link(SECRET, "Boutiques d’ici & là", "nadia@example.fr")
    assert found == (
        "otpauth://totp/Boutiques%20d%E2%80%99ici%20%26%20l%C3%A0:nadia%40example.fr"
        "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Boutiques%20d%E2%80%99ici%20%26%20l%C3%A0"
    )
