"""Places, shops, when they are open and where they deliver; what they offer and for how much."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol, TypeVar

from node.model.particulars import NOTHING_SAID, Particulars
from node.pixels import fit

# Means of payment that a shop may take.
PAYMENTS = ("cash", "card", "cheque", "transfer", "meal_voucher", "gift_voucher", "online")


class Availability(StrEnum):
    """Whether it can be had now, in the words of schema.org's ItemAvailability."""

    IN_STOCK = "in_stock"
    LIMITED = "limited"
    OUT_OF_STOCK = "out_of_stock"
    ON_ORDER = "on_order"


class Condition(StrEnum):
    """How worn it is (schema.org's OfferItemCondition)."""

    NEW = "new"
    REFURBISHED = "refurbished"
    USED = "used"
    DAMAGED = "damaged"


class Kind(StrEnum):
    """Whether a listing is a thing to have or something done for one."""

    GOODS = "goods"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Place:
    """A commune, an arrondissement of Paris, Lyon or Marseille, or a town of another country.

    One abroad has neither INSEE code nor department.
    """

    id: str  # "FR-33063", "geonames:3120304"
    insee: str | None  # "33063"
    name: str  # "Bordeaux"
    department: str | None  # "33"
    department_name: str | None  # "Gironde"
    latitude: float | None
    longitude: float | None
    population: int | None
    country: str = "FR"  # ISO 3166-1
    country_name: str = "France"  # in French, as the department's


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of opening on one day of the week, in minutes after its local midnight.

    `closes` exceeds 1440 where the shop stays open past midnight; a whole day is 0 to 1440.
    """

    day: int  # 0 is Monday
    opens: int
    closes: int


@dataclass(frozen=True, slots=True)
class SpecialDays:
    """Days, the first to the last, on which the week does not hold. No spans: closed."""

    first: date
    last: date
    spans: tuple[tuple[int, int], ...] = ()  # opens, closes: as in Span
    note: str = ""


@dataclass(frozen=True, slots=True)
class Hours:
    """When a shop is open, on its own clock: a week and what departs from it."""

    weekly: tuple[Span, ...]  # in order, none over another (`node/hours.py: tidy`)
    special: tuple[SpecialDays, ...] = ()
    closed_on_holidays: bool = False


@dataclass(frozen=True, slots=True)
class OpenState:
    """Whether a shop is open at one moment. Times are on the shop's own clock.

    `open` is None where nobody told, or where the shop's time zone is unknown. `until` is when it
    closes (None for one that never does), `opens` when it opens next, where it is closed.
    """

    open: bool | None
    until: datetime | None
    opens: datetime | None
    today: tuple[tuple[int, int], ...]  # opens, closes, of the shop's own day


@dataclass(frozen=True, slots=True)
class DeliveryTerms:
    """Where a shop delivers, to named places or within a radius of it, and for how much.

    `price_cents` is None where it was not told and 0 where it is free; from a purchase of
    `free_from_cents` on it costs nothing. On which days of the week, 0 being Monday; how many days
    after it was asked for at the earliest, and until which minute of a day that day counts.
    """

    places: tuple[str, ...] = ()
    radius_km: float | None = None
    price_cents: int | None = None
    free_from_cents: int | None = None
    days: tuple[int, ...] = ()
    ahead_days: int | None = None
    cutoff: int | None = None


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop of this node (`peer` is None) or of another (`peer` is its host).

    What was never told is None (or no means of payment), and is never guessed.
    """

    id: str
    uri: str
    url: str
    peer: str | None
    handle: str
    name: str
    summary: str | None
    place: str | None
    address: str | None
    phone: str | None
    latitude: float | None
    longitude: float | None
    opened: datetime
    updated: datetime
    seen: datetime  # when this node last knew it to be so
    closed: datetime | None
    hours: Hours | None = None
    payments: tuple[str, ...] = ()  # of PAYMENTS
    step_free: bool | None = None
    delivery: DeliveryTerms | None = None
    ready_minutes: int | None = None  # after which what is asked for can be fetched


class ReductionKind(StrEnum):
    """Why a price is lower for a while, as French law tells them apart."""

    PROMOTION = "promotion"
    SALES = "soldes"  # within the periods of Code de commerce, L310-3
    CLEARANCE = "destockage"  # the end of a series or of a stock
    PERISHABLE = "anti_gaspi"  # about to perish: L112-1-1, IV of the Code de la consommation


@dataclass(frozen=True, slots=True)
class Reduction:
    """A reduced price as it is announced: from what, why, since when and until when."""

    kind: ReductionKind
    reference_cents: int  # the lowest of the 30 days before, or the one before what perishes
    since: datetime
    until: datetime | None  # None only where another node did not tell


@dataclass(frozen=True, slots=True)
class Offer:
    """One way to have a listing: a size, a colour, a weight, at a price.

    `price_cents` is None for a price on request. `quantity_milli` of `unit` is what one sale
    holds, in thousandths: 500 g is 500000 of "g". `stock` is None where nobody counts.
    """

    id: str
    axes: Mapping[str, str]
    price_cents: int | None
    currency: str
    quantity_milli: int | None
    unit: str | None
    availability: Availability
    stock: int | None
    gtin: str | None
    sku: str | None
    reduction: Reduction | None = None


class Priced(Protocol):
    """What any record of an offer tells: what it costs, and whether it can be had."""

    @property
    def price_cents(self) -> int | None: ...
    @property
    def currency(self) -> str: ...
    @property
    def quantity_milli(self) -> int | None: ...
    @property
    def unit(self) -> str | None: ...
    @property
    def availability(self) -> Availability: ...
    @property
    def reduction(self) -> Reduction | None: ...


_Offered = TypeVar("_Offered", bound=Priced)


def main_of(offers: Sequence[_Offered]) -> _Offered:
    """The offer shown first: the cheapest that can be had, else the first."""
    if len(offers) == 1:
        return offers[0]
    to_be_had = [
        offer
        for offer in offers
        if offer.price_cents is not None and offer.availability is not Availability.OUT_OF_STOCK
    ]
    return min(to_be_had, key=lambda offer: offer.price_cents or 0, default=offers[0])


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo of a listing of ours. `id` is the SHA-256 of its largest JPEG, in hexadecimal.

    `width` and `height` are those of its largest size; `alt` says it to who cannot see it.
    """

    id: str
    alt: str
    width: int
    height: int

    def size(self, side: int) -> tuple[int, int]:
        """Width and height of the copy whose longest side is at most `side`."""
        return fit(self.width, self.height, side)


@dataclass(frozen=True, slots=True)
class RemotePhoto:
    """The photo of a neighbour's listing: where it is, and the copy that is held here, if any.

    `id` is the SHA-256 of the copy; `width` and `height` are the copy's.
    """

    url: str
    alt: str
    id: str | None = None
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class Listing:
    """Something a shop offers, with its one or more offers in their order."""

    id: str
    uri: str
    url: str
    shop: str
    name: str
    description: str
    category: str | None
    condition: Condition
    language: str
    announce: bool
    published: datetime
    updated: datetime
    seen: datetime
    withdrawn: datetime | None
    offers: tuple[Offer, ...]
    kind: Kind = Kind.GOODS
    pick_up: bool = True  # it can be fetched at the shop
    delivered: bool = False  # the shop delivers it, where its `delivery` says
    photos: tuple[Photo, ...] = ()
    remote_photo: RemotePhoto | None = None  # of a neighbour's listing, instead
    particulars: Particulars = NOTHING_SAID

    @property
    def main_offer(self) -> Offer:
        """The one shown first."""
        return main_of(self.offers)


@dataclass(frozen=True, slots=True)
class PriceRow:
    """A price as it was shown, from when on. Rows are added, never changed."""

    offer: str
    price_cents: int | None
    currency: str
    shown_from: datetime


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """What a kilogram, a litre, a metre or a piece of it costs."""

    cents: int
    currency: str
    per: str
