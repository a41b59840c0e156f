"""Enquiries from elsewhere: sealed to the shop in the write that takes them up."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from node import enquiries, errors, leaks, sealing, shop_keys
from node.model import Enquiry, EnquiryAnswer, Shop
from node.store import enquiries as rows
from node.store import shop_keys as key_rows
from tests import ground
from tests.ground import NOW
from tests.sealing import merchant

WORDS = "Bonjour, auriez-vous douze pivoines pour Mme Canari ?"
NOTE = "https://mastodon.example/users/anne/statuses/1"


def asked(shop: Shop, listing: str, words: str = WORDS) -> Enquiry:
    actor = "https://mastodon.example/users/anne"
    return Enquiry(
        "e1", NOTE, shop.id, listing, actor, "@anne@mastodon.example", "mastodon.example",
        f"{actor}/inbox", words, NOW,
    )  # fmt: skip


def put_keys(db: Any, shop: Shop, made: merchant.Made, before: str = "") -> None:
    shop_keys.put(db, shop, shop_keys.read(shop, *made.form(), NOW), before, NOW)


def held(db: Any) -> tuple[Enquiry, list[EnquiryAnswer]]:
    found = rows.get(db, "e1")
    assert found is not None
    return found, rows.find_answers(db, "e1")


def opened(made: merchant.Made, shop: Shop, one: Enquiry | EnquiryAnswer) -> str:
    assert (one.words, one.key) == ("", made.id)
    assert one.sealed is not None
    info = sealing.for_enquiry(shop.uri, made.id, one.uri)
    return sealing.open_sealed(made.sealing_key.private_bytes_raw(), info, one.sealed)


def test_sealed_as_it_is_kept_and_so_is_the_copy_of_the_answer(tmp_path: Path) -> None:
    with ground.opened(tmp_path / "node") as db:
        shop = ground.open_shop(db)
        listing = ground.publish(db, shop, "Pivoine")
        made = merchant.make(shop.uri)
        put_keys(db, shop, made)
        enquiries.keep(db, shop, asked(shop, listing.id))
        enquiries.keep_answer(db, shop, asked(shop, listing.id), f"{shop.uri}/a/1", "Oui", NOW)
        enquiry, (answer,) = held(db)
        assert opened(made, shop, enquiry) == WORDS
        assert opened(made, shop, answer) == "Oui"
        assert leaks.unsealed_enquiries(db) == ([], 0)
        # Changed at its author's: the new words are sealed too. Another's change is none.
        enquiries.keep(db, shop, asked(shop, listing.id, "Treize plutôt"))
        assert opened(made, shop, held(db)[0]) == "Treize plutôt"
        thief = dataclasses.replace(asked(shop, listing.id, "Rien"), actor="https://x.example/u/t")
        enquiries.keep(db, shop, thief)
        assert opened(made, shop, held(db)[0]) == "Treize plutôt"


def test_what_came_before_the_first_card_is_sealed_with_it(tmp_path: Path) -> None:
    folder = tmp_path / "node"
    with ground.opened(folder) as db:
        shop = ground.open_shop(db)
        listing = ground.publish(db, shop, "Pivoine")
        enquiries.keep(db, shop, asked(shop, listing.id))
        enquiries.keep_answer(db, shop, asked(shop, listing.id), f"{shop.uri}/a/1", "Motclair", NOW)
        assert held(db)[0].words == WORDS
        assert leaks.unsealed_enquiries(db) == ([], 1)
        made = merchant.make(shop.uri)
        put_keys(db, shop, made)
        enquiry, (answer,) = held(db)
        assert opened(made, shop, enquiry) == WORDS
        assert opened(made, shop, answer) == "Motclair"
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        found, _, _ = leaks.search([folder], ["Mme Canari", "Motclair"])
        assert found == []
        # One that lies in clear all the same is told.
        db.execute("UPDATE enquiries SET sealed = NULL, words = 'x'")
        assert leaks.unsealed_enquiries(db) == (["e1"], 0)


def test_a_key_is_kept_as_long_as_something_is_sealed_to_it(tmp_path: Path) -> None:
    with ground.opened(tmp_path / "node") as db:
        shop = ground.open_shop(db)
        listing = ground.publish(db, shop, "Pivoine")
        first, second = merchant.make(shop.uri), merchant.make(shop.uri)
        put_keys(db, shop, first)
        enquiries.keep(db, shop, asked(shop, listing.id))
        put_keys(db, shop, second, first.id)
        key_rows.prune(db)
        assert {keys.id: keys.lost for keys in key_rows.find(db, shop.id)} == {
            first.id: True,
            second.id: False,
        }
        rows.remove(db, "e1")
        key_rows.prune(db)
        assert [keys.id for keys in key_rows.find(db, shop.id)] == [second.id]


def test_it_opens_for_nothing_else_and_the_longest_fits(tmp_path: Path) -> None:
    with ground.opened(tmp_path / "node") as db:
        shop = ground.open_shop(db)
        listing = ground.publish(db, shop, "Pivoine")
        made = merchant.make(shop.uri)
        put_keys(db, shop, made)
        longest = "\U0001f33a" * enquiries.WORDS_MOST
        enquiries.keep(db, shop, asked(shop, listing.id, longest))
        one, _ = held(db)
        assert opened(made, shop, one) == longest
        with pytest.raises(errors.Invalid):
            opened(made, shop, dataclasses.replace(one, uri=f"{NOTE}0"))
