"""How long a neighbour may be silent before what came from it is old, or hidden."""

import dataclasses
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from node import neighbours
from node.model import FollowState, Freshness, Peer
from node.store import peers
from tests import ground
from tests.ground import NOW, PEER

DAY = timedelta(days=1)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with ground.opened(tmp_path) as opened:
        origin = f"https://{PEER}"
        peers.add(opened, PEER, origin, f"{origin}/users/instance", "Mérignac", "echoppe")
        peers.change_following(opened, PEER, FollowState.ACCEPTED, "f")
        yield opened


def peer(db: sqlite3.Connection) -> Peer:
    found = peers.get(db, PEER)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("days", "expected"),
    [(0, "fresh"), (13.9, "fresh"), (14, "old"), (29.9, "old"), (30, "hidden"), (400, "hidden")],
)
def test_a_silent_neighbours_listings_age(
    db: sqlite3.Connection, days: float, expected: str
) -> None:
    peers.mark_heard(db, PEER, NOW)
    now = NOW + days * DAY
    assert neighbours.freshness(peer(db), now) == expected
    silence = neighbours.silence(db, now)
    assert silence.freshness(PEER) == expected
    assert silence.freshness(None) is Freshness.FRESH  # our own
    assert silence.freshness("boutiques.talence.example") is Freshness.FRESH


def test_it_is_fresh_again_at_its_first_word(db: sqlite3.Connection) -> None:
    peers.mark_heard(db, PEER, NOW)
    later = NOW + 40 * DAY
    assert neighbours.silence(db, later).hidden == {PEER}
    peers.mark_heard(db, PEER, later)
    assert neighbours.silence(db, later) == neighbours.Silence(frozenset(), frozenset())
    assert neighbours.freshness(peer(db), later) is Freshness.FRESH


def test_whoever_was_never_heard_is_not_old(db: sqlite3.Connection) -> None:
    assert neighbours.freshness(peer(db), NOW + 400 * DAY) is Freshness.FRESH
    assert neighbours.silence(db, NOW + 400 * DAY).hidden == frozenset()


def test_a_reading_in_agreement_confirms_every_listing(db: sqlite3.Connection) -> None:
    shop = ground.open_shop(db, "fleurs")
    listing = ground.publish(db, shop, "Tulipe")
    held = peer(db)
    assert neighbours.seen(listing, None) == listing.seen
    assert neighbours.seen(listing, held) == listing.seen
    later = listing.seen + 3 * DAY
    agreed = dataclasses.replace(held, synced=later, digest_agrees=True)
    assert neighbours.seen(listing, agreed) == later
    assert neighbours.seen(listing, dataclasses.replace(agreed, digest_agrees=False)) == (
        listing.seen
    )
