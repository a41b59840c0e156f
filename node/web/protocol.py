"""HTTP/1.1 on a connection, as uvicorn and httptools read it, with bounds of our own.

What a connection may hold is bounded here: the head of a request in size, number of headers and
time; all that is framing around a body; requests sent ahead; and an answer that nobody takes. A
body is bounded in `middleware` and by its reader. Whom the door turns away is answered before
anything else is made of the request.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from federation import limits
from node.web.door import ASKED, Door

HEAD_TIME = 10.0  # seconds from the connection, or a request's first byte, to the end of its head
SKIP_TIME = 5.0  # seconds for a body that nobody reads, so that the connection can be kept
WRITE_TIME = 30.0  # seconds in which somebody must take some of an answer that waits
HEADERS_MOST = 100
FRAMING_MOST = 4 * limits.HEADER_BLOCK  # head, chunk sizes and extensions, trailers
PIPELINED_MOST = 8  # requests sent ahead of the answer to the one before


class _TooMuch(Exception):
    """A client sends more than it may: httptools hands it on as a request that cannot be read."""


class BoundedHttp(HttpToolsProtocol):
    """One connection. `waiting` and `door` are of the server: see `bounded`.

    `waiting` holds the connections on which something is awaited from the client, longest first.
    """

    door: Door
    waiting: dict["BoundedHttp", None]
    connections_most: int

    _timer: asyncio.TimerHandle | None = None
    _slow_reader: asyncio.TimerHandle | None = None
    _in_head = True
    _head = 0  # bytes of a head that are read
    _framing = 0  # bytes that came and are no body
    _header_count = 0
    _skipping = False  # a request that was turned away: its body goes nowhere

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

    def data_received(self, data: bytes) -> None:
        """Counts what is not part of a body; more of that than any client needs ends it."""
        # In pieces, so that what is counted and what is read are never far apart.
        for begin in range(0, len(data), limits.HEADER_BLOCK):
            if self.transport.is_closing():
                return
            piece = data[begin : begin + limits.HEADER_BLOCK]
            if self._in_head and self._timer is None:
                self._await_client(HEAD_TIME)  # line ends before a request begin it too
            self._framing += len(piece)
            super().data_received(piece)
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
        if answered and not self.parser.should_upgrade():
            method, peer = self.parser.get_method().decode("ascii"), self.client
            path = self.url.partition(b"?")[0]
            refusal = self.door.refusal(method, path, self.headers, peer[0] if peer else "")
            if refusal is not None:
                self._turn_away(refusal.written())
                return
            self.scope[ASKED] = True  # type: ignore[literal-required]
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of a body."""
        self._framing -= len(body)
        if not self._skipping:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The client has said all that it had to say."""
        self._in_head = True
        self._framing = 0
        self._stop_timer()
        self.waiting.pop(self, None)
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

    def _turn_away(self, answer: bytes) -> None:
        """Answers at once. A body of a usual length is passed over; for another one, it ends."""
        self._skipping = True
        self.transport.write(answer)
        length = next((value for name, value in self.headers if name == b"content-length"), b"")
        if length.isdigit() and len(length) < 9 and int(length) <= limits.INBOX_BODY:
            self._await_client(SKIP_TIME)
        else:
            self.transport.close()

    def _await_client(self, seconds: float) -> None:
        """Something must come whole within so many seconds."""
        self._stop_timer()
        self._timer = self.loop.call_later(seconds, self.transport.close)
        self.waiting.setdefault(self, None)

    def _count(self, size: int) -> None:
        self._head += size
        if self._head > limits.HEADER_BLOCK or self._header_count > HEADERS_MOST:
            raise _TooMuch

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def bounded(door: Door, connections_most: int) -> type[BoundedHttp]:
    """The protocol of one server, with its door, and with so many connections at most."""
    members = {"door": door, "waiting": {}, "connections_most": connections_most}
    return type("Bounded", (BoundedHttp,), members)
