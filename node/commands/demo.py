"""`echoppe demo`: three neighbouring towns on one machine, to try everything on."""

import argparse
import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from node.commands import output

if TYPE_CHECKING:
    from node.demo.towns import Keys, Town


def configure(subjects: output.Subjects) -> None:
    """Adds the command."""
    parser = output.command(
        subjects,
        "demo",
        run,
        help="run three neighbouring towns with invented shops; Ctrl-C ends them",
        example="echoppe demo --port 9000",
    )
    parser.add_argument(
        "target",
        metavar="FOLDER",
        nargs="?",
        type=Path,
        default=Path(".demo"),
        help="where the towns are kept for the next time (default: .demo)",
    )
    parser.add_argument(
        "--port", type=int, default=8000, metavar="N", help="the first of three ports in a row"
    )
    parser.add_argument(
        "--shops", type=int, metavar="N", help="fewer shops in each town, to start sooner"
    )


def run(asked: argparse.Namespace) -> int:
    """Founds what is missing, serves, makes them neighbours, and says what to try."""
    import signal
    import time

    from node import errors
    from node.demo import towns as demo
    from node.store import places

    if not 1024 <= asked.port <= 65533:
        raise errors.Invalid("bad-port", "--port must be 1024 to 65533.")
    if asked.shops is not None and not 1 <= asked.shops <= 10:
        raise errors.Invalid("bad-shops", "--shops must be 1 to 10.")
    began = time.monotonic()
    # A terminal that is closed ends the towns too; behind a script, Ctrl-C is heard all the same.
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, _interrupt)
    base: Path = asked.target.absolute()
    with contextlib.closing(places.open_places()) as places_db:
        towns = demo.lay_out(base, asked.port, asked.shops, places_db)
    demo.check_ports(towns)

    def said(line: str) -> None:
        if not asked.json:
            print(line, flush=True)

    try:
        if demo.found(towns, said):
            said(f"The towns are kept in {base}: the next start is quicker.")
        with demo.serving(towns):
            demo.befriend(towns)
            demo.await_agreement(towns)
            ways = [demo.let_in(town) for town in towns]
            took = time.monotonic() - began
            output.say(
                asked,
                {
                    "seconds": round(took, 1),
                    "towns": [
                        {
                            "commune": town.place.name,
                            "url": town.url,
                            "folder": str(town.folder),
                            "steward_link": way.steward,
                            "merchant_link": way.merchant,
                        }
                        for town, way in zip(towns, ways, strict=True)
                    ],
                },
                *_lines(towns, ways, took),
            )
            sys.stdout.flush()
            while (town := demo.fallen(towns)) is None:
                time.sleep(0.5)
            raise errors.Unusable(
                "demo-town-failed",
                f"{town.place.name} has ended; see {town.folder.parent / town.folder.name}.log",
            )
    except KeyboardInterrupt:
        said("\nThe towns are closed.")
        return 0


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _lines(towns: "list[Town]", ways: "list[Keys]", took: float) -> list[str]:
    bordeaux, _, pessac = towns
    handle = bordeaux.plan.shelves[0].table["handle"]
    listings = sum(len(shelf.wares) for town in towns for shelf in town.plan.shelves)
    shops = sum(len(town.plan.shelves) for town in towns)
    lines = [
        "",
        f"{len(towns)} towns, {shops} shops, {listings} products, ready in {took:.0f} s:",
        "",
    ]
    for town, way in zip(towns, ways, strict=True):
        lines += [
            f"  {town.place.name:10} {town.url}",
            f"    sign in as {way.shop}:  {way.merchant}",
            f"    sign in as its steward:  {way.steward}",
        ]
    lines += [
        "",
        "A walk to try:",
        f"  1. Open {pessac.url}/recherche?q=miel",
        "     Honey from Pessac comes first, then what the towns around have.",
        f"  2. Sign in as {ways[0].shop} (the link above, once, within an hour), press",
        "     « Ajouter un produit », give a photo, the name « Miel de sapin » and a price;",
        "     then say what the law wants to be said of honey.",
        f"  3. Reload the search in Pessac: {bordeaux.place.name} has told it, signed.",
        "  4. Sell it out or withdraw it, and reload again.",
        "  5. As the merchant still, make the shop's key card at",
        f"     {bordeaux.url}/ma-boutique/{handle}/cle",
        "     then open one of its products in a private window and press « Réserver »: what is",
        "     written there opens with the seven words of that card, and with nothing else.",
        "  6. Sign in as the steward of Pessac: its shops, its neighbours, what waits.",
        "",
        "For fresh links: echoppe -C FOLDER account invite EMAIL --role steward; the folders are",
        *(f"  {town.folder}" for town in towns),
        "Ctrl-C ends all three.",
    ]
    return lines
