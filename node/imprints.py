"""The legal notice of a shop: what it says of who runs it (loi 2004-575, article 1-1; code de la
consommation, L111-1, R111-2 and L616-1), beside what the site knows already."""

import dataclasses
import sqlite3

from node import accounts, errors, words
from node.model import Imprint, Shop
from node.store import applications, imprints

LINE_MOST = 200


def siren(digits: str) -> str:
    """The SIREN in a SIRET, as people write it: "123 456 789"."""
    return " ".join(digits[at : at + 3] for at in (0, 3, 6))


def begun(db: sqlite3.Connection, shop: Shop, town: str) -> Imprint:
    """What a shop says; before it has said anything, what follows from its SIRET, to be read
    again: most shops are in the register of their own town, not all."""
    said = imprints.get(db, shop.id)
    asked = applications.of_shop(db, shop.id)
    if said == Imprint() and asked is not None and asked.state == "approved":
        return Imprint(register=f"RCS {town} {siren(asked.siret)}".replace("  ", " "))
    return said


def save(db: sqlite3.Connection, shop: Shop, said: Imprint) -> None:
    """Keeps what a shop says. Raises errors.Invalid, naming each field that cannot be used."""
    problems = {
        name: "is too long, or unreadable"
        for name, value in dataclasses.asdict(said).items()
        if len(value) > LINE_MOST or not words.is_plain(value)
    }
    if said.email and not accounts.is_address(said.email):
        problems["email"] = "is no address"
    if problems:
        raise errors.Invalid("bad-imprint", "Some of this cannot be used.", fields=problems)
    imprints.put(db, shop.id, said)
