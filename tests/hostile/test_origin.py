"""Rightly signed, and not theirs to say: other people's objects, other people's servers (design:
safety, 1B)."""

from typing import Any

import pytest

from tests import neighbours
from tests.hostile import stub
from tests.hostile.arena import Arena, neighbour, reread, serve_sequence, soon
from tests.hostile.stub import Actor, Document


def test_org_01_an_object_of_another_server_is_not_taken_inline(arena: Arena) -> None:
    shop, _ = arena.shop()
    elsewhere = arena.stranger.actor()
    with arena.unmoved(fetches=1):
        for note in (
            shop.note("poison", id=f"{elsewhere.uri}/items/1"),
            shop.note("poison", id=f"{arena.town.url}/users/fleurs/items/1"),
            shop.note("poison", id=arena.tulip),
            shop.note("poison", id=f"https://{arena.peer.authority}{shop.path}/items/1"),
            shop.note("poison", id=None),
            shop.note("poison", id=""),
            shop.note("poison", id="items/1"),
        ):
            for kind in ("Create", "Update"):
                assert arena.post(shop, shop.activity(kind, note)).status < 500


def test_org_02_an_object_is_only_its_author_s_to_tell(arena: Arena) -> None:
    shop, _ = arena.shop()
    victim, known = arena.shop()
    elsewhere = arena.stranger.actor()
    with arena.unmoved(fetches=1):
        for author in (
            victim.uri,
            elsewhere.uri,
            f"{arena.town.url}/users/fleurs",
            [victim.uri, shop.uri],
            [{"id": victim.uri, "type": "Organization"}, shop.uri],
            {"id": victim.uri},
            None,
            [],
            7,
        ):
            for kind in ("Create", "Update"):
                told = shop.activity(kind, shop.note("poison", attributedTo=author))
                assert arena.post(shop, told).status < 500
        # The victim's own listing, taken over by another shop of the same node.
        taken = {**stub.later(known, "poison"), "attributedTo": shop.uri}
        for kind in ("Create", "Update"):
            assert arena.post(shop, shop.activity(kind, taken)).status < 500


def test_org_04_nobody_changes_or_deletes_another_s_listing(arena: Arena) -> None:
    victim, note = arena.shop()
    other, _ = arena.shop()
    thief = arena.stranger.actor()
    changed = stub.later(note, "poison")
    with arena.unmoved(fetches=3):
        for actor in (other, thief):
            for told in (changed, {**changed, "attributedTo": actor.uri}):
                assert arena.post(actor, actor.activity("Update", told)).status < 500
            for target in (note["id"], victim.uri, arena.tulip, f"{arena.town.url}/users/fleurs"):
                for told in (target, stub.tombstone(target), {"id": target}):
                    assert arena.post(actor, actor.activity("Delete", told)).status < 500
        # The own server of the shop may end what is its; not what is the stranger's, nor ours.
        assert arena.post(arena.node, arena.node.activity("Delete", arena.tulip)).status < 500


def test_org_04_a_stranger_cannot_bury_a_listing_before_it_comes(arena: Arena) -> None:
    """A Delete that arrives before its Create counts; not one by somebody else."""
    thief = arena.stranger.actor()
    shop = arena.peer.actor()
    note = shop.note("lampe annoncée")
    assert arena.post(thief, thief.activity("Delete", note["id"])).status < 500
    arena.settle()
    assert arena.post(shop, shop.activity("Create", note)).status == 202
    neighbours.eventually(lambda: note["id"] in arena.found("lampe annoncée"))


def test_org_06_nobody_undoes_or_answers_for_another(arena: Arena) -> None:
    fan, thief = arena.stranger.actor("Person"), arena.stranger.actor("Person")
    follow = fan.activity("Follow", f"{arena.town.url}/users/fleurs")
    before = arena.get("/users/fleurs/followers")["totalItems"]
    assert arena.post(fan, follow).status == 202
    neighbours.eventually(lambda: arena.get("/users/fleurs/followers")["totalItems"] == before + 1)
    state = neighbour(arena, arena.peer.authority)
    ours = {"id": arena.follow, "type": "Follow", "object": arena.node.uri}
    theirs = {
        "type": "Follow",
        "actor": arena.node.uri,
        "object": f"{arena.town.url}/users/instance",
    }
    shop, _ = arena.shop()
    with arena.unmoved(fetches=2):
        for actor in (thief, shop):
            for told in (
                actor.activity("Undo", follow),
                actor.activity("Undo", follow["id"]),
                actor.activity("Undo", {**follow, "actor": actor.uri}),
                actor.activity("Reject", ours),
                actor.activity("Reject", arena.follow),
                actor.activity("Reject", None),
                actor.activity("Undo", theirs),
            ):
                assert arena.post(actor, told).status < 500
    assert neighbour(arena, arena.peer.authority) == state


def test_org_07_a_redirect_to_another_server_does_not_speak_for_the_first(arena: Arena) -> None:
    shop, _ = arena.shop()
    note = shop.note("poison")
    path = note["id"].removeprefix(arena.peer.url)
    arena.peer.redirect(path, arena.stranger.serve("/copie", note))
    ghost = Actor(arena.peer, "redirige", "Organization", arena.peer.key)
    arena.peer.redirect(ghost.path, arena.stranger.serve("/faux", ghost.document()))
    with arena.unmoved(fetches=4):
        assert arena.post(shop, shop.activity("Create", note["id"])).status < 500
        told = ghost.activity("Create", ghost.note("poison"))
        assert arena.post(ghost, told).status in (400, 401, 403)


def test_org_08_a_document_stands_where_its_id_says(arena: Arena) -> None:
    shop, _ = arena.shop()
    good = shop.note("lampe sous un autre nom")
    arena.peer.serve(good["id"].removeprefix(arena.peer.url), good)
    alias = arena.peer.serve(f"{shop.path}/alias", good)
    assert arena.post(shop, shop.activity("Create", alias)).status == 202
    neighbours.eventually(lambda: good["id"] in arena.found("lampe autre nom"))
    bad = shop.note("poison")
    missing = arena.peer.serve(f"{shop.path}/a", bad)
    turning = shop.note("poison")
    arena.peer.serve(turning["id"].removeprefix(arena.peer.url), {**turning, "id": bad["id"]})
    other = arena.peer.serve(f"{shop.path}/b", turning)
    foreign = arena.peer.serve(f"{shop.path}/c", {**bad, "id": f"{arena.stranger.url}/x"})
    with arena.unmoved(fetches=6):
        for told in (missing, other, foreign):
            assert arena.post(shop, shop.activity("Create", told)).status < 500


TYPES = (
    "text/html",
    "text/plain",
    "application/json",
    "image/png",
    "application/ld+json",
    'application/ld+json; profile="https://evil.example/ns"',
    "application/activity+json; charset=utf-16",
    "",
)


@pytest.mark.parametrize("content_type", TYPES)
def test_org_09_a_document_is_only_what_its_type_says(arena: Arena, content_type: str) -> None:
    shop, _ = arena.shop()
    note = shop.note("poison")
    path = note["id"].removeprefix(arena.peer.url)
    arena.peer.serve(path, note, content_type=content_type)
    ghost = Actor(arena.peer, f"type{TYPES.index(content_type)}", "Organization", arena.peer.key)
    arena.peer.serve(ghost.path, ghost.document(), content_type=content_type)
    with arena.unmoved(fetches=2):
        assert arena.post(shop, shop.activity("Create", note["id"])).status < 500
        told = ghost.activity("Create", ghost.note("poison"))
        assert arena.post(ghost, told).status in (400, 401, 403, 415)
    # The same, rightly labelled, is taken: it was the label.
    arena.peer.serve(path, {**note, "sdo:offers": shop.note("lampe étiquetée")["sdo:offers"]})
    assert arena.post(shop, shop.activity("Create", note["id"])).status == 202
    neighbours.eventually(lambda: note["id"] in arena.found("lampe étiquetée"))


def test_org_09_an_activity_is_only_taken_as_one(arena: Arena) -> None:
    shop, _ = arena.shop()
    body = stub.encode(shop.activity("Create", shop.note("poison")))
    with arena.unmoved():
        for content_type in (*TYPES, None, "multipart/form-data; boundary=x"):
            covered = "(request-target) host date digest"
            answer = arena.post(shop, body, covered=covered, content_type=content_type)
            assert answer.status == 415, content_type


def test_org_15_16_deliveries_go_to_the_actor_s_own_server(arena: Arena) -> None:
    """Nobody may point our deliveries at a third party, by inbox or by shared inbox."""
    canary = f"http://127.0.0.1:{arena.canary.port}"
    foreign = arena.stranger.actor("Person", inbox=f"{canary}/inbox")
    victim = arena.stranger.actor("Person", inbox=f"{arena.peer.url}/login")
    none = arena.stranger.actor("Person", inbox=None)
    own = arena.stranger.actor("Person", endpoints={"sharedInbox": f"{arena.peer.url}/login"})
    fleurs = f"{arena.town.url}/users/fleurs"
    with arena.unmoved(fetches=6):
        for actor in (foreign, victim, none):
            assert arena.post(actor, actor.activity("Follow", fleurs)).status < 500
    assert arena.post(own, own.activity("Follow", fleurs)).status == 202

    def delivered(path: str) -> bool:
        return any((a.method, a.path) == ("POST", path) for a in arena.stranger.asked)

    neighbours.eventually(lambda: delivered(f"{own.path}/inbox"))
    arena.town.run("listing", "add", "fleurs", "--name=Rose", "--price=3", "--announce")
    neighbours.eventually(
        lambda: any(
            b"Rose" in a.body for a in arena.stranger.asked if a.path == f"{own.path}/inbox"
        )
    )
    neighbours.eventually(lambda: any(b"Rose" in asked.body for asked in arena.peer.asked))
    assert not [asked for asked in arena.peer.asked if asked.path == "/login"]
    arena.hold()


def strange_ids(shop: Actor) -> list[str]:
    host = shop.stub.authority
    return [
        f"http://user@{host}{shop.path}",
        f"http://user:secret@{host}{shop.path}",
        f"http://{host}/users/../users/{shop.handle}",
        f"http://{host}/users/%2e%2e/users/{shop.handle}",
        f"http://{host}\\users\\{shop.handle}",
        f"http://{host}/users/{shop.handle}\t",
        f"http://{host}/users/{shop.handle}\n",
        f" http://{host}/users/{shop.handle}",
        f"http://{host}/users/{shop.handle}\u200b",
        f"http://{host}@{shop.stub.authority}/users/{shop.handle}",
        f"{shop.uri}%00",
        f"{shop.uri}%0d%0aX-Evil:%201",
        f"{shop.uri}%zz",
        f"http:{host}{shop.path}",
        f"HTTP://{host}:99999{shop.path}",
        f"http://{host}#{shop.path}",
        "http://",
        "http:///users/x",
        "about:blank",
        "x" * 5000,
    ]


def test_org_18_ids_that_can_be_read_in_two_ways(arena: Arena) -> None:
    shop, _ = arena.shop()
    with arena.unmoved():
        for odd in strange_ids(shop):
            as_actor = shop.activity("Create", shop.note("poison"), actor=odd)
            assert 400 <= arena.post(shop, as_actor).status < 500, odd
            as_id = shop.activity("Create", shop.note("poison"), id=odd)
            if "#" not in odd:
                assert 400 <= arena.post(shop, as_id).status < 500, odd
            for told in (shop.note("poison", id=odd), odd):
                assert arena.post(shop, shop.activity("Create", told)).status < 500


def test_org_20_a_blocked_server_is_neither_heard_nor_asked(arena: Arena) -> None:
    blocked = stub.Stub()
    try:
        arena.town.run("neighbour", "block", blocked.authority)
        shop = blocked.actor()
        told = shop.activity("Create", shop.note("poison"))
        friend, _ = arena.shop()
        # A command's block is noticed a moment later; until then the guard stands anyway.
        soon(lambda: arena.post(shop, told).status == 403)
        with arena.unmoved():
            assert arena.post(shop, told).status == 403
            # Nor brought along by a neighbour.
            for kind in ("Announce", "Create", "Add"):
                assert arena.post(friend, friend.activity(kind, told["object"])).status < 500
                assert arena.post(friend, friend.activity(kind, told["object"]["id"])).status < 500
        assert not blocked.asked
    finally:
        blocked.close()


def test_org_22_an_accept_of_nothing_makes_no_neighbour(arena: Arena) -> None:
    node = arena.stranger.actor("Application", "instance")
    shop = arena.stranger.actor()
    with arena.unmoved(fetches=2):
        for told in (
            {"id": arena.follow, "type": "Follow", "actor": f"{arena.town.url}/users/instance"},
            {"id": f"{arena.town.url}/users/instance#follows/1", "type": "Follow"},
            None,
            arena.follow,
        ):
            assert arena.post(node, node.activity("Accept", told)).status < 500
        assert arena.post(shop, shop.activity("Create", shop.note("poison"))).status < 500
    assert neighbour(arena, arena.stranger.authority) is None


def test_org_22_who_asks_to_be_a_neighbour_waits_for_a_steward(arena: Arena) -> None:
    node = arena.stranger.actor("Application", "instance2")
    shop = arena.stranger.actor()
    with arena.unmoved(fetches=2):
        follow = node.activity("Follow", f"{arena.town.url}/users/instance")
        assert arena.post(node, follow).status == 202
        assert arena.post(node, node.activity("Accept", follow)).status < 500
        assert arena.post(shop, shop.activity("Create", shop.note("poison"))).status < 500
    found = neighbour(arena, arena.stranger.authority)
    assert found is not None
    assert (found["following"], found["follower"]) == (None, "requested")


def test_org_22_only_a_node_becomes_a_neighbour(arena: Arena) -> None:
    person = arena.stranger.actor("Person")
    with arena.unmoved(fetches=2):  # its actor; and it may be told that it was rejected
        follow = person.activity("Follow", f"{arena.town.url}/users/instance")
        assert arena.post(person, follow).status < 500
    assert not any(
        told["object"]["id"] == follow["id"] for told in arena.stranger.deliveries("Accept")
    )


def item(kind: str, told: Any) -> Document:
    """An item of the change sequence."""
    return {"type": kind, "object": told}


def test_org_26_a_change_sequence_tells_only_of_its_own_server(arena: Arena) -> None:
    victim = arena.stranger.actor()
    shop, note = arena.shop()
    good = shop.note("lampe relue")
    serve_sequence(
        arena,
        [
            item("Update", victim.note("poison")),
            item("Update", shop.note("poison", attributedTo=victim.uri)),
            item("Update", victim.note("poison", attributedTo=shop.uri)),
            item("Delete", stub.tombstone(arena.tulip)),
            item("Update", {**victim.document(), "name": "poison"}),
            item("Update", shop.note("poison", type="Article")),
            item("Update", shop.note("poison", attributedTo=f"{shop.uri}x")),
            item("Update", 7),
            item("Update", good),
            item("Create", []),
        ],
    )
    asked = arena.asked()
    reread(arena)
    neighbours.eventually(lambda: good["id"] in arena.found("lampe relue"))
    assert not arena.found("poison")
    assert arena.tulip in arena.found("tulipe")
    assert note["id"] in arena.found("lampe")
    assert not [one for one in arena.stranger.asked if one.path == victim.path]
    assert arena.asked() - asked <= 12
    arena.hold()


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"next": "{stranger}/page"}, id="foreign_next"),
        pytest.param({"next": "{page}"}, id="standing_still"),
        pytest.param({"id": "{stranger}/page"}, id="foreign_id"),
        pytest.param({"next": "http://127.0.0.1:{canary}/page"}, id="canary_next"),
    ],
)
def test_org_26_a_change_sequence_leads_nowhere_else(arena: Arena, changed: Document) -> None:
    shop = arena.peer.actor()
    stranger = arena.stranger
    names = {
        "stranger": stranger.url,
        "page": f"{arena.node.uri}/outbox?since=0",
        "canary": arena.canary.port,
    }
    page = stranger.serve("/page", {"type": "OrderedCollectionPage", "orderedItems": []})
    serve_sequence(arena, [], **{key: value.format(**names) for key, value in changed.items()})
    asked = arena.asked()
    with arena.unmoved(fetches=5):
        reread(arena)
        neighbours.eventually(
            lambda: any(one["problem"] for one in arena.town.run("neighbour", "list"))
        )
    assert arena.asked() - asked <= 5
    assert not [one for one in stranger.asked if one.path == page.removeprefix(stranger.url)]
    # And once it is well again, it is read on.
    good = shop.note("lampe guérie")
    serve_sequence(arena, [item("Update", good)])
    reread(arena)
    neighbours.eventually(lambda: good["id"] in arena.found("lampe guérie"))
    serve_sequence(arena, [])


def test_org_27_a_forwarded_activity_is_not_taken_from_the_forwarder(arena: Arena) -> None:
    author = arena.stranger.actor()
    told = author.activity("Create", author.note("poison"))
    with arena.unmoved(fetches=1):
        assert arena.post(arena.node, told).status in (401, 403)
        for kind in ("Announce", "Create"):
            assert arena.post(arena.node, arena.node.activity(kind, told)).status < 500
            assert arena.post(arena.node, arena.node.activity(kind, told["object"])).status < 500
            assert arena.post(arena.node, arena.node.activity(kind, told["id"])).status < 500


def test_a_stranger_is_not_heard_and_its_things_not_fetched(arena: Arena) -> None:
    shop = arena.stranger.actor()
    note = shop.note("poison")
    arena.stranger.serve(note["id"].removeprefix(arena.stranger.url), note)
    with arena.unmoved(fetches=1):
        for told in (note, note["id"]):
            assert arena.post(shop, shop.activity("Create", told)).status < 500
        assert arena.post(shop, shop.activity("Update", shop.document())).status < 500


def test_org_19_an_actor_keeps_its_kind_and_its_server(arena: Arena) -> None:
    shop, _ = arena.shop()
    away = f"{arena.stranger.url}/inbox"
    with arena.unmoved():
        for changed in (
            {"type": "Person"},
            {"type": "Application", "name": "poison"},
            {"type": ["Person", "Organization"], "name": "poison"},
            {"id": f"{arena.stranger.url}{shop.path}", "name": "poison"},
            {"id": arena.node.uri, "type": "Application"},
        ):
            told = shop.activity("Update", {**shop.document(), **changed})
            assert arena.post(shop, told).status < 500
    # Its inbox may change, but not to another server: then it has none any more.
    moved = {**shop.document(), "inbox": away, "endpoints": {"sharedInbox": away}}
    asked = len(arena.stranger.asked)
    assert arena.post(shop, shop.activity("Update", moved)).status == 202
    arena.settle()
    fleurs = f"{arena.town.url}/users/fleurs"
    assert arena.post(shop, shop.activity("Follow", fleurs)).status == 202
    arena.settle()
    assert len(arena.stranger.asked) == asked
    assert arena.post(shop, shop.activity("Update", shop.document())).status == 202
    arena.settle()
    arena.hold()


def test_org_23_there_is_nothing_for_a_stranger_to_find_out(arena: Arena) -> None:
    """All that is published is public; who follows is nobody's business, signed or not."""
    person = arena.stranger.actor("Person")
    assert (
        arena.post(person, person.activity("Follow", f"{arena.town.url}/users/fleurs")).status
        == 202
    )
    arena.settle()
    for path in ("/users/fleurs/followers", "/users/fleurs/following", "/users/instance/followers"):
        for query in ("", "?page=1", "?page=true"):
            told = arena.get(path + query)
            assert set(told) == {"@context", "id", "type", "totalItems"}, path
    for path in ("/users/fleurs/inbox", "/inbox", "/users/fleurs/followers/1",
                 f"/users/fleurs/items/{'0' * 8}-0000-0000-0000-{'0' * 12}"):  # fmt: skip
        assert stub.send(arena.town.authority, "GET", path, []).status in (404, 405)
    follow = person.activity("Follow", f"{arena.town.url}/users/fleurs")
    assert arena.post(person, person.activity("Undo", follow)).status == 202
    arena.settle()


def test_org_25_a_move_that_one_end_confirms_moves_nobody(arena: Arena) -> None:
    """Both ends are asked, of a neighbour's shop alone; tests/fediverse has what is confirmed."""
    shop, note = arena.shop()
    other = arena.stranger.actor(alsoKnownAs=[shop.uri])
    with arena.unmoved(fetches=5):
        for actor in (shop, other):
            for target in (other.uri, shop.uri, f"{arena.town.url}/users/fleurs"):
                told = actor.activity("Move", actor.uri, target=target)
                assert arena.post(actor, told).status < 500
                told = actor.activity("Move", note["id"], target=target, origin=shop.uri)
                assert arena.post(actor, told).status < 500


def test_org_29_a_merchant_writes_text_and_no_keys(arena: Arena) -> None:
    """Whatever a merchant writes stays a string inside the document."""
    evil = '","publicKey":{"id":"x"},"assertionMethod":[],"inbox":"http://evil.example/","a":"'
    own = arena.town.run(
        "listing",
        "add",
        "fleurs",
        "--name",
        f"Tulipe {evil}",
        "--price",
        "1",
        "--description",
        evil,
    )
    note = arena.get(own["uri"].removeprefix(arena.town.url))
    assert {"publicKey", "assertionMethod", "inbox", "a"}.isdisjoint(note)
    assert note["sdo:offers"][0]["sdo:itemOffered"]["sdo:name"] == f"Tulipe {evil}"
    arena.town.run("shop", "add", "ruse", "--name", f"Ruse {evil}", "--commune", "Bordeaux")
    actor = arena.get("/users/ruse")
    assert actor["publicKey"]["id"] == f"{arena.town.url}/users/ruse#main-key"
    assert actor["inbox"] == f"{arena.town.url}/users/ruse/inbox"
    arena.town.run("listing", "withdraw", own["id"])
    arena.town.run("shop", "close", "ruse")


def test_org_11_12_a_file_is_never_a_document(arena: Arena) -> None:
    """Whatever is served as a file has a file's type, however it is asked for."""
    for path in ("/static/site.css", "/media/x", "/media/x.json", "/static/x.json"):
        for accept in (stub.ACTIVITY_JSON, "application/ld+json", "text/html", "*/*"):
            reply = stub.send(arena.town.authority, "GET", path, [("Accept", accept)])
            kind = reply.headers["content-type"]
            assert reply.headers["x-content-type-options"] == "nosniff"
            assert "default-src 'none'" in reply.headers["content-security-policy"]
            assert reply.status == 404 or kind.startswith(("text/css", "image/")), (path, kind)
            assert "activity+json" not in kind
            assert "ld+json" not in kind
