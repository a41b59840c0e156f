"""Pages as they were answered: given again as long as nothing that they tell of can have changed.

That is while nobody has committed anything, and within one minute: pages say until when a shop is
open and how long ago something was seen. What is asked for often is then asked of the database
once, and the answer is never older than the database.
"""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from node.clock import Clock
from node.courtesy import Residents
from node.store.doors import Database
from node.web import activitypub, content

MOST_BYTES = 8_000_000
OVERHEAD = 1500  # bytes, about, that an answer takes beside its text
QUERY_MOST = 500  # bytes: nobody asks for a longer one twice

Handler = Callable[[Request], Awaitable[Response]]
_Key = tuple[str, bytes, bool]


class Kept:
    """The answers of one node that anybody may have."""

    def __init__(self, database: Database, residents: Residents, clock: Clock) -> None:
        self._database = database
        self._residents = residents
        self._clock = clock
        self._stamp = (-1, -1)
        self._pages: dict[_Key, Response] = {}
        self._bytes = 0

    def keeping(self, handler: Handler) -> Handler:
        """The handler of a page that is the same for everybody who asks for it in the same words.

        It may depend on the address, on `Accept-Encoding`, and on whether an activity is wanted.
        Only what has an ETag is kept: `content.answer` gives it to what anybody may have.
        """

        async def answer(request: Request) -> Response:
            key = _key(request)
            if key is None:
                return await handler(request)
            stamp = (self._database.version(), int(self._clock().timestamp() // 60))
            if stamp != self._stamp:
                self._stamp = stamp
                self._pages.clear()
                self._bytes = 0
            page = self._pages.get(key)
            if page is not None:
                return content.again(request, page)
            with self._residents.waiting():
                page = await handler(request)
            # Should something have been written meanwhile, the next stamp differs from this one.
            if page.status_code == 200 and "etag" in page.headers and stamp == self._stamp:
                self._keep(key, page)
            return page

        return answer

    def _keep(self, key: _Key, page: Response) -> None:
        if key in self._pages:
            return
        while self._pages and self._bytes + _size(key, page) > MOST_BYTES:
            oldest = next(iter(self._pages))
            self._bytes -= _size(oldest, self._pages.pop(oldest))
        self._pages[key] = page
        self._bytes += _size(key, page)


def _size(key: _Key, page: Response) -> int:
    return len(page.body) + len(key[0]) + len(key[1]) + OVERHEAD


def _key(request: Request) -> _Key | None:
    """What a page depends on; None where it is not worth keeping."""
    scope = request.scope
    query = scope["query_string"]
    if len(query) > QUERY_MOST or activitypub.wants_activity(request, otherwise=False):
        return None
    encoding = request.headers.get("accept-encoding", "")
    return scope["path"], query, content.accepts_gzip(encoding)
