"""A listing as it is typed into a form, and what the form makes of it: a draft, or a sentence for
each field that cannot be used."""

import dataclasses
import uuid
from dataclasses import dataclass, field

from node import catalogue, errors, prices
from node.model import Listing, Offer
from node.translation import Translator
from node.web import forms


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the fields, as it was typed."""

    form: str
    name: str = ""
    price: str = ""
    description: str = ""
    category: str = ""
    quantity: str = ""
    unit: str = ""
    stock: str = ""
    alt: str = ""
    kept: str = ""  # the photo that was sent before and waits: its id
    again: bool = False
    without_photo: bool = False
    offers: tuple[tuple[str, str], ...] = field(default=())  # (price, stock) of several offers


def typed_in(form: forms.Form, offers: int = 1) -> Typed:
    """What was sent, for a listing of so many offers."""
    return Typed(
        form=form.line("form", 40),
        name=form.line("name", catalogue.NAME_MOST),
        price=form.line("price", 20),
        description=form.text("description", catalogue.DESCRIPTION_MOST),
        category=form.line("category", 60),
        quantity=form.line("quantity", 20),
        unit=form.line("unit", 10),
        stock=form.line("stock", 10),
        alt=form.line("alt", catalogue.ALT_MOST),
        kept=form.line("kept", 64),
        again=form.is_set("again"),
        without_photo=form.is_set("without_photo"),
        offers=tuple(
            (form.line(f"price-{number}", 20), form.line(f"stock-{number}", 10))
            for number in range(offers)
        )
        if offers > 1
        else (),
    )


def typed_of(listing: Listing) -> Typed:
    """A listing as it would have been typed."""
    offer = listing.offers[0]
    return Typed(
        form=forms.new_id(),
        name=listing.name,
        price=_as_typed(offer.price_cents),
        description=listing.description,
        category=listing.category or "",
        quantity=prices.quantity(offer.quantity_milli).replace(".", ",")
        if offer.quantity_milli is not None
        else "",
        unit=offer.unit or "",
        stock=_stock_as_typed(offer),
        alt=listing.photos[0].alt if listing.photos else "",
        offers=tuple((_as_typed(one.price_cents), _stock_as_typed(one)) for one in listing.offers)
        if len(listing.offers) > 1
        else (),
    )


def _as_typed(cents: int | None) -> str:
    return "" if cents is None else prices.amount(cents).replace(".", ",")


def _stock_as_typed(offer: Offer) -> str:
    return "" if offer.stock is None else str(offer.stock)


def draft_of(
    say: Translator, typed: Typed, before: Listing | None, language: str
) -> tuple[catalogue.ListingDraft | None, dict[str, str]]:
    """What was typed as a draft, or a sentence for each field that cannot be used."""
    problems: dict[str, str] = {}
    if not typed.name:
        problems["name"] = say("Say what it is called")
    rows = typed.offers or ((typed.price, typed.stock),)
    old = before.offers if before else ()
    made: list[Offer] = []
    for number, (price, stock) in enumerate(rows):
        suffix = f"-{number}" if typed.offers else ""
        offer = _offer(say, price, stock, old[number] if old else None, suffix, problems)
        if len(rows) == 1 and before is not None:
            offer = _measured(say, typed, offer, problems)
        made.append(offer)
    if problems:
        return None, problems
    draft = (
        catalogue.draft_of(before) if before else catalogue.ListingDraft("", (), language=language)
    )
    draft = dataclasses.replace(draft, name=typed.name, offers=tuple(made))
    if before is not None:
        draft = dataclasses.replace(
            draft, description=typed.description, category=typed.category or None
        )
    try:
        catalogue.check(draft)
    except errors.Invalid as error:
        return None, forms.sentences(error, say)
    return draft, {}


def _offer(
    say: Translator,
    price: str,
    stock: str,
    before: Offer | None,
    suffix: str,
    problems: dict[str, str],
) -> Offer:
    cents: int | None = None
    counted: int | None = None
    # A price on request stays one as long as nothing is typed.
    if price or before is None or before.price_cents is not None:
        try:
            cents = prices.parse_price(price)
        except errors.Invalid:
            problems[f"price{suffix}"] = (
                say("The price must be a number, for example 12.50")
                if price
                else say("Say its price")
            )
    if stock:
        if stock.isascii() and stock.isdecimal() and len(stock) <= 6:
            counted = int(stock)
        else:
            problems[f"stock{suffix}"] = say("How many there are must be a whole number")
    availability = catalogue.availability(counted)
    if before is None:
        return Offer(
            id=str(uuid.uuid4()),
            axes={},
            price_cents=cents,
            currency="EUR",
            quantity_milli=None,
            unit=None,
            availability=availability,
            stock=counted,
            gtin=None,
            sku=None,
        )
    if counted == before.stock:
        availability = before.availability
    return dataclasses.replace(before, price_cents=cents, stock=counted, availability=availability)


def _measured(say: Translator, typed: Typed, offer: Offer, problems: dict[str, str]) -> Offer:
    """An offer with what one sale holds."""
    if not typed.quantity and not typed.unit:
        return dataclasses.replace(offer, quantity_milli=None, unit=None)
    if not typed.quantity or typed.unit not in prices.UNITS:
        name = "quantity" if typed.unit in prices.UNITS else "unit"
        problems[name] = say("A quantity and its unit go together")
        return offer
    try:
        milli = prices.parse_quantity(typed.quantity)
    except errors.Invalid:
        problems["quantity"] = say("The quantity must be a number, for example 500")
        return offer
    return dataclasses.replace(offer, quantity_milli=milli, unit=typed.unit)


def problems_of(error: errors.NodeError, say: Translator) -> dict[str, str]:
    """Why it could not be published or changed, by field."""
    if error.code == "same-name":
        return {
            "again": say(
                "You have “{name}” already. Change that one, or tick the box to publish another."
            ).format(name=error.detail)
        }
    if isinstance(error, errors.NotFound):
        return {"": say("This is no longer here")}
    return forms.sentences(error, say)
