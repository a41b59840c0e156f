"""Markup and letters of others: what becomes of them where people read (design: safety, 1F).

Text of others is text: no tag, link, class or picture of theirs is ever written out again. So what
is looked at is that there is none, in what is kept and on the pages.
"""

import html.parser
import time
import unicodedata
import uuid

import pytest

from federation import documents
from federation.errors import Refused
from node.exchange import values
from tests import neighbours
from tests.hostile import stub
from tests.hostile.arena import Arena

MARKUP = {
    "htm_01": "<script>alert(1)</script><b onclick=alert(1)>doux</b>"
    '<a href="&#106;avascript:alert(1)">a</a><a href="data:text/html,x">b</a>',
    "htm_02": "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=x "
    "onerror=alert(1)&gt;'><svg><svg><p><style><a id='</style><img src=x onerror=alert(1)>'>doux",
    "htm_04": '<img src="https://evil.example/pixel.gif"><picture><source srcset=x></picture>doux',
    "htm_05": '<a href="//evil.example/">doux</a><a href="/compte">x</a><a href="x">y</a>',
    "htm_06": '<a href="https://evil.example/" target="_blank" rel="opener">doux</a>',
    "htm_07": '<a href="https://evil.example/">doux https://bank.example/</a>',
    "htm_13": '<p class="steward" id="main" style="position:fixed">doux</p><form action=x><input>',
}


class Page(html.parser.HTMLParser):
    """The tags of a page, with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def is_inert(page: Page) -> bool:
    """No script in the page itself, no handler, no style, no address of another's."""
    for tag, attributes in page.tags:
        if tag == "script" and not (attributes.get("src") or "").startswith("/"):
            assert attributes.get("type") == "application/ld+json", attributes
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            assert name != "style", tag
            assert "evil.example" not in (value or "") or name in ("content", "value", "title")
            assert not (value or "").lower().startswith(("javascript:", "data:text"))
    return True


@pytest.mark.parametrize("case", MARKUP)
def test_htm_01_02_04_05_06_07_13_markup_of_others_leaves_text_alone(case: str) -> None:
    plain = documents.text(values.plain(MARKUP[case]), 500) or ""
    assert ("doux" in plain) is (case != "htm_02")  # of what nests in no sane way, nothing is left
    assert not Page(plain).tags
    assert "alert" not in plain
    assert "https://evil.example" not in plain  # a link's text stays, and where it led is gone


def test_htm_02_what_was_escaped_stays_text(arena: Arena) -> None:
    """Taken out once, and not read as markup again, however often it was escaped."""
    shop, _ = arena.shop()
    for escaped in ("&lt;script&gt;", "&amp;lt;script&amp;gt;", "&#60;script&#62;"):
        summary = f"<p>{escaped}alert(1)</p> {uuid.uuid4().hex}"
        told = {**shop.document(), "summary": summary}
        assert arena.post(shop, shop.activity("Update", told)).status == 202
        mark = summary[-32:]
        (shown,) = neighbours.eventually(
            lambda mark=mark: [
                one["summary"] for one in arena.get("/api/v1/shops")["shops"]
                if mark in (one["summary"] or "")
            ]
        )  # fmt: skip
        assert "<p>" not in shown
        assert shown == values.plain(summary).strip()  # type: ignore[union-attr]


@pytest.mark.parametrize("case", MARKUP)
def test_htm_01_02_04_05_06_07_13_pages_show_what_merchants_write_as_text(
    arena: Arena, case: str
) -> None:
    """On the node's own pages, from the one end to the other."""
    name = f"Tulipe {case} {MARKUP[case]}"[:120]
    made = arena.town.run(
        "listing", "add", "fleurs", "--name", name, "--price", "1", "--description", MARKUP[case]
    )
    try:
        note = arena.get(made["uri"].removeprefix(arena.town.url))
        for path in ("/@fleurs", note["url"].removeprefix(arena.town.url), "/"):
            reply = stub.send(arena.town.authority, "GET", path, [("Accept", "text/html")])
            assert reply.status == 200, path
            page = Page(reply.body.decode())
            assert is_inert(page)
        assert case in page.text or path == "/"
        # What leaves for others is made of our own few tags.
        sent = Page(note["content"])
        assert {tag for tag, _ in sent.tags} <= {"p", "strong", "br", "a"}
        assert [a["href"] for tag, a in sent.tags if tag == "a"] == [note["url"]]
    finally:
        arena.town.run("listing", "withdraw", made["id"])


def test_htm_08_two_hundred_thousand_tags_cost_little(arena: Arena) -> None:
    begun = time.process_time()
    for markup in ("<b>" * 200_000, "<b " * 200_000, "<" * 200_000, "<br" + " " * 200_000,
                   "</p" * 200_000 + ">", "&lt" * 200_000, "<!--" * 200_000):  # fmt: skip
        values.plain(markup)
    assert time.process_time() - begun < 20
    shop, _ = arena.shop()
    note = shop.note("lampe", content="<b>" * 60_000)
    assert arena.post(shop, shop.activity("Create", note)).status == 202
    arena.settle()


def test_htm_10_a_host_is_shown_as_it_is_dialled(arena: Arena) -> None:
    """Letters that only look like another host's never stand in an id, nor where one is shown."""
    for host in ("раураl.com", "xn--80aa0aec1b.com/@раураl", "pаypal.example"):
        with pytest.raises(Refused):
            documents.check_id(f"https://{host}/users/a")
    shop, _ = arena.shop()
    told = {**shop.document(), "name": "раураl", "url": "https://раураl.com/"}
    assert arena.post(shop, shop.activity("Update", told)).status == 202
    neighbours.eventually(
        lambda: any(one["name"] == "раураl" for one in arena.get("/api/v1/shops")["shops"])
    )
    (one,) = (one for one in arena.get("/api/v1/shops")["shops"] if one["name"] == "раураl")
    assert one["url"].startswith(arena.peer.url)  # so a page can say whose it is


def test_htm_11_marks_upon_marks_are_cut(arena: Arena) -> None:
    shop, _ = arena.shop()
    name = "lampe z" + "\u0301\u0489" * 10_000
    note = shop.note(name)
    assert arena.post(shop, shop.activity("Create", note)).status == 202
    neighbours.eventually(lambda: note["id"] in arena.found("lampe"))
    shown = arena.found("lampe")[note["id"]][0]
    assert len(shown) <= 120
    turned = shop.note("lampe \u202egnol\u202c\u2066x\u2069 \u0007\u0000")
    assert arena.post(shop, shop.activity("Create", turned)).status in (202, 400)
    arena.settle()
    for hit in arena.found("lampe").values():
        assert not any(unicodedata.category(sign) == "Cc" for sign in hit[0])
        assert not set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068") & set(hit[0])


@pytest.mark.parametrize(
    "handle",
    ["Fleurs", "FLEURS", "ｆleurs", "fleurs\u200b", "flеurs", "fleurs ", "ﬂeurs", "fle\u0301urs",
     "instance", "inbox", "a b", "", "x" * 100, "../x", "a/b", "a@b", "é"],
)  # fmt: skip
def test_htm_12_two_handles_that_read_the_same(arena: Arena, handle: str) -> None:
    before = arena.get("/api/v1/shops")
    said = arena.town.run(
        "shop", "add", handle, "--name", "Autre", "--commune", "Bordeaux", status=1
    )
    assert said.startswith("echoppe: ")
    assert arena.get("/api/v1/shops") == before
