"""Reports by people and what becomes of them: notice, decision with reasons, appeal.

Regulation (EU) 2022/2065: what a notice says (article 16), the statement of reasons (17), and that
whoever does not agree is heard (20). Nothing here is decided by a machine.
"""

import re
import sqlite3
import unicodedata
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from node import accounts, catalogue, errors, hiding, news, words
from node.model import Listing, Post, Shop
from node.store import deeds, hidden, listings, notices, posts, reports
from node.store import shops as shop_rows
from node.store.notices import Appeal, Decision, Notice
from node.uris import Uris

# Why something is reported, in the order in which it is asked. The last but one of them is what
# article 16(2)(c) exempts from naming oneself.
REASONS = ("unlawful", "safety", "price", "deceit", "rights", "person", "child", "rules", "other")
ACTS = ("none", "correct", "hide", "withdraw", "suspend")
GROUNDS = ("law", "rules")

WORDS_MOST = 2000
NAME_MOST = 100
ADDRESS_MOST = 500
BASIS_MOST = 200
OPEN_MOST = 1000  # notices that nobody has decided about
OPEN_ABOUT_MOST = 50  # of them about one object
AN_HOUR_MOST = 120

# The law that a reason is most often about, to begin a decision with.
BASES = {
    "safety": "Règlement (UE) 2023/988 (sécurité générale des produits)",
    "price": "Code de la consommation, articles L112-1 et L112-1-1",
    "deceit": "Code de la consommation, articles L121-2 à L121-4",
    "rights": "Code de la propriété intellectuelle, article L335-2",
    "person": "Code civil, article 9",
    "child": "Code pénal, article 227-23",
}

APPEAL_WITHIN = timedelta(days=183)  # article 20(1): six months at least
CORRECT_WITHIN = timedelta(days=7)
FORGOTTEN_AFTER = APPEAL_WITHIN + timedelta(days=30)
DEEDS_KEPT = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Target:
    """What is reported: a listing, a shop, news or an event, or another page of this site.

    `object` is how it is known: an ActivityPub id, or an address. `own` is whether it is of this
    node; of another's, only what is shown here can be decided.
    """

    object: str
    kind: str  # listing, shop, post, page
    title: str
    url: str
    own: bool = True
    listing: Listing | None = None
    shop: Shop | None = None
    post: Post | None = None

    @property
    def updated(self) -> datetime | None:
        """When it was last changed; not known of a page."""
        it = self.listing or self.post or self.shop
        return it.updated if it else None

    @property
    def acts(self) -> tuple[str, ...]:
        """What can be done about it."""
        if self.kind == "page":
            return ("none",)
        if not self.own:
            return ("none", "hide")
        if self.kind == "listing":
            return ACTS
        if self.kind == "post":  # who writes for the commune is no shop that could be suspended
            return ACTS if self.shop is not None else ("none", "hide", "withdraw")
        return ("none", "correct", "suspend")


def find_target(db: sqlite3.Connection, uris: Uris, typed: str) -> Target | None:
    """What an address or an id means, as it stands now; None where it shows nothing of this site.

    A listing that is withdrawn, or hidden, is still found: others may still have it.
    """
    text = unicodedata.normalize("NFC", typed.strip())
    if not text or len(text) > ADDRESS_MOST or not words.is_plain(text):
        return None
    if text.startswith("/"):
        text = uris.origin + text
    listing = listings.get_by_uri(db, text)
    shop = shop_rows.get_by_uri(db, text) if listing is None else None
    match = re.fullmatch(
        r"(https?://[^/?#]{1,260})(?:/[a-z]{2})?/@([a-z0-9_]{1,30})(?:/[^/?#]{0,80}-([0-9a-f]{8}))?"
        r"/?(?:[?#].*)?",
        text,
    )
    if match is not None and listing is None and shop is None:
        shop = shop_rows.get_by_uri(db, f"{match[1]}/users/{match[2]}")
        if shop is not None and match[3]:
            listing = listings.get_by_uri_start(db, f"{shop.uri}/items/{match[3]}-")
            if listing is None:
                return None
    if listing is not None:
        owner = shop_rows.get(db, listing.shop)
        own = owner is None or owner.peer is None
        return Target(listing.uri, "listing", listing.name, listing.url, own, listing, owner)
    if shop is not None:
        return Target(shop.uri, "shop", shop.name, shop.url, shop.peer is None, None, shop)
    post = _post_at(db, uris, text)
    if post is not None:
        author = shop_rows.get(db, post.shop) if post.shop else None
        return Target(post.uri, "post", post.title, post.url, post.peer is None, None, author, post)
    if text == uris.origin or text.startswith(f"{uris.origin}/"):
        return Target(text, "page", text.removeprefix(uris.origin) or "/", text)
    return None


def _post_at(db: sqlite3.Connection, uris: Uris, text: str) -> Post | None:
    """News or an event by its id, or by the address of its page here."""
    match = re.fullmatch(
        re.escape(uris.origin)
        + r"(?:/[a-z]{2})?/(actualites|agenda)/[^/?#]{0,80}-([0-9a-f]{8})(?:[?#].*)?",
        text,
    )
    if match is None:
        return posts.get_by_uri(db, text)
    return posts.get_own(db, match[2], event=match[1] == "agenda")


# --- reporting -----------------------------------------------------------------------------------


def check(notice: Notice) -> None:
    """Raises errors.Invalid, with the fields that cannot be used."""
    fields: dict[str, str] = {}
    if notice.reason not in REASONS:
        fields["reason"] = "is needed"
    if not notice.words or len(notice.words) > WORDS_MOST:
        fields["words"] = f"are needed, at most {WORDS_MOST} characters"
    if not words.is_plain(notice.words, lines=True):
        fields["words"] = "hold characters that cannot be read"
    if len(notice.name) > NAME_MOST or not words.is_plain(notice.name):
        fields["name"] = "is too long, or cannot be read"
    if notice.email and not accounts.is_address(notice.email):
        fields["email"] = "is not a mail address"
    if fields:
        raise errors.Invalid("bad-notice", fields=fields)


def report(db: sqlite3.Connection, notice: Notice, now: datetime) -> bool:
    """Takes a notice; whether it is new. Raises errors.Invalid, errors.TooMany."""
    check(notice)
    if notices.get(db, notice.id) is not None:
        return False
    if (
        notices.count_since(db, now - timedelta(hours=1)) >= AN_HOUR_MOST
        or notices.count_open(db) >= OPEN_MOST
        or notices.count_open(db, notice.object) >= OPEN_ABOUT_MOST
    ):
        raise errors.TooMany("too-many-notices", retry_after=3600)
    return notices.add(db, notice)


# --- deciding ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Choice:
    """What a steward chose, and why."""

    act: str
    ground: str
    basis: str  # the article, or the rule
    facts: str


def check_choice(choice: Choice, target: Target) -> None:
    """Raises errors.Invalid, with the fields that cannot be used."""
    fields: dict[str, str] = {}
    if choice.act not in target.acts:
        fields["act"] = "is not one of those that can be chosen here"
    if choice.ground not in GROUNDS:
        fields["ground"] = "is needed"
    basis_wanted = choice.act != "none"
    if len(choice.basis) > BASIS_MOST or not words.is_plain(choice.basis):
        fields["basis"] = "is too long, or cannot be read"
    elif basis_wanted and not choice.basis:
        fields["basis"] = "is needed"
    if not choice.facts or len(choice.facts) > WORDS_MOST:
        fields["facts"] = "are needed"
    elif not words.is_plain(choice.facts, lines=True):
        fields["facts"] = "hold characters that cannot be read"
    if fields:
        raise errors.Invalid("bad-decision", fields=fields)


def decide(
    db: sqlite3.Connection,
    target: Target,
    choice: Choice,
    account: str,
    now: datetime,
    *,
    seen: datetime,
    forwarded: bool = False,
) -> Decision:
    """Does what was chosen, and answers by it all that was reported about the object until `seen`,
    when the steward read it. Raises errors.Invalid.
    """
    check_choice(choice, target)
    shop = target.shop
    own_shop = shop.id if shop is not None and shop.peer is None else None
    one = Decision(
        id=str(uuid.uuid4()),
        object=target.object,
        target=shop.uri if choice.act == "suspend" and shop is not None else target.object,
        title=target.title,
        shop=own_shop,
        act=choice.act,
        ground=choice.ground,
        basis=choice.basis,
        facts=choice.facts,
        account=account,
        at=now.replace(microsecond=0),
        until=now.replace(microsecond=0) + CORRECT_WITHIN if choice.act == "correct" else None,
        noticed=_is_reported(db, target.object),
        forwarded=forwarded,
        version=target.updated,
    )
    _act(db, target, choice.act, now)
    notices.add_decision(db, one)
    notices.decide(db, target.object, one.id, seen)
    _close_flags(db, target.object, now)
    deeds.add(db, account, choice.act, target.object, now)
    return one


def changed_since(db: sqlite3.Connection, uris: Uris, one: Decision) -> datetime | None:
    """When what a shop was asked to correct was changed after that; None where it was not."""
    target = find_target(db, uris, one.object)
    updated = target.updated if target else None
    return updated if one.version and updated != one.version else None


def _is_reported(db: sqlite3.Connection, about: str) -> bool:
    return notices.count_open(db, about) > 0 or any(
        about in flag.objects for flag in reports.find_open(db)
    )


def _act(db: sqlite3.Connection, target: Target, act: str, now: datetime) -> None:
    listing, shop = target.listing, target.shop
    if act == "hide" and listing is not None:
        hiding.hide_listing(db, listing, now)
    elif act == "hide" and target.kind == "shop" and shop is not None:
        hiding.hide_remote_shop(db, shop, now)
    elif target.post is not None and act == "hide":
        hiding.hide_post(db, target.post, now)
    elif target.post is not None and act == "withdraw":
        if target.post.withdrawn is None:
            news.withdraw(db, target.post.id, now)
        else:
            hidden.remove(db, target.post.uri)
    elif act == "withdraw" and listing is not None:
        if listing.withdrawn is None:
            catalogue.withdraw(db, listing.id, now)
        else:
            hiding.withdraw_hidden(db, listing)
    elif act == "suspend" and shop is not None and shop.closed is None:
        hiding.suspend(db, shop, now)


def _close_flags(db: sqlite3.Connection, decided: str, now: datetime) -> None:
    """What another server reported is looked into once each object that it names was decided on."""
    for flag in reports.find_open(db):
        if decided in flag.objects and all(
            any(one.at >= flag.at for one in notices.find_decisions_about(db, uri))
            for uri in flag.objects
        ):
            reports.close(db, flag.id, now)


def lift(db: sqlite3.Connection, uris: Uris, about: str, account: str, now: datetime) -> None:
    """Shows again what was hidden or suspended. Raises errors.NotFound."""
    if not hidden.exists(db, about):
        raise errors.NotFound("not-hidden")
    target = find_target(db, uris, about)
    if target is None:  # its own node has removed it since
        hidden.remove(db, about)
    elif target.listing is not None:
        hiding.show_listing(db, target.listing, now)
    elif target.post is not None:
        hiding.show_post(db, target.post, now)
    elif target.shop is not None and target.own:
        hiding.reinstate(db, target.shop, now)
    elif target.shop is not None:
        hiding.show_remote_shop(db, target.shop)
    notices.lift(db, about, now)
    deeds.add(db, account, "lift", about, now)


# --- appeals -------------------------------------------------------------------------------------


def may_appeal(db: sqlite3.Connection, decision: Decision, notice: str, now: datetime) -> bool:
    """Whether a side ("" is the shop) may say still that it does not agree."""
    return (
        now <= decision.at + APPEAL_WITHIN
        and notices.get_appeal(db, decision.id, notice) is None
        and not (notice == "" and (decision.shop is None or decision.act == "none"))
    )


def appeal(
    db: sqlite3.Connection, decision_id: str, notice: str, said: str, now: datetime
) -> Decision:
    """Takes an appeal. Raises errors.Invalid, errors.NotFound where there is none to be had."""
    if not said or len(said) > WORDS_MOST or not words.is_plain(said, lines=True):
        raise errors.Invalid("bad-appeal", fields={"words": "are needed"})
    decision = notices.get_decision(db, decision_id)
    if decision is None or not may_appeal(db, decision, notice, now):
        raise errors.NotFound("no-appeal")
    one = Appeal(str(uuid.uuid4()), decision.id, notice, said, now.replace(microsecond=0))
    notices.add_appeal(db, one)
    return decision


def answer(
    db: sqlite3.Connection,
    uris: Uris,
    one: Appeal,
    outcome: str,
    reasons: str,
    account: str,
    now: datetime,
) -> None:
    """Answers an appeal. What is changed for the shop is shown again where it can be; what is
    changed for who reported is open again. Raises errors.Invalid, errors.Conflict."""
    fields: dict[str, str] = {}
    if outcome not in ("kept", "changed"):
        fields["outcome"] = "is needed"
    if not reasons or len(reasons) > WORDS_MOST or not words.is_plain(reasons, lines=True):
        fields["answer"] = "is needed"
    if fields:
        raise errors.Invalid("bad-answer", fields=fields)
    decision = notices.get_decision(db, one.decision)
    if decision is None or not notices.answer_appeal(db, one.id, outcome, reasons, now):
        raise errors.Conflict("answered")
    deeds.add(db, account, f"appeal-{outcome}", decision.object, now)
    if outcome == "changed" and one.notice:
        notices.reopen(db, one.notice)
    elif outcome == "changed" and hidden.exists(db, decision.target):
        lift(db, uris, decision.target, account, now)


def prune(db: sqlite3.Connection, now: datetime) -> None:
    """Forgets who reported and what they wrote, once nobody can appeal; counts stay."""
    notices.forget(db, now - FORGOTTEN_AFTER)
    deeds.prune(db, now - DEEDS_KEPT)
