"""Founding a node: its settings, its secret, its file, its own two actors, and its first steward.

Everything is made in a folder beside the target and moved into place at the end, so that a refusal
or a crash leaves nothing half done.
"""

import contextlib
import json
import os
import secrets
import shutil
import sqlite3
import tempfile
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from node import accounts, errors, keyring, settings, shops, territory, upkeep
from node.exchange import keys
from node.model import ActorKind, Place, Role
from node.store import database, migrations
from node.store import node as node_row
from node.uris import INSTANCE, RESERVED_HANDLES, Uris, slug


@dataclass(frozen=True, slots=True)
class Charter:
    """What is said to found a node."""

    url: str
    name: str
    communes: tuple[str, ...]
    operator: str
    contact: str
    listen: str
    private_peers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Founded:
    """A node that was just made."""

    folder: Path
    url: str
    handle: str
    communes: tuple[Place, ...]
    steward_link: str


def found(folder: Path, charter: Charter, places_db: sqlite3.Connection) -> Founded:
    """Makes a node in `folder`, which must be empty or not exist.

    Raises errors.Conflict for a folder that is not empty and errors.Invalid or errors.NotFound
    for a charter that cannot be used.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise errors.Conflict(
            "folder-not-empty", f"{folder} is not an empty folder. Name one that is empty or new."
        )
    communes = tuple(territory.resolve(places_db, text) for text in charter.communes)
    text = _settings_text(charter, communes)
    configured = settings.parse(text)
    handle = commune_handle(communes[0])
    token = secrets.token_urlsafe(24)
    folder.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=".echoppe-", dir=folder.parent))
    try:
        written = building / settings.FILE_NAME
        written.write_text(text, encoding="utf-8")
        written.chmod(0o600)
        _fill(building, configured, communes, handle, token, datetime.now(UTC))
        building.chmod(0o700)
        building.replace(folder)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    link = f"{configured.node.url}/connexion/{token}"
    return Founded(folder, configured.node.url, handle, communes, link)


def commune_handle(place: Place) -> str:
    """The handle of the commune's Group actor, such as saint_medard_en_jalles."""
    handle = slug(place.name).replace("-", "_")[:30].strip("_")
    return f"{handle[:22].strip('_')}_commune" if handle in RESERVED_HANDLES else handle


def _fill(
    folder: Path,
    configured: settings.Settings,
    communes: tuple[Place, ...],
    handle: str,
    token: str,
    now: datetime,
) -> None:
    ring = keyring.create(folder)
    uris = Uris(configured.node.url)
    descriptor = os.open(folder / database.FILE_NAME, os.O_CREAT | os.O_EXCL, 0o600)
    os.close(descriptor)
    migrations.migrate(folder, now)
    with database.transaction(folder) as db:
        node_row.add(db, uris.origin, handle, now)
        for name, kind, title in (
            (INSTANCE, ActorKind.NODE, configured.node.name),
            (handle, ActorKind.COMMUNE, communes[0].name),
        ):
            shops.add_actor(db, name, kind, title, keys.generate(ring, name), now)
        accounts.invite(
            db,
            None,
            Role.STEWARD,
            territory=communes[0].id,
            account_id=str(uuid.uuid4()),
            token=token,
            now=now,
        )
    upkeep.reindex(folder)
    with contextlib.suppress(FileNotFoundError):
        (folder / "write.lock").unlink()


def _settings_text(charter: Charter, communes: tuple[Place, ...]) -> str:
    def quoted(value: object) -> str:
        return json.dumps(value, ensure_ascii=False)  # TOML's basic strings and lists are JSON's

    return f"""\
# The settings of this node. Every key there is, with what it does: instance.example.toml

[node]
url = {quoted(charter.url)}
name = {quoted(charter.name)}
communes = {quoted([place.id for place in communes])}  # {", ".join(p.name for p in communes)}
operator = {quoted(charter.operator)}
contact = {quoted(charter.contact)}

[server]
listen = {quoted(charter.listen)}

[federation]
private_peers = {quoted(list(charter.private_peers))}
"""
