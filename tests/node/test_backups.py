"""When a backup is due, and where its key is written."""

import io
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from node import backups, errors, restoring, sealed_files, settings
from node.model import Account
from node.store import accounts, copies, database
from tests import ground

NODE = '[node]\nurl = "https://b.example"\nname = "B"\ncommunes = ["FR-33063"]\n'
PUBLIC = sealed_files.generate()[1]
LEFT_OUT = ("sessions", "proven_sessions")
NIGHT = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)


def with_key(key: str = PUBLIC) -> settings.Settings:
    return settings.parse(f'{NODE}[backup]\nkey = "{key}"\n')


@pytest.mark.parametrize(
    ("last", "now", "due"),
    [
        (None, NIGHT.replace(hour=14), True),
        (NIGHT - timedelta(hours=24), NIGHT, True),
        (NIGHT - timedelta(hours=2), NIGHT, False),
        (NIGHT - timedelta(hours=24), NIGHT.replace(hour=7), False),
        (NIGHT - timedelta(hours=31), NIGHT.replace(hour=14), True),
        (NIGHT + timedelta(days=300), NIGHT, True),  # the clock was wrong then
    ],
)
def test_a_backup_is_due_at_night_or_when_the_last_is_old(
    last: datetime | None, now: datetime, due: bool
) -> None:
    assert backups.is_due(with_key(), last, now) is due
    assert not backups.is_due(with_key(""), last, now)


@pytest.mark.parametrize(
    "more",
    [
        "",
        "[backup]\nkeep = 3\n",
        '[backup]  # mine\nkey = ""\nkeep = 3\n\n[mail]\nhost = ""\n',
        '[backup]\nkey = ""',
    ],
)
def test_the_public_half_is_written_into_the_settings(tmp_path: Path, more: str) -> None:
    path = tmp_path / "instance.toml"
    path.write_text(NODE + "# a comment\n" + more)
    before = settings.load(tmp_path)
    backups.put_key(tmp_path, PUBLIC)
    after = settings.load(tmp_path)
    assert after.backup.key == PUBLIC
    assert after.backup.keep == before.backup.keep
    assert "# a comment" in path.read_text()
    with pytest.raises(errors.Conflict):
        backups.put_key(tmp_path, sealed_files.generate()[1])


def test_a_stick_that_knows_no_second_name_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAT and exFAT refuse os.link; a file that came meanwhile is kept there, too."""

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(backups.os, "link", refuse)
    folder = ground.make(tmp_path / "node")
    (folder / "node.key").touch()
    (folder / "instance.toml").write_text(NODE)
    target = tmp_path / "b.echoppe-backup"
    made = backups.make(folder, with_key(), target, NIGHT)
    assert made.bytes == target.stat().st_size > 0
    assert sorted(one.name for one in tmp_path.iterdir()) == ["b.echoppe-backup", "node"]
    whole = target.read_bytes()
    part = tmp_path / "part"
    part.write_bytes(b"another")
    with pytest.raises(FileExistsError):
        backups._name(part, target)
    assert target.read_bytes() == whole


def test_backups_from_the_future_do_not_push_out_those_of_today(tmp_path: Path) -> None:
    """A clock ran a year ahead for two weeks: what is made now is the last one, and is kept."""
    for day in range(14):
        (tmp_path / backups.name(NIGHT + timedelta(days=365 + day))).touch()
    today = tmp_path / backups.name(NIGHT)
    today.touch()
    assert len(backups.rotate(tmp_path, 14, NIGHT)) == 1
    assert backups.by_age(tmp_path, NIGHT)[-1] == (NIGHT, today)
    assert not backups.is_due(with_key(), NIGHT, NIGHT + timedelta(hours=1))


@pytest.mark.parametrize(
    ("kind", "extra"),
    [
        (tarfile.SYMTYPE, {}),
        (tarfile.LNKTYPE, {}),
        (tarfile.CHRTYPE, {}),
        (tarfile.FIFOTYPE, {}),
        (tarfile.DIRTYPE, {}),
        # Ten gigabytes of holes, and a map of them that is none.
        (tarfile.REGTYPE, {"GNU.sparse.map": "0,0", "GNU.sparse.size": "10000000000"}),
        (tarfile.REGTYPE, {"GNU.sparse.map": "x,y"}),
    ],
)
def test_only_plain_files_are_taken_out_of_a_backup(
    tmp_path: Path, kind: bytes, extra: dict[str, str]
) -> None:
    secret, public = sealed_files.generate()
    forged = tmp_path / "forged"
    with forged.open("wb") as out:
        sealer = sealed_files.Sealer(out, sealed_files.public_key(public))
        with tarfile.open(fileobj=sealer, mode="w|", format=tarfile.PAX_FORMAT) as tar:  # type: ignore[arg-type]
            manifest = b'{"format": 1, "database_bytes": 0}'
            for name, data in (("manifest.json", manifest), ("node.db", b"")):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                if name == "node.db":
                    info.type, info.pax_headers, info.linkname = kind, extra, "/etc/passwd"
                tar.addfile(info, io.BytesIO(data))
        sealer.finish()
    with pytest.raises(errors.Unusable):
        restoring.restore(forged, secret, tmp_path / "new" / "node")
    assert list((tmp_path / "new").iterdir()) == []


def test_a_steward_signed_in_with_a_second_factor_does_not_stop_backups(tmp_path: Path) -> None:
    """What is left out leaves no row behind that refers to it: the copy would count as damaged."""
    folder = ground.make(tmp_path / "node")
    with database.transaction(folder) as db:
        accounts.add(db, Account("a", "claire@example.fr", NIGHT))
        accounts.add_session(db, b"hash", "a", NIGHT)
        db.execute("INSERT INTO proven_sessions (token_hash) VALUES (?)", (b"hash",))
    copies.snapshot(folder, tmp_path / "copy.db")
    copies.check(tmp_path / "copy.db")
    with copies.opened(tmp_path / "copy.db") as db:
        left = [db.execute(f"SELECT count(*) FROM {one}").fetchone()[0] for one in LEFT_OUT]
    assert left == [0, 0]


def test_what_could_not_be_restored_is_not_taken_into_a_backup(tmp_path: Path) -> None:
    """A synonyms.toml that restoring would refuse makes no backup, and a clear word."""
    node, target = ground.make(tmp_path / "node"), tmp_path / "b.echoppe-backup"
    for name in ("instance.toml", "node.key"):
        (node / name).write_text("x")
    (node / "synonyms.toml").write_bytes(b"#" * (backups.BESIDE_MOST + 1))
    with pytest.raises(errors.Invalid, match=r"synonyms\.toml is larger than 1 MiB"):
        backups.make(node, with_key(), target, NIGHT)
    assert not target.exists()
    (node / "synonyms.toml").write_bytes(b"#" * backups.BESIDE_MOST)
    assert backups.make(node, with_key(), target, NIGHT).file == target
