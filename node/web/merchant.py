"""What a merchant does from a phone: add, change, sell out, bring back and withdraw.

Nothing here needs a script. Each change is a POST that ends in a redirect; a form that is sent
twice is acted upon once; a grant decides, and whose shop it is not is told that there is nothing.
"""

import dataclasses
import sqlite3
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from node import catalogue, categories, errors, hours_said, hours_typed, media, prices, shops
from node import hours as opening
from node.model import Account, Availability, Hours, Listing, Offer, Photo, Shop
from node.store import accounts as account_rows
from node.store import listings, photos, places
from node.translation import Translator
from node.uris import Uris
from node.web import accounts, cards, forms, render, sessions, state

LISTED_MOST = 1000


@dataclass(frozen=True, slots=True)
class Desk:
    """Somebody signed in, at one of their shops."""

    account: Account
    shop: Shop
    several: bool  # they look after more shops, or the node


async def _desk(request: Request) -> Desk | Response:
    """Who asks and for which of their shops; else the page that says so."""
    if request.method == "POST" and not sessions.is_own_form(request):
        return await render.error(request, 403)
    person = await sessions.person(request)
    if person is None:
        return accounts.ask(request, status=401)
    handle = request.path_params["handle"]
    for shop in person.shops:
        if shop.handle == handle:
            return Desk(person.account, shop, person.is_steward or len(person.shops) > 1)
    return await render.error(request, 404)


def _page(request: Request, name: str, desk: Desk, *, status: int = 200, **values: Any) -> Response:
    return render.page(
        request,
        f"merchant/{name}.html",
        status=status,
        private=True,
        shop=desk.shop,
        home=f"{render.prefix(request)}/ma-boutique/{desk.shop.handle}",
        several=desk.several,
        done=request.query_params.get("fait", "")[:20],
        **values,
    )


# --- looking -------------------------------------------------------------------------------------


async def home(request: Request) -> Response:
    """`/ma-boutique/{shop}`: the doors."""
    desk = await _desk(request)
    if isinstance(desk, Response):
        return desk
    site = state.of(request)
    count, sold_out, place = await site.database.read(_home, desk.shop)
    now = site.clock()
    is_open = opening.state(desk.shop.hours, desk.shop.place, now)
    said = hours_said.state(is_open, now, render.speak(request))
    return _page(
        request,
        "home",
        desk,
        count=count,
        sold_out=sold_out,
        place=place,
        is_open=is_open.open,
        said=said,
    )


def _home(db: sqlite3.Connection, shop: Shop) -> tuple[int, int, str]:
    found = listings.find_of_shop(db, shop.id, LISTED_MOST)
    place = places.get(db, shop.place) if shop.place else None
    sold_out = sum(is_sold_out(one) for one in found)
    return len(found), sold_out, place.name if place else ""


def is_sold_out(listing: Listing) -> bool:
    """Whether no offer of a listing can be had."""
    return cards.best_availability(listing) is Availability.OUT_OF_STOCK


async def products(request: Request) -> Response:
    """`/ma-boutique/{shop}/produits`: all that is on show, each with what can be done."""
    desk = await _desk(request)
    if isinstance(desk, Response):
        return desk
    found = await state.of(request).database.read(listings.find_of_shop, desk.shop.id, LISTED_MOST)
    say = render.speak(request)
    shown = [
        (
            one,
            cards.price(say, one),
            say.availability(cards.best_availability(one)),
            is_sold_out(one),
        )
        for one in found
    ]
    return _page(request, "products", desk, listings=shown)


# --- adding and changing -------------------------------------------------------------------------


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


async def add(request: Request) -> Response:
    """`/ma-boutique/{shop}/ajouter`: photo, name, price: published."""
    desk = await _desk(request)
    if isinstance(desk, Response):
        return desk
    if request.method != "POST":
        return _form(request, "add", desk, Typed(forms.new_id()), {})
    site = state.of(request)
    async with forms.read(request, photo=True) as form:
        typed = _typed(form)
        typed, photo, problems = await _photo(request, desk, form, typed)
    say = render.speak(request)
    draft, found = _draft(say, typed, None, site.settings.node.languages[0])
    problems |= found
    if not problems and draft is not None:
        draft = dataclasses.replace(draft, photos=(photo,) if photo else ())
        try:
            where = await site.database.write(_publish, site.uris, desk, typed, draft, site.clock())
            return sessions.see_other(request, where)
        except errors.NodeError as error:
            problems = _problems(error, say)
    return _form(request, "add", desk, typed, problems, photo=photo)


def _publish(
    db: sqlite3.Connection,
    uris: Uris,
    desk: Desk,
    typed: Typed,
    draft: catalogue.ListingDraft,
    now: datetime,
) -> str:
    """Publishes, once for each form; says where to go on."""
    sent = account_rows.get_sent(db, desk.account.id, typed.form) if typed.form else None
    if sent is not None:
        return sent
    shop = shops.get_open(db, desk.shop.handle)
    if not typed.again:
        like = draft.name.casefold()
        for other in listings.find_of_shop(db, shop.id, LISTED_MOST):
            if other.name.casefold() == like:
                raise errors.Conflict("same-name", other.name)
    listing = catalogue.publish(db, uris, shop, draft, lambda: str(uuid.uuid4()), now)
    where = f"/ma-boutique/{shop.handle}/produits/{listing.id}?fait=publie"
    if typed.form:
        account_rows.add_sent(db, desk.account.id, typed.form, where, now)
    return where


async def change(request: Request) -> Response:
    """`/ma-boutique/{shop}/produits/{id}`: all that can be said of a listing."""
    desk = await _desk(request)
    if isinstance(desk, Response):
        return desk
    site = state.of(request)
    listing = await site.database.read(_own_listing, desk.shop, request.path_params["id"])
    if listing is None:
        return await render.error(request, 404)
    if request.method != "POST":
        return _form(request, "change", desk, _typed_of(listing), {}, listing=listing)
    async with forms.read(request, photo=True) as form:
        typed = _typed(form, len(listing.offers))
        typed, photo, problems = await _photo(request, desk, form, typed)
    say = render.speak(request)
    draft, found = _draft(say, typed, listing, listing.language)
    problems |= found
    if not problems and draft is not None:
        if photo is not None:
            draft = dataclasses.replace(draft, photos=(photo, *listing.photos[1:]))
        elif typed.without_photo:
            draft = dataclasses.replace(draft, photos=listing.photos[1:])
        elif listing.photos:
            first = dataclasses.replace(listing.photos[0], alt=typed.alt or draft.name)
            draft = dataclasses.replace(draft, photos=(first, *listing.photos[1:]))
        try:
            await site.database.write(
                catalogue.revise, site.uris, desk.shop, listing.id, draft, site.clock()
            )
            return sessions.see_other(
                request, f"/ma-boutique/{desk.shop.handle}/produits/{listing.id}?fait=change"
            )
        except errors.NodeError as error:
            problems = _problems(error, say)
    return _form(request, "change", desk, typed, problems, photo=photo, listing=listing)


def _own_listing(db: sqlite3.Connection, shop: Shop, listing_id: str) -> Listing | None:
    found = listings.get(db, listing_id)
    if found is None or found.shop != shop.id or found.withdrawn is not None:
        return None
    return found


async def _photo(
    request: Request, desk: Desk, form: forms.Form, typed: Typed
) -> tuple[Typed, Photo | None, dict[str, str]]:
    """The photo that came with a form, or that came with it before and waits."""
    site = state.of(request)
    alt = typed.alt or typed.name
    sent = form.photo("photo")
    if sent is None:
        if not typed.kept:
            return typed, None, {}
        kept = await site.database.read(
            photos.get_draft, typed.kept, desk.shop.id, alt, site.clock()
        )
        return (typed if kept else dataclasses.replace(typed, kept="")), kept, {}
    try:
        await site.database.read(media.check_room, desk.shop, site.clock())
        made = await site.darkroom.develop(sent.file)
        photo = await site.database.write(
            media.keep, site.database.folder, desk.shop, made, alt, site.clock()
        )
    except errors.NodeError as error:
        return (
            dataclasses.replace(typed, kept=""),
            None,
            forms.sentences(error, render.speak(request)),
        )
    return dataclasses.replace(typed, kept=photo.id), photo, {}


def _form(
    request: Request,
    name: str,
    desk: Desk,
    typed: Typed,
    problems: Mapping[str, str],
    *,
    photo: Photo | None = None,
    listing: Listing | None = None,
) -> Response:
    say = render.speak(request)
    shelves = [
        (one.id, f"{'— ' if one.parent else ''}{one.fr if say.language == 'fr' else one.en}")
        for one in categories.all()
    ]
    return _page(
        request,
        name,
        desk,
        status=422 if problems else 200,
        typed=typed,
        errors=problems,
        photo=photo,
        listing=listing,
        shelves=[("", say("I do not know")), *shelves],
        units=[("", "—"), *((unit, say.unit(unit)) for unit in prices.UNITS)],
    )


def _typed(form: forms.Form, offers: int = 1) -> Typed:
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


def _typed_of(listing: Listing) -> Typed:
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


def _draft(
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


def _problems(error: errors.NodeError, say: Translator) -> dict[str, str]:
    if error.code == "same-name":
        return {
            "again": say(
                "You have “{name}” already. Change that one, or tick the box to publish another."
            ).format(name=error.detail)
        }
    if isinstance(error, errors.NotFound):
        return {"": say("This is no longer here")}
    return forms.sentences(error, say)


# --- hours ---------------------------------------------------------------------------------------


async def hours(request: Request) -> Response:
    """`/ma-boutique/{shop}/horaires`: the week, as it is said in French."""
    desk = await _desk(request)
    if isinstance(desk, Response):
        return desk
    site = state.of(request)
    say = render.speak(request)
    problems: dict[str, str] = {}
    told = desk.shop.hours
    typed = hours_typed.write(told, say.language) if told else ""
    if request.method == "POST":
        async with forms.read(request) as form:
            typed = form.text("hours", hours_typed.TEXT_MOST)
        try:
            made = hours_typed.parse(typed) if typed else None
            await site.database.write(_set_hours, desk.shop.handle, made, site.clock())
            return sessions.see_other(request, f"/ma-boutique/{desk.shop.handle}?fait=horaires")
        except errors.Invalid:
            problems["hours"] = say("The hours could not be read. Write them as in the example.")
    return _page(
        request,
        "hours",
        desk,
        status=422 if problems else 200,
        typed=typed,
        week=hours_said.week(told, say) if told else (),
        errors=problems,
    )


def _set_hours(db: sqlite3.Connection, handle: str, week: Hours | None, now: datetime) -> None:
    shop = shops.get_open(db, handle)
    place = places.get(db, shop.place) if shop.place else None
    if place is None:
        raise errors.NotFound("unknown-place")
    special = shop.hours.special if shop.hours else ()
    told = dataclasses.replace(week, special=week.special or special) if week else None
    shops.revise_shop(db, dataclasses.replace(shops.draft_of(shop, place), hours=told), now)


# --- from the list -------------------------------------------------------------------------------


async def stock(request: Request) -> Response:
    """`…/produits/{id}/rayon`: sold out, or there again."""
    desk = await _desk(request)
    if isinstance(desk, Response):
        return desk
    site = state.of(request)
    async with forms.read(request) as form:
        back = form.line("to", 10) == "back"
    try:
        await site.database.write(
            _sell_out, site.uris, desk, request.path_params["id"], site.clock(), back=back
        )
    except errors.NotFound:
        return await render.error(request, 404)
    done = "retour" if back else "epuise"
    return sessions.see_other(request, f"/ma-boutique/{desk.shop.handle}/produits?fait={done}")


def _sell_out(
    db: sqlite3.Connection, uris: Uris, desk: Desk, listing_id: str, now: datetime, *, back: bool
) -> None:
    if _own_listing(db, desk.shop, listing_id) is None:
        raise errors.NotFound("unknown-listing")
    catalogue.sell_out(db, uris, desk.shop, listing_id, now, back=back)


async def withdraw(request: Request) -> Response:
    """`…/produits/{id}/retirer`: asks, and takes it off the shelf for good."""
    desk = await _desk(request)
    if isinstance(desk, Response):
        return desk
    site = state.of(request)
    listing_id = request.path_params["id"]
    if request.method == "POST":
        async with forms.read(request):
            pass
        try:
            await site.database.write(_withdraw, desk, listing_id, site.clock())
        except errors.NotFound:
            return await render.error(request, 404)
        return sessions.see_other(request, f"/ma-boutique/{desk.shop.handle}/produits?fait=retire")
    listing = await site.database.read(_own_listing, desk.shop, listing_id)
    if listing is None:
        return await render.error(request, 404)
    return _page(request, "withdraw", desk, listing=listing)


def _withdraw(db: sqlite3.Connection, desk: Desk, listing_id: str, now: datetime) -> None:
    found = listings.get(db, listing_id)
    if found is None or found.shop != desk.shop.id:
        raise errors.NotFound("unknown-listing")
    if found.withdrawn is None:  # a second tap finds it done
        catalogue.withdraw(db, listing_id, now)
