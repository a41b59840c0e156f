"""`echoppe neighbour`: whom the node exchanges listings with."""

import argparse
from typing import TYPE_CHECKING, Any

from node.commands import output

if TYPE_CHECKING:
    from node.commands.folder import Folder
    from node.exchange.around import Look
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
    parser = output.command(
        actions,
        "suggest",
        suggest,
        help="ask the neighbours whom they are connected with; list those that are none of yours",
        example="echoppe neighbour suggest --within 30",
    )
    parser.add_argument(
        "--within", type=float, metavar="KM", help="between town halls; any distance if left out"
    )
    for name, run, text, host in (
        (
            "accept",
            accept,
            "accept a node that asked to be a neighbour, and ask it in turn",
            "boutiques.pessac.example",
        ),
        (
            "remove",
            remove,
            "end being neighbours; its listings leave this node",
            "boutiques.pessac.example",
        ),
        (
            "block",
            block,
            "hear and tell a host and all below it nothing any more; its listings leave this node",
            "spam.example --reason 'false prices'",
        ),
        (
            "suspend",
            suspend,
            "hide a neighbour's listings for now; kept for 7 days, until `restore`",
            "boutiques.pessac.example --reason 'prices of last year'",
        ),
        (
            "restore",
            restore,
            "end a suspension, or lift a block",
            "boutiques.pessac.example",
        ),
    ):
        parser = output.command(
            actions, name, run, help=text, example=f"echoppe neighbour {name} {host}"
        )
        parser.add_argument("host", help="as `neighbour list` names it")
        if name in ("block", "suspend"):
            parser.add_argument("--reason", default="", help="kept, and shown to stewards only")


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


def suggest(asked: argparse.Namespace) -> None:
    """Looks around, keeps what was met for the steward's page, and lists it."""
    import asyncio

    from node import errors
    from node.commands import folder
    from node.exchange import around
    from node.store import database, places

    here = folder.open_folder(asked)
    with database.reading(here.path) as db:
        known = around.to_ask(db)
        home = places.get(db, here.settings.node.communes[0])
    if home is None:
        raise errors.Unusable("unknown-commune", "node.communes names no commune of today.")
    looked = asyncio.run(_look_around(here, known))
    with database.transaction(here.path) as db:
        around.record(db, looked, here.now)
        found = [
            one
            for one in around.proposals(db, home)
            if asked.within is None or (one.km is not None and one.km <= asked.within)
        ]
    lines = []
    for one in found:
        away = "" if one.km is None else f", {one.km:.0f} km"
        lines.append(f"{one.node.name} ({', '.join(place.name for place in one.communes)}{away})")
        lines.append(f"    echoppe neighbour add {one.node.origin}")
        lines.append(f"    key {one.node.fingerprint}; named by {', '.join(one.node.via)}")
    lines += [f"no answer from {host}" for host in looked.silent]
    output.say(
        asked,
        [
            {
                "host": one.node.host,
                "url": one.node.origin,
                "name": one.node.name,
                "communes": list(one.node.communes),
                "distance_km": None if one.km is None else round(one.km, 1),
                "fingerprint": one.node.fingerprint,
                "mode": one.node.mode,
                "named_by": list(one.node.via),
            }
            for one in found
        ],
        *(lines or ["Your neighbours name nobody whom you do not know."]),
    )


async def _look_around(here: "Folder", known: "list[tuple[str, str]]") -> "Look":
    import node
    from federation import addresses, client
    from node.exchange import around

    private = here.settings.federation.private_peers
    policy = addresses.Policy(frozenset(private), here.uris.authority)
    async with client.Client(policy, f"Echoppe/{node.__version__} (+{here.uris.origin})") as http:
        return await around.look(http, here.uris, known, private, here.now)


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
    """Blocks a host with all below it, known or not."""
    from node import errors, moderation
    from node.commands import folder
    from node.store import database

    here = folder.open_folder(asked)
    domain = _domain(asked.host, here.uris.scheme)
    if moderation.is_under(here.uris.authority, {domain}):
        raise errors.Invalid("own-address", f"This very node is at {domain}, or below it.")
    with database.transaction(here.path) as db:
        moderation.block(db, domain, asked.reason, here.now)
        (made,) = (one for one in _blocks(db) if one["host"] == domain)
    output.say(asked, made, f"{domain} is blocked, with all below it and everybody there.")


def suspend(asked: argparse.Namespace) -> None:
    """Suspends a neighbour."""
    from node import moderation
    from node.commands import folder
    from node.store import database, peers

    here = folder.open_folder(asked)
    with database.transaction(here.path) as db:
        moderation.suspend(db, asked.host, asked.reason, here.now)
        peer = peers.get(db, asked.host)
    _say_one(
        asked,
        peer,
        f"{asked.host} is suspended; what came from it is hidden, and kept for 7 days. "
        f"Undo: echoppe neighbour restore {asked.host}",
    )


def restore(asked: argparse.Namespace) -> None:
    """Ends a suspension or a block."""
    from node import errors, moderation
    from node.commands import folder
    from node.store import database, peers

    here = folder.open_folder(asked)
    domain = _domain(asked.host, here.uris.scheme)
    with database.transaction(here.path) as db:
        if moderation.restore(db, domain, here.now):
            line = f"{domain} is a neighbour as before."
        elif moderation.unblock(db, domain):
            line = f"{domain} is no longer blocked. To be neighbours again, choose it again."
        else:
            raise errors.NotFound(
                "not-blocked",
                f"{domain} is neither suspended nor blocked. See: echoppe neighbour list",
            )
        peer = peers.get(db, domain)
    _say_one(asked, peer, line)


def _domain(text: str, scheme: str) -> str:
    """The domain of what was typed: a host, `*.host` for the same, or an address on it.

    Raises errors.Invalid for no host, and for one without a dot, which would be half the world.
    """
    from node import errors

    _, host = _origin(text.strip().removeprefix("*."), scheme)
    if "." not in host and ":" not in host:
        raise errors.Invalid("bad-host", f"{text!r} is not a host such as spam.example.")
    return host


def _blocks(db: "Any") -> "list[dict[str, Any]]":
    """Blocked domains, each like a neighbour in the list."""
    from node.store import blocks
    from node.store.times import stamp

    return [
        {
            "host": one.domain,
            "state": "blocked",
            "reason": one.reason,
            "blocked": stamp(one.since),
            "following": None,
            "follower": None,
        }
        for one in blocks.find(db)
    ]


def _origin(text: str, scheme: str) -> tuple[str, str]:
    """Origin and host of what was typed: a host, or an address on it. Raises errors.Invalid."""
    from federation import documents
    from federation.errors import Refused
    from node import errors

    try:
        found = documents.origin(text if "://" in text else f"{scheme}://{text}")
        return found, documents.address(found)[1]
    except Refused:
        raise errors.Invalid(
            "bad-host", f"{text!r} is not a host such as boutiques.example.fr."
        ) from None


def show(asked: argparse.Namespace) -> None:
    """Lists neighbours and requests."""
    from node import neighbours
    from node.commands import folder
    from node.model import Freshness
    from node.store import database, deliveries, peers, received

    here = folder.open_folder(asked)
    with database.reading(here.path) as db:
        found = peers.find(db)
        waiting = deliveries.count_by_host(db)
        set_aside = received.count_dead_by_host(db)
        blocked = _blocks(db)
    documents = []
    lines = []
    for peer in found:
        if any(one["host"] == peer.host for one in blocked):
            continue
        count, why = waiting.get(peer.host, (0, None))
        aside, fault = set_aside.get(peer.host, (0, None))
        documents.append(
            {
                **_document(peer),
                "freshness": neighbours.freshness(peer, here.now),
                "waiting": count,
                "delivery_problem": why,
                "set_aside": aside,
                "set_aside_problem": fault,
            }
        )
        lines.append(f"{peer.host:40} {_state(peer)}")
        lines.append(f"    {peer.name} — {_agreement(peer)}")
        if peer.heard and neighbours.freshness(peer, here.now) is not Freshness.FRESH:
            lines.append(f"    silent since {peer.heard:%F}: its listings are old, or hidden")
        if count:
            lines.append(f"    {count} message(s) wait for it" + (f" ({why})" if why else ""))
        if aside:
            lines.append(f"    {aside} message(s) from it could not be handled ({fault})")
        if peer.suspended_why:
            lines.append(f"    reason: {peer.suspended_why}")
        if peer.problem:
            lines.append(f"    problem: {peer.problem}")
    for one in blocked:
        documents.append(one)
        lines.append(f"{one['host']:40} blocked since {one['blocked'][:10]}, with all below it")
        if one["reason"]:
            lines.append(f"    reason: {one['reason']}")
    output.say(
        asked, documents, *(lines or ["No neighbours yet. Choose one: echoppe neighbour add URL"])
    )


def _state(peer: "Peer") -> str:
    from node import neighbours

    if peer.suspended:
        return f"suspended since {peer.suspended:%F}, its listings hidden"
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
    agree = {True: "in agreement", None: "cannot be compared"}
    return f"{agree.get(peer.digest_agrees) or _difference(peer)}, read {peer.synced:%F %H:%M} UTC"


def _difference(peer: "Peer") -> str:
    if peer.theirs is None or peer.held is None:
        return "differs"
    if peer.theirs > peer.held:
        return f"differs: {peer.theirs - peer.held} of its {peer.theirs} are missing here"
    if peer.theirs < peer.held:
        return f"differs: {peer.held - peer.theirs} here are not among its {peer.theirs}"
    return f"differs: as many ({peer.held}), but not all in the same state"


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
        "theirs": peer.theirs,
        "held": peer.held,
        "problem": peer.problem,
        "blocked": stamp_or_none(peer.blocked),
        "suspended": stamp_or_none(peer.suspended),
        "reason": peer.suspended_why,
    }


def _say_one(asked: argparse.Namespace, peer: "Peer | None", line: str) -> None:
    output.say(asked, _document(peer) if peer else {"host": asked.host, "state": "removed"}, line)
