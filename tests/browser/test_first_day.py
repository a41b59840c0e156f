"""A florist's first day: from the SIRET to the second product, on a telephone with a slow network.

What it took is printed: taps, fields that were filled in, and seconds.
"""

import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests import neighbours, smtp
from tests.browser import axe
from tests.browser.conftest import PATIENCE_MS, Tab, Visit
from tests.neighbours import Town, eventually

SIRETS = {True: "732 829 320 00074", False: "443 061 841 00047"}


@pytest.fixture(scope="module")
def server() -> Iterator[smtp.Server]:
    with smtp.serving() as server:
        yield server


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, server: smtp.Server) -> Iterator[Town]:
    (town,) = neighbours.found(["Pessac"], tmp_path_factory.mktemp("first_day"))
    server.carry_mail_of(town.folder)
    with neighbours.serving([town]):
        yield town


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As heavy as a telephone makes them: twelve megapixels."""
    file = tmp_path_factory.mktemp("photo") / "IMG_0001.jpg"
    grain = Image.effect_noise((1000, 750), 40).convert("RGB")
    grain.resize((4000, 3000)).save(file, quality=80)
    assert file.stat().st_size > 1_000_000
    return file


@dataclass
class Thumb:
    """One thumb on a telephone: what it taps and fills in is counted."""

    tab: Tab
    taps: int = 0
    fields: int = 0

    def tap(self, role: str, name: str) -> None:
        main = self.tab.page.get_by_role("main")
        one = main.get_by_role(role, name=name).first
        self.taps += 1
        if role == "checkbox":
            one.tap()
            return
        with self.tab.page.expect_navigation(timeout=3 * PATIENCE_MS):
            one.tap()

    def fill(self, label: str, text: str) -> None:
        self.taps += 1
        self.fields += 1
        self.tab.page.get_by_label(label, exact=True).fill(text)

    def heading(self) -> str:
        return str(self.tab.page.get_by_role("heading", level=1).inner_text())


def slow(tab: Tab) -> None:
    """A telephone network at its slower: 4 Mbit/s down, 3 Mbit/s up, 100 ms."""
    session = tab.page.context.new_cdp_session(tab.page)
    session.send("Network.enable")
    session.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 100, "downloadThroughput": 500_000,
         "uploadThroughput": 375_000},
    )  # fmt: skip


def last_code(server: smtp.Server, address: str) -> str:
    def texts() -> list[str]:
        return [one.get_content() for one in list(server.mails) if one["To"] == address]

    eventually(lambda: bool(texts()))
    match = re.search(r"\b\d{3} \d{3}\b", texts()[-1])
    assert match is not None
    return match[0]


@contextlib.contextmanager
def timed(what: str, thumb: Thumb) -> Iterator[None]:
    taps, fields, begun = thumb.taps, thumb.fields, time.monotonic()
    yield
    print(
        f"\n{what}: {thumb.taps - taps} taps, {thumb.fields - fields} of them on fields, "
        f"{time.monotonic() - begun:.1f} s"
    )


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_shop_opened_and_its_second_product_published(
    visit: Visit, town: Town, server: smtp.Server, photo: Path, script: bool
) -> None:
    email = f"claire{int(script)}@example.fr"
    name = f"Fleurs {'du Pin' if script else 'du Parc'}"
    with visit(360, script=script) as tab:
        slow(tab)
        thumb = Thumb(tab)
        tab.page.goto(f"{town.url}/ouvrir-ma-boutique")
        with timed("a shop asked for", thumb):
            thumb.fill("Numéro SIRET de la boutique", SIRETS[script])
            thumb.fill("Nom de la boutique", name)
            thumb.fill("Numéro et rue", "12 rue du Pin")
            thumb.tap("button", "Continuer")
            thumb.fill("Votre adresse électronique", email)
            thumb.tap("button", "Continuer")
            thumb.fill("Votre code", last_code(server, email))
            thumb.tap("button", "Continuer")
            thumb.tap("button", "mardi à samedi")
            thumb.tap("checkbox", "Je suis autorisé")
            thumb.tap("button", "Envoyer")
            assert "attend d’être validée" in tab.page.get_by_role("status").inner_text()
        assert thumb.taps <= 12
        open_as_steward(visit, town, name)
        tab.page.goto(f"{town.url}/compte")
        assert thumb.heading() == f"Bonjour, {name}"
        for number, product in enumerate(("Cyclamen", "Bouquet de saison"), 1):
            with timed(f"product {number}, with a photo of 12 megapixels", thumb):
                before = thumb.taps
                thumb.tap("link", "Ajouter un produit" if number == 1 else "Ajouter un autre")
                thumb.taps += 1
                tab.page.get_by_label("Prendre une photo").set_input_files(photo)
                thumb.fill("Nom", f"{product} {int(script)}")
                thumb.fill("Prix TTC, en euros", "8,90")
                thumb.tap("button", "Publier")
                assert tab.page.get_by_role("status").inner_text().startswith("Publié")
            assert thumb.taps - before <= 5
        assert not tab.overflows()
        assert tab.hosts() == {town.authority}
    assert town.names(f"bouquet {int(script)}", "33318") == [f"Bouquet de saison {int(script)}"]


def open_as_steward(visit: Visit, town: Town, name: str) -> None:
    invited = town.run("account", "invite", "nadia@example.fr", "--role", "steward")
    with visit(1280, script=False) as tab:
        tab.page.goto(f"{town.url}/connexion")
        tab.page.get_by_label("Votre adresse électronique").fill("nadia@example.fr")
        tab.page.get_by_label("Votre code").fill(invited["code"])
        main = tab.page.get_by_role("main")
        tab.follow(main.get_by_role("button", name="Se connecter"))
        tab.follow(tab.page.get_by_role("link", name=name).first)
        tab.follow(tab.page.get_by_role("button", name="Ouvrir la boutique"))
        assert "La boutique est ouverte" in tab.page.get_by_role("main").inner_text()


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 360)])
def test_axe_finds_nothing(
    visit: Visit, town: Town, server: smtp.Server, axe_script: str, theme: str, width: int
) -> None:
    """Every step of opening a shop, what a steward reads of it, and a promotion."""
    found: list[str] = []
    email = f"{theme}@example.fr"
    shop = town.run("shop", "add", theme, "--name", f"Chez {theme}", "--commune", "Pessac")
    listing = town.run("listing", "add", theme, "--name", "Pot", "--price", "10")
    assert shop["handle"] == theme

    def look(page: Any) -> None:
        assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        found.extend(f"{page.url} {one}" for one in axe.violations(page, axe_script))

    with visit(width, theme=theme) as tab:
        page = tab.page

        def press(name: str) -> None:
            tab.follow(page.get_by_role("main").get_by_role("button", name=name).first)
            look(page)

        page.goto(f"{town.url}/ouvrir-ma-boutique")
        look(page)
        press("Continuer")
        siret = {"light": "55200155400013", "dark": "54205118000066"}[theme]
        page.get_by_label("Numéro SIRET").fill(siret)
        page.get_by_label("Nom de la boutique").fill(f"Mercerie {theme}")
        page.get_by_label("Numéro et rue").fill("1 rue du Pin")
        press("Continuer")
        page.get_by_label("Votre adresse électronique").fill(email)
        press("Continuer")
        page.get_by_label("Votre code").fill(last_code(server, email))
        press("Continuer")
        press("lundi à samedi")
        page.get_by_label("Je suis autorisé").check()
        press("Envoyer")
    with visit(width, theme=theme) as tab:
        page = tab.page
        invited = town.run("account", "invite", "nadia@example.fr", "--role", "steward")
        page.goto(f"{town.url}/connexion")
        page.get_by_label("Votre adresse électronique").fill("nadia@example.fr")
        page.get_by_label("Votre code").fill(invited["code"])
        press("Se connecter")
        tab.follow(page.get_by_role("link", name=f"Mercerie {theme}").first)
        look(page)
        town.run("account", "invite", "m@example.fr", "--role", "merchant", "--shop", theme)
        invited = town.run("account", "invite", "m@example.fr", "--role", "merchant",
                           "--shop", theme)  # fmt: skip
        page.goto(f"{town.url}/connexion")
        page.get_by_label("Votre adresse électronique").fill("m@example.fr")
        page.get_by_label("Votre code").fill(invited["code"])
        press("Se connecter")
        page.goto(f"{town.url}/ma-boutique/{theme}/produits/{listing['id']}/promotion")
        look(page)
        page.get_by_label("Prix réduit").fill("8")
        page.get_by_label("Dernier jour").fill("2099-01-01")
        press("Calculer")
        page.get_by_label("Dernier jour").fill(time.strftime("%Y-%m-%d", time.gmtime(
            time.time() + 172_800)))  # fmt: skip
        press("Calculer")
        press("Annoncer")
        page.goto(listing["url"])
        look(page)
    assert found == []
