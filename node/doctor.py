"""What may be wrong with a node, each finding with its remedy: what `echoppe check` says.

A finding is a *fault* (something does not work, or will be lost) or a *hint* (it works, and could
be safer). What can only be seen from outside is asked for by node/commands/check.py.
"""

import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from node import backups, errors, keyring, mail, media, restoring
from node.settings import Settings
from node.store import copies, database, migrations, queues, received

FAULT, HINT = "fault", "hint"
DISK_SHORT = 500_000_000  # bytes free, below which something should be done
DISK_FULL = 50_000_000  # the node takes nothing in (node/web/health.py)
COPIES_MOST = 3  # of the database from before upgrades
QUEUE_LATE = timedelta(days=1)
MAIL_LATE = timedelta(hours=1)
RECEIVED_LATE = timedelta(minutes=30)
CLOCK_OFF = timedelta(seconds=60)
CERTIFICATE_DAYS = 14
# sqlite.org/changes 3.51.3: two connections that write and checkpoint at once could lose a page.
_MENDED = ((3, 44, 6), (3, 50, 7), (3, 51, 3))
_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p"})


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong: a short name for scripts, a sentence, and what to do."""

    level: str
    code: str
    text: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Storage:
    """How many bytes a kind of thing takes, and how many it may; None where nothing bounds it."""

    kind: str
    bytes: int
    cap: int | None


def storage(folder: Path, configured: Settings) -> list[Storage]:
    """What the node's folder is filled with, by kind."""

    def of(*names: str) -> int:
        return sum(_size(path) for name in names for path in folder.glob(name))

    where = backups.place(folder, configured)
    return [
        Storage("database", of("node.db", "node.db-wal", "node.db-shm"), None),
        Storage("photos", of(f"{media.FOLDER}/**/*"), None),
        Storage(
            "neighbours-photos",
            of(f"{media.COPIES_FOLDER}/**/*"),
            configured.storage.remote_photos_mb * 1_000_000,
        ),
        Storage("copies-before-upgrades", of("node.db.before-*"), None),
        Storage("backups", sum(_size(file) for _, file in backups.kept(where)), None),
    ]


def _size(path: Path) -> int:
    try:
        found = path.lstat()
    except OSError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def examine(folder: Path, configured: Settings, now: datetime) -> list[Finding]:
    """Everything that can be seen on this machine, without asking anybody."""
    return [
        *_permissions(folder, configured),
        *_disk(folder),
        *_versions(),
        *_settings(configured),
        *_database(folder, now),
        *_backups(folder, configured, now),
    ]


def _permissions(folder: Path, configured: Settings) -> Iterator[Finding]:
    private = [folder / keyring.FILE_NAME, folder / database.FILE_NAME]
    if configured.mail.user:
        private.append(folder / configured.mail.password_file)
    for path in private:
        try:
            found = path.stat()
        except OSError as error:
            yield Finding(
                FAULT,
                "file-missing",
                f"{path} cannot be read ({error.strerror}).",
                "Put it back from your backup, or run this as the user that the node runs as.",
            )
            continue
        if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield Finding(FAULT, "loose-file", f"Others can read {path}.", f"Run: chmod 600 {path}")
    owner = folder.stat().st_uid
    foreign = sorted(one.name for one in folder.iterdir() if one.lstat().st_uid != owner)
    if foreign:
        yield Finding(
            FAULT,
            "foreign-file",
            f"{', '.join(foreign[:5])} in {folder} belong to somebody else: the node cannot use "
            "them. A command was run as another user, root mostly.",
            f"Run: chown -R --reference={folder} {folder}",
        )
    if folder.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        yield Finding(
            FAULT, "loose-folder", f"Others can write in {folder}.", f"Run: chmod 700 {folder}"
        )
    if not is_writable(folder):
        yield Finding(
            FAULT,
            "folder-read-only",
            f"Nothing can be written in {folder}.",
            "Mount the disk for writing, or give the folder to the user that the node runs as.",
        )
    kind = _file_system(folder)
    if kind in _NETWORK:
        yield Finding(
            FAULT,
            "network-disk",
            f"{folder} lies on a network disk ({kind}), whose locks the database cannot trust.",
            "Move the folder to a disk of this machine.",
        )


def is_writable(folder: Path) -> bool:
    """Whether the disk of a folder takes what this user writes.

    The folder's own time is set: a disk that the kernel gave up may still call itself writable.
    """
    try:
        os.utime(folder)
    except OSError:
        return False
    return True


def _file_system(folder: Path) -> str:
    """The kind of file system that a folder lies on, as the kernel names it."""
    best, kind = "", ""
    try:
        lines = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    for line in lines:
        _, point, name = line.split(" ")[:3]
        inside = f"{folder}/".startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, name
    return kind


def _disk(folder: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(folder).free
    if free < DISK_SHORT:
        held = sorted(folder.glob("node.db.before-*"))
        remedy = "Free some space on that disk"
        if held:
            remedy += f"; {len(held)} copies from before upgrades lie there (node.db.before-*)"
        text = f"{free // 1_000_000} MB are free on the disk of {folder}."
        if free < DISK_FULL:
            text += " The node takes nothing in any more."
        yield Finding(FAULT, "disk-short", text, f"{remedy}.")
    old = len(list(folder.glob("node.db.before-*")))
    if old > COPIES_MOST:
        yield Finding(
            HINT,
            "old-copies",
            f"{old} copies of the database from before upgrades lie in {folder}.",
            "Keep the newest node.db.before-* and remove the others.",
        )


def is_mended(version: tuple[int, ...]) -> bool:
    """Whether a version of SQLite is free of the WAL-reset bug."""
    return version >= _MENDED[-1] or any(
        version[:2] == mended[:2] and version >= mended for mended in _MENDED
    )


def _versions() -> Iterator[Finding]:
    version = copies.sqlite_version()
    if not is_mended(version):
        yield Finding(
            HINT,
            "sqlite-wal-reset",
            f"SQLite {'.'.join(map(str, version))} can damage a file that two programs write at "
            "once. The node's own locks prevent that; other programs know nothing of them.",
            "Let no other program (sqlite3, Litestream) write to node.db while the node runs.",
        )


def _settings(configured: Settings) -> Iterator[Finding]:
    listen = configured.server.listen.rpartition(":")[0].strip("[]")
    https = configured.node.url.startswith("https:")
    if https and not configured.server.trusted_proxies:
        yield Finding(
            FAULT,
            "no-trusted-proxy",
            "No proxy is named in [server] trusted_proxies: all who fail at the inbox are taken "
            "for one, and a flood in one name locks out all.",
            "Write into instance.toml, where the proxy runs on this machine: [server] "
            'trusted_proxies = ["127.0.0.1", "::1"]',
        )
    if https and listen not in ("127.0.0.1", "::1", "localhost"):
        yield Finding(
            HINT,
            "listens-openly",
            f"The node listens on {configured.server.listen}: it can be reached without TLS.",
            'Write [server] listen = "127.0.0.1:8000", and let the proxy alone reach it.',
        )
    if https and configured.federation.private_peers:
        yield Finding(
            FAULT,
            "guard-open",
            "private_peers opens the guard against private addresses. It is for trials.",
            "Empty [federation] private_peers in instance.toml.",
        )
    if configured.testing.clock_offset_s:
        yield Finding(
            FAULT,
            "clock-offset",
            "The clock is set ahead for testing.",
            "Take [testing] out of instance.toml.",
        )
    if not configured.mail.host:
        yield Finding(
            HINT,
            "no-mail",
            "There is no mail server: sign-in codes and words to merchants must be handed over.",
            "Fill in [mail] in instance.toml.",
        )
    if not configured.node.contact:
        yield Finding(
            HINT,
            "no-contact",
            "Nobody is named whom people could write to.",
            "Fill in [node] contact in instance.toml.",
        )


_PUT_BACK = (
    "Stop the node, keep its folder aside, and restore your last backup: "
    "echoppe restore FILE FOLDER --key KEYFILE"
)


def _database(folder: Path, now: datetime) -> Iterator[Finding]:
    try:
        with database.reading(folder) as db:
            yield from _inside(db, now)
    except errors.Unusable as error:
        yield Finding(FAULT, "database-unusable", error.detail, _PUT_BACK)
    if restoring.is_quiet(folder):
        yield Finding(
            FAULT,
            "restored-quiet",
            "This node was put back from a backup and keeps quiet.",
            f"Make sure that the old one is off, then: echoppe restore --confirm {folder}",
        )


def _inside(db: sqlite3.Connection, now: datetime) -> Iterator[Finding]:
    faults = copies.faults_of(db, quick=True)
    if faults:
        yield Finding(
            FAULT,
            "database-damaged",
            f"The database is damaged: {faults[0]}.",
            _PUT_BACK,
        )
        return
    if migrations.check(db):
        yield Finding(
            HINT,
            "upgrade-pending",
            "The database is of an earlier version.",
            "Start the node: it makes a copy and brings the file up to date.",
        )
        return
    yield from _queues(db, now)


def _queues(db: sqlite3.Connection, now: datetime) -> Iterator[Finding]:
    for queue in queues.find_queues(db):
        if now - queue.since > QUEUE_LATE:
            why = f" ({queue.error})" if queue.error else ""
            yield Finding(
                HINT,
                "delivery-late",
                f"{queue.waiting} message(s) for {queue.host} wait since {queue.since:%F}{why}.",
                "If that server is gone for good: echoppe neighbour remove HOST. "
                "Otherwise they are tried for a week.",
            )
    waiting, oldest = received.age(db)
    if oldest is not None and now - oldest > RECEIVED_LATE:
        yield Finding(
            FAULT,
            "inbox-late",
            f"{waiting} message(s) that came in wait since {oldest:%F %H:%M} UTC.",
            "Start the node; if it runs, look into its log for what fails.",
        )
    post = mail.standing(db)
    if post.oldest is not None and now - post.oldest > MAIL_LATE:
        yield Finding(
            FAULT,
            "mail-late",
            f"{post.waiting} mail(s) wait since {post.oldest:%F %H:%M} UTC ({post.error}).",
            "Look at [mail] in instance.toml and at that server.",
        )


def _backups(folder: Path, configured: Settings, now: datetime) -> Iterator[Finding]:
    if not configured.backup.key:
        yield Finding(
            FAULT,
            "no-backup",
            "The node makes no backups.",
            "Run: echoppe backup --new-key FILE, and keep FILE on another machine.",
        )
        return
    where = backups.place(folder, configured)
    made = backups.by_age(where, now)
    if not made or not -backups.SKEW <= now - made[-1][0] <= backups.LATE:
        last = f"the last one is of {made[-1][0]:%F}" if made else "there is none"
        yield Finding(
            FAULT,
            "backup-late",
            f"No backup was made lately in {where}: {last}.",
            "Run `echoppe backup --nightly` and read what it says.",
        )
    elif made[-1][1].stat().st_dev == folder.stat().st_dev:
        yield Finding(
            HINT,
            "backup-same-disk",
            f"Backups lie on the disk of the node itself ({where}).",
            "Copy them to another machine, or name another disk in [backup] folder.",
        )
    rehearsed = backups.rehearsed(folder)
    if rehearsed is None or now.date() - rehearsed > backups.REHEARSE_EVERY:
        last = "Nobody has tried" if rehearsed is None else f"It was last tried on {rehearsed}"
        yield Finding(
            HINT,
            "backup-untried",
            f"{last} whether a backup can be restored.",
            "Where the key is: echoppe restore --test FILE --key KEYFILE. "
            "Then here: echoppe backup --rehearsed",
        )


# --- What was seen from outside ------------------------------------------------------------------


def clock_finding(host: str, theirs: datetime, ours: datetime) -> Finding | None:
    """What the clock of another server says of ours."""
    off = abs(ours - theirs)
    if off <= CLOCK_OFF:
        return None
    return Finding(
        FAULT,
        "clock-wrong",
        f"This machine's clock and that of {host} are {off.total_seconds():.0f} seconds apart.",
        "Let the machine set its clock by the network: timedatectl set-ntp true. "
        "Signatures are refused from five minutes on.",
    )


def certificate_finding(begins: datetime, ends: datetime, now: datetime) -> Finding | None:
    """What is to be said of the day on which a certificate ends.

    Those that last for days only are renewed when a third of their time is left.
    """
    if ends - now >= min(timedelta(days=CERTIFICATE_DAYS), (ends - begins) / 4):
        return None
    left = (ends - now).days
    return Finding(
        FAULT,
        "certificate-ends",
        f"The certificate ends on {ends:%F}, in {left} day(s).",
        "Caddy and certbot renew it by themselves: read their log for why they do not.",
    )
