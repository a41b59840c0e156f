"""One arena for the tests of a file: starting a node costs more than most of them, and what a file
leaves behind is no other's matter."""

from collections.abc import Iterator

import pytest

from tests.hostile.arena import Arena, opened


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """A node that serves, with a neighbour, a stranger and a canary."""
    with opened(tmp_path_factory.mktemp("hostile")) as found:
        yield found
