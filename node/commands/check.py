"""`echoppe check`: what is wrong with a node and how to mend it; or, with --sealed, whether words
that were planted can be found in what it wrote."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from node.commands import output

if TYPE_CHECKING:
    from datetime import datetime

    from node.commands.folder import Folder
    from node.doctor import Finding
    from node.model import Peer

PATIENCE = 10.0  # seconds for each question to somebody else
ASKED = 3  # neighbours whose clock is looked at


def configure(subjects: output.Subjects) -> None:
    """Adds the command."""
    parser = output.command(
        subjects,
        "check",
        run,
        help="say what is wrong with the node, and how to mend it",
        example="echoppe -C /srv/boutiques check\n"
        '         echoppe check --sealed "Zoé Personne" "06 39 98 00 12" --also /var/log/node.log',
    )
    parser.add_argument(
        "--offline", action="store_true", help="ask nobody: neither its own address nor neighbours"
    )
    parser.add_argument(
        "--sealed",
        nargs="*",
        metavar="WORD",
        help="instead, look for words that you reserved with in everything that the node wrote; "
        "without any, only whether all is sealed",
    )
    parser.add_argument(
        "--also",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="with --sealed, a file or folder outside of the node's: logs, copies; may be repeated",
    )


def run(asked: argparse.Namespace) -> int:
    """Exit status 1 where anything was found."""
    from node.commands import folder

    if asked.sealed is not None:
        return _sealed(asked)
    import asyncio

    from node import clock, doctor, settings
    from node.uris import Uris

    path = asked.folder.absolute()  # not opened as usual: a check upgrades and repairs nothing
    configured = settings.load(path)
    now = clock.clock(configured.testing.clock_offset_s)
    here = folder.Folder(path, configured, Uris(configured.node.url), now())
    findings = doctor.examine(here.path, here.settings, here.now)
    if not asked.offline:
        output.progress("asking from outside")
        findings += asyncio.run(_outside(here))
        output.progress("")
    held = doctor.storage(here.path, here.settings)
    faults = sum(one.level == doctor.FAULT for one in findings)
    lines = []
    for one in sorted(findings, key=lambda one: one.level != doctor.FAULT):
        lines += [f"{one.level.upper()} {one.code}: {one.text}", f"    {one.remedy}"]
    for kind in held:
        most = "" if kind.cap is None else f" of at most {kind.cap / 1e6:,.0f} MB"
        lines.append(f"{kind.kind}: {kind.bytes / 1e6:,.1f} MB{most}")
    lines.append(
        f"{faults} fault(s), {len(findings) - faults} hint(s)." if findings else "All is well."
    )
    output.say(
        asked,
        {
            "findings": [
                {"level": one.level, "code": one.code, "text": one.text, "remedy": one.remedy}
                for one in findings
            ],
            "storage": [{"kind": one.kind, "bytes": one.bytes, "cap": one.cap} for one in held],
        },
        *lines,
    )
    return 1 if faults else 0


# --- From outside --------------------------------------------------------------------------------


async def _outside(here: "Folder") -> "list[Finding]":
    import asyncio
    import contextlib
    import sqlite3

    from node import errors
    from node.store import database, peers

    known: list[Peer] = []
    # A file that cannot be read is told already: it was looked at first.
    with (
        contextlib.suppress(errors.Unusable, sqlite3.Error),
        database.reading(here.path) as db,
    ):
        known = peers.find_followers(db)
    return [
        *await asyncio.to_thread(_own_address, here),
        *await _clocks(here, known),
    ]


def _own_address(here: "Folder") -> "list[Finding]":
    """Whether the node answers under its own address, and what its proxy makes of a request."""
    import ssl

    import httpx2

    from node import doctor

    url = here.settings.node.url
    found = []
    try:
        trusted = ssl.create_default_context()  # the system's authorities
        with httpx2.Client(timeout=PATIENCE, trust_env=False, verify=trusted) as http:
            if url.startswith("https:"):
                found += _certificate(here)
            alive = http.get(f"{url}/livez")
            if alive.status_code != 200 or alive.text != "ok\n":
                raise httpx2.HTTPError(f"/livez answers {alive.status_code}")
            ready = http.get(f"{url}/readyz")
            if ready.status_code != 200:
                found.append(
                    doctor.Finding(
                        doctor.FAULT,
                        "not-ready",
                        f"{url}/readyz says: {ready.text.strip()[:300]}",
                        "Look into the node's log; a full disk and a filling index are told above.",
                    )
                )
            if http.get(f"{url}/robots.txt").status_code == 421:
                found.append(
                    doctor.Finding(
                        doctor.FAULT,
                        "proxy-changes-host",
                        "The proxy does not pass on the Host that was asked for.",
                        "nginx: proxy_set_header Host $host; (deploy/nginx.conf has all of it).",
                    )
                )
            if url.startswith("https:") and http.get(f"{url}/metrics").status_code == 200:
                found.append(
                    doctor.Finding(
                        doctor.FAULT,
                        "metrics-open",
                        "Anybody can read /metrics: the proxy does not say whom it speaks for.",
                        "Let the proxy set X-Forwarded-For (deploy/ has working configurations).",
                    )
                )
    except (httpx2.HTTPError, OSError) as error:
        found.append(
            doctor.Finding(
                doctor.FAULT,
                "no-answer",
                f"{url} does not answer from this machine ({error}).",
                "Is the node running, and the proxy? Does the name lead here, and is the port "
                "open? Some routers do not let a machine reach its own public address: try from "
                "another.",
            )
        )
    return found


def _certificate(here: "Folder") -> "list[Finding]":
    """When the certificate under the node's address ends. Raises OSError, ssl's included."""
    import socket
    import ssl
    from datetime import UTC, datetime
    from urllib.parse import urlsplit

    from node import doctor

    parts = urlsplit(here.settings.node.url)
    host = parts.hostname or ""
    with (
        socket.create_connection((host, parts.port or 443), PATIENCE) as plain,
        ssl.create_default_context().wrap_socket(plain, server_hostname=host) as secure,
    ):
        told = secure.getpeercert() or {}
    times = [
        datetime.fromtimestamp(ssl.cert_time_to_seconds(said), UTC)
        for said in (told.get("notBefore"), told.get("notAfter"))
        if isinstance(said, str)
    ]
    if len(times) != 2:
        return []
    finding = doctor.certificate_finding(times[0], times[1], here.now)
    return [] if finding is None else [finding]


async def _clocks(here: "Folder", known: "list[Peer]") -> "list[Finding]":
    """What neighbours' clocks say of this one: wrong only where most of those asked say so."""
    from datetime import UTC, datetime

    import node
    from federation import addresses, client
    from federation.errors import FederationError
    from node import doctor

    private = here.settings.federation.private_peers
    policy = addresses.Policy(frozenset(private), here.uris.authority)
    found: list[Finding | None] = []
    async with client.Client(policy, f"Echoppe/{node.__version__} (+{here.uris.origin})") as http:
        for peer in known:
            if len(found) == ASKED:
                break
            try:
                answer = await http.get(f"{peer.origin}/livez", accept="*/*")
            except FederationError:
                continue
            theirs = _date(answer.headers.get("date", ""))
            if theirs is not None:
                found.append(doctor.clock_finding(peer.host, theirs, datetime.now(UTC)))
    wrong = [one for one in found if one is not None]
    return wrong[:1] if len(wrong) * 2 > len(found) else []


def _date(header: str) -> "datetime | None":
    from email.utils import parsedate_to_datetime

    try:
        found = parsedate_to_datetime(header)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


# --- Planted words -------------------------------------------------------------------------------


def _sealed(asked: argparse.Namespace) -> int:
    from node import leaks
    from node.commands import folder
    from node.store import database

    here = folder.open_folder(asked)
    found, files, size = leaks.search([here.path, *asked.also], asked.sealed)
    with database.reading(here.path) as db:
        open_ones = leaks.unsealed(db)
        letters, keyless = leaks.unsealed_enquiries(db)
    scripts = leaks.scripts()
    output.say(
        asked,
        {
            "found": [{"file": str(leak.file), "word": leak.word} for leak in found],
            "unsealed": open_ones,
            "unsealed_enquiries": letters,
            "enquiries_without_key": keyless,
            "files": files,
            "bytes": size,
            "scripts": scripts,
        },
        *(f"FOUND {leak.word!r} in {leak.file}" for leak in found),
        *(f"NOT SEALED: the reservation {code}" for code in open_ones),
        *(f"NOT SEALED: the enquiry {letter}" for letter in letters),
        *(
            [f"{keyless} enquiry or enquiries lie open: their shop has no key to seal them to."]
            if keyless
            else []
        ),
        f"{len(asked.sealed)} word(s) looked for in {files} file(s), {size:,} bytes: "
        f"{len(found)} found; {len(open_ones)} reservation(s) not sealed.",
        f"{len(letters)} enquiry or enquiries not sealed that could be.",
        "Scripts of this version (SHA-256):",
        *(f"  {digest}  {name}" for name, digest in scripts.items()),
    )
    return 1 if found or open_ones or letters else 0
