"""Answers to a listing of ours: a private one is an enquiry in the shop's mailbox, a public one is
counted. An Offer of FEP-0837 gets the address where things are reserved instead.

What is asked in private is the shop's and nobody else's: its words stand in the mailbox alone, are
not in the index, in no log and in no document, and go when their author or the shop deletes them,
or when they are old. `node/enquiries.py` keeps them, sealed.
"""

import html
import json
import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from federation import activities, actors, client, documents
from federation.errors import Refused
from node import enquiries, errors
from node.enquiries import WORDS_MOST
from node.exchange import outbox, values
from node.exchange.context import Apply, Context
from node.model import Enquiry, Shop
from node.store import enquiries as rows
from node.store import listings, reactions, remote_actors
from node.store import shops as shop_rows
from node.store.times import stamp
from node.uris import Uris

OF_SHOP_MOST = 2000
OF_ACTOR_MOST = 50
OF_HOST_MOST = 200  # of one server's people, so that none fills the mailbox alone
KEPT = timedelta(days=90)
RECIPIENTS_READ = 20
REACTIONS_MOST = 10_000  # of a kind to one object: whoever comes later is not counted
REACTIONS_OF_HOST_MOST = 500
REPLIES_OF_ACTOR_MOST = 5

# --- what comes in -------------------------------------------------------------------------------


def about(found: dict[str, Any]) -> str | None:
    """The id of the note that a note answers, where it answers any."""
    return documents.identifier(documents.first(found.get("inReplyTo")))


@dataclass(frozen=True, slots=True)
class TakeReply:
    """A reply to something of ours, its author certain, to be counted or kept."""

    uris: Uris
    found: dict[str, Any]
    author: str
    enquiry_id: str
    now: datetime

    @property
    def is_private(self) -> bool:
        """Whether nobody but those it names was meant to read it."""
        return not documents.is_public(self.found)

    def __call__(self, db: sqlite3.Connection) -> None:
        """Writes it. Raises Refused for what answers nothing of ours."""
        target = about(self.found) or ""
        before = rows.get_by_answer(db, target)
        named = self.uris.listing_of(target)
        listing = listings.get(db, before.listing if before else named[1] if named else "")
        shop = shop_rows.get(db, listing.shop) if listing else None
        if listing is None or shop is None or shop.peer is not None or shop.closed is not None:
            raise Refused("answers-nothing-here", target)
        if listing.withdrawn is not None:
            raise Refused("answers-nothing-here", target)
        uri = documents.check_id(self.found.get("id"))
        if not self.is_private:
            count_reaction(db, listing.uri, "Reply", self.author, uri, self.now)
        elif shop.uri in self._recipients():
            self._keep(db, uri, listing.id, shop)

    def _recipients(self) -> list[str]:
        return documents.strings(self.found.get("to"), RECIPIENTS_READ)

    def _keep(self, db: sqlite3.Connection, uri: str, listing_id: str, shop: Shop) -> None:
        words = documents.text(values.plain(self.found.get("content")), WORDS_MOST)
        stored = remote_actors.get(db, self.author)
        if words is None or stored is None:
            raise Refused("nothing-asked", uri)
        asker = actors.from_document(json.loads(stored[0]))
        if asker.inbox is None:
            raise Refused("no-inbox", self.author)
        host = documents.address(self.author)[1]
        known = rows.get_by_uri(db, uri)
        if known is not None and known.shop != shop.id:
            # Its words would be sealed to one shop's key and lie in the mailbox of another.
            raise Refused("enquiry-of-another-shop", uri)
        if known is None and (
            rows.count(db, shop.id) >= OF_SHOP_MOST
            or rows.count(db, shop.id, self.author) >= OF_ACTOR_MOST
            or rows.count(db, shop.id, host=host) >= OF_HOST_MOST
        ):
            raise Refused("too-many-enquiries", self.author)
        enquiries.keep(
            db,
            shop,
            Enquiry(
                id=self.enquiry_id,
                uri=uri,
                shop=shop.id,
                listing=listing_id,
                actor=self.author,
                name=f"@{asker.preferred_username or 'actor'}@{host}",
                host=host,
                inbox=asker.inbox,
                words=words,
                at=self.now,
            ),
        )


def receive(context: Context, found: dict[str, Any], author: str) -> Apply:
    """What to write for a note that answers another, and whose author is certain."""
    return TakeReply(context.uris, found, author, context.new_id(), context.clock())


def count_reaction(
    db: sqlite3.Connection, obj: str, kind: str, actor: str, uri: str, now: datetime
) -> None:
    """Counts what somebody did with an object of ours, as far as that goes."""
    host = documents.address(actor)[1]
    if (
        reactions.count(db, obj, kind) < REACTIONS_MOST
        and reactions.count(db, obj, kind, host=host) < REACTIONS_OF_HOST_MOST
        and reactions.count(db, obj, kind, actor=actor) < REPLIES_OF_ACTOR_MOST
    ):
        reactions.put(db, obj, kind, actor, uri, host, now)


async def receive_offer(
    context: Context, activity: dict[str, Any], actor: str, budget: client.Budget
) -> Apply | None:
    """An Offer of an Agreement (FEP-0837), which must be answered: nothing is bought here, so it
    is a Reject that names the page where the thing can be reserved. It is not kept."""
    agreement = documents.first(activity.get("object"))
    if not isinstance(agreement, dict) or documents.type_of(agreement) != "Agreement":
        return None
    wanted = documents.first(agreement.get("stipulates"))
    intent = wanted.get("satisfies") if isinstance(wanted, dict) else None
    uri = (documents.identifier(documents.first(intent)) or "").partition("#")[0]
    named = context.uris.listing_of(uri)
    offer_id = documents.check_id(activity.get("id"), fragment=True)
    who = await context.resolver.actor(actor, budget=budget)
    if named is None or who.inbox is None:
        raise Refused("not-ours", f"Offer for {uri}")
    return Decline(context, named, offer_id, actor, who.inbox)


@dataclass(frozen=True, slots=True)
class Decline:
    """The Reject of an Offer."""

    context: Context
    named: tuple[str, str]
    offer_id: str
    actor: str
    inbox: str

    def __call__(self, db: sqlite3.Connection) -> None:
        """Writes it down for delivery. Raises Refused for what is no listing of ours."""
        handle, listing_id = self.named
        listing = listings.get(db, listing_id)
        shop = shop_rows.get_own(db, handle)
        if listing is None or shop is None or listing.shop != shop.id or shop.closed is not None:
            raise Refused("not-ours", f"Offer for {listing_id}")
        say = self.context.publisher.say(listing.language)
        link = html.escape(listing.url)
        words = html.escape(say("Please reserve it on the shop’s page:"), quote=False)
        reject = activities.activity(
            "Reject",
            f"{shop.uri}#reject/{self.context.new_id()}",
            shop.uri,
            self.offer_id,
            to=[self.actor],
        )
        reject["content"] = f'<p>{words} <a href="{link}">{link}</a></p>'
        reject["url"] = listing.url
        outbox.send(db, reject, handle, self.inbox, self.context.clock())


# --- what a shop does ----------------------------------------------------------------------------


def answer(
    db: sqlite3.Connection,
    enquiry_id: str,
    words: str,
    new_id: Callable[[], str],
    now: datetime,
) -> Enquiry:
    """Answers an enquiry: a note to the one who asked, and to nobody else.

    Raises errors.NotFound, errors.Invalid.
    """
    enquiry = get(db, enquiry_id)
    shop = shop_rows.get(db, enquiry.shop)
    if shop is None or shop.closed is not None:
        raise errors.NotFound("unknown-shop", "The shop is closed.")
    said = documents.text(words, WORDS_MOST + 1)
    if said is None or len(said) > WORDS_MOST:
        detail = f"An answer has 1 to {WORDS_MOST} characters."
        raise errors.Invalid("bad-answer", detail, fields={"words": detail})
    uri = f"{shop.uri}/answers/{new_id()}"
    enquiries.keep_answer(db, shop, enquiry, uri, said, now)
    create = activities.activity(
        "Create",
        f"{uri}/activity",
        shop.uri,
        _note(uri, shop, enquiry, said, now),
        to=[enquiry.actor],
        published=now,
    )
    outbox.send(db, create, shop.handle, enquiry.inbox, now)
    return enquiry


def _note(uri: str, shop: Shop, enquiry: Enquiry, said: str, now: datetime) -> dict[str, Any]:
    text = re.sub(r"\n+", "<br>", html.escape(said, quote=False))
    name = html.escape(enquiry.name, quote=False)
    mention = f'<a href="{html.escape(enquiry.actor)}" class="u-url mention">{name}</a>'
    return {
        "id": uri,
        "type": "Note",
        "attributedTo": shop.uri,
        "inReplyTo": enquiry.uri,
        "to": [enquiry.actor],
        "cc": [],
        "published": stamp(now),
        "content": f"<p>{mention} {text}</p>",
        "tag": [{"type": "Mention", "href": enquiry.actor, "name": enquiry.name}],
        "attachment": [],
    }


def get(db: sqlite3.Connection, enquiry_id: str) -> Enquiry:
    """The enquiry of that id. Raises errors.NotFound."""
    enquiry = rows.get(db, enquiry_id)
    if enquiry is None:
        raise errors.NotFound("unknown-enquiry", f"There is no enquiry {enquiry_id}.")
    return enquiry
