"""Setting a node up: what is still to be done, found out from how things are."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from node import neighbours, second_factor
from node.model import Role
from node.settings import Settings
from node.store import accounts, peers, proofs, setup_notes, shops

STEPS = 6


@dataclass(frozen=True, slots=True)
class Task:
    """Something that a node needs: its name, where it is done (behind `/gestion`), and whether."""

    name: str
    path: str
    done: bool


def tasks(db: sqlite3.Connection, configured: Settings, now: datetime) -> list[Task]:
    """The checklist, in the order of the screens."""
    notes = setup_notes.find(db)
    stewards = accounts.find_with_role(db, Role.STEWARD, now)
    can_sign_in = [one for one in stewards if one.email]
    return [
        Task("address", "/installation/2", "address" in notes),
        Task("contact", "/installation/3", bool(configured.node.contact.strip())),
        Task("own-address", "/installation/4", len(can_sign_in) == len(stewards)),
        Task("second-steward", "/installation/4", len(can_sign_in) >= 2),
        Task(
            "second-factor",
            "/acces",
            all(second_factor.is_in_use(db, one.id) for one in stewards),
        ),
        Task("backup", "/installation/6", bool(configured.backup.key)),
        Task("mail", "#mail", bool(configured.mail.host)),
        Task("shop", "/boutiques/ajouter", bool(shops.find(db, own=True, limit=1))),
        Task("neighbour", "/voisins", any(
            neighbours.state(peer) == "agreed" for peer in peers.find(db)
        )),
        Task("proof", "#todo", proofs.get(db) is not None),
    ]  # fmt: skip
