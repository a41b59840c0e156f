"""Kills amid a rush of a neighbour's listings: of the server, of the recorder, of both at once."""

import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
from pathlib import Path

import pytest

from bench import measure, stand_in, town, wire
from node import territory
from node.store import places
from tests import neighbours
from tests.neighbours import Town, eventually

ROUNDS = 20
LISTINGS = 5000
SHOPS = 10
CONNECTIONS = 16


async def _tell(port: int, letters: list[bytes], left: list[int], taken: set[int]) -> None:
    """One sender: letter after letter, until none is left or nobody answers."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            while left:
                number = left.pop()
                writer.write(letters[number])
                if await wire.status_of(reader) == 202:
                    taken.add(number)
                else:
                    left.append(number)
                    await asyncio.sleep(0.05)
        finally:
            writer.close()
            await writer.wait_closed()


async def _rush(town_: Town, letters: list[bytes], victims: str, after: float) -> set[int]:
    """Those letters that were accepted before all was over, some seconds into the rush."""
    assert town_.process is not None
    server = town_.process.pid
    left, taken = list(range(len(letters)))[::-1], set[int]()
    senders = [
        asyncio.create_task(_tell(town_.port, letters, left, taken)) for _ in range(CONNECTIONS)
    ]
    await asyncio.to_thread(eventually, lambda: len(measure.family(server)) > 1)
    await asyncio.sleep(after)
    recorders = measure.family(server)[1:]
    assert left, "the rush was over"
    if victims != "server":
        for one in recorders:
            os.kill(one, signal.SIGKILL)
    if victims == "recorder":
        await asyncio.sleep(0.5)  # the server goes on alone, and is killed at that
    os.kill(server, signal.SIGKILL)
    await asyncio.gather(*senders)
    return taken


@pytest.mark.soak
def test_what_was_accepted_in_a_rush_is_there_once_whoever_is_killed(tmp_path: Path) -> None:
    db = places.open_places()
    place = territory.resolve(db, "Talence")
    db.close()
    neighbour = stand_in.found(neighbours.free_port(), SHOPS, place)
    first = town.found(tmp_path, "node", [neighbour.uris.authority])
    letters = neighbour.creates(LISTINGS, first.authority, place)
    told = [json.loads(one.partition(b"\r\n\r\n")[2])["object"]["id"] for one in letters]
    asyncio.run(_befriend(first, neighbour, letters[-SHOPS:]))
    chance = random.Random(2026)
    accepted = lost = doubled = 0
    for number in range(ROUNDS):
        folder = tmp_path / f"round-{number}"
        shutil.copytree(first.folder, folder)
        one = Town(folder, first.port)
        one.serve()
        victims = chance.choice(["server", "recorder", "both"])
        taken = asyncio.run(_rush(one, letters, victims, chance.uniform(0.3, 1.5)))
        one.kill()  # it is dead; what is left of it goes
        one.serve()
        with contextlib.closing(sqlite3.connect(folder / "node.db")) as db:
            eventually(
                lambda db=db: db.execute("SELECT count(*) FROM received").fetchone() == (0,),
                within=60,
            )
            there = [row[0] for row in db.execute("SELECT uri FROM listings")]
            indexed = db.execute("SELECT count(*) FROM search_rows").fetchone()[0]
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        one.stop()
        shutil.rmtree(folder)
        accepted += len(taken)
        lost += len({told[one] for one in taken} - set(there))
        doubled += len(there) - len(set(there)) + abs(indexed - len(there))
    print(f"{ROUNDS} rushes cut; accepted: {accepted}, lost: {lost}, doubled: {doubled}")
    assert (lost, doubled) == (0, 0)


async def _befriend(first: Town, neighbour: stand_in.StandIn, letters: list[bytes]) -> None:
    """Makes the neighbour one, and its shops known by a letter of each."""
    port = int(neighbour.uris.authority.rpartition(":")[2])
    async with await wire.serve(port, neighbour.answer):
        await asyncio.to_thread(first.serve)
        await asyncio.to_thread(first.run, "neighbour", "add", neighbour.uris.origin)
        await asyncio.to_thread(eventually, lambda: first.run("neighbour", "list")[0]["synced"])
        await wire.send(first.port, letters, 1, 202)
        with contextlib.closing(sqlite3.connect(first.folder / "node.db")) as db:
            count = "SELECT count(*) FROM listings"
            while db.execute(count).fetchone()[0] < len(letters):  # noqa: ASYNC110 (another process)
                await asyncio.sleep(0.05)
        await asyncio.to_thread(first.stop)
