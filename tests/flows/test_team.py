"""Owners, sellers and helpers of one shop, and one person of several shops."""

import re
from collections.abc import Iterator

import pytest

from tests import neighbours
from tests.flows.test_merchant import Browser, signed_in
from tests.flows.test_publishing import publish
from tests.neighbours import Town

TEAM = "/ma-boutique/fleurs/equipe"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    (town,) = neighbours.found(["Pessac"], tmp_path_factory.mktemp("team"))
    with neighbours.serving([town]):
        town.run("shop", "add", "fleurs", "--name", "Fleurs", "--commune", "Pessac")
        town.run("shop", "add", "pains", "--name", "Pains", "--commune", "Pessac")
        yield town


@pytest.fixture(scope="module")
def claire(town: Town) -> Browser:
    return signed_in(town, "claire@example.fr", "--role", "merchant", "--shop", "fleurs")


@pytest.fixture(scope="module")
def nadia(town: Town) -> Browser:
    return signed_in(town, "nadia@example.fr", "--role", "steward")


def let_in(town: Town, nadia: Browser, email: str) -> Browser:
    """As whoever asks for a code is let in, without mail: by the steward."""
    browser = Browser(town)
    browser.post("/connexion/code", data={"email": email})
    page = nadia.get("/gestion").text
    account = re.search(rf'{email}</span> <button class="alt" name="account" value="([^"]+)"', page)
    assert account is not None, page
    code = re.search(r"\b\d{3} \d{3}\b", nadia.post("/gestion/codes", data={
        "account": account[1]}).text)  # fmt: skip
    assert code is not None
    assert browser.post("/connexion", data={"email": email, "code": code[0]}).status_code == 303
    return browser


def remove(claire: Browser, email: str) -> str:
    page = claire.get(TEAM).text
    account = re.search(rf'name="account" value="([^"]+)">Retirer<[^>]*>[^<]*{email}', page)
    assert account is not None, page
    return claire.follow(TEAM, data={"deed": "remove", "account": account[1]}).text


def test_a_seller_sells_and_decides_nothing_about_people(
    town: Town, claire: Browser, nadia: Browser
) -> None:
    page = claire.follow(TEAM, data={"email": "yann@example.fr", "role": "seller"}).text
    assert "Vendeur" in page
    yann = let_in(town, nadia, "yann@example.fr")
    assert "Bonjour, Fleurs" in yann.get("/compte").text
    where = publish(yann, "Narcisse")
    assert yann.get(where).status_code == 200
    assert "/equipe" not in yann.get("/ma-boutique/fleurs").text
    assert yann.get(TEAM).status_code == 404
    # A new key card may end what the old one opens: that is the owner's to do.
    assert "Seul le titulaire" in yann.get("/ma-boutique/fleurs/cle").text
    assert "Seul le titulaire" not in claire.get("/ma-boutique/fleurs/cle").text
    assert yann.post("/ma-boutique/fleurs/cle", data={"owner": "x"}).status_code == 403
    assert claire.post("/ma-boutique/fleurs/cle", data={"owner": "x"}).status_code == 409
    answer = yann.post(TEAM, data={"email": "x@example.fr", "role": "merchant"})
    assert answer.status_code == 404
    assert "x@example.fr" not in claire.get(TEAM).text
    # Raised to owner, then gone: at once, with the session still open.
    claire.follow(TEAM, data={"email": "yann@example.fr", "role": "merchant"})
    assert yann.get(TEAM).status_code == 200
    assert "ne s’occupe plus" in remove(claire, "yann@example.fr")
    assert yann.get(where).status_code == 404


def test_the_last_owner_stays(claire: Browser) -> None:
    own = {"email": "claire@example.fr", "role": "seller"}
    assert claire.post(TEAM, data=own).status_code == 422
    page = claire.get(TEAM).text
    assert page.count("Retirer<") == 0
    assert "c’est vous" in page


@pytest.mark.parametrize(
    "typed",
    [
        {"email": "x", "role": "seller"},
        {"email": "x@example.fr", "role": "steward"},
        {"email": "x@example.fr", "role": ""},
    ],
)
def test_people_that_cannot_be_added(claire: Browser, typed: dict[str, str]) -> None:
    assert claire.post(TEAM, data=typed).status_code == 422
    assert claire.post(TEAM, data=typed, own=False).status_code == 403
    assert "x@example.fr" not in claire.get(TEAM).text


def test_who_is_let_in_by_the_town_hall_is_told_to_the_owner(
    claire: Browser, nadia: Browser
) -> None:
    typed = {"email": "second@example.fr"}
    assert nadia.post("/gestion/boutiques/fleurs/inviter", data=typed).status_code == 200
    page = claire.get(TEAM).text
    assert "second@example.fr" in page
    assert "nadia@example.fr a invité quelqu’un à s’occuper de la boutique" in page
    assert "ne s’occupe plus" in remove(claire, "second@example.fr")


def test_one_person_of_two_shops(town: Town, claire: Browser, nadia: Browser) -> None:
    marc = signed_in(town, "marc@example.fr", "--role", "merchant", "--shop", "pains")
    claire.follow(TEAM, data={"email": "marc@example.fr", "role": "seller"})
    page = marc.get("/compte").text
    assert "/ma-boutique/fleurs" in page
    assert "/ma-boutique/pains" in page
    assert marc.get("/ma-boutique/pains/equipe").status_code == 200
    assert marc.get(TEAM).status_code == 404


def test_a_helper_by_consent_and_with_a_trace(town: Town, claire: Browser, nadia: Browser) -> None:
    hours = "/ma-boutique/fleurs/horaires"
    assert nadia.get("/ma-boutique/fleurs").status_code == 404
    assert nadia.post(hours, data={"hours": "lun 9h-12h"}).status_code == 404
    assert "pendant une semaine" in claire.get(TEAM).text
    claire.follow(TEAM, data={"deed": "agree"})
    assert "Aider cette boutique" in nadia.get("/gestion/boutiques/fleurs").text
    assert "Vous aidez Fleurs" in nadia.get("/ma-boutique/fleurs").text
    nadia.follow(hours, data={"hours": "lun 9h-12h"})
    publish(nadia, "Jacinthe")
    assert nadia.get(TEAM).status_code == 404  # people are the owner's
    # What residents wrote is for people of the shop.
    for private in ("reservations", "reservations.html", "cle", "courrier"):
        assert nadia.get(f"/ma-boutique/fleurs/{private}").status_code == 404, private
        assert claire.get(f"/ma-boutique/fleurs/{private}").status_code == 200, private
    assert "/courrier" not in nadia.get("/ma-boutique/fleurs").text
    page = claire.get(TEAM).text
    assert "nadia@example.fr a changé les horaires" in page
    assert "nadia@example.fr a ajouté un produit" in page
    claire.follow(TEAM, data={"deed": "revoke"})
    assert nadia.get("/ma-boutique/fleurs").status_code == 404
    assert "nadia@example.fr a changé les horaires" in claire.get(TEAM).text
