"""The questions to the gazetteer, put to the real file; and how that file is made."""

import gzip
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from node import gazetteer
from node.gazetteer import build, names, sources
from node.model import Place
from node.store import places


@pytest.fixture(scope="module")
def db() -> Iterator[sqlite3.Connection]:
    with closing(places.open_places()) as opened:
        yield opened


def insee(found: list[Place]) -> set[str | None]:
    return {place.insee for place in found}


def test_a_place_is_whole(db: sqlite3.Connection) -> None:
    place = places.get(db, "FR-33063")
    assert place == Place(
        id="FR-33063",
        insee="33063",
        name="Bordeaux",
        department="33",
        department_name="Gironde",
        latitude=44.83802,
        longitude=-0.57964,
        population=267991,
    )
    assert places.by_insee(db, "33063") == place


@pytest.mark.parametrize(
    "place_id", ["", "FR-", "FR-99999", "fr-33063", "geonames:2988507", "geonames:", "-"]
)
def test_an_unknown_id_is_none(db: sqlite3.Connection, place_id: str) -> None:
    assert places.get(db, place_id) is None


def test_the_id_of_a_merged_commune_gives_todays(db: sqlite3.Connection) -> None:
    for place in (places.get(db, "FR-74011"), places.by_insee(db, "74011")):
        assert place is not None
        assert place.id == "FR-74010"
    # 01033 was Bellegarde-sur-Valserine and is Valserhône.
    valserhone = places.by_insee(db, "01033")
    assert valserhone is not None
    assert valserhone.name == "Valserhône"


def test_a_postal_code_serves_many_largest_first(db: sqlite3.Connection) -> None:
    served = places.by_postal_code(db, "51300")
    assert len(served) == 46
    assert served[0].name == "Vitry-le-François"
    assert places.by_postal_code(db, "00000") == []


def test_a_postal_code_of_a_large_city_is_its_arrondissement(db: sqlite3.Connection) -> None:
    assert insee(places.by_postal_code(db, "75011")) == {"75111"}
    assert insee(places.by_postal_code(db, "75116")) == {"75116"}
    assert insee(places.by_postal_code(db, "69003")) == {"69383"}
    assert insee(places.by_postal_code(db, "13016")) == {"13216"}
    assert insee(places.by_postal_code(db, "75000")) == {"75056"}


def test_names_of_today_and_of_before(db: sqlite3.Connection) -> None:
    assert insee(places.by_folded_name(db, "saint denis")) == {"93066", "97411", "11339", "30247"}
    assert insee(places.by_folded_name(db, "saint denis", department="93")) == {"93066"}
    assert places.by_folded_name(db, "annecy le vieux") == []
    assert insee(places.by_folded_name(db, "annecy le vieux", former=True)) == {"74010"}
    assert places.by_folded_name(db, "havre") == []
    assert insee(places.by_folded_name(db, "havre", shortened=True)) == {"76351"}


def test_a_prefix_gives_the_largest_first_and_names_of_today_before_others(
    db: sqlite3.Connection,
) -> None:
    assert [place.name for place in places.by_prefix(db, "borde", 2)] == [
        "Bordeaux",
        "Bordères-sur-l'Échez",
    ]
    assert len(places.by_prefix(db, "s", 8)) == 8
    merged = [place.name for place in places.by_prefix(db, "annecy", 5)]
    assert merged == ["Annecy"]
    assert insee(places.by_prefix(db, "saint denis", 50, department="974")) == {"97411"}


def test_pessac_adjoins_bordeaux_and_merignac(db: sqlite3.Connection) -> None:
    around = insee(places.adjoining(db, "FR-33318"))
    assert {"33063", "33281"} <= around
    assert "33318" not in around


def test_arrondissements_have_neighbours_of_their_own(db: sqlite3.Connection) -> None:
    around = insee(places.adjoining(db, "FR-75111"))
    assert around == {"75056", "75103", "75104", "75110", "75112", "75120"}
    # The sixteenth reaches Boulogne-Billancourt, and Boulogne-Billancourt the sixteenth.
    assert "92012" in insee(places.adjoining(db, "FR-75116"))
    assert {"75116", "75056"} <= insee(places.adjoining(db, "FR-92012"))
    assert "92012" not in around


def test_arrondissements_reach_outside_just_where_their_city_does(db: sqlite3.Connection) -> None:
    for city, count in (("FR-75056", 20), ("FR-69123", 9), ("FR-13055", 16)):
        parts = places.parts(db, city)
        assert len(parts) == count
        own = {part.id for part in parts}
        outside = (
            {place.id for part in parts for place in places.adjoining(db, part.id)} - own - {city}
        )
        assert {place.id for place in places.adjoining(db, city)} == own | outside
    assert places.parts(db, "FR-33063") == []


def test_adjoining_is_mutual_and_never_oneself(db: sqlite3.Connection) -> None:
    lopsided = db.execute(
        """
        SELECT COUNT(*) FROM adjoining AS one
        LEFT JOIN adjoining AS other
          ON other.place = one.neighbour AND other.neighbour = one.place
        WHERE other.place IS NULL OR one.place = one.neighbour
        """
    ).fetchone()
    assert tuple(lopsided) == (0,)


def test_an_island_has_no_neighbours(db: sqlite3.Connection) -> None:
    assert places.adjoining(db, "FR-29155") == []  # Ouessant
    assert places.adjoining(db, "FR-99999") == []


def test_every_commune_is_there_with_or_without_a_point(db: sqlite3.Connection) -> None:
    assert tuple(db.execute("SELECT COUNT(*) FROM places WHERE kind = 'COM'").fetchone()) == (
        34969,
    )
    assert tuple(db.execute("SELECT COUNT(*) FROM places WHERE kind = 'ARM'").fetchone()) == (45,)
    assert tuple(db.execute("SELECT COUNT(*) FROM former").fetchone()) == (2576,)
    nowhere = [
        Place(**row)
        for row in db.execute(
            """
        SELECT id, insee, places.name, department, departments.name AS department_name,
               latitude, longitude, population
        FROM places JOIN departments ON code = department WHERE latitude IS NULL
        """
        )
    ]
    assert len(nowhere) == 99
    for place in nowhere:
        assert place in places.by_folded_name(db, names.fold(place.name))


def test_towns_of_other_countries(db: sqlite3.Connection) -> None:
    irun = places.get(db, "geonames:3120304")
    assert irun == Place(
        id="geonames:3120304",
        insee=None,
        name="Irun",
        department=None,
        department_name=None,
        latitude=43.33904,
        longitude=-1.78938,
        population=61983,
        country="ES",
        country_name="Espagne",
    )
    assert places.abroad(db, "irun", 5) == [irun]
    assert places.abroad(db, "irun", 5, country="FR") == []
    assert places.abroad_by_prefix(db, "irun", 1) == [irun]
    assert places.adjoining(db, irun.id) == []
    assert places.postal_codes(db, irun.id) == ()
    assert places.border(db, irun.id) == ()
    assert irun in places.abroad_near(db, 43.34, -1.79)
    # Not among French names, nor French ones among theirs.
    assert places.by_folded_name(db, "irun") == []
    assert places.abroad(db, "bordeaux", 5) == []
    count = db.execute("SELECT COUNT(*) FROM places WHERE kind = 'ABR'").fetchone()
    assert tuple(count) == (72181,)


def test_countries_by_code_and_name(db: sqlite3.Connection) -> None:
    assert places.country(db, "es") == places.country(db, "espagne") == "ES"
    assert places.country(db, "pays bas") == "NL"
    assert places.country(db, "gironde") is None


def test_every_spelling_of_some_lengths(db: sqlite3.Connection) -> None:
    found = places.spellings(db, 8, 9)
    assert {len(name) for name in found} == {8, 9}
    assert {"bordeaux", "merignac"} <= set(found)
    assert len(found) == len(set(found))
    assert "barcelona" in places.spellings(db, 9, 9, abroad=True)
    assert places.spellings(db, 60, 70) == []


def test_who_bears_each_of_several_names(db: sqlite3.Connection) -> None:
    found = places.by_spellings(db, ["saint denis", "havre", "annecy le vieux", "sceaux", "nobody"])
    assert insee(found["saint denis"]) == {"93066", "97411", "11339", "30247"}
    assert insee(found["havre"]) == {"76351"}
    assert insee(found["annecy le vieux"]) == {"74010"}
    assert "92071" in insee(found["sceaux"])
    assert "nobody" not in found
    alone = places.by_spellings(db, ["saint denis"], department="93")
    assert insee(alone["saint denis"]) == {"93066"}
    large = places.abroad_by_spellings(db, ["irun", "roma"], 1_000_000)
    assert [place.id for place in large["roma"]] == ["geonames:3169070"]
    assert list(large) == ["roma"]


def test_postal_codes_of_a_place(db: sqlite3.Connection) -> None:
    assert places.postal_codes(db, "FR-33063") == ("33000", "33100", "33200", "33300", "33800")
    assert places.postal_codes(db, "FR-99999") == ()


def test_a_border_is_rings_of_points(db: sqlite3.Connection) -> None:
    (ring,) = places.border(db, "FR-01001")
    assert ring[:3] == ((46.153, 4.958), (46.144, 4.941), (46.129, 4.939))
    assert ring[0] != ring[-1]
    assert places.border(db, "FR-99999") == places.border(db, "FR-98818") == ()
    # An arrondissement has its own, and so has a commune that was made of others in 2016.
    assert len(places.border(db, "FR-75111")) == 1
    assert len(places.border(db, "FR-49126")) == 1


def test_neighbours_share_the_points_of_their_border(db: sqlite3.Connection) -> None:
    pessac, merignac = (
        {point for ring in places.border(db, place_id) for point in ring}
        for place_id in ("FR-33318", "FR-33281")
    )
    assert len(pessac & merignac) > 3


def test_every_commune_with_an_area_has_a_border(db: sqlite3.Connection) -> None:
    without = db.execute(
        """
        SELECT insee FROM places LEFT JOIN borders ON borders.place = places.number
        WHERE kind <> 'ABR' AND borders.place IS NULL AND department < '975'
        """
    ).fetchall()
    # Set up again in 2025, after the outlines were drawn.
    assert {row[0] for row in without} == {"15031", "15035", "15047", "15171"}


def test_departments_by_code_and_name(db: sqlite3.Connection) -> None:
    assert places.department(db, "33") == "33"
    assert places.department(db, "2a") == "2A"
    assert places.department(db, "gironde") == "33"
    assert places.department(db, "cote d or") == "21"
    assert places.department(db, "reunion") == places.department(db, "la reunion") == "974"
    assert places.department(db, "99") is None


def test_the_file_cannot_be_written(db: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        db.execute("DELETE FROM places")


def test_a_missing_file_is_an_error_and_is_not_made(tmp_path: Path) -> None:
    missing = tmp_path / "none.sqlite"
    with pytest.raises(sqlite3.OperationalError):
        places.open_places(missing)
    assert not missing.exists()


def test_a_connection_may_be_closed_by_another_thread() -> None:
    opened: list[sqlite3.Connection] = []
    thread = threading.Thread(target=lambda: opened.append(places.open_places()))
    thread.start()
    thread.join()
    opened[0].close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened[0].execute("SELECT 1")


def test_the_same_sources_give_the_same_small_file(tmp_path: Path) -> None:
    build.build(tmp_path / "a.sqlite")
    assert (tmp_path / "a.sqlite").read_bytes() == gazetteer.path().read_bytes()
    assert (tmp_path / "a.sqlite").stat().st_size < 22_000_000
    assert sources.stamp(tmp_path / "a.sqlite") == sources.fingerprint() > 0
    assert [file.name for file in tmp_path.iterdir()] == ["a.sqlite"]
    with closing(sqlite3.connect(tmp_path / "a.sqlite")) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("PRAGMA user_version").fetchone() == (sources.fingerprint(),)


def test_a_build_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{", encoding="utf-8")
    monkeypatch.setattr(sources, "DEPARTMENTS", broken)
    target = tmp_path / "out" / "places.sqlite"
    target.parent.mkdir()
    target.write_bytes(b"what was there")
    with pytest.raises(ValueError, match="property name"):
        build.build(target)
    assert [file.name for file in target.parent.iterdir()] == ["places.sqlite"]
    assert target.read_bytes() == b"what was there"


def test_a_checkout_makes_the_file_even_when_two_want_it_at_once(tmp_path: Path) -> None:
    copy = tmp_path / "node"
    for source in (
        "node/__init__.py",
        *(f"node/gazetteer/{file.name}" for file in sources.HERE.iterdir() if file.is_file()),
    ):
        if not source.endswith((".sqlite", ".tmp")):
            target = tmp_path / source
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((sources.HERE.parents[1] / source).read_bytes())
    # The bulk of it is not what this is about.
    for bulky in ("contours_fr_2026", "villes_europe_geonames"):
        file = copy / "gazetteer" / f"{bulky}.csv.gz"
        lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
        file.write_bytes(gzip.compress(b"".join(lines[:50])))
    command = [sys.executable, "-c", "from node import gazetteer; gazetteer.path()"]
    both = [
        subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for _ in range(2)
    ]
    for process in both:
        printed, _ = process.communicate(timeout=180)
        assert (process.returncode, printed) == (0, b"")
    made = copy / "gazetteer" / "places.sqlite"
    assert sources.stamp(made) not in (0, sources.fingerprint())
    assert not list(made.parent.glob(".places-*"))
    with closing(places.open_places(made)) as db:
        assert places.get(db, "FR-33063") is not None
    # A change in a source makes it anew; without the source the file is taken as it is.
    changed = made.parent / "arrondissements_fr.csv"
    changed.write_text(changed.read_text().replace("13202,13055,", "13202,13055,33063 "))
    subprocess.run(command, cwd=tmp_path, check=True)
    with closing(places.open_places(made)) as db:
        assert "33063" in insee(places.adjoining(db, "FR-13202"))
    (made.parent / "communes_fr_2026.csv.gz").unlink()
    subprocess.run(command, cwd=tmp_path, check=True)
    made.unlink()
    refused = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert "FileNotFoundError" in refused.stderr
