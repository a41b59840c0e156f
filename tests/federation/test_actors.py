"""Finding actors and keys: what is remembered of failures, and what is not kept alive by them."""

import asyncio
import gc
import socket
import weakref
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from federation import actors, addresses, client, keys, limits
from federation.errors import FederationError, Gone, Unreachable

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Memory:
    """A store that holds what it is given."""

    def __init__(self) -> None:
        self.kept: dict[str, actors.RemoteActor] = {}

    async def get_actor(self, uri: str) -> tuple[dict[str, Any], datetime] | None:
        found = self.kept.get(uri)
        return None if found is None else (found.document, NOW)

    async def get_key(self, key_id: str) -> actors.ActorKey | None:
        every = (key for actor in self.kept.values() for key in actor.keys)
        return next((key for key in every if key.id == key_id), None)

    async def put(self, actor: actors.RemoteActor) -> None:
        self.kept[actor.id] = actor


class Scene:
    """A resolver whose clock can be set, and a host that hangs up on everybody."""

    def __init__(self, port: int, http: client.Client) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.now = NOW
        self.calls = 0
        self.store = Memory()
        self.resolver = actors.ActorResolver(http, self.store, None, lambda: self.now)

    async def fails(self, name: str) -> str:
        """Asks for a key that cannot be had; why not."""
        with pytest.raises(Unreachable) as raised:
            await self.resolver.key(f"{self.origin}/users/{name}#main-key")
        return raised.value.code


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    policy = addresses.Policy(frozenset({f"127.0.0.1:{port}"}))
    async with client.Client(policy, "test/1") as http:
        found = Scene(port, http)

        def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            found.calls += 1
            writer.close()

        server = await asyncio.start_server(hang_up, sock=listener)
        async with server:
            yield found
            await turns()  # who hung up has then hung up


@pytest.mark.anyio
async def test_an_address_that_failed_is_not_asked_again_for_a_while(scene: Scene) -> None:
    await scene.fails("anne")
    await scene.fails("anne")
    assert scene.calls == 1
    scene.now += timedelta(seconds=limits.NEGATIVE_HOST_TIME)
    await scene.fails("anne")
    assert scene.calls == 2


@pytest.mark.anyio
async def test_sig_24_a_host_that_fails_in_a_row_is_left_alone_for_a_moment(scene: Scene) -> None:
    for number in range(20):
        await scene.fails(f"n{number}")
    assert scene.calls == limits.HOST_FAILURES
    assert await scene.fails("one-more") == "host-left-alone"
    scene.now += timedelta(seconds=limits.HOST_HELD)
    await scene.fails("later")
    assert scene.calls == limits.HOST_FAILURES + 1


@pytest.mark.anyio
async def test_a_failure_keeps_nothing_of_the_request_alive(scene: Scene) -> None:
    """An exception would: its traceback holds every frame, and in one of them a stranger's body."""

    class Body:
        pass

    async def request() -> "weakref.ref[Body]":
        body = Body()
        with pytest.raises(Unreachable):  # caught here, as the one who holds the body would
            await scene.resolver.key(f"{scene.origin}/users/anne#main-key")
        return weakref.ref(body)

    kept = await request()
    gc.collect()
    assert kept() is None


@pytest.mark.anyio
async def test_sig_26_a_key_that_its_owner_changed_is_out_at_once(scene: Scene) -> None:
    uri = f"{scene.origin}/users/anne"

    def named(pem: str) -> actors.RemoteActor:
        key = {"id": f"{uri}#main-key", "owner": uri, "publicKeyPem": pem}
        return actors.from_document(
            {"id": uri, "type": "Person", "inbox": f"{uri}/inbox", "publicKey": key}
        )

    old, new = keys.generate_rsa(), keys.generate_rsa()
    await scene.store.put(named(keys.rsa_public_pem(old)))
    _, public = await scene.resolver.key(f"{uri}#main-key")
    assert public == old.public_key()
    scene.resolver.take(named(keys.rsa_public_pem(new)))
    _, public = await scene.resolver.key(f"{uri}#main-key")
    assert public == new.public_key()
    scene.resolver.take(named("no key"))
    await scene.store.put(named("no key"))
    assert f"{uri}#main-key" not in scene.resolver._loaded


async def turns() -> None:
    """Lets everybody who can go on do so."""
    for _ in range(100):
        await asyncio.sleep(0)


class Slow:
    """A web whose answers come a moment later, counted."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.limits: list[int] = []
        self.go = asyncio.Event()

    async def fetch_document(self, url: str, *, limit: int, **_: Any) -> tuple[dict[str, Any], str]:
        self.asked.append(url)
        self.limits.append(limit)
        await self.go.wait()
        key = {
            "id": f"{url}#main-key",
            "owner": url,
            "publicKeyPem": keys.rsa_public_pem(KEY),
        }
        return {"id": url, "type": "Person", "inbox": f"{url}/inbox", "publicKey": key}, url


KEY = keys.generate_rsa()


@pytest.mark.anyio
async def test_sig_42_43_a_key_is_asked_for_once_and_no_further_than_an_actor_is_long() -> None:
    web = Slow()
    resolver = actors.ActorResolver(cast(client.Client, web), Memory(), None, lambda: NOW)
    wanted = [resolver.key("https://a.example/u#main-key") for _ in range(100)]
    asking = asyncio.gather(*wanted)
    await turns()
    web.go.set()
    found = await asking
    assert {key.owner for key, _ in found} == {"https://a.example/u"}
    assert web.asked == ["https://a.example/u"]
    assert web.limits == [limits.ACTOR]


@pytest.mark.anyio
async def test_dos_45_few_keys_are_asked_for_at_once_and_fewer_of_one_host() -> None:
    web = Slow()
    resolver = actors.ActorResolver(cast(client.Client, web), Memory(), None, lambda: NOW)
    urls = [f"https://a.example/{number}" for number in range(10)]
    urls += [f"https://{number}.example/u" for number in range(100)]
    asking = asyncio.gather(
        *(resolver.key(f"{url}#main-key") for url in urls), return_exceptions=True
    )
    await turns()
    assert len(web.asked) == limits.KEY_FETCHES
    assert sum("//a.example/" in url for url in web.asked) == limits.KEY_FETCHES_OF_HOST
    web.go.set()
    refused = [one for one in await asking if isinstance(one, Unreachable)]
    assert {one.code for one in refused} == {"too-many-key-fetches"}
    assert len(refused) == len(urls) - limits.KEY_FETCHES
    # That was nobody's fault, and is not remembered.
    await resolver.key("https://99.example/u#main-key")


@pytest.mark.anyio
async def test_too_many_misses_at_a_host_are_enough() -> None:
    """Addresses that are not there, named by the hundred, though their host answers each."""

    class Nowhere:
        asked = 0

        async def fetch_document(self, url: str, **_: Any) -> tuple[dict[str, Any], str]:
            self.asked += 1
            raise Gone("not-found", url)

    web = Nowhere()
    resolver = actors.ActorResolver(cast(client.Client, web), Memory(), None, lambda: NOW)
    for number in range(limits.MISSES_AT_HOST + 50):
        with pytest.raises(FederationError):
            await resolver.key(f"https://a.example/{number}#main-key")
    assert web.asked == limits.MISSES_AT_HOST
    with pytest.raises(Gone):
        await resolver.key("https://b.example/1#main-key")
