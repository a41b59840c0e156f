"""A neighbour whose change sequence lies: bounded, said to the steward, and without harm to what is
held."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests import neighbours
from tests.hostile import stub
from tests.hostile.arena import Arena, reread, serve_sequence
from tests.hostile.stub import Document

FULL_PASS = 40  # requests at most that any of these lies may cost


def problem(arena: Arena) -> str | None:
    """What the steward is told of the last reading."""
    for one in arena.town.run("neighbour", "list"):
        if one["host"] == arena.peer.authority:
            return one["problem"]
    return None


@pytest.fixture
def sequence(arena: Arena) -> Iterator[list[str]]:
    """The requests for the sequence that a test caused; afterwards it is honest again."""
    before = len(arena.peer.asked)
    asked: list[str] = []
    yield asked
    asked += [one.path for one in arena.peer.asked[before:] if "outbox" in one.path]
    assert len(asked) < FULL_PASS
    serve_sequence(arena, [])
    reread(arena)
    neighbours.eventually(lambda: problem(arena) is None)
    arena.settle()
    arena.hold()


def item(arena: Arena, name: str, **changed: Any) -> Document:
    """An honest item: a listing of a shop of the neighbour's."""
    shop = arena.peer.actor()
    return {**shop.activity("Update", shop.note(name)), **changed}


def lie(arena: Arena, items: list[Document], **page: Any) -> None:
    """Serves a sequence and has it read."""
    serve_sequence(arena, items, **page)
    reread(arena)


@pytest.mark.usefixtures("sequence")
def test_numbers_that_go_back(arena: Arena) -> None:
    name = f"poison {uuid.uuid4().hex}"
    items = [{**item(arena, name), "echoppe:seq": number} for number in (9, 8)]
    serve_sequence(arena, [], orderedItems=items)
    reread(arena)
    told = neighbours.eventually(lambda: problem(arena))
    assert told.startswith("sequence-goes-back")
    assert arena.found(name) == {}


@pytest.mark.usefixtures("sequence")
@pytest.mark.parametrize("number", ["7", 7.5, True, None, -1, [7], {}])
def test_numbers_that_are_none(arena: Arena, number: Any) -> None:
    name = f"poison {uuid.uuid4().hex}"
    serve_sequence(arena, [], orderedItems=[{**item(arena, name), "echoppe:seq": number}])
    reread(arena)
    neighbours.eventually(lambda: problem(arena))
    assert arena.found(name) == {}


@pytest.mark.usefixtures("sequence")
def test_a_next_page_that_brings_nothing_new(arena: Arena) -> None:
    here = f"{arena.node.uri}/outbox?since=0"
    lie(arena, [], next=here)
    told = neighbours.eventually(lambda: problem(arena))
    assert told.startswith("sequence-stands-still")


@pytest.mark.usefixtures("sequence")
def test_org_26_a_page_on_another_host(arena: Arena) -> None:
    canary = arena.canary
    lie(arena, [item(arena, "poison")], next=f"http://127.0.0.1:{canary.port}/outbox?since=1")
    told = neighbours.eventually(lambda: problem(arena))
    assert told.startswith("foreign-page")
    assert not canary.calls


@pytest.mark.usefixtures("sequence")
def test_a_page_without_end(arena: Arena) -> None:
    one = stub.encode(item(arena, "poison"))
    many = b'{"id":"%s","type":"OrderedCollectionPage","orderedItems":[%s]}' % (
        f"{arena.node.uri}/outbox".encode(),
        b",".join([one] * 300),
    )
    arena.peer.serve(f"{arena.node.path}/outbox", many)
    reread(arena)
    told = neighbours.eventually(lambda: problem(arena))
    assert told.startswith(("page-too-long", "sequence-goes-back"))


@pytest.mark.usefixtures("sequence")
def test_gone_for_ever(arena: Arena) -> None:
    arena.peer.serve(f"{arena.node.path}/outbox", b"{}", status=410)
    reread(arena)
    told = neighbours.eventually(lambda: problem(arena))
    assert "gone" in told


@pytest.mark.usefixtures("sequence")
def test_what_is_foreign_or_malformed_is_left_out_and_the_rest_kept(arena: Arena) -> None:
    good = f"lampe {uuid.uuid4().hex}"
    bad = f"poison {uuid.uuid4().hex}"
    foreign = arena.stranger.actor()
    mine = arena.peer.actor()
    shapes: list[Any] = [None, "x", 7, [], {}, [None], {"id": 7}, {"type": "Note"}]
    items = [
        foreign.activity("Update", foreign.note(bad)),
        mine.activity("Update", {**mine.note(bad), "attributedTo": foreign.uri}),
        mine.activity("Update", {**mine.note(bad), "id": arena.tulip}),
        mine.activity("Delete", arena.tulip),
        mine.activity("Delete", stub.tombstone(arena.tulip)),
        *({**mine.activity("Update", None), "object": shape} for shape in shapes),
        *({**mine.activity("Update", mine.note(bad)), "type": shape} for shape in (None, 7, [])),
        *(
            mine.activity("Update", {**mine.note(bad), member: shape})
            for member in ("attributedTo", "type", "id")
            for shape in shapes
        ),
        item(arena, good),
    ]
    lie(arena, items)
    neighbours.eventually(lambda: arena.found(good))
    kept = [name for name, _, _ in arena.found(bad).values()]
    # A listing told without a verb is told all the same; nothing foreign is ever kept.
    assert all(uri.startswith(arena.peer.url) for uri in arena.found(bad))
    assert set(kept) <= {bad}
    assert arena.tulip in arena.found("tulipe")
    assert problem(arena) is None


def test_a_digest_that_lies_costs_one_pass(arena: Arena, sequence: list[str]) -> None:
    """Everything is read again once; then the steward sees that they differ."""
    lie(arena, [], **{"echoppe:digest": "0" * 64, "echoppe:count": 99})

    def differs() -> bool:
        (one,) = [
            one
            for one in arena.town.run("neighbour", "list")
            if one["host"] == arena.peer.authority
        ]
        return one["digest_agrees"] is False

    neighbours.eventually(differs)
    arena.settle()


def test_a_string_deletes_as_well_as_an_object(arena: Arena) -> None:
    shop, note = arena.shop()
    lie(arena, [shop.activity("Delete", note["id"])])
    name = json.loads(json.dumps(note["sdo:offers"][0]["sdo:itemOffered"]["sdo:name"]))
    neighbours.eventually(lambda: arena.found(name) == {})
    serve_sequence(arena, [])
