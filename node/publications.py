"""What happens, in the same transaction, whenever something public changes.

The change takes the next number of the change sequence, and a note is written that followers must
hear of it. A worker spreads the note over their inboxes later: a crash in between loses nothing.
"""

import hashlib
import sqlite3
from collections.abc import Iterable
from datetime import datetime, timedelta

from node.model import ChangeKind, Verb
from node.store import changes, deliveries, hidden, times

TOMBSTONES_KEPT = timedelta(days=90)


def announce(
    db: sqlite3.Connection,
    kind: ChangeKind,
    uri: str,
    verb: Verb,
    updated: datetime,
    now: datetime,
    *,
    quiet: bool = False,
    kept: bool = False,
) -> int:
    """Numbers a change and notes that followers must hear of it. Returns the number.

    A `quiet` change, of price or stock alone, may be told together with others that follow it.
    Neighbours are not told of what is `kept`.
    """
    if kind is ChangeKind.SHOP and verb is Verb.UPDATE and hidden.exists(db, uri):
        verb = Verb.DELETE  # whatever a suspended shop changes, others do not hold it
    seq = changes.add(
        db,
        kind,
        uri,
        deleted=verb is Verb.DELETE,
        updated=updated,
        fingerprint=fingerprint(uri, times.stamp(updated)),
        kept=kept,
    )
    deliveries.add_publication(db, kind, uri, verb, now, quiet=quiet)
    return seq


def fingerprint(uri: str, updated: str) -> bytes:
    """SHA-256 of an object's id and the time it was last changed, as written on the wire."""
    return hashlib.sha256(f"{uri} {updated}".encode()).digest()


def digest(fingerprints: Iterable[bytes]) -> str:
    """The XOR of fingerprints in hexadecimal: equal digests of two nodes mean agreement."""
    combined = 0
    for one in fingerprints:
        combined ^= int.from_bytes(one, "big")
    return f"{combined:064x}"


def next_update(previous: datetime, now: datetime) -> datetime:
    """When a change counts as made: now, in whole seconds, and always after the previous one.

    Others tell an old state from a new one by this time alone, so it never repeats, not within a
    second and not when the clock was set back.
    """
    return max(now.replace(microsecond=0), previous + timedelta(seconds=1))
