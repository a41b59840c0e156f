"""What programs read of the pages: Atom feeds, the map of the site, and what robots may do."""

import sqlite3
from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from node import categories
from node.model import FoundShop, Listing, Place, Post, Shop
from node.store import hidden, listings, posts, shops
from node.store.times import stamp
from node.translation import Translator
from node.web import asking, cards, content, render, searching, shown, state, told

FEED_MOST = 50
SITEMAP_MOST = 10_000  # addresses of one map; the protocol allows 50,000
_ATOM = "application/atom+xml"
_XML = '<?xml version="1.0" encoding="utf-8"?>\n'
_FIXED_PAGES = (
    "/", "/boutiques", "/rayons", "/agenda", "/actualites", "/mentions-legales", "/accessibilite",
    "/donnees-personnelles",
    "/classement", "/credits", "/mes-donnees", "/regles", "/transparence", "/contact",
    "/code-source", "/plan-du-site",
    "/preuve", "/voisins",
)  # fmt: skip


# --- Feeds ---------------------------------------------------------------------------------------


async def search_feed(request: Request) -> Response:
    """`/recherche.atom?q=…&ou=…`: what a search finds first, the latest change on top."""
    say = render.speak(request)
    asked = asking.read(say, request.query_params)
    return await _of_search(
        request, asked, f"{state.of(request).settings.node.name} – {asked.words}"
    )


async def shelf_feed(request: Request) -> Response:
    """`/rayon/{id}.atom?ou=…`: the same of one shelf."""
    say = render.speak(request)
    category = categories.get(request.path_params["id"])
    if category is None:
        return await render.error(request, 404)
    asked = asking.on_shelf(asking.read(say, request.query_params), category.id)
    name = searching.label(say, category.id)
    return await _of_search(request, asked, f"{state.of(request).settings.node.name} – {name}")


async def _of_search(request: Request, asked: asking.Asked, title: str) -> Response:
    site = state.of(request)
    looked = await searching.look(request, asked)
    if looked is None:
        return await render.error(request, 400)
    found, whole = looked
    hits = [hit for ring in found.rings for hit in ring.hits]
    hits.sort(key=lambda hit: whole[hit.listing.id].updated, reverse=True)
    page = asked.address(render.prefix(request), found.query.place.id)
    entries = [(whole[hit.listing.id], hit.shop, hit.place) for hit in hits[:FEED_MOST]]
    return _feed(request, shown.line(title, 200), f"{site.uris.origin}{page}", entries)


async def shop_feed(request: Request) -> Response:
    """`/@{shop}.atom`: what a shop published last, its news and events among it."""
    site = state.of(request)
    handle = request.path_params["handle"]
    found, newest, is_hidden = await site.database.read(_of_shop, handle)
    if found is None or found.closed is not None or is_hidden:
        gone = "shop" if is_hidden else ""
        return await render.error(request, 410 if found else 404, hidden=gone)
    say = render.speak(request)
    written = [
        told.entry(say, one) if isinstance(one, Post) else _entry(say, one, found, None)
        for one in newest
    ]
    return feed(request, shown.line(found.name, 200), found.url, written)


def _of_shop(db: sqlite3.Connection, handle: str) -> tuple[Shop | None, list[Listing | Post], bool]:
    found = shops.get_own(db, handle)
    if found is None:
        return None, [], False
    newest: list[Listing | Post] = [
        *listings.find_page_of_shop(db, found.id, None, FEED_MOST),
        *posts.find_page_of_actor(db, found.uri, None, FEED_MOST),
    ]
    newest.sort(key=lambda one: one.published, reverse=True)
    return found, newest[:FEED_MOST], hidden.exists(db, found.uri)


def _feed(
    request: Request,
    title: str,
    page: str,
    entries: Iterable[tuple[Listing, Shop | FoundShop, Place | None]],
) -> Response:
    say = render.speak(request)
    return feed(request, title, page, [_entry(say, *entry) for entry in entries])


def feed(request: Request, title: str, page: str, written: list[tuple[str, str]]) -> Response:
    """An Atom feed (RFC 4287) of entries that are written, each with when it changed."""
    site = state.of(request)
    say = render.speak(request)
    own = f"{site.uris.origin}{request.scope['path']}"
    if request.scope["query_string"]:
        own += "?" + request.scope["query_string"].decode("ascii", "replace")
    updated = max((entry[0] for entry in written), default=stamp(site.clock()))
    text = (
        f'{_XML}<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{say.language}">\n'
        f"<title>{escape(title)}</title>\n<id>{escape(own)}</id>\n<updated>{updated}</updated>\n"
        f'<link rel="self" type="{_ATOM}" href={quoteattr(own)}/>\n'
        f'<link rel="alternate" type="text/html" href={quoteattr(page)}/>\n'
        f"<author><name>{escape(site.settings.node.name)}</name></author>\n"
        + "".join(entry[1] for entry in written)
        + "</feed>\n"
    )
    return content.answer(request, text, _ATOM)


def _entry(
    say: Translator, found: Listing, of: Shop | FoundShop, place: Place | None
) -> tuple[str, str]:
    """When it changed, and the entry."""
    updated = stamp(found.updated)
    price = cards.price(say, found)
    said = " ".join(part for part in (price.before, price.amount, price.unit) if part)
    where = shown.line(of.name, 200) + (f", {place.name}" if place else "")
    summary = ". ".join(
        part
        for part in (said, say.availability(
            cards.best_availability(found)), where, shown.line(found.description, 300))
        if part
    )  # fmt: skip
    return updated, (
        f"<entry><title>{escape(shown.line(found.name, 200))}</title><id>{escape(found.uri)}</id>"
        f"<published>{stamp(found.published)}</published><updated>{updated}</updated>"
        f'<link rel="alternate" type="text/html" href={quoteattr(found.url)}/>'
        f"<author><name>{escape(where)}</name></author>"
        f"<summary>{escape(summary)}</summary></entry>\n"
    )


# --- Robots --------------------------------------------------------------------------------------


async def robots(request: Request) -> Response:
    """`/robots.txt`: pages may be read; searches are not worth a robot's time."""
    origin = state.of(request).uris.origin
    return PlainTextResponse(
        "User-agent: *\n"
        "Disallow: /recherche\nDisallow: /*/recherche\n"
        "Disallow: /commune\nDisallow: /*/commune\n"
        "Disallow: /connexion/\nDisallow: /compte\nDisallow: /api/\n"
        f"Sitemap: {origin}/sitemap.xml\n"
    )


async def sitemap(request: Request) -> Response:
    """`/sitemap.xml`: the maps there are."""
    site = state.of(request)
    count = await site.database.read(listings.count_own)
    maps = ["0", *(str(number) for number in range(1, 1 + -(-count // SITEMAP_MOST)))]
    text = "".join(
        f"<sitemap><loc>{site.uris.origin}/sitemap-{number}.xml</loc></sitemap>\n"
        for number in maps
    )
    return _map(request, "sitemapindex", text)


async def sitemap_part(request: Request) -> Response:
    """`/sitemap-{n}.xml`: map 0 has the pages and the shops, the others the listings."""
    site = state.of(request)
    number = int(request.path_params["number"])
    if number > 1000:
        return await render.error(request, 404)
    if number == 0:
        found = await site.database.read(shops.find, own=True, limit=SITEMAP_MOST)
        addresses = [(f"{site.uris.origin}{path}", "") for path in _FIXED_PAGES]
        addresses += [
            (f"{site.uris.origin}/rayon/{category.id}", "") for category in categories.all()
        ]
        addresses += [(shop.url, stamp(shop.updated)) for shop in found]
        addresses += await site.database.read(posts.find_own_pages, SITEMAP_MOST)
    else:
        pages = await site.database.read(
            listings.find_own_pages, (number - 1) * SITEMAP_MOST, SITEMAP_MOST
        )
        if not pages:
            return await render.error(request, 404)
        addresses = pages
    text = "".join(
        f"<url><loc>{escape(url)}</loc>{f'<lastmod>{updated}</lastmod>' if updated else ''}</url>\n"
        for url, updated in addresses
    )
    return _map(request, "urlset", text)


def _map(request: Request, kind: str, inside: str) -> Response:
    text = (
        f'{_XML}<{kind} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{inside}</{kind}>\n'
    )
    return content.answer(request, text, "application/xml")
