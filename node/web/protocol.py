"""HTTP/1.1 on a connection, as uvicorn and httptools read it, with bounds of our own.

What a connection may hold is bounded here: the head of a request in size, number of headers and
time; all that is framing around a body; requests sent ahead; and an answer that nobody takes. A
body is bounded in `middleware` and by its reader. Whom the door turns away is answered before
anything else is made of the request. What servers post to the shared inbox, thousands of times in a
rush, is taken in from here, without the application, its wrappers and its table of addresses.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from federation import limits
from node.web import middleware
from node.web.door import ASKED, Door, Refusal, is_inbox
from node.web.inbox import Inbox, Post

HEAD_TIME = 10.0  # seconds from the connection, or a request's first byte, to the end of its head
SKIP_TIME = 5.0  # seconds for a body that nobody reads, so that the connection can be kept
WRITE_TIME = 30.0  # seconds in which somebody must take some of an answer that waits
HEADERS_MOST = 100
FRAMING_MOST = 4 * limits.HEADER_BLOCK  # head, chunk sizes and extensions, trailers
PIPELINED_MOST = 8  # requests sent ahead of the answer to the one before

log = logging.getLogger("echoppe.web")


class _TooMuch(Exception):
    """A client sends more than it may: httptools hands it on as a request that cannot be read."""


class _Posting(RequestResponseCycle):
    """A post to the shared inbox, in the place of a request to the application: its body, as much
    as has come, and then its answer."""

    def __init__(self, connection: "BoundedHttp") -> None:
        """Of `connection`, which has read its head. What else uvicorn would keep is not needed."""
        self.message_event = asyncio.Event()
        self.disconnected = False
        self.response_complete = False
        self.keep_alive = connection.parser.should_keep_alive()
        self.body = bytearray()
        self._connection = connection
        self._headers = connection.headers

    async def run_asgi(self, _app: Any) -> None:
        """Takes it in and answers; once all of it is here."""
        connection = self._connection
        post = Post(b"/inbox", self._headers, bytes(self.body), connection.peer())
        self.body = bytearray()  # this stays until the next request, however long that is
        try:
            refusal = await connection.inbox.take(post)
        except Exception:
            log.exception("a post to the inbox")
            refusal = Refusal(500, "internal-error")
        self.response_complete = True
        connection.answer(refusal, last=not self.keep_alive)
        if not self.keep_alive:
            connection.transport.close()
        connection.on_response_complete()


class BoundedHttp(HttpToolsProtocol):
    """One connection. `waiting`, `door`, `inbox` and `headers_of_all` are of the server: see
    `bounded`.

    `waiting` holds the connections on which something is awaited from the client, longest first.
    """

    door: Door
    inbox: Inbox
    headers_of_all: bytes
    waiting: dict["BoundedHttp", None]
    connections_most: int

    _timer: asyncio.TimerHandle | None = None
    _slow_reader: asyncio.TimerHandle | None = None
    _in_head = True
    _head = 0  # bytes of a head that are read
    _framing = 0  # bytes that came and are no body
    _header_count = 0
    _turned_away = 0  # requests, of the piece that is being read
    _skipping = False  # a request that was turned away: its body goes nowhere
    _posting: _Posting | None = None  # one whose body is on its way

    # --- the connection --------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A head is awaited from the first moment. In a crowd, whoever dawdles longest goes."""
        super().connection_made(transport)
        self._await_client(HEAD_TIME)
        if len(self.connections) > self.connections_most:
            slowest = next(iter(self.waiting))
            slowest.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more."""
        self._stop_timer()
        if self._slow_reader is not None:
            self._slow_reader.cancel()
        self.waiting.pop(self, None)
        super().connection_lost(exc)
        # A circle, which would keep a body until somebody looks for garbage.
        self._unset_keepalive_if_required()
        self._posting = self.cycle = None  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Counts what is not part of a body; more of that than any client needs ends it."""
        # In pieces, so that what is counted and what is read are never far apart.
        for begin in range(0, len(data), limits.HEADER_BLOCK):
            if self.transport.is_closing():
                return
            piece = data[begin : begin + limits.HEADER_BLOCK]
            self._turned_away = 0
            if self._in_head and self._timer is None:
                self._await_client(HEAD_TIME)  # line ends before a request begin it too
            self._framing += len(piece)
            super().data_received(piece)
            if self._posting is not None and self._timer is None:
                self._await_client(middleware.BODY_TIME, self._too_slow)
            if self._framing > (limits.HEADER_BLOCK if self._in_head else FRAMING_MOST):
                self.transport.abort()

    def pause_writing(self) -> None:
        """The client does not take what it asked for; not for ever."""
        super().pause_writing()
        if self._slow_reader is None:
            self._slow_reader = self.loop.call_later(WRITE_TIME, self.transport.abort)

    def resume_writing(self) -> None:
        """It does take it."""
        super().resume_writing()
        if self._slow_reader is not None:
            self._slow_reader.cancel()
            self._slow_reader = None

    # --- one request -----------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """The next request on a connection; so many may be sent ahead of their answers."""
        if len(self.pipeline) >= PIPELINED_MOST:
            raise _TooMuch
        super().on_message_begin()
        self._head = self._header_count = 0
        self._await_client(HEAD_TIME)

    def on_url(self, url: bytes) -> None:
        """A part of the target."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; or a trailer, which is none (RFC 9110, section 6.5.1), and goes nowhere."""
        self._header_count += 1
        self._count(len(name) + len(value) + 4)
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole: now, or never, it is turned away."""
        self._in_head = False
        self._framing = 0
        self._stop_timer()
        answered = self.cycle is None or self.cycle.response_complete
        posted = self.parser.get_method() == b"POST" and is_inbox(self.url.partition(b"?")[0])
        if posted and answered and not self.parser.should_upgrade():
            refusal = self.door.refusal(self.headers, self.peer())
            plain = refusal is None and self.url == b"/inbox" and self._is_plain()
            if plain:
                refusal = self.inbox.turn_away(self.headers, self.peer())
            if refusal is not None:
                self._turn_away(refusal)
                return
            if plain:
                self.cycle = self._posting = _Posting(self)
                return
            self.scope[ASKED] = True  # type: ignore[literal-required]
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of a body."""
        self._framing -= len(body)
        if self._posting is not None:
            self._posting.body += body
            if len(self._posting.body) > limits.INBOX_BODY:  # more than its head said
                raise _TooMuch
        elif not self._skipping:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The client has said all that it had to say."""
        self._in_head = True
        self._framing = 0
        self._stop_timer()
        self.waiting.pop(self, None)
        if self._posting is not None:
            posting, self._posting = self._posting, None
            self._start_asgi_task(posting, self.app)
            return
        if not self._skipping:
            super().on_message_complete()
            return
        self._skipping = False
        if not self.parser.should_keep_alive():
            self.transport.close()
            return
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )
        self.waiting[self] = None

    def on_response_complete(self) -> None:
        """The answer is out: the next request is awaited."""
        super().on_response_complete()
        if not self.transport.is_closing():
            self.waiting[self] = None

    # --- how -------------------------------------------------------------------------------------

    def peer(self) -> str:
        """The address of the other end; empty where it has none."""
        return self.client[0] if self.client else ""

    def answer(self, refusal: Refusal | None, *, last: bool = False) -> None:
        """Answers a post to the inbox; None says that it was accepted. `last`: that the connection
        will be closed."""
        if self.transport.is_closing():
            return
        headers = self.headers_of_all
        for name, value in self.server_state.default_headers:  # the date
            headers += b"%b: %b\r\n" % (name, value)
        if last:
            headers += b"connection: close\r\n"
        if refusal is None:
            self.transport.write(_ACCEPTED + headers + b"\r\n")
        else:
            self.transport.write(refusal.written(headers))

    def _is_plain(self) -> bool:
        """Whether a request is in the node's own name and says how long its body is, as any server
        does. Others are left to the application, which knows what to say to each."""
        hosts, length, plain = [], False, self.parser.get_http_version() == "1.1"
        for name, value in self.headers:
            if name == b"host":
                hosts.append(value.lower())
            elif name == b"content-length":
                length = True
            elif name in (b"transfer-encoding", b"expect"):
                plain = False
        return plain and length and hosts == [self.inbox.uris.authority.encode("ascii")]

    def _turn_away(self, refusal: Refusal) -> None:
        """Answers at once. A body of a usual length is passed over; for another one, it ends.

        So it does for whoever sends many ahead of their answers, or takes none.
        """
        self._skipping = True
        self._turned_away += 1
        if self._turned_away > PIPELINED_MOST or self.flow.write_paused:
            self.transport.abort()
            raise _TooMuch
        length = next((value for name, value in self.headers if name == b"content-length"), b"")
        usual = length.isdigit() and len(length) < 9 and int(length) <= limits.INBOX_BODY
        self.answer(refusal, last=not usual or not self.parser.should_keep_alive())
        if usual:
            self._await_client(SKIP_TIME)
        else:
            self.transport.close()

    def _too_slow(self) -> None:
        self.answer(Refusal(408, "too-slow"), last=True)
        self.transport.close()

    def _await_client(self, seconds: float, otherwise: Callable[[], None] | None = None) -> None:
        """Something must come whole within so many seconds; `otherwise` the connection ends."""
        self._stop_timer()
        self._timer = self.loop.call_later(seconds, otherwise or self.transport.close)
        self.waiting.setdefault(self, None)

    def _count(self, size: int) -> None:
        self._head += size
        if self._head > limits.HEADER_BLOCK or self._header_count > HEADERS_MOST:
            raise _TooMuch

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def bounded(door: Door, inbox: Inbox, connections_most: int) -> type[BoundedHttp]:
    """The protocol of one server, with its door and its inbox, and with so many connections at
    most."""
    safe = middleware.safe_headers(inbox.uris.origin)
    members = {
        "door": door,
        "inbox": inbox,
        "headers_of_all": "".join(f"{name.lower()}: {safe[name]}\r\n" for name in safe).encode(),
        "waiting": {},
        "connections_most": connections_most,
    }
    return type("Bounded", (BoundedHttp,), members)


_ACCEPTED = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n"
