"""Codes that people ask for themselves: how many, and whose."""

from datetime import timedelta
from pathlib import Path

from node import joining
from node.keyring import Keyring
from node.model import Account
from node.store import accounts
from tests import ground
from tests.ground import NOW

RING = Keyring(b"k" * 32)


def test_five_an_hour_one_a_minute_and_strangers_use_up_nothing(tmp_path: Path) -> None:
    with ground.opened(tmp_path / "node") as db:
        accounts.add(db, Account("a", "claire@example.fr", NOW))

        def asked(email: str, minutes: float) -> bool:
            now = NOW + timedelta(minutes=minutes)
            return (
                joining.ask_code(db, email, f"t{email}{minutes}", "123456", RING, now) is not None
            )

        assert not any(asked(f"x{n}@example.fr", 0) for n in range(400))
        given = [asked("claire@example.fr", minutes) for minutes in (0, 0.5, 2, 4, 6, 8, 10, 65)]
        assert given == [True, False, True, True, True, True, False, True]
