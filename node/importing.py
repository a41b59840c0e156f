"""A catalogue from a file: looked at first, then put on the shelf in the background.

What was there before is found again by the shop's own number, the barcode or the name: nothing
doubles. An empty cell leaves what there is. Nothing is withdrawn because a file lacks it.
"""

import dataclasses
import functools
import re
import sqlite3
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from node import catalogue, categories, duties, errors, importing_goods, prices, words
from node.csv_dialects import Table
from node.law import Law
from node.model import NOTHING_SAID, Listing, Offer, Shop
from node.pace import Pace
from node.store import drafts, imports, listings, reductions, shops
from node.uris import Uris

CHUNK = 20  # in one transaction: others who write wait for no more
VAT = {"20": 2000, "10": 1000, "5.5": 550, "2.1": 210}  # in hundredths of a percent
_COLUMNS = {
    "name": "nom produit designation libelle titre title name intitule article",
    "price": "prix|prix ttc|price|pv ttc|prix de vente|prix de vente ttc|tarif|tarif ttc",
    "price_ht": "prix ht|pv ht|tarif ht|prix hors taxe|prix hors taxes|prix de vente ht|price ht",
    "sku": "sku|reference|ref|code|code article|reference interne|id",
    "gtin": "ean|ean13|gtin|code barre|code barres|code-barres|barcode|gencod",
    "stock": "stock|quantite|qte|quantite en stock|quantity|qty",
    "category": "categorie|rayon|category|famille",
    "description": "description|descriptif|texte",
    "contents": "contenance|conditionnement|poids net|volume net|contents",
    "allergens": "allergenes|allergene|allergens",
    "traces": "traces|traces eventuelles|traces possibles",
    "origin": "origine|pays d origine|provenance|origin|country of origin",
    "brand": "marque|brand",
    "maker": "fabricant|maker|manufacturer",
    "responsible": "responsable ue|personne responsable|responsible person",
    "energy": "classe energie|classe energetique|classe d energie|energy class",
    "strength": "alcool|degre|degre d alcool|titre alcoometrique|alcohol",
}
_KNOWN = {
    title: field
    for field, titles in _COLUMNS.items()
    for title in (titles.split("|") if "|" in titles else titles.split())
}


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that is left out: where, what stands there, and a short name for what to do."""

    row: int
    column: str
    value: str
    code: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a file would do: `items` in its order, problems, and products it does not name."""

    items: tuple[dict[str, Any], ...]
    new: int
    changed: int
    same: int
    incomplete: int  # new, and kept until what the law asks is said: not public
    problems: tuple[Problem, ...]
    ignored: tuple[str, ...]  # columns nobody knows
    missing: tuple[str, ...]  # ids of listings with a number of the shop's that the file lacks
    numbered: int  # how many listings have such a number

    @property
    def half_gone(self) -> bool:
        """Whether more than half of what was imported before is not in the file."""
        return len(self.missing) * 2 > self.numbered > 1


def columns_of(table: Table) -> tuple[dict[str, int], tuple[str, ...]]:
    """Where each field stands, and the titles nobody knows."""
    found: dict[str, int] = {}
    ignored = []
    for at, title in enumerate(table.header):
        folded = re.sub(r"[^a-z0-9-]+", " ", words.fold(title)).strip()
        field = _KNOWN.get(folded)
        if field is None or field in found:
            ignored.append(title)
        else:
            found[field] = at
    return found, tuple(ignored)


def look(db: sqlite3.Connection, shop: Shop, table: Table, vat: str, law: Law) -> Plan:
    """What the file would do, without doing it.

    What the law asks for and the file does not say leaves a new product incomplete: it is kept, and
    not public. What cannot be offered at all is a problem of its row.

    Raises errors.Invalid: no-name-column, no-price-column, prices-without-vat (say the rate).
    """
    columns, ignored = columns_of(table)
    if "name" not in columns:
        raise errors.Invalid("no-name-column")
    if "price" not in columns and "price_ht" not in columns:
        raise errors.Invalid("no-price-column")
    if "price" not in columns and vat not in VAT:
        raise errors.Invalid("prices-without-vat")
    shelf = listings.find_of_shop(db, shop.id)
    known = _known(shelf)
    problems: list[Problem] = []
    rows, unread = _read(table, columns, vat, problems)
    # An unread row is in the file all the same: it must not pass for one that is no longer there,
    # nor another row for it.
    hit = {known[key].id for keys in unread for key in keys if key in known}
    coded = {
        known[key].id for keys in unread for key in keys[:1] if key in known and key[0] != "name"
    }
    found = _found_again([item for _, item in rows], known, coded)
    items: list[dict[str, Any]] = []
    counts = {"new": 0, "changed": 0, "same": 0, "incomplete": 0}
    pace = Pace()
    for (row, item), listing in zip(rows, found, strict=True):
        pace.turn()
        kind = "new"
        if listing is not None:
            hit.add(listing.id)
            if len(listing.offers) > 1:
                name = table.header[columns["name"]]
                problems.append(Problem(row, name, item["name"], "choices"))
                continue
            item["listing"] = listing.id
            draft = _draft(listing, item, _usual(db, listing))
            kind = "same" if draft == catalogue.draft_of(listing) else "changed"
        else:
            draft = _draft(None, item)
        try:
            duties.require(draft, law, catalogue.draft_of(listing) if listing else None)
        except errors.Invalid as error:
            if listing is not None or error.code != "incomplete-listing":
                name = table.header[columns["name"]]
                code = "refused" if error.code == "refused-goods" else "lacks"
                problems.append(Problem(row, name, item["name"], code))
                continue
            kind = "incomplete"
        counts[kind] += 1
        if kind != "same":
            items.append({**item, "kind": kind})
    numbered = [one for one in shelf if one.offers[0].sku]
    return Plan(
        items=tuple(items),
        problems=tuple(sorted(problems, key=lambda problem: problem.row)),
        ignored=ignored,
        missing=tuple(one.id for one in numbered if one.id not in hit),
        numbered=len(numbered),
        **counts,
    )


def _read(
    table: Table, columns: Mapping[str, int], vat: str, problems: list[Problem]
) -> tuple[list[tuple[int, dict[str, Any]]], list[list[tuple[str, str]]]]:
    """(row, item) of the rows that can be used, each product once, and the keys of the others."""
    rows: list[tuple[int, dict[str, Any]]] = []
    unread = []
    seen: set[tuple[str, str]] = set()
    pace = Pace()
    for row, cells in table.rows:
        pace.turn()
        item = _item(row, cells, table.header, columns, vat, problems)
        if item is None:
            unread.append(_raw_keys(cells, columns))
            continue
        surest = _keys(item)[0]
        if surest in seen:
            at = columns.get(surest[0], columns["name"])
            problems.append(Problem(row, table.header[at], surest[1], "twice"))
            continue
        seen.add(surest)
        rows.append((row, item))
    return rows, unread


def _found_again(
    items: Sequence[Mapping[str, Any]],
    known: Mapping[tuple[str, str], Listing],
    others: Collection[str],
) -> list[Listing | None]:
    """The listing each item is of, each listing once, and none of those that other rows name.

    All are looked for by number first, then by barcode, then by name: whatever the order of the
    file, a name takes nothing from the row that has its number.
    """
    found: list[Listing | None] = [None] * len(items)
    taken = set(others)
    for wanted in ("sku", "gtin", "name"):
        for at, item in enumerate(items):
            key = next((key for key in _keys(item) if key[0] == wanted), None)
            listing = known.get(key) if key and found[at] is None else None
            if listing is None or listing.id in taken:
                continue
            if wanted == "name" and _has_other_codes(listing, item):
                continue
            found[at] = listing
            taken.add(listing.id)
    return found


def _known(shelf: Sequence[Listing]) -> Mapping[tuple[str, str], Listing]:
    found: dict[tuple[str, str], Listing] = {}
    for listing in reversed(shelf):
        for offer in listing.offers:
            for name, value in (("sku", offer.sku), ("gtin", offer.gtin)):
                if value:
                    found[name, value] = listing
        found["name", listing.name.casefold()] = listing
    return found


def _keys(item: Mapping[str, Any]) -> list[tuple[str, str]]:
    """By what it is found again, the surest first."""
    keys = [(name, item[name]) for name in ("sku", "gtin") if item.get(name)]
    return [*keys, ("name", item["name"].casefold())]


def _raw_keys(cells: Sequence[str], columns: Mapping[str, int]) -> list[tuple[str, str]]:
    """By what a row that cannot be used would be found again."""
    found = []
    for name in ("sku", "gtin", "name"):
        at = columns.get(name)
        value = cells[at].strip() if at is not None and at < len(cells) else ""
        if value:
            found.append((name, value.casefold() if name == "name" else value))
    return found


def _has_other_codes(listing: Listing, item: Mapping[str, Any]) -> bool:
    """Whether its number or its barcode is another one: several sizes have one name."""
    return any(
        mine and theirs and mine != theirs
        for offer in listing.offers
        for mine, theirs in ((offer.sku, item.get("sku")), (offer.gtin, item.get("gtin")))
    )


def _usual(db: sqlite3.Connection, listing: Listing) -> int | None:
    """The price that a reduced listing goes back to; None where it is not reduced."""
    offer = listing.offers[0]
    if offer.reduction is None:
        return None
    row = reductions.running(db, offer.id)
    return None if row is None else row.regular_cents


def _item(
    row: int,
    cells: Sequence[str],
    header: Sequence[str],
    columns: Mapping[str, int],
    vat: str,
    problems: list[Problem],
) -> dict[str, Any] | None:
    """A row as an item; None where something in it must be put right first."""
    before = len(problems)

    def cell(field: str) -> str:
        at = columns.get(field)
        return cells[at] if at is not None and at < len(cells) else ""

    def wrong(field: str, code: str) -> None:
        problems.append(Problem(row, header[columns[field]], cell(field)[:80], code))

    item: dict[str, Any] = {"name": cell("name"), "description": cell("description")}
    if not item["name"]:
        wrong("name", "no-name")
    elif len(item["name"]) > catalogue.NAME_MOST or not words.is_plain(item["name"]):
        wrong("name", "bad-name")
    if len(item["description"]) > catalogue.DESCRIPTION_MOST or not words.is_plain(
        item["description"]
    ):
        wrong("description", "bad-description")
    field = "price" if "price" in columns else "price_ht"
    try:
        item["price"] = price_of(cell(field), vat if field == "price_ht" else "")
    except errors.Invalid as error:
        wrong(field, error.code)
    if cell("stock"):
        match = re.fullmatch(r"([0-9]{1,6})(?:[.,]0+)?", cell("stock"))
        if match is None:
            wrong("stock", "bad-stock")
        else:
            item["stock"] = int(match[1])
    if cell("gtin"):
        try:
            item["gtin"] = prices.check_gtin(cell("gtin"))
        except errors.Invalid:
            cut = re.fullmatch(r"[0-9][.,][0-9]+E\+?[0-9]+", cell("gtin"), re.IGNORECASE)
            wrong("gtin", "cut-gtin" if cut else "bad-gtin")
    if len(cell("sku")) > catalogue.SKU_MOST:
        wrong("sku", "bad-sku")
    elif cell("sku"):
        item["sku"] = cell("sku")
    item |= importing_goods.read(cell, wrong)
    shelf = _shelf(cell("category"))
    if shelf is not None:
        item["category"] = shelf
    return item if len(problems) == before else None


def price_of(text: str, vat: str = "") -> int:
    """Cents of "1 234,50 €", "12.5", "1.234,50"; with a VAT rate added where it is without.

    Raises errors.Invalid: price-empty, price-zero, price-decimals, price-negative, price-unread.
    """
    digits = re.sub(r"(?i)\s", "", text)
    digits = re.sub(r"(?i)^(€|eur)|(€|eur(os?)?)?(ttc|ht)?$", "", digits)
    if not digits:
        raise errors.Invalid("price-empty")
    if re.fullmatch(r"-[0-9.,]+", digits):
        raise errors.Invalid("price-negative")
    match = re.fullmatch(
        r"(?P<whole>[0-9]{1,3}(?:[.,'’][0-9]{3})+|[0-9]{1,7})(?:[.,](?P<rest>[0-9]*))?", digits
    )
    if match is None:
        raise errors.Invalid("price-unread")
    whole, rest = re.sub(r"[^0-9]", "", match["whole"]), match["rest"]
    grouped = len(whole) != len(match["whole"])
    if grouped and rest is None:  # "1.234": a thousand, or one and 234 thousandths?
        if not vat or not re.fullmatch(r"[0-9]{1,3},[0-9]{3}", digits):
            raise errors.Invalid("price-decimals")
        whole, rest = digits.split(",")[0], digits.split(",")[-1]  # before tax, cents have parts
    rest = (rest or "").rstrip("0")
    if len(rest) > 2 and not vat:
        raise errors.Invalid("price-decimals")
    amount = Decimal(f"{whole}.{rest or 0}") * 100
    if vat:
        amount = amount * (10_000 + VAT[vat]) / 10_000
    cents = int(amount.quantize(Decimal(1), ROUND_HALF_UP))
    if not 0 < cents <= prices.CENTS_MOST:
        raise errors.Invalid("price-zero")
    return cents


@functools.lru_cache(maxsize=1000)
def _shelf(text: str) -> str | None:
    """A category by its id or its label; one that is not known is left out."""
    if not text:
        return None
    if categories.get(text) is not None:
        return text
    folded = words.fold(text)
    return next(
        (one.id for one in categories.all() if folded in (words.fold(one.fr), words.fold(one.en))),
        None,
    )


def _draft(
    listing: Listing | None, item: Mapping[str, Any], usual: int | None = None
) -> catalogue.ListingDraft:
    """The listing with what the item tells, all else as it is; `usual` is its price before it was
    reduced, where it is."""
    if listing is None:
        stock = item.get("stock")
        offer = Offer(
            id=str(uuid.uuid4()),
            axes={},
            price_cents=item["price"],
            currency="EUR",
            quantity_milli=prices.parse_quantity(item["quantity"]) if "quantity" in item else None,
            unit=item.get("unit"),
            availability=catalogue.availability(stock),
            stock=stock,
            gtin=item.get("gtin"),
            sku=item.get("sku"),
        )
        guessed = categories.guess(item["name"])
        return catalogue.ListingDraft(
            name=item["name"],
            offers=(offer,),
            description=item["description"],
            category=item.get("category") or (guessed.id if guessed else None),
            particulars=importing_goods.said(item, NOTHING_SAID),
        )
    offer = listing.offers[0]
    # Told again as before its reduction, it does not end that.
    cents = offer.price_cents if item["price"] == usual else item["price"]
    changed = dataclasses.replace(
        offer, price_cents=cents, gtin=item.get("gtin", offer.gtin), sku=item.get("sku", offer.sku)
    )
    if "stock" in item and item["stock"] != offer.stock:
        changed = dataclasses.replace(
            changed,
            stock=item["stock"],
            availability=catalogue.availability(item["stock"]),
        )
    if "quantity" in item:
        changed = dataclasses.replace(
            changed, quantity_milli=prices.parse_quantity(item["quantity"]), unit=item["unit"]
        )
    draft = catalogue.draft_of(listing)
    return dataclasses.replace(
        draft,
        name=item["name"],
        offers=(changed,),
        description=item["description"] or draft.description,
        category=item.get("category", draft.category),
        particulars=importing_goods.said(item, draft.particulars),
    )


# --- on the shelf --------------------------------------------------------------------------------


def keep(db: sqlite3.Connection, shop: Shop, plan: Plan, now: datetime) -> str:
    """Keeps a plan until it is agreed to; its id."""
    import_id = str(uuid.uuid4())
    imports.add(db, import_id, shop.id, plan.items, plan.missing, plan.half_gone, now)
    return import_id


def begin(
    db: sqlite3.Connection, shop: Shop, import_id: str, *, sell_out: bool, sure: bool
) -> bool:
    """Lets a plan run, once; says whether it did. What the file lacks is sold out where that is
    wanted, and, where it is more than half of what there was, only if that is said twice."""
    found = imports.get(db, import_id)
    if found is None or found.shop != shop.id:
        return False
    gone = found.missing if sell_out and (sure or not found.half_gone) else ()
    return imports.start(
        db, import_id, shop.id, [{"kind": "gone", "listing": listing_id} for listing_id in gone]
    )


def work(db: sqlite3.Connection, uris: Uris, now: datetime, law: Law) -> bool:
    """Puts the next few on the shelf; says whether there was anything to do.

    They and how far it is are one transaction: a node that is killed goes on where it was.
    """
    one = imports.next_running(db)
    if one is None:
        return False
    shop = shops.get(db, one.shop)
    chunk = one.items[one.done : one.done + CHUNK] if shop and shop.closed is None else ()
    failed = 0
    for item in chunk:
        assert shop is not None
        try:
            _apply(db, uris, shop, item, now, law)
        except errors.NodeError:
            failed += 1
    last = shop is None or not chunk or one.done + len(chunk) >= len(one.items)
    imports.advance(db, one.id, len(chunk), failed, last=last)
    return True


def _apply(
    db: sqlite3.Connection,
    uris: Uris,
    shop: Shop,
    item: Mapping[str, Any],
    now: datetime,
    law: Law,
) -> None:
    if item["kind"] == "gone":
        found = listings.get(db, item["listing"])
        if found is not None and found.shop == shop.id:
            catalogue.sell_out(db, uris, shop, item["listing"], now)
        return
    if "listing" in item:
        listing = catalogue.get_on_show(db, item["listing"])
        if listing.shop == shop.id and len(listing.offers) == 1:
            draft = _draft(listing, item, _usual(db, listing))
            duties.require(draft, law, catalogue.draft_of(listing))
            catalogue.revise(db, uris, shop, listing.id, draft, now)
        return
    draft = _draft(None, item)
    try:
        duties.require(draft, law)
    except errors.Invalid as error:
        if error.code != "incomplete-listing":
            raise
        importing_goods.keep_incomplete(db, shop, _keys(item)[0], item, draft, now)
        return
    draft = importing_goods.with_photo(db, shop, _keys(item)[0], draft, now)
    catalogue.publish(db, uris, shop, draft, lambda: str(uuid.uuid4()), now)
    drafts.remove(db, shop.id, importing_goods.draft_id(shop, _keys(item)[0]))
