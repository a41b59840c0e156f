"""Bringing a node's file up to date, and filling the index of searches."""

import contextlib
import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path

from node import clock, errors, settings
from node.store import database, listings, migrations, search
from node.store import node as node_row

log = logging.getLogger("echoppe.upkeep")


def prepare(
    folder: Path, configured: settings.Settings, now: clock.Clock, *, as_server: bool = False
) -> None:
    """Brings a node's file up to date before it is used; a command only where no server runs.

    Raises errors.Unusable when it is newer than the program, belongs to another address, or no
    copy of it could be made before an upgrade.
    """
    with database.reading(folder) as db:
        if not migrations.applied(db):
            raise errors.Unusable(
                "no-database",
                f"{folder / database.FILE_NAME} holds no node. Put the node's own file back there.",
            )
        pending = migrations.check(db)
    backup = None
    if pending:
        # A server that runs knows the file as it is: it must not change under its feet.
        with contextlib.nullcontext() if as_server else database.serving(folder):
            backup = migrations.migrate(folder, now())
    if backup is not None:
        log.warning("database upgraded", extra={"detail": f"copy before: {backup}"})
    with database.reading(folder) as db:
        origin = node_row.origin(db)
        filled = search.is_filled(db)
    if origin != configured.node.url:
        raise errors.Unusable(
            "other-address",
            f"This folder is the node of {origin}, but node.url says {configured.node.url}. "
            "A node's address cannot be changed: every id it gave out begins with it.",
        )
    if not filled:
        reindex(folder)


def reindex(folder: Path, progress: Callable[[int], None] = lambda _: None) -> int:
    """Drops the index of searches and fills it again from the listings. Returns how many.

    Some at a time, so that others can read and write in between; `progress` hears how far it is.
    Where another one begins meanwhile, that one does it all, and this one ends.
    """
    with database.transaction(folder) as db:
        making = search.make_anew(db)
        waiting = search.shops_along_the_curve(db)
    waiting.reverse()
    count = 0
    while waiting:
        with database.transaction(folder) as db:
            if not search.is_being_made(db, making):
                return count
            done = 0
            while waiting and done < database.BATCH:
                done += _index_shop(db, waiting.pop())
        count += done
        progress(count)
    with database.transaction(folder) as db:
        search.mark_filled(db, making)
        more = search.merge(db, begin=True)
    while more:
        with database.transaction(folder) as db:
            more = search.merge(db, begin=False)
    return count


def _index_shop(db: sqlite3.Connection, shop_id: str) -> int:
    ids = listings.find_ids_of_shop(db, shop_id)
    for some in range(0, len(ids), database.BATCH):
        found = listings.find(db, ids[some : some + database.BATCH])
        search.put_all(db, [(listing, None) for listing in found])
    return len(ids)
