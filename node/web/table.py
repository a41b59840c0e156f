"""Finding the handler of an address among some three hundred, without trying all of them.

Starlette tries one route after the other. Here they lie by the letters that their address begins
with, so that a photo, a key or a wrong address costs as little as the first page of the table.
"""

import re
from collections.abc import Iterable

from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

_START = re.compile("/[a-z]*+")


class Table(BaseRoute):
    """Routes, in their order, whose addresses begin with `prefix` ("" or "/en").

    No parameter may stand among the letters that an address begins with behind it.
    """

    def __init__(self, prefix: str, routes: Iterable[Route]) -> None:
        self._prefix = prefix
        self._by_start: dict[str, list[Route]] = {}
        for route in routes:
            self._by_start.setdefault(self._start(route.path), []).append(route)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As starlette's router has it: the first that fits; else the first of another method."""
        best: tuple[Match, Scope] = Match.NONE, {}
        if scope["type"] != "http":
            return best
        for route in self._by_start.get(self._start(scope["path"]), ()):
            match, child_scope = route.matches(scope)
            if match is not Match.NONE and best[0] is Match.NONE:
                best = match, {**child_scope, "route": route}
            if match is Match.FULL:
                return match, {**child_scope, "route": route}
        return best

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What `matches` found answers."""
        await scope["route"].handle(scope, receive, send)

    def _start(self, path: str) -> str:
        """The letters that an address begins with; nothing for one that is not of this table."""
        if not path.startswith(self._prefix):
            return ""
        found = _START.match(path, len(self._prefix))
        return found[0] if found else ""
