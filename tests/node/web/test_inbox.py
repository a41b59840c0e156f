"""The inbox: what is turned away by its head, and what is taken in."""

import json
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from federation import actors, limits, signing
from federation.errors import Gone, Unreachable
from node import errors
from node.courtesy import Residents
from node.store.received import Letter
from node.uris import Uris
from node.web.door import Headers
from node.web.inbox import Inbox, Post
from tests.ground import NOW

KIND = (b"content-type", b"application/activity+json")


class Penalties:
    """A door that counts who failed."""

    def __init__(self) -> None:
        self.failures = 0

    def failed(self, headers: Headers, peer: str) -> None:
        self.failures += 1


def turned_away(*headers: tuple[bytes, bytes]) -> tuple[int, str] | None:
    door, unused = Penalties(), cast(Any, None)
    inbox = Inbox(unused, cast(Any, door), unused, unused, unused, unused)
    refusal = inbox.turn_away(headers, "192.0.2.1")
    assert door.failures == (refusal is not None)
    return refusal and (refusal.status, refusal.code)


@pytest.mark.parametrize(
    "length", [b"0", b"1", b"007", str(limits.INBOX_BODY).encode(), b"0000000001"]
)
def test_a_body_of_a_usual_length_is_read(length: bytes) -> None:
    assert turned_away(KIND, (b"content-length", length)) is None
    assert turned_away(KIND) is None


@pytest.mark.parametrize(
    "length",
    [
        str(limits.INBOX_BODY + 1).encode(),
        b"4000000000",
        b"00000000004000000000",
        b"0" * 5000,
        b"9" * 5000,
        b"-1",
        b"+1",
        b"1 ",
        b"",
        "²".encode("latin-1"),
    ],
)
def test_dos_06_any_other_length_is_too_large(length: bytes) -> None:
    assert turned_away(KIND, (b"content-length", length)) == (413, "too-large")


def test_what_is_no_activity_and_what_is_encoded() -> None:
    assert turned_away() == (415, "wrong-content-type")
    assert turned_away((b"content-type", b"text/html")) == (415, "wrong-content-type")
    # Of two the first goes; that there are two is said when the signature is read.
    assert turned_away(KIND, (b"content-type", b"text/html")) is None
    assert turned_away(KIND, (b"content-encoding", b"gzip")) == (415, "encoded-body")
    assert turned_away(KIND, (b"content-encoding", b"identity")) is None


# --- what is taken in ----------------------------------------------------------------------------

URIS = Uris("http://b.example")
ACTOR = "http://a.example/users/fleurs"
KEY = rsa.generate_private_key(65537, 2048)


class Node:
    """All that an inbox leans on, as a test has it."""

    def __init__(self, trouble: Exception | None = None) -> None:
        self.blocked = self.full = False
        self.trouble = trouble  # that the key cannot be had
        self.unwritable = False
        self.taken: list[tuple[Letter, dict[str, Any]]] = []
        self.failures = self.proofs = 0
        self.standing = self.backlog = self
        unread = cast(Any, self)
        self.inbox = Inbox(URIS, unread, unread, unread, Residents(), lambda: NOW)

    def refuses(self, host: str) -> bool:
        return self.blocked and host == "a.example"

    def is_full_of(self, host: str) -> bool:
        return self.full and host == "a.example"

    async def key(self, key_id: str, *, budget: Any) -> Any:
        if self.trouble is not None:
            raise self.trouble
        return actors.ActorKey(key_id, ACTOR, "rsa", ""), KEY.public_key()

    async def key_again(self, key_id: str, *, budget: Any) -> None:
        return None

    async def accept(self, letter: Letter, activity: dict[str, Any]) -> None:
        if self.unwritable:
            raise errors.Unwritable("full")
        self.taken.append((letter, activity))

    def failed(self, headers: Headers, peer: str) -> None:
        self.failures += 1

    def proved(self, host: str, headers: Headers, peer: str) -> None:
        assert host == "a.example"
        self.proofs += 1

    async def post(self, kind: str = "Like", of: str = "x", to: bytes = b"/inbox") -> Any:
        """What a post is answered: None, or a status and a word; signed for `/inbox`."""
        activity = {"id": f"{ACTOR}/1", "type": kind, "actor": ACTOR, "object": of}
        body = json.dumps(activity).encode()
        signed = signing.sign_cavage(
            KEY, f"{ACTOR}#main-key", "POST", f"{URIS.origin}/inbox", body, NOW
        )
        headers = [(name.lower().encode(), value.encode()) for name, value in signed.items()]
        refusal = await self.inbox.take(Post(to, headers, body, "192.0.2.1"))
        return refusal and (refusal.status, refusal.code, refusal.retry_after)


@pytest.mark.anyio
async def test_what_is_true_is_handed_on() -> None:
    node = Node()
    assert await node.post() is None
    ((letter, activity),) = node.taken
    assert (letter.actor, letter.host, activity["type"]) == (ACTOR, "a.example", "Like")
    assert json.loads(letter.body) == activity
    assert (node.proofs, node.failures) == (1, 0)


@pytest.mark.anyio
async def test_what_was_signed_for_another_address_fails() -> None:
    node = Node()
    assert (await node.post(to=b"/users/fleurs/inbox"))[0] == 401
    assert (node.taken, node.proofs, node.failures) == ([], 0, 1)


@pytest.mark.anyio
async def test_who_is_blocked_and_who_has_too_much_waiting() -> None:
    node = Node()
    node.full = True
    assert await node.post() == (429, "busy", limits.BUSY_TIME)
    node.blocked = True
    assert await node.post() == (403, "blocked", None)
    assert (node.taken, node.failures) == ([], 0)


@pytest.mark.anyio
async def test_a_disk_that_takes_nothing_is_said() -> None:
    node = Node()
    node.unwritable = True
    assert await node.post() == (503, "cannot-write", None)
    assert node.failures == 0


@pytest.mark.anyio
async def test_a_key_that_cannot_be_had() -> None:
    node = Node(Unreachable("no-answer"))
    assert await node.post() == (401, "key-unreachable", None)
    assert node.failures == 1
    node = Node(Unreachable("too-many-key-fetches"))
    assert await node.post() == (503, "busy", limits.BUSY_TIME)
    assert node.failures == 0


@pytest.mark.anyio
async def test_who_is_gone_may_say_so_and_nothing_else() -> None:
    node = Node(Gone("gone"))
    assert await node.post("Delete", ACTOR) is None
    assert node.failures == 0
    assert await node.post("Delete", f"{ACTOR}/items/1") == (401, "key-gone", None)
    assert await node.post("Like", ACTOR) == (401, "key-gone", None)
    assert (node.taken, node.failures) == ([], 2)
