"""A new node's first steward goes through the six screens; what is left stands on the dashboard."""

import json
from pathlib import Path

from node import settings
from tests import neighbours
from tests.flows.test_merchant import Browser, signed_in
from tests.neighbours import Town


def test_from_the_link_to_the_checklist(tmp_path: Path) -> None:
    port = neighbours.free_port()
    folder = tmp_path / "pessac"
    made = neighbours.echoppe(
        "init", str(folder), "--url", f"http://127.0.0.1:{port}", "--listen", f"127.0.0.1:{port}",
        "--name", "Boutiques", "--commune", "Pessac", "--private-peer", "127.0.0.1:9", "--json",
    )  # fmt: skip
    town = Town(folder, port)
    with neighbours.serving([town]):
        first = Browser(town)
        link = json.loads(made.stdout)["steward_link"].removeprefix(town.url)
        answer = first.post(link)
        assert answer.headers["location"] == "/compte"
        assert first.get("/compte").url.path == "/gestion/installation/1"
        step = "/gestion/installation/{}".format

        # 1: the communes; the node's own stays the first.
        assert "Pessac (33)" in first.get(step(1)).text
        bad = first.post(step(1), data={"name": "Boutiques", "communes": "Bordeaux"})
        assert bad.status_code == 422
        assert "reste la première" in bad.text
        page = first.follow(
            step(1), data={"name": "Nos boutiques", "communes": "Pessac, Canéjan, 33318"}
        )
        assert "Étape 2 sur 6" in page.text
        assert "au prochain démarrage" in page.text

        # 2: the node asks its own address.
        assert "C’est bien ce site" in first.post(step(2)).text

        # 3, 5: written as well.
        first.follow(step(3), data={"operator": "association", "contact": "05 36 49 01 30"})
        assert first.post(step(3), data={"operator": "king", "contact": ""}).status_code == 422
        # 4: how to sign in again.
        wrong = first.post(step(4), data={"email": "nobody"})
        assert wrong.status_code == 422
        signed_in(town, "paul@example.fr", "--role", "steward")
        taken = first.post(step(4), data={"email": "Paul@example.fr"})
        assert "autre compte" in taken.text
        page = first.follow(step(4), data={"email": "Nadia@example.fr"})
        assert "Vos codes de connexion sont pour nadia@example.fr" in first.get(step(4)).text
        first.follow(step(4), data={"email": "other@example.fr"})  # it has one, and keeps it
        first.follow(step(5), data={"opening": "invitation"})
        # 6: a note.
        assert first.post(step(6), data={"copies": ""}).status_code == 422
        page = first.follow(step(6), data={"copies": "chaque nuit sur le NAS"})
        assert "Ce qui reste à régler" in page.text
        assert page.text.count(">Fait<") == 3  # two addresses tried and known, steward
        assert "Aucune clé" in first.get(step(6)).text
        # A note is no backup: that is done once there is a key, and the site was started with it.
        town.run("backup", "--new-key", str(tmp_path / "backup.key"))
        assert "Une clé est en place" in first.get(step(6)).text
        assert first.get(step(7)).status_code == 404
        assert "chaque nuit sur le NAS" in first.get(step(6)).text

        written = settings.load(folder)
        assert written.node.name == "Nos boutiques"
        assert written.node.communes == ("FR-33318", "FR-33090")
        assert written.node.operator == "association"
        assert town.get("/ouvrir-ma-boutique").text.count("sur invitation") == 0
        town.stop()
        town.serve()
        # It holds now; and she can sign in again by her address.
        assert "sur invitation" in town.get("/ouvrir-ma-boutique").text
        refused = Browser(town).post("/ouvrir-ma-boutique/contact", data={"name": "x"})
        assert refused.status_code == 403
        assert "05 36 49 01 30" in town.get("/").text
        assert "au prochain démarrage" not in first.get(step(1)).text
        again = signed_in(town, "nadia@example.fr", "--role", "steward")
        assert again.get("/gestion").status_code == 200
