"""Makes places.sqlite from the sources beside it: `python -m node.gazetteer.build`.

The same sources give the same file. What is in it:

- `places`: communes (COM), and the arrondissements (ARM) of Paris, Lyon and Marseille, each
  `part_of` its city. People live in an arrondissement as others do in a commune, so it has the
  postal code and its own neighbours; the city is a place too, for those who name it whole.
- `former`: communes that were merged (COMD, COMA). Their names and codes are still in use and
  lead to the commune of today.
- `names`: every folded name of a place. `former` tells a merged commune's name, `shortened` one
  that leaves out the article.
- `postal_codes`, `departments`, and `adjoining` in both directions. A city of arrondissements
  counts as adjoining each of them: what is placed in "Lyon" alone is around all who live in it.
- `borders`: the outline of a place (`outlines.py`) and the box around it, in thousandths of a
  degree.
- towns of the other countries of Europe (ABR, abroad), among the `places` under `geonames:` ids,
  by the name that French has for them where it has one; their names apart, in `names_abroad`.
- `spellings`: all names of one length, in France and abroad, to compare a misspelt one with.

`number` is nobody's identity.
"""

import csv
import gzip
import json
import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

from node.gazetteer import names, outlines, sources

# The codes for the whole city are on letters, and in no list of postal codes.
_CITY_POSTAL_CODES = {"75056": "75000", "69123": "69000", "13055": "13000"}

_SCHEMA = """
CREATE TABLE departments (
    code TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    folded TEXT NOT NULL,
    shortened TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE countries (
    code TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    folded TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE places (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    country TEXT NOT NULL REFERENCES countries (code),
    kind TEXT NOT NULL CHECK (kind IN ('COM', 'ARM', 'ABR')),
    insee TEXT,
    name TEXT NOT NULL,
    department TEXT REFERENCES departments (code),
    region TEXT,
    latitude REAL CHECK (latitude BETWEEN -90 AND 90),
    longitude REAL CHECK (longitude BETWEEN -180 AND 180),
    population INTEGER CHECK (population >= 0),
    part_of INTEGER REFERENCES places (number),
    CHECK ((latitude IS NULL) = (longitude IS NULL))
) STRICT;
CREATE UNIQUE INDEX places_insee ON places (insee) WHERE insee IS NOT NULL;
-- By tenths of a degree, to find the towns near a point.
CREATE INDEX places_abroad ON places (
    CAST(latitude * 10 AS INTEGER), CAST(longitude * 10 AS INTEGER)
) WHERE kind = 'ABR';
CREATE INDEX places_part_of ON places (part_of) WHERE part_of IS NOT NULL;

-- A merged commune often left its code to the new one: the code alone is no key.
CREATE TABLE former (
    insee TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('COMD', 'COMA')),
    name TEXT NOT NULL,
    place INTEGER NOT NULL REFERENCES places (number),
    PRIMARY KEY (insee, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE names (
    folded TEXT NOT NULL,
    shortened INTEGER NOT NULL CHECK (shortened IN (0, 1)),
    former INTEGER NOT NULL CHECK (former IN (0, 1)),
    place INTEGER NOT NULL REFERENCES places (number),
    PRIMARY KEY (folded, shortened, former, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE names_abroad (
    folded TEXT NOT NULL,
    place INTEGER NOT NULL REFERENCES places (number),
    PRIMARY KEY (folded, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE spellings (
    abroad INTEGER NOT NULL CHECK (abroad IN (0, 1)),
    length INTEGER NOT NULL,
    names TEXT NOT NULL, -- one a line
    PRIMARY KEY (abroad, length)
) STRICT, WITHOUT ROWID;

CREATE TABLE postal_codes (
    code TEXT NOT NULL,
    place INTEGER NOT NULL REFERENCES places (number),
    PRIMARY KEY (code, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX postal_codes_place ON postal_codes (place);

CREATE TABLE adjoining (
    place INTEGER NOT NULL REFERENCES places (number),
    neighbour INTEGER NOT NULL REFERENCES places (number),
    PRIMARY KEY (place, neighbour)
) STRICT, WITHOUT ROWID;

CREATE TABLE borders (
    place INTEGER PRIMARY KEY REFERENCES places (number),
    south INTEGER NOT NULL,
    north INTEGER NOT NULL,
    west INTEGER NOT NULL,
    east INTEGER NOT NULL,
    outline BLOB NOT NULL,
    CHECK (north - south BETWEEN 0 AND 3000) -- what looks for boxes relies on it
) STRICT;
CREATE INDEX borders_boxes ON borders (south, north, west, east);
"""


def build(target: Path) -> None:
    """Write the gazetteer to `target`, whole or not at all. Raises OSError if it cannot."""
    handle, name = tempfile.mkstemp(prefix=".places-", suffix=".tmp", dir=target.parent)
    unfinished = Path(name)
    try:
        # Filled in memory, then written in one go and in order of its pages.
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
            _fill(db)
            db.execute("VACUUM INTO ?", (name,))
        os.fsync(handle)
        os.fchmod(handle, 0o644)
        unfinished.replace(target)
    finally:
        os.close(handle)
        unfinished.unlink(missing_ok=True)


def _fill(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA page_size = 4096")
    db.executescript(_SCHEMA)
    db.execute("BEGIN")
    rows = _table(sources.COMMUNES)
    arrondissements = _arrondissements()
    numbers = {
        row["insee"]: number
        for number, row in enumerate((row for row in rows if row["type"] in {"COM", "ARM"}), 1)
    }
    departments = json.loads(sources.DEPARTMENTS.read_text(encoding="utf-8"))["departements"]
    db.executemany(
        "INSERT INTO departments VALUES (?, ?, ?, ?)",
        (
            (code, name, names.fold(name), names.without_article(names.fold(name)))
            for code, name in sorted(departments.items())
        ),
    )
    db.executemany(
        "INSERT INTO countries VALUES (?, ?, ?)",
        ((row["code"], row["name"], names.fold(row["name"])) for row in _table(sources.COUNTRIES)),
    )
    today = [row for row in rows if row["type"] in {"COM", "ARM"}]
    former = [row for row in rows if row["type"] in {"COMD", "COMA"}]
    _add_places(db, [_commune(row, numbers, arrondissements) for row in today])
    db.executemany(
        "INSERT INTO former VALUES (?, ?, ?, ?)",
        ((row["insee"], row["type"], row["nom"], numbers[row["parent"]]) for row in former),
    )
    called = {
        *(name for row in today for name in _names(row["nom"], numbers[row["insee"]], 0)),
        *(name for row in former for name in _names(row["nom"], numbers[row["parent"]], 1)),
    }
    db.executemany("INSERT INTO names VALUES (?, ?, ?, ?)", sorted(called))
    db.executemany(
        "INSERT INTO postal_codes VALUES (?, ?)",
        sorted({(code, numbers[row["insee"]]) for row in today for code in _postal_codes(row)}),
    )
    db.executemany(
        "INSERT INTO adjoining VALUES (?, ?)", sorted(_adjoining(rows, numbers, arrondissements))
    )
    db.executemany("INSERT INTO borders VALUES (?, ?, ?, ?, ?, ?)", _borders(numbers))
    _add_abroad(db, len(numbers) + 1)
    for abroad, table in enumerate(("names", "names_abroad")):
        db.execute(
            f"""
            INSERT INTO spellings
            SELECT ?, length(folded), group_concat(folded, char(10))
            FROM (SELECT DISTINCT folded FROM {table} ORDER BY folded)
            WHERE folded <> '' GROUP BY length(folded)
            """,  # noqa: S608 (constants)
            (abroad,),
        )
    db.execute("COMMIT")
    broken = db.execute("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise ValueError(f"the sources name places that are not in them: {broken[:5]}")
    db.execute(f"PRAGMA user_version = {sources.fingerprint()}")
    db.execute("ANALYZE")


def _table(source: Path) -> list[dict[str, str]]:
    unpacked = gzip.open if source.suffix == ".gz" else open
    with unpacked(source, "rt", encoding="utf-8", newline="") as opened:
        lines = csv.reader(opened)
        heads = next(lines)
        return [dict(zip(heads, line, strict=True)) for line in lines]


def _arrondissements() -> dict[str, tuple[str, list[str]]]:
    """The city and the adjoining codes of each arrondissement."""
    return {
        row["insee"]: (row["city"], row["limitrophes"].split())
        for row in _table(sources.ARRONDISSEMENTS)
    }


def _add_places(db: sqlite3.Connection, found: list[tuple[object, ...]]) -> None:
    db.executemany("INSERT INTO places VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", found)


def _commune(
    row: dict[str, str],
    numbers: dict[str, int],
    arrondissements: dict[str, tuple[str, list[str]]],
) -> tuple[object, ...]:
    insee = row["insee"]
    city = arrondissements[insee][0] if row["type"] == "ARM" else None
    return (
        numbers[insee],
        f"FR-{insee}",
        "FR",
        row["type"],
        insee,
        row["nom"],
        row["departement"] or None,
        row["region"] or None,
        float(row["lat"]) if row["lat"] else None,
        float(row["lon"]) if row["lon"] else None,
        int(row["population"]) if row["population"] else None,
        numbers[city] if city else None,
    )


def _postal_codes(row: dict[str, str]) -> list[str]:
    city = _CITY_POSTAL_CODES.get(row["insee"])
    return [city] if city else row["codes_postaux"].split()


def _names(name: str, place: int, former: int) -> Iterator[tuple[str, int, int, int]]:
    """A place goes by its full name, by "paris 11", and by what is left without the article."""
    full = names.fold(name)
    whole = {full, names.arrondissement(full) or full}
    yield from ((spelling, 0, former, place) for spelling in whole)
    yield from ((spelling, 1, former, place) for spelling in {names.without_article(full)} - whole)


def _borders(numbers: dict[str, int]) -> Iterator[tuple[int, int, int, int, int, bytes]]:
    for source in (sources.OUTLINES, sources.MORE_OUTLINES):
        for row in _table(source):
            rings = outlines.from_source(row["contour"])
            east = [point[0] for ring in rings for point in ring]
            north = [point[1] for ring in rings for point in ring]
            box = (min(north), max(north), min(east), max(east))
            yield (numbers[row["insee"]], *box, outlines.pack(rings))


def _add_abroad(db: sqlite3.Connection, first: int) -> None:
    """The towns of other countries. Those with two names, "Biel/Bienne", go by each of them."""
    exonyms = {row["geonameid"]: row for row in _table(sources.EXONYMS)}
    towns: list[tuple[object, ...]] = []
    called: set[tuple[str, int]] = set()
    for number, row in enumerate(_table(sources.ABROAD), first):
        exonym = exonyms.get(row["geonameid"], {"name": row["name"], "also": ""})
        spelled = {exonym["name"], *exonym["also"].split(";"), row["name"], *row["name"].split("/")}
        called.update((folded, number) for name in spelled if (folded := names.fold(name)))
        towns.append(
            (
                number,
                f"geonames:{row['geonameid']}",
                row["cc"],
                "ABR",
                None,
                exonym["name"],
                None,
                None,
                float(row["lat"]),
                float(row["lon"]),
                int(row["population"]) or None,  # 0 stands for unknown
                None,
            )
        )
    _add_places(db, towns)
    db.executemany("INSERT INTO names_abroad VALUES (?, ?)", sorted(called))


def _adjoining(
    rows: Iterable[dict[str, str]],
    numbers: dict[str, int],
    arrondissements: dict[str, tuple[str, list[str]]],
) -> set[tuple[int, int]]:
    """Every pair of adjoining places, both ways round."""

    def pairs() -> Iterator[tuple[str, str]]:
        for row in rows:
            if row["type"] == "COM":
                yield from ((row["insee"], other) for other in row["limitrophes"].split())
        for insee, (city, others) in arrondissements.items():
            yield from ((insee, other) for other in (city, *others))

    found = {(numbers[one], numbers[other]) for one, other in pairs()}
    return found | {(other, one) for one, other in found}


if __name__ == "__main__":
    build(sources.FILE)
