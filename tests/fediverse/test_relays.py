"""A relay: asked, and told what is announced once it accepts; left when the settings drop it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import neighbours
from tests.hostile import stub
from tests.hostile.stub import PUBLIC, Actor, Document, Stub
from tests.neighbours import Town, eventually


def post(town: Town, by: Actor, activity: Document) -> int:
    body = stub.encode(activity)
    headers = stub.cavage(by.key, by.key_id, f"{town.url}/inbox", body)
    return stub.send(town.authority, "POST", "/inbox", headers, body).status


def answer(town: Town, by: Actor, kind: str, follow: Document) -> int:
    return post(town, by, by.activity(kind, follow["id"]))


@pytest.fixture
def stubs() -> Iterator[tuple[Stub, Stub]]:
    """Two servers, whose threads end with the test however that ends."""
    with contextlib.closing(Stub()) as one, contextlib.closing(Stub()) as other:
        yield one, other


def test_a_relay_is_asked_told_and_left(tmp_path: Path, stubs: tuple[Stub, Stub]) -> None:
    relay, other = stubs
    town = Town(tmp_path / "pessac", neighbours.free_port())
    neighbours.echoppe(
        "init", str(town.folder), "--url", town.url, "--name", "Boutiques", "--commune", "Pessac",
        "--listen", town.authority, f"--private-peer={relay.authority}",
        f"--private-peer={other.authority}",
    )  # fmt: skip
    settings = town.folder / "instance.toml"
    plain = settings.read_text()
    inbox = f"http://{relay.authority}/inbox"
    assert "[federation]\n" in plain
    settings.write_text(plain.replace("[federation]\n", f'[federation]\nrelays = ["{inbox}"]\n'))
    town.run("shop", "add", "fleurs", "--name", "Fleurs", "--commune", "Pessac")
    add = ("listing", "add", "fleurs", "--price", "9", "--name")
    with neighbours.serving([town]):
        (follow,) = eventually(lambda: relay.deliveries("Follow"))
        assert follow["object"] == PUBLIC
        assert follow["actor"] == f"{town.url}/users/instance"
        people = other.actor("Person")
        assert post(town, people, people.activity("Follow", f"{town.url}/users/fleurs")) == 202
        eventually(lambda: other.deliveries("Accept"))
        # It has not accepted yet, and another server cannot answer in its place.
        assert answer(town, other.actor("Application"), "Accept", follow) == 202
        town.run(*add, "Avant", "--announce")
        eventually(lambda: "Avant" in str(other.deliveries("Create")))
        assert answer(town, relay.actor("Application"), "Accept", follow) == 202

        def passed_on() -> bool:
            town.run(*add, "Pivoines", "--announce")
            return bool(relay.deliveries("Create"))

        eventually(passed_on)
        assert "Avant" not in str(relay.deliveries("Create"))
        quiet = town.run(*add, "Terreau")
        last = town.run(*add, "Iris", "--announce")
        eventually(lambda: last["uri"] in str(relay.deliveries("Create")))
        assert quiet["uri"] not in str(relay.deliveries("Create"))
        town.run("listing", "withdraw", last["id"])
        eventually(lambda: last["uri"] in str(relay.deliveries("Delete")))
    # Started again it is not asked again; without it in the settings it is left.
    with neighbours.serving([town]):
        town.run(*add, "Lis", "--announce")
        eventually(lambda: "Lis" in str(relay.deliveries("Create")))
        assert len(relay.deliveries("Follow")) == 1
    settings.write_text(plain)
    with neighbours.serving([town]):
        (undo,) = eventually(lambda: relay.deliveries("Undo"))
        assert undo["object"]["id"] == follow["id"]
        before = len(relay.deliveries("Create"))
        town.run(*add, "Après", "--announce")
        eventually(lambda: "Après" in str(other.deliveries("Create")))
        assert len(relay.deliveries("Create")) == before
