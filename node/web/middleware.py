"""What holds for every request, as plain ASGI: the host it names, how long its body may take, and
the headers that every answer carries."""

import asyncio
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_TIME = 15.0  # seconds for all of a body, however it drips

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
# For the few pages that seal or open: our own scripts, as files, and still nobody to send to.
WITH_SCRIPT = {"Content-Security-Policy": f"{CONTENT_SECURITY_POLICY}; script-src 'self'"}
_EXTEND = "echoppe.extend"
# Asked by the machine itself or a supervisor, under whatever name.
_ANY_HOST = frozenset({"/livez", "/readyz", "/metrics"})


class HostCheck:
    """Answers only to the node's own name; links are made from the configured one anyway."""

    def __init__(self, app: ASGIApp, origin: str, page: str) -> None:
        """`page` is what people read who came under another name."""
        self._app = app
        self._authority = urlsplit(origin).netloc.lower().encode("ascii")
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "http" and scope["path"] not in _ANY_HOST:
            named = [value for name, value in scope["headers"] if name == b"host"]
            if len(named) != 1:
                await PlainTextResponse("One Host is needed.\n", 400)(scope, receive, send)
                return
            if named[0].lower() != self._authority:
                await HTMLResponse(self._page, 421)(scope, receive, send)
                return
        await self._app(scope, receive, send)


class Quiet:
    """While a restored node waits for its operator's word: pages are read, nothing is taken in.

    What other servers would conclude from is not told either: that a listing is not here may only
    mean that it came after the backup. The node's own actor is: its key may be asked for.
    """

    def __init__(
        self,
        app: ASGIApp,
        is_quiet: Callable[[], bool],
        retry_after: int,
        pages: Mapping[str, str],
    ) -> None:
        """`pages` is what people read who send something, by language, the main one first."""
        self._app = app
        self._is_quiet = is_quiet
        self._headers = {"Retry-After": str(retry_after), "Cache-Control": "no-store"}
        self._pages = pages
        self._main = next(iter(pages.values()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "http" and self._is_quiet():
            path = scope["path"]
            program = path.startswith(("/users/", "/inbox", "/api/"))
            told = path.startswith("/users/") and path != "/users/instance"
            if told or scope["method"] not in ("GET", "HEAD", "OPTIONS"):
                answer = (
                    JSONResponse({"error": "restored"}, 503, self._headers)
                    if program
                    else HTMLResponse(
                        self._pages.get(path.split("/", 2)[1], self._main), 503, self._headers
                    )
                )
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)


class BodyDeadline:
    """Ends a request whose body is still on its way after BODY_TIME.

    A handler that knows who sends it may give it more, before it reads on: `more_time`.
    An answer that is given before the body has come ends the connection too: nobody would read the
    rest, however long it is.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        deadline = loop.time() + BODY_TIME
        complete = not any(
            (name == b"content-length" and value != b"0") or name == b"transfer-encoding"
            for name, value in scope["headers"]
        )

        def extend(seconds: float) -> None:
            nonlocal deadline
            deadline = max(deadline, loop.time() + seconds)

        scope[_EXTEND] = extend

        async def receive_in_time() -> Message:
            nonlocal complete
            if complete:
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                return {"type": "http.disconnect"}
            complete = not message.get("more_body", False)
            return message

        async def send_and_close(message: Message) -> None:
            if message["type"] == "http.response.start" and not complete:
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await self._app(scope, receive_in_time, send_and_close)


def more_time(scope: Scope, seconds: float) -> None:
    """Gives the body of a request that many seconds from now on."""
    scope[_EXTEND](seconds)


class SafeHeaders:
    """Headers that every answer carries."""

    def __init__(self, app: ASGIApp, origin: str) -> None:
        self._app = app
        # As they are sent, so that an answer takes no more than it must.
        self._headers = [
            (name.lower().encode("ascii"), value.encode("ascii"))
            for name, value in safe_headers(origin).items()
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = message.get("headers", [])
                names = {name.lower() for name, _ in said}
                message["headers"] = [*said, *(one for one in self._headers if one[0] not in names)]
            await send(message)

        await self._app(scope, receive, send_with_headers)


def safe_headers(origin: str) -> dict[str, str]:
    """Headers that every answer of a node at `origin` carries."""
    headers = {
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }
    if origin.startswith("https:"):
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers
