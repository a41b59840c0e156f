"""`/ma-boutique/{shop}/importer`: a catalogue from a file. First what it will look like and what to
correct; then, agreed to, it goes on in the background, and the page says how far it is."""

import sqlite3

from starlette.requests import Request
from starlette.responses import Response

from node import csv_dialects, errors, importing
from node.importing import Plan, Problem
from node.law import Law
from node.model import Shop
from node.store import imports
from node.translation import Translator
from node.web import forms, merchant, render, sessions, state

SHOWN_FIRST = 10
PROBLEMS_SHOWN = 200


async def page(request: Request) -> Response:
    """Asks for a file, shows what it would do, does it."""
    desk = await merchant.desk_of(request)
    if isinstance(desk, Response):
        return desk
    site = state.of(request)
    say = render.speak(request)
    problems: dict[str, str] = {}
    plan, import_id, ask_vat = None, "", False
    if request.method == "POST":
        async with forms.read(request, photo=True) as form:
            sent = form.photo("file")
            data = await sent.read(csv_dialects.BYTES_MOST + 1) if sent else b""
            vat, begin = form.line("vat", 5), form.line("begin", 40)
            gone, sure = form.is_set("gone"), form.is_set("sure")
        if begin:
            await site.database.write(importing.begin, desk.shop, begin, sell_out=gone, sure=sure)
            site.workers.poke()
            return sessions.see_other(request, f"/ma-boutique/{desk.shop.handle}/importer")
        try:
            if not data:
                raise errors.Invalid("csv-none")
            plan = await site.database.read(_look, desk.shop, data, vat, site.law)
            import_id = await site.database.write(importing.keep, desk.shop, plan, site.clock())
        except errors.Invalid as error:
            ask_vat = error.code == "prices-without-vat"
            problems = {"vat" if ask_vat else "file": _refusal(say, error.code)}
    return merchant.page(
        request,
        "import",
        desk,
        status=422 if problems else 200,
        errors=problems,
        plan=plan,
        import_id=import_id,
        ask_vat=ask_vat,
        rates=[("", "—"), *((rate, f"{rate.replace('.', ',')}\u202f%") for rate in importing.VAT)],
        first=[
            (item["name"], say.money(item["price"], "EUR"), item["kind"],
             item.get("stock"))
            for item in plan.items[:SHOWN_FIRST]
        ] if plan else [],
        wrong=[(one.row, one.column, one.value, _fix(say, one))
               for one in plan.problems[:PROBLEMS_SHOWN]] if plan else [],
        last=await site.database.read(imports.last, desk.shop.id),
    )  # fmt: skip


def _look(db: sqlite3.Connection, shop: Shop, data: bytes, vat: str, law: Law) -> Plan:
    return importing.look(db, shop, csv_dialects.read(data), vat, law)


def _refusal(say: Translator, code: str) -> str:
    return {
        "csv-none": say("Choose a file first"),
        "csv-too-large": say("The file is larger than 5 MB: make several of it"),
        "csv-no-text": say("This is no CSV file: save it as CSV in your spreadsheet or till"),
        "csv-empty": say("There are no products in it: a first line with titles, then one each"),
        "csv-too-many-rows": say("These are more than 10,000 lines: make several files of it"),
        "csv-too-wide": say("These are more than 80 columns: is it the right file?"),
        "csv-broken": say("A quotation mark is opened in it and never closed"),
        "no-name-column": say("No column is called “Nom”: name the one with the products so"),
        "no-price-column": say("No column is called “Prix”: name the one with the prices so"),
        "prices-without-vat": say("These prices seem to be without VAT: choose the rate, and send "
                                  "the file again"),
    }.get(code, say("This could not be saved. Please check what was typed."))  # fmt: skip


def _fix(say: Translator, one: Problem) -> str:
    """What to do about a row."""
    return {
        "no-name": say("Say what it is called"),
        "bad-name": say("At most 120 readable characters"),
        "bad-description": say("The description is too long, or holds unreadable characters"),
        "price-empty": say("Say its price"),
        "price-zero": say("A price is more than 0"),
        "price-negative": say("A price is more than 0"),
        "price-decimals": say("Two decimals at most: 12,50"),
        "price-unread": say("The price must be a number, for example 12.50"),
        "bad-stock": say("How many there are must be a whole number"),
        "bad-gtin": say("This is no barcode: correct it, or empty the cell"),
        "cut-gtin": say("The spreadsheet has cut the barcode: show the column as a number, without "
                        "decimals"),
        "bad-sku": say("The shop’s own number is at most 60 characters"),
        "twice": say("It is twice in the file: keep one of the two"),
        "refused": say("The law forbids offering this here: take the line out"),
        "lacks": say("The new shelf asks for more than the file says: change it on its page"),
        "bad-contents": say("What one sale holds is written as 500 g, 1 kg, 75 cl or 1 piece"),
        "bad-allergens": say("Name allergens among the 14, with commas, or “none”"),
        "bad-traces": say("Name allergens among the 14, with commas, or “none”"),
        "bad-strength": say("The alcohol must be a number, for example 13.5"),
        "bad-maker": say("Write the maker as: name; postal address; e-mail or web page"),
        "bad-responsible": say("Write the maker as: name; postal address; e-mail or web page"),
        "bad-origin": say("The origin is too long, or holds unreadable characters"),
        "bad-brand": say("The brand is too long, or holds unreadable characters"),
        "bad-energy": say("The energy class is a letter from A to G"),
        "choices": say("It has several choices here: change it on its page"),
    }[one.code]  # fmt: skip
