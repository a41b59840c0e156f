"""Who follows an actor of ours. Neighbouring nodes are not here but in `peers`."""

import sqlite3

from node.model import Follower, FollowState
from node.store import times


def add(db: sqlite3.Connection, follower: Follower, host: str) -> None:
    """Adds a follower; a second Follow by the same actor takes the first one's place."""
    db.execute(
        """
        INSERT OR REPLACE INTO followers (handle, uri, host, inbox, shared_inbox, follow, since)
        VALUES (:handle, :uri, :host, :inbox, :shared_inbox, :follow, :since)
        """,
        {
            "handle": follower.handle,
            "uri": follower.uri,
            "host": host,
            "inbox": follower.inbox,
            "shared_inbox": follower.shared_inbox,
            "follow": follower.follow,
            "since": times.stamp(follower.since),
        },
    )


def get(db: sqlite3.Connection, handle: str, uri: str) -> Follower | None:
    """One follower of an actor."""
    row = db.execute(
        "SELECT * FROM followers WHERE handle = ? AND uri = ?", (handle, uri)
    ).fetchone()
    if row is None:
        return None
    return Follower(
        handle=row["handle"],
        uri=row["uri"],
        inbox=row["inbox"],
        shared_inbox=row["shared_inbox"],
        follow=row["follow"],
        state=FollowState.ACCEPTED,
        since=times.moment(row["since"]),
    )


def find_inboxes(db: sqlite3.Connection, handle: str) -> list[tuple[str, str]]:
    """(inbox, host) of an actor's followers, each shared inbox once."""
    rows = db.execute(
        "SELECT DISTINCT ifnull(shared_inbox, inbox), host FROM followers WHERE handle = ?",
        (handle,),
    )
    return [(row[0], row[1]) for row in rows]


def count_of_host(db: sqlite3.Connection, handle: str, host: str) -> tuple[int, int]:
    """(how many of a host's people follow an actor, at how many inboxes)."""
    row = db.execute(
        """
        SELECT count(*), count(DISTINCT ifnull(shared_inbox, inbox)) FROM followers
        WHERE handle = ? AND host = ?
        """,
        (handle, host),
    ).fetchone()
    return int(row[0]), int(row[1])


def is_told(db: sqlite3.Connection, handle: str, inbox: str) -> bool:
    """Whether what an actor tells goes to an inbox already."""
    row = db.execute(
        "SELECT 1 FROM followers WHERE handle = ? AND ifnull(shared_inbox, inbox) = ? LIMIT 1",
        (handle, inbox),
    ).fetchone()
    return row is not None


def count(db: sqlite3.Connection, handle: str) -> int:
    """How many follow an actor."""
    return int(
        db.execute("SELECT count(*) FROM followers WHERE handle = ?", (handle,)).fetchone()[0]
    )


def remove(db: sqlite3.Connection, handle: str, uri: str) -> bool:
    """Removes one; says whether it was there."""
    return (
        db.execute("DELETE FROM followers WHERE handle = ? AND uri = ?", (handle, uri)).rowcount > 0
    )


def remove_everywhere(db: sqlite3.Connection, uri: str) -> None:
    """Forgets an actor that is gone."""
    db.execute("DELETE FROM followers WHERE uri = ?", (uri,))


def remove_host(db: sqlite3.Connection, host: str) -> None:
    """Forgets everybody on a host."""
    db.execute("DELETE FROM followers WHERE host = ?", (host,))


def remove_inbox(db: sqlite3.Connection, inbox: str) -> None:
    """Forgets everybody who wanted it delivered to an inbox that is gone."""
    db.execute(
        "DELETE FROM followers WHERE inbox = :inbox OR shared_inbox = :inbox", {"inbox": inbox}
    )


def remove_by_follow(db: sqlite3.Connection, uri: str, follow: str) -> None:
    """Removes whoever follows by that Follow, named by its id alone."""
    db.execute("DELETE FROM followers WHERE uri = ? AND follow = ?", (uri, follow))
