"""A shop's mailbox: what people on other servers ask it in private, and its answers."""

import sqlite3
import uuid
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from node import errors
from node.exchange import enquiries
from node.model import Enquiry, Listing, Shop
from node.store import accounts as account_rows
from node.store import enquiries as rows
from node.store import listings
from node.web import forms, merchant, render, sessions, state

Found = tuple[Enquiry, Listing | None, list[tuple[str, datetime]]]


async def mailbox(request: Request) -> Response:
    """`/ma-boutique/{shop}/courrier`: who asked what, the newest first."""
    desk = await merchant.desk_of(request, helped=False)
    if isinstance(desk, Response):
        return desk
    found = await state.of(request).database.read(_find, desk.shop)
    return merchant.page(request, "mailbox", desk, enquiries=found)


def _find(db: sqlite3.Connection, shop: Shop) -> list[Found]:
    return [_with_answers(db, one) for one in rows.find(db, shop.id)]


def _with_answers(db: sqlite3.Connection, one: Enquiry) -> Found:
    return one, listings.get(db, one.listing), rows.find_answers(db, one.id)


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
            words = form.text("words", enquiries.WORDS_MOST)
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
    one, listing, answers = found
    return merchant.page(
        request,
        "enquiry",
        desk,
        status=422 if problems else 200,
        enquiry=one,
        listing=listing,
        answers=answers,
        typed=words,
        form=forms.new_id(),
        errors=problems,
    )


def _home(desk: merchant.Desk) -> str:
    return f"/ma-boutique/{desk.shop.handle}/courrier"


def _get(db: sqlite3.Connection, shop: Shop, enquiry_id: str) -> Found | None:
    one = rows.get(db, enquiry_id)
    return None if one is None or one.shop != shop.id else _with_answers(db, one)


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
