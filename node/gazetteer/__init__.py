"""The gazetteer: which places exist, how people name them, and which adjoin.

Here are the committed sources (their origin and licences in LICENCES.md), `build.py`, which makes
`places.sqlite` from them, and `names.py`, the spelling that both the file and those who search it
go by. The questions one can put to the file are in `node/store/places.py`, their meaning in
`node/territory.py`.

A wheel carries `places.sqlite` and not the bulky source. A checkout carries the sources, and makes
the file when it is first wanted or when a source or the script has changed since.
"""

import zlib
from pathlib import Path

HERE = Path(__file__).parent
FILE = HERE / "places.sqlite"
COMMUNES = HERE / "communes_fr_2026.csv.gz"
ARRONDISSEMENTS = HERE / "arrondissements_fr.csv"
DEPARTMENTS = HERE / "departements_regions.json"


def path() -> Path:
    """Where `places.sqlite` is; in a checkout it is made first if it is missing or out of date.

    Two processes may do so at once: each writes a file of its own and moves it into place. Raises
    FileNotFoundError where neither the file nor its source was installed, OSError where the folder
    of a checkout cannot be written.
    """
    if not COMMUNES.exists():
        if not FILE.exists():
            raise FileNotFoundError(f"{FILE} is missing from this installation")
        return FILE
    if stamp(FILE) != fingerprint():
        # Only a checkout comes here, once: whatever else imports this package needs no builder.
        from node.gazetteer import build

        build.build(FILE)
    return FILE


def fingerprint() -> int:
    """A number, never 0, that changes with the sources and with the code that reads them."""
    total = 0
    for source in (
        COMMUNES,
        ARRONDISSEMENTS,
        DEPARTMENTS,
        HERE / "build.py",
        HERE / "names.py",
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
