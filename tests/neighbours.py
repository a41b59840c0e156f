"""Real nodes for tests: folders made and served by the real command, over real HTTP on loopback.

    with neighbours.towns("Bordeaux", "Pessac") as (bordeaux, pessac):
        bordeaux.run("shop", "add", ...)

Each node is a process of its own that can be killed and started again.
"""

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

ROOT = Path(__file__).resolve().parent.parent
PORTS = (20_000, 32_000)
PATIENCE = 60.0  # seconds that something may take when four workers share two processors


def free_ports(count: int) -> list[int]:
    """Different ports of the loopback, in a row, that are the caller's until this process ends.

    They lie below those that the kernel gives to outgoing connections: else one of these could sit
    on the port of a node that is not yet, or not just now, running. Each is bound here for good,
    which keeps every other process that asks this function away, and then marked for reuse, which
    lets a server listen on it all the same: once, and again after each end.
    """
    while True:
        first = random.randrange(*PORTS)
        with contextlib.ExitStack() as stack:
            held = []
            try:
                for port in range(first, first + count):
                    one = stack.enter_context(socket.socket())
                    one.bind(("127.0.0.1", port))
                    held.append(one)
            except OSError:  # somebody else's
                continue
            for one in held:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                one.detach()  # stays bound
        return list(range(first, first + count))


def free_port() -> int:
    """One such port."""
    return free_ports(1)[0]


def echoppe(
    *arguments: str, folder: Path | None = None, status: int = 0
) -> subprocess.CompletedProcess[str]:
    """Runs the command and checks its exit status."""
    command = [sys.executable, "-m", "node"]
    if folder is not None:
        command += ["-C", str(folder)]
    done = subprocess.run(
        [*command, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=3 * PATIENCE,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == status, (arguments, done.returncode, done.stdout, done.stderr)
    return done


@dataclass
class Town:
    """One node: its folder, its address, and its process while it runs."""

    folder: Path
    port: int
    process: subprocess.Popen[str] | None = field(default=None, repr=False)

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.authority}"

    def run(self, *arguments: str, status: int = 0) -> Any:
        """A command on this node, its JSON answer read."""
        done = echoppe(*arguments, "--json", folder=self.folder, status=status)
        return json.loads(done.stdout) if status == 0 else done.stderr

    def serve(self) -> None:
        """Starts the server and waits until it says that it is ready."""
        errors = (self.folder.parent / f"{self.folder.name}.log").open("a")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "node", "-C", str(self.folder), "serve"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        errors.close()
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line == f"ready {self.url}\n", (line, self.log())

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """SIGKILL, as a power cut would."""
        return self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> int:
        if self.process is None:
            return 0
        self.process.send_signal(how)
        status = self.process.wait(PATIENCE)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None
        return status

    def log(self) -> str:
        """What the server has written to standard error."""
        return (self.folder.parent / f"{self.folder.name}.log").read_text()

    def get(self, path: str, **options: Any) -> httpx2.Response:
        """A plain GET."""
        return httpx2.get(f"{self.url}{path}", timeout=PATIENCE, **options)

    def names(self, query: str, near: str) -> list[str]:
        """What a search over HTTP finds, rings in order."""
        answer = self.get("/api/v1/search", params={"q": query, "near": near}).json()
        return [hit["name"] for ring in answer["rings"] for hit in ring["results"]]


def found(communes: Sequence[str], base: Path) -> list[Town]:
    """New nodes that may dial each other, not yet running."""
    ports = free_ports(len(communes))
    towns = []
    for commune, port in zip(communes, ports, strict=True):
        peers = [f"--private-peer=127.0.0.1:{other}" for other in ports if other != port]
        folder = base / commune.lower()
        authority = f"127.0.0.1:{port}"
        echoppe(
            "init", str(folder), "--url", f"http://{authority}", "--listen", authority,
            "--name", f"Boutiques {commune}", "--commune", commune, *peers,
        )  # fmt: skip
        towns.append(Town(folder, port))
    return towns


@contextlib.contextmanager
def serving(towns: Sequence[Town]) -> Iterator[None]:
    """Serves nodes, and ends whatever still runs."""
    try:
        for town in towns:
            town.serve()
        yield
    finally:
        for town in towns:
            town.kill()


def befriend(one: Town, other: Town) -> None:
    """Makes two running nodes neighbours, and waits until both have read each other."""
    one.run("neighbour", "add", other.url)
    eventually(lambda: other.run("neighbour", "list"))
    other.run("neighbour", "accept", one.authority)
    for town in (one, other):
        eventually(lambda town=town: all(peer["synced"] for peer in town.run("neighbour", "list")))


def eventually(condition: Any, within: float = PATIENCE) -> Any:
    """Waits for a condition to become true; returns what it gave."""
    deadline = time.monotonic() + within
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
