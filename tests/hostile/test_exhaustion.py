"""What is meant to use the node up: chains, forms, ranges, crowds (design: safety, 1E)."""

import contextlib
import itertools
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from federation import limits
from node import catalogue
from node.exchange import outbox, sync, terms
from node.model import Follower, FollowState, Peer
from node.store import changes, deliveries, followers
from tests import ground, neighbours
from tests.hostile import stub
from tests.hostile.arena import Arena
from tests.hostile.test_http import own

FORM = "multipart/form-data; boundary=b"


def memory(arena: Arena) -> float:
    """What the node holds, in MiB."""
    assert arena.town.process is not None
    status = Path(f"/proc/{arena.town.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def is_alive(arena: Arena) -> bool:
    return stub.send(arena.town.authority, "GET", "/livez", []).status == 200


# --- chains --------------------------------------------------------------------------------------


def test_dos_02_a_chain_of_answers_is_not_followed(arena: Arena) -> None:
    shop, _ = arena.shop()
    chain = [f"{shop.uri}/items/reponse{number}" for number in range(50)]
    for here, there in itertools.pairwise(chain):
        note = {**shop.note("poison", inReplyTo=there), "id": here}
        arena.peer.serve(here.removeprefix(arena.peer.url), note)
    told = {**shop.note("poison", inReplyTo=chain[0]), "replies": chain, "context": chain[1]}
    with arena.unmoved(fetches=1):  # of what is announced: itself, from its origin
        for kind in ("Create", "Update", "Announce"):
            assert arena.post(shop, shop.activity(kind, told)).status < 500
    assert not [one for one in arena.requests() if "reponse" in one]
    collection = {"id": f"{shop.uri}/tout", "type": "OrderedCollection", "first": chain[0]}
    with arena.unmoved():
        assert arena.post(shop, shop.activity("Create", collection)).status < 500


@pytest.mark.anyio
async def test_dos_02_a_sequence_of_pages_that_never_ends_is_left_for_another_day(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sync, "PAGES_IN_ONE_READING", 7)
    origin = "https://voisin.example"
    pages: list[str] = []

    class Endless:
        """A neighbour whose every page has a next one, and a node that takes note of them."""

        http = resolver = database = property(lambda self: self)
        document = property(lambda self: {"outbox": f"{origin}/outbox"})

        def sign(self, *_: Any) -> dict[str, str]:
            return {}

        async def actor(self, *_: Any, **__: Any) -> Any:
            return self

        async def fetch_page_anew(
            self, url: str, *_: Any, **__: Any
        ) -> tuple[dict[str, Any], None]:
            pages.append(url)
            number = len(pages)
            stone = {"type": "Delete", "object": f"{origin}/{number}", terms.SEQ: number}
            return {"orderedItems": [stone], "next": f"{origin}/outbox?since={number}"}, None

        def clock(self) -> Any:
            return ground.NOW

        async def read(self, *_: Any) -> set[str]:
            return set()

        async def write(self, *_: Any) -> bool:
            return True

    values: dict[str, Any] = dict.fromkeys(Peer.__dataclass_fields__)
    values |= {"host": "voisin.example", "origin": origin, "actor": f"{origin}/i", "cursor": 0}
    await sync._read(Endless(), Peer(**values))  # type: ignore[arg-type]
    assert len(pages) == 7


def test_dos_04_dead_followers_cost_one_row_each_and_then_none(tmp_path: Path) -> None:
    """However often something changes, and however long they stay away."""
    with ground.opened(tmp_path) as db:
        shop = ground.open_shop(db)
        for number in range(2000):
            host = f"mort{number}.example"
            uri = f"https://{host}/users/a"
            follower = Follower(
                shop.handle, uri, f"{uri}/inbox", None, f"{uri}#1", FollowState.ACCEPTED, ground.NOW
            )
            followers.add(db, follower, host)
        listing = ground.publish(db, shop, announce=True)
        rows = []
        for _ in range(3):
            for one in deliveries.find_publications(db, 100):
                outbox.spread(db, ground.URIS, one, ground.NOW)
            rows.append(db.execute("SELECT count(*) FROM deliveries").fetchone()[0])
            ground.revise(db, shop, listing, ground.draft("Rose", announce=True))
        assert 2000 <= rows[0] <= 4000
        assert rows == [rows[0]] * 3
        for number in range(2000):
            deliveries.remove_host(db, f"mort{number}.example", ground.NOW)
        assert db.execute("SELECT count(*) FROM deliveries").fetchone()[0] == 0


def test_dos_16_what_a_neighbour_told_is_told_to_nobody(tmp_path: Path) -> None:
    """So nothing goes round, however the neighbours of neighbours are linked."""
    with ground.opened(tmp_path) as db:
        head = changes.head(db)
        listing = ground.remote_listing(ground.remote_shop(db))
        assert catalogue.record_remote(db, listing, ground.NOW)
        catalogue.remove_remote(db, listing.uri, ground.NOW)
        assert deliveries.find_publications(db, 10) == []
        assert changes.head(db) == head


# --- forms, files, sign-ins ----------------------------------------------------------------------


def parts(count: int, headers: int, size: int) -> bytes:
    """A form in parts, each with so many headers and so long a value."""
    head = "".join(f"X-{number}: y\r\n" for number in range(headers))
    one = f'--b\r\nContent-Disposition: form-data; name="a"\r\n{head}\r\n{"v" * size}\r\n'
    return (one * count + "--b--\r\n").encode()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(parts(1, 0, 3_000_000), id="a_field_of_3_MB"),
        pytest.param(parts(5000, 0, 1), id="5000_parts"),
        pytest.param(parts(1, 10_000, 1), id="10000_headers_of_a_part"),
        pytest.param(b"--b\r\n" * 50_000, id="boundaries"),
        pytest.param(b"--b\r\n\r\n" + b"\r\n--" * 100_000, id="nearly_boundaries"),
        pytest.param(b"a=b&" * 200_000, id="no_parts_at_all"),
    ],
)
def test_dos_10_forms_beyond_all_measure(arena: Arena, body: bytes) -> None:
    begun = arena.work()
    for path in ("/compte", "/connexion/x", "/recherche", "/inbox"):
        for kind in (FORM, "application/x-www-form-urlencoded"):
            # A node may hang up on it before it has all been sent.
            with contextlib.suppress(OSError):
                headers = [*own(arena), ("Content-Type", kind)]
                reply = stub.send(arena.town.authority, "POST", path, headers, body)
                assert reply.status < 500
    assert arena.work() - begun < 30
    arena.hold()


@pytest.mark.parametrize(
    "kind",
    ['application/x-www-form-urlencoded; !="' + "\\" * 3000,
     "multipart/form-data; boundary=" + "a" * 9000, 'multipart/form-data; boundary="',
     "multipart/form-data; boundary*0=b; boundary*1=b" + ";" * 5000, ";" * 9000,
     "a/b" + " ;" * 4000,
     'application/activity+json; profile="' + '\\"' * 4000, "application/" + "j" * 9000],
)  # fmt: skip
def test_dos_11_a_content_type_that_takes_long_to_read(arena: Arena, kind: str) -> None:
    begun = arena.work()
    for path in ("/compte", "/connexion/x", "/inbox"):
        headers = [*own(arena), ("Content-Type", kind)]
        reply = stub.send(arena.town.authority, "POST", path, headers, b"a=b" * 1000)
        assert reply.status < 500
    assert arena.work() - begun < 10
    arena.hold()


def test_dos_09_ten_thousand_ranges_of_a_file(arena: Arena) -> None:
    begun = arena.work()
    for ranges in (",".join(f"{n}-{n}" for n in range(2000)), "0-0," * 3000, "-1,-1", "9-1",
                   "0-18446744073709551616", "a-b"):  # fmt: skip
        for path in ("/static/site.css", "/"):
            reply = stub.send(
                arena.town.authority, "GET", path, [("Range", f"bytes={ranges}"), ("If-Range", "x")]
            )
            assert reply.status in (200, 206, 400, 404, 416), ranges[:20]
            assert len(reply.body) < 1_000_000
    assert arena.work() - begun < 20
    arena.hold()


def test_dos_14_two_hundred_sign_ins_at_once(arena: Arena) -> None:
    """There are no passwords; a link or a field of a megabyte is turned away like any false one."""

    def try_one(number: int) -> int:
        headers = [*own(arena), ("Content-Type", "application/x-www-form-urlencoded")]
        path = f"/connexion/{number:022d}"
        return stub.send(arena.town.authority, "POST", path, headers, b"code=1").status

    with ThreadPoolExecutor(50) as threads:
        statuses = set(threads.map(try_one, range(200)))
    assert statuses <= {400, 404, 429}
    with contextlib.suppress(OSError):
        headers = [*own(arena), ("Content-Type", "application/x-www-form-urlencoded")]
        body = b"code=" + b"1" * 1_000_000
        reply = stub.send(arena.town.authority, "POST", "/connexion/x", headers, body)
        assert reply.status < 500
    arena.hold()


# --- floods and crowds ---------------------------------------------------------------------------


def test_dos_06_a_flood_is_turned_away_and_the_others_are_served(arena: Arena) -> None:
    """Badly signed posts in one host's name from one address: soon 429, with Retry-After."""
    shop, _ = arena.shop()
    friend = arena.stranger.actor()
    body = stub.encode(shop.activity("Create", shop.note("poison")))
    false = stub.cavage(arena.peer.other_key, shop.key_id, arena.inbox, body)
    false.append(("X-Forwarded-For", "203.0.113.66"))
    with arena.unmoved(fetches=2):
        begun = time.monotonic()
        answers = [arena.send(false, body) for _ in range(120)]
        statuses = [one.status for one in answers]
        assert statuses[:20] == [401] * 20
        assert set(statuses) == {401, 429}
        # One more may fail every two seconds.
        more = limits.FAILURES_OF_HOST_PER_SECOND * (time.monotonic() - begun)
        assert statuses.count(401) <= limits.FAILURES_OF_HOST + more + 1
        refused = answers[statuses.index(429)]
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        # Even a true one from there is not read now …
        idle = stub.encode(shop.activity("Like", shop.uri))
        true = [*stub.cavage(shop.key, shop.key_id, arena.inbox, idle),
                ("X-Forwarded-For", "203.0.113.66")]  # fmt: skip
        neighbours.eventually(
            lambda: arena.send(false, body).status == arena.send(true, idle).status == 429
        )
        # … nor is one that was sent ahead of the answer to another request …
        neighbours.eventually(lambda: sent_ahead(arena, false, body) == [b"200", b"429"])
        # … nor one to an inbox that is written in another way …
        for odd in ("/%69nbox", "/inbox#x", f"{arena.town.url}/inbox", "/users/instance/%69nbox"):
            neighbours.eventually(
                lambda odd=odd: sent_ahead(arena, false, body, odd)[1:] == [b"429"]
            )
        # … and an idle word to the same host from elsewhere, or of another host, is.
        assert arena.post(shop, shop.activity("Like", shop.uri)).status == 202
        assert arena.post(friend, friend.activity("Like", shop.uri)).status == 202


def sent_ahead(
    arena: Arena, headers: stub.Headers, body: bytes, target: str = "/inbox"
) -> list[bytes]:
    """The statuses of two answers: to a request, and to a post that did not wait for it."""
    fields = dict(headers) | {
        "Host": arena.town.authority,
        "Content-Length": str(len(body)),
        "Connection": "close",
    }
    fields.pop("host", None)
    lines = [f"POST {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    first = f"GET /livez HTTP/1.1\r\nHost: {arena.town.authority}\r\n\r\n"
    said = stub.raw(arena.town.port, (first + "\r\n".join(lines) + "\r\n\r\n").encode() + body)
    return re.findall(rb"^HTTP/1.1 ([0-9]{3})", said, re.MULTILINE)


def test_dos_07_a_thousand_idle_connections_shut_nobody_out(arena: Arena) -> None:
    """Some say nothing, some half a head, some half a body, some ask and go silent."""
    host = f"Host: {arena.town.authority}\r\n".encode()
    words = (
        b"",
        b"GET / HTTP/1.1\r\n" + host,
        b"POST /compte HTTP/1.1\r\n" + host + b"Content-Length: 99999\r\n\r\na",
        b"GET /livez HTTP/1.1\r\n" + host + b"\r\n",
    )
    before = memory(arena)
    with contextlib.ExitStack() as ending:
        for number in range(1100):
            one = socket.create_connection(
                ("127.0.0.1", arena.town.port), timeout=neighbours.PATIENCE
            )
            ending.callback(one.close)
            with contextlib.suppress(OSError):
                one.sendall(words[number % len(words)])
            if number % 100 == 0:
                assert is_alive(arena), number
        assert is_alive(arena)
        arena.settle()
        assert memory(arena) - before < 60
    assert is_alive(arena)
    arena.hold()


@pytest.mark.parametrize("what", ["pipelined", "a_head", "trailers", "extensions", "line_ends"])
def test_dos_40_41_42_what_has_no_end_is_not_kept(arena: Arena, what: str) -> None:
    """64 MiB on each of four connections: cut off early, and nothing of it stays in memory."""
    host = f"Host: {arena.town.authority}\r\n".encode()
    chunked = b"POST /inbox HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\n"
    begin, again = {
        "pipelined": (b"", (b"GET /livez HTTP/1.1\r\n" + host + b"\r\n") * 1000),
        "a_head": (b"GET / HTTP/1.1\r\n" + host, b"A: b\r\n" * 10_000),
        "trailers": (chunked + b"0\r\nT: ", b"y" * 65536),
        "extensions": (chunked, (b"1;" + b"e" * 4000 + b"\r\na\r\n") * 16),
        "line_ends": (b"", b"\r\n" * 32768),
    }[what]
    before = memory(arena)

    def flood(_: int) -> int:
        sent = 0
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", arena.town.port), timeout=5) as connection,
        ):
            connection.sendall(begin)
            while sent < 64 * 1024 * 1024:
                connection.sendall(again)
                sent += len(again)
        return sent

    with ThreadPoolExecutor(4) as threads:
        sent = list(threads.map(flood, range(4)))
    assert max(sent) < 16 * 1024 * 1024, sent
    assert memory(arena) - before < 40
    neighbours.eventually(lambda: is_alive(arena))
    arena.hold()
