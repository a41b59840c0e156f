"""Joining in: a code that one asks for oneself, and a shop that one asks to open.

A shop is opened in four steps by whoever looks after it: its SIRET, how to reach them (proved by a
code), its hours, and read and sent. A steward then opens it or says why not.
"""

import dataclasses
import sqlite3
import uuid
from datetime import datetime, timedelta

from node import accounts, errors, hours_typed, shops, siret, words
from node.keyring import Keyring
from node.model import Account, Grant, Role, Shop
from node.store import accounts as account_rows
from node.store import applications, places
from node.store.applications import Application
from node.uris import Uris

CODES_AN_HOUR = 5  # asked for by one account
CODES_AN_HOUR_ALL = 300
CODE_AGAIN_AFTER = timedelta(seconds=60)
ASKED_KEPT = timedelta(days=1)
BEGUN_AN_HOUR = 60
BEGUN_FOR_ONE = 10  # waiting for a code, in the name of one address
BEGUN_KEPT = timedelta(days=60)


def may_have_code(db: sqlite3.Connection, account: Account | None, now: datetime) -> bool:
    """Notes that a code is asked for; says whether one is given. Never for nobody known."""
    hour = now - timedelta(hours=1)
    # Addresses nobody has are not counted: they could use up the turn of those that are known.
    if (
        account is None
        or applications.codes_asked(db, None, hour) >= CODES_AN_HOUR_ALL
        or applications.codes_asked(db, account.id, hour) >= CODES_AN_HOUR
        or applications.codes_asked(db, account.id, now - CODE_AGAIN_AFTER)
    ):
        return False
    applications.ask_code(db, account.id, now)
    return True


def ask_code(
    db: sqlite3.Connection, email: str, token: str, code: str, ring: Keyring, now: datetime
) -> Account | None:
    """Gives the account of an address a link and a code, to be sent to it. None where it may not
    have one, or where there is none: whoever asks must not be told which."""
    account = account_rows.get_by_email(db, email.strip().lower()[:320])
    if not may_have_code(db, account, now) or account is None:
        return None
    accounts.let_in(db, account, token, code, ring, now)
    return account


def prune(db: sqlite3.Connection, now: datetime) -> None:
    """Forgets who asked for a code, and shops that were begun and never sent."""
    applications.prune_codes(db, now - ASKED_KEPT)
    applications.prune(db, now - BEGUN_KEPT, now - ASKED_KEPT)


def check(db: sqlite3.Connection, one: Application) -> None:
    """Raises errors.Invalid for what no shop can be, errors.Conflict for one that is there."""
    check_number(db, one)
    check_shop(db, one)


def check_number(db: sqlite3.Connection, one: Application) -> None:
    """The same, of the SIRET."""
    known = applications.of_siret(db, siret.check(one.siret))
    if known is not None and known.account != one.account:
        raise errors.Conflict("siret-taken")


def check_shop(db: sqlite3.Connection, one: Application) -> None:
    """The same, of all the rest."""
    place = places.get(db, one.place)
    if place is None:
        raise errors.Invalid("unknown-place", fields={"commune": "is not known"})
    shops.check(
        shops.ShopDraft(
            handle="boutique_x",
            name=one.name,
            place=place,
            address=one.address or None,
            phone=one.phone or None,
        )
    )
    if not words.is_plain(one.address) or not one.address:
        raise errors.Invalid("bad-shop", fields={"address": "is needed"})


def begin(
    db: sqlite3.Connection, typed: Application, email: str, now: datetime
) -> tuple[Account, Application]:
    """Writes down what was typed for the account of an address, made where there is none.

    Anybody can type an address: it is nobody's until `claim`. Raises errors.Invalid,
    errors.Conflict, and errors.TooMany when too many are begun.
    """
    if not accounts.is_address(email):
        raise errors.Invalid("bad-email", fields={"email": "is not a mail address"})
    if applications.count_since(db, now - timedelta(hours=1)) >= BEGUN_AN_HOUR:
        raise errors.TooMany("too-many-shops", retry_after=1800)
    address = email.strip().lower()
    account = account_rows.get_by_email(db, address)
    if account is None:
        account = Account(str(uuid.uuid4()), address, now)
        account_rows.add(db, account)
    # Of the last hour only, as long as codes are good: whoever types a stranger's address again and
    # again keeps them out no longer than that.
    hour = now - timedelta(hours=1)
    recent = [one for one in applications.typed_for(db, account.id) if one.created > hour]
    if len(recent) >= BEGUN_FOR_ONE:
        raise errors.TooMany("too-many-shops", retry_after=1800)
    typed = dataclasses.replace(
        typed, account=account.id, siret=siret.check(typed.siret), proven=False
    )
    check(db, typed)
    applications.put(db, typed)
    return account, typed


def claim(db: sqlite3.Connection, account: str, asked: str) -> None:
    """Somebody showed that the address is theirs: what they typed (`asked`, its id) is theirs too.

    Where the id is not at hand, since they came by a link, it is the only one that was typed, if
    nothing is begun. One that waits for a steward is not touched.
    """
    typed = applications.typed_for(db, account)
    known = applications.of_account(db, account)
    if known is not None and known.state == "sent":
        return
    meant = [one for one in typed if one.id == asked]
    if not meant and len(typed) == 1 and (known is None or known.state != "begun"):
        meant = typed
    for one in meant:
        applications.put(db, dataclasses.replace(one, proven=True))
        applications.drop_begun(db, account, but=one.id)


def tell_hours(db: sqlite3.Connection, account: str, typed: str) -> None:
    """The hours of a shop that is being asked for. Raises errors.Invalid and errors.NotFound."""
    one = _begun(db, account)
    if typed:
        hours_typed.parse(typed)
    applications.put(db, dataclasses.replace(one, hours=typed))


def send(db: sqlite3.Connection, account: str, now: datetime) -> Application:
    """Sends it to the steward. A second time changes nothing. Raises errors.NotFound."""
    one = applications.of_account(db, account)
    if one is not None and one.state == "sent":
        return one
    one = _begun(db, account)
    check(db, one)
    sent = dataclasses.replace(one, state="sent", sent=now.replace(microsecond=0))
    applications.put(db, sent)
    return sent


def _begun(db: sqlite3.Connection, account: str) -> Application:
    one = applications.of_account(db, account)
    if one is None or one.state != "begun":
        raise errors.NotFound("nothing-begun")
    return one


def approve(
    db: sqlite3.Connection,
    uris: Uris,
    application_id: str,
    handle: str,
    made: shops.ActorKeys,
    now: datetime,
) -> Shop:
    """Opens the shop that was asked for, with what was prepared, for who asked.

    Raises errors.NotFound where it was decided already, errors.Invalid and errors.Conflict.
    """
    one = _sent(db, application_id)
    place = places.get(db, one.place)
    if place is None:
        raise errors.NotFound("unknown-place")
    draft = shops.ShopDraft(
        handle=handle,
        name=one.name,
        place=place,
        address=one.address or None,
        phone=one.phone or None,
        hours=hours_typed.parse(one.hours) if one.hours else None,
    )
    shop = shops.open_shop(db, uris, draft, made, one.shop, now)
    account_rows.add_grant(db, Grant(one.account, Role.MERCHANT, shop.id, None, None), now)
    applications.put(db, dataclasses.replace(one, state="approved"))
    return shop


def refuse(db: sqlite3.Connection, application_id: str, reason: str) -> Application:
    """Says why not. Raises errors.NotFound, and errors.Invalid where no reason is given."""
    one = _sent(db, application_id)
    if not reason or len(reason) > 1000 or not words.is_plain(reason, lines=True):
        raise errors.Invalid("no-reason", fields={"reason": "is needed"})
    refused = dataclasses.replace(one, state="refused", reason=reason)
    applications.put(db, refused)
    return refused


def send_back(db: sqlite3.Connection, application_id: str, reason: str) -> Application:
    """Says what is to be corrected: who asked mends it and sends it again.

    Raises errors.NotFound, and errors.Invalid where nothing is said.
    """
    one = _sent(db, application_id)
    if not reason or len(reason) > 1000 or not words.is_plain(reason, lines=True):
        raise errors.Invalid("no-reason", fields={"reason": "is needed"})
    back = dataclasses.replace(one, state="begun", reason=reason)
    applications.put(db, back)
    return back


def mend(db: sqlite3.Connection, account: str, typed: Application) -> None:
    """Takes what somebody corrected in what they had begun: all but its hours.

    Raises errors.NotFound, errors.Invalid and errors.Conflict.
    """
    mended = dataclasses.replace(
        _begun(db, account),
        siret=siret.check(typed.siret),
        name=typed.name,
        place=typed.place,
        address=typed.address,
        phone=typed.phone,
    )
    check(db, mended)
    applications.put(db, mended)


def _sent(db: sqlite3.Connection, application_id: str) -> Application:
    one = applications.get(db, application_id)
    if one is None or one.state != "sent":
        raise errors.NotFound("unknown-application")
    return one
