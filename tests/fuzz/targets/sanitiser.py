"""Markup of others turned into text, and text of ours into markup.

The way around that is looked for: a tag that survives, or comes to life again on the page.
"""

import html.parser
import re

import markupsafe
import nh3

from federation import documents
from node.exchange import values

SEEDS = (
    b"<p>Bouquet <strong>rond</strong><br>25&nbsp;&euro;</p>",
    b"<script>alert(1)</script><p onclick=x>a</p>",
    b"&lt;script&gt;alert(1)&lt;/script&gt;",
    b"<math><mtext><form><mglyph><style></form><img src=x onerror=a()>",
    b"<svg><p><style><!--</style><img title='--&gt;&lt;img src=x onerror=a()&gt;'>",
    b"<a href='&#106;avascript:alert(1)'>a</a><a href=//evil>b</a>",
    b"<noscript><p title='</noscript><img src=x>'>",
    b"<br" * 50 + b">" * 50,
    b"<!--><img src=x>--><![CDATA[<b>]]><?php x ?>",
    "\u202e\u2066ｉ\u0301\u0000\u2028".encode(),
)
WORDS = (
    b"<p>", b"</p>", b"<br>", b"<script>", b"</script>", b"<style>", b"</style>", b"<svg>",
    b"<math>", b"<mtext>", b"<template>", b"<noscript>", b"<textarea>", b"<title>", b"<xmp>",
    b"<plaintext>", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"&lt;", b"&#60;", b"&#x3c;", b"&amp;",
    b"&lt;script&gt;", b" onerror=", b" href=", b"javascript:", b"'", b'"', b"\0", b"\xe2\x80\xae",
    b"\xe2\x80\xa8",
)  # fmt: skip
_UNSHOWN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class _Tags(html.parser.HTMLParser):
    """Another reader of HTML: which tags there are, and what text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.tags.append(f"/{tag}")

    def handle_comment(self, data: str) -> None:
        self.tags.append("!--")

    def handle_data(self, data: str) -> None:
        self.text += data


def tags(markup: str) -> _Tags:
    """What a reader finds in markup."""
    found = _Tags()
    found.feed(markup)
    found.close()
    return found


def one(data: bytes) -> None:
    """Takes the markup out, and puts what is left on a page as our templates do."""
    markup = data.decode("utf-8", "replace")
    assert not tags(nh3.clean(markup[:20_000], tags=set())).tags
    plain = values.plain(markup)
    assert plain is not None
    shown = documents.text(plain, 500)
    if shown is None:
        return
    assert 0 < len(shown) <= 500
    assert _UNSHOWN.search(shown) is None
    page = tags(f'<p title="{markupsafe.escape(shown)}">{markupsafe.escape(shown)}</p>')
    assert page.tags == ["p", "/p"], page.tags
    assert page.text == shown, (page.text, shown)
    # Text that is written for us as HTML, and read again, is the same text.
    if "<" not in shown and "&" not in shown:
        again = documents.text(values.plain(str(markupsafe.escape(shown))), 500)
        assert again == shown, (again, shown)
