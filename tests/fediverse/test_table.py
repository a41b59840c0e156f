"""The table of activities (wire profile 8.4), a test for each cell that is not held elsewhere."""

import contextlib
import sqlite3
import uuid

from node import leaks
from node.store import database
from tests import neighbours
from tests.fediverse import people
from tests.fediverse.people import SHOP
from tests.hostile import stub
from tests.hostile.arena import Arena
from tests.hostile.stub import Actor, Document
from tests.sealing import merchant


def in_file(arena: Arena, words: str) -> bool:
    """Whether words stand anywhere in the node's file."""
    with contextlib.closing(sqlite3.connect(arena.town.folder / "node.db", timeout=30)) as db:
        # Not while somebody reads: then old pages would be left in the log.
        neighbours.eventually(
            lambda: db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        )
    files = arena.town.folder.glob("node.db*")
    return any(words.encode() in file.read_bytes() for file in files)


# --- followers and the commune -------------------------------------------------------------------


def test_the_commune_passes_on_what_is_flagged_and_nothing_else(arena: Arena, anne: Actor) -> None:
    group = f"{arena.town.url}/users/bordeaux"
    people.follow(arena, anne, group)
    quiet = people.listing(arena, "Terreau")
    told = people.listing(arena, "Pivoines", "--announce")
    boost = people.wait(anne, "Announce", told["uri"])
    forum = people.wait(anne, "Announce", f"{told['uri']}/activity")
    assert boost["actor"] == forum["actor"] == group
    assert boost["id"] != forum["id"]
    assert stub.PUBLIC in boost["to"]
    assert not people.told(anne, "Announce", quiet["uri"])

    # A change is no second boost; whoever saw the first hears of the end.
    arena.town.run("listing", "revise", told["id"], "--description", "Doubles")
    people.wait(anne, "Update", told["uri"])
    arena.town.run("listing", "withdraw", told["id"])
    people.wait(anne, "Delete", told["uri"])
    assert len(people.told(anne, "Announce", told["uri"])) == 1


def test_a_price_alone_is_not_told_to_followers_at_once(arena: Arena, anne: Actor) -> None:
    people.follow(arena, anne, people.shop(arena))
    told = people.listing(arena, "Dahlias", "--announce")
    create = people.wait(anne, "Create", told["uri"])
    text = create["object"]["content"]
    assert text.index("Dahlias") < text.index("4,20") < text.index(told["url"])
    for price in ("4.10", "4.00", "3.90"):
        arena.town.run("listing", "revise", told["id"], "--price", price)
    after = people.listing(arena, "Zinnias", "--announce")
    people.wait(anne, "Create", after["uri"])
    assert not people.told(anne, "Update", told["uri"])


def test_a_block_ends_following_and_is_counted(arena: Arena, anne: Actor) -> None:
    people.follow(arena, anne, people.shop(arena))
    people.say(arena, anne, "Block", people.shop(arena))

    def blocks() -> bool:
        with contextlib.closing(sqlite3.connect(arena.town.folder / "node.db")) as db:
            both = "SELECT count(*) FROM followers WHERE uri = ?", (anne.uri,)
            counted = (
                "SELECT count(*) FROM reactions WHERE kind = 'Block' AND actor = ?",
                (anne.uri,),
            )
            return (db.execute(*both).fetchone()[0], db.execute(*counted).fetchone()[0]) == (0, 1)

    neighbours.eventually(blocks)


# --- what people do with a listing ---------------------------------------------------------------


def test_likes_and_shares_are_counted_once_and_taken_back(arena: Arena, anne: Actor) -> None:
    uri = people.listing(arena, "Lavande")["uri"]
    like = people.say(arena, anne, "Like", uri)
    people.say(arena, anne, "Like", {"id": uri})
    share = people.say(arena, anne, "Announce", [uri])
    neighbours.eventually(lambda: people.count(arena, uri, "shares") == 1)
    assert people.count(arena, uri, "likes") == 1
    people.say(arena, anne, "Undo", {**like, "id": f"{anne.uri}#other"})
    people.say(arena, anne, "Undo", share["id"])
    neighbours.eventually(lambda: people.count(arena, uri, "shares") == 0)
    assert people.count(arena, uri, "likes") == 0


def test_nobody_takes_back_what_another_did(arena: Arena, anne: Actor) -> None:
    uri = people.listing(arena, "Thym")["uri"]
    bea = arena.stranger.actor("Person")
    like = people.say(arena, anne, "Like", uri)
    neighbours.eventually(lambda: people.count(arena, uri, "likes") == 1)
    people.say(arena, bea, "Undo", like)
    people.say(arena, bea, "Undo", like["id"])
    people.say(arena, bea, "Like", uri)
    neighbours.eventually(lambda: people.count(arena, uri, "likes") == 2)


def test_a_public_reply_is_counted_and_linked_and_its_words_are_not_kept(
    arena: Arena, anne: Actor
) -> None:
    uri = people.listing(arena, "Romarin")["uri"]
    note = people.reply(anne, uri, "quelle merveille publique")
    people.tell(arena, anne, note)
    neighbours.eventually(lambda: people.count(arena, uri, "replies") == 1)
    path = uri.removeprefix(arena.town.url)
    assert arena.get(f"{path}/replies")["items"] == [note["id"]]
    assert not in_file(arena, "quelle merveille publique")
    assert not people.enquiries(arena, anne)
    people.say(arena, anne, "Delete", stub.tombstone(note["id"]))
    neighbours.eventually(lambda: people.count(arena, uri, "replies") == 0)


def test_a_private_reply_is_the_shop_s_alone_and_its_answer_is_one_person_s(
    arena: Arena, anne: Actor
) -> None:
    listing = people.listing(arena, "Muguet")
    bea = arena.stranger.actor("Person")
    people.follow(arena, bea, people.shop(arena))
    # Longer than a page of the file: what stands on pages of its own must go, too.
    end = uuid.uuid4().hex
    words = f"avez-vous encore {'du muguet ' * 440}{end}"
    note = people.reply(anne, listing["uri"], words, people.shop(arena))
    people.tell(arena, anne, note)
    (one,) = neighbours.eventually(lambda: people.enquiries(arena, anne))
    assert (one["words"], one["actor"], one["listing"]) == (words, anne.uri, listing["id"])
    # Counted nowhere, found nowhere, and in no log.
    assert people.count(arena, listing["uri"], "replies") == 0
    assert not arena.found(end)
    assert end not in arena.town.log()

    arena.town.run("enquiry", "answer", one["id"], "Oui, <vingt> brins.")
    answers = neighbours.eventually(
        lambda: [a for a in people.told(anne, "Create") if a["to"] == [anne.uri]]
    )
    answer = answers[0]["object"]
    assert answer["inReplyTo"] == note["id"]
    assert (answer["to"], answer["cc"]) == ([anne.uri], [])
    assert "Oui, &lt;vingt&gt; brins." in answer["content"]
    assert [tag["href"] for tag in answer["tag"]] == [anne.uri]
    # Anybody else finds nothing at its address.
    path = answer["id"].removeprefix(arena.town.url)
    assert stub.send(arena.town.authority, "GET", path, []).status == 404

    # The conversation goes on from the answer, and a change replaces what was said.
    more = people.reply(anne, answer["id"], "parfait", people.shop(arena))
    people.tell(arena, anne, more)
    neighbours.eventually(lambda: len(people.enquiries(arena, anne)) == 2)
    people.say(arena, anne, "Update", {**more, "content": "<p>merci</p>"})
    neighbours.eventually(lambda: "merci" in {e["words"] for e in people.enquiries(arena, anne)})

    # Who asked can take it back: not one word of it is left in the file.
    people.say(arena, anne, "Delete", note["id"])
    people.say(arena, anne, "Delete", more["id"])
    neighbours.eventually(lambda: not people.enquiries(arena, anne))
    assert not in_file(arena, end)


def test_a_private_reply_to_a_shop_with_a_key_is_found_in_nothing_the_node_wrote(
    arena: Arena, anne: Actor
) -> None:
    """An enquiry from the fediverse, answered, and the answer delivered: PRV, issue 9 point 6."""
    arena.town.run("shop", "add", "scellee", "--name", "La Scellée", "--commune", "Bordeaux")
    listing = arena.town.run("listing", "add", "scellee", "--name", "Iris", "--price", "4.20")
    shop = f"{arena.town.url}/users/scellee"
    merchant.put_keys(arena.town, "scellee")

    def planted(word: str) -> bool:
        log = arena.town.folder.parent / f"{arena.town.folder.name}.log"
        found, _, _ = leaks.search([arena.town.folder, log], [word])
        return bool(found)

    people.tell(arena, anne, people.reply(anne, listing["uri"], "Pour Mme Motcanari", shop))

    def enquiries() -> list[Document]:
        return list(arena.town.run("enquiry", "list", "scellee"))

    (one,) = neighbours.eventually(enquiries)
    assert one["words"] is None
    assert one["from"].startswith("@")
    arena.town.run("enquiry", "answer", one["id"], "Oui, pour Mme Motserin.")

    def told() -> bool:
        return any("Motserin" in str(one) for one in people.told(anne, "Create"))

    neighbours.eventually(told)
    assert enquiries()[0]["answers"] == [None]
    neighbours.eventually(lambda: not planted("Motserin"))
    assert not planted("Motcanari")
    # The command says so, and says of one that lies open that it does.
    look = ("check", "--sealed", "Motcanari", "Motserin")
    said = neighbours.echoppe(*look, folder=arena.town.folder).stdout
    assert "0 enquiry or enquiries not sealed that could be." in said
    with database.transaction(arena.town.folder) as db:
        db.execute("UPDATE enquiries SET sealed = NULL, words = 'x' WHERE id = ?", (one["id"],))
    said = neighbours.echoppe(*look, folder=arena.town.folder, status=1).stdout
    assert f"NOT SEALED: the enquiry {one['id']}" in said
    with database.transaction(arena.town.folder) as db:
        db.execute("DELETE FROM enquiries WHERE id = ?", (one["id"],))
    # Beside a shop without a key, the same search finds it.
    people.tell(
        arena,
        anne,
        people.reply(anne, people.listing(arena, "Lis")["uri"], "Motclair", people.shop(arena)),
    )
    neighbours.eventually(lambda: people.enquiries(arena, anne))
    assert planted("Motclair")


def test_private_words_for_others_are_not_the_shop_s(arena: Arena, anne: Actor) -> None:
    uri = people.listing(arena, "Anémones")["uri"]
    for recipients in ([f"{anne.uri}/followers"], [anne.uri]):
        people.tell(arena, anne, people.reply(anne, uri, "entre nous", *recipients))
    people.say(arena, anne, "Like", uri)
    neighbours.eventually(lambda: people.count(arena, uri, "likes") == 1)
    assert not people.enquiries(arena, anne)
    assert not in_file(arena, "entre nous")


def test_an_offer_of_fep_0837_is_answered_with_the_address_of_the_page(
    arena: Arena, anne: Actor
) -> None:
    listing = people.listing(arena, "Tournesols")
    agreement = {
        "type": "Agreement",
        "stipulates": {
            "type": "Commitment",
            "satisfies": f"{listing['uri']}#primary",
            "resourceQuantity": {"hasUnit": "one", "hasNumericalValue": "1"},
        },
    }
    offer = people.say(arena, anne, "Offer", agreement, to=[people.shop(arena)])
    reject = people.wait(anne, "Reject", offer["id"])
    assert reject["actor"] == people.shop(arena)
    assert reject["to"] == [anne.uri]
    assert reject["url"] == listing["url"]
    assert listing["url"] in reject["content"]


# --- news and events -----------------------------------------------------------------------------


def test_who_follows_the_commune_hears_of_events_and_a_join_is_ignored(
    arena: Arena, anne: Actor
) -> None:
    group = f"{arena.town.url}/users/bordeaux"
    people.follow(arena, anne, group)
    event = arena.town.run("event", "add", "--title", "Bal", "--start", "2027-06-05 20:00")
    found = people.wait(anne, "Create", event["uri"])["object"]
    assert found["type"] == "Event"
    assert found["summary"].startswith("samedi 5\u00a0juin 2027")
    assert found["to"] == [stub.PUBLIC]
    join = people.say(arena, anne, "Join", event["uri"], to=[group])
    ignore = people.wait(anne, "Ignore", join["id"])
    assert (ignore["actor"], ignore["to"]) == (group, [anne.uri])
    shop = arena.town.run(
        "event", "add", "--shop", "fleurs", "--title", "Atelier", "--start", "2027-06-06 20:00",
    )  # fmt: skip
    assert people.wait(anne, "Announce", shop["uri"])["actor"] == group
    arena.town.run("event", "withdraw", shop["id"])
    assert people.wait(anne, "Delete", shop["uri"])["object"]["type"] == "Tombstone"
    quiet = arena.town.run("news", "add", "--title", "Discret", "--text", "x", "--quiet")
    last = arena.town.run("news", "add", "--title", "Dernier", "--text", "x")
    people.wait(anne, "Create", last["uri"])
    assert not people.told(anne, "Create", quiet["uri"])


# --- moderation ----------------------------------------------------------------------------------


def test_a_flag_waits_for_the_steward_and_one_of_ours_is_the_node_s(
    arena: Arena, anne: Actor
) -> None:
    uri = people.listing(arena, "Orties")["uri"]
    people.say(arena, anne, "Flag", [uri, people.shop(arena)], content="Ça <b>pique</b>.")
    (report,) = neighbours.eventually(lambda: people.reports(arena, anne))
    assert report["objects"] == [uri, people.shop(arena)]
    assert report["words"] == "Ça pique."
    arena.town.run("report", "close", report["id"])
    assert not people.reports(arena, anne)

    # What is nobody's of ours is not the steward's to look into.
    _, theirs = arena.shop()
    people.say(arena, anne, "Flag", [theirs["id"], anne.uri], content="Ailleurs")
    people.say(arena, anne, "Flag", [uri], content="Ici")
    neighbours.eventually(lambda: people.reports(arena, anne))
    assert [one["words"] for one in people.reports(arena, anne)] == ["Ici"]

    _, note = arena.shop()
    arena.town.run("report", "send", note["id"], "--reason", "prix faux")
    flag = people.wait(arena.node, "Flag", note["id"])
    assert flag["actor"] == f"{arena.town.url}/users/instance"
    assert flag["to"] == [arena.node.uri]
    assert flag["content"] == "prix faux"


# --- pins ----------------------------------------------------------------------------------------


def test_a_pin_is_told_and_taken_away(arena: Arena, anne: Actor) -> None:
    people.follow(arena, anne, people.shop(arena))
    listing = people.listing(arena, "Hortensias", "--announce")
    people.wait(anne, "Create", listing["uri"])
    featured = arena.get(f"/users/{SHOP}")["featured"]
    path = featured.removeprefix(arena.town.url)
    arena.town.run("listing", "pin", listing["id"])
    assert arena.get(path)["orderedItems"] == [listing["uri"]]
    assert people.wait(anne, "Add", listing["uri"])["target"] == featured
    people.wait(arena.node, "Add", listing["uri"])
    arena.town.run("listing", "unpin", listing["id"])
    assert people.wait(anne, "Remove", listing["uri"])["target"] == featured
    assert arena.get(path)["orderedItems"] == []


def pinned(arena: Arena) -> set[str]:
    with contextlib.closing(sqlite3.connect(arena.town.folder / "node.db")) as db:
        rows = db.execute("SELECT uri FROM listings JOIN featured ON listing = listings.id")
        return {row[0] for row in rows}


def test_a_neighbour_s_pins_are_its_shop_s_own_collection(arena: Arena) -> None:
    shop, note = arena.shop()
    other, foreign = arena.shop()
    featured = f"{shop.uri}/collections/featured"
    shop.publish(featured=featured)
    told = shop.document() | {"featured": featured}
    people.say(arena, shop, "Update", told)
    people.say(arena, shop, "Add", foreign["id"], target=featured)
    people.say(arena, other, "Add", note["id"], target=featured)
    people.say(arena, shop, "Add", note["id"], target=f"{shop.uri}/elsewhere")
    arena.settle()
    assert not pinned(arena)
    people.say(arena, shop, "Add", note["id"], target=featured)
    neighbours.eventually(lambda: pinned(arena) == {note["id"]})
    people.say(arena, shop, "Remove", note["id"], target=featured)
    neighbours.eventually(lambda: not pinned(arena))


# --- moves ---------------------------------------------------------------------------------------


def test_a_neighbour_s_shop_moves_only_where_both_ends_say_so(arena: Arena) -> None:
    old, note = arena.shop()
    new = arena.peer.actor()
    name = note["sdo:offers"][0]["sdo:itemOffered"]["sdo:name"]

    def move() -> None:
        people.say(arena, old, "Move", old.uri, target=new.uri)
        arena.settle()

    move()
    old.publish(movedTo=new.uri)
    move()
    assert note["id"] in arena.found(name)
    old.publish()
    new.publish(alsoKnownAs=[old.uri])
    move()
    assert note["id"] in arena.found(name)
    old.publish(movedTo=new.uri)
    thief = arena.stranger.actor()
    people.say(arena, thief, "Move", old.uri, target=new.uri)
    arena.settle()
    assert note["id"] in arena.found(name)
    move()
    neighbours.eventually(lambda: note["id"] not in arena.found(name))
    shops = {shop["uri"] for shop in arena.get("/api/v1/shops")["shops"]}
    assert old.uri not in shops


def test_a_shop_of_ours_moves_and_says_so(arena: Arena, anne: Actor) -> None:
    arena.town.run("shop", "add", "partante", "--name", "La Partante", "--commune", "Bordeaux")
    shop = f"{arena.town.url}/users/partante"
    people.follow(arena, anne, shop)
    there = arena.peer.actor()
    arena.town.run("shop", "move", "partante", there.uri, status=1)
    there.publish(alsoKnownAs=shop)
    arena.town.run("shop", "move", "partante", there.uri)
    move = people.wait(anne, "Move", shop)
    assert (move["actor"], move["target"]) == (shop, there.uri)
    assert arena.get("/users/partante")["movedTo"] == there.uri
    arena.town.run("shop", "alias", SHOP, there.uri)
    assert arena.get(f"/users/{SHOP}")["alsoKnownAs"] == [there.uri]


# --- passed on by a neighbour --------------------------------------------------------------------


def test_what_a_neighbour_announces_is_fetched_from_its_origin(arena: Arena) -> None:
    shop, _ = arena.shop()
    note = shop.note(f"lampe {uuid.uuid4().hex}")
    name = note["sdo:offers"][0]["sdo:itemOffered"]["sdo:name"]
    arena.peer.serve(note["id"].removeprefix(arena.peer.url), note)
    people.say(arena, arena.node, "Announce", {**note, "content": "poison", "sdo:offers": []})
    neighbours.eventually(lambda: note["id"] in arena.found(name))


def test_what_a_stranger_announces_is_not_even_fetched(arena: Arena, anne: Actor) -> None:
    note = arena.stranger.actor().note("poison")
    path = arena.stranger.serve(note["id"].removeprefix(arena.stranger.url), note)
    people.say(arena, anne, "Announce", note["id"])
    arena.settle()
    assert not arena.found("poison")
    assert path not in {arena.stranger.url + asked.path for asked in arena.stranger.asked}
