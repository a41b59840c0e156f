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

`country` and a free `id` are there for places beyond France; `number` is nobody's identity.
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

from node.gazetteer import names, sources

# The codes for the whole city are on letters, and in no list of postal codes.
_CITY_POSTAL_CODES = {"75056": "75000", "69123": "69000", "13055": "13000"}

_SCHEMA = """
CREATE TABLE departments (
    code TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    folded TEXT NOT NULL,
    shortened TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE places (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    country TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('COM', 'ARM')),
    insee TEXT UNIQUE,
    name TEXT NOT NULL,
    department TEXT REFERENCES departments (code),
    region TEXT,
    latitude REAL CHECK (latitude BETWEEN -90 AND 90),
    longitude REAL CHECK (longitude BETWEEN -180 AND 180),
    population INTEGER CHECK (population >= 0),
    part_of INTEGER REFERENCES places (number),
    CHECK ((latitude IS NULL) = (longitude IS NULL))
) STRICT;
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
"""


def build(target: Path) -> None:
    """Write the gazetteer to `target`, whole or not at all. Raises OSError if it cannot."""
    handle, name = tempfile.mkstemp(prefix=".places-", suffix=".tmp", dir=target.parent)
    unfinished = Path(name)
    try:
        with closing(sqlite3.connect(unfinished, isolation_level=None)) as db:
            _fill(db)
        os.fsync(handle)
        os.fchmod(handle, 0o644)
        unfinished.replace(target)
    finally:
        os.close(handle)
        unfinished.unlink(missing_ok=True)


def _fill(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA page_size = 4096")
    db.execute("PRAGMA journal_mode = OFF")  # nobody else sees the file before it is whole
    db.execute("PRAGMA synchronous = OFF")
    db.executescript(_SCHEMA)
    db.execute("BEGIN")
    rows = _communes()
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
    for row in rows:
        if row["type"] in {"COM", "ARM"}:
            _add_place(db, row, numbers, arrondissements)
    for row in rows:
        if row["type"] in {"COMD", "COMA"}:
            place = numbers[row["parent"]]
            db.execute(
                "INSERT INTO former VALUES (?, ?, ?, ?)",
                (row["insee"], row["type"], row["nom"], place),
            )
            _add_names(db, row["nom"], place, former=True)
    db.executemany(
        "INSERT INTO adjoining VALUES (?, ?)", sorted(_adjoining(rows, numbers, arrondissements))
    )
    db.execute("COMMIT")
    broken = db.execute("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise ValueError(f"the sources name places that are not in them: {broken[:5]}")
    db.execute(f"PRAGMA user_version = {sources.fingerprint()}")
    db.execute("PRAGMA journal_mode = DELETE")
    db.execute("ANALYZE")
    db.execute("VACUUM")


def _communes() -> list[dict[str, str]]:
    with gzip.open(sources.COMMUNES, "rt", encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def _arrondissements() -> dict[str, tuple[str, list[str]]]:
    """The city and the adjoining codes of each arrondissement."""
    with sources.ARRONDISSEMENTS.open(encoding="utf-8", newline="") as opened:
        return {
            row["insee"]: (row["city"], row["limitrophes"].split())
            for row in csv.DictReader(opened)
        }


def _add_place(
    db: sqlite3.Connection,
    row: dict[str, str],
    numbers: dict[str, int],
    arrondissements: dict[str, tuple[str, list[str]]],
) -> None:
    insee = row["insee"]
    number = numbers[insee]
    city = arrondissements[insee][0] if row["type"] == "ARM" else None
    db.execute(
        "INSERT INTO places VALUES (?, ?, 'FR', ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            number,
            f"FR-{insee}",
            row["type"],
            insee,
            row["nom"],
            row["departement"] or None,
            row["region"] or None,
            float(row["lat"]) if row["lat"] else None,
            float(row["lon"]) if row["lon"] else None,
            int(row["population"]) if row["population"] else None,
            numbers[city] if city else None,
        ),
    )
    _add_names(db, row["nom"], number, former=False)
    codes = (
        [_CITY_POSTAL_CODES[insee]] if insee in _CITY_POSTAL_CODES else row["codes_postaux"].split()
    )
    db.executemany(
        "INSERT INTO postal_codes VALUES (?, ?)", ((code, number) for code in sorted(set(codes)))
    )


def _add_names(db: sqlite3.Connection, name: str, place: int, *, former: bool) -> None:
    """A place goes by its full name, by "paris 11", and by what is left without the article."""
    full = names.fold(name)
    whole = {full, names.arrondissement(full) or full}
    shortened = {names.without_article(full)} - whole
    for spellings, short in ((whole, 0), (shortened, 1)):
        # One commune of today may hold two former ones of the same name.
        db.executemany(
            "INSERT OR IGNORE INTO names VALUES (?, ?, ?, ?)",
            ((spelling, short, int(former), place) for spelling in sorted(spellings)),
        )


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
