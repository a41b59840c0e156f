"""A node away for 8 and for 100 days while its neighbours go on: how long until all agree again."""

from pathlib import Path

from bench import measure
from tests.simulator import outage, world

CHANGES = 500


def run(base: Path, size: measure.Size) -> None:
    """Prints a table. Each line is one outage, each after the one before in the same world."""
    with world.made(base) as nodes:
        lines = [
            outage.happen(nodes, days, CHANGES)
            for days in (8, 100)
            for _ in range(size.rounds or 1)
        ]
    measure.table(
        "three nodes; one is away while the others create, change and delete",
        ("days away", "changes", "listings on show", "its listings were", "all agree after, s"),
        [
            (
                f"{one.days:.0f}",
                str(one.changes),
                str(one.live),
                one.freshness,
                f"{one.agreed_after:.1f}",
            )
            for one in lines
        ],
    )
