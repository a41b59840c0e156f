"""What is asked of a search, and what it answers."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from node.model.goods import (
    Availability,
    Condition,
    DeliveryTerms,
    Hours,
    Kind,
    Photo,
    Place,
    Reduction,
    RemotePhoto,
    main_of,
)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a resident narrows a search to. None and False ask for nothing. Prices are in cents."""

    category: str | None = None
    open_now: bool = False
    price_least: int | None = None
    price_most: int | None = None
    condition: Condition | None = None
    kind: Kind | None = None
    pick_up: bool = False
    delivered: bool = False  # to the place that is searched from
    payment: str | None = None
    step_free: bool = False


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What a resident looks for and from where.

    Which part of the answer: the one after `cursor`, as an answer gave it; else page `page`,
    counted from 1.
    """

    words: str
    place: Place
    page: int = 1
    cursor: str | None = None
    filters: Filters = Filters()


class FoundOffer(NamedTuple):
    """Of an offer what lists show. Twenty of these are made for a page, and a tuple is made in a
    quarter of the time."""

    price_cents: int | None
    currency: str
    quantity_milli: int | None
    unit: str | None
    availability: Availability
    reduction: Reduction | None = None


class FoundListing(NamedTuple):
    """Of a listing what lists show, in the words of `Listing`; of its photos the first."""

    id: str
    uri: str
    url: str
    name: str
    language: str
    kind: Kind
    seen: datetime
    delivered: bool
    offers: tuple[FoundOffer, ...]
    photos: tuple[Photo, ...] = ()
    remote_photo: RemotePhoto | None = None

    @property
    def main_offer(self) -> FoundOffer:
        """The one shown first."""
        return main_of(self.offers)


class FoundShop(NamedTuple):
    """Of a shop what lists of its listings show, in the words of `Shop`."""

    id: str
    url: str
    peer: str | None
    handle: str
    name: str
    updated: datetime
    place: str | None
    hours: Hours | None = None
    delivery: DeliveryTerms | None = None


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A listing found, with its shop and how far it is (None where a place has no point)."""

    listing: FoundListing
    shop: FoundShop
    place: Place | None
    distance_km: float | None
    stale: bool = False  # its node has been silent for long
    delivered: bool = False  # to the place that was searched from


class RingName(StrEnum):
    """The three circles of an answer."""

    COMMUNE = "commune"
    AROUND = "around"
    FURTHER = "further"


@dataclass(frozen=True, slots=True)
class Ring:
    """One of the three circles of an answer, with the part of it that is shown."""

    ring: RingName
    within_km: float | None
    total: int
    exact: bool
    hits: tuple[SearchHit, ...] = field(default=())


class Reading(StrEnum):
    """How a word was read otherwise than it was typed."""

    SPELLING = "spelling"
    BEGINNING = "beginning"
    LEFT_OUT = "left_out"
    SYNONYM = "synonym"


@dataclass(frozen=True, slots=True)
class Changed:
    """A word that was read otherwise than typed: what was typed, how, and as what."""

    typed: str
    reading: Reading
    read_as: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """The three rings, nearest first; what was read otherwise than typed; what comes next.

    `suggestion` is the query as it was understood, where a spelling was mended. `seed` is the day
    that turned the ties.
    """

    query: SearchQuery
    rings: tuple[Ring, ...]
    changed: tuple[Changed, ...]
    suggestion: str | None
    seed: str
    next_cursor: str | None
