"""A steward finds out whom a neighbour knows, and asks them; residents read who is connected."""

import re
from pathlib import Path

from tests import neighbours
from tests.flows.test_merchant import signed_in
from tests.neighbours import Town, eventually


def names_of(town: Town) -> list[str]:
    found = town.get("/nodeinfo/2.1").json()["metadata"]["neighbours"]
    assert isinstance(found, list)
    return found


def test_whom_a_neighbour_knows(tmp_path: Path) -> None:
    pessac, merignac, bordeaux = neighbours.found(["Pessac", "FR-33281", "Bordeaux"], tmp_path)
    with neighbours.serving([pessac, merignac, bordeaux]):
        bordeaux.run("shop", "add", "ruche", "--name", "La Ruche", "--commune", "Bordeaux")
        merignac.run("shop", "add", "pains", "--name", "Pains", "--commune", "FR-33281")
        neighbours.befriend(merignac, bordeaux)
        assert names_of(pessac) == []
        assert names_of(merignac) == [bordeaux.url]
        assert pessac.run("neighbour", "suggest") == []
        neighbours.befriend(pessac, merignac)
        # By command: Bordeaux, which nobody here has asked; not this node itself.
        eventually(lambda: sorted(names_of(merignac)) == sorted([bordeaux.url, pessac.url]))
        (found,) = pessac.run("neighbour", "suggest")
        assert (found["url"], found["communes"]) == (bordeaux.url, ["FR-33063"])
        assert found["named_by"] == [merignac.authority]
        assert 4 < found["distance_km"] < 8
        assert pessac.run("neighbour", "suggest", "--within", "2") == []
        # By pages: the map and the list, and the key as Bordeaux itself shows it.
        nadia = signed_in(pessac, "nadia@example.fr", "--role", "steward")
        page = nadia.get("/gestion/voisins").text
        assert "Pourraient devenir voisins" in page
        assert 'class="own"' in page
        assert 'class="proposed"' in page
        assert found["fingerprint"] in page
        paul = signed_in(bordeaux, "paul@example.fr", "--role", "steward")
        assert found["fingerprint"] in paul.get("/gestion/voisins").text
        # What this neighbour recommends, within a distance.
        there = f"/gestion/voisins/{merignac.authority}/recommandes"
        assert nadia.get(there).status_code == 200
        bad = nadia.post(there, data={"km": "-3"})
        assert bad.status_code == 422
        assert 'href="#km"' in bad.text
        assert bordeaux.url not in nadia.post(there, data={"km": "2"}).text
        assert bordeaux.url in nadia.post(there, data={"km": "30"}).text
        assert len(pessac.run("neighbour", "list")) == 1  # looking asks nobody
        asked = nadia.follow(there, data={"km": "30", "sure": "1"})
        assert "proposé\u202f: 1" in asked.text
        eventually(lambda: "Demande à devenir voisine" in paul.get("/gestion").text)
        bordeaux.run("neighbour", "accept", pessac.authority)
        eventually(lambda: bordeaux.url in names_of(pessac))
        assert pessac.run("neighbour", "suggest") == []
        # Residents read it too, nearest first.
        eventually(lambda: pessac.get("/voisins").text.count('class="agreed"') == 2)
        eventually(lambda: pessac.get("/voisins").text.count("1 boutique") == 2)  # they are read
        public = pessac.get("/voisins").text
        assert re.findall(r'<h2><a href="([^"]+)"', public) == [merignac.url, bordeaux.url]
        # What is not known, or no node, is refused in words.
        assert nadia.get("/gestion/voisins/nobody.example/recommandes").status_code == 404
        refused = nadia.post("/gestion/voisins", data={"url": pessac.url})
        assert refused.status_code == 422
        assert "l’adresse de ce site même" in refused.text or "ce site" in refused.text
