"""Listings that neighbours told of, written beside the server: a process of its own.

    python -m node.exchange.recording_worker FOLDER < batches > answers

The server starts it in a rush (`recorder.py`) and goes on taking in meanwhile. A line comes for
each batch, `{"now": MOMENT, "ids": [numbers of rows of "received"]}`; a line goes back, the numbers
of those that it left: whatever is no listing told in full, and all that went wrong. They are still
there and the server acts upon them itself, so nothing here decides what is refused. It ends when
no more lines can come: when the server wants it to, and when the server has died.
"""

import gc
import json
import signal
import sys
import traceback
import uuid
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from federation import documents
from federation.errors import Refused
from node import neighbours
from node.exchange import listings_read, terms
from node.exchange.recording import Batch, RecordListing, is_by
from node.model import Received
from node.store import database, received

GARBAGE_AFTER = 20_000  # objects that can hold others, between two looks for garbage


def main(folder: Path) -> None:
    """Answers batches until there are no more."""
    for signal_number in (signal.SIGINT, signal.SIGTERM):  # meant for the server, which says so
        signal.signal(signal_number, signal.SIG_IGN)
    with database.SecondWriter(folder) as door:
        # What is there stays, and a batch leaves no garbage that goes in circles.
        gc.freeze()
        gc.set_threshold(GARBAGE_AFTER, 20, 20)
        _say("ready")
        for line in sys.stdin.buffer:
            batch = json.loads(line)
            _say(record(door, batch["ids"], datetime.fromisoformat(batch["now"])))


def _say(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def record(door: database.SecondWriter, received_ids: Sequence[int], now: datetime) -> list[int]:
    """Writes the listings of these rows in one transaction, with their "done".

    Returns the numbers of those that are left; one that is gone already is not.
    """
    try:
        return _record(door, received_ids, now)
    except Exception:  # nothing of them was written
        traceback.print_exc()
        return list(received_ids)


def _record(door: database.SecondWriter, received_ids: Sequence[int], now: datetime) -> list[int]:
    rows = received.find(door.db, received_ids)
    told = [(row, one) for row in rows if (one := read(row, now)) is not None]
    batch = Batch([one for _, one in told])
    batch.read(door.db)
    with door.transaction() as db:
        failures = batch.write(db, now)
        done = [row for (row, _), error in zip(told, failures, strict=True) if error is None]
        received.remove(db, *(row.id for row in done))
        for host in {documents.address(row.actor)[1] for row in done}:
            neighbours.note_life(db, host, now)
    ids = {row.id for row in done}
    return [row.id for row in rows if row.id not in ids]


def read(row: Received, now: datetime) -> RecordListing | None:
    """A listing that is told in full by its own author; None for everything else.

    The body has passed the gate of the door, so it is read without it.
    """
    try:
        activity: dict[str, Any] = orjson.loads(row.body)
    except orjson.JSONDecodeError:  # the server's reader takes what this one does not
        return None
    found = activity.get("object")
    if documents.type_of(activity) not in ("Create", "Update") or not isinstance(found, dict):
        return None
    if documents.type_of(found) != "Note" or "updated" not in found:
        return None
    if terms.is_post(found) or "inReplyTo" in found:
        return None
    try:
        if not is_by(found, row.actor):
            return None
    except Refused:
        return None
    return RecordListing(found, row.actor, listings_read.local_id(str(uuid.uuid4()), now), now)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
