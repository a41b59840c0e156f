"""`/recherche` and `/rayon/{id}`: what was found, in three rings, in words.

Everything a template shows is said here beforehand; the one call of the search is in `_find`.
"""

import dataclasses
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from node import categories, errors, phrases, search, territory
from node.model import (
    PAYMENTS,
    Changed,
    Condition,
    Kind,
    Listing,
    Reading,
    Ring,
    RingName,
    SearchAnswer,
    SearchQuery,
)
from node.store import listings
from node.territory import Understood
from node.translation import Translator
from node.web import asking, nearby, render, shown, state
from node.web.asking import Asked
from node.web.cards import Card, Cards

_TOWNS_NAMED = 3


@dataclass(frozen=True, slots=True)
class RingView:
    """A ring as it is shown. `on` is empty where it holds nothing, so that no arch is filled."""

    id: str
    on: str
    heading: str
    line: str
    style: str
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters offer: (value, label)."""

    shelves: tuple[tuple[str, str], ...]
    conditions: tuple[tuple[str, str], ...]
    kinds: tuple[tuple[str, str], ...]
    payments: tuple[tuple[str, str], ...]


async def find(request: Request) -> Response:
    """`/recherche?q=…&ou=…`: the three rings; without words, the shelves to choose from."""
    say = render.speak(request)
    asked = asking.read(say, request.query_params)
    return await _read(request, say, asked)


async def shelf(request: Request) -> Response:
    """`/rayon/{id}?ou=…`: everything on one shelf, in the same three rings."""
    say = render.speak(request)
    category = categories.get(request.path_params["id"])
    if category is None:
        return await render.error(request, 404)
    asked = asking.on_shelf(asking.read(say, request.query_params), category.id)
    return await _read(request, say, asked, category)


async def look(request: Request, asked: Asked) -> tuple[SearchAnswer, dict[str, Listing]] | None:
    """The answer, and what it found by id and whole, for feeds; None where nothing, or nothing that
    can be read, is asked."""
    site = state.of(request)
    try:
        return await site.database.read(_look, site, asked, render.speak(request))
    except errors.Invalid:
        return None


def _look(
    db: sqlite3.Connection, site: state.Site, asked: Asked, say: Translator
) -> tuple[SearchAnswer, dict[str, Listing]] | None:
    _, answer = _find(db, site, asked, say)
    if answer is None:
        return None
    ids = [hit.listing.id for ring in answer.rings for hit in ring.hits]
    return answer, {one.id: one for one in listings.find(db, ids)}


async def _read(
    request: Request, say: Translator, asked: Asked, shelf: categories.Category | None = None
) -> Response:
    """Found and rendered in one job of a reader: handing over between threads costs more."""
    try:
        return await state.of(request).database.read(_page, request, say, asked, shelf)
    except errors.Invalid:  # a cursor that no answer gave
        return await render.error(request, 400)


def _page(
    db: sqlite3.Connection,
    request: Request,
    say: Translator,
    asked: Asked,
    shelf: categories.Category | None,
) -> Response:
    site = state.of(request)
    at = render.prefix(request)
    now = site.clock()
    understood, answer = _find(db, site, asked, say)
    place = understood.place
    if place is None:
        pairs = [("ou", asked.near), ("q", asked.words), *asked.pairs]
        behind = urlencode([pair for pair in pairs if pair[1]])
        return RedirectResponse(f"{at}/commune?{behind}", 303)
    carried = nearby.carried(site, place)
    cards = Cards(
        say,
        now,
        site.board,
        origin=site.uris.origin,
        at=at,
        carried=carried,
        home=site.commune,
        copies=site.workers.copies.shown,
        near=place,
    )
    words = shown.line(asked.words, asking.WORDS_MOST)
    around = render.Around(words=words, near=territory.label(place), carried=carried)
    if answer is None:
        return render.page(
            request,
            "search_start.html",
            around=dataclasses.replace(around, query=(("ou", place.id),) if carried else ()),
            here=phrases.at_place(say, place.name),
            shelves=shelves(say),
        )
    subject = (
        _name(say, shelf)
        if shelf
        else say("“{words}”").format(words=words)
        if words
        else say("Everything")
    )
    feed = asked.address(at, place.id).replace("/recherche?", "/recherche.atom?")
    if shelf:
        feed = f"{at}/rayon/{shelf.id}.atom{carried}"
    known = sum(ring.total for ring in answer.rings)
    exact = all(ring.exact for ring in answer.rings)
    return render.page(
        request,
        "search.html",
        around=dataclasses.replace(
            around,
            query=tuple(asked.pairs_of_page(place.id if carried else "", shelf is not None)),
            feed=feed,
        ),
        subject=subject,
        place=place,
        near_place=say("near {place}").format(
            place="".join(phrases.of_place(say, place.name)) if say.language == "fr" else place.name
        ),
        total=_total(say, known, exact=exact),
        found=known,
        rings=tuple(_rings(say, answer, cards, _wanted(say, words, shelf))),
        changes=_changes(say, answer.changed),
        suggestion=answer.suggestion
        and (answer.suggestion, asking.plain_address(at, answer.suggestion, place.id)),
        corrected=understood.sentence,
        asked=asked,
        hidden=tuple(
            pair for pair in (("q", asked.words), ("ou", place.id if carried else "")) if pair[1]
        ),
        filters=_filters(site, say, asked),
        unfiltered=asked.pairs and asked.address(at, place.id, filtered=False),
        first=asked.address(at, place.id) if asked.cursor else None,
        following=answer.next_cursor and asked.address(at, place.id, ("suite", answer.next_cursor)),
        seed=answer.seed,
        shelf=shelf,
    )


def _filters(site: state.Site, say: Translator, asked: Asked) -> Markup:
    """The form of the filters, as it was sent."""

    def values() -> dict[str, Any]:
        return {"asked": asked, "choices": choices(say, asked.filters.category)}

    if not asked.pairs:
        return site.pages.once("filters.html", say.language, values)
    text = site.pages.render("filters.html", say.language, **values())
    return Markup(text)  # noqa: S704 (rendered)


def _find(
    db: sqlite3.Connection, site: state.Site, asked: Asked, say: Translator
) -> tuple[Understood, SearchAnswer | None]:
    """What was meant by the place, and the answer; none where nothing is asked for."""
    understood = nearby.understand(db, site, asked.near, say)
    if understood.place is None or not (asked.words or asked.pairs):
        return understood, None
    query = SearchQuery(
        words=asked.words,
        place=understood.place,
        cursor=asked.cursor,
        filters=asked.filters,
    )
    radius_km = site.settings.federation.radius_km
    return understood, search.find(db, query, radius_km, site.clock(), site.engine)


def _rings(say: Translator, answer: SearchAnswer, cards: Cards, wanted: str) -> Iterator[RingView]:
    """The rings that have something on this page, and on the first page what the commune lacks."""
    place = answer.query.place
    in_place = phrases.at_place(say, place.name)
    in_place = in_place[0].upper() + in_place[1:]
    later = answer.query.cursor is not None
    elsewhere = any(ring.total for ring in answer.rings[1:])
    for ring, style in zip(answer.rings, ("cards near-cards", "rows", "rows far"), strict=True):
        if not ring.hits:
            if later or ring.total:
                continue
            if ring.ring is RingName.COMMUNE:
                yield RingView(
                    ring.ring,
                    "",
                    say("Nobody {in_place} offers {wanted} at the moment").format(
                        in_place=phrases.at_place(say, place.name), wanted=wanted
                    ),
                    say("Shops further away do.")
                    if elsewhere
                    else say("Nor does any shop that this site knows of."),
                    style,
                    (),
                )
            elif ring.ring is RingName.AROUND and elsewhere:
                yield RingView(ring.ring, "", say("Nothing in the communes around"), "", style, ())
            continue
        nearby = ring.ring is RingName.COMMUNE
        yield RingView(
            id=ring.ring,
            on=ring.ring,
            heading={
                RingName.COMMUNE: in_place,
                RingName.AROUND: say("In the communes around"),
                RingName.FURTHER: say("Further away"),
            }[ring.ring],
            line=_line(say, ring),
            style=style,
            cards=tuple(cards.hit(hit, nearby=nearby) for hit in ring.hits),
        )


def _wanted(say: Translator, words: str, shelf: categories.Category | None) -> str:
    """What was asked for, as the object of a sentence about nobody."""
    if shelf:
        return say("anything on the shelf “{shelf}”").format(shelf=_name(say, shelf))
    return say("“{words}”").format(words=words) if words else say("anything like this")


def _line(say: Translator, ring: Ring) -> str:
    """ "5 résultats : Mérignac 4 km, Talence 4 km"."""
    total = _total(say, ring.total, exact=ring.exact)
    if ring.ring is RingName.AROUND:
        towns: dict[str, float] = {}
        for hit in ring.hits:
            if hit.place is not None and hit.distance_km is not None:
                known = towns.get(hit.place.name, hit.distance_km)
                towns[hit.place.name] = min(known, hit.distance_km)
        nearest = sorted(towns.items(), key=lambda town: town[1])[:_TOWNS_NAMED]
        named = ", ".join(f"{name} {phrases.distance(say, km)}" for name, km in nearest)
        return say("{total}: {towns}").format(total=total, towns=named) if named else total
    if ring.ring is RingName.FURTHER and ring.within_km:
        far = phrases.distance(say, ring.within_km)
        return say("{total}, up to {distance}").format(total=total, distance=far)
    return total


def _total(say: Translator, number: int, *, exact: bool) -> str:
    if exact:
        return phrases.counted(say, number, say("{count} result"), say("{count} results"))
    return say("more than {count} results").format(count=phrases.grouped(say, number))


def _changes(say: Translator, changed: tuple[Changed, ...]) -> tuple[str, ...]:
    """What was read otherwise than typed; of a word left out, that alone."""
    left_out = {one.typed for one in changed if one.reading is Reading.LEFT_OUT}
    return tuple(
        _said(say, one)
        for one in changed
        if one.reading is Reading.LEFT_OUT or one.typed not in left_out
    )


def _said(say: Translator, one: Changed) -> str:
    """How a word was read otherwise than it was typed, in a sentence."""
    typed = shown.line(one.typed, 60)
    read_as = ", ".join(shown.line(word, 60) for word in one.read_as[:8])
    if one.reading is Reading.SPELLING:
        text = say("Results for “{read_as}” (you wrote “{typed}”).")
    elif one.reading is Reading.LEFT_OUT:
        text = say("Without “{typed}”: no shop uses that word.")
    elif one.reading is Reading.BEGINNING:
        text = say("“{typed}” was read as the beginning of: {read_as}.")
    else:
        text = say("Also looked for beside “{typed}”: {read_as}.")
    return text.format(typed=typed, read_as=read_as)


def _name(say: Translator, category: categories.Category) -> str:
    return category.fr if say.language == "fr" else category.en


def label(say: Translator, category_id: str) -> str:
    """A category's name; nothing for one that is unknown here."""
    found = categories.get(category_id)
    return _name(say, found) if found else ""


def shelves(say: Translator) -> tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...]:
    """The categories as (id, label, what stands on it), for lists of links."""
    known = categories.all()
    return tuple(
        (
            one.id,
            _name(say, one),
            tuple((thing.id, _name(say, thing)) for thing in known if thing.parent == one.id),
        )
        for one in known
        if one.parent is None
    )


def choices(say: Translator, category: str | None) -> Choices:
    """What the filters offer; `category` is the one asked for, which may be within a shelf."""
    anything = ("", say("All"))
    narrow = categories.get(category or "")
    within = ((narrow.id, _name(say, narrow)),) if narrow and narrow.parent else ()
    return Choices(
        shelves=(anything, *within, *((one, label) for one, label, _ in shelves(say))),
        conditions=(
            anything,
            (Condition.NEW, say("New")),
            (Condition.REFURBISHED, say("Refurbished")),
            (Condition.USED, say("Second-hand")),
        ),
        kinds=(anything, (Kind.GOODS, say("Goods")), (Kind.SERVICE, say("Services"))),
        payments=(anything, *((one, payment(say, one)) for one in PAYMENTS)),
    )


def payment(say: Translator, means: str) -> str:
    """A means of payment in words."""
    return {
        "cash": say("cash"),
        "card": say("bank card"),
        "cheque": say("cheque"),
        "transfer": say("bank transfer"),
        "meal_voucher": say("meal vouchers"),
        "gift_voucher": say("gift vouchers"),
        "online": say("online payment"),
    }.get(means, means)
