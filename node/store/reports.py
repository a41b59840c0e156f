"""What other servers report to the steward."""

import json
import sqlite3
from datetime import datetime

from node.model import Report
from node.store import times


def add(db: sqlite3.Connection, report: Report) -> None:
    """Keeps a report; one that is known by its id stays as it is."""
    db.execute(
        """
        INSERT OR IGNORE INTO reports (id, uri, actor, host, objects, words, at)
        VALUES (:id, :uri, :actor, :host, :objects, :words, :at)
        """,
        {
            "id": report.id,
            "uri": report.uri,
            "actor": report.actor,
            "host": report.host,
            "objects": json.dumps(list(report.objects)),
            "words": report.words,
            "at": times.stamp(report.at),
        },
    )


def get(db: sqlite3.Connection, report_id: str) -> Report | None:
    """The report of that id."""
    row = db.execute("SELECT * FROM reports WHERE id = ?", (report_id,)).fetchone()
    return None if row is None else _report(row)


def find_open(db: sqlite3.Connection) -> list[Report]:
    """What nobody has closed yet, the oldest first."""
    rows = db.execute("SELECT * FROM reports WHERE closed IS NULL ORDER BY at, id")
    return [_report(row) for row in rows]


def count_open(db: sqlite3.Connection, host: str | None = None) -> int:
    """How many are open, of everybody or of one host."""
    return int(
        db.execute(
            """
            SELECT count(*) FROM reports
            WHERE closed IS NULL AND (:host IS NULL OR host = :host)
            """,
            {"host": host},
        ).fetchone()[0]
    )


def close(db: sqlite3.Connection, report_id: str, now: datetime) -> None:
    """Marks a report as looked into."""
    db.execute("UPDATE reports SET closed = ? WHERE id = ?", (times.stamp(now), report_id))


def _report(row: sqlite3.Row) -> Report:
    return Report(
        id=row["id"],
        uri=row["uri"],
        actor=row["actor"],
        host=row["host"],
        objects=tuple(json.loads(row["objects"])),
        words=row["words"],
        at=times.moment(row["at"]),
        closed=times.moment_or_none(row["closed"]),
    )
