"""Reservations: stock taken once and given back once, states in order, erased in time."""

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from node import catalogue, errors, hiding, prices, reservations, sealing, shop_keys
from node.model import Availability, Hours, Listing, ReservationState, Shop, Span
from node.store import changes, listings
from node.store import reservations as rows
from node.store import shop_keys as key_rows
from node.web import turnstile
from tests import ground
from tests.ground import NOW, URIS
from tests.sealing import merchant

READY, GONE = ReservationState.READY, ReservationState.UNAVAILABLE
CANCELLED, DONE = ReservationState.CANCELLED, ReservationState.HANDED_OVER


def asked(listing: Listing, name: str = "a", quantity: int = 1, **more: Any) -> reservations.Asked:
    return reservations.Asked(
        sealing.reservation_id(name), "fleurs", listing.id, listing.offers[0].id, quantity, **more
    )


def make(db: Any, *arguments: Any, now: Any = NOW, **more: Any) -> Any:
    return reservations.make(db, URIS, asked(*arguments, **more), reservations.new_code, now)[0]


def act(db: Any, one: Any, state: ReservationState, now: Any = NOW, **more: Any) -> Any:
    return reservations.act(db, URIS, one.id, state, now, **more)


def stock(db: Any, listing: Listing) -> int | None:
    found = listings.get(db, listing.id)
    assert found is not None
    return found.offers[0].stock


def test_stock_is_taken_once_and_given_back_once(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop = ground.open_shop(db)
        listing = ground.publish(db, shop, "Bouquet", ground.offer(stock=3))
        one = make(db, listing, "a", 2)
        assert make(db, listing, "a", 2) == one  # sent twice
        assert stock(db, listing) == 1
        with pytest.raises(errors.Conflict):
            make(db, listing, "b", 2)
        last = make(db, listing, "c", 1)
        held = listings.get(db, listing.id)
        assert held is not None
        assert held.offers[0].availability is Availability.OUT_OF_STOCK
        with pytest.raises(errors.Conflict):
            make(db, listing, "d")
        assert act(db, one, CANCELLED).taken == 0
        assert stock(db, listing) == 2
        with pytest.raises(errors.Conflict):
            act(db, one, CANCELLED)
        assert stock(db, listing) == 2
        act(db, last, READY)
        act(db, last, DONE)
        assert stock(db, listing) == 2


def test_what_is_no_longer_there_does_not_come_back(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        listing = ground.publish(db, ground.open_shop(db), "Bouquet", ground.offer(stock=2))
        act(db, make(db, listing), GONE)
        assert stock(db, listing) == 1


def test_stock_comes_back_to_what_is_out_of_sight(tmp_path: Path) -> None:
    """A steward hides it, then its shop; the reservation ends meanwhile; all is shown again."""
    with ground.opened(tmp_path) as db:
        shop = ground.open_shop(db)
        listing = ground.publish(db, shop, "Bouquet", ground.offer(stock=3))
        first, second = make(db, listing, "a"), make(db, listing, "b")
        hiding.hide_listing(db, catalogue.get_on_show(db, listing.id), NOW)
        told = changes.head(db)
        act(db, first, CANCELLED)
        assert stock(db, listing) == 2
        assert changes.head(db) == told
        hidden_one = listings.get(db, listing.id)
        assert hidden_one is not None
        hiding.show_listing(db, hidden_one, NOW)
        hiding.suspend(db, shop, NOW)
        act(db, second, CANCELLED)
        hiding.reinstate(db, shop, NOW)
        assert catalogue.get_on_show(db, listing.id).offers[0].stock == 3


def test_what_nobody_counts_stays_uncounted(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        listing = ground.publish(db, ground.open_shop(db))
        one = make(db, listing, "a", 99)
        act(db, one, CANCELLED)
        assert stock(db, listing) is None
        for quantity in (0, -1, 100):
            with pytest.raises(errors.Invalid):
                make(db, listing, "b", quantity)


def test_only_steps_that_lead_somewhere_are_taken(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        listing = ground.publish(db, ground.open_shop(db))
        for ended in (GONE, CANCELLED, DONE, ReservationState.EXPIRED):
            one = act(db, make(db, listing, ended), ended)
            assert one.ended == NOW
            for state in (READY, GONE, CANCELLED, DONE):
                with pytest.raises(errors.Conflict):
                    act(db, one, state)
        one = act(db, make(db, listing, "z"), READY)
        with pytest.raises(errors.Conflict):
            act(db, one, READY)
        with pytest.raises(errors.NotFound):
            act(db, one, DONE, shop_id="another shop")
        with pytest.raises(errors.NotFound):
            reservations.act(db, URIS, "nothing", DONE, NOW)


def test_it_runs_out_after_48_hours_and_is_erased_30_days_later(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        listing = ground.publish(db, ground.open_shop(db), "Bouquet", ground.offer(stock=2))
        asked_only, ready = make(db, listing, "a"), make(db, listing, "b")
        assert not reservations.is_silent(asked_only, NOW + timedelta(hours=23))
        assert reservations.is_silent(asked_only, NOW + timedelta(hours=24))
        act(db, ready, READY, NOW + timedelta(hours=40))
        reservations.sweep(db, URIS, NOW + timedelta(hours=47))
        assert stock(db, listing) == 0
        end = NOW + timedelta(hours=48)
        reservations.sweep(db, URIS, end)
        assert stock(db, listing) == 1
        reservations.sweep(db, URIS, NOW + timedelta(hours=88))
        reservations.sweep(db, URIS, NOW + timedelta(hours=88))
        assert stock(db, listing) == 2
        reservations.sweep(db, URIS, end + timedelta(days=29))
        assert rows.get(db, asked_only.id) is not None
        reservations.sweep(db, URIS, end + timedelta(days=30, seconds=1))
        assert rows.get(db, asked_only.id) is None


def test_more_than_can_be_counted_does_not_come_back(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop = ground.open_shop(db)
        listing = ground.publish(db, shop, "Bouquet", ground.offer(stock=2))
        one = make(db, listing)
        full = dataclasses.replace(listing.offers[0], stock=prices.STOCK_MOST)
        ground.revise(db, shop, listing, ground.draft("Bouquet", full))  # a till says so
        act(db, one, CANCELLED)
        assert stock(db, listing) == prices.STOCK_MOST


def test_one_that_cannot_give_its_stock_back_holds_up_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ground.opened(tmp_path) as db:
        shop = ground.open_shop(db)
        bad = ground.publish(db, shop, "Bouquet", ground.offer(stock=2))
        good = ground.publish(db, shop, "Vase", ground.offer(stock=2))
        made = make(db, bad, "a"), make(db, good, "b")
        revise = catalogue.revise

        def failing(db: Any, uris: Any, shop: Any, listing_id: str, *more: Any) -> Any:
            if listing_id == bad.id:
                raise errors.Invalid("bad-photo", "broken")
            return revise(db, uris, shop, listing_id, *more)

        monkeypatch.setattr(catalogue, "revise", failing)
        reservations.sweep(db, URIS, NOW + timedelta(hours=48))
        ended = [rows.get(db, one.id) for one in made]
        assert [one.state for one in ended if one] == [ReservationState.EXPIRED] * 2
        assert stock(db, good) == 2


def test_time_does_not_run_while_the_shop_is_closed(tmp_path: Path) -> None:
    """NOW is a Monday, 9 o'clock; the shop opens on Thursdays at 9 (8 in UTC)."""
    with ground.opened(tmp_path) as db:
        week = Hours((Span(3, 9 * 60, 12 * 60),))
        listing = ground.publish(db, ground.open_shop(db, hours=week))
        one = make(db, listing)
        assert one.expires == NOW + timedelta(days=3, hours=48)
        assert not reservations.is_silent(one, NOW + timedelta(days=3))
        assert reservations.is_silent(one, NOW + timedelta(days=4))
        assert act(db, one, READY, NOW + timedelta(days=3, hours=1)).expires == NOW + timedelta(
            days=5, hours=1
        )


def test_a_resident_erases_at_will(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        listing = ground.publish(db, ground.open_shop(db), "Bouquet", ground.offer(stock=1))
        one = make(db, listing)
        reservations.erase(db, URIS, one.id, NOW)
        reservations.erase(db, URIS, one.id, NOW)
        assert rows.get(db, one.id) is None
        assert stock(db, listing) == 1


def test_one_shop_holds_a_bounded_number(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(reservations, "OPEN_MOST", 3)
    with ground.opened(tmp_path) as db:
        listing = ground.publish(db, ground.open_shop(db))
        for name in "abc":
            make(db, listing, name)
        with pytest.raises(errors.TooMany):
            make(db, listing, "d")
        assert make(db, listing, "a").id == sealing.reservation_id("a")


def test_codes_of_open_ones_differ(tmp_path: Path) -> None:
    codes = iter(["AAA-001", "AAA-001", "AAA-002"])
    with ground.opened(tmp_path) as db:
        listing = ground.publish(db, ground.open_shop(db))
        made = [
            reservations.make(db, URIS, asked(listing, name), lambda: next(codes), NOW)[0].code
            for name in "ab"
        ]
        assert made == ["AAA-001", "AAA-002"]


def test_an_id_is_one_reservation_at_one_shop(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop = ground.open_shop(db)
        one, other = ground.publish(db, shop, "Bouquet"), ground.publish(db, shop, "Rosier")
        make(db, one)
        with pytest.raises(errors.Conflict):
            make(db, other)
        stranger = ground.publish(db, ground.open_shop(db, "pains"), "Pain")
        with pytest.raises(errors.NotFound):
            make(db, stranger, "b")


# --- keys ----------------------------------------------------------------------------------------


def put(db: Any, shop: Shop, made: merchant.Made, before: str = "") -> None:
    shop_keys.put(db, shop, shop_keys.read(shop, *made.form(), NOW), before, NOW)


def test_sealed_words_name_a_key_of_the_shop(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop = ground.open_shop(db)
        listing = ground.publish(db, shop)
        first, second = merchant.make(shop.uri), merchant.make(shop.uri)
        put(db, shop, first)
        sealed = first.seal("x", shop.uri, listing.uri, "a")
        with pytest.raises(errors.Conflict):
            make(db, listing, "a", key=second.id, sealed=sealed)
        with pytest.raises(errors.Invalid):
            make(db, listing, "a", key=first.id, sealed=sealed[:-1])
        with pytest.raises(errors.Invalid):
            make(db, listing, "a", sealed=sealed)
        make(db, listing, "a", key=first.id, sealed=sealed)
        # A card lost for good: what was sealed to it is told to be lost, and nothing more is taken.
        put(db, shop, second, first.id)
        assert [keys.lost for keys in key_rows.find(db, shop.id)] == [False, True]
        with pytest.raises(errors.Conflict):
            make(db, listing, "b", key=first.id, sealed=sealed)
        make(db, listing, "b", key=second.id, sealed=sealed)


def test_a_new_card_with_the_same_owner_or_its_word_loses_nothing(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop = ground.open_shop(db)
        first = merchant.make(shop.uri)
        put(db, shop, first)
        renewed = merchant.make(shop.uri, owner=first.owner_key)
        put(db, shop, renewed, first.id)
        newest, before = key_rows.find(db, shop.id)
        assert (newest.id, before.lost, before.wrapped) == (renewed.id, False, "")
        endorsed = merchant.make(shop.uri, endorsed_by=first.owner_key)
        put(db, shop, endorsed, renewed.id)
        held = {keys.id: keys for keys in key_rows.find(db, shop.id)}
        assert key_rows.current(db, shop.id) == held[endorsed.id]
        assert held[renewed.id].wrapped
        assert not held[renewed.id].lost
        false = merchant.make(shop.uri, endorsed_by=first.owner_key)
        with pytest.raises(errors.Invalid):
            put(db, shop, false, endorsed.id)
        # Replaced keys go once nothing is sealed to them.
        reservations.sweep(db, URIS, NOW)
        assert [keys.id for keys in key_rows.find(db, shop.id)] == [endorsed.id]


def test_keys_that_no_careful_browser_sends_are_refused(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop, other = ground.open_shop(db), ground.open_shop(db, "pains")
        made = merchant.make(shop.uri)
        with pytest.raises(errors.Invalid):
            shop_keys.read(other, *made.form(), NOW)  # signed for another shop
        for at, wrong in enumerate(("x", "A" * 43, "yesterday", "A" * 86, "", "")):
            form = list(made.form())
            if at == 4:
                continue
            form[at] = wrong
            with pytest.raises(errors.Invalid):
                shop_keys.read(shop, *form, NOW)
        with pytest.raises(errors.Invalid):
            shop_keys.read(shop, *made.form(), NOW + timedelta(days=2))
        put(db, shop, made)
        put(db, shop, made)  # sent twice
        with pytest.raises(errors.Conflict):
            put(db, shop, merchant.make(shop.uri), "another")


def test_erased_bytes_are_overwritten(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop = ground.open_shop(db)
        listing = ground.publish(db, shop)
        made = merchant.make(shop.uri)
        put(db, shop, made)
        sealed = [made.seal("x" * size, shop.uri, listing.uri, "a") for size in (10, 4000)]
        one, other = (
            make(db, listing, name, key=made.id, sealed=data)
            for name, data in zip("ab", sealed, strict=True)
        )
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        file = tmp_path / "node.db"
        assert sealed[0][40:1000] in file.read_bytes()
        assert sealed[1][2000:3000] in file.read_bytes()
        reservations.erase(db, URIS, one.id, NOW)
        act(db, other, CANCELLED)
        reservations.sweep(db, URIS, NOW + timedelta(days=31))
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        kept = file.read_bytes()
        assert not any(
            data[at : at + 64] in kept for data in sealed for at in (0, 500, len(data) - 64)
        )


def test_one_address_is_let_through_so_often() -> None:
    gate = turnstile.Turnstile()
    assert [gate.wait("192.0.2.1", 0) for _ in range(turnstile.AT_ONCE)] == [0] * turnstile.AT_ONCE
    assert gate.wait("192.0.2.1", 0) == 181
    assert gate.wait("192.0.2.2", 0) == 0
    assert gate.wait(None, 0) == 0
    assert gate.wait("192.0.2.1", 181) == 0
    assert gate.wait("192.0.2.1", 182) > 0
