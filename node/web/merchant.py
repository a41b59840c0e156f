"""What a merchant does from a phone: add, change, sell out, bring back and withdraw.

Nothing here needs a script. Each change is a POST that ends in a redirect; a form that is sent
twice is acted upon once; a grant decides, and whose shop it is not is told that there is nothing.
"""

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from node import catalogue, errors, hours_said, phrases, rules
from node import hours as opening
from node.law import Law
from node.model import Account, Availability, Listing, Shop
from node.store import drafts, helpers, hidden, listings, notices, places
from node.store import rules as consents
from node.store import shops as shop_rows
from node.translation import Translator
from node.uris import Uris
from node.web import accounts, cards, duties_form, forms, listing_form, render, sessions, state

LISTED_MOST = 1000
INCOMPLETE_SHOWN = 200
BEFORE_MOST = 3000  # characters of the stock of fifty offers, twice


@dataclass(frozen=True, slots=True)
class Desk:
    """Somebody signed in, at one of their shops."""

    account: Account
    shop: Shop
    several: bool  # they look after more shops, or the node
    owner: bool
    helping: bool = False  # a helper of the town hall, let in by the owner


async def desk_of(request: Request, *, helped: bool = True) -> Desk | Response:
    """Who asks and for which of their shops; else the page that says so.

    With `helped`, a helper whom the owner let in may be it too: not where private words are.
    """
    if request.method == "POST" and not sessions.is_own_form(request):
        return await render.error(request, 403)
    person = await sessions.person(request)
    if person is None:
        return accounts.ask(request, status=401)
    handle = request.path_params["handle"]
    for shop in person.shops:
        if shop.handle == handle:
            several = bool(person.desk_roles) or len(person.shops) > 1
            return Desk(person.account, shop, several, person.owns(shop))
    if person.may_help and helped:
        return await _help(request, person.account, handle)
    return await render.error(request, 404)


async def _help(request: Request, account: Account, handle: str) -> Desk | Response:
    """A helper's desk, where the owner agrees; what is changed from it is written down first."""
    site = state.of(request)
    shop = await site.database.read(_helped, handle, site.clock())
    if shop is None:
        return await render.error(request, 404)
    if request.method == "POST":
        pieces = request.url.path.rstrip("/").split("/")
        what = pieces[-1][:40]
        if "actualites" in pieces or "agenda" in pieces:
            what = "actualites"
        await site.database.write(helpers.add_deed, shop.id, account.id, what, site.clock())
    return Desk(account, shop, True, owner=False, helping=True)


def _helped(db: sqlite3.Connection, handle: str, now: datetime) -> Shop | None:
    shop = shop_rows.get_own(db, handle)
    if shop is None or shop.closed is not None or helpers.until(db, shop.id, now) is None:
        return None
    return shop


def page(request: Request, name: str, desk: Desk, *, status: int = 200, **values: Any) -> Response:
    """The template `merchant/{name}.html`, with what was just done."""
    return render.page(
        request,
        f"merchant/{name}.html",
        status=status,
        private=True,
        shop=desk.shop,
        own_style=state.of(request).assets.address("merchant.css"),
        home=f"{render.prefix(request)}/ma-boutique/{desk.shop.handle}",
        several=desk.several,
        owner=desk.owner,
        helping=desk.helping,
        done=request.query_params.get("fait", "")[:20],
        **values,
    )


# --- looking -------------------------------------------------------------------------------------


async def home(request: Request) -> Response:
    """`/ma-boutique/{shop}`: the doors."""
    desk = await desk_of(request)
    if isinstance(desk, Response):
        return desk
    site = state.of(request)
    count, sold_out, place = await site.database.read(_home, desk.shop)
    decided, correct_by, suspended = await site.database.read(_decided, desk.shop)
    agreed = await site.database.read(consents.agreed, desk.account.id, rules.VERSION)
    now = site.clock()
    is_open = opening.state(desk.shop.hours, desk.shop.place, now)
    said = hours_said.state(is_open, now, render.speak(request))
    return page(
        request,
        "home",
        desk,
        count=count,
        sold_out=sold_out,
        place=place,
        is_open=is_open.open,
        said=said,
        decided=decided,
        correct_by=correct_by,
        to_agree=agreed is None and not desk.helping,
        suspended=suspended,
    )


def _decided(db: sqlite3.Connection, shop: Shop) -> tuple[int, datetime | None, bool]:
    """How many decisions of the site there are, by when something is to be corrected, and whether
    the shop is suspended."""
    found = notices.find_decisions_of_shop(db, shop.id, LISTED_MOST)
    asked = notices.find_corrections(db, 1, shop.id)
    return len(found), asked[0].until if asked else None, hidden.exists(db, shop.uri)


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
    desk = await desk_of(request)
    if isinstance(desk, Response):
        return desk
    site = state.of(request)
    database = site.database
    found = await database.read(listings.find_of_shop, desk.shop.id, LISTED_MOST)
    begun = await database.read(drafts.find, desk.shop.id)
    lacking = await database.read(drafts.find, desk.shop.id, kept=True, most=INCOMPLETE_SHOWN)
    incomplete = await database.read(drafts.count_kept, desk.shop.id)
    say = render.speak(request)
    now = site.clock()
    zone = opening.zone_of(desk.shop.place)
    shown = [
        (
            one,
            cards.price(say, one),
            say.availability(cards.best_availability(one)),
            is_sold_out(one),
            phrases.seen(say, one.seen.astimezone(zone), now.astimezone(zone)),
            one.offers[0].stock if len(one.offers) == 1 else None,
            duties_form.lacks(say, catalogue.draft_of(one), site.law),
        )
        for one in found
    ]
    return page(
        request,
        "products",
        desk,
        listings=shown,
        incomplete=[(draft, _lacks(say, draft, site.law)) for draft in lacking],
        incomplete_all=incomplete,
        drafts=begun,
        undo=_undo(request),
    )


def _lacks(say: Translator, draft: drafts.Draft, law: Law) -> tuple[str, ...]:
    """What a draft lacks; nothing where it has no name or price yet."""
    typed = listing_form.typed_from(draft.id, draft.fields)
    return duties_form.lacks(say, listing_form.draft_of(say, typed, None, "fr")[0], law)


def own_listing(db: sqlite3.Connection, shop: Shop, listing_id: str) -> Listing | None:
    """A listing of a shop that is on show; None for whatever else has that id."""
    found = listings.get(db, listing_id)
    if found is None or found.shop != shop.id or found.withdrawn is not None:
        return None
    return found


# --- from the list -------------------------------------------------------------------------------


async def sold_out(request: Request) -> Response:
    """`/ma-boutique/{shop}/epuise`: all that is there, each a button that says it is gone."""
    desk = await desk_of(request)
    if isinstance(desk, Response):
        return desk
    found = await state.of(request).database.read(listings.find_of_shop, desk.shop.id, LISTED_MOST)
    return page(
        request,
        "sold_out",
        desk,
        there=[one for one in found if not is_sold_out(one)],
        gone=[one for one in found if is_sold_out(one)],
        undo=_undo(request),
    )


async def stock(request: Request) -> Response:
    """`…/produits/{id}/rayon`: sold out, there again, one more, one less, or as it was before."""
    desk = await desk_of(request)
    if isinstance(desk, Response):
        return desk
    site = state.of(request)
    async with forms.read(request) as form:
        to = form.line("to", 10)
        before = form.line("before", BEFORE_MOST)
        on = "epuise" if form.line("on", 10) == "epuise" else "produits"
    listing_id = request.path_params["id"]
    try:
        was = await site.database.write(
            _restock, site.uris, desk, listing_id, to, before, site.clock()
        )
    except errors.NotFound:
        return await render.error(request, 404)
    done = {"back": "retour", "more": "stock", "less": "stock", "undo": "annule"}.get(to, "epuise")
    behind = f"&quoi={listing_id}&avant={was}" if to != "undo" else ""
    return sessions.see_other(request, f"/ma-boutique/{desk.shop.handle}/{on}?fait={done}{behind}")


def _restock(
    db: sqlite3.Connection,
    uris: Uris,
    desk: Desk,
    listing_id: str,
    to: str,
    before: str,
    now: datetime,
) -> str:
    """Changes the stock; says what it was and what it became, to be undone by."""
    listing = own_listing(db, desk.shop, listing_id)
    if listing is None:
        raise errors.NotFound("unknown-listing")
    was = catalogue.stock_written(listing)
    if to in ("more", "less"):
        is_now = catalogue.count(db, uris, desk.shop, listing_id, 1 if to == "more" else -1, now)
    elif to == "undo":
        old, _, new = before.partition("~")
        is_now = catalogue.restock(db, uris, desk.shop, listing_id, old, new, now)
    else:
        is_now = catalogue.sell_out(db, uris, desk.shop, listing_id, now, back=to == "back")
    return f"{was}~{catalogue.stock_written(is_now)}"


def _undo(request: Request) -> tuple[str, str] | None:
    """What was just done to which listing, so that one tap undoes it."""
    listing_id = request.query_params.get("quoi", "")[:40]
    before = request.query_params.get("avant", "")[:BEFORE_MOST]
    return (listing_id, before) if listing_id and before else None


async def confirm(request: Request) -> Response:
    """`…/produits/confirmer`: all that is not sold out is still on the shelf, said by one tap."""
    desk = await desk_of(request)
    if isinstance(desk, Response):
        return desk
    async with forms.read(request):
        pass
    site = state.of(request)
    await site.database.write(catalogue.confirm, desk.shop, site.clock())
    return sessions.see_other(request, f"/ma-boutique/{desk.shop.handle}/produits?fait=confirme")


async def withdraw(request: Request) -> Response:
    """`…/produits/{id}/retirer`: asks, and takes it off the shelf for good."""
    desk = await desk_of(request)
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
    listing = await site.database.read(own_listing, desk.shop, listing_id)
    if listing is None:
        return await render.error(request, 404)
    return page(request, "withdraw", desk, listing=listing)


def _withdraw(db: sqlite3.Connection, desk: Desk, listing_id: str, now: datetime) -> None:
    found = listings.get(db, listing_id)
    if found is None or found.shop != desk.shop.id:
        raise errors.NotFound("unknown-listing")
    if found.withdrawn is None:  # a second tap finds it done
        catalogue.withdraw(db, listing_id, now)
