import sqlite3

from node.store import many


def test_as_many_places_as_the_next_power_of_two() -> None:
    assert many.question_marks([]) == ("", [])
    assert many.question_marks(["a"]) == ("?", ["a"])
    assert many.question_marks(["a", "b"]) == ("?, ?", ["a", "b"])
    assert many.question_marks(["a", "b", "c"]) == ("?, ?, ?, ?", ["a", "b", "c", "c"])


def test_those_and_no_others_are_found() -> None:
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE kept (value BLOB)")
    kept = [b"\x00", b"\x04", b"\x77", b"\xff"]
    db.executemany("INSERT INTO kept (value) VALUES (?)", [(one,) for one in kept])
    for count in (0, 1, 5, 120, 200):
        wanted = [bytes([one]) for one in range(count)]
        marks, values = many.question_marks(wanted)
        found = db.execute(f"SELECT value FROM kept WHERE value IN ({marks})", values)
        assert [row[0] for row in found] == [one for one in kept if one in wanted]
