"""Selling at a distance over real HTTP: switched on by the owner, ordered from, paid, ended."""

import contextlib
import html
import re
import sqlite3
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from node import sealing
from node.store import database
from tests import neighbours, smtp
from tests.flows.test_merchant import Browser, signed_in
from tests.neighbours import Town
from tests.sealing import merchant

N = "\u202f"
PAGE = "/ma-boutique/fleurs/vente-a-distance"
LIST = "/ma-boutique/fleurs/reservations"
NAME, PHONE, WHERE = "Zoé Canariplanté", "0639980012", "9 rue du Motcanari"
FIELDS = {
    "trader": "Claire Martin, entrepreneure individuelle",
    "siret": "732 829 320 00074",
    "email": "claire@example.fr",
    "mediator": "Médiateur du commerce, 1 rue du Pont, Pessac",
    "return_address": "12 rue du Colonel-Fonck, 33600 Pessac",
    "within_days": "5",
    "terms": "Relues.\n\nLe vase <b>tient</b> debout.",
    "holder": "Claire Martin",
    "iban": "FR14 2004 1010 0505 0001 3M02 606",
    "link": "https://pay.example.fr/claire",
}


@pytest.fixture(scope="module")
def server() -> Iterator[smtp.Server]:
    with smtp.serving() as running:
        yield running


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, server: smtp.Server) -> Iterator[Town]:
    (town,) = neighbours.found(["Pessac"], tmp_path_factory.mktemp("distance"))
    server.carry_mail_of(town.folder)
    with neighbours.serving([town]):
        town.run(
            "shop", "add", "fleurs", "--name", "Chez Claire", "--commune", "Pessac",
            "--address", "12 rue du Colonel-Fonck", "--phone", "05 36 49 01 34",
            "--delivers-to", "Pessac", "--delivery-price", "3,50", "--free-from", "40",
        )  # fmt: skip
        town.run("shop", "add", "pains", "--name", "Aux Pains", "--commune", "Pessac")
        yield town


@pytest.fixture(scope="module")
def keys(town: Town) -> merchant.Made:
    return merchant.put_keys(town, "fleurs")


@pytest.fixture(scope="module")
def claire(town: Town) -> Browser:
    return signed_in(town, "claire@example.fr", "--role", "merchant", "--shop", "fleurs")


@pytest.fixture(scope="module")
def on(keys: merchant.Made, claire: Browser) -> merchant.Made:
    """The florist sells at a distance."""
    page = claire.follow(PAGE, data={**FIELDS, "deed": "on"}).text
    assert "Vous vendez maintenant à distance" in page, page
    return keys


ON_THE_BOTTLE = (
    "--allergens", "sulphites", "--strength", "12.5", "--quantity", "75", "--unit", "cl",
)  # fmt: skip


def offered(
    town: Town, name: str, *more: str, price: str = "12", shelf: str = "maison.decoration"
) -> Any:
    return town.run(
        "listing", "add", "fleurs", "--name", name, "--price", price, "--category", shelf,
        "--delivered", "--maker",
        "Atelier du Lac; 1 rue des Arts, 33600 Pessac; atelier@lac.example", *more,
    )  # fmt: skip


def where(listing: dict[str, Any], behind: str = "/commander") -> str:
    return f"/@fleurs/x-{listing['id'][:8]}{behind}"


def form(town: Town, path: str) -> dict[str, str]:
    """The hidden fields of the order as it is shown."""
    page = town.get(path)
    assert page.status_code == 200, page.text
    text = page.text[page.text.index('id="reserve"') :]
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', text))
    return {**fields, "terms": "1"}


def sealed(keys: merchant.Made, town: Town, listing: Any, link: str, text: str = "") -> Any:
    words = text or f'{{"name":"{NAME}","way":"phone","contact":"{PHONE}","where":"{WHERE}"}}'
    data = keys.seal(words, f"{town.url}/users/fleurs", listing["uri"], link)
    return {"key": keys.id, "sealed": sealing.encode(data)}


def order(town: Town, keys: merchant.Made, listing: Any, behind: str = "") -> tuple[Browser, str]:
    """Orders it; a browser, and the address of the order's page."""
    path = where(listing)
    fields = form(town, path + behind)
    browser = Browser(town)
    answer = browser.post(path, data={**fields, **sealed(keys, town, listing, fields["link"])})
    assert answer.status_code == 303, answer.text
    return browser, answer.headers["location"]


def words_of(page: str) -> str:
    text = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))
    return text.replace("\u00a0", " ").replace(N, " ")


def query(town: Town, sql: str, *values: Any) -> list[Any]:
    file = f"file:{town.folder / 'node.db'}?mode=ro"
    with contextlib.closing(sqlite3.connect(file, uri=True)) as db:
        return db.execute(sql, values).fetchall()


# --- the shop's side -----------------------------------------------------------------------------


def test_only_the_owner_switches_it_on_and_only_when_all_is_there(
    town: Town, claire: Browser
) -> None:
    seller = signed_in(town, "yann@example.fr", "--role", "merchant", "--shop", "fleurs")
    with database.transaction(town.folder) as db:
        db.execute(
            "UPDATE grants SET role = 'seller' WHERE account ="
            " (SELECT id FROM accounts WHERE email = 'yann@example.fr')"
        )
    other = signed_in(town, "lea@example.fr", "--role", "merchant", "--shop", "pains")
    for browser in (seller, other):
        assert browser.get(PAGE).status_code == 404
        assert browser.post(PAGE, data={**FIELDS, "deed": "on"}).status_code == 404
    assert claire.post(PAGE, own=False, data={**FIELDS, "deed": "on"}).status_code == 403
    assert "Vente à distance" in claire.get("/ma-boutique/fleurs").text
    first = words_of(claire.get(PAGE).text)
    assert "Il manque encore" in first
    assert "À faire relire par un juriste" in first
    # Without a key card it stays off, whatever else is there.
    page = claire.follow(PAGE, data={**FIELDS, "deed": "on"}).text
    assert "il manque encore quelque chose" in page
    assert 'href="/ma-boutique/fleurs/cle"' in page
    assert 'href="#trader"' not in page
    listing = offered(town, "Pas encore")
    assert "commander" not in town.get(where(listing, ""), follow_redirects=True).text
    assert town.get(where(listing)).status_code == 410


def test_what_cannot_be_used_is_said_beside_its_field(town: Town, claire: Browser) -> None:
    wrong = {
        "siret": "1", "email": "x", "within_days": "99", "iban": "FR15", "holder": "x" * 99,
        "link": "javascript:alert(1)", "terms": "x" * 12_500,
    }  # fmt: skip
    answer = claire.post(PAGE, data={**FIELDS, **wrong, "deed": "save"})
    assert answer.status_code == 422
    for name in wrong:
        assert f'id="{name}-error"' in answer.text, name
    abroad = claire.post(PAGE, data={**FIELDS, "iban": "GB29NWBK60161331926819", "deed": "save"})
    assert "Espace économique européen" in abroad.text
    assert claire.post(PAGE, data={"deed": "x" * 500, "within_days": "é"}).status_code == 422
    assert query(town, "SELECT trader FROM selling") == [(FIELDS["trader"],)]


# --- the resident's way --------------------------------------------------------------------------


def test_the_total_and_the_duties_stand_before_the_button(town: Town, on: merchant.Made) -> None:
    listing = offered(town, "Vase bleu")
    product = town.get(where(listing, ""), follow_redirects=True).text
    assert re.search(r'href="[^"]*/commander"', product)
    assert re.search(r'href="[^"]*/reserver"', product)
    page = town.get(f"{where(listing)}?quantity=3").text
    text = words_of(page)
    button = text.index("Commande avec obligation de paiement")
    assert re.search(
        r'<button class="wide" id="send">Commande avec obligation de paiement</button>', page
    )
    for said in (
        "3 × 12,00 € 36,00 €", "Livraison 3,50 €", "Total à payer, toutes taxes comprises 39,50 €",
        FIELDS["trader"], "SIRET 732 829 320 00074", FIELDS["email"], "12 rue du Colonel-Fonck",
        "05 36 49 01 34", "sous 5 jours", "Vous pouvez renoncer à ce contrat sans donner de motif",
        "« Renoncer au contrat ici », puis « Confirmer la rétractation »", FIELDS["mediator"],
        "articles L217-3 et suivants", "articles 1641 et suivants", "Le vase <b>tient</b> debout.",
        "Formulaire de rétractation", FIELDS["return_address"], "virement à Claire Martin",
    ):  # fmt: skip
        assert said in text, said
        assert text.index(said) < button, said
    assert "<b>tient" not in page
    free = words_of(town.get(f"{where(listing)}?quantity=4&brought=1").text)
    assert "Total à payer, toutes taxes comprises 48,00 €" in free
    fetched = words_of(town.get(f"{where(listing)}?quantity=1&brought=0").text)
    assert "Total à payer, toutes taxes comprises 12,00 €" in fetched
    english = town.get(f"/en{where(listing)}").text
    assert "Order with obligation to pay" in english
    assert "Withdraw from contract here" in english
    # Nothing that a person writes has a name; without script there is no button to see.
    assert re.search(r'<fieldset id="words" hidden disabled>', page)
    assert re.search(r'<div id="true-sealed" class="form" hidden>', page)
    assert not re.search(
        r'<(?:input|textarea|select)[^>]*id="(?:nickname|phone|mail|where|message|way)"[^>]* name=',
        page,
    )
    for bad in ("quantity=0", "quantity=x", "quantity=100", "quantity=" + "9" * 400):
        answer = town.get(f"{where(listing)}?{bad}")
        assert answer.status_code == 422
        assert "obligation de paiement" not in answer.text
    assert town.get(f"{where(listing)}?offer=x&brought=x").status_code == 200


def test_an_order_from_the_button_to_the_payment(
    town: Town, on: merchant.Made, claire: Browser, server: smtp.Server
) -> None:
    listing = offered(town, "Vase vert", "--stock", "3")
    browser, mine = order(town, on, listing, "?quantity=2")
    page = browser.get(mine)
    text = words_of(page.text)
    code = re.findall(r"[A-Z]{3}-[0-9]{3}", text)[0]
    assert page.headers["cache-control"] == "no-store"
    for said in (
        "Total 27,50 €", "Titulaire Claire Martin", "FR14 2004 1010 0505 0001 3M02 606",
        f"Référence {code}", "Ce site n’encaisse rien", "ne le note nulle part",
        "Renoncer au contrat ici",
    ):  # fmt: skip
        assert said in text, said
    assert re.search(r'<svg class="transfer"[^>]* role="img" aria-label=', page.text)
    link = re.findall(r'<a href="https://pay[^>]*>', page.text)
    assert link == [
        '<a href="https://pay.example.fr/claire" rel="noopener noreferrer external nofollow">'
    ]
    assert "img-src" in page.headers["content-security-policy"]
    # The mail says nothing of who or what.
    mail = neighbours.eventually(
        lambda: next((one for one in server.mails if code in one.get_content()), None)
    )
    assert "Vase" not in mail.get_content() + mail["Subject"]
    assert "/avis/" not in mail.get_content()
    # The shop's list.
    shop = words_of(claire.get(LIST).text)
    assert "Commande, 27,50 € en tout" in shop
    ((reservation,),) = query(town, "SELECT id FROM reservations WHERE code = ?", code)
    assert "Acceptée" in words_of(
        claire.follow(f"{LIST}/{reservation}", data={"act": "ready"}).text
    )
    assert "la boutique vous l’apporte" in words_of(browser.get(mine).text)
    # As a file: the terms as they were, whatever becomes of them.
    changed = {**FIELDS, "terms": "Toutes neuves.", "deed": "save"}
    assert claire.post(PAGE, data=changed).status_code == 303
    file = browser.get(f"{mine}/contrat.html")
    assert file.headers["content-disposition"] == f'attachment; filename="commande-{code}.html"'
    kept = words_of(file.text)
    assert "tient</b> debout" in kept
    assert "Toutes neuves" not in kept
    assert "27,50 €" in kept
    assert "<script" not in file.text
    assert not re.search(r'(?:src|href)="', file.text)
    assert words_of(claire.get(f"{LIST}/{reservation}/contrat.html").text) == kept
    claire.post(PAGE, data={**FIELDS, "deed": "save"})
    # An open order is not cancelled in silence, nor erased.
    for act in ("cancel", "erase"):
        assert browser.post(mine, data={"act": act}).status_code == 303
    assert query(town, "SELECT state FROM reservations WHERE id = ?", reservation) == [("ready",)]
    # Nothing of a payment has a column.
    columns = query(town, "SELECT group_concat(name) FROM pragma_table_info('orders')")[0][0]
    assert not re.search(r"paid|payment|pay\b", columns)


def test_withdrawing_in_two_steps_with_an_acknowledgement(
    town: Town, on: merchant.Made, claire: Browser, server: smtp.Server
) -> None:
    listing = offered(town, "Vase rouge", "--stock", "1")
    browser, mine = order(town, on, listing)
    page = browser.get(mine).text
    assert re.search(
        r'<a class="btn alt" data-own href="[^"]*/retractation">Renoncer au contrat ici</a>', page
    )
    step = browser.get(f"{mine}/retractation").text
    assert "<button>Confirmer la rétractation</button>" in step
    assert query(town, "SELECT count(*) FROM orders WHERE withdrawn IS NOT NULL") == [(0,)]
    assert browser.post(f"{mine}/retractation", own=False).status_code == 403
    english = browser.get(f"/en{mine}").text
    assert "Withdraw from contract here" in english
    assert "<button>Confirm withdrawal</button>" in browser.get(f"/en{mine}/retractation").text
    done = words_of(browser.follow(f"{mine}/retractation").text)
    assert "Accusé de réception de votre rétractation" in done
    when = re.search(r"Reçu le (\S+ \S+ [0-9]{4} à [0-9]{2}:[0-9]{2}:[0-9]{2}) :", done)
    assert when is not None
    assert "Titulaire" not in done  # nothing to pay any more
    assert query(town, "SELECT stock FROM offers WHERE listing = ?", listing["id"]) == [(1,)]
    # Once more it is the same one; the file has it too.
    again = words_of(browser.follow(f"{mine}/retractation").text)
    assert when[1] in again
    assert when[1] in words_of(browser.get(f"{mine}/contrat.html").text)
    assert "Le client s’est rétracté" in words_of(claire.get(LIST).text)
    neighbours.eventually(lambda: [m for m in server.mails if "rétracté" in m["Subject"]])
    told = [m["To"] for m in server.mails if "rétracté" in m["Subject"]]
    assert len(told) == len(set(told))  # each of the shop's people once
    assert browser.post(mine, data={"act": "erase"}).status_code == 200
    assert browser.get(mine).status_code == 404


def test_alcohol_needs_the_licence_and_who_is_of_age(
    town: Town, on: merchant.Made, claire: Browser
) -> None:
    listing = offered(town, "Graves rouge", *ON_THE_BOTTLE, shelf="boissons.vin")
    assert town.get(where(listing)).status_code == 410
    assert claire.post(PAGE, data={**FIELDS, "alcohol": "1", "deed": "save"}).status_code == 303
    page = words_of(town.get(where(listing)).text)
    assert "La vente d’alcool est interdite aux mineurs de moins de 18 ans" in page
    assert "La preuve de majorité de l’acheteur est exigée" in page
    fields = form(town, where(listing))
    words = sealed(on, town, listing, fields["link"])
    browser = Browser(town)
    refused = browser.post(where(listing), data={**fields, **words})
    assert refused.status_code == 409
    assert "Seule une personne majeure" in refused.text
    answer = browser.post(where(listing), data={**fields, **words, "of_age": "1"})
    assert answer.status_code == 303
    assert "L’abus d’alcool" in browser.get(answer.headers["location"]).text


def test_what_perishes_says_so_before_and_has_no_function(town: Town, on: merchant.Made) -> None:
    listing = offered(town, "Bouquet", shelf="jardin.fleurs")
    page = words_of(town.get(where(listing)).text)
    said = "Vous n’avez pas de droit de rétractation"
    assert page.index(said) < page.index("Commande avec obligation de paiement")
    assert "Vous pouvez renoncer" not in page
    browser, mine = order(town, on, listing)
    assert "Renoncer au contrat ici" not in browser.get(mine).text
    assert browser.get(f"{mine}/retractation").url.path == mine
    assert browser.post(f"{mine}/retractation").status_code == 303
    assert query(town, "SELECT withdrawn FROM orders WHERE exempt = 'perishable'") == [(None,)]


def test_hostile_orders_change_nothing(town: Town, on: merchant.Made) -> None:
    listing, other = offered(town, "Cadre", "--stock", "3"), offered(town, "Autre")
    path = where(listing)
    fields = form(town, path)
    good = {**fields, **sealed(on, town, listing, fields["link"])}
    browser = Browser(town)
    before = query(town, "SELECT count(*) FROM reservations")
    for change, status in (
        ({"link": ""}, 400), ({"link": "é" * 43}, 400), ({"quantity": "2"}, 409),
        ({"quantity": "0"}, 409), ({"quantity": "4"}, 409), ({"brought": "0"}, 409),
        ({"brought": "x"}, 409), ({"mark": ""}, 409), ({"mark": "0" * 32}, 409),
        ({"terms": ""}, 409), ({"offer": ""}, 410),
        ({"offer": form(town, where(other))["offer"]}, 410),
        ({"sealed": ""}, 409), ({"key": "", "sealed": ""}, 409), ({"key": "x"}, 409),
        ({"sealed": NAME}, 409), ({"sealed": "A" * 9000}, 409), ({"sealed": "A" * 1_000_000}, 413),
        ({"mark": form(town, where(other))["mark"]}, 409),
    ):  # fmt: skip
        answer = browser.post(path, data={**good, **change})
        assert answer.status_code == status, change
        assert NAME not in answer.text
    assert browser.post(path, own=False, data=good).status_code == 403
    for wrong in (
        "/@fleurs/x-00000000/commander",
        "/@nobody/x-00000000/commander",
        "/@fleurs/x/commander",
    ):
        assert town.get(wrong).status_code == 404
        assert browser.post(wrong, data=good).status_code == 404
    assert query(town, "SELECT count(*) FROM reservations") == before
    # Replayed it is one, also when nothing is left and nothing is sold any more.
    for _ in range(2):
        assert browser.post(path, data=good).headers["location"] == f"/reservation/{good['link']}"
    town.run("listing", "revise", listing["id"], "--stock", "0")
    assert browser.post(path, data=good).headers["location"] == f"/reservation/{good['link']}"
    # A reservation of somebody else's link is no order, and an order's no reservation to cancel.
    plain = browser.post(where(other, "/reserver"), data={
        "link": "B" * 43, "offer": form(town, where(other))["offer"], "quantity": "1"})  # fmt: skip
    assert plain.status_code == 303
    taken = {**form(town, where(other)), "link": "B" * 43}
    taken |= sealed(on, town, other, "B" * 43)
    assert browser.post(where(other), data=taken).status_code == 409
    assert browser.get(f"/reservation/{'B' * 43}/contrat.html").status_code == 404
    assert browser.get(f"/reservation/{'B' * 43}/retractation").status_code == 404
    for guess in ("A" * 43, f"{good['link'][:-1]}_", "x"):
        for behind in ("", "/contrat.html", "/retractation"):
            assert town.get(f"/reservation/{guess}{behind}").status_code == 404
        assert browser.post(f"/reservation/{guess}/retractation").status_code == 404


def test_another_shop_cannot_touch_an_order(town: Town, on: merchant.Made) -> None:
    listing = offered(town, "Coupe")
    order(town, on, listing)
    lea = signed_in(town, "lea@example.fr", "--role", "merchant", "--shop", "pains")
    ((one,),) = query(town, "SELECT id FROM reservations WHERE listing = ?", listing["id"])
    for act in ("refused", "ready", "handed_over"):
        answer = lea.post(f"/ma-boutique/pains/reservations/{one}", data={"act": act})
        assert answer.status_code == 404
    for handle in ("pains", "fleurs"):
        path = f"/ma-boutique/{handle}/reservations/{one}/contrat.html"
        assert lea.get(path).status_code == 404
    assert query(town, "SELECT state FROM reservations WHERE id = ?", one) == [("asked",)]


def test_no_word_of_an_order_is_found_in_anything_the_node_wrote(
    town: Town, on: merchant.Made
) -> None:
    listing = offered(town, "Lampe")
    order(town, on, listing)
    copy = town.folder / "copy.db"
    database.copy(town.folder, copy)
    log = town.folder.parent / f"{town.folder.name}.log"

    def look(status: int) -> str:
        done: subprocess.CompletedProcess[str] = neighbours.echoppe(
            "check", "--sealed", NAME, PHONE, WHERE, "Motcanari", "--also", str(log),
            folder=town.folder, status=status,
        )  # fmt: skip
        return done.stdout

    assert "0 found; 0 reservation(s) not sealed." in look(0)
    # The same search finds them where sealing is switched off.
    fields = form(town, where(listing))
    clear = sealing.padded(f'{{"name":"{NAME}","where":"{WHERE}"}}') + bytes(sealing.OVERHEAD)
    words = {"key": on.id, "sealed": sealing.encode(clear)}
    assert Browser(town).post(where(listing), data={**fields, **words}).status_code == 303
    found = look(1)
    assert "NOT SEALED" in found
    assert f"FOUND {WHERE!r}" in found


def test_switched_off_nothing_is_ordered_at_once(
    town: Town, on: merchant.Made, claire: Browser
) -> None:
    listing = offered(town, "Dernier")
    fields = form(town, where(listing))
    good = {**fields, **sealed(on, town, listing, fields["link"])}
    _, mine = order(town, on, listing)
    # Off needs no field to be right.
    page = claire.follow(PAGE, data={"deed": "off", "iban": "wrong"}).text
    assert "Fermée" in page
    assert FIELDS["trader"] in page
    assert Browser(town).post(where(listing), data=good).status_code == 410
    assert "/commander" not in town.get(where(listing, ""), follow_redirects=True).text
    assert "Titulaire" in town.get(mine).text
