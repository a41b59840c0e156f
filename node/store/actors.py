"""Actors of this node and their keys (private halves wrapped by node.key)."""

import json
import sqlite3
from datetime import datetime

from node.model import ActorKind, LocalActor
from node.store import times


def add(
    db: sqlite3.Connection, actor: LocalActor, rsa_private: bytes, ed25519_private: bytes
) -> None:
    """Adds an actor with its wrapped private keys. Raises sqlite3.IntegrityError when taken."""
    db.execute(
        """
        INSERT INTO local_actors (handle, kind, name, rsa_public_pem, rsa_private,
                                  ed25519_public, ed25519_private, created)
        VALUES (:handle, :kind, :name, :rsa_public, :rsa_private,
                :ed25519_public, :ed25519_private, :created)
        """,
        {
            "handle": actor.handle,
            "kind": actor.kind,
            "name": actor.name,
            "rsa_public": actor.rsa_public_pem,
            "rsa_private": rsa_private,
            "ed25519_public": actor.ed25519_public,
            "ed25519_private": ed25519_private,
            "created": times.stamp(actor.created),
        },
    )


def get(db: sqlite3.Connection, handle: str) -> LocalActor | None:
    """The actor of that handle, closed ones included."""
    row = db.execute(
        """
        SELECT handle, kind, name, rsa_public_pem, ed25519_public, created, closed, moved_to,
            also_known_as
        FROM local_actors WHERE handle = ?
        """,
        (handle,),
    ).fetchone()
    if row is None:
        return None
    return LocalActor(
        handle=row["handle"],
        kind=ActorKind(row["kind"]),
        name=row["name"],
        rsa_public_pem=row["rsa_public_pem"],
        ed25519_public=row["ed25519_public"],
        created=times.moment(row["created"]),
        closed=times.moment_or_none(row["closed"]),
        moved_to=row["moved_to"],
        also_known_as=tuple(json.loads(row["also_known_as"])),
    )


def change_moved(db: sqlite3.Connection, handle: str, target: str) -> None:
    """Says where an actor has moved to."""
    db.execute("UPDATE local_actors SET moved_to = ? WHERE handle = ?", (target, handle))


def change_aliases(db: sqlite3.Connection, handle: str, aliases: tuple[str, ...]) -> None:
    """Says which actors elsewhere an actor is as well."""
    db.execute(
        "UPDATE local_actors SET also_known_as = ? WHERE handle = ?",
        (json.dumps(list(aliases)), handle),
    )


def get_private_keys(db: sqlite3.Connection, handle: str) -> tuple[bytes, bytes] | None:
    """The wrapped RSA and Ed25519 private keys."""
    row = db.execute(
        "SELECT rsa_private, ed25519_private FROM local_actors WHERE handle = ?", (handle,)
    ).fetchone()
    return None if row is None else (row[0], row[1])


def rename(db: sqlite3.Connection, handle: str, name: str) -> None:
    """Gives an actor another name; its handle stays."""
    db.execute("UPDATE local_actors SET name = ? WHERE handle = ?", (name, handle))


def close(db: sqlite3.Connection, handle: str, now: datetime) -> None:
    """Marks an actor as gone for good; its handle stays taken."""
    db.execute("UPDATE local_actors SET closed = ? WHERE handle = ?", (times.stamp(now), handle))
