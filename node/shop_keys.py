"""The keys of a shop: checked as they come from the merchant's browser, and replaced.

A browser made them and keeps the private halves; what is checked here is that the owner key signed
the sealing key for this very shop, so that what the node shows is what the merchant made.
"""

import dataclasses
import re
import sqlite3
from datetime import datetime, timedelta

from node import enquiries, errors, publications, sealing
from node.model import ChangeKind, Shop, ShopKeys, Verb
from node.store import shop_keys, shops
from node.store.times import moment

WRAPPED_MOST = 16_384  # letters: some sixty keys, one for each card there ever was
CLOCK_APART = timedelta(days=1)  # a browser's clock, and the node's

_CREATED = re.compile(r"20\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\dZ")


def read(
    shop: Shop,
    owner: str,
    key: str,
    created: str,
    signature: str,
    endorsement: str,
    wrapped: str,
    now: datetime,
) -> ShopKeys:
    """Keys as a form brought them. Raises errors.Invalid for what no careful browser sends."""
    public = sealing.decode(key, sealing.KEY)
    sealing.check_key(public)
    found = ShopKeys(
        id=sealing.fingerprint(public),
        shop=shop.id,
        owner=owner,
        sealing=key,
        created=created,
        signature=signature,
        endorsement=endorsement or None,
        wrapped=wrapped,
    )
    if not _CREATED.fullmatch(created) or not _is_about_now(created, now):
        raise errors.Invalid("bad-keys", "These keys were not made today.")
    if not is_signed(shop, found):
        raise errors.Invalid("bad-keys", "The sealing key is not signed by the owner key.")
    sealing.decode(wrapped, WRAPPED_MOST)
    if not wrapped:
        raise errors.Invalid("bad-keys", "The private halves are missing.")
    return found


def _is_about_now(created: str, now: datetime) -> bool:
    try:
        return abs(moment(created) - now) < CLOCK_APART
    except ValueError:
        return False


def is_signed(shop: Shop, keys: ShopKeys, *, by: str | None = None) -> bool:
    """Whether the owner key, or `by`, the one before, signed this sealing key for this shop."""
    statement = sealing.statement(shop.uri, keys.owner, keys.sealing, keys.created)
    try:
        owner = sealing.decode(by or keys.owner, sealing.KEY)
        signature = sealing.decode(
            (keys.endorsement or "") if by else keys.signature, sealing.SIGNATURE
        )
    except errors.Invalid:
        return False
    return sealing.is_signed(owner, signature, statement)


def put(db: sqlite3.Connection, shop: Shop, keys: ShopKeys, before: str, now: datetime) -> None:
    """Makes these the shop's keys, in the place of `before` (an id; empty for the first ones).

    With the same owner key, the new card holds what the old one did. With another one, which the
    one before may have endorsed, it does not; and where it has not, what was sealed is lost.
    Followers are told, since keys stand in the shop's actor. Raises errors.Conflict where others
    were put there meanwhile, and errors.Invalid for an endorsement that is false.
    """
    held = shop_keys.current(db, shop.id)
    if held is not None and held.id == keys.id:
        return  # sent twice
    if (held.id if held else "") != before:
        raise errors.Conflict("keys-changed", "The shop's keys were changed meanwhile.")
    if held is None:
        keys = dataclasses.replace(keys, endorsement=None)
    else:
        same_owner = held.owner == keys.owner
        if same_owner:
            keys = dataclasses.replace(keys, endorsement=None)
        elif keys.endorsement is not None and not is_signed(shop, keys, by=held.owner):
            raise errors.Invalid("bad-keys", "The owner key before did not sign these.")
        lost = not same_owner and keys.endorsement is None
        shop_keys.replace(db, held.id, now, lost=lost, carried=same_owner)
    shop_keys.add(db, keys)
    enquiries.seal_all(db, shop, keys)
    fresh = shops.get(db, shop.id)
    if fresh is not None:
        updated = publications.next_update(fresh.updated, now)
        shops.change(db, dataclasses.replace(fresh, updated=updated, seen=updated))
        publications.announce(db, ChangeKind.SHOP, shop.uri, Verb.UPDATE, updated, now)
