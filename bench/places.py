"""How soon a place is understood: names, codes, misspelt names, nonsense and points."""

import random
import string
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from bench import measure
from node import gazetteer, territory
from node.gazetteer import build
from node.store import places

EACH = 1000


def run(folder: Path, size: measure.Size) -> None:  # noqa: ARG001 (as all of them)
    """Builds the gazetteer once, then asks a thousand of each kind, the same in every run."""
    begun = time.perf_counter()
    build.build(folder / "places.sqlite")
    took = time.perf_counter() - begun
    megabytes = (folder / "places.sqlite").stat().st_size / 1e6
    print(f"\nThe gazetteer: {megabytes:.1f} MB, built in {took:.1f} s.")
    chance = random.Random(3)
    with closing(places.open_places(gazetteer.path())) as db:
        rows = db.execute("SELECT name, insee, department FROM places WHERE country = 'FR'")
        communes = chance.sample(rows.fetchall(), EACH)
        towns = db.execute("SELECT name FROM places WHERE country <> 'FR'").fetchall()
        codes = db.execute("SELECT DISTINCT code FROM postal_codes").fetchall()
        borders = db.execute("SELECT south, north, west, east FROM borders").fetchall()
        texts = {
            "INSEE codes": [row["insee"] for row in communes],
            "postal codes": [row["code"] for row in chance.sample(codes, EACH)],
            "names": [row["name"] for row in communes],
            "names with department": [f"{row['name']} ({row['department']})" for row in communes],
            "names abroad": [row["name"] for row in chance.sample(towns, EACH)],
            "one mistake": [misspelt(row["name"], chance) for row in communes],
            "two mistakes": [misspelt(misspelt(row["name"], chance), chance) for row in communes],
            "nonsense": [nonsense(chance) for _ in communes],
        }
        territory.understand(db, "Bordaux")  # loads rapidfuzz
        lines = [
            [kind, *asked(given, lambda text: territory.understand(db, text))]
            for kind, given in texts.items()
        ]
        points = [
            (
                chance.uniform(box["south"], box["north"]) / 1000,
                chance.uniform(box["west"], box["east"]) / 1000,
            )
            for box in chance.sample(borders, EACH)
        ]
        lines.append(["points", *asked(points, lambda point: territory.place_at(db, *point))])
        sea = [(chance.uniform(43.5, 48), chance.uniform(-6, -2)) for _ in range(EACH)]
        lines.append(["points at sea", *asked(sea, lambda point: territory.place_at(db, *point))])
    measure.table(
        f"Places: {EACH} of each, milliseconds", ["asked", "p50", "p95", "p99", "most"], lines
    )


def asked(given: list[Any], ask: Callable[[Any], object]) -> list[str]:
    """Median, 95th and 99th percentile and maximum of asking for each, in milliseconds."""
    took = []
    for one in given:
        begun = time.perf_counter()
        ask(one)
        took.append((time.perf_counter() - begun) * 1000)
    points = (50, 95, 99, 100)
    return [f"{measure.percentile(took, at):.2f}" for at in points]


def nonsense(chance: random.Random) -> str:
    """Three to thirty letters and spaces."""
    return "".join(chance.choices(string.ascii_lowercase + " ", k=chance.randint(3, 30)))


def misspelt(name: str, chance: random.Random) -> str:
    """A name with a letter left out, doubled, changed, or changed about with the next."""
    at = chance.randrange(len(name))
    letter = chance.choice(string.ascii_lowercase)
    return chance.choice(
        [
            name[:at] + name[at + 1 :],
            name[:at] + name[at : at + 1] + name[at:],
            name[:at] + letter + name[at + 1 :],
            name[:at] + name[at + 1 : at + 2] + name[at : at + 1] + name[at + 2 :],
        ]
    )
