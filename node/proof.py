"""A citizen's proof that a site tells nobody of its readers: a bounded crawl of its public pages.

    report = proof.crawl("https://boutiques.example", fetch, proof.Bounds())

Pages are followed by their links, as nobody in particular; forms are not sent. Every address that a
page makes a browser ask for is looked at: those of the site are fetched (stylesheets are read on),
those of other hosts are named and never asked. A browser, where there is one, sees what scripts do
(node/proof_browser.py) and its part is joined to the report.
"""

import sqlite3
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl, urlsplit

from node import page_loads
from node.model import Proof
from node.store import proofs

KEPT_MOST = 50  # names of a kind, on the node's own page
_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is asked of a site: pages, other files, bytes of one answer, seconds in all."""

    pages: int = 40
    files: int = 400
    depth: int = 5
    bytes: int = 4_000_000
    seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said; `error` where it said nothing usable."""

    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    error: str = ""

    def header(self, name: str) -> str:
        """The first header of that name, or ""."""
        return next((value for one, value in self.headers if one.lower() == name), "")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: who made it (`plain` or `browser`), what for, where, on which page."""

    by: str
    how: str
    url: str
    page: str
    status: int = 0


@dataclass(frozen=True, slots=True)
class Trace:
    """What was left with a reader, or told of one: `kind` is outside, cookie or storage."""

    kind: str
    what: str  # the host, or the name of the cookie or of what is stored
    how: str
    page: str
    by: str


@dataclass(slots=True)
class Report:
    """All that was seen."""

    url: str
    pages: list[str] = field(default_factory=list)
    requests: list[Asked] = field(default_factory=list)
    traces: list[Trace] = field(default_factory=list)
    policies: list[str] = field(default_factory=list)  # each Content-Security-Policy met, once
    unread: list[str] = field(default_factory=list)  # pages that could not be read, and why
    browser: str | None = None  # its name; None where none looked
    complete: bool = True  # whether all that was found was also looked at

    @property
    def clean(self) -> bool:
        """Whether nothing was found, on at least one page."""
        return bool(self.pages) and not self.traces

    def names(self, kind: str) -> tuple[str, ...]:
        """What there is of a kind of trace, each once."""
        return tuple(sorted({trace.what for trace in self.traces if trace.kind == kind}))

    def note(self, trace: Trace) -> None:
        """Adds a trace, once."""
        if trace not in self.traces:
            self.traces.append(trace)


Fetch = Callable[[str, int], Answer]  # one GET without redirects, of at most so many bytes


def authority(url: str) -> str:
    """Whom an address is asked of: the host, and the port where it is not the usual one."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return url[:100]
    host = (parts.hostname or "").rstrip(".")
    return host if port in (None, _PORTS.get(parts.scheme)) else f"{host}:{port}"


def crawl(url: str, fetch: Fetch, bounds: Bounds, clock: Callable[[], float] = time.monotonic
          ) -> Report:  # fmt: skip
    """Reads the pages of a site as a browser without script would."""
    walk = _Walk(Report(url), fetch, bounds, clock, clock() + bounds.seconds)
    walk.run()
    return walk.report


@dataclass(slots=True)
class _Walk:
    report: Report
    fetch: Fetch
    bounds: Bounds
    clock: Callable[[], float]
    until: float
    waiting: list[tuple[str, int]] = field(default_factory=list)  # address, depth
    files: deque[tuple[str, str, str]] = field(default_factory=deque)  # how, address, page
    known: set[str] = field(default_factory=set)
    shapes: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def run(self) -> None:
        self.waiting.append((self.report.url, 0))
        self.known.add(self.report.url)
        looked = fetched = 0
        while (self.waiting or self.files) and self.clock() < self.until:
            if self.files:
                if fetched >= self.bounds.files:
                    self.report.complete = False
                    self.files.clear()
                    continue
                fetched += 1
                self._file(*self.files.popleft())
            elif looked >= self.bounds.pages:
                break
            else:
                looked += 1
                self._page(*self._next())
        if self.waiting or self.files:
            self.report.complete = False

    def _next(self) -> tuple[str, int]:
        """A page of a kind that was looked at least, so that few pages show all kinds."""
        best = min(
            range(len(self.waiting)),
            key=lambda at: (self.shapes[_shape(self.waiting[at][0])], self.waiting[at][1], at),
        )
        chosen = self.waiting.pop(best)
        self.shapes[_shape(chosen[0])] += 1
        return chosen

    def _ask(self, how: str, url: str, page: str) -> Answer:
        answer = self.fetch(url, self.bounds.bytes)
        self.report.requests.append(Asked("plain", how, url, page, answer.status))
        for name, value in answer.headers:
            if name.lower() == "set-cookie":
                cookie = value.partition("=")[0].strip()[:80]
                self.report.note(Trace("cookie", cookie, how, page, "plain"))
        for load in page_loads.of_headers(answer.headers, url):
            self._meet(load, page, follow=False)
        return answer

    def _page(self, url: str, depth: int) -> None:
        answer = self._ask("page", url, url)
        if answer.error or answer.status >= 400:
            self.report.unread.append(f"{url}: {answer.error or answer.status}")
            return
        if 300 <= answer.status < 400:
            for load in page_loads.of_headers([("Refresh", answer.header("location"))], url):
                if own(load.url, self.report.url):
                    self._lead([load.url], depth)
                else:
                    self._meet(page_loads.Load("redirect", load.url), url, follow=False)
            return
        policy = answer.header("content-security-policy")
        if policy not in self.report.policies:
            self.report.policies.append(policy)
        kind = answer.header("content-type").partition(";")[0].strip().lower()
        if kind not in ("text/html", "application/xhtml+xml"):
            return  # a feed, a calendar, a file: it asks for nothing by itself
        self.report.pages.append(url)
        found = page_loads.of_html(answer.body.decode("utf-8", "replace"), url)
        for load in found.loads:
            self._meet(load, url)
        self._lead(found.links, depth + 1)

    def _lead(self, links: Iterable[str], depth: int) -> None:
        for link in links:
            if link in self.known or not own(link, self.report.url):
                continue  # a link to elsewhere asks nobody until it is followed
            self.known.add(link)
            if depth > self.bounds.depth or len(self.waiting) >= 50 * self.bounds.pages:
                self.report.complete = False
            else:
                self.waiting.append((link, depth))

    def _meet(self, load: page_loads.Load, page: str, *, follow: bool = True) -> None:
        """Something that a page asks for: fetched where it is the site's, named where it is not."""
        if not own(load.url, self.report.url):
            self.report.note(Trace("outside", authority(load.url), load.how, page, "plain"))
        elif follow and load.how != "form" and load.url not in self.known:
            self.known.add(load.url)
            self.files.append((load.how, load.url, page))

    def _file(self, how: str, url: str, page: str) -> None:
        answer = self._ask(how, url, page)
        if answer.error:
            self.report.unread.append(f"{url}: {answer.error}")
            return
        if 300 <= answer.status < 400:
            for load in page_loads.of_headers([("Refresh", answer.header("location"))], url):
                self._meet(page_loads.Load(f"{how} redirect", load.url), page)
            return
        kind = answer.header("content-type").partition(";")[0].strip().lower()
        text = answer.body.decode("utf-8", "replace")
        found: list[page_loads.Load] = []
        if kind == "text/css" or "stylesheet" in how:
            found = page_loads.of_css(text, url)
        elif kind in ("text/html", "image/svg+xml"):  # a frame; a drawing that asks for more
            found = page_loads.of_html(text, url).loads
        for load in found:
            self._meet(load, page)


def own(url: str, site: str) -> bool:
    """Whether an address is asked of the site itself."""
    return authority(url) == authority(site)


def _shape(url: str) -> tuple[str, ...]:
    """What kind of page an address is, as far as addresses tell: two shops are of one kind."""
    parts = urlsplit(url)
    steps = parts.path.strip("/").split("/")
    words = ("@" if step.startswith("@") else step for step in steps[:2])
    return (
        *(word if at == 0 or len(word) < 3 else "*" for at, word in enumerate(words)),
        str(len(steps)),
        *sorted(name for name, _ in parse_qsl(parts.query)[:20]),
    )


def record(db: sqlite3.Connection, report: Report, now: datetime) -> None:
    """Keeps what a report found, for the node's own page about it."""
    found = Proof(
        at=now,
        pages=len(report.pages),
        requests=len(report.requests),
        outside=report.names("outside")[:KEPT_MOST],
        cookies=report.names("cookie")[:KEPT_MOST],
        stored=report.names("storage")[:KEPT_MOST],
        browser=report.browser,
    )
    proofs.put(db, found)
