"""One arena for all hostile tests: starting a node costs more than most of them."""

from collections.abc import Iterator

import pytest

from tests.hostile.arena import Arena, opened


@pytest.fixture(scope="session")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """A node that serves, with a neighbour, a stranger and a canary."""
    with opened(tmp_path_factory.mktemp("hostile")) as found:
        yield found
