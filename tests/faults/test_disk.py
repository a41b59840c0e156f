"""The disk fills up, cannot be written to, or loses what was on it."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from tests import neighbours
from tests.faults import buyers
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


def run(*command: str) -> bool:
    """Whether a command of the system is there and did what it was asked for."""
    return (
        shutil.which(command[0]) is not None
        and subprocess.run(command, capture_output=True, check=False).returncode == 0
    )


@pytest.fixture(params=["the kernel gives it up", "it is mounted anew"])
def turning_disk(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[Path, Callable[[], None]]]:
    """A disk, and what makes it read-only under whoever has files open there.

    Given up, as ext4 does upon an error, it refuses every write. Mounted anew, here over itself,
    it refuses to open a file for writing, as kernels before 6.15 do when they give one up.
    """
    where, image = tmp_path / "disk", tmp_path / "image"
    where.mkdir()
    if request.param == "it is mounted anew":
        made = run("mount", "-t", "tmpfs", "tmpfs", str(where))

        def turn() -> None:
            subprocess.run(["mount", "--bind", str(where), str(where)], check=True)
            subprocess.run(["mount", "-o", "remount,bind,ro", str(where)], check=True)

    else:
        with image.open("wb") as empty:
            empty.truncate(256_000_000)  # with holes
        made = run("mkfs.ext4", "-q", "-F", str(image)) and run(
            "mount", "-o", "loop,errors=remount-ro", str(image), str(where)
        )

        def turn() -> None:
            device = where.stat().st_dev
            name = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}").resolve().name
            Path(f"/sys/fs/ext4/{name}/trigger_fs_error").write_text("a test")

    if not made:
        pytest.skip(f"{MARK}a disk that fails: none may be mounted here: run as root")
    try:
        yield where, turn
    finally:
        while run("mountpoint", "-q", str(where)):
            subprocess.run(["umount", "--lazy", str(where)], check=True)


def test_a_disk_that_turns_read_only_under_a_running_node(
    turning_disk: tuple[Path, Callable[[], None]], tmp_path: Path
) -> None:
    """DB-04: reading goes on, what is asked for is refused in words, and health says why."""
    where, turn = turning_disk
    (town,) = neighbours.found(["Bordeaux"], tmp_path)
    shutil.copytree(town.folder, where, dirs_exist_ok=True)
    town.folder = where
    with neighbours.serving([town]):
        paths = buyers.offer_things(town, 1)
        offer = buyers.offer_of(town, paths[0])
        assert buyers.ask(town, paths[0], offer, "a" * 43) == 303
        assert town.get("/readyz").status_code == 200
        turn()
        ready = town.get("/readyz")
        assert (ready.status_code, ready.json()) == (503, {"problems": ["disk-read-only"]})
        assert town.get("/livez").status_code == 200
        refused = httpx2.post(
            f"{town.url}{paths[0]}",
            data={"link": "b" * 43, "offer": offer, "quantity": "1"},
            headers={"Sec-Fetch-Site": "same-origin"},
        )
        assert refused.status_code == 503
        assert "Traceback" not in refused.text
        assert town.names("pomme", "Bordeaux") == ["Pomme"]
        assert town.get("/recherche?q=pomme&ou=Bordeaux").status_code == 200
        assert town.get(f"/reservation/{'a' * 43}").status_code == 200
        assert town.get(f"/reservation/{'b' * 43}").status_code == 404
        said = echoppe("check", "--offline", folder=town.folder, status=1)
        assert "folder-read-only" in said.stdout
        said = echoppe("listing", "list", folder=town.folder)
        assert "Pomme" in said.stdout
        said = echoppe("shop", "close", "etal0", folder=town.folder, status=1)
        assert "Traceback" not in said.stderr
        town.stop()
    # What was promised can be carried to another disk.
    shutil.copytree(town.folder, tmp_path / "other")
    town.folder = tmp_path / "other"
    with neighbours.serving([town]):
        assert town.get(f"/reservation/{'a' * 43}").status_code == 200
        assert buyers.ask(town, paths[0], offer, "b" * 43) == 303


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


def test_the_write_ahead_log_is_gone(tmp_path: Path) -> None:
    """DB-08: after a crash somebody removes it. What it held is there all the same; and nothing is
    put back where it was folded in, or another file was put in its place."""
    (bordeaux,) = neighbours.found(["Bordeaux"], tmp_path)
    folder = bordeaux.folder

    def held(file: Path) -> list[str]:
        with contextlib.closing(sqlite3.connect(f"file:{file}?immutable=1", uri=True)) as db:
            return [row[0] for row in db.execute("SELECT name FROM listings ORDER BY name")]

    def remove_log() -> None:
        for name in ("node.db-wal", "node.db-shm"):
            (folder / name).unlink()

    with neighbours.serving([bordeaux]):
        bordeaux.run("shop", "add", "ruche", "--name", "La Ruche", "--commune", "Bordeaux")
        publish(bordeaux, "Miel")
        bordeaux.stop()  # all of this is in the file itself
        assert not (folder / "node.log-kept").exists()
        older = (folder / "node.db").read_bytes()
        bordeaux.serve()
        publish(bordeaux, "Cire")
        bordeaux.kill()
        assert held(folder / "node.db") == ["Miel"]  # the rest is in the log alone
        remove_log()
        bordeaux.serve()
        assert "was put back" in bordeaux.log()
        assert bordeaux.names("cire", "Bordeaux") == ["Cire"]
        # A command does the same.
        publish(bordeaux, "Pollen")
        bordeaux.kill()
        remove_log()
        publish(bordeaux, "Gelée")
        assert held(folder / "node.db") == ["Cire", "Gelée", "Miel", "Pollen"]
        # Folded in and changed since by another program: the old log is not laid over it.
        bordeaux.serve()
        publish(bordeaux, "Propolis")
        bordeaux.kill()
        with contextlib.closing(sqlite3.connect(folder / "node.db")) as db:
            db.execute("UPDATE listings SET name = 'Propolis brute' WHERE name = 'Propolis'")
            db.commit()
        bordeaux.serve()
        assert "Propolis brute" in bordeaux.get("/@ruche").text
        # An older file in the place of this one.
        publish(bordeaux, "Bougie")
        bordeaux.kill()
        remove_log()
        (folder / "older").write_bytes(older)
        os.utime(folder / "older", (0, 0))
        (folder / "older").replace(folder / "node.db")
        bordeaux.serve()
        assert bordeaux.log().count("was put back") == 1
    with contextlib.closing(sqlite3.connect(folder / "node.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("SELECT name FROM listings").fetchall() == [("Miel",)]
