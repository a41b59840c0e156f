"""What a steward does about others, seen from outside: hidden, back again, and never by a detour
(design: safety, ORG-20)."""

import json

from tests import neighbours
from tests.hostile import stub
from tests.hostile.arena import Arena, serve_sequence, soon


def status(arena: Arena, path: str) -> int:
    return stub.send(arena.town.authority, "GET", path, []).status


def test_org_20_a_suspended_neighbour_is_hidden_and_comes_back(arena: Arena) -> None:
    host = arena.peer.authority
    shop, note = arena.shop()
    name = note["sdo:offers"][0]["sdo:itemOffered"]["sdo:name"]
    handles = {one["handle"] for one in arena.get("/api/v1/shops")["shops"]}
    assert shop.handle in handles
    before = arena.state()
    serve_sequence(arena, [])
    said = arena.town.run("neighbour", "suspend", host, "--reason", "prix de l'an dernier")
    try:
        assert said["reason"] == "prix de l'an dernier"
        (listed,) = (one for one in arena.town.run("neighbour", "list") if one["host"] == host)
        assert listed["state"].startswith("suspended since")
        assert listed["reason"] == "prix de l'an dernier"
        neighbours.eventually(lambda: not arena.found(name))
        assert shop.handle not in {one["handle"] for one in arena.get("/api/v1/shops")["shops"]}
        soon(lambda: arena.post(shop, shop.activity("Create", shop.note("poison"))).status == 403)
        # What is hidden stays so when the index is made anew.
        arena.town.run("reindex")
        assert not arena.found(name)
        assert arena.found("tulipe")
    finally:
        arena.town.run("neighbour", "restore", host)
    neighbours.eventually(lambda: arena.found(name))
    soon(lambda: arena.post(shop, shop.activity("Like", note["id"])).status == 202)
    assert arena.state() == before
    assert arena.town.run("neighbour", "restore", host, status=1).startswith("echoppe: ")
    arena.hold()


def test_org_20_a_block_is_shown_with_its_reason_and_can_be_lifted(arena: Arena) -> None:
    said = arena.town.run("neighbour", "block", "*.Evil.example", "--reason", "faux prix")
    assert (said["host"], said["state"], said["reason"]) == ("evil.example", "blocked", "faux prix")
    try:
        assert said in arena.town.run("neighbour", "list")
        shop = arena.peer.actor()
        body = stub.encode(shop.activity("Create", shop.note("poison")))
        for host, answer in (("shop.evil.example", 403), ("evil.example", 403),
                             ("devil.example", 401)):  # fmt: skip
            told = body.replace(arena.peer.url.encode(), f"https://{host}".encode())
            key_id = f"https://{host}{shop.path}#main-key"
            soon(lambda a=answer, t=told, k=key_id: arena.post(shop, t, key_id=k).status == a)
        refused = arena.town.run("neighbour", "add", "https://shop.evil.example", status=1)
        assert refused.startswith("echoppe: ")
    finally:
        arena.town.run("neighbour", "restore", "evil.example")
    assert said not in arena.town.run("neighbour", "list")
    for odd in ("com", "*", "", "*.", "a b", arena.town.authority, "127.0.0.1:0"):
        assert arena.town.run("neighbour", "block", odd, status=1).startswith("echoppe: "), odd
    arena.hold()


def test_org_20_nothing_of_a_blocked_host_comes_by_a_detour(arena: Arena) -> None:
    """By redirect, in the neighbour's change sequence, as its key's owner, or with a proof."""
    blocked = stub.Stub()
    try:
        arena.town.run("neighbour", "block", blocked.authority, "--reason", "x")
        evil = blocked.actor()
        note = stub.proved(evil.note("poison"), blocked.object_key, f"{evil.uri}#ed25519-key")
        blocked.serve(note["id"].removeprefix(blocked.url), note)
        soon(lambda: arena.post(evil, evil.activity("Create", note)).status == 403)
        shop, _ = arena.shop()
        detour = f"{shop.path}/items/detour"
        arena.peer.redirect(detour, note["id"])
        key = {"id": f"{shop.uri}#autre", "owner": evil.uri, "publicKeyPem": stub.pem(blocked.key)}
        with arena.unmoved(fetches=4):
            for told in (note, {**note, "attributedTo": shop.uri}, arena.peer.url + detour,
                         {"type": "Create", "actor": evil.uri, "object": note}):  # fmt: skip
                for kind in ("Create", "Update", "Announce", "Add", "Move"):
                    assert arena.post(shop, shop.activity(kind, told)).status < 500
            shop.publish(publicKey=key)
            answer = arena.post(
                shop, shop.activity("Create", note), key=blocked.key, key_id=key["id"]
            )
            assert answer.status in (400, 401, 403)
        assert not blocked.asked
        assert json.dumps(arena.get("/api/v1/shops")).find(blocked.authority) == -1
    finally:
        shop.publish()
        arena.town.run("neighbour", "restore", blocked.authority)
        blocked.close()
