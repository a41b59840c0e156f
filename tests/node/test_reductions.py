"""The law of reduced prices (Code de la consommation, L112-1-1), as a table of cases and in use.

A case: the prices that were shown (days before today: euros), what runs, what is wanted, and what
comes of it: a reference and whole percent, or why not, with the price that stands against it.
"""

import dataclasses
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from node import catalogue, errors, law, reductions
from node.model import Listing, PriceRow, Reduction, ReductionKind
from node.reductions import Wish
from node.store import listings
from node.store import prices as price_rows
from node.store import reductions as rows
from tests import ground

LAW = law.load()
PARIS = ZoneInfo("Europe/Paris")
TODAY = date(2026, 11, 25)
NOW = datetime(2026, 11, 25, 10, 0, tzinfo=PARIS).astimezone(UTC)
P, S, D, G = (
    ReductionKind.PROMOTION,
    ReductionKind.SALES,
    ReductionKind.CLEARANCE,
    ReductionKind.PERISHABLE,
)
NONE = "no-reduction"


def history(shown: dict[float, float | None]) -> list[PriceRow]:
    """{40: 100, 3: 80}: 100 € from 40 days ago on, 80 € from 3 days ago on."""
    return [
        PriceRow("o", None if euros is None else round(euros * 100), "EUR",
                 NOW - timedelta(days=days))
        for days, euros in shown.items()
    ]  # fmt: skip


def run(kind: ReductionKind, price: float, reference: float, *, ends: float = 5) -> rows.Row:
    """A reduction that runs since the day before yesterday."""
    return rows.Row(
        id=1, offer="o", listing="l", kind=kind, price_cents=round(price * 100), currency="EUR",
        regular_cents=round(reference * 100), reference_cents=round(reference * 100),
        since=NOW - timedelta(days=2), starts=NOW - timedelta(days=2),
        ends=NOW + timedelta(days=ends), state="running", why=None,
    )  # fmt: skip


# prices shown, running, kind, wanted, in so many days; then reference and percent, or why and price
CASES: list[tuple[str, dict[float, float | None], Any, Any, float, float, Any, float]] = [
    ("a steady price", {90: 100}, None, P, 80, 0, 20, 100),
    ("a cut of one cent in a hundred euros says no percent", {90: 100}, None, P, 99.99, 0, 0, 100),
    ("percent is never rounded up", {90: 24.90}, None, P, 19.90, 0, 20, 24.90),
    ("19.99 of 30 is 33 percent, not 34", {90: 30}, None, P, 19.99, 0, 33, 30),
    ("the same price is no reduction", {90: 100}, None, P, 100, 0, NONE, 100),
    ("a higher price is no reduction", {90: 100}, None, P, 110, 0, NONE, 100),
    ("raised yesterday, reduced to the old price", {90: 80, 1: 100}, None, P, 80, 0, NONE, 80),
    ("raised yesterday, reduced to between", {90: 80, 1: 100}, None, P, 90, 0, NONE, 80),
    ("raised yesterday, reduced below the old", {90: 80, 1: 100}, None, P, 72, 0, 10, 80),
    ("80, 100, 90: no reduction within 30 days", {60: 80, 29: 100}, None, P, 90, 0, NONE, 80),
    ("80, 100, 90: one when 100 stood 31 days", {60: 80, 31: 100}, None, P, 90, 0, 10, 100),
    ("80 ended within the 30th day before", {60: 80, 30: 100}, None, P, 90, 0, NONE, 80),
    ("80 ended before the 30th day began", {60: 80, 30.5: 100}, None, P, 90, 0, 10, 100),
    ("the lowest counts, not the last", {90: 100, 20: 70, 10: 100}, None, P, 80, 0, NONE, 70),
    ("a flash price of a minute counts", {90: 100, 9: 50, 8.999: 100}, None, P, 60, 0, NONE, 50),
    ("a promotion of last week counts", {90: 100, 14: 80, 7: 100}, None, P, 80, 0, NONE, 80),
    ("deeper than that of last week", {90: 100, 14: 80, 7: 100}, None, P, 70, 0, 12, 80),
    ("last month's has lapsed", {90: 100, 45: 80, 38: 100}, None, P, 80, 0, 20, 100),
    ("falling prices, never announced", {90: 100, 20: 90, 10: 85}, None, P, 80, 0, 5, 85),
    ("rising prices", {29: 50, 20: 60, 10: 70}, None, P, 60, 0, NONE, 50),
    ("a price on request has none to reduce", {90: None}, None, P, 80, 0, "no-price", 0),
    ("on request until yesterday", {90: None, 1: 100}, None, P, 80, 0, 20, 100),
    ("on request in between counts for nothing", {90: 60, 45: None, 9: 100}, None, P, 80, 0, 20,
     100),
    ("never shown at all", {}, None, P, 80, 0, "never-shown", 0),
    ("new: shown for a week", {7: 100}, None, P, 80, 0, 20, 100),
    ("new: shown at two prices", {7: 60, 3: 100}, None, P, 80, 0, NONE, 60),
    ("new: since this morning", {0.1: 100}, None, P, 90, 0, 10, 100),
    ("a cut follows on a cut: the first reference", {90: 100, 2: 80}, run(P, 80, 100), P, 70, 0,
     30, 100),
    ("a third cut", {90: 100, 9: 80, 2: 70}, run(P, 70, 100), P, 60, 0, 40, 100),
    ("the same cut for longer", {90: 100, 2: 80}, run(P, 80, 100), P, 80, 0, 20, 100),
    ("a shallower cut follows on a deeper one", {90: 100, 2: 80}, run(P, 80, 100), P, 90, 0, NONE,
     80),
    ("another kind begins anew", {90: 100, 2: 80}, run(P, 80, 100), D, 70, 0, 12, 80),
    ("another kind at the same price", {90: 100, 2: 80}, run(P, 80, 100), D, 80, 0, NONE, 80),
    ("the next begins as this one ends", {90: 100, 2: 80}, run(P, 80, 100, ends=5), P, 70, 5, 30,
     100),
    ("the next begins a day after: no succession", {90: 100, 2: 80}, run(P, 80, 100, ends=5), P,
     70, 6, 12, 80),
    ("planned for when the low price has lapsed", {90: 80, 1: 100}, None, P, 90, 32, 10, 100),
    ("planned for a day too early", {90: 80, 1: 100}, None, P, 90, 29, NONE, 80),
    ("soldes look back 30 days too", {90: 100, 20: 70, 10: 100}, None, S, 80, 0, NONE, 70),
    ("a second markdown of the soldes", {90: 100, 2: 70}, run(S, 70, 100), S, 50, 0, 50, 100),
    ("clearance looks back 30 days too", {90: 80, 10: 100}, None, D, 85, 0, NONE, 80),
    ("perishable: the price just before", {90: 2, 1: 3}, None, G, 2, 0, 33, 3),
    ("perishable: cheaper yesterday evening too", {90: 3, 1: 1.5, 0.5: 3}, None, G, 1.5, 0, 50, 3),
    ("perishable: the same price is none", {90: 3}, None, G, 3, 0, NONE, 3),
    ("perishable: again lower in the evening", {90: 3, 2: 2}, run(G, 2, 3), G, 1, 0, 66, 3),
    ("after what perished, 30 days count again", {90: 3, 5: 1, 4: 3}, None, P, 2, 0, NONE, 1),
    ("cents: 9.99 to 9.98", {90: 9.99}, None, P, 9.98, 0, 0, 9.99),
    ("one cent left", {90: 0.02}, None, P, 0.01, 0, 50, 0.02),
    ("the largest price", {90: 9_999_999.99}, None, P, 1, 0, 99, 9_999_999.99),
]  # fmt: skip


def judged(case: Any) -> reductions.Verdict:
    _, shown, running, kind, wanted, ahead, *_ = case
    told = history(shown)
    last = told[-1].price_cents if told else 10_000
    offer = dataclasses.replace(ground.offer(), id="o", price_cents=last)
    begins = NOW + timedelta(days=ahead)
    wish = Wish(kind, round(wanted * 100), begins.date(), begins.date() + timedelta(days=3))
    return reductions.judge(told, offer, running, wish, begins, PARIS, LAW)


def test_there_are_forty_cases_at_least() -> None:
    assert len({case[0] for case in CASES}) == len(CASES) >= 40


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_the_table(case: Any) -> None:
    expected, cents = case[-2], round(case[-1] * 100)
    verdict = judged(case)
    if isinstance(expected, str):
        assert (verdict.refused, verdict.cents) == (expected, cents)
    else:
        assert verdict.refused is None
        assert (verdict.percent, verdict.cents) == (expected, cents)


def test_a_refusal_names_the_day_of_the_price_that_makes_it() -> None:
    verdict = judged(("", {90: 80, 1: 100}, None, P, 90, 0))
    assert (verdict.cents, verdict.day) == (8000, date(2026, 11, 24))
    verdict = judged(("", {90: 100, 14: 80, 7: 100}, None, P, 85, 0))
    assert (verdict.cents, verdict.day) == (8000, date(2026, 11, 18))


def test_what_is_new_says_since_when() -> None:
    assert judged(("", {7: 100}, None, P, 80, 0)).shown_since == date(2026, 11, 18)
    assert judged(("", {90: 100}, None, P, 80, 0)).shown_since is None


# --- days ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("department", "year", "winter", "summer"),
    [
        ("33", 2017, "01-11", "06-28"),
        ("33", 2019, "01-09", "06-26"),
        ("33", 2024, "01-10", "06-26"),
        ("33", 2025, "01-08", "06-25"),
        ("33", 2027, "01-06", "06-23"),  # the 13th and the 30th are too late: a week earlier
        ("57", 2017, "01-02", "06-28"),
        ("88", 2025, "01-02", "06-25"),
        ("06", 2019, "01-09", "07-03"),
        ("2A", 2024, "01-10", "07-10"),
        ("971", 2024, "01-06", "09-28"),
        ("972", 2019, "01-09", "10-03"),
        ("974", 2024, "09-07", "02-03"),
        ("975", 2024, "01-17", "07-17"),
        ("977", 2024, "05-04", "10-12"),
    ],
)
def test_when_soldes_begin(department: str, year: int, winter: str, summer: str) -> None:
    periods = LAW.soldes(department, date(year, 6, 1))
    for day in (winter, summer):
        first = date.fromisoformat(f"{year}-{day}")
        (period,) = [one for one in periods if one.first == first]
        assert period.last == first + timedelta(days=27)


def days(wish: Wish, listing: Listing, shop: Any, today: date = TODAY) -> Any:
    found = reductions.judge_days(wish, listing, shop, today, LAW)
    return found.refused if isinstance(found, reductions.Verdict) else found


def test_days_that_may_and_may_not_be(tmp_path: Path) -> None:
    with ground.opened(tmp_path / "node") as db:
        shop = ground.open_shop(db, handle="pains", now=NOW)
        bread = ground.publish(db, shop, "Pain", category="boulangerie.pain")
        pot = ground.publish(db, shop, "Pot", category="jardin.outillage")
    day = timedelta(days=1)
    assert days(Wish(P, 1, TODAY, TODAY), pot, shop) == (
        datetime(2026, 11, 25, 0, 0, tzinfo=PARIS),
        datetime(2026, 11, 26, 0, 0, tzinfo=PARIS),
    )
    assert days(Wish(P, 1, TODAY - day * 9, TODAY - day), pot, shop) == "over"
    assert days(Wish(P, 1, TODAY, TODAY - day), pot, shop) == "over"
    assert days(Wish(P, 1, TODAY, TODAY + day * 400), pot, shop) == "too-long"
    assert days(Wish(P, 1, TODAY + day * 367, TODAY + day * 370), pot, shop) == "too-far"
    assert days(Wish(P, 1, date(9999, 12, 31), date(9999, 12, 31)), pot, shop) == "too-far"
    assert days(Wish(G, 1, TODAY, TODAY), bread, shop)[0].hour == 0
    assert days(Wish(G, 1, TODAY, TODAY), pot, shop) == "not-perishable"
    assert days(Wish(S, 1, TODAY, TODAY), pot, shop) == "outside-soldes"
    january = date(2027, 1, 6)
    assert days(Wish(S, 1, january, january + day * 27), pot, shop)[0].hour == 8
    assert days(Wish(S, 1, january + day, january + day), pot, shop)[0].hour == 0
    assert days(Wish(S, 1, january, january + day * 28), pot, shop) == "outside-soldes"
    late = dataclasses.replace(pot, published=datetime(2026, 12, 20, tzinfo=UTC))
    assert days(Wish(S, 1, january, january), late, shop) == "not-offered-before"
    assert days(Wish(S, 1, january, january, offered=True), late, shop)[0].hour == 8


# --- in use --------------------------------------------------------------------------------------


class Shelf:
    """One listing at 100 € since fifty days, and a clock."""

    def __init__(self, db: Any) -> None:
        self.db = db
        self.now = NOW - timedelta(days=50)
        self.shop = ground.open_shop(db, now=self.now)
        listing = catalogue.publish(
            db, ground.URIS, self.shop,
            catalogue.ListingDraft("Pot", (ground.offer(price_cents=10_000),)),
            ground.new_id, self.now,
        )  # fmt: skip
        self.id = listing.id
        self.now = NOW

    @property
    def offer(self) -> Any:
        listing = listings.get(self.db, self.id)
        assert listing is not None
        return listing.offers[0]

    def wish(
        self, euros: float, first: int = 0, last: int = 3, kind: ReductionKind = P
    ) -> reductions.Verdict:
        today = self.now.astimezone(PARIS).date()
        wish = Wish(
            kind, round(euros * 100), today + timedelta(days=first), today + timedelta(days=last)
        )
        (verdict,) = reductions.decide(
            self.db, ground.URIS, self.shop, self.id, [(self.offer.id, wish)], self.now, LAW
        )
        return verdict

    def after(self, **more: float) -> None:
        self.now += timedelta(**more)
        while reductions.turn(self.db, ground.URIS, self.now, LAW):
            pass

    def price(self, euros: float) -> None:
        offers = (dataclasses.replace(self.offer, price_cents=round(euros * 100)),)
        draft = dataclasses.replace(
            catalogue.draft_of(catalogue.get_on_show(self.db, self.id)), offers=offers
        )
        catalogue.revise(self.db, ground.URIS, self.shop, self.id, draft, self.now)

    @property
    def states(self) -> list[str]:
        return [row.state for row in rows.find(self.db, self.id)]

    @property
    def shown(self) -> list[int | None]:
        return [row.price_cents for row in price_rows.find(self.db, self.id)]


@pytest.fixture
def shelf(tmp_path: Path) -> Any:
    with ground.opened(tmp_path / "node") as db:
        yield Shelf(db)


def test_begins_at_once_ends_by_itself_and_every_price_is_a_row(shelf: Shelf) -> None:
    assert shelf.wish(80).percent == 20
    reduced = shelf.offer
    assert reduced.price_cents == 8000
    assert reduced.reduction == Reduction(
        P, 10_000, NOW, datetime(2026, 11, 29, 0, 0, tzinfo=PARIS)
    )
    shelf.after(days=3)
    assert shelf.offer == reduced
    shelf.after(days=1)
    assert (shelf.offer.price_cents, shelf.offer.reduction) == (10_000, None)
    assert shelf.states == ["ended"]
    assert shelf.shown == [10_000, 8000, 10_000]
    assert shelf.wish(80).refused == NONE


def test_planned_begins_on_its_day(shelf: Shelf) -> None:
    assert shelf.wish(80, first=2, last=4).allowed
    assert shelf.offer.price_cents == 10_000
    shelf.after(days=2)
    assert shelf.offer.price_cents == 8000
    assert rows.next_due(shelf.db) == datetime(2026, 11, 30, 0, 0, tzinfo=PARIS)


def test_planned_is_judged_again_when_it_begins(shelf: Shelf) -> None:
    shelf.wish(80, first=2, last=4)
    shelf.price(75)
    shelf.price(100)
    shelf.after(days=2)
    assert (shelf.offer.price_cents, shelf.offer.reduction) == (10_000, None)
    (row,) = rows.find(shelf.db, shelf.id)
    assert (row.state, row.why) == ("refused", "no-reduction 7500 2026-11-25")


def test_a_second_markdown_keeps_reference_beginning_and_way_back(shelf: Shelf) -> None:
    shelf.wish(80)
    shelf.after(days=1)
    assert shelf.wish(60, last=2).percent == 40
    assert shelf.offer.reduction.reference_cents == 10_000
    assert shelf.offer.reduction.since == NOW
    shelf.after(days=9)
    assert (shelf.offer.price_cents, shelf.states) == (10_000, ["ended", "ended"])


def test_the_next_follows_without_a_gap(shelf: Shelf) -> None:
    shelf.wish(80, last=1)
    assert shelf.wish(70, first=2, last=3).percent == 30
    shelf.after(days=2)
    assert (shelf.offer.price_cents, shelf.offer.reduction.reference_cents) == (7000, 10_000)
    assert shelf.shown == [10_000, 8000, 7000]


def test_a_price_typed_over_it_ends_the_announcement(shelf: Shelf) -> None:
    shelf.wish(80)
    shelf.price(90)
    assert shelf.offer.reduction is None
    # And is no step of a succession: what stood against it before still does.
    assert shelf.wish(85).refused == NONE
    shelf.after(days=9)
    assert shelf.offer.price_cents == 9000


def test_stopped_and_taken_back(shelf: Shelf) -> None:
    shelf.wish(80)
    shelf.wish(70, first=9, last=12)
    for row in rows.find(shelf.db, shelf.id):
        reductions.stop(shelf.db, ground.URIS, shelf.id, row.id, shelf.now)
        reductions.stop(shelf.db, ground.URIS, "another", row.id, shelf.now)
    assert (shelf.offer.price_cents, shelf.states) == (10_000, ["stopped", "stopped"])
    shelf.after(days=20)
    assert shelf.offer.price_cents == 10_000


def test_a_node_that_slept_through_it_announces_nothing(shelf: Shelf) -> None:
    shelf.wish(80, first=1, last=2)
    shelf.after(days=30)
    assert shelf.shown == [10_000]
    assert shelf.states == ["ended"]


def test_withdrawn_meanwhile(shelf: Shelf) -> None:
    shelf.wish(80)
    shelf.wish(70, first=5, last=6)
    catalogue.withdraw(shelf.db, shelf.id, shelf.now)
    shelf.after(days=20)
    assert shelf.states == ["ended", "stopped"]


def test_price_rows_cannot_be_changed(shelf: Shelf) -> None:
    with pytest.raises(Exception, match="never changed"):
        shelf.db.execute("UPDATE price_rows SET price_cents = 1")


# --- the file ------------------------------------------------------------------------------------


def test_a_nodes_own_file_takes_the_place_of_a_table(tmp_path: Path) -> None:
    (tmp_path / "law.toml").write_text('[perishable]\nshelves = ["mode"]\n')
    own = law.load(tmp_path)
    assert own.is_perishable("mode.bijoux")
    assert not own.is_perishable("primeur.fruits")
    assert own.reference_days == 30


@pytest.mark.parametrize(
    "text", ["not toml", "[reductions]\n", "[reductions]\ndays = 0\nlongest = 1\n",
             "[soldes]\ndays = 28\n", "[reductions]\ndays = inf\nlongest = 1\n",
             "[reductions]\ndays = 30\nlongest = 100000000000\n",
             "[distance]\nwithdrawal_days = 13\n", "[distance]\nwithdrawal_days = 22\n"]
)  # fmt: skip
def test_a_law_that_cannot_be_used_is_said_at_start(tmp_path: Path, text: str) -> None:
    (tmp_path / "law.toml").write_text(text)
    with pytest.raises(errors.Unusable, match=r"law\.toml"):
        law.load(tmp_path)


def test_every_table_names_its_source() -> None:
    assert all(table["source"] for table in LAW.tables.values())
