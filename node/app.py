"""One node, put together: its settings, its file, its dealings with others, its web application.

Nothing here is global: one process can hold several nodes.
"""

import asyncio
import contextlib
import functools
import logging
import random
import ssl
import sys
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from starlette.applications import Starlette

import node
from federation import actors, addresses, client, signing
from node import (
    backups,
    clock,
    digest,
    duties,
    errors,
    keyring,
    law,
    mail,
    media,
    moderation,
    reminders,
    search,
    settings,
    synonyms,
)
from node.exchange import adapters, keys, relays
from node.exchange.context import Context
from node.exchange.outbox import Publisher
from node.exchange.photos import Copies
from node.model import Place
from node.store import doors, places
from node.translation import Catalogues
from node.uris import INSTANCE, Uris
from node.web import routes
from node.web.assets import Assets
from node.web.door import Door
from node.web.inbox import Inbox
from node.web.opening import Board
from node.web.state import Site
from node.web.templating import Pages
from node.web.turnstile import Turnstile
from node.workers import Workers

log = logging.getLogger("echoppe.node")

_PROGRAM = Path(__file__).resolve().parent.parent
USER_AGENT = f"Echoppe/{node.__version__}"


@dataclass(slots=True)
class Node:
    """Everything that serving one folder needs."""

    folder: Path
    settings: settings.Settings
    uris: Uris
    clock: clock.Clock
    database: doors.Database
    context: Context
    publisher: Publisher
    workers: Workers
    ring: keyring.Keyring
    darkroom: media.Darkroom
    door: Door
    inbox: Inbox
    law: law.Law
    chance: random.Random = field(default_factory=random.SystemRandom)


@contextlib.asynccontextmanager
async def running(
    folder: Path, configured: settings.Settings, *, ssl_context: ssl.SSLContext | None = None
) -> AsyncIterator[Node]:
    """A node with its database open and its workers at work."""
    now = clock.clock(configured.testing.clock_offset_s)
    uris = Uris(configured.node.url)
    ring = keyring.load(folder)
    closed = configured.federation.mode == "allowlist"
    standing = moderation.Standing(frozenset(configured.federation.allow) if closed else None)
    async with (
        doors.Database(folder) as db,
        client.Client(
            addresses.Policy(
                frozenset(configured.federation.private_peers), uris.authority, standing.refuses
            ),
            f"{USER_AGENT} (+{uris.origin})",
            ssl_context=ssl_context,
            clock=now,
        ) as http,
    ):
        signers = keys.Signers(ring, uris)
        signer = await db.read(signers.requests, INSTANCE)

        def sign(method: str, url: str) -> Mapping[str, str]:
            return signing.sign_cavage(signer.key, signer.key_id, method, url, None, now())

        publisher = Publisher(
            uris, configured.node.name, configured.node.languages[0], signers, Catalogues()
        )
        context = Context(
            uris=uris,
            database=db,
            http=http,
            resolver=actors.ActorResolver(http, adapters.StoredActors(db, now), sign, now),
            publisher=publisher,
            sign=sign,
            clock=now,
            new_id=lambda: str(uuid.uuid4()),
            accept_any_node=configured.federation.mode == "open",
        )
        darkroom = media.Darkroom(folder)
        copies = Copies(
            context,
            folder,
            darkroom,
            random.SystemRandom(),
            configured.storage.remote_photos_mb * 1_000_000,
        )
        post = mail.Post(
            configured.mail,
            folder,
            configured.node.name,
            uris.authority.partition(":")[0],
            db,
            now,
            ssl_context,
        )
        rules = law.load(folder)
        duties.check_law(rules)
        remind = functools.partial(
            reminders.queue_due,
            uris=uris,
            site=configured.node.name,
            ring=ring,
            say=Catalogues().speak(configured.node.languages[0]),
        )
        tell = functools.partial(
            digest.queue_due,
            uris=uris,
            site=configured.node.name,
            folder=folder,
            say=Catalogues().speak(configured.node.languages[0]),
        )
        workers = Workers(
            context,
            db,
            signers,
            random.SystemRandom(),
            standing,
            copies,
            post,
            rules,
            (lambda db, now: remind(db, now=now) + tell(db, now=now))
            if configured.mail.host
            else None,
            commune=configured.node.communes[0],
        )
        if configured.backup.key:
            workers.back_up = functools.partial(_back_up, folder, configured)
        await db.write(relays.settle, uris, configured.federation.relays, context.new_id, now())
        door = Door(workers, configured.server.trusted_proxies)
        async with workers:
            yield Node(
                folder=folder,
                settings=configured,
                uris=uris,
                clock=now,
                database=db,
                context=context,
                publisher=publisher,
                workers=workers,
                ring=ring,
                darkroom=darkroom,
                door=door,
                inbox=Inbox(uris, door, workers, context.resolver, context.residents, now),
                law=rules,
            )


async def _back_up(folder: Path, configured: settings.Settings, now: datetime) -> None:
    """Makes the nightly backup when it is due, in a process of its own: nobody waits for it."""
    made = backups.by_age(backups.place(folder, configured), now)
    if not backups.is_due(configured, made[-1][0] if made else None, now):
        return
    process = await asyncio.create_subprocess_exec(
        "nice", sys.executable, "-m", "node", "-C", str(folder), "backup", "--nightly",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        cwd=_PROGRAM,
    )  # fmt: skip
    try:
        _, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        log.error("no backup was made", extra={"detail": said.decode(errors="replace")[-500:]})
    else:
        log.info("backup made")


def create_app(running_node: Node) -> Starlette:
    """The web application of a node that runs."""
    return routes.application(
        Site(
            uris=running_node.uris,
            settings=running_node.settings,
            database=running_node.database,
            residents=running_node.context.residents,
            publisher=running_node.publisher,
            resolver=running_node.context.resolver,
            clock=running_node.clock,
            workers=running_node.workers,
            door=running_node.door,
            inbox=running_node.inbox,
            turnstile=Turnstile(),
            pages=Pages(Catalogues()),
            assets=Assets(running_node.settings.node.colour),
            board=Board(),
            commune=_own_commune(running_node.settings),
            engine=search.Engine(synonyms.load(running_node.folder)),
            ring=running_node.ring,
            darkroom=running_node.darkroom,
            http=running_node.context.http,
            law=running_node.law,
            version=node.__version__,
        )
    )


def _own_commune(configured: settings.Settings) -> Place:
    """The commune the node belongs to. Raises errors.Unusable where the gazetteer lacks it."""
    place_id = configured.node.communes[0]
    with contextlib.closing(places.open_places()) as gazetteer:
        found = places.get(gazetteer, place_id)
    if found is None:
        raise errors.Unusable(
            "unknown-commune", f"node.communes names {place_id}, which is no commune of today."
        )
    return found
