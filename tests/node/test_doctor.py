"""The doctor: each finding where it should be, and none where all is well."""

import dataclasses
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from node import backups, doctor, keyring, sealed_files, settings
from node.store import database, deliveries, received
from tests import ground
from tests.ground import NOW

WELL = f"""
[node]
url = "https://boutiques.pessac.example"
name = "Pessac"
communes = ["FR-33318"]
contact = "mairie@pessac.example"
[server]
trusted_proxies = ["127.0.0.1"]
[mail]
host = "smtp.pessac.example"
sender = "boutiques@pessac.example"
[backup]
key = "{sealed_files.generate()[1]}"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A node with nothing wrong."""
    found = ground.make(tmp_path / "node")
    found.chmod(0o700)
    (found / "instance.toml").write_text(WELL)
    keyring.create(found)
    (found / "backups").mkdir()
    (found / "backups" / backups.name(NOW - timedelta(hours=6))).touch()
    backups.note_rehearsal(found, NOW - timedelta(days=90))
    return found


def codes(folder: Path, **changed: object) -> set[str]:
    configured = settings.load(folder)
    for name, value in changed.items():
        table, key = name.split("__")
        table_now = dataclasses.replace(getattr(configured, table), **{key: value})
        configured = dataclasses.replace(configured, **{table: table_now})
    found = doctor.examine(folder, configured, NOW)
    assert all(one.text and one.remedy for one in found)
    # What this machine is like, not the node.
    return {one.code for one in found} - {"sqlite-wal-reset", "backup-same-disk"}


def test_where_all_is_well_nothing_is_found(folder: Path) -> None:
    assert codes(folder) == set()


def _queue(folder: Path) -> None:
    with database.transaction(folder) as db:
        shop = ground.open_shop(db)
        deliveries.add(
            db,
            inbox="https://x.example/inbox",
            host="x.example",
            object_uri=shop.uri,
            sender="fleurs",
            verb="Update",
            body="{}",
            now=NOW - timedelta(days=3),
        )


def _damage(folder: Path) -> None:
    path = folder / "node.db"
    with database.reading(folder) as db:
        page = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'listings'").fetchone()
        size = db.execute("PRAGMA page_size").fetchone()
    data = bytearray(path.read_bytes())
    data[(page[0] - 1) * size[0] : page[0] * size[0]] = bytes(size[0])
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("break_it", "code"),
    [
        (lambda f: (f / "node.key").chmod(0o644), "loose-file"),
        (lambda f: (f / "node.db").chmod(0o640), "loose-file"),
        (lambda f: (f / "node.key").unlink(), "file-missing"),
        (lambda f: f.chmod(0o777), "loose-folder"),
        pytest.param(
            lambda f: os.chown(f / "node.db", 12345, 12345),
            "foreign-file",
            marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away"),
        ),
        (lambda f: [(f / f"node.db.before-{n}").touch() for n in range(5)], "old-copies"),
        (lambda f: (f / "quarantine.json").touch(), "restored-quiet"),
        (lambda f: next((f / "backups").iterdir()).unlink(), "backup-late"),
        (lambda f: (f / "backup.rehearsed").unlink(), "backup-untried"),
        (lambda f: backups.note_rehearsal(f, NOW - timedelta(days=101)), "backup-untried"),
        (lambda f: (f / "node.db").write_bytes(b"x" * 5000), "database-unusable"),
        (_damage, "database-damaged"),
        (_queue, "delivery-late"),
    ],
)
def test_each_fault_is_found(folder: Path, break_it: Callable[[Path], object], code: str) -> None:
    break_it(folder)
    assert code in codes(folder)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"server__trusted_proxies": ()}, "no-trusted-proxy"),
        ({"server__listen": "0.0.0.0:8000"}, "listens-openly"),
        ({"federation__private_peers": ("10.0.0.1:80",)}, "guard-open"),
        ({"testing__clock_offset_s": 60}, "clock-offset"),
        ({"mail__host": ""}, "no-mail"),
        ({"node__contact": ""}, "no-contact"),
        ({"backup__key": ""}, "no-backup"),
    ],
)
def test_each_setting_that_is_unsafe_is_found(
    folder: Path, changed: dict[str, object], code: str
) -> None:
    assert codes(folder, **changed) == {code}


def test_what_waits_too_long_in_the_inbox_is_found(folder: Path) -> None:
    with database.transaction(folder) as db:
        letter = received.Letter(b"f", "https://x.example/u", "x.example", b"{}")
        received.add(db, [letter], NOW - timedelta(hours=1))
    assert codes(folder) == {"inbox-late"}


def test_versions_with_the_wal_reset_bug_are_known() -> None:
    mended = {(3, 44, 6), (3, 44, 7), (3, 50, 7), (3, 51, 3), (3, 52, 0), (4, 0, 0)}
    faulty = {(3, 40, 1), (3, 44, 5), (3, 46, 1), (3, 50, 6), (3, 51, 2), (3, 7, 0)}
    assert {one for one in mended | faulty if doctor.is_mended(one)} == mended


def test_clocks_and_certificates() -> None:
    assert doctor.clock_finding("x", NOW, NOW + timedelta(seconds=59)) is None
    assert doctor.clock_finding("x", NOW, NOW - timedelta(seconds=61)) is not None
    begins = NOW - timedelta(days=60)
    assert doctor.certificate_finding(begins, NOW + timedelta(days=15), NOW) is None
    assert doctor.certificate_finding(begins, NOW + timedelta(days=13), NOW) is not None
    # One of six days: renewed when two are left, late when it has one.
    ends = NOW + timedelta(days=2)
    assert doctor.certificate_finding(ends - timedelta(days=6), ends, NOW) is None
    ends = NOW + timedelta(days=1)
    assert doctor.certificate_finding(ends - timedelta(days=6), ends, NOW) is not None
