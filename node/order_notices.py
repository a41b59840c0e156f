"""The mails that tell a shop of an order, and of a withdrawal: a code, and no personal word."""

import contextlib
import sqlite3
from datetime import datetime

from node import errors, mail
from node.model import Reservation, Shop
from node.orders import ANSWERED_WITHIN
from node.store import accounts
from node.translation import Translator
from node.uris import Uris


def ordered(
    db: sqlite3.Connection,
    uris: Uris,
    say: Translator,
    shop: Shop,
    one: Reservation,
    now: datetime,
) -> None:
    """Writes down a mail for everybody who looks after the shop: an order waits."""
    subject = say("{shop}: an order waits").format(shop=shop.name)
    text = say(
        "An order waits: {code}.\n\n"
        "Accept it or refuse it within {days} days, else it lapses. "
        "All orders and reservations, and what was written to you:\n{list}\n"
    ).format(code=one.code, days=ANSWERED_WITHIN.days, list=_list(uris, shop))
    _tell(db, shop, subject, text, now)


def withdrawn(
    db: sqlite3.Connection,
    uris: Uris,
    say: Translator,
    shop: Shop,
    one: Reservation,
    now: datetime,
) -> None:
    """Writes down a mail for everybody who looks after the shop: a customer has withdrawn."""
    subject = say("{shop}: a customer has withdrawn").format(shop=shop.name)
    text = say(
        "The customer of order {code} has withdrawn from the contract.\n\n"
        "What was paid is to be paid back within 14 days; you may wait until the goods are back. "
        "What was written to you:\n{list}\n"
    ).format(code=one.code, list=_list(uris, shop))
    _tell(db, shop, subject, text, now)


def _list(uris: Uris, shop: Shop) -> str:
    return f"{uris.origin}/ma-boutique/{shop.handle}/reservations"


def _tell(db: sqlite3.Connection, shop: Shop, subject: str, text: str, now: datetime) -> None:
    """Who cannot be written to finds it in the list."""
    for person in accounts.find_of_shop(db, shop.id, now):
        with contextlib.suppress(errors.TooMany, errors.Invalid):
            mail.queue(db, person.email or "", subject, text, now)
