"""`python -m bench`: runs all benchmarks; `python -m bench NAME …`: those named."""

import argparse
import tempfile
from pathlib import Path

from bench import (
    desk,
    fanout,
    flood,
    inbox,
    measure,
    outage,
    pages,
    places,
    publish,
    quality,
    reserve,
    search,
    size,
    soak,
    start,
    verify,
)

BENCHMARKS = {
    "start": start,
    "publish": publish,
    "inbox": inbox,
    "fanout": fanout,
    "pages": pages,
    "places": places,
    "search": search,
    "quality": quality,
    "verify": verify,
    "flood": flood,
    "outage": outage,
    "desk": desk,
    "reserve": reserve,
    "size": size,
    "soak": soak,
}
BY_NAME_ONLY = ("soak",)  # takes long, and writes files


def main() -> None:
    """Reads the command line and prints the machine, then table after table."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", epilog="Example: python -m bench inbox --rounds 5"
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--rounds", type=int, help="how often each is repeated")
    parser.add_argument("--activities", type=int, default=5000, help="for inbox, in each round")
    parser.add_argument(
        "--france", type=Path, help="for search: keeps its node there, and takes it from there"
    )
    parser.add_argument("--minutes", type=float, help="for soak (default: 20)")
    parser.add_argument("--listings", type=int, default=1_000_000, help="for search")
    parser.add_argument(
        "--folder", type=Path, help="where nodes are made: names the disk (default: the system's)"
    )
    asked = parser.parse_args()
    unknown = [name for name in asked.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    with tempfile.TemporaryDirectory(prefix="echoppe-bench-", dir=asked.folder) as base:
        measure.print_machine(Path(base))
        for name in asked.names or [one for one in BENCHMARKS if one not in BY_NAME_ONLY]:
            folder = Path(base) / name
            folder.mkdir()
            BENCHMARKS[name].run(
                folder,
                measure.Size(
                    asked.rounds, asked.activities, asked.listings, asked.france, asked.minutes
                ),
            )


if __name__ == "__main__":
    main()
