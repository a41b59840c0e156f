"""Listings and their offers, ours and the neighbours'."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from node.model import (
    Availability,
    Condition,
    Kind,
    Listing,
    Offer,
    Photo,
    Reduction,
    ReductionKind,
    RemotePhoto,
)
from node.store import particulars, photos, remote_photos, times

_COLUMNS = """id, uri, url, shop, name, description, category, condition, language, announce,
              published, updated, seen, withdrawn, kind, pick_up, delivered, particulars"""
_OFFER_COLUMNS = """id, listing, position, axes, price_cents, currency, quantity_milli, unit,
                    availability, stock, gtin, sku, reduction_kind, reduction_from,
                    reduction_since, reduction_until"""


def _insert(table: str, columns: str) -> str:
    places = ", ".join("?" for _ in columns.split(","))
    return f"INSERT INTO {table} ({columns}) VALUES ({places})"  # noqa: S608 (constants)


_INSERT = _insert("listings", _COLUMNS)
_INSERT_OFFER = _insert("offers", _OFFER_COLUMNS)
_FIXED = ("id", "uri", "shop", "published")
_CHANGED = ", ".join(
    f"{name} = ?{place}"
    for place, name in enumerate(map(str.strip, _COLUMNS.split(",")), 1)
    if name not in _FIXED
)
_UPDATE = f"UPDATE listings SET {_CHANGED} WHERE id = ?1"  # noqa: S608 (takes a row of _INSERT)

# Looked up for every row that is read: calling an enumeration takes several times as long.
_AVAILABILITY = {one.value: one for one in Availability}
_CONDITIONS = {one.value: one for one in Condition}
_KINDS = {one.value: one for one in Kind}


def _offer(row: sqlite3.Row) -> Offer:
    (
        id_, _, _, axes, cents, currency, quantity, unit, availability, stock, gtin, sku,
        kind, reference, since, until,
    ) = row  # fmt: skip
    return Offer(
        id=id_,
        axes={} if axes == "{}" else json.loads(axes),
        price_cents=cents,
        currency=currency,
        quantity_milli=quantity,
        unit=unit,
        availability=_AVAILABILITY[availability],
        stock=stock,
        gtin=gtin,
        sku=sku,
        reduction=None
        if kind is None
        else Reduction(
            kind=ReductionKind(kind),
            reference_cents=reference,
            since=times.moment(since),
            until=times.moment_or_none(until),
        ),
    )


def _listing(
    row: sqlite3.Row,
    offers: Iterable[Offer],
    shown: tuple[Photo, ...],
    remote_photo: RemotePhoto | None,
) -> Listing:
    (
        id_, uri, url, shop, name, description, category, condition, language, announce,
        published, updated, seen, withdrawn, kind, pick_up, delivered, said,
    ) = row  # fmt: skip
    return Listing(
        id=id_,
        uri=uri,
        url=url,
        shop=shop,
        name=name,
        description=description,
        category=category,
        condition=_CONDITIONS[condition],
        language=language,
        announce=bool(announce),
        published=times.moment(published),
        updated=times.moment(updated),
        seen=times.moment(seen),
        withdrawn=times.moment_or_none(withdrawn),
        offers=tuple(offers),
        kind=_KINDS[kind],
        pick_up=bool(pick_up),
        delivered=bool(delivered),
        photos=shown,
        remote_photo=remote_photo,
        particulars=particulars.read(said),
    )


class Rows(NamedTuple):
    """A listing as it is written: its row and those of its offers, in the order of the columns."""

    listing: tuple[object, ...]
    offers: list[tuple[object, ...]]


def rows_of(listing: Listing) -> Rows:
    """What is written of a listing."""
    # Plain strings and numbers: SQLite's module asks long what an enumeration or a bool may be.
    row = (
        listing.id,
        listing.uri,
        listing.url,
        listing.shop,
        listing.name,
        listing.description,
        listing.category,
        str(listing.condition),
        listing.language,
        int(listing.announce),
        times.stamp(listing.published),
        times.stamp(listing.updated),
        times.stamp(listing.seen),
        times.stamp_or_none(listing.withdrawn),
        str(listing.kind),
        int(listing.pick_up),
        int(listing.delivered),
        particulars.written(listing.particulars),
    )
    return Rows(
        row, [_offer_row(listing.id, nth, offer) for nth, offer in enumerate(listing.offers)]
    )


def _offer_row(listing_id: str, position: int, offer: Offer) -> tuple[object, ...]:
    cut = offer.reduction
    return (
        offer.id,
        listing_id,
        position,
        json.dumps(dict(offer.axes), ensure_ascii=False) if offer.axes else "{}",
        offer.price_cents,
        offer.currency,
        offer.quantity_milli,
        offer.unit,
        str(offer.availability),
        offer.stock,
        offer.gtin,
        offer.sku,
        str(cut.kind) if cut else None,
        cut.reference_cents if cut else None,
        times.stamp(cut.since) if cut else None,
        times.stamp_or_none(cut.until) if cut else None,
    )


def add(db: sqlite3.Connection, listing: Listing) -> None:
    """Adds a listing with its offers."""
    add_all(db, [listing])


def add_all(
    db: sqlite3.Connection,
    added: Sequence[Listing],
    made: Mapping[str, Rows] = MappingProxyType({}),
) -> None:
    """Adds listings with their offers.

    `made`: what is written of them, by ActivityPub id, where it is at hand.
    """
    rows = [made.get(one.uri) or rows_of(one) for one in added]
    db.executemany(_INSERT, [one.listing for one in rows])
    _add_offers(db, rows)
    for listing in added:
        if listing.photos:
            photos.change(db, listing.id, listing.photos)
    remote_photos.add_all(
        db, [(one.id, one.remote_photo, one.seen) for one in added if one.remote_photo is not None]
    )


def change(db: sqlite3.Connection, listing: Listing) -> None:
    """Writes all of a listing and its offers; id, uri, shop and `published` never change."""
    change_all(db, [listing])


def change_all(db: sqlite3.Connection, changed: Sequence[Listing]) -> None:
    """As `change`, for many."""
    rows = [rows_of(one) for one in changed]
    db.executemany(_UPDATE, [one.listing for one in rows])
    db.executemany("DELETE FROM offers WHERE listing = ?", [(one.id,) for one in changed])
    _add_offers(db, rows)
    for listing in changed:
        photos.change(db, listing.id, listing.photos)
        remote_photos.change(db, listing.id, listing.remote_photo, listing.seen)


def _add_offers(db: sqlite3.Connection, added: Iterable[Rows]) -> None:
    db.executemany(_INSERT_OFFER, [offer for one in added for offer in one.offers])


def mark_seen(db: sqlite3.Connection, listing_id: str, now: datetime) -> None:
    """Notes that a listing was heard of again, unchanged."""
    db.execute("UPDATE listings SET seen = ? WHERE id = ?", (times.stamp(now), listing_id))


def mark_confirmed(db: sqlite3.Connection, shop_id: str, now: datetime) -> int:
    """Notes that whatever a shop has and is not sold out was seen there; says of how many."""
    return db.execute(
        """
        UPDATE listings SET seen = :now WHERE shop = :shop AND withdrawn IS NULL AND EXISTS (
            SELECT 1 FROM offers
            WHERE offers.listing = listings.id AND offers.availability != 'out_of_stock')
        """,
        {"now": times.stamp(now), "shop": shop_id},
    ).rowcount


def remove(db: sqlite3.Connection, listing_id: str) -> None:
    """Removes a listing and its offers without a trace."""
    db.execute("DELETE FROM listings WHERE id = ?", (listing_id,))


def _with_offers(db: sqlite3.Connection, rows: Sequence[sqlite3.Row]) -> list[Listing]:
    offers: dict[str, list[Offer]] = {row[0]: [] for row in rows}
    for row in db.execute(
        f"""
        SELECT {_OFFER_COLUMNS} FROM offers
        WHERE listing IN (SELECT value FROM json_each(?)) ORDER BY listing, position
        """,  # noqa: S608
        (json.dumps(list(offers)),),
    ):
        offers[row[1]].append(_offer(row))
    shown = photos.find(db, offers)
    copies = remote_photos.find(db, offers)
    return [
        _listing(row, offers[row[0]], shown.get(row[0], ()), copies.get(row[0])) for row in rows
    ]


def get(db: sqlite3.Connection, listing_id: str) -> Listing | None:
    """The listing of that id, withdrawn ones included."""
    return _one(db, f"SELECT {_COLUMNS} FROM listings WHERE id = ?", listing_id)  # noqa: S608


def get_by_uri(db: sqlite3.Connection, uri: str) -> Listing | None:
    """The listing of that ActivityPub id, withdrawn ones included."""
    return _one(db, f"SELECT {_COLUMNS} FROM listings WHERE uri = ?", uri)  # noqa: S608


def find_by_uri(db: sqlite3.Connection, uris: Iterable[str]) -> dict[str, Listing]:
    """Those that are known of these ActivityPub ids, withdrawn ones included, by that id."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM listings WHERE uri IN (SELECT value FROM json_each(?))",  # noqa: S608
        (json.dumps(list(uris)),),
    ).fetchall()
    return {listing.uri: listing for listing in _with_offers(db, rows)} if rows else {}


def get_by_uri_start(db: sqlite3.Connection, start: str) -> Listing | None:
    """The listing whose ActivityPub id begins so: up to the first part of a uuid, with its "-"."""
    row = db.execute(
        f"SELECT {_COLUMNS} FROM listings WHERE uri >= :start AND uri < :end LIMIT 1",  # noqa: S608
        {"start": start, "end": start[:-1] + "."},
    ).fetchone()
    return None if row is None else _with_offers(db, [row])[0]


def _one(db: sqlite3.Connection, sql: str, value: str) -> Listing | None:
    row = db.execute(sql, (value,)).fetchone()
    return None if row is None else _with_offers(db, [row])[0]


def get_of_shop(db: sqlite3.Connection, shop_id: str, prefix: str) -> Listing | None:
    """The listing of a shop whose id begins with those 8 hexadecimal digits."""
    row = db.execute(
        f"""
        SELECT {_COLUMNS} FROM listings
        WHERE shop = :shop AND id BETWEEN :prefix || '-' AND :prefix || '.' LIMIT 1
        """,  # noqa: S608
        {"shop": shop_id, "prefix": prefix},
    ).fetchone()
    return None if row is None else _with_offers(db, [row])[0]


def find(db: sqlite3.Connection, ids: Sequence[str]) -> list[Listing]:
    """The listings of those ids, in that order; missing ones are left out."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM listings WHERE id IN (SELECT value FROM json_each(?))",  # noqa: S608
        (json.dumps(list(ids)),),
    ).fetchall()
    found = {listing.id: listing for listing in _with_offers(db, rows)}
    return [found[listing_id] for listing_id in ids if listing_id in found]


def find_of_shop(db: sqlite3.Connection, shop_id: str, limit: int = 10_000) -> list[Listing]:
    """Listings of a shop that are on show, newest first."""
    rows = db.execute(
        f"""
        SELECT {_COLUMNS} FROM listings WHERE shop = ? AND withdrawn IS NULL
        ORDER BY published DESC, id LIMIT ?
        """,  # noqa: S608
        (shop_id, limit),
    ).fetchall()
    return _with_offers(db, rows)


def find_newest_own(db: sqlite3.Connection, limit: int) -> list[Listing]:
    """What shops of this node published last, newest first, at most two of each shop."""
    rows = db.execute(
        f"""
        SELECT {_COLUMNS} FROM listings WHERE id IN (
            SELECT newest.id FROM shops JOIN listings AS newest ON newest.id IN (
                SELECT id FROM listings AS its
                WHERE its.shop = shops.id AND its.withdrawn IS NULL
                ORDER BY its.published DESC, its.id DESC LIMIT 2)
            WHERE shops.peer IS NULL AND shops.closed IS NULL
            ORDER BY newest.published DESC, newest.id LIMIT ?)
        ORDER BY published DESC, id
        """,  # noqa: S608
        (limit,),
    ).fetchall()
    return _with_offers(db, rows)


def find_own_pages(db: sqlite3.Connection, skip: int, limit: int) -> list[tuple[str, str]]:
    """(url, updated) of this node's listings on show, in the order of ids."""
    rows = db.execute(
        """
        SELECT listings.url, listings.updated FROM listings
        JOIN shops ON shops.id = listings.shop
        WHERE shops.peer IS NULL AND listings.withdrawn IS NULL
        ORDER BY listings.id LIMIT :limit OFFSET :skip
        """,
        {"skip": skip, "limit": limit},
    )
    return [(row[0], row[1]) for row in rows]


def shelves_of_shops(db: sqlite3.Connection, shop_ids: Sequence[str]) -> dict[str, list[str]]:
    """The shelves ("epicerie") that shops have something on, most of it first."""
    found: dict[str, list[str]] = {}
    for row in db.execute(
        """
        SELECT shop, substr(category, 1, instr(category || '.', '.') - 1) AS shelf, count(*)
        FROM listings
        WHERE shop IN (SELECT value FROM json_each(?)) AND withdrawn IS NULL
          AND category IS NOT NULL
        GROUP BY shop, shelf ORDER BY shop, count(*) DESC, shelf
        """,
        (json.dumps(list(shop_ids)),),
    ):
        found.setdefault(row["shop"], []).append(row["shelf"])
    return found


def find_ids_of_shop(db: sqlite3.Connection, shop_id: str) -> list[str]:
    """Ids of all listings of a shop that are on show, the oldest first."""
    rows = db.execute(
        "SELECT id FROM listings WHERE shop = ? AND withdrawn IS NULL ORDER BY published, id",
        (shop_id,),
    )
    return [row[0] for row in rows]


def find_page_of_shop(
    db: sqlite3.Connection, shop_id: str, before: tuple[str, str] | None, limit: int
) -> list[Listing]:
    """Newest first, from before a (published, id) on: the pages of an outbox."""
    published, listing_id = before or ("9999", "")
    rows = db.execute(
        f"""
        SELECT {_COLUMNS} FROM listings
        WHERE shop = :shop AND withdrawn IS NULL
          AND (published < :published OR (published = :published AND id < :id))
        ORDER BY published DESC, id DESC LIMIT :limit
        """,  # noqa: S608
        {"shop": shop_id, "published": published, "id": listing_id, "limit": limit},
    ).fetchall()
    return _with_offers(db, rows)


def find_ids_after(db: sqlite3.Connection, after: str, limit: int) -> list[str]:
    """Ids of listings on show, in the order of ids: to walk all of them in steps."""
    rows = db.execute(
        """
        SELECT id FROM listings
        WHERE withdrawn IS NULL AND id > ? AND NOT EXISTS (
            SELECT 1 FROM shops JOIN peers ON peers.host = shops.peer
            WHERE shops.id = listings.shop AND peers.suspended IS NOT NULL
        )
        ORDER BY id LIMIT ?
        """,
        (after, limit),
    )
    return [row[0] for row in rows]


def find_ids_of_peer(db: sqlite3.Connection, peer: str) -> list[str]:
    """Ids of all that is kept of a neighbour's listings."""
    rows = db.execute(
        """
        SELECT listings.id FROM listings JOIN shops ON shops.id = listings.shop
        WHERE shops.peer = ? AND listings.withdrawn IS NULL
        """,
        (peer,),
    )
    return [row[0] for row in rows]


def find_page_of_peer(db: sqlite3.Connection, peer: str, after: str, limit: int) -> list[Listing]:
    """A neighbour's listings in the order of their ids on the network, those behind `after`."""
    rows = db.execute(
        f"""
        SELECT {_COLUMNS} FROM listings
        WHERE shop IN (SELECT id FROM shops WHERE peer = ?) AND uri > ? AND withdrawn IS NULL
        ORDER BY uri LIMIT ?
        """,  # noqa: S608 (a constant)
        (peer, after, limit),
    ).fetchall()
    return _with_offers(db, rows)


def count_of_shop(db: sqlite3.Connection, shop_id: str) -> int:
    """How many listings of a shop are on show."""
    return int(
        db.execute(
            "SELECT count(*) FROM listings WHERE shop = ? AND withdrawn IS NULL", (shop_id,)
        ).fetchone()[0]
    )


def count_own(db: sqlite3.Connection) -> int:
    """How many listings of this node's shops are on show."""
    return int(
        db.execute(
            """
            SELECT count(*) FROM listings JOIN shops ON shops.id = listings.shop
            WHERE shops.peer IS NULL AND listings.withdrawn IS NULL
            """
        ).fetchone()[0]
    )


def states_of_peer(db: sqlite3.Connection, peer: str) -> list[tuple[str, str]]:
    """(uri, updated) of every object held of a peer, for the digest that compares two nodes."""
    rows = db.execute(
        """
        SELECT uri, updated FROM shops WHERE peer = :peer AND closed IS NULL
        UNION ALL
        SELECT listings.uri, listings.updated FROM listings JOIN shops ON shops.id = listings.shop
        WHERE shops.peer = :peer
        UNION ALL
        SELECT uri, updated FROM posts WHERE peer = :peer
        """,
        {"peer": peer},
    )
    return [(row[0], row[1]) for row in rows]
