"""The last proof that was published: one row."""

import json
import sqlite3

from node.model import Proof
from node.store import times


def put(db: sqlite3.Connection, proof: Proof) -> None:
    """Keeps a proof in the place of the one before."""
    db.execute(
        """
        INSERT OR REPLACE INTO proofs
            (one, at, pages, requests, outside, cookies, stored, browser)
        VALUES (1, ?, ?, ?, ?, ?, ?, ?)
        """,
        (
            times.stamp(proof.at),
            proof.pages,
            proof.requests,
            json.dumps(proof.outside),
            json.dumps(proof.cookies),
            json.dumps(proof.stored),
            proof.browser,
        ),
    )


def get(db: sqlite3.Connection) -> Proof | None:
    """The proof that is kept."""
    row = db.execute(
        "SELECT at, pages, requests, outside, cookies, stored, browser FROM proofs"
    ).fetchone()
    if row is None:
        return None
    return Proof(
        times.moment(row[0]),
        row[1],
        row[2],
        tuple(json.loads(row[3])),
        tuple(json.loads(row[4])),
        tuple(json.loads(row[5])),
        row[6],
    )
