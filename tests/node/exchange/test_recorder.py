"""The process that writes listings down beside the server: all are written, and nothing depends
on it, whatever becomes of it."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from federation import documents
from node.exchange import backlog, recorder, recording_worker
from node.exchange.backlog import Backlog
from node.exchange.outbox import encode
from node.exchange.recorder import Recorder
from node.exchange.recording import Batch, RecordListing, UnknownShop
from node.model import FollowState, Received
from node.store import doors, listings, peers, received, search
from node.store import shops as shop_rows
from tests import ground
from tests.ground import NOW, PEER
from tests.node.exchange.test_backlog import Door, Letter, neighbour_in

pytestmark = pytest.mark.anyio

MUCH = recorder.FLOOD - 1
DAY = timedelta(days=1)


class Busy(Door):
    """A node's backlog, and its recorder."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.recorder = Recorder(self.database.folder, worthwhile=True)
        self.backlog = Backlog(self.backlog._context, self.recorder)

    async def rush(self) -> None:
        """Returns when the recorder is there."""
        for _ in range(recorder.RUSHES):
            self.recorder.gauge(MUCH)
        await until(lambda: self.recorder.is_ready)

    async def see_to_what_is_at_hand(self) -> None:
        """Without a look at the rows."""
        batch = list(self.backlog._at_hand)
        self.backlog._at_hand.clear()
        await self.backlog._see_to(batch)
        await self.backlog._until_recorded()

    async def store(self, *letters: Letter) -> list[int]:
        """Rows that wait, and of which the backlog knows nothing."""
        rows = [one.stored for one in letters]
        return [one for one in await self.database.write(received.add, rows, NOW) if one]

    async def see_through(
        self, letters: list[Letter], meanwhile: Callable[[], None] | None = None
    ) -> None:
        """All knock, a few at a time, while what came is acted upon; returns when all of it is.

        `meanwhile` happens when a third has knocked.
        """
        acting = asyncio.create_task(self.backlog.act())
        for first in range(0, len(letters), 10):
            await self.accept(*letters[first : first + 10])
            if meanwhile is not None and first >= len(letters) / 3:
                meanwhile()
                meanwhile = None
        await acting
        await self.backlog.act()

    @property
    def pid(self) -> int:
        process = self.recorder._process
        assert process is not None
        return process.pid


async def until(condition: Any) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 (what a process does)
            await asyncio.sleep(0.01)


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Busy]:
    shop = neighbour_in(tmp_path)
    async with doors.Database(tmp_path) as opened:
        made = Busy(opened, shop)
        yield made
        await made.backlog.stop()
        assert made.recorder._life is None


async def test_listings_are_written_and_all_else_is_left(door: Busy) -> None:
    await door.rush()
    good = [door.letter(f"Objet {number:02}") for number in range(30)]
    like = Letter(b"l" * 32, door.shop.uri, PEER, b'{"type":"Like","object":"x"}', {})
    stranger = door.letter("Inconnu", attributedTo=f"https://{PEER}/users/autre")
    bad = door.letter("Rien", **{"sdo:offers": []})
    ids = await door.store(*good, like, stranger, bad)
    await door.database.write(peers.mark_heard, PEER, NOW - DAY)
    assert await door.database.read(peers.is_silent, PEER, NOW)
    left = await door.recorder.record(ids, NOW)
    assert sorted(left) == ids[30:]
    assert await door.names() == [f"Objet {number:02}" for number in range(30)]
    assert await door.waiting() == 3
    # They can be found, and their node was heard.
    rows = await door.database.read(
        lambda db: db.execute("SELECT count(*) FROM search_titles('objet')").fetchone()[0]
    )
    assert rows == 30
    assert not await door.database.read(peers.is_silent, PEER, NOW)


async def test_a_rush_is_written_by_both_together(door: Busy) -> None:
    await door.rush()
    letters = [door.letter(f"Objet {number:03}") for number in range(300)]
    await door.see_through(letters)
    assert await door.names() == [f"Objet {number:03}" for number in range(300)]
    assert await door.waiting() == 0
    assert not door.backlog._of_host.total()
    assert not door.backlog._recording


async def test_an_end_keeps_its_place_among_what_is_told(
    door: Busy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "BATCH_RECORDED", 7)
    await door.rush()
    letters = []
    for number in range(40):
        uri = f"{door.shop.uri}/items/{number}"
        first = door.letter(f"Avant {number:02}", id=uri)
        end = {
            "id": f"{uri}/delete",
            "type": "Delete",
            "actor": door.shop.uri,
            "object": {"id": uri, "type": "Tombstone", "deleted": "2026-11-23T08:10:00Z"},
        }
        back = door.letter(f"Revenu {number:02}", id=uri, updated="2026-11-23T08:20:00Z")
        letters += [first, Letter(f"{uri:>32}".encode(), first.actor, PEER, encode(end), end)]
        if number % 2:
            letters.append(back)
    await door.see_through(letters)
    assert await door.names() == [f"Revenu {number:02}" for number in range(1, 40, 2)]
    assert await door.waiting() == 0


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
async def test_what_it_dies_of_nobody_else_does(
    door: Busy, how: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "WITHIN", 1.0)
    await door.rush()
    letters = [door.letter(f"Objet {number:03}") for number in range(200)]
    await door.see_through(letters, lambda: os.kill(door.pid, how))
    assert await door.names() == [f"Objet {number:03}" for number in range(200)]
    assert await door.waiting() == 0
    await until(lambda: not door.recorder.is_ready and door.recorder._life is None)
    # Not at once again: what ended it may end it again.
    for _ in range(2 * recorder.RUSHES):
        door.recorder.gauge(MUCH)
    assert door.recorder._life is None


async def test_it_ends_before_it_says_what_it_did(
    door: Busy, monkeypatch: pytest.MonkeyPatch
) -> None:
    await door.rush()
    record = door.recorder.record
    numbers: list[Any] = []

    async def silent(ids: Any, now: Any) -> Any:
        assert not await record(ids, now)
        numbers.extend([*ids, *await door.store(door.letter("Pain"))])
        return ids

    monkeypatch.setattr(door.recorder, "record", silent)
    await door.accept(door.letter("Miel"))
    await door.see_to_what_is_at_hand()
    monkeypatch.undo()
    assert numbers[0] < numbers[1]  # which is another's, and stays so
    assert not door.backlog._of_host.total()
    await Busy(door.database, door.shop).backlog.act()
    assert await door.names() == ["Miel", "Pain"]


async def test_what_was_written_is_counted_no_more(door: Busy) -> None:
    await door.rush()
    like = Letter(b"l" * 32, door.shop.uri, PEER, b'{"type":"Like","object":"x"}', {})
    await door.accept(door.letter("Miel"), like, door.letter("Pain"))
    assert door.backlog._of_host[PEER] == 3
    await door.see_to_what_is_at_hand()  # and nobody has counted the rows meanwhile
    assert not door.backlog._of_host[PEER]
    assert not door.backlog._bytes


async def test_signals_that_are_meant_for_the_server_do_not_end_it(door: Busy) -> None:
    await door.rush()
    os.kill(door.pid, signal.SIGINT)
    os.kill(door.pid, signal.SIGTERM)
    (row,) = await door.store(door.letter("Miel"))
    assert not await door.recorder.record([row], NOW)


async def test_it_ends_when_there_is_nothing_to_do_and_comes_again(
    door: Busy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "IDLE", 0.2)
    await door.rush()
    first = door.pid
    await until(lambda: door.recorder._life is None)
    (row,) = await door.store(door.letter("Miel"))
    assert await door.recorder.record([row], NOW) == [row]  # nobody is there
    monkeypatch.undo()
    await door.rush()
    assert door.pid != first
    assert not await door.recorder.record([row], NOW)


async def test_the_server_stops_while_it_is_about_to_begin(door: Busy) -> None:
    for _ in range(recorder.RUSHES):
        door.recorder.gauge(MUCH)
    async with asyncio.timeout(recorder.ENDS_WITHIN):
        await asyncio.sleep(0)
        await door.recorder.stop()
    assert not door.recorder.is_ready


async def test_one_that_hangs_does_not_keep_the_server_from_stopping(
    door: Busy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "ENDS_WITHIN", 0.3)
    await door.rush()
    pid = door.pid
    os.kill(pid, signal.SIGSTOP)
    async with asyncio.timeout(30):
        await door.recorder.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_what_was_dropped_while_a_recorder_had_it_is_not_acted_upon(
    door: Busy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A steward blocks a host, and it ends without a word."""
    await door.rush()

    async def drop(ids: Any, _now: Any) -> Any:
        await door.database.write(received.remove_host, PEER)
        return ids

    monkeypatch.setattr(door.recorder, "record", drop)
    await door.accept(door.letter("Miel"))
    await door.see_to_what_is_at_hand()
    assert await door.names() == []
    assert not door.backlog._of_host.total()


async def test_what_is_gone_already_is_left_to_nobody(door: Busy) -> None:
    await door.rush()
    ids = await door.store(door.letter("Miel"), door.letter("Pain"))
    await door.database.write(received.remove, ids[0])
    assert not await door.recorder.record(ids, NOW)
    assert await door.names() == ["Pain"]


async def test_a_single_processor_and_little_to_do_start_none(door: Busy) -> None:
    alone = Recorder(door.database.folder, worthwhile=False)
    for _ in range(2 * recorder.RUSHES):
        alone.gauge(recorder.FLOOD)
    for number in range(4 * recorder.RUSHES):  # much now and then is no rush
        door.recorder.gauge(MUCH if number % recorder.RUSHES else 0)
    assert alone._life is None
    assert door.recorder._life is None


async def test_very_much_at_once_starts_one(door: Busy) -> None:
    door.recorder.gauge(recorder.FLOOD)
    await until(lambda: door.recorder.is_ready)
    assert door.pid


async def test_a_full_disk_is_told_of_and_nothing_is_lost(
    door: Busy, monkeypatch: pytest.MonkeyPatch
) -> None:
    await door.rush()
    await door.accept(door.letter("Miel"), door.letter("Pain"))

    async def refuse(*_: Any) -> Any:
        raise sqlite3.OperationalError("disk is full")

    async def leave(ids: Any, _now: Any) -> Any:
        return ids

    monkeypatch.setattr(door.recorder, "record", leave)
    monkeypatch.setattr("node.exchange.inbox.apply", refuse)
    with pytest.raises(sqlite3.OperationalError):
        await door.backlog.act()
    monkeypatch.undo()
    await door.backlog.act()
    assert await door.names() == ["Miel", "Pain"]


# --- what it reads -------------------------------------------------------------------------------


async def test_only_a_listing_told_in_full_by_its_own_author_is_read(door: Busy) -> None:
    def told(letter: Letter, **changed: Any) -> RecordListing | None:
        body = encode({**letter.activity, **changed})
        return recording_worker.read(Received(1, letter.actor, body, NOW, 0), NOW)

    found = told(door.letter("Miel"))
    assert found is not None
    assert found.author == door.shop.uri
    assert told(door.letter("Miel", "Update")) is not None
    assert told(door.letter("Miel", "Delete")) is None
    assert told(door.letter("Miel"), object="https://elsewhere.example/1") is None
    assert told(door.letter("Miel", type="Event")) is None
    assert told(door.letter("Miel", inReplyTo="https://ici.example/1")) is None
    assert told(door.letter("Miel", **{"echoppe:badge": "shop"})) is None
    assert told(door.letter("Miel", id="https://elsewhere.example/items/1")) is None
    assert told(door.letter("Miel", id="javascript:1")) is None
    foreign = door.letter("Miel")
    foreign.activity["object"]["attributedTo"] = f"https://{PEER}/users/autre"
    assert told(foreign) is None
    unread = Received(1, door.shop.uri, b"{", NOW, 0)
    assert recording_worker.read(unread, NOW) is None
    undated = door.letter("Miel", "Update")
    del undated.activity["object"]["updated"]
    assert told(undated) is None


# --- a batch -------------------------------------------------------------------------------------


@pytest.fixture
def db(tmp_path: Path) -> Any:
    with ground.opened(tmp_path) as opened:
        ground.remote_shop(opened)
        peers.change_following(opened, PEER, FollowState.ACCEPTED, "f")
        yield opened


def record_of(author: str, name: str, number: int = 1, *, minutes: int = 0) -> RecordListing:
    moment = (NOW + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
    note = {
        "id": f"{author}/items/{number}",
        "type": "Note",
        "attributedTo": author,
        "published": moment,
        "updated": moment,
        "sdo:offers": [{"sdo:price": "3.00", "sdo:itemOffered": {"sdo:name": name}}],
    }
    return RecordListing(note, author, ground.new_id(), NOW + timedelta(hours=1))


def author_of(db: sqlite3.Connection) -> str:
    return str(db.execute("SELECT uri FROM shops WHERE peer IS NOT NULL").fetchone()[0])


def test_the_same_listing_twice_in_a_batch_has_the_words_of_the_later_state(
    db: sqlite3.Connection,
) -> None:
    author = author_of(db)
    later = record_of(author, "Cire", minutes=5)
    batch = Batch([record_of(author, "Miel"), record_of(author, "Pain", 2), later])
    batch.read(db)
    assert batch.write(db, NOW) == [None, None, None]
    for word, count in (("miel", 0), ("cire", 1), ("pain", 1)):
        found = db.execute("SELECT count(*) FROM search_titles(?)", (word,)).fetchone()[0]
        assert (word, found) == (word, count)
    # The words that were put in are known: they can be taken out again.
    for listing in listings.find(db, [row[0] for row in db.execute("SELECT id FROM listings")]):
        search.remove(db, listing)
    assert db.execute("SELECT count(*) FROM search_titles('cire')").fetchone()[0] == 0


def test_what_changed_between_reading_and_writing_counts(db: sqlite3.Connection) -> None:
    author = author_of(db)
    batch = Batch([record_of(author, "Miel")])
    batch.read(db)
    peers.change_following(db, PEER, FollowState.REJECTED, "f")
    assert batch.write(db, NOW) == [None]  # nobody is heard any more: it is done with
    assert not db.execute("SELECT count(*) FROM listings").fetchone()[0]

    peers.change_following(db, PEER, FollowState.ACCEPTED, "f")
    batch = Batch([record_of(author, "Miel")])
    batch.read(db)
    shop = shop_rows.get_by_uri(db, author)
    assert shop is not None
    db.execute("PRAGMA foreign_keys = OFF")
    db.execute("UPDATE shops SET id = 'renamed' WHERE id = ?", (shop.id,))
    assert batch.write(db, NOW) == [None]
    assert db.execute("SELECT shop FROM listings").fetchone()[0] == "renamed"

    batch = Batch([record_of(author, "Pain", 2)])
    batch.read(db)
    db.execute("DELETE FROM shops WHERE id = 'renamed'")
    (error,) = batch.write(db, NOW)
    assert isinstance(error, UnknownShop)
    assert error.uri == author


def test_a_shop_of_ours_is_told_nothing(db: sqlite3.Connection) -> None:
    author = author_of(db)
    db.execute("UPDATE shops SET peer = NULL")
    assert Batch([record_of(author, "Miel")]).write(db, NOW) == [None]
    assert not db.execute("SELECT count(*) FROM listings").fetchone()[0]


def test_one_that_cannot_be_read_fails_alone(db: sqlite3.Connection) -> None:
    author = author_of(db)
    nothing = record_of(author, "Rien", 2)
    nothing.note["sdo:offers"] = []
    stranger = record_of(f"https://{PEER}/users/autre", "Inconnu", 3)
    unheard = record_of("https://nobody.example/users/a", "Loin", 4)
    batch = Batch([record_of(author, "Miel"), nothing, stranger, unheard])
    errors = batch.write(db, NOW)
    assert [type(one).__name__ for one in errors] == [
        "NoneType", "Refused", "UnknownShop", "NoneType",
    ]  # fmt: skip
    assert [row[0] for row in db.execute("SELECT name FROM listings")] == ["Miel"]
    assert documents.type_of(nothing.note) == "Note"


def test_it_takes_little_memory() -> None:
    """No event loop, no network: each costs more than all that it writes with."""
    script = "import sys; import node.exchange.recording_worker; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert not {"asyncio", "ssl", "cryptography", "starlette", "httpx2"} & set(done.stdout.split())
