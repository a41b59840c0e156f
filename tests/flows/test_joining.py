"""A shop opened by its keeper, with mail and without; codes that one asks for oneself."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from node.store import applications, database
from tests import neighbours, smtp
from tests.flows.test_merchant import Browser, signed_in
from tests.neighbours import Town, eventually

START = "/ouvrir-ma-boutique"
SHOP = {
    "siret": "732 829 320 00074", "name": "Fleurs de Camponac", "address": "12 rue du Pin",
    "commune": "Pessac",
}  # fmt: skip
SURE = {"sure": "1"}


@pytest.fixture(scope="module")
def server() -> Iterator[smtp.Server]:
    with smtp.serving() as server:
        yield server


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, server: smtp.Server) -> Iterator[Town]:
    """Pessac, which sends mail."""
    (town,) = neighbours.found(["Pessac"], tmp_path_factory.mktemp("joining"))
    server.carry_mail_of(town.folder)
    with neighbours.serving([town]):
        yield town


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Mérignac, which has no mail."""
    (town,) = neighbours.found(["FR-33281"], tmp_path_factory.mktemp("silent"))
    with neighbours.serving([town]):
        yield town


@pytest.fixture(scope="module")
def nadia(town: Town) -> Browser:
    return signed_in(town, "nadia@example.fr", "--role", "steward")


def mail_to(server: smtp.Server, address: str, subject: str) -> str:
    """The text of the last mail of that subject, once it is there."""

    def found() -> list[str]:
        return [
            one.get_content()
            for one in list(server.mails)
            if one["To"] == address and one["Subject"] == subject
        ]

    eventually(lambda: bool(found()))
    return found()[-1]


def code_in(text: str) -> str:
    match = re.search(r"\b\d{3} \d{3}\b", text)
    assert match is not None, text
    return match[0]


def enter(browser: Browser, server: smtp.Server, address: str) -> None:
    code = code_in(mail_to(server, address, "Votre code de connexion"))
    answer = browser.post("/connexion", data={"email": address, "code": code})
    assert answer.status_code == 303, answer.text


def ask(browser: Browser, email: str, **other: str) -> None:
    """The first two steps."""
    assert "Étape 1 sur 4" in browser.get(START).text
    page = browser.post(START, data={**SHOP, **other})
    assert "Étape 2 sur 4" in page.text, page.text
    page = browser.post(f"{START}/contact", data={**SHOP, **other, "email": email})
    assert f"Un code est parti vers {email}" in page.text


def test_from_the_siret_to_the_first_product(
    town: Town, server: smtp.Server, nadia: Browser
) -> None:
    claire = Browser(town)
    ask(claire, "claire@example.fr", phone="05 36 49 01 34")
    enter(claire, server, "claire@example.fr")
    assert "Étape 3 sur 4" in claire.get("/compte").text
    page = claire.follow(f"{START}/horaires", data={"week": "mar-sam 9h30-19h"}).text
    assert "Étape 4 sur 4" in page
    assert "732 829 320 00074" in page
    assert 'href="#sure"' in claire.post(f"{START}/envoyer", data={}).text
    page = claire.follow(f"{START}/envoyer", data=SURE).text
    assert "attend d’être validée" in page
    claire.follow(f"{START}/envoyer", data=SURE)  # a second tap
    claire.follow(f"{START}/attente", data={"form": "a", "name": "Cyclamen", "price": "8,90"})
    assert claire.post(
        f"{START}/attente", data={"form": "b", "name": "Rose", "price": "x"}
    ).status_code == 422  # fmt: skip
    # Nothing of it is public yet, and its keeper may do nothing more.
    assert "Camponac" not in town.get("/boutiques").text
    assert claire.get("/ma-boutique/fleurs_de_camponac").status_code == 404
    # The steward is told, reads, and opens it.
    told = mail_to(server, "nadia@example.fr", "Une boutique demande à ouvrir")
    where = told.split(town.url)[1].split()[0]
    assert where in nadia.get("/gestion").text
    page = nadia.get(where).text
    assert "732 829 320 00074" in page
    assert claire.get(where).status_code == 404
    assert claire.post(where, data={"deed": "open"}).status_code == 404
    page = nadia.follow(where, data={"deed": "open", "handle": "camponac"}).text
    assert "La boutique est ouverte" in page
    assert nadia.post(where, data={"deed": "open", "handle": "camponac2"}).status_code == 404
    mail_to(server, "claire@example.fr", "Votre boutique est ouverte")
    # Hours and drafts are there; the second product is theirs to publish.
    assert "Bonjour, Fleurs de Camponac" in claire.get("/compte").text
    assert "05 36 49 01 34" in town.get("/@camponac").text
    assert "9\u00a0h\u00a030" in town.get("/@camponac").text
    assert "Cyclamen" in claire.get("/ma-boutique/camponac/produits").text
    # The same shop is not opened twice.
    again = Browser(town).post(START, data=SHOP)
    assert again.status_code == 422
    assert "existe déjà" in again.text


def test_refused_with_a_reason(town: Town, server: smtp.Server, nadia: Browser) -> None:
    yann = Browser(town)
    ask(yann, "yann@example.fr", siret="35600000000048", name="La Poste", address="1 rue X")
    enter(yann, server, "yann@example.fr")
    yann.follow(f"{START}/horaires", data={})
    yann.follow(f"{START}/envoyer", data=SURE)
    with database.reading(town.folder) as db:
        (one,) = applications.waiting(db, 10)
    where = f"/gestion/demandes/{one.id}"
    unsaid = nadia.post(where, data={"deed": "refuse", "reason": ""})
    assert unsaid.status_code == 422
    assert 'href="#reason"' in unsaid.text
    nadia.follow(where, data={"deed": "refuse", "reason": "Ce n’est pas votre boutique."})
    assert "Ce n’est pas votre boutique." in yann.get("/compte").text
    text = mail_to(server, "yann@example.fr", "Votre boutique n’a pas été ouverte")
    assert "Ce n’est pas votre boutique." in text
    assert yann.post(f"{START}/attente", data={"name": "x"}).status_code == 200
    assert nadia.get(where).status_code == 404


def test_sent_back_mended_and_sent_again(town: Town, server: smtp.Server, nadia: Browser) -> None:
    lea = Browser(town)
    ask(lea, "lea@example.fr", siret="552 100 554 00013", name="Chez Lea", address="2 rue X")
    enter(lea, server, "lea@example.fr")
    lea.follow(f"{START}/horaires", data={})
    lea.follow(f"{START}/envoyer", data=SURE)
    lea.follow(f"{START}/attente", data={"form": "c", "name": "Tarte", "price": "12"})
    with database.reading(town.folder) as db:
        (one,) = applications.waiting(db, 10)
    where = f"/gestion/demandes/{one.id}"
    unsaid = nadia.post(where, data={"deed": "correct", "correction": ""})
    assert unsaid.status_code == 422
    assert 'href="#correction"' in unsaid.text
    assert lea.post(where, data={"deed": "correct", "correction": "x"}).status_code == 404
    words = "Il manque le numéro de la rue. <b>Merci</b>"
    assert "renvoyée" in nadia.follow(where, data={"deed": "correct", "correction": words}).text
    assert nadia.get(where).status_code == 404  # it waits for its merchant now
    assert "Il manque le numéro" in mail_to(
        server, "lea@example.fr", "Une correction avant d’ouvrir votre boutique"
    )
    page = lea.get(f"{START}/suite").text
    assert "Il manque le numéro de la rue. &lt;b&gt;Merci" in page
    mended = {"name": "Chez Léa", "address": "2 bis rue X", "commune": "Pessac"}
    page = lea.get(f"{START}/corriger").text
    assert 'value="552 100 554 00013"' in page
    assert 'value="Chez Lea"' in page
    wrong = lea.post(f"{START}/corriger", data={**mended, "siret": "1"})
    assert wrong.status_code == 422
    assert 'href="#siret"' in wrong.text
    wrong = lea.post(
        f"{START}/corriger", data={**mended, "siret": "552 100 554 00013", "commune": "Xyzzyville"}
    )
    assert 'href="#commune"' in wrong.text
    page = lea.follow(f"{START}/corriger", data={**mended, "siret": "552 100 554 00013"}).text
    assert "2 bis rue X" in page
    lea.follow(f"{START}/envoyer", data=SURE)
    assert lea.follow(
        f"{START}/corriger", data={**mended, "siret": "552 100 554 00013"}
    ).url.path.endswith("/attente")  # sent: nothing changes any more
    page = nadia.get(where).text
    assert "2 bis rue X" in page
    assert "Il manque le numéro" in page
    nadia.follow(where, data={"deed": "open", "handle": "lea"})
    assert "Tarte" in lea.get("/ma-boutique/lea/produits").text  # what was prepared is there
    page = town.get("/@lea").text
    assert "552 100 554 00013" in page
    log = nadia.get("/gestion/journal").text
    assert "Renvoyer une demande à corriger" in log
    assert "Il manque" not in log


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"siret": "732 829 320 00075"}, "siret"),
        ({"siret": ""}, "siret"),
        ({"name": ""}, "name"),
        ({"name": "\u202eabc"}, "name"),
        ({"address": ""}, "address"),
        ({"commune": "Xyzzyville"}, "commune"),
    ],
)
def test_first_steps_that_cannot_be(town: Town, wrong: dict[str, str], field: str) -> None:
    typed = {**SHOP, "siret": "443 061 841 00005", **wrong}
    for path in (START, f"{START}/contact"):
        answer = Browser(town).post(path, data={**typed, "email": "x@example.fr"})
        assert answer.status_code == 422, path
        assert f'href="#{field}"' in answer.text
    assert Browser(town).post(START, data=typed, own=False).status_code == 403


@pytest.mark.parametrize(
    "email", ["x", "a b@example.fr", "x@example.fr\r\nBcc: y@example.fr", '"x"@example.fr']
)
def test_addresses_that_cannot_be(town: Town, server: smtp.Server, email: str) -> None:
    before = len(server.recipients)
    typed = {**SHOP, "siret": "443 061 841 00005", "email": email}
    answer = Browser(town).post(f"{START}/contact", data=typed)
    assert answer.status_code == 422
    assert 'href="#email"' in answer.text
    assert Browser(town).post("/connexion/code", data={"email": email}).status_code == 422
    assert len(server.recipients) == before


def test_a_machine_that_fills_every_field_opens_nothing(town: Town) -> None:
    typed = {**SHOP, "siret": "443 061 841 00005", "email": "bot@example.fr", "website": "x"}
    assert Browser(town).post(f"{START}/contact", data=typed).status_code == 200
    with database.reading(town.folder) as db:
        found = db.execute("SELECT count(*) FROM accounts WHERE email = 'bot@example.fr'")
        assert found.fetchone()[0] == 0


def test_steps_are_for_whoever_is_signed_in(town: Town) -> None:
    stranger = Browser(town)
    for path in ("suite", "horaires", "envoyer", "attente"):
        assert stranger.get(f"{START}/{path}").status_code == 401
    assert stranger.post(f"{START}/envoyer", data=SURE).status_code == 401


# --- codes one asks for --------------------------------------------------------------------------


def test_a_code_by_mail_once_a_minute_and_every_address_is_answered_alike(
    town: Town, server: smtp.Server
) -> None:
    town.run("account", "invite", "odile@example.fr", "--role", "steward")

    def asked(address: str) -> str:
        page = Browser(town).post("/connexion/code", data={"email": address})
        assert page.status_code == 200
        return page.text.replace(address, "")

    assert asked("odile@example.fr") == asked("nobody@example.fr")
    asked("odile@example.fr")
    browser = Browser(town)
    enter(browser, server, "odile@example.fr")
    assert browser.get("/gestion").status_code == 200
    sent = [one for one in server.recipients if one in ("odile@example.fr", "nobody@example.fr")]
    assert sent == ["odile@example.fr"]
    own = Browser(town).post("/connexion/code", data={"email": "odile@example.fr"}, own=False)
    assert own.status_code == 403


def test_without_mail_a_steward_hands_the_code_over(silent: Town) -> None:
    paul = signed_in(silent, "paul@example.fr", "--role", "steward")
    claire = Browser(silent)
    page = claire.post(
        f"{START}/contact", data={**SHOP, "commune": "Mérignac", "email": "claire@example.fr"}
    )
    assert "vous donne un code" in page.text
    page = paul.get("/gestion").text
    assert "claire@example.fr" in page
    account = re.search(r'name="account" value="([^"]+)"', page)
    assert account is not None
    page = paul.post("/gestion/codes", data={"account": account[1]})
    answer = claire.post(
        "/connexion", data={"email": "claire@example.fr", "code": code_in(page.text)}
    )
    assert answer.status_code == 303
    assert "Étape 3 sur 4" in claire.get("/compte").text
    assert "claire@example.fr" not in paul.get("/gestion").text
    assert paul.post("/gestion/codes", data={"account": account[1]}).status_code == 404
    assert claire.post("/gestion/codes", data={"account": account[1]}).status_code == 404


def test_a_stranger_who_types_the_address_changes_nothing(town: Town, server: smtp.Server) -> None:
    amel = Browser(town)
    ask(amel, "amel@example.fr", siret="552 100 554 00005", name="Chez Amel")
    page = amel.post(
        f"{START}/contact",
        data={
            **SHOP,
            "siret": "552 100 554 00005",
            "name": "Chez Amel",
            "email": "amel@example.fr",
        },
    )
    asked = re.search(r'name="asked" value="([^"]+)"', page.text)
    assert asked is not None
    stranger = Browser(town)
    ask(stranger, "amel@example.fr", siret="443 061 841 00005", name="Le Voleur")
    code = code_in(mail_to(server, "amel@example.fr", "Votre code de connexion"))
    wrong = amel.post(
        "/connexion", data={"email": "amel@example.fr", "code": "0", "asked": asked[1]}
    )
    assert f'name="asked" value="{asked[1]}"' in wrong.text  # what was typed is not lost by a slip
    answer = amel.post(
        "/connexion", data={"email": "amel@example.fr", "code": code, "asked": asked[1]}
    )
    assert answer.status_code == 303
    amel.follow(f"{START}/horaires", data={"week": "mar-sam 9h30-19h"})
    page = amel.get(f"{START}/envoyer").text
    assert "Chez Amel" in page
    assert "Voleur" not in page


def test_one_client_does_not_close_the_door_to_everybody(tmp_path: Path) -> None:
    (town,) = neighbours.found(["FR-33281"], tmp_path)
    settings = town.folder / "instance.toml"
    text = settings.read_text()
    assert "[server]\n" in text
    settings.write_text(text.replace("[server]\n", '[server]\ntrusted_proxies = ["127.0.0.1"]\n'))
    with neighbours.serving([town]):

        def ask_from(address: str) -> int:
            return httpx2.post(
                f"{town.url}{START}/contact",
                data={**SHOP, "siret": "1", "email": "x@example.fr"},
                headers={"Sec-Fetch-Site": "same-origin", "X-Forwarded-For": address},
                timeout=neighbours.PATIENCE,
            ).status_code

        assert [ask_from("198.51.100.7") for _ in range(21)] == [422] * 20 + [429]
        assert ask_from("198.51.100.8") == 422
