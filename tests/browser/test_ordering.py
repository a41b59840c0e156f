"""Selling at a distance in a real browser: switched on, ordered from, paid by a code, withdrawn."""

import contextlib
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node import qr, transfers
from tests import neighbours
from tests.browser import axe
from tests.browser.conftest import Tab, Visit
from tests.browser.test_merchant import press, sign_in
from tests.browser.test_sealed import new_card, unlock
from tests.neighbours import Town
from tests.node.test_transfers import read

HOME = "/ma-boutique/fleurs"
IBAN = "FR1420041010050500013M02606"
ORDER = "Commande avec obligation de paiement"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Pessac, serving, with a florist who delivers."""
    (town,) = neighbours.found(["Pessac"], tmp_path_factory.mktemp("ordering"))
    with neighbours.serving([town]):
        town.run(
            "shop", "add", "fleurs", "--name", "Fleurs de Camponac", "--commune", "Pessac",
            "--address", "12 rue du Colonel-Fonck", "--phone", "05 36 49 01 34",
            "--delivers-to", "Pessac", "--delivery-price", "3,50", "--delivery-days", "mar jeu",
        )  # fmt: skip
        yield town


@pytest.fixture(scope="module")
def words(visit: Visit, town: Town, axe_script: str, pictures: Path) -> list[str]:
    """The florist's card, made on a telephone, from which selling at a distance is switched on."""
    with visit(360) as tab:
        sign_in(tab, town, "claire@example.fr", "--role", "merchant", "--shop", "fleurs")
        tab.page.goto(f"{town.url}{HOME}/cle")
        words = new_card(tab)
        tab.page.goto(f"{town.url}{HOME}")
        go(tab, "Vente à distance")
        look(tab, axe_script, pictures, "selling-off")
        for label, value in (
            ("Votre nom ou celui", "Claire Martin, entrepreneure individuelle"),
            ("SIRET", "732 829 320 00074"), ("Courriel pour les clients", "claire@example.fr"),
            ("Médiateur de la consommation", "Médiateur du commerce, 1 rue du Pont, Pessac"),
            ("Livré ou prêt", "5"), ("Adresse où renvoyer", "12 rue du Colonel-Fonck, Pessac"),
            ("Titulaire du compte", "Claire Martin"), ("IBAN", "FR15"),
        ):  # fmt: skip
            tab.page.get_by_label(label).fill(value)
        terms = tab.page.get_by_label("Vos propres conditions")
        assert terms.input_value().startswith("À faire relire")
        press(tab, "Enregistrer et prendre des commandes")
        look(tab, axe_script, pictures, "selling-wrong")
        assert "Cet IBAN n’est pas juste" in tab.page.get_by_role("alert").inner_text()
        tab.page.get_by_label("IBAN").fill(transfers.written(IBAN))
        press(tab, "Enregistrer et prendre des commandes")
        assert "il manque encore" in tab.page.get_by_role("status").inner_text()
        text = terms.input_value()
        terms.fill(text.partition("\n")[2])
        press(tab, "Enregistrer et prendre des commandes")
        look(tab, axe_script, pictures, "selling-on")
        assert "Vous vendez maintenant à distance" in tab.page.get_by_role("status").inner_text()
        return words


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pages are kept as they looked."""
    return tmp_path_factory.mktemp("pictures")


def look(tab: Tab, script: str, pictures: Path, name: str) -> None:
    """Nothing to complain of for the accessibility checker, nothing too wide, and a picture."""
    if tab.script:
        assert axe.violations(tab.page, script) == [], name
        assert not tab.overflows(), name
    width = tab.page.viewport_size["width"]
    tab.page.screenshot(path=pictures / f"{name}-{width}.png", full_page=True)


def go(tab: Tab, name: str) -> None:
    """Follows a link of the page itself."""
    with tab.page.expect_navigation():
        tab.page.get_by_role("main").get_by_role("link", name=name).click()


def offered(town: Town, name: str, *more: str, shelf: str = "maison.decoration") -> str:
    """A listing, and the address of its page."""
    listing = town.run(
        "listing", "add", "fleurs", "--name", name, "--price", "12", "--delivered",
        "--category", shelf,
        "--maker", "Atelier du Lac; 1 rue des Arts, 33600 Pessac; atelier@lac.example", *more,
    )  # fmt: skip
    return str(town.get(f"/@fleurs/x-{listing['id'][:8]}", follow_redirects=True).url)


def fill(tab: Tab) -> None:
    tab.page.get_by_label("Vos nom et prénom").fill("Zoé Personne")
    tab.page.get_by_label("Votre téléphone").fill("06 39 98 00 12")
    tab.page.get_by_label("Adresse de livraison").fill("9 rue des Lilas")
    tab.page.get_by_label("J’ai lu les conditions").check()


def rows(town: Town, sql: str) -> list[Any]:
    file = f"file:{town.folder / 'node.db'}?mode=ro"
    with contextlib.closing(sqlite3.connect(file, uri=True)) as db:
        return db.execute(sql).fetchall()


@pytest.mark.parametrize("width", [360, 1280])
def test_from_the_product_to_the_withdrawal(
    visit: Visit, town: Town, words: list[str], axe_script: str, pictures: Path, width: int
) -> None:
    url = offered(town, f"Vase {width}", "--stock", "5")
    with visit(width, theme="light" if width == 360 else "dark") as tab, visit(360) as shop:
        tab.page.goto(url)
        look(tab, axe_script, pictures, "product")
        go(tab, "Commander")
        tab.page.get_by_label("Combien").fill("2")
        press(tab, "Calculer le total")
        tab.page.locator("#words").wait_for()
        look(tab, axe_script, pictures, "order")
        assert "27,50" in tab.page.locator("#true-sealed").inner_text()
        # What is missing is asked for by the browser, and nothing is sent.
        tab.page.get_by_role("button", name=ORDER, exact=True).click()
        fields = tab.page.locator("#words :invalid").count()
        assert fields >= 3
        fill(tab)
        press(tab, ORDER)
        private = tab.page.url
        assert "/reservation/" in private
        assert "#" in private
        look(tab, axe_script, pictures, "ordered")
        code = tab.page.locator(".code").inner_text()
        # Printed, the terms are there too; printing itself is the browser's.
        terms = tab.page.get_by_text("Le droit français s’applique")
        assert not terms.is_visible()
        tab.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        tab.page.emulate_media(media="print")
        assert terms.is_visible()
        assert tab.page.locator("svg.transfer").is_visible()
        tab.page.emulate_media(media="screen")
        # What is drawn is what a bank's application reads: a code for this amount and order.
        path = tab.page.locator("svg.transfer path").last.get_attribute("d")
        dark = {(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", path)}
        grid = [[(x, y) in dark for x in range(qr.SIZE)] for y in range(qr.SIZE)]
        assert read(grid).decode().split("\n") == [
            "BCD", "002", "1", "SCT", "", "Claire Martin", IBAN, "EUR27.50", "", "", code,
        ]  # fmt: skip
        # The shop reads who, where, and what was agreed, once its device is unlocked.
        sign_in(shop, town, "claire@example.fr", "--role", "merchant", "--shop", "fleurs")
        shop.page.goto(f"{town.url}{HOME}/cle")
        unlock(shop, words)
        shop.page.locator("#unlocked").wait_for()
        shop.page.goto(f"{town.url}{HOME}/reservations")
        mine = shop.page.locator("li", has_text=code)
        mine.locator(".opened").wait_for()
        look(shop, axe_script, pictures, f"list-{width}")
        told = mine.inner_text()
        for word in ("Zoé Personne", "06 39 98 00 12", "9 rue des Lilas", "2 × Vase", "27,50"):
            assert word in told
        mine.get_by_label("Votre réponse").fill("Mardi matin.")
        with shop.page.expect_navigation(url="**fait=handed_over"):
            mine.get_by_role("button", name="Le client l’a reçue").tap()
        # The address keeps what stands behind # all the way, so the answer opens.
        tab.page.reload()
        tab.page.locator("#answer-text").wait_for()
        assert tab.page.locator("#answer-text").inner_text() == "Mardi matin."
        go(tab, "Renoncer au contrat ici")
        look(tab, axe_script, pictures, "withdraw")
        press(tab, "Confirmer la rétractation")
        assert tab.page.url == private
        look(tab, axe_script, pictures, "withdrawn")
        assert "Accusé de réception" in tab.page.get_by_role("main").inner_text()
        with tab.page.expect_download() as download:
            tab.page.get_by_role("link", name="Enregistrer le contrat").click()
        kept = Path(download.value.path()).read_text(encoding="utf-8")
        assert "Vase" in kept
        assert "Accusé de réception" in kept
        assert tab.complaints == []
        assert tab.hosts() == {town.authority}


def test_without_script_there_is_no_order_to_send(
    visit: Visit, town: Town, words: list[str], axe_script: str, pictures: Path
) -> None:
    url = offered(town, "Cadre")
    with visit(360, script=False) as tab:
        tab.page.goto(f"{url}/commander")
        look(tab, axe_script, pictures, "order-without-script")
        assert not tab.page.get_by_role("button", name=ORDER).is_visible()
        assert not tab.page.get_by_label("Vos nom et prénom").is_visible()
        go(tab, "réserver avec un code de retrait")
        press(tab, "Envoyer la réservation")
        assert re.fullmatch(r"[A-Z]{3}-[0-9]{3}", tab.page.locator(".code").inner_text())
    assert rows(town, "SELECT count(*) FROM orders JOIN reservations ON id = reservation"
                " WHERE item = 'Cadre'") == [(0,)]  # fmt: skip


def test_who_orders_wine_is_of_age(
    visit: Visit, town: Town, words: list[str], axe_script: str, pictures: Path
) -> None:
    url = offered(
        town, "Graves rouge", "--allergens", "sulphites", "--strength", "12.5",
        "--quantity", "75", "--unit", "cl", shelf="boissons.vin",
    )  # fmt: skip
    with visit(360) as shop:
        sign_in(shop, town, "claire@example.fr", "--role", "merchant", "--shop", "fleurs")
        shop.page.goto(f"{town.url}{HOME}/vente-a-distance")
        shop.page.get_by_label("J’ai la licence").check()
        press(shop, "Enregistrer")
    with visit(360) as tab:
        tab.page.goto(f"{url}/commander")
        tab.page.locator("#words").wait_for()
        look(tab, axe_script, pictures, "wine")
        fill(tab)
        tab.page.get_by_role("button", name=ORDER, exact=True).tap()
        assert "/commander" in tab.page.url  # the browser asks for the box
        tab.page.get_by_label("J’ai 18 ans ou plus").check()
        press(tab, ORDER)
        assert "Commande chez Fleurs" in tab.page.get_by_role("heading", level=1).inner_text()
        # A name that was typed is in no form, whatever becomes of the script.
        tab.page.goto(f"{url}/commander")
        tab.page.locator("#words").wait_for()
        assert tab.page.locator("#words [name]").count() == 0
