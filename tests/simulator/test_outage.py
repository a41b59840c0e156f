"""A node that was away: back again, all agree, and what was deleted meanwhile is gone there too."""

from pathlib import Path

import pytest

from tests.simulator import outage, world


def test_a_node_away_for_eight_days_and_then_for_a_hundred(tmp_path: Path) -> None:
    with world.made(tmp_path) as nodes:
        week = outage.happen(nodes, 8, 30)
        assert (week.changes, week.freshness) == (30, "fresh")
        # Deletions of so long ago are told no more: everything is read again, the rest swept.
        # So many that this takes several pages.
        season = outage.happen(nodes, 100, 330)
        assert (season.changes, season.freshness) == (330, "hidden")


@pytest.mark.soak
def test_away_while_five_hundred_listings_change(tmp_path: Path) -> None:
    """The same with 500, and with the time it took (`python -m bench outage` prints it too)."""
    with world.made(tmp_path) as nodes:
        for days in (8, 100):
            print(outage.happen(nodes, days, 500))
