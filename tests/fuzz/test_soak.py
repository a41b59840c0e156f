"""`make soak`: a million inputs for each target, guided by coverage (FUZZ=… for another number)."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.fuzz.test_corpus import TARGETS
from tests.neighbours import ROOT

INPUTS = int(os.environ.get("FUZZ", "1000000"))


@pytest.mark.soak
@pytest.mark.parametrize("name", TARGETS)
def test_a_million_inputs(name: str, tmp_path: Path) -> None:
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", name, "--inputs", str(INPUTS), "--folder",
         str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    said, seconds = done.stderr, time.monotonic() - begun
    found = [*tmp_path.glob("crash-*"), *tmp_path.glob("timeout-*")]
    assert (done.returncode, found) == (0, []), said[-4000:]
    (executed,) = re.findall(r"stat::number_of_executed_units: (\d+)", said)
    assert int(executed) >= INPUTS
    *_, (cov, features) = re.findall(r"cov: (\d+) ft: (\d+)", said)
    print(f"{name}: {executed} inputs in {seconds:.0f} s, {cov} edges, {features} features")
