"""What a build makes from committed sources: the gazetteer file and the compiled catalogues.

hatchling runs this for a wheel and for an editable installation; a source distribution carries the
sources alone.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Makes the files that `artifacts` in pyproject.toml names."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        # In a process of its own: this one may know another package called node.
        subprocess.run([sys.executable, "-m", "node.gazetteer.build"], cwd=root, check=True)
        compile_catalogues(root)


def compile_catalogues(root: Path) -> list[Path]:
    """Compile every node/locales/<language>/LC_MESSAGES/*.po under `root` to the .mo beside it.

    Returns the files written, each moved into place whole. Sentences marked fuzzy are left out, so
    the English shows instead. Raises babel's PoFileError for a catalogue that cannot be read.
    """
    written = []
    for source in sorted(root.glob("node/locales/*/LC_MESSAGES/*.po")):
        with source.open("rb") as opened:
            catalogue = read_po(opened, locale=source.parent.parent.name, abort_invalid=True)
        target = source.with_suffix(".mo")
        handle, name = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=target.parent)
        unfinished = Path(name)
        try:
            with os.fdopen(handle, "wb") as output:
                write_mo(output, catalogue)
                os.fchmod(output.fileno(), 0o644)
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)
        written.append(target)
    return written
