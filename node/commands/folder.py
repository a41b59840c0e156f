"""A node's folder, as commands open it."""

import argparse
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from node import clock, settings, upkeep
from node.settings import Settings
from node.uris import Uris


@dataclass(frozen=True, slots=True)
class Folder:
    """Where a node is, what it is set to, and its addresses."""

    path: Path
    settings: Settings
    uris: Uris
    now: datetime


def open_folder(asked: argparse.Namespace) -> Folder:
    """The folder named with -C, its file brought up to date. Raises errors.NodeError."""
    path: Path = asked.folder.absolute()
    configured = settings.load(path)
    now = clock.clock(configured.testing.clock_offset_s)
    upkeep.prepare(path, configured, now)
    return Folder(path, configured, Uris(configured.node.url), now())


def new_id() -> str:
    """A fresh id."""
    return str(uuid.uuid4())


def new_token() -> str:
    """A fresh secret for a link."""
    return secrets.token_urlsafe(24)


def new_code() -> str:
    """A fresh six-digit code."""
    return f"{secrets.randbelow(1_000_000):06d}"
