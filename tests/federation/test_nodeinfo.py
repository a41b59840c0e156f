"""What servers say about themselves."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from federation import addresses, client, limits, nodeinfo
from federation.errors import Gone, Refused

DOCUMENT: dict[str, Any] = {
    "version": "2.1",
    "software": {"name": "echoppe", "version": "1.0.0"},
    "metadata": {"nodeName": "Fontvieille"},
}


class Server:
    """Answers JSON by path, and remembers the paths that were asked for."""

    def __init__(self) -> None:
        self.port = 0
        self.open = 0
        self.documents: dict[str, Any] = {}
        self.content_type = "application/json; charset=utf-8"
        self.asked: list[str] = []

    def origin(self, name: str = "a.test") -> str:
        return f"http://{name}:{self.port}"

    def links(self, *links: tuple[object, object]) -> None:
        self.documents["/.well-known/nodeinfo"] = {
            "links": [{"rel": relation, "href": href} for relation, href in links]
        }

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            await self.answer(reader, writer)
        finally:
            writer.close()
            self.open -= 1

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).decode().split(" ")[1]
        self.asked.append(path)
        status, location, document = "200 OK", "", self.documents.get(path)
        if document is None:
            status = "404 Not Found"
        elif isinstance(document, str):
            status, location = "302 Found", f"Location: {document}\r\n"
        body = json.dumps(document).encode()
        writer.write(
            f"HTTP/1.1 {status}\r\nContent-Type: {self.content_type}\r\n{location}"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
            + body
        )
        with contextlib.suppress(ConnectionError):
            await writer.drain()
            writer.close()
            await writer.wait_closed()


async def loopback(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[tuple[Server, client.Client]]:
    server = Server()
    listening = await asyncio.start_server(server.handle, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    policy = addresses.Policy(frozenset(f"{name}.test:{server.port}" for name in "ab"))
    try:
        async with client.Client(policy, "test", resolver=loopback, total_time=30.0) as asker:
            yield server, asker
    finally:
        listening.close()
        for _ in range(500):  # none is left behind for the loop to close, however busy the machine
            await asyncio.sleep(0.01)
            if not server.open:
                break


def test_the_discovery_document_names_the_schema_and_the_application() -> None:
    told = nodeinfo.discovery("https://town.example", "/nodeinfo/2.1", "/users/instance")
    assert told == {
        "links": [
            {
                "rel": "http://nodeinfo.diaspora.software/ns/schema/2.1",
                "href": "https://town.example/nodeinfo/2.1",
            },
            {
                "rel": "https://www.w3.org/ns/activitystreams#Application",
                "type": "application/activity+json",
                "href": "https://town.example/users/instance",
            },
        ]
    }


def test_a_document_has_what_the_schema_requires_and_invents_nothing() -> None:
    assert nodeinfo.document(
        "echoppe", "1.0.0", {}, open_registrations=False, metadata={"nodeName": "x"}
    ) == {
        "version": "2.1",
        "software": {"name": "echoppe", "version": "1.0.0"},
        "protocols": ["activitypub"],
        "services": {"inbound": [], "outbound": []},
        "openRegistrations": False,
        "usage": {"users": {}},
        "metadata": {"nodeName": "x"},
    }
    more = nodeinfo.document(
        "echoppe",
        "1.0.0",
        {"total": 12},
        open_registrations=True,
        metadata={},
        local_posts=0,
        repository="https://code.example/echoppe",
        homepage="https://echoppe.example/",
    )
    assert more["usage"] == {"users": {"total": 12}, "localPosts": 0}
    assert more["software"]["repository"] == "https://code.example/echoppe"
    assert more["software"]["homepage"] == "https://echoppe.example/"
    assert nodeinfo.MEDIA_TYPE == (
        'application/json; profile="http://nodeinfo.diaspora.software/ns/schema/2.1#"'
    )


@pytest.mark.anyio
async def test_what_we_publish_is_what_others_read() -> None:
    async with serving() as (server, asker):
        origin = server.origin()
        server.documents["/.well-known/nodeinfo"] = nodeinfo.discovery(origin, "/ni", "/users/i")
        server.documents["/ni"] = nodeinfo.document(
            "echoppe", "1.0.0", {}, open_registrations=False, metadata={"nodeName": "x"}
        )
        assert await nodeinfo.discover(asker, origin) == nodeinfo.NodeInfo(
            "echoppe", "1.0.0", f"{origin}/users/i", {"nodeName": "x"}
        )
        server.content_type = "application/jrd+json"
        assert (await nodeinfo.discover(asker, origin)).software == "echoppe"
        server.content_type = "text/html"
        with pytest.raises(Refused, match="wrong-content-type"):
            await nodeinfo.discover(asker, origin)


@pytest.mark.anyio
async def test_the_newer_schema_is_preferred() -> None:
    async with serving() as (server, asker):
        origin = server.origin()
        server.documents |= {"/2.0": DOCUMENT, "/2.1": DOCUMENT}
        server.links((nodeinfo.SCHEMA_2_0, f"{origin}/2.0"), (nodeinfo.SCHEMA_2_1, f"{origin}/2.1"))
        await nodeinfo.discover(asker, origin)
        server.links((nodeinfo.SCHEMA_2_0, f"{origin}/2.0"))
        assert (await nodeinfo.discover(asker, origin)).application_actor is None
        assert server.asked[1::2] == ["/2.1", "/2.0"]


@pytest.mark.anyio
async def test_what_is_on_another_host_does_not_count() -> None:
    async with serving() as (server, asker):
        origin, other = server.origin("a.test"), server.origin("b.test")
        server.documents["/2.1"] = DOCUMENT
        server.links((nodeinfo.SCHEMA_2_1, f"{other}/2.1"))
        with pytest.raises(Refused, match="no-nodeinfo"):
            await nodeinfo.discover(asker, origin)
        for foreign in (f"{other}/users/i", f"{origin}/users/../i", f"{origin}/i#x", 7, None, []):
            server.links((nodeinfo.SCHEMA_2_1, f"{origin}/2.1"), (nodeinfo.APPLICATION, foreign))
            assert (await nodeinfo.discover(asker, origin)).application_actor is None


@pytest.mark.anyio
async def test_a_server_cannot_hand_the_question_on_to_another() -> None:
    async with serving() as (server, asker):
        server.documents["/2.1"] = DOCUMENT
        server.links((nodeinfo.SCHEMA_2_1, f"{server.origin()}/2.1"))
        server.documents["/2.1"] = f"{server.origin('b.test')}/elsewhere"
        with pytest.raises(Refused):
            await nodeinfo.discover(asker, server.origin())
        assert "/elsewhere" not in server.asked
        server.documents |= {"/2.1": "/moved", "/moved": DOCUMENT}
        assert (await nodeinfo.discover(asker, server.origin())).software == "echoppe"


@pytest.mark.anyio
@pytest.mark.parametrize(
    "links",
    [None, 7, "x", [], {}, [None, 7, [], {}], [{"rel": 7, "href": 7}], [{"rel": [], "href": {}}]],
)
async def test_links_of_any_shape_are_read_safely(links: object) -> None:
    async with serving() as (server, asker):
        server.documents["/.well-known/nodeinfo"] = {"links": links}
        with pytest.raises(Refused, match="no-nodeinfo"):
            await nodeinfo.discover(asker, server.origin())


@pytest.mark.anyio
@pytest.mark.parametrize(
    "software", [None, 7, "echoppe", [], {}, {"name": 7}, {"name": ""}, {"name": None}]
)
async def test_software_without_a_name_is_refused(software: object) -> None:
    async with serving() as (server, asker):
        server.links((nodeinfo.SCHEMA_2_1, f"{server.origin()}/2.1"))
        server.documents["/2.1"] = {"software": software}
        with pytest.raises(Refused, match="bad-nodeinfo"):
            await nodeinfo.discover(asker, server.origin())


@pytest.mark.anyio
async def test_what_is_told_is_bounded() -> None:
    async with serving() as (server, asker):
        server.links((nodeinfo.SCHEMA_2_1, f"{server.origin()}/2.1"))
        server.documents["/2.1"] = {
            "software": {"name": "x" * 5000, "version": ["1"]},
            "metadata": ["no object"],
        }
        told = await nodeinfo.discover(asker, server.origin())
        assert (told.software, told.version, told.metadata) == ("x" * 100, "", {})
        server.documents["/2.1"] = DOCUMENT | {"metadata": {"x": "x" * limits.DISCOVERY}}
        with pytest.raises(Refused, match="answer-too-large"):
            await nodeinfo.discover(asker, server.origin())
        with pytest.raises(Refused, match="too-many-fetches"):
            await nodeinfo.discover(asker, server.origin(), budget=client.Budget(1))


@pytest.mark.anyio
async def test_a_server_that_tells_nothing() -> None:
    async with serving() as (server, asker):
        with pytest.raises(Gone, match="not-found"):
            await nodeinfo.discover(asker, server.origin())
        for origin in ("", "a.test", "https://127.0.0.1", "ftp://a.example"):
            with pytest.raises(Refused):
                await nodeinfo.discover(asker, origin)
