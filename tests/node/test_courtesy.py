"""Residents go first, and nobody waits for ever."""

import asyncio
from pathlib import Path

import httpx2
import pytest

from node import app, settings
from node.courtesy import Residents
from node.web import inbox
from tests import neighbours

pytestmark = pytest.mark.anyio
LONG = 600.0


async def turns() -> None:
    """Lets everything else do what it can do without waiting."""
    for _ in range(200):
        await asyncio.sleep(0)


async def test_where_nobody_waits_nothing_is_waited_for() -> None:
    residents = Residents()
    with residents.waiting():
        pass
    passing = residents.go_first(LONG)
    with pytest.raises(StopIteration):
        passing.send(None)  # done at once, without giving the loop away


async def test_the_last_resident_is_waited_for() -> None:
    residents = Residents()
    with residents.waiting():
        with residents.waiting():
            passing = asyncio.create_task(residents.go_first(LONG))
            await turns()
        await turns()
        assert not passing.done()
    await asyncio.wait_for(passing, 10)


async def test_one_who_comes_in_between_is_waited_for_too() -> None:
    residents = Residents()
    first, second = residents.waiting(), residents.waiting()
    first.__enter__()
    passing = asyncio.create_task(residents.go_first(LONG))
    await turns()
    first.__exit__(None, None, None)
    with second:
        await turns()
        assert not passing.done()
    await asyncio.wait_for(passing, 10)


async def test_those_who_never_end_are_waited_for_a_moment_only() -> None:
    residents = Residents()
    with residents.waiting():
        passing = asyncio.create_task(residents.go_first(0.01))
        assert (await asyncio.wait([passing], timeout=10))[0] == {passing}


async def test_a_message_waits_for_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "STEPS_ASIDE", LONG)
    folder = tmp_path / "node"
    neighbours.echoppe(
        "init", str(folder), "--url", "http://127.0.0.1:9", "--name", "Boutiques",
        "--commune", "Pessac", "--listen", "127.0.0.1:9",
    )  # fmt: skip
    async with app.running(folder, settings.load(folder)) as node:
        transport = httpx2.ASGITransport(app=app.create_app(node))
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:9") as http:
            with node.context.residents.waiting():
                headers = {"content-type": "application/activity+json"}
                posting = asyncio.create_task(http.post("/inbox", content=b"{}", headers=headers))
                await turns()
                assert not posting.done()
                assert (await http.get("/livez")).status_code == 200  # whoever looks does not wait
            assert (await asyncio.wait_for(posting, 10)).status_code == 401
            # Somebody who is being given a page is waited for: the page is made meanwhile.
            waiting = []
            read = node.database.read

            async def looked(*args: object) -> object:
                waiting.append(asyncio.create_task(node.context.residents.go_first(LONG)))
                await turns()
                assert not waiting[-1].done()
                return await read(*args)  # type: ignore[arg-type]

            monkeypatch.setattr(node.database, "read", looked)
            assert (await http.get("/recherche?q=miel&ou=33318")).status_code == 200
            assert waiting
            await asyncio.wait_for(asyncio.gather(*waiting), 10)
