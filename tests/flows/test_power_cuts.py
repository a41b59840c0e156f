"""Nodes that are killed, and what is left afterwards: nothing lost, nothing doubled."""

import contextlib
import random
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import neighbours
from tests.faults import buyers
from tests.neighbours import Town, eventually


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Town, Town]]:
    """Bordeaux and Pessac, neighbours, with a shop in Bordeaux."""
    towns = neighbours.found(["Bordeaux", "Pessac"], tmp_path)
    with neighbours.serving(towns):
        towns[0].run("shop", "add", "ruche", "--name", "La Ruche", "--commune", "Bordeaux")
        neighbours.befriend(towns[0], towns[1])
        yield towns[0], towns[1]


def rows(town: Town, sql: str) -> list[tuple[Any, ...]]:
    """A question to a node's file, as it is on the disk."""
    with contextlib.closing(sqlite3.connect(town.folder / "node.db")) as db:
        return db.execute(sql).fetchall()


def listings(town: Town) -> list[tuple[Any, ...]]:
    return rows(
        town, "SELECT uri, updated, name FROM listings WHERE withdrawn IS NULL ORDER BY uri"
    )


def publish(town: Town, name: str) -> str:
    answer = town.run("listing", "add", "ruche", "--name", name, "--price", "3")
    return str(answer["id"])


def test_what_was_published_while_a_node_was_down_arrives(pair: tuple[Town, Town]) -> None:
    bordeaux, pessac = pair
    kept = publish(bordeaux, "Avant")
    eventually(lambda: pessac.names("avant", "Pessac") == ["Avant"])
    pessac.kill()
    publish(bordeaux, "Pendant")
    bordeaux.run("listing", "withdraw", kept)
    eventually(lambda: bordeaux.run("neighbour", "list")[0]["waiting"] == 2)
    pessac.serve()
    eventually(lambda: pessac.names("pendant", "Pessac") == ["Pendant"])
    eventually(lambda: pessac.names("avant", "Pessac") == [])
    eventually(lambda: bordeaux.run("neighbour", "list")[0]["waiting"] == 0)


def test_a_sender_killed_while_delivering_loses_and_doubles_nothing(
    pair: tuple[Town, Town],
) -> None:
    """DLV-01, DLV-02: the change and what is due for it are one transaction."""
    bordeaux, pessac = pair
    chance = random.Random(7)
    for number in range(12):
        for part in range(3):
            publish(bordeaux, f"Objet {number} {part}")
        time.sleep(chance.random() * 0.3)
        bordeaux.kill()
        publish(bordeaux, f"Objet {number} hors ligne")
        bordeaux.serve()
    assert len(listings(bordeaux)) == 48
    eventually(lambda: listings(pessac) == listings(bordeaux))
    eventually(lambda: rows(bordeaux, "SELECT count(*) FROM deliveries") == [(0,)])
    assert rows(pessac, "PRAGMA integrity_check") == [("ok",)]


def test_a_receiver_killed_while_receiving_loses_and_doubles_nothing(
    pair: tuple[Town, Town],
) -> None:
    bordeaux, pessac = pair
    chance = random.Random(11)
    ids = []
    for number in range(12):
        for part in range(3):
            ids.append(publish(bordeaux, f"Objet {number} {part}"))
        if number % 3 == 2:
            bordeaux.run("listing", "withdraw", ids[-1])
            bordeaux.run("listing", "revise", ids[-2], "--price", "4")
        time.sleep(chance.random() * 0.3)
        pessac.kill()
        pessac.serve()
    eventually(lambda: listings(pessac) == listings(bordeaux))
    eventually(lambda: rows(pessac, "SELECT count(*) FROM received") == [(0,)])
    found = pessac.run("search", "objet", "--near", "Pessac")
    assert found["rings"][1]["total"] == len(listings(bordeaux)) == 32
    assert rows(pessac, "PRAGMA integrity_check") == [("ok",)]
    assert rows(pessac, "SELECT count(*), count(DISTINCT listing) FROM search_rows") == [(32, 32)]


def test_a_node_told_to_stop_ends_cleanly(pair: tuple[Town, Town]) -> None:
    bordeaux, _ = pair
    publish(bordeaux, "Dernier")
    assert bordeaux.stop() == 0
    assert not (bordeaux.folder / "node.db-wal").exists()


def test_two_servers_never_share_a_folder(pair: tuple[Town, Town]) -> None:
    bordeaux, _ = pair
    refused = neighbours.echoppe("serve", folder=bordeaux.folder, status=1)
    assert "in use" in refused.stderr
    assert refused.stdout == ""


@pytest.mark.soak
def test_two_hundred_kills_under_load(pair: tuple[Town, Town]) -> None:
    """Both sides in turn, while listings are published, revised and withdrawn, and two residents
    reserve at the first without a pause.

    Whatever was confirmed is there at the end, once, at both; nothing else is.
    """
    bordeaux, pessac = pair
    chance = random.Random(2026)
    on_show: dict[str, str] = {}
    confirmed = kills = 0
    paths = buyers.offer_things(bordeaux)
    with buyers.reserving(bordeaux, paths) as people:
        for number in range(200):
            victim = chance.choice(pair)
            for _ in range(chance.randrange(1, 4)):
                act = chance.random()
                if act < 0.6 or not on_show:
                    name = f"Objet {number} {chance.randrange(10**6)}"
                    on_show[publish(bordeaux, name)] = name
                elif act < 0.8:
                    changed = chance.choice(sorted(on_show))
                    on_show[changed] = f"Objet revu {number}"
                    bordeaux.run("listing", "revise", changed, "--name", on_show[changed])
                else:
                    gone = chance.choice(sorted(on_show))
                    bordeaux.run("listing", "withdraw", gone)
                    del on_show[gone]
                confirmed += 1
            time.sleep(chance.random() * 0.3)
            victim.kill()
            kills += 1
            victim.serve()
    mine = {
        str(row[0]).rsplit("/", 1)[1]: row[2] for row in listings(bordeaux) if "/ruche/" in row[0]
    }
    lost, doubled = buyers.check(bordeaux, people)
    print(
        f"{kills} kills; acknowledged: {confirmed} changes of listings, "
        f"{len(people.acknowledged)} reservations ({people.again} forms sent again); "
        f"lost {lost + len(on_show.keys() - mine.keys())}, "
        f"doubled {doubled + len(mine.keys() - on_show.keys())}"
    )
    assert mine == on_show
    assert (lost, doubled, people.refused) == (0, 0, [])
    eventually(lambda: listings(pessac) == listings(bordeaux), within=60)
    for town in pair:
        assert rows(town, "PRAGMA integrity_check") == [("ok",)]
