"""`echoppe restore`: a node from its backup, the rehearsal of it, and the word that ends it."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from node.commands import output

if TYPE_CHECKING:
    from node.commands.folder import Folder
    from node.exchange.held import Back, Told
    from node.restoring import Contents


def configure(subjects: output.Subjects) -> None:
    """Adds the command."""
    parser = output.command(
        subjects,
        "restore",
        run,
        help="put a node back from a backup, quiet until you confirm that the old one is off",
        example="echoppe restore boutiques.echoppe-backup /srv/boutiques --key backup.key\n"
        "         echoppe restore --confirm /srv/boutiques",
    )
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the backup")
    parser.add_argument("into", nargs="?", type=Path, metavar="FOLDER", help="empty, or new")
    parser.add_argument(
        "--key", type=Path, metavar="KEYFILE", help="the file with the secret key; - reads it"
    )
    parser.add_argument(
        "--test", action="store_true", help="check all of FILE and leave nothing behind"
    )
    parser.add_argument(
        "--confirm",
        type=Path,
        metavar="FOLDER",
        help="the old node is off for good: the restored one may speak",
    )
    parser.add_argument(
        "--without-neighbours",
        action="store_true",
        help="with --confirm: do not ask neighbours what they heard after the backup",
    )


def run(asked: argparse.Namespace) -> int | None:
    """Restores, rehearses, or confirms."""
    from node import errors, restoring

    if asked.confirm is not None:
        if asked.file is not None or asked.test:
            print("echoppe restore: --confirm stands alone", file=sys.stderr)
            return 2
        _confirm(asked)
        return None
    if asked.file is None or asked.key is None or (asked.into is None) is not asked.test:
        print(
            "echoppe restore: give FILE FOLDER --key KEYFILE, or --test FILE --key KEYFILE",
            file=sys.stderr,
        )
        return 2
    secret = sys.stdin.read(10_000) if str(asked.key) == "-" else _secret(asked.key)
    if asked.test:
        import tempfile

        with tempfile.TemporaryDirectory(prefix="echoppe-test-") as where:
            contents = restoring.rehearse(asked.file, secret, Path(where), output.progress)
        output.progress("")
        _say(
            asked,
            contents,
            "Whole: it could be restored. Nothing was left behind.",
            "Tell the node, so that its check need not ask: echoppe backup --rehearsed",
        )
        return None
    into = asked.into.absolute()
    if into == Path.cwd():
        raise errors.Invalid("own-folder", "Stand elsewhere: the folder itself is replaced.")
    contents = restoring.restore(asked.file, secret, into, output.progress)
    output.progress("")
    _say(
        asked,
        contents,
        f"Restored in {into}. Everybody has been signed out; a steward gets in by:",
        f"    echoppe -C {into} account invite EMAIL --role steward",
        "It keeps quiet: it can be read, but takes nothing in and sends nothing. Make sure that",
        "the old node is off and stays off, then say so:",
        f"    echoppe restore --confirm {into}",
    )
    return None


def _secret(path: Path) -> str:
    from node import errors

    try:
        return path.read_text(encoding="utf-8")[:10_000]
    except UnicodeDecodeError:
        raise errors.Invalid("no-backup-key", f"{path} is no key file.") from None


def _say(asked: argparse.Namespace, contents: "Contents", *lines: str) -> None:
    photos = f"{contents.photos} photo(s)"
    if contents.photos_missing:
        photos += f", {len(contents.photos_missing)} missing"
    output.say(
        asked,
        {
            "url": contents.url,
            "made": contents.made,
            "version": contents.version,
            "bytes": contents.bytes,
            "photos": contents.photos,
            "photos_missing": list(contents.photos_missing),
        },
        f"{contents.url}, as of {contents.made} (version {contents.version}): {photos}.",
        *lines,
    )


def _said(told: "Told", back: "Back") -> str:
    if told.trouble is not None:
        return f"{told.host} could not be asked what it holds ({told.trouble})."
    line = (
        f"{told.host} gave back {back.added} listing(s), newer states of {back.changed}, and "
        f"knew that {back.withdrawn} were withdrawn."
    )
    return line if not back.refused else f"{line} {back.refused} could not be used."


async def _ask_neighbours(here: "Folder") -> "list[Told]":
    """What each neighbour holds of this node's listings, one after the other."""
    import node
    from federation import addresses, client
    from node.exchange import held
    from node.store import database, peers

    with database.reading(here.path) as db:
        known = peers.find_followers(db)
    private = here.settings.federation.private_peers
    policy = addresses.Policy(frozenset(private), here.uris.authority)
    async with client.Client(policy, f"Echoppe/{node.__version__} (+{here.uris.origin})") as http:
        told = []
        for peer in known:
            output.progress(f"asking {peer.host}")
            told.append(await held.ask(http, here.uris, peer))
    output.progress("")
    return told


def _confirm(asked: argparse.Namespace) -> None:
    import asyncio
    import dataclasses

    from node import errors, restoring
    from node.commands import folder
    from node.exchange import follows, held
    from node.store import database

    asked.folder = asked.confirm
    here = folder.open_folder(asked)
    if not restoring.is_quiet(here.path):
        raise errors.Conflict(
            "not-quiet", f"{here.path} was not restored, or was confirmed before."
        )
    told = [] if asked.without_neighbours else asyncio.run(_ask_neighbours(here))
    results = {}
    with database.transaction(here.path) as db:
        gone = held.deleted(told)
        for one in told:
            results[one.host] = held.take_back(db, here.uris, one.items, here.now, gone)
        count = restoring.begin_anew(db, here.now)
        readers = follows.accept_again(db, here.uris, folder.new_token, here.now)
    restoring.speak(here.path)
    output.say(
        asked,
        {
            "anew": count,
            "neighbours": readers,
            "back": {
                one.host: {**dataclasses.asdict(results[one.host]), "trouble": one.trouble}
                for one in told
            },
        },
        *(_said(one, results[one.host]) for one in told),
        f"The node may speak. {readers} neighbour(s) will read its {count} shop(s), listing(s) "
        "and news.",
    )
