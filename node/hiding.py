"""What a steward takes out of sight: listings, news, events and shops of ours, and neighbours'
objects here.

What is ours and hidden is withdrawn for everybody, here and elsewhere, but keeps its
photos and can come back. A shop that is suspended hides all of its listings; other nodes drop it,
and people's servers hide its account, until it comes back with all it had. What is hidden of a
neighbour goes on being read and is shown to nobody here: its own node decides about the rest.
"""

import dataclasses
import sqlite3
from datetime import datetime

from node import news, publications
from node.model import ChangeKind, Listing, Post, Shop, Verb
from node.store import changes, hidden, listings, posts, search, times
from node.store import shops as shop_rows


def hide_listing(db: sqlite3.Connection, listing: Listing, now: datetime) -> None:
    """Takes a listing out of sight: one of ours for everybody, another's for readers here."""
    shop = shop_rows.get(db, listing.shop)
    if shop is not None and shop.peer is not None:
        hidden.add(db, listing.uri, now)
        search.remove(db, listing)
    elif listing.withdrawn is None:  # what its shop withdrew stays so
        hidden.add(db, listing.uri, now)
        gone = _out_of_sight(db, listing, now)
        publications.announce(db, ChangeKind.LISTING, listing.uri, Verb.DELETE, gone.updated, now)


def show_listing(db: sqlite3.Connection, listing: Listing, now: datetime) -> None:
    """Brings a hidden listing back; one of ours under a suspended shop waits for its shop."""
    if not hidden.remove(db, listing.uri):
        return
    shop = shop_rows.get(db, listing.shop)
    if shop is None or shop.closed is not None:
        return
    if shop.peer is not None:
        search.put(db, listing)
    elif hidden.exists(db, shop.uri):
        hidden.add(db, listing.uri, now, under=shop.uri)
    else:
        _back_in_sight(db, listing, now)


def withdraw_hidden(db: sqlite3.Connection, listing: Listing) -> None:
    """Withdraws a listing of ours for good that was hidden: its photos go."""
    if hidden.remove(db, listing.uri):
        listings.change(db, dataclasses.replace(listing, photos=()))


def hide_post(db: sqlite3.Connection, post: Post, now: datetime) -> None:
    """Takes news or an event out of sight: ours for everybody, another's for readers here."""
    if post.peer is not None:
        hidden.add(db, post.uri, now)
    elif post.withdrawn is None:
        hidden.add(db, post.uri, now)
        news.withdraw(db, post.id, now)


def show_post(db: sqlite3.Connection, post: Post, now: datetime) -> None:
    """Brings it back; one of ours under a suspended shop waits for its shop."""
    if not hidden.remove(db, post.uri) or post.peer is not None:
        return
    shop = shop_rows.get(db, post.shop) if post.shop else None
    if shop is not None and shop.closed is not None:
        return
    if shop is not None and hidden.exists(db, shop.uri):
        hidden.add(db, post.uri, now, under=shop.uri)
    else:
        news.bring_back(db, post, now)


def suspend(db: sqlite3.Connection, shop: Shop, now: datetime) -> None:
    """Takes one of our shops out of sight with all it has."""
    if hidden.exists(db, shop.uri):
        return
    for listing_id in listings.find_ids_of_shop(db, shop.id):
        listing = listings.get(db, listing_id)
        if listing is None:
            continue
        hidden.add(db, listing.uri, now, under=shop.uri)
        gone = _out_of_sight(db, listing, now)
        # Others learn it from the shop: one word, and people's servers keep what they hide.
        changes.add(
            db,
            ChangeKind.LISTING,
            listing.uri,
            deleted=True,
            updated=gone.updated,
            fingerprint=publications.fingerprint(listing.uri, times.stamp(gone.updated)),
        )
    for post in news.on_show_of(db, shop.uri):
        hidden.add(db, post.uri, now, under=shop.uri)
        news.withdraw(db, post.id, now)
    hidden.add(db, shop.uri, now)
    updated = publications.next_update(shop.updated, now)
    shop_rows.change(db, dataclasses.replace(shop, updated=updated))
    publications.announce(db, ChangeKind.SHOP, shop.uri, Verb.DELETE, updated, now)


def reinstate(db: sqlite3.Connection, shop: Shop, now: datetime) -> None:
    """Ends a suspension: the shop and what was hidden with it are shown again."""
    if not hidden.remove(db, shop.uri):
        return
    updated = publications.next_update(shop.updated, now)
    shop_rows.change(db, dataclasses.replace(shop, updated=updated, seen=updated))
    publications.announce(db, ChangeKind.SHOP, shop.uri, Verb.UPDATE, updated, now)
    for uri in hidden.find_under(db, shop.uri):
        hidden.remove(db, uri)
        listing = listings.get_by_uri(db, uri)
        if listing is not None:
            _back_in_sight(db, listing, now)
        post = posts.get_by_uri(db, uri)
        if post is not None:
            news.bring_back(db, post, now)


def hide_remote_shop(db: sqlite3.Connection, shop: Shop, now: datetime) -> None:
    """Shows nothing of a neighbour's shop here."""
    hidden.add(db, shop.uri, now)
    for listing in listings.find_of_shop(db, shop.id):
        search.remove(db, listing)


def show_remote_shop(db: sqlite3.Connection, shop: Shop) -> None:
    """Shows it again."""
    if hidden.remove(db, shop.uri):
        for listing in listings.find_of_shop(db, shop.id):
            search.put(db, listing)


def end(db: sqlite3.Connection, shop: Shop, now: datetime) -> None:
    """Of one of our shops that closes for good: what was hidden is withdrawn for good as well."""
    for uri in hidden.find_under(db, shop.uri):
        listing = listings.get_by_uri(db, uri)
        if listing is not None:
            withdraw_hidden(db, listing)
            publications.announce(db, ChangeKind.LISTING, uri, Verb.DELETE, listing.updated, now)
        else:  # news, withdrawn already
            hidden.remove(db, uri)
    hidden.remove(db, shop.uri)


def _out_of_sight(db: sqlite3.Connection, listing: Listing, now: datetime) -> Listing:
    updated = publications.next_update(listing.updated, now)
    gone = dataclasses.replace(listing, updated=updated, withdrawn=updated)
    listings.change(db, gone)
    search.remove(db, listing)
    return gone


def _back_in_sight(db: sqlite3.Connection, listing: Listing, now: datetime) -> None:
    updated = publications.next_update(listing.updated, now)
    shown = dataclasses.replace(listing, updated=updated, seen=updated, withdrawn=None)
    listings.change(db, shown)
    search.put(db, shown)
    publications.announce(db, ChangeKind.LISTING, listing.uri, Verb.UPDATE, updated, now)
