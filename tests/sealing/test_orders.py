"""Orders: what they cost, what is agreed on, that they bind, and withdrawing from them."""

import dataclasses
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from node import catalogue, errors, law, orders, reservations, sealing, selling, shop_keys, shops
from node.model import (
    NOTHING_SAID,
    Contact,
    DeliveryTerms,
    Exempt,
    Imprint,
    Kind,
    Listing,
    Particulars,
    Reservation,
    ReservationState,
    Selling,
    Shop,
)
from node.store import imprints, listings
from node.store import orders as rows
from node.store import reservations as reservation_rows
from node.store import selling as selling_rows
from tests import ground
from tests.ground import NOW, URIS
from tests.sealing import merchant

LAW = law.load()
DONE, READY = ReservationState.HANDED_OVER, ReservationState.READY
IBAN = "FR1420041010050500013M02606"


def said(shop: Shop, **more: Any) -> Selling:
    values: dict[str, Any] = {
        "trader": "Claire Martin, entrepreneure individuelle",
        "siret": "73282932000074",
        "email": "claire@example.fr",
        "mediator": "Médiateur du commerce, 1 rue du Pont, Pessac",
        "return_address": "12 rue du Colonel-Fonck, 33600 Pessac",
        "within_days": 5,
        "terms": "Relues.",
        "holder": "Claire Martin",
        "iban": IBAN,
    }
    return Selling(shop.id, **{**values, **more})


def shop_in(db: Any, **terms: Any) -> tuple[Shop, merchant.Made]:
    """A florist who may sell at a distance and has not begun to."""
    delivery = {"places": (ground.PESSAC,), "price_cents": 350, "free_from_cents": 4000, **terms}
    shop = ground.open_shop(
        db, address="12 rue du Colonel-Fonck", phone="05 36 49 01 34",
        delivery=DeliveryTerms(**delivery),
    )  # fmt: skip
    made = merchant.make(shop.uri)
    shop_keys.put(db, shop, shop_keys.read(shop, *made.form(), NOW), "", NOW)
    return shop, made


def selling_in(db: Any, **more: Any) -> tuple[Shop, Selling, merchant.Made]:
    shop, made = shop_in(db)
    return shop, selling.save(db, shop, said(shop, **more), NOW, on=True), made


SAID_OF_IT = Particulars(
    allergens=("sulphites",),
    maker=Contact("Atelier", "1 rue des Arts, 33600 Pessac", "atelier@lac.example"),
    strength=125,
)


def goods(db: Any, shop: Shop, name: str = "Vase", cents: int = 1200, **more: Any) -> Listing:
    stock = more.pop("stock", None)
    values = {
        "category": "maison.decoration",
        "delivered": True,
        "particulars": SAID_OF_IT,
        **more,
    }
    offer = ground.offer(cents, stock=stock, quantity_milli=750, unit="ml")
    return ground.publish(db, shop, name, offer, **values)


def asked(listing: Listing, made: merchant.Made, name: str = "a", quantity: int = 1) -> Any:
    shop = listing.uri.partition("/items/")[0]
    return reservations.Asked(
        sealing.reservation_id(name), "fleurs", listing.id, listing.offers[0].id, quantity,
        key=made.id, sealed=made.seal("Zoé", shop, listing.uri, name),
    )  # fmt: skip


def agreed(
    shop: Shop, said: Selling, listing: Listing, quantity: int = 1, *, brought: bool = True
) -> orders.Agreed:
    offer = listing.offers[0]
    quote = selling.quote(shop, said, listing, offer, quantity, brought, LAW)
    return orders.Agreed(quote, said, "<p>terms</p>")


def order(db: Any, what: Any, on: orders.Agreed, now: datetime = NOW) -> Reservation:
    return orders.make(db, URIS, LAW, what, on, reservations.new_code, now)[0]


def stock(db: Any, listing: Listing) -> int | None:
    found = listings.get(db, listing.id)
    assert found is not None
    return found.offers[0].stock


# --- the shop's side -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("without", "missing"),
    [(name, name) for name in
     ("trader", "siret", "email", "mediator", "return_address", "within_days", "terms")]
    + [("iban", "payment")],
)  # fmt: skip
def test_it_stays_off_while_something_is_missing(
    tmp_path: Path, without: str, missing: str
) -> None:
    with ground.opened(tmp_path) as db:
        shop, _ = shop_in(db)
        empty = None if without == "within_days" else ""
        kept = selling.save(
            db, shop, dataclasses.replace(said(shop), **{without: empty}), NOW, on=True
        )
        assert kept.since is None
        assert selling.missing(db, shop, kept) == (missing,)
        assert selling.open_for(db, shop) is None
        assert selling.save(db, shop, said(shop), NOW, on=True).since == NOW
        assert selling.open_for(db, shop) is not None
        # What is taken away again switches it off.
        taken = dataclasses.replace(said(shop), **{without: empty})
        assert selling.save(db, shop, taken, NOW, on=False).since is None


def test_what_the_shop_itself_lacks_is_missing_too(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop = ground.open_shop(db)
        found = selling.missing(db, shop, said(shop))
        assert found == ("address", "phone", "delivery", "key")
        shop = dataclasses.replace(shop, delivery=DeliveryTerms(places=(ground.PESSAC,)))
        assert "delivery" in selling.missing(db, shop, said(shop))  # its price is not told


def test_proposed_terms_must_have_been_read(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop, _ = shop_in(db)
        for line in ("À faire relire par un juriste : …\n\nA.", "To be read by a lawyer: …\nA."):
            kept = selling.save(db, shop, said(shop, terms=line), NOW, on=True)
            assert selling.missing(db, shop, kept) == ("terms",)


def test_off_is_off_at_once_and_what_is_ordered_stays(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop, kept, made = selling_in(db)
        listing = goods(db, shop)
        one = order(db, asked(listing, made), agreed(shop, kept, listing))
        selling.stop(db, shop)
        assert selling.open_for(db, shop) is None
        with pytest.raises(errors.Conflict):
            order(db, asked(listing, made, "b"), agreed(shop, kept, listing))
        assert rows.exists(db, one.id)
        assert selling_rows.get(db, shop.id) == dataclasses.replace(kept, since=None)


@pytest.mark.parametrize(
    ("field", "value"),
    [("siret", "73282932000075"), ("email", "nobody"), ("within_days", 0), ("within_days", 31),
     ("iban", "FR15"), ("iban", "GB29NWBK60161331926819"), ("holder", ""), ("holder", "x" * 71),
     ("link", "http://pay.example.fr"), ("link", "javascript:alert(1)"), ("link", "https://"),
     ("link", "https://a@pay.example.fr/"), ("link", "https://pay.example.fr/ x"),
     ("link", "https://pay"), ("link", "https://[pay.example.fr"), ("terms", "x" * 12_001),
     ("terms", "a\x00b"), ("trader", "x" * 201), ("mediator", "a\x1bb"),
     ("return_address", "x" * 201), ("made_to_measure", tuple("x" * 501))],
)  # fmt: skip
def test_what_cannot_be_used_is_named(tmp_path: Path, field: str, value: Any) -> None:
    with ground.opened(tmp_path) as db:
        shop, _ = shop_in(db)
        with pytest.raises(errors.Invalid) as refused:
            selling.save(db, shop, said(shop, **{field: value}), NOW, on=True)
        assert list(refused.value.fields) == [field]
        assert selling_rows.get(db, shop.id) is None


# --- what can be ordered, for how much -----------------------------------------------------------


@pytest.mark.parametrize(
    ("cents", "quantity", "brought", "goods_cents", "delivery_cents"),
    [(1200, 1, True, 1200, 350), (1200, 3, True, 3600, 350), (1200, 4, True, 4800, 0),
     (4000, 1, True, 4000, 0), (3999, 1, True, 3999, 350), (1200, 1, False, 1200, 0),
     (1, 99, True, 99, 350)],
)  # fmt: skip
def test_the_total(
    tmp_path: Path, cents: int, quantity: int, brought: bool, goods_cents: int, delivery_cents: int
) -> None:
    with ground.opened(tmp_path) as db:
        shop, kept, made = selling_in(db)
        listing = goods(db, shop, cents=cents)
        terms = agreed(shop, kept, listing, quantity, brought=brought)
        one = order(db, asked(listing, made, "a", quantity), terms)
        held = rows.get(db, one.id)
        assert held is not None
        assert (held.goods_cents, held.delivery_cents) == (goods_cents, delivery_cents)
        assert held.total_cents == goods_cents + delivery_cents
        assert held.brought is brought


def test_what_the_legal_notice_says_is_not_asked_again(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop, _ = shop_in(db)
        notice = Imprint("Rose Martin", "entreprise individuelle", email="rose@fleurs.example")
        imprints.put(db, shop.id, notice)
        begun = selling.of_shop(db, shop)
        assert (begun.trader, begun.email) == (
            "Rose Martin, entreprise individuelle",
            "rose@fleurs.example",
        )
        assert "mediator" in selling.missing(db, shop, begun)
        assert "trader" not in selling.missing(db, shop, begun)
        selling.save(db, shop, dataclasses.replace(begun, trader=""), NOW, on=False)
        assert selling.of_shop(db, shop).trader == ""  # what was said here stands


def test_what_can_be_ordered_at_all(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop, kept, _ = selling_in(db)

        def may(said: Selling = kept, **more: Any) -> bool:
            return selling.may_be_ordered(shop, said, goods(db, shop, **more), LAW)

        assert may()
        assert not may(category=None)
        assert not may(kind=Kind.SERVICE)
        assert not may(cents=None)
        assert may(delivered=False)
        assert not may(particulars=NOTHING_SAID)  # who made it
        assert not may(category="boissons.vin")
        assert may(dataclasses.replace(kept, alcohol=True), category="boissons.vin")


def test_there_is_no_withdrawing_from_what_perishes_or_is_made_to_measure(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop, kept, made = selling_in(db)
        bread, vase = goods(db, shop, category="boulangerie.pain"), goods(db, shop)
        kept = selling.save(
            db, shop, dataclasses.replace(kept, made_to_measure=(vase.id,)), NOW, on=False
        )
        for name, listing, why in (
            ("a", bread, Exempt.PERISHABLE), ("b", vase, Exempt.MADE_TO_MEASURE),
        ):  # fmt: skip
            one = order(db, asked(listing, made, name), agreed(shop, kept, listing))
            held = rows.get(db, one.id)
            assert held is not None
            assert held.exempt is why
            with pytest.raises(errors.Conflict):
                orders.withdraw(db, URIS, LAW, one.id, NOW)


# --- ordering ------------------------------------------------------------------------------------


def test_sent_twice_it_is_one_and_binds_longer_than_a_reservation(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop, kept, made = selling_in(db)
        listing = goods(db, shop, stock=3)
        one = order(db, asked(listing, made), agreed(shop, kept, listing))
        assert order(db, asked(listing, made), agreed(shop, kept, listing)) == one
        assert stock(db, listing) == 2
        assert one.expires == NOW + timedelta(days=7)
        later = NOW + timedelta(days=3)
        reservations.sweep(db, URIS, later)
        assert reservation_rows.get(db, one.id) == one
        ready = reservations.act(db, URIS, one.id, READY, later)
        assert ready.expires == later + timedelta(days=60)
        # An unanswered one lapses.
        two = order(db, asked(listing, made, "b"), agreed(shop, kept, listing))
        reservations.sweep(db, URIS, NOW + timedelta(days=7))
        assert stock(db, listing) == 2
        lapsed = reservation_rows.get(db, two.id)
        assert lapsed is not None
        assert lapsed.state is ReservationState.EXPIRED
        # And goes with its reservation.
        reservations.sweep(db, URIS, NOW + timedelta(days=38))
        assert not rows.exists(db, two.id)


def test_only_what_was_read_is_ordered(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop, kept, made = selling_in(db)
        listing = goods(db, shop)
        before = agreed(shop, kept, listing)
        with pytest.raises(errors.Conflict):  # another amount than that of what is asked for
            order(db, asked(listing, made, quantity=2), before)
        dearer = dataclasses.replace(listing.offers[0], price_cents=1300)
        draft = dataclasses.replace(catalogue.draft_of(listing), offers=(dearer,))
        later = NOW + timedelta(seconds=1)
        changed = ground.revise(db, shop, listing, draft, later)
        with pytest.raises(errors.Conflict):
            order(db, asked(listing, made), before)
        after = agreed(shop, kept, changed)
        selling.save(db, shop, dataclasses.replace(kept, terms="D’autres."), NOW, on=False)
        with pytest.raises(errors.Conflict):
            order(db, asked(listing, made), after)
        now_free = dataclasses.replace(
            shops.draft_of(shop, ground.place(db, ground.PESSAC)),
            delivery=DeliveryTerms(places=(ground.PESSAC,), price_cents=0),
        )
        selling.save(db, shop, kept, NOW, on=False)
        shops.revise_shop(db, now_free, later)
        with pytest.raises(errors.Conflict):
            order(db, asked(listing, made), after)
        assert reservation_rows.count_open(db, shop.id) == 0


def test_nobody_orders_without_saying_who(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop, kept, made = selling_in(db)
        listing = goods(db, shop)
        for less in ({"sealed": None}, {"key": None}, {"key": None, "sealed": None}):
            with pytest.raises(errors.Invalid):
                order(
                    db, dataclasses.replace(asked(listing, made), **less),
                    agreed(shop, kept, listing),
                )  # fmt: skip


def test_a_reservation_does_not_become_an_order(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop, kept, made = selling_in(db)
        listing = goods(db, shop)
        one, _ = reservations.make(db, URIS, asked(listing, made), reservations.new_code, NOW)
        with pytest.raises(errors.Conflict):
            order(db, asked(listing, made), agreed(shop, kept, listing))
        assert not rows.exists(db, one.id)
        with pytest.raises(errors.NotFound):
            orders.refuse(db, URIS, one.id, NOW, shop_id=shop.id, by="x", answer=None)
        with pytest.raises(errors.NotFound):
            orders.withdraw(db, URIS, LAW, one.id, NOW)


# --- withdrawing ---------------------------------------------------------------------------------


def test_before_it_is_received_it_goes_back_on_the_shelf(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop, kept, made = selling_in(db)
        listing = goods(db, shop, stock=1)
        one = order(db, asked(listing, made), agreed(shop, kept, listing))
        later = NOW + timedelta(hours=1)
        ended, is_new = orders.withdraw(db, URIS, LAW, one.id, later)
        assert (ended.state, is_new) == (ReservationState.CANCELLED, True)
        assert stock(db, listing) == 1
        again, is_new = orders.withdraw(db, URIS, LAW, one.id, later + timedelta(hours=1))
        assert not is_new
        assert again == ended
        held = rows.get(db, one.id)
        assert held is not None
        assert held.withdrawn == later


def test_a_listing_that_cannot_be_changed_any_more_keeps_nobody_from_ending_an_order(
    tmp_path: Path,
) -> None:
    with ground.opened(tmp_path) as db:
        shop, kept, made = selling_in(db)
        listing = goods(db, shop, stock=3)
        one, two = (
            order(db, asked(listing, made, name), agreed(shop, kept, listing)) for name in "ab"
        )
        # An upgrade may leave a shelf out that something stands on.
        db.execute("UPDATE listings SET category = 'gone.shelf' WHERE id = ?", (listing.id,))
        ended, is_new = orders.withdraw(db, URIS, LAW, one.id, NOW)
        assert (ended.state, is_new) == (ReservationState.CANCELLED, True)
        orders.refuse(db, URIS, two.id, NOW, shop_id=shop.id, by="x", answer=None)
        assert reservation_rows.count_open(db, shop.id) == 0
        assert stock(db, listing) == 1


@pytest.mark.parametrize(
    ("received", "last"),
    [("2026-11-02 11:00", "2026-11-16"),  # a Monday
     ("2026-11-07 11:00", "2026-11-23"),  # ends on a Saturday: on Monday
     ("2026-10-28 11:00", "2026-11-12"),  # ends on the 11th, a holiday
     ("2026-12-11 11:00", "2026-12-28"),  # Christmas, and the weekend behind it
     ("2026-11-02 23:59", "2026-11-16")],
)  # fmt: skip
def test_the_last_day_to_withdraw_on(tmp_path: Path, received: str, last: str) -> None:
    with ground.opened(tmp_path) as db:
        shop, kept, made = selling_in(db)
        listing = goods(db, shop, stock=1)
        zone = ZoneInfo("Europe/Paris")
        there = datetime.fromisoformat(received).replace(tzinfo=zone)
        one = order(db, asked(listing, made), agreed(shop, kept, listing), there)
        held = rows.get(db, one.id)
        assert held is not None
        assert orders.last_day(one, shop, LAW) is None
        done = reservations.act(db, URIS, one.id, DONE, there)
        assert str(orders.last_day(done, shop, LAW)) == last
        end = datetime.fromisoformat(f"{last} 23:59").replace(tzinfo=zone)
        assert orders.may_withdraw(done, held, shop, LAW, end)
        with pytest.raises(errors.Conflict):
            orders.withdraw(db, URIS, LAW, one.id, end + timedelta(minutes=1))
        # It is there as long as one may, and thirty days more for both to see to it.
        reservations.sweep(db, URIS, end)
        orders.withdraw(db, URIS, LAW, one.id, end)
        assert stock(db, listing) == 0  # not back yet
        reservations.sweep(db, URIS, end + timedelta(days=29))
        assert rows.exists(db, one.id)


def test_the_shop_refuses_and_gives_the_stock_back(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop, kept, made = selling_in(db)
        listing = goods(db, shop, stock=1)
        one = order(db, asked(listing, made), agreed(shop, kept, listing))
        with pytest.raises(errors.NotFound):
            orders.refuse(db, URIS, one.id, NOW, shop_id="another", by="x", answer=None)
        orders.refuse(db, URIS, one.id, NOW, shop_id=shop.id, by="x", answer=None)
        assert stock(db, listing) == 1
        with pytest.raises(errors.Conflict):
            orders.withdraw(db, URIS, LAW, one.id, NOW)
