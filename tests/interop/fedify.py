"""The independent peer: an ActivityPub server of another make, on the Fedify library.

Its program is in `../shared/peer`, beside this repository. It is installed once, into
`.cache/interop`, and told what to do over its control API:

    with fedify.serving(port, folder) as peer:
        peer.ask("follow", target="@fleurs@127.0.0.1:8000")

It signs, verifies and reads by its own code, and says of everything that it received what it
thinks of the signature, of the owner of the key, and of the proof.
"""

import contextlib
import fcntl
import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from tests import neighbours

SOURCE = neighbours.ROOT.parent / "shared" / "peer"
HOME = neighbours.ROOT / ".cache" / "interop"
FILES = ("package.json", "peer.mjs", "tlsproxy.mjs")
NODE = HOME / "node_modules" / "node" / "bin" / "node"


class SourceMissing(Exception):
    """The peer's program is not beside this repository."""


class NpmMissing(Exception):
    """The peer's dependencies cannot be installed."""


def install() -> None:
    """Makes the peer ready to run, unless it is. Raises SourceMissing, NpmMissing."""
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs of the tests may begin together
        _install()


def _install() -> None:
    stamp = HOME / "installed"
    made = stamp.read_text() if stamp.exists() and NODE.exists() else None
    if not all((SOURCE / name).is_file() for name in FILES):
        if made is None:
            raise SourceMissing(f"there is no {SOURCE}")
        return
    wanted = hashlib.sha256(b"".join((SOURCE / name).read_bytes() for name in FILES)).hexdigest()
    if made == wanted:
        return
    npm = shutil.which("npm")
    if npm is None:
        raise NpmMissing("there is no npm. What helps: apt-get install npm")
    stamp.unlink(missing_ok=True)
    for name in FILES:
        shutil.copyfile(SOURCE / name, HOME / name)
    done = subprocess.run(
        [npm, "install", "--no-audit", "--no-fund", "--omit=dev"],
        cwd=HOME,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode or not NODE.exists():
        raise NpmMissing(
            f"npm could not install it, perhaps without a network: {done.stderr[-500:]}"
        )
    stamp.write_text(wanted)


@dataclass(frozen=True)
class Peer:
    """A peer that runs. Its people are alice and bob."""

    port: int
    control: int

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self.port}"

    def person(self, name: str = "alice") -> str:
        """The id of one of its actors."""
        return f"http://{self.authority}/users/{name}"

    def document(self, uri: str) -> dict[str, Any]:
        """What it answers to anybody who asks for one of its objects."""
        answer = httpx2.get(
            uri, headers={"Accept": "application/activity+json"}, timeout=neighbours.PATIENCE
        )
        assert answer.status_code == 200
        return answer.json()

    def ask(self, call: str, **details: Any) -> Any:
        """Has it do something, and returns its answer."""
        answer = httpx2.post(
            f"http://127.0.0.1:{self.control}/{call}", json=details, timeout=neighbours.PATIENCE
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def tell(self, what: str, **query: Any) -> Any:
        """What it has seen: `received`, `requests`, `outgoing` or `state`."""
        answer = httpx2.get(
            f"http://127.0.0.1:{self.control}/{what}", params=query, timeout=neighbours.PATIENCE
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def received(self, actor: str, kind: str, about: str | None = None) -> list[dict[str, Any]]:
        """Every knock at its inboxes by an actor with one kind of activity, in order.

        With `about`, only those whose object has that id.
        """
        found = self.tell("received", actor=actor, type=kind)
        return [one for one in found if about is None or one["object"]["id"] == about]

    def wait_for(self, actor: str, kind: str, about: str | None = None) -> dict[str, Any]:
        """The first such activity that it took, once it came."""

        def taken() -> list[dict[str, Any]]:
            knocks = self.received(actor, kind, about)
            return [one for one in knocks if one.get("status", 999) < 300]

        return neighbours.eventually(taken)[0]


@contextlib.contextmanager
def serving(port: int, folder: Path, first_knock: str = "rfc9421") -> Iterator[Peer]:
    """Starts a peer in a folder of its own, and ends it.

    `first_knock` is the kind of signature that it tries first: rfc9421 or cavage.
    """
    folder.mkdir(parents=True, exist_ok=True)
    peer = Peer(port, neighbours.free_port())
    command = [NODE, HOME / "peer.mjs", "--port", str(peer.port)]
    command += ["--control-port", str(peer.control), "--first-knock", first_knock]
    with (folder / "peer.log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (folder / "peer.log").read_text()
        assert json.loads(line)["ready"]
        yield peer
    finally:
        process.terminate()
        process.communicate(timeout=neighbours.PATIENCE)
