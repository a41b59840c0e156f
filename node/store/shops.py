"""Shops, ours and the neighbours'."""

import functools
import json
import sqlite3
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from node.model import DeliveryTerms, Hours, Shop, Span, SpecialDays
from node.store import times

_COLUMNS = """id, uri, url, peer, handle, name, summary, place, address, phone,
              latitude, longitude, opened, updated, seen, closed,
              hours, payments, step_free, delivery, ready_minutes"""
# Pages show the same shops again and again, and reading their hours is most of reading them.
_READ_KEPT = 2000


def _shop(row: sqlite3.Row) -> Shop:
    (
        id_, uri, url, peer, handle, name, summary, place, address, phone,
        latitude, longitude, opened, updated, seen, closed,
        hours, payments, step_free, delivery, ready_minutes,
    ) = row  # fmt: skip
    return Shop(
        id=id_,
        uri=uri,
        url=url,
        peer=peer,
        handle=handle,
        name=name,
        summary=summary,
        place=place,
        address=address,
        phone=phone,
        latitude=latitude,
        longitude=longitude,
        opened=times.moment(opened),
        updated=times.moment(updated),
        seen=times.moment(seen),
        closed=times.moment_or_none(closed),
        hours=read_hours(hours),
        payments=() if payments == "[]" else tuple(json.loads(payments)),
        step_free=None if step_free is None else bool(step_free),
        delivery=read_delivery(delivery),
        ready_minutes=ready_minutes,
    )


def _values(shop: Shop) -> dict[str, object]:
    return {
        "id": shop.id,
        "uri": shop.uri,
        "url": shop.url,
        "peer": shop.peer,
        "handle": shop.handle,
        "name": shop.name,
        "summary": shop.summary,
        "place": shop.place,
        "address": shop.address,
        "phone": shop.phone,
        "latitude": shop.latitude,
        "longitude": shop.longitude,
        "opened": times.stamp(shop.opened),
        "updated": times.stamp(shop.updated),
        "seen": times.stamp(shop.seen),
        "closed": times.stamp_or_none(shop.closed),
        "hours": write_hours(shop.hours),
        "payments": json.dumps(shop.payments),
        "step_free": shop.step_free,
        "delivery": write_delivery(shop.delivery),
        "ready_minutes": shop.ready_minutes,
    }


def write_hours(hours: Hours | None) -> str | None:
    """Hours as the column holds them."""
    if hours is None:
        return None
    held = {
        "weekly": [[span.day, span.opens, span.closes] for span in hours.weekly],
        "special": [
            [days.first.isoformat(), days.last.isoformat(), days.spans, days.note]
            for days in hours.special
        ],
        "closed_on_holidays": hours.closed_on_holidays,
    }
    return json.dumps(held, ensure_ascii=False)


@functools.lru_cache(_READ_KEPT)
def read_hours(text: str | None) -> Hours | None:
    """Hours as the column holds them, read back."""
    if text is None:
        return None
    held: dict[str, Any] = json.loads(text)
    return Hours(
        weekly=tuple(Span(*span) for span in held["weekly"]),
        special=tuple(
            SpecialDays(
                date.fromisoformat(first),
                date.fromisoformat(last),
                tuple((opens, closes) for opens, closes in spans),
                note,
            )
            for first, last, spans, note in held["special"]
        ),
        closed_on_holidays=held["closed_on_holidays"],
    )


def write_delivery(delivery: DeliveryTerms | None) -> str | None:
    """Delivery as the column holds it."""
    if delivery is None:
        return None
    held = {
        "places": delivery.places,
        "radius_km": delivery.radius_km,
        "price_cents": delivery.price_cents,
        "free_from_cents": delivery.free_from_cents,
        "days": delivery.days,
        "ahead_days": delivery.ahead_days,
        "cutoff": delivery.cutoff,
    }
    return json.dumps(held)


@functools.lru_cache(_READ_KEPT)
def read_delivery(text: str | None) -> DeliveryTerms | None:
    """Delivery as the column holds it, read back."""
    if text is None:
        return None
    held: dict[str, Any] = json.loads(text)
    # Written by a version before, it tells no days.
    days = tuple(held.get("days", ()))
    return DeliveryTerms(**{**held, "places": tuple(held["places"]), "days": days})


def add(db: sqlite3.Connection, shop: Shop) -> None:
    """Adds a shop."""
    db.execute(
        f"""
        INSERT INTO shops ({_COLUMNS})
        VALUES (:id, :uri, :url, :peer, :handle, :name, :summary, :place, :address, :phone,
                :latitude, :longitude, :opened, :updated, :seen, :closed,
                :hours, :payments, :step_free, :delivery, :ready_minutes)
        """,  # noqa: S608 (a constant)
        _values(shop),
    )


def change(db: sqlite3.Connection, shop: Shop) -> None:
    """Writes all of a shop but its id, uri and peer, which never change."""
    db.execute(
        """
        UPDATE shops SET url = :url, handle = :handle, name = :name, summary = :summary,
            place = :place, address = :address, phone = :phone, latitude = :latitude,
            longitude = :longitude, opened = :opened, updated = :updated, seen = :seen,
            closed = :closed, hours = :hours, payments = :payments, step_free = :step_free,
            delivery = :delivery, ready_minutes = :ready_minutes
        WHERE id = :id
        """,
        _values(shop),
    )


def mark_seen(db: sqlite3.Connection, shop_id: str, now: datetime) -> None:
    """Notes that a shop was heard of again, unchanged."""
    db.execute("UPDATE shops SET seen = ? WHERE id = ?", (times.stamp(now), shop_id))


def remove(db: sqlite3.Connection, shop_id: str) -> None:
    """Removes a shop with its listings."""
    db.execute("DELETE FROM shops WHERE id = ?", (shop_id,))


def get(db: sqlite3.Connection, shop_id: str) -> Shop | None:
    """The shop of that id."""
    row = db.execute(f"SELECT {_COLUMNS} FROM shops WHERE id = ?", (shop_id,)).fetchone()  # noqa: S608
    return None if row is None else _shop(row)


def get_by_uri(db: sqlite3.Connection, uri: str) -> Shop | None:
    """The shop of that ActivityPub id."""
    row = db.execute(f"SELECT {_COLUMNS} FROM shops WHERE uri = ?", (uri,)).fetchone()  # noqa: S608
    return None if row is None else _shop(row)


def get_own(db: sqlite3.Connection, handle: str) -> Shop | None:
    """The shop of this node with that handle, closed ones included."""
    row = db.execute(
        f"SELECT {_COLUMNS} FROM shops WHERE peer IS NULL AND handle = ?",  # noqa: S608
        (handle,),
    ).fetchone()
    return None if row is None else _shop(row)


def find(
    db: sqlite3.Connection,
    *,
    peer: str | None = None,
    own: bool = False,
    after: str = "",
    limit: int = 1000,
) -> list[Shop]:
    """Open shops in the order of ids, from after `after` on: all shown, our own, or a peer's."""
    rows = db.execute(
        f"""
        SELECT {_COLUMNS} FROM shops
        WHERE closed IS NULL AND (peer = :peer OR :peer IS NULL AND NOT EXISTS (
              SELECT 1 FROM peers WHERE peers.host = shops.peer AND peers.suspended IS NOT NULL)
              AND uri NOT IN (SELECT uri FROM hidden))
          AND (NOT :own OR peer IS NULL) AND id > :after
        ORDER BY id LIMIT :limit
        """,  # noqa: S608
        {"peer": peer, "own": own, "after": after, "limit": limit},
    )
    return [_shop(row) for row in rows]


def find_in(db: sqlite3.Connection, place_ids: Sequence[str], limit: int) -> list[Shop]:
    """Open shops of these places, ours and the neighbours', in the order of ids."""
    rows = db.execute(
        f"""
        SELECT {_COLUMNS} FROM shops
        WHERE closed IS NULL AND place IN (SELECT value FROM json_each(?))
          AND uri NOT IN (SELECT uri FROM hidden) ORDER BY id LIMIT ?
        """,  # noqa: S608
        (json.dumps(list(place_ids)), limit),
    )
    return [_shop(row) for row in rows]


def count_of_peer(db: sqlite3.Connection, peer: str) -> dict[str, int]:
    """How many open shops a neighbour has in each place, most first; "" for no place."""
    rows = db.execute(
        """
        SELECT ifnull(place, ''), count(*) FROM shops WHERE peer = ? AND closed IS NULL
        GROUP BY place ORDER BY count(*) DESC, place
        """,
        (peer,),
    )
    return {row[0]: row[1] for row in rows}


def count_by_place(db: sqlite3.Connection) -> dict[str, int]:
    """How many open shops each place has, ours and the neighbours'."""
    rows = db.execute(
        """
        SELECT place, count(*) FROM shops
        WHERE closed IS NULL AND place IS NOT NULL AND uri NOT IN (SELECT uri FROM hidden)
        GROUP BY place
        """
    )
    return {row[0]: int(row[1]) for row in rows}


def count_own(db: sqlite3.Connection) -> int:
    """How many shops of this node are open."""
    return int(
        db.execute(
            """
            SELECT count(*) FROM shops
            WHERE peer IS NULL AND closed IS NULL AND uri NOT IN (SELECT uri FROM hidden)
            """
        ).fetchone()[0]
    )
