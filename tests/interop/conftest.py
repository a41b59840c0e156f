"""A node of ours and a peer of another make, connected."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import neighbours
from tests.interop import fedify
from tests.interop.fedify import Peer
from tests.neighbours import Town
from tests.skipping import MARK, missing

WHAT = "other servers' software"
MATRIX = pytest.StashKey["Matrix"]()


class Matrix:
    """What was tried with servers of another make, each way, and how it went."""

    def __init__(self) -> None:
        self.cells: dict[tuple[str, str], bool] = {}

    @contextlib.contextmanager
    def cell(self, row: str, way: str) -> Iterator[None]:
        """What is tried inside is a cell: good once it ends well, each time that it is tried."""
        before = self.cells.get((row, way), True)
        self.cells[row, way] = False
        yield
        self.cells[row, way] = before

    def lines(self) -> list[str]:
        """The matrix as a table."""
        ways = list(dict.fromkeys(way for _, way in self.cells))
        lines = [f"{'':20}" + "".join(f"{way:>18}" for way in ways)]
        for row in dict.fromkeys(row for row, _ in self.cells):
            words = {True: "yes", False: "NO", None: "–"}
            said = "".join(f"{words[self.cells.get((row, way))]:>18}" for way in ways)
            lines.append(f"{row:20}{said}")
        return lines


@pytest.fixture(scope="session")
def matrix(request: pytest.FixtureRequest) -> Matrix:
    """Filled by tests, printed at the end."""
    return request.config.stash.setdefault(MATRIX, Matrix())


@pytest.fixture(scope="session")
def installed() -> None:
    """The peer's program; without it, nothing here can be tested, and that is said loudly."""
    try:
        fedify.install()
    except fedify.SourceMissing as error:  # it is not part of this repository: so everywhere else
        pytest.skip(f"{MARK}{WHAT}: {error}")
    except fedify.NpmMissing as error:
        missing(WHAT, str(error))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """The matrix of `make interop`."""
    matrix = config.stash.get(MATRIX, None)
    if matrix is not None and matrix.cells:
        terminalreporter.section("our node and a market node on Fedify 2.3.6")
        for line in matrix.lines():
            terminalreporter.line(line)


@pytest.fixture(scope="session")
def ports() -> list[int]:
    """Where peers will listen: our node must know before, to be let through to the loopback."""
    return [neighbours.free_port() for _ in range(3)]


@pytest.fixture(scope="session")
def town(
    installed: None, ports: list[int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    """A real node of ours, for all tests: each opens shops of its own."""
    folder = tmp_path_factory.mktemp("towns") / "pessac"
    port = neighbours.free_port()
    neighbours.echoppe(
        "init", str(folder), "--url", f"http://127.0.0.1:{port}", "--name", "Boutiques Pessac",
        "--commune", "Pessac", "--listen", f"127.0.0.1:{port}",
        *(f"--private-peer=127.0.0.1:{peer}" for peer in ports),
    )  # fmt: skip
    town = Town(folder, port)
    with neighbours.serving([town]):
        yield town


@pytest.fixture(scope="session")
def peer(town: Town, ports: list[int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """The peer, for all tests that leave its ways as they are."""
    with fedify.serving(ports[0], tmp_path_factory.mktemp("peer")) as peer:
        yield peer


@pytest.fixture
def old_peer(town: Town, ports: list[int], tmp_path: Path) -> Iterator[Peer]:
    """A peer that our node meets for the first time, and that signs by draft-cavage first."""
    with fedify.serving(ports.pop(), tmp_path / "old-peer", first_knock="cavage") as peer:
        yield peer
