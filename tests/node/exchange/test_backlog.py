"""What is accepted at the door: stored together, acted upon together, and nothing lost by it."""

import asyncio
import sqlite3
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from federation.errors import Unreachable
from node.exchange import backlog
from node.exchange.backlog import Backlog
from node.exchange.context import Context
from node.exchange.outbox import encode
from node.model import FollowState, Shop
from node.store import database, doors, peers, received
from node.store import listings as rows
from node.store.times import stamp
from tests import ground
from tests.ground import NOW, PEER

pytestmark = pytest.mark.anyio


class Nobody:
    """Answers no question."""

    def take(self, _actor: Any) -> None:
        """Keys are of no interest here."""

    async def actor(self, uri: str, **_: Any) -> Any:
        raise Unreachable("connect-failed", uri)


@dataclass
class Letter:
    """An activity as it comes to the door."""

    fingerprint: bytes
    actor: str
    host: str
    body: bytes
    activity: dict[str, Any]

    @property
    def stored(self) -> received.Letter:
        """As it is written down."""
        return received.Letter(self.fingerprint, self.actor, self.host, self.body)


def neighbour_in(folder: Path) -> Shop:
    """A shop of a neighbour that is heard, in a new node's folder."""
    ground.make(folder)
    with database.transaction(folder) as db:
        shop = ground.remote_shop(db)
        peers.change_following(db, PEER, FollowState.ACCEPTED, "f")
    return shop


@dataclass
class Door:
    """A node's backlog, and what a test brings to it."""

    database: doors.Database
    shop: Shop

    def __post_init__(self) -> None:
        context = Context(
            uris=ground.URIS,
            database=self.database,
            http=cast(Any, Nobody()),
            resolver=cast(Any, Nobody()),
            publisher=cast(Any, None),
            sign=lambda _method, _url: {},
            clock=lambda: NOW,
            new_id=ground.new_id,
            accept_any_node=False,
        )
        self.residents = context.residents
        self.backlog = Backlog(context)

    def letter(self, name: str, kind: str = "Create", **changed: Any) -> Letter:
        """A listing of the neighbour's shop as it comes to the door."""
        note: dict[str, Any] = {
            "id": f"{self.shop.uri}/items/{uuid.uuid4()}",
            "type": "Note",
            "attributedTo": self.shop.uri,
            "published": stamp(NOW),
            "updated": stamp(NOW),
            "sdo:offers": [{"sdo:price": "3.00", "sdo:itemOffered": {"sdo:name": name}}],
            **changed,
        }
        activity = {
            "id": f"{note['id']}/activity",
            "type": kind,
            "actor": note["attributedTo"],
            "object": note,
        }
        body = encode(activity)
        return Letter(uuid.uuid4().bytes * 2, activity["actor"], PEER, body, activity)

    async def accept(self, *letters: Letter) -> list[bool]:
        """All of them knock at the same time."""
        return await asyncio.gather(
            *(self.backlog.accept(one.stored, one.activity) for one in letters)
        )

    async def names(self) -> list[str]:
        def read(db: sqlite3.Connection) -> list[str]:
            return [row[0] for row in db.execute("SELECT name FROM listings ORDER BY name")]

        return await self.database.read(read)

    async def waiting(self) -> int:
        counted = await self.database.read(received.count_by_host)
        return sum(count for _, count, _ in counted)


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    shop = neighbour_in(tmp_path)
    async with doors.Database(tmp_path) as opened:
        made = Door(opened, shop)
        yield made
        await made.backlog.stop()


async def test_what_waits_is_acted_upon_when_no_resident_waits(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "STEPS_ASIDE", 600.0)
    await door.accept(door.letter("Miel"))
    with door.residents.waiting():
        acting = asyncio.create_task(door.backlog.act())
        assert not (await asyncio.wait([acting], timeout=0.05))[0]
        assert not await door.names()
    await asyncio.wait_for(acting, 30)
    assert await door.names() == ["Miel"]


async def test_many_at_once_are_stored_in_a_few_transactions_and_all_written(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = []
    add = received.add

    def counted(db: Any, letters: Any, now: Any) -> Any:
        commits.append(len(letters))
        return add(db, letters, now)

    monkeypatch.setattr(received, "add", counted)
    letters = [door.letter(f"Objet {number:03}") for number in range(250)]
    assert await door.accept(*letters) == [True] * 250
    assert len(commits) <= 3
    assert await door.waiting() == 250  # on the disk before anybody is answered
    await door.backlog.act()
    assert await door.names() == [f"Objet {number:03}" for number in range(250)]
    assert await door.waiting() == 0
    assert not door.backlog.is_full_of(PEER)


async def test_the_same_twice_is_stored_once(door: Door) -> None:
    letter = door.letter("Miel")
    assert sorted(await door.accept(letter, letter)) == [False, True]
    assert await door.accept(letter) == [False]
    await door.backlog.act()
    assert await door.accept(letter) == [False]
    assert await door.waiting() == 0


async def test_one_that_cannot_be_written_holds_up_no_other(door: Door) -> None:
    bad = [
        door.letter("Futur", updated="9999-01-01T00:00:00Z"),
        door.letter("Rien", **{"sdo:offers": []}),
        door.letter("Volé", attributedTo=f"https://{PEER}/users/autre"),
    ]
    good = [door.letter(f"Bon {number}") for number in range(4)]
    await door.accept(*[one for pair in zip(good, bad, strict=False) for one in pair], good[3])
    await door.backlog.act()
    assert await door.names() == [f"Bon {number}" for number in range(4)]
    await door.backlog.stop()


async def test_one_that_breaks_our_own_code_fails_alone_and_is_kept(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_all = rows.add_all

    def broken(db: Any, added: Any, *_: Any) -> None:
        add_all(db, added)
        if any(one.name == "Faute" for one in added):
            raise sqlite3.IntegrityError("as no listing should")

    monkeypatch.setattr(rows, "add_all", broken)
    await door.accept(*map(door.letter, ("Avant", "Faute", "Après")))
    await door.backlog.act()
    assert await door.names() == ["Après", "Avant"]
    assert await door.waiting() == 1
    await door.backlog.stop()


async def test_a_later_state_wins_whatever_the_order(door: Door) -> None:
    uri = f"{door.shop.uri}/items/1"
    later = door.letter("Après", "Update", id=uri, updated="2026-11-23T09:00:00Z")
    before = door.letter("Avant", id=uri)
    gone = door.letter("Retiré")
    await door.accept(later, before, gone)
    await door.backlog.act()
    note = gone.activity["object"]
    delete = {**gone.activity, "id": f"{note['id']}/delete", "type": "Delete", "object": note["id"]}
    again = door.letter("Revenu", id=note["id"], updated="2026-11-23T09:00:00Z")
    await door.accept(Letter(b"d" * 32, gone.actor, PEER, encode(delete), delete), again)
    await door.backlog.act()
    assert await door.names() == ["Après"]


async def test_what_was_stored_before_a_crash_is_acted_upon_after_it(door: Door) -> None:
    await door.accept(*(door.letter(f"Objet {number}") for number in range(3)))
    reborn = Door(door.database, door.shop)  # nothing at hand but the rows
    await reborn.backlog.act()
    assert await door.names() == ["Objet 0", "Objet 1", "Objet 2"]
    await door.backlog.act()  # and what is acted upon twice does no harm
    assert len(await door.names()) == 3


async def test_more_than_has_place_in_memory_is_read_from_its_rows(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "AT_HAND_MOST", 2)
    await door.accept(*(door.letter(f"Objet {number}") for number in range(9)))
    await door.backlog.act()
    assert len(await door.names()) == 9


async def test_where_the_disk_fails_nobody_is_told_that_it_was_accepted(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> Any:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(received, "add", full)
        answers = await asyncio.gather(
            *(door.accept(door.letter(f"Objet {n}")) for n in range(3)),
            return_exceptions=True,
        )
    assert [type(one) for one in answers] == [sqlite3.OperationalError] * 3
    assert door.backlog._of_host[PEER] == 0
    assert await door.accept(door.letter("Miel")) == [True]
