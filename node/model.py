"""What things are: places, shops, listings and the people and nodes around them.

Plain frozen data, free of SQL and of the wire. Times are aware datetimes in UTC; money is integer
cents beside an ISO 4217 currency; quantities are integer thousandths of a unit, so that nothing
is ever rounded twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from node.pixels import fit

# Means of payment that a shop may take.
PAYMENTS = ("cash", "card", "cheque", "transfer", "meal_voucher", "gift_voucher", "online")


class ActorKind(StrEnum):
    """The ActivityStreams actor types a node has (design: wire profile 8.1)."""

    NODE = "Application"
    COMMUNE = "Group"
    SHOP = "Organization"


class Role(StrEnum):
    """What a grant allows. Merchants and sellers hold theirs on a shop."""

    STEWARD = "steward"
    MERCHANT = "merchant"  # the owner of a shop
    SELLER = "seller"  # at its counter: all but people
    PUBLISHER = "publisher"
    ASSOCIATION = "association"  # of merchants: opens shops (node/roles.py)
    AGENT = "agent"  # accompanies merchants
    AUDITOR = "auditor"  # reads the desk


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


class ChangeKind(StrEnum):
    """What a number of the change sequence stands for."""

    SHOP = "shop"
    LISTING = "listing"
    POST = "post"  # news or an event


class Verb(StrEnum):
    """How a change is told to others (ActivityStreams activity types)."""

    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"


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
class LocalActor:
    """An actor of this node, with the public halves of its keys. Its handle is never reused."""

    handle: str
    kind: ActorKind
    name: str
    rsa_public_pem: str
    ed25519_public: str  # multikey, "z6Mk..."
    created: datetime
    closed: datetime | None
    moved_to: str | None = None  # the actor that goes on in its place, elsewhere
    also_known_as: tuple[str, ...] = ()  # actors elsewhere that are the same shop


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

    @property
    def main_offer(self) -> Offer:
        """The one shown first: the cheapest that can be had, else the first."""
        to_be_had = [
            offer
            for offer in self.offers
            if offer.price_cents is not None and offer.availability is not Availability.OUT_OF_STOCK
        ]
        return min(to_be_had, key=lambda offer: offer.price_cents or 0, default=self.offers[0])


@dataclass(frozen=True, slots=True)
class PriceRow:
    """A price as it was shown, from when on. Rows are added, never changed."""

    offer: str
    price_cents: int | None
    currency: str
    shown_from: datetime


@dataclass(frozen=True, slots=True)
class Account:
    """A person who signs in. Nobody needs one to read."""

    id: str
    email: str | None  # None for the first steward, let in by the link that `init` prints
    created: datetime


@dataclass(frozen=True, slots=True)
class Grant:
    """What an account may do: a role on one shop or on one territory, perhaps until a day."""

    account: str
    role: Role
    shop: str | None
    territory: str | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Change:
    """The latest number of one public object in the node's change sequence."""

    seq: int
    kind: ChangeKind
    uri: str
    deleted: bool
    updated: datetime


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What remains of a withdrawn listing or a closed shop, so that others can forget it too."""

    uri: str
    former_type: str
    deleted: datetime


class FollowState(StrEnum):
    """Where a Follow stands."""

    REQUESTED = "requested"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Freshness(StrEnum):
    """How far what came from a node can be believed, by how long it has been silent."""

    FRESH = "fresh"
    OLD = "old"  # shown, and said to be old
    HIDDEN = "hidden"  # not shown until it is heard again


@dataclass(frozen=True, slots=True)
class Peer:
    """Another node, by its host: what each asked of the other, and how well they agree."""

    host: str
    origin: str
    actor: str
    name: str
    software: str
    added: datetime | None  # when our side chose it; None while only they asked
    following: FollowState | None  # ours towards them
    follower: FollowState | None  # theirs towards us
    cursor: int  # their change sequence, read up to here
    sync_total: int | None
    sync_done: int | None
    synced: datetime | None
    heard: datetime | None
    digest_agrees: bool | None
    problem: str | None
    blocked: datetime | None
    suspended: datetime | None = None  # hidden meanwhile (node/moderation.py)
    suspended_why: str | None = None
    etag: str | None = None  # of the last reading that ended in agreement
    theirs: int | None = None  # objects it had when digests were compared last
    held: int | None = None  # and how many of them were held here


@dataclass(frozen=True, slots=True)
class Block:
    """A domain, with all below it, that the node does not speak with."""

    domain: str
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Follower:
    """Somebody who follows an actor of ours, and where they want it delivered."""

    handle: str
    uri: str
    inbox: str
    shared_inbox: str | None
    follow: str  # the id of their Follow activity
    state: FollowState
    since: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """Something one inbox must still hear, and when to try next.

    It names an object, not a message: what is sent is the object's present state. So a later
    change takes the earlier one's place, and order per object is kept by construction. Follow,
    Accept and the like, which have no object of ours behind them, carry their `body`.
    """

    id: int
    inbox: str
    host: str
    object: str
    sender: str  # handle of the local actor that signs
    verb: str
    body: str | None
    version: int
    attempts: int
    due: datetime
    added: datetime
    error: str | None


@dataclass(frozen=True, slots=True)
class Received:
    """An activity as it came in, checked and stored, not yet acted upon."""

    id: int
    actor: str
    body: bytes
    at: datetime
    attempts: int


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """What a kilogram, a litre, a metre or a piece of it costs."""

    cents: int
    currency: str
    per: str


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


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A listing found, with its shop and how far it is (None where a place has no point)."""

    listing: Listing
    shop: Shop
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


@dataclass(frozen=True, slots=True)
class ShopKeys:
    """The keys of a shop that its merchant's browser made, all base64url.

    `owner` (Ed25519) signs `sealing` (X25519), to which residents seal. `wrapped` holds the private
    halves, under seven words that this node never sees; empty once a newer card holds them too.
    """

    id: str  # the sealing key's fingerprint
    shop: str
    owner: str
    sealing: str
    created: str  # as the owner key signed it
    signature: str
    endorsement: str | None  # by the owner key before, where that has changed
    wrapped: str
    replaced: datetime | None = None
    lost: bool = False  # nobody can read any more what was sealed to it


class ReservationState(StrEnum):
    """Where a reservation stands. It is open while it is asked or ready."""

    ASKED = "asked"
    READY = "ready"
    HANDED_OVER = "handed_over"
    UNAVAILABLE = "unavailable"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Reservation:
    """Something that a resident asked a shop of this node to put aside; it binds nobody.

    `taken` pieces of the stock wait for it. Who asked stands in `sealed` alone, which only the
    shop's key `key` opens; both are None where only a pick-up code was asked for.
    """

    id: str
    shop: str
    listing: str
    offer: str
    item: str
    quantity: int
    taken: int
    code: str
    state: ReservationState
    made: datetime
    changed: datetime
    expires: datetime
    ended: datetime | None = None
    changed_by: str | None = None  # the account that acted last, where a merchant did
    key: str | None = None
    sealed: bytes | None = field(default=None, repr=False)
    answer: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Enquiry:
    """What somebody elsewhere asks a shop of ours in private about a listing."""

    id: str
    uri: str  # of the note that it came as
    shop: str
    listing: str
    actor: str
    name: str
    host: str
    inbox: str
    words: str  # "" where they are sealed
    at: datetime
    key: str | None = None  # the id of the shop's key that `sealed` opens with
    sealed: bytes | None = None


@dataclass(frozen=True, slots=True)
class EnquiryAnswer:
    """What the shop answered to an enquiry, as it keeps it."""

    uri: str  # of the note that says it
    enquiry: str
    words: str  # "" where they are sealed
    at: datetime
    key: str | None = None
    sealed: bytes | None = None
    failed: datetime | None = None  # when it was given up: the other server did not take it


@dataclass(frozen=True, slots=True)
class Report:
    """What another server reports: ids of ours, and why."""

    id: str
    uri: str
    actor: str
    host: str
    objects: tuple[str, ...]
    words: str
    at: datetime
    closed: datetime | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """What the last published crawl of the node's own pages found."""

    at: datetime
    pages: int
    requests: int
    outside: tuple[str, ...]  # hosts
    cookies: tuple[str, ...]
    stored: tuple[str, ...]
    browser: str | None


@dataclass(frozen=True, slots=True)
class NodeAround:
    """Another node as it describes itself, and which neighbours name it among theirs."""

    host: str
    origin: str
    name: str
    communes: tuple[str, ...]  # place ids
    mode: str  # whom it accepts as neighbours: as in the settings, or "" where it does not say
    fingerprint: str  # of the key that signs its requests
    shops: int | None
    via: tuple[str, ...]  # hosts of neighbours
    seen: datetime


class Badge(StrEnum):
    """Who speaks in a piece of news or announces an event."""

    TOWN_HALL = "town_hall"
    MEDIA = "media"
    ASSOCIATION = "association"
    SHOP = "shop"


class EventState(StrEnum):
    """Whether an event takes place (FEP-8a8e, `eventStatus`)."""

    SCHEDULED = "scheduled"
    CANCELLED = "cancelled"
    POSTPONED = "postponed"


@dataclass(frozen=True, slots=True)
class Event:
    """When and where something takes place, once or by a rule (`node/recurrence.py`).

    Of a whole day, `starts` is its midnight in `zone` and `ends` that after the last day. `ends`
    is None where nobody told. `excluded` are days, in `zone`, on which the rule does not hold.
    """

    starts: datetime
    ends: datetime | None
    zone: str  # an IANA name
    all_day: bool = False
    venue: str = ""
    rule: str | None = None  # RFC 5545, RECUR
    excluded: tuple[date, ...] = ()
    state: EventState = EventState.SCHEDULED


@dataclass(frozen=True, slots=True)
class Post:
    """News, or an event where `event` is there; of this node (`peer` is None) or of another.

    What a shop says names the `shop`; all else is said by the commune's Group, for `author`.
    """

    id: str
    uri: str
    url: str
    peer: str | None
    shop: str | None
    account: str | None
    actor: str  # the id of the actor it is attributed to
    author: str
    badge: Badge
    title: str
    text: str
    language: str
    place: str | None
    link: str | None
    announce: bool
    kept: bool  # of this commune alone
    urgent_until: datetime | None
    published: datetime
    updated: datetime
    seen: datetime
    withdrawn: datetime | None
    event: Event | None = None


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time at which an event takes place, in UTC."""

    post: Post
    starts: datetime
    ends: datetime | None


@dataclass(frozen=True, slots=True)
class Byline:
    """How somebody who may publish is shown."""

    name: str
    badge: Badge


@dataclass(frozen=True, slots=True)
class Source:
    """A feed or calendar elsewhere that news and events are taken over from."""

    id: str
    url: str
    byline: Byline
    trusted: bool
    due: datetime
    fetched: datetime | None
    etag: str | None
    failures: int  # in a row
    problem: str | None


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a source tells, by its own name for it (`guid`)."""

    guid: str
    title: str
    text: str
    link: str | None
    at: datetime | None  # when it was published there, where it says so
    event: Event | None


@dataclass(frozen=True, slots=True)
class SourceItem:
    """And what became of it here: waiting, published or refused."""

    source: str
    item: Item
    state: str
    post: str | None
    twin: str | None
    fingerprint: str
