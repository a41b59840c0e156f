"""Activities that were accepted and wait to be acted upon."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from node.store import received
from tests import ground
from tests.ground import NOW

ACTOR = "https://boutiques.merignac.example/users/pains"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with ground.opened(tmp_path) as opened:
        yield opened


def add(db: sqlite3.Connection, print_: bytes, minutes: int = 0) -> bool:
    return add_all(db, [print_], minutes)[0] is not None


def add_all(db: sqlite3.Connection, prints: list[bytes], minutes: int = 0) -> list[int | None]:
    host = "boutiques.merignac.example"
    letters = [received.Letter(one, ACTOR, host, b"body " + one) for one in prints]
    return received.add(db, letters, NOW + minutes * MINUTE)


def bodies(db: sqlite3.Connection, minutes: int = 0) -> list[bytes]:
    return [row.body for row in received.find_due(db, NOW + minutes * MINUTE, 100)]


def waiting(db: sqlite3.Connection) -> int:
    """How many activities wait."""
    return sum(count for _, count, _ in received.count_by_host(db))


def test_the_same_is_taken_once_even_after_it_was_done(db: sqlite3.Connection) -> None:
    assert add(db, b"a")
    assert not add(db, b"a", 1)
    assert bodies(db, 2) == [b"body a"]
    received.remove(db, received.find_due(db, NOW, 1)[0].id)
    assert not add(db, b"a", 2)
    assert bodies(db, 3) == []
    assert waiting(db) == 0


def test_many_at_once_each_with_the_number_of_its_row(db: sqlite3.Connection) -> None:
    add_all(db, [b"known"])
    numbers = add_all(db, [b"x", b"known", b"a", b"x", b"m"])
    assert numbers[1] is None
    assert numbers[3] is None  # the same twice in one breath
    found = received.find(db, [one for one in numbers if one is not None])
    assert [(row.id, row.body) for row in found] == [
        (numbers[0], b"body x"),
        (numbers[2], b"body a"),
        (numbers[4], b"body m"),
    ]
    assert add_all(db, [b"x", b"known"]) == [None, None]
    assert len(bodies(db)) == 4


def test_found_by_number_is_what_still_waits(db: sqlite3.Connection) -> None:
    done, dead, waits = add_all(db, [b"done", b"dead", b"waits"])
    assert done is not None
    assert dead is not None
    assert waits is not None
    received.remove(db, done)
    received.set_aside(db, dead, "broken")
    assert [row.id for row in received.find(db, [waits, dead, done, 999])] == [waits]
    assert received.find(db, []) == []


def test_in_the_order_it_came_and_not_before_it_is_due(db: sqlite3.Connection) -> None:
    for print_ in (b"c", b"a", b"b"):
        add(db, print_)
    assert bodies(db) == [b"body c", b"body a", b"body b"]
    assert len(received.find_due(db, NOW, 2)) == 2
    first = received.find_due(db, NOW, 1)[0]
    assert (first.actor, first.at, first.attempts) == (ACTOR, NOW, 0)
    received.change_due(db, first.id, NOW + 5 * MINUTE, "away")
    assert bodies(db) == [b"body a", b"body b"]
    assert bodies(db, 5) == [b"body c", b"body a", b"body b"]
    assert received.find_due(db, NOW + 5 * MINUTE, 1)[0].attempts == 1
    assert waiting(db) == 3


def test_what_is_set_aside_is_out_of_the_way_and_kept_with_its_reason(
    db: sqlite3.Connection,
) -> None:
    add(db, b"a")
    add(db, b"b")
    for row in received.find_due(db, NOW, 2):
        received.set_aside(db, row.id, f"reason of {row.body.decode()}")
    assert bodies(db, 9) == []
    assert waiting(db) == 0
    ((count, reason),) = received.count_dead_by_host(db).values()
    assert (count, reason) == (2, "reason of body b")


def test_sweeping_forgets_the_old_and_keeps_the_newest_dead(db: sqlite3.Connection) -> None:
    for number in range(5):
        add(db, bytes([number]), number)
    add(db, b"waits")
    for row in received.find_due(db, NOW + 9 * MINUTE, 5):
        received.set_aside(db, row.id, "x")
    received.prune(db, NOW + 2 * MINUTE, keep_dead=2)
    kept = db.execute("SELECT body FROM received WHERE dead = 1 ORDER BY id").fetchall()
    assert [row[0] for row in kept] == [b"body \x03", b"body \x04"]
    assert bodies(db, 9) == [b"body waits"]
    assert add(db, bytes([0]), 20)  # forgotten, so it is news
    assert not add(db, bytes([4]), 20)
