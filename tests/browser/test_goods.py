"""What the law asks for, on a telephone: with script and without, and looked over by axe."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import neighbours
from tests.browser import axe
from tests.browser.conftest import Tab, Visit
from tests.browser.test_merchant import listings, press, sign_in
from tests.neighbours import Town

LOOK = os.environ.get("ECHOPPE_PICTURES")  # a folder: pictures of each screen, to be looked at


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Pessac, serving, with a grocer."""
    (town,) = neighbours.found(["Pessac"], tmp_path_factory.mktemp("goods"))
    with neighbours.serving([town]):
        town.run(
            "shop", "add", "fleurs", "--name", "Épicerie du Monteil", "--commune", "Pessac",
            "--address", "12 rue du Pin",
        )  # fmt: skip
        yield town


def picture(tab: Tab, name: str) -> None:
    assert not tab.overflows(), name
    if LOOK:
        width = tab.page.viewport_size["width"]
        tab.page.screenshot(path=Path(LOOK) / f"{name}-{width}.png", full_page=True)


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_honey_asks_for_three_things_and_then_is_public(
    visit: Visit, town: Town, axe_script: str, script: bool
) -> None:
    name = f"Miel de {'tilleul' if script else 'ronce'}"
    found: list[str] = []

    def look(shot: str) -> None:
        picture(tab, shot)
        if script:
            found.extend(f"{shot} {one}" for one in axe.violations(tab.page, axe_script))

    with visit(360, script=script) as tab:
        sign_in(tab, town, "claire@example.fr", "--role", "merchant", "--shop", "fleurs")
        tab.page.goto(f"{town.url}/ma-boutique/fleurs/ajouter")
        tab.page.get_by_label("Nom").fill(name)
        tab.page.get_by_label("Prix TTC, en euros").fill("9,50")
        press(tab, "Publier")
        assert "Gardé, pas encore public" in tab.page.get_by_role("alert").inner_text()
        look("asked")
        tab.page.get_by_role("alert").get_by_role("link", name="quels allergènes").tap()
        assert tab.page.url.endswith("#allergens")
        tab.page.get_by_label("Aucun de ces 14").check()
        tab.page.get_by_label("Origine").fill("France (Gironde)")
        press(tab, "Publier")
        # One is left: where the first one was typed it stays.
        assert tab.page.get_by_role("alert").get_by_role("link").count() == 1
        assert tab.page.get_by_label("Aucun de ces 14").is_checked()
        tab.page.goto(f"{town.url}/ma-boutique/fleurs/produits")
        assert "Il manque" in tab.page.locator("#incomplete").inner_text()
        look("incomplete")
        tab.page.locator("#incomplete").get_by_role("link", name=name).tap()
        assert tab.page.get_by_label("Origine").input_value() == "France (Gironde)"
        tab.page.get_by_label("Contenance").fill("500")
        tab.page.get_by_label("Unité").select_option("g")
        press(tab, "Publier")
        assert tab.page.get_by_role("status").inner_text().startswith("Publié")
        look("described")
        (listing,) = [one for one in listings(town) if one["name"] == name]
        tab.page.goto(listing["url"])
        goods = tab.page.get_by_role("region", name="À propos de ce produit")
        assert "France (Gironde)" in goods.inner_text()
        look("page")
        assert tab.hosts() == {town.authority}
    assert found == []


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 360)])
def test_each_field_has_its_place(
    visit: Visit, town: Town, axe_script: str, theme: str, width: int
) -> None:
    found: list[str] = []
    with visit(width, theme=theme) as tab:
        sign_in(tab, town, f"{theme}@example.fr", "--role", "merchant", "--shop", "fleurs")
        for turn, (name, field) in enumerate(
            (
                ("Jouet en bois", "Qui le fabrique"),
                ("Lave-linge", "Classe d’énergie"),
                ("Cigares", "Nom"),
            )
        ):
            tab.page.goto(f"{town.url}/ma-boutique/fleurs/ajouter")
            tab.page.get_by_label("Nom").fill(f"{name} {theme}")
            tab.page.get_by_label("Prix TTC, en euros").fill("9,50")
            press(tab, "Publier")
            if name == "Lave-linge":  # nothing points at its shelf: public at once
                tab.page.get_by_label("Rayon").select_option("maison.electromenager")
                press(tab, "Enregistrer")
            assert tab.page.get_by_label(field).is_visible(), name
            picture(tab, f"field-{turn}-{theme}")
            found.extend(f"{name} {one}" for one in axe.violations(tab.page, axe_script))
        made = town.run(
            "listing", "add", "fleurs", "--name", f"Sauternes {theme}", "--price", "29",
            "--category", "boissons.vin", "--quantity", "75", "--unit", "cl", "--allergens",
            "sulphites,milk,eggs", "--traces", "fish", "--strength", "13,5", "--origin", "France",
            "--brand", "Château Inventé", "--maker",
            "Château Inventé; Le Bourg, 33210 Sauternes; https://chateau.example/contact",
            "--warnings", "Contient des sulfites.",
        )  # fmt: skip
        mine = f"{town.url}/ma-boutique/fleurs"
        for shot, path in (
            ("wine-form", f"{mine}/produits/{made['id']}"),
            ("wine-page", made["url"]),
            ("notice", f"{mine}/mentions"),
            ("import", f"{mine}/importer"),
        ):
            tab.page.goto(path)
            picture(tab, f"{shot}-{theme}")
            found.extend(f"{path} {one}" for one in axe.violations(tab.page, axe_script))
    assert found == []
