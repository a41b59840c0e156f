"""What every request handler works with."""

from dataclasses import dataclass
from typing import cast

from starlette.requests import Request

from federation import actors, client
from node.clock import Clock
from node.courtesy import Residents
from node.exchange.outbox import Publisher
from node.keyring import Keyring
from node.law import Law
from node.media import Darkroom
from node.model import Place
from node.search import Engine
from node.settings import Settings
from node.store.doors import Database
from node.uris import Uris
from node.web.assets import Assets
from node.web.door import Door
from node.web.inbox import Inbox
from node.web.opening import Board
from node.web.templating import Pages
from node.web.turnstile import Turnstile
from node.workers import Workers


@dataclass(frozen=True, slots=True)
class Site:
    """One node, as its handlers see it."""

    uris: Uris
    settings: Settings
    database: Database
    residents: Residents
    publisher: Publisher
    resolver: actors.ActorResolver
    clock: Clock
    workers: Workers
    door: Door
    inbox: Inbox
    turnstile: Turnstile
    pages: Pages
    assets: Assets
    board: Board
    commune: Place  # the node's own, the first of its settings
    engine: Engine
    ring: Keyring
    darkroom: Darkroom
    http: client.Client
    law: Law
    version: str


def of(request: Request) -> Site:
    """The node that a request is for."""
    return cast(Site, request.app.state.site)
