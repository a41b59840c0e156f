"""`echoppe shop`: the shops of the node."""

import argparse
from typing import TYPE_CHECKING

from node.commands import output

if TYPE_CHECKING:
    import sqlite3
    from datetime import date, datetime

    from node.commands.folder import Folder
    from node.model import DeliveryTerms, Hours, Shop
    from node.shops import ShopDraft


def configure(subjects: output.Subjects) -> None:
    """Adds the commands."""
    actions = output.subject(subjects, "shop", help="open, change, list and close shops")
    parser = output.command(
        actions,
        "add",
        add,
        help="open a shop",
        example='echoppe shop add fleurs --name "Au Fil des Fleurs" --commune Pessac '
        '--address "3 rue du Four" --phone "05 56 00 00 00" '
        '--hours "mar-sam 9h-12h30 14h-19h; fériés fermé" --payment cash,card --step-free '
        "--delivers-km 5 --delivery-price 3,50",
    )
    parser.add_argument("handle", help="its short name, for good: a-z, 0-9 and _ inside")
    _details(parser, adding=True)
    parser = output.command(
        actions,
        "revise",
        revise,
        help='change what is said of a shop; what is not named stays, and "" takes it back',
        example='echoppe shop revise fleurs --hours "mar-sam 9h30-19h"\n'
        '         echoppe shop revise fleurs --closed "du 1er au 15 août: congés" '
        '--exception "24 décembre 9h-16h"',
    )
    parser.add_argument("handle")
    _details(parser, adding=False)
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
    for name, run, text in (
        ("alias", alias, "say which actor elsewhere a shop is as well, so that it may move here"),
        ("move", move, "send those who follow a shop to where it goes on, which must name it"),
    ):
        parser = output.command(
            actions,
            name,
            run,
            help=text,
            example=f"echoppe shop {name} fleurs https://boutiques.pessac.example/users/fleurs",
        )
        parser.add_argument("handle")
        parser.add_argument("uri", help="the other actor's id")


def _details(parser: argparse.ArgumentParser, *, adding: bool) -> None:
    parser.add_argument("--name", required=adding)
    parser.add_argument("--commune", required=adding, metavar="PLACE")
    parser.add_argument("--summary", help="a sentence about it")
    parser.add_argument("--address")
    parser.add_argument("--lat", type=float, metavar="DEGREES", help="with --lon: its own point")
    parser.add_argument("--lon", type=float, metavar="DEGREES")
    parser.add_argument("--phone")
    when = parser.add_argument_group("when it is open")
    when.add_argument(
        "--hours",
        metavar="WEEK",
        help='such as "lun-ven 9h-12h30 14h-19h; sam 9h-13h; fériés fermé"',
    )
    when.add_argument(
        "--closed",
        action="append",
        metavar="DAYS",
        help='closed then: "2026-12-26", or "du 2026-08-01 au 2026-08-15: congés"',
    )
    when.add_argument(
        "--exception",
        action="append",
        metavar="DAY HOURS",
        help='other hours then: "2026-12-24 9h-16h"',
    )
    if not adding:
        when.add_argument(
            "--no-exceptions", action="store_true", help="forget the exceptions said before"
        )
    parser.add_argument(
        "--payment",
        action="append",
        metavar="MEANS",
        help="cash, card, cheque, transfer, meal_voucher, gift_voucher or online; "
        "several with commas between",
    )
    parser.add_argument(
        "--step-free",
        action=argparse.BooleanOptionalAction,
        help="whether one enters without a step",
    )
    delivery = parser.add_argument_group("what it delivers")
    delivery.add_argument(
        "--delivers-to", action="append", metavar="PLACE", help="a commune; may be given again"
    )
    delivery.add_argument("--delivers-km", metavar="KM", help="as far as that from the shop")
    delivery.add_argument("--delivery-price", metavar="AMOUNT", help="in euros; 0 where it is free")
    delivery.add_argument("--free-from", metavar="AMOUNT", help="free from that amount on")
    delivery.add_argument("--delivery-days", metavar="DAYS", help='such as "mar jeu"; "" for none')
    delivery.add_argument(
        "--delivery-ahead", metavar="DAYS", help="comes so many days after it was asked for"
    )
    delivery.add_argument(
        "--delivery-until", metavar="TIME", help="asked for later, it counts as of the next day"
    )
    delivery.add_argument(
        "--ready", metavar="MINUTES", help="after which a thing can be fetched; 0: not told"
    )
    if not adding:
        delivery.add_argument("--no-delivery", action="store_true", help="it delivers no more")


def add(asked: argparse.Namespace) -> None:
    """Opens a shop with its actor and keys."""
    from node import answers, keyring, shops, territory
    from node.commands import folder
    from node.exchange import keys
    from node.store import database

    here = folder.open_folder(asked)
    with database.reading(here.path) as db:
        draft = _draft(db, asked, None, here.now)
    shops.check(draft)
    made = keys.generate(keyring.load(here.path), draft.handle)  # slow: not inside the lock
    with database.transaction(here.path) as db:
        shop = shops.open_shop(db, here.uris, draft, made, folder.new_id(), here.now)
    output.say(
        asked,
        answers.shop(shop, here.now),
        f"{shop.name} is open at {shop.url}, in {territory.label(draft.place)}.",
        f"It can be followed as @{shop.handle}@{here.uris.authority}.",
        *_facts(shop, here.now),
    )


def revise(asked: argparse.Namespace) -> None:
    """Changes what is said of a shop."""
    from node import answers, shops
    from node.commands import folder
    from node.store import database

    here = folder.open_folder(asked)
    with database.transaction(here.path) as db:
        before = shops.get_open(db, asked.handle)
        draft = _draft(db, asked, before, here.now)
        shop = shops.revise_shop(db, draft, here.now)
    what = "is changed" if shop != before else "says so already: nothing was changed"
    output.say(asked, answers.shop(shop, here.now), f"{shop.name} {what}.", *_facts(shop, here.now))


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
        [{**answers.shop(shop, here.now), "listings": count} for shop, count in found],
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
    output.say(
        asked,
        answers.shop(shop, here.now),
        f"{shop.name} is closed, and its listings are withdrawn.",
    )


def alias(asked: argparse.Namespace) -> None:
    """Says which actor elsewhere a shop is as well."""
    from federation import documents
    from federation.errors import Refused
    from node import errors, shops
    from node.commands import folder
    from node.exchange import moves
    from node.store import database

    here = folder.open_folder(asked)
    try:
        alias = documents.check_id(asked.uri)
    except Refused:
        raise errors.Invalid("bad-address", f"{asked.uri!r} is no actor's address.") from None
    with database.transaction(here.path) as db:
        shop = shops.get_open(db, asked.handle)
        moves.add_alias(db, shop, alias, here.now)
    output.say(asked, {"uri": shop.uri, "alias": alias}, f"{shop.name} is also {alias}.")


def move(asked: argparse.Namespace) -> None:
    """Sends a shop's followers to where it goes on."""
    import asyncio

    from node import shops
    from node.commands import folder
    from node.exchange import moves
    from node.store import database

    here = folder.open_folder(asked)
    with database.reading(here.path) as db:
        shop = shops.get_open(db, asked.handle)
    asyncio.run(_check_target(here, shop.uri, asked.uri))
    with database.transaction(here.path) as db:
        shop = shops.get_open(db, asked.handle)
        moves.move(db, shop, asked.uri, folder.new_id(), here.now)
    output.say(asked, {"uri": shop.uri, "moved_to": asked.uri}, f"{shop.name} is now {asked.uri}.")


async def _check_target(here: "Folder", shop_uri: str, target: str) -> None:
    import node
    from federation import addresses, client
    from node.exchange import moves

    private = frozenset(here.settings.federation.private_peers)
    policy = addresses.Policy(private, here.uris.authority)
    async with client.Client(policy, f"Echoppe/{node.__version__} (+{here.uris.origin})") as http:
        await moves.check_target(http, shop_uri, target)


def _facts(shop: "Shop", now: "datetime") -> list[str]:
    """How the hours were understood, for the one who typed them to see."""
    if shop.hours is None:
        return []
    from node import hours, hours_said
    from node.translation import Catalogues

    say = Catalogues().speak("en")
    lines = [f"{days}: {times}" for days, times in hours_said.week(shop.hours, say)]
    for special in shop.hours.special:
        lines.append(": ".join(hours_said.special(special, say)))
    state = hours_said.state(hours.state(shop.hours, shop.place, now), now, say)
    return [*(f"  {line}" for line in lines), f"Now: {state}."] if state else lines


# --- From what was typed -------------------------------------------------------------------------


def _draft(
    db: "sqlite3.Connection", asked: argparse.Namespace, before: "Shop | None", now: "datetime"
) -> "ShopDraft":
    """What the arguments say, over what the shop said before. Raises errors.NodeError."""
    from node import errors, hours, territory
    from node.shops import ShopDraft
    from node.store import places

    def kept(given: str | None, said: str | None) -> str | None:
        return said if given is None else given.strip() or None

    if asked.commune is not None or before is None:
        place = territory.resolve(db, asked.commune)
    else:
        known = places.get(db, before.place) if before.place else None
        if known is None:
            raise errors.Invalid("no-place", "Say its commune with --commune.")
        place = known
    moved = before is not None and place.id != before.place
    point = (asked.lat, asked.lon)
    if point == (None, None) and before is not None and not moved:
        point = (before.latitude, before.longitude)
    zone = hours.zone_of(place.id)
    name = before.name if before and asked.name is None else asked.name.strip()
    return ShopDraft(
        handle=asked.handle,
        name=name,
        place=place,
        summary=kept(asked.summary, before.summary if before else None),
        address=kept(asked.address, before.address if before else None),
        phone=kept(asked.phone, before.phone if before else None),
        latitude=point[0],
        longitude=point[1],
        hours=_hours(asked, before.hours if before else None, now.astimezone(zone).date()),
        payments=_payments(asked, before.payments if before else ()),
        step_free=asked.step_free
        if asked.step_free is not None
        else before.step_free
        if before
        else None,
        delivery=_delivery(db, asked, before.delivery if before else None),
        ready_minutes=(before.ready_minutes if before else None)
        if asked.ready is None
        else _number(asked.ready, "--ready") or None,
    )


def _hours(asked: argparse.Namespace, before: "Hours | None", today: "date") -> "Hours | None":
    import dataclasses

    from node import errors, hours, hours_typed

    if asked.hours == "":
        return None
    found = before
    if asked.hours is not None:
        found = hours_typed.parse(asked.hours)
        if before is not None:
            found = dataclasses.replace(found, special=before.special)
    forget = getattr(asked, "no_exceptions", False)
    if not (asked.hours or asked.closed or asked.exception or forget):
        return before
    if found is None:
        raise errors.Invalid("no-hours", "Say the hours of its week first, with --hours.")
    special = {} if forget else {(days.first, days.last): days for days in found.special}
    for text in asked.closed or ():
        days = hours_typed.parse_special(text, today)
        if days.spans:
            raise errors.Invalid(
                "bad-exception", f"--closed names days, and no hours: {text!r}. Use --exception."
            )
        special[days.first, days.last] = days
    for text in asked.exception or ():
        days = hours_typed.parse_special(text, today)
        special[days.first, days.last] = days
    ordered = tuple(special[key] for key in sorted(special))
    return hours.without_past(dataclasses.replace(found, special=ordered), today)


def _payments(asked: argparse.Namespace, before: tuple[str, ...]) -> tuple[str, ...]:
    if asked.payment is None:
        return before
    typed = [part.strip() for text in asked.payment for part in text.split(",")]
    return tuple(part for part in typed if part)


def _delivery(
    db: "sqlite3.Connection", asked: argparse.Namespace, before: "DeliveryTerms | None"
) -> "DeliveryTerms | None":
    from node import bringing, territory
    from node.model import DeliveryTerms

    given = (
        asked.delivers_to, asked.delivers_km, asked.delivery_price, asked.free_from,
        asked.delivery_days, asked.delivery_ahead, asked.delivery_until,
    )  # fmt: skip
    if getattr(asked, "no_delivery", False):
        before = None
    if all(one is None for one in given):
        return before
    said = before or DeliveryTerms()
    places = said.places
    if asked.delivers_to is not None:
        named = (territory.resolve(db, text).id for text in asked.delivers_to if text.strip())
        places = tuple(dict.fromkeys(named))
    return DeliveryTerms(
        places,
        said.radius_km if asked.delivers_km is None else _kilometres(asked.delivers_km),
        said.price_cents if asked.delivery_price is None else _price(asked.delivery_price),
        said.free_from_cents if asked.free_from is None else _price(asked.free_from),
        said.days if asked.delivery_days is None else bringing.parse_days(asked.delivery_days),
        said.ahead_days
        if asked.delivery_ahead is None
        else _number(asked.delivery_ahead, "--delivery-ahead"),
        said.cutoff if asked.delivery_until is None else bringing.parse_clock(asked.delivery_until),
    )


def _number(text: str, option: str) -> int | None:
    from node import errors

    if not text.strip():
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 6):
        raise errors.Invalid("bad-number", f"{option} is a whole number, not {text!r}.")
    return int(text)


def _kilometres(text: str) -> float | None:
    from node import errors, prices

    if not text.strip():
        return None
    try:
        return prices.parse_quantity(text.lower().removesuffix("km")) / 1000
    except errors.Invalid:
        raise errors.Invalid(
            "bad-distance",
            f"--delivers-km is a number of kilometres such as 5 or 2,5, not {text!r}.",
        ) from None


def _price(text: str) -> int | None:
    from node import prices

    if not text.strip():
        return None
    return 0 if text.strip() == "0" else prices.parse_price(text)
