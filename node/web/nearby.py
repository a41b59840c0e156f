"""Where a reader looks from. It is kept in the address alone ("ou"), and the node's own commune is
meant where an address says nothing."""

import sqlite3
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from node import phrases, territory
from node.model import Place
from node.store import places, shops
from node.territory import Understood
from node.translation import Translator
from node.web import asking, render, shown, state
from node.web.cards import Cards

_CHOICES_MOST = 60
_AROUND_MOST = 12


def understand(db: sqlite3.Connection, site: state.Site, text: str, say: Translator) -> Understood:
    """What was meant by the text in the field for the place."""
    if not text or text == territory.label(site.commune):
        return Understood(site.commune, (), None, None)
    return site.engine.understand(db, text, say)


def chosen(db: sqlite3.Connection, site: state.Site, request: Request) -> Place:
    """The place that the address carries, on pages that need none: the node's own if unclear."""
    text = request.query_params.get("ou", "")[: asking.PLACE_MOST]
    return understand(db, site, text, render.speak(request)).place or site.commune


def carried(site: state.Site, place: Place) -> str:
    """ "?ou=…" for links, where the place is not the node's own commune."""
    return "" if place.id == site.commune.id else f"?{urlencode([('ou', place.id)])}"


def around(site: state.Site, place: Place) -> render.Around:
    """The frame of a page that is read from this place."""
    behind = carried(site, place)
    query = (("ou", place.id),) if behind else ()
    return render.Around(query=query, near=territory.label(place), carried=behind)


def cards(request: Request, place: Place) -> Cards:
    """Cards whose links stay in the language of the page and with the place."""
    site = state.of(request)
    return Cards(
        render.speak(request),
        site.clock(),
        site.board,
        origin=site.uris.origin,
        at=render.prefix(request),
        carried=carried(site, place),
        home=site.commune,
        copies=site.workers.copies.shown,
    )


def with_shops(
    db: sqlite3.Connection, say: Translator, place: Place
) -> tuple[tuple[str, str, str], ...]:
    """Other communes that shops are known in, nearest first: (id, name, how many in words)."""
    found: list[tuple[float, Place, int]] = []
    for place_id, count in shops.count_by_place(db).items():
        other = places.get(db, place_id)
        if other is None or other.id == place.id:
            continue
        found.append((_distance(place, other), other, count))
    found.sort(key=lambda one: (one[0], one[1].name))
    return tuple(
        (
            other.id,
            other.name,
            phrases.counted(say, count, say("{count} shop"), say("{count} shops")),
        )
        for _, other, count in found[:_AROUND_MOST]
    )


def _distance(one: Place, other: Place) -> float:
    if None in (one.latitude, one.longitude, other.latitude, other.longitude):
        return 1e9
    return territory.distance_km(
        one.latitude or 0, one.longitude or 0, other.latitude or 0, other.longitude or 0
    )


async def choose(request: Request) -> Response:
    """`/commune?ou=…`: type where you live; where that may be several, choose from a list."""
    site = state.of(request)
    say = render.speak(request)
    at = render.prefix(request)
    asked = asking.read(say, request.query_params)
    understood = await site.database.read(understand, site, asked.near, say)
    place = understood.place
    typed = shown.line(asked.near, asking.PLACE_MOST)
    if place is not None and asked.near and (asked.words or asked.pairs):
        # Searched from a place that is clear by now: on to what was looked for.
        return RedirectResponse(asked.address(at, place.id), 303)
    choices = [
        (
            asked.address(at, choice.place.id)
            if asked.words or asked.pairs
            else f"{at}/{carried(site, choice.place)}",
            choice.label,
            choice.place.department_name or "",
            ", ".join(choice.postal_codes[:3]),
        )
        for choice in understood.choices[:_CHOICES_MOST]
    ]
    near = territory.label(place) if place else typed
    return render.page(
        request,
        "commune.html",
        around=render.Around(
            query=(("ou", asked.near),) if asked.near else (),
            words=shown.line(asked.words, asking.WORDS_MOST),
            near=near,
            carried=carried(site, place) if place else "",
        ),
        typed=typed,
        words=asked.words,
        hidden=(*((("q", asked.words),) if asked.words else ()), *asked.pairs),
        understood=understood,
        place=place,
        here=phrases.at_place(say, place.name) if place else "",
        choices=choices,
        own=site.commune,
    )
