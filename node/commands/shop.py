"""`echoppe shop`: the shops of the node."""

import argparse

from node.commands import output


def configure(subjects: output.Subjects) -> None:
    """Adds the commands."""
    actions = output.subject(subjects, "shop", help="open, list and close shops")
    parser = output.command(
        actions,
        "add",
        add,
        help="open a shop",
        example='echoppe shop add fleurs --name "Au Fil des Fleurs" --commune Pessac '
        '--address "3 rue du Four" --phone "05 56 00 00 00"',
    )
    parser.add_argument("handle", help="its short name, for good: a-z, 0-9 and _ inside")
    parser.add_argument("--name", required=True)
    parser.add_argument("--commune", required=True, metavar="PLACE")
    parser.add_argument("--summary", help="a sentence about it")
    parser.add_argument("--address")
    parser.add_argument("--lat", type=float, metavar="DEGREES", help="with --lon: its own point")
    parser.add_argument("--lon", type=float, metavar="DEGREES")
    parser.add_argument("--phone")
    output.command(
        actions, "list", show, help="list the shops of the node", example="echoppe shop list --json"
    )
    parser = output.command(
        actions,
        "close",
        close,
        help="close a shop for good, here and at the neighbours",
        example="echoppe shop close fleurs",
    )
    parser.add_argument("handle")


def add(asked: argparse.Namespace) -> None:
    """Opens a shop with its actor and keys."""
    from node import answers, keyring, shops, territory
    from node.commands import folder
    from node.exchange import keys
    from node.store import database

    here = folder.open_folder(asked)
    with database.reading(here.path) as db:
        place = territory.resolve(db, asked.commune)
    draft = shops.ShopDraft(
        handle=asked.handle,
        name=asked.name,
        place=place,
        summary=asked.summary,
        address=asked.address,
        phone=asked.phone,
        latitude=asked.lat,
        longitude=asked.lon,
    )
    shops.check(draft)
    made = keys.generate(keyring.load(here.path), draft.handle)  # slow: not inside the lock
    with database.transaction(here.path) as db:
        shop = shops.open_shop(db, here.uris, draft, made, folder.new_id(), here.now)
    output.say(
        asked,
        answers.shop(shop),
        f"{shop.name} is open at {shop.url}, in {territory.label(place)}.",
        f"It can be followed as @{shop.handle}@{here.uris.authority}.",
    )


def show(asked: argparse.Namespace) -> None:
    """Lists the open shops."""
    from node import answers
    from node.commands import folder
    from node.store import database, listings, shops

    here = folder.open_folder(asked)
    with database.reading(here.path) as db:
        found = [(shop, listings.count_of_shop(db, shop.id)) for shop in shops.find(db, own=True)]
    found.sort(key=lambda pair: pair[0].handle)
    output.say(
        asked,
        [{**answers.shop(shop), "listings": count} for shop, count in found],
        *(f"{shop.handle:30} {shop.name}, {count} listing(s)" for shop, count in found),
    )


def close(asked: argparse.Namespace) -> None:
    """Closes a shop."""
    from node import answers, shops
    from node.commands import folder
    from node.store import database

    here = folder.open_folder(asked)
    with database.transaction(here.path) as db:
        shop = shops.close_shop(db, asked.handle, here.now)
    output.say(asked, answers.shop(shop), f"{shop.name} is closed, and its listings are withdrawn.")
