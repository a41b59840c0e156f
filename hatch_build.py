"""What a build makes from committed sources: the gazetteer file and the compiled catalogues.

hatchling runs this for a wheel and for an editable installation; a source distribution carries the
sources alone.
"""

import subprocess
import sys
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Makes the files that `artifacts` in pyproject.toml names."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        if self.target_name != "wheel":
            return
        # Each in a process of its own: this one may know another package called node.
        for module in ("node.gazetteer.build", "node.translation"):
            subprocess.run([sys.executable, "-m", module], cwd=self.root, check=True)  # noqa: S603
