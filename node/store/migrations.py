"""The schema and how it came to be: steps that are only ever appended.

A step is a file of SQL in `schema/`, named by its date and subject. sqlite-utils runs each in a
transaction together with the record that it ran; an interrupted upgrade goes on where it stopped.
What the index of searches looks like is not here: it is derived, versioned on its own, and rebuilt
(`store/search.py`).
"""

import contextlib
import itertools
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from node import errors
from node.store import database

SET = "echoppe"

# In the order in which they run: a new one comes last.
NAMES = (
    "2026_11_23_first",
    "2026_11_25_shop_facts",
    "2026_11_25_peer_moderation",
    "2026_11_25_deliveries",
    "2026_11_25_photos",
    "2026_11_25_forms_and_codes",
    "2026_11_25_remote_photos",
    "2026_11_25_mails",
    "2026_11_25_drafts",
    "2026_11_25_reductions",
    "2026_11_25_applications",
    "2026_11_25_reminders",
    "2026_11_25_reservations",
    "2026_11_25_fediverse",
    "2026_11_25_helpers",
    "2026_11_25_tills",
    "2026_11_25_imports",
    "2026_11_26_proven",
    "2026_11_26_sealed_enquiries",
    "2026_11_26_ready",
    "2026_11_26_notices",
    "2026_11_26_proofs",
    "2026_11_26_nodes_around",
    "2026_11_26_digests",
    "2026_11_26_setup",
    "2026_11_26_news",
    "2026_11_26_sources",
    "2026_11_26_rules",
    "2026_11_26_second_factors",
    "2026_11_26_relays",
    "2026_11_26_corrections",
    "2026_11_26_distance",
    "2026_11_26_particulars",
    "2026_11_26_imprints",
    "2026_11_26_offers_by_listing",
    "2026_11_27_received_numbers",
)


def _script(name: str) -> str:
    return (Path(__file__).parent / "schema" / f"{name}.sql").read_text(encoding="utf-8")


STEPS: tuple[tuple[str, str], ...] = tuple((name, _script(name)) for name in NAMES)


def applied(db: sqlite3.Connection) -> list[str]:
    """Names of the steps that the file has seen, in order; none for an empty file."""
    try:
        rows = db.execute(
            "SELECT name FROM _sqlite_migrations WHERE migration_set = ? ORDER BY id", (SET,)
        )
    except sqlite3.OperationalError:
        return []
    return [row[0] for row in rows]


def check(db: sqlite3.Connection, steps: tuple[tuple[str, str], ...] = STEPS) -> list[str]:
    """Names of the steps still to run.

    Raises errors.Unusable when the file has seen steps that this program does not know: it was
    written by a newer version, and would be damaged by an older one.
    """
    seen = applied(db)
    unknown = [name for name in seen if name not in {name for name, _ in steps}]
    if unknown:
        raise errors.Unusable(
            "database-newer",
            "The database was written by a newer version of Échoppe "
            f"(it has seen {unknown[0]}, which this version does not know). "
            "Install that version again, or restore the copy made before the upgrade.",
        )
    return [name for name, _ in steps if name not in seen]


def migrate(folder: Path, now: datetime, steps: tuple[tuple[str, str], ...] = STEPS) -> Path | None:
    """Brings the file of `folder` up to date; returns the copy made before, where one was made.

    A new file needs no copy. Raises errors.Unusable for a file newer than the program and for a
    copy that cannot be made (a full disk): nothing has been changed then.
    """
    path = folder / database.FILE_NAME
    with database.locked_for_writing(folder):
        with contextlib.closing(database.connect(path, writing=False)) as db:
            pending = check(db, steps)
            fresh = not applied(db)
        if not pending:
            return None
        backup = None if fresh else _copy(folder, now)
        with contextlib.closing(database.connect(path, writing=True)) as db:
            _apply(db, steps)
        return backup


def _copy(folder: Path, now: datetime) -> Path:
    name = f"node.db.before-{now:%Y%m%dT%H%M%SZ}"
    target = folder / name
    for again in itertools.count(2):
        if not target.exists():
            break
        target = folder / f"{name}-{again}"
    try:
        database.copy(folder, target)
    except (OSError, sqlite3.Error) as error:
        target.unlink(missing_ok=True)
        raise errors.Unusable(
            "no-copy-before-upgrade",
            f"The database needs an upgrade, and no copy of it could be made first ({error}). "
            "Nothing was changed. Free some disk space and start again.",
        ) from None
    return target


def _apply(db: sqlite3.Connection, steps: tuple[tuple[str, str], ...]) -> None:
    # Imported here: it costs 120 ms, and most starts have nothing to migrate.
    import sqlite_utils
    from sqlite_utils.migrations import Migrations

    migrations = Migrations(SET)
    for name, sql in steps:
        migrations(name=name)(_step(sql))
    # Tables cannot be rebuilt while references to them are enforced; checked below instead.
    db.execute("PRAGMA foreign_keys = OFF")
    migrations.apply(sqlite_utils.Database(db))
    broken = db.execute("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise errors.Unusable(
            "upgrade-broke-references",
            f"The upgrade left {len(broken)} rows of {broken[0][0]} that refer to nothing. "
            "Restore the copy made before the upgrade and report this.",
        )


def _step(sql: str) -> Callable[[Any], None]:
    def run(db: Any) -> None:
        # Statement by statement: executescript would end the step's transaction first.
        for statement in statements(sql):
            db.execute(statement)

    return run


def statements(script: str) -> list[str]:
    """The complete SQL statements of a script, triggers kept whole."""
    found: list[str] = []
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            found.append(pending)
            pending = ""
    assert not pending.strip(), f"unfinished statement: {pending!r}"
    return found
