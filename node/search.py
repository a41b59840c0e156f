"""Finding what a resident looks for: in their commune first, then around it, then further away.

The order, in full: inside the commune, what names the words in its title before what says them in
its description, each shop's first listing before any shop's second, then the freshest; in the two
outer rings the nearest first, and at the same distance likewise. Nothing else counts.
"""

import sqlite3
from collections import Counter
from collections.abc import Sequence

from node import territory, words
from node.model import Place, Ring, RingName, SearchAnswer, SearchHit, SearchQuery
from node.store import listings, places, search, shops

PAGE = 20
PAGE_MOST = 500
EXACT_UP_TO = 200
MATCHES_MOST = 10_000
COMMUNE, AROUND, FURTHER = "commune", "around", "further"

_Placed = tuple[search.Row, float | None]


def find(db: sqlite3.Connection, query: SearchQuery, radius_km: float) -> SearchAnswer:
    """The three rings for a query; a page shows PAGE hits, counted through the rings."""
    matches = search.find(db, words.terms(query.words), MATCHES_MOST)
    adjoining = {place.id for place in places.adjoining(db, query.place.id)}
    rings: dict[str, list[_Placed]] = {COMMUNE: [], AROUND: [], FURTHER: []}
    for row in matches:
        distance = _distance(query.place, row)
        if row.place == query.place.id:
            rings[COMMUNE].append((row, distance))
        elif row.place in adjoining or (distance is not None and distance <= radius_km):
            rings[AROUND].append((row, distance))
        else:
            rings[FURTHER].append((row, distance))
    rings[COMMUNE] = _in_turn(sorted(rings[COMMUNE], key=_merit))
    for name in (AROUND, FURTHER):
        rings[name] = sorted(_in_turn(sorted(rings[name], key=_merit)), key=_rounded)

    start = (query.page - 1) * PAGE
    left = PAGE
    answered: list[Ring] = []
    for name, placed in rings.items():
        shown = placed[start : start + left] if left else []
        start = max(0, start - len(placed))
        left -= len(shown)
        distances = [distance for _, distance in placed if distance is not None]
        answered.append(
            Ring(
                ring=RingName(name),
                within_km=0.0
                if name == COMMUNE
                else round(max(distances), 1)
                if distances
                else None,
                total=min(len(placed), EXACT_UP_TO),
                exact=len(placed) <= EXACT_UP_TO and len(matches) < MATCHES_MOST,
                hits=_hits(db, shown),
            )
        )
    more = len(matches) > query.page * PAGE and query.page < PAGE_MOST
    following = query.page + 1 if more else None
    return SearchAnswer(query, tuple(answered), (), None, "20261125", None, following)


def _distance(place: Place, row: search.Row) -> float | None:
    if place.latitude is None or place.longitude is None:
        return None
    if row.latitude is None or row.longitude is None:
        return None
    return territory.distance_km(place.latitude, place.longitude, row.latitude, row.longitude)


def _merit(placed: _Placed) -> tuple[bool, float, str]:
    row, _ = placed
    return (not row.in_title, -row.updated.timestamp(), row.listing)


def _rounded(placed: _Placed) -> float:
    """Distance in half kilometres, unknown ones last: nearer than that is the same."""
    return 1e9 if placed[1] is None else round(placed[1] * 2)


def _in_turn(placed: Sequence[_Placed]) -> list[_Placed]:
    """Every shop's best first, then every shop's second: no shop fills the page.

    What matches in the title stays before what does not.
    """
    nth: Counter[tuple[str, bool]] = Counter()
    keyed = []
    for position, one in enumerate(placed):
        row = one[0]
        nth[row.shop, row.in_title] += 1
        keyed.append(((not row.in_title, nth[row.shop, row.in_title], position), one))
    return [one for _, one in sorted(keyed, key=lambda pair: pair[0])]


def _hits(db: sqlite3.Connection, placed: Sequence[_Placed]) -> tuple[SearchHit, ...]:
    found = {one.id: one for one in listings.find(db, [row.listing for row, _ in placed])}
    hits = []
    for row, distance in placed:
        listing = found.get(row.listing)
        shop = shops.get(db, listing.shop) if listing else None
        if listing is not None and shop is not None:
            place = places.get(db, shop.place) if shop.place else None
            hits.append(
                SearchHit(listing, shop, place, None if distance is None else round(distance, 1))
            )
    return tuple(hits)
