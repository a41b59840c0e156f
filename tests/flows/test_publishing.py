"""Publishing from a phone and keeping it true: drafts, choices, barcodes, one tap and its undo."""

import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from node.store import database, listings
from tests import neighbours
from tests.flows.test_merchant import Browser, hidden, jpeg, signed_in
from tests.neighbours import Town

MINE = "/ma-boutique/fleurs"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    (town,) = neighbours.found(["Pessac"], tmp_path_factory.mktemp("publishing"))
    with neighbours.serving([town]):
        town.run("shop", "add", "fleurs", "--name", "Fleurs de Camponac", "--commune", "Pessac")
        town.run("shop", "add", "pains", "--name", "Aux Pains", "--commune", "Pessac")
        yield town


@pytest.fixture(scope="module")
def claire(town: Town) -> Browser:
    return signed_in(town, "claire@example.fr", "--role", "merchant", "--shop", "fleurs")


@pytest.fixture(scope="module")
def yann(town: Town) -> Browser:
    return signed_in(town, "yann@example.fr", "--role", "merchant", "--shop", "pains")


def send(browser: Browser, path: str, photo: bytes = b"", **data: str) -> httpx2.Response:
    files = {"photo": ("x.jpg" if photo else "", photo, "image/jpeg")}
    return browser.post(path, data=data, files=files)


def publish(browser: Browser, name: str, price: str = "8,90", **more: str) -> str:
    """Publishes; the address of its form."""
    form = hidden(browser.get(f"{MINE}/ajouter").text, "form")
    answer = send(browser, f"{MINE}/ajouter", form=form, name=name, price=price, **more)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("?")[0]


def told(town: Town, where: str) -> dict[str, Any]:
    found: dict[str, Any] = town.get(f"/api/v1/listings/{where.rsplit('/', 1)[1]}").json()
    return found


def stock(town: Town, where: str) -> int | None:
    """The API does not count for others: the row does."""
    with database.reading(town.folder) as db:
        listing = listings.get(db, where.rsplit("/", 1)[1])
    assert listing is not None
    return listing.offers[0].stock


# --- describing ----------------------------------------------------------------------------------


def test_a_shelf_is_guessed_and_waits_to_be_agreed_to(town: Town, claire: Browser) -> None:
    where = publish(claire, "Bouquet de pivoines")
    page = claire.get(where).text
    assert '<option value="jardin.fleurs" selected>' in page
    assert "Deviné" in page
    assert told(town, where)["category"] is None
    send(claire, where, name="Bouquet de pivoines", price="8,90", category="jardin.fleurs")
    assert told(town, where)["category"] == "jardin.fleurs"
    assert "Deviné" not in claire.get(where).text


def test_condition_service_barcode_and_what_one_sale_holds(town: Town, claire: Browser) -> None:
    where = publish(claire, "Terreau", "6")
    answer = send(
        claire, where, name="Terreau", price="6", condition="used", service="1",
        gtin="3 017620 422003", quantity="1500", unit="g",
    )  # fmt: skip
    assert answer.status_code == 303, answer.text
    now = told(town, where)
    assert (now["condition"], now["kind"]) == ("used", "service")
    assert now["offers"][0]["gtin"] == "3017620422003"
    assert "Soit 4,00\u202f€/kg" in claire.get(where).text
    wrong = send(claire, where, name="Terreau", price="6", gtin="3017620422004")
    assert wrong.status_code == 422
    assert 'href="#gtin"' in wrong.text
    assert 'value="3017620422004"' in wrong.text


def test_a_price_on_request(town: Town, claire: Browser) -> None:
    where = publish(claire, "Décor de mariage", "", on_request="1")
    assert told(town, where)["price"] is None
    assert "sur devis" in claire.get(where).text
    refused = send(claire, where, name="Décor de mariage", price="")
    assert refused.status_code == 422


def test_choices_on_two_axes_keep_what_was_said(town: Town, claire: Browser) -> None:
    where = publish(claire, "Pot en terre", "5")
    four = {
        "axis_1": "taille", "values_1": "S, L", "axis_2": "couleur", "values_2": "ocre, bleu",
    }  # fmt: skip
    page = claire.follow(f"{where}/choix", data=four).text
    assert "dites maintenant le prix" in page
    assert page.count("<legend>") == 4
    data = {"name": "Pot en terre"}
    for number, price in enumerate(("5", "6", "9", "10")):
        data |= {f"price-{number}": price, f"stock-{number}": str(number)}
    assert send(claire, where, **data).status_code == 303
    offers = told(town, where)["offers"]
    assert [(one["axes"], one["price"]["amount"]) for one in offers] == [
        ({"taille": "S", "couleur": "ocre"}, "5.00"),
        ({"taille": "S", "couleur": "bleu"}, "6.00"),
        ({"taille": "L", "couleur": "ocre"}, "9.00"),
        ({"taille": "L", "couleur": "bleu"}, "10.00"),
    ]
    # One more colour: the four keep price and stock. One choice is no longer to be had.
    claire.follow(f"{where}/choix", data={**four, "values_2": "ocre, bleu, blanc"})
    again = told(town, where)["offers"]
    assert [one["price"]["amount"] for one in again] == [
        "5.00", "6.00", "5.00", "9.00", "10.00", "5.00",
    ]  # fmt: skip
    data = {"name": "Pot en terre", "gone-5": "1"}
    data |= {f"price-{number}": "7" for number in range(5)}
    assert send(claire, where, **data).status_code == 303
    assert len(told(town, where)["offers"]) == 5
    everything = {"name": "Pot en terre", **{f"gone-{number}": "1" for number in range(5)}}
    assert send(claire, where, **everything).status_code == 422
    # And none at all.
    nothing = {"axis_1": "", "values_1": "", "axis_2": "", "values_2": ""}
    claire.follow(f"{where}/choix", data=nothing)
    assert len(told(town, where)["offers"]) == 1


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"axis_1": "", "values_1": "S"}, "axis_1"),
        ({"axis_1": "taille", "values_1": " , "}, "values_1"),
        ({"axis_1": "a", "values_1": "x", "axis_2": "a", "values_2": "y"}, "axis_2"),
        ({"axis_1": "a", "values_1": ",".join(map(str, range(60)))}, "values_1"),
        ({"axis_1": "a", "values_1": "x" * 41}, "values_1"),
    ],
)
def test_choices_that_cannot_be(
    town: Town, claire: Browser, typed: dict[str, str], field: str
) -> None:
    where = publish(claire, f"Vase {field} {len(str(typed))}")
    answer = claire.post(f"{where}/choix", data=typed)
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert len(told(town, where)["offers"]) == 1


# --- drafts --------------------------------------------------------------------------------------


def test_a_draft_waits_with_its_photo_and_goes_when_it_is_published(
    town: Town, claire: Browser, yann: Browser
) -> None:
    form = hidden(claire.get(f"{MINE}/ajouter").text, "form")
    kept = send(
        claire, f"{MINE}/ajouter", jpeg(colour="navy"), form=form, name="Iris", price="", later="1"
    )
    assert kept.status_code == 303
    page = claire.get(kept.headers["location"].partition("#")[0]).text
    assert "personne d’autre que vous" in page
    assert town.names("iris", "33318") == []
    draft = f"{MINE}/ajouter?brouillon={form}"
    assert draft in page
    again = claire.get(draft).text
    assert 'value="Iris"' in again
    photo = hidden(again, "kept")
    assert yann.get(f"/ma-boutique/pains/ajouter?brouillon={form}").status_code == 404
    yann.post(f"/ma-boutique/pains/brouillons/{form}/effacer", data={})
    answer = send(claire, f"{MINE}/ajouter", form=form, name="Iris", price="3", kept=photo)
    assert answer.status_code == 303, answer.text
    assert draft not in claire.get(f"{MINE}/produits").text
    assert town.names("iris", "33318") == ["Iris"]


def test_what_was_refused_is_kept_and_can_be_erased(claire: Browser) -> None:
    form = hidden(claire.get(f"{MINE}/ajouter").text, "form")
    refused = send(claire, f"{MINE}/ajouter", form=form, name="Dahlia", price="12,5O")
    assert refused.status_code == 422
    assert 'value="Dahlia"' in claire.get(f"{MINE}/ajouter?brouillon={form}").text
    assert "effacé" in claire.follow(f"{MINE}/brouillons/{form}/effacer", data={}).text
    assert claire.get(f"{MINE}/ajouter?brouillon={form}").status_code == 404


def test_nobody_elses_draft_is_overwritten(claire: Browser, yann: Browser) -> None:
    form = hidden(claire.get(f"{MINE}/ajouter").text, "form")
    send(claire, f"{MINE}/ajouter", form=form, name="Lilas", price="", later="1")
    send(yann, "/ma-boutique/pains/ajouter", form=form, name="Pain", price="", later="1")
    assert 'value="Lilas"' in claire.get(f"{MINE}/ajouter?brouillon={form}").text


# --- keeping it true -----------------------------------------------------------------------------


def undo_of(page: str) -> dict[str, str]:
    return {"to": "undo", "before": hidden(page, "before")}


def test_sold_out_in_one_tap_and_undone(town: Town, claire: Browser) -> None:
    where = publish(claire, "Narcisse")
    send(claire, where, name="Narcisse", price="8,90", stock="7")
    page = claire.get(f"{MINE}/epuise").text
    assert f'action="{where}/rayon"' in page
    page = claire.follow(f"{where}/rayon", data={"to": "gone", "on": "epuise"}).text
    assert "épuisé" in page
    assert told(town, where)["availability"] == "out_of_stock"
    assert "Annulé" in claire.follow(f"{where}/rayon", data=undo_of(page)).text
    assert stock(town, where) == 7


def test_one_more_and_one_less(town: Town, claire: Browser) -> None:
    where = publish(claire, "Jonquille")
    send(claire, where, name="Jonquille", price="8,90", stock="1")
    page = claire.follow(f"{where}/rayon", data={"to": "less"}).text
    assert told(town, where)["availability"] == "out_of_stock"
    claire.follow(f"{where}/rayon", data={"to": "less"})
    assert stock(town, where) == 0
    claire.follow(f"{where}/rayon", data=undo_of(page))
    assert stock(town, where) == 1
    claire.follow(f"{where}/rayon", data={"to": "more"})
    assert stock(town, where) == 2


def test_an_undo_leaves_what_happened_since(town: Town, claire: Browser) -> None:
    where = publish(claire, "Anémone")
    send(claire, where, name="Anémone", price="8,90", stock="5")
    page = claire.follow(f"{where}/rayon", data={"to": "less"}).text
    send(claire, where, name="Anémone", price="8,90", stock="1")  # three were reserved
    claire.follow(f"{where}/rayon", data=undo_of(page))
    assert stock(town, where) == 2


@pytest.mark.parametrize(
    "before",
    [
        "",
        "x",
        "1",
        "1.in_stock,2.in_stock",
        "-1.in_stock",
        "1.gone",
        "999999999.in_stock",
        "1.in_stock~",
        "1.in_stock~x",
        "1.in_stock~4.in_stock,1.in_stock",
    ],
)
def test_an_undo_that_does_not_fit_changes_nothing(
    town: Town, claire: Browser, before: str
) -> None:
    where = publish(claire, "Muguet", again="1")
    send(claire, where, name="Muguet", price="8,90", stock="4")
    answer = claire.post(f"{where}/rayon", data={"to": "undo", "before": before})
    assert answer.status_code == 303
    assert stock(town, where) == 4


def test_one_tap_confirms_all_that_is_not_sold_out(town: Town, claire: Browser) -> None:
    page = claire.follow(f"{MINE}/produits/confirmer", data={}).text
    assert "vu en rayon" in page
    assert len(re.findall("Vu en rayon aujourd’hui", page)) > 3


def test_another_shops_products_are_not_there(claire: Browser, yann: Browser) -> None:
    where = publish(claire, "Lavande")
    theirs = where.replace("fleurs", "pains")
    for path in (theirs, f"{theirs}/choix"):
        assert yann.get(path).status_code == 404
    for path in (f"{theirs}/rayon", f"{theirs}/choix", where, f"{where}/choix"):
        assert yann.post(path, data={"to": "gone"}).status_code == 404
    assert yann.get(f"{MINE}/epuise").status_code == 404
    assert yann.post(f"{MINE}/produits/confirmer", data={}).status_code == 404
    assert claire.post(f"{where}/rayon", data={"to": "gone"}, own=False).status_code == 403
