"""Questions to the gazetteer, the read-only file of places shipped with the node.

It is a file of its own beside the node's database, made by `node/gazetteer/build.py`, whose
docstring tells its tables. What a person means by what they type is `node/territory.py`'s
business: names come here folded (`node.gazetteer.names.fold`).
"""

import sqlite3
from pathlib import Path

from node import gazetteer
from node.model import Place

_COLUMNS = """places.id, places.insee, places.name, places.department,
              departments.name AS department_name,
              places.latitude, places.longitude, places.population"""
_PLACES = "places LEFT JOIN departments ON departments.code = places.department"
_LARGEST_FIRST = "places.population DESC NULLS LAST, places.id"


def open_places(path: Path | None = None) -> sqlite3.Connection:
    """The gazetteer, opened for reading only; the shipped file unless `path` names another.

    One thread at a time may use a connection: give each reading thread its own, they cost little.
    Another thread may close it. The file must not be written while it is open (it never is: a new
    one is moved into its place). Raises what `gazetteer.path` raises, and sqlite3.OperationalError
    where there is no file at `path`.
    """
    file = path or gazetteer.path()
    db = sqlite3.connect(
        f"{file.resolve().as_uri()}?mode=ro&immutable=1",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
    )
    db.row_factory = sqlite3.Row
    return db


def get(db: sqlite3.Connection, place_id: str) -> Place | None:
    """The place of this id ("FR-33063").

    The id of a commune that was merged since gives the commune of today, so what was written down
    years ago still has a place; its own `id` then differs from the one asked for.
    """
    country, _, code = place_id.partition("-")
    row = db.execute(
        f"SELECT {_COLUMNS} FROM {_PLACES} WHERE places.id = :id",  # noqa: S608 (constants)
        {"id": place_id},
    ).fetchone()
    if row:
        return Place(**row)
    return _get_former(db, code) if country == "FR" else None


def by_insee(db: sqlite3.Connection, insee: str) -> Place | None:
    """The commune or arrondissement of this INSEE code, today's before a merged one's."""
    row = db.execute(
        f"SELECT {_COLUMNS} FROM {_PLACES} WHERE places.insee = :insee",  # noqa: S608 (constants)
        {"insee": insee},
    ).fetchone()
    return Place(**row) if row else _get_former(db, insee)


def _get_former(db: sqlite3.Connection, insee: str) -> Place | None:
    row = db.execute(
        f"""
        SELECT {_COLUMNS} FROM former
        JOIN places ON places.number = former.place
        LEFT JOIN departments ON departments.code = places.department
        WHERE former.insee = :insee
        ORDER BY former.kind LIMIT 1
        """,  # noqa: S608 (constants)
        {"insee": insee},
    ).fetchone()
    return Place(**row) if row else None


def by_postal_code(db: sqlite3.Connection, code: str) -> list[Place]:
    """The places this postal code serves, up to 46, largest first."""
    rows = db.execute(
        f"""
        SELECT {_COLUMNS} FROM postal_codes
        JOIN places ON places.number = postal_codes.place
        LEFT JOIN departments ON departments.code = places.department
        WHERE postal_codes.code = :code
        ORDER BY {_LARGEST_FIRST}
        """,  # noqa: S608 (constants)
        {"code": code},
    )
    return [Place(**row) for row in rows]


def postal_codes(db: sqlite3.Connection, place_id: str) -> tuple[str, ...]:
    """The postal codes of a place, in their order; none for a place abroad."""
    rows = db.execute(
        """
        SELECT postal_codes.code FROM places
        JOIN postal_codes ON postal_codes.place = places.number
        WHERE places.id = :id ORDER BY postal_codes.code
        """,
        {"id": place_id},
    )
    return tuple(row["code"] for row in rows)


def by_folded_name(
    db: sqlite3.Connection,
    folded: str,
    *,
    former: bool = False,
    shortened: bool = False,
    department: str | None = None,
) -> list[Place]:
    """The places that bear exactly this folded name, largest first.

    `former`: those that took in a commune of this name, instead. `shortened`: those called so once
    the article is left out, instead. `department`: only there.
    """
    rows = db.execute(
        f"""
        SELECT {_COLUMNS} FROM names
        JOIN places ON places.number = names.place
        LEFT JOIN departments ON departments.code = places.department
        WHERE names.folded = :folded AND names.shortened = :shortened AND names.former = :former
          AND (:department IS NULL OR places.department = :department)
        ORDER BY {_LARGEST_FIRST}
        """,  # noqa: S608 (constants)
        {
            "folded": folded,
            "shortened": int(shortened),
            "former": int(former),
            "department": department,
        },
    )
    return [Place(**row) for row in rows]


def by_prefix(
    db: sqlite3.Connection, folded: str, limit: int, *, department: str | None = None
) -> list[Place]:
    """At most `limit` places with a name that begins so: today's names first, then largest first.

    `folded` may end in a space, and then ends a word. `department`: only there.
    """
    rows = db.execute(
        f"""
        SELECT {_COLUMNS} FROM (
            SELECT place, MIN(former) AS former FROM names
            WHERE folded >= :first AND folded < :after
            GROUP BY place
        ) AS found
        JOIN places ON places.number = found.place
        LEFT JOIN departments ON departments.code = places.department
        WHERE :department IS NULL OR places.department = :department
        ORDER BY found.former, {_LARGEST_FIRST} LIMIT :limit
        """,  # noqa: S608 (constants)
        {
            "first": folded,
            "after": folded + "\U0010ffff",
            "department": department,
            "limit": limit,
        },
    )
    return [Place(**row) for row in rows]


def adjoining(db: sqlite3.Connection, place_id: str) -> list[Place]:
    """The places that share a border with this one, by id; none for an island or an unknown id.

    For an arrondissement they are those around it, its city as a whole among them; for such a city
    its own arrondissements and the communes around.
    """
    rows = db.execute(
        f"""
        SELECT {_COLUMNS} FROM adjoining
        JOIN places AS centre ON centre.number = adjoining.place
        JOIN places ON places.number = adjoining.neighbour
        LEFT JOIN departments ON departments.code = places.department
        WHERE centre.id = :id
        ORDER BY places.id
        """,  # noqa: S608 (constants)
        {"id": place_id},
    )
    return [Place(**row) for row in rows]


def parts(db: sqlite3.Connection, place_id: str) -> list[Place]:
    """The arrondissements of Paris, Lyon or Marseille in their order; none for any other place."""
    rows = db.execute(
        f"""
        SELECT {_COLUMNS} FROM places AS whole
        JOIN places ON places.part_of = whole.number
        LEFT JOIN departments ON departments.code = places.department
        WHERE whole.id = :id
        ORDER BY places.id
        """,  # noqa: S608 (constants)
        {"id": place_id},
    )
    return [Place(**row) for row in rows]


def department(db: sqlite3.Connection, folded: str) -> str | None:
    """The code of the department of this folded name or code: "33" for "33" and "gironde"."""
    row = db.execute(
        """
        SELECT code FROM departments
        WHERE code = UPPER(:folded) OR folded = :folded OR shortened = :folded
        """,
        {"folded": folded},
    ).fetchone()
    return row["code"] if row else None


def names_of_length(db: sqlite3.Connection, shortest: int, longest: int) -> list[str]:
    """Every folded name of today with so many characters, for comparing spellings."""
    rows = db.execute(
        """
        SELECT DISTINCT folded FROM names
        WHERE shortened = 0 AND former = 0 AND LENGTH(folded) BETWEEN :shortest AND :longest
        ORDER BY folded
        """,
        {"shortest": shortest, "longest": longest},
    )
    return [row["folded"] for row in rows]
