"""Choosing neighbours, parting, and blocking, as rows."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from node import moderation, shops
from node.exchange import follows
from node.model import ActorKind, Follower, FollowState, Peer
from node.store import deliveries, followers, peers, received
from node.uris import INSTANCE
from tests import ground
from tests.ground import NOW, URIS

HOST = "boutiques.merignac.example"
ORIGIN = f"https://{HOST}"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A node's file."""
    with ground.opened(tmp_path) as found:
        shops.add_actor(found, INSTANCE, ActorKind.NODE, "Pessac", ground.KEYS, NOW)
        peers.add(found, HOST, ORIGIN, f"{ORIGIN}/users/instance", "Mérignac", "echoppe 0.1.0")
        yield found


def peer(db: sqlite3.Connection) -> Peer:
    found = peers.get(db, HOST)
    assert found is not None
    return found


def told(db: sqlite3.Connection) -> list[str]:
    """What the other node is still to hear."""
    return [row.verb for row in deliveries.find_due(db, HOST, NOW, 10)]


def test_asking_twice_is_two_follows(db: sqlite3.Connection) -> None:
    """The same Follow again would be taken for a replay."""
    follows.ask(db, URIS, peer(db), "one", NOW)
    first, _ = peers.follow_ids(db, HOST)
    follows.ask(db, URIS, peer(db), "two", NOW)
    second, _ = peers.follow_ids(db, HOST)
    assert first != second
    assert told(db) == ["Follow", "Follow"]


def test_who_asked_already_is_accepted_when_it_is_chosen(db: sqlite3.Connection) -> None:
    peers.change_follower(db, HOST, FollowState.REQUESTED, f"{ORIGIN}/users/instance#follows/1")
    follows.ask(db, URIS, peer(db), "one", NOW)
    assert peer(db).follower is FollowState.ACCEPTED
    assert sorted(told(db)) == ["Accept", "Follow"]


def test_parting_tells_both_ends_and_forgets(db: sqlite3.Connection) -> None:
    peers.change_follower(db, HOST, FollowState.ACCEPTED, f"{ORIGIN}/users/instance#follows/1")
    peers.change_following(db, HOST, FollowState.ACCEPTED, URIS.follow("one"))
    follows.leave(db, URIS, peer(db), "two", NOW)
    assert peers.get(db, HOST) is None
    assert sorted(told(db)) == ["Reject", "Undo"]


def test_a_blocked_host_leaves_nothing_behind(db: sqlite3.Connection) -> None:
    shop = ground.open_shop(db)
    follower = Follower(
        handle=shop.handle,
        uri=f"{ORIGIN}/users/anne",
        inbox=f"{ORIGIN}/users/anne/inbox",
        shared_inbox=None,
        follow=f"{ORIGIN}/users/anne#1",
        state=FollowState.ACCEPTED,
        since=NOW,
    )
    followers.add(db, follower, HOST)
    received.add(db, b"x" * 32, follower.uri, HOST, b"{}", NOW)
    follows.ask(db, URIS, peer(db), "one", NOW)
    moderation.block(db, HOST, "", NOW)
    assert followers.count(db, shop.handle) == 0
    assert received.find_due(db, NOW, 10) == []
    assert told(db) == []
    assert (peer(db).following, peer(db).follower) == (None, None)
    assert moderation.standing(db)[0] == {HOST}
