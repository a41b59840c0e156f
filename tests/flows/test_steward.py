"""Two stewards make their towns neighbours from their pages, and part."""

from pathlib import Path

from tests import neighbours
from tests.flows.test_merchant import Browser, signed_in
from tests.neighbours import Town, eventually


def state(browser: Browser, other: Town) -> str:
    return browser.get(f"/gestion/voisins/{other.authority}").text


def test_neighbours_by_pages_alone(tmp_path: Path) -> None:
    bordeaux, pessac = neighbours.found(["Bordeaux", "Pessac"], tmp_path)
    with neighbours.serving([bordeaux, pessac]):
        bordeaux.run("shop", "add", "ruche", "--name", "La Ruche", "--commune", "Bordeaux")
        bordeaux.run("listing", "add", "ruche", "--name", "Miel", "--price", "9")
        nadia = signed_in(bordeaux, "nadia@example.fr", "--role", "steward")
        paul = signed_in(pessac, "paul@example.fr", "--role", "steward")
        page = nadia.follow("/gestion/voisins/ajouter", data={"url": pessac.url})
        assert "La demande est partie" in page.text
        assert "Attend leur accord" in state(nadia, pessac)
        eventually(lambda: "Demande à devenir voisine" in paul.get("/gestion").text)
        there = f"/gestion/voisins/{bordeaux.authority}"
        assert "accepté" in paul.follow(there, data={"deed": "accept"}).text
        eventually(lambda: pessac.names("miel", "33318") == ["Miel"])
        eventually(lambda: "Jumelée<" in state(nadia, pessac))
        # While something is looked into.
        assert "suspendu" in paul.follow(there, data={"deed": "suspend"}).text
        assert pessac.names("miel", "33318") == []
        assert "comme avant" in paul.follow(there, data={"deed": "restore"}).text
        eventually(lambda: pessac.names("miel", "33318") == ["Miel"])
        # Blocked, and no more.
        unsure = paul.post(there, data={"deed": "block"})
        assert unsure.status_code == 422
        assert 'href="#sure"' in unsure.text
        assert "Sites bloqués" in paul.follow(there, data={"deed": "block", "sure": "1"}).text
        assert pessac.names("miel", "33318") == []
        assert paul.get(there).status_code == 404
        page = paul.follow(there, data={"deed": "unblock"})
        assert "Sites bloqués" not in page.text
        assert paul.post(there, data={"deed": "nonsense", "sure": "1"}).status_code == 404
        # The one side ends it; the other is told.
        here = f"/gestion/voisins/{pessac.authority}"
        page = nadia.follow(here, data={"deed": "remove", "sure": "1"})
        assert "Vous n’êtes plus voisins" in page.text
        assert nadia.get(here).status_code == 404
