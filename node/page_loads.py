"""What a page makes a browser ask for, read from its HTML, its styles and its headers.

Only what is asked for without a click: pictures, styles, scripts, fonts, frames, early connections,
pings. What a script asks for when it runs is not seen here; node/proof_browser.py watches that.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

_CSS = re.compile(
    r"""url\(\s*(?:"([^"]*)"|'([^']*)'|([^"')\s]+))\s*\)|@import\s+(?:"([^"]*)"|'([^']*)')""",
    re.IGNORECASE,
)
_REFRESH = re.compile(r"^\s*[\d.]*\s*[;,]?\s*(?:url\s*=\s*)?['\"]?(.*?)['\"]?\s*$", re.IGNORECASE)
_LINK = re.compile(r"<([^>]*)>([^<]*)")
_ADDRESS = re.compile(r"\b(?:https?|wss?)://[^\s\"'<>,;)]+", re.IGNORECASE)
# A <link> of these kinds asks for nothing; one of any other kind does, or may.
_QUIET = frozenset(
    """
    alternate author bookmark canonical help license me next nofollow noopener noreferrer pingback
    prev privacy-policy search shortlink tag terms-of-service up
    """.split()  # noqa: SIM905 (words read better as words)
)
# Attributes that make a browser ask, by element; "*" is any.
_LOADS: dict[str, tuple[str, ...]] = {
    "img": ("src",),
    "source": ("src",),
    "script": ("src", "href", "xlink:href"),
    "iframe": ("src",),
    "frame": ("src",),
    "embed": ("src",),
    "object": ("data",),
    "video": ("src", "poster"),
    "audio": ("src",),
    "track": ("src",),
    "input": ("src",),
    "image": ("href", "xlink:href"),
    "use": ("href", "xlink:href"),
    "feimage": ("href", "xlink:href"),
    "*": ("background", "ping", "manifest"),
}
_WITH_SETS = ("img", "source", "link")  # whose sets of pictures are lists of addresses
_HEADERS = ("report-to", "reporting-endpoints", "nel", "content-security-policy",
            "content-security-policy-report-only")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Load:
    """Something a page asks for: how (the element, `css`, `header`, `form`…), and its address."""

    how: str
    url: str


@dataclass(slots=True)
class Page:
    """What was read of one page."""

    loads: list[Load] = field(default_factory=list)
    links: list[str] = field(default_factory=list)


def of_html(text: str, url: str) -> Page:
    """What an HTML page asks for, and where it leads."""
    reader = _Reader(url)
    reader.feed(text)
    reader.close()
    return reader.page


def of_css(text: str, url: str, how: str = "css") -> list[Load]:
    """What a stylesheet asks for."""
    found = []
    for match in _CSS.finditer(text):
        address = _joined(url, next((part for part in match.groups() if part), ""))
        if address is not None:
            found.append(Load(how, address))
    return found


def of_headers(headers: Iterable[tuple[str, str]], url: str) -> list[Load]:
    """What the headers of an answer ask for: early loads, a way on, and where reports go.

    A policy that names other hosts lets a page ask them: they are told too.
    """
    found = []
    for name, value in headers:
        name = name.lower()
        if name == "link":
            for target, parameters in _LINK.findall(value):
                relation = re.search(r"rel\s*=\s*\"?([^\";]*)", parameters, re.IGNORECASE)
                if relation is None or _asks(relation[1]):
                    found += _loads("header link", url, target)
        elif name == "refresh":
            match = _REFRESH.match(value)
            found += _loads("header refresh", url, match[1] if match else "")
        elif name in _HEADERS:
            found += [Load(f"header {name}", one) for one in _ADDRESS.findall(value)]
    return found


def _asks(relation: str) -> bool:
    words = relation.lower().split()
    return "stylesheet" in words or not words or any(word not in _QUIET for word in words)


def _joined(base: str, address: str) -> str | None:
    """An address in full; None for what no server is asked."""
    try:
        found = urljoin(base, address.strip())
        scheme = urlsplit(found).scheme
    except ValueError:
        return None
    here = not address.strip() or address.strip().startswith("#")
    if here or scheme not in ("http", "https", "ws", "wss"):
        return None
    return found.partition("#")[0]


def _loads(how: str, base: str, *addresses: str) -> list[Load]:
    joined = (_joined(base, one) for one in addresses)
    return [Load(how, one) for one in joined if one is not None]


def _set_of_pictures(text: str) -> Iterator[str]:
    """The addresses of a srcset."""
    for candidate in re.split(r",\s+|,$", text.strip()):
        yield candidate.strip().split(" ")[0].strip(",")


class _Reader(HTMLParser):
    """Collects from start tags and from styles."""

    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self._base = url
        self._style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One element: HTML takes the first of two attributes of one name."""
        said: dict[str, str] = {}
        for name, value in attrs:
            said.setdefault(name, value or "")
        self._style = tag == "style"
        if tag == "base" and "href" in said:
            self._base = _joined(self._base, said["href"]) or self._base
        for name in (*_LOADS.get(tag, ()), *_LOADS["*"]):
            addresses = said.get(name, "")
            self._add(tag, *(addresses.split() if name == "ping" else (addresses,)))
        if tag in _WITH_SETS:
            for name in ("srcset", "imagesrcset"):
                self._add(f"{tag} {name}", *_set_of_pictures(said.get(name, "")))
        if tag == "link" and _asks(said.get("rel", "")):
            self._add(f"link {' '.join(said.get('rel', '').lower().split())}", said.get("href", ""))
        if tag == "meta" and said.get("http-equiv", "").lower() == "refresh":
            match = _REFRESH.match(said.get("content", ""))
            self._add("meta refresh", match[1] if match else "")
        if tag in ("a", "area") or (tag == "link" and "alternate" in said.get("rel", "").lower()):
            link = _joined(self._base, said.get("href", ""))
            if link is not None:
                self.page.links.append(link)
        if "style" in said:
            self.page.loads += of_css(said["style"], self._base)
        if "srcdoc" in said:
            self.page.loads += of_html(said["srcdoc"], self._base).loads
        for name in ("action", "formaction"):
            self._add("form", said.get(name, ""))

    def handle_data(self, data: str) -> None:
        """What stands between tags: read where it is a style."""
        if self._style:
            self.page.loads += of_css(data, self._base)

    def handle_endtag(self, tag: str) -> None:
        """The end of a style."""
        if tag == "style":
            self._style = False

    def _add(self, how: str, *addresses: str) -> None:
        self.page.loads += _loads(how, self._base, *addresses)
