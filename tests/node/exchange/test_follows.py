"""Choosing neighbours, parting, and blocking, as rows."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from federation import actors
from federation.actors import RemoteActor
from federation.errors import Refused
from node import moderation, shops
from node.exchange import enquiries, follows, moves
from node.exchange.context import Context
from node.model import ActorKind, Follower, FollowState, Peer
from node.store import deliveries, followers, peers, reactions, received
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
    received.add(db, [received.Letter(b"x" * 32, follower.uri, HOST, b"{}")], NOW)
    follows.ask(db, URIS, peer(db), "one", NOW)
    moderation.block(db, HOST, "", NOW)
    assert followers.count(db, shop.handle) == 0
    assert received.find_due(db, NOW, 10) == []
    assert told(db) == []
    assert (peer(db).following, peer(db).follower) == (None, None)
    assert moderation.standing(db)[0] == {HOST}


# --- people, and nodes that move -----------------------------------------------------------------


def context() -> Context:
    """What a handler needs that has fetched already."""
    return Context(
        uris=URIS, database=cast(Any, None), http=cast(Any, None), resolver=cast(Any, None),
        publisher=cast(Any, None), sign=lambda _method, _url: {}, clock=lambda: NOW,
        new_id=ground.new_id, accept_any_node=False,
    )  # fmt: skip


def remote(uri: str, kind: str, **endpoints: str) -> RemoteActor:
    """An actor as it was fetched."""
    return actors.from_document(
        {"id": uri, "type": kind, "inbox": f"{uri}/inbox", "endpoints": endpoints}
    )


def test_one_server_fills_neither_the_followers_nor_the_deliveries(
    db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follows, "FOLLOWERS_OF_HOST_MOST", 5)
    monkeypatch.setattr(follows, "INBOXES_OF_HOST_MOST", 2)
    ground.open_shop(db)

    def follow(number: int, host: str = HOST, **shared: str) -> None:
        uri = f"https://{host}/users/u{number}"
        who = remote(uri, "Person", **shared)
        follows._follow_of_actor(context(), "fleurs", who, f"{uri}#f", "token", db)

    shared = {"sharedInbox": f"{ORIGIN}/inbox"}
    follow(1, **shared)
    follow(2)
    with pytest.raises(Refused, match="too-many-followers"):
        follow(3)  # a third inbox
    follow(2)  # asked again, as servers do that missed the answer
    for number in (3, 4, 5):
        follow(number, **shared)
    with pytest.raises(Refused, match="too-many-followers"):
        follow(6, **shared)
    follow(7, host="social.example")
    assert followers.count(db, "fleurs") == 6
    assert followers.count_of_host(db, "fleurs", HOST) == (5, 2)


NEW = "https://marche.merignac.example/users/instance"


@pytest.mark.parametrize(
    ("kind", "suspended", "blocked", "asked"),
    [
        ("Application", False, "", 1),
        ("Organization", False, "", 0),
        ("Application", True, "", 0),
        ("Application", False, "merignac.example", 0),
    ],
    ids=["a node", "a shop", "one that the steward suspended", "one under a block"],
)
def test_a_move_of_a_node_lifts_nothing_that_a_steward_did(
    db: sqlite3.Connection, kind: str, suspended: bool, blocked: str, asked: int
) -> None:
    follows.ask(db, URIS, peer(db), "one", NOW)
    host = "marche.merignac.example"
    if suspended:
        peers.add(db, host, f"https://{host}", NEW, "Le marché", "")
        peers.change_suspended(db, host, NOW, "abuse")
    if blocked:
        moderation.block(db, f"marche.{blocked}", "abuse", NOW)
    target = remote(NEW, kind)
    moves._move_node(context(), f"{ORIGIN}/users/instance", target, "token", db)
    assert len(deliveries.find_due(db, host, NOW, 10)) == asked
    gone = peers.get(db, HOST)
    assert (gone is None or gone.following is None) == bool(asked)


# --- what people elsewhere do in public ----------------------------------------------------------


def test_replies_of_one_and_of_one_server_are_counted_so_far(
    db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enquiries, "REACTIONS_OF_HOST_MOST", 7)
    obj = f"{URIS.instance}/items/1"

    def react(actor: str, number: int, kind: str = "Reply", host: str = HOST) -> None:
        uri = f"https://{host}/users/{actor}"
        enquiries.count_reaction(db, obj, kind, uri, f"{uri}/{number}", NOW)

    for number in range(9):
        react("anne", number)
    assert reactions.count(db, obj, "Reply") == enquiries.REPLIES_OF_ACTOR_MOST == 5
    for number in range(9):
        react("paul", number)
    assert reactions.count(db, obj, "Reply") == 7
    for number in range(3):
        react("zoe", number, host="social.example")
    assert reactions.count(db, obj, "Reply") == 10
    react("anne", 1, "Like")  # of another kind
    assert reactions.count(db, obj, "Like") == 1
    monkeypatch.setattr(enquiries, "REACTIONS_MOST", 11)
    react("zoe", 8, host="third.example")
    react("zoe", 9, host="fourth.example")
    assert reactions.count(db, obj, "Reply") == 11
