"""Sources read in turn: what one of them breaks is its own affair."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from federation import client
from federation.errors import Unreachable
from node import news, sources
from node.exchange import sources as read
from node.exchange.context import Context
from node.model import Badge, Byline
from node.store import posts
from node.store import sources as rows
from tests import ground
from tests.ground import NOW, PESSAC, URIS

pytestmark = pytest.mark.anyio

FEED = b"<rss><channel><item><guid>1</guid><title>Pont</title></item></channel></rss>"


class Fake:
    """A node whose network is a script; its file is real."""

    def __init__(self, db: sqlite3.Connection, answers: dict[str, Any]) -> None:
        self.db, self.answers = db, answers
        self.database = self.http = self
        self.uris, self.new_id = URIS, ground.new_id

    def clock(self) -> Any:
        return NOW

    async def read(self, function: Callable[..., Any], *args: Any, **more: Any) -> Any:
        return function(self.db, *args, **more)

    write = read

    async def get(self, url: str, **_how: Any) -> client.Answer:
        answer = self.answers[url]
        if isinstance(answer, Exception):
            raise answer
        return client.Answer(200, {"etag": '"1"'}, answer, url)


async def test_one_that_breaks_our_code_holds_up_no_other(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        urls = [f"https://{name}.example/feed" for name in ("a", "b", "c")]
        byline = Byline("Le Journal", Badge.MEDIA)
        for url in urls:
            sources.add(db, url, byline, ground.new_id(), NOW, trusted=True)
        trouble = (RuntimeError("ours"), Unreachable("timeout"), FEED)
        node = Fake(db, dict(zip(urls, trouble, strict=True)))
        wait = await read.work(cast(Context, node), PESSAC)
        assert wait == sources.EVERY.total_seconds()
        found = {one.url: one for one in rows.find(db)}
        assert [found[url].problem for url in urls] == ["fault", "timeout", None]
        assert [found[url].failures for url in urls] == [1, 1, 0]
        assert found[urls[2]].etag == '"1"'
        (post,) = posts.find_news(db, NOW, 9)
        assert (post.title, post.author, post.badge) == ("Pont", "Le Journal", Badge.MEDIA)
        assert not post.announce
        # What was taken away here stays away, however its source changes.
        news.withdraw(db, post.id, NOW)
        node.answers[urls[2]] = FEED.replace(b"Pont", b"Pont neuf")
        rows.change_due(db, found[urls[2]].id, NOW)
        await read.work(cast(Context, node), PESSAC)
        assert posts.find_news(db, NOW, 9) == []


async def test_many_that_are_gone_at_once_are_kept(tmp_path: Path) -> None:
    def calendar(*numbers: int) -> bytes:
        events = "".join(
            f"BEGIN:VEVENT\r\nUID:{n}\r\nSUMMARY:Bal {n}\r\nDTSTART:20261205T{n:02d}0000Z\r\n"
            "END:VEVENT\r\n"
            for n in numbers
        )
        return f"BEGIN:VCALENDAR\r\n{events}END:VCALENDAR\r\n".encode()

    with ground.opened(tmp_path) as db:
        url = "https://a.example/a.ics"
        byline = Byline("Comité", Badge.ASSOCIATION)
        source = sources.add(db, url, byline, ground.new_id(), NOW, trusted=True)
        node = Fake(db, {url: calendar(*range(10))})

        async def again(*numbers: int) -> tuple[int, str | None]:
            node.answers[url] = calendar(*numbers)
            rows.change_due(db, source.id, NOW)
            await read.work(cast(Context, node), PESSAC)
            shown = posts.find_events(db, NOW, NOW, NOW.replace(year=2027), 99)
            (now,) = rows.find(db)
            return len(shown), now.problem

        assert await again(*range(10)) == (10, None)
        assert await again(1, 2) == (10, "many-gone")
        assert await again(*range(2, 10)) == (8, None)


async def test_what_came_again_and_again_is_taken_away_with_its_source(tmp_path: Path) -> None:
    market = (
        b"BEGIN:VEVENT\r\nUID:m\r\nSUMMARY:March\xc3\xa9\r\nDTSTART:20260905T080000Z\r\n"
        b"DTEND:20260905T110000Z\r\nRRULE:FREQ=WEEKLY\r\nEND:VEVENT\r\n"
    )
    with ground.opened(tmp_path) as db:
        url = "https://a.example/a.ics"
        byline = Byline("Comité", Badge.ASSOCIATION)
        source = sources.add(db, url, byline, ground.new_id(), NOW, trusted=True)
        for events, shown in ((market, 1), (b"", 0)):
            node = Fake(db, {url: b"BEGIN:VCALENDAR\r\n" + events + b"END:VCALENDAR\r\n"})
            rows.change_due(db, source.id, NOW)
            await read.work(cast(Context, node), PESSAC)
            assert len(posts.find_events(db, NOW, NOW, NOW.replace(year=2027), 99)) == shown
