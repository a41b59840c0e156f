"""How many search pages a second one node gives, with a hundred thousand listings in it.

A real node, asked by wrk (Debian's package) from the same machine for pages as a resident sees
them, compressed. In three ways: the same seven addresses again and again, as on a market day when
nothing is written; as people ask, some words often and most of them seldom, from eight communes;
and each address once, so that nothing that was answered before can be given again. Then the last
two beside a full inbox: a neighbour sends signed listings as fast as they are accepted.
"""

import asyncio
import itertools
import random
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from bench import france, measure, quality, stand_in, town, wire
from node import territory, upkeep
from node.store import places
from tests import neighbours
from tests.neighbours import Town

LISTINGS = 100_000
SECONDS = 10
ROUNDS = 3
SEED = 20261125
# Asked from Bordeaux, in turn: frequent and rare words, two words, one that is misspelt.
QUERIES = ("miel", "pain bio", "robe rouge", "velo electrique", "tondeuze", "bougie", "chaussettes")
BORDEAUX = "33063"
AROUND = (BORDEAUX, "33318", "33281", "33522", "33039", "33119", "33162", "33192")
DRAWN = 50_000
LETTERS = 5_000  # a round: more than are accepted in it
INBOX_CONNECTIONS = 16

_RATE = re.compile(r"Requests/sec:\s+([0-9.]+)")
_WRONG = re.compile(r"Non-2xx or 3xx responses: ([0-9]+)")
_LATENCY = re.compile(r"^(p[0-9]+) ([0-9.]+)$", re.MULTILINE)


def run(base: Path, size: measure.Size) -> None:
    """Prints a table."""
    rounds = size.rounds or ROUNDS
    if shutil.which("wrk") is None:
        print("wrk is not installed: apt-get install wrk", file=sys.stderr)
        return
    db = places.open_places()
    place = territory.resolve(db, "Talence")
    db.close()
    neighbour = stand_in.found(neighbours.free_port(), 10, place)
    node = town.found(base, "pages", [neighbour.uris.authority])
    france.fill(node.folder, LISTINGS, random.Random(SEED))
    upkeep.reindex(node.folder)
    print(f"\n{rounds * BESIDES * LETTERS:,} activities are being signed …", flush=True)
    letters = iter(neighbour.creates(rounds * BESIDES * LETTERS, node.authority, place))
    rows = asyncio.run(_rows(base, node, neighbour, letters, rounds))
    measure.table(
        f"search pages of a node with {LISTINGS:,} listings, wrk on the same cores, {SECONDS} s "
        "each (target: 300 pages/s; p95 < 30 ms at 4 connections, < 60 ms beside a full inbox)",
        ("connections", "addresses", "round", "pages/s", "p50 ms", "p95 ms", "p99 ms", "not 200",
         "accepted/s beside"),
        rows,
    )  # fmt: skip


async def _rows(
    base: Path, node: Town, neighbour: stand_in.StandIn, letters: Iterator[bytes], rounds: int
) -> list[tuple[str, ...]]:
    rows = []
    port = int(neighbour.uris.authority.rpartition(":")[2])
    async with await wire.serve(port, neighbour.answer):
        await asyncio.to_thread(node.serve)
        try:
            await asyncio.to_thread(node.run, "neighbour", "add", neighbour.uris.origin)
            await asyncio.to_thread(
                neighbours.eventually, lambda: node.run("neighbour", "list")[0]["synced"]
            )
            script, addresses = base / "ask.lua", base / "addresses"
            script.write_text(_SCRIPT.format(addresses=addresses))
            for way, nth in itertools.product(WAYS, range(1 + rounds)):
                if way.beside and not nth:
                    continue  # what is asked was warm long ago
                addresses.write_text("\n".join(way.addresses(nth)))
                beside = letters if way.beside else iter(())
                row = await _ask(node, script, way.connections, beside)
                if nth:
                    rows.append((str(way.connections), way.name, str(nth), *row))
        finally:
            await asyncio.to_thread(node.stop)
    return rows


def _same(_nth: int) -> list[str]:
    return [_address(query, BORDEAUX) for query in QUERIES]


def _as_asked(nth: int) -> list[str]:
    """Drawn by Zipf's law from real-life queries from eight communes: the commonest is asked four
    times as often as the fourth. The same ones are common in every round."""
    texts = sorted({one.words for one in quality.judged_queries()})
    known = [_address(text, place) for text in texts for place in AROUND]
    random.Random(SEED).shuffle(known)
    weights = [1 / rank for rank in range(1, len(known) + 1)]
    return random.Random(nth).choices(known, weights, k=DRAWN)


def _each_once(nth: int) -> list[str]:
    texts = itertools.cycle(QUERIES)
    return [f"{_address(next(texts), BORDEAUX)}&n={nth}-{one}" for one in range(DRAWN)]


def _address(text: str, place: str) -> str:
    return "/recherche?" + urlencode({"q": text, "ou": place})


@dataclass(frozen=True, slots=True)
class _Way:
    """What is asked in each round, over how many connections, and whether beside a full inbox."""

    name: str
    addresses: Callable[[int], list[str]]
    connections: int
    beside: bool = False


WAYS = (
    _Way("again and again", _same, 4),
    _Way("as people ask", _as_asked, 4),
    _Way("each once", _each_once, 4),
    _Way("again and again", _same, 8),
    _Way("as people ask", _as_asked, 8),
    _Way("each once", _each_once, 8),
    _Way("as people ask", _as_asked, 4, beside=True),
    _Way("each once", _each_once, 4, beside=True),
)
BESIDES = sum(way.beside for way in WAYS)

_SCRIPT = """
local paths, nth = {{}}, 0
for line in io.lines("{addresses}") do paths[#paths + 1] = line end
request = function()
  nth = nth + 1
  local headers = {{["Accept-Encoding"] = "gzip", ["Accept"] = "text/html"}}
  return wrk.format("GET", paths[nth % #paths + 1], headers)
end
done = function(summary, latency, requests)
  for _, part in ipairs({{50, 95, 99}}) do
    io.write(string.format("p%d %f\\n", part, latency:percentile(part) / 1000))
  end
end
"""


async def _ask(
    node: Town, script: Path, connections: int, letters: Iterator[bytes]
) -> tuple[str, ...]:
    """Rate, answer times, wrong answers, and how many of `letters` were accepted meanwhile."""
    asking = await asyncio.create_subprocess_exec(
        "wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "-s", str(script), node.url,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    over = asyncio.create_task(asking.communicate())
    meanwhile = itertools.takewhile(lambda _: not over.done(), letters)
    sent = await wire.send(node.port, meanwhile, INBOX_CONNECTIONS, 202)
    said = (await over)[0].decode()
    rate, wrong = _RATE.search(said), _WRONG.search(said)
    return (
        rate[1] if rate else "?",
        *(f"{float(value):.1f}" for _, value in _LATENCY.findall(said)),
        wrong[1] if wrong else "0",
        f"{len(sent.waits) / sent.seconds:.0f}" if sent.waits else "",
    )
