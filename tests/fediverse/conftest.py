"""A node that serves, a true neighbour, and a stranger where people live who follow its shops."""

from collections.abc import Iterator

import pytest

from tests.fediverse import people
from tests.hostile.arena import Arena, opened


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """One for the tests of a file: each brings actors of its own."""
    with opened(tmp_path_factory.mktemp("fediverse")) as found:
        yield found


@pytest.fixture
def anne(arena: Arena) -> people.Actor:
    """Somebody on another server."""
    return arena.stranger.actor("Person")
