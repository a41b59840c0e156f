"""An upgrade of a node with live data, and the way back by the copy that it made."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from node.store import database, migrations
from tests import neighbours
from tests.ground import NOW
from tests.neighbours import ROOT, Town, echoppe, eventually

STEPS_BACK = 3  # how many upgrades are undone


def age(town: Town) -> None:
    """Makes a node's file one of an earlier version, with all that this version could hold."""
    new = town.folder / "node.db"
    old = town.folder / "older"
    old.mkdir()
    (old / database.FILE_NAME).touch(0o600)
    migrations.migrate(old, NOW, migrations.STEPS[:-STEPS_BACK])
    with contextlib.closing(sqlite3.connect(old / database.FILE_NAME)) as db:
        db.execute("ATTACH ? AS new", (str(new),))
        tables = [
            name
            for (name,) in db.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table'")
            if not name.startswith(("_", "sqlite"))
        ]
        for table in tables:
            known = {row[1] for row in db.execute(f"PRAGMA new.table_info({table})")}
            columns = ", ".join(
                row[1] for row in db.execute(f"PRAGMA main.table_info({table})") if row[1] in known
            )
            if columns:
                db.execute(f"DELETE FROM main.{table}")
                db.execute(
                    f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}"
                )
        db.execute("DELETE FROM sqlite_sequence")
        db.execute("INSERT INTO sqlite_sequence SELECT * FROM new.sqlite_sequence")
        db.commit()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for name in ("node.db", "node.db-wal", "node.db-shm"):
        (town.folder / name).unlink(missing_ok=True)
    (old / database.FILE_NAME).rename(new)
    shutil.rmtree(old)


def publish(town: Town, name: str) -> str:
    answer = town.run("listing", "add", "ruche", "--name", name, "--price", "3")
    return str(answer["id"])


def test_an_upgrade_and_the_way_back(tmp_path: Path) -> None:
    """OPS-06, as OPERATING.md tells it."""
    bordeaux, pessac = neighbours.found(["Bordeaux", "Pessac"], tmp_path)
    with neighbours.serving([bordeaux, pessac]):
        bordeaux.run("shop", "add", "ruche", "--name", "La Ruche", "--commune", "Bordeaux")
        neighbours.befriend(bordeaux, pessac)
        publish(bordeaux, "Miel")
        eventually(lambda: pessac.names("miel", "Pessac"))
        bordeaux.stop()
        age(bordeaux)
        bordeaux.serve()  # the upgrade
        assert bordeaux.names("miel", "Bordeaux") == ["Miel"]
        copies = list(bordeaux.folder.glob("node.db.before-*"))
        assert len(copies) == 1
        publish(bordeaux, "Cire")
        eventually(lambda: pessac.names("cire", "Pessac"))
        bordeaux.stop()
        # Back: the copy, and quiet until what came in between was asked for.
        for name in ("node.db-wal", "node.db-shm"):
            (bordeaux.folder / name).unlink(missing_ok=True)
        (bordeaux.folder / "node.db").rename(bordeaux.folder / "node.db.newer")
        copies[0].rename(bordeaux.folder / "node.db")
        (bordeaux.folder / "quarantine.json").touch()
        with database.reading(bordeaux.folder) as db:
            assert len(migrations.check(db)) == STEPS_BACK
        bordeaux.serve()
        assert bordeaux.names("cire", "Bordeaux") == []
        echoppe("restore", "--confirm", str(bordeaux.folder))
        eventually(lambda: bordeaux.names("cire", "Bordeaux") == ["Cire"])
        publish(bordeaux, "Pollen")
        eventually(lambda: pessac.names("pollen", "Pessac") == ["Pollen"])
        eventually(lambda: pessac.run("neighbour", "list")[0]["digest_agrees"])


@pytest.mark.soak
def test_the_bundle_installs_without_a_network(tmp_path: Path) -> None:
    """What `make dist` makes is all that a machine needs."""

    def run(*command: str, **more: str) -> str:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False,
            env={**os.environ, **more},
        )  # fmt: skip
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    pip = (sys.executable, "-m", "pip")
    dist = tmp_path / "dist"
    run(*pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(dist), ".")
    run(
        *pip, "download", "--quiet", "--require-hashes", "--no-deps", "--only-binary", ":all:",
        "--dest", str(dist / "wheels"), "-r", "requirements/run.lock",
    )  # fmt: skip
    run(sys.executable, "-m", "venv", str(tmp_path / "venv"))
    run(
        str(tmp_path / "venv/bin/pip"), "install", "--quiet", "--no-index",
        "--find-links", str(dist / "wheels"), *map(str, dist.glob("echoppe-*.whl")),
    )  # fmt: skip
    command = str(tmp_path / "venv/bin/echoppe")
    assert "backup" in run(command, "--help", PYTHONPATH="")
    node = tmp_path / "node"
    run(
        command, "init", str(node), "--url", "https://b.example", "--name", "B",
        "--commune", "Pessac", PYTHONPATH="",
    )  # fmt: skip
    assert "REFUSED" not in run(command, "-C", str(node), "shop", "list", PYTHONPATH="")
