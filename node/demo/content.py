"""What the towns of the demonstration sell and tell: towns.toml as what can be published."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources
from typing import Any

from node import catalogue, events, hours_typed, news, particulars, prices, recurrence, shops
from node.model import (
    Availability,
    Badge,
    Byline,
    Condition,
    Contact,
    DeliveryTerms,
    Event,
    EventState,
    Kind,
    Offer,
    Particulars,
    Place,
)

PICTURES = resources.files("node.demo").joinpath("pictures")


@dataclass(frozen=True, slots=True)
class Ware:
    """A listing to publish, and the picture it shows."""

    draft: catalogue.ListingDraft
    picture: str | None


@dataclass(frozen=True, slots=True)
class Shelf:
    """A shop to open, and what it has."""

    table: dict[str, Any]
    wares: tuple[Ware, ...]

    def draft(self, place: Place) -> shops.ShopDraft:
        """The shop, in its commune."""
        table = self.table
        radius = table.get("delivery_km")
        return shops.ShopDraft(
            handle=table["handle"],
            name=table["name"],
            place=place,
            summary=table["summary"],
            address=table["address"],
            phone=table["phone"],
            latitude=table["point"][0],
            longitude=table["point"][1],
            hours=hours_typed.parse(table["hours"]),
            payments=tuple(table["payments"]),
            step_free=table["step_free"],
            delivery=None if radius is None else DeliveryTerms(radius_km=float(radius)),
        )


@dataclass(frozen=True, slots=True)
class Told:
    """A piece of news or an event, with its days counted from when the town is founded."""

    table: dict[str, Any]
    is_event: bool

    @property
    def shop(self) -> str | None:
        """The handle of the shop that tells it."""
        return self.table.get("shop")

    def byline(self, hall: Byline) -> Byline:
        """Who speaks, where it is no shop."""
        if "by" not in self.table:
            return hall
        return Byline(self.table["by"], Badge(self.table["badge"]))

    def published(self, now: datetime) -> datetime:
        """When it was told."""
        return now - timedelta(hours=self.table.get("ago", 40))

    def draft(self, place: Place, now: datetime) -> news.PostDraft:
        """What it says."""
        table = self.table
        urgent = None
        if "urgent_hours" in table:
            urgent = (now + timedelta(hours=table["urgent_hours"])).replace(microsecond=0)
        return news.PostDraft(
            title=table["title"],
            text=table["text"],
            place=place.id,
            urgent_until=urgent,
            event=self._event(place, now) if self.is_event else None,
        )

    def _event(self, place: Place, now: datetime) -> Event:
        table = self.table
        zone = events.zone_name(place.id)
        today = now.astimezone(recurrence.zone(zone)).date()
        ahead = (table["weekday"] - today.weekday() - 1) % 7 + 1 + 7 * table["weeks"]
        ends = events.clock(table["end"]) if "end" in table else None
        return events.made(
            today + timedelta(days=ahead),
            events.clock(table["time"]),
            None,
            ends,
            zone,
            table["venue"],
            table.get("rule"),
            EventState(table.get("state", "scheduled")),
        )


@dataclass(frozen=True, slots=True)
class TownPlan:
    """A town to found."""

    commune: str
    name: str
    contact: str
    shelves: tuple[Shelf, ...]
    told: tuple[Told, ...]


def plans(new_id: Callable[[], str], shops_most: int | None = None) -> tuple[TownPlan, ...]:
    """The towns, each with at most so many shops. `new_id` makes the ids of offers."""
    text = resources.files("node.demo").joinpath("towns.toml").read_text(encoding="utf-8")
    return tuple(
        TownPlan(
            commune=town["commune"],
            name=town["name"],
            contact=town["contact"],
            shelves=tuple(
                Shelf(shop, tuple(_ware(table, shop, new_id) for table in shop["listings"]))
                for shop in town["shop"][:shops_most]
            ),
            told=(
                *(Told(table, False) for table in town["news"]),
                *(Told(table, True) for table in town["event"]),
            ),
        )
        for town in tomllib.loads(text)["town"]
    )


def _ware(table: dict[str, Any], shop: dict[str, Any], new_id: Callable[[], str]) -> Ware:
    rows = table.get("offers") or [f"|{table.get('price', '')}|{table.get('stock', '')}"]
    draft = catalogue.ListingDraft(
        name=table["name"],
        offers=tuple(_offer(row, table, new_id()) for row in rows),
        description=table["description"],
        category=table["category"],
        condition=Condition(table.get("condition", "new")),
        kind=Kind(table.get("kind", "goods")),
        delivered=table.get("delivered", False),
        particulars=_said(table.get("said", {}), shop),
    )
    return Ware(draft, table.get("picture"))


def _said(table: dict[str, str], shop: dict[str, Any]) -> Particulars:
    """What is said of the goods, as `echoppe listing add` takes it; the shop itself is "own"."""
    told: dict[str, Any] = dict(table)
    for name, read in (
        ("allergens", particulars.parse_allergens),
        ("traces", particulars.parse_allergens),
        ("strength", particulars.parse_strength),
    ):
        if name in told:
            told[name] = read(told[name])
    if told.get("maker") == "own":
        told["maker"] = Contact(shop["name"], shop["address"], f"{shop['handle']}@boutique.example")
    elif "maker" in told:
        told["maker"] = particulars.parse_contact(told["maker"])
    return Particulars(**told)


def _offer(row: str, table: dict[str, Any], offer_id: str) -> Offer:
    """An offer from "axis=value | price | stock"."""
    axis, price, stock = (part.strip() for part in row.split("|"))
    name, _, value = axis.partition("=")
    quantity, _, unit = table.get("q", "").partition(" ")
    if not quantity and name in ("poids", "volume") and value.count(" ") == 1:
        quantity, _, unit = value.partition(" ")
    count = int(stock) if stock else None
    return Offer(
        id=offer_id,
        axes={name: value} if axis else {},
        price_cents=prices.parse_price(price) if price else None,
        currency="EUR",
        quantity_milli=prices.parse_quantity(quantity) if quantity else None,
        unit=unit or None,
        availability=Availability(table["availability"])
        if "availability" in table
        else catalogue.availability(count),
        stock=count,
        gtin=None,
        sku=None,
    )
