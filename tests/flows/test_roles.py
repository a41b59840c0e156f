"""Who may do what at the desk, over every address it has; and the second factor on its way in."""

import re
import time
from collections.abc import Iterator

import pytest

from node import second_factor
from node.store import database
from node.web import routes
from tests import neighbours
from tests.flows.test_merchant import Browser, signed_in
from tests.neighbours import Town

# Who may beside stewards (and auditors, where something is read). What is not here: nobody.
READ = {
    "/gestion": {"association", "agent"},
    "/gestion/demandes/{id}": {"association", "agent"},
    "/gestion/boutiques/ajouter": {"association"},
    "/gestion/boutiques/{handle}": {"association", "agent"},
    "/gestion/voisins": {"association", "agent"},
    "/gestion/voisins/{host}": {"association", "agent"},
}
DO = {
    "/gestion/demandes/{id}": {"association"},
    "/gestion/codes": {"association", "agent"},
    "/gestion/boutiques/ajouter": {"association"},
    "/gestion/boutiques/{handle}/inviter": {"association"},
}
# Who reported something is read there.
PERSONAL = {"/gestion/signalements/{id}", "/gestion/examiner", "/gestion/contestations/{id}"}
# News and events are publishers' too: those pages have a gate and a test of their own.
NEWS = ("/gestion/actualites", "/gestion/agenda")
DESK = [(path, method) for path, _, methods in routes._SIGNED_IN for method in methods
        if path.startswith("/gestion") and not path.startswith(NEWS)]  # fmt: skip


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    (town,) = neighbours.found(["Pessac"], tmp_path_factory.mktemp("roles"))
    with neighbours.serving([town]):
        town.run("shop", "add", "ruche", "--name", "La Ruche", "--commune", "Pessac")
        yield town


def address(page: str) -> str:
    page = page.replace("{handle}", "ruche").replace("{step:count}", "1")
    return re.sub(r"\{[^}]+\}", "nothing.example", page)


def ask(browser: Browser, page: str, method: str) -> int:
    if method == "GET":
        return browser.get(address(page)).status_code
    return browser.post(address(page), data={"nothing": "1"}).status_code


def test_each_role_at_each_address(town: Town) -> None:
    assert len(DESK) > 20
    people = {
        role: signed_in(town, f"{role}@example.fr", "--role", role)
        for role in ("association", "agent", "auditor", "publisher", "steward")
    }
    merchant = signed_in(town, "m@example.fr", "--role", "merchant", "--shop", "ruche")
    wrong = []
    for page, method in DESK:
        allowed = (READ if method == "GET" else DO).get(page, set()) | {"steward"}
        if method == "GET" and page not in PERSONAL:
            allowed |= {"auditor"}
        for role in ("association", "agent", "auditor", "steward"):
            status = ask(people[role], page, method)
            if (status != 403) is not (role in allowed) or status >= 500:
                wrong.append((role, method, page, status))
        for name, other, says in (
            ("publisher", people["publisher"], 404), ("merchant", merchant, 404),
            ("nobody", Browser(town), 401),
        ):  # fmt: skip
            if (status := ask(other, page, method)) != says:
                wrong.append((name, method, page, status))
    assert wrong == []
    # The same in English, where addresses begin otherwise.
    assert people["agent"].get("/en/gestion").status_code == 200
    assert people["agent"].get("/en/gestion/acces").status_code == 403
    assert "rien ne peut être changé" in people["auditor"].get("/gestion").text


def test_nobody_climbs(town: Town) -> None:
    """A way in to somebody else's account is a way to all they may do."""
    steward = signed_in(town, "nadia@example.fr", "--role", "steward")
    helper = signed_in(town, "asso@example.fr", "--role", "association")
    invite = "/gestion/boutiques/ruche/inviter"
    assert helper.post(invite, data={"email": "Nadia@example.fr"}).status_code == 403
    opened = {"name": "Pains", "commune": "Pessac", "email": "nadia@example.fr", "form": "f"}
    refused = helper.post("/gestion/boutiques/ajouter", data=opened)
    assert refused.status_code == 422
    assert "seul un responsable" in refused.text
    assert town.get("/@pains").status_code == 404  # and no shop is opened either
    assert helper.post(invite, data={"email": "claire@example.fr"}).status_code == 200
    # Of those who ask for a code, a steward's is for stewards.
    with database.reading(town.folder) as db:
        row = db.execute("SELECT id FROM accounts WHERE email = 'nadia@example.fr'").fetchone()
    Browser(town).post("/connexion/code", data={"email": "nadia@example.fr"})
    assert helper.post("/gestion/codes", data={"account": row[0]}).status_code == 403
    assert steward.post("/gestion/codes", data={"account": row[0]}).status_code == 200
    # Roles are given and taken by pages; the last steward who can sign in stays.
    page = steward.post("/gestion/acces", data={"email": "vera@example.fr", "role": "auditor"})
    code = "".join(re.search(r'class="code">(\d{3}) (\d{3})<', page.text).groups())  # type: ignore[union-attr]
    vera = Browser(town)
    vera.follow("/connexion", data={"email": "vera@example.fr", "code": code})
    assert vera.get("/gestion/acces").status_code == 200
    which = re.search(r'value="([0-9a-f-]{36} auditor)"[^>]*>[^<]*<span[^>]*>[^<]*vera@',
                      steward.get("/gestion/acces").text)  # fmt: skip
    assert which is not None
    steward.follow("/gestion/acces/retirer", data={"which": which[1]})
    assert vera.get("/gestion").status_code == 404
    with database.transaction(town.folder) as db:
        db.execute(
            "DELETE FROM grants WHERE role = 'steward' AND account IN "
            "(SELECT id FROM accounts WHERE email != 'nadia@example.fr')"
        )
    last = steward.post("/gestion/acces/retirer", data={"which": f"{row[0]} steward"})
    assert last.status_code == 422
    assert steward.get("/gestion").status_code == 200


def test_the_second_factor_on_pages(town: Town) -> None:
    town.run("account", "invite", "paul@example.fr", "--role", "steward")
    paul = signed_in(town, "paul@example.fr", "--role", "steward")
    elsewhere = signed_in(town, "paul@example.fr", "--role", "steward")
    here = "/compte/second-facteur"
    page = paul.post(here, data={"deed": "begin"}).text
    typed = re.search(r"<code[^>]*>([A-Z2-7 ]{30,})</code>", page)
    assert typed is not None
    assert f"secret={typed[1].replace(' ', '')}" in page
    import base64

    secret = base64.b32decode(typed[1].replace(" ", ""))

    # Each code holds for a step before and after its own: this one if that step ends meanwhile,
    # too, and the next one already now.
    now = int(time.time())
    code, later = (
        second_factor.totp(secret, now + steps * second_factor.STEP) for steps in range(2)
    )
    assert paul.post(here, data={"deed": "confirm", "code": "12345"}).status_code == 422
    done = paul.post(here, data={"deed": "confirm", "code": code})
    recovery = re.findall(r"<code>([a-z0-9]{5}-[a-z0-9]{5})</code>", done.text)
    assert len(recovery) == 10
    # This session goes on; the other one opens nothing until it gives a code.
    assert paul.get("/gestion").status_code == 200
    assert elsewhere.get("/gestion").url.path == "/connexion/second"
    assert elsewhere.post("/gestion/acces", data={"email": "x@example.fr"}).status_code == 303
    assert elsewhere.get(here).url.path == "/connexion/second"
    assert elsewhere.get("/ma-boutique/ruche").status_code == 401
    assert elsewhere.post("/connexion/second", data={"code": "1"}, own=False).status_code == 403
    assert elsewhere.post("/connexion/second", data={"code": code}).status_code == 422  # used
    assert elsewhere.follow("/connexion/second", data={"code": later}).url.path == "/gestion"
    # Signing in again, with a recovery code.
    again = signed_in(town, "paul@example.fr", "--role", "steward")
    assert again.get("/compte").url.path == "/connexion/second"
    assert again.follow("/connexion/second", data={"code": recovery[0]}).url.path == "/gestion"
    assert "restants\u202f: 9" in again.get(here).text
    # An open session alone cannot take it away; who runs the server can.
    assert again.post(here, data={"deed": "remove", "code": ""}).status_code == 422
    assert town.run("account", "reset-factor", "paul@example.fr")["removed"]
    assert again.get("/gestion").status_code == 401
    anew = signed_in(town, "paul@example.fr", "--role", "steward")
    assert anew.get("/gestion").status_code == 200
    refused = town.run("account", "reset-factor", "nobody@example.fr", status=1)
    assert "Nobody is known" in refused


def test_nobody_answers_their_own_request(town: Town) -> None:
    """Whoever asks for a shop and works at the desk waits for somebody else."""
    member = signed_in(town, "membre@example.fr", "--role", "association")
    with database.transaction(town.folder) as db:
        row = db.execute("SELECT id FROM accounts WHERE email = 'membre@example.fr'").fetchone()
        db.execute(
            """
            INSERT INTO applications (id, account, shop, siret, name, place, address, phone, hours,
                                      state, reason, created, sent)
            VALUES ('own', ?, 'own-shop', '73282932000074', 'À moi', 'FR-33318', '1 rue', '', '',
                    'sent', '', '2026-11-26T00:00:00Z', '2026-11-26T00:00:00Z')
            """,
            (row[0],),
        )
    assert member.get("/gestion/demandes/own").status_code == 200
    assert member.post("/gestion/demandes/own", data={"deed": "open"}).status_code == 403
    steward = signed_in(town, "autre@example.fr", "--role", "steward")
    assert steward.post("/gestion/demandes/own", data={"deed": "open"}).status_code == 303
