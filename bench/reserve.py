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
from datetime import UTC, datetime
from pathlib import Path

import httpx2

from bench import measure, town
from node import sealing, shop_keys
from node.model import Shop
from node.store import database, shops, times
from tests.neighbours import Town
from tests.sealing import merchant

SHOPS, LISTINGS = 20, 10_000
RATE, SECONDS = 50, 12
SENDERS = 8
EVERY = 0.05  # seconds between a resident's searches
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
    town.publish(node, opened, [town.draft(chance) for _ in range(LISTINGS)])
    ready = list(itertools.islice(_reservations(node, opened), RATE * SECONDS))
    rows = []
    node.serve()
    try:
        for number in range(size.rounds or 1):
            share = ready[number :: size.rounds or 1]
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
    now = datetime.now(UTC)
    made = {}
    with database.transaction(node.folder) as db:
        for one in opened:
            shop = shops.get_own(db, one.handle)
            assert shop is not None
            keys = merchant.make(shop.uri, created=times.stamp(now))
            shop_keys.put(db, shop, shop_keys.read(shop, *keys.form(), now), "", now)
            made[one.id] = (shop, keys)
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
    waiting, lock, over = iter(enumerate(forms)), threading.Lock(), threading.Event()
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

    def search() -> None:
        chance = random.Random(SEED)
        with httpx2.Client(base_url=node.url, timeout=60) as client:
            while not over.wait(EVERY):
                asked = {"q": " ".join(chance.choices(town.WORDS, k=2)), "near": "33318"}
                sent = time.perf_counter()
                client.get("/api/v1/search", params=asked)
                searched.append((time.perf_counter() - sent) * 1000)

    threads = [threading.Thread(target=send) for _ in range(SENDERS)]
    resident = threading.Thread(target=search)
    for thread in (resident, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    lasted = time.perf_counter() - begun
    over.set()
    resident.join()
    return (
        name,
        f"{codes[303]}",
        f"{sum(codes.values()) - codes[303]}",
        f"{len(taken) / lasted:.1f}",
        *(f"{measure.percentile(taken, part):.1f}" for part in (50, 95)),
        f"{len(searched)}",
        *(f"{measure.percentile(searched, part):.1f}" for part in (50, 95)),
    )
