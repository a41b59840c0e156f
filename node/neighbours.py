"""Neighbouring nodes: whose listings are taken, and what goes when one is forgotten."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

from node import publications, shops
from node.model import FollowState, Freshness, Listing, Peer
from node.store import deliveries, delivery_hosts, listings, peers, posts, search
from node.store import shops as shop_rows


def is_heard(peer: Peer | None) -> bool:
    """Whether what a node says of its shops is taken here: we follow it, and it agreed."""
    return (
        peer is not None
        and peer.following is FollowState.ACCEPTED
        and peer.blocked is None
        and peer.suspended is None
    )


OLD_AFTER = timedelta(days=14)
HIDDEN_AFTER = timedelta(days=30)
OUTAGE = timedelta(hours=6)  # of silence, after which it may have been away


def freshness(peer: Peer, now: datetime) -> Freshness:
    """How far what came from a node can be believed. It is fresh again once it is heard again.

    A node that was never heard has nothing here that could be old.
    """
    silent = timedelta() if peer.heard is None else now - peer.heard
    if silent >= HIDDEN_AFTER:
        return Freshness.HIDDEN
    return Freshness.OLD if silent >= OLD_AFTER else Freshness.FRESH


@dataclass(frozen=True, slots=True)
class Silence:
    """Which nodes have been silent for long, at one moment: asked once for a page or a search."""

    old: frozenset[str]
    hidden: frozenset[str]

    def freshness(self, host: str | None) -> Freshness:
        """Of what came from a host (`Shop.peer`); our own is always fresh."""
        if host in self.hidden:
            return Freshness.HIDDEN
        return Freshness.OLD if host in self.old else Freshness.FRESH


def silence(db: sqlite3.Connection, now: datetime) -> Silence:
    """Which nodes have been silent for long: their listings are marked, or not shown at all."""
    silent, hidden = peers.find_silent(db, now - OLD_AFTER, now - HIDDEN_AFTER)
    return Silence(silent - hidden, hidden)


def note_life(db: sqlite3.Connection, host: str, now: datetime) -> None:
    """A sign of life: what waits for a host is due at once, and what it may have told is read."""
    silent = peers.is_silent(db, host, now - OUTAGE)
    peers.mark_heard(db, host, now)
    if delivery_hosts.revive(db, host) or silent:
        # It was away: what it told others meanwhile may have been missed here too.
        peers.want_sync(db, host, now)


def seen(listing: Listing, peer: Peer | None) -> datetime:
    """When a listing was last known to be so.

    A neighbour that agreed at its last reading confirmed all of its listings by that.
    """
    if peer is None or peer.synced is None or not peer.digest_agrees:
        return listing.seen
    return max(listing.seen, peer.synced)


def state(peer: Peer) -> str:
    """Where two nodes stand: blocked, suspended, agreed, asks, refused, one-sided or asked."""
    if peer.blocked:
        return "blocked"
    if peer.suspended:
        return "suspended"
    if peer.following is FollowState.ACCEPTED and peer.follower is FollowState.ACCEPTED:
        return "agreed"
    if peer.follower is FollowState.REQUESTED and peer.added is None:
        return "asks"
    if peer.following is FollowState.REJECTED:
        return "refused"
    return "one-sided" if peer.following is FollowState.ACCEPTED else "asked"


def forget(db: sqlite3.Connection, host: str, now: datetime) -> None:
    """Removes a node with every shop and listing that came from it, and what was due for it."""
    remove_shops(db, host)
    deliveries.remove_host(db, host, now)
    peers.remove(db, host)


def remove_shops(db: sqlite3.Connection, host: str) -> None:
    """Removes every shop, listing, piece of news and event that came from a node."""
    posts.remove_of_peer(db, host)
    while batch := shop_rows.find(db, peer=host):
        for shop in batch:
            shops.remove_remote(db, shop.uri)
    peers.forget_sync(db, host)


def forget_unmet(db: sqlite3.Connection, host: str, since: datetime) -> int:
    """After a pass over all a node has: removes what it has no longer. Returns how many objects."""
    shop_ids, listing_ids = peers.find_unmet(db, host, since)
    for listing_id in listing_ids:
        listing = listings.get(db, listing_id)
        if listing is not None:
            search.remove(db, listing)
            listings.remove(db, listing_id)
    post_ids = peers.find_unmet_posts(db, host, since)
    for post_id in post_ids:
        posts.remove(db, post_id)
    for shop_id in shop_ids:
        shop = shop_rows.get(db, shop_id)
        if shop is not None:
            shops.remove_remote(db, shop.uri)
    return len(shop_ids) + len(listing_ids) + len(post_ids)


def digest(db: sqlite3.Connection, host: str) -> tuple[str, int]:
    """The digest and number of what is held of a node, to compare with its own."""
    states = listings.states_of_peer(db, host)
    return (
        publications.digest(publications.fingerprint(uri, updated) for uri, updated in states),
        len(states),
    )
