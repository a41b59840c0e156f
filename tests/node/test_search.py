"""What a resident finds: three rings, nearest first, no shop filling the page."""

import dataclasses
import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from node import catalogue, errors, filters, gathering, globe, ranking, search
from node.model import (
    Condition,
    DeliveryTerms,
    FoundListing,
    FoundOffer,
    FoundShop,
    Hours,
    Kind,
    Reduction,
    ReductionKind,
    RingName,
    SearchAnswer,
    SearchQuery,
    Span,
)
from node.reading import Plan
from node.store import matches, peers
from node.store import shops as shop_rows
from tests import ground
from tests.ground import BORDEAUX, LYON, MERIGNAC, NOW, PESSAC

BLANQUEFORT = "FR-33056"  # not adjoining Pessac, about 12 km away
ARCACHON = "FR-33009"  # about 43 km


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with ground.opened(tmp_path) as opened:
        yield opened


def ask(
    db: sqlite3.Connection,
    words: str = "pain",
    near: str = PESSAC,
    page: int = 1,
    radius: float = 15,
) -> SearchAnswer:
    return ground.ask(db, SearchQuery(words, ground.place(db, near), page), radius)


def names(answer: SearchAnswer) -> list[list[str]]:
    return [[hit.listing.name for hit in ring.hits] for ring in answer.rings]


def flat(answer: SearchAnswer) -> list[str]:
    return [name for ring in names(answer) for name in ring]


def test_the_commune_then_around_it_then_the_rest_nearest_first(db: sqlite3.Connection) -> None:
    for handle, commune in (
        ("lyon", LYON),
        ("arcachon", ARCACHON),
        ("bordeaux", BORDEAUX),
        ("blanquefort", BLANQUEFORT),
        ("pessac", PESSAC),
        ("merignac", MERIGNAC),
    ):
        ground.publish(db, ground.open_shop(db, handle, commune), f"Pain de {handle}")
    answer = ask(db)
    assert [ring.ring for ring in answer.rings] == ["commune", "around", "further"]
    assert names(answer) == [
        ["Pain de pessac"],
        ["Pain de merignac", "Pain de bordeaux", "Pain de blanquefort"],
        ["Pain de arcachon", "Pain de lyon"],
    ]
    assert [(ring.total, ring.exact) for ring in answer.rings] == [(1, True), (3, True), (2, True)]
    assert answer.next_cursor is None
    far = [hit.distance_km for ring in answer.rings for hit in ring.hits]
    assert far[0] == 0.0
    assert far == sorted(far, key=lambda km: km or 0.0)
    assert answer.rings[0].within_km == 0.0
    assert answer.rings[1].within_km == far[3]
    assert answer.rings[2].within_km == far[5]


def test_an_adjoining_commune_is_around_whatever_the_radius(db: sqlite3.Connection) -> None:
    for commune in (MERIGNAC, BLANQUEFORT):
        ground.publish(db, ground.open_shop(db, commune[3:].lower() + "_x", commune), commune)
    assert names(ask(db, "FR", radius=0)) == [[], [MERIGNAC], [BLANQUEFORT]]
    assert names(ask(db, "FR", radius=15)) == [[], [MERIGNAC, BLANQUEFORT], []]


def test_a_shop_of_a_far_commune_with_a_near_point_is_around(db: sqlite3.Connection) -> None:
    pessac = ground.place(db, PESSAC)
    shop = ground.open_shop(db, "stand", LYON, latitude=pessac.latitude, longitude=pessac.longitude)
    ground.publish(db, shop, "Pain")
    assert names(ask(db)) == [[], ["Pain"], []]


def test_a_shop_of_the_commune_is_in_its_ring_wherever_its_point_is(db: sqlite3.Connection) -> None:
    shop = ground.open_shop(db, latitude=45.75, longitude=4.85)
    ground.publish(db, shop, "Pain")
    answer = ask(db)
    assert names(answer) == [["Pain"], [], []]
    assert (answer.rings[0].hits[0].distance_km or 0) > 300


def test_what_has_no_point_comes_last_and_is_not_lost(db: sqlite3.Connection) -> None:
    nowhere = ground.remote_shop(db, place=None)
    catalogue.record_remote(db, ground.remote_listing(nowhere, "Pain sans lieu"), NOW)
    ground.publish(db, ground.open_shop(db, "lyon", LYON), "Pain de Lyon")
    answer = ask(db)
    assert names(answer) == [[], [], ["Pain de Lyon", "Pain sans lieu"]]
    assert answer.rings[2].hits[1].distance_km is None
    assert answer.rings[2].hits[1].place is None
    assert answer.rings[2].within_km == answer.rings[2].hits[0].distance_km


@pytest.mark.parametrize("most", [0, 2_000])
def test_what_begins_with_the_word_comes_first(
    db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(gathering, "LOOKED_UP_MOST", most)  # either way of looking for it
    shop = ground.open_shop(db)
    for name in ("Pain d'épices au miel", "Miel de lavande", "Bougie au miel", "Miel de sapin"):
        ground.publish(db, shop, name)
    ground.publish(db, shop, "Savon", description="Au miel")
    (here, _, _) = names(ask(db, "miel"))
    assert {*here[:2]} == {"Miel de lavande", "Miel de sapin"}
    assert {*here[2:4]} == {"Pain d'épices au miel", "Bougie au miel"}
    assert here[4] == "Savon"


def test_only_what_has_no_point(db: sqlite3.Connection) -> None:
    nowhere = ground.remote_shop(db, place=None)
    catalogue.record_remote(db, ground.remote_listing(nowhere, "Pain"), NOW)
    answer = ask(db)
    assert names(answer) == [[], [], ["Pain"]]
    assert answer.rings[2].within_km is None


def test_a_place_that_has_no_point_itself_still_gets_an_answer(db: sqlite3.Connection) -> None:
    row = db.execute("SELECT id FROM places WHERE latitude IS NULL LIMIT 1").fetchone()
    if row is None:
        place = ground.place(db, PESSAC)
        place = type(place)(place.id, None, "Pessac", None, None, None, None, None)
    else:
        place = ground.place(db, row[0])
    ground.publish(db, ground.open_shop(db, "lyon", LYON), "Pain de Lyon")
    answer = ground.ask(db, SearchQuery("pain", place))
    assert names(answer) == [[], [], ["Pain de Lyon"]]
    assert answer.rings[2].hits[0].distance_km is None


def test_the_title_before_the_description_then_the_freshest(db: sqlite3.Connection) -> None:
    shop = ground.open_shop(db)
    for number, (name, description) in enumerate(
        [("Farine", "Pour le pain"), ("Pain vieux", ""), ("Pain frais", "")]
    ):
        ground.publish(db, shop, name, description=description, now=NOW + timedelta(hours=number))
    assert names(ask(db))[0] == ["Pain frais", "Pain vieux", "Farine"]


@pytest.mark.parametrize("commune", [PESSAC, LYON])
def test_no_shop_fills_the_page(db: sqlite3.Connection, commune: str) -> None:
    big = ground.open_shop(db, "grand", commune)
    for number in range(30):
        ground.publish(db, big, f"Pain grand {number}", now=NOW + timedelta(days=1))
    for handle in ("a", "b"):
        shop = ground.open_shop(db, handle, commune)
        for number in range(2):
            ground.publish(db, shop, f"Pain {handle} {number}")
    shown = [name.split()[1] for name in flat(ask(db))]
    assert sorted(shown[:3]) == sorted(shown[3:6]) == ["a", "b", "grand"]
    assert set(shown[6:]) == {"grand"}


def test_a_nearer_shop_with_much_lets_the_next_one_have_a_turn(db: sqlite3.Connection) -> None:
    near = ground.open_shop(db, "grand", MERIGNAC)
    for number in range(5):
        ground.publish(db, near, f"Pain grand {number}")
    ground.publish(db, ground.open_shop(db, "petit", BORDEAUX), "Pain petit")
    shown = [name.split()[1] for name in flat(ask(db))]
    assert shown == ["grand", "grand", "grand", "petit", "grand", "grand"]


def test_nearer_comes_first_among_those_further_away_though_one_shop_has_many(
    db: sqlite3.Connection,
) -> None:
    near = ground.open_shop(db, "arcachon", ARCACHON)
    for number in range(5):
        ground.publish(db, near, f"Pain proche {number}")
    ground.publish(db, ground.open_shop(db, "lyon", LYON), "Pain lointain")
    assert flat(ask(db))[-1] == "Pain lointain"


@pytest.mark.parametrize(
    ("offered", "total", "exact"), [(199, 199, True), (200, 200, True), (201, 200, False)]
)
def test_totals_are_exact_up_to_two_hundred(
    db: sqlite3.Connection, offered: int, total: int, exact: bool
) -> None:
    shop = ground.open_shop(db)
    for number in range(offered):
        ground.publish(db, shop, f"Pain {number}")
    ring = ask(db).rings[0]
    assert (ring.total, ring.exact) == (total, exact)


def test_pages_repeat_nothing_and_lose_nothing(db: sqlite3.Connection) -> None:
    offered = set()
    for handle, commune, count in (
        ("a", PESSAC, 13),
        ("b", PESSAC, 12),
        ("c", MERIGNAC, 7),
        ("d", BORDEAUX, 21),
        ("e", LYON, 18),
    ):
        shop = ground.open_shop(db, handle, commune)
        for number in range(count):
            # Several at the very same second, so that the order hangs on more than the time.
            now = NOW + timedelta(seconds=number // 3)
            offered.add(ground.publish(db, shop, f"Pain {handle} {number}", now=now).id)
    seen: list[str] = []
    rings: list[str] = []
    page = 1
    while True:
        answer = ask(db, page=page)
        shown = [(ring.ring, hit.listing.id) for ring in answer.rings for hit in ring.hits]
        assert [ring.total for ring in answer.rings] == [25, 28, 18]
        assert len(shown) == search.PAGE or answer.next_cursor is None
        rings += [ring for ring, _ in shown]
        seen += [listing for _, listing in shown]
        if answer.next_cursor is None:
            break
        page += 1
    assert len(seen) == len(offered) == 71
    assert set(seen) == offered
    assert rings == ["commune"] * 25 + ["around"] * 28 + ["further"] * 18


def test_a_full_last_page_names_no_next_one(db: sqlite3.Connection) -> None:
    shop = ground.open_shop(db)
    for number in range(search.PAGE):
        ground.publish(db, shop, f"Pain {number}")
    assert ask(db).next_cursor is None
    after = ask(db, page=2)
    assert (flat(after), after.next_cursor) == ([], None)
    assert [ring.total for ring in after.rings] == [search.PAGE, 0, 0]
    ground.publish(db, shop, "Pain de plus")
    assert ask(db).next_cursor is not None
    assert len(flat(ask(db, page=2))) == 1


@pytest.mark.parametrize(
    "words",
    [
        "", " ", "l'", '"', "*", "a AND b", "NEAR(x, 3)", "title: pain", "pain OR", "(pain", "-",
        "pain\x00", "%", "'; DROP TABLE listings; --", "🥖", "𐒰 𞤀", "a\u19b0b", "pain " * 10_000,
        " ".join(f"mot{n}" for n in range(10_000)), "x" * 100_000,
    ],
)  # fmt: skip
def test_every_query_gets_an_answer(db: sqlite3.Connection, words: str) -> None:
    ground.publish(db, ground.open_shop(db), "Pain")
    answer = ask(db, words)
    assert [ring.ring for ring in answer.rings] == ["commune", "around", "further"]
    assert answer.query.words == words


def test_a_word_said_ten_thousand_times_is_that_word(db: sqlite3.Connection) -> None:
    ground.publish(db, ground.open_shop(db), "Pain")
    assert flat(ask(db, "pain " * 10_000)) == ["Pain"]


def test_a_hit_has_its_shop_and_its_place(db: sqlite3.Connection) -> None:
    shop = ground.open_shop(
        db,
        "merignac",
        MERIGNAC,
        hours=Hours((Span(1, 9 * 60, 12 * 60),)),
        delivery=DeliveryTerms(places=(PESSAC,)),
    )
    offers = (
        dataclasses.replace(ground.offer(cents), axes={"taille": size})
        for size, cents in (("grand", 350), ("petit", 120), ("moyen", 200))
    )
    cut = Reduction(ReductionKind.PROMOTION, 500, NOW, NOW + timedelta(days=3))
    reduced = dataclasses.replace(ground.offer(400), axes={"taille": "géant"}, reduction=cut)
    listing = ground.publish(db, shop, "Pain", *offers, reduced, delivered=True)
    (hit,) = ask(db).rings[1].hits
    assert hit.place == ground.place(db, MERIGNAC)
    assert hit.shop == FoundShop(**{name: getattr(shop, name) for name in FoundShop._fields})
    told = {name: getattr(listing, name) for name in FoundListing._fields}
    told["offers"] = tuple(
        FoundOffer(**{name: getattr(offer, name) for name in FoundOffer._fields})
        for offer in listing.offers
    )
    assert hit.listing == FoundListing(**told)


# --- what is decided from near is what a look at everything gives ---------------------------------


def scatter(db: sqlite3.Connection, chance: random.Random) -> None:
    """Shops all over, with wares that say common words in different places."""
    there = "department IN ('33', '47', '17') AND latitude IS NOT NULL"
    communes = [row[0] for row in db.execute(f"SELECT id FROM places WHERE {there}")]
    for number in range(60):
        shop = ground.open_shop(
            db, f"s{number}", chance.choice((PESSAC, *chance.sample(communes, 3)))
        )
        for _ in range(chance.choice((1, 2, 5, 9))):
            said = chance.sample(("pain", "bio", "seigle", "rond", "noix"), 3)
            cut = chance.randint(0, 3)
            name = " ".join(said[:cut]) or "Rien"
            ground.publish(db, shop, name, description=" ".join(said[cut:]))


def naive(
    asked: gathering.Asked, plan: Plan, after: ranking.Key | None, wanted: int
) -> gathering.Gathered:
    """Everything that matches, all of it in order."""
    everywhere = ((0, 2**62),)
    rows = matches.find(asked.db, plan.expression, everywhere, prices=asked.prices, limit=10**6)
    runs = asked._runs(rows, asked._titles(plan, everywhere))
    placed = list(ranking.in_order(runs, asked.seed, asked.radius_km, after))
    return gathering.Gathered(placed[:wanted], runs, RingName)


# What is rare, what is few, how large a zone is at least, its margin, and what circles may hold.
WAYS = (
    (10**6, 0, 5, 1.3, 0),
    (0, 0, 5, 1.3, 0),
    (0, 0, 5, 0.1, 0),
    (4, 0, 30, 0.5, 0),
    (0, 50, 5, 1.0, 0),
    (0, 0, 5, 1.3, 10**6),
    (4, 0, 5, 0.1, 10**6),
    (4, 0, 5, 0.5, 60),
)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_decided_early_is_as_a_look_at_everything_gives_it(
    db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    scatter(db, chance)
    monkeypatch.setattr(gathering, "EXACT_UP_TO", 12)
    monkeypatch.setattr(search, "PAGE", 7)
    ways: Counter[str] = Counter()
    for words in ("pain", "pain bio", "noix", "seigle rond bio"):
        near = chance.choice((PESSAC, BORDEAUX, "FR-17300"))
        radius_km = chance.choice((15, 2))  # what borders on the commune may lie beyond it
        with monkeypatch.context() as patch:
            patch.setattr(gathering.Asked, "gather", naive)
            right = pages_of(db, words, near, radius_km)
        shown = [listing for ids, _ in right for listing in ids]
        assert len(shown) == len(set(shown))
        for rare, few, least, margin, hold in WAYS:
            with monkeypatch.context() as patch:
                patch.setattr(gathering, "RARE", rare)
                patch.setattr(gathering, "FEW", few)
                patch.setattr(gathering, "ZONE_LEAST", least)
                patch.setattr(gathering, "MARGIN", margin)
                patch.setattr(gathering, "CIRCLES_HOLD", hold)
                for name in ("_from_circles", "_from_near", "_from_all"):
                    told(patch, name, ways)
                way = (words, near, radius_km, rare, few, least, margin, hold)
                assert pages_of(db, words, near, radius_km) == right, way
    # What is compared is not always come by in the same way.
    assert min(ways[name] for name in ("_from_near", "_from_all")) > 20
    assert ways["_from_circles"] - ways["_from_circles: None"] > 20
    assert ways["_from_near: None"] < ways["_from_near"]


def test_what_is_on_the_other_side_of_the_earth_is_in_the_last_circle(
    db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cosine of that angle, rounded, is a little less than -1 there."""
    for number in range(30):
        shop = ground.open_shop(db, f"s{number}", LYON, latitude=-40.0, longitude=175 + number / 10)
        ground.publish(db, shop, "Rien", description="pain")
    home = ground.place(db, "FR-01011")
    assert home.latitude is not None
    assert home.longitude is not None
    at = globe.vector(-home.latitude, home.longitude - 180)
    here = globe.vector(home.latitude, home.longitude)
    assert sum(a * b for a, b in zip(here, at, strict=True)) < -1.0
    shop = ground.open_shop(
        db, "antipodes", LYON, latitude=-home.latitude, longitude=home.longitude - 180
    )
    ground.publish(db, shop, "Pain")
    monkeypatch.setattr(search, "PAGE", 5)
    monkeypatch.setattr(gathering, "RARE", 0)
    monkeypatch.setattr(gathering, "CIRCLES_HOLD", 10**6)
    ways: Counter[str] = Counter()
    told(monkeypatch, "_from_circles", ways)
    assert flat(ground.ask(db, SearchQuery("pain", home))) == ["Pain", *["Rien"] * 4]
    assert (ways["_from_circles"], ways["_from_circles: None"]) == (1, 0)


@pytest.mark.parametrize("asks", [{"price_min": "4", "price_max": "6"}, {"step_free": "1"}])
@pytest.mark.parametrize(("near", "far"), [(PESSAC, LYON), (LYON, PESSAC)])
def test_a_filter_hides_nothing_of_the_commune_where_very_much_is_further(
    db: sqlite3.Connection,
    monkeypatch: pytest.MonkeyPatch,
    near: str,
    far: str,
    asks: dict[str, str],
) -> None:
    for commune, count in ((near, 8), (far, 60)):
        shop = ground.open_shop(db, f"s{count}", commune, step_free=True)
        for _ in range(count):
            ground.publish(db, shop, "Pain", ground.offer(500))
    monkeypatch.setattr(search, "PAGE", 5)
    # What is here may not be among the first.
    for name, value in (("RARE", 20), ("MARGIN", 0.2), ("ZONE_MOST", 20), ("MATCHES_MOST", 40)):
        monkeypatch.setattr(gathering, name, value)
    monkeypatch.setattr(gathering, "EXACT_UP_TO", 10)
    asked = filters.read(asks)
    answer = ground.ask(db, SearchQuery("pain", ground.place(db, near), filters=asked))
    assert [len(ring.hits) for ring in answer.rings] == [5, 0, 0]
    assert [(ring.total, ring.exact) for ring in answer.rings] == [
        (8, True),
        (0, True),
        (10, False),
    ]


def test_where_more_is_met_than_is_ranked_nothing_is_decided(
    db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is read of circles and zones may then not be all of it, and not of the commune."""
    for commune, count in ((MERIGNAC, 5), (PESSAC, 30)):
        shop = ground.open_shop(db, f"s{count}", commune)
        for _ in range(count):
            ground.publish(db, shop, "Pain")
    monkeypatch.setattr(search, "PAGE", 2)
    for name, value in (("RARE", 0), ("FEW", 0), ("ZONE_LEAST", 1), ("MARGIN", 0.01)):
        monkeypatch.setattr(gathering, name, value)
    monkeypatch.setattr(gathering, "MATCHES_MOST", 10)
    answer = ground.ask(db, SearchQuery("pain", ground.place(db, MERIGNAC)))
    assert [len(ring.hits) for ring in answer.rings] == [2, 0, 0]
    assert [(ring.total, ring.exact) for ring in answer.rings[:2]] == [(5, True), (10, False)]


def pages_of(db: sqlite3.Connection, words: str, near: str, radius_km: float) -> list[Any]:
    pages, cursor = [], None
    while True:
        query = SearchQuery(words, ground.place(db, near), cursor=cursor)
        answer = ground.ask(db, query, radius_km)
        ids = [hit.listing.id for ring in answer.rings for hit in ring.hits]
        pages.append((ids, [(ring.total, ring.exact) for ring in answer.rings]))
        cursor = answer.next_cursor
        if cursor is None:
            return pages


def told(patch: pytest.MonkeyPatch, name: str, ways: "Counter[str]") -> None:
    function = getattr(gathering.Asked, name)

    def called(*args: Any) -> Any:
        found = function(*args)
        ways[name] += 1
        ways[f"{name}: {found if found is None else ''}"] += 1
        return found

    patch.setattr(gathering.Asked, name, called)


# --- filters, and neighbours that are silent ------------------------------------------------------


def filtered(db: sqlite3.Connection, words: str = "pain", **given: str) -> list[str]:
    query = SearchQuery(words, ground.place(db, PESSAC), filters=filters.read(given))
    answer = ground.ask(db, query, now=OPEN)
    assert sum(ring.total for ring in answer.rings) == len(flat(answer))
    return flat(answer)


OPEN = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)  # a Tuesday, half past ten in Pessac


@pytest.mark.parametrize("rare", [0, 10**6])
def test_filters_narrow_what_neighbours_offer_as_what_is_offered_here(
    db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, rare: int
) -> None:
    monkeypatch.setattr(gathering, "RARE", rare)
    tuesday = Hours((Span(1, 9 * 60, 12 * 60),))
    told = {
        "hours": tuesday,
        "payments": ("card", "cheque"),
        "step_free": True,
        "delivery": DeliveryTerms(places=(PESSAC,)),
    }
    here = ground.open_shop(db, "ici", PESSAC, **told)
    ground.publish(db, here, "Pain livré", ground.offer(350), delivered=True)
    ground.publish(db, here, "Pain usé", condition=Condition.USED, category="boulangerie.pain")
    ground.publish(db, here, "Pain appris", kind=Kind.SERVICE, pick_up=False)
    there = dataclasses.replace(ground.remote_shop(db), **told)
    shop_rows.change(db, there)
    catalogue.record_remote(
        db,
        ground.remote_listing(there, "Pain voisin", delivered=True, offers=(ground.offer(900),)),
        NOW,
    )
    plain = ground.open_shop(db, "rien", PESSAC)
    ground.publish(db, plain, "Pain nu", ground.offer(120))
    everything = {"Pain livré", "Pain usé", "Pain appris", "Pain voisin", "Pain nu"}
    assert set(filtered(db)) == everything
    both = everything - {"Pain nu"}
    assert set(filtered(db, open_now="1")) == both
    assert set(filtered(db, payment="cheque")) == both
    assert set(filtered(db, payment="cash")) == set()
    assert set(filtered(db, step_free="1")) == both
    assert set(filtered(db, delivered="1")) == {"Pain livré", "Pain voisin"}
    assert set(filtered(db, kind="service")) == {"Pain appris"}
    assert set(filtered(db, kind="goods")) == everything - {"Pain appris"}
    assert set(filtered(db, pick_up="1")) == everything - {"Pain appris"}
    assert set(filtered(db, condition="used")) == {"Pain usé"}
    assert set(filtered(db, condition="new")) == everything - {"Pain usé"}
    assert set(filtered(db, category="boulangerie")) == {"Pain usé"}
    assert set(filtered(db, category="boulangerie.pain")) == {"Pain usé"}
    assert set(filtered(db, category="primeur")) == set()
    assert set(filtered(db, price_min="1", price_max="4")) >= {"Pain livré", "Pain nu"}
    assert "Pain voisin" not in filtered(db, price_max="4")
    # Upside down they are turned; and a filter alone is a question too.
    assert filtered(db, price_min="4", price_max="1") == filtered(db, price_min="1", price_max="4")
    assert set(filtered(db, "", category="boulangerie")) == {"Pain usé"}
    assert set(filtered(db, "", open_now="1")) == both
    assert set(filtered(db, "", condition="new")) == everything - {"Pain usé"}


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("category", "boulangeri"),
        ("price_min", "cher"),
        ("condition", "ok"),
        ("kind", "x"),
        ("payment", "gold"),
        ("open_now", "perhaps"),
    ],
)
def test_a_filter_that_says_nothing_known_is_told_so(name: str, given: str) -> None:
    with pytest.raises(errors.Invalid) as refused:
        filters.read({name: given})
    assert list(refused.value.fields) == [name]


def test_filters_are_written_as_they_are_read() -> None:
    given = {
        "category": "boulangerie.pain", "open_now": "1", "price_min": "1.50", "price_max": "20.00",
        "condition": "used", "kind": "goods", "pick_up": "1", "delivered": "1", "payment": "card",
        "step_free": "1",
    }  # fmt: skip
    assert filters.write(filters.read(given)) == given
    assert filters.write(filters.read({"price_min": "0", "price_max": "", "open_now": "0"})) == {
        "price_min": "0.00"
    }


@pytest.mark.parametrize("rare", [0, 10**6])
def test_what_a_silent_neighbour_said_comes_later_and_then_not_at_all(
    db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, rare: int
) -> None:
    monkeypatch.setattr(gathering, "RARE", rare)
    silent = ground.remote_shop(db, "muet")
    catalogue.record_remote(db, ground.remote_listing(silent, "Pain ancien"), NOW)
    ground.publish(db, ground.open_shop(db, "lointain", BORDEAUX), "Pain frais")

    def after(days: int) -> list[tuple[str, bool]]:
        query = SearchQuery("pain", ground.place(db, PESSAC))
        answer = ground.ask(db, query, now=NOW + timedelta(days=days))
        return [(hit.listing.name, hit.stale) for ring in answer.rings for hit in ring.hits]

    peers.mark_heard(db, ground.PEER, NOW)
    assert after(13) == [("Pain ancien", False), ("Pain frais", False)]
    assert after(14) == [("Pain frais", False), ("Pain ancien", True)]
    assert after(30) == [("Pain frais", False)]
    peers.mark_heard(db, ground.PEER, NOW + timedelta(days=30))
    assert after(30) == [("Pain ancien", False), ("Pain frais", False)]


@pytest.mark.parametrize("text", ["x", "20261125", "20261125" + ".0" * 9, "2026.1" * 8, "é" * 60])
def test_a_cursor_that_no_answer_gave(db: sqlite3.Connection, text: str) -> None:
    with pytest.raises(errors.Invalid):
        ground.ask(db, SearchQuery("pain", ground.place(db, PESSAC), cursor=text))


def test_spellings_are_mended_and_it_is_said(db: sqlite3.Connection) -> None:
    shop = ground.open_shop(db)
    for number in range(3):
        ground.publish(db, shop, f"Tondeuse à gazon {number}")
    answer = ask(db, "tondeuze")
    assert len(flat(answer)) == 3
    assert answer.suggestion == "tondeuse"
    assert [(one.typed, one.reading, one.read_as) for one in answer.changed] == [
        ("tondeuze", "spelling", ("tondeuse",))
    ]
    assert ask(db, "tond").changed[0].reading == "beginning"
    assert len(flat(ask(db, "tond"))) == 3
    left_out = ask(db, "tondeuse supersonique")
    assert len(flat(left_out)) == 3
    assert [(one.typed, one.reading) for one in left_out.changed][-1:] == [
        ("supersonique", "left_out")
    ]
    assert flat(ask(db, "qzxqzx")) == []
