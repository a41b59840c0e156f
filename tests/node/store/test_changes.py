"""The change sequence: the latest number of each public object."""

import random
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from node import restoring
from node.model import ChangeKind
from node.store import changes
from tests import ground
from tests.ground import NOW

DAY = timedelta(days=1)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with ground.opened(tmp_path) as opened:
        yield opened


def add(db: sqlite3.Connection, uri: str, *, deleted: bool = False, days: int = 0) -> int:
    return changes.add(
        db,
        ChangeKind.LISTING,
        uri,
        deleted=deleted,
        updated=NOW + days * DAY,
        fingerprint=uri.encode(),
    )


def since(db: sqlite3.Connection, seq: int, limit: int = 100) -> list[tuple[int, str]]:
    return [(one.seq, one.uri) for one in changes.find_since(db, seq, limit)]


def test_an_empty_sequence(db: sqlite3.Connection) -> None:
    assert (changes.head(db), since(db, 0), changes.pruned_through(db)) == (0, [], 0)


def test_a_change_takes_the_place_of_the_objects_earlier_one(db: sqlite3.Connection) -> None:
    assert [add(db, uri) for uri in ("a", "b", "a", "c", "a")] == [1, 2, 3, 4, 5]
    assert since(db, 0) == [(2, "b"), (4, "c"), (5, "a")]
    assert since(db, 2) == [(4, "c"), (5, "a")]
    assert since(db, 0, 2) == [(2, "b"), (4, "c")]
    assert (changes.head(db), changes.count_since(db, 2)) == (5, 2)
    change = changes.get(db, "a")
    assert change is not None
    assert (change.seq, change.kind, change.updated) == (5, ChangeKind.LISTING, NOW)
    assert changes.get(db, "z") is None


def test_a_reader_in_pages_misses_nothing_while_things_change(db: sqlite3.Connection) -> None:
    chance = random.Random(33318)
    names = [f"object {n}" for n in range(20)]
    known: dict[str, int] = {}
    cursor = 0
    for _ in range(300):
        if chance.random() < 0.7:
            add(db, chance.choice(names))
        for seq, uri in since(db, cursor, 3):
            assert seq > cursor
            known[uri] = cursor = seq
    while page := since(db, cursor, 3):
        known.update((uri, seq) for seq, uri in page)
        cursor = page[-1][0]
    assert known == {uri: seq for seq, uri in since(db, 0)}
    assert cursor == changes.head(db)


def test_numbers_are_never_given_out_again(db: sqlite3.Connection) -> None:
    add(db, "a")
    assert add(db, "b", deleted=True) == 2
    assert changes.prune(db, NOW + DAY) == 1
    assert changes.head(db) == 2
    assert add(db, "c") == 3


def test_dropping_tombstones_says_how_far_one_must_have_read(db: sqlite3.Connection) -> None:
    add(db, "a")
    add(db, "b", deleted=True)
    add(db, "c", deleted=True, days=1)
    add(db, "d", deleted=True, days=9)
    add(db, "e")
    assert changes.prune(db, NOW + 5 * DAY) == 2
    assert since(db, 0) == [(1, "a"), (4, "d"), (5, "e")]
    assert changes.pruned_through(db) == 3
    assert changes.prune(db, NOW + 5 * DAY) == 0
    assert changes.pruned_through(db) == 3
    # One that was updated longer ago, yet numbered later, never takes the mark back.
    add(db, "f", deleted=True)
    changes.prune(db, NOW + DAY)
    assert changes.pruned_through(db) == 6


def test_only_what_is_there_counts_for_agreement(db: sqlite3.Connection) -> None:
    add(db, "a")
    add(db, "b")
    add(db, "b", deleted=True)
    assert changes.live_fingerprints(db) == [b"a"]


def test_a_backup_put_back_twice_gives_no_number_out_twice(db: sqlite3.Connection) -> None:
    """The same file is put back, lived with for a month, lost, and put back again."""
    for uri in ("a", "b", "a"):
        add(db, uri)
    db.execute("SAVEPOINT backup")
    restoring.begin_anew(db, NOW)
    told = [add(db, f"new {number}") for number in range(500)]
    db.execute("ROLLBACK TO backup")
    restoring.begin_anew(db, NOW + 30 * DAY)
    numbers = [seq for seq, _ in since(db, 0)]
    assert min(numbers) > max(told) + restoring.JUMP
    assert changes.pruned_through(db) > max(told)  # who stopped there must begin again
    assert changes.head(db) == max(numbers)
    again = changes.head(db)
    restoring.begin_anew(db, NOW + 30 * DAY)
    assert min(seq for seq, _ in since(db, 0)) > again + restoring.JUMP
    assert changes.head(db) < 2**53  # as a number of JSON
