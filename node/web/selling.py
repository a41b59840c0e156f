"""`/ma-boutique/{shop}/vente-a-distance`: a shop's owner says what selling at a distance asks for,
switches it on, and off at once."""

import dataclasses
import sqlite3
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from node import errors, selling, siret, transfers
from node.model import Kind, Listing, Selling, Shop
from node.store import listings
from node.translation import Translator
from node.web import forms, merchant, render, sessions, shown, state

LISTED_MOST = selling.MADE_MOST  # each is a box of the form


async def page(request: Request) -> Response:
    """The form, and what it brings: save, save and switch on, or switch off."""
    desk = await merchant.desk_of(request, helped=False)
    if isinstance(desk, Response):
        return desk
    if not desk.owner:
        return await render.error(request, 404)
    site = state.of(request)
    say = render.speak(request)
    problems: dict[str, str] = {}
    typed = await site.database.read(selling.of_shop, desk.shop)
    if request.method == "POST":
        unlisted = await site.database.read(_unlisted, desk.shop, typed)
        async with forms.read(request) as form:
            deed = form.line("deed", 10)
            typed = _typed(form, typed, unlisted)
        home = f"/ma-boutique/{desk.shop.handle}/vente-a-distance"
        if deed == "off":
            await site.database.write(selling.stop, desk.shop)
            return sessions.see_other(request, f"{home}?fait=ferme")
        try:
            on = deed == "on"
            kept = await site.database.write(
                lambda db: selling.save(db, desk.shop, typed, site.clock(), on=on)
            )
        except errors.Invalid as error:
            problems = _sentences(error, say)
        else:
            done = "enregistre" if deed != "on" else "ouvert" if kept.since else "manque"
            return sessions.see_other(request, f"{home}?fait={done}")
    values = await site.database.read(_values, request, desk.shop, typed)
    return merchant.page(
        request,
        "selling",
        desk,
        status=422 if problems else 200,
        errors=problems,
        typed=typed,
        **values,
    )


def _values(db: sqlite3.Connection, request: Request, shop: Shop, typed: Selling) -> dict[str, Any]:
    say = render.speak(request)
    law = state.of(request).law
    kept = selling.of_shop(db, shop)
    missing = selling.missing(db, shop, kept)
    found = _listed(db, shop)
    home = f"{render.prefix(request)}/ma-boutique/{shop.handle}"
    return {
        "is_on": kept.since is not None and not missing,
        "missing": [_asked(say, name, home) for name in missing],
        "siret": siret.written(typed.siret) if len(typed.siret) == 14 else typed.siret,
        "iban": transfers.written(typed.iban),
        "terms": typed.terms or begun_terms(say),
        "goods": [(one.id, shown.line(one.name, 100)) for one in found],
        "left_out": [
            shown.line(one.name, 100)
            for one in found
            if not selling.may_be_ordered(shop, kept, one, law)
        ],
    }


def _listed(db: sqlite3.Connection, shop: Shop) -> list[Listing]:
    """The goods that have a box in the form: the newest."""
    found = listings.find_of_shop(db, shop.id, LISTED_MOST)
    return [one for one in found if one.kind is Kind.GOODS]


def _unlisted(db: sqlite3.Connection, shop: Shop, before: Selling) -> tuple[str, ...]:
    """What is made to measure and has no box, so that nobody can have meant to change it."""
    listed = {one.id for one in _listed(db, shop)}
    marked = listings.find(db, [one for one in before.made_to_measure if one not in listed])
    return tuple(one.id for one in marked if one.withdrawn is None)


def _typed(form: forms.Form, before: Selling, unlisted: tuple[str, ...] = ()) -> Selling:
    days = form.line("within_days", 3)
    return dataclasses.replace(
        before,
        trader=form.line("trader", selling.LINE_MOST),
        siret=form.line("siret", 30),
        email=form.line("email", 120),
        mediator=form.line("mediator", selling.LINE_MOST),
        return_address=form.line("return_address", selling.LINE_MOST),
        # What is no number is out of bounds, and said so.
        within_days=None if not days else int(days) if days.isascii() and days.isdecimal() else 0,
        terms=form.text("terms", selling.TERMS_MOST),
        holder=form.line("holder", 150),
        iban=form.line("iban", 60),
        link=form.line("link", selling.LINK_MOST),
        alcohol=form.is_set("alcohol"),
        made_to_measure=tuple(
            name.removeprefix("made-")
            for name in form.data
            if name.startswith("made-") and len(name) == len("made-") + 36
        )
        + unlisted,
    )


def _asked(say: Translator, name: str, home: str) -> tuple[str, str]:
    """What is missing, in words, and where it is said; "" where only the site's keepers can."""
    return {
        "trader": (say("Your name or your company’s, with its legal form"), "#trader"),
        "siret": (say("Your SIRET"), "#siret"),
        "address": (say("The address of the shop: ask whoever looks after the site"), ""),
        "phone": (say("The telephone of the shop: ask whoever looks after the site"), ""),
        "email": (say("An e-mail address at which customers reach you"), "#email"),
        "mediator": (say("Your consumer mediator, name and address"), "#mediator"),
        "delivery": (say("Where you deliver and what it costs"), f"{home}/livraison"),
        "within_days": (say("Within how many days you deliver"), "#within_days"),
        "return_address": (say("The address that goods are sent back to"), "#return_address"),
        "terms": (say("Your own terms, read again and without their first line"), "#terms"),
        "payment": (say("How you are paid: an IBAN, or your own payment page"), "#iban"),
        "key": (say("Your key card: what customers write is sealed to it"), f"{home}/cle"),
    }[name]


def _sentences(error: errors.Invalid, say: Translator) -> dict[str, str]:
    told = {
        "trader": say("The name is too long, or holds unreadable characters"),
        "siret": say("A SIRET has fourteen digits; this is none"),
        "email": say("This is no e-mail address such as claire@example.fr"),
        "mediator": say("Name and address of the mediator are too long, or unreadable"),
        "return_address": say("The address is too long, or holds unreadable characters"),
        "within_days": say("Days are a number from 1 to {most}").format(most=selling.DAYS_MOST),
        "terms": say("The terms are longer than 12,000 characters, or unreadable"),
        "holder": say("Say the name of the account’s holder, in at most 70 characters"),
        "iban": say("This IBAN is not right: look at it once more"),
        "link": say("The address of your payment page begins with https://"),
        "made_to_measure": say("These are too many products made to measure"),
    }
    if error.fields.get("iban") == "iban-abroad":
        told["iban"] = say("Only an IBAN of the European Economic Area can be used")
    return {name: told[name] for name in error.fields}


def begun_terms(say: Translator) -> str:
    """Terms to begin with; their first line keeps them from being used unread."""
    return say(
        "To be read by a lawyer: delete this line when it is done.\n\n"
        "Orders. The customer chooses, reads the total price and these terms, and orders. The shop "
        "accepts the order or refuses it.\n\n"
        "Prices. In euros, all taxes included. The price of delivery is said before ordering.\n\n"
        "Payment. To the shop alone, as it says on the page of the order.\n\n"
        "Delivery. By the shop, at the address that the customer gave. The risk passes to the "
        "customer on delivery.\n\n"
        "Complaints. To the shop first, by telephone or e-mail. French law applies."
    )
