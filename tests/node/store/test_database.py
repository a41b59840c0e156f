"""The two doors to the database file, their locks, and what a crash leaves."""

import asyncio
import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from node import errors
from node.store import database, doors
from tests import ground
from tests.neighbours import ROOT

pytestmark = pytest.mark.anyio

SOON = 120.0  # far longer than anything here takes, however busy the machine


def add(db: sqlite3.Connection, number: int) -> int:
    db.execute(
        "INSERT INTO seen_activities (fingerprint, at) VALUES (?, '')", (number.to_bytes(8, "big"),)
    )
    return number


def add_and_fail(db: sqlite3.Connection, number: int) -> None:
    add(db, number)
    raise LookupError(number)


def add_within(db: sqlite3.Connection, number: int) -> None:
    """Adds one in a part that succeeds, and fails afterwards."""
    with database.savepoint(db):
        add(db, number)
    raise LookupError(number)


def numbers(db: sqlite3.Connection) -> list[int]:
    rows = db.execute("SELECT fingerprint FROM seen_activities ORDER BY fingerprint")
    return [int.from_bytes(row[0], "big") for row in rows]


def python(script: str, *arguments: object) -> subprocess.Popen[str]:
    """Another process, working on the same code."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


# --- writing and reading -------------------------------------------------------------------------


async def test_what_is_written_can_be_read_by_everybody(tmp_path: Path) -> None:
    async with doors.Database(ground.make(tmp_path)) as db:
        assert await db.write(add, 1) == 1
        assert await db.read(numbers) == [1]
        with database.reading(tmp_path) as other:
            assert numbers(other) == [1]


async def test_of_many_writes_a_failing_one_undoes_only_itself(tmp_path: Path) -> None:
    async with doors.Database(ground.make(tmp_path)) as db:
        results = await asyncio.gather(
            *(db.write(add_and_fail if n % 10 == 3 else add, n) for n in range(500)),
            return_exceptions=True,
        )
        failed = [n for n, result in enumerate(results) if isinstance(result, LookupError)]
        assert failed == list(range(3, 500, 10))
        assert [result for result in results if isinstance(result, int)] == [
            n for n in range(500) if n % 10 != 3
        ]
        assert await db.read(numbers) == [n for n in range(500) if n % 10 != 3]


async def test_a_write_that_breaks_a_rule_of_the_file_tells_its_own_waiter_only(
    tmp_path: Path,
) -> None:
    async with doors.Database(ground.make(tmp_path)) as db:
        results = await asyncio.gather(
            db.write(add, 1), db.write(add, 1), db.write(add, 2), return_exceptions=True
        )
        assert results[0] == 1
        assert isinstance(results[1], sqlite3.IntegrityError)
        assert results[2] == 2
        assert await db.read(numbers) == [1, 2]


async def test_many_writes_take_few_commits(tmp_path: Path) -> None:
    async with doors.Database(ground.make(tmp_path)) as db:
        with database.locked_for_writing(tmp_path):  # so that they pile up
            waiting = [asyncio.ensure_future(db.write(add, n)) for n in range(150)]
            await asyncio.sleep(0)
            frames = (tmp_path / "node.db-wal").stat().st_size
        await asyncio.gather(*waiting)
        grown = (tmp_path / "node.db-wal").stat().st_size - frames
        assert await db.read(numbers) == list(range(150))
        # A commit writes two pages at the least, so one for each would write 300.
        assert grown < 100 * 4096


async def test_a_cancelled_waiter_takes_nobody_down(tmp_path: Path) -> None:
    async with doors.Database(ground.make(tmp_path)) as db:
        with database.locked_for_writing(tmp_path):
            waiting = [asyncio.ensure_future(db.write(add, n)) for n in range(5)]
            await asyncio.sleep(0)
            waiting[2].cancel()
            await asyncio.sleep(0)
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert isinstance(results[2], asyncio.CancelledError)
        assert [r for n, r in enumerate(results) if n != 2] == [0, 1, 3, 4]
        # What was handed over is done, cancelled or not; and the writer lives on.
        assert await db.write(add, 9) == 9
        assert await db.read(numbers) == [0, 1, 2, 3, 4, 9]


async def test_readers_cannot_write(tmp_path: Path) -> None:
    def sneak(db: sqlite3.Connection) -> None:
        db.execute("PRAGMA query_only = OFF")
        add(db, 1)

    async with doors.Database(ground.make(tmp_path)) as db:
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            await db.read(add, 1)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            await db.read(sneak)
        assert await db.read(numbers) == []
    with (
        database.reading(tmp_path) as reading,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        add(reading, 1)


async def test_a_read_sees_one_moment_though_others_write(tmp_path: Path) -> None:
    def twice(db: sqlite3.Connection) -> tuple[list[int], list[int]]:
        before = numbers(db)
        with database.transaction(tmp_path) as other:
            add(other, 2)
        return before, numbers(db)

    async with doors.Database(ground.make(tmp_path)) as db:
        await db.write(add, 1)
        assert await db.read(twice) == ([1], [1])
        assert await db.read(numbers) == [1, 2]


async def test_a_read_that_takes_long_holds_up_no_other(tmp_path: Path) -> None:
    end = threading.Event()
    async with doors.Database(ground.make(tmp_path)) as db:
        try:
            for _ in range(2):
                long = asyncio.ensure_future(db.read(lambda _: end.wait(SOON)))
                for _ in range(3):
                    assert await asyncio.wait_for(db.read(numbers), SOON / 2) == []
                assert not long.done()
                end.set()
                assert await long
                end.clear()
        finally:
            end.set()


async def test_a_failing_read_leaves_its_reader_usable(tmp_path: Path) -> None:
    def fail(db: sqlite3.Connection) -> None:
        numbers(db)
        raise LookupError

    async with doors.Database(ground.make(tmp_path)) as db:
        for _ in range(2 * doors.READERS):
            with pytest.raises(LookupError):
                await db.read(fail)
        await db.write(add, 1)
        assert await db.read(numbers) == [1]


async def test_reading_goes_on_while_a_reader_takes_long(tmp_path: Path) -> None:
    async with doors.Database(ground.make(tmp_path)) as db:
        await db.write(add, 1)
        for _ in range(2):
            go_on = threading.Event()
            long = asyncio.ensure_future(db.read(lambda _, told=go_on: told.wait(60)))
            for _ in range(3):
                assert await asyncio.wait_for(db.read(numbers), 30) == [1]
            assert not long.done()
            go_on.set()
            assert await long is True
            assert await db.read(numbers) == [1]


async def test_after_closing_nothing_is_taken_and_nothing_hangs(tmp_path: Path) -> None:
    async with doors.Database(ground.make(tmp_path)) as db:
        await db.write(add, 1)
    with pytest.raises(RuntimeError):
        await db.read(numbers)
    with pytest.raises(RuntimeError):
        await asyncio.wait_for(db.write(add, 2), 60)
    with database.reading(tmp_path) as reading:
        assert numbers(reading) == [1]


async def test_closing_waits_for_what_was_handed_over(tmp_path: Path) -> None:
    async with doors.Database(ground.make(tmp_path)) as db:
        waiting = [asyncio.ensure_future(db.write(add, n)) for n in range(300)]
        await asyncio.sleep(0)
    assert not (tmp_path / "node.db-wal").exists()
    assert await asyncio.gather(*waiting) == list(range(300))
    with database.reading(tmp_path) as reading:
        assert numbers(reading) == list(range(300))


# --- how connections are set up ------------------------------------------------------------------


async def test_commits_reach_the_disk_and_readers_do_not_wait(tmp_path: Path) -> None:
    def pragmas(db: sqlite3.Connection) -> tuple[object, ...]:
        names = ("synchronous", "journal_mode", "foreign_keys", "trusted_schema", "query_only")
        return tuple(db.execute(f"PRAGMA {name}").fetchone()[0] for name in names)

    ground.make(tmp_path)
    normal, full = 1, 2
    with database.transaction(tmp_path) as command:
        assert pragmas(command) == (full, "wal", 1, 0, 0)
    with database.SecondWriter(tmp_path) as second:
        assert pragmas(second.db) == (normal, "wal", 1, 0, 0)
    async with doors.Database(tmp_path) as db:
        assert await db.write(pragmas) == (full, "wal", 1, 0, 0)
        assert (await db.read(pragmas))[1:] == ("wal", 1, 0, 1)


async def test_no_file_and_no_database_are_told_in_a_sentence(tmp_path: Path) -> None:
    for content in (None, b"this is no database, whatever its name says" * 100):
        if content is not None:
            (tmp_path / database.FILE_NAME).write_bytes(content)
        for writing in (True, False):
            with pytest.raises(errors.Unusable) as caught:
                database.connect(tmp_path / database.FILE_NAME, writing=writing)
            assert caught.value.code == "database-unusable"
            assert str(tmp_path) in caught.value.detail
    assert (tmp_path / database.FILE_NAME).read_bytes() == content


async def test_a_folder_with_an_odd_name_works(tmp_path: Path) -> None:
    folder = ground.make(tmp_path / "100% à?nous#1")
    async with doors.Database(folder) as db:
        await db.write(add, 1)
    with database.reading(folder) as reading:
        assert numbers(reading) == [1]


# --- several at once -----------------------------------------------------------------------------


async def test_a_second_server_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    ground.make(tmp_path)
    with (
        database.serving(tmp_path),
        pytest.raises(errors.Conflict) as caught,
        database.serving(tmp_path),
    ):
        pass
    assert caught.value.code == "folder-in-use"
    with database.serving(tmp_path):
        pass


async def test_a_server_that_was_killed_frees_its_folder(tmp_path: Path) -> None:
    script = """
        import sys, pathlib
        from node.store import database
        with database.serving(pathlib.Path(sys.argv[1])):
            print("serving", flush=True)
            sys.stdin.read()
    """
    ground.make(tmp_path)
    with python(script, tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "serving\n"
        with pytest.raises(errors.Conflict), database.serving(tmp_path):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait(SOON)
        with database.serving(tmp_path):
            pass


async def test_a_command_writes_beside_the_server_and_is_noticed(tmp_path: Path) -> None:
    script = """
        import sys, pathlib
        from node.store import database
        with database.transaction(pathlib.Path(sys.argv[1])) as db:
            db.execute("INSERT INTO seen_activities VALUES (?, '')", ((77).to_bytes(8, "big"),))
    """
    async with doors.Database(ground.make(tmp_path)) as db:
        await db.write(add, 1)
        db.changed()
        assert not db.changed()
        with python(script, tmp_path) as process:
            assert process.wait(SOON) == 0
        assert db.changed()
        assert not db.changed()
        assert await db.read(numbers) == [1, 77]
        await db.write(add, 2)
        assert db.changed()


async def test_a_transaction_is_kept_whole_or_not_at_all(tmp_path: Path) -> None:
    ground.make(tmp_path)
    with pytest.raises(LookupError), database.transaction(tmp_path) as db:
        add_and_fail(db, 1)
    with database.transaction(tmp_path) as db:
        add(db, 2)
    with database.reading(tmp_path) as db:
        assert numbers(db) == [2]


async def test_commands_and_server_take_turns(tmp_path: Path) -> None:
    script = """
        import sys, pathlib
        from node.store import database
        first = int(sys.argv[2])
        for number in range(first, first + 40):
            with database.transaction(pathlib.Path(sys.argv[1])) as db:
                db.execute(
                    "INSERT INTO seen_activities VALUES (?, '')", (number.to_bytes(8, "big"),)
                )
    """
    async with doors.Database(ground.make(tmp_path)) as db:
        processes = [python(script, tmp_path, first) for first in (1000, 2000)]
        for number in range(200):
            await db.write(add, number)
        for process in processes:
            with process:
                assert await asyncio.to_thread(process.wait, SOON) == 0
        assert await db.read(numbers) == [*range(200), *range(1000, 1040), *range(2000, 2040)]
    with database.reading(tmp_path) as reading:
        assert reading.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


async def test_a_savepoint_is_undone_alone(tmp_path: Path) -> None:
    ground.make(tmp_path)
    with database.transaction(tmp_path) as db:
        add(db, 1)
        with pytest.raises(LookupError), database.savepoint(db):
            add_within(db, 2)
        with database.savepoint(db):
            add(db, 4)
    with database.reading(tmp_path) as db:
        assert numbers(db) == [1, 4]


# --- crashes and copies --------------------------------------------------------------------------


async def test_no_acknowledged_write_is_lost_to_a_kill(tmp_path: Path) -> None:
    script = """
        import asyncio, sys, pathlib
        from node.store import doors

        def add(db, number):
            db.execute("INSERT INTO seen_activities VALUES (?, '')", (number.to_bytes(8, "big"),))
            return number

        async def one(db, number):
            await db.write(add, number)
            print(number, flush=True)

        async def main():
            number = int(sys.argv[2])
            async with doors.Database(pathlib.Path(sys.argv[1])) as db:
                while True:
                    await asyncio.gather(*(one(db, number + n) for n in range(7)))
                    number += 7

        asyncio.run(main())
    """
    ground.make(tmp_path)
    acknowledged: set[int] = set()
    for round_ in range(5):
        with python(script, tmp_path, round_ * 1_000_000) as process:
            assert process.stdout is not None
            for _ in range(40 + 13 * round_):
                acknowledged.add(int(process.stdout.readline()))
            process.send_signal(signal.SIGKILL)
            rest = process.stdout.read()  # what was still in the pipe counts as well
            acknowledged |= {int(line) for line in rest.split("\n")[:-1]}
        with database.reading(tmp_path) as reading:
            assert acknowledged <= set(numbers(reading))
            assert reading.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert len(acknowledged) >= 5 * 40


async def test_a_copy_is_whole_and_private(tmp_path: Path) -> None:
    ground.make(tmp_path)
    with database.transaction(tmp_path) as db:
        add(db, 1)
    with database.locked_for_writing(tmp_path):
        database.copy(tmp_path, tmp_path / "copy.db")
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
    copy = sqlite3.connect(tmp_path / "copy.db")
    assert numbers(copy) == [1]
    assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    copy.close()


async def test_what_a_killed_server_wiped_leaves_the_log_at_the_next_start(tmp_path: Path) -> None:
    ground.make(tmp_path)
    killed = python(
        """
        import asyncio, os, signal, sys
        from pathlib import Path
        from node.store import database, doors

        def ask(db):
            db.execute("INSERT INTO seen_activities (fingerprint, at) VALUES (x'01', 'Zoé-privé')")

        def wipe(db):
            with database.wiping(db):
                db.execute("DELETE FROM seen_activities")

        async def main():
            async with doors.Database(Path(sys.argv[1])) as db:
                await db.write(ask)
                await db.write(wipe)
                os.kill(os.getpid(), signal.SIGKILL)

        asyncio.run(main())
        """,
        tmp_path,
    )
    killed.communicate(timeout=SOON)
    log = tmp_path / "node.db-wal"
    assert "Zoé-privé".encode() in log.read_bytes()
    async with doors.Database(tmp_path):
        assert "Zoé-privé".encode() not in log.read_bytes()
    assert "Zoé-privé".encode() not in (tmp_path / "node.db").read_bytes()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root could shut out the node's own user")
def test_a_command_run_as_root_leaves_the_lock_to_the_nodes_user(tmp_path: Path) -> None:
    os.chown(ground.make(tmp_path), 12345, 12345)
    (tmp_path / "write.lock").unlink()
    with database.transaction(tmp_path) as db:
        add(db, 1)
    assert (tmp_path / "write.lock").stat().st_uid == 12345


@pytest.mark.anyio
async def test_readers_need_nothing_more_once_the_doors_are_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that could not open its connection would break reading until the next start."""
    async with doors.Database(ground.make(tmp_path / "node")) as db:

        def refuse(*_: object, **__: object) -> None:
            raise OSError(24, "Too many open files")

        monkeypatch.setattr(database, "connect", refuse)
        barrier = threading.Barrier(doors.READERS)

        def together(_: sqlite3.Connection) -> int:
            return barrier.wait(60)  # each reader has one

        reads = [db.read(together) for _ in range(doors.READERS)]
        assert sorted(await asyncio.gather(*reads)) == list(range(doors.READERS))
        monkeypatch.undo()


async def test_an_old_log_is_not_laid_over_what_a_command_wrote_while_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two commands after a crash, one folds the log in and writes on while the other looks."""
    running, killed = ground.make(tmp_path / "running"), tmp_path / "killed"
    killed.mkdir()
    with contextlib.closing(database.connect(running / "node.db", writing=True)) as db:
        add(db, 1)
        for name in ("node.db", "node.db-wal"):
            shutil.copy(running / name, killed / name)
    os.link(killed / "node.db-wal", killed / "node.log-kept")
    exists = Path.exists

    def meanwhile(path: Path) -> bool:
        monkeypatch.undo()
        for number in (2, 3):
            with database.transaction(killed) as db:
                add(db, number)
        return exists(path)

    monkeypatch.setattr(Path, "exists", meanwhile)
    assert not database.put_back_log(killed)
    with database.reading(killed) as db:
        assert db.execute("SELECT count(*) FROM seen_activities").fetchone()[0] == 3
