"""News and events between real nodes: told, changed, cancelled, deleted, and caught up with."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from tests import neighbours
from tests.neighbours import Town, eventually

ACTIVITY = {"Accept": "application/activity+json"}
DAY = f"{datetime.now(UTC) + timedelta(days=5):%Y-%m-%d}"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Town, Town]]:
    """Bordeaux and Pessac, which know each other."""
    towns = neighbours.found(["Bordeaux", "Pessac"], tmp_path_factory.mktemp("news"))
    with neighbours.serving(towns):
        towns[0].run("shop", "add", "ruche", "--name", "La Ruche", "--commune", "Bordeaux")
        neighbours.befriend(towns[0], towns[1])
        yield towns[0], towns[1]


def agrees(town: Town) -> bool:
    (peer,) = town.run("neighbour", "list")
    return peer["digest_agrees"] is True


def held(town: Town) -> int:
    """How much is held of others."""
    with closing(sqlite3.connect(town.folder / "node.db")) as db:
        return int(db.execute("SELECT count(*) FROM posts WHERE peer IS NOT NULL").fetchone()[0])


def test_an_event_is_seen_at_the_neighbours_cancelled_there_and_gone(
    pair: tuple[Town, Town],
) -> None:
    bordeaux, pessac = pair
    event = bordeaux.run(
        "event", "add", "--title", "Fête du <miel>", "--start", f"{DAY} 14:00",
        "--end", f"{DAY} 18:00", "--venue", "Place de la Victoire", "--text", "Gratuit.",
    )  # fmt: skip
    eventually(lambda: "Fête du &lt;miel&gt;" in pessac.get("/agenda").text)
    page = pessac.get("/agenda").text
    assert "Place de la Victoire" in page
    assert event["url"] in page
    assert "Annulé" not in page

    bordeaux.run("event", "cancel", event["id"])
    eventually(lambda: "Annulé" in pessac.get("/agenda").text)
    assert "Fête du &lt;miel&gt;" in pessac.get("/agenda").text

    bordeaux.run("event", "withdraw", event["id"])
    eventually(lambda: "Fête du" not in pessac.get("/agenda").text)
    gone = httpx_get(bordeaux, event["uri"])
    assert gone == (410, "Tombstone")


def httpx_get(town: Town, uri: str) -> tuple[int, str]:
    answer = town.get(uri.removeprefix(town.url), headers=ACTIVITY)
    return answer.status_code, answer.json()["type"]


def test_a_shops_news_and_what_is_for_one_commune_alone(pair: tuple[Town, Town]) -> None:
    bordeaux, pessac = pair
    bordeaux.run("news", "add", "--title", "Conseil", "--text", "Ici seulement.", "--here-only")
    bordeaux.run(
        "news", "add", "--shop", "ruche", "--title", "Dégustation samedi", "--text", "Venez.",
    )  # fmt: skip
    eventually(lambda: "Dégustation samedi" in pessac.get("/actualites").text)
    assert "Conseil" in bordeaux.get("/actualites").text
    assert "Conseil" not in pessac.get("/actualites").text
    outbox = bordeaux.get("/users/ruche/outbox", params={"page": "true"}).json()
    assert [one["object"]["sdo:headline"] for one in outbox["orderedItems"]] == [
        "Dégustation samedi"
    ]
    assert bordeaux.get("/users/bordeaux/outbox").json()["totalItems"] == 1


def test_after_an_outage_it_is_repaired(pair: tuple[Town, Town]) -> None:
    bordeaux, pessac = pair
    before = held(pessac)
    told = bordeaux.run("news", "add", "--title", "Avant", "--text", "x")
    eventually(lambda: held(pessac) == before + 1)
    pessac.kill()
    bordeaux.run("news", "withdraw", told["id"])
    bordeaux.run("event", "add", "--title", "Manqué", "--start", DAY)
    bordeaux.kill()  # what was still to be delivered is lost
    with closing(sqlite3.connect(bordeaux.folder / "node.db")) as db:
        db.execute("DELETE FROM deliveries")
        db.execute("DELETE FROM publications")
        db.commit()
    bordeaux.serve()
    pessac.serve()
    eventually(lambda: "Manqué" in pessac.get("/agenda").text)
    eventually(lambda: agrees(pessac))
    assert "Avant" not in pessac.get("/actualites").text
