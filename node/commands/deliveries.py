"""`echoppe deliveries`: what other servers must still hear, what was given up, and trying again."""

import argparse
from typing import Any

from node.commands import output

SHOWN = 20  # failed deliveries printed for people; `--json` has all that are kept


def configure(subjects: output.Subjects) -> None:
    """Adds the commands."""
    actions = output.subject(
        subjects, "deliveries", help="see what waits for other servers, and what was given up"
    )
    actions.required = False  # `echoppe deliveries` alone lists them
    alone = subjects.choices["deliveries"]
    alone.add_argument("--json", action="store_true", help="answer with one JSON document")
    alone.set_defaults(run=show)
    output.command(
        actions,
        "list",
        show,
        help="list by host what waits, since when, the next try, and what failed",
        example="echoppe deliveries list",
    )
    parser = output.command(
        actions,
        "replay",
        replay,
        help="try again what was given up, and what waits, for one host or all",
        example="echoppe deliveries replay boutiques.pessac.example",
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("host", nargs="?", help="as `deliveries list` names it")
    which.add_argument("--all", action="store_true", help="every host")


def show(asked: argparse.Namespace) -> None:
    """Lists queues and failures."""
    from node.commands import folder
    from node.store import database, queues
    from node.store.times import stamp, stamp_or_none

    here = folder.open_folder(asked)
    with database.reading(here.path) as db:
        waiting = queues.find_queues(db)
        failed = queues.find_failed(db)
    document: dict[str, Any] = {
        "waiting": [
            {
                "host": one.host,
                "waiting": one.waiting,
                "since": stamp(one.since),
                "next_try": stamp(max(one.due, here.now)),
                "failures": one.failures,
                "failing_since": stamp_or_none(one.failing_since),
                "error": one.error,
            }
            for one in waiting
        ],
        "failed": [
            {
                "host": one.host,
                "inbox": one.inbox,
                "object": one.object,
                "verb": one.verb,
                "attempts": one.attempts,
                "at": stamp(one.at),
                "error": one.error,
            }
            for one in failed
        ],
    }
    lines = []
    for one in waiting:
        lines.append(f"{one.host:40} {one.waiting} wait(s) since {one.since:%F %H:%M} UTC")
        if one.error:
            lines.append(f"    next try {max(one.due, here.now):%F %H:%M} UTC; last: {one.error}")
    for lost in failed[:SHOWN]:
        lines.append(f"given up  {lost.verb} of {lost.object}")
        lines.append(f"    for {lost.inbox}, {lost.at:%F %H:%M} UTC: {lost.error}")
    if len(failed) > SHOWN:
        lines.append(f"… and {len(failed) - SHOWN} more (--json lists them)")
    if failed:
        lines.append("Try again: echoppe deliveries replay HOST")
    output.say(asked, document, *(lines or ["Nothing waits, and nothing was given up."]))


def replay(asked: argparse.Namespace) -> None:
    """Puts back what was given up, and makes all that waits due; the server sends it."""
    from node import errors
    from node.commands import folder
    from node.store import database, queues

    here = folder.open_folder(asked)
    with database.transaction(here.path) as db:
        again, waiting = queues.replay(db, asked.host, here.now)
        if asked.host is not None and not again and not waiting:
            raise errors.NotFound(
                "nothing-to-replay",
                f"Nothing waits for {asked.host!r}, and nothing was given up. "
                "See: echoppe deliveries list",
            )
    output.say(
        asked,
        {"host": asked.host, "again": again, "waiting": waiting},
        f"{again} given up before and {waiting} waiting: due now.",
    )
