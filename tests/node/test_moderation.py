"""Blocks and suspensions, as rows: what goes, what is hidden, and what comes back."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from node import catalogue, errors, moderation, neighbours, shops
from node.model import ActorKind, FollowState
from node.store import blocks, listings, peers, received
from node.store import shops as shop_rows
from node.uris import INSTANCE
from tests import ground
from tests.ground import NOW, PEER


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A node's file with a neighbour whose shop has one listing."""
    with ground.opened(tmp_path) as found:
        shops.add_actor(found, INSTANCE, ActorKind.NODE, "Pessac", ground.KEYS, NOW)
        shop = ground.remote_shop(found)
        catalogue.record_remote(found, ground.remote_listing(shop), NOW)
        peers.change_added(found, PEER, NOW)
        peers.change_following(found, PEER, FollowState.ACCEPTED, "https://here.example/1")
        peers.change_follower(found, PEER, FollowState.ACCEPTED, "https://there.example/1")
        yield found


def shown(db: sqlite3.Connection) -> tuple[int, int, int]:
    """How many listings are in the index, how many would be if it were made anew, and shops."""
    indexed = db.execute("SELECT count(*) FROM search_rows").fetchone()[0]
    return indexed, len(listings.find_ids_after(db, "", 10)), len(shop_rows.find(db))


def is_heard(db: sqlite3.Connection) -> bool:
    return neighbours.is_heard(peers.get(db, PEER))


def test_what_is_suspended_is_hidden_kept_and_comes_back(db: sqlite3.Connection) -> None:
    assert shown(db) == (1, 1, 1)
    letter = received.Letter(b"x" * 32, f"https://{PEER}/users/pains", PEER, b"{}")
    received.add(db, [letter], NOW)
    moderation.suspend(db, PEER, "prices of last year", NOW)
    assert shown(db) == (0, 0, 0)
    assert not is_heard(db)
    assert peers.find_followers(db) == []
    assert received.find_due(db, NOW, 10) == []
    assert moderation.standing(db)[0] == {PEER}
    peer = peers.get(db, PEER)
    assert peer is not None
    assert (peer.suspended, peer.suspended_why) == (NOW, "prices of last year")
    assert moderation.restore(db, PEER, NOW)
    assert shown(db) == (1, 1, 1)
    assert is_heard(db)
    assert [one.host for one in peers.find_to_sync(db, NOW)] == [PEER]
    assert not moderation.restore(db, PEER, NOW)


def test_what_has_been_hidden_for_a_week_goes_and_the_suspension_stays(
    db: sqlite3.Connection,
) -> None:
    moderation.suspend(db, PEER, "", NOW)
    moderation.suspend(db, PEER, "still", NOW + timedelta(days=6))  # the week began before
    moderation.drop_hidden(db, NOW + timedelta(days=6, hours=23))
    assert len(shop_rows.find(db, peer=PEER)) == 1
    moderation.drop_hidden(db, NOW + timedelta(days=7))
    assert shop_rows.find(db, peer=PEER) == []
    peer = peers.get(db, PEER)
    assert peer is not None
    assert peer.suspended == NOW
    assert moderation.restore(db, PEER, NOW + timedelta(days=8))
    peer = peers.get(db, PEER)
    assert peer is not None
    assert peer.cursor == 0  # all is read anew


@pytest.mark.parametrize("domain", [PEER, "merignac.example", "example"])
def test_a_block_takes_in_all_below_it(db: sqlite3.Connection, domain: str) -> None:
    moderation.suspend(db, PEER, "", NOW)
    moderation.block(db, domain, "false prices", NOW)
    assert shop_rows.find(db, peer=PEER) == []
    assert shown(db) == (0, 0, 0)
    peer = peers.get(db, PEER)
    assert peer is not None
    assert (peer.blocked, peer.suspended, peer.following) == (NOW, None, None)
    with pytest.raises(errors.Conflict):
        moderation.suspend(db, PEER, "", NOW)
    found = moderation.find_block(db, PEER)
    assert found is not None
    assert (found.domain, found.reason) == (domain, "false prices")
    moderation.block(db, "boutiques.merignac.example", "again", NOW)
    assert moderation.unblock(db, domain)
    peer = peers.get(db, PEER)
    assert peer is not None
    assert (peer.blocked is None) is (domain == PEER)  # the other one still covers it
    assert not moderation.unblock(db, domain)
    assert not is_heard(db)


def test_a_block_above_another_does_not_touch_its_neighbours(db: sqlite3.Connection) -> None:
    moderation.block(db, "rignac.example", "", NOW)
    moderation.block(db, "merignac.example.org", "", NOW)
    assert is_heard(db)
    assert shown(db) == (1, 1, 1)
    assert [one.domain for one in blocks.find(db)] == ["merignac.example.org", "rignac.example"]


def test_a_reason_is_bounded_and_a_stranger_cannot_be_suspended(db: sqlite3.Connection) -> None:
    with pytest.raises(errors.Invalid):
        moderation.block(db, PEER, "x" * 501, NOW)
    with pytest.raises(errors.NotFound):
        moderation.suspend(db, "nobody.example", "", NOW)
    assert is_heard(db)


def test_nothing_of_a_suspended_neighbour_is_indexed_by_accident(db: sqlite3.Connection) -> None:
    """What was on its way into the index when it was suspended stays hidden."""
    moderation.suspend(db, PEER, "", NOW)
    (shop,) = shop_rows.find(db, peer=PEER)
    assert moderation.is_hidden(db, shop.id)
    assert ground.indexed(db, "pain") == []
