"""Our node and a server of another make, each by its own code: what one says, the other reads,
verifies and answers.

Whoever follows in these stories lives on the peer; whatever is sold is on our node.
"""

import contextlib
import json
import sqlite3
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from federation import proofs
from federation.errors import Refused
from node import cli
from tests import neighbours
from tests.interop import fedify
from tests.interop.fedify import Peer
from tests.neighbours import Town

ACTIVITY = {"Accept": "application/activity+json"}
PAGE = 20  # activities in a page of a shop's outbox


def to_spread(town: Town) -> int:
    """How many changes are still to be spread over inboxes."""
    with contextlib.closing(sqlite3.connect(town.folder / "node.db")) as db:
        return int(db.execute("SELECT count(*) FROM publications").fetchone()[0])


def open_shop(town: Town, handle: str, name: str) -> str:
    """Opens a shop; its actor's id."""
    town.run(
        "shop", "add", handle, "--name", name, "--commune", "Pessac",
        "--address", "3 rue du Four", "--phone", "05 56 00 00 00",
    )  # fmt: skip
    # Told to whoever follows when it is spread: nobody follows before.
    neighbours.eventually(lambda: to_spread(town) == 0)
    return f"{town.url}/users/{handle}"


def follow(peer: Peer, shop: str, actor: str = "alice") -> None:
    """Has somebody follow a shop, and waits until our Accept is there."""
    assert peer.ask("follow", target=shop, actor=actor)["ok"]
    neighbours.eventually(lambda: shop in follows(peer, actor))


def follows(peer: Peer, actor: str = "alice") -> list[str]:
    """Whom somebody on the peer follows, and was accepted by."""
    following = peer.tell("state")["following"][actor]
    return [uri for uri, one in following.items() if one["state"] == "accepted"]


def followers(town: Town, shop: str) -> int:
    """How many follow a shop, as our node says."""
    return town.get(f"{urlsplit(shop).path}/followers", headers=ACTIVITY).json()["totalItems"]


def is_verified(knock: dict[str, Any]) -> bool:
    """Whether the peer found its signature good, and the key the sender's own."""
    seen = knock["verify"]
    return seen["http"] == "verified" and seen["owner"] is True and knock["fedify"] == "accepted"


def proves(peer: Peer, document: dict[str, Any], kind: str) -> bool:
    """Whether the peer's own verifier accepts the proof that stands on a document."""
    return peer.ask("verify", document=document, **{"class": kind}).get("proof", False)


def strangers(peer: Peer, town: Town, since: int) -> set[str]:
    """Whom the peer turned to beside our node, for a context above all."""
    asked = peer.tell("outgoing", since=since)
    assert asked, "the peer asked nobody: this would prove nothing"
    return {urlsplit(one["url"]).netloc for one in asked} - {town.authority}


# --- reading -------------------------------------------------------------------------------------


def test_the_peer_finds_a_shop_by_its_name_and_by_the_address_of_its_page(
    town: Town, peer: Peer
) -> None:
    shop = open_shop(town, "fleurs", "Au Fil des Fleurs")

    found = peer.ask("webfinger", handle=f"fleurs@{town.authority}")["jrd"]
    assert found["subject"] == f"acct:fleurs@{town.authority}"
    assert [one["href"] for one in found["links"] if one["rel"] == "self"] == [shop]

    for target in (f"@fleurs@{town.authority}", shop, f"{town.url}/@fleurs"):
        seen = peer.ask("lookup", target=target)
        assert seen["type"] == "Organization", target
        assert seen["document"]["id"] == shop
        assert seen["document"]["name"] == "Au Fil des Fleurs"


def test_the_peer_reads_the_actors_of_the_node_and_of_the_commune(town: Town, peer: Peer) -> None:
    actors = {"instance": ("Application", "Boutiques Pessac"), "pessac": ("Group", "Pessac")}
    for handle, (kind, name) in actors.items():
        for target in (f"@{handle}@{town.authority}", f"{town.url}/users/{handle}"):
            seen = peer.ask("lookup", target=target)
            assert seen["type"] == kind, target
            assert seen["document"]["name"] == name
    assert peer.ask("lookup", target=f"{town.url}/")["type"] == "Application"


def test_the_peer_finds_a_listing_by_the_address_of_its_page(town: Town, peer: Peer) -> None:
    open_shop(town, "chocolats", "Chocolats du Bourg")
    listing = town.run("listing", "add", "chocolats", "--name", "Ganache", "--price", "9")
    seen = peer.ask("lookup", target=listing["url"])
    assert (seen["type"], seen["document"]["id"]) == ("Note", listing["uri"])
    assert proves(peer, seen["document"], "Note")


def test_the_peer_hears_of_news_and_events_and_of_their_end(town: Town, peer: Peer) -> None:
    group = f"{town.url}/users/pessac"
    follow(peer, group)
    news = town.run("news", "add", "--title", "Eau coupée", "--text", "Rue du Four.")
    day = f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%d} 20:00"
    event = town.run("event", "add", "--title", "Bal", "--start", day, "--venue", "Salle")
    for told, kind in ((news, "Note"), (event, "Event")):
        knock = peer.wait_for(group, "Create", told["uri"])
        assert is_verified(knock)
        found = knock["object"]
        assert (found["type"], found["id"]) == (kind, told["uri"])
        seen = peer.ask("lookup", target=told["url"])  # by the address of its page
        assert (seen["type"], seen["document"]["id"]) == (kind, told["uri"])
    assert proves(peer, peer.ask("lookup", target=news["uri"])["document"], "Note")

    town.run("event", "cancel", event["id"])
    knock = peer.wait_for(group, "Update", event["uri"])
    assert is_verified(knock)
    town.run("event", "withdraw", event["id"])
    assert is_verified(peer.wait_for(group, "Delete", event["uri"]))

    # What a shop tells is passed on by the Group to those who follow it.
    open_shop(town, "cafe", "Café du Bourg")
    told = town.run("news", "add", "--shop", "cafe", "--title", "Concert", "--text", "Ce soir.")

    def boosted() -> list[dict[str, Any]]:
        knocks = peer.received(group, "Announce")
        return [one for one in knocks if told["uri"] in json.dumps(one)]

    assert neighbours.eventually(boosted)


def test_every_member_of_our_documents_means_something_and_no_context_is_fetched(
    town: Town,
) -> None:
    shop = open_shop(town, "epices", "Comptoir des Épices")
    town.run(
        "shop", "revise", "epices", "--hours", "mar-sam 9h-12h30; fériés fermé", "--exception",
        "2030-12-24 9h-16h: veille", "--payment", "cash,card", "--step-free", "--delivers-to",
        "Pessac", "--delivers-km", "5", "--delivery-price", "3", "--free-from", "40",
        "--lat", "44.8", "--lon", "-0.6",
    )  # fmt: skip
    listing = town.run(
        "listing", "add", "epices", "--name", "Safran", "--price", "12.50", "--quantity", "1",
        "--unit", "g", "--stock", "4", "--category", "epicerie", "--description", "En filaments.",
        "--delivered", "--service", "--allergens", "none", "--origin", "Iran",
    )  # fmt: skip
    gone = town.run("listing", "add", "epices", "--name", "Sumac", "--on-request")
    news = town.run(
        "news", "add", "--title", "Travaux", "--text", "x", "--urgent-hours", "4",
        "--link", "https://pessac.example/travaux",
    )  # fmt: skip
    day = f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%d}"
    event = town.run(
        "event", "add", "--title", "Marché", "--start", day, "--rule", "FREQ=WEEKLY",
        "--venue", "Place", "--link", "https://pessac.example/marche",
    )  # fmt: skip
    town.run("listing", "withdraw", gone["id"])
    addresses = [
        shop, f"{town.url}/users/instance", f"{town.url}/users/pessac", listing["uri"],
        gone["uri"], news["uri"], event["uri"], f"{listing['uri']}/activity",
        f"{shop}/outbox", f"{shop}/outbox?page=true",
        f"{shop}/followers", f"{town.url}/users/instance/outbox",
        f"{town.url}/users/instance/outbox?since=0",
    ]  # fmt: skip
    documents = [town.get(uri.removeprefix(town.url), headers=ACTIVITY).json() for uri in addresses]

    read = subprocess.run(
        [fedify.NODE, Path(__file__).with_name("terms.mjs"), fedify.HOME],
        input=json.dumps(documents),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert read.returncode == 0, read.stderr
    said = json.loads(read.stdout)

    # Flohmarkt reads its member as plain JSON, and has never given its words a meaning.
    lost = {
        uri: [path for path in paths if "/data/_:" not in path]
        for uri, paths in zip(addresses, said["lost"], strict=True)
    }
    assert not any(lost.values()), lost
    assert said["contexts"] == [
        "https://w3id.org/security/data-integrity/v2",
        "https://w3id.org/security/v1",
        "https://www.w3.org/ns/activitystreams",
    ]


def test_the_peer_walks_through_a_shops_outbox_page_by_page(town: Town, peer: Peer) -> None:
    shop = open_shop(town, "livres", "La Page Tournée")
    since = peer.tell("state")["seq"]
    for number in range(PAGE + 2):
        add = ["listing", "add", "livres", "--name", f"Tome {number}", "--price", "8"]
        assert cli.main(["-C", str(town.folder), *add]) == 0
    gone = town.run("listing", "list", "livres")[0]
    town.run("listing", "withdraw", gone["id"])
    on_show = [f"{one['uri']}/activity" for one in town.run("listing", "list", "livres")]

    walked = peer.ask("traverse", url=f"{shop}/outbox")
    assert walked["totalItems"] == len(on_show) == PAGE + 1
    assert {one["type"] for one in walked["items"]} == {"Create"}
    assert sorted(one["id"] for one in walked["items"]) == sorted(on_show)
    assert strangers(peer, town, since) == set()


# --- what we send --------------------------------------------------------------------------------


def test_a_shop_that_is_followed_accepts_and_has_a_follower(town: Town, peer: Peer) -> None:
    shop = open_shop(town, "miel", "La Ruche de Pessac")
    assert followers(town, shop) == 0

    asked = peer.ask("follow", target=f"@miel@{town.authority}")
    assert [(one["scheme"], one["status"]) for one in asked["posts"]] == [("rfc9421", 202)]

    accept = peer.wait_for(shop, "Accept", asked["activity"]["id"])
    assert is_verified(accept)
    assert follows(peer).count(shop) == 1
    assert followers(town, shop) == 1


def test_our_node_signs_what_it_asks_for(town: Town, peer: Peer) -> None:
    follow(peer, open_shop(town, "vins", "Cave du Bourg"))
    asked = [
        one
        for one in peer.tell("requests")
        if one["path"] == "/users/alice" and one["headers"]["user-agent"].startswith("Echoppe/")
    ]
    assert asked
    assert {one.get("http") for one in asked} == {"verified"}


def test_an_announced_listing_its_change_and_its_end_reach_the_follower_signed_and_proven(
    town: Town, peer: Peer
) -> None:
    shop = open_shop(town, "pains", "Le Fournil")
    follow(peer, shop)
    since = peer.tell("state")["seq"]

    listing = town.run(
        "listing", "add", "pains", "--name", "Pain de seigle", "--price", "4.20", "--announce"
    )
    create = peer.wait_for(shop, "Create", listing["uri"])
    assert is_verified(create)
    note = create["object"]
    assert note["type"] == "Note"
    assert "Pain de seigle" in note["content"]
    assert "4,20" in note["content"]
    assert proves(peer, note, "Note")
    assert not proves(peer, {**note, "content": note["content"].replace("4,20", "1,20")}, "Note")

    # A price alone would be told in ten minutes, with what else changes until then.
    town.run("listing", "revise", listing["id"], "--price", "3.90", "--description", "Tout frais")
    update = peer.wait_for(shop, "Update", listing["uri"])
    assert is_verified(update)
    assert "3,90" in update["object"]["content"]
    assert update["object"]["updated"] > note["updated"]
    assert proves(peer, update["object"], "Note")

    town.run("listing", "withdraw", listing["id"])
    delete = peer.wait_for(shop, "Delete", listing["uri"])
    assert is_verified(delete)
    assert delete["object"]["type"] == "Tombstone"
    assert proves(peer, delete["object"], "Tombstone")
    later = {**delete["object"], "deleted": "2031-01-01T00:00:00Z"}
    assert not proves(peer, later, "Tombstone")

    # Told once each, and gone where it was.
    for kind in ("Create", "Update", "Delete"):
        assert len(peer.received(shop, kind, listing["uri"])) == 1
    assert "HTTP 410" in peer.ask("fetch", url=listing["uri"])["error"]
    assert strangers(peer, town, since) == set()


def test_a_listing_that_is_not_announced_is_never_told_to_a_follower(
    town: Town, peer: Peer
) -> None:
    shop = open_shop(town, "legumes", "Le Panier")
    follow(peer, shop)
    quiet = town.run("listing", "add", "legumes", "--name", "Poireaux", "--price", "2.50")
    town.run("listing", "revise", quiet["id"], "--price", "2.30")
    town.run("listing", "withdraw", quiet["id"])
    told = town.run("listing", "add", "legumes", "--name", "Asperges", "--price", "7", "--announce")
    peer.wait_for(shop, "Create", told["uri"])

    everything = peer.tell("received", actor=shop)
    about = {one["object"]["id"] for one in everything if one["type"] != "Accept"}
    assert about == {told["uri"]}


def test_a_shop_that_closes_says_so_to_its_followers(town: Town, peer: Peer) -> None:
    shop = open_shop(town, "jouets", "Le Cheval de Bois")
    follow(peer, shop)
    town.run("shop", "close", "jouets")
    delete = peer.wait_for(shop, "Delete", shop)
    assert is_verified(delete)
    assert delete["object"]["type"] == "Tombstone"
    assert not peer.ask("lookup", target=shop)["found"]


def test_both_kinds_of_signature_reach_a_server_that_knows_only_one(
    town: Town, old_peer: Peer
) -> None:
    shop = open_shop(town, "fromages", "Au Bon Affinage")
    follow(old_peer, shop)

    def knocks(name: str) -> list[tuple[str, int, str]]:
        listing = town.run(
            "listing", "add", "fromages", "--name", name, "--price", "6", "--announce"
        )
        assert is_verified(old_peer.wait_for(shop, "Create", listing["uri"]))
        made = old_peer.received(shop, "Create", listing["uri"])
        return [(one["verify"]["scheme"], one["status"], one["verify"]["http"]) for one in made]

    old_peer.ask("mode", inbox="reject-rfc9421")
    assert knocks("Brebis") == [("cavage", 202, "verified")]

    old_peer.ask("mode", inbox="reject-cavage")
    assert knocks("Chèvre") == [("cavage", 401, "verified"), ("rfc9421", 202, "verified")]
    # It has learnt, and needs one request from now on, also after a restart.
    assert knocks("Tomme") == [("rfc9421", 202, "verified")]
    town.stop()
    town.serve()
    assert knocks("Comté") == [("rfc9421", 202, "verified")]

    # The other side has changed its mind: what was learnt does no harm.
    old_peer.ask("mode", inbox="reject-rfc9421")
    assert knocks("Salers") == [("rfc9421", 401, "verified"), ("cavage", 202, "verified")]


# --- what we are sent ----------------------------------------------------------------------------


def test_a_follow_signed_the_old_way_first_is_taken_at_the_first_knock(
    town: Town, old_peer: Peer
) -> None:
    shop = open_shop(town, "thes", "Thés et Tisanes")
    asked = old_peer.ask("follow", target=shop)
    assert [(one["scheme"], one["status"]) for one in asked["posts"]] == [("cavage", 202)]
    old_peer.wait_for(shop, "Accept", asked["activity"]["id"])
    assert followers(town, shop) == 1


@pytest.mark.parametrize("scheme", ["cavage", "rfc9421"])
def test_a_request_that_its_actor_did_not_sign_like_that_is_refused_and_does_nothing(
    town: Town, peer: Peer, scheme: str
) -> None:
    shop = open_shop(town, f"savons_{scheme}", "La Savonnerie")
    inbox = f"{shop}/inbox"
    faults: dict[str, dict[str, Any]] = {
        "a body changed under way": {"tamperBody": True},
        "a key that nobody names": {"key": "mallory"},
        "the key of somebody else": {"key": "bob", "keyId": f"{peer.person('bob')}#main-key"},
        "a date of yesterday": {"ageSeconds": 90_000},
        "another inbox": {"url": f"{town.url}/inbox", "urlAfter": inbox},
        "no signature": {"sign": "none"},
    }

    def send(kind: str, obj: Any, number: int, **fault: Any) -> int:
        activity = {
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": f"{peer.person()}#{scheme}-{kind}-{number}",
            "type": kind,
            "actor": peer.person(),
            "object": obj,
        }
        request = {"url": inbox, "sign": scheme, "activity": activity, **fault}
        return peer.ask("raw", **request)["status"]

    for number, (name, fault) in enumerate(faults.items()):
        assert send("Follow", shop, number, **fault) in (400, 401), name
    # Bob's follow, done rightly, comes after them all; he is the only one.
    follow(peer, shop, "bob")
    assert followers(town, shop) == 1
    assert shop not in follows(peer, "alice")

    # Rightly signed, the very same thing is taken.
    assert send("Follow", shop, 99) == 202
    neighbours.eventually(lambda: followers(town, shop) == 2)

    # Nor can anybody but Alice take her follow back.
    followed = {"type": "Follow", "actor": peer.person(), "object": shop}
    for number, (name, fault) in enumerate(faults.items()):
        assert send("Undo", followed, number, **fault) in (400, 401), name
    assert peer.ask("unfollow", target=shop, actor="bob")["ok"]
    neighbours.eventually(lambda: followers(town, shop) == 1)
    assert send("Undo", followed, 99) == 202
    neighbours.eventually(lambda: followers(town, shop) == 0)


def test_a_proof_that_the_peer_made_is_verified_and_a_changed_byte_is_noticed(
    town: Town, peer: Peer
) -> None:
    author = peer.person()
    activity = {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"{author}#create-1",
        "type": "Create",
        "actor": author,
        "object": {
            "id": f"{author}/notes/1",
            "type": "Note",
            "attributedTo": author,
            "content": "Où trouver des œufs à Pessac ?",
        },
    }
    made = peer.ask(
        "raw", url=f"{town.url}/inbox", activity=activity, proof=True, dryRun=True
    )["request"]["body"]  # fmt: skip
    signed = json.loads(made)
    now = datetime.now(UTC)

    key = proofs.key_of(peer.document(author), proofs.verification_method(signed))
    proofs.verify(signed, key, now)

    for changed in (
        made.replace("œufs", "oeufs"),
        made.replace("#create-1", "#create-2"),
        made.replace(f'"actor":"{author}"', f'"actor":"{peer.person("bob")}"'),
    ):
        assert changed != made
        with pytest.raises(Refused):
            proofs.verify(json.loads(changed), key, now)

    other = peer.document(peer.person("bob"))
    with pytest.raises(Refused, match="no-such-key"):
        proofs.key_of(other, proofs.verification_method(signed))
    bobs = proofs.key_of(other, f"{other['id']}#multikey-2")
    with pytest.raises(Refused, match="bad-proof"):
        proofs.verify(signed, bobs, now)


def test_whoever_unfollows_is_told_nothing_more(town: Town, peer: Peer) -> None:
    shop = open_shop(town, "lampes", "Lumières")
    follow(peer, shop)
    assert peer.ask("unfollow", target=shop)["ok"]
    neighbours.eventually(lambda: followers(town, shop) == 0)

    town.run("listing", "add", "lampes", "--name", "Lampion", "--price", "5", "--announce")
    # It is told to whoever follows when it is spread: wait for that before somebody else follows.
    neighbours.eventually(lambda: to_spread(town) == 0)
    # What comes after arrives, so what came before would have arrived too.
    follow(peer, shop, "bob")
    told = town.run("listing", "add", "lampes", "--name", "Bougie", "--price", "3", "--announce")
    peer.wait_for(shop, "Create", told["uri"])
    assert [one["object"]["id"] for one in peer.received(shop, "Create")] == [told["uri"]]
