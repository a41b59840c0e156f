"""`echoppe search`: what a resident would find."""

import argparse

from node.commands import output


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
    parser.add_argument("--page", type=int, default=1, metavar="N")


def run(asked: argparse.Namespace) -> None:
    """Prints the three rings."""
    from node import answers, errors, search, territory
    from node.commands import folder
    from node.model import SearchQuery
    from node.store import database

    if not 1 <= asked.page <= search.PAGE_MOST:
        raise errors.Invalid("bad-page", f"--page must be 1 to {search.PAGE_MOST}.")
    here = folder.open_folder(asked)
    with database.reading(here.path) as db:
        near = asked.near or here.settings.node.communes[0]
        understood = territory.understand(db, near)
        # At a city of arrondissements a person is asked which; a command searches all of it.
        place = understood.place or territory.resolve(db, near)
        query = SearchQuery(asked.query, place, asked.page)
        answer = search.find(db, query, here.settings.federation.radius_km)
    titles = {"commune": f"In {place.name}", "around": "Around it", "further": "Further away"}
    lines = [understood.sentence] if understood.sentence else []
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
    if answer.next_page:
        lines.append(f"More with --page {answer.next_page}.")
    output.say(asked, answers.search(answer), *lines)
