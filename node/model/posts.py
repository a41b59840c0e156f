"""News and events, who speaks in them, and where they are taken over from."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


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
