"""Neighbours read, by their change sequence or by plain outboxes: what agrees, what differs, and
what a neighbour that lies may cost. The file is real, the network a script."""

import json
import sqlite3
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from federation import actors, client
from federation.errors import Gone, Refused, Unreachable
from node import publications
from node.exchange import sync
from node.exchange.context import Context
from node.model import FollowState, Peer
from node.store import database, doors, listings, peers
from node.store.times import stamp
from tests import ground
from tests.ground import NOW, PEER

pytestmark = pytest.mark.anyio

ORIGIN = f"https://{PEER}"
NODE = f"{ORIGIN}/users/instance"
SHOP = f"{ORIGIN}/users/pains"
OUTBOX = f"{NODE}/outbox"

Document = dict[str, Any]


def actor(uri: str, kind: str) -> Document:
    handle = uri.rpartition("/")[2]
    return {
        "id": uri,
        "type": kind,
        "preferredUsername": handle,
        "inbox": f"{uri}/inbox",
        "outbox": f"{uri}/outbox",
        "updated": stamp(NOW),
    }


def note(name: str, updated: datetime = NOW, number: str = "") -> Document:
    uri = f"{SHOP}/items/{number or uuid.uuid4()}"
    return {
        "id": uri,
        "type": "Note",
        "attributedTo": SHOP,
        "published": stamp(NOW),
        "updated": stamp(updated),
        "sdo:offers": [{"sdo:price": "3.00", "sdo:itemOffered": {"sdo:name": name}}],
    }


def told(document: Document, kind: str = "Update", **more: Any) -> Document:
    return {"type": kind, "actor": SHOP, "object": document, **more}


@dataclass
class Network:
    """The other side: a document by its URL, or what makes one; and all that was asked."""

    pages: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    etags: list[str | None] = field(default_factory=list)

    def _get(self, url: str) -> Document:
        self.asked.append(url)
        found = self.pages.get(url, self.pages.get(url.partition("?")[0]))
        if callable(found):
            found = found(url)
        if isinstance(found, Exception):
            raise found
        if found is None:
            raise Gone("not-found", url)
        return cast(Document, json.loads(json.dumps(found)))

    async def fetch_page_anew(
        self, url: str, etag: str | None, *, sign: Any
    ) -> tuple[Document | None, str | None]:
        self.etags.append(etag)
        document = self._get(url)
        found = document.pop("ETag", None)
        if etag is not None and etag == found:
            return None, etag
        return document, found

    async def fetch_page(
        self, url: str, *, sign: Any, budget: client.Budget
    ) -> tuple[Document, str]:
        budget.spend()
        return self._get(url), url

    async def fetch_document(
        self, url: str, *, sign: Any, budget: client.Budget | None = None
    ) -> tuple[Document, str]:
        if budget is not None:
            budget.spend()
        return self._get(url), url

    async def actor(self, uri: str, **_: Any) -> actors.RemoteActor:
        return actors.from_document(self._get(uri))

    def take(self, _actor: actors.RemoteActor) -> None:
        """Keys are of no interest here."""


@dataclass
class Reader:
    """A node that reads its neighbour."""

    database: doors.Database
    network: Network = field(default_factory=Network)
    now: datetime = NOW

    async def read(self) -> Peer:
        context = Context(
            uris=ground.URIS,
            database=self.database,
            http=cast(client.Client, self.network),
            resolver=cast(actors.ActorResolver, self.network),
            publisher=cast(Any, None),
            sign=lambda _method, _url: {},
            clock=lambda: self.now,
            new_id=ground.new_id,
            accept_any_node=False,
        )
        await sync.read(context, await self.peer())
        return await self.peer()

    async def peer(self) -> Peer:
        found = await self.database.read(peers.get, PEER)
        assert found is not None
        return found

    async def due(self) -> timedelta | None:
        """In how long the next reading is due."""
        due = await self.database.read(peers.next_sync)
        return None if due is None else due - self.now

    async def names(self) -> list[str]:
        def read(db: sqlite3.Connection) -> list[str]:
            return [row[0] for row in db.execute("SELECT name FROM listings ORDER BY name")]

        return await self.database.read(read)

    def sequence(self, items: list[Document], **more: Any) -> None:
        """What the neighbour's sequence says, honestly unless told otherwise."""
        objects = [item["object"] for item in items if item["type"] != "Delete"]
        digest = publications.digest(
            publications.fingerprint(one["id"], one["updated"]) for one in objects
        )
        numbered = [{"echoppe:seq": number, **item} for number, item in enumerate(items, 1)]

        def page(url: str) -> Document:
            since = int(url.rpartition("=")[2])
            return {
                "type": "OrderedCollectionPage",
                "totalItems": max(0, len(items) - since),
                "orderedItems": [one for one in numbered if one["echoppe:seq"] > since],
                "echoppe:head": len(items),
                "echoppe:digest": digest,
                "echoppe:count": len(objects),
                "ETag": f'"{len(items)}.{since}"',
                **more,
            }

        self.network.pages[OUTBOX] = page


@pytest.fixture
async def reader(tmp_path: Path) -> AsyncIterator[Reader]:
    ground.make(tmp_path)
    with database.transaction(tmp_path) as db:
        peers.add(db, PEER, ORIGIN, NODE, "Mérignac", "echoppe")
        peers.change_following(db, PEER, FollowState.ACCEPTED, "f")
    async with doors.Database(tmp_path) as opened:
        made = Reader(opened)
        made.network.pages |= {NODE: actor(NODE, "Application"), SHOP: actor(SHOP, "Organization")}
        yield made


SHOP_ITEM = told(actor(SHOP, "Organization"))


async def test_a_second_reading_without_news_costs_one_request_without_an_answer(
    reader: Reader,
) -> None:
    reader.sequence([SHOP_ITEM, told(note("Miel"))])
    assert (await reader.read()).digest_agrees is True
    await reader.read()  # the page after the last one has an ETag of its own
    before = len(reader.network.asked)
    reader.now += timedelta(days=1)
    peer = await reader.read()
    assert reader.network.etags[-1] == '"2.2"'
    assert [url for url in reader.network.asked[before:] if "outbox" in url] == [
        f"{OUTBOX}?since=2"
    ]
    assert (peer.synced, peer.heard, peer.digest_agrees) == (reader.now, reader.now, True)
    # And news is news.
    reader.sequence([SHOP_ITEM, told(note("Miel")), told(note("Pain"))])
    await reader.read()
    assert await reader.names() == ["Miel", "Pain"]


async def test_what_differs_is_counted(reader: Reader) -> None:
    reader.sequence(
        [SHOP_ITEM, told(note("Miel")), told({**note("Pain"), "type": "Video"})],
    )
    peer = await reader.read()
    assert (peer.digest_agrees, peer.theirs, peer.held) == (False, 3, 2)
    # Once more from the beginning, and then only tomorrow.
    assert (await reader.due()) == sync.LOOK_AGAIN
    reader.now += sync.LOOK_AGAIN
    await reader.read()
    reader.now += sync.LOOK_AGAIN
    await reader.read()
    assert (await reader.due()) == sync.EVERY


async def test_pages_without_end_are_read_up_to_a_bound_and_said(reader: Reader) -> None:
    def endless(url: str) -> Document:
        since = int(url.partition("since=")[2].partition("&")[0])
        item = told(actor(SHOP, "Organization"), **{"echoppe:seq": since + 1})
        return {
            "orderedItems": [item],
            "echoppe:head": 2**40,
            "next": f"{OUTBOX}?since={since + 1}",
        }

    reader.network.pages[OUTBOX] = endless
    peer = await reader.read()
    pages = [url for url in reader.network.asked if "since" in url]
    assert len(pages) == sync.PAGES_IN_ONE_READING
    assert "there is more" in (peer.problem or "")
    assert peer.cursor == sync.PAGES_IN_ONE_READING
    assert (await reader.due()) == sync.GO_ON_AFTER


async def test_a_pass_from_the_beginning_goes_on_through_its_pages(reader: Reader) -> None:
    """Numbers in the middle are too old for anybody else."""
    reader.sequence([SHOP_ITEM, told(note("Miel")), told(note("Pain"))])
    honest = reader.network.pages[OUTBOX]

    def page(url: str) -> Document:
        query = url.partition("?")[2]
        since = int(query.partition("=")[2].partition("&")[0])
        if 0 < since < 3 and "whole=1" not in query:
            raise Gone("gone", url)
        found = honest(f"{OUTBOX}?since={since}")
        found["orderedItems"] = found["orderedItems"][:1]
        if since < 2:
            found["next"] = f"{OUTBOX}?since={since + 1}&whole=1"
        return cast(Document, found)

    reader.network.pages[OUTBOX] = page
    assert (await reader.read()).digest_agrees is True
    # The same for one that was away, whose number is too old: all anew, the rest swept.
    await reader.database.write(peers.change_sync, PEER, cursor=1, total=None, done=None)
    peer = await reader.read()
    assert (peer.digest_agrees, peer.problem, peer.cursor) == (True, None, 3)


async def test_two_nodes_with_one_identity_are_seen_and_not_read_without_end(
    reader: Reader,
) -> None:
    """One was put back from a copy while the other still runs: they answer in turn."""
    alone = [SHOP_ITEM, told(note("Miel", number="1")), told(note("Pain", number="2"))]
    copy = [*alone[:2], told(note("Vin", number="3")), told(note("Sel", number="4"))]
    spans, seen = [], []
    for turn in range(12):
        reader.sequence(copy if turn % 2 else alone)
        peer = await reader.read()
        spans.append(await reader.due())
        seen.append(peer.digest_agrees)
        reader.now += timedelta(minutes=10)
    assert False in seen
    assert len(reader.network.asked) < 60
    assert all(span is not None and span >= sync.LOOK_AGAIN for span in spans)
    assert len(await reader.names()) <= 4


async def test_whoever_always_has_news_and_never_agrees_is_read_ever_more_rarely(
    reader: Reader,
) -> None:
    items = [SHOP_ITEM]
    for number in range(5):
        items.append(told(note(f"Numéro {number}")))
        reader.sequence(items, **{"echoppe:digest": "0" * 64})
        await reader.read()
        due = await reader.due()
        reader.now += sync.LOOK_AGAIN
    assert due == sync.LOOK_AGAIN_LATER


@pytest.mark.parametrize(
    ("silent", "patience"),
    [(0, 300), (600, 300), (3600, 900), (86400, 21600), (30 * 86400, 43200)],
)
async def test_who_does_not_answer_is_asked_ever_more_rarely(
    reader: Reader, silent: float, patience: float
) -> None:
    await reader.database.write(peers.mark_heard, PEER, NOW)
    reader.now += timedelta(seconds=silent)
    reader.network.pages[OUTBOX] = Unreachable("connect-failed", PEER)
    peer = await reader.read()
    assert (await reader.due()) == timedelta(seconds=patience)
    assert (peer.problem or "").startswith("connect-failed")


# --- a server of another kind --------------------------------------------------------------------


def plain(pages: Callable[[int], list[Document]], count: int = 3) -> dict[str, Any]:
    """A shop's outbox in pages, newest first."""
    outbox = f"{SHOP}/outbox"

    def page(url: str) -> Document:
        number = int(url.rpartition("=")[2])
        following = {"next": f"{outbox}?page={number + 1}"} if number + 1 < count else {}
        return {"type": "OrderedCollectionPage", "orderedItems": pages(number), **following}

    whole = {"type": "OrderedCollection", "totalItems": 99, "first": f"{outbox}?page=0"}
    return {outbox: lambda url: page(url) if "page" in url else whole}


def introduced() -> Document:
    """The node's own outbox, which tells of its shop."""
    return {"type": "OrderedCollection", "orderedItems": [told(actor(SHOP, "Organization"))]}


async def test_a_server_without_a_sequence_is_read_by_its_outboxes(reader: Reader) -> None:
    apart = note("Vin", number="apart")
    pages = [[told(note("Miel"), "Create"), told(note("Pain"), "Create")], [], []]
    pages[1] = [{"type": "Create", "actor": SHOP, "object": apart["id"]}]
    reader.network.pages |= {OUTBOX: introduced(), apart["id"]: apart, **plain(pages.__getitem__)}
    peer = await reader.read()
    assert await reader.names() == ["Miel", "Pain", "Vin"]
    assert (peer.digest_agrees, peer.problem, peer.synced) == (None, None, NOW)


async def test_its_listings_that_are_met_nowhere_are_asked_for_by_their_id(reader: Reader) -> None:
    kept, gone, changed = note("Gardé"), note("Retiré"), note("Ancien", number="c")
    first = [told(kept, "Create"), told(gone, "Create"), told(changed, "Create")]
    reader.network.pages |= {OUTBOX: introduced(), **plain(lambda _: first, 1)}
    await reader.read()
    reader.network.pages |= plain(lambda _: [], 1)
    reader.now += timedelta(days=3)
    later = note("Nouveau", NOW + timedelta(days=1), number="c")
    reader.network.pages |= {kept["id"]: kept, changed["id"]: later}
    await reader.read()
    assert await reader.names() == ["Gardé", "Nouveau"]
    held = await reader.database.read(listings.get_by_uri, kept["id"])
    assert held is not None
    assert held.seen == reader.now


async def test_an_outbox_without_end_is_read_up_to_a_bound(reader: Reader) -> None:
    """DOS-02."""
    pages = plain(lambda number: [told(note(f"Numéro {number}"), "Create")], 10**6)
    reader.network.pages |= {OUTBOX: introduced(), **pages}
    await reader.read()
    assert len(reader.network.asked) < 30
    assert 0 < len(await reader.names()) <= 10


async def test_what_is_foreign_in_an_outbox_is_left_out(reader: Reader) -> None:
    foreign = note("Intrus")
    foreign["id"] = "https://elsewhere.example/items/1"
    page = [
        told(foreign, "Create"),
        {"type": "Create", "actor": SHOP, "object": "https://elsewhere.example/items/2"},
        told({**note("Intrus"), "attributedTo": "https://elsewhere.example/users/x"}, "Create"),
        {"type": "Announce", "object": "https://elsewhere.example/items/3"},
        told(note("Miel"), "Create"),
    ]
    reader.network.pages |= {OUTBOX: introduced(), **plain(lambda _: page, 1)}
    await reader.read()
    assert await reader.names() == ["Miel"]
    assert not [url for url in reader.network.asked if "elsewhere" in url]


async def test_an_outbox_that_leads_elsewhere_is_left(reader: Reader) -> None:
    reader.network.pages[OUTBOX] = {"first": "https://elsewhere.example/outbox?page=1"}
    peer = await reader.read()
    assert (peer.problem or "").startswith("foreign-page")
    assert not [url for url in reader.network.asked if "elsewhere" in url]
    reader.network.pages[OUTBOX] = Refused("bad-json", OUTBOX)
    assert ((await reader.read()).problem or "").startswith("bad-json")
