"""HTTP/1.1 on a connection, as uvicorn and httptools read it, with bounds of our own on a request's
head: its size, and the time it may take. What comes after the head is bounded in `middleware`."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from federation import limits

HEAD_TIME = 10.0  # seconds from the connection, or a request's first byte, to the end of its head


class BoundedHttp(HttpToolsProtocol):
    """Closes a connection whose request head is too long or takes too long."""

    _timer: asyncio.TimerHandle | None = None
    _size = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A head is awaited from the first moment."""
        super().connection_made(transport)
        self._begin_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more."""
        self._end_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Counts what belongs to a head that is not complete yet."""
        super().data_received(data)
        if self._timer is not None:
            self._size += len(data)
            if self._size > limits.HEADER_BLOCK:
                self._end_head()
                self.transport.close()

    def on_message_begin(self) -> None:
        """The next request on a connection that was kept."""
        super().on_message_begin()
        if self._timer is None:
            self._begin_head()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._end_head()
        super().on_headers_complete()

    def _begin_head(self) -> None:
        self._size = 0
        self._timer = self.loop.call_later(HEAD_TIME, self.transport.close)

    def _end_head(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
