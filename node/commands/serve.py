"""`echoppe serve`: runs the node."""

import argparse
import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from node.commands import output

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    from node.settings import Settings

CONNECTIONS_MOST = 1000
KEEP_ALIVE = 20
SHUTDOWN_TIME = 10
GARBAGE_AFTER = 20_000  # objects that can hold others, between two looks for garbage
SWITCH_INTERVAL = 0.0005  # seconds


def configure(subjects: output.Subjects) -> None:
    """Adds the command."""
    output.command(
        subjects,
        "serve",
        run,
        help="run the node; prints one line when it is ready",
        example="echoppe -C /srv/boutiques serve",
    )


def run(asked: argparse.Namespace) -> None:
    """Serves until it is told to stop (SIGTERM, Ctrl-C)."""
    import asyncio
    import logging

    import uvloop

    from node import clock, hours, logs, settings, upkeep
    from node.store import database

    folder = asked.folder.absolute()
    configured = settings.load(folder)
    logs.configure()
    _raise_descriptor_limit()
    hours.check_zones()
    # A reader gives the interpreter away at every step in SQLite, and gets it back from a busy
    # event loop only after this time: by default 5 ms, which made seconds of a search in a flood.
    sys.setswitchinterval(SWITCH_INTERVAL)
    with database.serving(folder):
        if database.put_back_log(folder):
            logging.getLogger("echoppe.node").warning(
                "node.db-wal was missing after the node had been killed, and was put back"
            )
        upkeep.prepare(
            folder, configured, clock.clock(configured.testing.clock_offset_s), as_server=True
        )
        listener = _listen(configured.server.listen)
        _warn(configured)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(folder, configured, listener, as_json=asked.json))


def _raise_descriptor_limit() -> None:
    """As many connections as are allowed must leave descriptors for the database."""
    import resource

    wanted = 2 * CONNECTIONS_MOST
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _listen(authority: str) -> "socket.socket":
    import socket

    from node import errors

    host, _, port = authority.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, int(port)), family=family, backlog=1024)
    except OSError as error:
        raise errors.Unusable(
            "cannot-listen",
            f"The node cannot listen on {authority} ({error.strerror}). "
            "Is another program there? The address is [server] listen in instance.toml.",
        ) from None


def _warn(configured: "Settings") -> None:
    """Says loudly what must never stand in a real node's settings."""
    import logging

    log = logging.getLogger("echoppe.node")
    peers = configured.federation.private_peers
    if peers:
        log.warning(
            "THE GUARD IS OPEN for private peers, never to be set on a public node",
            extra={"count": len(peers), "detail": ", ".join(peers)},
        )
    if configured.testing.clock_offset_s:
        log.warning(
            "THE CLOCK IS SET AHEAD for testing, never to be set on a public node",
            extra={"count": configured.testing.clock_offset_s},
        )


async def _serve(
    folder: "Path", configured: "Settings", listener: "socket.socket", *, as_json: bool
) -> None:
    import asyncio
    import gc
    import json
    import signal

    import uvicorn

    from node import app
    from node.web import protocol

    ready = f"ready {configured.node.url}"
    if as_json:
        ready = json.dumps({"ready": configured.node.url})

    class Server(uvicorn.Server):
        """Says when it is ready, and ends with status 0 when it is told to stop."""

        async def startup(self, sockets: "list[socket.socket] | None" = None) -> None:
            await super().startup(sockets)
            print(ready, flush=True)

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            loop = asyncio.get_running_loop()
            for one in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(one, self.handle_exit, one, None)
            yield

    async with app.running(folder, configured) as running_node:
        config = uvicorn.Config(
            app.create_app(running_node),
            http=protocol.bounded(running_node.door, running_node.inbox, CONNECTIONS_MOST),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=SHUTDOWN_TIME,
        )
        # What is there now stays. Looking through it for garbage after every few hundred objects,
        # as Python would, costs a tenth of what receiving a listing costs.
        gc.freeze()
        gc.set_threshold(GARBAGE_AFTER, 20, 20)
        await Server(config).serve(sockets=[listener])
