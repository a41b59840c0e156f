"""What people elsewhere ask a shop in private, kept so that only the shop can read it.

It comes in clear, since other servers know no sealing, and is sealed to the shop's key in the same
write that takes it up; so is the copy of what the shop answers. Only a shop without a key card has
them in clear, and they are sealed in the very write that brings its first card.
"""

import dataclasses
import sqlite3
from datetime import datetime
from typing import TypeVar

from node import sealing
from node.model import Enquiry, EnquiryAnswer, Shop, ShopKeys
from node.store import enquiries, shop_keys

Letter = TypeVar("Letter", Enquiry, EnquiryAnswer)

WORDS_MOST = 5000  # characters of an enquiry, and of an answer
SIZES = (*sealing.SIZES, 8192, 20_480)  # the last one holds them all


def keep(db: sqlite3.Connection, shop: Shop, enquiry: Enquiry) -> None:
    """The one place where the words of an enquiry are written down."""
    keys = shop_keys.current(db, shop.id)
    enquiries.put(db, enquiry if keys is None else sealed(enquiry, shop, keys))


def keep_answer(
    db: sqlite3.Connection, shop: Shop, enquiry: Enquiry, uri: str, words: str, now: datetime
) -> None:
    """And the one where those of an answer are."""
    answer = EnquiryAnswer(uri, enquiry.id, words, now)
    keys = shop_keys.current(db, shop.id)
    enquiries.put_answer(db, answer if keys is None else sealed(answer, shop, keys))


def seal_all(db: sqlite3.Connection, shop: Shop, keys: ShopKeys) -> None:
    """Seals to a shop's new key what is still in clear."""
    for enquiry in enquiries.find(db, shop.id, limit=None):
        if enquiry.sealed is None:
            enquiries.put(db, sealed(enquiry, shop, keys))
        for answer in enquiries.find_answers(db, enquiry.id):
            if answer.sealed is None:
                enquiries.put_answer(db, sealed(answer, shop, keys))


def sealed(one: Letter, shop: Shop, keys: ShopKeys) -> Letter:
    """The same without its words: they are in what only the shop's key opens."""
    info = sealing.for_enquiry(shop.uri, keys.id, one.uri)
    public = sealing.decode(keys.sealing, sealing.KEY)
    return dataclasses.replace(
        one, words="", key=keys.id, sealed=sealing.seal(public, info, one.words, SIZES)
    )
