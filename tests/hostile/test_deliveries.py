"""Inboxes that do not behave, and everybody else's deliveries beside them."""

import json
import uuid

from tests import neighbours
from tests.hostile.arena import Arena


def told(arena: Arena, inbox: str, since: int = 0) -> list[str]:
    """Ids of the listings that an inbox of the stranger's was told of, after so many requests."""
    return [
        json.loads(asked.body)["object"]["id"]
        for asked in arena.stranger.asked[since:]
        if asked.method == "POST" and asked.path == inbox and b'"Create"' in asked.body
    ]


def is_idle(arena: Arena) -> bool:
    """Whether nothing is left to be told to anybody: the tests after count what is asked."""
    return not arena.town.run("deliveries", "list")["waiting"]


def test_an_inbox_that_always_fails_holds_up_no_other_of_its_host(arena: Arena) -> None:
    shop = f"{arena.town.url}/users/fleurs"
    broken, good = (
        arena.stranger.actor("Person", f"{name}{uuid.uuid4().hex[:6]}", endpoints=None)
        for name in ("aa", "bb")
    )
    arena.stranger.statuses[f"{broken.path}/inbox"] = 500
    for who in (broken, good):
        assert arena.post(who, who.activity("Follow", shop)).status == 202
    neighbours.eventually(lambda: arena.get("/users/fleurs/followers")["totalItems"] >= 2)
    for number in range(3):
        listing = arena.town.run(
            "listing", "add", "fleurs", "--name", f"Pivoine {number}", "--price", "3", "--announce"
        )
        neighbours.eventually(
            lambda told_of=listing["uri"]: told_of in told(arena, f"{good.path}/inbox")
        )
    neighbours.eventually(lambda: told(arena, f"{broken.path}/inbox"))
    # And once it works again, it hears what it missed; nothing is left for the tests after.
    failed = len(arena.stranger.asked)
    arena.stranger.statuses.clear()
    inbox = f"{broken.path}/inbox"
    neighbours.eventually(lambda: len(set(told(arena, inbox, failed))) == 3, within=120)
    neighbours.eventually(lambda: is_idle(arena), within=120)
    for who in (broken, good):
        undo = {"id": f"{who.uri}#follow", "type": "Follow", "actor": who.uri, "object": shop}
        assert arena.post(who, who.activity("Undo", undo)).status == 202


def test_an_inbox_that_is_gone_is_forgotten(arena: Arena) -> None:
    shop = f"{arena.town.url}/users/fleurs"
    gone = arena.stranger.actor("Person", f"cc{uuid.uuid4().hex[:6]}", endpoints=None)
    before = arena.get("/users/fleurs/followers")["totalItems"]
    assert arena.post(gone, gone.activity("Follow", shop)).status == 202
    neighbours.eventually(
        lambda: any(asked.path == f"{gone.path}/inbox" for asked in arena.stranger.asked)
    )
    arena.stranger.statuses[f"{gone.path}/inbox"] = 410
    asked = len(arena.stranger.asked)
    arena.town.run("listing", "add", "fleurs", "--name", "Iris", "--price", "3", "--announce")
    neighbours.eventually(lambda: told(arena, f"{gone.path}/inbox", asked))
    neighbours.eventually(lambda: arena.get("/users/fleurs/followers")["totalItems"] <= before)
    neighbours.eventually(lambda: is_idle(arena), within=120)
    arena.stranger.statuses.clear()
