"""Whether the node lives and can serve, for supervisors; and its numbers, for who watches it."""

import ipaddress
import resource
import shutil
import sqlite3
import threading
from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from node import backups
from node.doctor import is_writable
from node.store import counts, database, search, times
from node.web import state

DISK_LEAST = 50 * 1024 * 1024


async def livez(_request: Request) -> Response:
    """The process answers."""
    return PlainTextResponse("ok\n")


async def readyz(request: Request) -> Response:
    """The database can be read, the writer keeps up, and the disk takes what is written."""
    site = state.of(request)
    problems = []
    try:
        if not await site.database.read(search.is_filled):
            problems.append("index-being-filled")
    except Exception:
        problems.append("database-unreadable")
    if site.database.waiting() > 10 * database.BATCH:
        problems.append("writer-behind")
    if shutil.disk_usage(site.database.folder).free < DISK_LEAST:
        problems.append("disk-full")
    if not is_writable(site.database.folder):
        problems.append("disk-read-only")
    return JSONResponse({"problems": problems}, 503 if problems else 200)


# --- Metrics -------------------------------------------------------------------------------------

_HELP = {
    "listings": "Listings on show.",
    "shops": "Shops that are open.",
    "neighbours": "Neighbours, by whether their catalogue agrees with what is held of it.",
    "received": "Activities that came in and wait, or were set aside.",
    "deliveries": "Activities that wait to be delivered.",
    "deliveries_failed": "Deliveries given up and kept to be looked at.",
    "hosts_failing": "Servers that cannot be reached now.",
    "mails": "Mails that wait, or were given up.",
    "photo_bytes": "Bytes of photos.",
}
_PROXIED = ("x-forwarded-for", "x-forwarded-host", "x-real-ip", "forwarded", "via")
_PAGE = resource.getpagesize()


async def metrics(request: Request) -> Response:
    """`/metrics`: numbers for Prometheus, to who asks on this very machine; nobody's name in them.

    Whoever comes through a proxy, under the node's public name or from elsewhere finds nothing.
    """
    if not _is_local(request):
        return PlainTextResponse("Not Found\n", 404)
    site = state.of(request)
    now = site.clock()
    counted, oldest = await site.database.read(_counted)
    lines: list[str] = []

    def put(name: str, text: str, values: Mapping[str, float], label: str = "") -> None:
        lines.append(f"# HELP echoppe_{name} {text}\n# TYPE echoppe_{name} gauge")
        for kind, value in values.items():
            shown = f'{{{label}="{kind}"}}' if label else ""
            lines.append(f"echoppe_{name}{shown} {value:.15g}")

    put("info", "The version that runs.", {site.version: 1}, "version")
    put("quiet", "1: restored, and not confirmed yet.", {"": float(site.workers.quiet)})
    for name, kinds in counted.items():
        put(name, _HELP[name], dict(kinds), "kind")
    ages = {name: (now - times.moment(at)).total_seconds() for name, at in oldest.items()}
    put("oldest_seconds", "Age of the oldest thing that waits in a queue.", ages, "queue")
    put("writes_waiting", "Writes that wait for the writer.", {"": site.database.waiting()})
    folder = site.database.folder
    files = {name: _size(folder / name) for name in ("node.db", "node.db-wal")}
    put("file_bytes", "Size of the database's files.", files, "file")
    disk = shutil.disk_usage(folder)
    put("disk_bytes", "The disk.", {"free": disk.free, "total": disk.total}, "kind")
    cap = site.settings.storage.remote_photos_mb * 1_000_000
    put("photo_bytes_most", "What neighbours' photos may take.", {"": cap})
    made = backups.by_age(backups.place(folder, site.settings), now)
    if made:
        age = (now - made[-1][0]).total_seconds()
        put("backup_age_seconds", "Age of the last nightly backup.", {"": age})
    put("memory_bytes", "Memory of the process.", {"": _resident()})
    put(
        "open_files",
        "Open descriptors of the process.",
        {"": _open_files()},
    )
    put("threads", "Threads of the process.", {"": threading.active_count()})
    return PlainTextResponse(
        "\n".join(lines) + "\n", media_type="text/plain; version=0.0.4; charset=utf-8"
    )


def _is_local(request: Request) -> bool:
    client = request.client
    host = request.headers.get("host", "").rpartition(":")[0].strip("[]")
    try:
        return (
            client is not None
            and ipaddress.ip_address(client.host).is_loopback
            and (host == "localhost" or ipaddress.ip_address(host).is_loopback)
            and not any(name in request.headers for name in _PROXIED)
        )
    except ValueError:
        return False


def _counted(db: sqlite3.Connection) -> tuple[dict[str, dict[str, int]], dict[str, str]]:
    return counts.find(db), counts.oldest(db)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE
