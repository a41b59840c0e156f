"""A neighbour's node that goes on elsewhere: followed there only where both ends say so."""

from collections.abc import Iterator

import pytest

from tests import neighbours
from tests.fediverse import people
from tests.hostile.arena import Arena, opened
from tests.hostile.stub import Actor


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """One of its own: its neighbour leaves."""
    with opened(tmp_path_factory.mktemp("moves")) as found:
        yield found


def asked(new: Actor) -> int:
    """How often the node asked to follow the new one."""
    return len(new.stub.deliveries("Follow"))


def test_a_neighbour_s_node_moves_only_where_both_ends_say_so(arena: Arena) -> None:
    old = arena.node
    outbox = f"{old.uri}/outbox"
    new = arena.stranger.actor("Application", "instance")

    def move(target: Actor, sender: Actor = old) -> None:
        people.say(arena, sender, "Move", old.uri, target=target.uri)
        arena.settle()

    move(new)  # neither end says so
    old.publish(outbox=outbox, movedTo=new.uri)
    move(new)  # the new one does not
    old.publish(outbox=outbox)
    new.publish(alsoKnownAs=[old.uri])
    move(new)  # the old one does not
    old.publish(outbox=outbox, movedTo=new.uri)
    move(new, sender=arena.stranger.actor())  # it is not the stranger's to say
    assert asked(new) == 0

    shop = arena.stranger.actor("Organization", "boutique")
    shop.publish(alsoKnownAs=[old.uri])
    old.publish(outbox=outbox, movedTo=shop.uri)
    move(shop)  # a shop is no node
    assert asked(shop) == 0

    old.publish(outbox=outbox, movedTo=new.uri)
    people.say(arena, old, "Move", old.uri, target=new.uri)
    neighbours.eventually(lambda: asked(new) == 1)
    (undo,) = neighbours.eventually(lambda: old.stub.deliveries("Undo"))
    assert undo["object"]["id"] == arena.follow
    hosts = {one["host"]: one for one in arena.town.run("neighbour", "list")}
    assert hosts[new.stub.authority]["following"] == "requested"
    assert hosts.get(old.stub.authority, {"following": None})["following"] is None
