"""Whom the node does not speak with: domains that are blocked, neighbours that are suspended, and,
where a node keeps a list of those it does speak with, everybody else.

A block is for good: it covers a domain and all below it, and what came from there goes at once. A
suspension is for looking into something: what came from the neighbour is hidden and kept for a
week, and being neighbours goes on where it stood when it is lifted. Both have a reason, which the
steward reads, and neither is heard, told, fetched or dialled meanwhile.
"""

import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from node import errors, neighbours
from node.model import Block, Listing
from node.store import (
    blocks,
    deliveries,
    enquiries,
    followers,
    listings,
    peers,
    reactions,
    received,
    search,
)
from node.store import shops as shop_rows

HIDDEN_KEPT = timedelta(days=7)
REASON_MOST = 500


@dataclass(slots=True)
class Standing:
    """Whom the node does not speak with, as far as this process knows; its workers keep it fresh.

    `listed` are the domains of the list of those it does speak with, None where there is no list.
    """

    listed: frozenset[str] | None = None
    _refused: frozenset[str] = frozenset()
    _chosen: frozenset[str] = field(default_factory=frozenset)

    def learn(self, refused: frozenset[str], chosen: frozenset[str]) -> None:
        """Takes over what `standing` has read."""
        self._refused, self._chosen = refused, chosen

    def refuses(self, host: str) -> bool:
        """Whether a host, as ids name it, is neither heard nor told, fetched or dialled."""
        if is_under(host, self._refused):
            return True
        return self.listed is not None and not (host in self._chosen or is_under(host, self.listed))


def standing(db: sqlite3.Connection) -> tuple[frozenset[str], frozenset[str]]:
    """The domains that are blocked or suspended, and the hosts that a steward has chosen."""
    known = peers.find(db)
    suspended = {peer.host for peer in known if peer.suspended is not None}
    return (
        frozenset({block.domain for block in blocks.find(db)} | suspended),
        frozenset(peer.host for peer in known if peer.added is not None),
    )


def is_under(host: str, domains: Collection[str]) -> bool:
    """Whether a host is one of the domains, or below one, whatever its port.

    A domain that names a port is that host and port alone.
    """
    if not domains:
        return False
    if host in domains:
        return True
    name, _, port = host.rpartition(":")
    name = name if port.isdigit() else host
    while name:
        if name in domains:
            return True
        name = name.partition(".")[2]
    return False


def find_block(db: sqlite3.Connection, host: str) -> Block | None:
    """The block that a host is under."""
    return next((block for block in blocks.find(db) if is_under(host, {block.domain})), None)


def block(db: sqlite3.Connection, domain: str, reason: str, now: datetime) -> None:
    """Hears and tells a domain, all below it, and everybody there nothing any more.

    What came from there goes. Raises errors.Invalid for a reason that is too long.
    """
    _check(reason)
    blocks.add(db, domain, reason, now)
    for host in blocks.known_hosts(db):
        if is_under(host, {domain}):
            neighbours.remove_shops(db, host)
            deliveries.remove_host(db, host, now)
            followers.remove_host(db, host)
            enquiries.remove_host(db, host)
            reactions.remove_host(db, host)
            received.remove_host(db, host)
            peers.change_blocked(db, host, now)
            peers.change_suspended(db, host, None, None)
            peers.change_following(db, host, None, None)
            peers.change_follower(db, host, None, None)


def unblock(db: sqlite3.Connection, domain: str) -> bool:
    """Lifts the block of exactly that domain; whether there was one.

    Nothing comes back by itself: whoever was a neighbour is chosen again.
    """
    if not blocks.remove(db, domain):
        return False
    for peer in peers.find(db):
        if peer.blocked is not None and find_block(db, peer.host) is None:
            peers.change_blocked(db, peer.host, None)
    return True


def suspend(db: sqlite3.Connection, host: str, reason: str, now: datetime) -> None:
    """Hides all that came from a neighbour, and hears and tells it nothing until `restore`.

    Raises errors.NotFound for a host that is no neighbour, Conflict for one that is blocked.
    """
    _check(reason)
    peer = peers.get(db, host)
    if peer is None:
        raise errors.NotFound("unknown-neighbour", f"There is no neighbour {host!r}.")
    if peer.blocked is not None:
        raise errors.Conflict("blocked", f"{host} is blocked, which is more than suspended.")
    peers.change_suspended(db, host, peer.suspended or now, reason)
    deliveries.remove_host(db, host, now)
    received.remove_host(db, host)
    for listing in _of_peer(db, host):
        search.remove(db, listing)


def restore(db: sqlite3.Connection, host: str, now: datetime) -> bool:
    """Ends a suspension: what was hidden is shown, and what was missed is read. Whether it was
    suspended."""
    peer = peers.get(db, host)
    if peer is None or peer.suspended is None:
        return False
    peers.change_suspended(db, host, None, None)
    for listing in _of_peer(db, host):
        search.put(db, listing)
    peers.want_sync(db, host, now)
    return True


def _of_peer(db: sqlite3.Connection, host: str) -> Iterator[Listing]:
    for listing_id in listings.find_ids_of_peer(db, host):
        listing = listings.get(db, listing_id)
        if listing is not None:
            yield listing


def drop_hidden(db: sqlite3.Connection, now: datetime) -> None:
    """Removes what has been hidden for a week. The suspension stays; restored, all is read anew."""
    for peer in peers.find(db):
        if peer.suspended is not None and peer.suspended <= now - HIDDEN_KEPT:
            neighbours.remove_shops(db, peer.host)


def is_hidden(db: sqlite3.Connection, shop_id: str) -> bool:
    """Whether a shop is of a neighbour that is suspended."""
    shop = shop_rows.get(db, shop_id)
    peer = None if shop is None or shop.peer is None else peers.get(db, shop.peer)
    return peer is not None and peer.suspended is not None


def _check(reason: str) -> None:
    if len(reason) > REASON_MOST:
        raise errors.Invalid("long-reason", f"A reason has at most {REASON_MOST} characters.")
