"""How a merchant publishes from a phone: photo, name, price; then whatever describes it better.

What was begun and cannot be published yet is kept as a draft. Nothing here needs a script.
"""

import dataclasses
import sqlite3
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from node import (
    catalogue,
    categories,
    duties,
    errors,
    importing_goods,
    media,
    particulars,
    prices,
    shops,
)
from node.model import Condition, Contact, Listing, Particulars, Photo, Shop
from node.store import accounts as account_rows
from node.store import drafts, listings, photos, places
from node.store import particulars as particulars_rows
from node.uris import Uris
from node.web import (
    cards,
    choosing,
    duties_form,
    forms,
    listing_form,
    merchant,
    particulars_said,
    practical,
    render,
    sessions,
    state,
)

DRAFTS_MOST = 50
DRAFTS_KEPT = timedelta(days=30)
INCOMPLETE_KEPT = timedelta(days=3650)


async def add(request: Request) -> Response:
    """`/ma-boutique/{shop}/ajouter`: photo, name, price: published. Or kept for later.

    Where the law asks more of what stands on this shelf, the same page comes back with just that.
    """
    desk = await merchant.desk_of(request)
    if isinstance(desk, Response):
        return desk
    site = state.of(request)
    if request.method != "POST":
        return await _begun(request, desk)
    async with forms.read(request, photo=True) as form:
        typed = listing_form.typed_in(form)
        later = form.is_set("later")
        sent = await site.database.read(account_rows.get_sent, desk.account.id, typed.form)
        if sent is not None:
            return sessions.see_other(request, sent)
        known = await site.database.read(_known, desk.shop, typed.form)
        typed = listing_form.over(typed, known.kept)
        typed, photo, problems = await _photo(request, desk, form, typed)
    say = render.speak(request)
    if later and not problems:
        await site.database.write(_keep, desk.shop, typed, site.clock())
        return sessions.see_other(
            request, f"/ma-boutique/{desk.shop.handle}/produits?fait=garde#drafts"
        )
    draft, found = listing_form.draft_of(
        say, typed, None, site.settings.node.languages[0], known.makers, known.itself
    )
    problems |= found
    incomplete = False
    if not problems and draft is not None:
        draft = dataclasses.replace(draft, photos=(photo,) if photo else ())
        try:
            shelved = duties_form.shelved(draft)
            duties.require(shelved, site.law)
            if duties.asked(shelved, site.law):
                draft = shelved  # what was asked for was seen, and with it the shelf
            where = await site.database.write(_publish, site.uris, desk, typed, draft, site.clock())
            return sessions.see_other(request, where)
        except errors.NodeError as error:
            incomplete = error.code == "incomplete-listing"
            problems = duties_form.problems_of(error, say, shelved, site.law)
    await site.database.write(_keep, desk.shop, typed, site.clock(), kept=incomplete)
    return _form(
        request,
        "add",
        desk,
        typed,
        problems,
        photo=photo,
        known=known,
        incomplete=incomplete,
    )


@dataclass(frozen=True, slots=True)
class Known:
    """What a shop has told before: of a draft, of makers, of itself."""

    kept: Mapping[str, str]
    makers: tuple[Particulars, ...]
    itself: Contact | None


def _known(db: sqlite3.Connection, shop: Shop, form: str = "") -> Known:
    draft = drafts.get(db, shop.id, form) if form else None
    place = places.get(db, shop.place) if shop.place else None
    postal = ", ".join(part for part in (shop.address, place.name if place else None) if part)
    return Known(
        draft.fields if draft else {},
        particulars_rows.find_makers(db, shop.id),
        Contact(shop.name, postal, shop.url) if shop.address else None,
    )


async def _begun(request: Request, desk: merchant.Desk) -> Response:
    """The empty form, or a draft where one is named, with what it still lacks."""
    site = state.of(request)
    draft_id = request.query_params.get("brouillon", "")[:40]
    known = await site.database.read(_known, desk.shop, draft_id)
    if not draft_id:
        return _form(request, "add", desk, listing_form.Typed(forms.new_id()), {}, known=known)
    draft = await site.database.read(drafts.get, desk.shop.id, draft_id)
    if draft is None:
        return await render.error(request, 404)
    typed = listing_form.typed_from(draft.id, draft.fields)
    photo = None
    if typed.kept:
        photo = await site.database.read(
            photos.get_draft, typed.kept, desk.shop.id, typed.name, site.clock()
        )
    return _form(request, "add", desk, typed, {}, photo=photo, known=known)


def _keep(
    db: sqlite3.Connection,
    shop: Shop,
    typed: listing_form.Typed,
    now: datetime,
    *,
    kept: bool = False,
) -> None:
    """Keeps what was typed, and its photo with it. A form with nothing in it is no draft.

    What is incomplete (`kept`) stays until somebody erases it; beyond the bound, as any draft.
    """
    if not typed.form or not (typed.name or typed.price or typed.kept):
        return
    kept = kept and drafts.count_kept(db, shop.id) < importing_goods.INCOMPLETE_MOST
    drafts.put(db, typed.form, shop.id, listing_form.kept_of(typed), now, kept=kept)
    drafts.drop_oldest(db, shop.id, DRAFTS_MOST)
    drafts.prune(db, now - DRAFTS_KEPT)
    if typed.kept:
        photos.keep(db, typed.kept, shop.id, now + (INCOMPLETE_KEPT if kept else DRAFTS_KEPT))


async def drop(request: Request) -> Response:
    """`/ma-boutique/{shop}/brouillons/{id}/effacer`: a draft that is not wanted."""
    desk = await merchant.desk_of(request)
    if isinstance(desk, Response):
        return desk
    async with forms.read(request):
        pass
    await state.of(request).database.write(drafts.remove, desk.shop.id, request.path_params["id"])
    return sessions.see_other(request, f"/ma-boutique/{desk.shop.handle}/produits?fait=efface")


def _publish(
    db: sqlite3.Connection,
    uris: Uris,
    desk: merchant.Desk,
    typed: listing_form.Typed,
    draft: catalogue.ListingDraft,
    now: datetime,
) -> str:
    """Publishes, once for each form; says where to go on."""
    sent = account_rows.get_sent(db, desk.account.id, typed.form) if typed.form else None
    if sent is not None:
        return sent
    shop = shops.get_open(db, desk.shop.handle)
    if not typed.again:
        like = draft.name.casefold()
        for other in listings.find_of_shop(db, shop.id, merchant.LISTED_MOST):
            if other.name.casefold() == like:
                raise errors.Conflict("same-name", other.name)
    listing = catalogue.publish(db, uris, shop, draft, lambda: str(uuid.uuid4()), now)
    _keep_maker(db, shop, draft, now)
    where = f"/ma-boutique/{shop.handle}/produits/{listing.id}?fait=publie"
    if typed.form:
        drafts.remove(db, shop.id, typed.form)
        account_rows.add_sent(db, desk.account.id, typed.form, where, now)
    return where


def _keep_maker(
    db: sqlite3.Connection, shop: Shop, draft: catalogue.ListingDraft, now: datetime
) -> None:
    """Who makes the goods of a brand is typed once."""
    said = draft.particulars
    if said.brand and said.maker is not None:
        particulars_rows.keep_maker(db, shop.id, said, now, particulars.MAKERS_MOST)


async def change(request: Request) -> Response:
    """`/ma-boutique/{shop}/produits/{id}`: all that can be said of a listing."""
    desk = await merchant.desk_of(request)
    if isinstance(desk, Response):
        return desk
    site = state.of(request)
    listing = await site.database.read(merchant.own_listing, desk.shop, request.path_params["id"])
    if listing is None:
        return await render.error(request, 404)
    known = await site.database.read(_known, desk.shop)
    if request.method != "POST":
        typed = listing_form.typed_of(listing)
        return _form(request, "change", desk, typed, {}, listing=listing, known=known)
    async with forms.read(request, photo=True) as form:
        typed = listing_form.typed_in(form, len(listing.offers))
        typed, photo, problems = await _photo(request, desk, form, typed)
    say = render.speak(request)
    draft, found = listing_form.draft_of(
        say, typed, listing, listing.language, known.makers, known.itself
    )
    problems |= found
    incomplete = False
    if not problems and draft is not None:
        if photo is not None:
            draft = dataclasses.replace(draft, photos=(photo, *listing.photos[1:]))
        elif typed.without_photo:
            draft = dataclasses.replace(draft, photos=listing.photos[1:])
        elif listing.photos:
            first = dataclasses.replace(listing.photos[0], alt=typed.alt or draft.name)
            draft = dataclasses.replace(draft, photos=(first, *listing.photos[1:]))
        shelved = duties_form.shelved(draft)
        try:
            duties.require(shelved, site.law, duties_form.shelved(catalogue.draft_of(listing)))
            shown = typed.shown or listing_form.shown_of(listing)
            await site.database.write(
                _revise, site.uris, desk.shop, listing.id, draft, shown, site.clock()
            )
            return sessions.see_other(
                request, f"/ma-boutique/{desk.shop.handle}/produits/{listing.id}?fait=change"
            )
        except errors.NodeError as error:
            incomplete = error.code == "incomplete-listing"
            problems = duties_form.problems_of(error, say, shelved, site.law)
    return _form(
        request,
        "change",
        desk,
        typed,
        problems,
        photo=photo,
        listing=listing,
        known=known,
        incomplete=incomplete,
    )


def _revise(
    db: sqlite3.Connection,
    uris: Uris,
    shop: Shop,
    listing_id: str,
    draft: catalogue.ListingDraft,
    shown: str,
    now: datetime,
) -> None:
    """Writes what was typed, over the listing as it is when it is written."""
    listing = catalogue.get_on_show(db, listing_id)
    draft = listing_form.brought_up(draft, shown, listing)
    catalogue.revise(db, uris, shop, listing_id, draft, now)
    _keep_maker(db, shop, draft, now)


async def _photo(
    request: Request, desk: merchant.Desk, form: forms.Form, typed: listing_form.Typed
) -> tuple[listing_form.Typed, Photo | None, dict[str, str]]:
    """The photo that came with a form, or that came with it before and waits."""
    site = state.of(request)
    alt = typed.alt or typed.name
    sent = form.photo("photo")
    if sent is None:
        if not typed.kept:
            return typed, None, {}
        kept = await site.database.read(
            photos.get_draft, typed.kept, desk.shop.id, alt, site.clock()
        )
        if kept is None:
            gone = errors.Invalid("photo-gone")
            problems = forms.sentences(gone, render.speak(request))
            return dataclasses.replace(typed, kept=""), None, problems
        return typed, kept, {}
    try:
        await site.database.read(media.check_room, desk.shop, site.clock())
        made = await site.darkroom.develop(sent.file)
        photo = await site.database.write(
            media.keep, site.database.folder, desk.shop, made, alt, site.clock()
        )
    except errors.NodeError as error:
        return (
            dataclasses.replace(typed, kept=""),
            None,
            forms.sentences(error, render.speak(request)),
        )
    return dataclasses.replace(typed, kept=photo.id), photo, {}


def _form(
    request: Request,
    name: str,
    desk: merchant.Desk,
    typed: listing_form.Typed,
    problems: Mapping[str, str],
    *,
    known: Known,
    photo: Photo | None = None,
    listing: Listing | None = None,
    incomplete: bool = False,
) -> Response:
    say = render.speak(request)
    law = state.of(request).law
    shelves = [
        (one.id, f"{'— ' if one.parent else ''}{one.fr if say.language == 'fr' else one.en}")
        for one in categories.all()
    ]
    guessed = None if typed.category or listing is None else categories.guess(typed.name)
    if guessed is not None and not problems:
        typed = dataclasses.replace(typed, category=guessed.id)
    asked = duties_form.asked(say, typed, listing, law)
    if asked and not typed.category:
        pointed = categories.guess(typed.name)
        typed = dataclasses.replace(typed, category=pointed.id if pointed else "")
    return merchant.page(
        request,
        name,
        desk,
        status=422 if problems else 200,
        typed=typed,
        errors=problems,
        photo=photo,
        listing=listing,
        asked=asked,
        incomplete=incomplete,
        allergens=particulars_said.allergens(say),
        classes=duties_form.classes(say),
        makers=[("", "—"), *((one.brand, one.brand) for one in known.makers)],
        itself=known.itself,
        shelves=[("", say("I do not know")), *shelves] if name == "change" else shelves,
        guessed=guessed is not None,
        per_unit=cards.offer_price(say, listing.offers[0]).unit if listing else "",
        conditions=[(one.value, practical.condition(say, one) or say("New")) for one in Condition],
        units=[("", "—"), *((unit, say.unit(unit)) for unit in prices.UNITS)],
    )


# --- choices -------------------------------------------------------------------------------------


async def choices(request: Request) -> Response:
    """`…/produits/{id}/choix`: in which sizes, colours or the like a product is to be had."""
    desk = await merchant.desk_of(request)
    if isinstance(desk, Response):
        return desk
    site = state.of(request)
    listing = await site.database.read(merchant.own_listing, desk.shop, request.path_params["id"])
    if listing is None:
        return await render.error(request, 404)
    problems: dict[str, str] = {}
    typed = choosing.typed_of(listing)
    if request.method == "POST":
        async with forms.read(request) as form:
            typed = choosing.typed_in(form)
        say = render.speak(request)
        offers, problems = choosing.offers_of(say, typed, listing)
        if not problems:
            draft = dataclasses.replace(catalogue.draft_of(listing), offers=offers)
            try:
                await site.database.write(
                    catalogue.revise, site.uris, desk.shop, listing.id, draft, site.clock()
                )
                return sessions.see_other(
                    request, f"/ma-boutique/{desk.shop.handle}/produits/{listing.id}?fait=choix"
                )
            except errors.NodeError as error:
                problems = listing_form.problems_of(error, say)
    return merchant.page(
        request,
        "choices",
        desk,
        status=422 if problems else 200,
        typed=typed,
        errors=problems,
        listing=listing,
    )
