"""`echoppe backup`: all of a node in one sealed file, and the key that it is sealed to."""

import argparse
import os
from pathlib import Path

from node.commands import output


def configure(subjects: output.Subjects) -> None:
    """Adds the command."""
    parser = output.command(
        subjects,
        "backup",
        run,
        help="make a backup of the node, sealed to your public key, while it runs",
        example="echoppe -C /srv/boutiques backup /mnt/usb/boutiques.echoppe-backup",
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("file", nargs="?", type=Path, metavar="FILE", help="where to write it")
    what.add_argument(
        "--nightly",
        action="store_true",
        help="as the node itself does at night: into [backup] folder, old ones removed",
    )
    what.add_argument(
        "--rehearsed",
        action="store_true",
        help="say that `echoppe restore --test` went well where the key is; "
        "`echoppe check` asks for it once a quarter",
    )
    what.add_argument(
        "--new-key",
        type=Path,
        metavar="FILE",
        help="make a key pair: the secret half into FILE (keep it elsewhere, and on paper), "
        "the public half into instance.toml",
    )


def run(asked: argparse.Namespace) -> None:
    """Makes a backup, or a key."""
    from node import backups, clock, settings

    folder = asked.folder.absolute()
    configured = settings.load(folder)
    if asked.new_key is not None:
        _new_key(asked, folder)
        return
    now = clock.clock(configured.testing.clock_offset_s)()
    if asked.rehearsed:
        backups.note_rehearsal(folder, now)
        output.say(asked, {"rehearsed": f"{now:%Y-%m-%d}"}, "Good. The node will remember it.")
        return
    target = asked.file
    if asked.nightly:
        where = backups.place(folder, configured)
        where.mkdir(parents=True, exist_ok=True, mode=0o700)
        target = where / backups.name(now)
    made = backups.make(folder, configured, target.absolute(), now, output.progress)
    output.progress("")
    gone = backups.rotate(target.parent, configured.backup.keep, now) if asked.nightly else []
    lines = [f"Backup: {made.file} ({made.bytes / 1e6:.1f} MB, {made.photos} photo(s))"]
    if made.photos_missing:
        lines.append(f"{made.photos_missing} photo(s) were withdrawn meanwhile or are missing.")
    if gone:
        lines.append(f"{len(gone)} old backup(s) removed.")
    lines.append("Try it once: echoppe restore --test FILE --key KEYFILE")
    output.say(
        asked,
        {
            "file": str(made.file),
            "bytes": made.bytes,
            "photos": made.photos,
            "photos_missing": made.photos_missing,
            "removed": [str(one) for one in gone],
        },
        *lines,
    )


def _new_key(asked: argparse.Namespace, folder: Path) -> None:
    from node import backups, errors, sealed_files

    target = asked.new_key.absolute()
    if target.is_relative_to(folder):
        raise errors.Invalid(
            "key-in-the-node",
            f"{target} lies in the node's own folder, where it would be lost together with the "
            "node. Name a place elsewhere, on another machine at best.",
        )
    secret, public = sealed_files.generate()
    try:
        descriptor = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise errors.Conflict("file-exists", f"{target} is there already. Name another.") from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write(
                "# The secret key of this node's backups. Without it, no backup can be opened.\n"
                "# Keep it away from the node, and a copy on paper in a safe.\n"
                f"{secret}\n"
            )
            out.flush()
            os.fsync(out.fileno())
        backups.put_key(folder, public)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    output.say(
        asked,
        {"public": public, "secret_file": str(target)},
        f"Secret key: {target}",
        "Move it away from this machine, and print it: without it, no backup can be opened.",
        "The public half stands in instance.toml. Restart the node: it makes a backup every night.",
    )
