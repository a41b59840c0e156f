"""One mail a week, one tap without signing in."""

import re
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from node import errors, reminders
from node.keyring import Keyring
from node.store import database, listings, mails
from node.translation import Catalogues
from tests import ground, neighbours, smtp
from tests.flows.test_merchant import Browser
from tests.ground import NOW
from tests.neighbours import eventually

RING = Keyring(b"k" * 32)
SAY = Catalogues().speak("fr")


def test_a_shop_is_asked_once_a_week_as_long_as_something_is_old(tmp_path: Path) -> None:
    with ground.opened(tmp_path / "node") as db:
        shop = ground.open_shop(db)
        ground.publish(db, shop, "Miel")
        ground.publish(db, shop, "Savon", ground.offer(stock=0, availability="out_of_stock"))

        def due(days: float) -> int:
            now = NOW + timedelta(days=days)
            return reminders.queue_due(db, ground.URIS, "Pessac", RING, SAY, now)

        assert [due(6), due(8), due(9), due(14), due(15.1)] == [0, 1, 0, 0, 1]
        listings.mark_confirmed(db, shop.id, NOW + timedelta(days=20))
        assert due(25) == 0
        assert mails.count_waiting(db) == 0  # nobody looks after it


def test_a_link_holds_for_its_shop_and_its_time(tmp_path: Path) -> None:
    with ground.opened(tmp_path / "node") as db:
        shop, other = ground.open_shop(db), ground.open_shop(db, "pains")
        ground.publish(db, shop, "Miel")
        link = reminders.token(RING, shop, NOW)
        later = NOW + timedelta(days=13)
        assert reminders.confirm(db, RING, link, later) == 1
        handle, until, mac = link.split(".")
        for wrong, when in (
            (link, NOW + timedelta(days=15)),
            (f"{other.handle}.{until}.{mac}", NOW),
            (f"{handle}.{int(until) + 1}.{mac}", NOW),
            (f"{handle}.{until}.", NOW),
            (f"{handle}.x.{mac}", NOW),
            (f"{handle}.{'9' * 40}.{mac}", NOW),
            ("", NOW),
            ("é.é.é", NOW),
        ):
            with pytest.raises(errors.NotFound):
                reminders.shop_of(db, RING, wrong, when)
        with pytest.raises(errors.NotFound):
            reminders.shop_of(db, Keyring(b"x" * 32), link, NOW)


def test_from_the_mail_to_the_shelf(tmp_path: Path) -> None:
    (town,) = neighbours.found(["Pessac"], tmp_path)
    town.run("shop", "add", "fleurs", "--name", "Fleurs", "--commune", "Pessac")
    town.run("listing", "add", "fleurs", "--name", "Miel", "--price", "5")
    town.run("account", "invite", "claire@example.fr", "--role", "merchant", "--shop", "fleurs")
    with smtp.serving() as server:
        server.carry_mail_of(town.folder)
        text = (town.folder / "instance.toml").read_text()
        assert "[testing]" not in text
        with (town.folder / "instance.toml").open("a") as settings:
            settings.write(f"\n[testing]\nclock_offset_s = {9 * 86_400}\n")
        with neighbours.serving([town]):
            eventually(lambda: bool(server.mails))
            (mail,) = server.mails
            assert mail["To"] == "claire@example.fr"
            found = re.search(r"/encore-en-rayon/\S+", mail.get_content())
            assert found is not None
            browser = Browser(town)
            assert "tout ce qui n’est pas épuisé" in browser.get(found[0]).text

            def seen() -> str:
                with database.reading(town.folder) as db:
                    (listing_id,) = listings.find_ids_after(db, "", 10)
                    (listing,) = listings.find(db, [listing_id])
                return str(listing.seen.date())

            before = seen()
            assert (
                httpx2.post(f"{town.url}{found[0]}", timeout=neighbours.PATIENCE).status_code == 403
            )
            assert seen() == before  # opening it and foreign forms change nothing
            assert "vu en rayon" in browser.follow(found[0], data={}).text
            assert seen() > before
            assert browser.get(found[0] + "x").status_code == 404
