"""News and events taken over from elsewhere: proposed, published, followed; and what is refused."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests import neighbours
from tests.flows.test_merchant import Browser, hidden, signed_in
from tests.neighbours import Town, eventually

DAY = f"{datetime.now(UTC) + timedelta(days=6):%Y%m%d}"


@dataclass
class Elsewhere:
    """A site with files that change."""

    port: int = 0
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, int]] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Elsewhere]:
    """Serves what the tests put there, with ETags."""
    site = Elsewhere()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = site.files.get(self.path)
            etag = f'"{hash(body) & 0xFFFFFFFF:x}"'
            known = self.headers.get("If-None-Match") == etag
            status = 404 if body is None else 304 if known else 200
            site.asked.append((self.path, status))
            self.send_response(status)
            if status == 200:
                self.send_header("ETag", etag)
                self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            if status == 200:
                with contextlib.suppress(ConnectionError):  # who had enough hangs up
                    self.wfile.write(body or b"")

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield site
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, elsewhere: Elsewhere) -> Iterator[Town]:
    """Pessac, which may dial that site."""
    port = neighbours.free_port()
    folder = tmp_path_factory.mktemp("sources") / "pessac"
    neighbours.echoppe(
        "init", str(folder), "--url", f"http://127.0.0.1:{port}", "--listen", f"127.0.0.1:{port}",
        "--name", "Boutiques", "--commune", "Pessac",
        "--private-peer", f"127.0.0.1:{elsewhere.port}",
    )  # fmt: skip
    town = Town(folder, port)
    with neighbours.serving([town]):
        yield town


@pytest.fixture(scope="module")
def steward(town: Town) -> Browser:
    return signed_in(town, "nadia@example.fr", "--role", "steward")


def calendar(*events: str) -> bytes:
    return ("BEGIN:VCALENDAR\r\n" + "".join(events) + "END:VCALENDAR\r\n").encode()


def event(uid: str, title: str, *more: str) -> str:
    lines = ["BEGIN:VEVENT", f"UID:{uid}", f"SUMMARY:{title}", f"DTSTART:{DAY}T100000Z", *more]
    return "".join(f"{line}\r\n" for line in [*lines, "END:VEVENT"])


def read_again(steward: Browser, town: Town, url: str) -> None:
    (source,) = [one for one in town.run("feed", "list") if one["url"] == url]
    assert (
        steward.post(f"/gestion/sources/{source['id']}", data={"deed": "read"}).status_code == 303
    )


def test_what_comes_waits_is_published_and_follows_its_source(
    town: Town, steward: Browser, elsewhere: Elsewhere
) -> None:
    elsewhere.files["/a.ics"] = calendar(event("1", "Loto"), event("2", "Bal <b>x</b>"))
    answer = steward.post(
        "/gestion/sources",
        data={"url": elsewhere.url("/a.ics"), "name": "Comité", "badge": "association"},
    )
    assert answer.headers["location"] == "/gestion/sources?fait=ajoute"
    eventually(lambda: "Bal &lt;b&gt;x&lt;/b&gt;" in steward.get("/gestion/sources").text)
    assert "Loto" not in town.get("/agenda").text
    assert "Sources (2 à examiner)" in steward.get("/gestion/agenda").text
    page = steward.get("/gestion/sources").text
    source = page.partition('action="/gestion/sources/')[2].partition('"')[0]
    path = f"/gestion/sources/{source}"
    assert steward.post(path, data={"deed": "publish", "guid": "1"}).status_code == 303
    assert steward.post(path, data={"deed": "refuse", "guid": "2"}).status_code == 303
    assert steward.post(path, data={"deed": "publish", "guid": "3"}).status_code == 404
    agenda = town.get("/agenda").text
    assert "Loto" in agenda
    assert '<span class="badge">Association</span> Comité' in agenda
    assert "Bal" not in agenda

    elsewhere.files["/a.ics"] = calendar(
        event("1", "Grand loto", "STATUS:CANCELLED"), event("2", "Bal encore")
    )
    read_again(steward, town, elsewhere.url("/a.ics"))
    eventually(lambda: "Grand loto" in town.get("/agenda").text)
    assert "Annulé" in town.get("/agenda").text
    assert "Bal encore" not in steward.get("/gestion/sources").text  # refused is refused

    elsewhere.files["/a.ics"] = calendar(event("2", "Bal encore"))
    read_again(steward, town, elsewhere.url("/a.ics"))
    eventually(lambda: "Grand loto" not in town.get("/agenda").text)
    read_again(steward, town, elsewhere.url("/a.ics"))
    eventually(lambda: elsewhere.asked[-1] == ("/a.ics", 304))


def test_a_trusted_feed_is_published_at_once_and_nothing_twice(
    town: Town, steward: Browser, elsewhere: Elsewhere
) -> None:
    item = "<item><guid>{0}</guid><title>{1}</title><description>Dès lundi.</description></item>"
    feed = "<rss><channel>" + item.format(1, "Le pont rouvre") + "</channel></rss>"
    elsewhere.files["/a.rss"] = feed.encode()
    town.run(
        "feed", "add", elsewhere.url("/a.rss"), "--name", "Le Journal", "--badge", "media",
        "--trusted",
    )  # fmt: skip
    eventually(lambda: "Le pont rouvre" in town.get("/actualites").text)
    # The same from another source waits, and says why.
    elsewhere.files["/b.rss"] = feed.replace("<guid>1", "<guid>autre").encode()
    town.run("feed", "add", elsewhere.url("/b.rss"), "--name", "Autre", "--trusted")
    eventually(lambda: "Déjà présent" in steward.get("/gestion/sources").text)
    assert town.get("/actualites").text.count("Le pont rouvre") == 1
    assert "known" not in town.run("feed", "add", elsewhere.url("/b.rss"), status=1)
    town.run("feed", "remove", elsewhere.url("/b.rss"))
    assert "Déjà présent" not in steward.get("/gestion/sources").text
    assert "Le pont rouvre" in town.get("/actualites").text


def problem(town: Town, url: str) -> str:
    return str(next(one["problem"] for one in town.run("feed", "list") if one["url"] == url))


def test_what_cannot_be_read_is_said_plainly(
    town: Town, steward: Browser, elsewhere: Elsewhere
) -> None:
    entity = b'<!DOCTYPE rss [<!ENTITY a "x">]><rss><channel/></rss>'
    elsewhere.files |= {
        "/large.ics": calendar("X-PADDING:" + "x" * (2 * 1024 * 1024) + "\r\n"),
        "/entity.rss": entity,
        "/page.html": b"<html></html>",
        "/odd.ics": calendar(event("1", "Toujours", "RRULE:FREQ=SECONDLY;COUNT=1000000")),
    }
    expected = {
        "/large.ics": ("answer-too-large", "dépasse 2\u202fMo"),
        "/entity.rss": ("bad-feed", "flux RSS ou Atom"),
        "/page.html": ("bad-feed", "flux RSS ou Atom"),
        "/odd.ics": ("unusable:1", "1 de ses évènements"),
        "/none.ics": ("not-found", "rien à cette adresse"),
    }
    for path in expected:
        town.run("feed", "add", elsewhere.url(path))
    private = "http://127.0.0.1:9/x.ics"
    town.run("feed", "add", private)
    for path, (code, _) in expected.items():
        eventually(lambda path=path, code=code: problem(town, elsewhere.url(path)) == code)
    eventually(lambda: problem(town, private) != "None")
    page = steward.get("/gestion/sources").text.replace("2 Mo", "2\u202fMo")
    for _, said in expected.values():
        assert said in page, said
    assert "adresses publiques" in page, problem(town, private)
    assert "Toujours" not in town.get("/agenda").text


def test_only_stewards_settle_sources(town: Town, steward: Browser) -> None:
    press = signed_in(town, "r@example.fr", "--role", "publisher", "--name", "x")
    assert press.get("/gestion/sources").status_code == 404
    data = {"url": "https://a.example/x", "name": "x", "badge": "media"}
    assert press.post("/gestion/sources", data=data).status_code == 404
    for wrong in ({"url": "file:///etc/passwd"}, {"url": "x"}, {"name": ""}):
        answer = steward.post("/gestion/sources", data={**data, **wrong})
        assert answer.status_code == 422
    assert hidden(steward.get("/gestion/actualites/ecrire").text, "form")
