"""The mail that tells a shop of a reservation: a code and two links, and no personal word.

Not even what was reserved: mail is read in many places.
"""

import contextlib
import sqlite3
from collections.abc import Callable
from datetime import datetime

from node import accounts, errors, mail
from node.model import Reservation, ReservationState, Shop
from node.store import accounts as account_rows
from node.store import reservations
from node.translation import Translator
from node.uris import Uris


def tell(
    db: sqlite3.Connection,
    uris: Uris,
    say: Translator,
    shop: Shop,
    one: Reservation,
    new_token: Callable[[], str],
    now: datetime,
) -> None:
    """Writes down a mail for everybody who looks after the shop, with links that hold for one use.

    Who cannot be written to finds it in the list of reservations.
    """
    people = [person for person in account_rows.find_of_shop(db, shop.id, now) if person.email]
    if not people:
        return
    links = {}
    for act in (ReservationState.READY, ReservationState.UNAVAILABLE):
        token = new_token()
        reservations.add_link(db, accounts.hash_of(token), one.id, act)
        links[act] = f"{uris.origin}/avis/{token}"
    text = say(
        "A reservation waits: {code}.\n\n"
        "It is ready:\n{ready}\n\n"
        "It is no longer available:\n{unavailable}\n\n"
        "All reservations, and what was written to you:\n{list}\n"
    ).format(
        code=one.code,
        ready=links[ReservationState.READY],
        unavailable=links[ReservationState.UNAVAILABLE],
        list=f"{uris.origin}/ma-boutique/{shop.handle}/reservations",
    )
    subject = say("{shop}: a reservation waits").format(shop=shop.name)
    for person in people:
        with contextlib.suppress(errors.TooMany, errors.Invalid):
            mail.queue(db, person.email or "", subject, text, now, until=one.expires)
