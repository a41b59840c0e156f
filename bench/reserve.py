"""Reservations at a market's hour: fifty sealed ones a second, on the disk before each is answered,
while a resident searches; and the time that sealing one takes here (a browser's own is timed by
`tests/browser/test_sealed.py`).
"""

import itertools
import json
import random
import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx2

from bench import measure, resident, town
from node import sealing
from node.model import Shop
from node.store import database
from tests.neighbours import Town
from tests.sealing import merchant

SHOPS, LISTINGS = 20, 10_000
RATE, SECONDS = 50, 12
SENDERS = 8
ROUNDS = 3
SEED = 20261126
# What a resident writes, about.
WORDS = json.dumps(
    {"name": "Zoé", "way": "phone", "contact": "06 39 98 00 12", "message": "x" * 200}
)


def run(base: Path, size: measure.Size) -> None:
    """Prints a table."""
    chance = random.Random(SEED)
    node = town.found(base, "reserve")
    opened = town.open_shops(node, SHOPS)
    town.publish(node, opened, town.wares_of(chance, LISTINGS))
    rounds = size.rounds or ROUNDS
    each = RATE * SECONDS
    ready = list(itertools.islice(_reservations(node, opened), rounds * each))
    rows = []
    node.serve()
    try:
        for number in range(rounds):
            share = ready[number * each : (number + 1) * each]
            rows.append(_round(node, share, f"round {number + 1}"))
    finally:
        node.stop()
    measure.table(
        f"sealed reservations, {RATE}/s asked for, {LISTINGS:,} listings, ms "
        "(wanted: all accepted, p95 of searches under 50)",
        ("", "accepted", "refused", "/s", "p50", "p95", "searches", "p50", "p95"),
        rows,
    )


def _reservations(node: Town, opened: list[Shop]) -> Iterator[tuple[str, dict[str, str]]]:
    """Forms as they are sent: where to, and what."""
    made = {one.id: (one, merchant.put_keys(node, one.handle)) for one in opened}
    with database.reading(node.folder) as db:
        some = db.execute(
            """
            SELECT listings.id, listings.uri, listings.shop, offers.id AS offer
            FROM listings JOIN offers ON offers.listing = listings.id ORDER BY listings.id
            """
        ).fetchall()
    for row in some:
        shop, keys = made[row["shop"]]
        link = secrets.token_urlsafe(32)
        sealed = sealing.encode(keys.seal(WORDS, shop.uri, row["uri"], link))
        fields = {"link": link, "quantity": "1", "offer": row["offer"], "key": keys.id}
        yield f"/@{shop.handle}/x-{row['id'][:8]}/reserver", {**fields, "sealed": sealed}


def _round(node: Town, forms: list[tuple[str, dict[str, str]]], name: str) -> tuple[str, ...]:
    codes: Counter[int] = Counter()
    taken: list[float] = []
    searched: list[float] = []
    waiting, lock = iter(enumerate(forms)), threading.Lock()
    begun = time.perf_counter()

    def send() -> None:
        with httpx2.Client(base_url=node.url, timeout=60) as client:
            while True:
                with lock:
                    number, form = next(waiting, (0, None))
                if form is None:
                    return
                time.sleep(max(0.0, begun + number / RATE - time.perf_counter()))
                sent = time.perf_counter()
                answer = client.post(
                    form[0], data=form[1], headers={"Sec-Fetch-Site": "same-origin"}
                )
                taken.append((time.perf_counter() - sent) * 1000)
                codes[answer.status_code] += 1

    threads = [threading.Thread(target=send) for _ in range(SENDERS)]
    with resident.searching(node.url, searched):
        begun = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        lasted = time.perf_counter() - begun
    return (
        name,
        f"{codes[303]}",
        f"{sum(codes.values()) - codes[303]}",
        f"{len(taken) / lasted:.1f}",
        *(f"{measure.percentile(taken, part):.1f}" for part in (50, 95)),
        f"{len(searched)}",
        *(f"{measure.percentile(searched, part):.1f}" for part in (50, 95)),
    )
