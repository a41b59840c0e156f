"""Handles: what we answer about ours, and what we believe about those of others."""

import asyncio
import contextlib
import json
import urllib.parse
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import addresses, client, limits, webfinger
from federation.errors import FederationError, Gone, Refused

JRD = "application/jrd+json; charset=utf-8"


class Town:
    """A server that answers WebFinger for several host names, on one port."""

    def __init__(self) -> None:
        self.port = 0
        self.open = 0
        # By host name and account (with the name's port left out), what is answered.
        self.accounts: dict[tuple[str, str], tuple[str, str, dict[str, Any]]] = {}
        self.asked: list[str] = []

    def at(self, name: str) -> str:
        return f"{name}:{self.port}"

    def knows(
        self,
        name: str,
        account: str,
        *,
        subject: object = None,
        href: object = None,
        status: str = "200 OK",
        content_type: str = JRD,
        **more: Any,
    ) -> None:
        user, _, home = account.partition("@")
        self.accounts[name, account] = (
            status,
            content_type,
            {
                "subject": f"acct:{user}@{self.at(home)}" if subject is None else subject,
                "links": [
                    {"rel": "self", "type": "text/html", "href": "https://wrong.example/"},
                    {
                        "rel": "self",
                        "type": "application/activity+json",
                        "href": href or f"http://{self.at(name)}/users/{user}",
                    },
                ],
            }
            | more,
        )

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            await self.answer(reader, writer)
        finally:
            writer.close()
            self.open -= 1

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split(" ")[1]
        name = next(line[6:] for line in head.split("\r\n") if line.lower().startswith("host: "))
        name = name.partition(":")[0]
        url = urllib.parse.urlsplit(path)
        assert url.path == "/.well-known/webfinger"
        resource = urllib.parse.parse_qs(url.query)["resource"][0]
        self.asked.append(f"{name} {resource}")
        account = resource.removeprefix("acct:").removesuffix(f":{self.port}")
        status, content_type, document = self.accounts.get(
            (name, account), ("404 Not Found", JRD, {})
        )
        body = json.dumps(document).encode()
        location = f"Location: {document['to']}{path}\r\n" if "to" in document else ""
        writer.write(
            f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\n{location}"
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
async def towns(*names: str) -> AsyncIterator[tuple[Town, client.Client]]:
    town = Town()
    server = await asyncio.start_server(town.handle, "127.0.0.1", 0)
    town.port = server.sockets[0].getsockname()[1]
    policy = addresses.Policy(frozenset(town.at(name) for name in names))
    try:
        async with client.Client(policy, "test", resolver=loopback, total_time=30.0) as asker:
            yield town, asker
    finally:
        server.close()
        for _ in range(500):  # none is left behind for the loop to close, however busy the machine
            await asyncio.sleep(0.01)
            if not town.open:
                break


# What we answer.


def test_resource_for_and_parse_resource_agree() -> None:
    resource = webfinger.resource_for("epicerie", "town.example")
    assert resource == "acct:epicerie@town.example"
    assert webfinger.parse_resource(resource) == ("acct", "epicerie", "town.example")


@pytest.mark.parametrize(
    ("resource", "parsed"),
    [
        ("ACCT:Epicerie@Town.Example", ("acct", "Epicerie", "town.example")),
        ("@a@town.example", ("acct", "a", "town.example")),
        ("a.b_c-d~e@127.0.0.1:8001", ("acct", "a.b_c-d~e", "127.0.0.1:8001")),
        ("https://town.example/users/a", ("url", "https://town.example/users/a")),
        ("https://town.example/", ("url", "https://town.example/")),
        ("http://127.0.0.1:8001/@a", ("url", "http://127.0.0.1:8001/@a")),
    ],
)
def test_what_may_be_asked(resource: str, parsed: tuple[str, ...]) -> None:
    assert webfinger.parse_resource(resource) == parsed


@pytest.mark.parametrize(
    "resource",
    [
        "",
        "acct:",
        "acct:a",
        "a@",
        "@b",
        "a@b@c",
        "acct:acct:a@b",
        "mailto:a@b.example",
        "a@b.example/",
        "a@b.example:1234567",
        "a\n@b.example",
        "a@b.example\n",
        "é@b.example",
        "a" * 256 + "@b.example",
        "https://user@town.example/",
        "https://town.example/../a",
        "file:///etc/passwd",
        "https://town.example/" + "a" * limits.URL,
        "acct:" + "a" * 1_000_000,
    ],
)
def test_what_is_no_resource_is_refused(resource: str) -> None:
    with pytest.raises(Refused, match="bad-resource"):
        webfinger.parse_resource(resource)


@given(st.text())
def test_any_text_is_a_resource_or_refused(resource: str) -> None:
    with contextlib.suppress(Refused):
        webfinger.parse_resource(resource)


def test_a_document_links_the_actor_the_page_and_the_way_to_follow() -> None:
    template = "https://town.example/follow?uri={uri}"
    assert webfinger.document(
        "acct:a@town.example",
        ["https://town.example/@a"],
        "https://town.example/users/a",
        "https://town.example/@a",
        template,
    ) == {
        "subject": "acct:a@town.example",
        "aliases": ["https://town.example/@a"],
        "links": [
            {
                "rel": "self",
                "type": "application/activity+json",
                "href": "https://town.example/users/a",
            },
            {
                "rel": "http://webfinger.net/rel/profile-page",
                "type": "text/html",
                "href": "https://town.example/@a",
            },
            {"rel": "http://ostatus.org/schema/1.0/subscribe", "template": template},
        ],
    }
    bare = webfinger.document("acct:a@b.example", [], "https://b.example/a")
    assert [link["rel"] for link in bare["links"]] == ["self"]


def test_host_meta_is_xml_and_names_webfinger() -> None:
    root = ET.fromstring(webfinger.host_meta("https://town.example"))
    (link,) = root
    assert root.tag == "{http://docs.oasis-open.org/ns/xri/xrd-1.0}XRD"
    assert link.attrib == {
        "rel": "lrdd",
        "type": "application/jrd+json",
        "template": "https://town.example/.well-known/webfinger?resource={uri}",
    }
    ET.fromstring(webfinger.host_meta('https://town.example/"&<'))


# What we ask and believe.


@pytest.mark.anyio
async def test_a_handle_leads_to_an_actor() -> None:
    async with towns("a.test") as (town, asker):
        town.knows("a.test", "shop@a.test")
        host = town.at("a.test")
        for handle in (
            f"shop@{host}",
            f"@shop@{host}",
            f"acct:shop@{host}",
            f"shop@{host.upper()}",
        ):
            assert await webfinger.lookup(asker, handle) == f"http://{host}/users/shop"
        assert set(town.asked) == {f"a.test acct:shop@{host}"}


@pytest.mark.anyio
async def test_a_document_of_ours_is_understood() -> None:
    async with towns("a.test") as (town, asker):
        host = town.at("a.test")
        actor = f"http://{host}/users/shop"
        ours = webfinger.document(webfinger.resource_for("shop", host), [], actor)
        town.accounts["a.test", "shop@a.test"] = ("200 OK", JRD, ours)
        assert await webfinger.lookup(asker, f"shop@{host}") == actor


@pytest.mark.anyio
async def test_case_of_the_user_does_not_matter() -> None:
    async with towns("a.test") as (town, asker):
        host = town.at("a.test")
        town.knows("a.test", "SHOP@a.test", subject=f"acct:Shop@{host.upper()}")
        assert await webfinger.lookup(asker, f"SHOP@{host}") == f"http://{host}/users/SHOP"


@pytest.mark.anyio
@pytest.mark.parametrize(
    "subject",
    [
        "acct:other@{host}",
        "acct:shop@b.test",
        "acct:shop@a.test",
        "acct:shop@localhost",
        "shop@{host}",
        "acctXshop@{host}",
        "http://{host}/users/shop",
        "acct:shop@{host} ,",
        "",
        "acct:",
        7,
        ["acct:shop@{host}"],
    ],
)
async def test_org_14_the_subject_is_the_account_that_was_asked_for(subject: object) -> None:
    async with towns("a.test") as (town, asker):
        host = town.at("a.test")
        if isinstance(subject, str):
            subject = subject.format(host=host)
        town.knows("a.test", "shop@a.test", subject=subject)
        with pytest.raises(Refused):
            await webfinger.lookup(asker, f"shop@{host}")


@pytest.mark.anyio
@pytest.mark.parametrize(
    "href",
    [
        "http://plain.example/users/shop",
        "https://127.0.0.1/users/shop",
        "https://user@a.example/",
        "//a.example/",
        "acct:a@b",
        "javascript:alert(1)",
        7,
        ["https://a.example/"],
        {"a": 1},
    ],
)
async def test_org_14_the_self_link_is_dialable(href: object) -> None:
    async with towns("a.test") as (town, asker):
        town.knows("a.test", "shop@a.test", href=href)
        with pytest.raises(Refused):
            await webfinger.lookup(asker, f"shop@{town.at('a.test')}")


@pytest.mark.anyio
@pytest.mark.parametrize(
    "links",
    [
        None,
        [],
        "self",
        7,
        [None, 7, [], {}],
        [{"rel": "self", "href": "http://a.test/"}],
        [{"rel": "self", "type": "application/json", "href": "http://a.test/"}],
        [{"rel": ["self"], "type": "application/activity+json", "href": "http://a.test/"}],
        [{"rel": "alternate", "type": "application/activity+json", "href": "http://a.test/"}],
    ],
)
async def test_a_document_without_an_actor_is_refused(links: object) -> None:
    async with towns("a.test") as (town, asker):
        town.knows("a.test", "shop@a.test", links=links)
        with pytest.raises(Refused, match="no-actor"):
            await webfinger.lookup(asker, f"shop@{town.at('a.test')}")


@pytest.mark.anyio
async def test_an_answer_is_read_so_far_and_no_further() -> None:
    async with towns("a.test") as (town, asker):
        host = town.at("a.test")
        link = {
            "rel": "self",
            "type": 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"',
            "href": f"http://{host}/users/shop",
        }
        town.knows("a.test", "shop@a.test", links=[{}] * 1000 + [link, link | {"href": "x"}])
        assert await webfinger.lookup(asker, f"shop@{host}") == link["href"]
        town.knows("a.test", "shop@a.test", padding="x" * limits.DISCOVERY)
        with pytest.raises(Refused, match="answer-too-large"):
            await webfinger.lookup(asker, f"shop@{host}")


@pytest.mark.anyio
async def test_org_13_an_actor_elsewhere_must_answer_to_the_account() -> None:
    async with towns("a.test", "b.test") as (town, asker):
        handle, there = f"shop@{town.at('a.test')}", f"http://{town.at('b.test')}/users/shop"
        town.knows("a.test", "shop@a.test", href=there)
        with pytest.raises(Gone):  # b.test knows of nothing
            await webfinger.lookup(asker, handle)
        town.knows("b.test", "shop@b.test")
        with pytest.raises(Refused, match="wrong-subject"):  # it has a shop, which is its own
            await webfinger.lookup(asker, handle)
        subject = f"acct:{handle}"
        town.knows("b.test", "shop@b.test", subject=subject, href=there + "2")
        with pytest.raises(Refused, match="unconfirmed-actor"):  # it means another actor
            await webfinger.lookup(asker, handle)
        town.asked.clear()
        town.knows("b.test", "shop@b.test", subject=subject)
        assert await webfinger.lookup(asker, handle) == there
        assert len(town.asked) == 2
        with pytest.raises(Refused, match="too-many-fetches"):
            await webfinger.lookup(asker, handle, budget=client.Budget(1))


@pytest.mark.anyio
async def test_org_13_a_third_host_cannot_confirm() -> None:
    async with towns("a.test", "b.test", "c.test") as (town, asker):
        handle, there = f"shop@{town.at('a.test')}", f"http://{town.at('b.test')}/users/shop"
        town.knows("a.test", "shop@a.test", href=there)
        # b.test names an actor on c.test for it: then it is not b.test that speaks for its own.
        town.knows(
            "b.test",
            "shop@b.test",
            subject=f"acct:{handle}",
            href=f"http://{town.at('c.test')}/users/shop",
        )
        with pytest.raises(Refused, match="unconfirmed-actor"):
            await webfinger.lookup(asker, handle)


@pytest.mark.anyio
async def test_an_account_that_is_not_known_is_gone() -> None:
    async with towns("a.test") as (town, asker):
        with pytest.raises(Gone, match="not-found"):
            await webfinger.lookup(asker, f"nobody@{town.at('a.test')}")


@pytest.mark.anyio
async def test_only_json_is_read() -> None:
    async with towns("a.test") as (town, asker):
        handle = f"shop@{town.at('a.test')}"
        for content_type, good in (
            ("application/json", True),
            ("Application/JRD+JSON;charset=utf-8", True),
            ("text/html", False),
            ("application/xrd+xml", False),
        ):
            town.knows("a.test", "shop@a.test", content_type=content_type)
            if good:
                await webfinger.lookup(asker, handle)
            else:
                with pytest.raises(Refused, match="wrong-content-type"):
                    await webfinger.lookup(asker, handle)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "handle",
    [
        "",
        "shop",
        "shop@",
        "@town.example",
        "shop@town.example/path",
        "shop@town.example?x",
        "shop@evil.example#@town.example",
        "a b@town.example",
        "shop@town.example\n",
        "https://town.example/@shop",
        "shop@localhost",
        "shop@127.0.0.1",
        "shop@2130706433",
        "shop@[::1]",
        "shop@town.example:8443",
        "shop@town.example:x",
        "shop@" + "a" * 300,
        "a" * 300 + "@town.example",
    ],
)
async def test_what_is_no_handle_is_not_asked_about(handle: str) -> None:
    async def never(host: str, port: int) -> Sequence[str]:
        raise AssertionError(host)

    async with client.Client(addresses.Policy(), "test", resolver=never) as asker:
        with pytest.raises(Refused):
            await webfinger.lookup(asker, handle)


@pytest.mark.anyio
async def test_a_public_host_is_asked_by_https_under_its_ascii_name() -> None:
    asked: list[tuple[str, int]] = []

    async def inside(host: str, port: int) -> Sequence[str]:
        asked.append((host, port))
        return ["10.0.0.1"]

    for policy in (addresses.Policy(), addresses.Policy(frozenset({"127.0.0.1:8001"}))):
        async with client.Client(policy, "test", resolver=inside) as asker:
            with pytest.raises(Refused, match="address-refused"):
                await webfinger.lookup(asker, "shop@épicerie.example")
    assert asked == [("xn--picerie-9xa.example", 443)] * 2


@given(handle=st.text())
def test_any_handle_ends_in_one_of_our_errors(handle: str) -> None:
    async def nowhere(host: str, port: int) -> Sequence[str]:
        return []

    async def ask() -> None:
        async with client.Client(addresses.Policy(), "test", resolver=nowhere) as asker:
            with pytest.raises(FederationError):
                await webfinger.lookup(asker, handle)

    asyncio.run(ask())
