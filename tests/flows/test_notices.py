"""« Signaler », what a steward decides, who hears of it here and at the neighbours, and appeals."""

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from node import keyring, notices, publications, rules
from node import neighbours as neighbourhood
from node.store import changes, database
from tests import neighbours, smtp
from tests.flows.test_joining import mail_to
from tests.flows.test_merchant import Browser, hidden, signed_in
from tests.neighbours import Town, eventually

HTML = "<b>gras</b> <script>alert(1)</script>"


@pytest.fixture(scope="module")
def server() -> Iterator[smtp.Server]:
    with smtp.serving() as server:
        yield server


@pytest.fixture(scope="module")
def towns(
    tmp_path_factory: pytest.TempPathFactory, server: smtp.Server
) -> Iterator[tuple[Town, Town]]:
    """Pessac, which sends mail and whose shops are reported, and Mérignac, which shows them."""
    towns = neighbours.found(["Pessac", "FR-33281"], tmp_path_factory.mktemp("notices"))
    pessac = towns[0]
    for handle, name in (("ruche", "La Ruche"), ("pains", "Aux Pains")):
        pessac.run("shop", "add", handle, "--name", name, "--commune", "Pessac")
    server.carry_mail_of(pessac.folder)
    with neighbours.serving(towns):
        neighbours.befriend(towns[0], towns[1])
        yield towns[0], towns[1]


@pytest.fixture(scope="module")
def steward(towns: tuple[Town, Town]) -> Browser:
    return signed_in(towns[0], "nadia@example.fr", "--role", "steward")


@pytest.fixture(scope="module")
def claire(towns: tuple[Town, Town]) -> Browser:
    return signed_in(towns[0], "claire@example.fr", "--role", "merchant", "--shop", "ruche")


@pytest.fixture(scope="module")
def shown(towns: tuple[Town, Town]) -> str:
    """That a form was read for a while: it holds for a day."""
    return shown_at(towns[0])


def listed(town: Town, handle: str, name: str, price: str = "9,90") -> str:
    """A new listing; its ActivityPub id."""
    made = town.run("listing", "add", handle, "--name", name, "--price", price)
    return str(made["uri"])


def report(town: Town, shown: str, about: str, **other: str) -> str:
    """Reports something as a browser would; the address of the receipt."""
    browser = Browser(town)
    page = browser.get(f"/signaler?objet={quote(about, safe='')}").text
    data = {
        "receipt": hidden(page, "receipt"), "shown": shown, "object": about,
        "reason": "price", "words": "Le prix barré est faux.", "sure": "1", **other,
    }  # fmt: skip
    answer = browser.post("/signaler", data=data)
    assert answer.status_code == 303, answer.text
    again = browser.post("/signaler", data=data)  # a second tap
    assert again.headers["location"] == answer.headers["location"]
    return str(answer.headers["location"])


def decide(steward: Browser, about: str, act: str, **other: str) -> str:
    """Decides as a steward would; the page that follows."""
    where = f"/gestion/examiner?objet={quote(about, safe='')}"
    page = steward.get(where).text
    return steward.follow(
        where,
        data={
            "form": hidden(page, "form"), "seen": hidden(page, "seen"), "act": act,
            "ground": "law", "basis": "Code de la consommation, article L112-1-1",
            "facts": f"Le prix barré n’a jamais été pratiqué. {HTML}", **other,
        },
    ).text  # fmt: skip


def test_hidden_at_both_and_shown_again_after_an_appeal(
    towns: tuple[Town, Town], steward: Browser, claire: Browser, shown: str
) -> None:
    pessac, merignac = towns
    about = listed(pessac, "ruche", "Bougie parfumée")
    eventually(lambda: merignac.names("bougie", "33281") == ["Bougie parfumée"])
    url = next(one["url"] for one in pessac.run("listing", "list") if one["uri"] == about)
    page = Browser(pessac).get(url.removeprefix(pessac.url)).text
    assert f"/signaler?objet={quote(about, safe='/')}" in page
    receipt = report(pessac, shown, about, words=f"Le prix barré est faux. {HTML}")
    page = Browser(pessac).get(receipt).text
    assert "Une personne du site le lit" in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    # It waits for a steward, and for nobody else.
    assert "Bougie parfumée" in steward.get("/gestion/signalements").text
    for other in (claire, Browser(pessac)):
        assert other.get("/gestion/signalements").status_code in (401, 404)
        answer = other.post(
            f"/gestion/examiner?objet={quote(about, safe='')}", data={"act": "withdraw"}
        )
        assert answer.status_code in (401, 404)
    # No reasons, no decision.
    where = f"/gestion/examiner?objet={quote(about, safe='')}"
    assert steward.post(where, data={"act": "hide", "ground": "law"}).status_code == 422
    assert steward.post(where, data={"act": "none"}, own=False).status_code == 403
    assert pessac.names("bougie", "33318") == ["Bougie parfumée"]
    page = decide(steward, about, "hide")
    assert merignac.authority in page
    assert pessac.names("bougie", "33318") == []
    answer = Browser(pessac).get(url.removeprefix(pessac.url))
    assert answer.status_code == 410
    assert "n’est pas affiché pour le moment" in answer.text
    eventually(lambda: merignac.names("bougie", "33281") == [])
    eventually(lambda: "En attente" not in steward.get(where).text)
    # Who reported and whose it is read the same reasons; who reported is named to nobody.
    page = Browser(pessac).get(receipt).text
    assert "n’a jamais été pratiqué" in page
    assert "L112-1-1" in page
    assert "<script>alert" not in page
    page = claire.get("/ma-boutique/ruche/decisions").text
    assert "Bougie parfumée" in page
    assert "n’a jamais été pratiqué" in page
    assert "Le prix barré est faux." not in page
    assert claire.get("/ma-boutique/ruche").text.count("/decisions") == 1
    # The merchant does not agree, once; a steward changes the decision, and all comes back.
    decision = hidden(page, "decision")
    data = {"decision": decision, "words": "Facture jointe : 14,90 € jusqu’au 2."}
    assert (
        claire.post("/ma-boutique/ruche/decisions", data={**data, "words": ""}).status_code == 422
    )
    assert (
        "Votre contestation est arrivée"
        in claire.follow("/ma-boutique/ruche/decisions", data=data).text
    )
    assert claire.post("/ma-boutique/ruche/decisions", data=data).status_code == 404
    page = steward.get("/gestion/signalements").text
    case = re.search(r"/gestion/contestations/[0-9a-f-]{36}", page)
    assert case is not None
    assert "Facture jointe" in steward.get(case[0]).text
    assert claire.get(case[0]).status_code == 404
    assert steward.post(case[0], data={"outcome": "changed"}).status_code == 422
    steward.follow(case[0], data={"outcome": "changed", "answer": "La facture le prouve."})
    assert pessac.names("bougie", "33318") == ["Bougie parfumée"]
    eventually(lambda: merignac.names("bougie", "33281") == ["Bougie parfumée"])
    assert "La facture le prouve." in claire.get("/ma-boutique/ruche/decisions").text
    # Each act is in the log, and nothing of what was written.
    page = steward.get("/gestion/journal").text
    assert page.count(about) >= 3
    assert "nadia@example.fr" in page
    assert "Facture" not in page
    assert "jamais été pratiqué" not in page
    assert claire.get("/gestion/journal").status_code == 404
    # Whatever else is done at the desk is noted by its page.
    steward.post("/gestion/acces", data={"email": "yann@example.fr"})
    page = steward.get("/gestion/journal").text
    assert "/gestion/acces" in page
    assert "yann@" not in page


def test_a_suspended_shop_goes_everywhere_and_comes_back(
    towns: tuple[Town, Town], steward: Browser
) -> None:
    pessac, merignac = towns
    baker = signed_in(pessac, "paul@example.fr", "--role", "merchant", "--shop", "pains")
    listed(pessac, "pains", "Tourte de seigle")
    eventually(lambda: merignac.names("tourte", "33281") == ["Tourte de seigle"])
    shop = f"{pessac.url}/users/pains"
    decide(steward, shop, "suspend", facts="Le numéro SIRET est celui d’une autre boutique.")
    answer = Browser(pessac).get("/@pains")
    assert answer.status_code == 410
    assert "Cette boutique est suspendue" in answer.text
    assert "Aux Pains" not in Browser(pessac).get("/boutiques").text
    assert pessac.names("tourte", "33318") == []
    actor = pessac.get("/users/pains", headers={"accept": "application/activity+json"}).json()
    assert actor["suspended"] is True
    assert "Aux Pains" not in str(actor)
    eventually(lambda: merignac.names("tourte", "33281") == [])
    shops = merignac.get("/api/v1/shops").json()["shops"]
    assert shop not in [one["uri"] for one in shops]
    # Its merchant still gets in, reads why, and publishes nothing.
    assert "suspendue" in baker.get("/ma-boutique/pains").text
    assert "SIRET" in baker.get("/ma-boutique/pains/decisions").text
    page = baker.get("/ma-boutique/pains/ajouter").text
    answer = baker.post(
        "/ma-boutique/pains/ajouter",
        data={
            "form": hidden(page, "form"),
            "name": "Brioche",
            "price": "5",
            "allergen-gluten": "1",
        },
        files={"photo": ("", b"", "application/octet-stream")},
    )
    assert answer.status_code == 422
    assert "suspendue" in answer.text
    assert pessac.names("brioche", "33318") == []
    page = baker.get("/ma-boutique/pains/actualites/ecrire").text
    told = {"form": hidden(page, "form"), "title": "Fermée à tort", "text": "Venez !"}
    answer = baker.post("/ma-boutique/pains/actualites/ecrire", data=told)
    assert answer.status_code == 422
    assert "suspendue" in answer.text
    assert Browser(pessac).get("/@pains.ics").status_code == 410
    # Both sides still agree on what there is: nothing is read over and over.
    eventually(lambda: agree(pessac, merignac))
    page = steward.follow("/gestion/examiner/montrer", data={"object": shop}).text
    assert "Tout est affiché" in page
    assert Browser(pessac).get("/@pains").status_code == 200
    assert pessac.names("tourte", "33318") == ["Tourte de seigle"]
    eventually(lambda: merignac.names("tourte", "33281") == ["Tourte de seigle"])
    eventually(lambda: agree(pessac, merignac))


def agree(one: Town, other: Town) -> bool:
    """Whether another node holds all that a node shows, and nothing more."""
    with database.reading(one.folder) as db:
        told = publications.digest(changes.live_fingerprints(db))
    with database.reading(other.folder) as db:
        return neighbourhood.digest(db, one.authority)[0] == told


def test_what_is_a_neighbours_is_hidden_here_and_reported_there(
    towns: tuple[Town, Town], steward: Browser, shown: str
) -> None:
    pessac, merignac = towns
    about = listed(pessac, "ruche", "Encens rare")
    eventually(lambda: merignac.names("encens", "33281") == ["Encens rare"])
    there = signed_in(merignac, "odile@example.fr", "--role", "steward")
    url = next(one["url"] for one in pessac.run("listing", "list") if one["uri"] == about)
    report(merignac, shown_at(merignac), url)  # by the address of its page
    page = decide(there, about, "hide", forward="1")
    assert "n’est plus affiché" in page
    assert merignac.names("encens", "33281") == []
    assert pessac.names("encens", "33318") == ["Encens rare"]
    # What its shop changes is read, and stays hidden.
    listing = next(one for one in pessac.run("listing", "list") if one["uri"] == about)
    pessac.run("listing", "revise", listing["id"], "--name", "Encens très rare")
    eventually(lambda: "Signalé par un autre site" in steward.get("/gestion/signalements").text)
    eventually(lambda: named(merignac, about) == "Encens très rare")
    assert merignac.names("encens", "33281") == []
    assert (
        "jamais été pratiqué"
        in steward.get(f"/gestion/examiner?objet={quote(about, safe='')}").text
    )
    decide(steward, about, "none", facts="Rien à redire.")
    assert "Signalé par un autre site" not in steward.get("/gestion/signalements").text
    there.follow("/gestion/examiner/montrer", data={"object": about})
    assert merignac.names("encens", "33281") == ["Encens très rare"]


def shown_at(town: Town, ago: float = 60) -> str:
    """The mark of a form that a node showed so many seconds ago; below zero, from now on."""
    mark = hidden(town.get("/signaler").text, "shown")
    moment, _, sealed = mark.partition(".")
    ring = keyring.load(town.folder)
    assert ring.mac("report form", moment).hex()[:32] == sealed
    moment = str(int(moment) - round(ago))
    return f"{moment}.{ring.mac('report form', moment).hex()[:32]}"


def named(town: Town, uri: str) -> str:
    """The name that a listing has in a node's file, shown or not."""
    with database.reading(town.folder) as db:
        return str(db.execute("SELECT name FROM listings WHERE uri = ?", (uri,)).fetchone()[0])


def test_mail_tells_who_reported_whose_it_is_and_who_decides(
    towns: tuple[Town, Town], steward: Browser, claire: Browser, server: smtp.Server, shown: str
) -> None:
    pessac = towns[0]
    about = listed(pessac, "ruche", "Propolis")
    receipt = report(pessac, shown, about, name="Jean Petit", email="jean@example.fr")
    told = mail_to(server, "jean@example.fr", "Votre signalement est arrivé")
    assert f"{pessac.url}{receipt}" in told
    assert "/gestion/signalements" in mail_to(server, "nadia@example.fr", "Un contenu est signalé")
    decide(steward, about, "correct")
    text = mail_to(server, "claire@example.fr", "Une décision à propos de « Propolis »")
    assert "n’a jamais été pratiqué" in text
    assert "Jean" not in text
    assert "jean@" not in text
    assert "Le prix barré est faux." not in text
    text = mail_to(server, "jean@example.fr", "La suite donnée à votre signalement")
    assert "n’a jamais été pratiqué" in text
    assert "tribunal administratif" in text
    assert pessac.names("propolis", "33318") == ["Propolis"]  # it is the shop's to correct
    # The shop and the steward see by when; then that it was changed; then nothing any more.
    assert "corriger quelque chose" in claire.get("/ma-boutique/ruche").text
    page = steward.get("/gestion/signalements").text
    assert "Les boutiques ont à corriger" in page
    assert "modifié le" not in page
    pessac.run("listing", "revise", about.rsplit("/", 1)[1], "--price", "8,90")
    eventually(lambda: "modifié le" in steward.get("/gestion/signalements").text)
    decide(steward, about, "none", facts="C’est corrigé.")
    assert "Les boutiques ont à corriger" not in steward.get("/gestion/signalements").text
    assert "corriger quelque chose" not in claire.get("/ma-boutique/ruche").text


def test_nobody_fills_anothers_mailbox(
    towns: tuple[Town, Town], server: smtp.Server, shown: str
) -> None:
    pessac = towns[0]
    for number in range(5):
        about = listed(pessac, "ruche", f"Savon {number}")
        report(pessac, shown, about, email="victime@example.fr")
    report(pessac, shown, f"{pessac.url}/regles", email="fin@example.fr")
    mail_to(server, "fin@example.fr", "Votre signalement est arrivé")  # the last to be sent
    assert server.recipients.count("victime@example.fr") == 3


def test_a_decision_is_not_upset_by_what_a_form_cannot_say(
    towns: tuple[Town, Town], steward: Browser, shown: str
) -> None:
    pessac = towns[0]
    about = listed(pessac, "ruche", "Gelée\u00ad royale")  # a soft hyphen fits no subject of a mail
    report(pessac, shown, about)
    for seen in ("2026-01-01", "x", "", "9999-99-99T00:00:00Z"):
        decide(steward, about, "none", seen=seen)
    where = f"/gestion/examiner?objet={quote(about, safe='')}"
    assert steward.post(where, data={"act": "burn", "seen": "x"}).status_code == 422
    assert steward.get("/gestion/examiner?objet=https://elsewhere.example").status_code == 404
    assert steward.post("/gestion/examiner/montrer", data={"object": about}).status_code == 404
    assert steward.get("/gestion/contestations/nothing").status_code == 404
    assert steward.get("/gestion/signalements/nothing").status_code == 404
    assert steward.get("/gestion/journal?avant=x").status_code == 200


def test_a_merchant_agrees_to_the_rules(towns: tuple[Town, Town], claire: Browser) -> None:
    assert "/ma-boutique/ruche/regles" in claire.get("/ma-boutique/ruche").text
    page = claire.get("/ma-boutique/ruche/regles").text
    assert f"{rules.VERSION:%d/%m/%Y}" in page
    assert claire.post("/ma-boutique/ruche/regles", own=False).status_code == 403
    page = claire.follow("/ma-boutique/ruche/regles", data={}).text
    assert "/ma-boutique/ruche/regles" not in page
    assert "Vous les avez acceptées" in claire.get("/ma-boutique/ruche/regles").text
    assert Browser(towns[0]).get("/ma-boutique/ruche/regles").status_code == 401
    assert f"{rules.VERSION:%d/%m/%Y}" in towns[0].get("/regles").text


def test_spam_and_floods_are_held_off(towns: tuple[Town, Town], shown: str) -> None:
    pessac = towns[0]
    about = listed(pessac, "ruche", "Cire")
    fine = {"shown": shown, "object": about, "reason": "other", "words": "Non.", "sure": "1"}

    def send(**other: str) -> int:
        browser = Browser(pessac)
        secret = hidden(browser.get("/signaler").text, "receipt")
        data = {"receipt": secret, **fine, **other}
        return browser.post("/signaler", data=data).status_code

    def kept() -> int:
        with database.reading(pessac.folder) as db:
            return int(db.execute("SELECT count(*) FROM notices").fetchone()[0])

    before = kept()
    assert send(website="https://spam.example") == 303  # looks as if it had worked
    assert send(shown=shown_at(pessac, -60)) == 422  # too fast, however slow this machine is
    assert send(shown="1.00000000000000000000000000000000") == 422
    assert send(sure="") == 422
    assert send(words="") == 422
    assert send(words="x" * (notices.WORDS_MOST + 1)) == 422
    assert send(reason="none of them") == 422
    assert send(email="not an address") == 422
    assert send(object="https://elsewhere.example/page") == 422
    assert send(object="x" * 5000) == 422
    assert send(receipt="short") == 400
    assert kept() == before
    statuses = [send() for _ in range(notices.OPEN_ABOUT_MOST + 3)]
    assert statuses == [303] * notices.OPEN_ABOUT_MOST + [429] * 3
    assert kept() - before == notices.OPEN_ABOUT_MOST
    assert Browser(pessac).get(f"/signalement/{'a' * 43}").status_code == 404
    assert Browser(pessac).get("/signalement/x").status_code == 404
