"""Pages given again: never older than the database, never of another minute."""

import gzip
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response

from node.courtesy import Residents
from node.store import database, doors
from node.web import content, kept
from tests import ground
from tests.ground import NOW

pytestmark = pytest.mark.anyio


class Asked:
    """A page that counts how often it was made, before a clock that a test turns."""

    def __init__(self, db: doors.Database) -> None:
        self.made = 0
        self.meanwhile: Callable[[], None] = lambda: None
        self.status = 200
        self.private = False
        self.now = NOW.replace(second=0, microsecond=0)
        self.residents = Residents()
        self.text = "Miel de lavande. " * 200
        self.answer = kept.Kept(db, self.residents, self.clock).keeping(self.page)

    def clock(self) -> datetime:
        return self.now

    async def page(self, request: Request) -> Response:
        self.made += 1
        self.meanwhile()
        text = f"{self.made} {request.url.query} {self.text}"
        if self.private:
            return content.private(text)
        return content.answer(request, text, "text/html", status=self.status)

    async def get(self, path: str = "/", query: str = "", **headers: str) -> Response:
        named = [(name.replace("_", "-").encode(), said.encode()) for name, said in headers.items()]
        scope = {
            "type": "http", "method": "GET", "path": path, "query_string": query.encode(),
            "headers": [(b"host", b"x"), *named], "server": ("x", 80), "scheme": "http",
        }  # fmt: skip
        return await self.answer(Request(scope))


@pytest.fixture
async def asked(tmp_path: Path) -> AsyncIterator[Asked]:
    async with doors.Database(ground.make(tmp_path)) as db:
        yield Asked(db)


async def test_the_same_question_is_answered_once(asked: Asked) -> None:
    first = await asked.get("/recherche", "q=miel")
    assert (await asked.get("/recherche", "q=miel")).body == first.body
    assert asked.made == 1
    assert (await asked.get("/recherche", "q=pain")).body != first.body
    assert (await asked.get("/en/recherche", "q=miel")).body != first.body
    assert asked.made == 3


async def test_a_commit_of_another_process_is_seen_at_once(asked: Asked, tmp_path: Path) -> None:
    await asked.get()
    _write(tmp_path)
    await asked.get()
    assert asked.made == 2


async def test_what_is_written_while_a_page_is_made_is_in_the_next_one(
    asked: Asked, tmp_path: Path
) -> None:
    asked.meanwhile = lambda: _write(tmp_path)
    await asked.get()
    asked.meanwhile = lambda: None
    await asked.get()
    assert asked.made == 2


def _write(folder: Path) -> None:
    with database.transaction(folder) as db:
        db.execute("INSERT INTO seen_activities (fingerprint, at) VALUES (x'00', '')")


async def test_the_next_minute_makes_it_anew(asked: Asked) -> None:
    await asked.get()
    asked.now += timedelta(seconds=59)
    await asked.get()
    assert asked.made == 1
    asked.now += timedelta(seconds=1)
    await asked.get()
    assert asked.made == 2


@pytest.mark.parametrize("told", ["*", "its own"])
async def test_who_has_it_already_is_not_what_others_get(asked: Asked, told: str) -> None:
    etag = (await asked.get()).headers["etag"]
    asked.now += timedelta(minutes=1)
    asked.made = 0  # the same page once more, now asked for by somebody who has it
    first = await asked.get(if_none_match=etag if told == "its own" else told)
    assert (first.status_code, first.body) == (304, b"")
    second = await asked.get()
    assert second.status_code == 200
    assert b"Miel de lavande" in second.body


async def test_each_reader_gets_what_they_can_read(asked: Asked) -> None:
    plain = await asked.get()
    compressed = await asked.get(accept_encoding="gzip")
    assert "content-encoding" not in plain.headers
    assert gzip.decompress(compressed.body).startswith(b"2 ")
    # An activity is asked for: that is for the page itself to answer.
    await asked.get(accept="application/activity+json")
    assert asked.made == 3


async def test_a_reader_who_has_it_is_told_so(asked: Asked) -> None:
    etag = (await asked.get()).headers["etag"]
    again = await asked.get(if_none_match=etag)
    assert again.status_code == 304
    assert again.body == b""
    assert again.headers["etag"] == etag
    assert asked.made == 1


@pytest.mark.parametrize("status", [404, 410, 429, 503])
async def test_what_went_wrong_is_asked_again(asked: Asked, status: int) -> None:
    asked.status = status
    await asked.get()
    await asked.get()
    assert asked.made == 2


async def test_what_is_for_one_person_is_never_given_again(asked: Asked) -> None:
    asked.private = True
    first = await asked.get()
    assert (await asked.get()).body != first.body


async def test_nobody_can_fill_the_memory(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST_BYTES", 50_000)
    for number in range(100):
        await asked.get(query=f"q={number}")
    made = asked.made
    await asked.get(query="q=99")
    assert asked.made == made
    await asked.get(query="q=0")
    assert asked.made == made + 1
    # A question longer than people ask is not kept at all.
    for _ in range(2):
        await asked.get(query="q=" + "x" * kept.QUERY_MOST)
    assert asked.made == made + 3
