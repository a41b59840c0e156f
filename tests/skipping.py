"""What a test does where something it needs is not on the machine."""

import os
from typing import NoReturn

import pytest

MARK = "NOT TESTED: "


def missing(what: str, reason: str) -> NoReturn:
    """Skips, to be told loudly at the end (`tests/conftest.py`). Fails where nothing may be."""
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(f"{MARK}{what}: {reason}")
