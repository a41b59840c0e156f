"""News and events on the wire: out as others read them, in as strangers write them."""

import dataclasses
import sqlite3
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from federation.errors import Refused
from node import agenda, errors, events, keyring, neighbours, news, publications, restoring
from node.exchange import keys, outbox, terms
from node.exchange import news as documents
from node.model import Badge, Byline, ChangeKind, EventState, FollowState, Post, Shop, Verb
from node.store import actors, changes, deliveries, peers, posts
from node.store.times import stamp
from node.translation import Catalogues
from tests import ground
from tests.ground import NOW, PEER, PESSAC, URIS

RING = keyring.Keyring(bytes(32))
HALL = news.Author(Byline("Pessac", Badge.TOWN_HALL))
ORIGIN = f"https://{PEER}"


@pytest.fixture(scope="module")
def made() -> Any:
    """Real keys; making them is slow."""
    return keys.generate(RING, "pessac")


@pytest.fixture
def db(tmp_path: Path, made: Any) -> Iterator[sqlite3.Connection]:
    from node.model import ActorKind, LocalActor

    with ground.opened(tmp_path) as opened:
        group = LocalActor(
            "pessac", ActorKind.COMMUNE, "Pessac", made.rsa_public_pem, made.ed25519_public,
            NOW, None,
        )  # fmt: skip
        actors.add(opened, group, made.rsa_private, made.ed25519_private)
        yield opened


@pytest.fixture
def publisher() -> outbox.Publisher:
    return outbox.Publisher(URIS, "Boutiques", "fr", keys.Signers(RING, URIS), Catalogues())


def event(**more: Any) -> news.PostDraft:
    found = events.typed(
        "2026-12-05 14:00", "2026-12-05 18:00", "Europe/Paris", "Salle des fêtes", None
    )
    return news.PostDraft(
        title="Marché de Noël", text="Vin chaud & <b>chants</b>.", place=PESSAC,
        event=dataclasses.replace(found, **more),
    )  # fmt: skip


def publish(db: Any, draft: news.PostDraft, author: news.Author = HALL) -> Post:
    return news.publish(db, URIS, author, draft, ground.new_id, NOW)


def read(document: dict[str, Any], **more: Any) -> Post:
    """As the neighbour would read it."""
    told = documents.from_document(
        {**document, **more}, document["attributedTo"], PEER, ground.new_id(), NOW
    )
    return told.of(None, "Boutiques de Mérignac")


def test_an_event_is_read_as_it_was_written(db: Any, publisher: outbox.Publisher) -> None:
    written = publish(db, event(rule="FREQ=WEEKLY;COUNT=3", excluded=(date(2026, 12, 12),)))
    document = publisher.post(db, written)
    assert document["type"] == "Event"
    assert document["startTime"] == "2026-12-05T14:00:00+01:00"
    assert (document["timezone"], document["eventStatus"]) == ("Europe/Paris", "EventScheduled")
    assert document["location"]["name"] == "Salle des fêtes"
    assert "samedi 5\u00a0décembre 2026, de 14\u00a0h à 18\u00a0h" in document["summary"]
    assert "<b>" not in document["content"]
    got = read(document)
    assert got.event == written.event
    assert (got.title, got.text, got.author, got.badge, got.place) == (
        written.title, written.text, "Pessac", Badge.TOWN_HALL, PESSAC,
    )  # fmt: skip


def test_news_is_a_note_without_name_or_summary(db: Any, publisher: outbox.Publisher) -> None:
    until = NOW + timedelta(hours=6)
    written = publish(db, news.PostDraft("Eau coupée", "Rue <Neuve>.", urgent_until=until))
    document = publisher.post(db, written)
    assert document["type"] == "Note"
    assert "name" not in document
    assert "summary" not in document  # servers fold those
    assert document["content"].startswith("<p><strong>Urgent\u202f: Eau coupée</strong></p>")
    got = read(document)
    assert (got.title, got.text, got.urgent_until) == ("Eau coupée", "Rue <Neuve>.", until)
    assert terms.is_post(document)
    assert not terms.is_post({"type": "Note", "content": "Bonjour"})


def test_an_all_day_event_keeps_its_days(db: Any, publisher: outbox.Publisher) -> None:
    draft = event()
    days = events.made(date(2026, 12, 5), None, date(2026, 12, 6), None, "Europe/Paris")
    written = publish(db, dataclasses.replace(draft, event=days))
    document = publisher.post(db, written)
    assert read(document).event == days
    assert "du samedi 5\u00a0décembre 2026 au dimanche 6\u00a0décembre 2026" in document["summary"]


def test_a_cancelled_event_says_so_first(db: Any, publisher: outbox.Publisher) -> None:
    written = publish(db, event())
    cancelled = news.change_state(db, written.id, EventState.CANCELLED, NOW)
    document = publisher.post(db, cancelled)
    assert (document["eventStatus"], document["ical:status"]) == ("EventCancelled", "CANCELLED")
    assert document["summary"].startswith("Annulé")
    assert cancelled.updated > written.updated
    got = read(document)
    assert got.event is not None
    assert got.event.state is EventState.CANCELLED


MOBILIZON = {
    "id": f"{ORIGIN}/events/1",
    "type": "Event",
    "attributedTo": f"{ORIGIN}/@club",
    "name": "Bal <i>folk</i>",
    "content": "<p>Avec un orchestre</p><script>alert(1)</script>",
    "startTime": "2026-12-05T20:00:00+01:00",
    "endTime": "2026-12-05T23:30:00+01:00",
    "timezone": "Europe/Paris",
    "ical:status": "CANCELLED",
    "location": {"type": "Place", "name": "Le Galet",
                 "address": {"streetAddress": "1 rue du Four", "addressLocality": "Pessac"}},
    "published": "2026-11-20T08:00:00Z",
    "updated": "2026-11-20T08:00:00Z",
}  # fmt: skip


def test_an_event_of_another_kind_of_server_is_read() -> None:
    got = read(MOBILIZON)
    assert (got.title, got.author, got.badge) == (
        "Bal folk", "Boutiques de Mérignac", Badge.ASSOCIATION,
    )  # fmt: skip
    assert "script" not in got.text
    assert got.event is not None
    assert got.event.venue == "Le Galet, 1 rue du Four, Pessac"
    assert got.event.state is EventState.CANCELLED


@pytest.mark.parametrize(
    "wrong",
    [
        {"startTime": "1999-01-01T00:00:00Z"}, {"startTime": "9999-01-01T00:00:00Z"},
        {"startTime": None}, {"startTime": ["2026-12-05T20:00:00Z"] * 2},
        {"startTime": "2025-01-01T00:00:00Z", "endTime": "2025-01-01T01:00:00Z"},
        {"name": "", "content": "", "summary": ""}, {"updated": "9999-01-01T00:00:00Z"},
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        read(MOBILIZON, **wrong)


@pytest.mark.parametrize(
    "odd",
    [
        {"timezone": "../../etc/passwd"}, {"timezone": 5}, {"timezone": "Mars/Olympus"},
        {documents.RULE: "FREQ=SECONDLY"}, {documents.RULE: {"a": 1}},
        {documents.EXCLUDED: ["x", 3, None]}, {"location": [["a"]]}, {"location": 7},
        {"endTime": "2020-01-01T00:00:00Z"}, {"eventStatus": {"id": "x"}}, {"source": []},
        {"sdo:publisher": "x"}, {"contentMap": []}, {"sdo:expires": "never"}, {"url": {"a": 1}},
        {"sdo:citation": "javascript:alert(1)"}, {terms.BADGE: ["town_hall"]},
    ],
)  # fmt: skip
def test_what_is_odd_is_kept_simple(odd: dict[str, Any]) -> None:
    got = read(MOBILIZON, **odd)
    assert got.event is not None
    assert got.event.rule is None
    assert got.link is None
    assert got.badge is Badge.ASSOCIATION


def test_text_is_bounded() -> None:
    got = read(MOBILIZON, content="a" * 100_000, name="b" * 100_000)
    assert len(got.text) <= news.TEXT_MOST
    assert len(got.title) <= news.TITLE_MOST


# --- who hears of it -----------------------------------------------------------------------------


def spread(db: Any) -> list[tuple[str, str]]:
    """Who is told what, after all that was published."""
    for note in deliveries.find_publications(db, 99):
        outbox.spread(db, URIS, note, NOW)
    rows = db.execute("SELECT inbox, verb FROM deliveries ORDER BY inbox, id").fetchall()
    return [(row[0], row[1]) for row in rows]


def neighbour(db: Any) -> None:
    peers.add(db, PEER, ORIGIN, f"{ORIGIN}/users/instance", "Mérignac", "echoppe")
    peers.change_follower(db, PEER, FollowState.ACCEPTED, f"{ORIGIN}/follows/1")


def follow(db: Any, handle: str, name: str) -> None:
    from node.model import Follower
    from node.store import followers

    uri = f"https://social.example/users/{name}"
    follower = Follower(
        handle, uri, f"{uri}/inbox", None, f"{uri}#follow", FollowState.ACCEPTED, NOW
    )
    followers.add(db, follower, "social.example")


def test_neighbours_hear_of_what_is_for_them_and_not_of_what_is_kept(db: Any) -> None:
    neighbour(db)
    publish(db, event())
    publish(db, dataclasses.replace(event(), kept=True, title="Conseil"))
    assert spread(db) == [(f"{ORIGIN}/inbox", "Create")]
    assert changes.count_since(db, 0) == 1
    assert len(changes.live_fingerprints(db)) == 1


def test_followers_hear_of_what_is_announced_and_the_group_boosts_a_shops(
    db: Any, made: Any
) -> None:
    shop = ground.open_shop(db)
    for note in deliveries.find_publications(db, 9):
        deliveries.remove_publication(db, note.id)
    follow(db, "pessac", "alice")
    follow(db, shop.handle, "bob")
    author = news.Author(Byline(shop.name, Badge.SHOP), shop)
    publish(db, news.PostDraft("Dégustation", "Samedi."), author)
    assert spread(db) == [
        ("https://social.example/users/alice/inbox", "Announce"),
        ("https://social.example/users/alice/inbox", "Announce"),
        ("https://social.example/users/bob/inbox", "Create"),
    ]
    db.execute("DELETE FROM deliveries")
    publish(db, news.PostDraft("Discret", "Rien.", announce=False), author)
    publish(db, news.PostDraft("De la mairie", "Bonjour."))
    assert spread(db) == [("https://social.example/users/alice/inbox", "Create")]


def test_what_is_kept_is_told_in_its_latest_state(db: Any, publisher: outbox.Publisher) -> None:
    post = publish(db, dataclasses.replace(event(), kept=True))
    first = publisher.activity(db, ChangeKind.POST, post.uri, Verb.UPDATE)
    news.change_state(db, post.id, EventState.CANCELLED, NOW)
    second = publisher.activity(db, ChangeKind.POST, post.uri, Verb.UPDATE)
    assert first is not None
    assert second is not None
    assert first[0]["id"] != second[0]["id"]


# --- recorded ------------------------------------------------------------------------------------


def test_an_older_state_and_another_author_change_nothing(db: Any) -> None:
    neighbour(db)
    got = read(MOBILIZON)
    news.record_remote(db, got, NOW)
    newer = dataclasses.replace(got, title="Bal", updated=got.updated + timedelta(hours=1))
    for told in (
        dataclasses.replace(newer, actor=f"{ORIGIN}/@other"),
        dataclasses.replace(newer, updated=got.updated - timedelta(hours=1)),
        dataclasses.replace(newer, event=None),
    ):
        news.record_remote(db, told, NOW)
        kept = posts.get_by_uri(db, got.uri)
        assert kept is not None
        assert kept.title == "Bal folk"
    news.record_remote(db, newer, NOW)
    kept = posts.get_by_uri(db, got.uri)
    assert kept is not None
    assert kept.title == "Bal"
    news.remove_remote(db, got.uri, NOW)
    news.record_remote(db, newer, NOW)
    assert posts.get_by_uri(db, got.uri) is None


def test_a_closed_shop_says_nothing_more(db: Any, made: Any) -> None:
    from node import shops

    shop: Shop = ground.open_shop(db)
    post = publish(
        db, news.PostDraft("Dégustation", "Samedi."), news.Author(Byline("x", Badge.SHOP), shop)
    )
    shops.close_shop(db, shop.handle, NOW)
    gone = posts.get(db, post.id)
    assert gone is not None
    assert gone.withdrawn is not None


def test_events_of_ours_are_taken_off_before_others_refuse_them(db: Any) -> None:
    post = publish(db, event())
    news.sweep(db, NOW + timedelta(days=300))
    assert news.get_on_show(db, post.id)
    news.sweep(db, NOW + timedelta(days=360))
    with pytest.raises(errors.NotFound):
        news.get_on_show(db, post.id)
    assert publications.digest(changes.live_fingerprints(db)) == publications.digest([])


@pytest.mark.parametrize(
    "draft",
    [
        news.PostDraft("", "x"), news.PostDraft("x", ""), news.PostDraft("x" * 121, "x"),
        news.PostDraft("x\u202ey", "x"), news.PostDraft("x", "x" * 5001),
        news.PostDraft("x", "x", link="javascript:alert(1)"),
        news.PostDraft("x", "x", urgent_until=NOW - timedelta(hours=1)),
        news.PostDraft("x", "x", urgent_until=NOW + timedelta(days=40)),
        event(rule="FREQ=DAILY;COUNT=1000000"), event(starts=NOW - timedelta(days=900)),
        event(ends=NOW), event(venue="x" * 201),
    ],
)  # fmt: skip
def test_what_cannot_be_published_is_said(db: Any, draft: news.PostDraft) -> None:
    with pytest.raises(errors.Invalid) as refusal:
        publish(db, draft)
    assert refusal.value.fields


def test_what_a_suspended_or_silent_neighbour_told_is_not_shown(db: Any) -> None:
    neighbour(db)
    news.record_remote(db, read(MOBILIZON), NOW)
    news.record_remote(
        db, dataclasses.replace(read(MOBILIZON), uri=f"{ORIGIN}/n/1", id="n", event=None), NOW
    )

    def shown(now: datetime = NOW) -> tuple[int, int]:
        found = agenda.between(db, NOW, NOW + timedelta(days=60), now)
        return len(found), len(agenda.news(db, now, 10))

    assert shown() == (1, 1)
    peers.mark_heard(db, PEER, NOW)
    assert shown(NOW + timedelta(days=29)) == (1, 1)
    assert shown(NOW + timedelta(days=31)) == (0, 0)
    peers.change_suspended(db, PEER, NOW, "x")
    assert shown() == (0, 0)
    peers.change_suspended(db, PEER, None, None)
    neighbours.remove_shops(db, PEER)
    assert shown() == (0, 0)
    assert posts.get_by_uri(db, f"{ORIGIN}/n/1") is None


def test_news_of_a_restored_node_are_newer_than_what_neighbours_heard(db: Any) -> None:
    """A neighbour drops what is not newer than what it holds: it would differ for ever."""
    post = publish(db, event())
    later = NOW + timedelta(days=2)
    restoring.begin_anew(db, later)
    again = posts.get(db, post.id)
    assert again is not None
    assert again.updated >= later
    change = changes.get(db, post.uri)
    assert change is not None
    assert change.updated == again.updated
    row = db.execute("SELECT fingerprint FROM changes WHERE uri = ?", (post.uri,)).fetchone()
    assert row[0] == publications.fingerprint(post.uri, stamp(again.updated))
