"""News and events: published, changed, cancelled and withdrawn here, or recorded from neighbours.

They join the one change sequence as listings do. Each function is the whole of one transaction.
"""

import dataclasses
import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from node import errors, publications, recurrence, words
from node.model import (
    Badge,
    Byline,
    ChangeKind,
    Event,
    EventState,
    Post,
    Shop,
    Verb,
)
from node.store import hidden, places, posts, tombstones
from node.store import node as node_row
from node.store.times import stamp
from node.uris import Uris

TITLE_MOST = 120
TEXT_MOST = 5000
VENUE_MOST = 200
LINK_MOST = 500
AUTHOR_MOST = 100
EXCLUDED_MOST = 400
BACK = timedelta(days=366)  # how long ago something may be over
AHEAD = timedelta(days=5 * 366)  # and how far ahead it may begin
LENGTH_MOST = timedelta(days=366)
URGENT_MOST = timedelta(days=30)
OVER_KEPT = timedelta(days=330)  # then an event of ours is taken off, before others refuse it


@dataclass(frozen=True, slots=True)
class PostDraft:
    """What is said to publish news, or an event where `event` is there."""

    title: str
    text: str = ""
    language: str = "fr"
    place: str | None = None
    link: str | None = None
    announce: bool = True
    kept: bool = False
    urgent_until: datetime | None = None
    event: Event | None = None


@dataclass(frozen=True, slots=True)
class Author:
    """Who speaks: a shop of ours, or the commune's Group for somebody with a byline."""

    byline: Byline
    shop: Shop | None = None
    account: str | None = None


def check(draft: PostDraft, now: datetime) -> None:
    """Raises errors.Invalid, with a sentence for each field that cannot be used."""
    fields: dict[str, str] = {}
    if not words.is_plain(draft.title) or not 1 <= len(draft.title.strip()) <= TITLE_MOST:
        fields["title"] = f"the title must be 1 to {TITLE_MOST} readable characters"
    if not words.is_plain(draft.text, lines=True) or len(draft.text) > TEXT_MOST:
        fields["text"] = f"the text must be at most {TEXT_MOST} readable characters"
    if draft.link is not None and not is_link(draft.link):
        fields["link"] = "the link must be an address such as https://example.fr/page"
    if draft.urgent_until is not None and not now < draft.urgent_until <= now + URGENT_MOST:
        fields["urgent"] = f"what is urgent ends within {URGENT_MOST.days} days"
    if draft.event is not None:
        fields |= _problems(draft.event, now)
    elif not draft.text.strip():
        fields["text"] = "news needs a text"
    if fields:
        raise errors.Invalid("bad-post", "; ".join(fields.values()) + ".", fields=fields)


def is_link(text: str) -> bool:
    """Whether it is an address that a page may lead to."""
    return (
        re.fullmatch(r"https?://[^\s<>\"'`{}|\\^]{1,480}", text) is not None
        and len(text) <= LINK_MOST
        and words.is_plain(text)
    )


def _problems(event: Event, now: datetime) -> dict[str, str]:
    fields: dict[str, str] = {}
    if not words.is_plain(event.venue) or len(event.venue) > VENUE_MOST:
        fields["venue"] = f"the place must be at most {VENUE_MOST} readable characters"
    # Two days less than others take: their clocks are not ours.
    if not now - BACK - LENGTH_MOST <= event.starts <= now + AHEAD - timedelta(days=2):
        fields["day"] = "the date must be within the last year or the next five"
    elif event.ends is not None and not event.starts <= event.ends <= event.starts + LENGTH_MOST:
        fields["end"] = "the end must come after the beginning, within a year"
    elif event.rule is not None:
        try:
            recurrence.parse(event.rule)
        except errors.Invalid as error:
            fields["repeat"] = error.detail
    if not fields and recurrence.last(event) < now - BACK:
        fields["day"] = "this was over more than a year ago"
    if len(event.excluded) > EXCLUDED_MOST:
        fields["repeat"] = f"at most {EXCLUDED_MOST} days are left out"
    return fields


def _last(event: Event | None) -> datetime | None:
    return None if event is None else recurrence.last(event)


# --- here ----------------------------------------------------------------------------------------


def publish(
    db: sqlite3.Connection,
    uris: Uris,
    author: Author,
    draft: PostDraft,
    new_id: Callable[[], str],
    now: datetime,
) -> Post:
    """Publishes news or an event. Raises errors.Invalid, and errors.Forbidden while the shop that
    speaks is suspended."""
    check(draft, now)
    if author.shop is not None and hidden.exists(db, author.shop.uri):
        raise errors.Forbidden("shop-suspended", f"The shop {author.shop.handle!r} is suspended.")
    event = draft.event is not None
    post_id = new_id()
    # The address of its page names it by the beginning of its id.
    while posts.get_own(db, post_id[:8], event=event) is not None:
        post_id = new_id()
    handle = author.shop.handle if author.shop else node_row.commune_handle(db)
    moment = now.replace(microsecond=0)
    post = Post(
        id=post_id,
        uri=uris.post(handle, post_id, event=event),
        url=uris.post_page(post_id, draft.title, event=event),
        peer=None,
        shop=author.shop.id if author.shop else None,
        account=author.account,
        actor=uris.actor(handle),
        author=author.byline.name,
        badge=author.byline.badge,
        title=draft.title.strip(),
        text=draft.text.strip(),
        language=draft.language,
        place=draft.place,
        link=draft.link,
        announce=draft.announce,
        kept=draft.kept,
        urgent_until=draft.urgent_until,
        published=moment,
        updated=moment,
        seen=moment,
        withdrawn=None,
        event=draft.event,
    )
    posts.add(db, post, _last(post.event))
    _announce(db, post, Verb.CREATE, now)
    return post


def _announce(db: sqlite3.Connection, post: Post, verb: Verb, now: datetime) -> None:
    publications.announce(db, ChangeKind.POST, post.uri, verb, post.updated, now, kept=post.kept)


def revise(
    db: sqlite3.Connection, uris: Uris, post_id: str, draft: PostDraft, now: datetime
) -> Post:
    """Says anew what one of ours is. Whom it goes to was settled when it was published.

    Raises errors.NotFound, errors.Invalid.
    """
    post = get_on_show(db, post_id)
    urgent = draft.urgent_until
    if urgent is not None and urgent == post.urgent_until:
        urgent = None  # it may be over by now
    check(dataclasses.replace(draft, urgent_until=urgent), now)
    if (draft.event is None) != (post.event is None):
        raise errors.Invalid("other-kind", "News cannot become an event, nor the other way.")
    revised = dataclasses.replace(
        post,
        url=uris.post_page(post.id, draft.title, event=post.event is not None),
        title=draft.title.strip(),
        text=draft.text.strip(),
        link=draft.link,
        urgent_until=draft.urgent_until,
        event=draft.event,
    )
    return post if revised == post else _change(db, post, revised, now)


def _change(db: sqlite3.Connection, before: Post, after: Post, now: datetime) -> Post:
    updated = publications.next_update(before.updated, now)
    after = dataclasses.replace(after, updated=updated, seen=updated)
    posts.change(db, after, _last(after.event))
    _announce(db, after, Verb.DELETE if after.withdrawn else Verb.UPDATE, now)
    return after


def change_state(db: sqlite3.Connection, post_id: str, state: EventState, now: datetime) -> Post:
    """Cancels an event of ours, postpones it, or says that it takes place after all.

    It stays visible. Raises errors.NotFound.
    """
    post = get_on_show(db, post_id)
    if post.event is None:
        raise errors.NotFound("unknown-event", f"{post_id} is no event.")
    if post.event.state is state:
        return post
    event = dataclasses.replace(post.event, state=state)
    return _change(db, post, dataclasses.replace(post, event=event), now)


def withdraw(db: sqlite3.Connection, post_id: str, now: datetime) -> Post:
    """Takes news or an event of ours away for good. Raises errors.NotFound."""
    post = get_on_show(db, post_id)
    updated = publications.next_update(post.updated, now)
    return _change(db, post, dataclasses.replace(post, withdrawn=updated), now)


def bring_back(db: sqlite3.Connection, post: Post, now: datetime) -> None:
    """Shows one of ours again that had been withdrawn for a while."""
    if post.withdrawn is not None:
        _change(db, post, dataclasses.replace(post, withdrawn=None), now)


def on_show_of(db: sqlite3.Connection, actor: str) -> list[Post]:
    """All that an actor of ours says."""
    found: list[Post] = []
    last: tuple[str, str] | None = None
    while page := posts.find_page_of_actor(db, actor, last, 100):
        found += page
        last = (stamp(page[-1].published), page[-1].id)
    return found


def withdraw_all_of(db: sqlite3.Connection, actor: str, now: datetime) -> None:
    """Takes away all that an actor of ours says, as when a shop closes."""
    for post in on_show_of(db, actor):
        withdraw(db, post.id, now)


def get_on_show(db: sqlite3.Connection, post_id: str) -> Post:
    """News or an event of ours that has not been withdrawn. Raises errors.NotFound."""
    post = posts.get(db, post_id)
    if post is None or post.peer is not None or post.withdrawn is not None:
        raise errors.NotFound("unknown-post", f"There is nothing published as {post_id}.")
    return post


def sweep(db: sqlite3.Connection, now: datetime) -> None:
    """Takes away events of ours that were over long ago."""
    for post_id in posts.find_over(db, now - OVER_KEPT, 200):
        withdraw(db, post_id, now)


# --- from neighbours -----------------------------------------------------------------------------


def record_remote(db: sqlite3.Connection, post: Post, now: datetime) -> None:
    """Records a neighbour's as its own node tells of it.

    An older state than the one held changes nothing, and neither does what its author deleted.
    """
    if tombstones.covers(db, post.uri, post.updated):
        return
    known = posts.get_by_uri(db, post.uri)
    if known is None:
        posts.add(db, post, _last(post.event))
        return
    if known.peer != post.peer or known.actor != post.actor:
        return
    if post.updated <= known.updated or (known.event is None) != (post.event is None):
        posts.mark_seen(db, known.id, now)
        return
    post = dataclasses.replace(post, id=known.id, published=known.published)
    posts.change(db, post, _last(post.event))


def remove_remote(
    db: sqlite3.Connection, uri: str, now: datetime, deleted: datetime | None = None
) -> None:
    """Removes a neighbour's, and remembers that it was deleted (when, if it is told)."""
    tombstones.add(db, uri, now, deleted)
    post = posts.get_by_uri(db, uri)
    if post is not None and post.peer is not None:
        posts.remove(db, post.id)


# --- who speaks ----------------------------------------------------------------------------------


def town_hall(db: sqlite3.Connection, commune: str) -> Byline:
    """How the town hall is shown: by the commune's name."""
    place = places.get(db, commune)
    return Byline(place.name if place else commune, Badge.TOWN_HALL)


def byline(name: str, badge: str) -> Byline:
    """How somebody is to be shown. Raises errors.Invalid."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= AUTHOR_MOST or not words.is_plain(name):
        raise errors.Invalid(
            "bad-byline",
            f"the name must be 1 to {AUTHOR_MOST} readable characters.",
            fields={"name": "cannot be read"},
        )
    if badge not in (Badge.TOWN_HALL, Badge.MEDIA, Badge.ASSOCIATION):
        raise errors.Invalid("bad-badge", "The badge is town_hall, media or association.")
    return Byline(name, Badge(badge))


def voice(db: sqlite3.Connection, account: str, fallback: str) -> Byline:
    """How a publisher is shown; nobody has said yet: an association under this name."""
    return posts.get_byline(db, account) or Byline(fallback, Badge.ASSOCIATION)
