"""What this node says to others: its public objects as documents, and who must hear of a change."""

import json
import sqlite3
import threading
from datetime import datetime, timedelta
from typing import Any

from federation import activities, documents, vocabulary
from node.exchange import actors, keys, listings, news, shops, terms
from node.model import (
    ActorKind,
    Change,
    ChangeKind,
    Delivery,
    FollowState,
    Listing,
    Post,
    Shop,
    Tombstone,
    Verb,
)
from node.publications import digest
from node.store import actors as actor_rows
from node.store import (
    changes,
    deliveries,
    delivery_hosts,
    followers,
    hidden,
    peers,
    places,
    posts,
    relays,
    shop_keys,
    times,
)
from node.store import listings as listing_rows
from node.store import node as node_row
from node.store import shops as shop_rows
from node.translation import Catalogues, Translator
from node.uris import INSTANCE, Uris

PAGE = 20  # activities in a page of a shop's outbox
SEQUENCE_PAGE = 100  # changes in a page of the change sequence, at most
SEQUENCE_PAGE_BYTES = 700 * 1024  # with one listing more, still below what readers take
QUIET = timedelta(minutes=10)  # between two tellings of an object's price or stock
UNAVAILABLE_AFTER = timedelta(days=7)  # of failures without a sign of life
QUEUE_MOST = 200_000  # deliveries that wait
BODIES = 256  # rendered activities kept for their next inbox

Document = dict[str, Any]


class Publisher:
    """Turns what is stored into documents, always of its present state."""

    def __init__(
        self, uris: Uris, name: str, language: str, signers: keys.Signers, catalogues: Catalogues
    ) -> None:
        self.uris = uris
        self._name = name
        self._language = language
        self._signers = signers
        self._catalogues = catalogues
        self._agreement: tuple[int, str, int] = (-1, "", 0)
        # The same bytes go to every inbox: rendered once for each state of an object.
        self._bodies: dict[tuple[str, str, int], bytes | None] = {}
        self._lock = threading.Lock()

    def say(self, language: str | None = None) -> Translator:
        """What speaks to people in a language, by default the node's own."""
        return self._catalogues.speak(language or self._language)

    # --- objects ---------------------------------------------------------------------------------

    def actor(self, db: sqlite3.Connection, handle: str) -> Document | None:
        """An actor of ours; its Tombstone once it is closed; None where there never was one."""
        actor = actor_rows.get(db, handle)
        if actor is None:
            return None
        if actor.kind is not ActorKind.SHOP:
            url = self.uris.origin if actor.kind is ActorKind.NODE else self.uris.profile(handle)
            return actors.document(actor, self.uris, name=actor.name, url=url)
        shop = shop_rows.get_own(db, handle)
        if shop is None:
            return None
        if shop.closed is not None:
            return self._tombstone(db, Tombstone(shop.uri, actor.kind, shop.closed), handle)
        if hidden.exists(db, shop.uri):
            return shops.suspended(shop, actor, self.uris)
        place = places.get(db, shop.place) if shop.place else None
        keys = shop_keys.current(db, shop.id)
        return shops.document(shop, actor, place, self.uris, self.say(), keys)

    def listing(self, db: sqlite3.Connection, listing: Listing, shop: Shop) -> Document:
        """A listing of ours; its Tombstone once it is withdrawn."""
        if listing.withdrawn is not None:
            stone = Tombstone(listing.uri, "Note", listing.withdrawn)
            return self._tombstone(db, stone, shop.handle)
        return listings.document(
            listing,
            shop,
            places.get(db, shop.place) if shop.place else None,
            node_row.commune_handle(db),
            self.uris,
            self.say(listing.language),
            self._signers.objects(db, shop.handle),
        )

    def post(self, db: sqlite3.Connection, post: Post) -> Document:
        """News or an event of ours; its Tombstone once it is withdrawn."""
        handle = self.uris.handle_of(post.actor) or ""
        if post.withdrawn is not None:
            kind = "Note" if post.event is None else "Event"
            return self._tombstone(db, Tombstone(post.uri, kind, post.withdrawn), handle)
        return news.document(
            post,
            places.get(db, post.place) if post.place else None,
            handle,
            self.uris,
            self.say(post.language),
            self._signers.objects(db, handle),
        )

    def _tombstone(self, db: sqlite3.Connection, stone: Tombstone, handle: str) -> Document:
        return listings.tombstone(stone, handle, self.uris, self._signers.objects(db, handle))

    # --- activities ------------------------------------------------------------------------------

    def activity(
        self, db: sqlite3.Connection, kind: ChangeKind, uri: str, verb: Verb
    ) -> tuple[Document, str] | None:
        """The activity that tells of an object's present state, and the handle that sends it.

        What has been deleted meanwhile is told as deleted, whatever was asked.
        """
        if kind is ChangeKind.SHOP:
            handle = self.uris.handle_of(uri)
            found = self.actor(db, handle) if handle else None
        elif kind is ChangeKind.POST:
            post = posts.get_by_uri(db, uri)
            handle = self.uris.handle_of(post.actor) if post else None
            found = self.post(db, post) if post else None
        else:
            named = self.uris.listing_of(uri)
            handle = named[0] if named else None
            listing = listing_rows.get(db, named[1]) if named else None
            shop = shop_rows.get(db, listing.shop) if listing else None
            found = self.listing(db, listing, shop) if listing and shop else None
        if handle is None or found is None:
            return None
        return self.wrap(db, uri, handle, found, verb), handle

    def wrap(
        self, db: sqlite3.Connection, uri: str, handle: str, found: Document, verb: Verb
    ) -> Document:
        """The activity around an object of ours."""
        actor = self.uris.actor(handle)
        cc = [f"{actor}/followers"]
        if found["type"] == "Tombstone":
            verb = Verb.DELETE
            activity_id = self.uris.delete(uri)
            published = datetime.fromisoformat(found["deleted"])
        elif verb is Verb.CREATE:
            activity_id = self.uris.create(uri)
            published = datetime.fromisoformat(found["published"])
        else:
            verb = Verb.UPDATE  # a shop that is suspended is told so: it is not gone for good
            change = changes.get(db, uri)
            activity_id = self.uris.update(uri, change.seq if change else 0)
            published = datetime.fromisoformat(found["updated"])
        return activities.activity(
            verb, activity_id, actor, found, to=[vocabulary.PUBLIC], cc=cc, published=published
        )

    def body(self, db: sqlite3.Connection, delivery: Delivery) -> bytes | None:
        """The bytes to deliver; None where there is nothing left to tell."""
        if delivery.body is not None:
            return delivery.body.encode()
        change = changes.get(db, delivery.object)
        name = (delivery.object, delivery.verb, change.seq if change else 0)
        with self._lock:  # two reader threads
            if name in self._bodies:
                return self._bodies[name]
        kind = ChangeKind.SHOP if self.uris.handle_of(delivery.object) else ChangeKind.LISTING
        if self.uris.post_of(delivery.object) is not None:
            kind = ChangeKind.POST
        made = self.activity(db, kind, delivery.object, Verb(delivery.verb))
        body = None if made is None else encode(made[0])
        with self._lock:
            while len(self._bodies) >= BODIES:
                del self._bodies[next(iter(self._bodies))]
            self._bodies[name] = body
        return body

    # --- collections -----------------------------------------------------------------------------

    def outbox(self, db: sqlite3.Connection, handle: str, shop: Shop | None) -> Document:
        """The outbox of a shop, or of the commune's Group (ActivityPub, section 5.1)."""
        actor = self.uris.actor(handle)
        uri = f"{actor}/outbox"
        listed = listing_rows.count_of_shop(db, shop.id) if shop else 0
        return {
            "@context": vocabulary.AS2,
            "id": uri,
            "type": "OrderedCollection",
            "totalItems": listed + posts.count_of_actor(db, actor),
            "first": f"{uri}?page=true",
        }

    def outbox_page(
        self,
        db: sqlite3.Connection,
        handle: str,
        shop: Shop | None,
        before: tuple[str, str] | None,
    ) -> Document:
        """A page of an outbox: a shop's listings, and news and events, as Creates, newest first.

        `before` is the time and id of the last of the page before.
        """
        actor = self.uris.actor(handle)
        uri = f"{actor}/outbox"
        page: list[Listing | Post] = []
        if shop is not None:
            page += listing_rows.find_page_of_shop(db, shop.id, before, PAGE + 1)
        page += posts.find_page_of_actor(db, actor, before, PAGE + 1)
        page.sort(key=lambda one: (one.published, one.id), reverse=True)
        found: Document = {
            "@context": vocabulary.AS2,
            "id": f"{uri}?page=true" + (f"&before={before[0]},{before[1]}" if before else ""),
            "type": "OrderedCollectionPage",
            "partOf": uri,
            "orderedItems": [
                self.wrap(db, one.uri, handle, self._told(db, one, shop), Verb.CREATE)
                for one in page[:PAGE]
            ],
        }
        if len(page) > PAGE:
            last = page[PAGE - 1]
            found["next"] = f"{uri}?page=true&before={times.stamp(last.published)},{last.id}"
        return found

    def _told(self, db: sqlite3.Connection, one: Listing | Post, shop: Shop | None) -> Document:
        if isinstance(one, Post):
            return self.post(db, one)
        assert shop is not None
        return self.listing(db, one, shop)

    def sequence(self, db: sqlite3.Connection) -> Document:
        """The node's outbox: the change sequence from its beginning (wire profile 8.5)."""
        _, digest_now, count = self._agreed(db)
        return {
            "@context": terms.SEQUENCE_CONTEXT,
            "id": self.uris.changes,
            "type": "OrderedCollection",
            "totalItems": changes.count_since(db, 0),
            "first": f"{self.uris.changes}?since=0",
            terms.HEAD: changes.head(db),
            terms.DIGEST: digest_now,
            terms.COUNT: count,
        }

    def sequence_page(
        self, db: sqlite3.Connection, since: int, *, whole: bool = False
    ) -> Document | None:
        """What changed after number `since`, each object once and in its present state.

        None where that can no longer be told, because tombstones were dropped since, or where the
        number was never given out: the reader must begin again from 0. Who reads the `whole` from
        0 on needs no tombstone, and is told all that is left.
        """
        head, digest_now, count = self._agreed(db)
        if since > head or (not whole and 0 < since < changes.pruned_through(db)):
            return None
        page = changes.find_since(db, since, SEQUENCE_PAGE + 1)
        items: list[Document] = []
        size, told = 0, 0
        for change in page[:SEQUENCE_PAGE]:
            item = self._change(db, change)
            size += 0 if item is None else len(encode(item))
            if size > SEQUENCE_PAGE_BYTES and told:
                break  # a reader need not take more than 1 MiB at once
            told += 1
            if item is not None:
                items.append(item)
        found: Document = {
            "@context": terms.SEQUENCE_CONTEXT,
            "id": f"{self.uris.changes}?since={since}" + ("&whole=1" if whole else ""),
            "type": "OrderedCollectionPage",
            "partOf": self.uris.changes,
            "totalItems": changes.count_since(db, since),
            "orderedItems": items,
            terms.HEAD: head,
            terms.DIGEST: digest_now,
            terms.COUNT: count,
        }
        if len(page) > told:
            more = "&whole=1" if whole or since == 0 else ""
            found["next"] = f"{self.uris.changes}?since={page[told - 1].seq}{more}"
        return found

    def _change(self, db: sqlite3.Connection, change: Change) -> Document | None:
        made = self.activity(db, change.kind, change.uri, Verb.UPDATE)
        if made is None:
            return None
        activity = made[0]
        activity["@context"] = terms.SEQUENCE_CONTEXT
        activity[terms.SEQ] = change.seq
        return activity

    def _agreed(self, db: sqlite3.Connection) -> tuple[int, str, int]:
        """Head, digest and count of the sequence, computed once for each head."""
        head = changes.head(db)
        if self._agreement[0] != head:
            live = changes.live_fingerprints(db)
            self._agreement = (head, digest(live), len(live))
        return self._agreement


def encode(document: Document) -> bytes:
    """A document as it is sent: the bytes that are digested and signed."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def shut(db: sqlite3.Connection, now: datetime) -> frozenset[str] | None:
    """Hosts that nothing more is written down for; None where only neighbours hear of anything.

    Whoever has not answered for a week gets no more than what probes it. When the queue is full,
    by thousands of dead inboxes say, people elsewhere miss news before the disk runs over.
    Neighbours catch up by the change sequence, so those of them that fail can wait, too. Deletions
    are always told.
    """
    if deliveries.holds_more_than(db, QUEUE_MOST):
        return None
    return deliveries.find_unavailable(db, now - UNAVAILABLE_AFTER)


def spread(
    db: sqlite3.Connection,
    uris: Uris,
    publication: deliveries.Publication,
    now: datetime,
    shut_out: frozenset[str] | None = frozenset(),
) -> None:
    """Writes down, for every inbox that must hear of a change, that it must.

    Neighbours hear of everything but what is of this commune alone. People who follow a shop, or
    the commune's Group, hear of listings, news and events that it announces. Of prices and stocks,
    neighbours hear at once, and then once in ten minutes; people's timelines are not filled with
    each: they hear the last of ten minutes.
    """
    handle = uris.handle_of(publication.uri)
    announced = True
    if publication.kind is ChangeKind.LISTING:
        named = uris.listing_of(publication.uri)
        listing = listing_rows.get(db, named[1]) if named else None
        handle = named[0] if named else None
        announced = listing is not None and listing.announce
    elif publication.kind is ChangeKind.POST:
        post = posts.get_by_uri(db, publication.uri)
        handle = uris.handle_of(post.actor) if post else None
        announced = post is not None and post.announce
    commune = node_row.commune_handle(db)
    if handle is not None:
        soon = now
        if publication.quiet:
            soon = deliveries.when_quiet(db, publication.uri, now, QUIET)
        kept = publication.kind is ChangeKind.POST and changes.is_kept(db, publication.uri)
        told_all = [] if kept else peers.find_followers(db)
        due = {(f"{peer.origin}/inbox", peer.host): soon for peer in told_all}
        if publication.verb is Verb.DELETE:
            shut_out = frozenset()  # whatever else is not told: what is deleted must not survive
        if announced and shut_out is not None:
            later = now + QUIET if publication.quiet else now
            told = followers.find_inboxes(db, handle)
            if publication.kind is not ChangeKind.SHOP and handle != commune:
                if publication.verb is Verb.CREATE:
                    _boost(db, uris, publication.uri, shut_out, now)
                else:  # whoever saw it boosted sees its changes and its end
                    told += followers.find_inboxes(db, commune)
            if publication.kind is not ChangeKind.SHOP and not kept:
                told += _relays(db)
            for found in told:
                due.setdefault(found, later)
        passed_over = delivery_hosts.find_failing(db) if shut_out is None else shut_out
        deliveries.add_all(
            db,
            [(*to, due[to]) for to in sorted(due) if to[1] not in passed_over],
            object_uri=publication.uri,
            sender=handle,
            verb=publication.verb,
            body=None,
            now=now,
        )
    deliveries.remove_publication(db, publication.id)


def _relays(db: sqlite3.Connection) -> list[tuple[str, str]]:
    """(inbox, host) of the relays that pass on what is announced."""
    return [
        (one.inbox, documents.address(one.inbox)[1])
        for one in relays.find(db)
        if one.state is FollowState.ACCEPTED
    ]


def _boost(
    db: sqlite3.Connection, uris: Uris, uri: str, shut_out: frozenset[str], now: datetime
) -> None:
    """The commune's Group announces what a shop says to its followers: once, only what is flagged.

    The object's id is what people's servers take for a boost; the activity's is what forums want
    (FEP-1b12). Both are read at their origin.
    """
    handle = node_row.commune_handle(db)
    group = uris.actor(handle)
    inboxes = sorted(followers.find_inboxes(db, handle))
    boost = uris.boost(handle, uri)
    for boost_id, announced in ((boost, uri), (f"{boost}/activity", uris.create(uri))):
        activity = activities.activity(
            "Announce",
            boost_id,
            group,
            announced,
            to=[vocabulary.PUBLIC],
            cc=[f"{group}/followers"],
            published=now,
        )
        deliveries.add_all(
            db,
            [
                (inbox, documents.address(inbox)[1], now)
                for inbox, host in inboxes
                if host not in shut_out
            ],
            object_uri=boost_id,
            sender=handle,
            verb=activity["type"],
            body=encode(activity).decode(),
            now=now,
        )


def send(
    db: sqlite3.Connection, activity: Document, sender: str, inbox: str, now: datetime
) -> None:
    """Writes down that one inbox must hear of an activity that has no object of ours behind it."""
    deliveries.add(
        db,
        inbox=inbox,
        host=documents.address(inbox)[1],
        object_uri=activity["id"],
        sender=sender,
        verb=activity["type"],
        body=encode(activity).decode(),
        now=now,
    )


__all__ = ["INSTANCE", "PAGE", "SEQUENCE_PAGE", "Publisher", "encode", "send", "spread"]
