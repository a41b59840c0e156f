"""`echoppe proof`: nothing on a real node; each kind of planted tracker on a site that has them."""

import http.server
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node import proof, proof_browser
from tests import neighbours

PLANTED = {
    "pixel": '<img src="http://pixel.example/p.gif">',
    "script": '<script src="https://script.example/t.js"></script>',
    "style": '<link rel="stylesheet" href="//style.example/s.css">',
    "preconnect": '<link rel="preconnect" href="https://preconnect.example">',
    "srcset": '<img src="/ok.png" srcset="/ok.png 1x, https://srcset.example/b.png 2x">',
    "iframe": '<iframe src="https://frame.example/"></iframe>',
    "srcdoc": '<iframe srcdoc="&lt;img src=https://srcdoc.example/x&gt;"></iframe>',
    "inline": '<p style="background: url(https://inline.example/x.png)">x</p>',
    "block": "<style>@import 'https://block.example/x.css';</style>",
    "font": '<link rel="stylesheet" href="/own.css">',
    "poster": '<video poster="https://poster.example/p.jpg"></video>',
    "object": '<object data="https://object.example/o"></object>',
    "svg": '<svg><image href="https://svg.example/x.png" /></svg>',
    "refresh": '<meta http-equiv="refresh" content="600; url=https://refresh.example/">',
    "form": '<form action="https://form.example/"></form>',
    "ping": '<a href="/plain" ping="https://ping.example/">x</a>',
    "base": '<base href="https://base.example/"><img src="relative.png">',
    "redirect": '<img src="/away">',
}
# What only a browser can see.
SCRIPTED = {
    "beacon": 'navigator.sendBeacon("http://beacon.example/", "x")',
    "fetch": 'fetch("http://fet" + "ch.example/").catch(() => 0)',
    "socket": 'new WebSocket("ws://socket.example/")',
    "picture": 'new Image().src = "http://made.example/x"',
    "cookie": 'document.cookie = "planted=1"',
    "local": 'localStorage.setItem("planted", "1")',
    "session": 'sessionStorage.setItem("planted", "1")',
    "database": 'indexedDB.open("planted")',
    # What a page does when it has come, however long that took.
    "late": "document.write('<img src=\"/slow\">'); "
    "onload = () => setTimeout(() => fetch('http://late.example/'), 50)",
    "worker": "new Worker(URL.createObjectURL(new Blob("
    "['fetch(\"http://worker.example/\")'], {type: 'text/javascript'})))",
}


class Pages(http.server.BaseHTTPRequestHandler):
    """A start page that links to one page for each tracker."""

    def do_GET(self) -> None:
        name = self.path.strip("/")
        kind, body, more = "text/html", "<p>Nothing here.", ()
        if name == "":
            names = (*PLANTED, *SCRIPTED, "header", "early", "plain", "https://link.example/")
            body = "".join(f'<a href="{one}">{one}</a>' for one in names)
        elif name in PLANTED:
            body = PLANTED[name]
        elif name in SCRIPTED:
            body = f"<script>{SCRIPTED[name]}</script>"
        elif name == "own.css":
            kind, body = "text/css", '@font-face { src: url("https://font.example/f.woff2") }'
        elif name == "header":
            more = (("Set-Cookie", "served=1; HttpOnly"),)
        elif name == "early":
            more = (("Link", "<https://early.example/x.css>; rel=preload"),)
        elif name == "slow":
            time.sleep(1)
        self.send_response(302 if name == "away" else 200)
        if name == "away":
            more = (("Location", "https://redirect.example/"),)
        for header, value in (("Content-Type", kind), ("Content-Length", str(len(body))), *more):
            self.send_header(header, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def planted() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def told(*arguments: str, status: int) -> Any:
    return json.loads(neighbours.echoppe("proof", *arguments, "--json", status=status).stdout)


def test_each_planted_tracker_is_found_by_reading(planted: str) -> None:
    found = told(planted, "--no-browser", "--pages", "60", status=1)
    at = {(one["page"].rsplit("/", 1)[1], one["what"]) for one in found["traces"]}
    hosts = {"pixel": "pixel", "iframe": "frame"} | {name: name for name in PLANTED if name not in
             ("pixel", "iframe")}  # fmt: skip
    for name, host in hosts.items():
        assert (name, f"{host}.example") in at, name
    assert ("header", "served") in at
    assert ("early", "early.example") in at
    assert found["cookies"] == ["served"]
    assert "link.example" not in found["outside_hosts"]  # a link asks nobody
    assert not [page for page, _ in at if page in ("", "plain")]
    assert found["complete"]


@pytest.mark.skipif(proof_browser.find() is None, reason="there is no Chromium")
def test_what_scripts_do_is_found_by_a_browser(planted: str) -> None:
    found = told(planted, "--pages", "60", status=1)
    seen = {(one["page"].rsplit("/", 1)[1], one["what"]) for one in found["traces"]
            if one["by"] == "browser"}  # fmt: skip
    for page, what in (
        ("beacon", "beacon.example"), ("fetch", "fetch.example"), ("socket", "socket.example"),
        ("picture", "made.example"), ("worker", "worker.example"), ("pixel", "pixel.example"),
        ("late", "late.example"), ("cookie", "planted"), ("header", "served"),
        ("local", "localStorage: planted"),
        ("session", "sessionStorage: planted"), ("database", "indexedDB: planted"),
    ):  # fmt: skip
        assert (page, what) in seen, page
    assert found["browser"].startswith("Chrome/")


def test_a_real_node_asks_nobody_and_leaves_nothing(tmp_path: Path) -> None:
    (town,) = neighbours.found(["Pessac"], tmp_path)
    with neighbours.serving([town]):
        town.run("shop", "add", "ruche", "--name", "La Ruche", "--commune", "Pessac")
        town.run("listing", "add", "ruche", "--name", "Miel", "--price", "9")
        assert "n’en ont pas encore publié" in town.get("/preuve").text
        found = town.run("proof", town.url, "--pages", "24", "--publish")
        assert len(found["pages"]) > 15
        assert (found["outside_hosts"], found["cookies"], found["storage"]) == ([], [], [])
        assert any("/@ruche/miel" in page for page in found["pages"])
        said = town.get("/preuve").text
        assert f"{len(found['pages'])} pages et {len(found['requests'])} requêtes" in said
        assert "default-src &#39;none&#39;" in said
        # Of another site, nothing is published here.
        other = town.run("proof", "http://127.0.0.1:9/", "--publish", status=1)
        assert "own address" in other


def test_a_site_that_cannot_be_read_proves_nothing() -> None:
    found = told(f"http://127.0.0.1:{neighbours.free_port()}/", status=1)
    assert not found["clean"]
    assert found["pages"] == []
    assert len(found["unread"]) == 1


def test_a_crawl_is_bounded() -> None:
    """A site without end, of pages that never come to an end of time."""
    now = [0.0]

    def fetch(url: str, most: int) -> proof.Answer:
        now[0] += 1
        number = int(url.rsplit("/", 1)[1] or 0)
        links = "".join(f'<a href="/{number * 3 + one}">' for one in (1, 2, 3))
        pictures = "".join(f'<img src="/picture/{number}{one}">' for one in range(20))
        html = (("Content-Type", "text/html"),)
        return proof.Answer(200, html, (links + pictures).encode())

    few = proof.crawl("http://a.example/", fetch, proof.Bounds(7, 50), lambda: now[0])
    assert len(few.pages) == 7
    assert len(few.requests) == 57
    assert not few.complete
    now[0] = 0
    short = proof.crawl("http://a.example/", fetch, proof.Bounds(seconds=10), lambda: now[0])
    assert len(short.requests) == 10
