"""The index of searches: derived, dropped and made anew at will."""

import dataclasses
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node import catalogue, upkeep, words
from node.model import Listing
from node.store import database, search
from tests import ground
from tests.ground import NOW


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with ground.opened(tmp_path) as opened:
        yield opened


def found(db: sqlite3.Connection, query: str) -> list[str]:
    return [row.listing for row in search.find(db, words.terms(query), 1000)]


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
        ("lav", [1]),
        ("gâteau", [2]),
        ("gateaux", [2]),
        ("d'été", [1]),
        ("avande", []),
        ("miel saucisson", []),
        ("", []),
    ],
)
def test_every_word_must_be_there_whole_or_begun(
    db: sqlite3.Connection, query: str, expected: list[int]
) -> None:
    offered = market(db)
    assert sorted(found(db, query)) == sorted(offered[n].id for n in expected)


def test_a_match_in_the_title_is_told_from_one_in_the_description(db: sqlite3.Connection) -> None:
    eggs, _, cakes = market(db)
    rows = {row.listing: row.in_title for row in search.find(db, ["oeuf"], 9)}
    assert rows == {eggs.id: True, cakes.id: False}


def test_the_point_is_the_shops_own_or_its_town_halls(db: sqlite3.Connection) -> None:
    own = ground.open_shop(db, "a", latitude=44.5, longitude=0.5)
    town = ground.open_shop(db, "b")
    nowhere = ground.remote_shop(db, "c", place=None)
    unknown = ground.remote_shop(db, "d", place="FR-99999")
    for shop in (own, town):
        ground.publish(db, shop, "Pain")
    for shop in (nowhere, unknown):
        catalogue.record_remote(db, ground.remote_listing(shop, "Pain"), NOW)
    rows = {row.shop: row for row in search.find(db, ["pain"], 9)}
    pessac = ground.place(db, ground.PESSAC)
    assert (rows[own.id].latitude, rows[own.id].longitude) == (44.5, 0.5)
    assert (rows[town.id].latitude, rows[town.id].longitude) == (pessac.latitude, pessac.longitude)
    for shop in (nowhere, unknown):
        assert (rows[shop.id].latitude, rows[shop.id].longitude) == (None, None)


def test_adding_again_takes_the_earlier_ones_place(db: sqlite3.Connection) -> None:
    _, honey, _ = market(db)
    for _ in range(3):
        search.add(db, honey.id)
    assert found(db, "lavande") == [honey.id]
    search.remove(db, honey.id)
    search.remove(db, honey.id)
    assert found(db, "lavande") == []
    assert db.execute("SELECT count(*) FROM search_rows").fetchone()[0] == 2


def test_a_listing_that_is_unknown_or_withdrawn_is_left_out(db: sqlite3.Connection) -> None:
    eggs, _, _ = market(db)
    catalogue.withdraw(db, eggs.id, NOW)
    search.add(db, eggs.id)
    search.add(db, ground.new_id())
    assert db.execute("SELECT count(*) FROM search_rows").fetchone()[0] == 2


def test_no_more_than_asked_for(db: sqlite3.Connection) -> None:
    market(db)
    assert len(search.find(db, ["miel"], 1)) == 1


def index(folder: Path) -> tuple[object, ...]:
    """What the index says, whatever numbers its rows have."""
    with database.reading(folder) as db:
        rows = db.execute(
            "SELECT listing, shop, place, latitude, longitude, updated FROM search_rows"
        )
        queries = ("oeuf", "miel", "pain", "gateau")
        return sorted(map(tuple, rows)), [sorted(found(db, query)) for query in queries]


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
    assert heard == [3]
    with database.reading(folder) as db:
        assert search.is_filled(db)


def test_a_missing_or_older_or_half_filled_index_is_noticed(tmp_path: Path) -> None:
    folder = ground.make(tmp_path)
    for sql in (
        "DROP TABLE search_index",
        "UPDATE search_index SET version = 0",
        "UPDATE search_index SET filled = 0",
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


# Letters and digits of every script, and whatever else the index could take for its own signs.
WRITTEN = st.text(st.characters(codec="utf-8"), max_size=30)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(WRITTEN)
def test_no_query_makes_it_fail(db: sqlite3.Connection, query: str) -> None:
    search.find(db, words.terms(query), 10)


@pytest.mark.parametrize(
    "query",
    [
        '"', "'", "*", "(", "NEAR(a b)", "a AND", "OR", "NOT miel", "title : miel", "miel*",
        "^miel", "{title}: miel", "-miel", "mi\x00el", '"miel" OR "x"', "miel; DROP TABLE listings",
        "𞤀𞤁 𐒰", "Ꟈa", "ⅷ", "x²", "½", "🍯", "क्षत्रिय", "ผ้าไหม", "蜂蜜", "a\u19b0b",
    ],
)  # fmt: skip
def test_the_signs_of_the_query_language_are_mere_text(db: sqlite3.Connection, query: str) -> None:
    market(db)
    found(db, query)


@pytest.mark.parametrize("name", ["蜂蜜", "Мёд", "عسل", "𞤀𞤁𞤂", "Ꟈal", "café 𐒰x"])
def test_a_title_in_another_script_is_found_by_its_own_words(
    db: sqlite3.Connection, name: str
) -> None:
    shop = ground.open_shop(db)
    listing = ground.publish(db, shop, name)
    assert found(db, name) == [listing.id]


def test_what_changed_is_found_by_its_new_words_only(db: sqlite3.Connection) -> None:
    _, honey, _ = market(db)
    with_other_name = dataclasses.replace(honey, name="Miel d'acacia")
    db.execute("UPDATE listings SET name = ? WHERE id = ?", (with_other_name.name, honey.id))
    search.add(db, honey.id)
    assert found(db, "lavande") == []
    assert found(db, "acacia") == [honey.id]
