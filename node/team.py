"""Who looks after a shop: owners and sellers by grants, and helpers of the town hall by consent.

A seller does everything at the counter and decides nothing about people. A helper is a steward
whom an owner has let in for some days; whatever one does there is written down for the owner.
"""

import sqlite3
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from node import accounts, errors
from node.model import Account, Grant, Role, Shop
from node.store import accounts as account_rows
from node.store import helpers

PEOPLE_MOST = 20
CONSENT_LASTS = timedelta(days=7)
DEEDS_KEPT = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who looks after a shop."""

    account: Account
    owner: bool


def members(db: sqlite3.Connection, shop: Shop, now: datetime) -> list[Member]:
    """Who they are, owners first."""
    found = [
        Member(account, _role(db, account, shop, now) is Role.MERCHANT)
        for account in account_rows.find_of_shop(db, shop.id, now)
    ]
    return sorted(found, key=lambda member: (not member.owner, member.account.email or ""))


def _role(db: sqlite3.Connection, account: Account, shop: Shop, now: datetime) -> Role | None:
    """The higher one, of who has both."""
    roles = {
        grant.role
        for grant in account_rows.find_grants(db, account.id, now)
        if grant.shop == shop.id
    }
    return next((role for role in (Role.MERCHANT, Role.SELLER) if role in roles), None)


def add(db: sqlite3.Connection, shop: Shop, email: str, role: Role, now: datetime) -> Account:
    """Lets the account of an address look after a shop; whoever does already takes the new role.

    It gives no way in: that is asked for by the person, at their own address. Raises
    errors.Invalid, and errors.TooMany for too many people.
    """
    if role not in (Role.MERCHANT, Role.SELLER):
        raise errors.Invalid("bad-role", fields={"role": "is none"})
    if not accounts.is_address(email):
        raise errors.Invalid("bad-email", fields={"email": "is not a mail address"})
    there = members(db, shop, now)
    address = email.strip().lower()
    account = account_rows.get_by_email(db, address)
    if account is None or account.id not in {member.account.id for member in there}:
        if len(there) >= PEOPLE_MOST:
            raise errors.TooMany("team-full")
    else:
        _keep_an_owner(there, account.id, role)
        account_rows.remove_grant(db, account.id, shop.id)
    if account is None:
        account = Account(str(uuid.uuid4()), address, now)
        account_rows.add(db, account)
    account_rows.add_grant(db, Grant(account.id, role, shop.id, None, None), now)
    return account


def remove(db: sqlite3.Connection, shop: Shop, account: str, now: datetime) -> None:
    """Takes a shop from somebody, at once. Raises errors.Conflict for the last owner."""
    _keep_an_owner(members(db, shop, now), account, None)
    account_rows.remove_grant(db, account, shop.id)


def _keep_an_owner(there: list[Member], account: str, role: Role | None) -> None:
    owners = {member.account.id for member in there if member.owner}
    if role is not Role.MERCHANT and owners == {account}:
        raise errors.Conflict("last-owner", "A shop keeps one owner at least.")


def agree(db: sqlite3.Connection, shop: Shop, account: Account, now: datetime) -> None:
    """An owner lets helpers in, for a week."""
    helpers.prune(db, now - DEEDS_KEPT)
    helpers.agree(db, shop.id, account.id, now + CONSENT_LASTS, now)
