"""What servers of other kinds send, in the shapes of their own (wire profile, sections 2, 3, 5 and
7b): each of them is understood, or left alone without harm."""

import time
import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from tests import neighbours
from tests.fediverse import people
from tests.fediverse.people import SHOP
from tests.hostile import stub
from tests.hostile.arena import Arena
from tests.hostile.stub import PUBLIC, Actor, Document

LD_JSON = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'


def followers(arena: Arena) -> int:
    return int(arena.get(f"/users/{SHOP}/followers")["totalItems"])


def follows(arena: Arena, actor: Actor, **how: Any) -> None:
    """A Follow of the shop, sent in its server's own way, is taken and accepted."""
    before = followers(arena)
    shape = how.pop("shape", {})
    asked = actor.activity("Follow", people.shop(arena))
    asked = {name: value for name, value in (asked | shape).items() if value is not None}
    assert arena.post(actor, asked, **how).status == 202
    people.wait(actor, "Accept", asked["id"])
    assert followers(arena) == before + 1


# --- signatures ----------------------------------------------------------------------------------


def test_gotosocial_has_its_key_at_a_path_that_answers_with_a_stub(arena: Arena) -> None:
    actor = arena.stranger.actor("Person")
    key_id = f"{actor.uri}/main-key"
    key = actor.document()["publicKey"] | {"id": key_id}
    actor.publish(publicKey=key)
    arena.stranger.serve(
        f"{actor.path}/main-key",
        {
            "@context": [stub.AS2, "https://w3id.org/security/v1"],
            "id": actor.uri,
            "type": "Person",
            "preferredUsername": actor.handle,
            "publicKey": key,
        },
    )
    follows(
        arena,
        actor,
        key_id=key_id,
        covered="(request-target) host date digest",
        parameters='algorithm="hs2019"',
        content_type=LD_JSON,
        # Single values are compacted, and an absent `cc` is no member.
        shape={"to": people.shop(arena), "@context": stub.AS2},
    )


def test_snac_signs_in_its_own_order_with_its_own_name_for_the_key(arena: Arena) -> None:
    actor = arena.stranger.actor("Person")
    follows(arena, actor, covered="(request-target) host digest date")


def test_honk_names_its_key_otherwise(arena: Arena) -> None:
    actor = arena.stranger.actor("Person")
    key_id = f"{actor.uri}#key"
    actor.publish(publicKey=[actor.document()["publicKey"] | {"id": key_id}])
    follows(arena, actor, key_id=key_id, covered="(request-target) date host content-type digest")


def test_created_stands_for_the_date(arena: Arena) -> None:
    created = int(datetime.now(UTC).timestamp())
    follows(
        arena,
        arena.stranger.actor("Person"),
        covered="(request-target) (created) host digest",
        parameters=f'algorithm="hs2019",created={created}',
    )


def test_a_query_may_be_left_out_of_what_is_signed(arena: Arena) -> None:
    actor = arena.stranger.actor("Person")
    asked = actor.activity("Follow", people.shop(arena))
    body = stub.encode(asked)
    headers = stub.cavage(actor.key, actor.key_id, arena.inbox, body)
    assert arena.send(headers, body, f"{arena.inbox}?from=relay").status == 202
    people.wait(actor, "Accept", asked["id"])


def test_a_key_that_was_changed_is_asked_for_again(arena: Arena) -> None:
    actor = arena.stranger.actor("Person")
    follows(arena, actor)
    other = arena.stranger.other_key
    actor.publish(key=other)
    people.say(arena, Actor(actor.stub, actor.handle, actor.kind, other), "Like", arena.tulip)


def test_every_request_of_ours_says_who_asks(arena: Arena) -> None:
    follows(arena, arena.stranger.actor("Person"))
    asked = [*arena.stranger.asked, *arena.peer.asked]
    assert {one.method for one in asked} == {"GET", "POST"}
    assert all(one.headers.get("user-agent", "").startswith("Echoppe/") for one in asked)


# --- shapes of values ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "shape",
    [
        {"@context": [stub.AS2, {"toot": "http://joinmastodon.org/ns#"}]},
        {"@context": {"@vocab": stub.AS2}},
        {"to": None},
        {"to": "as:Public"},
        {"to": None, "cc": [], "bto": None},
        {"type": ["Follow"]},
    ],
    ids=["context list", "context object", "no to", "to a string", "empty cc", "type a list"],
)
def test_values_of_any_shape_are_taken(arena: Arena, anne: Actor, shape: Document) -> None:
    follows(arena, anne, shape=shape)


def test_lists_where_one_value_is_expected_are_taken(arena: Arena, anne: Actor) -> None:
    follows(arena, anne, shape={"actor": [anne.uri], "object": [people.shop(arena)]})
    uri = people.listing(arena, "Glycine")["uri"]
    note = people.reply(
        anne,
        uri,
        "une seule question",
        attributedTo=[anne.uri],
        inReplyTo=[uri],
        to=people.shop(arena),
        tag={"type": "Mention", "href": people.shop(arena)},
    )
    del note["cc"]
    people.say(arena, anne, "Create", [note], to=people.shop(arena))
    (one,) = neighbours.eventually(lambda: people.enquiries(arena, anne))
    assert one["words"] == "une seule question"


# --- Flohmarkt -----------------------------------------------------------------------------------


def item(actor: Actor, name: str, **changed: Any) -> Document:
    """An item as Flohmarkt sends it, a Proposal in its attachments as of version 0.21."""
    uri = f"{actor.uri}/items/{uuid.uuid4()}"
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}Z"
    return {
        "id": uri,
        "type": "Note",
        "attributedTo": actor.uri,
        "inReplyTo": None,
        "published": now,
        "url": uri,
        "to": [PUBLIC],
        "cc": [f"{actor.uri}/followers"],
        "content": f"{name}<br>Wie neu",
        "contentMap": {"en": f"{name}<br>Wie neu"},
        "attachment": [
            {"type": "Document", "mediaType": "image/jpeg", "url": f"{uri}.jpg", "name": ""},
            {"type": "Proposal", "purpose": "offer", "name": name},
        ],
        "tag": [],
        "flohmarkt:data": {
            "price": "25",
            "currency": "EUR",
            "name": name,
            "description": "Wie neu",
            "original_id": str(uuid.uuid4()),
            "coordinates": {"lat": 44.84, "lng": -0.58},
        },
        **changed,
    }


def test_flohmarkt_s_item_and_its_update_under_the_create_s_id(arena: Arena) -> None:
    seller = arena.peer.actor("Person")
    name = f"velo {uuid.uuid4().hex}"
    note = item(seller, name)
    note["flohmarkt:data"]["price"] = "25 €"
    create = {**seller.activity("Create", note), "id": f"{note['id']}/activity"}
    assert arena.post(seller, create).status == 202
    neighbours.eventually(lambda: note["id"] in arena.found(name))
    assert arena.found(name)[note["id"]][1] == {"amount": "25.00", "currency": "EUR"}
    # Its seller has said nowhere where it is; the item does: at Bordeaux, not at Pessac.
    rings = arena.get(f"/api/v1/search?{urlencode({'q': name, 'near': 'Pessac'})}")["rings"]
    (ring,) = [ring for ring in rings if ring["results"]]
    assert ring["ring"] == "around"
    assert 4 < ring["results"][0]["distance_km"] < 7

    time.sleep(1)  # its Update is not dated, and two of a second are one
    changed = {**note, "flohmarkt:data": {**note["flohmarkt:data"], "price": "20"}}
    update = {**create, "type": "Update", "object": changed}
    assert arena.post(seller, update).status == 202
    neighbours.eventually(
        lambda: arena.found(name)[note["id"]][1] == {"amount": "20.00", "currency": "EUR"}
    )

    gone = {**seller.activity("Delete", {"id": note["id"], "type": "Tombstone"})}
    assert arena.post(seller, gone).status == 202
    neighbours.eventually(lambda: note["id"] not in arena.found(name))


def test_flohmarkt_reads_what_it_demands_from_a_listing_of_ours(arena: Arena) -> None:
    uri = arena.tulip
    note = arena.get(uri.removeprefix(arena.town.url))
    assert PUBLIC in note["to"]
    assert note.get("inReplyTo") is None
    assert all({"url", "name"} <= one.keys() for one in note["attachment"])
    data = note["flohmarkt:data"]
    assert {"price", "currency", "name", "description", "original_id"} <= data.keys()
    assert {type(data["coordinates"][axis]) for axis in ("lat", "lng")} == {float}
    assert note["published"]
    assert note["url"]
    assert isinstance(note["attributedTo"], str)
    shop = arena.get(f"/users/{SHOP}")
    assert isinstance(shop["publicKey"], dict)
    assert shop["preferredUsername"] == SHOP


def test_flohmarkt_s_node_follows_ours_at_the_root_inbox(arena: Arena) -> None:
    node = arena.stranger.actor("Application", "instance")
    instance = f"{arena.town.url}/users/instance"
    asked = node.activity("Follow", instance, id=f"{node.uri}#follows/42")
    assert arena.post(node, asked, arena.inbox).status == 202
    neighbours.eventually(
        lambda: (
            arena.stranger.authority in {one["host"] for one in arena.town.run("neighbour", "list")}
        )
    )
    arena.town.run("neighbour", "accept", arena.stranger.authority)
    accept = people.wait(node, "Accept", asked["id"])
    assert accept["actor"] == instance
    # Delivered where it dispatches it: at its root.
    posts = [one for one in arena.stranger.asked if one.method == "POST"]
    assert {one.path for one in posts if b'"Accept"' in one.body and b"follows/42" in one.body} == {
        "/inbox"
    }
    arena.town.run("neighbour", "remove", arena.stranger.authority)


def test_an_enquiry_s_answer_has_exactly_one_recipient(arena: Arena, anne: Actor) -> None:
    listing = people.listing(arena, "Fuchsias")
    people.tell(arena, anne, people.reply(anne, listing["uri"], "bonjour", people.shop(arena)))
    (one,) = neighbours.eventually(lambda: people.enquiries(arena, anne))
    arena.town.run("enquiry", "answer", one["id"], "Bonjour !")
    (create,) = neighbours.eventually(
        lambda: [one for one in people.told(anne, "Create") if anne.uri in one["to"]]
    )
    assert create["to"] == create["object"]["to"] == [anne.uri]
    assert "cc" not in create


# --- Lemmy, Mobilizon, Mitra ---------------------------------------------------------------------


def test_lemmy_s_community_can_follow_and_finds_what_it_demands(arena: Arena) -> None:
    person = arena.stranger.actor("Person")
    group = f"{arena.town.url}/users/bordeaux"
    people.follow(arena, person, group)
    told = people.listing(arena, "Bégonias", "--announce")
    # Of the object, as all want it; and of the activity, as FEP-1b12 has it.
    for about in (told["uri"], f"{told['uri']}/activity"):
        boost = people.wait(person, "Announce", about)
        assert isinstance(boost["to"], list)
        assert isinstance(boost["cc"], list)
        assert isinstance(boost["actor"], str)
    note = arena.get(told["uri"].removeprefix(arena.town.url))
    assert isinstance(note["to"], list)
    assert isinstance(note["cc"], list)
    assert group in note["cc"]
    assert {one["type"] for one in note["attachment"]} <= {"Image", "Document", "Link"}
    assert isinstance(note["attributedTo"], str)
    actor = arena.get("/users/bordeaux")
    assert actor["outbox"]
    assert actor["endpoints"]["sharedInbox"]


LEMMY: Document = {
    "type": "Page",
    "name": "À vendre",
    "attachment": [{"type": "Link", "href": "https://lemmy.example/x"}],
    "commentsEnabled": True,
    "source": {"content": "poison", "mediaType": "text/markdown"},
}
MOBILIZON: Document = {
    "type": "Event",
    "name": "poison",
    "startTime": "2030-06-21T18:00:00Z",
    "timezone": "Europe/Paris",
    "location": {"type": "Place", "latitude": 44.8, "longitude": -0.6},
    "joinMode": "free",
}
MITRA: Document = {
    "type": "Proposal",
    "purpose": "offer",
    "name": "poison",
    "publishes": {
        "type": "Intent",
        "action": "deliverService",
        "resourceQuantity": {"hasUnit": "second"},
    },
    "reciprocal": {
        "type": "Intent",
        "action": "transfer",
        "resourceConformsTo": "caip:19:monero:418015bb9ae982a1975da7d79277c270/slip44:128",
        "resourceQuantity": {"hasUnit": "one", "hasNumericalValue": "20000"},
    },
    "unitBased": True,
}


@pytest.mark.parametrize("shape", [LEMMY, MOBILIZON, MITRA], ids=["Lemmy", "Mobilizon", "Mitra"])
def test_what_is_no_listing_is_taken_and_not_shown(arena: Arena, shape: Document) -> None:
    shop, _ = arena.shop()
    note = {**shop.note("poison"), "sdo:offers": None, "content": "poison", **shape}
    with arena.unmoved():
        for kind in ("Create", "Update"):
            people.say(arena, shop, kind, note)
        people.say(arena, shop, "Announce", {"id": f"{shop.uri}#like", "type": "Like"})
        people.say(arena, shop, "Join", arena.tulip)


def test_a_proposal_s_terms_on_a_note_are_read_in_either_dialect(arena: Arena) -> None:
    """The currency by its URI (the FEP), or as a unit (Unfathomably); numbers either way."""
    shop, _ = arena.shop()
    for unit, conforms, number in (
        ("one", "https://www.wikidata.org/wiki/Q4916", "7.50"),
        ("EUR", None, 7.5),
    ):
        name = f"lampe {uuid.uuid4().hex}"
        intent = {
            "type": "Intent",
            "action": "vf:transfer",
            "resourceQuantity": {"hasUnit": unit, "hasNumericalValue": number},
        } | ({"resourceConformsTo": conforms} if conforms else {})
        note = {**shop.note(name), "purpose": "offer", "reciprocal": intent}
        del note["sdo:offers"]
        people.say(arena, shop, "Create", note)
        _, price, _ = neighbours.eventually(lambda n=name, i=note["id"]: arena.found(n).get(i))
        assert price == {"amount": "7.50", "currency": "EUR"}
