"""How the schema came to be, and what an upgrade leaves when it fails."""

import contextlib
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from node import errors
from node.store import database, migrations, received
from tests import ground
from tests.ground import NOW

SECOND = ("2027_01_01_second", "CREATE TABLE ribbons (id INTEGER PRIMARY KEY) STRICT;")
THIRD = ("2027_02_01_third", "ALTER TABLE shops ADD COLUMN ribbon INTEGER REFERENCES ribbons;")
BROKEN = (
    "2027_03_01_broken",
    "CREATE TABLE half (id INTEGER PRIMARY KEY) STRICT;\n"
    "DELETE FROM shops;\n"
    "INSERT INTO nowhere VALUES (1);",
)


def schema(folder: Path) -> list[tuple[str, ...]]:
    with database.reading(folder) as db:
        rows = db.execute("SELECT name, ifnull(sql, '') FROM main.sqlite_schema")
        return sorted(tuple(row) for row in rows)


def everything(folder: Path) -> tuple[object, ...]:
    with database.reading(folder) as db:
        return schema(folder), ground.contents(db)


def copies(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("node.db.before-*"))


def empty(folder: Path) -> Path:
    (folder / database.FILE_NAME).touch()
    return folder


def used(folder: Path) -> Path:
    """A file of the first version with something in it."""
    ground.make(folder)
    with database.transaction(folder) as db:
        ground.publish(db, ground.open_shop(db), "Roses")
    return folder


def test_a_fresh_file_gets_every_step_and_no_copy(tmp_path: Path) -> None:
    assert migrations.migrate(empty(tmp_path), NOW) is None
    with database.reading(tmp_path) as db:
        assert migrations.applied(db) == [name for name, _ in migrations.STEPS]
        assert migrations.check(db) == []
    assert copies(tmp_path) == []


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    used(tmp_path)
    before = everything(tmp_path)
    assert migrations.migrate(tmp_path, NOW) is None
    assert everything(tmp_path) == before
    assert copies(tmp_path) == []


def test_an_upgrade_leaves_a_copy_of_what_was_before(tmp_path: Path) -> None:
    used(tmp_path)
    before = everything(tmp_path)
    backup = migrations.migrate(tmp_path, NOW, (*migrations.STEPS, SECOND, THIRD))
    assert backup == tmp_path / "node.db.before-20261123T080000Z"
    with database.reading(tmp_path) as db:
        assert migrations.applied(db)[-2:] == [SECOND[0], THIRD[0]]
        assert db.execute("SELECT count(*), max(ribbon) FROM shops").fetchone()[:] == (1, None)
    restored = tmp_path / "restored"
    restored.mkdir()
    backup.rename(restored / database.FILE_NAME)
    assert everything(restored) == before


def test_a_file_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    used(tmp_path)
    migrations.migrate(tmp_path, NOW, (*migrations.STEPS, SECOND))
    before = everything(tmp_path)
    with pytest.raises(errors.Unusable) as caught:
        migrations.migrate(tmp_path, NOW + timedelta(days=1))
    assert caught.value.code == "database-newer"
    assert "newer version of Échoppe" in caught.value.detail
    assert SECOND[0] in caught.value.detail
    assert everything(tmp_path) == before
    assert len(copies(tmp_path)) == 1


def test_a_failing_step_leaves_everything_as_it_was_beside_a_copy(tmp_path: Path) -> None:
    used(tmp_path)
    before = everything(tmp_path)
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        migrations.migrate(tmp_path, NOW, (*migrations.STEPS, BROKEN))
    assert everything(tmp_path) == before
    assert copies(tmp_path) == ["node.db.before-20261123T080000Z"]
    # And the node goes on as it was.
    assert migrations.migrate(tmp_path, NOW) is None
    with database.transaction(tmp_path) as db:
        ground.open_shop(db, "miel")


def test_an_upgrade_that_failed_goes_on_where_it_stopped(tmp_path: Path) -> None:
    used(tmp_path)
    with pytest.raises(sqlite3.OperationalError):
        migrations.migrate(tmp_path, NOW, (*migrations.STEPS, SECOND, BROKEN))
    with database.reading(tmp_path) as db:
        assert migrations.applied(db)[-1] == SECOND[0]
    later = NOW + timedelta(minutes=1)
    migrations.migrate(tmp_path, later, (*migrations.STEPS, SECOND, THIRD))
    with database.reading(tmp_path) as db:
        assert migrations.applied(db)[-2:] == [SECOND[0], THIRD[0]]
        assert db.execute("SELECT count(*) FROM shops").fetchone()[0] == 1


def test_a_second_try_within_the_second_keeps_the_first_copy(tmp_path: Path) -> None:
    """A supervisor that starts the server again at once must not cost the copy."""
    used(tmp_path)
    for _ in range(2):
        with pytest.raises((sqlite3.OperationalError, errors.Unusable)):
            migrations.migrate(tmp_path, NOW, (*migrations.STEPS, BROKEN))
        assert copies(tmp_path)[:1] == ["node.db.before-20261123T080000Z"]


def test_without_room_for_a_copy_nothing_is_changed(tmp_path: Path) -> None:
    used(tmp_path)
    before = everything(tmp_path)
    # Nothing can be written there.
    (tmp_path / "node.db.before-20261123T080000Z").symlink_to(tmp_path / "missing" / "copy")
    with pytest.raises(errors.Unusable) as caught:
        migrations.migrate(tmp_path, NOW, (*migrations.STEPS, SECOND))
    assert caught.value.code == "no-copy-before-upgrade"
    assert "Nothing was changed" in caught.value.detail
    assert everything(tmp_path) == before


def test_an_upgrade_that_breaks_references_is_told(tmp_path: Path) -> None:
    used(tmp_path)
    careless = ("2027_01_01_careless", "DELETE FROM listings;")
    with pytest.raises(errors.Unusable) as caught:
        migrations.migrate(tmp_path, NOW, (*migrations.STEPS, careless))
    assert caught.value.code == "upgrade-broke-references"
    assert len(copies(tmp_path)) == 1


def test_offers_are_kept_when_they_come_to_lie_by_their_listings(tmp_path: Path) -> None:
    at = migrations.NAMES.index("2026_11_26_offers_by_listing")
    migrations.migrate(empty(tmp_path), NOW, migrations.STEPS[:at])
    columns = """
        listing, position, id, axes, price_cents, currency, quantity_milli, unit, availability,
        stock, gtin, sku, reduction_kind, reduction_from, reduction_since, reduction_until
    """
    told: list[tuple[object, ...]] = [
        (listing, position, f"{listing}{position}", '{"taille": "M"}', 1250, "EUR", 500_000, "g",
         "limited", 3, "3017620422003", "A-1", "percent", 1500, "2026-11-20T00:00:00Z", None)
        for listing in ("b", "a")
        for position in (1, 0)
    ]  # fmt: skip
    with database.transaction(tmp_path) as db:
        db.execute("PRAGMA defer_foreign_keys = ON")
        names = [row["name"] for row in db.execute("PRAGMA table_info(listings)")]
        for listing in ("a", "b"):
            values = dict.fromkeys(names, "x") | {
                "id": listing, "uri": listing, "shop": "s", "announce": 0, "withdrawn": None,
                "kind": "goods", "pick_up": 1, "delivered": 0, "particulars": None,
            }  # fmt: skip
            db.execute(
                f"INSERT INTO listings ({', '.join(values)}) "
                f"VALUES ({', '.join('?' * len(values))})",
                list(values.values()),
            )
        db.executemany(
            f"INSERT INTO offers ({columns}) VALUES ({', '.join('?' * 16)})",
            told,
        )
        db.execute(
            """
            INSERT INTO shops (id, uri, handle, name, updated, opened, seen, url)
            VALUES ('s', 's', 's', 's', 's', 's', 's', 's')
            """
        )
    migrations.migrate(tmp_path, NOW)
    with database.reading(tmp_path) as db:
        kept = [tuple(row) for row in db.execute(f"SELECT {columns} FROM offers")]
    assert kept == sorted(told)


def test_what_waits_is_kept_when_its_numbers_come_to_be_given_once(tmp_path: Path) -> None:
    at = migrations.NAMES.index("2026_11_27_received_numbers")
    migrations.migrate(empty(tmp_path), NOW, migrations.STEPS[:at])
    rows: list[tuple[object, ...]] = [
        (3, "a", "h", b"\x00{}", "2026-11-26T08:00:00Z", "2026-11-26T08:00:00.000Z", 0, 0, None),
        (7, "b", "i", b"{}", "2026-11-26T08:00:01Z", "2026-11-27T08:00:00.000Z", 5, 1, "why"),
    ]
    with database.transaction(tmp_path) as db:
        db.executemany(
            """
            INSERT INTO received (id, actor, host, body, at, due, attempts, dead, error)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            rows,
        )
    migrations.migrate(tmp_path, NOW)
    with database.transaction(tmp_path) as db:
        assert [tuple(row) for row in db.execute("SELECT * FROM received ORDER BY id")] == rows
        db.execute("DELETE FROM received")
        (number,) = received.add(db, [received.Letter(b"f", "a", "h", b"{}")], NOW)
        assert number == 8


def test_every_table_is_strict(tmp_path: Path) -> None:
    ground.make(tmp_path)
    with database.reading(tmp_path) as db:
        tables = {
            row["name"]: row["strict"]
            for row in db.execute("PRAGMA main.table_list")
            if row["type"] == "table" and not row["name"].startswith("sqlite_")
        }
    loose = {name for name, strict in tables.items() if not strict}
    assert len(tables) > 20
    assert loose == {"_sqlite_migrations"}  # the record of the steps is made by the library


def test_a_value_of_another_type_is_refused(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop = ground.open_shop(db)
        for sql in (
            "UPDATE shops SET latitude = 'north', longitude = 0 WHERE id = ?",
            "UPDATE shops SET latitude = 91, longitude = 0 WHERE id = ?",
            "UPDATE shops SET latitude = 1 WHERE id = ?",
        ):
            with pytest.raises(sqlite3.IntegrityError):
                db.execute(sql, (shop.id,))


def test_references_are_kept(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop = ground.open_shop(db)
        listing = ground.publish(db, shop)
        with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
            db.execute("UPDATE listings SET shop = 'nobody' WHERE id = ?", (listing.id,))
        db.execute("DELETE FROM shops WHERE id = ?", (shop.id,))
        assert db.execute("SELECT count(*) FROM listings").fetchone()[0] == 0
        assert db.execute("SELECT count(*) FROM offers").fetchone()[0] == 0


def test_a_price_once_shown_cannot_be_rewritten(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        ground.publish(db, ground.open_shop(db), "Roses", ground.offer(1250))
        with pytest.raises(sqlite3.IntegrityError, match="never changed"):
            db.execute("UPDATE price_rows SET price_cents = 1")
        assert db.execute("SELECT price_cents FROM price_rows").fetchone()[0] == 1250


def test_the_record_of_prices_outlives_the_listing(tmp_path: Path) -> None:
    with ground.opened(tmp_path) as db:
        shop = ground.open_shop(db)
        ground.publish(db, shop, "Roses", ground.offer(1250))
        db.execute("DELETE FROM shops WHERE id = ?", (shop.id,))
        assert db.execute("SELECT count(*) FROM price_rows").fetchone()[0] == 1


def test_scripts_are_cut_into_statements() -> None:
    script = (
        "CREATE TABLE a (b TEXT); -- with; a comment\n"
        "CREATE TRIGGER c BEFORE UPDATE ON a\n"
        "    BEGIN SELECT 1; SELECT 2; END;\n"
        "INSERT INTO a VALUES ('x;y');\n"
    )
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        found = migrations.statements(script)
        for statement in found:
            db.execute(statement)
        assert db.execute("SELECT * FROM a").fetchall() == [("x;y",)]
    db.close()
    assert "".join(found) == script
    with pytest.raises(AssertionError, match="unfinished"):
        migrations.statements("CREATE TABLE a (b TEXT)")
