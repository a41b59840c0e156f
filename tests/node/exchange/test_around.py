"""What a node says of its neighbours is read within bounds, and never believed."""

import hashlib
import ssl
from pathlib import Path
from typing import Any

import pytest

from federation import keys
from node import errors
from node.exchange import around, choosing
from node.store import nodes_around, peers
from tests import ground

HOME = "FR-33318"
FRIEND = "https://friend.example"


def node_at(origin: str, *named: str, communes: tuple[str, ...] = ("FR-33063",)) -> choosing.Found:
    host = origin.partition("://")[2]
    actor = f"{origin}/users/instance"
    return choosing.Found(
        host, origin, actor, host, "echoppe 0.1.0", communes=communes, neighbours=named
    )


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> dict[str, choosing.Found]:
    """Nodes by their origin; whatever else is asked for does not answer."""
    known: dict[str, choosing.Found] = {}

    async def look_up(http: Any, uris: Any, origin: str, private: Any) -> choosing.Found:
        if origin not in known:
            raise errors.Invalid("no-node-there", origin)
        return known[origin]

    monkeypatch.setattr(choosing, "look_up", look_up)
    return known


async def looked(known: dict[str, str] | None = None) -> around.Look:
    friends = known or {"friend.example": FRIEND}
    return await around.look(None, ground.URIS, friends.items(), (), ground.NOW)  # type: ignore[arg-type]


@pytest.mark.anyio
async def test_each_that_is_named_is_asked_for_itself(web: dict[str, choosing.Found]) -> None:
    web[FRIEND] = node_at(FRIEND, "https://far.example", "https://gone.example", ground.URIS.origin)
    web["https://far.example"] = node_at("https://far.example", "https://further.example")
    found = await looked()
    assert {node.host: node.via for node in found.met} == {
        "friend.example": (),
        "far.example": ("friend.example",),
    }
    assert found.silent == ("gone.example",)  # this very node was not asked, nor who is further


@pytest.mark.anyio
async def test_nobody_makes_us_ask_without_end(web: dict[str, choosing.Found]) -> None:
    friends = {}
    for number in range(5):
        origin = f"https://friend{number}.example"
        named = [f"https://n{number}x{one}.example" for one in range(choosing.NAMED_MOST)]
        web[origin] = node_at(origin, *named)
        friends[f"friend{number}.example"] = origin
    found = await looked(friends)
    assert len(found.silent) == around.LOOKED_MOST


def test_what_is_no_origin_and_no_place_is_left_out() -> None:
    told = ["https://a.example", "https://a.example/x", "ftp://b.example", "https://C.example", 7,
            None, "https://" + "d" * 300 + ".example", "javascript:alert(1)", "https://a.example",
            "https://user@e.example"]  # fmt: skip
    assert choosing._origins(told) == ("https://a.example",)
    assert choosing._origins({"a": 1}) == ()
    many = [f"https://n{one}.example" for one in range(10_000)]
    assert len(choosing._origins(many)) == choosing.NAMED_MOST
    assert choosing._places(["FR-33063", "FR-xxxxx", {}, "geonames:12", "'; DROP"]) == (
        "FR-33063",
        "geonames:12",
    )
    assert len(choosing._places(["FR-33063"] * 10_000)) == choosing.COMMUNES_MOST


def test_proposals_leave_out_whom_one_knows(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        home = ground.place(db, HOME)
        for host, commune in (
            ("bordeaux.example", "FR-33063"), ("lyon.example", "FR-69123"),
            ("known.example", "FR-33281"), ("nowhere.example", "FR-99999"),
        ):  # fmt: skip
            node = node_at(f"https://{host}", communes=(commune,))
            nodes_around.put(db, choosing.card(node, ("friend.example",), ground.NOW))
        peers.add(db, "known.example", "https://known.example", "x", "Known", "echoppe")
        found = around.proposals(db, home)
        assert [one.node.host for one in found] == [
            "bordeaux.example", "lyon.example", "nowhere.example",
        ]  # fmt: skip
        near = around.recommended(db, home, "friend.example", 30.0, 20)
        assert [node.host for node in near] == ["bordeaux.example"]
        assert around.recommended(db, home, "other.example", 30.0, 20) == []


def test_a_fingerprint_is_of_the_key_as_openssl_has_it() -> None:
    key = keys.generate_rsa()
    der = ssl.PEM_cert_to_DER_cert(
        keys.rsa_public_pem(key).replace("PUBLIC KEY", "CERTIFICATE")
    )  # the body of the PEM, decoded by somebody else
    assert (
        keys.fingerprint(key.public_key()).replace(" ", "")
        == (hashlib.sha256(der).hexdigest()[:32])
    )
