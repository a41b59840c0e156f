"""The process is ended, starved, upgraded by halves, or given a file from the future."""

import contextlib
import os
import re
import resource
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from node.store import database, migrations
from tests import neighbours
from tests.faults import buyers
from tests.ground import NOW
from tests.neighbours import ROOT, Town, echoppe, eventually


def waits_for_a_lock(town: Town) -> bool:
    """Whether a node's process waits for a lock on a file."""
    assert town.process is not None
    waiting = re.compile(rf"-> FLOCK .* {town.process.pid} ")
    return waiting.search(Path("/proc/locks").read_text()) is not None


def has_unread(town: Town) -> bool:
    """Whether somebody has sent a node what its process has not read yet."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(
        local.endswith(f":{town.port:04X}") and state == "01" and not queues.endswith(":00000000")
        for _, local, _, state, queues, *_ in lines
    )


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return neighbours.found(["Bordeaux"], tmp_path)[0]


def test_a_server_told_to_stop_amid_an_upload_stops(town: Town) -> None:
    """OPS-01: a body that never ends holds nobody up, and leaves nothing behind."""
    with neighbours.serving([town]):
        town.run("shop", "add", "ruche", "--name", "La Ruche", "--commune", "Bordeaux")
        with socket.create_connection(("127.0.0.1", town.port)) as half:
            half.sendall(
                f"POST /ma-boutique/ruche/ajouter HTTP/1.1\r\nHost: {town.authority}\r\n"
                "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 5000000\r\n\r\n"
                "--x\r\n".encode()
            )
            assert town.process is not None
            assert town.stop() == 0
    assert not (town.folder / "node.db-wal").exists()
    incoming = town.folder / "media" / "incoming"
    assert not incoming.exists() or list(incoming.iterdir()) == []


def test_a_server_told_to_stop_amid_a_reservation_keeps_its_word(town: Town) -> None:
    """OPS-01: one that the node is about to write is written and answered before it ends; the same
    form sent again to the next one is the same reservation."""
    with neighbours.serving([town]):
        path = buyers.offer_things(town, 1)[0]
        offer, secret = buyers.offer_of(town, path), "s" * 43
        settled = "SELECT count(*) FROM publications"
        eventually(lambda: buyers.rows(town, settled) == [(0,)])  # nothing else to be written
        assert town.process is not None
        with ThreadPoolExecutor(1) as pool:
            with database.locked_for_writing(town.folder):
                answer = pool.submit(buyers.ask, town, path, offer, secret)
                eventually(lambda: waits_for_a_lock(town))
                town.process.send_signal(signal.SIGTERM)
                with pytest.raises(subprocess.TimeoutExpired):
                    town.process.wait(0.5)
            assert answer.result(20) == 303
        assert town.stop() == 0
    held = "SELECT count(*), sum(taken) FROM reservations"
    assert buyers.rows(town, held) == [(1, 1)]
    with neighbours.serving([town]):
        assert buyers.ask(town, path, offer, secret) == 303
    assert buyers.rows(town, held) == [(1, 1)]


def test_a_sender_told_to_stop_amid_a_delivery_sends_it_later(tmp_path: Path) -> None:
    """OPS-01: what was sent and not answered is sent again by the next one, and is one listing."""
    bordeaux, pessac = neighbours.found(["Bordeaux", "Pessac"], tmp_path)
    with neighbours.serving([bordeaux, pessac]):
        bordeaux.run("shop", "add", "ruche", "--name", "La Ruche", "--commune", "Bordeaux")
        neighbours.befriend(bordeaux, pessac)
        assert pessac.process is not None
        pessac.process.send_signal(signal.SIGSTOP)
        bordeaux.run("listing", "add", "ruche", "--name", "Miel", "--price", "3")
        eventually(lambda: has_unread(pessac))
        assert bordeaux.stop() == 0
        waiting = "SELECT count(*) FROM deliveries"
        assert buyers.rows(bordeaux, waiting) == [(1,)]
        pessac.process.send_signal(signal.SIGCONT)
        bordeaux.serve()
        eventually(lambda: buyers.rows(bordeaux, waiting) == [(0,)], within=60)
        eventually(lambda: buyers.rows(pessac, "SELECT count(*) FROM received") == [(0,)])
        assert pessac.names("miel", "Pessac") == ["Miel"]
        assert buyers.rows(pessac, "SELECT count(*) FROM search_rows") == [(1,)]


def test_64_descriptors_are_enough_to_shed_load_and_recover(town: Town) -> None:
    """OPS-08: `ulimit -n 64`."""

    def starve() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    server = subprocess.Popen(
        [sys.executable, "-m", "node", "-C", str(town.folder), "serve"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=starve,
    )
    try:
        assert server.stdout is not None
        assert server.stdout.readline().startswith(b"ready")
        with contextlib.ExitStack() as stack:
            for _ in range(100):
                stack.enter_context(socket.create_connection(("127.0.0.1", town.port)))
            assert server.poll() is None

        def answers() -> bool:
            try:
                return town.get("/").status_code == 200
            except Exception:
                return False

        eventually(answers)
        assert server.poll() is None
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(neighbours.PATIENCE) == 0
        if server.stdout is not None:
            server.stdout.close()


def test_a_file_from_a_newer_version_is_not_served(town: Town) -> None:
    """DB-14, from the outside."""
    with database.transaction(town.folder) as db:
        db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES (?, ?, ?)",
            (migrations.SET, "2031_01_01_future", "2031-01-01"),
        )
    for command in (("serve",), ("shop", "list")):
        refused = echoppe(*command, folder=town.folder, status=1)
        assert "newer version" in refused.stderr
        assert refused.stdout == ""


@pytest.mark.parametrize("kill_at", range(1, len(migrations.STEPS)))
def test_an_upgrade_killed_at_any_step_goes_on(tmp_path: Path, kill_at: int) -> None:
    """DB-14: kill -9 in the middle of a step leaves that step undone and the others done."""
    folder = tmp_path
    (folder / database.FILE_NAME).touch(0o600)
    migrations.migrate(folder, NOW, migrations.STEPS[:1])
    child = os.fork()
    if child == 0:
        name, sql = migrations.STEPS[kill_at]

        def die(*_: object) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        with database.locked_for_writing(folder):
            db = database.connect(folder / database.FILE_NAME, writing=True)
            db.create_function("die", 0, die)
            steps = (*migrations.STEPS[:kill_at], (name, f"{sql}\nSELECT die();"))
            with contextlib.suppress(BaseException):
                migrations._apply(db, steps)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    with database.reading(folder) as db:
        assert migrations.applied(db) == [one for one, _ in migrations.STEPS[:kill_at]]
    migrations.migrate(folder, NOW)
    with database.reading(folder) as db:
        assert migrations.check(db) == []
        assert db.execute("PRAGMA main.integrity_check").fetchone()[0] == "ok"
