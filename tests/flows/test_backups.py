"""A machine is lost, and its node put back elsewhere from its backup, beside a neighbour."""

import io
import json
import shutil
import sqlite3
import tarfile
import threading
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import httpx2
import pytest
from PIL import Image

from node import backups, restoring, sealed_files
from node.store import database
from tests import neighbours
from tests.neighbours import Town, echoppe, eventually


def publish(town: Town, name: str, *more: str) -> str:
    answer = town.run("listing", "add", "ruche", "--name", name, "--price", "3", *more)
    return str(answer["id"])


def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    Image.new("RGB", (900, 600), "red").save(path)
    return path


def rows(folder: Path, sql: str) -> list[tuple[object, ...]]:
    db = sqlite3.connect(folder / "node.db")
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Town, Town, Path]]:
    """Bordeaux, with a shop and a backup key, and its neighbour Pessac."""
    towns = neighbours.found(["Bordeaux", "Pessac"], tmp_path)
    key = tmp_path / "backup.key"
    towns[0].run("backup", "--new-key", str(key))
    with neighbours.serving(towns):
        towns[0].run("shop", "add", "ruche", "--name", "La Ruche", "--commune", "Bordeaux")
        neighbours.befriend(towns[0], towns[1])
        yield towns[0], towns[1], key


def test_a_lost_machine(pair: tuple[Town, Town, Path], tmp_path: Path) -> None:
    """The drill: backup under load, machine gone, restored, quiet, confirmed, in agreement."""
    bordeaux, pessac, key = pair
    kept = publish(bordeaux, "Miel", "--photo", str(photo(tmp_path)))
    changed, gone = publish(bordeaux, "Cire"), publish(bordeaux, "Bougie")
    day = f"{date.today() + timedelta(days=3)} 18:00"
    event = bordeaux.run("event", "add", "--title", "Concert", "--start", day)
    pessac_has = lambda name: pessac.names(name, "Pessac")  # noqa: E731
    eventually(lambda: pessac_has("bougie"))
    stop = threading.Event()
    done: list[str] = []

    def load() -> None:
        while not stop.is_set():
            done.append(publish(bordeaux, f"Charge {len(done)}"))

    worker = threading.Thread(target=load)
    worker.start()
    eventually(lambda: done)
    before = len(done)
    file = tmp_path / "b.echoppe-backup"
    made = bordeaux.run("backup", str(file))
    stop.set()
    worker.join()
    assert made["photos"] == 1
    assert made["photos_missing"] == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert b"Miel" not in file.read_bytes()
    # After the backup: one changed, one withdrawn, one new. Then the machine burns.
    bordeaux.run("listing", "revise", changed, "--price", "99")
    bordeaux.run("listing", "withdraw", gone)
    after = publish(bordeaux, "Hydromel", "--quantity", "750", "--unit", "ml")
    bordeaux.run("event", "cancel", event["id"])
    eventually(lambda: "Annulé" in pessac.get("/agenda").text)
    eventually(lambda: pessac.names("hydromel", "Pessac") == ["Hydromel"])
    eventually(lambda: "99.00" in pessac.get("/api/v1/search?q=cire&near=Pessac").text)
    eventually(lambda: pessac.names("bougie", "Pessac") == [])
    bordeaux.kill()
    shutil.rmtree(bordeaux.folder)

    tested = json.loads(echoppe("restore", "--test", str(file), "--key", str(key), "--json").stdout)
    assert tested["url"] == bordeaux.url
    echoppe("restore", str(file), str(bordeaux.folder), "--key", str(key))
    have = {row[0] for row in rows(bordeaux.folder, "SELECT id FROM listings")}
    assert {kept, changed, *done[:before]} <= have  # whatever was confirmed before it began
    assert rows(bordeaux.folder, "SELECT count(*) FROM sessions") == [(0,)]

    bordeaux.serve()
    assert bordeaux.names("miel", "Bordeaux") == ["Miel"]
    page = httpx2.post(
        f"{bordeaux.url}/connexion", data={"adresse": "x@example.fr"}, timeout=neighbours.PATIENCE
    )
    assert page.status_code == 503
    assert "sauvegarde" in page.text
    assert "backup" in httpx2.post(f"{bordeaux.url}/en/connexion", timeout=neighbours.PATIENCE).text
    inbox = httpx2.post(f"{bordeaux.url}/inbox", content=b"{}", timeout=neighbours.PATIENCE)
    assert (inbox.status_code, inbox.headers["retry-after"]) == (503, "300")
    assert bordeaux.get("/users/instance/outbox?since=0").status_code == 503
    assert bordeaux.get(f"/users/ruche/items/{done[-1]}").status_code == 503
    assert bordeaux.get("/users/instance").status_code == 200
    pessac.run("shop", "add", "pains", "--name", "Pains", "--commune", "Pessac")
    pessac.run("listing", "add", "pains", "--name", "Seigle", "--price", "4")
    assert rows(bordeaux.folder, "SELECT max(seq) < 1000 FROM changes") == [(1,)]

    told = json.loads(echoppe("restore", "--confirm", str(bordeaux.folder), "--json").stdout)
    # What Pessac had heard after the backup is back.
    back = told["back"][pessac.authority]
    assert (back["changed"], back["withdrawn"], back["trouble"]) == (1, 1, None)
    assert back["added"] >= 1
    mine = {one["id"] for one in bordeaux.run("listing", "list")}
    assert after in mine
    assert gone not in mine
    assert "99.00" in bordeaux.get("/api/v1/search?q=cire&near=Bordeaux").text
    found = bordeaux.get("/api/v1/search?q=hydromel&near=Bordeaux").json()["rings"][0]["results"][0]
    assert found["unit_price"] == {"amount": "4.00", "per": "l"}
    eventually(lambda: bordeaux.names("seigle", "Bordeaux") == ["Seigle"])
    # A cancellation since the backup is lost: both say so alike, and what is said next is heard.
    eventually(lambda: "Annulé" not in pessac.get("/agenda").text)
    bordeaux.run("event", "cancel", event["id"])
    eventually(lambda: "Annulé" in pessac.get("/agenda").text)
    new = publish(bordeaux, "Propolis")
    eventually(lambda: pessac.names("propolis", "Pessac") == ["Propolis"])
    assert rows(bordeaux.folder, "SELECT min(seq) > 1000000 FROM changes") == [(1,)]

    def agreed() -> bool:
        told = pessac.run("neighbour", "list")[0]
        return bool(told["digest_agrees"]) and told["theirs"] == told["held"]

    eventually(agreed)
    theirs = rows(pessac.folder, "SELECT uri FROM listings WHERE uri LIKE '%/ruche/%'")
    ours = rows(
        bordeaux.folder,
        "SELECT uri FROM listings WHERE uri LIKE '%/ruche/%' AND withdrawn IS NULL",
    )
    assert sorted(theirs) == sorted(ours)
    assert any(str(row[0]).endswith(new) for row in ours)
    shown = bordeaux.run("listing", "list")
    assert {one["id"] for one in shown} >= {kept, new}
    refused = echoppe("restore", "--confirm", str(bordeaux.folder), status=1)
    assert "confirmed before" in refused.stderr


def sign_in(db: sqlite3.Connection) -> None:
    """Somebody is signed in, with whatever else hangs on that."""
    account = db.execute("SELECT id FROM accounts").fetchone()[0]
    db.execute("INSERT INTO sessions VALUES (x'01', ?, '2099-01-01T00:00:00Z')", (account,))
    for table, sql in db.execute("SELECT name, sql FROM main.sqlite_schema").fetchall():
        if "REFERENCES sessions" in (sql or ""):
            db.execute(f"INSERT INTO {table} (token_hash) VALUES (x'01')")


@pytest.fixture
def alone(tmp_path: Path) -> tuple[Town, Path, Path]:
    """A node that does not run, its backup, and the key."""
    town = neighbours.found(["Bordeaux"], tmp_path)[0]
    key = tmp_path / "backup.key"
    town.run("backup", "--new-key", str(key))
    town.run("shop", "add", "ruche", "--name", "La Ruche", "--commune", "Bordeaux")
    publish(town, "Miel", "--photo", str(photo(tmp_path)))
    with database.transaction(town.folder) as db:  # somebody is signed in
        sign_in(db)
    file = tmp_path / "b.echoppe-backup"
    town.run("backup", str(file))
    return town, file, key


def test_restore_leaves_nothing_where_it_refuses(
    alone: tuple[Town, Path, Path], tmp_path: Path
) -> None:
    town, file, key = alone
    into = tmp_path / "new" / "node"
    full = echoppe("restore", str(file), str(town.folder), "--key", str(key), status=1)
    assert "not an empty folder" in full.stderr
    other = tmp_path / "other.key"
    other.write_text(sealed_files.generate()[0])
    wrong = echoppe("restore", str(file), str(into), "--key", str(other), status=1)
    assert "another key" in wrong.stderr
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    damaged = tmp_path / "damaged"
    damaged.write_bytes(data)
    for broken in (damaged, tmp_path / "cut"):
        (tmp_path / "cut").write_bytes(file.read_bytes()[:-20])
        said = echoppe("restore", str(broken), str(into), "--key", str(key), status=1)
        assert "damaged or was cut short" in said.stderr
    assert list(into.parent.iterdir()) == []
    again = echoppe("backup", str(file), folder=town.folder, status=1)
    assert "there already" in again.stderr


def rewritten(
    file: Path, key: Path, change: Callable[[str, bytes], list[tuple[str, bytes]]]
) -> bytes:
    """A backup that somebody else made of this one: they have the public key."""
    secret = sealed_files.secret_key(key.read_text())
    out = io.BytesIO()
    sealer = sealed_files.Sealer(out, secret.public_key())
    with (
        file.open("rb") as source,
        tarfile.open(fileobj=sealed_files.Opener(source, secret), mode="r|") as old,  # type: ignore[arg-type]
        tarfile.open(fileobj=sealer, mode="w|") as new,  # type: ignore[arg-type]
    ):
        for info in old:
            member = old.extractfile(info)
            assert member is not None
            for name, data in change(info.name, member.read()):
                told = tarfile.TarInfo(name)
                told.size = len(data)
                new.addfile(told, io.BytesIO(data))
    sealer.finish()
    return out.getvalue()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda n, d: [("../escaped" if n == "node.key" else n, d)], "does not belong"),
        (lambda n, d: [("/tmp/escaped" if n == "node.key" else n, d)], "does not belong"),
        (lambda n, d: [(n, d)] * (2 if n == "node.key" else 1), "twice"),
        (lambda n, d: [] if n == "node.key" else [(n, d)], "node.key cannot be read"),
        (lambda n, d: [(n, bytes(32) if n == "node.key" else d)], "does not fit this database"),
        (lambda n, d: [] if n == "end.json" else [(n, d)], "cut short"),
        (lambda n, d: [] if n == "manifest.json" else [(n, d)], "stands where"),
        (
            lambda n, d: [(n, d[:20000] + bytes(4096) + d[24096:] if n == "node.db" else d)],
            "damaged|cannot be used",
        ),
    ],
)
def test_a_backup_is_not_believed(
    alone: tuple[Town, Path, Path],
    tmp_path: Path,
    change: Callable[[str, bytes], list[tuple[str, bytes]]],
    why: str,
) -> None:
    _, file, key = alone
    forged = tmp_path / "forged"
    forged.write_bytes(rewritten(file, key, change))
    with pytest.raises(Exception, match=why):
        restoring.restore(forged, key.read_text(), tmp_path / "new" / "node")
    assert list((tmp_path / "new").iterdir()) == []


def test_a_photo_that_is_another_is_told(alone: tuple[Town, Path, Path], tmp_path: Path) -> None:
    _, file, key = alone
    forged = tmp_path / "forged"
    forged.write_bytes(
        rewritten(file, key, lambda n, d: [(n, b"x" if n.endswith("1600.jpg") else d)])
    )
    found = restoring.rehearse(forged, key.read_text(), tmp_path)
    assert (found.photos, len(found.photos_missing)) == (0, 1)


def test_the_node_makes_its_own_at_night_and_keeps_some(tmp_path: Path) -> None:
    town = neighbours.found(["Bordeaux"], tmp_path)[0]
    town.run("backup", "--new-key", str(tmp_path / "backup.key"))
    where = town.folder / "backups"
    where.mkdir()
    for day in range(10, 25):
        (where / f"202001{day}T020000Z{backups.SUFFIX}").touch()
    (where / "mine.txt").touch()
    with neighbours.serving([town]):
        eventually(lambda: len(backups.kept(where)) == 14)  # swept once the new one is whole
        made = [file for _, file in backups.kept(where) if file.stat().st_size]
    assert (where / "mine.txt").exists()
    tested = echoppe("restore", "--test", str(made[0]), "--key", str(tmp_path / "backup.key"))
    assert "Whole" in tested.stdout
    assert not (town.folder / "backup.tmp").exists()
