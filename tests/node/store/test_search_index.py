"""The index of searches: derived, dropped and made anew at will."""

import contextlib
import dataclasses
import itertools
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node import catalogue, upkeep
from node.model import Listing
from node.store import database, hidden, listings, matches, search, search_texts
from tests import ground
from tests.ground import NOW


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with ground.opened(tmp_path) as opened:
        yield opened


def found(db: sqlite3.Connection, query: str) -> list[str]:
    return ground.indexed(db, query)


def in_titles(db: sqlite3.Connection, word: str) -> int:
    """In how many titles spelling help believes a word to be."""
    return dict(matches.vocabulary(db)).get(word, 0)


def market(db: sqlite3.Connection) -> list[Listing]:
    shop = ground.open_shop(db)
    return [
        ground.publish(db, shop, "Œufs de poules élevées en plein air", description="Gros"),
        ground.publish(db, shop, "Miel de lavande", description="Récolté à l'été, à Pessac"),
        ground.publish(db, shop, "Gâteaux au miel", description="Avec des œufs"),
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("œuf", [0, 2]),
        ("OEUFS", [0, 2]),
        ("miel", [1, 2]),
        ("miel lavande", [1]),
        ("lavande miel", [1]),
        ("lav", []),
        ("gâteau", [2]),
        ("gateaux", [2]),
        ("d'été", [1]),
        ("avande", []),
        ("miel saucisson", []),
        ("", []),
    ],
)
def test_every_word_must_be_there_whole(
    db: sqlite3.Connection, query: str, expected: list[int]
) -> None:
    offered = market(db)
    assert sorted(found(db, query)) == sorted(offered[n].id for n in expected)


def test_a_match_in_the_title_is_told_from_one_in_the_description(db: sqlite3.Connection) -> None:
    eggs, _, _ = market(db)
    rows = matches.find(db, '"oeuf"', [(0, 2**62)], titles=True, limit=9)
    assert list(matches.listings_of(db, rows).values()) == [eggs.id]


def beginning(db: sqlite3.Connection, *words: str) -> set[str]:
    """The listings whose titles begin so: by their rows, and by the list of words besides."""
    rows = matches.find(db, f'"{search_texts.EVERYTHING}"', [(0, 2**62)], limit=99)
    by_row = matches.beginning_with(db, rows, words)
    heads = " OR ".join(f'"{search_texts.head_word(word)}"' for word in words)
    assert by_row == set(matches.find(db, heads, [(0, 2**62)], titles=True, limit=99))
    return set(matches.listings_of(db, list(by_row)).values())


def test_what_a_title_begins_with_is_known_of_each_row(db: sqlite3.Connection) -> None:
    eggs, honey, cakes = market(db)
    assert beginning(db, "miel") == {honey.id}
    assert beginning(db, "oeuf", "gateau", "lavande") == {eggs.id, cakes.id}
    shop = ground.open_shop(db, "pains")
    turned = ground.publish(db, shop, "Miel toutes fleurs")
    assert beginning(db, "miel") == {honey.id, turned.id}
    ground.revise(db, shop, turned, ground.draft("Fleurs, toutes, miel", *turned.offers))
    assert beginning(db, "miel") == {honey.id}
    assert beginning(db, "fleur") == {turned.id}
    catalogue.withdraw(db, turned.id, NOW)
    assert beginning(db, "fleur") == set()


def points(db: sqlite3.Connection) -> dict[str, tuple[float | None, float | None]]:
    return {block.shop: (block.latitude, block.longitude) for block in matches.blocks(db)}


def test_the_point_is_the_shops_own_or_its_town_halls(db: sqlite3.Connection) -> None:
    own = ground.open_shop(db, "a", latitude=44.5, longitude=0.5)
    town = ground.open_shop(db, "b")
    nowhere = ground.remote_shop(db, "c", place=None)
    unknown = ground.remote_shop(db, "d", place="FR-99999")
    for shop in (own, town):
        ground.publish(db, shop, "Pain")
    for shop in (nowhere, unknown):
        catalogue.record_remote(db, ground.remote_listing(shop, "Pain"), NOW)
    pessac = ground.place(db, ground.PESSAC)
    assert points(db) == {
        own.id: (44.5, 0.5),
        town.id: (pessac.latitude, pessac.longitude),
        nowhere.id: (None, None),
        unknown.id: (None, None),
    }


def test_a_shop_of_a_commune_that_was_merged_is_in_the_commune_of_today(
    db: sqlite3.Connection,
) -> None:
    former = db.execute(
        "SELECT former.insee, places.id FROM former JOIN places ON places.number = former.place "
        "WHERE places.latitude IS NOT NULL AND former.insee <> places.insee LIMIT 1"
    ).fetchone()
    shop = ground.remote_shop(db, place=f"FR-{former['insee']}")
    catalogue.record_remote(db, ground.remote_listing(shop, "Pain"), NOW)
    (block,) = matches.blocks(db)
    assert (block.place, block.latitude is None) == (former["id"], False)


def test_rows_of_neighbours_have_numbers_near_each_other(db: sqlite3.Connection) -> None:
    numbers = {}
    for handle, commune in (
        ("pessac", ground.PESSAC),
        ("lyon", ground.LYON),
        ("merignac", ground.MERIGNAC),
    ):
        shop = ground.open_shop(db, handle, commune)
        ground.publish(db, shop, "Pain")
        numbers[handle] = next(b.number for b in matches.blocks(db) if b.shop == shop.id)
    far = abs(numbers["pessac"] - numbers["lyon"])
    assert abs(numbers["pessac"] - numbers["merignac"]) * 100 < far


def rows_in(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT count(*) FROM search_rows").fetchone()[0])


def test_putting_it_in_again_changes_nothing(db: sqlite3.Connection) -> None:
    _, honey, _ = market(db)
    before = ground.contents(db)
    search.put(db, honey, honey)
    search.put(db, honey)
    assert ground.contents(db) == before
    search.remove(db, honey)
    search.remove(db, honey)
    assert found(db, "lavande") == []
    assert rows_in(db) == 2
    assert in_titles(db, "lavande") == 0


def test_a_new_price_leaves_the_words_alone(db: sqlite3.Connection) -> None:
    _, honey, _ = market(db)
    words_before = list(map(tuple, db.execute("SELECT * FROM search_words_data")))
    cheaper = dataclasses.replace(honey.offers[0], price_cents=300)
    dearer = dataclasses.replace(cheaper, price_cents=700, axes={"taille": "L"})
    between = dataclasses.replace(cheaper, price_cents=500, axes={"taille": "M"})
    search.put(db, dataclasses.replace(honey, offers=(cheaper,)), honey)
    assert list(map(tuple, db.execute("SELECT * FROM search_words_data"))) == words_before
    several = dataclasses.replace(honey, offers=(cheaper, dearer, between))
    search.put(db, several, dataclasses.replace(honey, offers=(cheaper,)))

    def priced(least: int | None, most: int | None) -> bool:
        wanted = matches.Prices(least, most)
        return bool(matches.find(db, '"lavande"', [(0, 2**62)], prices=wanted, limit=9))

    assert [priced(0, 299), priced(300, 300), priced(701, None)] == [False, True, False]
    assert [priced(301, 499), priced(500, 500), priced(501, 699)] == [False, True, False]
    assert [priced(None, 299), priced(None, 300), priced(700, None)] == [False, True, True]


def test_a_withdrawn_listing_is_left_out(db: sqlite3.Connection) -> None:
    eggs, _, _ = market(db)
    search.put(db, catalogue.withdraw(db, eggs.id, NOW))
    assert rows_in(db) == 2
    assert in_titles(db, "poule") == 0


def test_words_that_are_not_known_any_more_lead_nowhere(db: sqlite3.Connection) -> None:
    """They would break the index if others were taken out in their place."""
    _, honey, _ = market(db)
    other = dataclasses.replace(honey, name="Miel d'acacia")
    search.put(db, other)  # without what it was before
    assert found(db, "acacia") == [honey.id]
    assert found(db, "lavande") == []
    for table in ("search_words", "search_titles"):
        db.execute(f"INSERT INTO {table} ({table}) VALUES ('integrity-check')")


def test_no_more_than_asked_for(db: sqlite3.Connection) -> None:
    market(db)
    assert len(matches.find(db, '"miel"', [(0, 2**62)], limit=1)) == 1
    assert matches.count(db, '"miel"', 1) == 1
    assert matches.count(db, '"miel"', 9) == 2


def test_a_shop_with_very_much_has_several_blocks(
    db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "ROWS_IN_BLOCK", 3)
    monkeypatch.setattr(search, "BLOCKS_IN_CELL", 2)
    shop = ground.open_shop(db)
    offered = {ground.publish(db, shop, f"Pain {number}").id for number in range(10)}
    assert set(found(db, "pain")) == offered
    blocks = matches.blocks(db)
    assert [block.used for block in blocks] == [3, 3, 3, 1]
    assert len({block.number for block in blocks}) == 4


def index(folder: Path) -> tuple[object, ...]:
    """What the index says, whatever numbers its rows have."""
    with database.reading(folder) as db:
        rows = db.execute("SELECT listing, low, high, others, checksum FROM search_rows")
        queries = ("oeuf", "miel", "pain", "gateau")
        return (
            sorted(map(tuple, rows)),
            points(db),
            sorted(matches.vocabulary(db)),
            [sorted(found(db, query)) for query in queries],
        )


def test_made_anew_it_says_the_same(tmp_path: Path) -> None:
    folder = ground.make(tmp_path)
    with database.transaction(folder) as db:
        offered = market(db)
        shop = ground.remote_shop(db)
        catalogue.record_remote(db, ground.remote_listing(shop, "Pain"), NOW)
        catalogue.withdraw(db, offered[0].id, NOW + timedelta(1))
    before = index(folder)
    heard: list[int] = []
    assert upkeep.reindex(folder, heard.append) == 3
    assert index(folder) == before
    assert heard[-1] == 3
    with database.reading(folder) as db:
        assert search.is_filled(db)


def test_a_missing_or_older_or_half_filled_index_is_noticed(tmp_path: Path) -> None:
    folder = ground.make(tmp_path)
    for sql in (
        "DROP TABLE search_index",
        "UPDATE search_index SET version = 0",
        "UPDATE search_index SET filled = 0",
        "UPDATE search_index SET texts_version = texts_version + 1",
        "DELETE FROM search_index",
    ):
        upkeep.reindex(folder)
        with database.transaction(folder) as db:
            assert search.is_filled(db)
            db.execute(sql)
            assert not search.is_filled(db)


def test_it_is_remade_in_steps_and_misses_none(tmp_path: Path) -> None:
    folder = ground.make(tmp_path)
    with database.transaction(folder) as db:
        shop = ground.open_shop(db)
        for number in range(2 * database.BATCH + 5):
            ground.publish(db, shop, f"Pain {number}")
    assert upkeep.reindex(folder) == 2 * database.BATCH + 5
    with database.reading(folder) as db:
        assert len(found(db, "pain")) == 2 * database.BATCH + 5


def test_a_reindex_leaves_it_to_one_that_began_later(tmp_path: Path) -> None:
    """What another is still filling must not be taken for whole."""
    folder = ground.make(tmp_path)
    with database.transaction(folder) as db:
        shop = ground.open_shop(db)
        for number in range(database.BATCH + 5):
            ground.publish(db, shop, f"Pain {number}")

    def another(_: int) -> None:
        with database.transaction(folder) as db:
            search.make_anew(db)

    upkeep.reindex(folder, another)
    with database.reading(folder) as db:
        assert not search.is_filled(db)
        assert db.execute("SELECT count(*) FROM search_rows").fetchone()[0] == 0
    assert upkeep.reindex(folder) == database.BATCH + 5
    with database.reading(folder) as db:
        assert search.is_filled(db)


# Letters and digits of every script, and whatever else the index could take for its own signs.
WRITTEN = st.text(st.characters(codec="utf-8"), max_size=30)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(WRITTEN)
def test_no_query_makes_it_fail(db: sqlite3.Connection, query: str) -> None:
    assert found(db, query) == []  # nothing is there to be found


@pytest.mark.parametrize(
    "query",
    [
        '"', "'", "*", "(", "NEAR(a b)", "a AND", "OR", "NOT miel", "title : miel", "miel*",
        "^miel", "{title}: miel", "-miel", "mi\x00el", '"miel" OR "x"', "miel; DROP TABLE listings",
        "𞤀𞤁 𐒰", "Ꟈa", "ⅷ", "x²", "½", "🍯", "क्षत्रिय", "ผ้าไหม", "蜂蜜", "a\u19b0b",
    ],
)  # fmt: skip
def test_the_signs_of_the_query_language_are_mere_text(db: sqlite3.Connection, query: str) -> None:
    eggs, honey, cakes = market(db)
    assert set(found(db, query)) <= {eggs.id, honey.id, cakes.id}
    # A sign takes nothing away from the words beside it.
    assert set(found(db, f"{query} lavande")) <= {honey.id}
    assert found(db, "lavande") == [honey.id]


@pytest.mark.parametrize("name", ["蜂蜜", "Мёд", "عسل", "𞤀𞤁𞤂", "Ꟈal", "café 𐒰x"])
def test_a_title_in_another_script_is_found_by_its_own_words(
    db: sqlite3.Connection, name: str
) -> None:
    shop = ground.open_shop(db)
    listing = ground.publish(db, shop, name)
    assert found(db, name) == [listing.id]


def test_what_changed_is_found_by_its_new_words_only(db: sqlite3.Connection) -> None:
    _, honey, _ = market(db)
    row = matches.find(db, '"lavande"', [(0, 2**62)], limit=9)
    other = dataclasses.replace(honey, name="Miel d'acacia")
    search.put(db, other, honey)
    assert found(db, "lavande") == []
    assert found(db, "acacia") == [honey.id]
    assert matches.find(db, '"acacia"', [(0, 2**62)], limit=9) == row
    assert (in_titles(db, "lavande"), in_titles(db, "acacia")) == (0, 1)


def test_a_word_that_moves_from_the_title_to_the_description_leaves_the_title(
    db: sqlite3.Connection,
) -> None:
    """All words together are the same ones, in the same order."""
    shop = ground.open_shop(db)
    listing = ground.publish(db, shop, "Pain bio", description="mie")
    draft = ground.draft("Pain", *listing.offers, description="bio mie")
    listing = ground.revise(db, shop, listing, draft)
    assert found(db, "bio") == [listing.id]
    assert titled(db, "bio") == []
    assert in_titles(db, "bio") == 0
    catalogue.withdraw(db, listing.id, NOW)
    assert titled(db, "pain") == []


def titled(db: sqlite3.Connection, word: str) -> list[int]:
    return matches.find(db, f'"{word}"', [(0, 2**62)], titles=True, limit=9)


def test_many_put_together_are_in_it_as_if_put_one_by_one(
    db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "ROWS_IN_BLOCK", 20)
    eggs, honey, cakes = market(db)
    hidden_shop, shop = ground.remote_shop(db, "cache"), ground.remote_shop(db, "etal")
    fresh = [ground.remote_listing(shop, f"Pain {number}") for number in range(45)]
    unseen, unseen_too = ground.remote_listing(hidden_shop, "Pain"), fresh[7]
    listings.add_all(db, [*fresh, unseen])
    hidden.add(db, hidden_shop.uri, NOW)
    hidden.add(db, unseen_too.uri, NOW)
    dearer = dataclasses.replace(eggs.offers[0], price_cents=99_00)
    changes: list[tuple[Listing, Listing | None]] = [
        *((one, None) for one in fresh[:20]),
        (dataclasses.replace(honey, name="Pain d'épices"), honey),
        (dataclasses.replace(cakes, withdrawn=NOW), cakes),
        (unseen, None),
        (dataclasses.replace(eggs, offers=(dearer,)), eggs),
        *((one, None) for one in fresh[20:]),
    ]

    def written() -> list[object]:
        tables = (
            "SELECT * FROM search_rows ORDER BY id",
            "SELECT number, shop, used FROM search_blocks ORDER BY number",
            "SELECT * FROM search_vocabulary WHERE listings > 0 ORDER BY word",
        )
        words = ("pain", "epice", "miel", "gateau", "oeuf")
        return [
            *(list(map(tuple, db.execute(table))) for table in tables),
            *((found(db, word), in_titles(db, word)) for word in words),
        ]

    with contextlib.suppress(LookupError), database.savepoint(db):
        for listing, before in changes:
            search.put(db, listing, before)
        one_by_one = written()
        raise LookupError
    search.put_all(db, changes)
    assert written() == one_by_one
    shown = [one.id for one in fresh if one is not unseen_too]
    assert sorted(found(db, "pain")) == sorted([*shown, honey.id])
    assert [found(db, word) for word in ("lavande", "gateau")] == [[], []]
    assert [block.used for block in matches.blocks(db) if block.shop == shop.id] == [20, 20, 4]
    for table in ("search_words", "search_titles"):
        db.execute(f"INSERT INTO {table} ({table}) VALUES ('integrity-check')")


def test_readers_are_told_of_a_block_that_has_doubled(db: sqlite3.Connection) -> None:
    shop = ground.remote_shop(db)
    offered = [ground.remote_listing(shop, "Pain") for _ in range(40)]
    listings.add_all(db, offered)

    def revision() -> int:
        return int(db.execute("SELECT revision FROM search_blocks").fetchone()[0])

    seen = []
    for first, last in itertools.pairwise((0, 10, 16, 20, 30, 40)):
        search.put_all(db, [(one, None) for one in offered[first:last]])
        seen.append(revision())
    first, second, third, fourth, fifth = seen
    assert first == second < third == fourth < fifth
