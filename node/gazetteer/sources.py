"""Where the gazetteer's committed sources and its made file are, and whether they still agree."""

import zlib
from pathlib import Path

HERE = Path(__file__).parent
FILE = HERE / "places.sqlite"
COMMUNES = HERE / "communes_fr_2026.csv.gz"
ARRONDISSEMENTS = HERE / "arrondissements_fr.csv"
DEPARTMENTS = HERE / "departements_regions.json"
OUTLINES = HERE / "contours_fr_2026.csv.gz"
MORE_OUTLINES = HERE / "contours_complement_fr.csv"
ABROAD = HERE / "villes_europe_geonames.csv.gz"
EXONYMS = HERE / "exonyms_fr.csv"
COUNTRIES = HERE / "pays_fr.csv"


def fingerprint() -> int:
    """A number, never 0, that changes with the sources and with the code that reads them."""
    total = 0
    for source in (
        COMMUNES,
        ARRONDISSEMENTS,
        DEPARTMENTS,
        OUTLINES,
        MORE_OUTLINES,
        ABROAD,
        EXONYMS,
        COUNTRIES,
        HERE / "build.py",
        HERE / "names.py",
        HERE / "outlines.py",
    ):
        total = zlib.crc32(source.read_bytes(), total)
    return (total & 0x7FFFFFFF) or 1  # SQLite keeps it as a signed 32-bit number


def stamp(file: Path) -> int:
    """The fingerprint that `file` was made from, or 0 where there is no such file.

    It is SQLite's user_version, which lies at byte 60 of the file's header.
    """
    try:
        with file.open("rb") as opened:
            header = opened.read(64)
    except FileNotFoundError:
        return 0
    return int.from_bytes(header[60:64], "big")
