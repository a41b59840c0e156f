"""Three nodes through whatever happens: at the end they agree, and nothing confirmed is lost.

A seed that once found a fault stands in FOUND and stays there.
"""

from pathlib import Path

import pytest

from tests.simulator import world

FOUND: tuple[int, ...] = ()
STEPS = 18


@pytest.mark.parametrize("seed", [2026, *FOUND])
def test_they_agree_at_the_end(tmp_path: Path, seed: int) -> None:
    with world.made(tmp_path) as nodes:
        world.live(nodes, seed, STEPS)
        nodes.agree()


@pytest.mark.soak
def test_they_agree_at_the_end_of_many_lives(tmp_path: Path) -> None:
    """One world lives all of them: what one leaves behind is the next one's past."""
    with world.made(tmp_path) as nodes:
        for seed in range(30):
            world.live(nodes, seed, 40)
            nodes.agree()
            print(f"seed {seed}: agree on {sum(map(len, nodes.on_show.values()))} listings")
