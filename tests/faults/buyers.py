"""Residents who reserve again and again, whatever happens to the node, and what they were promised.

    with buyers.reserving(town, listings) as people:
        ...                                # the node is stopped, killed, served again
    lost, doubled = buyers.check(town, people)  # nothing lost, nothing doubled

Each sends the same form until it is answered, as a browser's "try again" does: so a reservation
that was stored and not acknowledged is asked for twice.
"""

import contextlib
import re
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2

from node import sealing
from tests.neighbours import Town

STOCK = 90_000
SHOPS = 12  # no shop takes more than reservations.OPEN_MOST that are open
PAUSE = 0.15  # seconds between two reservations of one resident


@dataclass
class People:
    """What has been acknowledged so far: the ids; and how often a form had to be sent again."""

    acknowledged: list[str] = field(default_factory=list)
    again: int = 0
    refused: list[int] = field(default_factory=list)  # statuses that no resident should see


def offer_things(town: Town, count: int = SHOPS) -> list[str]:
    """Shops that have one thing each, counted; where each can be reserved."""
    found = []
    for number in range(count):
        handle = f"etal{number}"
        town.run("shop", "add", handle, "--name", f"Étal {number}", "--commune", "Bordeaux")
        made = town.run(
            "listing", "add", handle, "--name", "Pomme", "--price", "1", "--stock", str(STOCK)
        )
        found.append(f"/@{handle}/x-{made['id'][:8]}/reserver")
    return found


def ask(town: Town, path: str, offer: str, secret: str) -> int:
    """One form sent; the status of the answer."""
    answer = httpx2.post(
        f"{town.url}{path}",
        data={"link": secret, "offer": offer, "quantity": "1"},
        headers={"Sec-Fetch-Site": "same-origin"},
        timeout=30,
    )
    return answer.status_code


def offer_of(town: Town, path: str) -> str:
    """The offer that a reservation form names."""
    found = re.search(r'name="offer" value="([^"]+)"', town.get(path).text)
    assert found is not None
    return found[1]


@contextlib.contextmanager
def reserving(town: Town, paths: Sequence[str], residents: int = 2) -> Iterator[People]:
    """Residents at work while the block runs; at its end each waits for its last answer, so the
    node must run then."""
    people, stop, lock = People(), threading.Event(), threading.Lock()
    offers = {path: offer_of(town, path) for path in paths}

    def live(first: int) -> None:
        number = first
        while not stop.is_set():
            path, secret = paths[number % len(paths)], secrets.token_urlsafe(32)
            number += 1
            status = 0
            while status not in (303, 429):
                try:
                    status = ask(town, path, offers[path], secret)
                except httpx2.HTTPError:
                    status = 0
                with lock:
                    if status == 303:
                        people.acknowledged.append(sealing.reservation_id(secret))
                    elif status == 0:
                        people.again += 1
                    elif status != 429:  # the shop has all it can have ready
                        people.refused.append(status)
                if status == 0:
                    time.sleep(0.05)
            time.sleep(PAUSE)

    threads = [threading.Thread(target=live, args=(first,)) for first in range(residents)]
    for thread in threads:
        thread.start()
    try:
        yield people
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def rows(town: Town, sql: str) -> list[Any]:
    """A question to a node's file, as it is on the disk."""
    with contextlib.closing(sqlite3.connect(town.folder / "node.db")) as db:
        return db.execute(sql).fetchall()


def check(town: Town, people: People) -> tuple[int, int]:
    """How many acknowledged reservations are lost, and how many doubled: each takes one piece."""
    held = [row[0] for row in rows(town, "SELECT id FROM reservations")]
    lost = len(set(people.acknowledged) - set(held))
    taken = rows(town, f"SELECT sum({STOCK} - stock) FROM offers WHERE stock IS NOT NULL")[0][0]
    return lost, taken - len(people.acknowledged) + lost
