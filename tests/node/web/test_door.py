"""Who is turned away by the head of a request alone, and what is believed of it."""

import asyncio
from typing import Any, cast

import pytest

from federation import limits
from node.moderation import Standing
from node.web.door import Door, Refusal, claimed_host, is_inbox
from node.workers import Workers

KEY_ID = "https://shop.evil.example/users/a#main-key"
SIGNED = [(b"host", b"x"), (b"signature", f'keyId="{KEY_ID}",signature="AAAA"'.encode())]


class Backlog:
    """What waits, as a test says."""

    full = False
    full_of: frozenset[str] = frozenset()

    def is_full(self) -> bool:
        return self.full

    def is_full_of(self, host: str) -> bool:
        return host in self.full_of


class Scene:
    """A door whose workers are what a test says."""

    quiet = False  # not put back from a backup and unconfirmed

    def __init__(self, *trusted: str, listed: frozenset[str] | None = None) -> None:
        self.backlog = Backlog()
        self.standing = Standing(listed)
        self.door = Door(cast(Workers, self), trusted)

    def post(self, headers: Any = SIGNED, peer: str = "192.0.2.1") -> Refusal | None:
        return self.door.refusal(headers, peer)


@pytest.mark.anyio
async def test_dos_06_a_full_queue_is_said_before_a_body_is_read() -> None:
    scene = Scene()
    assert scene.post() is None
    scene.backlog.full_of = frozenset({"shop.evil.example"})
    assert scene.post() == Refusal(429, "busy", limits.BUSY_TIME)
    assert scene.post([]) is None
    scene.backlog.full = True
    assert scene.post([]) == Refusal(503, "busy", limits.BUSY_TIME)
    written = Refusal(503, "busy", 30).written()
    assert written.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"\r\nretry-after: 30\r\n" in written


def test_which_paths_are_inboxes() -> None:
    for path in (b"/inbox", b"/users/fleurs/inbox"):
        assert is_inbox(path)
    for path in (b"/compte", b"/users/a/inboxes", b"/users/a/b/inbox", b"/inbox/", b"/%69nbox"):
        assert not is_inbox(path)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("blocked", "is_turned_away"),
    [("evil.example", True), ("shop.evil.example", True), ("vil.example", False),
     ("a.shop.evil.example", False), ("shop.evil.example:8443", False), ("example.evil", False)],
)  # fmt: skip
async def test_org_20_40_a_block_covers_all_below_a_domain(
    blocked: str, is_turned_away: bool
) -> None:
    scene = Scene()
    scene.standing.learn(frozenset({blocked}), frozenset())
    assert (scene.post() == Refusal(403, "blocked")) is is_turned_away


@pytest.mark.anyio
async def test_org_41_only_those_on_the_list_are_heard_where_there_is_one() -> None:
    scene = Scene(listed=frozenset({"social.example"}))
    scene.standing.learn(frozenset({"bad.social.example"}), frozenset({"voisin.example:8443"}))
    for host, is_heard in (
        ("evil.example", False),
        ("social.example", True),
        ("a.social.example", True),
        ("bad.social.example", False),
        ("voisin.example:8443", True),
        ("voisin.example", False),
    ):
        headers = [(b"signature", f'keyId="https://{host}/k",signature="AA"'.encode())]
        assert (scene.post(headers) is None) is is_heard, host


@pytest.mark.anyio
async def test_dos_06_failures_are_held_against_the_claim_and_its_address() -> None:
    scene = Scene()
    for _ in range(int(limits.FAILURES_OF_HOST)):
        scene.door.failed(SIGNED, "192.0.2.1")
    refused = scene.post()
    assert refused is not None
    assert (refused.status, refused.code) == (429, "too-many-failures")
    assert refused.retry_after is not None
    assert scene.post(peer="192.0.2.2") is None
    await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("peer", "said", "client"),
    [("127.0.0.1", "203.0.113.9", "203.0.113.9"),
     ("127.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),  # the first may be made up
     ("127.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9"),  # two proxies
     ("127.0.0.1", "2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
     ("127.0.0.1", "", None), ("127.0.0.1", "nobody", None), ("127.0.0.1", "127.0.0.1", None),
     ("192.0.2.1", "203.0.113.9", "192.0.2.1"),  # says so itself, and is no proxy of ours
     ("", "203.0.113.9", None)],
)  # fmt: skip
def test_whose_word_for_an_address_is_taken(peer: str, said: str, client: str | None) -> None:
    scene = Scene("127.0.0.1", "10.0.0.2")
    assert scene.door.client([(b"x-forwarded-for", said.encode())], peer) == client


def test_a_proxy_that_is_not_trusted_hides_its_clients() -> None:
    assert Scene().door.client([(b"x-forwarded-for", b"203.0.113.9")], "127.0.0.1") is None


@pytest.mark.parametrize(
    ("name", "value", "host"),
    [("signature", f'keyId="{KEY_ID}",signature="AA"', "shop.evil.example"),
     ("authorization", f'Signature keyId="{KEY_ID}"', "shop.evil.example"),
     ("signature-input", f'sig1=("@method");keyid="{KEY_ID}"', "shop.evil.example"),
     ("signature", 'keyId="https://SHOP.example:443/k"', "shop.example"),
     ("signature", 'keyId="acct:a@b"', ""), ("signature", "", ""), ("x", f'keyId="{KEY_ID}"', ""),
     ("signature", 'keyId="' + "a" * 5000 + '"', "")],
)  # fmt: skip
def test_the_host_that_a_signature_claims(name: str, value: str, host: str) -> None:
    assert claimed_host([(name.encode(), value.encode())]) == host
