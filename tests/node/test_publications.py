"""What is noted whenever something public changes, and the digest of all of it."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import publications
from node.model import ChangeKind, Verb
from node.store import changes, deliveries, times
from tests import ground
from tests.ground import NOW

URI = "https://boutiques.pessac.example/users/fleurs"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with ground.opened(tmp_path) as opened:
        yield opened


def announce(db: sqlite3.Connection, uri: str, verb: Verb, seconds: int = 0) -> int:
    updated = NOW + timedelta(seconds=seconds)
    return publications.announce(db, ChangeKind.SHOP, uri, verb, updated, NOW)


def test_every_change_takes_the_next_number_and_leaves_a_note(db: sqlite3.Connection) -> None:
    assert announce(db, URI, Verb.CREATE) == 1
    assert announce(db, f"{URI}_2", Verb.CREATE) == 2
    assert announce(db, URI, Verb.UPDATE, 1) == 3
    assert announce(db, URI, Verb.DELETE, 2) == 4
    assert [(one.seq, one.uri, one.deleted) for one in changes.find_since(db, 0, 9)] == [
        (2, f"{URI}_2", False),
        (4, URI, True),
    ]
    assert [one.verb for one in deliveries.find_publications(db, 9)] == [
        Verb.CREATE, Verb.CREATE, Verb.UPDATE, Verb.DELETE,
    ]  # fmt: skip


def test_a_note_that_was_spread_is_gone(db: sqlite3.Connection) -> None:
    announce(db, URI, Verb.CREATE)
    announce(db, f"{URI}_2", Verb.CREATE)
    first, second = deliveries.find_publications(db, 9)
    deliveries.remove_publication(db, first.id)
    assert deliveries.find_publications(db, 9) == [second]


def test_the_digest_is_of_what_is_there_and_when_it_changed(db: sqlite3.Connection) -> None:
    announce(db, URI, Verb.CREATE)
    announce(db, f"{URI}_2", Verb.CREATE, 5)
    announce(db, f"{URI}_3", Verb.CREATE)
    announce(db, f"{URI}_3", Verb.DELETE, 9)
    expected = publications.digest(
        publications.fingerprint(uri, times.stamp(NOW + timedelta(seconds=seconds)))
        for uri, seconds in ((f"{URI}_2", 5), (URI, 0))
    )
    assert publications.digest(changes.live_fingerprints(db)) == expected


def test_the_fingerprint_is_the_one_that_others_compute() -> None:
    """SHA-256 of id, space, time: FEDERATION.md promises it, so a fixed vector holds it."""
    assert publications.digest([publications.fingerprint("a", "b")]) == (
        "c8687a08aa5d6ed2044328fa6a697ab8e96dc34291e8c2034ae8c38e6fcc6d65"
    )
    assert publications.digest([]) == "0" * 64


@given(st.sets(st.binary(min_size=32, max_size=32), max_size=8), st.randoms())
def test_the_digest_does_not_depend_on_order(prints: set[bytes], random: object) -> None:
    shuffled = list(prints)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert publications.digest(shuffled) == publications.digest(sorted(prints))
    if prints:
        assert publications.digest(shuffled[1:]) != publications.digest(shuffled) or (
            shuffled[0] == bytes(32)
        )


@given(st.timedeltas(timedelta(days=-9999), timedelta(days=9999)))
def test_the_next_update_is_later_and_whole(ahead: timedelta) -> None:
    before = NOW
    made = publications.next_update(before, NOW + ahead)
    assert made > before
    assert made.microsecond == 0
    assert made <= max(NOW + ahead, before + timedelta(seconds=1))
