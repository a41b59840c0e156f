"""Who signs in, and what residents and shops write to each other."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """What a grant allows. Merchants and sellers hold theirs on a shop."""

    STEWARD = "steward"
    MERCHANT = "merchant"  # the owner of a shop
    SELLER = "seller"  # at its counter: all but people
    PUBLISHER = "publisher"
    ASSOCIATION = "association"  # of merchants: opens shops (node/roles.py)
    AGENT = "agent"  # accompanies merchants
    AUDITOR = "auditor"  # reads the desk


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
class Imprint:
    """Who runs a shop, as its legal notice says it; empty where nobody told."""

    trader: str = ""  # the person's or the company's name
    form: str = ""  # its legal form, and its capital
    register: str = ""  # where it is registered: "RCS Bordeaux 123 456 789"
    vat: str = ""  # its VAT number, or that VAT is not charged
    email: str = ""
    mediator: str = ""  # the consumer mediator: name, address, page
    authority: str = ""  # of a regulated trade: who permits and watches it
