"""The pages that residents read: the territory, its shops and what they have."""

import re
import sqlite3
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from node import bringing, bringing_said, categories, duties, globe, phrases, siret, words
from node.model import Kind, Listing, Place, Shop
from node.store import applications, hidden, imprints, listings, places, shops
from node.store.times import stamp
from node.translation import Translator
from node.uris import slug
from node.web import (
    activitypub,
    assets,
    content,
    nearby,
    ordering,
    particulars_said,
    practical,
    render,
    reserving,
    searching,
    shown,
    state,
    structured,
    told,
)
from node.web import cards as card_views
from node.web.cards import Cards

NEW_SHOWN = 8
OPEN_SHOWN = 6
SHOPS_MOST = 2000  # of one commune
SHOPS_PAGE = 60
LISTINGS_PAGE = 60

_AFTER = re.compile(r"(\d{4}-\d\d-\d\dT[0-9:.]{5,15}Z),([0-9a-f-]{36})")


# --- The territory -------------------------------------------------------------------------------


async def home(request: Request) -> Response:
    """`/`: the commune as a sign, ways in, what is new and open now."""
    site = state.of(request)
    values = await site.database.read(_home, site, request)
    return render.page(request, "home.html", **values)


def _home(db: sqlite3.Connection, site: state.Site, request: Request) -> dict[str, Any]:
    say = render.speak(request)
    place = nearby.chosen(db, site, request)
    cards = nearby.cards(request, place)
    own = shops.find(db, own=True)
    by_id = {shop.id: shop for shop in own}
    newest = [
        cards.listing(one, by_id[one.shop])
        for one in listings.find_newest_own(db, NEW_SHOWN)
        if one.shop in by_id
    ]
    open_now = [shop for shop in _turned(own, cards.now) if cards.state(shop).open]
    return {
        "around": nearby.around(site, place),
        "newest": newest,
        "open_now": _shop_cards(db, say, cards, open_now[:OPEN_SHOWN]),
        "open_count": phrases.counted(
            say, len(open_now), say("{count} shop"), say("{count} shops")
        ),
        "shop_count": phrases.counted(say, len(own), say("{count} shop"), say("{count} shops")),
        "shelf_count": phrases.counted(
            say, len(searching.shelves(say)), say("{count} shelf"), say("{count} shelves")
        ),
        "communes": [one for id in site.settings.node.communes if (one := places.get(db, id))],
        "neighbours": nearby.with_shops(db, say, site.commune),
        "here": phrases.at_place(say, site.commune.name),
        "from_elsewhere": place if place.id != site.commune.id else None,
        **told.home(db, request, cards.now),
    }


def _turned(found: list[Shop], now: datetime) -> list[Shop]:
    """In an order that the day decides, so that nobody is always first."""
    seed = f"{now:%Y%m%d}"
    return sorted(found, key=lambda shop: zlib.crc32(f"{seed}{shop.uri}".encode()))


def _shop_cards(
    db: sqlite3.Connection, say: Any, cards: Cards, found: list[Shop], *, with_place: bool = False
) -> list[card_views.ShopCard]:
    """Shops with their trade, which is the shelf they have most on, and their address."""
    shelves = listings.shelves_of_shops(db, [shop.id for shop in found])
    made = []
    for shop in found:
        trades = [searching.label(say, shelf) for shelf in shelves.get(shop.id, [])[:2]]
        where = [shop.address] if shop.address else []
        if with_place and shop.place and (place := places.get(db, shop.place)):
            where.append(place.name)
        made.append(
            cards.shop(
                shop,
                ", ".join(trade for trade in trades if trade),
                shown.line(", ".join(where), 200),
            )
        )
    return made


async def shelves(request: Request) -> Response:
    """`/rayons`: every category."""
    site = state.of(request)
    say = render.speak(request)
    place = await site.database.read(nearby.chosen, site, request)
    return render.page(
        request,
        "shelves.html",
        around=nearby.around(site, place),
        shelves=searching.shelves(say),
        here=phrases.at_place(say, place.name),
    )


async def shop_list(request: Request) -> Response:
    """`/boutiques?ou=…&rayon=…`: the shops of a commune by name, and the communes around."""
    site = state.of(request)
    values = await site.database.read(_shop_list, site, request)
    return render.page(request, "shops.html", **values)


def _shop_list(db: sqlite3.Connection, site: state.Site, request: Request) -> dict[str, Any]:
    say = render.speak(request)
    place = nearby.chosen(db, site, request)
    cards = nearby.cards(request, place)
    ids = [place.id, *(part.id for part in places.parts(db, place.id))]
    found = sorted(shops.find_in(db, ids, SHOPS_MOST), key=lambda shop: words.fold(shop.name))
    shelves = listings.shelves_of_shops(db, [shop.id for shop in found])
    counts: dict[str, int] = {}
    for of_shop in shelves.values():
        for shelf in of_shop:
            counts[shelf] = counts.get(shelf, 0) + 1
    wanted = categories.get(request.query_params.get("rayon", "")[:60])
    if wanted is not None:
        found = [shop for shop in found if wanted.id in shelves.get(shop.id, [])]
    number = request.query_params.get("page", "")
    page = min(int(number), 100) if re.fullmatch(r"[1-9][0-9]{0,2}", number) else 1
    at = render.prefix(request)

    def address(of_page: int, shelf: str) -> str:
        pairs = [("ou", place.id if cards.carried else ""), ("rayon", shelf)]
        pairs.append(("page", str(of_page) if of_page > 1 else ""))
        behind = urlencode([pair for pair in pairs if pair[1]])
        return f"{at}/boutiques{'?' if behind else ''}{behind}"

    shelf = wanted.id if wanted else ""
    start = (page - 1) * SHOPS_PAGE
    return {
        "around": nearby.around(site, place),
        "place": place,
        "here": phrases.at_place(say, place.name),
        "count": phrases.counted(say, len(found), say("{count} shop"), say("{count} shops")),
        "shops": _shop_cards(db, say, cards, found[start : start + SHOPS_PAGE]),
        "wanted": searching.label(say, shelf),
        "all_shelves": address(1, ""),
        "trades": [
            (address(1, one), searching.label(say, one), str(counts[one]))
            for one in sorted(counts, key=lambda one: words.fold(searching.label(say, one)))
            if searching.label(say, one)
        ],
        "before": address(page - 1, shelf) if page > 1 else None,
        "following": address(page + 1, shelf) if len(found) > start + SHOPS_PAGE else None,
        "neighbours": nearby.with_shops(db, say, place),
    }


# --- A shop and what it has ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Gone:
    """Nothing to show: an error page of this status; of a suspended shop it says so."""

    status: int
    hidden: str = ""  # "shop" where a steward hid it


async def shop(request: Request) -> Response:
    """`/@{shop}`: who they are and what they have."""
    site = state.of(request)
    handle = request.path_params["handle"]
    if activitypub.wants_activity(request, otherwise=False):
        return activitypub.redirect(site.uris.actor(handle))
    values = await site.database.read(_shop, site, request, handle)
    if isinstance(values, _Gone):
        return await render.error(request, values.status, hidden=values.hidden)
    return render.page(request, "shop.html", vary="Accept", **values)


def _shop(
    db: sqlite3.Connection, site: state.Site, request: Request, handle: str
) -> dict[str, Any] | _Gone:
    found = shops.get_own(db, handle)
    if found is None:
        return _Gone(404)
    if found.closed is not None:
        return _Gone(410)
    if hidden.exists(db, found.uri):
        return _Gone(410, hidden="shop")
    say = render.speak(request)
    at = render.prefix(request)
    place = nearby.chosen(db, site, request)
    cards = nearby.cards(request, place)
    after = _AFTER.fullmatch(request.query_params.get("suite", ""))
    on_show = listings.find_page_of_shop(
        db, found.id, (after[1], after[2]) if after else None, LISTINGS_PAGE + 1
    )
    total = listings.count_of_shop(db, found.id)
    last = on_show[LISTINGS_PAGE - 1] if len(on_show) > LISTINGS_PAGE else None
    own_address = f"{at}/@{handle}"
    facts = practical.facts(db, say, found, cards.now)
    return {
        "around": render.Around(
            near=nearby.around(site, place).near,
            carried=cards.carried,
            feed=f"{own_address}.atom",
            properties=_properties(site, facts.name, found.url, facts.summary or facts.address),
        ),
        "shop": found,
        "facts": facts,
        "fingerprint": reserving.fingerprint(db, found),
        "asked": _asked(db, found),
        "imprint": _imprint(db, say, found),
        "state": cards.state(found),
        "trade": ", ".join(
            searching.label(say, one)
            for one in listings.shelves_of_shops(db, [found.id]).get(found.id, [])[:3]
        ),
        "cards": [cards.listing(one, found) for one in on_show[:LISTINGS_PAGE]],
        "count": phrases.counted(say, total, say("{count} product"), say("{count} products")),
        "first": own_address if after else None,
        "following": f"{own_address}?{urlencode([('suite', f'{stamp(last.published)},{last.id}')])}"
        if last
        else None,
        "address_of_actor": f"@{handle}@{site.uris.authority}",
        "ground": card_views.ground(found.id),
        "linked_data": structured.block(structured.shop(found, facts.place)),
        **told.of_shop(db, request, found.id, cards.now),
    }


def _imprint(db: sqlite3.Connection, say: Translator, shop: Shop) -> list[tuple[str, str]]:
    """(label, words) of what a shop says of who runs it."""
    said = imprints.get(db, shop.id)
    lines = (
        (say("Run by"), said.trader),
        (say("Legal form"), said.form),
        (say("Registration"), said.register),
        (say("VAT number"), said.vat),
        (say("E-mail"), said.email),
        (say("Consumer mediator"), said.mediator),
        (say("Permitted by"), said.authority),
    )
    return [(label, shown.line(text, 200)) for label, text in lines if text]


def _asked(db: sqlite3.Connection, shop: Shop) -> tuple[str, datetime] | None:
    """The SIRET that a shop named when it asked to be opened, and when it said that it is true."""
    asked = applications.of_shop(db, shop.id)
    if asked is None or asked.state != "approved" or asked.sent is None:
        return None
    return siret.written(asked.siret), asked.sent


async def listing(request: Request) -> Response:
    """`/@{shop}/{slug}-{8 hex}`; a slug that has changed since redirects."""
    site = state.of(request)
    handle, named = request.path_params["handle"], request.path_params["slug"]
    match = re.fullmatch(r"(.{0,80})-([0-9a-f]{8})", named)
    if match is None:
        return await render.error(request, 404)
    found, of = await site.database.read(_find_listing, handle, match[2])
    if found is None or of is None:
        return await render.error(request, 404)
    if activitypub.wants_activity(request, otherwise=False):
        return activitypub.redirect(found.uri)
    if found.withdrawn is not None:
        is_hidden = await site.database.read(hidden.exists, found.uri)
        return await render.error(request, 410, hidden="listing" if is_hidden else "")
    if match[1] != slug(found.name):
        at = render.prefix(request)
        path = found.url.removeprefix(site.uris.origin)
        return RedirectResponse(f"{site.uris.origin}{at}{path}", 301)
    values = await site.database.read(_listing, site, request, found, of)
    return render.page(request, "listing.html", vary="Accept", **values)


def _find_listing(
    db: sqlite3.Connection, handle: str, prefix: str
) -> tuple[Listing | None, Shop | None]:
    of = shops.get_own(db, handle)
    return (listings.get_of_shop(db, of.id, prefix) if of else None), of


def _listing(
    db: sqlite3.Connection, site: state.Site, request: Request, found: Listing, of: Shop
) -> dict[str, Any]:
    say = render.speak(request)
    place = nearby.chosen(db, site, request)
    cards = nearby.cards(request, place)
    facts = practical.facts(db, say, of, cards.now)
    name = shown.line(found.name, card_views.NAME_MOST)
    card = cards.listing(found, of)
    images = tuple(site.uris.photo(photo.id, 1600, "jpg") for photo in found.photos)
    shelf = categories.get(found.category or "")
    description = shown.paragraphs(found.description, 5000)
    return {
        "around": render.Around(
            near=nearby.around(site, place).near,
            carried=cards.carried,
            properties=_properties(
                site, f"{name} – {facts.name}", found.url, card.price.amount or description
            )
            + tuple(("og:image", image) for image in images[:1]),
        ),
        "listing": found,
        "name": name,
        "description": description,
        "card": card._replace(language=""),
        "foreign": card.language,  # of its name and description, where not the page's own
        "price": card_views.offer_price(say, found.main_offer, cards.now),
        "reduction": practical.reduction(say, found.main_offer, of.place, cards.now),
        "stock": practical.stock(say, found.main_offer),
        "offers": [
            (
                tuple(shown.line(value, 60) for value in offer.axes.values()),
                card_views.offer_price(say, offer, cards.now),
                practical.stock(say, offer),
            )
            for offer in found.offers
        ],
        "axes": [shown.line(axis, 60) for axis in found.offers[0].axes],
        "condition": practical.condition(say, found.condition),
        "ways": practical.ways(say, found),
        "ready": bringing_said.ready(of, say) if found.pick_up and found.kind is Kind.GOODS else "",
        "brought": bringing_said.brought(of, place, cards.now, say)
        if found.delivered and bringing.goes_to(of, place.id, _apart(db, of, place))
        else "",
        "shelf": shelf and (shelf.id, searching.label(say, shelf.id)),
        "shop": of,
        "reserve": reserving.address(request, found),
        "order": ordering.address(db, request, of, found),
        "shop_card": cards.shop(of, where=facts.address),
        "facts": facts,
        "state": cards.state(of),
        "linked_data": structured.block(structured.listing(found, of, images)),
        "said": particulars_said.said(say, found),
        "alcohol": duties.alcohol_words(site.law, say.language)
        if found.kind is Kind.GOODS and duties.is_alcohol(found.category, site.law)
        else (),
    }


def _apart(db: sqlite3.Connection, of: Shop, place: Place) -> float | None:
    """How far a shop is from the town hall of a place, in kilometres; None where unknown."""
    at = of if of.latitude is not None or of.place is None else places.get(db, of.place)
    points = [
        globe.vector(one.latitude, one.longitude)
        for one in (place, at)
        if one is not None and one.latitude is not None and one.longitude is not None
    ]
    return globe.distance_km(*points) if len(points) == 2 else None


def _properties(site: state.Site, title: str, url: str, text: str) -> tuple[tuple[str, str], ...]:
    """OpenGraph: what a link to the page shows elsewhere."""
    return (
        ("og:title", title),
        ("og:type", "website"),
        ("og:url", url),
        ("og:site_name", site.settings.node.name),
        ("og:description", text[:200]),
    )


# --- What pages are dressed with -----------------------------------------------------------------


async def static(request: Request) -> Response:
    """`/static/{name}`: what pages are dressed with, kept for ever under its content."""
    asset = state.of(request).assets.get(request.path_params["name"])
    if asset is None:
        return await render.error(request, 404)
    headers = {"Cache-Control": assets.FOR_EVER, "Vary": "Accept-Encoding"}
    body = asset.body
    if content.accepts_gzip(request.headers.get("accept-encoding", "")):
        body = asset.compressed
        if body is not asset.body:
            headers["Content-Encoding"] = "gzip"
    return Response(body, 200, headers, media_type=asset.media_type)
