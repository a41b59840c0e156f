"""Invitations, one-time links, codes and sessions."""

import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from node import accounts, errors
from node.keyring import Keyring
from node.model import Account, Role
from node.store import accounts as rows
from tests import ground
from tests.ground import NOW


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with ground.opened(tmp_path) as opened:
        yield opened


def invite(
    db: sqlite3.Connection,
    email: str | None = "claire@pessac.example",
    token: str = "link",
    now: datetime = NOW,
    role: Role = Role.STEWARD,
    **where: Any,
) -> Account:
    where = where or {"territory": ground.PESSAC}
    return accounts.invite(
        db, email, role, account_id=ground.new_id(), token=token, now=now, **where
    )


def test_a_link_lets_in_once(db: sqlite3.Connection) -> None:
    claire = invite(db)
    assert accounts.sign_in(db, "link", "session", NOW) == claire
    assert rows.get_session(db, accounts.hash_of("session"), NOW) == claire
    with pytest.raises(errors.NotFound) as caught:
        accounts.sign_in(db, "link", "another", NOW)
    assert caught.value.code == "link-used"
    assert rows.get_session(db, accounts.hash_of("another"), NOW) is None


def test_a_link_holds_for_an_hour(db: sqlite3.Connection) -> None:
    invite(db)
    with pytest.raises(errors.NotFound):
        accounts.sign_in(db, "link", "late", NOW + timedelta(hours=1))
    accounts.sign_in(db, "link", "just in time", NOW + timedelta(minutes=59))


def test_a_new_link_ends_the_one_before(db: sqlite3.Connection) -> None:
    invite(db, token="old")
    invite(db, token="new")
    with pytest.raises(errors.NotFound):
        accounts.sign_in(db, "old", "session", NOW)
    accounts.sign_in(db, "new", "session", NOW)


def test_a_link_of_one_does_not_end_anothers(db: sqlite3.Connection) -> None:
    claire = invite(db, "claire@pessac.example", token="hers")
    paul = invite(db, "paul@pessac.example", token="his")
    assert claire.id != paul.id
    assert accounts.sign_in(db, "hers", "one", NOW) == claire
    assert accounts.sign_in(db, "his", "two", NOW) == paul


def test_a_session_ends_after_a_month_or_when_it_is_ended(db: sqlite3.Connection) -> None:
    invite(db)
    accounts.sign_in(db, "link", "session", NOW)
    token = accounts.hash_of("session")
    assert rows.get_session(db, token, NOW + timedelta(days=29)) is not None
    assert rows.get_session(db, token, NOW + timedelta(days=30)) is None
    rows.remove_session(db, token)
    assert rows.get_session(db, token, NOW) is None


def test_secrets_are_kept_as_hashes_only(db: sqlite3.Connection) -> None:
    invite(db, token="very-secret-link")
    accounts.sign_in(db, "very-secret-link", "very-secret-session", NOW)
    invite(db, token="another-secret")
    kept = repr(ground.contents(db))
    assert "secret" not in kept


def test_an_address_is_one_account_however_it_is_written(db: sqlite3.Connection) -> None:
    one = invite(db, "Claire@Pessac.Example ")
    assert invite(db, "claire@pessac.example") == one
    assert one.email == "claire@pessac.example"


def test_a_role_is_granted_once_on_each_place_or_shop(db: sqlite3.Connection) -> None:
    shop = ground.open_shop(db)
    for _ in range(2):
        claire = invite(db)
        invite(db, role=Role.MERCHANT, shop=shop.id)
        invite(db, role=Role.PUBLISHER)
    granted = {(one.role, one.shop, one.territory) for one in rows.find_grants(db, claire.id, NOW)}
    assert granted == {
        (Role.STEWARD, None, ground.PESSAC),
        (Role.MERCHANT, shop.id, None),
        (Role.PUBLISHER, None, ground.PESSAC),
    }
    assert len(rows.find_grants(db, claire.id, NOW)) == 3


def test_the_first_steward_needs_no_address(db: sqlite3.Connection) -> None:
    first = invite(db, None, token="printed")
    assert first.email is None
    assert accounts.sign_in(db, "printed", "session", NOW) == first


@pytest.mark.parametrize(
    "email",
    [
        "claire@example.fr",
        "c@example.fr",
        "claire.martin+boutique@sous.domaine.example",
        "o_o-x@xn--mrignac-bya.example",
    ],
)
def test_a_mail_address(db: sqlite3.Connection, email: str) -> None:
    assert invite(db, email).email == email


@pytest.mark.parametrize(
    "email",
    [
        "",
        "claire",
        "claire@",
        "@example.fr",
        "claire@localhost",
        "claire..martin@example.fr",
        ".claire@example.fr",
        "claire.@example.fr",
        "claire@example..fr",
        "claire@-example.fr",
        "claire@example.fr\nBcc: all@example.fr",
        "claire@example.fr, paul@example.fr",
        '"claire"@example.fr',
        "claire@[127.0.0.1]",
        "claire%other@example.fr",
        "claire <c@example.fr>",
        "clairé@example.fr",
        f"{'a' * 65}@example.fr",
        f"a@{'a.' * 130}fr",
    ],
)
def test_what_is_no_mail_address_is_refused_and_writes_nothing(
    db: sqlite3.Connection, email: str
) -> None:
    before = ground.contents(db)
    with pytest.raises(errors.Invalid) as caught:
        invite(db, email)
    assert set(caught.value.fields) == {"email"}
    assert ground.contents(db) == before


def test_sweeping_takes_only_what_has_run_out(db: sqlite3.Connection) -> None:
    invite(db, "old@pessac.example", token="old")
    invite(db, "new@pessac.example", token="new", now=NOW + timedelta(minutes=30))
    accounts.prune(db, NOW + timedelta(minutes=70))
    assert db.execute("SELECT count(*) FROM sign_in_links").fetchone()[0] == 1
    accounts.sign_in(db, "new", "session", NOW + timedelta(minutes=70))


# --- codes ---------------------------------------------------------------------------------------

RING = Keyring(bytes(32))


def enter(
    db: sqlite3.Connection,
    code: str,
    email: str = "claire@pessac.example",
    now: datetime = NOW,
    ring: Keyring = RING,
) -> Account | None:
    return accounts.enter_code(db, email, code, ring, ground.new_id(), now)


def give(db: sqlite3.Connection, code: str = "123456", now: datetime = NOW) -> Account:
    account = invite(db, now=now)
    accounts.let_in(db, account, ground.new_id(), code, RING, now)
    return account


def test_a_code_lets_in_once_however_it_is_typed(db: sqlite3.Connection) -> None:
    claire = give(db)
    assert enter(db, " 123 456", " Claire@Pessac.example ") == claire
    assert enter(db, "123456") is None


def test_a_code_is_of_one_account_and_one_node(db: sqlite3.Connection) -> None:
    give(db)
    invite(db, "paul@pessac.example", token="other")
    assert enter(db, "123456", "paul@pessac.example") is None
    assert enter(db, "123456", "nobody@pessac.example") is None
    assert enter(db, "123456", ring=Keyring(bytes(31) + b"x")) is None
    assert enter(db, "123456") is not None


def test_of_a_code_only_a_keyed_hash_is_kept(db: sqlite3.Connection) -> None:
    give(db, "918273")
    assert "918273" not in repr(ground.contents(db))


def test_a_code_holds_for_a_quarter_of_an_hour(db: sqlite3.Connection) -> None:
    give(db)
    assert enter(db, "123456", now=NOW + accounts.CODE_LASTS) is None


def test_the_fifth_wrong_code_ends_the_right_one(db: sqlite3.Connection) -> None:
    give(db)
    for _ in range(4):
        assert enter(db, "000000") is None
    assert enter(db, "123456") is not None
    give(db, "222222")
    for _ in range(5):
        assert enter(db, "000000") is None
    assert enter(db, "222222") is None
    give(db, "333333")  # a new one is as good as the first
    assert enter(db, "333333") is not None


def test_an_account_is_tried_so_often_an_hour(db: sqlite3.Connection) -> None:
    for turn in range(accounts.TRIES_AN_HOUR):
        give(db, f"{turn:06d}")
        assert enter(db, "999999") is None
    give(db, "123456")
    assert enter(db, "123456", now=NOW + timedelta(minutes=1)) is None
    later = NOW + timedelta(minutes=61)
    accounts.prune(db, later)
    give(db, "123456", later)
    assert enter(db, "123456", now=later) is not None


def test_a_link_and_a_code_end_together(db: sqlite3.Connection) -> None:
    account = invite(db)
    accounts.let_in(db, account, "link", "123456", RING, NOW)
    accounts.sign_in(db, "link", "session", NOW)
    assert enter(db, "123456") is None


def test_a_form_is_remembered_for_two_days(db: sqlite3.Connection) -> None:
    account = invite(db)
    rows.add_sent(db, account.id, "form", "/there", NOW)
    assert rows.get_sent(db, account.id, "form") == "/there"
    accounts.prune(db, NOW + timedelta(days=1))
    assert rows.get_sent(db, account.id, "form") == "/there"
    accounts.prune(db, NOW + accounts.FORMS_KEPT)
    assert rows.get_sent(db, account.id, "form") is None
