"""What people mean by the name of a place, asked of the real gazetteer."""

import math
import sqlite3
import time
import unicodedata
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node import territory
from node.errors import Invalid, NotFound
from node.gazetteer import names
from node.store import places


@pytest.fixture(scope="module")
def db() -> Iterator[sqlite3.Connection]:
    with closing(places.open_places()) as opened:
        yield opened


@pytest.mark.parametrize(
    ("text", "insee"),
    [
        # codes
        ("33063", "33063"),
        ("FR-33063", "33063"),
        (" fr-2a004 ", "2A004"),
        ("2A004", "2A004"),
        ("33000", "33063"),
        ("33 000", "33063"),
        ("97400", "97411"),
        # names as they are written
        ("Bordeaux", "33063"),
        ("BORDEAUX", "33063"),
        ("l'abergement clemenciat", "01001"),
        ("L’Abergement-Clémenciat", "01001"),
        ("St Medard en Jalles", "33449"),
        ("st-médard-en-jalles", "33449"),
        ("Ste Foy les Lyon", "69202"),
        ("Villeneuve s/ Lot", "47323"),
        ("Saint-André lès Lille", "59527"),
        ("coeuvres et valsery", "02201"),
        ("Cœuvres-et-Valsery", "02201"),
        ("e\u0301pernay", "51230"),
        # articles, more or less
        ("Le Havre", "76351"),
        ("Havre", "76351"),
        ("Rochelle 17", "17300"),
        ("le bordeaux", "33063"),
        # the department tells which
        ("Saint-Denis (93)", "93066"),
        ("Saint-Denis 974", "97411"),
        ("st denis, la réunion", "97411"),
        ("Saint-Denis, Réunion", "97411"),
        ("Saint-Denis (Seine-Saint-Denis)", "93066"),
        ("Saint-Denis, Gard", "30247"),
        ("Sainte-Colombe 05", "05135"),
        ("Sainte-Colombe 5", "05135"),
        ("Châlons 53", "53049"),
        ("chatillon indre", "36045"),
        # the postal code or the INSEE code beside it tells which
        ("33000 Bordeaux", "33063"),
        ("Bordeaux 33800", "33063"),
        ("Saint-Denis 93200", "93066"),
        ("Bordeaux (33063)", "33063"),
        ("33077 BORDEAUX CEDEX", "33063"),
        ("97490 Saint-Denis", "97411"),
        ("97499 Saint-Denis Cedex", "97411"),
        # arrondissements
        ("Paris 11e", "75111"),
        ("Paris 11", "75111"),
        ("paris 11ème arrondissement", "75111"),
        ("11e arrondissement de Paris", "75111"),
        ("75011", "75111"),
        ("75011 Paris", "75111"),
        ("75111", "75111"),
        ("75116", "75116"),
        ("Paris 1er", "75101"),
        ("Lyon 3", "69383"),
        ("Lyon 2nd", "69382"),
        ("Marseille 8e", "13208"),
        ("Paris cedex 11", "75111"),
        # whole cities
        ("Paris", "75056"),
        ("Paris 75", "75056"),
        ("75000", "75056"),
        ("Lyon", "69123"),
        ("69123", "69123"),
        ("Marseille", "13055"),
        # merged communes
        ("Annecy-le-Vieux", "74010"),
        ("Bellegarde-sur-Valserine", "01033"),
        ("74011", "74010"),
        ("FR-74011", "74010"),
        # a name of today wins over one of before
        ("Sceaux", "92071"),
        # communes without coordinates
        ("Nouméa", "98818"),
        ("Saint-Barthélemy (977)", "97701"),
        ("Orée d'Anjou", "49126"),
        ("Aurseulles", "14581"),
        # the only one that begins so
        ("Levallois", "92044"),
    ],
)
def test_a_place_as_people_give_it(db: sqlite3.Connection, text: str, insee: str) -> None:
    assert territory.resolve(db, text).insee == insee
    assert territory.find(db, text)[0].insee == insee


def test_every_place_is_meant_by_its_id_and_by_its_label(db: sqlite3.Connection) -> None:
    rows = db.execute("SELECT id FROM places WHERE number % 40 = 0 OR kind = 'ARM'").fetchall()
    assert len(rows) > 900
    for row in rows:
        place = places.get(db, row["id"])
        assert place is not None
        assert territory.resolve(db, place.id) == place
        assert place in territory.find(db, territory.label(place))
        assert place in territory.find(db, place.name)
        for neighbour in places.adjoining(db, place.id)[:1]:
            assert place in places.adjoining(db, neighbour.id)


def test_names_of_several_communes_are_always_said_to_be(db: sqlite3.Connection) -> None:
    with pytest.raises(Invalid) as caught:
        territory.resolve(db, "Saint-Denis")
    assert caught.value.code == "ambiguous-place"
    assert '"Saint-Denis" may be 4 places' in caught.value.detail
    for choice in ("Saint-Denis (974) FR-97411", "Saint-Denis (93) FR-93066"):
        assert choice in caught.value.detail
    assert [place.department for place in territory.find(db, "Saint-Denis")] == [
        "974",
        "93",
        "11",
        "30",
    ]


def test_no_more_than_ten_choices_are_listed(db: sqlite3.Connection) -> None:
    with pytest.raises(Invalid) as caught:
        territory.resolve(db, "51300")
    assert caught.value.detail.count("FR-") == 10
    assert "and 37 more" in caught.value.detail


def test_five_digits_that_are_both_codes_are_two_things(db: sqlite3.Connection) -> None:
    found = territory.find(db, "17300")
    assert [place.name for place in found] == ["La Rochelle", "Rochefort", "Vergeroux"]
    with pytest.raises(Invalid):
        territory.resolve(db, "17300")
    assert territory.resolve(db, "FR-17300").name == "La Rochelle"
    assert territory.resolve(db, "17300 Rochefort").name == "Rochefort"
    assert len(territory.find(db, "51300")) == 47  # Isle-sur-Marne by its code, then 46 served
    assert territory.find(db, "51300")[0].insee == "51300"


def test_a_postal_code_wins_over_the_code_of_a_merged_commune(db: sqlite3.Connection) -> None:
    # 04100 is Manosque's postal code and was Larche's INSEE code.
    found = territory.find(db, "04100")
    assert [place.name for place in found] == ["Manosque", "Val d'Oronaye"]
    assert territory.resolve(db, "04100").name == "Manosque"


def test_a_beginning_gives_all_that_begin_so(db: sqlite3.Connection) -> None:
    assert {place.insee for place in territory.find(db, "Châlons")} == {"51108", "51109", "53049"}
    with pytest.raises(Invalid):
        territory.resolve(db, "Châlons")
    # "La Roche" is not Roche, though that is a commune.
    assert len(territory.find(db, "la roche")) > 10


def test_names_told_apart_by_a_remark(db: sqlite3.Connection) -> None:
    assert {place.insee for place in territory.find(db, "Château-Chinon")} == {"58062", "58063"}
    assert territory.resolve(db, "Château-Chinon (Ville)").insee == "58062"


def test_merged_communes_come_after_those_of_that_name_today(db: sqlite3.Connection) -> None:
    found = [place.name for place in territory.find(db, "Saint-Benoît")]
    assert found[-1] == "Groslée-Saint-Benoit"
    assert set(found[:-1]) == {"Saint-Benoît"}
    assert territory.resolve(db, "Saint-Benoît (01)").name == "Groslée-Saint-Benoit"


def test_a_city_offers_its_arrondissements(db: sqlite3.Connection) -> None:
    found = territory.find(db, "Lyon")
    assert found[0].name == "Lyon"
    assert [place.insee for place in found[1:]] == [f"6938{number}" for number in range(1, 10)]


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("Bordaux", "Bordeaux (33)"),
        ("Vordeaux", "Bordeaux (33)"),
        ("Sant-Etiene", "Saint-Étienne (42)"),
        ("Lhay les roses", "L'Haÿ-les-Roses (94)"),
        ("Marsielle", "Marseille (13)"),
        ("33000 Bordaux", "Bordeaux (33)"),
        ("Bordaux (33)", "Bordeaux (33)"),
        ("Paris 21", "Paris (75)"),
    ],
)
def test_an_unknown_name_is_answered_with_near_ones(
    db: sqlite3.Connection, text: str, near: str
) -> None:
    assert territory.find(db, text) == []
    with pytest.raises(NotFound) as caught:
        territory.resolve(db, text)
    assert caught.value.code == "unknown-place"
    assert near in caught.value.detail


def test_nothing_near_is_said_of_nonsense(db: sqlite3.Connection) -> None:
    with pytest.raises(NotFound) as caught:
        territory.resolve(db, "zzzzzzz")
    assert caught.value.detail == 'No place is known as "zzzzzzz".'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "-",
        "99999",
        "FR-99999",
        "x" * 10_000,
        "saint " * 33,
        "a" * 200,
        "a b c d e f g h " * 12,
        "e\u0301" * 5_000,
        "\u0301\u0323" * 5_000,
        "\ufdfa" * 200,
        "\U0001f600" * 10_000,
        "\U0001f600" * 200,
        "\x00\x1b[31mPariz\x07\ud800",
        "%_*?'\"; DROP TABLE places; --",
        "١٢٣٤٥",
        "(" * 200,
    ],
)
def test_hostile_text_is_answered_soon(db: sqlite3.Connection, text: str) -> None:
    started = time.perf_counter()
    assert territory.find(db, text) == []
    assert territory.complete(db, text) == []
    with pytest.raises(NotFound) as caught:
        territory.resolve(db, text)
    # Each of the three takes under a tenth of a second; the rest is for a busy machine.
    assert time.perf_counter() - started < 0.5
    assert caught.value.detail.isprintable()
    assert len(caught.value.detail) < 400


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=300))
def test_any_text_has_an_answer(text: str) -> None:
    folded = territory.fold(text)
    assert territory.fold(folded) == folded
    with closing(places.open_places()) as db:
        assert isinstance(territory.complete(db, text), list)
        refused = ""
        try:
            territory.resolve(db, text)
        except (NotFound, Invalid) as error:
            refused = error.detail
        assert refused == "" or refused.isprintable()


def test_folding_a_long_run_of_marks_is_linear() -> None:
    marks = "".join(chr(0x0300 + n % 0x70) for n in range(200_000))
    assert len({unicodedata.combining(mark) for mark in marks}) > 3
    started = time.perf_counter()
    assert territory.fold("a" + marks) == "a"
    assert time.perf_counter() - started < 1


def test_the_folding() -> None:
    assert territory.fold("  L’Haÿ-les-Roses ") == "l hay les roses"
    assert territory.fold("STE-Œuvre s/Mer (Nord)") == "sainte oeuvre sur mer nord"
    assert territory.fold("Straße, Łódź, Ærø, ĲSSEL") == "strasse lodz aero ijssel"
    assert territory.fold("Αθήνα") == "αθηνα"
    assert territory.fold("Ernest") == "ernest"
    assert names.without_article("l hay les roses") == "hay les roses"
    assert names.without_article("les") == "les"


def test_completion_while_typing(db: sqlite3.Connection) -> None:
    def typed(text: str) -> list[str]:
        return [territory.label(place) for place in territory.complete(db, text)]

    assert typed("bord")[0] == "Bordeaux (33)"
    assert typed("st")[:2] == ["Strasbourg (67)", "Saint-Étienne (42)"]
    assert typed("St D")[:2] == ["Saint-Denis (974)", "Saint-Denis (93)"]
    assert typed("roch")[0] == typed("la roch")[0] == "La Rochelle (17)"
    assert typed("Roche")[0] == "Roche (38)"  # the name that is whole already
    assert typed("33000") == ["Bordeaux (33)"]
    assert typed("paris 1") == ["Paris 1er Arrondissement (75)"]
    assert len(territory.complete(db, "s", 3)) == 3
    assert typed("") == []


def test_labels(db: sqlite3.Connection) -> None:
    assert territory.label(territory.resolve(db, "FR-97411")) == "Saint-Denis (974)"


def test_distance() -> None:
    # Bordeaux to Paris, town hall to town hall: 499 km as the crow flies.
    assert territory.distance_km(44.83802, -0.57964, 48.85727, 2.3201) == pytest.approx(
        498.7, abs=1
    )
    assert territory.distance_km(10, 20, 10, 20) == 0
    quarter = math.pi / 2 * territory.EARTH_RADIUS_KM
    assert territory.distance_km(0, 0, 90, 0) == pytest.approx(quarter)
    assert territory.distance_km(0, 0, 0, 180) == pytest.approx(2 * quarter)
    # Across the date line it is the short way.
    assert territory.distance_km(0, 179.5, 0, -179.5) == pytest.approx(quarter / 90)
    assert territory.distance_km(1, 2, 3, 4) == territory.distance_km(3, 4, 1, 2)
