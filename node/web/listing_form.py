"""A listing as it is typed into a form, and what the form makes of it: a draft, or a sentence for
each field that cannot be used."""

import dataclasses
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from node import catalogue, errors, prices
from node.model import Condition, Contact, Kind, Listing, Offer, Particulars
from node.translation import Translator
from node.web import forms, particulars_form

SHOWN_MOST = 5000  # letters: fifty offers


@dataclass(frozen=True, slots=True)
class Choice:
    """The fields of one of several offers."""

    price: str = ""
    stock: str = ""
    gtin: str = ""
    gone: bool = False  # no longer to be chosen


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
    gtin: str = ""
    condition: str = ""
    service: bool = False
    delivered: bool = False
    on_request: bool = False
    alt: str = ""
    kept: str = ""  # the photo that was sent before and waits: its id
    again: bool = False
    without_photo: bool = False
    shown: str = ""  # the offers as the form was made from them (`shown_of`)
    offers: tuple[Choice, ...] = field(default=())  # where there are several
    sku: str = ""  # of a draft that came from a file
    asked: str = ""  # the duties that the form had fields for, with commas
    said: particulars_form.Typed = field(default_factory=particulars_form.Typed)


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
        gtin=form.line("gtin", 20),
        condition=form.line("condition", 20),
        service=form.is_set("service"),
        delivered=form.is_set("delivered"),
        on_request=form.is_set("on_request"),
        alt=form.line("alt", catalogue.ALT_MOST),
        kept=form.line("kept", 64),
        again=form.is_set("again"),
        without_photo=form.is_set("without_photo"),
        shown=form.line("shown", SHOWN_MOST),
        offers=tuple(
            Choice(
                price=form.line(f"price-{number}", 20),
                stock=form.line(f"stock-{number}", 10),
                gtin=form.line(f"gtin-{number}", 20),
                gone=form.is_set(f"gone-{number}"),
            )
            for number in range(offers)
        )
        if offers > 1
        else (),
        asked=form.line("asked", 100),
        said=particulars_form.typed_in(form),
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
        gtin=offer.gtin or "",
        condition=listing.condition,
        service=listing.kind is Kind.SERVICE,
        delivered=listing.delivered,
        on_request=all(one.price_cents is None for one in listing.offers),
        alt=listing.photos[0].alt if listing.photos else "",
        shown=shown_of(listing),
        offers=tuple(
            Choice(_as_typed(one.price_cents), _stock_as_typed(one), one.gtin or "")
            for one in listing.offers
        )
        if len(listing.offers) > 1
        else (),
        said=particulars_form.typed_of(listing.particulars),
    )


def shown_of(listing: Listing) -> str:
    """Each offer's id, stock and price, to know later what somebody has typed over."""
    return ",".join(f"{offer.id}:{offer.stock}:{offer.price_cents}" for offer in listing.offers)


def brought_up(draft: catalogue.ListingDraft, shown: str, now: Listing) -> catalogue.ListingDraft:
    """The draft over the listing as it is now: what was not typed over stays as it is.

    A form may stand open for long: meanwhile things are reserved, and reductions begin and end.
    Raises errors.Conflict where the offers are not those of the form any more.
    """
    known = {offer.id: offer for offer in now.offers}
    were = {}
    for one in shown.split(","):
        offer_id, _, values = one.partition(":")
        were[offer_id] = tuple(values.split(":"))
    if list(were) != list(known):
        raise errors.Conflict("changed-meanwhile", now.name)
    offers = []
    for offer in draft.offers:
        is_now = known[offer.id]
        stock, cents = were[offer.id]
        if str(offer.stock) == stock:
            offer = dataclasses.replace(offer, stock=is_now.stock, availability=is_now.availability)
        if str(offer.price_cents) == cents:
            offer = dataclasses.replace(
                offer, price_cents=is_now.price_cents, reduction=is_now.reduction
            )
        offers.append(offer)
    return dataclasses.replace(draft, offers=tuple(offers))


def _as_typed(cents: int | None) -> str:
    return "" if cents is None else prices.amount(cents).replace(".", ",")


def _stock_as_typed(offer: Offer) -> str:
    return "" if offer.stock is None else str(offer.stock)


def kept_of(typed: Typed) -> Mapping[str, str]:
    """What is kept of a form that is not sent to its end."""
    fields = {name: getattr(typed, name) for name in _KEPT}
    beside = {name: getattr(typed, name) for name in _KEPT_BESIDE if getattr(typed, name)}
    said = particulars_form.kept_of(typed.said)
    return {**fields, "on_request": "1" if typed.on_request else "", **beside, **said}


def typed_from(form: str, kept: Mapping[str, str]) -> Typed:
    """The form again, as it was left."""
    return Typed(
        form=form,
        on_request=bool(kept.get("on_request")),
        said=particulars_form.typed_from(kept),
        name=kept.get("name", ""),
        price=kept.get("price", ""),
        alt=kept.get("alt", ""),
        kept=kept.get("kept", ""),
        description=kept.get("description", ""),
        category=kept.get("category", ""),
        quantity=kept.get("quantity", ""),
        unit=kept.get("unit", ""),
        stock=kept.get("stock", ""),
        gtin=kept.get("gtin", ""),
        sku=kept.get("sku", ""),
    )


def over(typed: Typed, kept: Mapping[str, str]) -> Typed:
    """What was typed, with what a draft holds for which the form has no field."""
    before = typed_from(typed.form, kept)
    return dataclasses.replace(
        typed,
        description=typed.description or before.description,
        category=typed.category or before.category,
        quantity=typed.quantity or before.quantity,
        unit=typed.unit or before.unit,
        stock=typed.stock or before.stock,
        gtin=typed.gtin or before.gtin,
        sku=typed.sku or before.sku,
        said=particulars_form.over(typed.said, before.said, typed.asked),
    )


_KEPT = ("name", "price", "alt", "kept")
_KEPT_BESIDE = ("description", "category", "quantity", "unit", "stock", "gtin", "sku")


def draft_of(
    say: Translator,
    typed: Typed,
    before: Listing | None,
    language: str,
    makers: Sequence[Particulars] = (),
    itself: Contact | None = None,
) -> tuple[catalogue.ListingDraft | None, dict[str, str]]:
    """What was typed as a draft, or a sentence for each field that cannot be used.

    `makers` and `itself` are those of `particulars_form.particulars_of`.
    """
    problems: dict[str, str] = {}
    if before is not None:
        was = particulars_form.typed_of(before.particulars)
        typed = dataclasses.replace(typed, said=particulars_form.over(typed.said, was, typed.asked))
    if not typed.name:
        problems["name"] = say("Say what it is called")
    rows = typed.offers or (Choice(typed.price, typed.stock, typed.gtin),)
    old = before.offers if before else ()
    made: list[Offer] = []
    for number, choice in enumerate(rows):
        if choice.gone:
            continue
        suffix = f"-{number}" if typed.offers else ""
        offer = _offer(
            say, typed.on_request, choice, old[number] if old else None, suffix, problems, typed.sku
        )
        if len(rows) == 1:
            offer = _measured(say, typed, offer, problems)
        made.append(offer)
    if not made:
        problems["gone-0"] = say("One choice at least remains: withdraw the product instead")
    if typed.condition not in ("", *Condition):
        problems["condition"] = say("There is no such condition")
    said, wrong = particulars_form.particulars_of(say, typed.said, makers, itself)
    problems |= wrong
    if problems:
        return None, problems
    draft = (
        catalogue.draft_of(before) if before else catalogue.ListingDraft("", (), language=language)
    )
    draft = dataclasses.replace(
        draft,
        name=typed.name,
        offers=tuple(made),
        description=typed.description,
        category=typed.category or None,
        particulars=said,
    )
    if before is not None:
        draft = dataclasses.replace(
            draft,
            condition=Condition(typed.condition or before.condition),
            kind=Kind.SERVICE if typed.service else Kind.GOODS,
            delivered=typed.delivered,
            # What is not delivered can only be fetched.
            pick_up=before.pick_up or not typed.delivered,
        )
    try:
        catalogue.check(draft)
    except errors.Invalid as error:
        return None, forms.sentences(error, say)
    return draft, {}


def _offer(
    say: Translator,
    on_request: bool,
    choice: Choice,
    before: Offer | None,
    suffix: str,
    problems: dict[str, str],
    sku: str,
) -> Offer:
    cents: int | None = None
    counted: int | None = None
    gtin: str | None = None
    # One of several that has its price on request keeps it so as long as nothing is typed.
    unpriced = bool(suffix) and before is not None and before.price_cents is None
    if not on_request and (choice.price or not unpriced):
        try:
            cents = prices.parse_price(choice.price)
        except errors.Invalid:
            problems[f"price{suffix}"] = (
                say("The price must be a number, for example 12.50")
                if choice.price
                else say("Say its price")
            )
    if choice.stock:
        if choice.stock.isascii() and choice.stock.isdecimal() and len(choice.stock) <= 6:
            counted = int(choice.stock)
        else:
            problems[f"stock{suffix}"] = say("How many there are must be a whole number")
    if choice.gtin:
        try:
            gtin = prices.check_gtin(choice.gtin)
        except errors.Invalid:
            problems[f"gtin{suffix}"] = say(
                "This is no barcode: type its 8, 12, 13 or 14 digits, all of them"
            )
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
            gtin=gtin,
            sku=sku or None,
        )
    if counted == before.stock:
        availability = before.availability
    return dataclasses.replace(
        before, price_cents=cents, stock=counted, availability=availability, gtin=gtin
    )


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
    if error.code == "changed-meanwhile":
        return {
            "name": say(
                "This product was changed in another window meanwhile. Open it anew, please."
            )
        }
    if error.code == "same-name":
        return {
            "again": say(
                "You have “{name}” already. Change that one, or tick the box to publish another."
            ).format(name=error.detail)
        }
    if isinstance(error, errors.NotFound):
        return {"": say("This is no longer here")}
    return forms.sentences(error, say)
