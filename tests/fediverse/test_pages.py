"""The mailbox of a merchant and the reports of a steward, as a browser without script uses them."""

import re

from tests import neighbours
from tests.fediverse import people
from tests.fediverse.people import SHOP
from tests.flows.test_merchant import signed_in
from tests.hostile.arena import Arena
from tests.hostile.stub import Actor


def test_a_merchant_reads_answers_once_and_deletes(arena: Arena, anne: Actor) -> None:
    claire = signed_in(arena.town, "claire@example.fr", "--role", "merchant", "--shop", SHOP)
    home = f"/ma-boutique/{SHOP}/courrier"
    listing = people.listing(arena, "Pensées")
    words = "<b>combien</b> en avez-vous ?"
    note = people.reply(anne, listing["uri"], words.replace("<", "&lt;"), people.shop(arena))
    people.tell(arena, anne, note)
    (one,) = neighbours.eventually(lambda: people.enquiries(arena, anne))
    assert f"{home}" in claire.get(f"/ma-boutique/{SHOP}").text
    assert one["from"] in claire.get(home).text
    page = claire.get(f"{home}/{one['id']}").text
    assert "&lt;b&gt;combien&lt;/b&gt; en avez-vous ?" in page
    assert "Pensées" in page

    assert claire.post(f"{home}/{one['id']}", data={"words": " "}).status_code == 422
    form = re.search(r'name="form" value="([^"]+)"', page)
    assert form is not None
    sent = {"words": "Une douzaine.", "form": form[1]}
    for _ in range(2):  # a second tap sends nothing more
        assert "Votre réponse est partie" in claire.follow(f"{home}/{one['id']}", data=sent).text
    people.wait(anne, "Create")
    assert len([a for a in people.told(anne, "Create") if a["to"] == [anne.uri]]) == 1
    assert "Une douzaine." in claire.get(f"{home}/{one['id']}").text

    # Whose shop it is not finds nothing, and so does who is not signed in.
    arena.town.run("shop", "add", "voisine", "--name", "La Voisine", "--commune", "Bordeaux")
    other = signed_in(arena.town, "zoe@example.fr", "--role", "merchant", "--shop", "voisine")
    assert other.get(f"{home}/{one['id']}").status_code == 404
    assert other.get(f"/ma-boutique/voisine/courrier/{one['id']}").status_code == 404
    spied = other.post(f"/ma-boutique/voisine/courrier/{one['id']}", data={"deed": "delete"})
    assert spied.status_code == 303  # as if it were done already
    assert people.enquiries(arena, anne)
    assert arena.town.get(home).status_code == 401

    assert "supprimé" in claire.follow(f"{home}/{one['id']}", data={"deed": "delete"}).text
    assert one["id"] not in {left["id"] for left in people.enquiries(arena, anne)}


def test_a_steward_sees_reports_and_closes_them(arena: Arena, anne: Actor) -> None:
    nadia = signed_in(arena.town, "nadia@example.fr", "--role", "steward")
    people.say(arena, anne, "Flag", [people.shop(arena)], content="prix <i>faux</i>")
    neighbours.eventually(lambda: "prix faux" in nadia.get("/gestion").text)
    (report,) = people.reports(arena, anne)
    assert nadia.post("/gestion/signalements/nothing").status_code == 404
    assert "prix faux" not in nadia.follow(f"/gestion/signalements/{report['id']}").text
    assert not people.reports(arena, anne)
