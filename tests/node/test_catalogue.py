"""Listings published, revised and withdrawn, or recorded from neighbours."""

import dataclasses
import itertools
import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from node import catalogue, errors, shops
from node.model import Availability, Condition, Kind, Listing, Shop, Verb
from node.store import changes, database, deliveries, listings, matches
from node.store import prices as price_rows
from tests import ground
from tests.ground import NOW, URIS

SECOND = timedelta(seconds=1)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with ground.opened(tmp_path) as opened:
        yield opened


def shown(db: sqlite3.Connection, listing: Listing) -> list[int | None]:
    return [row.price_cents for row in price_rows.find(db, listing.id)]


def found(db: sqlite3.Connection, query: str) -> list[str]:
    return ground.indexed(db, query)


def told(db: sqlite3.Connection) -> list[tuple[str, Verb]]:
    return [(one.uri, one.verb) for one in deliveries.find_publications(db, 100)]


# --- publishing ----------------------------------------------------------------------------------


def test_publishing_writes_all_that_belongs_to_it(db: sqlite3.Connection) -> None:
    shop = ground.open_shop(db)
    listing = ground.publish(db, shop, " Miel de lavande ", ground.offer(650), description=" Doux ")
    assert (listing.name, listing.description) == ("Miel de lavande", "Doux")
    assert listings.get(db, listing.id) == listing
    assert listings.get_by_uri(db, URIS.listing("fleurs", listing.id)) == listing
    assert listing.url.endswith(f"/@fleurs/miel-de-lavande-{listing.id[:8]}")
    assert listings.get_of_shop(db, shop.id, listing.id[:8]) == listing
    assert shown(db, listing) == [650]
    assert found(db, "miel") == found(db, "doux") == [listing.id]
    change = changes.get(db, listing.uri)
    assert change is not None
    assert (change.seq, change.deleted) == (changes.head(db), False)
    assert told(db)[-1] == (listing.uri, Verb.CREATE)


@pytest.mark.parametrize(
    ("what", "table"),
    [
        *itertools.product(
            ("publish", "revise", "withdraw", "close"),
            ("listings", "search_rows", "changes", "publications"),
        ),
        ("publish", "price_rows"),
        ("revise", "price_rows"),
    ],
)
def test_when_a_part_of_it_fails_nothing_has_happened(
    tmp_path: Path, what: str, table: str
) -> None:
    """The disk fills, a trigger aborts: here at each table in turn."""
    folder = ground.make(tmp_path)
    with database.transaction(folder) as db:
        shop = ground.open_shop(db)
        listing = ground.publish(db, shop, "Roses", ground.offer(1250))
        row = "UPDATE" if what == "revise" else "DELETE"
        event = {"listings": "UPDATE", "search_rows": row}.get(table, "INSERT")
        if what == "publish":
            event = "INSERT"
        db.execute(
            f"CREATE TRIGGER no BEFORE {event} ON {table} BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    dearer = dataclasses.replace(listing.offers[0], price_cents=1990)
    acts: dict[str, Callable[[Any], object]] = {
        "publish": lambda db: ground.publish(db, shop, "Tulipes"),
        "revise": lambda db: ground.revise(db, shop, listing, ground.draft("Pivoines", dearer)),
        "withdraw": lambda db: catalogue.withdraw(db, listing.id, NOW),
        "close": lambda db: shops.close_shop(db, "fleurs", NOW),
    }
    with database.reading(folder) as db:
        before = ground.contents(db)
    with pytest.raises(sqlite3.IntegrityError, match="no"), database.transaction(folder) as db:
        acts[what](db)
    with database.reading(folder) as db:
        assert ground.contents(db) == before


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (ground.draft(" "), "name"),
        (ground.draft("x" * 121), "name"),
        (ground.draft(description="x" * 5001), "description"),
        (ground.draft(category="boulangerie.pin"), "category"),
        (catalogue.ListingDraft("x", ()), "offers"),
        (ground.draft("x", ground.offer(), ground.offer()), "offers"),
        (
            ground.draft(
                "x", ground.offer(axes={"taille": "M"}), ground.offer(axes={"poids": "1"})
            ),
            "offers",
        ),
        (ground.draft("x", ground.offer(axes={"a": "1", "b": "2", "c": "3"})), "offers"),
        (ground.draft("x", ground.offer(axes={"a": ""})), "offers"),
        (ground.draft("x", ground.offer(axes={"a": "x" * 41})), "offers"),
        (ground.draft("x", *(ground.offer(axes={"n": str(n)}) for n in range(51))), "offers"),
        (ground.draft("x", ground.offer(unit="barrel", quantity_milli=1)), "unit"),
        (ground.draft("x", ground.offer(unit="g")), "unit"),
        (ground.draft("x", ground.offer(quantity_milli=1000)), "unit"),
        (ground.draft("x", ground.offer(stock=-1)), "stock"),
        (ground.draft("x", ground.offer(stock=1_000_001)), "stock"),
        (ground.draft(pick_up=False), "pick_up"),
    ],
)
def test_a_field_that_cannot_be_used_is_named_and_nothing_is_written(
    db: sqlite3.Connection, draft: catalogue.ListingDraft, field: str
) -> None:
    shop = ground.open_shop(db)
    before = ground.contents(db)
    with pytest.raises(errors.Invalid) as caught:
        catalogue.publish(db, URIS, shop, draft, ground.new_id, NOW)
    assert set(caught.value.fields) == {field}
    assert ground.contents(db) == before


def test_a_mistyped_category_names_the_nearest(db: sqlite3.Connection) -> None:
    with pytest.raises(errors.Invalid, match=r"did you mean boulangerie\.pain\?"):
        catalogue.check(ground.draft(category="boulangerie.pian"))


def test_no_two_listings_of_a_shop_share_the_beginning_of_their_id(db: sqlite3.Connection) -> None:
    shop, other = ground.open_shop(db), ground.open_shop(db, "miel")
    first, second, third = (
        "0b8e6c1e-3f0b-4c57-9a54-4f0d3a0e7c11",
        "0b8e6c1e-0000-4000-8000-000000000000",
        "11111111-0000-4000-8000-000000000000",
    )
    ids = iter((first, second, third))
    for _ in range(2):
        catalogue.publish(db, URIS, shop, ground.draft(), lambda: next(ids), NOW)
    assert [one.id for one in listings.find_of_shop(db, shop.id)] == [first, third]
    catalogue.publish(db, URIS, other, ground.draft(), lambda: second, NOW)


@pytest.mark.parametrize(
    ("stock", "availability"),
    [
        (None, Availability.IN_STOCK),
        (0, Availability.OUT_OF_STOCK),
        (1, Availability.LIMITED),
        (3, Availability.LIMITED),
        (4, Availability.IN_STOCK),
    ],
)
def test_what_a_stock_amounts_to(stock: int | None, availability: Availability) -> None:
    assert catalogue.availability(stock) is availability


# --- revising ------------------------------------------------------------------------------------


def as_draft(listing: Listing, **changed: Any) -> catalogue.ListingDraft:
    kept = ("name", "offers", "description", "category", "condition", "language", "announce")
    return catalogue.ListingDraft(**{**{key: getattr(listing, key) for key in kept}, **changed})


def test_revising_with_nothing_new_changes_nothing(db: sqlite3.Connection) -> None:
    shop = ground.open_shop(db)
    listing = ground.publish(
        db, shop, "Roses", ground.offer(1250, axes={"taille": "M"}), description="Rouges"
    )
    before = ground.contents(db)
    again = as_draft(listing, name=" Roses ", description="Rouges\n")
    assert ground.revise(db, shop, listing, again, NOW + timedelta(1)) == listing
    assert ground.contents(db) == before


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "Pivoines"},
        {"description": "Blanches"},
        {"category": "boulangerie.pain"},
        {"condition": Condition.USED},
        {"language": "en"},
        {"announce": True},
        {"kind": Kind.SERVICE},
        {"pick_up": False, "delivered": True},
        {"delivered": True},
    ],
)
def test_each_thing_that_changes_is_kept_indexed_and_told(
    db: sqlite3.Connection, changed: dict[str, Any]
) -> None:
    shop = ground.open_shop(db)
    listing = ground.publish(db, shop, "Roses", description="Rouges")
    seq = changes.head(db)
    revised = ground.revise(db, shop, listing, as_draft(listing, **changed), NOW + timedelta(1))
    assert listings.get(db, listing.id) == revised
    for key, value in changed.items():
        assert getattr(revised, key) == value
    assert (revised.published, revised.updated) == (listing.published, NOW + timedelta(1))
    assert changes.head(db) == seq + 1
    # People who follow the shop hear of it for the first time when it is announced.
    verb = Verb.CREATE if "announce" in changed else Verb.UPDATE
    assert told(db)[-1] == (listing.uri, verb)
    assert shown(db, listing) == [1250]
    assert found(db, "rose") == ([] if "name" in changed else [listing.id])
    assert found(db, "blanche") == ([listing.id] if "description" in changed else [])


def test_updated_always_grows_whatever_the_clock_says(db: sqlite3.Connection) -> None:
    shop = ground.open_shop(db)
    listing = ground.publish(db, shop, "Roses 0")
    clock = [NOW, NOW, NOW + 0.9 * SECOND, NOW - timedelta(days=400), NOW + timedelta(days=1)]
    seen = [listing.updated]
    for count, now in enumerate(clock, 1):
        listing = ground.revise(db, shop, listing, as_draft(listing, name=f"Roses {count}"), now)
        seen.append(listing.updated)
    gone = catalogue.withdraw(db, listing.id, NOW - timedelta(days=400))
    seen.append(gone.updated)
    assert all(later > earlier for earlier, later in itertools.pairwise(seen))
    assert all(moment.microsecond == 0 for moment in seen)
    assert seen[-2] == NOW + timedelta(days=1)
    change = changes.get(db, listing.uri)
    assert change is not None
    assert (change.updated, change.deleted) == (gone.withdrawn, True)


def test_offers_keep_their_ids_and_their_order(db: sqlite3.Connection) -> None:
    shop = ground.open_shop(db)
    small, large = (
        ground.offer(650, axes={"poids": "250 g"}),
        ground.offer(1190, axes={"poids": "500 g"}),
    )
    listing = ground.publish(db, shop, "Miel", small, large)
    dearer = dataclasses.replace(large, price_cents=1290)
    revised = ground.revise(db, shop, listing, as_draft(listing, offers=(dearer, small)))
    assert [one.id for one in revised.offers] == [large.id, small.id]
    assert listings.get(db, listing.id) == revised


def test_a_price_is_written_down_only_when_it_changed(db: sqlite3.Connection) -> None:
    shop = ground.open_shop(db)
    offer = ground.offer(1250)
    listing = ground.publish(db, shop, "Roses", offer)
    for count, cents in enumerate((1250, 990, 990, None, 1250, 1250)):
        draft = as_draft(
            listing,
            name=f"Roses {count}",
            offers=(dataclasses.replace(offer, price_cents=cents, stock=count),),
        )
        listing = ground.revise(db, shop, listing, draft, NOW + timedelta(days=count))
    rows = price_rows.find(db, listing.id)
    assert [(row.price_cents, row.shown_from) for row in rows] == [
        (1250, NOW),
        (990, NOW + timedelta(days=1)),
        (None, NOW + timedelta(days=3)),
        (1250, NOW + timedelta(days=4)),
    ]
    assert {row.offer for row in rows} == {offer.id}


def test_nobody_revises_anothers_listing(db: sqlite3.Connection) -> None:
    shop, other = ground.open_shop(db), ground.open_shop(db, "miel")
    listing = ground.publish(db, shop, "Roses")
    with pytest.raises(errors.NotFound):
        ground.revise(db, other, listing, ground.draft("Mine"))
    assert listings.get(db, listing.id) == listing


# --- withdrawing ---------------------------------------------------------------------------------


def test_a_withdrawn_listing_is_gone_for_good(db: sqlite3.Connection) -> None:
    shop = ground.open_shop(db)
    listing = ground.publish(db, shop, "Roses")
    gone = catalogue.withdraw(db, listing.id, NOW + SECOND)
    assert gone.withdrawn == NOW + SECOND
    assert found(db, "rose") == []
    assert listings.find_of_shop(db, shop.id) == []
    assert told(db)[-1] == (listing.uri, Verb.DELETE)
    before = ground.contents(db)
    for again in (
        lambda: ground.revise(db, shop, listing, ground.draft("Back")),
        lambda: catalogue.withdraw(db, listing.id, NOW),
    ):
        with pytest.raises(errors.NotFound) as caught:
            again()
        assert caught.value.code == "listing-withdrawn"
    assert ground.contents(db) == before


def test_an_unknown_listing_is_not_found(db: sqlite3.Connection) -> None:
    with pytest.raises(errors.NotFound) as caught:
        catalogue.withdraw(db, ground.new_id(), NOW)
    assert caught.value.code == "unknown-listing"


# --- from neighbours -----------------------------------------------------------------------------


@pytest.fixture
def baker(db: sqlite3.Connection) -> Shop:
    return ground.remote_shop(db)


def test_a_neighbours_listing_is_recorded_and_found_and_not_told_on(
    db: sqlite3.Connection, baker: Shop
) -> None:
    listing = ground.remote_listing(baker, "Pain")
    assert catalogue.record_remote(db, listing, NOW)
    assert listings.get_by_uri(db, listing.uri) == listing
    assert found(db, "pain") == [listing.id]
    assert told(db) == []
    assert changes.head(db) == 0
    assert shown(db, listing) == []


def test_what_was_prepared_is_what_would_be_made(db: sqlite3.Connection, baker: Shop) -> None:
    first, second = ground.remote_listing(baker, "Pain"), ground.remote_listing(baker, "Miel")
    later = dataclasses.replace(first, id=ground.new_id(), name="Brioche", updated=NOW + SECOND)

    def written(*, beforehand: bool) -> object:
        db.execute("SAVEPOINT attempt")
        for together in ([first, second], [later]):
            prepared = {one.uri: catalogue.prepare(one) for one in together} if beforehand else {}
            assert catalogue.record_all_remote(db, together, NOW, prepared) == len(together)
        assert found(db, "brioche") == [first.id]
        kept = ground.contents(db)
        db.execute("ROLLBACK TO attempt")
        return kept

    assert written(beforehand=True) == written(beforehand=False)


def test_of_what_comes_together_the_last_word_counts(db: sqlite3.Connection, baker: Shop) -> None:
    first, other = ground.remote_listing(baker, "Zeste"), ground.remote_listing(baker, "Pain")
    second = dataclasses.replace(first, name="Abricot", updated=NOW + SECOND)
    third = dataclasses.replace(first, name="Melon", updated=NOW + 2 * SECOND)
    assert catalogue.record_all_remote(db, [first, other, second, third, second], NOW) == 4
    assert [found(db, word) for word in ("zeste", "abricot")] == [[], []]
    assert found(db, "melon") == [first.id]
    assert found(db, "pain") == [other.id]
    # And taken out again, nothing of it is left to be found or to mend spellings by.
    catalogue.remove_remote(db, first.uri, NOW)
    assert found(db, "melon") == []
    known = dict(matches.vocabulary(db))
    assert [known.get(word, 0) for word in ("zeste", "abricot", "melon", "pain")] == [0, 0, 0, 1]


def test_a_deleted_listing_does_not_come_back(db: sqlite3.Connection, baker: Shop) -> None:
    listing = ground.remote_listing(baker, "Pain")
    catalogue.record_remote(db, listing, NOW)
    catalogue.remove_remote(db, listing.uri, NOW)
    late = dataclasses.replace(listing, id=ground.new_id(), updated=NOW + timedelta(days=1))
    assert not catalogue.record_remote(db, late, NOW)
    assert listings.get_by_uri(db, listing.uri) is None
    assert found(db, "pain") == []


def test_a_delete_that_overtakes_its_create_wins(db: sqlite3.Connection, baker: Shop) -> None:
    listing = ground.remote_listing(baker, "Pain")
    catalogue.remove_remote(db, listing.uri, NOW)
    assert not catalogue.record_remote(db, listing, NOW)
    assert listings.get_by_uri(db, listing.uri) is None


def test_an_older_state_changes_nothing(db: sqlite3.Connection, baker: Shop) -> None:
    listing = ground.remote_listing(baker, "Pain", updated=NOW + SECOND)
    catalogue.record_remote(db, listing, NOW)
    older = dataclasses.replace(listing, name="Ancien", updated=NOW)
    assert not catalogue.record_remote(db, older, NOW + timedelta(1))
    kept = listings.get_by_uri(db, listing.uri)
    # It is still there, as far as its node knows: that alone is news.
    assert kept == dataclasses.replace(listing, seen=NOW + timedelta(1))


def test_the_same_state_told_again_is_fresher_news_and_no_more(
    db: sqlite3.Connection, baker: Shop
) -> None:
    listing = ground.remote_listing(baker, "Pain")
    catalogue.record_remote(db, listing, NOW)
    same = dataclasses.replace(listing, name="Autre chose")
    assert not catalogue.record_remote(db, same, NOW + timedelta(1))
    assert listings.get_by_uri(db, listing.uri) == dataclasses.replace(
        listing, seen=NOW + timedelta(1)
    )


def test_a_newer_state_takes_its_place(db: sqlite3.Connection, baker: Shop) -> None:
    listing = ground.remote_listing(baker, "Pain")
    catalogue.record_remote(db, listing, NOW)
    newer = dataclasses.replace(
        listing, id=ground.new_id(), name="Brioche", updated=NOW + SECOND, published=NOW + SECOND
    )
    assert catalogue.record_remote(db, newer, NOW)
    assert listings.get_by_uri(db, listing.uri) == dataclasses.replace(
        newer, id=listing.id, published=listing.published
    )
    assert found(db, "pain") == []
    assert found(db, "brioche") == [listing.id]


def test_a_shop_does_not_take_over_anothers_listing(db: sqlite3.Connection, baker: Shop) -> None:
    listing = ground.remote_listing(baker, "Pain")
    catalogue.record_remote(db, listing, NOW)
    thief = ground.remote_shop(db, "voleur")
    taken = dataclasses.replace(listing, shop=thief.id, updated=NOW + SECOND)
    assert not catalogue.record_remote(db, taken, NOW)
    assert listings.get_by_uri(db, listing.uri) == listing


@pytest.mark.parametrize(
    ("change", "quiet"),
    [
        ({"price_cents": 900}, True),
        ({"stock": 9}, True),
        ({"stock": 2, "availability": Availability.LIMITED}, True),
        ({"availability": Availability.OUT_OF_STOCK}, False),
        ({"sku": "A-2"}, False),
        ({"axes": {"taille": "M"}}, False),
    ],
)
def test_changes_of_price_and_stock_may_wait_but_not_what_is_sold_out(
    db: sqlite3.Connection, change: dict[str, Any], quiet: bool
) -> None:
    shop = ground.open_shop(db, "coalescing")
    listing = ground.publish(db, shop, "Miel", ground.offer(1250, stock=10))
    db.execute("DELETE FROM publications")
    changed = dataclasses.replace(ground.offer(1250, stock=10), **change)
    ground.revise(db, shop, listing, ground.draft("Miel", changed))
    (note,) = deliveries.find_publications(db, 10)
    assert note.quiet is quiet


def test_a_new_name_waits_for_nothing(db: sqlite3.Connection) -> None:
    shop = ground.open_shop(db, "coalescing")
    listing = ground.publish(db, shop, "Miel", ground.offer(1250))
    db.execute("DELETE FROM publications")
    ground.revise(db, shop, listing, ground.draft("Miel doux", ground.offer(900)))
    (note,) = deliveries.find_publications(db, 10)
    assert not note.quiet
