"""`echoppe report`: what other servers report to the steward, and reporting to a neighbour."""

import argparse

from node.commands import output


def configure(subjects: output.Subjects) -> None:
    """Adds the commands."""
    actions = output.subject(subjects, "report", help="look into reports, and report to neighbours")
    output.command(
        actions,
        "list",
        show,
        help="list reports from other servers that nobody has closed",
        example="echoppe report list",
    )
    parser = output.command(
        actions,
        "close",
        close,
        help="mark a report as looked into",
        example="echoppe report close 0b8e6c1e-3f0b-4c57-9a54-4f0d3a0e7c11",
    )
    parser.add_argument("id")
    parser = output.command(
        actions,
        "send",
        send,
        help="report a neighbour's listing or shop to its own node, in this node's name",
        example="echoppe report send https://boutiques.pessac.example/users/vins "
        "--reason 'prices of last year'",
    )
    parser.add_argument("uri", help="its address on the network, as `search --json` gives it")
    parser.add_argument("--reason", required=True, help="what the other steward reads")


def show(asked: argparse.Namespace) -> None:
    """Lists open reports."""
    from node.commands import folder
    from node.store import database, reports
    from node.store.times import stamp

    here = folder.open_folder(asked)
    with database.reading(here.path) as db:
        found = reports.find_open(db)
    lines = []
    for one in found:
        lines += [f"{one.id}  {stamp(one.at)}  from {one.host}: {one.words}"]
        lines += [f"  {uri}" for uri in one.objects]
    output.say(
        asked,
        [
            {
                "id": one.id,
                "from": one.host,
                "objects": list(one.objects),
                "words": one.words,
                "at": stamp(one.at),
            }
            for one in found
        ],
        *(lines or ["Nothing is reported."]),
    )


def close(asked: argparse.Namespace) -> None:
    """Closes a report."""
    from node import errors
    from node.commands import folder
    from node.store import database, reports

    here = folder.open_folder(asked)
    with database.transaction(here.path) as db:
        if reports.get(db, asked.id) is None:
            raise errors.NotFound("unknown-report", f"There is no report {asked.id}.")
        reports.close(db, asked.id, here.now)
    output.say(asked, {"id": asked.id}, "It is closed.")


def send(asked: argparse.Namespace) -> None:
    """Reports to a neighbour."""
    from node.commands import folder
    from node.exchange import reports
    from node.store import database

    here = folder.open_folder(asked)
    with database.transaction(here.path) as db:
        host = reports.send(db, here.uris, asked.uri, asked.reason, folder.new_id(), here.now)
    output.say(asked, {"uri": asked.uri, "host": host}, f"{host} will be told.")
