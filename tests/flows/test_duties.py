"""What the law asks for on a shelf: from the form, a file and the command to the page, the API and
the neighbour. Incomplete means kept, and not public."""

import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from node import imprints
from node.store import database, listings
from tests import neighbours
from tests.flows.test_merchant import Browser, hidden, jpeg, signed_in
from tests.neighbours import Town, eventually

MINE = "/ma-boutique/ruche"


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Town]]:
    towns = neighbours.found(["Bordeaux", "Pessac"], tmp_path_factory.mktemp("duties"))
    with neighbours.serving(towns):
        towns[0].run(
            "shop", "add", "ruche", "--name", "La Ruche", "--commune", "Bordeaux",
            "--address", "14 rue Saint-James",
        )  # fmt: skip
        neighbours.befriend(*towns)
        yield towns


@pytest.fixture(scope="module")
def claire(towns: list[Town]) -> Browser:
    return signed_in(towns[0], "claire@example.fr", "--role", "merchant", "--shop", "ruche")


def send(browser: Browser, path: str, photo: bytes = b"", **data: str) -> httpx2.Response:
    files = {"photo": ("x.jpg" if photo else "", photo, "image/jpeg")}
    return browser.post(path, data=data, files=files)


def refused(town: Town, *arguments: str) -> str:
    """A command that is refused; the sentence that says why."""
    return str(town.run(*arguments, status=1))


def fields(page: str) -> set[str]:
    return set(re.findall(r'<(?:input|select|textarea)[^>]* name="([^"]+)"', page))


def told(town: Town, name: str) -> dict[str, Any]:
    (found,) = [one for one in town.run("listing", "list", "ruche") if one["name"] == name]
    return dict(found)


def test_honey_is_kept_until_what_its_shelf_asks_is_said(
    towns: list[Town], claire: Browser
) -> None:
    bordeaux, pessac = towns
    form = hidden(claire.get(f"{MINE}/ajouter").text, "form")
    first = {"form": form, "name": "Miel d’acacia", "price": "12,50"}
    answer = send(claire, f"{MINE}/ajouter", jpeg(), **first)
    assert answer.status_code == 422
    page = answer.text
    assert "Gardé, pas encore public" in page
    assert '<option value="epicerie.miel" selected>' in page
    assert 'value="Miel d’acacia"' in page
    assert "1169/2011" in page
    asked = fields(page)
    assert {"no_allergens", "allergen-sulphites", "origin", "quantity", "unit"} <= asked
    assert not asked & {"maker_name", "energy", "strength", "description"}
    assert bordeaux.names("acacia", "33063") == []
    listed = claire.get(f"{MINE}/produits").text
    assert re.search(r"Il manque.{1,20}Allergènes, Origine, Contenance", listed)
    draft = claire.get(f"{MINE}/ajouter?brouillon={form}").text
    photo = hidden(draft, "kept")
    assert fields(draft) >= {"no_allergens", "origin", "quantity", "unit"}
    # Half of it: what is still missing is named, and what was typed stays.
    half = {**first, "kept": photo, "category": "epicerie.miel", "asked": "allergens,origin,unit"}
    page = send(claire, f"{MINE}/ajouter", **half, origin="France (Gironde)").text
    assert 'value="France (Gironde)"' in page
    assert page.count('<a href="#allergens">') == 1
    assert '<a href="#origin">' not in page
    both = {"no_allergens": "1", "allergen-milk": "1"}
    assert "pas les deux" in send(claire, f"{MINE}/ajouter", **half, **both).text
    whole = {**half, "no_allergens": "1", "quantity": "500", "unit": "g", "trace-nuts": "1"}
    answer = send(claire, f"{MINE}/ajouter", **whole, origin="France (Gironde)")
    assert answer.status_code == 303, answer.text
    assert claire.get(f"{MINE}/ajouter?brouillon={form}").status_code == 404
    listing = told(bordeaux, "Miel d’acacia")
    assert listing["category"] == "epicerie.miel"
    assert listing["unit_price"]["amount"] == "25.00"
    assert len(listing["photos"]) == 1
    said = {"allergens": [], "traces": ["nuts"], "origin": "France (Gironde)"}
    assert {name: listing["particulars"][name] for name in said} == said
    # On its page, for machines, and at the neighbour's.
    page = Browser(bordeaux).get(listing["url"].removeprefix(bordeaux.url)).text
    assert re.search(r"<dt>Allergènes</dt><dd class=\"text breaks\">aucun</dd>", page)
    assert '"countryOfOrigin": "France (Gironde)"' in page
    assert "alcool" not in page

    eventually(lambda: pessac.names("acacia", "Pessac") == ["Miel d’acacia"])
    with database.reading(pessac.folder) as db:
        held = listings.get_by_uri(db, listing["uri"])
    assert held is not None
    assert (held.particulars.allergens, held.particulars.traces) == ((), ("nuts",))
    assert held.particulars.origin == "France (Gironde)"


def test_a_shelf_that_asks_for_nothing_is_one_step(towns: list[Town], claire: Browser) -> None:
    form = hidden(claire.get(f"{MINE}/ajouter").text, "form")
    answer = send(claire, f"{MINE}/ajouter", form=form, name="Bouquet rond", price="9")
    assert answer.status_code == 303


def test_a_wrong_guess_is_put_right_on_the_same_screen(towns: list[Town], claire: Browser) -> None:
    form = hidden(claire.get(f"{MINE}/ajouter").text, "form")
    typed = {"form": form, "name": "Huile pour le bois", "price": "9"}
    page = send(claire, f"{MINE}/ajouter", **typed).text
    assert '<option value="epicerie.huiles" selected>' in page
    answer = send(claire, f"{MINE}/ajouter", **typed, category="bricolage.peinture")
    assert answer.status_code == 303
    assert told(towns[0], "Huile pour le bois")["category"] == "bricolage.peinture"


def test_the_maker_of_a_brand_is_typed_once(towns: list[Town], claire: Browser) -> None:
    toy = {"price": "30", "category": "culture.jeux", "asked": "maker"}
    form = hidden(claire.get(f"{MINE}/ajouter").text, "form")
    page = send(claire, f"{MINE}/ajouter", form=form, name="Poupée en tissu", **toy).text
    assert "Dites qui le fabrique" in page
    assert "2023/988" in page
    maker = {"brand": "Bois Vif", "maker_name": "Atelier Bois Vif", "maker_postal": "4 rue du Pin"}
    wrong = send(
        claire, f"{MINE}/ajouter", form=form, name="Poupée en tissu", **toy, **maker,
        maker_electronic="javascript:alert(1)",
    )  # fmt: skip
    assert "https://" in wrong.text
    assert wrong.status_code == 422
    answer = send(
        claire, f"{MINE}/ajouter", form=form, name="Poupée en tissu", **toy, **maker,
        maker_electronic="contact@boisvif.example",
    )  # fmt: skip
    assert answer.status_code == 303, answer.text
    form = hidden(claire.get(f"{MINE}/ajouter").text, "form")
    page = send(claire, f"{MINE}/ajouter", form=form, name="Jouet", **toy).text
    assert '<option value="Bois Vif">Bois Vif</option>' in page
    answer = send(claire, f"{MINE}/ajouter", form=form, name="Jouet", known="Bois Vif", **toy)
    assert answer.status_code == 303, answer.text
    said = told(towns[0], "Jouet")["particulars"]
    assert said["brand"] == "Bois Vif"
    assert said["maker"]["electronic"] == "contact@boisvif.example"
    form = hidden(claire.get(f"{MINE}/ajouter").text, "form")
    answer = send(claire, f"{MINE}/ajouter", form=form, name="Peluche", own="1", **toy)
    assert answer.status_code == 303, answer.text
    made = told(towns[0], "Peluche")
    assert made["particulars"]["maker"]["postal"] == "14 rue Saint-James, Bordeaux"
    # Changed in something else, it keeps what was said; emptied, it is not saved.
    where = f"{MINE}/produits/{made['id']}"
    rest = {"name": "Peluche", "price": "31", "category": "culture.jeux"}
    assert send(claire, where, **rest).status_code == 303
    assert told(towns[0], "Peluche")["particulars"] == made["particulars"]
    refused = send(claire, where, **rest, asked="maker")
    assert refused.status_code == 422
    assert "Pas encore modifié" in refused.text


def test_what_cannot_be_offered_is_refused_with_the_article(
    towns: list[Town], claire: Browser
) -> None:
    form = hidden(claire.get(f"{MINE}/ajouter").text, "form")
    answer = send(claire, f"{MINE}/ajouter", form=form, name="Paquet de cigarettes", price="12")
    assert answer.status_code == 422
    assert "débits de tabac" in answer.text
    assert "L3512-4" in answer.text
    text = refused(towns[0], "listing", "add", "ruche", "--name", "Doliprane", "--price", "3")
    assert "L4211-1" in text


def test_a_file_leaves_incomplete_what_it_does_not_say_all_of(
    towns: list[Town], claire: Browser
) -> None:
    rows = (
        "Nom;Prix;Référence;Contenance;Allergènes;Origine;Rayon\n"
        "Confiture de mûres;5;C1;350 g;aucun;;epicerie.miel\n"
        "Moutarde à l’ancienne;4;C2;;;;epicerie.condiments\n"
        "Cigares;20;C3;;;;\n"
        "Sel gris;3;C4;une poignée;aucun;;epicerie.condiments\n"
        "Cire à cacheter;2;C5;;;;\n"
    )
    files = {"file": ("stock.csv", rows.encode(), "text/csv")}
    page = claire.post(f"{MINE}/importer", files=files).text
    assert "2 nouveaux produits" in page
    assert "1 nouveau produit est à compléter" in page
    assert "En mettre 2 en rayon, en garder 1 à compléter" in page
    assert re.search(r">4</th>.*Cigares.*retirez cette ligne", page)
    assert re.search(r">5</th>.*une poignée.*s’écrit 500 g", page)
    for _ in range(2):  # the same again doubles nothing
        page = claire.post(f"{MINE}/importer", files=files).text
        begin = hidden(page, "begin")
        claire.post(f"{MINE}/importer", data={"begin": begin})
        eventually(lambda: "L’import est terminé" in claire.get(f"{MINE}/importer").text)
    names = [one["name"] for one in towns[0].run("listing", "list", "ruche")]
    assert "Confiture de mûres" in names
    assert "Cire à cacheter" in names
    assert not {"Moutarde à l’ancienne", "Cigares", "Sel gris"} & set(names)
    listed = claire.get(f"{MINE}/produits").text
    assert listed.count("Moutarde à l’ancienne</a>") == 1
    draft = re.search(r'/ajouter\?brouillon=([^"]+)">Moutarde', listed)
    assert draft is not None
    page = claire.get(f"{MINE}/ajouter?brouillon={draft[1]}").text
    answer = send(
        claire, f"{MINE}/ajouter", form=draft[1], name="Moutarde à l’ancienne", price="4",
        category="epicerie.condiments", quantity="1", unit="piece", asked=hidden(page, "asked"),
        **{"allergen-mustard": "1", "allergen-sulphites": "1"},
    )  # fmt: skip
    assert answer.status_code == 303, answer.text
    found = told(towns[0], "Moutarde à l’ancienne")
    assert found["particulars"]["allergens"] == ["mustard", "sulphites"]
    assert found["offers"][0]["sku"] == "C2"  # which the form has no field for
    page = claire.post(f"{MINE}/importer", files=files).text
    assert "0 nouveaux produits" in page or "0 nouveau produit" in page


def test_the_command_names_what_is_missing(towns: list[Town]) -> None:
    bordeaux = towns[0]
    wine = ("listing", "add", "ruche", "--name", "Hydromel", "--price", "13", "--category",
            "boissons.spiritueux")  # fmt: skip
    text = refused(bordeaux, *wine)
    assert "allergens" in text
    assert "1169/2011" in text
    assert "none of the 14" in refused(bordeaux, *wine, "--allergens", "gluten,plastique")
    assert "name; postal address" in refused(bordeaux, *wine, "--maker", "Moi")
    made = bordeaux.run(
        *wine, "--quantity", "75", "--unit", "cl", "--allergens", "sulfites", "--strength", "12,5"
    )
    said = made["particulars"]
    assert (said["allergens"], said["strength"]) == (["sulphites"], "12.5")
    page = Browser(bordeaux).get(made["url"].removeprefix(bordeaux.url)).text
    assert "L’abus d’alcool est dangereux pour la santé, à consommer avec modération" in page
    assert "interdite aux mineurs" in page
    assert "Sulfites" in page
    assert "12,5\u202f% vol" in page
    english = Browser(bordeaux).get("/en" + made["url"].removeprefix(bordeaux.url)).text
    assert "drink in moderation" in english
    text = refused(bordeaux, "listing", "revise", made["id"], "--allergens", "")
    assert "allergens" in text
    cheaper = bordeaux.run("listing", "revise", made["id"], "--price", "12")
    assert cheaper["particulars"] == said


def test_the_legal_notice_is_completed_by_the_owner(towns: list[Town], claire: Browser) -> None:
    bordeaux = towns[0]
    bordeaux.run("shop", "add", "pains", "--name", "Aux Pains", "--commune", "Bordeaux")
    yann = signed_in(bordeaux, "yann@example.fr", "--role", "merchant", "--shop", "pains")
    assert yann.get(f"{MINE}/mentions").status_code == 404
    assert yann.post(f"{MINE}/mentions", data={"trader": "Yann"}).status_code == 404
    page = claire.get(f"{MINE}/mentions").text
    assert "À faire relire" in page
    told = {
        "trader": "SARL La Ruche", "register": "RCS Bordeaux 123 456 782",
        "mediator": "Médiateur & Cie <Paris>",
    }  # fmt: skip
    wrong = claire.post(f"{MINE}/mentions", data={**told, "email": "claire"})
    assert wrong.status_code == 422
    assert 'value="SARL La Ruche"' in wrong.text
    right = claire.post(f"{MINE}/mentions", data={**told, "email": "ruche@example.fr"})
    assert right.status_code == 303
    shown = Browser(bordeaux).get("/@ruche").text
    notice = shown.partition('id="notice"')[2]
    assert '<dt>Exploitée par</dt><dd class="breaks">SARL La Ruche</dd>' in notice
    assert "Médiateur &amp; Cie &lt;Paris&gt;" in notice
    assert "ruche@example.fr" in notice
    assert "Forme juridique" not in notice
    assert 'href="/mentions-legales"' in notice


def test_the_register_is_proposed_from_the_siret() -> None:
    assert imprints.siren("12345678200010") == "123 456 782"
