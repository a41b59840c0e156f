"""« Signaler » with a telephone and no script, and the steward's and the merchant's side of it."""

import time

from tests.browser import axe
from tests.browser.conftest import Visit
from tests.browser.test_merchant import press, sign_in
from tests.neighbours import Town


def test_reported_without_script_and_decided(visit: Visit, pessac: Town, axe_script: str) -> None:
    with visit(360, script=False) as tab:
        tab.page.goto(f"{pessac.url}/@camponac")
        tab.follow(tab.page.get_by_role("link", name="Signaler cette boutique"))
        assert "Fleurs de Camponac" in tab.page.locator("main").inner_text()
        time.sleep(3.1)  # nobody fills it faster
        tab.page.get_by_label("Pourquoi").select_option("Autre chose")
        tab.page.get_by_label("Ce qui ne va pas").fill("Fermée depuis un an. <b>Vraiment</b>")
        press(tab, "Envoyer le signalement")  # the box was forgotten
        assert tab.page.locator("#errors").is_visible()
        assert tab.page.get_by_label("Ce qui ne va pas").input_value().endswith("</b>")
        tab.page.get_by_label("Je pense de bonne foi").check()
        press(tab, "Envoyer le signalement")
        assert "/signalement/" in tab.page.url
        assert "Votre signalement est arrivé" in tab.page.locator("main").inner_text()
        receipt = tab.page.url
        assert not tab.overflows()
    with visit(1280, theme="dark") as tab:
        sign_in(tab, pessac, "steward@example.fr", "--role", "steward")
        tab.page.goto(f"{pessac.url}/gestion/signalements")
        tab.follow(tab.page.get_by_role("link", name="Fleurs de Camponac"))
        assert "<b>Vraiment</b>" in tab.page.locator("main").inner_text()
        assert axe.violations(tab.page, axe_script) == []
        tab.page.get_by_label("Laisser en l’état").check()
        press(tab, "Décider")
        assert tab.page.title().startswith("Erreur")
        assert axe.violations(tab.page, axe_script) == []
        tab.page.get_by_label("Ce que vous avez constaté").fill("Elle est ouverte.")
        press(tab, "Décider")
        assert "La décision est prise" in tab.page.locator("[role=status]").inner_text()
        for path in ("/gestion/signalements", "/gestion/journal", "/gestion/loi"):
            tab.page.goto(pessac.url + path)
            assert axe.violations(tab.page, axe_script) == [], path
    with visit(360) as tab:
        tab.page.goto(receipt)
        assert "Elle est ouverte." in tab.page.locator("main").inner_text()
        assert axe.violations(tab.page, axe_script) == []
        assert not tab.overflows()
    assert tab.hosts() == {pessac.authority}
