"""What is taken out of sight and comes back: here, in the index, and in what others are told."""

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from node import catalogue, errors, hiding, news, notices, publications, shops
from node.model import Badge, Byline, Photo, Post, Shop
from node.store import changes, hidden, listings, photos, posts, tombstones
from node.store import shops as shop_rows
from tests import ground
from tests.ground import NOW

LATER = NOW + timedelta(hours=1)
LAST = NOW + timedelta(hours=2)


def live(db: Any) -> int:
    return len(changes.live_fingerprints(db))


def test_a_listing_goes_and_comes_back_with_its_photo(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop = ground.open_shop(db)
        photos.add_medium(db, "a" * 64, shop.id, 8, 6, 10, NOW, NOW + timedelta(minutes=1))
        one = ground.publish(db, shop, "Bouquet", photos=(Photo("a" * 64, "Un bouquet", 8, 6),))
        before = live(db)
        hiding.hide_listing(db, one, LATER)
        gone = listings.get(db, one.id)
        assert gone is not None
        assert gone.withdrawn == gone.updated == LATER
        assert ground.indexed(db, "bouquet") == []
        assert not photos.is_shown(db, "a" * 64, LATER)
        change = changes.get(db, one.uri)
        assert change is not None
        assert change.deleted
        with pytest.raises(errors.NotFound):
            ground.revise(db, shop, one, catalogue.draft_of(one))
        hiding.show_listing(db, gone, LAST)
        back = listings.get(db, one.id)
        assert back is not None
        assert dataclasses.replace(back, updated=one.updated, seen=one.seen) == one
        assert back.updated > gone.updated
        assert ground.indexed(db, "bouquet") == [one.id]
        assert photos.is_shown(db, "a" * 64, LATER)
        assert live(db) == before


def test_what_its_shop_withdrew_does_not_come_back_by_being_hidden(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        one = ground.publish(db, ground.open_shop(db))
        withdrawn = catalogue.withdraw(db, one.id, NOW)
        hiding.hide_listing(db, withdrawn, LATER)
        hiding.show_listing(db, withdrawn, LAST)
        found = listings.get(db, one.id)
        assert found is not None
        assert found.withdrawn is not None


def test_a_suspended_shop_is_one_word_to_others_and_comes_back_whole(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop = ground.open_shop(db)
        first, second = ground.publish(db, shop, "Bouquet"), ground.publish(db, shop, "Vase")
        hiding.hide_listing(db, second, NOW + timedelta(minutes=1))
        before = live(db)
        db.execute("DELETE FROM publications")
        hiding.suspend(db, shop, LATER)
        told = [row[0] for row in db.execute("SELECT uri FROM publications")]
        assert told == [shop.uri]
        assert live(db) == before - 2
        assert shop_rows.find(db, own=True) == []
        assert shop_rows.find_in(db, [ground.PESSAC], 10) == []
        assert shop_rows.count_own(db) == 0
        with pytest.raises(errors.Forbidden):
            ground.publish(db, shop, "Rose", now=LATER)
        # What it changes meanwhile does not bring it back for others.
        again = shop_rows.get(db, shop.id)
        assert again is not None
        shops.touch(db, again, LATER + timedelta(minutes=1))
        change = changes.get(db, shop.uri)
        assert change is not None
        assert change.deleted
        again = shop_rows.get(db, shop.id)
        assert again is not None
        hiding.reinstate(db, again, LAST)
        assert [one.id for one in listings.find_of_shop(db, shop.id)] == [first.id]
        assert ground.indexed(db, "bouquet") == [first.id]
        assert live(db) == before
        assert hidden.exists(db, second.uri)  # hidden by itself, it stays so
        hiding.show_listing(db, second, LAST)
        assert len(listings.find_of_shop(db, shop.id)) == 2


def test_what_is_shown_again_under_a_suspended_shop_waits_for_it(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop = ground.open_shop(db)
        one = ground.publish(db, shop)
        hiding.hide_listing(db, one, NOW)
        hiding.suspend(db, shop, LATER)
        found = listings.get(db, one.id)
        assert found is not None
        hiding.show_listing(db, found, LATER)
        assert listings.find_of_shop(db, shop.id) == []
        again = shop_rows.get(db, shop.id)
        assert again is not None
        hiding.reinstate(db, again, LAST)
        assert [found.id for found in listings.find_of_shop(db, shop.id)] == [one.id]


def test_a_shop_that_closes_while_suspended_takes_everything_along(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop = ground.open_shop(db)
        one = ground.publish(db, shop)
        hiding.suspend(db, shop, LATER)
        shops.close_shop(db, shop.handle, LAST)
        assert live(db) == 0
        assert not hidden.exists(db, shop.uri)
        assert not hidden.exists(db, one.uri)


def test_a_neighbours_shop_is_read_on_and_shown_to_nobody(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop = ground.remote_shop(db)
        one = ground.remote_listing(shop, "Pain au levain")
        catalogue.record_remote(db, one, NOW)
        hiding.hide_remote_shop(db, shop, NOW)
        assert ground.indexed(db, "pain") == []
        newer = dataclasses.replace(one, name="Pain de seigle", updated=LATER, seen=LATER)
        assert catalogue.record_remote(db, newer, LATER)
        catalogue.record_remote(db, ground.remote_listing(shop, "Pain bis"), LATER)
        assert ground.indexed(db, "pain") == []
        assert shop_rows.find_in(db, [ground.MERIGNAC], 10) == []
        hiding.show_remote_shop(db, shop)
        assert len(ground.indexed(db, "pain")) == 2
        assert ground.indexed(db, "seigle") == [newer.id]


@pytest.mark.parametrize("told", [True, False])
def test_only_a_state_later_than_its_end_brings_a_listing_back(tmp_path: Path, told: bool) -> None:
    with ground.opened(tmp_path) as db:
        shop = ground.remote_shop(db)
        one = ground.remote_listing(shop)
        catalogue.record_remote(db, one, NOW)
        catalogue.remove_remote(db, one.uri, LATER, LATER if told else None)
        for updated in (NOW, LATER):  # however late they arrive
            assert not catalogue.record_remote(db, dataclasses.replace(one, updated=updated), LAST)
        later = dataclasses.replace(one, updated=LATER + timedelta(seconds=1))
        assert catalogue.record_remote(db, later, LAST) is told
        assert tombstones.covers(db, one.uri, LAST) is not told


def test_the_fingerprint_of_what_is_hidden_counts_for_nobody(tmp_path: Path) -> None:
    """Digests of two nodes agree on what both show."""
    with ground.opened(tmp_path) as db:
        shop = ground.open_shop(db)
        one = ground.publish(db, shop)
        hiding.suspend(db, shop, LATER)
        assert publications.digest(changes.live_fingerprints(db)) == "0" * 64
        assert changes.get(db, one.uri) is not None


def told(db: Any, shop: Shop | None, title: str = "Dégustation samedi") -> Post:
    """News of a shop, or of the town hall."""
    byline = Byline("Chez nous", Badge.SHOP if shop else Badge.TOWN_HALL)
    return news.publish(
        db, ground.URIS, news.Author(byline, shop), news.PostDraft(title, "Venez."),
        ground.new_id, NOW,
    )  # fmt: skip


def on_show(db: Any) -> list[str]:
    return [post.title for post in posts.find_news(db, NOW - timedelta(days=99), 99)]


def test_news_goes_and_comes_back_as_itself(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        post = told(db, None)
        before = live(db)
        hiding.hide_post(db, post, LATER)
        gone = posts.get(db, post.id)
        assert gone is not None
        assert gone.withdrawn == LATER
        assert on_show(db) == []
        with pytest.raises(errors.NotFound):
            news.get_on_show(db, post.id)
        hiding.show_post(db, gone, LAST)
        back = posts.get(db, post.id)
        assert back is not None
        assert dataclasses.replace(back, updated=post.updated, seen=post.seen) == post
        assert on_show(db) == [post.title]
        assert live(db) == before
        # What its author takes away stays away.
        taken = news.withdraw(db, post.id, LAST + timedelta(hours=1))
        hiding.hide_post(db, taken, LAST + timedelta(hours=1))
        hiding.show_post(db, taken, LAST + timedelta(hours=2))
        assert on_show(db) == []


def test_a_suspended_shop_is_silent_and_speaks_again(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop = ground.open_shop(db)
        one, other, town = told(db, shop, "Un"), told(db, shop, "Deux"), told(db, None, "Mairie")
        hiding.hide_post(db, one, NOW)
        before = live(db)
        hiding.suspend(db, shop, LATER)
        assert on_show(db) == [town.title]
        # Its hidden news waits for the shop, and then for the steward, who lifts that too.
        hidden_one = posts.get(db, one.id)
        assert hidden_one is not None
        hiding.show_post(db, hidden_one, LATER)
        assert on_show(db) == [town.title]
        suspended = shop_rows.get(db, shop.id)
        assert suspended is not None
        hiding.reinstate(db, suspended, LAST)
        assert sorted(on_show(db)) == ["Deux", "Mairie", "Un"]
        assert posts.get(db, other.id) is not None
        assert live(db) == before + 1


def test_news_is_reported_by_its_id_and_by_its_page(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop = ground.open_shop(db)
        post, town = told(db, shop), told(db, None)
        for typed in (post.uri, post.url, post.url.replace(".example/", ".example/en/")):
            target = notices.find_target(db, ground.URIS, typed)
            assert target is not None
            assert (target.object, target.kind, target.own) == (post.uri, "post", True)
            assert target.acts == notices.ACTS
        target = notices.find_target(db, ground.URIS, town.uri)
        assert target is not None
        assert "suspend" not in target.acts
        choice = notices.Choice("withdraw", "rules", "1", "Faux")
        notices.decide(db, target, choice, "steward", LATER, seen=LATER)
        assert on_show(db) == [post.title]
        target = notices.find_target(db, ground.URIS, post.uri)
        assert target is not None
        choice = dataclasses.replace(choice, act="hide")
        notices.decide(db, target, choice, "steward", LATER, seen=LATER)
        assert on_show(db) == []
        notices.lift(db, ground.URIS, post.uri, "steward", LAST)
        assert on_show(db) == [post.title]


def test_a_suspended_shop_says_nothing_new(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop = ground.open_shop(db)
        hiding.suspend(db, shop, NOW)
        with pytest.raises(errors.Forbidden):
            told(db, shop)
        told(db, None)
        assert live(db) == 1


def test_a_neighbour_s_shop_that_is_hidden_tells_nothing_here(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop = ground.remote_shop(db)
        own = told(db, None, "Mairie")
        theirs = dataclasses.replace(
            own, id=ground.new_id(), uri=f"{shop.uri}/news/1", url=f"{shop.uri}/news/1",
            peer=shop.peer, shop=shop.id, account=None, actor=shop.uri, title="Ailleurs",
        )  # fmt: skip
        news.record_remote(db, theirs, NOW)
        assert sorted(on_show(db)) == ["Ailleurs", "Mairie"]
        hiding.hide_remote_shop(db, shop, NOW)
        assert on_show(db) == ["Mairie"]
        hiding.show_remote_shop(db, shop)
        assert sorted(on_show(db)) == ["Ailleurs", "Mairie"]
