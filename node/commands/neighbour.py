"""`echoppe neighbour`: whom the node exchanges listings with."""

import argparse
from typing import TYPE_CHECKING, Any

from node.commands import output

if TYPE_CHECKING:
    from node.commands.folder import Folder
    from node.model import Peer

SOFTWARE = "echoppe"


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

    from node import settings
    from node.commands import folder
    from node.exchange import follows
    from node.store import database, peers

    here = folder.open_folder(asked)
    url = settings.check_url(asked.url.rstrip("/"), here.settings.federation.private_peers)
    found = asyncio.run(_look_up(here, url))
    with database.transaction(here.path) as db:
        _check_not_blocked(db, found[0])
        peers.add(db, *found)
        peer = peers.get(db, found[0])
        if peer is not None:
            follows.ask(db, here.uris, peer, folder.new_id(), here.now)
        peer = peers.get(db, found[0])
    _say_one(asked, peer, f"{found[3]} ({found[0]}) was asked to be a neighbour.")


async def _look_up(here: "Folder", url: str) -> tuple[str, str, str, str, str]:
    """Host, origin, actor, name and software of the node at an address.

    Raises errors.Invalid, saying why, for what is no node.
    """
    import node
    from federation import actors, addresses, client, documents, nodeinfo
    from federation.errors import FederationError, Refused
    from node import errors

    _, host, _ = documents.address(url)
    if url == here.uris.origin:
        raise errors.Invalid("own-address", f"{url} is this very node.")
    policy = addresses.Policy(
        frozenset(here.settings.federation.private_peers), here.uris.authority
    )
    try:
        async with client.Client(
            policy, f"Echoppe/{node.__version__} (+{here.uris.origin})"
        ) as http:
            info = await nodeinfo.discover(http, url)
            if info.software != SOFTWARE:
                raise errors.Invalid(
                    "other-software",
                    f"{url} is a {info.software or 'server of another kind'}, not an Échoppe node. "
                    "People there can follow your shops; it cannot be a neighbour.",
                )
            if info.application_actor is None:
                raise Refused("no-application-actor", url)
            document, _ = await http.fetch_document(info.application_actor)
            actor = actors.from_document(document)
            if actor.type != "Application" or not documents.same_origin(actor.id, url):
                raise Refused("not-a-node", f"{actor.id} is a {actor.type}")
    except FederationError as error:
        raise errors.Invalid(
            "no-node-there", f"{url} does not answer as an Échoppe node ({error.code})."
        ) from None
    name = info.metadata.get("nodeName")
    name = documents.text(name, 100) or actor.name or host
    return host, documents.origin(url), actor.id, name, f"{info.software} {info.version}"


def accept(asked: argparse.Namespace) -> None:
    """Accepts a request."""
    from node import errors
    from node.commands import folder
    from node.exchange import follows
    from node.store import database, peers

    here = folder.open_folder(asked)
    with database.transaction(here.path) as db:
        peer = _get(db, asked.host)
        _check_not_blocked(db, peer.host)
        if peer.follower is None:
            raise errors.NotFound("no-request", f"{asked.host} has not asked to be a neighbour.")
        follows.ask(db, here.uris, peer, folder.new_id(), here.now)
        now = peers.get(db, asked.host)
    _say_one(asked, now, f"{peer.name} ({peer.host}) is accepted as a neighbour.")


def remove(asked: argparse.Namespace) -> None:
    """Ends being neighbours."""
    from node import errors
    from node.commands import folder
    from node.exchange import follows
    from node.store import database

    here = folder.open_folder(asked)
    with database.transaction(here.path) as db:
        peer = _get(db, asked.host)
        if peer.blocked is not None:
            raise errors.Conflict(
                "blocked",
                f"{peer.host} is blocked, and stays so until `echoppe neighbour add` chooses it.",
            )
        follows.leave(db, here.uris, peer, folder.new_id(), here.now)
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


def _check_not_blocked(db: "Any", host: str) -> None:
    """Raises errors.Conflict for a host that is blocked together with a domain above it."""
    from node import errors, moderation

    found = moderation.find_block(db, host)
    if found is not None and found.domain != host:
        raise errors.Conflict(
            "blocked",
            f"{host} is blocked with {found.domain}. "
            f"To lift that: echoppe neighbour restore {found.domain}",
        )


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
    from node.commands import folder
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


def _get(db: "Any", host: str) -> "Peer":
    from node import errors
    from node.store import peers

    peer = peers.get(db, host)
    if peer is None:
        raise errors.NotFound(
            "unknown-neighbour", f"There is no neighbour {host!r}. See: echoppe neighbour list"
        )
    return peer


def _state(peer: "Peer") -> str:
    if peer.blocked:
        return "blocked"
    if peer.suspended:
        return f"suspended since {peer.suspended:%F}, its listings hidden"
    if peer.following == "accepted" and peer.follower == "accepted":
        return "neighbour"
    if peer.follower == "requested" and peer.added is None:
        return "asks to be a neighbour (echoppe neighbour accept HOST)"
    if peer.following == "rejected":
        return "has refused"
    if peer.following == "accepted":
        return "neighbour (it does not read this node yet)"
    return "was asked, has not answered yet"


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
        "suspended": stamp_or_none(peer.suspended),
        "reason": peer.suspended_why,
    }


def _say_one(asked: argparse.Namespace, peer: "Peer | None", line: str) -> None:
    output.say(asked, _document(peer) if peer else {"host": asked.host, "state": "removed"}, line)
