"""What a resident does, on a telephone and on a desk, with script and without."""

import json
import re
import subprocess
from typing import Any

import pytest

from tests import neighbours
from tests.browser.conftest import LONG_WORD, Visit
from tests.neighbours import Town

WIDTHS = (360, 1280)
PAGES = (
    "/agenda", "/agenda?quand=week-end", "/actualites", "/en/agenda",
    "/", "/recherche", "/recherche?q=miel", "/recherche?q=introuvable", "/rayons",
    "/recherche?q=miel&prix_max=abc", "/rayon/epicerie", "/boutiques", "/boutiques?ou=FR-33281",
    "/@monteil", "/@camponac", "/commune", "/commune?ou=Saint-Denis", "/commune?ou=FR-33281",
    "/commune?ou=nulle+part+au+monde", "/mentions-legales", "/accessibilite",
    "/donnees-personnelles", "/classement", "/credits", "/signaler", "/regles", "/contact",
    "/plan-du-site", "/nothing-here", "/en/",
    "/en/recherche?q=miel",
    "/preuve", "/en/preuve", "/voisins",
    "/agenda", "/agenda?quand=week-end", "/actualites", "/en/agenda",
)  # fmt: skip


def listing_path(town: Town, shop: str, name: str) -> str:
    """The page of a listing."""
    found = re.search(rf'href="(/@{shop}/{name}[^"]*)"', town.get(f"/@{shop}").text)
    assert found, name
    return found[1]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("script", [True, False])
def test_a_resident_finds_a_thing_and_the_shop_that_has_it(
    visit: Visit, pessac: Town, width: int, script: bool
) -> None:
    with visit(width, script=script) as tab:
        page = tab.page
        page.goto(f"{pessac.url}/")
        assert page.locator("h1").inner_text().split() == ["Les", "commerces", "de", "Pessac"]
        page.get_by_label("Que cherchez-vous").fill("miel")
        tab.follow(page.get_by_role("button", name="Chercher"))
        page.locator(".near-cards").wait_for()
        rings = page.locator(".ring h2").all_inner_texts()
        assert rings == ["À Pessac", "Dans les communes voisines"]
        near = page.locator(".near-cards")
        assert "12,50\u202f€" in near.inner_text()
        assert "25,00\u202f€/kg" in near.inner_text()
        assert "Ouvert jour et nuit" in near.inner_text()
        tab.follow(near.get_by_role("link", name="Miel de lavande"))
        page.locator(".price.big").wait_for()
        assert page.locator("h1").inner_text() == "Miel de lavande, pot de 500 g"
        assert page.locator(".price.big strong").inner_text() == "12,50\u202f€"
        assert "En rayon" in page.locator("main").inner_text()
        assert "</script><script>" in page.locator("p.text").inner_text()
        door = page.locator(".doors").get_by_role("link", name="Appeler")
        assert door.get_attribute("href") == "tel:0536490135"
        page.locator(".doors").get_by_role("link", name="Y aller").click()
        page.locator("#go").wait_for()
        tab.follow(page.locator(".shop").get_by_role("link", name="Épicerie du Monteil"))
        assert page.locator(".facts .now").first.is_visible()
        assert "Fleurs de Camponac" not in page.content()  # no other shop on a shop's page
    assert tab.hosts() == {pessac.authority}
    assert tab.complaints == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("script", [True, False])
def test_a_resident_chooses_where_they_live(
    visit: Visit, pessac: Town, width: int, script: bool
) -> None:
    with visit(width, script=script) as tab:
        page = tab.page
        page.goto(f"{pessac.url}/")
        tab.follow(page.get_by_role("link", name="Changer de commune"))
        page.get_by_label("Commune ou code postal").fill("Saint-Denis")
        tab.follow(page.get_by_role("button", name="Choisir"))
        choices = page.locator(".around a").all_inner_texts()
        assert any("93" in one and "Seine-Saint-Denis" in one for one in choices)
        tab.follow(page.get_by_role("link", name="Saint-Denis (93)"))
        assert page.url == f"{pessac.url}/?ou=FR-93066"
        # The choice goes along, in the address alone.
        page.get_by_label("Que cherchez-vous").fill("miel")
        tab.follow(page.get_by_role("button", name="Chercher"))
        assert "près de Saint-Denis" in page.locator("h1").inner_text()
        empty = page.locator(".ring h2").first.inner_text()
        assert empty.replace("\u202f", " ") == (
            "Personne à Saint-Denis ne propose « miel » pour l’instant"
        )
        tab.follow(page.locator("main").get_by_role("link", name="Miel de lavande"))
        assert page.url.endswith("?ou=FR-93066")
        assert page.context.cookies() == []
    assert tab.hosts() == {pessac.authority}


@pytest.mark.parametrize("script", [True, False])
def test_a_search_from_an_unclear_place_asks_which_and_goes_on(
    visit: Visit, pessac: Town, script: bool
) -> None:
    with visit(1280, script=script) as tab:
        page = tab.page
        page.goto(f"{pessac.url}/recherche?q=miel&ou=Saint-Denis")
        tab.follow(page.get_by_role("link", name="Saint-Denis (974)"))
        assert "miel" in page.locator("h1").inner_text()
        assert "ou=FR-97411" in page.url


def test_what_is_narrowed_is_said_and_can_be_widened(visit: Visit, pessac: Town) -> None:
    with visit(360) as tab:
        page = tab.page
        page.goto(f"{pessac.url}/recherche?q=miel")
        assert not page.get_by_label("Ouvert maintenant").is_visible()
        page.get_by_text("Affiner les résultats").first.click()
        page.get_by_label("Prix maximum").fill("cher")
        tab.follow(page.get_by_role("button", name="Appliquer"))
        wrong = page.get_by_label("Prix maximum")
        assert wrong.is_visible()
        assert wrong.input_value() == "cher"
        assert wrong.get_attribute("aria-invalid") == "true"
        described = str(wrong.get_attribute("aria-describedby"))
        assert "12,50" in page.locator(f"#{described}").inner_text()
        tab.follow(page.get_by_role("link", name="Élargir"))
        assert "prix_max" not in page.url


def test_a_neighbours_listing_leads_to_its_own_site(visit: Visit, towns: tuple[Town, Town]) -> None:
    pessac, merignac = towns
    with visit(1280) as tab:
        tab.page.goto(f"{pessac.url}/recherche?q=chataignier")
        link = tab.page.get_by_role("link", name="Miel de châtaignier")
        assert str(link.get_attribute("href")).startswith(f"{merignac.url}/@ruche/")
        assert merignac.authority in tab.page.locator(".rows").inner_text()
    assert tab.hosts() == {pessac.authority}


@pytest.mark.parametrize("width", [320, 1280])
def test_nothing_is_wider_than_the_window(visit: Visit, pessac: Town, width: int) -> None:
    wide = []
    with visit(width) as tab:
        for path in (*PAGES, listing_path(pessac, "camponac", LONG_WORD.lower()[:20])):
            tab.page.goto(f"{pessac.url}{path}")
            if tab.overflows():
                wide.append(path)
    assert wide == []
    assert tab.hosts() == {pessac.authority}


def test_the_keyboard_goes_to_the_content_first(visit: Visit, pessac: Town) -> None:
    with visit(1280) as tab:
        tab.page.goto(f"{pessac.url}/@monteil")
        tab.page.keyboard.press("Tab")
        focused = tab.page.locator(":focus")
        assert focused.inner_text() == "Aller au contenu"
        assert tab.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        tab.page.keyboard.press("Enter")
        tab.page.locator("#content:focus").wait_for()
        tab.page.goto(f"{pessac.url}/@monteil")
        tab.page.keyboard.press("Tab")
        tab.page.keyboard.press("Tab")
        tab.page.keyboard.press("Enter")
        tab.page.locator("#q:focus").wait_for()


def test_programs_read_shops_and_listings_as_linked_data(visit: Visit, pessac: Town) -> None:
    def linked(page: Any) -> Any:
        return json.loads(page.locator('script[type="application/ld+json"]').inner_text())

    with visit(1280) as tab:
        tab.page.goto(f"{pessac.url}{listing_path(pessac, 'monteil', 'miel')}")
        product = linked(tab.page)
        assert product["@type"] == "Product"
        assert product["offers"][0]["price"] == "12.50"
        assert product["offers"][0]["availability"] == "https://schema.org/InStock"
        assert product["description"].endswith("</script><script>alert(1)</script>")
        title = tab.page.locator('meta[property="og:title"]').get_attribute("content")
        assert title == "Miel de lavande, pot de 500 g – Épicerie du Monteil"
        tab.page.goto(f"{pessac.url}/@monteil")
        business = linked(tab.page)
        assert business["@type"] == "LocalBusiness"
        assert business["telephone"] == "05 36 49 01 35"
        assert len(business["openingHoursSpecification"]) == 7
    assert tab.complaints == []  # the policy lets data through: nothing runs


def test_printed_pages_keep_the_content_and_lose_the_ways(visit: Visit, pessac: Town) -> None:
    with visit(1280) as tab:
        tab.page.goto(f"{pessac.url}{listing_path(pessac, 'monteil', 'miel')}")
        tab.page.emulate_media(media="print")
        assert not tab.page.locator(".search").is_visible()
        assert not tab.page.locator(".doors").is_visible()
        assert tab.page.locator(".price.big").is_visible()
        assert tab.page.get_by_text("05 36 49 01 35").is_visible()


def test_a_text_browser_reaches_a_shops_telephone(w3m: str, pessac: Town) -> None:
    def read(address: str) -> str:
        done = subprocess.run(
            [w3m, "-dump", "-o", "display_link_number=1", "-cols", "100", address],
            capture_output=True, text=True, timeout=neighbours.PATIENCE, check=True,
            env={"HOME": "/nonexistent", "LANG": "C.UTF-8"},
        )  # fmt: skip
        return done.stdout

    def follow(text: str, words: str) -> str:
        number = re.search(rf"\[(\d+)\]{words}", text)
        assert number, text
        address = re.search(rf"^\[{number[1]}\] (\S+)$", text, re.M)
        assert address, text
        return address[1]

    found = read(f"{pessac.url}/recherche?q=miel")
    listing = read(follow(found, "Miel de lavande"))
    assert "12,50" in listing
    shop = read(follow(listing, "Épicerie du Monteil"))
    assert "05 36 49 01 35" in shop
