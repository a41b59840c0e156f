"""`echoppe proof`: whether a site tells anybody of its readers, as anybody can try it."""

import argparse
from collections import Counter
from typing import TYPE_CHECKING, Any

from node.commands import output

if TYPE_CHECKING:
    from node.proof import Fetch, Report

SHOWN_MOST = 100  # lines


def configure(subjects: output.Subjects) -> None:
    """Adds the command."""
    parser = output.command(
        subjects,
        "proof",
        run,
        help="read the public pages of a site, and say which other hosts they ask and what they "
        "leave with a reader",
        example="echoppe proof https://boutiques.pessac.example",
    )
    parser.add_argument("url", help="a site's address; any node's, from any machine")
    parser.add_argument("--pages", type=int, default=40, metavar="N", help="at most (default: 40)")
    parser.add_argument(
        "--no-browser", action="store_true", help="read only, though there is a Chromium"
    )
    parser.add_argument(
        "--publish", action="store_true", help="show the result on this node's own page /preuve"
    )


def run(asked: argparse.Namespace) -> int:
    """Exit status 1 where another host is asked, or something is left, or nothing could be read."""
    import httpx2

    import node
    from node import errors, proof, proof_browser
    from node.commands import folder
    from node.store import database

    if not 1 <= asked.pages <= 2000:
        raise errors.Invalid("bad-pages", "--pages must be 1 to 2000.")
    url = asked.url if "://" in asked.url else f"https://{asked.url}"
    if not url.startswith(("http://", "https://")) or not proof.authority(url):
        raise errors.Invalid("bad-url", f"{asked.url!r} is no address of a site.")
    here = folder.open_folder(asked) if asked.publish else None
    if here is not None and not proof.own(url, here.uris.origin):
        raise errors.Invalid(
            "not-own-site", f"--publish is for this node's own address, {here.uris.origin}."
        )
    program = None if asked.no_browser else proof_browser.find()
    with httpx2.Client(
        follow_redirects=False,
        timeout=20.0,
        headers={"User-Agent": f"Echoppe-proof/{node.__version__}", "Accept-Language": "fr"},
    ) as client:
        output.progress("reading pages")
        report = proof.crawl(url, _fetch(client), proof.Bounds(pages=asked.pages))
    trouble = ""
    if program is not None and report.pages:
        try:
            proof_browser.watch(
                program,
                report,
                lambda done: output.progress(f"a browser looks: {done} of {len(report.pages)}"),
            )
        except proof_browser.Silent as error:
            trouble = f"The browser {program} did not look at all of it: {error}."
    output.progress("")
    if here is not None:
        with database.transaction(here.path) as db:
            proof.record(db, report, here.now)
    output.say(asked, _document(report, trouble), *_lines(report, trouble))
    return 0 if report.clean and not trouble else 1


def _fetch(client: Any) -> "Fetch":
    """One GET, of at most so many bytes, with no cookie and none kept."""
    import time

    import httpx2

    from node.proof import Answer

    def fetch(url: str, most: int) -> Answer:
        until = time.monotonic() + 30
        body = bytearray()
        try:
            client.cookies.clear()
            with client.stream("GET", url) as answer:
                for part in answer.iter_bytes():
                    body += part
                    if len(body) > most or time.monotonic() > until:
                        return Answer(error="too large or too slow")
                headers = tuple((name, value) for name, value in answer.headers.multi_items())
                return Answer(answer.status_code, headers, bytes(body))
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            return Answer(error=type(error).__name__)

    return fetch


def _document(report: "Report", trouble: str) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "url": report.url,
        "clean": report.clean and not trouble,
        "complete": report.complete,
        "browser": report.browser,
        "browser_trouble": trouble or None,
        "pages": report.pages,
        "outside_hosts": report.names("outside"),
        "cookies": report.names("cookie"),
        "storage": report.names("storage"),
        "traces": [asdict(trace) for trace in report.traces],
        "requests": [asdict(one) for one in report.requests],
        "policies": report.policies,
        "unread": report.unread,
    }


def _lines(report: "Report", trouble: str) -> list[str]:
    made = Counter((one.by, one.how) for one in report.requests)
    lines = [f"{len(report.pages)} page(s) of {report.url} were read."]
    lines += [f"    {count:5} {by}: {how}" for (by, how), count in sorted(made.items())]
    words = {"outside": "OUTSIDE HOST", "cookie": "COOKIE", "storage": "STORED"}
    lines += [
        f"{words[one.kind]} {one.what} ({one.how}, seen by the {one.by}) on {one.page}"
        for one in report.traces[:SHOWN_MOST]
    ]
    if len(report.traces) > SHOWN_MOST:
        lines.append(f"... and {len(report.traces) - SHOWN_MOST} more (see --json)")
    lines += [f"not read: {one}" for one in report.unread[:SHOWN_MOST]]
    if not report.complete:
        lines.append("There is more than was looked at (--pages).")
    if trouble:
        lines.append(trouble)
    elif report.browser is None:
        lines.append("No browser looked: what scripts do was not seen. apt-get install chromium")
    else:
        lines.append(f"Looked at by a browser too: {report.browser}")
    lines.append(
        f"{len(report.names('outside'))} outside host(s), {len(report.names('cookie'))} cookie(s), "
        f"{len(report.names('storage'))} thing(s) stored."
    )
    return lines
