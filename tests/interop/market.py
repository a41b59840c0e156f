"""The market node of another make (`market/`): an ActivityPub server of our own writing on an
independent library, installed from the lock beside it into `.cache/interop-market`.
"""

import contextlib
import fcntl
import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from tests import neighbours
from tests.interop.fedify import NpmMissing

SOURCE = Path(__file__).with_name("market")
HOME = neighbours.ROOT / ".cache" / "interop-market"
FILES = (".npmrc", "package.json", "package-lock.json", "market.mjs")
NODE = HOME / "node_modules" / "node" / "bin" / "node"


def install() -> None:
    """Makes it ready to run, unless it is. Raises NpmMissing."""
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs of the tests may begin together
        for name in FILES:
            shutil.copyfile(SOURCE / name, HOME / name)
        stamp = HOME / "installed"
        wanted = hashlib.sha256((HOME / "package-lock.json").read_bytes()).hexdigest()
        if NODE.exists() and stamp.exists() and stamp.read_text() == wanted:
            return
        npm = shutil.which("npm")
        if npm is None:
            raise NpmMissing("there is no npm. What helps: apt-get install npm")
        stamp.unlink(missing_ok=True)
        done = subprocess.run(
            [npm, "ci", "--omit=dev"],
            cwd=HOME,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if done.returncode or not NODE.exists():
            raise NpmMissing(f"npm could not install it: {done.stderr[-500:]}")
        stamp.write_text(wanted)


@dataclass(frozen=True)
class Market:
    """It runs."""

    port: int
    control: int

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self.port}"

    def actor(self, name: str) -> str:
        """The id of `instance` or `stand`."""
        return f"http://{self.authority}/users/{name}"

    def ask(self, call: str, **details: Any) -> Any:
        """Has it do something, and returns its answer."""
        answer = httpx2.post(
            f"http://127.0.0.1:{self.control}/{call}", json=details, timeout=neighbours.PATIENCE
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def received(self, kind: str, about: str | None = None) -> list[dict[str, Any]]:
        """Each knock with one kind of activity, about the object of that id."""

        def names(activity: dict[str, Any]) -> Any:
            obj = activity["object"]
            return obj["id"] if isinstance(obj, dict) else obj

        return [
            one
            for one in self.ask("received")
            if one["activity"]["type"] == kind and about in (None, names(one["activity"]))
        ]

    def wait_for(self, kind: str, about: str) -> dict[str, Any]:
        """The first such knock that it took, once it came."""
        return neighbours.eventually(
            lambda: [one for one in self.received(kind, about) if one.get("status", 999) < 300]
        )[0]


@contextlib.contextmanager
def serving(port: int, folder: Path) -> Iterator[Market]:
    """Starts it, and ends it."""
    market = Market(port, neighbours.free_port())
    command = [NODE, HOME / "market.mjs", str(market.port), str(market.control)]
    with (folder / "market.log").open("w") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (folder / "market.log").read_text()
        yield market
    finally:
        process.terminate()
        process.communicate(timeout=neighbours.PATIENCE)
