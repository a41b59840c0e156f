"""Neighbouring nodes: whose listings are taken, and what goes when one is forgotten."""

import sqlite3
from datetime import datetime

from node import publications, shops
from node.model import FollowState, Peer
from node.store import deliveries, listings, peers, search
from node.store import shops as shop_rows


def is_heard(peer: Peer | None) -> bool:
    """Whether what a node says of its shops is taken here: we follow it, and it agreed."""
    return (
        peer is not None
        and peer.following is FollowState.ACCEPTED
        and peer.blocked is None
        and peer.suspended is None
    )


def forget(db: sqlite3.Connection, host: str) -> None:
    """Removes a node with every shop and listing that came from it, and what was due for it."""
    remove_shops(db, host)
    deliveries.remove_host(db, host)
    peers.remove(db, host)


def remove_shops(db: sqlite3.Connection, host: str) -> None:
    """Removes every shop and listing that came from a node."""
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
    for shop_id in shop_ids:
        shop = shop_rows.get(db, shop_id)
        if shop is not None:
            shops.remove_remote(db, shop.uri)
    return len(shop_ids) + len(listing_ids)


def digest(db: sqlite3.Connection, host: str) -> tuple[str, int]:
    """The digest and number of what is held of a node, to compare with its own."""
    states = listings.states_of_peer(db, host)
    return (
        publications.digest(publications.fingerprint(uri, updated) for uri, updated in states),
        len(states),
    )
