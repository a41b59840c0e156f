"""First of all: what is good arrives. Otherwise nothing below would mean anything."""

from tests import neighbours
from tests.hostile.arena import Arena, neighbour


def test_a_good_listing_of_the_neighbour_is_found(arena: Arena) -> None:
    assert neighbour(arena, arena.peer.authority) == {
        "state": "neighbour", "following": "accepted", "follower": "accepted", "blocked": None
    }  # fmt: skip
    shop, note = arena.shop()
    assert arena.found("lampe")[note["id"]][1] == {"amount": "12.50", "currency": "EUR"}
    assert [asked.path for asked in arena.peer.asked].count(shop.path) == 1


def test_what_is_posted_inside_unmoved_and_is_good_is_noticed(arena: Arena) -> None:
    shop, _ = arena.shop()
    noticed = False
    try:
        with arena.unmoved():
            note = shop.note("lampe qui arrive")
            assert arena.post(shop, shop.activity("Create", note)).status == 202
    except AssertionError:
        noticed = True
    assert noticed
    assert neighbours.eventually(lambda: note["id"] in arena.found("lampe arrive"))
