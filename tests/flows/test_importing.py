"""A catalogue from a file: looked at, agreed to, put on the shelf in the background."""

import re
from collections.abc import Iterator

import httpx2
import pytest

from tests import neighbours
from tests.flows.test_merchant import Browser, hidden, signed_in
from tests.neighbours import Town, eventually

IMPORT = "/ma-boutique/fleurs/importer"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    (town,) = neighbours.found(["Pessac"], tmp_path_factory.mktemp("importing"))
    with neighbours.serving([town]):
        for handle in ("fleurs", "pains"):
            town.run("shop", "add", handle, "--name", handle, "--commune", "Pessac")
        yield town


@pytest.fixture(scope="module")
def claire(town: Town) -> Browser:
    return signed_in(town, "claire@example.fr", "--role", "merchant", "--shop", "fleurs")


def send(browser: Browser, data: bytes, **fields: str) -> httpx2.Response:
    return browser.post(IMPORT, data=fields, files={"file": ("stock.csv", data, "text/csv")})


def done(browser: Browser) -> bool:
    return "L’import est terminé" in browser.get(IMPORT).text


def test_looked_at_agreed_to_and_on_the_shelf(town: Town, claire: Browser) -> None:
    rows = "".join(f"R{n};Rosier n° {n};{n},50;{n}\r\n" for n in range(1, 121))
    data = f"Référence;Désignation;Prix TTC;Qté\r\n{rows}X;Trop cher;0;1\r\n".encode("cp1252")
    page = send(claire, data).text
    assert "120 nouveaux produits, 0 à changer, 0 sans changement, 1 ligne à corriger" in page
    assert page.count("<h3>") == 10
    assert "1,50\u202f€" in page
    assert re.search(r">122</th>.*Prix TTC.*>0<.*Un prix est supérieur à 0", page)
    assert town.names("rosier", "33318") == []  # nothing is done yet
    begin = hidden(page, "begin")
    yann = signed_in(town, "yann@example.fr", "--role", "merchant", "--shop", "pains")
    yann.post("/ma-boutique/pains/importer", data={"begin": begin})
    assert yann.post(IMPORT, data={"begin": begin}).status_code == 404
    assert claire.post(IMPORT, data={"begin": begin}, own=False).status_code == 403
    claire.follow(IMPORT, data={"begin": begin})
    claire.follow(IMPORT, data={"begin": begin})  # a second tap
    eventually(lambda: done(claire))
    assert "120 produits sur 120" in claire.get(IMPORT).text
    assert len(town.run("listing", "list", "fleurs")) == 120
    assert town.run("listing", "list", "pains") == []
    page = send(claire, data).text
    assert "0 nouveau produit, 0 à changer, 120 sans changement" in page


def test_a_file_that_cannot_be_used_is_told_why(claire: Browser) -> None:
    for data, sentence in (
        (b"", "Choisissez d’abord un fichier"),
        (b"PK\x03\x04", "Ce n’est pas un fichier CSV"),
        (b"Nom;Couleur\nA;bleu\n", "Aucune colonne ne s’appelle «\u202fPrix\u202f»"),
        (b"x" * 6_000_000, "dépasse 5"),
    ):
        answer = send(claire, data)
        assert answer.status_code == 422
        assert sentence in answer.text
    assert send(claire, b"x" * 26_000_000).status_code == 413


def test_prices_without_tax_ask_for_the_rate(claire: Browser) -> None:
    data = b"Nom;Prix HT\nTerreau;10\n"
    page = send(claire, data)
    assert page.status_code == 422
    assert 'id="vat"' in page.text
    assert "12,00\u202f€" in send(claire, data, vat="20").text
