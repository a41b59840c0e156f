"""What a merchant does from a phone: add, change, sell out, bring back and withdraw.

Nothing here needs a script. Each change is a POST that ends in a redirect; a form that is sent
twice is acted upon once; a grant decides, and whose shop it is not is told that there is nothing.
"""

import dataclasses
import sqlite3
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from node import catalogue, categories, errors, hours_said, hours_typed, media, prices, shops
from node import hours as opening
from node.model import Account, Availability, Hours, Listing, Photo, Shop
from node.store import accounts as account_rows
from node.store import listings, photos, places
from node.uris import Uris
from node.web import accounts, cards, forms, listing_form, render, sessions, state

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


async def add(request: Request) -> Response:
    """`/ma-boutique/{shop}/ajouter`: photo, name, price: published."""
    desk = await _desk(request)
    if isinstance(desk, Response):
        return desk
    if request.method != "POST":
        return _form(request, "add", desk, listing_form.Typed(forms.new_id()), {})
    site = state.of(request)
    async with forms.read(request, photo=True) as form:
        typed = listing_form.typed_in(form)
        sent = await site.database.read(account_rows.get_sent, desk.account.id, typed.form)
        if sent is not None:
            return sessions.see_other(request, sent)
        typed, photo, problems = await _photo(request, desk, form, typed)
    say = render.speak(request)
    draft, found = listing_form.draft_of(say, typed, None, site.settings.node.languages[0])
    problems |= found
    if not problems and draft is not None:
        draft = dataclasses.replace(draft, photos=(photo,) if photo else ())
        try:
            where = await site.database.write(_publish, site.uris, desk, typed, draft, site.clock())
            return sessions.see_other(request, where)
        except errors.NodeError as error:
            problems = listing_form.problems_of(error, say)
    return _form(request, "add", desk, typed, problems, photo=photo)


def _publish(
    db: sqlite3.Connection,
    uris: Uris,
    desk: Desk,
    typed: listing_form.Typed,
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
        return _form(request, "change", desk, listing_form.typed_of(listing), {}, listing=listing)
    async with forms.read(request, photo=True) as form:
        typed = listing_form.typed_in(form, len(listing.offers))
        typed, photo, problems = await _photo(request, desk, form, typed)
    say = render.speak(request)
    draft, found = listing_form.draft_of(say, typed, listing, listing.language)
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
            problems = listing_form.problems_of(error, say)
    return _form(request, "change", desk, typed, problems, photo=photo, listing=listing)


def _own_listing(db: sqlite3.Connection, shop: Shop, listing_id: str) -> Listing | None:
    found = listings.get(db, listing_id)
    if found is None or found.shop != shop.id or found.withdrawn is not None:
        return None
    return found


async def _photo(
    request: Request, desk: Desk, form: forms.Form, typed: listing_form.Typed
) -> tuple[listing_form.Typed, Photo | None, dict[str, str]]:
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
        if kept is None:
            gone = errors.Invalid("photo-gone")
            problems = forms.sentences(gone, render.speak(request))
            return dataclasses.replace(typed, kept=""), None, problems
        return typed, kept, {}
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
    typed: listing_form.Typed,
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
