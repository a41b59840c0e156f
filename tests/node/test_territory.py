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

from node import territory, translation
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
        ("paris 11 eme", "75111"),
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
    assert '"Saint-Denis" may be 7 places' in caught.value.detail
    for choice in ("Saint-Denis (974) FR-97411", "Saint-Denis (93) FR-93066"):
        assert choice in caught.value.detail
    found = territory.find(db, "Saint-Denis")
    assert [place.department for place in found[:4]] == ["974", "93", "11", "30"]
    assert [place.country for place in found[4:]] == ["BE", "BE", "IT"]


@pytest.mark.parametrize(
    ("text", "place_id"),
    [
        ("geonames:3120304", "geonames:3120304"),
        ("Irun", "geonames:3120304"),
        ("Irun (Espagne)", "geonames:3120304"),
        ("irun es", "geonames:3120304"),
        ("Genève", "geonames:2660646"),
        ("Geneva", "geonames:2660646"),
        ("Biel", "geonames:2661513"),
        ("Bruxelles", "geonames:2800866"),
        ("48.5734, 7.7521", "FR-67482"),
    ],
)
def test_places_abroad_and_points(db: sqlite3.Connection, text: str, place_id: str) -> None:
    understood = territory.understand(db, text)
    assert understood.place is not None
    assert understood.place.id == place_id
    assert territory.find(db, text)[0].id == place_id


def test_a_french_commune_comes_before_a_town_abroad_of_its_name(db: sqlite3.Connection) -> None:
    assert territory.resolve(db, "Cologne").department == "32"
    understood = territory.understand(db, "Cologne")
    assert understood.place is not None
    assert understood.place.insee == "32106"
    assert [choice.label for choice in understood.choices] == [
        "Cologne (Allemagne)",
        "Cologne (Italie)",
    ]
    assert understood.sentence is None


def test_a_village_abroad_is_not_taken_for_a_misspelt_commune(db: sqlite3.Connection) -> None:
    with pytest.raises(Invalid, match=r"Pessac \(33\) FR-33318, .*Pesac \(Roumanie\) geonames:"):
        territory.resolve(db, "Pesac")
    understood = territory.understand(db, "Pesac")
    assert understood.place is None
    assert [choice.label for choice in understood.choices] == [
        "Pessac (33)",
        "Pesac (Roumanie)",
    ]
    assert territory.resolve(db, "Pesac (Roumanie)").country == "RO"
    assert territory.resolve(db, "Irun").country == "ES"


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Bordaux", "Bordeaux (33)"),
        ("Mérignak", "Mérignac (33)"),
        ("st medard en jale", "Saint-Médard-en-Jalles (33)"),
        ("Saint-Dennis 93", "Saint-Denis (93)"),
        ("Bordaux, Gironde", "Bordeaux (33)"),
        ("33000 Bordaux", "Bordeaux (33)"),
        ("33077 Bordaux Cedex", "Bordeaux (33)"),
        ("75011 Pariz", "Paris 11e Arrondissement (75)"),
        ("Marseile 8", "Marseille 8e Arrondissement (13)"),
        ("33114 xyzzyq", "Le Barp (33)"),
        ("Lile", "Lille (59)"),
        ("Londre", "Londres (Royaume-Uni)"),
    ],
)
def test_a_misspelt_name_is_read_and_said(db: sqlite3.Connection, text: str, label: str) -> None:
    understood = territory.understand(db, text)
    assert understood.place is not None
    assert territory.label(understood.place) == label
    assert understood.corrected_from == text
    assert understood.sentence == f"No place is known as “{text}”; it was read as {label}."


@pytest.mark.parametrize(
    ("text", "first", "said"),
    [
        ("Saint-Denis", "Saint-Denis (974)", "Several places match “Saint-Denis”: choose one."),
        # There is one in Cornwall, too small to be meant before those that are spelled nearly so.
        ("Saint-Dennis", "Saint-Denis (974)", "Several places match “Saint-Dennis”: choose one."),
        ("Aix", "Aix-en-Provence (13)", "Several places match “Aix”: choose one."),
        ("51300", "Isle-sur-Marne (51)", "Several places match “51300”: choose one."),
        ("Paris", "Paris 1er Arrondissement (75)", "Paris has arrondissements: choose yours."),
        ("Pariz", "Paris 1er Arrondissement (75)", "Paris has arrondissements: choose yours."),
        ("Lyon (69)", "Lyon 1er Arrondissement (69)", "Lyon has arrondissements: choose yours."),
        (
            "Paris 21",
            "Paris 20e Arrondissement (75)",
            "No place is known as “Paris 21”. Is it one of these?",
        ),
    ],
)
def test_what_may_be_several_is_a_choice(
    db: sqlite3.Connection, text: str, first: str, said: str
) -> None:
    understood = territory.understand(db, text)
    assert understood.place is None
    assert understood.choices[0].label == first
    assert len({choice.place.id for choice in understood.choices}) == len(understood.choices) > 1
    assert understood.sentence == said


def test_a_choice_has_what_tells_it_from_the_others(db: sqlite3.Connection) -> None:
    choices = territory.understand(db, "51300").choices
    assert len(choices) == 47
    assert all("51300" in choice.postal_codes for choice in choices[1:])
    assert choices[1].label == "Vitry-le-François (51)"
    paris = territory.understand(db, "Paris").choices
    assert len(paris) == 21
    assert paris[10].postal_codes == ("75011",)
    assert paris[20].place.id == "FR-75056"


@pytest.mark.parametrize("text", ["FR-75056", "fr 75056", "75056"])
def test_a_whole_city_is_meant_by_its_codes(db: sqlite3.Connection, text: str) -> None:
    understood = territory.understand(db, text)
    assert understood.place == territory.resolve(db, "Paris") == places.get(db, "FR-75056")
    assert understood.sentence is None


def test_the_evident_one_of_several_is_taken_and_said(db: sqlite3.Connection) -> None:
    understood = territory.understand(db, "Mérignac")
    assert understood.place is not None
    assert understood.place.insee == "33281"
    assert [choice.label for choice in understood.choices] == ["Mérignac (16)", "Mérignac (17)"]
    assert understood.sentence == "Several places are called so; Mérignac (33) was taken."
    # Around Cognac there are two others.
    between = territory.understand(db, "Mérignac", home=places.get(db, "FR-16102"))
    assert between.place is None
    at_home = territory.understand(db, "Saint-Denis", home=places.get(db, "FR-97415"))
    assert at_home.place is not None
    assert at_home.place.department == "974"


def test_what_a_merged_commune_belongs_to_is_said(db: sqlite3.Connection) -> None:
    understood = territory.understand(db, "Annecy-le-Vieux")
    assert understood.place is not None
    assert understood.sentence == "“Annecy-le-Vieux” is part of Annecy (74) today."


def test_a_place_without_coordinates_is_found_and_said_to_be_so(db: sqlite3.Connection) -> None:
    understood = territory.understand(db, "Nouméa")
    assert understood.place is not None
    assert not territory.has_point(understood.place)
    assert understood.sentence == (
        "Where Nouméa (988) lies is not known here, so no distances can be told."
    )
    assert territory.has_point(territory.resolve(db, "Pessac"))


def test_sentences_are_said_in_the_language_of_the_reader(db: sqlite3.Connection) -> None:
    french = translation.Catalogues().speak("fr")
    understood = territory.understand(db, "Bordaux", french)
    assert understood.sentence == (
        "Aucun lieu connu ne s’appelle «\u202fBordaux\u202f»\u202f: compris comme Bordeaux (33)."
    )


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
        ("Paris 21", "Paris 20e Arrondissement (75)"),
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
    started = time.process_time()
    assert territory.find(db, text) == []
    assert territory.complete(db, text) == []
    with pytest.raises(NotFound) as caught:
        territory.resolve(db, text)
    understood = territory.understand(db, text)
    assert (understood.place, understood.choices) == (None, ())
    assert understood.sentence is not None
    assert understood.sentence.isprintable()
    assert len(understood.sentence) < 200
    # Each of the four takes under a tenth of a second; the rest is for slower processors.
    assert time.process_time() - started < 0.5
    assert caught.value.detail.isprintable()
    assert len(caught.value.detail) < 400


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=300))
def test_any_text_has_an_answer(text: str) -> None:
    folded = territory.fold(text)
    assert territory.fold(folded) == folded
    with closing(places.open_places()) as db:
        assert isinstance(territory.complete(db, text), list)
        sentence = territory.understand(db, text).sentence
        assert sentence is None or sentence.isprintable()
        refused = ""
        try:
            territory.resolve(db, text)
        except (NotFound, Invalid) as error:
            refused = error.detail
        assert refused == "" or refused.isprintable()


def test_folding_a_long_run_of_marks_is_linear() -> None:
    marks = "".join(chr(0x0300 + n % 0x70) for n in range(200_000))
    assert len({unicodedata.combining(mark) for mark in marks}) > 3
    started = time.process_time()
    assert territory.fold("a" + marks) == "a"
    assert time.process_time() - started < 1


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
