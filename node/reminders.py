"""Is it still on the shelf? One mail a week to who looks after a shop, one tap that confirms all.

The link in it needs no signing in: it can do nothing but confirm, for its shop, for two weeks.
"""

import hmac
import sqlite3
from datetime import UTC, datetime, timedelta

from node import catalogue, errors, mail, phrases
from node.keyring import Keyring
from node.model import Shop
from node.store import accounts, reminders, shops
from node.translation import Translator
from node.uris import Uris

EVERY = timedelta(days=7)
LINK_LASTS = timedelta(days=14)
SHOPS_AT_ONCE = 200
_MAC = 32  # characters of it in a link


def queue_due(
    db: sqlite3.Connection, uris: Uris, site: str, ring: Keyring, say: Translator, now: datetime
) -> int:
    """Queues the mails of the week that are due; says of how many shops."""
    due = reminders.find_due(db, now - EVERY, SHOPS_AT_ONCE)
    for shop_id, count in due:
        reminders.mark(db, shop_id, now)
        shop = shops.get(db, shop_id)
        if shop is None:
            continue
        link = f"{uris.origin}/encore-en-rayon/{token(ring, shop, now)}"
        home = f"{uris.origin}/ma-boutique/{shop.handle}/epuise"
        shelf = phrases.counted(
            say,
            count,
            say("{count} of your products was not confirmed for a week."),
            say("{count} of your products were not confirmed for a week."),
        )
        text = f"{site}\n\n{shelf}\n" + say(
            "Is that still on the shelf? One tap confirms it:\n{link}\n\n"
            "Something is sold out? Say so here first:\n{home}\n"
        ).format(link=link, home=home)
        subject = say("{shop}: still on the shelf?").format(shop=" ".join(shop.name.split())[:100])
        for account in accounts.find_of_shop(db, shop_id, now):
            if account.email:
                mail.queue(db, account.email, subject, text, now)
    return len(due)


def token(ring: Keyring, shop: Shop, now: datetime) -> str:
    """What the link of a shop ends in: whose it is, until when, and that this node says so."""
    until = int((now + LINK_LASTS).timestamp())
    return f"{shop.handle}.{until}.{_mac(ring, shop.id, until)}"


def shop_of(db: sqlite3.Connection, ring: Keyring, text: str, now: datetime) -> Shop:
    """The shop of a link that holds. Raises errors.NotFound for any other."""
    handle, _, rest = text.partition(".")
    until, _, mac = rest.partition(".")
    shop = shops.get_own(db, handle)
    right = until.isascii() and until.isdecimal() and len(until) <= 12
    if (
        shop is not None
        and shop.closed is None
        and right
        and hmac.compare_digest(_mac(ring, shop.id, int(until)).encode(), mac.encode())
        and datetime.fromtimestamp(int(until), UTC) > now
    ):
        return shop
    raise errors.NotFound("link-used", "This link does not hold, or has run out.")


def confirm(db: sqlite3.Connection, ring: Keyring, text: str, now: datetime) -> int:
    """Confirms all of a shop by its link; says how many. Raises errors.NotFound."""
    return catalogue.confirm(db, shop_of(db, ring, text, now), now)


def _mac(ring: Keyring, shop_id: str, until: int) -> str:
    return ring.mac("still on the shelf", f"{shop_id} {until}").hex()[:_MAC]
