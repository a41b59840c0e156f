"""What the node says to others, and who must hear of it."""

import json
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from federation import documents, limits
from node import catalogue, keyring, publications, shops
from node.exchange import keys, outbox, terms
from node.model import (
    Availability,
    ChangeKind,
    Delivery,
    Follower,
    FollowState,
    Listing,
    Shop,
    Verb,
)
from node.store import changes, deliveries, delivery_hosts, followers, peers, times
from node.store import listings as rows
from node.translation import Catalogues
from tests import ground
from tests.ground import NOW, URIS

RING = keyring.Keyring(bytes(32))
MERIGNAC, TALENCE = "boutiques.merignac.example", "boutiques.talence.example"
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def made() -> shops.ActorKeys:
    """Real keys; making them is slow."""
    return keys.generate(RING, "fleurs")


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with ground.opened(tmp_path) as opened:
        yield opened


@pytest.fixture
def shop(db: sqlite3.Connection, made: shops.ActorKeys) -> Shop:
    place = ground.place(db, ground.PESSAC)
    draft = shops.ShopDraft("fleurs", "Au Fil des Fleurs", place)
    opened = shops.open_shop(db, URIS, draft, made, ground.new_id(), NOW)
    for note in deliveries.find_publications(db, 9):
        deliveries.remove_publication(db, note.id)
    return opened


@pytest.fixture
def publisher() -> outbox.Publisher:
    return outbox.Publisher(
        URIS, "Boutiques de Pessac", "fr", keys.Signers(RING, URIS), Catalogues()
    )


def neighbour(db: sqlite3.Connection, host: str, state: FollowState | None) -> None:
    actor = f"https://{host}/users/instance"
    peers.add(db, host, f"https://{host}", actor, host, "echoppe")
    peers.change_follower(db, host, state, f"{actor}#follows/1")


def follow(
    db: sqlite3.Connection, name: str, shared: str | None = None, handle: str = "fleurs"
) -> None:
    uri = f"https://social.example/users/{name}"
    follower = Follower(handle, uri, f"{uri}/inbox", shared, f"{uri}#1", FollowState.ACCEPTED, NOW)
    followers.add(db, follower, "social.example")


def spread(db: sqlite3.Connection) -> None:
    for note in deliveries.find_publications(db, 100):
        outbox.spread(db, URIS, note, NOW)


def waiting(db: sqlite3.Connection) -> list[tuple[str, str, str]]:
    """(inbox, object, verb) of all that must still be told."""
    found = db.execute("SELECT inbox, object, verb FROM deliveries ORDER BY inbox, object")
    return [tuple(row) for row in found]


def letter(db: sqlite3.Connection, publisher: outbox.Publisher, host: str) -> dict[str, Any]:
    (row,) = deliveries.find_due(db, host, NOW + 99 * DAY, 9)
    body = publisher.body(db, row)
    assert body is not None
    return documents.parse(body)


# --- who must hear of it -------------------------------------------------------------------------


def test_neighbours_hear_of_everything_and_only_those_who_were_accepted(
    db: sqlite3.Connection, shop: Shop
) -> None:
    neighbour(db, MERIGNAC, FollowState.ACCEPTED)
    for number, state in enumerate((FollowState.REQUESTED, FollowState.REJECTED, None)):
        neighbour(db, f"{number}.example", state)
    neighbour(db, TALENCE, FollowState.ACCEPTED)
    peers.change_blocked(db, TALENCE, NOW)
    listing = ground.publish(db, shop)
    spread(db)
    assert waiting(db) == [(f"https://{MERIGNAC}/inbox", listing.uri, "Create")]
    assert deliveries.find_publications(db, 9) == []


def test_people_hear_of_listings_that_are_announced_once_for_each_server(
    db: sqlite3.Connection, shop: Shop
) -> None:
    shared = "https://social.example/inbox"
    follow(db, "anne", shared)
    follow(db, "paul", shared)
    follow(db, "zoe")
    ground.publish(db, shop, "Quiet")
    spread(db)
    assert waiting(db) == []
    loud = ground.publish(db, shop, "Loud", announce=True)
    spread(db)
    assert waiting(db) == [
        (shared, loud.uri, "Create"),
        ("https://social.example/users/zoe/inbox", loud.uri, "Create"),
    ]


def test_people_hear_of_the_shop_they_follow_and_of_no_other(
    db: sqlite3.Connection, shop: Shop
) -> None:
    ground.open_shop(db, "miel")
    follow(db, "anne", handle="miel")
    spread(db)
    assert [item for _, item, _ in waiting(db)] == [URIS.actor("miel")]
    ground.publish(db, shop, announce=True)
    spread(db)
    assert [item for _, item, _ in waiting(db)] == [URIS.actor("miel")]


def test_one_letter_tells_of_all_that_happened_while_nobody_was_told(
    db: sqlite3.Connection, shop: Shop, publisher: outbox.Publisher
) -> None:
    neighbour(db, MERIGNAC, FollowState.ACCEPTED)
    listing = ground.publish(db, shop, "Roses", ground.offer(1250))
    spread(db)
    listing = ground.revise(db, shop, listing, ground.draft("Pivoines", listing.offers[0]))
    spread(db)
    told = letter(db, publisher, MERIGNAC)
    assert (told["type"], told["id"]) == ("Create", f"{listing.uri}/activity")
    assert told["object"]["sdo:offers"][0]["sdo:itemOffered"]["sdo:name"] == "Pivoines"
    catalogue.withdraw(db, listing.id, NOW + DAY)
    told = letter(db, publisher, MERIGNAC)  # withdrawn, and not yet spread
    assert (told["type"], told["object"]["type"]) == ("Delete", "Tombstone")
    spread(db)
    assert letter(db, publisher, MERIGNAC) == told


def test_neighbours_hear_of_a_price_at_once_and_people_of_the_last_of_ten_minutes(
    db: sqlite3.Connection, shop: Shop
) -> None:
    neighbour(db, "boutiques.talence.example", FollowState.ACCEPTED)
    follow(db, "lea")
    listing = ground.publish(db, shop, "Tulipe", announce=True)
    spread(db)
    db.execute("DELETE FROM deliveries")

    def due(host: str) -> float | None:
        row = db.execute("SELECT due FROM deliveries WHERE host = ?", (host,)).fetchone()
        return None if row is None else (times.moment(row[0]) - NOW) / timedelta(minutes=1)

    def priced(cents: int, minutes: float, **more: Any) -> None:
        now = NOW + timedelta(minutes=minutes)
        draft = ground.draft("Tulipe", ground.offer(cents, **more), announce=True)
        ground.revise(db, shop, listing, draft, now)
        for note in deliveries.find_publications(db, 1000):
            outbox.spread(db, URIS, note, now)

    priced(1300, 1)
    assert (due("boutiques.talence.example"), due("social.example")) == (1, 11)
    db.execute("DELETE FROM deliveries WHERE host = 'boutiques.talence.example'")  # delivered
    priced(1400, 3)
    priced(1500, 5)
    assert (due("boutiques.talence.example"), due("social.example")) == (11, 11)
    # What is sold out is told to everybody at once.
    priced(1500, 6, availability=Availability.OUT_OF_STOCK)
    assert (due("boutiques.talence.example"), due("social.example")) == (6, 6)


def test_who_was_silent_for_a_week_gets_its_probe_and_no_more(
    db: sqlite3.Connection, shop: Shop
) -> None:
    follow(db, "lea")
    ground.publish(db, shop, "Tulipe", announce=True)
    spread(db)
    delivery_hosts.leave_alone(db, "social.example", "refused", NOW, NOW)
    later = NOW + timedelta(days=8)
    shut = outbox.shut(db, later)
    assert shut == {"social.example"}
    rose = ground.publish(db, shop, "Rose", announce=True, now=later)
    for note in deliveries.find_publications(db, 1000):
        outbox.spread(db, URIS, note, later, shut)
    ((_, probe, _),) = waiting(db)
    # What is deleted must not survive there, however long it was silent.
    catalogue.withdraw(db, rose.id, later)
    for note in deliveries.find_publications(db, 1000):
        outbox.spread(db, URIS, note, later, shut)
    assert sorted(waiting(db)) == sorted(
        [
            ("https://social.example/users/lea/inbox", probe, "Create"),
            ("https://social.example/users/lea/inbox", rose.uri, "Delete"),
        ]
    )
    assert deliveries.give_up_unavailable(db, later - timedelta(days=7), later) == 1
    assert [verb for _, _, verb in waiting(db)] == ["Delete"]


def test_a_full_queue_takes_news_for_neighbours_only(
    db: sqlite3.Connection, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DOS-04: and for those of them that can be reached."""
    neighbour(db, "boutiques.talence.example", FollowState.ACCEPTED)
    neighbour(db, "boutiques.cenon.example", FollowState.ACCEPTED)
    follow(db, "lea")
    monkeypatch.setattr(outbox, "QUEUE_MOST", 2)
    ground.publish(db, shop, "Tulipe", announce=True)
    assert outbox.shut(db, NOW) == frozenset()
    spread(db)
    assert outbox.shut(db, NOW) is None
    db.execute("DELETE FROM deliveries")
    delivery_hosts.leave_alone(db, "boutiques.cenon.example", "refused", NOW, NOW)
    ground.publish(db, shop, "Rose", announce=True)
    for note in deliveries.find_publications(db, 1000):
        outbox.spread(db, URIS, note, NOW, None)
    assert {inbox for inbox, _, _ in waiting(db)} == {"https://boutiques.talence.example/inbox"}


def test_what_never_was_has_nothing_to_tell(
    db: sqlite3.Connection, shop: Shop, publisher: outbox.Publisher
) -> None:
    for uri in (URIS.listing("fleurs", ground.new_id()), URIS.actor("nobody"), "https://x.example"):
        delivery = Delivery(1, "i", "h", uri, "fleurs", "Update", None, 1, 0, NOW, NOW, None)
        assert publisher.body(db, delivery) is None


def test_a_letter_of_its_own_goes_as_it_was_written(
    db: sqlite3.Connection, shop: Shop, publisher: outbox.Publisher
) -> None:
    activity = {"id": f"{URIS.instance}#follows/1", "type": "Follow", "object": "é"}
    outbox.send(db, activity, "fleurs", f"https://{MERIGNAC}/inbox", NOW)
    assert letter(db, publisher, MERIGNAC) == activity
    ((inbox, item, verb),) = waiting(db)
    assert (inbox, item, verb) == (f"https://{MERIGNAC}/inbox", activity["id"], "Follow")


# --- what is said --------------------------------------------------------------------------------


def told(
    db: sqlite3.Connection, publisher: outbox.Publisher, listing: Listing, verb: Verb
) -> dict[str, Any]:
    made = publisher.activity(db, ChangeKind.LISTING, listing.uri, verb)
    assert made is not None
    assert made[1] == "fleurs"
    return made[0]


def test_each_activity_has_an_id_of_its_own(
    db: sqlite3.Connection, shop: Shop, publisher: outbox.Publisher
) -> None:
    listing = ground.publish(db, shop)
    created = told(db, publisher, listing, Verb.CREATE)
    updated = told(db, publisher, listing, Verb.UPDATE)
    listing = ground.revise(db, shop, listing, ground.draft("Autre", listing.offers[0]))
    again = told(db, publisher, listing, Verb.UPDATE)
    gone = catalogue.withdraw(db, listing.id, NOW + DAY)
    deleted = told(db, publisher, listing, Verb.DELETE)
    ids = [one["id"] for one in (created, updated, again, deleted)]
    assert len(set(ids)) == 4
    assert ids[0] == f"{listing.uri}/activity"
    change = changes.get(db, listing.uri)
    assert change is not None
    assert ids[2] == f"{listing.uri}/update/{change.seq - 1}"
    assert ids[3] == f"{listing.uri}/delete"
    for one in (created, updated, again, deleted):
        assert one["actor"] == shop.uri
        assert one["to"] == ["https://www.w3.org/ns/activitystreams#Public"]
        assert one["cc"] == [f"{shop.uri}/followers"]
    assert deleted["published"] == deleted["object"]["deleted"] == "2026-11-24T08:00:00Z"
    assert gone.withdrawn == NOW + DAY


def test_the_same_is_said_the_same_way(
    db: sqlite3.Connection, shop: Shop, publisher: outbox.Publisher
) -> None:
    listing = ground.publish(db, shop)
    first = outbox.encode(told(db, publisher, listing, Verb.CREATE))
    assert outbox.encode(told(db, publisher, listing, Verb.CREATE)) == first
    stored = rows.get(db, listing.id)
    assert stored is not None
    assert publisher.listing(db, stored, shop) == json.loads(first)["object"]


def test_a_closed_shop_is_a_tombstone_and_so_are_its_listings(
    db: sqlite3.Connection, shop: Shop, publisher: outbox.Publisher
) -> None:
    listing = ground.publish(db, shop)
    shops.close_shop(db, "fleurs", NOW + DAY)
    actor = publisher.actor(db, "fleurs")
    assert actor is not None
    assert (actor["type"], actor["formerType"], actor["id"]) == (
        "Tombstone", "Organization", shop.uri,
    )  # fmt: skip
    for uri, kind in ((shop.uri, ChangeKind.SHOP), (listing.uri, ChangeKind.LISTING)):
        made = publisher.activity(db, kind, uri, Verb.UPDATE)
        assert made is not None
        assert (made[0]["type"], made[0]["object"]["type"]) == ("Delete", "Tombstone")


# --- collections ---------------------------------------------------------------------------------


def test_a_shops_outbox_is_paged_without_repetition_or_loss(
    db: sqlite3.Connection, shop: Shop, publisher: outbox.Publisher
) -> None:
    offered = [
        ground.publish(db, shop, f"Rose {n}", now=NOW + timedelta(seconds=n // 4)).uri
        for n in range(2 * outbox.PAGE + 3)
    ]
    catalogue.withdraw(db, rows.get_by_uri(db, offered[7]).id, NOW)  # type: ignore[union-attr]
    assert publisher.outbox(db, shop.handle, shop)["totalItems"] == len(offered) - 1
    seen: list[str] = []
    before: tuple[str, str] | None = None
    for _ in range(9):
        page = publisher.outbox_page(db, shop.handle, shop, before)
        assert all(item["type"] == "Create" for item in page["orderedItems"])
        seen += [item["object"]["id"] for item in page["orderedItems"]]
        if "next" not in page:
            break
        published, listing_id = page["next"].partition("&before=")[2].split(",")
        before = (published, listing_id)
    assert len(seen) == len(set(seen))
    assert set(seen) == set(offered) - {offered[7]}


def walk(db: sqlite3.Connection, publisher: outbox.Publisher, since: int = 0) -> list[Any]:
    items = []
    page = publisher.sequence_page(db, since)
    while page is not None:
        items += page["orderedItems"]
        if "next" not in page:
            return items
        asked = parse_qs(urlsplit(page["next"]).query)
        page = publisher.sequence_page(db, int(asked["since"][0]), whole="whole" in asked)
    raise AssertionError("the sequence broke off")


def test_the_sequence_tells_each_object_once_in_its_present_state(
    db: sqlite3.Connection, shop: Shop, publisher: outbox.Publisher
) -> None:
    roses, tulips = ground.publish(db, shop, "Roses"), ground.publish(db, shop, "Tulipes")
    ground.revise(db, shop, roses, ground.draft("Roses rouges", roses.offers[0]))
    catalogue.withdraw(db, tulips.id, NOW)
    items = walk(db, publisher)
    assert [(item["type"], item["object"]["id"]) for item in items] == [
        ("Update", shop.uri),
        ("Update", roses.uri),
        ("Delete", tulips.uri),
    ]
    numbers = [item[terms.SEQ] for item in items]
    assert numbers == sorted(set(numbers))
    assert [item["object"]["id"] for item in walk(db, publisher, numbers[1])] == [tulips.uri]
    head = changes.head(db)
    assert walk(db, publisher, head) == []
    assert publisher.sequence_page(db, head + 1) is None


def test_the_sequence_is_paged_without_loss(
    db: sqlite3.Connection, shop: Shop, publisher: outbox.Publisher
) -> None:
    offered = {ground.publish(db, shop, f"Rose {n}").uri for n in range(outbox.SEQUENCE_PAGE + 9)}
    first = publisher.sequence_page(db, 0)
    assert first is not None
    assert len(first["orderedItems"]) == outbox.SEQUENCE_PAGE
    assert first["totalItems"] == len(offered) + 1
    assert {item["object"]["id"] for item in walk(db, publisher)} == offered | {shop.uri}


def test_a_page_of_long_listings_stays_below_what_a_reader_takes(
    db: sqlite3.Connection, shop: Shop, publisher: outbox.Publisher
) -> None:
    long = "é" * catalogue.DESCRIPTION_MOST
    offered = {ground.publish(db, shop, f"Rose {n}", description=long).uri for n in range(40)}
    first = publisher.sequence_page(db, 0)
    assert first is not None
    assert len(outbox.encode(first)) < limits.DOCUMENT
    assert {item["object"]["id"] for item in walk(db, publisher)} == offered | {shop.uri}


def test_who_stopped_before_a_dropped_tombstone_must_begin_again(
    db: sqlite3.Connection, shop: Shop, publisher: outbox.Publisher
) -> None:
    roses = ground.publish(db, shop)
    catalogue.withdraw(db, roses.id, NOW)
    ground.publish(db, shop, "Tulipes")
    dropped = changes.get(db, roses.uri)
    assert dropped is not None
    changes.prune(db, NOW + DAY)
    assert publisher.sequence_page(db, dropped.seq - 1) is None
    assert publisher.sequence_page(db, dropped.seq) is not None
    assert len(walk(db, publisher)) == 2


def test_a_whole_pass_of_many_pages_is_not_broken_off_by_dropped_tombstones(
    db: sqlite3.Connection, shop: Shop, publisher: outbox.Publisher
) -> None:
    for number in range(outbox.SEQUENCE_PAGE + 20):
        ground.publish(db, shop, f"Tulipe {number}")
    roses = ground.publish(db, shop)
    catalogue.withdraw(db, roses.id, NOW)
    changes.prune(db, NOW + DAY)
    assert publisher.sequence_page(db, 5) is None  # who knows some of it must begin again
    assert len(walk(db, publisher)) == 1 + outbox.SEQUENCE_PAGE + 20  # the shop, too


def test_the_digest_follows_every_change(
    db: sqlite3.Connection, shop: Shop, publisher: outbox.Publisher
) -> None:
    said = []

    def say() -> None:
        found = publisher.sequence(db)
        live = publications.digest(changes.live_fingerprints(db))
        assert (found[terms.DIGEST], found[terms.HEAD]) == (live, changes.head(db))
        assert publisher.sequence(db) == found
        said.append((found[terms.DIGEST], found[terms.COUNT]))

    say()
    roses = ground.publish(db, shop)
    say()
    ground.revise(db, shop, roses, ground.draft("Autre", roses.offers[0]))
    say()
    catalogue.withdraw(db, roses.id, NOW + DAY)
    say()
    assert [count for _, count in said] == [1, 2, 2, 1]
    assert len({digest for digest, _ in said}) == 3
    assert said[0] == said[3]
