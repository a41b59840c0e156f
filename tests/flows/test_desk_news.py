"""News and events as they are written: by stewards, publishers and shops, without script."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests import neighbours
from tests.flows.test_merchant import Browser, hidden, signed_in
from tests.neighbours import Town

DAY = datetime.now(UTC) + timedelta(days=6)
TYPED = f"{DAY:%d/%m/%Y}"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Bordeaux, serving, with two shops."""
    (town,) = neighbours.found(["Bordeaux"], tmp_path_factory.mktemp("desk"))
    with neighbours.serving([town]):
        town.run("shop", "add", "ruche", "--name", "La Ruche", "--commune", "Bordeaux")
        town.run("shop", "add", "pains", "--name", "Aux Pains", "--commune", "Bordeaux")
        yield town


@pytest.fixture(scope="module")
def steward(town: Town) -> Browser:
    return signed_in(town, "nadia@example.fr", "--role", "steward")


@pytest.fixture(scope="module")
def press(town: Town) -> Browser:
    return signed_in(
        town, "redaction@example.fr", "--role", "publisher",
        "--name", "Le Petit Bordelais", "--badge", "media",
    )  # fmt: skip


@pytest.fixture(scope="module")
def claire(town: Town) -> Browser:
    return signed_in(town, "claire@example.fr", "--role", "merchant", "--shop", "ruche")


def write(browser: Browser, desk: str, **fields: Any) -> Any:
    page = browser.get(f"{desk}/ecrire").text
    data = {"form": hidden(page, "form"), "ring": "around", "announce": "1", **fields}
    return browser.post(f"{desk}/ecrire", data=data)


def test_a_publisher_writes_with_its_badge_and_can_do_nothing_else(
    town: Town, press: Browser, steward: Browser
) -> None:
    assert press.get("/compte").url.path == "/gestion/actualites"
    answer = write(press, "/gestion/actualites", title="Le <b>pont</b> rouvre", text="<i>Lundi</i>")
    assert answer.headers["location"] == "/gestion/actualites?fait=publie"
    page = town.get("/actualites").text
    assert "Le &lt;b&gt;pont&lt;/b&gt; rouvre" in page
    assert "&lt;i&gt;Lundi&lt;/i&gt;" in page
    assert '<span class="badge">Média</span> Le Petit Bordelais' in page
    for path in ("/gestion", "/gestion/acces", "/gestion/boutiques/ruche", "/gestion/publicateurs",
                 "/gestion/voisins/ajouter", "/ma-boutique/ruche/actualites",
                 "/ma-boutique/ruche/agenda/ecrire"):  # fmt: skip
        assert press.get(path).status_code == 404, path
        data = {"email": "x@example.fr", "name": "x", "badge": "town_hall"}
        assert press.post(path, data=data).status_code in (404, 405), path
    # What the town hall wrote is not a publisher's to change; theirs is the steward's.
    write(steward, "/gestion/actualites", title="De la mairie", text="Bonjour.")
    own = [
        link for link in links(steward.get("/gestion/actualites").text) if "De la mairie" in link
    ]
    path = own[0].partition('"')[0]
    assert press.get(path).status_code == 404
    assert press.post(path, data={"title": "x", "text": "x"}).status_code == 404
    assert press.post(f"{path}/retirer").status_code == 404
    assert "De la mairie" not in press.get("/gestion/actualites").text
    assert "pont" in steward.get("/gestion/actualites").text
    # Who wrote is in the log of the desk, and nothing of what they wrote.
    journal = steward.get("/gestion/journal").text
    assert "redaction@example.fr" in journal
    assert "/gestion/actualites/ecrire" in journal
    assert "pont" not in journal


def links(page: str) -> list[str]:
    """What stands behind each link to a page of the desk."""
    return [part[:300] for part in page.split('href="') if part.startswith(("/gestion/a", "/ma-"))]


def path_of(browser: Browser, desk: str, title: str) -> str:
    found = [one for one in links(browser.get(desk).text) if title in one]
    assert found, title
    return found[0].partition('"')[0]


def test_an_event_is_announced_once_changed_cancelled_and_taken_away(
    town: Town, steward: Browser
) -> None:
    desk = "/gestion/agenda"
    form = hidden(steward.get(f"{desk}/ecrire").text, "form")
    data = {"form": form, "title": "Bal", "day": TYPED, "time": "20h30", "end": "1:00",
            "venue": "Salle des fêtes", "ring": "around"}  # fmt: skip
    for _ in range(2):  # a second tap
        assert steward.post(f"{desk}/ecrire", data=data).status_code == 303
    page = town.get("/agenda").text
    assert page.count(">Bal</a>") == 1
    assert "20\u00a0h\u00a030 à 1\u00a0h" in page
    path = path_of(steward, desk, ">Bal<")
    shown = steward.get(path).text
    assert f'value="{TYPED}"' in shown
    assert 'value="20:30"' in shown
    changed = {
        **data,
        "title": "Grand bal",
        "repeat": "week",
        "until": f"{DAY + timedelta(days=15):%d/%m/%Y}",
    }
    assert steward.post(path, data=changed).status_code == 303
    assert town.get("/agenda").text.count(">Grand bal</a>") == 3
    assert steward.post(f"{path}/etat", data={"to": "cancelled"}).status_code == 303
    assert town.get("/agenda").text.count("Annulé") == 3
    assert "STATUS:CANCELLED" in town.get("/agenda.ics").text
    assert steward.post(f"{path}/etat", data={"to": "x"}).status_code == 400
    assert steward.post(f"{path}/retirer").status_code == 303
    assert "Grand bal" not in town.get("/agenda").text
    assert steward.post(f"{path}/retirer").status_code in (303, 404)


def test_what_is_wrong_is_said_all_at_once_and_what_was_typed_stays(steward: Browser) -> None:
    answer = write(
        steward, "/gestion/agenda", title="", day="31/02/2026", time="25h", link="javascript:x",
        venue="Là-bas", excluded="demain",
    )  # fmt: skip
    assert answer.status_code == 422
    for said in ("Le titre doit avoir", "Écrivez un jour comme", "Écrivez une heure comme",
                 "pas une adresse comme", "Écrivez des jours comme"):  # fmt: skip
        assert said in answer.text, said
    assert 'value="31/02/2026"' in answer.text
    assert 'value="Là-bas"' in answer.text
    assert write(steward, "/gestion/actualites", title="x", text="").status_code == 422
    assert (
        steward.post("/gestion/actualites/ecrire", data={"title": "x"}, own=False).status_code
        == 403
    )


def test_an_urgent_notice_stands_on_top_and_is_gone_with_its_time(
    town: Town, steward: Browser
) -> None:
    write(steward, "/gestion/actualites", title="Eau coupée", text="Rue du Loup.", urgent="6")
    home = town.get("/").text
    assert home.index("Eau coupée") < home.index("Toutes les boutiques")
    path = path_of(steward, "/gestion/actualites", ">Eau coupée<")
    data = {"title": "Eau coupée", "text": "C’est fini.", "urgent": ""}
    assert steward.post(path, data=data).status_code == 303
    assert 'class="alert' not in town.get("/").text


def test_a_shops_people_write_for_their_shop_alone(
    town: Town, claire: Browser, steward: Browser
) -> None:
    desk = "/ma-boutique/ruche/actualites"
    assert write(claire, desk, title="Dégustation samedi", text="Venez.").status_code == 303
    assert "Dégustation samedi" in town.get("/@ruche").text
    assert "Dégustation samedi" not in town.get("/@pains").text
    assert claire.get("/ma-boutique/pains/actualites").status_code == 404
    assert claire.get("/gestion/actualites").status_code == 404
    assert steward.get(desk).status_code == 404  # not let in by the owner
    page = town.get("/actualites").text
    assert '<span class="badge">Boutique</span> La Ruche' in page
    answer = write(claire, "/ma-boutique/ruche/agenda", title="Portes ouvertes", day=TYPED)
    assert answer.status_code == 303
    assert "Portes ouvertes" in claire.get("/ma-boutique/ruche/agenda").text
    assert "Portes ouvertes" in town.get("/@ruche").text
    assert "SUMMARY:Portes ouvertes" in town.get("/@ruche.ics").text
    assert "Portes ouvertes" not in town.get("/@pains.ics").text
    assert town.get("/@personne.ics").status_code == 404


def test_a_helper_writes_only_when_let_in_and_the_owner_reads_so(
    town: Town, claire: Browser, steward: Browser
) -> None:
    desk = "/ma-boutique/ruche/actualites"
    assert claire.post("/ma-boutique/ruche/equipe", data={"deed": "agree"}).status_code == 303
    assert (
        write(steward, desk, title="Écrit par la mairie", text="Pour la Ruche.").status_code == 303
    )
    team = claire.get("/ma-boutique/ruche/equipe").text
    assert "a écrit une actualité ou annoncé un évènement" in team
    assert '<span class="badge">Boutique</span> La Ruche' in town.get("/actualites").text
    assert claire.post("/ma-boutique/ruche/equipe", data={"deed": "revoke"}).status_code == 303
    assert steward.get(desk).status_code == 404


def test_a_steward_lets_publishers_in(town: Town, steward: Browser) -> None:
    path = "/gestion/publicateurs"
    bad = steward.post(path, data={"name": "", "badge": "media", "email": "a@example.fr"})
    assert bad.status_code == 422
    answer = steward.post(
        path, data={"name": "Comité des fêtes", "badge": "association", "email": "c@example.fr"}
    )
    assert answer.status_code == 200
    assert "c@example.fr" in answer.text
    assert "Comité des fêtes" in steward.get(path).text
    assert (
        steward.post(path, data={"name": "x", "badge": "king", "email": "d@example.fr"}).status_code
        == 422
    )


def test_a_publisher_that_is_let_go_writes_no_more(town: Town, steward: Browser) -> None:
    club = signed_in(town, "club@example.fr", "--role", "publisher", "--name", "Le Club")
    write(club, "/gestion/actualites", title="Tournoi", text="Dimanche.")
    page = steward.get("/gestion/publicateurs").text
    account = page[page.index("Le Club") :].partition('name="account" value="')[2][:36]
    assert steward.post("/gestion/publicateurs", data={"account": account}).status_code == 303
    assert "Le Club" not in steward.get("/gestion/publicateurs").text
    assert club.get("/gestion/actualites").status_code == 404
    assert "Tournoi" in town.get("/actualites").text
    assert steward.get(path_of(steward, "/gestion/actualites", ">Tournoi<")).status_code == 200


def test_pages_feeds_and_odd_addresses(town: Town, steward: Browser) -> None:
    write(steward, "/gestion/agenda", title="Fête, et fin; \\ci", day=TYPED, text="Un\ndeux")
    page = town.get("/agenda").text
    path = page[: page.index("Fête, et fin")].rpartition('href="')[2].partition('"')[0]
    event = town.get(path)
    assert event.status_code == 200
    assert '"@type": "Event"' in event.text
    calendar = town.get(f"{path}.ics")
    assert calendar.headers["content-type"].startswith("text/calendar")
    assert "SUMMARY:Fête\\, et fin\\; \\\\ci\r\n" in calendar.text
    assert "DESCRIPTION:Un\\ndeux\r\n" in calendar.text
    assert f"DTSTART;VALUE=DATE:{DAY:%Y%m%d}\r\n" in calendar.text
    moved = town.get(f"/agenda/autre-{path[-8:]}", follow_redirects=False)
    assert (moved.status_code, moved.headers["location"]) == (301, f"{town.url}{path}")
    english = town.get(f"/en{path}").text
    assert '<h1 lang="fr">' in english  # what was written in French, and nothing around it
    assert "<dt>When</dt>" in english
    assert 'lang="fr"' not in event.text.partition("<main")[2].partition("</main>")[0]
    for odd in ("/agenda/x", "/agenda/x.ics", "/actualites/x-00000000", f"/actualites/{path[8:]}"):
        assert town.get(odd).status_code == 404, odd
    for query in ("du=9999-99-99", "mois=x", "quand=x", "du=0001-01-01", "mois=2026-13"):
        assert town.get(f"/agenda?{query}").status_code == 200, query
    for feed in ("/agenda.atom", "/actualites.atom", "/en/agenda.atom"):
        assert town.get(feed).text.startswith("<?xml")
    answer = town.get(path, headers={"Accept": "application/activity+json"}, follow_redirects=True)
    assert answer.json()["type"] == "Event"
