"""A shop's mailbox: what people on other servers ask it in private, and its answers."""

import sqlite3
import uuid
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from node import errors, sealing
from node.enquiries import WORDS_MOST
from node.exchange import enquiries
from node.model import Enquiry, EnquiryAnswer, Listing, Shop
from node.store import accounts as account_rows
from node.store import enquiries as rows
from node.store import listings, shop_keys
from node.web import forms, merchant, middleware, render, sessions, state

PAGE = 50
PAGES_MOST = 100  # no mailbox holds more


@dataclass(frozen=True, slots=True)
class Letter:
    """An enquiry or an answer, as its page shows it: `sealed` is what the browser opens."""

    uri: str
    at: datetime
    words: str
    key: str | None
    sealed: str
    lost: bool
    failed: datetime | None = None  # of an answer: when it was given up


@dataclass(frozen=True, slots=True)
class Found:
    """An enquiry with all around it."""

    enquiry: Enquiry
    letter: Letter
    listing: Listing | None
    answers: list[Letter]


async def mailbox(request: Request) -> Response:
    """`/ma-boutique/{shop}/courrier`: who asked what, the newest first."""
    desk = await merchant.desk_of(request, helped=False)
    if isinstance(desk, Response):
        return desk
    typed = request.query_params.get("page", "1")
    number = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) <= 3 else 1
    number = min(max(number, 1), PAGES_MOST)
    found, has_keys = await state.of(request).database.read(_find, desk.shop, number)
    return merchant.page(
        request,
        "mailbox",
        desk,
        enquiries=found[:PAGE],
        more=len(found) > PAGE,
        number=number,
        has_keys=has_keys,
    )


def _find(
    db: sqlite3.Connection, shop: Shop, number: int
) -> tuple[list[tuple[Enquiry, Listing | None, bool]], bool]:
    """Who wrote about what, and whether it was answered: without the words."""
    found = [
        (one, listings.get(db, one.listing), rows.has_answers(db, one.id))
        for one in rows.find(db, shop.id, PAGE + 1, (number - 1) * PAGE)
    ]
    return found, shop_keys.current(db, shop.id) is not None


async def enquiry(request: Request) -> Response:
    """`…/courrier/{id}`: one of them: read, answered to the one who asked, or deleted."""
    desk = await merchant.desk_of(request, helped=False)
    if isinstance(desk, Response):
        return desk
    site = state.of(request)
    enquiry_id = request.path_params["id"]
    words, problems = "", {}
    if request.method == "POST":
        async with forms.read(request) as form:
            deed, sent_as = form.line("deed", 10), form.line("form", 40)
            words = form.text("words", WORDS_MOST)
        try:
            if deed == "delete":
                await site.database.write(_remove, desk.shop, enquiry_id)
            else:
                await site.database.write(_answer, desk, enquiry_id, words, sent_as, site.clock())
            done = "supprime" if deed == "delete" else "repondu"
            return sessions.see_other(request, f"{_home(desk)}?fait={done}")
        except errors.NotFound:
            return await render.error(request, 404)
        except errors.Invalid:
            say = render.speak(request)
            problems["words"] = say("Write an answer, of at most 5,000 characters.")
    found = await site.database.read(_get, desk.shop, enquiry_id)
    if found is None:
        return await render.error(request, 404)
    # Only where there is something to open does the page run a script.
    sealed = any(one.sealed for one in (found.letter, *found.answers))
    return merchant.page(
        request,
        "enquiry",
        desk,
        status=422 if problems else 200,
        headers=middleware.WITH_SCRIPT if sealed else None,
        script=site.assets.address("mailbox.js"),
        sealed=sealed,
        who=found.enquiry.name,
        enquiry_id=found.enquiry.id,
        enquiry=found.letter,
        listing=found.listing,
        answers=found.answers,
        typed=words,
        form=forms.new_id(),
        errors=problems,
    )


def _home(desk: merchant.Desk) -> str:
    return f"/ma-boutique/{desk.shop.handle}/courrier"


def _get(db: sqlite3.Connection, shop: Shop, enquiry_id: str) -> Found | None:
    one = rows.get(db, enquiry_id)
    if one is None or one.shop != shop.id:
        return None
    lost = {keys.id for keys in shop_keys.find(db, shop.id) if keys.lost}
    answers = [_letter(answer, lost) for answer in rows.find_answers(db, one.id)]
    return Found(one, _letter(one, lost), listings.get(db, one.listing), answers)


def _letter(one: Enquiry | EnquiryAnswer, lost: set[str]) -> Letter:
    return Letter(
        uri=one.uri,
        at=one.at,
        words=one.words,
        key=one.key,
        sealed="" if one.sealed is None else sealing.encode(one.sealed),
        lost=one.key in lost,
        failed=one.failed if isinstance(one, EnquiryAnswer) else None,
    )


def _answer(
    db: sqlite3.Connection,
    desk: merchant.Desk,
    enquiry_id: str,
    words: str,
    form: str,
    now: datetime,
) -> None:
    if _get(db, desk.shop, enquiry_id) is None:
        raise errors.NotFound("unknown-enquiry")
    if form and account_rows.get_sent(db, desk.account.id, form) is not None:
        return  # a second tap
    enquiries.answer(db, enquiry_id, words, lambda: str(uuid.uuid4()), now)
    if form:
        account_rows.add_sent(db, desk.account.id, form, _home(desk), now)


def _remove(db: sqlite3.Connection, shop: Shop, enquiry_id: str) -> None:
    if _get(db, shop, enquiry_id) is not None:  # a second tap finds it done
        rows.remove(db, enquiry_id)
