"""What becomes of a delivery, by what the other side answers and as days go by.

The file and the signatures are real; the network is a script, and the clock is set by hand.
"""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, cast

import pytest

from federation import client, delivery, keys
from federation.errors import Unreachable
from node.exchange.context import Context
from node.exchange.deliveries import Deliveries
from node.model import Delivery, Follower, FollowState
from node.store import database, deliveries, delivery_hosts, doors, followers, peers, queues
from tests import ground
from tests.ground import NOW

pytestmark = pytest.mark.anyio

HOST, OTHER = "social.example", "boutiques.talence.example"
ITEM = "https://boutiques.pessac.example/users/fleurs/items"
KEY = keys.generate_rsa()

Answerer = Callable[[str], client.Answer]


def answer(status: int, **headers: str) -> Answerer:
    """Says the same to everybody."""
    return lambda url: client.Answer(
        status, {name.replace("_", "-"): value for name, value in headers.items()}, b"", url
    )


def down(url: str) -> client.Answer:
    raise Unreachable("connect-failed", url)


@dataclass
class Network:
    """Stands for the HTTP client: answers by the script, and keeps what was sent when."""

    answers: Answerer = field(default_factory=lambda: answer(202))
    sent: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    stop_at: int = 10**9  # from this one on, posts wait for the gate

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> client.Answer:
        self.sent.append((url, headers))
        if len(self.sent) >= self.stop_at:
            await self.gate.wait()
        return self.answers(url)


class Signers:
    def requests(self, _db: Any, handle: str) -> delivery.Signer:
        return delivery.Signer(f"https://boutiques.pessac.example/users/{handle}#main-key", KEY)


class Publisher:
    def body(self, _db: Any, row: Delivery) -> bytes:
        return row.verb.encode()


@dataclass
class Post:
    """The deliveries of a node, and what a test does to them."""

    database: doors.Database
    network: Network
    now: datetime = NOW

    def __post_init__(self) -> None:
        context = Context(
            uris=ground.URIS,
            database=self.database,
            http=cast(client.Client, self.network),
            resolver=cast(Any, None),
            publisher=cast(Any, Publisher()),
            sign=lambda _method, _url: {},
            clock=lambda: self.now,
            new_id=ground.new_id,
            accept_any_node=False,
        )
        self.deliveries = Deliveries(context, cast(Any, Signers()), random.Random(1))

    async def add(self, number: int = 1, host: str = HOST, inbox: str = "inbox") -> None:
        def write(db: Any) -> None:
            deliveries.add(
                db,
                inbox=f"https://{host}/{inbox}",
                host=host,
                object_uri=f"{ITEM}/{number}",
                sender="fleurs",
                verb="Create",
                body=None,
                now=self.now,
            )

        await self.database.write(write)

    async def turn(self) -> None:
        """All that is due now, once."""
        await self.deliveries.start_due(asyncio.Event())
        while self.deliveries._tasks:
            await asyncio.gather(*self.deliveries._tasks.values(), return_exceptions=True)
            await asyncio.sleep(0)

    async def next(self) -> bool:
        """Sets the clock to when something is due next, and has it tried. False: nothing is."""
        due = await self.database.read(deliveries.next_due)
        if due is None:
            return False
        self.now = max(self.now, due)
        await self.turn()
        return True

    async def waiting(self, host: str = HOST) -> list[Delivery]:
        later = self.now + timedelta(days=999)
        return await self.database.read(deliveries.find_due, host, later, 1000)

    async def failed(self) -> list[queues.Failed]:
        return await self.database.read(queues.find_failed)


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    ground.make(tmp_path)
    with database.transaction(tmp_path) as db:
        ground.open_shop(db)
    async with doors.Database(tmp_path) as opened:
        one = Post(opened, Network())
        yield one
        await one.deliveries.stop()


async def test_what_arrives_is_done(post: Post) -> None:
    await post.add()
    await post.turn()
    assert [url for url, _ in post.network.sent] == [f"https://{HOST}/inbox"]
    assert await post.waiting() == []


async def test_a_host_that_is_down_is_tried_ever_more_rarely_for_a_week(post: Post) -> None:
    """DLV-03, DLV-04."""
    post.network.answers = down
    await post.add()
    tried = []
    while post.now < NOW + timedelta(days=6) and await post.next():
        tried.append(post.now)
    gaps = [(b - a).total_seconds() for a, b in itertools.pairwise(tried)]
    assert 20 < len(tried) < 60
    assert gaps[0] < 5
    assert max(gaps) <= 12 * 3600
    assert min(gaps[-5:]) >= 6 * 3600
    assert len({round(gap) for gap in gaps[-5:]}) > 1  # left to chance
    # What was added later waits with it, and nothing is sent beside the one probe of a turn.
    assert len(post.network.sent) == len(tried)
    # It answers again.
    post.network.answers = answer(202)
    assert await post.next()
    assert await post.waiting() == []


async def test_after_a_week_in_vain_it_is_given_up_with_its_reason(post: Post) -> None:
    post.network.answers = answer(500)
    await post.add()
    while await post.next():
        assert post.now < NOW + timedelta(days=9)
    (failed,) = await post.failed()
    assert (failed.host, failed.verb) == (HOST, "Create")
    assert "500" in failed.error
    assert failed.at >= NOW + timedelta(days=7)


@pytest.mark.parametrize(
    ("asked", "waited"),
    [
        ("3600", 3600),
        ("99999999", 86400),
        ("0", 1),
        ("-1", None),
        ("soon", None),
        ("Mon, 23 Nov 2026 10:00:00 GMT", 7200),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_honoured_within_bounds(
    post: Post, status: int, asked: str, waited: float | None
) -> None:
    """DLV-06: and it is no failure."""
    post.network.answers = answer(status, retry_after=asked)
    for number in range(3):
        await post.add(number)
    await post.turn()
    due = await post.database.read(deliveries.next_due)
    assert due is not None
    if waited is None:
        assert due <= NOW + timedelta(seconds=10)
    else:
        assert due == NOW + timedelta(seconds=waited)
        assert len(post.network.sent) == 1
        assert await post.database.read(delivery_hosts.failures, HOST) == (0, None)


@pytest.mark.parametrize("status", [404, 410])
async def test_an_inbox_that_is_gone_is_gone_with_its_followers(post: Post, status: int) -> None:
    """DLV-05."""

    def follow(db: Any) -> None:
        uri = f"https://{HOST}/users/lea"
        one = Follower(
            "fleurs", uri, f"https://{HOST}/inbox", None, f"{uri}#f", FollowState.ACCEPTED, NOW
        )
        followers.add(db, one, HOST)

    await post.database.write(follow)
    post.network.answers = answer(status)
    for number in range(5):
        await post.add(number)
    await post.turn()
    assert await post.waiting() == []
    assert await post.database.read(followers.count, "fleurs") == 0
    assert str(status) in (await post.failed())[0].error


async def test_a_neighbour_whose_inbox_is_gone_stays_one(post: Post) -> None:
    def befriend(db: Any) -> None:
        origin = f"https://{HOST}"
        peers.add(db, HOST, origin, f"{origin}/users/instance", "Talence", "echoppe")

    await post.database.write(befriend)
    post.network.answers = answer(404)
    await post.add()
    await post.turn()
    peer = await post.database.read(peers.get, HOST)
    assert peer is not None
    assert "404" in (peer.problem or "")


@pytest.mark.parametrize("status", [400, 401, 403, 422, 301, 302, 307, 308])
async def test_what_is_refused_is_tried_five_times(post: Post, status: int) -> None:
    """DLV-07, DLV-13: redirects are refusals, and never followed."""
    post.network.answers = answer(status, location="https://elsewhere.example/inbox")
    await post.add()
    turns = 0
    while await post.next():
        turns += 1
    assert turns == 5
    assert {url for url, _ in post.network.sent} == {f"https://{HOST}/inbox"}
    # Where the signature may be at fault, the other kind is tried beside.
    assert len(post.network.sent) == (10 if status in (400, 401) else 5)
    (failed,) = await post.failed()
    assert failed.attempts == 5
    assert await post.waiting() == []


async def test_what_is_refused_is_taken_once_the_clocks_agree(post: Post) -> None:
    post.network.answers = answer(401)
    await post.add()
    await post.next()
    await post.next()
    post.network.answers = answer(202)
    await post.next()
    assert await post.waiting() == []
    assert await post.failed() == []


async def test_it_is_signed_when_it_is_sent(post: Post) -> None:
    post.network.answers = down
    await post.add()
    for _ in range(20):
        await post.next()
        signed = parsedate_to_datetime(post.network.sent[-1][1]["Date"])
        assert abs((signed - post.now).total_seconds()) <= 1
    assert post.now > NOW + timedelta(hours=12)


async def test_what_arrived_is_written_down_while_the_rest_is_in_flight(post: Post) -> None:
    """A crash now would repeat the fourth only."""
    post.network.stop_at = 4
    for number in range(10):
        await post.add(number)
    running = asyncio.create_task(post.turn())
    for _ in range(500):
        if len(post.network.sent) == 4 and len(await post.waiting()) == 7:
            break
        await asyncio.sleep(0.01)
    assert [row.object for row in await post.waiting()] == [f"{ITEM}/{n}" for n in range(3, 10)]
    post.network.gate.set()
    await running
    assert await post.waiting() == []


async def test_a_host_that_hangs_holds_up_no_other(post: Post) -> None:
    """DLV-12."""
    slow = asyncio.Event()

    async def hang(url: str, body: bytes, headers: dict[str, str]) -> client.Answer:
        if HOST in url:
            await slow.wait()
        return answer(202)(url)

    post.network.post = hang  # type: ignore[method-assign]
    await post.add()
    await post.add(host=OTHER)
    running = asyncio.create_task(post.turn())
    for _ in range(500):
        if not await post.waiting(OTHER):
            break
        await asyncio.sleep(0.01)
    assert await post.waiting(OTHER) == []
    assert len(await post.waiting()) == 1
    slow.set()
    await running


async def test_thousands_of_dead_inboxes_cost_one_try_a_host_and_turn(post: Post) -> None:
    """DOS-04."""
    post.network.answers = down
    for number in range(40):
        await post.add(1, inbox=f"users/{number}/inbox")
    await post.turn()
    assert len(post.network.sent) == 1
    await post.turn()
    assert len(post.network.sent) == 1  # left alone
