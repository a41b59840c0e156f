"""Where the hostile tests happen: one real node, a neighbour and a stranger that are stubs, and a
listener that nobody may ever connect to.

What a node must refuse is posted inside `arena.unmoved()`, which holds that nothing came of it.
"""

import contextlib
import json
import os
import socket
import sqlite3
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests import neighbours
from tests.hostile import stub
from tests.hostile.stub import Actor, Document, Headers, Reply, Stub


class Canary:
    """Listens on every address of this machine, and counts whoever connects."""

    def __init__(self, port: int = 0) -> None:
        self.calls: list[str] = []
        self._listeners = [socket.create_server(("0.0.0.0", port), backlog=64)]
        self.port = int(self._listeners[0].getsockname()[1])
        with contextlib.suppress(OSError):
            self._listeners.append(
                socket.create_server(("::", self.port), family=socket.AF_INET6, backlog=64)
            )
        self._threads = [threading.Thread(target=self._listen, args=(one,), daemon=True)
                         for one in self._listeners]  # fmt: skip
        for thread in self._threads:
            thread.start()

    def _listen(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, caller = listener.accept()
            except OSError:
                return
            self.calls.append(str(caller))
            connection.close()

    def close(self) -> None:
        """Stops listening."""
        for listener in self._listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for thread in self._threads:
            thread.join(5)


@dataclass
class Arena:
    """A node among others, good and bad."""

    town: neighbours.Town
    peer: Stub  # a true neighbour
    stranger: Stub  # reachable, and no neighbour
    canaries: list[Canary]
    node: Actor  # the neighbour's Application actor
    follow: str = ""  # the id of our node's Follow of the neighbour
    tulip: str = ""  # the URI of a listing of the node's own shop, `fleurs`
    _beacon: Actor | None = field(default=None, repr=False)

    @property
    def inbox(self) -> str:
        return f"{self.town.url}/inbox"

    @property
    def canary(self) -> Canary:
        return self.canaries[0]

    # --- posting ---------------------------------------------------------------------------------

    def post(self, actor: Actor, activity: Document | bytes, url: str = "", **how: Any) -> Reply:
        """Posts an activity, signed by an actor as draft-cavage says, with the given changes."""
        body = activity if isinstance(activity, bytes) else stub.encode(activity)
        url = url or self.inbox
        key = how.pop("key", actor.key)
        key_id = how.pop("key_id", actor.key_id)
        return self.send(stub.cavage(key, key_id, url, body, **how), body, url)

    def send(self, headers: Headers, body: bytes, url: str = "") -> Reply:
        """Posts a body with these headers."""
        target = (url or self.inbox).removeprefix(self.town.url)
        return stub.send(self.town.authority, "POST", target, headers, body)

    def tell(self, actor: Actor, name: str, price: Any = "12.50", **changed: Any) -> Document:
        """A good listing of an actor's: it is told, and found."""
        note = actor.note(name, price, **changed)
        # A test before may have made the neighbour look down, and it is then left alone a moment.
        told = actor.activity("Create", note)
        neighbours.eventually(lambda: self.post(actor, told).status == 202)
        soon(lambda: note["id"] in self.found(name))
        return note

    def shop(self) -> tuple[Actor, Document]:
        """A shop at the neighbour that is known here, and its one listing."""
        actor = self.peer.actor()
        return actor, self.tell(actor, f"lampe {uuid.uuid4().hex}")

    def get(self, path: str) -> Any:
        """A document of the node's."""
        answer = stub.send(self.town.authority, "GET", path, [])
        assert answer.status == 200, (path, answer.status)
        return json.loads(answer.body)

    # --- what a resident sees --------------------------------------------------------------------

    def found(self, words: str) -> dict[str, Any]:
        """What a search finds: name and price by URI, over all pages."""
        hits: dict[str, Any] = {}
        cursor: str | None = ""
        while cursor is not None:
            asked = {"q": words, "near": "Bordeaux", "cursor": cursor}
            told = self.get(f"/api/v1/search?{urlencode(asked)}")
            for ring in told["rings"]:
                hits |= {hit["uri"]: (hit["name"], hit["price"], hit["url"])
                         for hit in ring["results"]}  # fmt: skip
            cursor = told["next"]
        return hits

    def state(self) -> dict[str, Any]:
        """All that anybody can see here: listings, shops, how many follow."""
        return {
            "good": self.found("lampe"),
            "bad": self.found("poison"),
            "own": self.found("tulipe"),
            "shops": self.get("/api/v1/shops"),
            "node": self.get("/users/instance/followers")["totalItems"],
            "followers": self.get("/users/fleurs/followers")["totalItems"],
        }

    def settle(self) -> None:
        """Returns when all that was accepted so far was acted upon.

        The second listing is taken up only after everything of the first one's batch is done.
        """
        if self._beacon is None:
            self._beacon = self.peer.actor()
        for _ in range(2):
            self.tell(self._beacon, f"balise {uuid.uuid4().hex}")

    def rest(self) -> None:
        """Returns when nothing waits to be acted upon or to be told: else what comes of a test
        before would be held against the one that counts now."""
        path = self.town.folder / "node.db"
        now = f"{datetime.now(UTC) + timedelta(seconds=2):%Y-%m-%dT%H:%M:%S}"
        waiting = """
            SELECT (SELECT count(*) FROM publications)
                 + (SELECT count(*) FROM deliveries WHERE due < :now)
                 + (SELECT count(*) FROM received WHERE dead = 0 AND due < :now)
        """
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
            soon(lambda: db.execute(waiting, {"now": now}).fetchone()[0] == 0)

    def work(self) -> float:
        """Seconds of the processor that the node has used: what something costs it, however busy
        the machine is otherwise."""
        assert self.town.process is not None
        fields = Path(f"/proc/{self.town.process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")

    def asked(self) -> int:
        """How many requests the node has made of others."""
        return len(self.peer.asked) + len(self.stranger.asked)

    def requests(self) -> list[str]:
        """The requests that the node has made of others, for messages."""
        both = (*self.peer.asked, *self.stranger.asked)
        return [f"{one.method} {one.path} {one.body[:200]!r}" for one in both]

    @contextlib.contextmanager
    def unmoved(self, fetches: int = 0) -> Iterator[None]:
        """Whatever is posted inside changes nothing here, and costs at most so many requests."""
        self.rest()
        before, asked = self.state(), self.requests()
        yield
        self.settle()
        self.rest()
        assert self.state() == before
        news = list((Counter(self.requests()) - Counter(asked)).elements())
        assert len(news) <= fetches, news
        self.hold()

    def hold(self) -> None:
        """What must be true whenever one looks."""
        for canary in self.canaries:
            assert not canary.calls
        assert "Traceback" not in self.town.log()
        assert stub.send(self.town.authority, "GET", "/livez", []).status == 200


@contextlib.contextmanager
def opened(base: Path) -> Iterator[Arena]:
    """A node that serves, with its neighbour."""
    with contextlib.ExitStack() as ending:
        peer, stranger, canary = Stub(), Stub(), Canary()
        for one in (peer, stranger, canary):
            ending.callback(one.close)
        canaries = [canary]
        # The one port that a public address may be dialled at, where this machine lets us.
        with contextlib.suppress(OSError):
            canaries.append(Canary(443))
            ending.callback(canaries[-1].close)
        town = neighbours.Town(base / "bordeaux", neighbours.free_port())
        neighbours.echoppe(
            "init", str(town.folder), "--url", town.url, "--name", "Boutiques",
            "--commune", "Bordeaux", "--listen", town.authority, f"--private-peer={peer.authority}",
            f"--private-peer={stranger.authority}",
        )  # fmt: skip
        settings = town.folder / "instance.toml"
        text = settings.read_text()
        assert "[server]\n" in text
        settings.write_text(
            text.replace("[server]\n", '[server]\ntrusted_proxies = ["127.0.0.1"]\n')
        )
        town.run("shop", "add", "fleurs", "--name", "Au Fil des Fleurs", "--commune", "Bordeaux")
        own = town.run(
            "listing", "add", "fleurs", "--name", "Bouquet de tulipes", "--price", "12.50"
        )
        ending.enter_context(neighbours.serving([town]))
        arena = Arena(town, peer, stranger, canaries, peer.actor("Application", "instance"))
        arena.tulip = own["uri"]
        befriend(arena)
        arena.settle()
        yield arena


def soon(condition: Callable[[], Any]) -> None:
    """Waits for what mostly takes some milliseconds."""
    for _ in range(20):
        if condition():
            return
        time.sleep(0.005)
    neighbours.eventually(condition)


def befriend(arena: Arena) -> None:
    """The neighbour asks, is accepted, is asked in turn, and accepts."""
    peer, node = arena.peer, arena.node
    node.publish(outbox=f"{node.uri}/outbox")
    serve_sequence(arena, [])
    instance = f"{arena.town.url}/users/instance"
    assert arena.post(node, node.activity("Follow", instance)).status == 202
    neighbours.eventually(lambda: arena.town.run("neighbour", "list"))
    arena.town.run("neighbour", "accept", peer.authority)
    (follow,) = neighbours.eventually(lambda: peer.deliveries("Follow"))
    assert neighbours.eventually(lambda: peer.deliveries("Accept"))
    arena.follow = follow["id"]
    reread(arena)


def serve_sequence(arena: Arena, items: list[Document], **changed: Any) -> None:
    """What the neighbour's change sequence says, in numbers higher than any before."""
    first = time.time_ns() // 1000
    items = [{**item, "echoppe:seq": first + number} for number, item in enumerate(items)]
    uri = f"{arena.node.uri}/outbox"
    page = {
        "@context": [stub.AS2, {"echoppe": "urn:echoppe:"}],
        "id": f"{uri}?since=0",
        "type": "OrderedCollectionPage",
        "totalItems": len(items),
        "orderedItems": items,
        "echoppe:head": 0,
        **changed,
    }
    arena.peer.serve(f"{arena.node.path}/outbox", page)


def reread(arena: Arena) -> None:
    """The neighbour accepts once more, upon which its change sequence is read again."""
    path = f"{arena.node.path}/outbox"
    before = sum(asked.path.startswith(path) for asked in arena.peer.asked)

    def is_read() -> bool:
        # Again and again: a test before may have made the neighbour look down for a moment.
        told = {"id": arena.follow, "type": "Follow", "object": arena.node.uri}
        assert arena.post(arena.node, arena.node.activity("Accept", told)).status == 202
        for _ in range(20):
            if sum(asked.path.startswith(path) for asked in arena.peer.asked) > before:
                return True
            time.sleep(0.05)
        return False

    neighbours.eventually(is_read)


def neighbour(arena: Arena, authority: str) -> dict[str, Any] | None:
    """What the node says of another, without when."""
    for one in arena.town.run("neighbour", "list"):
        if one["host"] == authority:
            return {key: one[key] for key in ("state", "following", "follower", "blocked")}
    return None
