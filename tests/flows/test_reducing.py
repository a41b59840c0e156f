"""Reductions on a merchant's phone; what residents, programs and neighbours are told of them."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx2
import pytest

from node.store import database
from node.web import reducing
from tests import neighbours
from tests.flows.test_merchant import Browser, signed_in
from tests.flows.test_publishing import publish
from tests.neighbours import Town, eventually

MINE = "/ma-boutique/fleurs"
PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Town, Town]]:
    pessac, merignac = neighbours.found(["Pessac", "FR-33281"], tmp_path_factory.mktemp("prices"))
    with neighbours.serving([pessac, merignac]):
        pessac.run("shop", "add", "fleurs", "--name", "Fleurs", "--commune", "Pessac")
        pessac.run("shop", "add", "pains", "--name", "Pains", "--commune", "Pessac")
        neighbours.befriend(pessac, merignac)
        yield pessac, merignac


@pytest.fixture(scope="module")
def claire(towns: tuple[Town, Town]) -> Browser:
    return signed_in(towns[0], "claire@example.fr", "--role", "merchant", "--shop", "fleurs")


def in_days(days: int) -> str:
    return f"{datetime.now(UTC).astimezone(PARIS) + timedelta(days=days):%Y-%m-%d}"


def told(town: Town, name: str) -> dict[str, object] | None:
    answer = town.get("/api/v1/search", params={"q": name, "near": "33318"}).json()
    found = [hit for ring in answer["rings"] for hit in ring["results"] if hit["name"] == name]
    return found[0] if found else None


def test_computed_confirmed_and_told_to_everybody(
    towns: tuple[Town, Town], claire: Browser
) -> None:
    pessac, merignac = towns
    where = publish(claire, "Cyclamen", "24,90")
    promotion = f"{where}/promotion"
    wish = {"price-0": "19,90", "kind": "promotion", "first": "", "last": in_days(3)}
    page = claire.post(promotion, data=wish).text
    assert "Le prix de référence est 24,90\u202f€" in page
    assert "Les gens liront −20\u202f%" in page
    assert "n’est affiché que depuis" in page
    assert told(pessac, "Cyclamen")["reduction"] is None  # nothing done yet
    assert "La réduction est annoncée" in claire.follow(promotion, data={**wish, "sure": "1"}).text
    # Residents: among others and on its page.
    assert "<s>24,90\u202f€</s> <b>−20\u202f%</b>" in pessac.get("/recherche?q=cyclamen").text
    listing = pessac.get(f"/api/v1/listings/{where.rsplit('/', 1)[1]}").json()
    page = httpx2.get(listing["url"], timeout=neighbours.PATIENCE).text
    assert "24,90\u202f€ était le prix le plus bas des 30 jours précédents" in page
    assert '"priceType":"https://schema.org/StrikethroughPrice"' in page.replace(" ", "")
    # Programs, and the neighbour.
    assert listing["price"]["amount"] == "19.90"
    assert listing["reduction"]["reference"] == {"amount": "24.90", "currency": "EUR"}
    assert (listing["reduction"]["kind"], listing["reduction"]["percent"]) == ("promotion", 20)
    note = httpx2.get(
        listing["uri"], headers={"Accept": "application/activity+json"}, timeout=neighbours.PATIENCE
    ).json()
    assert "au lieu de 24,90" in note["content"]
    eventually(lambda: (told(merignac, "Cyclamen") or {}).get("reduction") == listing["reduction"])
    assert "<s>24,90\u202f€</s>" in merignac.get("/recherche?q=cyclamen").text
    # A price typed over it ends the announcement; so does the button.
    number = claire.get(promotion).text.partition('name="stop" value="')[2].partition('"')[0]
    assert "terminée" in claire.follow(promotion, data={"stop": number}).text
    assert told(pessac, "Cyclamen")["price"]["amount"] == "24.90"
    assert told(pessac, "Cyclamen")["reduction"] is None


def test_what_is_no_reduction_is_refused_with_price_and_day(
    towns: tuple[Town, Town], claire: Browser
) -> None:
    where = publish(claire, "Hortensia", "80")
    claire.post(where, data={"name": "Hortensia", "price": "100"})
    wish = {"price-0": "90", "kind": "promotion", "last": in_days(3), "sure": "1"}
    answer = claire.post(f"{where}/promotion", data=wish)
    assert answer.status_code == 422
    assert "le prix était de 80,00\u202f€ le" in answer.text
    assert 'href="#price-0"' in answer.text
    assert 'value="90"' in answer.text
    assert told(towns[0], "Hortensia")["reduction"] is None


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"price-0": ""}, "price-0"),
        ({"price-0": "x"}, "price-0"),
        ({"price-0": "0"}, "price-0"),
        ({"kind": "liquidation"}, "kind"),
        ({"kind": "soldes"}, "kind"),
        ({"kind": "anti_gaspi"}, "kind"),
        ({"last": ""}, "last"),
        ({"last": "31/02/2027"}, "last"),
        ({"first": "demain"}, "first"),
        ({"last": "2099-01-01"}, "last"),
        ({"first": "2027-05-02", "last": "2027-05-01"}, "last"),
        ({"first": "9999-12-31", "last": "9999-12-31"}, "first"),
    ],
)
def test_wishes_that_cannot_be(claire: Browser, wrong: dict[str, str], field: str) -> None:
    where = publish(claire, "Vase", "20", again="1")
    if datetime.now(UTC).month in (1, 6, 7) and wrong.get("kind") == "soldes":
        return  # they may be on just now
    wish = {"price-0": "15", "kind": "promotion", "first": "", "last": in_days(1), **wrong}
    answer = claire.post(f"{where}/promotion", data={**wish, "sure": "1"})
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text


def test_every_price_can_be_taken_away(towns: tuple[Town, Town], claire: Browser) -> None:
    where = publish(claire, "=HYPERLINK(1)", "5")
    claire.post(where, data={"name": "=HYPERLINK(1)", "price": "6,50"})
    text = claire.get(f"{MINE}/prix.csv").text
    found = list(csv.reader(io.StringIO(text.lstrip("\ufeff")), delimiter=";"))
    assert [(row[0], row[3]) for row in found if "HYPER" in row[0]] == [
        ("'=HYPERLINK(1)", "5,00"), ("'=HYPERLINK(1)", "6,50"),
    ]  # fmt: skip
    assert towns[0].get(f"{MINE}/prix.csv").status_code == 401


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", " =1", "\t=1", "\uff1d1"])
def test_no_cell_begins_a_formula(text: str) -> None:
    assert reducing.harmless(text) == f"'{text}"
    assert reducing.harmless("Pot 1-2") == "Pot 1-2"


def test_another_shop_can_neither_see_nor_stop_it(
    towns: tuple[Town, Town], claire: Browser
) -> None:
    where = publish(claire, "Bruyère", "10")
    wish = {"price-0": "8", "kind": "destockage", "last": in_days(1), "sure": "1"}
    claire.follow(f"{where}/promotion", data=wish)
    yann = signed_in(towns[0], "yann@example.fr", "--role", "merchant", "--shop", "pains")
    theirs = f"{where}/promotion".replace("fleurs", "pains")
    with database.reading(towns[0].folder) as db:
        (number,) = db.execute("SELECT max(id) FROM reductions").fetchone()
    assert yann.get(theirs).status_code == 404
    assert yann.post(theirs, data={"stop": str(number)}).status_code == 404
    answer = claire.post(
        f"{where}/promotion", data={"stop": "9" * 20}
    )  # fits no number of the file
    assert answer.status_code == 422
    assert yann.get(f"{MINE}/prix.csv").status_code == 404
    assert claire.post(f"{where}/promotion", data=wish, own=False).status_code == 403
    assert told(towns[0], "Bruyère")["reduction"]["percent"] == 20
