"""Watches a browser look at pages: every request it makes, and what is left on the device.

Chromium is driven over a pipe by its own protocol (chromedevtools.github.io/devtools-protocol), in
a profile that is made for it and thrown away. Names of other hosts lead nowhere in it: a tracker is
seen being asked, and hears nothing.
"""

import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from node.proof import Asked, Report, Trace, authority, own

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
START_TIME = 30.0  # seconds
PAGE_TIME = 15.0  # for one page to have come
QUIET_TIME = 0.4  # without a word from the browser: then it has
WORKER_TIME = 2.0  # the same, once a page has started something that is yet to be loaded itself
MESSAGE_MOST = 32_000_000  # bytes of one message of the browser
_ARGUMENTS = (
    "--headless", "--disable-gpu", "--no-first-run", "--no-default-browser-check",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-extensions", "--disable-quic", "--remote-debugging-pipe", "--mute-audio",
)  # fmt: skip
_LEFT = """(async () => {
  const names = async kind => { try { return await kind(); } catch { return []; } };
  return {
    localStorage: await names(() => Object.keys(localStorage)),
    sessionStorage: await names(() => Object.keys(sessionStorage)),
    indexedDB: await names(async () => (await indexedDB.databases()).map(one => one.name)),
    caches: await names(() => caches.keys()),
    serviceWorker: await names(async () =>
      (await navigator.serviceWorker.getRegistrations()).map(one => one.scope)),
  };
})()"""


class Silent(Exception):
    """The browser does not answer, or not in time."""


def find() -> str | None:
    """A Chromium of this machine."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def watch(program: str, report: Report, progress: Callable[[int], None] = lambda _: None) -> None:
    """Has a browser look at the pages of a report and adds what it did. Raises Silent."""
    with _Browser(program, urlsplit(report.url).hostname or "") as browser:
        for number, page in enumerate(report.pages):
            progress(number)
            for how, url in browser.look(page):
                report.requests.append(Asked("browser", how, url, page))
                if not own(url, report.url):
                    report.note(Trace("outside", authority(url), how, page, "browser"))
            for kind, what, how in browser.left():
                report.note(Trace(kind, what, how, page, "browser"))
        report.browser = browser.name


class _Browser:
    """One browser with one tab."""

    def __init__(self, program: str, host: str) -> None:
        self._program = program
        self._host = host
        self._number = 0
        self._buffer = b""
        self._asked: list[tuple[str, str]] = []
        self._loaded = False
        self._started = False  # a frame of another site, a worker
        self.name = ""

    def __enter__(self) -> Self:
        self._stack = contextlib.ExitStack()
        try:
            profile = self._stack.enter_context(
                tempfile.TemporaryDirectory(prefix="echoppe-proof-", ignore_cleanup_errors=True)
            )
            self._start(profile)
            self.name = str(self._call("Browser.getVersion", wait=START_TIME).get("product", ""))
            context = self._call("Target.createBrowserContext")["browserContextId"]
            self._context = context
            target = self._call(
                "Target.createTarget", {"url": "about:blank", "browserContextId": context}
            )["targetId"]
            attached = self._call("Target.attachToTarget", {"targetId": target, "flatten": True})
            self._session = str(attached["sessionId"])
            self._observe(self._session)
            self._call("Page.enable", session=self._session)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _start(self, profile: str) -> None:
        """It reads from descriptor 3 and writes to 4."""
        to_read, self._to = os.pipe()
        self._from, to_write = os.pipe()
        self._stack.callback(os.close, self._to)
        self._stack.callback(os.close, self._from)
        # Above 4, so that putting one in its place does not close the other.
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (to_read, to_write)]
        os.close(to_read)
        os.close(to_write)
        arguments = [
            self._program,
            *_ARGUMENTS,
            f"--user-data-dir={profile}",
            f"--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE {self._host}",
            *(("--no-sandbox",) if os.geteuid() == 0 else ()),  # it refuses root otherwise
            "about:blank",
        ]
        try:
            process = os.posix_spawn(
                self._program,
                arguments,
                {**os.environ, "HOME": profile},
                file_actions=[
                    *((os.POSIX_SPAWN_OPEN, one, os.devnull, os.O_RDWR, 0) for one in range(3)),
                    (os.POSIX_SPAWN_DUP2, ends[0], 3),
                    (os.POSIX_SPAWN_DUP2, ends[1], 4),
                ],
            )
        except OSError as error:
            raise Silent(str(error)) from None
        finally:
            for end in ends:
                os.close(end)
        self._stack.callback(_end, process)

    def _observe(self, session: str) -> None:
        """Watches a tab, and with it what it starts: frames of other sites, workers."""
        self._call("Network.enable", session=session)
        with contextlib.suppress(KeyError):
            self._call(
                "Target.setAutoAttach",
                {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True},
                session=session,
            )

    def look(self, url: str) -> list[tuple[str, str]]:
        """Opens a page and waits until it asks for nothing more: what was asked, and how."""
        self._asked, self._loaded, self._started = [], False, False
        until = time.monotonic() + PAGE_TIME
        self._call("Page.navigate", {"url": url}, session=self._session, wait=PAGE_TIME)
        quiet_from = time.monotonic()
        while time.monotonic() < until:
            message = self._receive(0.1)
            if message is not None:
                # Whatever it tells, that the page has come not least: what it does next is yet to
                # be told, on a slow machine long after what it asked for last.
                self._hear(message)
                quiet_from = time.monotonic()
            quiet = WORKER_TIME if self._started else QUIET_TIME
            if self._loaded and time.monotonic() - quiet_from > quiet:
                break
        return self._asked

    def left(self) -> Iterator[tuple[str, str, str]]:
        """What is left on the device now: the kind, its name, and where."""
        cookies = self._call("Storage.getCookies", {"browserContextId": self._context})
        for cookie in cookies.get("cookies", []):
            yield "cookie", str(cookie.get("name", ""))[:80], "cookie"
        told = self._call(
            "Runtime.evaluate",
            {"expression": _LEFT, "awaitPromise": True, "returnByValue": True},
            session=self._session,
        )
        value = told.get("result", {}).get("value")
        for where, names in (value if isinstance(value, dict) else {}).items():
            for name in names:
                yield "storage", f"{where}: {name}"[:120], where

    def _hear(self, message: dict[str, Any]) -> None:
        """Something the browser told by itself."""
        method, told = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            url = str(told.get("request", {}).get("url", ""))
            if url.startswith(("http:", "https:", "ws:", "wss:")):
                self._asked.append((str(told.get("type", "request")).lower(), url))
        elif method == "Network.webSocketCreated":
            self._asked.append(("websocket", str(told.get("url", ""))))
        elif method == "Network.webTransportCreated":
            self._asked.append(("webtransport", str(told.get("url", ""))))
        elif method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Target.attachedToTarget" and told.get("waitingForDebugger"):
            self._started = True
            inner = str(told.get("sessionId", ""))
            for name in ("Network.enable", "Runtime.runIfWaitingForDebugger"):
                self._send(name, {}, inner)

    def _call(
        self,
        method: str,
        parameters: dict[str, Any] | None = None,
        *,
        session: str | None = None,
        wait: float = PAGE_TIME,
    ) -> dict[str, Any]:
        number = self._send(method, parameters or {}, session)
        until = time.monotonic() + wait
        while time.monotonic() < until:
            message = self._receive(0.2)
            if message is None:
                continue
            if message.get("id") == number:
                result = message.get("result")
                return result if isinstance(result, dict) else {}
            self._hear(message)
        raise Silent(f"no answer to {method}")

    def _send(self, method: str, parameters: dict[str, Any], session: str | None) -> int:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        rest = json.dumps(message).encode() + b"\0"
        try:
            while rest:
                rest = rest[os.write(self._to, rest) :]
        except OSError:
            raise Silent("it has ended") from None
        return self._number

    def _receive(self, wait: float) -> dict[str, Any] | None:
        """The next message, or None where none comes in time. Raises Silent when it has ended."""
        until = time.monotonic() + wait
        while b"\0" not in self._buffer:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self._from], [], [], left)[0]:
                return None
            part = os.read(self._from, 1 << 16)
            if not part or len(self._buffer) > MESSAGE_MOST:
                raise Silent("it has ended")
            self._buffer += part
        message, _, self._buffer = self._buffer.partition(b"\0")
        found = json.loads(message)
        return found if isinstance(found, dict) else {}


def _end(process: int) -> None:
    """Ends the browser, which takes its own processes with it."""
    for how, patience in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, how)
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if os.waitpid(process, os.WNOHANG)[0]:
                return
            time.sleep(0.02)
