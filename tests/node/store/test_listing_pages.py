"""What pages ask of listings and shops."""

from datetime import timedelta
from pathlib import Path

from node import catalogue, shops
from node.store import listings
from node.store import shops as shop_rows
from tests import ground

HOUR = timedelta(hours=1)


def test_the_newest_are_at_most_two_of_each_shop(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        many, few = ground.open_shop(db, "many"), ground.open_shop(db, "few")
        for number in range(5):
            ground.publish(db, many, f"Beaucoup {number}", now=ground.NOW + number * HOUR)
        ground.publish(db, few, "Peu", now=ground.NOW - HOUR)
        gone = ground.publish(db, few, "Retiré", now=ground.NOW + 9 * HOUR)
        catalogue.withdraw(db, gone.id, ground.NOW + 10 * HOUR)
        far = ground.remote_shop(db)
        catalogue.record_remote(
            db, ground.remote_listing(far, published=ground.NOW + 9 * HOUR), ground.NOW
        )
        names = [one.name for one in listings.find_newest_own(db, 8)]
        assert names == ["Beaucoup 4", "Beaucoup 3", "Peu"]
        assert len(listings.find_newest_own(db, 1)) == 1
        at_once = ground.open_shop(db, "import")
        for number in range(4):
            ground.publish(db, at_once, f"Importé {number}", now=ground.NOW + 9 * HOUR)
        names = [one.name for one in listings.find_newest_own(db, 8)]
        assert sum(name.startswith("Importé") for name in names) == 2
        shops.close_shop(db, "import", ground.NOW + 11 * HOUR)
        shops.close_shop(db, "many", ground.NOW + 11 * HOUR)
        assert [one.name for one in listings.find_newest_own(db, 8)] == ["Peu"]


def test_the_shelves_of_shops_come_in_the_order_of_how_much_is_on_them(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop, bare = ground.open_shop(db), ground.open_shop(db, "bare")
        for category in ("jardin", "epicerie.miel", "epicerie", None):
            ground.publish(db, shop, category=category)
        found = listings.shelves_of_shops(db, [shop.id, bare.id, "nobody"])
        assert found == {shop.id: ["epicerie", "jardin"]}


def test_shops_are_found_and_counted_by_place(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        own = ground.open_shop(db)
        ground.open_shop(db, "closed")
        shops.close_shop(db, "closed", ground.NOW)
        far = ground.remote_shop(db)
        assert shop_rows.count_by_place(db) == {ground.PESSAC: 1, ground.MERIGNAC: 1}
        assert [one.id for one in shop_rows.find_in(db, [ground.PESSAC], 10)] == [own.id]
        both = shop_rows.find_in(db, [ground.PESSAC, ground.MERIGNAC], 10)
        assert {one.id for one in both} == {own.id, far.id}
        assert len(shop_rows.find_in(db, [ground.PESSAC, ground.MERIGNAC], 1)) == 1
        assert shop_rows.find_in(db, [], 10) == []


def test_a_map_of_the_site_pages_through_what_is_ours(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop = ground.open_shop(db)
        ours = {ground.publish(db, shop).url for _ in range(5)}
        catalogue.record_remote(db, ground.remote_listing(ground.remote_shop(db)), ground.NOW)
        pages = [listings.find_own_pages(db, skip, 2) for skip in (0, 2, 4, 6)]
        assert [len(page) for page in pages] == [2, 2, 1, 0]
        assert {url for page in pages for url, _ in page} == ours
