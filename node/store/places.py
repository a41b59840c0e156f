"""Questions to the gazetteer, the read-only file of places shipped with the node.

It is a file of its own beside the node's database, made by `node/gazetteer/build.py`, whose
docstring tells its tables. What a person means by what they type is `node/territory.py`'s
business: names come here folded (`node.gazetteer.names.fold`).
"""

import json
import sqlite3
from pathlib import Path

from node import gazetteer
from node.gazetteer import outlines
from node.model import Place

_COLUMNS = """places.id, places.insee, places.name, places.department,
              departments.name AS department_name,
              places.latitude, places.longitude, places.population,
              places.country, countries.name AS country_name"""
_WITH_NAMES = """LEFT JOIN departments ON departments.code = places.department
                 JOIN countries ON countries.code = places.country"""
_PLACES = f"places {_WITH_NAMES}"
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
    """The place of this id ("FR-33063", "geonames:3120304").

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
        {_WITH_NAMES}
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
        {_WITH_NAMES}
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
        {_WITH_NAMES}
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
        {_WITH_NAMES}
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
        {_WITH_NAMES}
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
        {_WITH_NAMES}
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


def country(db: sqlite3.Connection, folded: str) -> str | None:
    """The code of the country of this folded French name or code: "ES" for "es" and "espagne"."""
    row = db.execute(
        "SELECT code FROM countries WHERE code = UPPER(:folded) OR folded = :folded",
        {"folded": folded},
    ).fetchone()
    return row["code"] if row else None


def abroad(
    db: sqlite3.Connection, folded: str, limit: int, *, country: str | None = None
) -> list[Place]:
    """At most `limit` places of other countries of exactly this folded name, largest first.

    `country`: only there.
    """
    rows = db.execute(
        f"""
        SELECT {_COLUMNS} FROM names_abroad
        JOIN places ON places.number = names_abroad.place
        {_WITH_NAMES}
        WHERE names_abroad.folded = :folded AND (:country IS NULL OR places.country = :country)
        ORDER BY {_LARGEST_FIRST} LIMIT :limit
        """,  # noqa: S608 (constants)
        {"folded": folded, "country": country, "limit": limit},
    )
    return [Place(**row) for row in rows]


def abroad_by_prefix(db: sqlite3.Connection, folded: str, limit: int) -> list[Place]:
    """At most `limit` places of other countries whose name begins so, largest first."""
    rows = db.execute(
        f"""
        SELECT {_COLUMNS} FROM (
            SELECT DISTINCT place FROM names_abroad WHERE folded >= :first AND folded < :after
        ) AS found
        JOIN places ON places.number = found.place
        {_WITH_NAMES}
        ORDER BY {_LARGEST_FIRST} LIMIT :limit
        """,  # noqa: S608 (constants)
        {"first": folded, "after": folded + "\U0010ffff", "limit": limit},
    )
    return [Place(**row) for row in rows]


def by_spellings(
    db: sqlite3.Connection, spelled: list[str], *, department: str | None = None
) -> dict[str, list[Place]]:
    """Who bears each of these folded names, largest first; those of nobody are left out.

    Today's names before merged ones, whole ones before those without article: the first kind that
    anybody bears. `department`: only there.
    """
    rows = db.execute(
        f"""
        SELECT names.folded AS spelling, 2 * names.shortened + names.former AS worth, {_COLUMNS}
        FROM json_each(:spelled) AS spelled
        JOIN names ON names.folded = spelled.value
        JOIN places ON places.number = names.place
        {_WITH_NAMES}
        WHERE :department IS NULL OR places.department = :department
        ORDER BY worth, {_LARGEST_FIRST}
        """,  # noqa: S608 (constants)
        {"spelled": json.dumps(spelled), "department": department},
    )
    found: dict[str, tuple[int, list[Place]]] = {}
    for row in map(dict, rows):
        spelling, worth = row.pop("spelling"), row.pop("worth")
        kept = found.setdefault(spelling, (worth, []))
        if kept[0] == worth:
            kept[1].append(Place(**row))
    return {spelling: kept[1] for spelling, kept in found.items()}


def abroad_by_spellings(
    db: sqlite3.Connection, spelled: list[str], smallest: int
) -> dict[str, list[Place]]:
    """Who abroad, of no fewer people than `smallest`, bears each of these names, largest first."""
    rows = db.execute(
        f"""
        SELECT names_abroad.folded AS spelling, {_COLUMNS}
        FROM json_each(:spelled) AS spelled
        JOIN names_abroad ON names_abroad.folded = spelled.value
        JOIN places ON places.number = names_abroad.place
        {_WITH_NAMES}
        WHERE IFNULL(places.population, 0) >= :smallest
        ORDER BY {_LARGEST_FIRST}
        """,  # noqa: S608 (constants)
        {"spelled": json.dumps(spelled), "smallest": smallest},
    )
    found: dict[str, list[Place]] = {}
    for row in map(dict, rows):
        found.setdefault(row.pop("spelling"), []).append(Place(**row))
    return found


def spellings(
    db: sqlite3.Connection, shortest: int, longest: int, *, abroad: bool = False
) -> list[str]:
    """Every folded name with so many characters, in France or else abroad, each once."""
    rows = db.execute(
        """
        SELECT names FROM spellings
        WHERE abroad = :abroad AND length BETWEEN :shortest AND :longest ORDER BY length
        """,
        {"abroad": int(abroad), "shortest": shortest, "longest": longest},
    )
    joined = "\n".join(row["names"] for row in rows)
    return joined.split("\n") if joined else []


def border(db: sqlite3.Connection, place_id: str) -> tuple[outlines.Ring, ...]:
    """The rings around a place, each of (latitude, longitude) points; none where they are unknown.

    Parts and holes alike: what lies in an odd number of them is inside. They are simplified to
    some hundred metres; adjoining communes share their points. A ring is not closed by a repetition
    of its first point. Communes of the overseas collectivities and places abroad have none.
    """
    row = db.execute(
        """
        SELECT borders.outline FROM places JOIN borders ON borders.place = places.number
        WHERE places.id = :id
        """,
        {"id": place_id},
    ).fetchone()
    return outlines.unpack(row["outline"]) if row else ()


def borders_near(
    db: sqlite3.Connection, latitude: float, longitude: float, reach: tuple[float, float]
) -> list[tuple[str, tuple[outlines.Ring, ...]]]:
    """The ids and borders of the places whose box is within `reach` of a point.

    All in degrees, `reach` north or south and east or west.
    """
    scale = 1000  # as in the file
    rows = db.execute(
        """
        SELECT places.id, borders.outline FROM borders JOIN places ON places.number = borders.place
        WHERE borders.south BETWEEN :south - 3000 AND :north -- no box is taller
          AND borders.north >= :south AND borders.west <= :east AND borders.east >= :west
        ORDER BY places.id
        """,
        {
            "south": (latitude - reach[0]) * scale,
            "north": (latitude + reach[0]) * scale,
            "west": (longitude - reach[1]) * scale,
            "east": (longitude + reach[1]) * scale,
        },
    )
    return [(row["id"], outlines.unpack(row["outline"])) for row in rows]


def abroad_near(db: sqlite3.Connection, latitude: float, longitude: float) -> list[Place]:
    """The places of other countries in the tenth of a degree of a point and in those around it."""
    rows = db.execute(
        f"""
        SELECT {_COLUMNS} FROM {_PLACES}
        WHERE places.kind = 'ABR'
          AND CAST(places.latitude * 10 AS INTEGER)
              BETWEEN CAST(:latitude * 10 AS INTEGER) - 1 AND CAST(:latitude * 10 AS INTEGER) + 1
          AND CAST(places.longitude * 10 AS INTEGER)
              BETWEEN CAST(:longitude * 10 AS INTEGER) - 1 AND CAST(:longitude * 10 AS INTEGER) + 1
        """,  # noqa: S608 (constants)
        {"latitude": latitude, "longitude": longitude},
    )
    return [Place(**row) for row in rows]
