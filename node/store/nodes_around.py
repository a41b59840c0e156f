"""Other nodes as they described themselves when they were last asked."""

import json
import sqlite3
from datetime import datetime

from node.model import NodeAround
from node.store import times

_COLUMNS = "host, origin, name, communes, mode, fingerprint, shops, via, seen"


def put(db: sqlite3.Connection, node: NodeAround) -> None:
    """Keeps what a node says of itself in the place of what it said before."""
    db.execute(
        f"INSERT OR REPLACE INTO nodes_around ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        (
            node.host,
            node.origin,
            node.name,
            json.dumps(node.communes),
            node.mode,
            node.fingerprint,
            node.shops,
            json.dumps(node.via),
            times.stamp(node.seen),
        ),
    )


def get(db: sqlite3.Connection, host: str) -> NodeAround | None:
    """The node at that host."""
    row = db.execute(f"SELECT {_COLUMNS} FROM nodes_around WHERE host = ?", (host,)).fetchone()  # noqa: S608
    return None if row is None else _node(row)


def find(db: sqlite3.Connection) -> list[NodeAround]:
    """All of them, by host."""
    return [_node(row) for row in db.execute(f"SELECT {_COLUMNS} FROM nodes_around ORDER BY host")]  # noqa: S608


def prune(db: sqlite3.Connection, before: datetime) -> None:
    """Forgets those that have not been met since a time, but for neighbours."""
    db.execute(
        "DELETE FROM nodes_around WHERE seen < ? AND host NOT IN (SELECT host FROM peers)",
        (times.stamp(before),),
    )


def _node(row: sqlite3.Row) -> NodeAround:
    return NodeAround(
        host=row[0],
        origin=row[1],
        name=row[2],
        communes=tuple(json.loads(row[3])),
        mode=row[4],
        fingerprint=row[5],
        shops=row[6],
        via=tuple(json.loads(row[7])),
        seen=times.moment(row[8]),
    )
