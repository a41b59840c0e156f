"""How good the answers are: real-life queries over a hand-made catalogue, judged 0 to 2.

The catalogue, the shops and the queries with their judgements are in quality_data, written before
anything was searched. A judgement is of the thing, whatever shop has it: 2 is what was wanted, 1
would help. Four figures, over all queries and by kind:

    nDCG@10   gain 3 for a 2 and 1 for a 1, against the best order there could be
    nearby    the same, each gain times 3 in the commune, 2 around it, 1 further away
    first     share of queries whose first hit is judged 2
    ring      share of queries whose first ring with hits is the nearest that holds a 2, and shows
              one

Rings come before merit by design, so that nDCG@10 can't be 1 where the commune only has what would
help: "nearby" is the figure to work on.
"""

import fnmatch
import hashlib
import math
import re
import sqlite3
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bench import measure
from node import prices, sizes, territory, words
from node.model import Condition, Offer, Place, SearchQuery
from node.store import places
from tests import ground

DATA = Path(__file__).with_name("quality_data")
RADIUS_KM = 15.0
DEEP = 10
WORST = 30
RINGS = ("commune", "around", "further")
GAINS = {0: 0, 1: 1, 2: 3}
NEARNESS = {"commune": 3, "around": 2, "further": 1}


@dataclass(frozen=True, slots=True)
class Thing:
    """Something shops of a trade have, each under one of its names."""

    id: str
    trade: str
    category: str
    names: tuple[str, ...]
    price: str
    quantity: str
    extra: str
    descriptions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stall:
    """A shop of the catalogue."""

    handle: str
    name: str
    place: str
    trades: tuple[str, ...]
    share: int


@dataclass(frozen=True, slots=True)
class Goods:
    """A thing in a shop, as that shop words it."""

    thing: Thing
    stall: Stall
    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A query with what was wanted (2) and what would help (1)."""

    words: str
    place: str
    kind: str
    wanted: tuple[str, ...]
    helping: tuple[str, ...]

    def judge(self, goods: Goods) -> int:
        """0, 1 or 2."""
        if any(_means(pattern, goods) for pattern in self.wanted):
            return 2
        return int(any(_means(pattern, goods) for pattern in self.helping))


@dataclass(frozen=True, slots=True)
class Score:
    """How well one query was answered."""

    query: Judged
    ndcg: float
    nearby: float
    first: bool
    ring: bool
    shown: tuple[str, ...]


def run(base: Path, size: measure.Size) -> None:  # noqa: ARG001 (every benchmark takes a size)
    """Prints the figures, by kind of query, and the worst misses."""
    queries = judged_queries()
    with ground.opened(base / "node") as db:
        goods = publish(db)
        scores = [score(db, query, goods) for query in queries]
    kinds = sorted({query.kind for query in queries})
    groups = [("all", scores)]
    groups += [(kind, [one for one in scores if one.query.kind == kind]) for kind in kinds]
    measure.table(
        f"{len(queries)} queries over {len(goods)} listings",
        ("", "queries", "nDCG@10", "nearby", "first", "ring"),
        [(name, str(len(some)), *_figures(some)) for name, some in groups],
    )
    worst = sorted(scores, key=lambda one: (one.nearby, one.query.words))[:WORST]
    measure.table(
        f"the worst {len(worst)}",
        ("query", "from", "nearby", "shown first"),
        [
            (one.query.words, one.query.place, f"{one.nearby:.2f}", "; ".join(one.shown[:2]) or "-")
            for one in worst
        ],
    )


def score(db: sqlite3.Connection, query: Judged, goods: Mapping[str, Goods]) -> Score:
    """Asks one query and holds the answer against its judgements."""
    place = ground.place(db, query.place)
    shown = [(ring, goods[listing]) for ring, listing in answer(db, query.words, place)]
    rings = _rings(db, place, goods)
    all_judged = [(rings[one.stall.place], query.judge(one)) for one in goods.values()]
    judged = [(ring, query.judge(one)) for ring, one in shown]
    holds_wanted = [ring for ring in RINGS if (ring, 2) in all_judged]
    first_ring = judged[0][0] if judged else None
    return Score(
        query,
        ndcg=ndcg([GAINS[j] for _, j in judged], [GAINS[j] for _, j in all_judged]),
        nearby=ndcg(
            [GAINS[j] * NEARNESS[ring] for ring, j in judged],
            [GAINS[j] * NEARNESS[ring] for ring, j in all_judged],
        ),
        first=bool(judged) and judged[0][1] == 2,
        ring=first_ring == holds_wanted[0] and (first_ring, 2) in judged,
        shown=tuple(one.name for _, one in shown),
    )


def answer(db: sqlite3.Connection, text: str, place: Place) -> list[tuple[str, str]]:
    """The ring and the listing's id of each hit on the first page, as they are shown."""
    found = ground.ask(db, SearchQuery(text, place), RADIUS_KM)
    return [(ring.ring, hit.listing.id) for ring in found.rings for hit in ring.hits]


def publish(db: sqlite3.Connection) -> dict[str, Goods]:
    """Opens every shop and publishes what it has; by the listing's id."""
    things = list(catalogue_things())
    published: dict[str, Goods] = {}
    for stall in stalls():
        shop = ground.open_shop(db, stall.handle, stall.place, name=stall.name)
        for goods in stock(stall, things):
            hours = _draw(500, stall.handle, goods.thing.id, "age")
            listing = ground.publish(
                db, shop, goods.name, *offers(goods),
                description=goods.description,
                category=goods.thing.category,
                condition=Condition.USED if goods.thing.extra == "etat=used" else Condition.NEW,
                now=ground.NOW - timedelta(hours=hours),
            )  # fmt: skip
            published[listing.id] = goods
    return published


def stock(stall: Stall, things: Sequence[Thing]) -> Iterator[Goods]:
    """What a shop has of its trades, and how it words it: always the same."""
    for thing in things:
        if thing.trade in stall.trades and _draw(100, stall.handle, thing.id) < stall.share:
            told = ("", *thing.descriptions)
            yield Goods(
                thing,
                stall,
                thing.names[_draw(len(thing.names), stall.handle, thing.id, "name")],
                told[_draw(len(told), stall.handle, thing.id, "told")],
            )


def catalogue_things() -> Iterator[Thing]:
    """Everything in catalogue.txt."""
    trade = category = ""
    for line in _lines("catalogue.txt"):
        if line.startswith("["):
            trade, category = line.strip("[]").split()
            continue
        thing_id, names, price, quantity, extra, told = (*_cells(line), "", "", "")[:6]
        yield Thing(
            thing_id, trade, category, _several(names), price, quantity, extra, _several(told)
        )


def stalls() -> Iterator[Stall]:
    """Every shop in shops.txt."""
    for line in _lines("shops.txt"):
        handle, name, place, trades, share = _cells(line)
        yield Stall(handle, name, place, tuple(trades.split(",")), int(share))


def judged_queries() -> list[Judged]:
    """Every query in queries.txt."""
    known = [thing.id for thing in catalogue_things()]
    queries = []
    for line in _lines("queries.txt"):
        text, place, kind, wanted, helping = (*_cells(line), "")[:5]
        queries.append(
            Judged(text, place, kind, _patterns(wanted, known), _patterns(helping, known))
        )
    return queries


def _lines(name: str) -> list[str]:
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("|")]


def _several(text: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in text.split(";") if one.strip())


def _patterns(text: str, known: Sequence[str]) -> tuple[str, ...]:
    """ "vtt cafetiere:en fonte miel-*" holds three: what is no known id goes on.

    Raises ValueError for one that means nothing in the catalogue.
    """
    patterns: list[str] = []
    for part in text.split():
        thing_id = part.partition(":")[0]
        if fnmatch.filter(known, thing_id):
            patterns.append(part)
        elif patterns and ":" in patterns[-1]:
            patterns[-1] += f" {part}"
        else:
            raise ValueError(f"nothing in the catalogue is {part!r}")
    return tuple(patterns)


def _means(pattern: str, goods: Goods) -> bool:
    thing_id, _, said = pattern.partition(":")
    if not fnmatch.fnmatchcase(goods.thing.id, thing_id):
        return False
    return words.fold(said) in words.fold(f"{goods.name} {goods.description}")


def _draw(below: int, *seeds: str) -> int:
    """A number that looks drawn and is always the same.

    12 is the first set of draws in which all but one query had something that was wanted.
    """
    digest = hashlib.blake2b("/".join((*seeds, "12")).encode(), digest_size=8).digest()
    return int.from_bytes(digest) % below


def offers(goods: Goods) -> Iterator[Offer]:
    """The offers of a listing: one, or one for each size."""
    thing = goods.thing
    told: dict[str, object] = {}
    if thing.quantity and not re.search(rf"\b{sizes.SIZE.pattern}", words.fold(goods.name)):
        number, unit = thing.quantity.split()
        told = {"quantity_milli": prices.parse_quantity(number), "unit": unit}
    if thing.extra.isdigit():
        told["gtin"] = thing.extra
    if thing.extra.startswith("sku:"):
        told["sku"] = thing.extra[4:]
    cents = prices.parse_price(thing.price)
    cents += cents * _draw(21, goods.stall.handle, thing.id, "price") // 100
    axis, _, values = thing.extra.partition("=")
    if axis in ("Taille", "Pointure"):
        for value in values.split(","):
            yield ground.offer(cents, axes={axis: value}, **told)
    else:
        yield ground.offer(cents, **told)


def _rings(db: sqlite3.Connection, place: Place, goods: Mapping[str, Goods]) -> dict[str, str]:
    """In which ring of `place` each commune with a shop is."""
    adjoining = {one.id for one in places.adjoining(db, place.id)}
    rings = {}
    for commune in {one.stall.place for one in goods.values()}:
        there = ground.place(db, commune)
        if commune == place.id:
            rings[commune] = "commune"
        elif commune in adjoining or _km(place, there) <= RADIUS_KM:
            rings[commune] = "around"
        else:
            rings[commune] = "further"
    return rings


def _km(one: Place, other: Place) -> float:
    points = (one.latitude, one.longitude, other.latitude, other.longitude)
    a_lat, a_lon, b_lat, b_lon = (point for point in points if point is not None)
    return territory.distance_km(a_lat, a_lon, b_lat, b_lon)


def ndcg(shown: Sequence[int], there: Sequence[int]) -> float:
    """Gains in the order shown against all there are, best first; of DEEP hits, from 0 to 1."""
    best = _dcg(sorted(there, reverse=True))
    return _dcg(shown) / best if best else 0.0


def _dcg(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(rank + 2) for rank, gain in enumerate(gains[:DEEP]))


def _figures(scores: Sequence[Score]) -> tuple[str, str, str, str]:
    return (
        f"{statistics.mean(one.ndcg for one in scores):.3f}",
        f"{statistics.mean(one.nearby for one in scores):.3f}",
        f"{100 * statistics.mean(one.first for one in scores):.0f} %",
        f"{100 * statistics.mean(one.ring for one in scores):.0f} %",
    )
