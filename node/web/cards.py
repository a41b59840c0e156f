"""Listings and shops as cards: everything that a template shows of one, said beforehand.

A page shows up to twenty, so whatever is the same for several of them is worked out once.
"""

import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from node import bringing_said, hours, phrases, prices
from node.exchange.photos import Shown
from node.model import (
    Availability,
    FoundListing,
    FoundShop,
    Kind,
    Listing,
    Place,
    Priced,
    SearchHit,
    Shop,
)
from node.translation import Translator
from node.web import opening, shown

NAME_MOST = 120
GROUNDS = 6


class Price(NamedTuple):
    """A price as it is written; for one on request `amount` is empty and `unit` says so."""

    before: str  # "à partir de", where offers differ
    amount: str
    unit: str  # "25,00 €/kg"
    instead: str = ""  # "au lieu de", for who does not see that the next is struck out
    was: str = ""  # the reference price of a reduction
    cut: str = ""  # "−20 %"


class Card(NamedTuple):
    """A listing among others. A tuple, because a page makes twenty."""

    href: str
    name: str
    language: str  # of the name, where it is not the page's own
    price: Price
    shop: str  # and where it is
    stock: str  # only where it is not simply there
    sold_out: bool
    state: str
    style: str  # of the state: open or closed
    seen: str  # and, where the link leads to another node, which one
    remote: bool
    ground: int
    photo: str = ""  # the id of the first, where there is one here
    small: bool = False  # there is no larger one: it is the copy of a neighbour's
    brought: str = ""  # "Livré à Pessac jeudi"


@dataclass(frozen=True, slots=True)
class ShopCard:
    """A shop among others."""

    href: str
    name: str
    trade: str
    where: str
    state: str
    style: str
    host: str
    ground: int


@dataclass(frozen=True, slots=True)
class _Of:
    """What all cards of a shop say of it."""

    name: str
    host: str
    state: opening.Said


class Cards:
    """Makes the cards of one page."""

    def __init__(
        self,
        say: Translator,
        now: datetime,
        board: opening.Board,
        *,
        origin: str,
        at: str,
        carried: str,
        home: Place,
        copies: Shown,
        near: Place | None = None,
    ) -> None:
        """`at` and `carried` go before and behind the addresses of this node; `home` is its own
        commune, whose clock tells what "today" is; `copies` hears which neighbours' photos are
        shown; `near` is the place that was searched from."""
        self.say = say
        self.now = now
        self.carried = carried
        self._copies = copies
        self._near = near
        self._origin = origin
        self._at = at
        self._zone: ZoneInfo | None = hours.zone_of(home.id)
        self._local_now = now.astimezone(self._zone)
        self._board = board
        self._hosts: dict[str, str] = {}
        self._shops: dict[str, _Of] = {}
        self._seen: dict[tuple[datetime, Kind, bool], str] = {}
        self._away = say("{distance} away")

    def hit(self, hit: SearchHit, *, nearby: bool) -> Card:
        """A search result; `nearby`: in the commune itself, which then needs no name."""
        where = "" if nearby or hit.place is None else hit.place.name
        if hit.distance_km is not None:
            away = self._away.format(distance=phrases.distance(self.say, hit.distance_km))
            where = f"{where}, {away}" if where else away
        card = self.listing(hit.listing, hit.shop, where, stale=hit.stale)
        if hit.delivered and self._near is not None and not card.sold_out:
            brought = bringing_said.brought(hit.shop, self._near, self.now, self.say)
            return card._replace(brought=brought)
        return card

    def listing(
        self,
        found: Listing | FoundListing,
        shop: Shop | FoundShop,
        where: str = "",
        *,
        stale: bool = False,
    ) -> Card:
        """A listing and the shop that has it."""
        main = found.main_offer
        availability = best_availability(found, main)
        of = self._shops.get(shop.id) or self._of(shop)
        seen, host, state = self.seen(found, stale=stale), of.host, of.state
        copy = found.remote_photo
        if copy is not None:
            self._copies.note(found.id)
        return Card(
            href=self.href(found.url, shop),
            name=shown.line(found.name, NAME_MOST),
            language="" if found.language == self.say.language else found.language,
            price=price(self.say, found, self.now, main),
            shop=f"{of.name}, {where}" if where else of.name,
            stock=""
            if availability is Availability.IN_STOCK
            else self.say.availability(availability),
            sold_out=availability is Availability.OUT_OF_STOCK,
            state=state.words,
            style="open" if state.open else "closed",
            seen=f"{seen}, {host}" if host else seen,
            remote=bool(host),
            ground=ground(found.id),
            photo=found.photos[0].id if found.photos else (copy and copy.id) or "",
            small=copy is not None,
        )

    def shop(self, found: Shop, trade: str = "", where: str = "") -> ShopCard:
        """A shop in a list."""
        of = self._of(found)
        return ShopCard(
            href=self.href(found.url, found),
            name=of.name,
            trade=trade,
            where=where,
            state=of.state.words,
            style="open" if of.state.open else "closed",
            host=of.host,
            ground=ground(found.id),
        )

    def _of(self, shop: Shop | FoundShop) -> _Of:
        of = _Of(shown.line(shop.name, NAME_MOST), self.host(shop), self.state(shop))
        self._shops[shop.id] = of
        return of

    def href(self, url: str, shop: Shop | FoundShop) -> str:
        """Where a page of a shop is: in this language and from the same place if it is ours."""
        if shop.peer is None and url.startswith(f"{self._origin}/"):
            return f"{self._at}{url.removeprefix(self._origin)}{self.carried}"
        return url if url.startswith(("https://", "http://")) else ""

    def state(self, shop: Shop | FoundShop) -> opening.Said:
        """Whether a shop is open, in words."""
        return self._board.state(self.say, shop, self.now)

    def host(self, shop: Shop | FoundShop) -> str:
        """ "sur" the node of a neighbour's shop, as it is read; nothing for ours."""
        if shop.peer is None:
            return ""
        if shop.peer not in self._hosts:
            self._hosts[shop.peer] = self.say("on {host}").format(
                host=shown.line(shown.host(shop.peer), NAME_MOST)
            )
        return self._hosts[shop.peer]

    def seen(self, found: Listing | FoundListing, *, stale: bool = False) -> str:
        """How old what is told of a listing is."""
        key = (found.seen, found.kind, stale)  # what a neighbour told at once was seen at once
        said = self._seen.get(key)
        if said is None:
            when = found.seen.astimezone(self._zone)
            if stale:
                said = self.say("Information of {date}").format(date=phrases.day(self.say, when))
            else:
                on_shelf = found.kind is Kind.GOODS
                said = phrases.seen(self.say, when, self._local_now, on_shelf=on_shelf)
            self._seen[key] = said
        return said


def price(
    say: Translator,
    found: Listing | FoundListing,
    now: datetime | None = None,
    main: Priced | None = None,
) -> Price:
    """What a listing costs: its one price, or from its least on; reduced, from what, at `now`.

    `main` is its main offer, where that is known.
    """
    main = main or found.main_offer
    before = ""
    if len(found.offers) > 1 and any(
        offer.price_cents != main.price_cents for offer in found.offers
    ):
        before = say("from")
    return offer_price(say, main, now, before)


def offer_price(
    say: Translator, offer: Priced, now: datetime | None = None, before: str = ""
) -> Price:
    """What one offer costs; with `now`, its reduction too, as long as that lasts.

    `before` is written before the amount, where there is one.
    """
    if offer.price_cents is None:
        return Price("", "", say("price on request"))
    amount = say.money(offer.price_cents, offer.currency)
    unit = prices.unit_price(offer)
    per = ""
    if unit is not None:
        between = "\u00a0" if unit.per == "piece" else "/"
        per = f"{say.money(unit.cents, unit.currency)}{between}{say.unit(unit.per)}"
    cut = None if now is None else prices.current_reduction(offer, now)
    if cut is None:
        return Price(before, amount, per)
    percent = prices.percent_off(cut.reference_cents, offer.price_cents)
    return Price(
        before,
        amount,
        per,
        instead=say("instead of"),
        was=say.money(cut.reference_cents, offer.currency),
        cut=say("−{percent}%").format(percent=percent) if percent else "",
    )


def best_availability(found: Listing | FoundListing, main: Priced | None = None) -> Availability:
    """Of the whole listing: to be had as long as one of its offers is. `main` as in `price`."""
    best = (main or found.main_offer).availability
    if best is not Availability.OUT_OF_STOCK:
        return best
    return next(
        (
            offer.availability
            for offer in found.offers
            if offer.availability is not Availability.OUT_OF_STOCK
        ),
        Availability.OUT_OF_STOCK,
    )


def ground(thing: str) -> int:
    """Which of the six grounds an empty shelf has: always the same for the same thing."""
    return zlib.crc32(thing.encode()) % GROUNDS
