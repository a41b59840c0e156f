"""`echoppe search`: what a resident would find."""

import argparse
from typing import TYPE_CHECKING

from node.commands import output

if TYPE_CHECKING:
    from node.model import Changed


def configure(subjects: output.Subjects) -> None:
    """Adds the command."""
    parser = output.command(
        subjects,
        "search",
        run,
        help="find listings near a place",
        example='echoppe search "miel de lavande" --near Pessac',
    )
    parser.add_argument("query")
    parser.add_argument(
        "--near",
        metavar="PLACE",
        help="INSEE code, postal code, name or place id, in France or nearby in Europe"
        " (default: the node's own commune)",
    )
    part = parser.add_mutually_exclusive_group()
    part.add_argument("--page", type=int, default=1, metavar="N")
    part.add_argument("--cursor", help="go on where an answer ended, as it says")
    parser.add_argument("--category", metavar="ID", help="such as boulangerie, boulangerie.pain")
    parser.add_argument("--price-min", metavar="AMOUNT")
    parser.add_argument("--price-max", metavar="AMOUNT")
    parser.add_argument("--condition", help="new, refurbished, used or damaged")
    parser.add_argument("--kind", help="goods or service")
    parser.add_argument("--payment", help="a means of payment that the shop takes: card, cheque …")
    for name, meaning in (
        ("open-now", "of shops that are open now"),
        ("pick-up", "what can be fetched at the shop"),
        ("delivered", "what is delivered to the place"),
        ("step-free", "of shops without a step"),
    ):
        parser.add_argument(f"--{name}", action="store_const", const="1", help=meaning)


def run(asked: argparse.Namespace) -> None:
    """Prints the three rings."""
    from node import answers, errors, filters, search, synonyms, territory
    from node.commands import folder
    from node.model import SearchQuery
    from node.store import database

    if not 1 <= asked.page <= search.PAGE_MOST:
        raise errors.Invalid("bad-page", f"--page must be 1 to {search.PAGE_MOST}.")
    here = folder.open_folder(asked)
    with database.reading(here.path) as db:
        near = asked.near or here.settings.node.communes[0]
        understood = territory.understand(db, near)
        query = SearchQuery(
            asked.query,
            # At a city of arrondissements a person is asked which; a command searches all of it.
            understood.place or territory.resolve(db, near),
            asked.page,
            asked.cursor,
            filters.read({name: getattr(asked, name) or "" for name in filters.NAMES}),
        )
        engine = search.Engine(synonyms.load(here.path))
        answer = search.find(db, query, here.settings.federation.radius_km, here.now, engine)
    titles = {
        "commune": f"In {query.place.name}", "around": "Around it", "further": "Further away",
    }  # fmt: skip
    lines = [understood.sentence] if understood.sentence else []
    lines += map(_said, answer.changed)
    for ring in answer.rings:
        total = ring.total if ring.exact else f"at least {ring.total}"
        lines.append(f"{titles[ring.ring]}: {total}")
        for hit in ring.hits:
            offer = answers.price(hit.listing.main_offer)
            price = f"{offer['amount']} {offer['currency']}" if offer else "on request"
            where = hit.place.name if hit.place else "?"
            far = "" if hit.distance_km is None else f", {hit.distance_km} km"
            lines.append(f"  {hit.listing.name} — {price} — {hit.shop.name}, {where}{far}")
            lines.append(f"    {hit.listing.url}")
    if answer.next_cursor:
        lines.append(f"More with --cursor {answer.next_cursor}")
    output.say(asked, answers.search(answer, here.uris), *lines)


def _said(changed: "Changed") -> str:
    """What was read otherwise than it was typed."""
    from node.model import Reading

    read_as = ", ".join(changed.read_as)
    return {
        Reading.SPELLING: f'Nobody has "{changed.typed}"; this is for "{read_as}".',
        Reading.BEGINNING: f'"{changed.typed}" was taken for the beginning of: {read_as}.',
        Reading.LEFT_OUT: f'Nobody has "{changed.typed}" with the rest; it was left out.',
        Reading.SYNONYM: f'"{changed.typed}" is also called {read_as}.',
    }[changed.reading]
