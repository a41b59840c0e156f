"""Shops as Organization actors, out and in."""

import html
import re
from datetime import datetime
from typing import Any

from federation import documents
from federation.errors import Refused
from node import hours_said
from node.exchange import actors, shop_facts, shop_keys, terms, values
from node.model import LocalActor, Place, Shop, ShopKeys
from node.shops import PHONE
from node.translation import Translator
from node.uris import Uris


def document(
    shop: Shop,
    actor: LocalActor,
    place: Place | None,
    uris: Uris,
    say: Translator,
    keys: ShopKeys | None = None,
) -> dict[str, Any]:
    """A shop of ours as its actor's document."""
    found = actors.document(
        actor,
        uris,
        name=shop.name,
        url=shop.url,
        summary=f"<p>{html.escape(shop.summary, quote=False)}</p>" if shop.summary else None,
        updated=shop.updated,
    )
    where = ", ".join(part for part in (shop.address, place.name if place else None) if part)
    location: dict[str, Any] = {"type": "Place", "name": where or shop.name}
    latitude, longitude = shop.latitude, shop.longitude
    if latitude is None and place is not None:
        latitude, longitude = place.latitude, place.longitude
    if latitude is not None and longitude is not None:
        location |= {"latitude": latitude, "longitude": longitude}
    found["location"] = location
    properties = {
        say("Address"): where,
        say("Telephone"): shop.phone,
        say("Opening hours"): hours_said.week_line(shop.hours, say) if shop.hours else None,
    }
    found["attachment"] = [
        {"type": "PropertyValue", "name": name, "value": html.escape(value, quote=False)}
        for name, value in properties.items()
        if value
    ]
    if place is not None:
        found["sdo:containedInPlace"] = area(place)
    if shop.address:
        found["sdo:address"] = shop.address
    if shop.phone:
        found["sdo:telephone"] = shop.phone
    if keys is not None:
        found["assertionMethod"].append(shop_keys.owner_key(keys, uris.actor(actor.handle)))
        found[terms.SEALING_KEY] = shop_keys.sealing_key(keys, uris.actor(actor.handle))
    return found | shop_facts.members(shop)


def suspended(shop: Shop, actor: LocalActor, uris: Uris) -> dict[str, Any]:
    """A shop of ours that is suspended: nothing of what it says, and that it may come back.

    Mastodon hides the account and all its posts by this member, and shows them again without it.
    """
    found = actors.document(actor, uris, name=shop.handle, url=shop.url, updated=shop.updated)
    return found | {"suspended": True}


def area(place: Place) -> dict[str, Any]:
    """A commune as schema.org's AdministrativeArea."""
    return {
        "type": "sdo:AdministrativeArea",
        "sdo:identifier": terms.place_reference(place.id),
        "sdo:name": place.name,
    }


def from_document(found: dict[str, Any], peer: str, shop_id: str, now: datetime) -> Shop:
    """A neighbour's shop as its actor's document tells of it; what is unusable is left out.

    Raises Refused for what is no shop at all.
    """
    uri = documents.check_id(found.get("id"))
    handle = documents.text(found.get("preferredUsername"), 60)
    if documents.type_of(found) != "Organization" or handle is None:
        raise Refused("not-a-shop", uri)
    url = found.get("url")
    latitude, longitude = point(documents.first(found.get("location")))
    phone = documents.text(found.get("sdo:telephone"), 30)
    place = documents.first(found.get("sdo:containedInPlace"))
    updated = values.plausible(found.get("updated"), now)
    opened = values.plausible(found.get("published"), now)
    return Shop(
        id=shop_id,
        uri=uri,
        url=url if isinstance(url, str) and documents.same_origin(url, uri) else uri,
        peer=peer,
        handle=handle,
        name=documents.text(found.get("name"), 100) or handle,
        summary=documents.text(values.plain(found.get("summary")), 500),
        place=terms.place_from(place.get("sdo:identifier")) if isinstance(place, dict) else None,
        address=documents.text(found.get("sdo:address"), 200),
        phone=phone if phone and re.fullmatch(PHONE, phone) else None,
        latitude=latitude,
        longitude=longitude,
        opened=(opened or now).replace(microsecond=0),
        updated=(updated or now).replace(microsecond=0),
        seen=now.replace(microsecond=0),
        closed=None,
        hours=shop_facts.hours_from(found),
        payments=shop_facts.payments_from(found),
        step_free=shop_facts.step_free_from(found),
        delivery=shop_facts.delivery_from(found),
        ready_minutes=shop_facts.ready_from(found),
    )


def point(location: object) -> tuple[float | None, float | None]:
    """The point of an ActivityStreams Place, where it has a possible one."""
    if isinstance(location, dict):
        latitude, longitude = location.get("latitude"), location.get("longitude")
        if (
            isinstance(latitude, int | float)
            and isinstance(longitude, int | float)
            and not isinstance(latitude, bool)
            and not isinstance(longitude, bool)
            and -90 <= latitude <= 90
            and -180 <= longitude <= 180
        ):
            return float(latitude), float(longitude)
    return None, None
