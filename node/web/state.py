"""What every request handler works with."""

from dataclasses import dataclass
from typing import cast

from starlette.requests import Request

from federation import actors
from node.clock import Clock
from node.exchange.outbox import Publisher
from node.search import Engine
from node.settings import Settings
from node.store.database import Database
from node.uris import Uris
from node.web.door import Door
from node.web.render import Pages
from node.workers import Workers


@dataclass(frozen=True, slots=True)
class Site:
    """One node, as its handlers see it."""

    uris: Uris
    settings: Settings
    database: Database
    publisher: Publisher
    resolver: actors.ActorResolver
    clock: Clock
    workers: Workers
    door: Door
    pages: Pages
    engine: Engine
    version: str


def of(request: Request) -> Site:
    """The node that a request is for."""
    return cast(Site, request.app.state.site)
