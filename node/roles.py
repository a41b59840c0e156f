"""Who may do what at the desk (`/gestion`): one table, and what is not in it only stewards may.

steward      all of it
association  the merchants' association: opens shops, answers who asks for one, hands codes over
agent        accompanies merchants: reads shops and requests, hands codes over to merchants
auditor      reads every page but those that say who reported something, and changes nothing
publisher    writes news and events on pages of its own; nothing here
"""

import sqlite3
from collections.abc import Iterable
from datetime import datetime

from node import errors
from node.model import Role
from node.store import accounts

DESK = (Role.STEWARD, Role.ASSOCIATION, Role.AGENT, Role.AUDITOR)

_READS = "GET"
_DOES = "POST"
_SHOPS = frozenset((Role.ASSOCIATION,))
_HELP = frozenset((Role.ASSOCIATION, Role.AGENT))

# Who reported or contests something, with their words, is for those who decide about it.
_PERSONAL = frozenset(
    (
        "/gestion/signalements/{id}",
        "/gestion/examiner",
        "/gestion/contestations/{id}",
    )
)

# Pages as the URL table has them, and who may beside stewards.
TABLE: dict[tuple[str, str], frozenset[Role]] = {
    ("/gestion", _READS): _HELP,
    ("/gestion/demandes/{id}", _READS): _HELP,
    ("/gestion/demandes/{id}", _DOES): _SHOPS,
    ("/gestion/codes", _DOES): _HELP,
    ("/gestion/boutiques/ajouter", _READS): _SHOPS,
    ("/gestion/boutiques/ajouter", _DOES): _SHOPS,
    ("/gestion/boutiques/{handle}", _READS): _HELP,
    ("/gestion/boutiques/{handle}/inviter", _DOES): _SHOPS,
    ("/gestion/voisins", _READS): _HELP,
    ("/gestion/voisins/{host}", _READS): _HELP,
}


def may(held: Iterable[Role], page: str, method: str) -> bool:
    """Whether somebody with these roles may ask for a page of the desk in that way."""
    roles = frozenset(held)
    if Role.STEWARD in roles:
        return True
    doing = _READS if method in ("GET", "HEAD") else _DOES
    if doing == _READS and Role.AUDITOR in roles and page not in _PERSONAL:
        return True
    return bool(roles & TABLE.get((page, doing), frozenset()))


def check_may_let_in(db: sqlite3.Connection, by: str, target: str | None, now: datetime) -> None:
    """Whoever hands a way in over could use it: to accounts of the desk only a steward may.

    Both are ids of accounts; a target of None is an account that is yet to be made. Raises
    errors.Forbidden.
    """
    if target is None or target == by or _holds(db, by, (Role.STEWARD,), now):
        return
    if _holds(db, target, (*DESK, Role.PUBLISHER), now):
        raise errors.Forbidden("above-oneself", "Only a steward lets people of the desk in.")


def _holds(db: sqlite3.Connection, account: str, roles: Iterable[Role], now: datetime) -> bool:
    wanted = frozenset(roles)
    return any(grant.role in wanted for grant in accounts.find_grants(db, account, now))


def remove(db: sqlite3.Connection, account: str, role: Role, now: datetime) -> None:
    """Takes a role of the desk away. Raises errors.Conflict for the last steward's."""
    if role is Role.STEWARD:
        others = [one for one in accounts.find_with_role(db, role, now) if one.id != account]
        if not any(one.email for one in others):
            raise errors.Conflict("last-steward", "A node keeps a steward who can sign in.")
    accounts.remove_role(db, account, role)
