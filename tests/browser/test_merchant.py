"""A merchant with a telephone and a steward at a desk, with script and without."""

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from node.model import Enquiry, Report
from node.store import database, enquiries, reports, shops
from tests import neighbours
from tests.browser import axe
from tests.browser.conftest import Tab, Visit
from tests.neighbours import Town


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Pessac, serving, with a florist."""
    (town,) = neighbours.found(["Pessac"], tmp_path_factory.mktemp("merchant"))
    with neighbours.serving([town]):
        town.run("shop", "add", "fleurs", "--name", "Fleurs de Camponac", "--commune", "Pessac")
        yield town


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As a telephone takes it: lying on its side, with the place it was taken at."""
    file = tmp_path_factory.mktemp("photo") / "IMG_0001.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[2] = (44.0, 48.0, 0.0)
    Image.new("RGB", (1200, 900), "teal").save(file, exif=exif)
    return file


def sign_in(tab: Tab, town: Town, email: str, *grant: str) -> None:
    invited = town.run("account", "invite", email, *grant)
    tab.page.goto(f"{town.url}/connexion")
    tab.page.get_by_label("Votre adresse électronique").fill(email)
    tab.page.get_by_label("Votre code").fill(invited["code"])
    press(tab, "Se connecter")


def press(tab: Tab, name: str) -> None:
    """A tap on a button of the page itself, and whatever it leads to."""
    tab.follow(tab.page.get_by_role("main").get_by_role("button", name=name, exact=True))


def listings(town: Town) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "node", "-C", str(town.folder), "listing", "list", "--json"],
        cwd=neighbours.ROOT,
        capture_output=True,
        check=True,
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_publish_with_a_photo_change_and_withdraw(
    visit: Visit, town: Town, photo: Path, script: bool
) -> None:
    name = f"Cyclamen {'rose' if script else 'blanc'}"
    with visit(360, script=script) as tab:
        sign_in(tab, town, "claire@example.fr", "--role", "merchant", "--shop", "fleurs")
        assert tab.page.get_by_role("heading", level=1).inner_text() == (
            "Bonjour, Fleurs de Camponac"
        )
        tab.follow(tab.page.get_by_role("link", name="Ajouter un produit"))
        # A slip of the finger: everything stays, the photo too.
        tab.page.get_by_label("Prendre une photo").set_input_files(photo)
        tab.page.get_by_label("Nom").fill(name)
        tab.page.get_by_label("Prix TTC, en euros").fill("8,9O")
        press(tab, "Publier")
        assert tab.page.title().startswith("Erreur\u202f: ")
        tab.follow(tab.page.get_by_role("link", name="Le prix doit être un nombre"))
        assert tab.page.url.endswith("#price")
        assert tab.page.get_by_label("Nom").input_value() == name
        tab.page.get_by_label("Prix TTC, en euros").fill("8,90")
        press(tab, "Publier")
        assert tab.page.get_by_role("status").inner_text().startswith("Publié")
        (listing,) = [one for one in listings(town) if one["name"] == name]
        assert listing["price"]["amount"] == "8.90"
        (sent,) = listing["photos"]
        assert sent["sizes"][0]["height"] == 1200  # it stands upright
        tab.page.get_by_label("Prix TTC, en euros").fill("7,50")
        press(tab, "Enregistrer")
        assert tab.page.get_by_role("status").inner_text().startswith("Enregistré")
        tab.follow(tab.page.get_by_role("link", name="Voir sa page"))
        assert "7,50" in tab.page.get_by_role("main").inner_text()
        assert tab.page.get_by_role("img", name=name).is_visible()
        tab.page.goto(f"{town.url}/ma-boutique/fleurs/produits/{listing['id']}")
        tab.follow(tab.page.get_by_role("link", name="Retirer ce produit"))
        press(tab, "Retirer")
        assert tab.page.get_by_role("status").inner_text().startswith("Le produit est retiré")
        assert not tab.overflows()
        assert tab.hosts() == {town.authority}
        assert [one for one in tab.complaints if "422" not in one] == []  # the slip above
    assert name not in [one["name"] for one in listings(town)]


def test_a_double_tap_publishes_once(visit: Visit, town: Town) -> None:
    with visit(360) as tab:
        sign_in(tab, town, "claire@example.fr", "--role", "merchant", "--shop", "fleurs")
        tab.page.goto(f"{town.url}/ma-boutique/fleurs/ajouter")
        tab.page.get_by_label("Nom").fill("Jacinthe")
        tab.page.get_by_label("Prix TTC, en euros").fill("5")
        with tab.page.expect_navigation():
            tab.page.evaluate(
                "const one = document.querySelector('button.wide'); one.click(); one.click();"
            )
        tab.page.wait_for_load_state()
    assert [one["name"] for one in listings(town)].count("Jacinthe") == 1


def test_a_steward_opens_a_shop_without_script(visit: Visit, town: Town) -> None:
    with visit(1280, script=False) as tab:
        sign_in(tab, town, "nadia@example.fr", "--role", "steward")
        assert tab.page.get_by_role("heading", level=1).inner_text() == "Tableau de bord"
        tab.follow(tab.page.get_by_role("link", name="Ouvrir une boutique"))
        tab.page.get_by_label("Nom de la boutique").fill("Mercerie Lartigue")
        tab.page.get_by_label("Téléphone").fill("05 36 49 30 15")
        tab.page.get_by_label("Adresse électronique du commerçant").fill("m@example.fr")
        press(tab, "Ouvrir la boutique")
        assert "À remettre" in tab.page.get_by_role("heading", level=1).inner_text()
        tab.page.goto(f"{town.url}/gestion")
        assert tab.page.get_by_role("rowheader", name="Mercerie Lartigue").is_visible()


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 360)])
def test_axe_finds_nothing(
    visit: Visit, town: Town, axe_script: str, photo: Path, theme: str, width: int
) -> None:
    listing = town.run(
        "listing", "add", "fleurs", "--name", f"Rosier {theme}", "--photo", str(photo),
        "--offer", "taille=S,price=5", "--offer", "taille=L,price=9,stock=0",
    )  # fmt: skip
    found: list[str] = []

    def look(path: str | None = None) -> None:
        if path is not None:
            assert tab.page.goto(f"{town.url}{path}").status == 200
        assert not tab.overflows(), path
        found.extend(f"{tab.page.url} {one}" for one in axe.violations(tab.page, axe_script))

    mine = "/ma-boutique/fleurs"
    asked = _ask_and_report(town, listing["id"])
    with visit(width, theme=theme) as tab:
        tab.page.goto(f"{town.url}/connexion")
        press(tab, "Se connecter")
        look()
        sign_in(tab, town, "claire@example.fr", "--role", "merchant", "--shop", "fleurs")
        for path in (
            "",
            "/produits",
            f"/produits/{listing['id']}",
            "/ajouter",
            "/epuise",
            "/equipe",
            "/caisse",
            "/courrier",
            f"/courrier/{asked}",
        ):
            look(mine + path)
        look(f"{mine}/produits/{listing['id']}/choix")
        look(f"{mine}/horaires")
        tab.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        look()
        look(f"{mine}/produits/{listing['id']}/retirer")
        tab.page.goto(f"{town.url}{mine}/ajouter")
        press(tab, "Publier")
        look()
    with visit(width, theme=theme) as tab:
        sign_in(tab, town, "nadia@example.fr", "--role", "steward")
        town.run("neighbour", "block", "loin.example")
        for path in (
            "", "/boutiques/ajouter", "/boutiques/fleurs", "/acces", "/voisins/ajouter",
        ):  # fmt: skip
            look(f"/gestion{path}")
        tab.page.goto(f"{town.url}/gestion/acces")
        tab.page.get_by_label("Adresse électronique").fill("x@example.fr")
        press(tab, "Inviter")
        look()
    assert found == []


def _ask_and_report(town: Town, listing: str) -> str:
    """A question of somebody elsewhere about a listing, and a report; returns the question's id."""
    now = datetime.now(UTC)
    asked, actor = str(uuid.uuid4()), "https://ailleurs.example/users/ines"
    with database.transaction(town.folder) as db:
        shop = shops.get_own(db, "fleurs")
        assert shop is not None
        words = "Bonjour, est-ce qu’il pousse à l’ombre ? " + "Merci beaucoup. " * 20
        enquiries.put(
            db,
            Enquiry(
                asked, f"{actor}/{asked}", shop.id, listing, actor, "Inès", "ailleurs.example",
                f"{actor}/inbox", words, now,
            ),
        )  # fmt: skip
        reports.add(
            db,
            Report(
                asked, f"{actor}/flag/{asked}", actor, "ailleurs.example", (shop.uri,), words, now
            ),
        )
    return asked
