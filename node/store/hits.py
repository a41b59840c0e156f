"""What a list of results shows of listings and their shops, in one statement."""

import json
import sqlite3
from collections.abc import Sequence

from node.model import (
    Availability,
    FoundListing,
    FoundOffer,
    FoundShop,
    Kind,
    Photo,
    Reduction,
    ReductionKind,
    RemotePhoto,
)
from node.store import matches, shops, times

_AVAILABILITY = {one.value: one for one in Availability}
_KINDS = {one.value: one for one in Kind}

# A row for each offer: the offers of a listing come after one another, in their order.
_FIND = """
SELECT asked.key,
    offers.price_cents, offers.currency, offers.quantity_milli, offers.unit, offers.availability,
    offers.reduction_kind, offers.reduction_from, offers.reduction_since, offers.reduction_until,
    listings.id, listings.uri, listings.url, listings.name, listings.language, listings.kind,
    listings.seen, listings.delivered,
    (SELECT json_array(photos.id, photos.alt, media.width, media.height)
     FROM photos JOIN media ON media.id = photos.id
     WHERE photos.listing = listings.id ORDER BY photos.position LIMIT 1),
    (SELECT json_array(url, alt, id, width, height)
     FROM remote_photos WHERE remote_photos.listing = listings.id),
    shops.id, shops.url, shops.peer, shops.handle, shops.name, shops.updated, shops.place,
    shops.hours, shops.delivery
FROM json_each(?) AS asked
CROSS JOIN listings ON listings.id = asked.value
CROSS JOIN shops ON shops.id = listings.shop
CROSS JOIN offers ON offers.listing = listings.id
ORDER BY asked.key, offers.position
"""


def find(db: sqlite3.Connection, rows: Sequence[int]) -> dict[int, tuple[FoundListing, FoundShop]]:
    """What the index's rows stand for, by their numbers; what leads nowhere is left out."""
    ids = matches.listings_of(db, rows)
    numbers = list(ids)
    found: dict[int, tuple[FoundListing, FoundShop]] = {}
    of: dict[str, FoundShop] = {}
    cursor = db.execute(_FIND, (json.dumps(list(ids.values())),))
    cursor.row_factory = None  # a tuple is taken apart in a third of the time
    for (
        nth, cents, currency, quantity, unit, availability, cut, reference, since, until,
        id_, uri, url, name, language, kind, seen, delivered, photo, copy,
        shop_id, shop_url, peer, handle, shop_name, updated, place, hours, delivery,
    ) in cursor:  # fmt: skip
        row = numbers[nth]
        offer = FoundOffer(
            cents,
            currency,
            quantity,
            unit,
            _AVAILABILITY[availability],
            None if cut is None else _reduction(cut, reference, since, until),
        )
        if row in found:
            listing, shop = found[row]
            found[row] = listing._replace(offers=(*listing.offers, offer)), shop
            continue
        if shop_id not in of:
            of[shop_id] = FoundShop(
                shop_id,
                shop_url,
                peer,
                handle,
                shop_name,
                times.moment(updated),
                place,
                shops.read_hours(hours),
                shops.read_delivery(delivery),
            )
        listing = FoundListing(
            id_,
            uri,
            url,
            name,
            language,
            _KINDS[kind],
            times.moment(seen),
            bool(delivered),
            (offer,),
            () if photo is None else (Photo(*json.loads(photo)),),
            None if copy is None else RemotePhoto(*json.loads(copy)),
        )
        found[row] = listing, of[shop_id]
    return found


def _reduction(kind: str, reference: int, since: str, until: str | None) -> Reduction:
    return Reduction(
        ReductionKind(kind), reference, times.moment(since), times.moment_or_none(until)
    )
