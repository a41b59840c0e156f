"""A day's traffic in twenty minutes, and what the node's process takes meanwhile.

One real node with residents who search, read and reserve, merchants at their forms, a neighbour
that posts to its inbox and another, real, that it delivers to; a reindex after a quarter of the
time and a backup before the half. Every five seconds its memory, threads, descriptors and files
are looked at. What counts is the second half: whatever still grows there, grows for ever.
"""

import asyncio
import contextlib
import dataclasses
import random
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx2

from bench import curves, measure, stand_in, town, wire
from federation import activities, vocabulary
from node import territory
from node.exchange import listings as documents
from node.exchange.outbox import encode
from node.model import Listing, Place
from node.store import places
from node.translation import Catalogues
from tests import neighbours
from tests.faults import buyers
from tests.flows import test_merchant as forms
from tests.neighbours import Town

MINUTES = 20.0
EVERY = 5.0  # seconds between two looks
SHOPS, LISTINGS = 20, 2000
THEIRS = 300  # listings of the neighbour that posts, told of anew again and again
# A second: of a small town's day, 20,000 pages, 1,200 acts of merchants, 600 reservations,
# 5,000 messages from neighbours.
PAGES, ACTS, RESERVATIONS, LETTERS = 16.0, 1.0, 0.5, 4.0
# What the second half may grow by and still be called steady: noise of the measurement.
STEADY = {"memory, MiB": 4.0, "threads": 0.5, "descriptors": 3.0, "WAL, MiB": 1.0}


@dataclass
class _Seen:
    """What was seen, moment by moment, and what was done."""

    seconds: list[float] = field(default_factory=list)
    values: dict[str, list[float]] = field(default_factory=dict)
    marks: list[tuple[float, str]] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)


def run(base: Path, size: measure.Size) -> None:
    """Prints a table; writes `soak.csv` and `soak.svg` into the current folder."""
    minutes = size.minutes or MINUTES
    db = places.open_places()
    place = territory.resolve(db, "Talence")
    db.close()
    there, away = neighbours.free_ports(2)
    posting = stand_in.found(there, 4, place)
    node = town.found(base, "soak", [f"127.0.0.1:{port}" for port in (there, away)])
    node.run("backup", "--new-key", str(base / "key"))
    friend = _friend(base, away, node)
    chance = random.Random(1)
    town.publish(node, town.open_shops(node, SHOPS), [town.draft(chance) for _ in range(LISTINGS)])
    seen = asyncio.run(_soak(base, node, friend, posting, place, minutes * 60))
    _print(seen, minutes)


def _friend(base: Path, port: int, node: Town) -> Town:
    """A real neighbour, not yet running."""
    neighbours.echoppe(
        "init", str(base / "friend"), "--url", f"http://127.0.0.1:{port}", "--name", "Friend",
        "--commune", "Bordeaux", "--listen", f"127.0.0.1:{port}",
        f"--private-peer={node.authority}",
    )  # fmt: skip
    return Town(base / "friend", port)


async def _soak(
    base: Path, node: Town, friend: Town, posting: stand_in.StandIn, place: Place, span: float
) -> _Seen:
    port = int(posting.uris.authority.rpartition(":")[2])
    async with await wire.serve(port, posting.answer):
        with neighbours.serving([node, friend]):
            await asyncio.to_thread(_befriend, node, friend, posting.uris.origin)
            seen, stop = _Seen(), threading.Event()
            paths = await asyncio.to_thread(buyers.offer_things, node)
            merchant = await asyncio.to_thread(
                forms.signed_in, node, "m@example.fr", "--role", "merchant", "--shop", "ruche"
            )
            threads = [_thread(stop, seen, PAGES / 2, _reader(node, seed)) for seed in (1, 2)]
            threads.append(_thread(stop, seen, ACTS, _merchant(node, merchant)))
            threads.append(_thread(stop, seen, RESERVATIONS, _resident(node, paths)))
            threads.append(threading.Thread(target=_look, args=(node, seen, stop)))
            threads.append(threading.Thread(target=_keep, args=(base, node, seen, span)))
            for thread in threads:
                thread.start()
            letters = _letters(posting, node.authority, place)
            begun = time.monotonic()
            while (gone := time.monotonic() - begun) < span:
                sent = int(gone * LETTERS) - seen.done["message from a neighbour"]
                if sent > 0:
                    await wire.send(node.port, [next(letters) for _ in range(sent)], 2, 202)
                    seen.done["message from a neighbour"] += sent
                await asyncio.sleep(0.5)
            stop.set()
            for thread in threads:
                await asyncio.to_thread(thread.join)
    return seen


def _befriend(node: Town, friend: Town, origin: str) -> None:
    node.run("shop", "add", "ruche", "--name", "La Ruche", "--commune", town.COMMUNE)
    node.run("neighbour", "add", origin)
    neighbours.eventually(lambda: node.run("neighbour", "list")[0]["synced"])
    friend.run("neighbour", "add", node.url)
    neighbours.eventually(lambda: len(node.run("neighbour", "list")) == 2)
    node.run("neighbour", "accept", friend.authority)
    neighbours.eventually(lambda: friend.run("neighbour", "list")[0]["synced"], 60)


# --- Who is at it --------------------------------------------------------------------------------


def _thread(
    stop: threading.Event, seen: _Seen, rate: float, act: Callable[[], tuple[str, int]]
) -> threading.Thread:
    """Somebody who does something so many times a second, and does not hurry where it was late."""

    def live() -> None:
        while not stop.is_set():
            begun = time.monotonic()
            try:
                what, status = act()
                seen.done[what] += 1
                if status not in (200, 303):
                    seen.wrong[f"{what}: {status}"] += 1
            except httpx2.HTTPError as error:
                seen.wrong[type(error).__name__] += 1
            stop.wait(max(0.0, 1 / rate - (time.monotonic() - begun)))

    return threading.Thread(target=live)


def _reader(node: Town, seed: int) -> Callable[[], tuple[str, int]]:
    chance = random.Random(seed)
    client = httpx2.Client(base_url=node.url, timeout=30)

    def act() -> tuple[str, int]:
        words = "+".join(chance.choices(town.WORDS, k=chance.choice((1, 1, 2, 3))))
        path = chance.choice(
            (
                f"/recherche?q={words}&ou={chance.choice(('33318', '33063', 'Pessac'))}",
                f"/recherche?q={words}&ou=33318",
                f"/@boutique_{chance.randrange(SHOPS)}",
                "/",
                "/boutiques",
                f"/api/v1/search?q={words}&near=33318",
            )
        )
        return "page read", client.get(path).status_code

    return act


def _merchant(node: Town, browser: forms.Browser) -> Callable[[], tuple[str, int]]:
    """Publishes (with a photo once in twenty), marks as sold out and as there again, withdraws."""
    chance, shelf, count = random.Random(3), list[str](), Counter[str]()

    def act() -> tuple[str, int]:
        count["acts"] += 1
        if len(shelf) < 5 or (chance.random() < 0.4 and len(shelf) < 40):
            name = f"Miel {secrets.token_hex(6)}"
            photo = {"photo": ("p.jpg", forms.jpeg(), "image/jpeg")}
            more = {"files": photo} if count["acts"] % 20 == 0 else {}
            status = forms.add(browser, name, **more).status_code
            with contextlib.closing(town.reader(node)) as db:
                found = db.execute("SELECT id FROM listings WHERE name = ?", (name,)).fetchone()
            if found is not None:
                shelf.append(found[0])
            return "published", status
        listing = chance.choice(shelf)
        base = f"/ma-boutique/ruche/produits/{listing}"
        if chance.random() < 0.5:
            to = chance.choice(("out", "back"))
            return "marked", browser.post(f"{base}/rayon", data={"to": to}).status_code
        shelf.remove(listing)
        return "withdrawn", browser.post(f"{base}/retirer").status_code

    return act


def _resident(node: Town, paths: list[str]) -> Callable[[], tuple[str, int]]:
    """Reserves, and cancels what they reserved five before."""
    chance, mine = random.Random(4), list[str]()
    offers = {path: buyers.offer_of(node, path) for path in paths}

    def act() -> tuple[str, int]:
        if len(mine) > 5:
            answer = httpx2.post(
                f"{node.url}/reservation/{mine.pop(0)}",
                data={"act": "cancel"},
                headers={"Sec-Fetch-Site": "same-origin"},
                timeout=30,
            )
            return "cancelled", answer.status_code
        path, secret = chance.choice(paths), secrets.token_urlsafe(32)
        status = buyers.ask(node, path, offers[path], secret)
        mine.append(secret)
        return "reserved", status

    return act


def _letters(posting: stand_in.StandIn, host: str, place: Place) -> Iterator[bytes]:
    """Creates of the neighbour's listings, then Updates of them without end, each signed now."""
    chance, say = random.Random(5), Catalogues().speak("fr")
    known: list[Listing] = []
    while True:
        now = datetime.now(UTC).replace(microsecond=0)
        if len(known) < THEIRS:
            shop = posting.shops[len(known) % len(posting.shops)]
            one, kind = town.listing(shop, posting.uris, chance), "Create"
            known.append(one)
        else:
            at, kind = chance.randrange(THEIRS), "Update"
            one = known[at] = dataclasses.replace(
                known[at], updated=now, offers=(town.offer(chance),)
            )
            shop = next(shop for shop in posting.shops if shop.id == one.shop)
        note = documents.document(one, shop, place, "talence", posting.uris, say, posting.ed25519)
        told = activities.activity(
            kind,
            f"{posting.uris.create(one.uri)}/{secrets.token_hex(8)}",
            shop.uri,
            note,
            to=[vocabulary.PUBLIC],
            cc=[f"{shop.uri}/followers"],
            published=now,
        )
        yield posting.letter(shop.handle, host, encode(told))


# --- What is seen --------------------------------------------------------------------------------


def _look(node: Town, seen: _Seen, stop: threading.Event) -> None:
    assert node.process is not None
    pid, begun = node.process.pid, time.monotonic()
    while not stop.is_set():
        seen.seconds.append(time.monotonic() - begun)
        for name, value in (
            ("memory, MiB", measure.memory(pid)),
            ("threads", _count(Path(f"/proc/{pid}/task"))),
            ("descriptors", _count(Path(f"/proc/{pid}/fd"))),
            ("WAL, MiB", _size(node.folder / "node.db-wal")),
            ("database, MiB", _size(node.folder / "node.db")),
        ):
            seen.values.setdefault(name, []).append(value)
        stop.wait(EVERY)


def _count(folder: Path) -> float:
    return float(len(list(folder.iterdir())))


def _size(path: Path) -> float:
    return path.stat().st_size / 2**20 if path.exists() else 0.0


def _keep(base: Path, node: Town, seen: _Seen, span: float) -> None:
    """The operator: a reindex after a quarter, a backup at two fifths."""
    begun = time.monotonic()
    for share, word, command in (
        (0.25, "reindex", ("reindex",)),
        (0.4, "backup", ("backup", str(base / "b.echoppe-backup"))),
    ):
        time.sleep(max(0.0, share * span - (time.monotonic() - begun)))
        seen.marks.append((time.monotonic() - begun, word))
        node.run(*command)


def _print(seen: _Seen, minutes: float) -> None:
    named = {
        name: curves.Curve(name, values, ",.1f" if "MiB" in name else ",.0f")
        for name, values in seen.values.items()
    }
    half = len(seen.seconds) // 2
    span = seen.seconds[-1] - seen.seconds[half]
    rows = []
    for name, curve in named.items():
        values = curve.values
        an_hour = curves.slope(seen.seconds[half:], values[half:])
        grown = an_hour * span / 3600
        verdict = "–" if name not in STEADY else "steady" if grown <= STEADY[name] else "GROWS"
        shown = (values[0], values[half], values[-1], max(values), grown)
        rows.append((name, *(f"{value:,.1f}" for value in shown), verdict))
    measure.table(
        f"{minutes:.0f} minutes of traffic; growth: the slope of the second half times its length",
        ("", "at first", "half-way", "at last", "at most", "second half grew by", ""),
        rows,
    )
    measure.table(
        "what was done meanwhile",
        ("", "times"),
        [(name, f"{count:,}") for name, count in (*seen.done.items(), *seen.wrong.items())],
    )
    here = Path()
    curves.write_csv(here / "soak.csv", seen.seconds, list(named.values()))
    title = f"One node under {minutes:.0f} minutes of a town's traffic"
    (here / "soak.svg").write_text(
        curves.svg(title, seen.seconds, list(named.values()), seen.marks), encoding="utf-8"
    )
    print("\nwritten: soak.csv, soak.svg")
