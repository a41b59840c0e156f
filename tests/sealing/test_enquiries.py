"""Enquiries from elsewhere: sealed to the shop in the write that takes them up."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from federation.errors import Refused
from node import enquiries, errors, leaks, sealing, shop_keys
from node.exchange import enquiries as answering
from node.model import Enquiry, EnquiryAnswer, Listing, Shop
from node.store import deliveries, remote_actors
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


@pytest.mark.parametrize("gone", ["host", "inbox"])
def test_an_answer_whose_way_is_closed_is_told_and_leaves_no_word(
    tmp_path: Path, gone: str
) -> None:
    """Its server is blocked, no neighbour any more, or its inbox gone, while the answer waits."""
    folder = tmp_path / "node"
    with ground.opened(folder) as db:
        shop = ground.open_shop(db)
        listing = ground.publish(db, shop, "Pivoine")
        put_keys(db, shop, merchant.make(shop.uri))
        enquiry = asked(shop, listing.id)
        enquiries.keep(db, shop, enquiry)
        new_id = lambda: "1"  # noqa: E731
        answering.answer(db, "e1", "Motclair " * 500, new_id, NOW)
        if gone == "host":
            deliveries.remove_host(db, enquiry.host, NOW)
        else:
            deliveries.remove_inbox(db, enquiry.inbox, NOW)
        assert [one.failed for one in held(db)[1]] == [NOW]
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"Motclair" not in (folder / "node.db").read_bytes()


def test_a_note_that_turns_to_another_shop_is_refused(tmp_path: Path) -> None:
    """Sealed to that one's key, it would lie with the first, which could not open it."""
    with ground.opened(tmp_path / "node") as db:
        first, second = ground.open_shop(db), ground.open_shop(db, "pains")
        rose, loaf = ground.publish(db, first, "Rose"), ground.publish(db, second, "Seigle")
        made = merchant.make(first.uri)
        put_keys(db, first, made)
        author = asked(first, rose.id).actor
        actor = {
            "id": author,
            "type": "Person",
            "preferredUsername": "anne",
            "inbox": f"{author}/inbox",
        }
        remote_actors.add(db, author, json.dumps(actor), [], NOW)

        def reply(listing: Listing, shop: Shop, words: str) -> answering.TakeReply:
            note = {"id": NOTE, "inReplyTo": listing.uri, "to": [shop.uri], "content": words}
            return answering.TakeReply(ground.URIS, note, author, "e1", NOW)

        reply(rose, first, "Bonjour")(db)
        with pytest.raises(Refused, match="another-shop"):
            reply(loaf, second, "Motclair")(db)
        assert opened(made, first, held(db)[0]) == "Bonjour"
        reply(rose, first, "Bonsoir")(db)
        assert opened(made, first, held(db)[0]) == "Bonsoir"
