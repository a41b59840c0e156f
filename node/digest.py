"""What waits for whoever looks after the node: four numbers, and a mail a week that tells them.

The mail goes to stewards with an address, and only where something waits; then not again for a
week. It names numbers and pages, and nobody.
"""

import shutil
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from node import mail, neighbours
from node.model import Role
from node.store import accounts, applications, digests, mails, notices, peers, reports
from node.store.database import FILE_NAME
from node.translation import Translator
from node.uris import Uris

EVERY = timedelta(days=7)
SILENT_AFTER = timedelta(days=3)  # neighbours read each other daily: three readings failed
LOW_SHARE = 0.1
LOW_BYTES = 1_000_000_000
COUNTED_MOST = 1000


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk that the node's folder is on, in bytes, and what the database takes of it."""

    free: int
    total: int
    database: int

    @property
    def is_low(self) -> bool:
        """Whether somebody should do something about it."""
        return self.free < LOW_BYTES or self.free < self.total * LOW_SHARE


@dataclass(frozen=True, slots=True)
class Numbers:
    """What waits."""

    to_approve: int  # shops that ask to be opened
    reports: int  # open ones
    silent: tuple[str, ...]  # hosts of neighbours that have not been heard for SILENT_AFTER
    disk: Disk
    requests: int  # nodes that ask to be neighbours
    mails_given_up: int

    @property
    def something(self) -> bool:
        """Whether any of it is worth a mail."""
        return bool(
            self.to_approve
            or self.reports
            or self.silent
            or self.requests
            or self.mails_given_up
            or self.disk.is_low
        )


def numbers(db: sqlite3.Connection, folder: Path, now: datetime) -> Numbers:
    """How it stands at one moment."""
    return Numbers(
        to_approve=len(applications.waiting(db, COUNTED_MOST)),
        reports=reports.count_open(db) + notices.count_open(db),
        silent=tuple(
            peer.host
            for peer in peers.find(db)
            if neighbours.state(peer) in ("agreed", "one-sided")
            and peer.heard is not None
            and now - peer.heard >= SILENT_AFTER
        ),
        disk=disk(folder),
        requests=peers.count_requests(db),
        mails_given_up=mails.standing(db).given_up,
    )


def disk(folder: Path) -> Disk:
    """How full the disk of a folder is."""
    usage = shutil.disk_usage(folder)
    files = (folder / FILE_NAME, folder / f"{FILE_NAME}-wal")
    return Disk(usage.free, usage.total, sum(one.stat().st_size for one in files if one.exists()))


def size(bytes_: int, say: Translator) -> str:
    """Bytes as people say them: "12 Go", "850 Mo"; "12 GB"."""
    if bytes_ < 10**9:
        return say("{count} MB").format(count=round(bytes_ / 10**6))
    if bytes_ < 10**12:
        return say("{count} GB").format(count=round(bytes_ / 10**9))
    number = f"{bytes_ / 10**12:.1f}"
    return say("{count} TB").format(
        count=number.replace(".", ",") if say.language == "fr" else number
    )


def queue_due(
    db: sqlite3.Connection, uris: Uris, site: str, folder: Path, say: Translator, now: datetime
) -> int:
    """Queues the mail of the week where it is due and something waits; says to how many."""
    last = digests.last(db)
    if last is not None and now - last < EVERY:
        return 0
    people = [one.email for one in accounts.find_with_role(db, Role.STEWARD, now) if one.email]
    found = numbers(db, folder, now)
    if not people or not found.something:
        return 0
    digests.mark(db, now)
    subject = say("{site}: what waits for you").format(site=" ".join(site.split())[:100])
    text = "\n".join((*_lines(found, say), "", f"{uris.origin}/gestion", ""))
    for email in people:
        mail.queue(db, email, subject, text, now)
    return len(people)


def _lines(found: Numbers, say: Translator) -> list[str]:
    told = (
        (found.to_approve, say("Shops that ask to be opened: {count}")),
        (found.reports, say("Open reports: {count}")),
        (found.requests, say("Sites that ask to be neighbours: {count}")),
        (len(found.silent), say("Neighbours not heard for three days or more: {count}")),
        (found.mails_given_up, say("Mails given up in the last month: {count}")),
    )
    lines = [sentence.format(count=count) for count, sentence in told if count]
    if found.disk.is_low:
        lines.append(
            say("The disk is nearly full: {free} of {total} are free.").format(
                free=size(found.disk.free, say), total=size(found.disk.total, say)
            )
        )
    return lines
