"""How many search pages a second one node gives, with a hundred thousand listings in it.

A real node, asked by wrk (Debian's package) from the same machine: several queries in turn, each
answered by the page that a resident sees, compressed. Twice: each address asked again and again,
as on a market day when nothing is written, and each address asked once, so that nothing that was
answered before can be given again.
"""

import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

from bench import france, measure, town
from node import upkeep

LISTINGS = 100_000
SECONDS = 10
ROUNDS = 3
CONNECTIONS = (4, 8)
SEED = 20261125
# Asked from Bordeaux, in turn: frequent and rare words, two words, one that is misspelt.
QUERIES = ("miel", "pain+bio", "robe+rouge", "velo+electrique", "tondeuze", "bougie", "chaussettes")
_LATENCY = re.compile(r"^\s+(50|99)%\s+([0-9.]+)(us|ms|s)", re.MULTILINE)
_IN_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


def run(base: Path, size: measure.Size) -> None:
    """Prints a table."""
    rounds = size.rounds or ROUNDS
    if shutil.which("wrk") is None:
        print("wrk is not installed: apt-get install wrk", file=sys.stderr)
        return
    node = town.found(base, "pages")
    france.fill(node.folder, LISTINGS, random.Random(SEED))
    upkeep.reindex(node.folder)
    scripts = {}
    for name, behind in (("again and again", ""), ("each once", ' .. "&n=" .. nth')):
        scripts[name] = base / f"{name.split()[0]}.lua"
        scripts[name].write_text(_script(behind))
    node.serve()
    try:
        rows = [
            _ask(node.url, script, connections, name, nth)
            for connections in CONNECTIONS
            for name, script in scripts.items()
            for nth in ["warming up", *(f"round {n}" for n in range(1, rounds + 1))]
        ]
    finally:
        node.stop()
    measure.table(
        f"search pages of a node with {LISTINGS:,} listings, wrk on the same cores, {SECONDS} s "
        "each (target: 300 pages/s; p95 < 30 ms at 4 connections)",
        ("connections", "addresses", "", "pages/s", "p50 ms", "p99 ms", "not 200"),
        [row for row in rows if row[2] != "warming up"],
    )


def _script(behind: str) -> str:
    """What wrk asks for; `behind` makes addresses differ. Each thread counts from its own place."""
    paths = ", ".join(f'"/recherche?q={query}&ou=33063"' for query in QUERIES)
    return f"""
local paths = {{{paths}}}
local nth = 0
init = function() nth = math.floor(1e6 * (os.time() % 1e4)) end
request = function()
  nth = nth + 1
  local headers = {{["Accept-Encoding"] = "gzip", ["Accept"] = "text/html"}}
  return wrk.format("GET", paths[nth % #paths + 1]{behind}, headers)
end
"""


def _ask(url: str, script: Path, connections: int, name: str, nth: str) -> tuple[str, ...]:
    said = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "--latency", "-s", str(script), url],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", said)
    wrong = re.search(r"Non-2xx or 3xx responses: ([0-9]+)", said)
    latency = {part: float(value) * _IN_MS[unit] for part, value, unit in _LATENCY.findall(said)}
    return (
        str(connections),
        name,
        nth,
        rate[1] if rate else "?",
        f"{latency['50']:.1f}",
        f"{latency['99']:.1f}",
        wrong[1] if wrong else "0",
    )
