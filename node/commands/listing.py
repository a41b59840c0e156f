"""`echoppe listing`: what the shops offer."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from node.commands import output

if TYPE_CHECKING:
    import sqlite3

    from node.catalogue import ListingDraft
    from node.commands.folder import Folder
    from node.media import Developed
    from node.model import Listing, Offer, Particulars, Photo, Shop

_OFFER_KEYS = ("price", "quantity", "unit", "stock", "gtin", "sku")


def configure(subjects: output.Subjects) -> None:
    """Adds the commands."""
    actions = output.subject(subjects, "listing", help="publish, change and withdraw listings")
    parser = output.command(
        actions,
        "add",
        add,
        help="publish a listing of a shop",
        example='echoppe listing add fleurs --name "Bouquet de saison" --price 12.50\n'
        '         echoppe listing add miel --name "Miel de lavande" --offer poids=250,price=6.50 '
        "--offer poids=500,price=11.90",
    )
    parser.add_argument("handle", help="the shop")
    _details(parser, adding=True)
    parser = output.command(
        actions,
        "revise",
        revise,
        help="change a listing; what is not named stays as it is",
        example="echoppe listing revise 0b8e6c1e-3f0b-4c57-9a54-4f0d3a0e7c11 --price 11.90",
    )
    parser.add_argument("id")
    _details(parser, adding=False)
    parser = output.command(
        actions,
        "withdraw",
        withdraw,
        help="take a listing off the shelf for good, here and at the neighbours",
        example="echoppe listing withdraw 0b8e6c1e-3f0b-4c57-9a54-4f0d3a0e7c11",
    )
    parser.add_argument("id")
    for name, run, text in (
        ("pin", pin, "show a listing first to people who follow the shop from elsewhere"),
        ("unpin", unpin, "take a pin away"),
    ):
        parser = output.command(
            actions,
            name,
            run,
            help=text,
            example=f"echoppe listing {name} 0b8e6c1e-3f0b-4c57-9a54-4f0d3a0e7c11",
        )
        parser.add_argument("id")
    parser = output.command(
        actions,
        "list",
        show,
        help="list what is on show",
        example="echoppe listing list fleurs",
    )
    parser.add_argument("handle", nargs="?", help="of one shop only")


def pin(asked: argparse.Namespace) -> None:
    """Pins a listing."""
    _pin(asked, pin=True)


def unpin(asked: argparse.Namespace) -> None:
    """Takes a pin away."""
    _pin(asked, pin=False)


def _pin(asked: argparse.Namespace, *, pin: bool) -> None:
    from node.commands import folder
    from node.exchange import featured
    from node.store import database

    here = folder.open_folder(asked)
    with database.transaction(here.path) as db:
        listing = featured.change(db, here.uris, asked.id, folder.new_id(), here.now, pin=pin)
    output.say(
        asked,
        {"id": listing.id, "uri": listing.uri, "pinned": pin},
        f"{listing.name} is {'pinned' if pin else 'pinned no more'}.",
    )


def _details(parser: argparse.ArgumentParser, *, adding: bool) -> None:
    parser.add_argument("--name", required=adding)
    price = parser.add_mutually_exclusive_group()
    price.add_argument("--price", metavar="AMOUNT", help="in euros, VAT included: 12.50")
    price.add_argument("--on-request", action="store_true", help="the price is given on request")
    parser.add_argument("--quantity", help="what one sale holds: 500, with --unit g")
    parser.add_argument("--unit", help="g, kg, ml, cl, l, cm, m, m2, h or piece")
    parser.add_argument("--stock", help='how many there are, or "none" where nobody counts')
    parser.add_argument("--gtin", help="its barcode number")
    parser.add_argument("--sku", help="the shop's own number for it")
    parser.add_argument(
        "--offer",
        action="append",
        metavar="AXIS=VALUE,price=…",
        help="one way to have it, of several: taille=M,couleur=bleu,price=12.50,stock=3",
    )
    parser.add_argument("--category", metavar="ID", help="such as boulangerie.pain")
    said = parser.add_argument_group(
        "what the law asks for on its shelf", "an empty one takes away what was said"
    )
    said.add_argument("--allergens", metavar="LIST", help='"gluten,milk,nuts", or "none"')
    said.add_argument("--traces", metavar="LIST", help="what it may contain unintended")
    said.add_argument("--origin", help='"France (Gironde)"')
    said.add_argument("--brand")
    said.add_argument("--maker", metavar='"NAME; ADDRESS; E-MAIL"', help="who makes it")
    said.add_argument(
        "--responsible",
        metavar='"NAME; ADDRESS; E-MAIL"',
        help="who answers for it in the European Union, where the maker is outside",
    )
    said.add_argument("--warnings", help="the warnings on the package")
    said.add_argument("--energy", help="its energy class, A to G, or none")
    said.add_argument("--eprel", metavar="URL", help="its sheet in the European register")
    said.add_argument("--strength", metavar="PERCENT", help="alcohol in percent by volume: 13.5")
    parser.add_argument("--condition", choices=("new", "refurbished", "used", "damaged"))
    parser.add_argument("--description")
    parser.add_argument(
        "--photo",
        action="append",
        type=Path,
        metavar="FILE",
        help="JPEG, PNG or WebP up to 15 MB; several in their order, in place of earlier ones",
    )
    parser.add_argument(
        "--alt",
        action="append",
        metavar="TEXT",
        help="what the photo shows, for who cannot see it; as many as photos (default: the name)",
    )
    parser.add_argument(
        "--service",
        action=argparse.BooleanOptionalAction,
        help="something done for people, and no goods",
    )
    parser.add_argument(
        "--delivered",
        action=argparse.BooleanOptionalAction,
        help="the shop brings it, where it says that it delivers",
    )
    parser.add_argument(
        "--pick-up",
        action=argparse.BooleanOptionalAction,
        help="it can be fetched at the shop, as goods can unless this says no",
    )
    parser.add_argument(
        "--announce",
        action="store_true",
        default=None,
        help="also show it to people who follow the shop from elsewhere",
    )


def add(asked: argparse.Namespace) -> None:
    """Publishes a listing."""
    import dataclasses

    from node import answers, catalogue, duties, errors, shops
    from node.commands import folder
    from node.store import database

    if not asked.offer and not asked.price and not asked.on_request:
        raise errors.Invalid(
            "no-price", "Say its price with --price 12.50, or that it is --on-request."
        )
    here = folder.open_folder(asked)
    draft = _draft(asked, None, here.settings.node.languages[0])
    catalogue.check(draft)
    duties.require(draft, duties.load_law(here.path))
    developed = _develop(asked, here)
    with database.transaction(here.path) as db:
        shop = shops.get_open(db, asked.handle)
        draft = dataclasses.replace(draft, photos=_keep(db, asked, here, shop, developed, draft))
        listing = catalogue.publish(db, here.uris, shop, draft, folder.new_id, here.now)
    output.say(asked, answers.listing(listing, shop), *_lines(listing, shop, "is on show"))


def revise(asked: argparse.Namespace) -> None:
    """Changes a listing."""
    import dataclasses

    from node import answers, catalogue, duties, errors
    from node.commands import folder
    from node.store import database
    from node.store import shops as shop_rows

    here = folder.open_folder(asked)
    rules = duties.load_law(here.path)
    developed = _develop(asked, here)
    with database.transaction(here.path) as db:
        listing = catalogue.get_on_show(db, asked.id)
        shop = shop_rows.get(db, listing.shop)
        if shop is None or shop.peer is not None:
            raise errors.NotFound("unknown-listing", f"{asked.id} is not a listing of this node.")
        draft = _draft(asked, listing, listing.language)
        duties.require(draft, rules, catalogue.draft_of(listing))
        photos = _keep(db, asked, here, shop, developed, draft) or listing.photos
        draft = dataclasses.replace(draft, photos=photos)
        revised = catalogue.revise(db, here.uris, shop, listing.id, draft, here.now)
    what = "is changed" if revised != listing else "says so already: nothing was changed"
    output.say(asked, answers.listing(revised, shop), *_lines(revised, shop, what))


def withdraw(asked: argparse.Namespace) -> None:
    """Withdraws a listing."""
    from node import catalogue, errors
    from node.commands import folder
    from node.store import database
    from node.store import shops as shop_rows

    here = folder.open_folder(asked)
    with database.transaction(here.path) as db:
        listing = catalogue.get_on_show(db, asked.id)
        shop = shop_rows.get(db, listing.shop)
        if shop is None or shop.peer is not None:
            raise errors.NotFound("unknown-listing", f"{asked.id} is not a listing of this node.")
        listing = catalogue.withdraw(db, listing.id, here.now)
    output.say(
        asked,
        {"id": listing.id, "uri": listing.uri},
        f"{listing.name} ({listing.id}) is withdrawn.",
    )


def show(asked: argparse.Namespace) -> None:
    """Lists what is on show."""
    from node import answers, shops
    from node.commands import folder
    from node.store import database, listings
    from node.store import shops as shop_rows

    here = folder.open_folder(asked)
    with database.reading(here.path) as db:
        found = [shops.get_open(db, asked.handle)] if asked.handle else shop_rows.find(db, own=True)
        on_show = [(shop, one) for shop in found for one in listings.find_of_shop(db, shop.id)]
    lines = []
    for shop, one in on_show:
        price = answers.price(one.main_offer)
        amount = f"{price['amount']} {price['currency']}" if price else "on request"
        lines.append(f"{one.id}  {shop.handle:20} {amount:>16}  {one.name}")
    output.say(asked, [answers.listing(one, shop) for shop, one in on_show], *lines)


def _develop(asked: argparse.Namespace, here: "Folder") -> "list[Developed]":
    """The photos named, made clean before the lock is taken: it takes a second each."""
    from node import errors, media

    files: list[Path] = asked.photo or []
    if len(asked.alt or []) not in (0, len(files)):
        raise errors.Invalid("photos-and-alts", "Give one --alt for each --photo, or none.")
    developed = []
    for file in files:
        try:
            with file.open("rb") as opened:
                developed.append(media.develop(here.path, opened))
        except errors.Invalid as error:
            raise errors.Invalid(error.code, f"{file}: {error.detail}") from None
    return developed


def _keep(
    db: "sqlite3.Connection",
    asked: argparse.Namespace,
    here: "Folder",
    shop: "Shop",
    developed: "list[Developed]",
    draft: "ListingDraft",
) -> "tuple[Photo, ...]":
    from node import media

    alts = asked.alt or [draft.name] * len(developed)
    return tuple(
        media.keep(db, here.path, shop, one, alt, here.now)
        for one, alt in zip(developed, alts, strict=True)
    )


def _lines(listing: "Listing", shop: "Shop", what: str) -> list[str]:
    lines = [f"{listing.name} {what}: {listing.url}", f"id {listing.id}", f"uri {listing.uri}"]
    if listing.delivered and shop.delivery is None:
        lines.append(
            f"Nobody finds it as delivered yet: say where the shop delivers, "
            f"with echoppe shop revise {shop.handle} --delivers-km 5."
        )
    return lines


def _draft(asked: argparse.Namespace, before: "Listing | None", language: str) -> "ListingDraft":
    """What the arguments say, over what the listing said before."""
    from node.catalogue import ListingDraft
    from node.model import NOTHING_SAID, Condition, Kind

    return ListingDraft(
        name=asked.name if asked.name is not None else before.name if before else "",
        offers=_offers(asked, before.offers if before else ()),
        description=asked.description
        if asked.description is not None
        else before.description
        if before
        else "",
        category=(asked.category or None)
        if asked.category is not None
        else before.category
        if before
        else None,
        condition=Condition(asked.condition)
        if asked.condition
        else before.condition
        if before
        else Condition.NEW,
        language=language,
        announce=bool(asked.announce) or (before is not None and before.announce),
        kind=(Kind.SERVICE if asked.service else Kind.GOODS)
        if asked.service is not None
        else before.kind
        if before
        else Kind.GOODS,
        pick_up=asked.pick_up if asked.pick_up is not None else before is None or before.pick_up,
        delivered=asked.delivered
        if asked.delivered is not None
        else before is not None and before.delivered,
        particulars=_particulars(asked, before.particulars if before else NOTHING_SAID),
    )


def _particulars(asked: argparse.Namespace, before: "Particulars") -> "Particulars":
    """What was said of the goods, over what was said before."""
    import dataclasses

    from node import particulars

    told: dict[str, Any] = {
        name: getattr(asked, name)
        for name in ("origin", "brand", "warnings", "eprel")
        if getattr(asked, name) is not None
    }
    if asked.energy is not None:
        told["energy"] = asked.energy if asked.energy == "none" else asked.energy.upper()
    for name, read, nothing in (
        ("allergens", particulars.parse_allergens, None),
        ("traces", particulars.parse_allergens, ()),
        ("maker", particulars.parse_contact, None),
        ("responsible", particulars.parse_contact, None),
        ("strength", particulars.parse_strength, None),
    ):
        typed = getattr(asked, name)
        if typed is not None:
            told[name] = read(typed) if typed else nothing
    return dataclasses.replace(before, **told)


def _offers(asked: argparse.Namespace, before: "tuple[Offer, ...]") -> "tuple[Offer, ...]":
    from node import errors

    given = {
        "price": asked.price,
        "quantity": asked.quantity,
        "unit": asked.unit,
        "stock": asked.stock,
        "gtin": asked.gtin,
        "sku": asked.sku,
    }
    single = {key: value for key, value in given.items() if value is not None}
    if asked.offer:
        if single or asked.on_request:
            raise errors.Invalid(
                "offer-or-price", "With --offer, the rest goes inside: price=12.50."
            )
        known = {tuple(offer.axes.items()): offer for offer in before}
        pairs = [_parse_offer(text) for text in asked.offer]
        return tuple(
            _offer(values, axes, known.get(tuple(axes.items())), whole=True)
            for axes, values in pairs
        )
    if len(before) > 1:
        if single or asked.on_request:
            raise errors.Invalid(
                "several-offers", "It has several offers: give them all again with --offer."
            )
        return before
    offer = _offer(single, {}, before[0] if before else None, whole=False)
    if asked.on_request:
        import dataclasses

        offer = dataclasses.replace(offer, price_cents=None)
    return (offer,)


def _parse_offer(text: str) -> tuple[dict[str, str], dict[str, str]]:
    from node import errors

    axes: dict[str, str] = {}
    values: dict[str, str] = {}
    for part in text.split(","):
        key, equals, value = part.partition("=")
        key, value = key.strip(), value.strip()
        if not equals or not key or not value or key in axes or key in values:
            raise errors.Invalid(
                "bad-offer", f"{part!r} in --offer is not like taille=M or price=12.50."
            )
        (values if key in _OFFER_KEYS else axes)[key] = value
    return axes, values


def _offer(
    values: dict[str, str], axes: dict[str, str], before: "Offer | None", *, whole: bool
) -> "Offer":
    """An offer from what was typed; with `whole`, what was not typed is not there."""
    from node import catalogue, prices
    from node.commands import folder
    from node.model import Offer

    kept = None if whole else before
    stock = kept.stock if kept else None
    if "stock" in values:
        stock = None if values["stock"] == "none" else _stock(values["stock"])
    return Offer(
        id=before.id if before else folder.new_id(),
        axes=axes or (dict(before.axes) if before else {}),
        price_cents=prices.parse_price(values["price"])
        if "price" in values
        else kept.price_cents
        if kept
        else None,
        currency="EUR",
        quantity_milli=prices.parse_quantity(values["quantity"])
        if "quantity" in values
        else kept.quantity_milli
        if kept
        else None,
        unit=values.get("unit", kept.unit if kept else None),
        availability=catalogue.availability(stock),
        stock=stock,
        gtin=prices.check_gtin(values["gtin"]) if "gtin" in values else kept.gtin if kept else None,
        sku=values.get("sku", kept.sku if kept else None),
    )


def _stock(text: str) -> int:
    from node import errors

    if not text.isascii() or not text.isdecimal() or len(text) > 7:
        raise errors.Invalid("bad-stock", f"The stock must be a whole number, not {text!r}.")
    return int(text)
