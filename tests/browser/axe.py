"""axe-core, the accessibility checker, installed once by npm into `.cache/browser`."""

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests import neighbours

SOURCE = Path(__file__).parent
HOME = neighbours.ROOT / ".cache" / "browser"
FILES = ("package.json", "package-lock.json")
SCRIPT = HOME / "node_modules" / "axe-core" / "axe.min.js"


class NpmMissing(Exception):
    """It cannot be installed."""


def install() -> str:
    """The checker's script, installed first unless it is. Raises NpmMissing."""
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs of the tests may begin together
        wanted = hashlib.sha256(b"".join((SOURCE / name).read_bytes() for name in FILES))
        stamp = HOME / "installed"
        if not (SCRIPT.exists() and stamp.exists() and stamp.read_text() == wanted.hexdigest()):
            _install()
            stamp.write_text(wanted.hexdigest())
    return SCRIPT.read_text(encoding="utf-8")


def _install() -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise NpmMissing("there is no npm. What helps: apt-get install npm")
    for name in FILES:
        shutil.copyfile(SOURCE / name, HOME / name)
    done = subprocess.run(
        [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
        cwd=HOME,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode or not SCRIPT.exists():
        raise NpmMissing(
            f"npm could not install axe-core, perhaps without a network: {done.stderr[-500:]}"
        )


def violations(page: Any, script: str) -> list[str]:
    """What the checker finds on a page that is open: rule, element, and what is wrong with it."""
    page.evaluate(script)
    found = page.evaluate(
        """async () => {
            const told = await axe.run(document, {resultTypes: ["violations"]});
            return told.violations.flatMap(rule => rule.nodes.map(
                node => `${rule.id}: ${node.html.slice(0, 200)} ${node.failureSummary}`));
        }"""
    )
    return [str(one) for one in found]
