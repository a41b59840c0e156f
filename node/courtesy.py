"""Residents go first: what other servers send waits a moment while somebody waits for a page.

All is done by one interpreter. A neighbour that tells of thousands of listings would otherwise take
its time from those who read, and does not mind a tenth of a second.
"""

import asyncio
import contextlib
from collections.abc import Iterator


class Residents:
    """Those who wait for a page of one node."""

    def __init__(self) -> None:
        self._waiting = 0
        self._none_waits = asyncio.Event()

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """While one more waits."""
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._none_waits.set()

    async def go_first(self, most: float) -> None:
        """Returns as soon as nobody waits, and after `most` seconds whoever waits."""
        if not self._waiting:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(most):
                while self._waiting:
                    self._none_waits.clear()
                    await self._none_waits.wait()
