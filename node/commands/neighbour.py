"""`echoppe neighbour`: whom the node exchanges listings with."""

import argparse
from typing import TYPE_CHECKING, Any

from node.commands import output

if TYPE_CHECKING:
    from node.commands.folder import Folder
    from node.exchange.choosing import Found
    from node.model import Peer


def configure(subjects: output.Subjects) -> None:
    """Adds the commands."""
    actions = output.subject(subjects, "neighbour", help="choose the nodes to exchange with")
    parser = output.command(
        actions,
        "add",
        add,
        help="choose a node as neighbour and ask it to be one",
        example="echoppe neighbour add https://boutiques.merignac.example",
    )
    parser.add_argument("url", help="the other node's address")
    output.command(
        actions,
        "list",
        show,
        help="list neighbours, requests, and how well each agrees",
        example="echoppe neighbour list",
    )
    for name, run, text in (
        ("accept", accept, "accept a node that asked to be a neighbour, and ask it in turn"),
        ("remove", remove, "end being neighbours; its listings leave this node"),
        ("block", block, "hear and tell a node nothing any more; its listings leave this node"),
    ):
        parser = output.command(
            actions,
            name,
            run,
            help=text,
            example=f"echoppe neighbour {name} boutiques.pessac.example",
        )
        parser.add_argument("host", help="as `neighbour list` names it")


def add(asked: argparse.Namespace) -> None:
    """Looks the other node up, and writes down the request; the server sends it."""
    import asyncio

    from node.commands import folder
    from node.exchange import choosing
    from node.store import database, peers

    here = folder.open_folder(asked)
    found = asyncio.run(_look_up(here, asked.url))
    with database.transaction(here.path) as db:
        choosing.choose(db, here.uris, found, folder.new_id(), here.now)
        peer = peers.get(db, found.host)
    _say_one(asked, peer, f"{found.name} ({found.host}) was asked to be a neighbour.")


async def _look_up(here: "Folder", url: str) -> "Found":
    """The node at an address. Raises errors.Invalid, saying why, for what is no node."""
    import node
    from federation import addresses, client
    from node.exchange import choosing

    private = here.settings.federation.private_peers
    policy = addresses.Policy(frozenset(private), here.uris.authority)
    async with client.Client(policy, f"Echoppe/{node.__version__} (+{here.uris.origin})") as http:
        return await choosing.look_up(http, here.uris, url, private)


def accept(asked: argparse.Namespace) -> None:
    """Accepts a request."""
    from node.commands import folder
    from node.exchange import choosing
    from node.store import database, peers

    here = folder.open_folder(asked)
    with database.transaction(here.path) as db:
        peer = choosing.accept(db, here.uris, asked.host, folder.new_id(), here.now)
        now = peers.get(db, asked.host)
    _say_one(asked, now, f"{peer.name} ({peer.host}) is accepted as a neighbour.")


def remove(asked: argparse.Namespace) -> None:
    """Ends being neighbours."""
    from node.commands import folder
    from node.exchange import choosing
    from node.store import database

    here = folder.open_folder(asked)
    with database.transaction(here.path) as db:
        peer = choosing.remove(db, here.uris, asked.host, folder.new_id(), here.now)
    _say_one(asked, None, f"{peer.name} ({peer.host}) is no longer a neighbour.")


def block(asked: argparse.Namespace) -> None:
    """Blocks a node, known or not."""
    from node.commands import folder
    from node.exchange import choosing
    from node.store import database

    here = folder.open_folder(asked)
    with database.transaction(here.path) as db:
        peer = choosing.block(db, here.uris, asked.host, here.now)
    _say_one(asked, peer, f"{peer.host} is blocked, and everybody on it.")


def show(asked: argparse.Namespace) -> None:
    """Lists neighbours and requests."""
    from node.commands import folder
    from node.store import database, deliveries, peers, received

    here = folder.open_folder(asked)
    with database.reading(here.path) as db:
        found = peers.find(db)
        waiting = deliveries.count_by_host(db)
        set_aside = received.count_dead_by_host(db)
    documents = []
    lines = []
    for peer in found:
        count, why = waiting.get(peer.host, (0, None))
        aside, fault = set_aside.get(peer.host, (0, None))
        documents.append(
            {
                **_document(peer),
                "waiting": count,
                "delivery_problem": why,
                "set_aside": aside,
                "set_aside_problem": fault,
            }
        )
        lines.append(f"{peer.host:40} {_state(peer)}")
        lines.append(f"    {peer.name} — {_agreement(peer)}")
        if count:
            lines.append(f"    {count} message(s) wait for it" + (f" ({why})" if why else ""))
        if aside:
            lines.append(f"    {aside} message(s) from it could not be handled ({fault})")
        if peer.problem:
            lines.append(f"    problem: {peer.problem}")
    output.say(
        asked, documents, *(lines or ["No neighbours yet. Choose one: echoppe neighbour add URL"])
    )


def _state(peer: "Peer") -> str:
    from node import neighbours

    return {
        "blocked": "blocked",
        "agreed": "neighbour",
        "asks": "asks to be a neighbour (echoppe neighbour accept HOST)",
        "refused": "has refused",
        "one-sided": "neighbour (it does not read this node yet)",
        "asked": "was asked, has not answered yet",
    }[neighbours.state(peer)]


def _agreement(peer: "Peer") -> str:
    if peer.sync_total and peer.synced is None:
        return f"reading its catalogue: {peer.sync_done} of {peer.sync_total}"
    if peer.synced is None:
        return "its catalogue has not been read"
    agree = {True: "in agreement", False: "differs", None: "cannot be compared"}
    return f"{agree[peer.digest_agrees]}, read {peer.synced:%F %H:%M} UTC"


def _document(peer: "Peer") -> "dict[str, Any]":
    from node.store.times import stamp_or_none

    return {
        "host": peer.host,
        "url": peer.origin,
        "name": peer.name,
        "software": peer.software,
        "state": _state(peer),
        "following": peer.following,
        "follower": peer.follower,
        "added": stamp_or_none(peer.added),
        "synced": stamp_or_none(peer.synced),
        "sync_done": peer.sync_done,
        "sync_total": peer.sync_total,
        "heard": stamp_or_none(peer.heard),
        "digest_agrees": peer.digest_agrees,
        "problem": peer.problem,
        "blocked": stamp_or_none(peer.blocked),
    }


def _say_one(asked: argparse.Namespace, peer: "Peer | None", line: str) -> None:
    output.say(asked, _document(peer) if peer else {"host": asked.host, "state": "removed"}, line)
