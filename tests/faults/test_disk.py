"""The disk fills up, cannot be written to, or loses what was on it."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests import neighbours
from tests.neighbours import Town, echoppe, eventually
from tests.skipping import MARK


def publish(town: Town, name: str, status: int = 0) -> str:
    answer = town.run("listing", "add", "ruche", "--name", name, "--price", "3", status=status)
    return str(answer if status else answer["id"])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of six megabytes."""
    mount = shutil.which("mount")
    where = tmp_path / "disk"
    where.mkdir()
    made = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(where)],
        capture_output=True,
        check=False,
    )
    if not made or made.returncode:
        pytest.skip(f"{MARK}full disks: no file system may be mounted here: run as root")
    try:
        yield where
    finally:
        subprocess.run(["umount", "--lazy", str(where)], check=True)


def fill(disk: Path) -> Path:
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as out, contextlib.suppress(OSError):
        while out.write(bytes(4096)):
            pass
    return ballast


@pytest.fixture
def towns(tmp_path: Path, small_disk: Path) -> Iterator[tuple[Town, Town]]:
    """Bordeaux, and its neighbour Pessac on the small disk, each with a shop."""
    found = neighbours.found(["Bordeaux", "Pessac"], tmp_path)
    shutil.move(found[1].folder, small_disk / "pessac")
    found[1].folder = small_disk / "pessac"
    with neighbours.serving(found):
        for town, commune in zip(found, ("Bordeaux", "Pessac"), strict=True):
            town.run("shop", "add", "ruche", "--name", "La Ruche", "--commune", commune)
        neighbours.befriend(*found)
        publish(found[1], "Cire")
        yield found[0], found[1]


def test_a_full_disk_and_one_that_is_read_only(towns: tuple[Town, Town], small_disk: Path) -> None:
    """DB-03, DB-04: what was promised is there, what cannot be kept is refused in words, reading
    goes on, and no restart is needed."""
    bordeaux, pessac = towns
    ballast = fill(small_disk)
    publish(bordeaux, "Miel")
    eventually(lambda: bordeaux.run("neighbour", "list")[0]["waiting"])
    refused = publish(pessac, "Propolis", status=1)
    assert "full" in refused or "No space" in refused
    assert "Traceback" not in refused
    form = httpx2.post(
        f"{pessac.url}/connexion",
        data={"email": "claire@example.fr"},
        headers={"Origin": pessac.url, "Sec-Fetch-Site": "same-origin"},
        timeout=neighbours.PATIENCE,
    )
    assert form.status_code in (200, 303, 422, 503, 507)
    assert pessac.names("cire", "Pessac") == ["Cire"]
    assert pessac.get("/").status_code == 200
    assert pessac.get("/livez").status_code == 200
    assert pessac.get("/readyz").json() == {"problems": ["disk-full"]}
    said = echoppe("check", "--offline", folder=pessac.folder, status=1)
    assert "disk-short" in said.stdout
    ballast.unlink()
    eventually(lambda: publish(pessac, "Pollen"))
    bordeaux.run("deliveries", "replay", "--all")
    eventually(lambda: pessac.names("miel", "Pessac") == ["Miel"])
    assert pessac.names("propolis", "Pessac") == []
    with contextlib.closing(sqlite3.connect(pessac.folder / "node.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    pessac.stop()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    said = echoppe("serve", folder=pessac.folder, status=1)
    assert "Read-only" in said.stderr
    assert "Traceback" not in said.stderr


@pytest.fixture
def alone(tmp_path: Path) -> tuple[Town, Path, Path]:
    """A node that does not run, a backup of it, and the key."""
    town = neighbours.found(["Bordeaux"], tmp_path)[0]
    key, file = tmp_path / "key", tmp_path / "good.echoppe-backup"
    town.run("backup", "--new-key", str(key))
    town.run("shop", "add", "ruche", "--name", "La Ruche", "--commune", "Bordeaux")
    publish(town, "Miel")
    town.run("backup", str(file))
    return town, file, key


def test_64_kilobytes_overwritten(alone: tuple[Town, Path, Path], tmp_path: Path) -> None:
    """DB-08: it is found, never backed up, and the backup from before is good."""
    town, file, key = alone
    path = town.folder / "node.db"
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 65536] = os.urandom(65536)
    path.write_bytes(data)
    said = echoppe("check", "--offline", folder=town.folder, status=1)
    assert "echoppe restore" in said.stdout
    refused = echoppe("backup", str(tmp_path / "bad"), folder=town.folder, status=1)
    assert "damaged" in refused.stderr
    assert not (tmp_path / "bad").exists()
    served = subprocess.run(
        ["timeout", "120", sys.executable, "-m", "node", "-C", str(town.folder), "serve"],
        capture_output=True,
        text=True,
        check=False,
        cwd=neighbours.ROOT,
        env={**os.environ, "PYTHONPATH": str(neighbours.ROOT)},
    )
    assert served.returncode == 1, served
    assert "Traceback" not in served.stderr
    echoppe("restore", str(file), str(tmp_path / "again"), "--key", str(key))
    found = echoppe("listing", "list", folder=tmp_path / "again")
    assert "Miel" in found.stdout


def test_the_write_ahead_log_is_gone(alone: tuple[Town, Path, Path]) -> None:
    """DB-08: what it held is lost; the rest is whole, and the node says nothing that is not."""
    town, _, _ = alone
    with neighbours.serving([town]):
        publish(town, "Cire")
    for name in ("node.db-wal", "node.db-shm"):
        (town.folder / name).unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(town.folder / "node.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with neighbours.serving([town]):
        assert town.names("miel", "Bordeaux") == ["Miel"]
        publish(town, "Pollen")
        assert town.names("pollen", "Bordeaux") == ["Pollen"]
