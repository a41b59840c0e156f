"""What the handlers of incoming activities work with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from federation import actors, client
from node.clock import Clock
from node.courtesy import Residents
from node.exchange.outbox import Publisher
from node.uris import Uris


class Doors(Protocol):
    """The two doors to the database (`node/store/doors.py`)."""

    async def read(self, function: Callable[..., Any], *args: Any, **kw: Any) -> Any:
        """Runs a function of a connection in one snapshot."""

    async def write(self, function: Callable[..., Any], *args: Any, **kw: Any) -> Any:
        """Runs a function of a connection as one transaction."""


@dataclass(frozen=True, slots=True)
class Context:
    """One node's dealings with others."""

    uris: Uris
    database: Doors
    http: client.Client
    resolver: actors.ActorResolver
    publisher: Publisher
    sign: client.Sign
    clock: Clock
    new_id: Callable[[], str]
    accept_any_node: bool  # [federation] mode = "open"
    residents: Residents = field(default_factory=Residents)


Apply = Callable[..., None]
