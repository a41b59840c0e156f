"""Codes that people ask for themselves, how many and whose; and who a shop is asked for by."""

import dataclasses
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from node import accounts as sign_in
from node import errors, joining
from node.keyring import Keyring
from node.model import Account, Grant, Role
from node.store import accounts, applications
from node.store.applications import Application
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


def typed(name: str, one: int, now: datetime = NOW) -> Application:
    return Application(
        id=f"asked-{one}",
        account="",
        shop=f"shop-{one}",
        siret="73282932000074",
        name=name,
        place=ground.PESSAC,
        address="3 rue des Lilas",
        phone="",
        hours=None,
        state="begun",
        reason="",
        created=now,
        sent=None,
        proven=False,
    )


def begun_of(db: Any) -> str | None:
    """What the account of Claire stands before, by its name."""
    account = accounts.get_by_email(db, "claire@example.fr")
    assert account is not None
    one = applications.of_account(db, account.id)
    return None if one is None else one.name


def test_what_a_stranger_typed_for_an_address_is_never_its_owners(tmp_path: Path) -> None:
    with ground.opened(tmp_path / "node") as db:
        claire, mine = joining.begin(db, typed("Chez Claire", 1), "claire@example.fr", NOW)
        joining.begin(db, typed("Chez le voleur", 2), "Claire@example.fr ", NOW)
        assert begun_of(db) is None  # nobody has shown anything yet
        joining.claim(db, claire.id, mine.id)
        assert begun_of(db) == "Chez Claire"
        # Nor later, whatever is typed, and however she comes back.
        joining.begin(db, typed("Chez le voleur", 3), "claire@example.fr", NOW)
        assert begun_of(db) == "Chez Claire"
        joining.claim(db, claire.id, "")
        assert begun_of(db) == "Chez Claire"
        joining.tell_hours(db, claire.id, "")
        joining.send(db, claire.id, NOW)
        joining.claim(db, claire.id, "asked-3")
        assert begun_of(db) == "Chez Claire"


def test_the_only_one_typed_is_found_again_by_the_link_and_of_two_neither(tmp_path: Path) -> None:
    with ground.opened(tmp_path / "node") as db:
        claire, _ = joining.begin(db, typed("Chez Claire", 1), "claire@example.fr", NOW)
        joining.begin(db, typed("Chez le voleur", 2), "claire@example.fr", NOW)
        joining.claim(db, claire.id, "")
        assert begun_of(db) is None
        joining.claim(db, claire.id, "an id that nobody has")
        assert begun_of(db) is None
        joining.prune(db, NOW + timedelta(days=2))
        joining.begin(db, typed("Chez Claire", 3), "claire@example.fr", NOW)
        joining.claim(db, claire.id, "")
        assert begun_of(db) == "Chez Claire"


def test_an_id_of_somebody_else_claims_nothing(tmp_path: Path) -> None:
    with ground.opened(tmp_path / "node") as db:
        _, hers = joining.begin(db, typed("Chez Claire", 1), "claire@example.fr", NOW)
        thief, _ = joining.begin(db, typed("Chez le voleur", 2), "voleur@example.fr", NOW)
        joining.claim(db, thief.id, hers.id)
        one = applications.of_account(db, thief.id)
        assert one is not None
        assert one.name == "Chez le voleur"
        assert begun_of(db) is None


def test_one_address_has_no_more_than_ten_begun(tmp_path: Path) -> None:
    with ground.opened(tmp_path / "node") as db:
        for one in range(joining.BEGUN_FOR_ONE):
            joining.begin(db, typed("Chez Claire", one), "claire@example.fr", NOW)
        with pytest.raises(errors.TooMany):
            joining.begin(db, typed("Chez Claire", 99), "claire@example.fr", NOW)
        joining.begin(db, typed("Chez Paul", 100), "paul@example.fr", NOW)
        # Whoever did that in her name keeps her out for an hour, not for a day.
        later = NOW + timedelta(hours=1)
        mine = dataclasses.replace(typed("Chez Claire", 99), created=later)
        claire, hers = joining.begin(db, mine, "claire@example.fr", later)
        joining.claim(db, claire.id, hers.id)
        assert begun_of(db) == "Chez Claire"


def test_an_address_that_was_only_typed_is_forgotten(tmp_path: Path) -> None:
    with ground.opened(tmp_path / "node") as db:
        claire, mine = joining.begin(db, typed("Chez Claire", 1), "claire@example.fr", NOW)
        joining.begin(db, typed("Chez Paul", 2), "paul@example.fr", NOW)
        joining.claim(db, claire.id, mine.id)
        later = NOW + timedelta(days=3)
        joining.prune(db, later)
        sign_in.prune(db, later)
        assert accounts.get_by_email(db, "paul@example.fr") is None
        assert begun_of(db) == "Chez Claire"
        joining.prune(db, NOW + timedelta(days=61))
        sign_in.prune(db, NOW + timedelta(days=61))
        assert accounts.get_by_email(db, "claire@example.fr") is None


def test_who_may_do_something_is_kept_however_long_they_stay_away(tmp_path: Path) -> None:
    with ground.opened(tmp_path / "node") as db:
        for name, role, shop in (
            ("claire", Role.MERCHANT, ground.open_shop(db).id), ("nadia", Role.STEWARD, None),
            ("rien", None, None),
        ):  # fmt: skip
            accounts.add(db, Account(name, f"{name}@example.fr", NOW))
            if role is not None:
                territory = None if shop else ground.PESSAC
                accounts.add_grant(db, Grant(name, role, shop, territory, None), NOW)
        sign_in.prune(db, NOW + timedelta(days=900))
        kept = [name for name in ("claire", "nadia", "rien") if accounts.get(db, name)]
        assert kept == ["claire", "nadia"]
