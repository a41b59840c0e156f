"""What a catalogue from a file says of the goods (allergens, origin, maker, what one sale holds),
and the products of it that wait until somebody says the rest."""

import dataclasses
import re
import sqlite3
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from node import catalogue, errors, particulars, prices, words
from node.model import NOTHING_SAID, Particulars, Shop
from node.store import drafts, photos

INCOMPLETE_MOST = 10_000  # products of a shop that wait for what the law asks
_CONTENTS = re.compile(r"([0-9]{1,7}(?:[.,][0-9]{1,3})?)\s*(kg|g|ml|cl|l|m2|m|cm|h|pieces?)")
_MAKER_READ = 500


def read(cell: Callable[[str], str], wrong: Callable[[str, str], None]) -> dict[str, Any]:
    """What a row says of the goods: the words of the file, checked."""
    item: dict[str, Any] = {}
    if cell("contents"):
        match = _CONTENTS.fullmatch(words.fold(cell("contents")).strip(" ."))
        if match is None:
            wrong("contents", "bad-contents")
        else:
            item["quantity"], item["unit"] = match[1], match[2].removesuffix("s")
    readers: dict[str, Callable[[str], object]] = {
        "allergens": particulars.parse_allergens,
        "traces": particulars.parse_allergens,
        "strength": particulars.parse_strength,
        "maker": particulars.parse_contact,
        "responsible": particulars.parse_contact,
    }
    for field in (*readers, "origin", "brand", "energy"):
        text = " ".join(cell(field).split())[: _MAKER_READ + 1]
        if not text:
            continue
        value = text.upper() if field == "energy" else text
        try:
            told = readers[field](value) if field in readers else value
        except errors.Invalid:
            wrong(field, f"bad-{field}")
            continue
        one: dict[str, Any] = {field: told}
        if particulars.check(dataclasses.replace(NOTHING_SAID, **one)):
            wrong(field, f"bad-{field}")
        else:
            item[field] = value
    return item


def said(item: Mapping[str, Any], before: Particulars) -> Particulars:
    """What a row says of the goods, over what was said before."""
    told: dict[str, Any] = {
        field: item[field] for field in ("origin", "brand", "energy") if field in item
    }
    for field in ("allergens", "traces"):
        if field in item:
            told[field] = particulars.parse_allergens(item[field])
    for field in ("maker", "responsible"):
        if field in item:
            told[field] = particulars.parse_contact(item[field])
    if "strength" in item:
        told["strength"] = particulars.parse_strength(item["strength"])
    return dataclasses.replace(before, **told) if told else before


def keep_incomplete(
    db: sqlite3.Connection,
    shop: Shop,
    key: tuple[str, str],
    item: Mapping[str, Any],
    draft: catalogue.ListingDraft,
    now: datetime,
) -> None:
    """Keeps a product that lacks what the law asks, as a form that is filled as far as the file
    goes: the same row again, and it is the same draft, with what was typed into it meanwhile.

    Raises errors.TooMany where the shop has too many of them.
    """
    kept_id = draft_id(shop, key)
    before = drafts.get(db, shop.id, kept_id)
    if before is None and drafts.count_kept(db, shop.id) >= INCOMPLETE_MOST:
        raise errors.TooMany("too-many-incomplete", f"{shop.handle} has too many of them.")
    fields = {
        "name": draft.name,
        "price": prices.amount(item["price"]).replace(".", ","),
        "alt": "",
        "kept": "",
        "on_request": "",
        "description": draft.description,
        "category": item.get("category", ""),
        "quantity": item.get("quantity", ""),
        "unit": item.get("unit", ""),
        "stock": str(item["stock"]) if "stock" in item else "",
        "gtin": item.get("gtin", ""),
        "sku": item.get("sku", ""),
        **particulars.as_typed(draft.particulars),
    }
    told = {name: value for name, value in fields.items() if value}
    known = dict(before.fields) if before else {**fields, "category": draft.category or ""}
    drafts.put(db, kept_id, shop.id, {**known, **told}, now, kept=True)


def with_photo(
    db: sqlite3.Connection,
    shop: Shop,
    key: tuple[str, str],
    draft: catalogue.ListingDraft,
    now: datetime,
) -> catalogue.ListingDraft:
    """A product that is complete now, with the photo that was taken of it while it was not."""
    kept = drafts.get(db, shop.id, draft_id(shop, key))
    photo_id = kept.fields.get("kept", "") if kept else ""
    photo = photos.get_draft(db, photo_id, shop.id, draft.name, now) if photo_id else None
    return dataclasses.replace(draft, photos=(photo,)) if photo else draft


def draft_id(shop: Shop, key: tuple[str, str]) -> str:
    """The id of what is kept of the product of this key."""
    name, value = key
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{shop.uri}#{name}:{value}"))
