"""Other nodes: what each side asked of the other, and how far their change sequence was read."""

import sqlite3
from datetime import datetime

from node.model import FollowState, Peer
from node.store import times

_COLUMNS = """host, origin, actor, name, software, added, following, follower, cursor, sync_total,
              sync_done, synced, heard, digest_agrees, problem, blocked, suspended,
              suspended_why, etag, theirs, held"""


def _peer(row: sqlite3.Row) -> Peer:
    return Peer(
        host=row["host"],
        origin=row["origin"],
        actor=row["actor"],
        name=row["name"],
        software=row["software"],
        added=times.moment_or_none(row["added"]),
        following=FollowState(row["following"]) if row["following"] else None,
        follower=FollowState(row["follower"]) if row["follower"] else None,
        cursor=row["cursor"],
        sync_total=row["sync_total"],
        sync_done=row["sync_done"],
        synced=times.moment_or_none(row["synced"]),
        heard=times.moment_or_none(row["heard"]),
        digest_agrees=None if row["digest_agrees"] is None else bool(row["digest_agrees"]),
        problem=row["problem"],
        blocked=times.moment_or_none(row["blocked"]),
        suspended=times.moment_or_none(row["suspended"]),
        suspended_why=row["suspended_why"],
        etag=row["etag"],
        theirs=row["theirs"],
        held=row["held"],
    )


def add(
    db: sqlite3.Connection, host: str, origin: str, actor: str, name: str, software: str
) -> None:
    """Adds a node that neither side has asked anything of yet; known ones keep their state."""
    db.execute(
        """
        INSERT INTO peers (host, origin, actor, name, software) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (host) DO UPDATE SET name = excluded.name, software = excluded.software
        """,
        (host, origin, actor, name, software),
    )


def get(db: sqlite3.Connection, host: str) -> Peer | None:
    """The node at that host."""
    row = db.execute(f"SELECT {_COLUMNS} FROM peers WHERE host = ?", (host,)).fetchone()  # noqa: S608
    return None if row is None else _peer(row)


def get_by_actor(db: sqlite3.Connection, actor: str) -> Peer | None:
    """The node whose Application actor that is."""
    row = db.execute(f"SELECT {_COLUMNS} FROM peers WHERE actor = ?", (actor,)).fetchone()  # noqa: S608
    return None if row is None else _peer(row)


def find(db: sqlite3.Connection) -> list[Peer]:
    """All other nodes known, by host."""
    return [_peer(row) for row in db.execute(f"SELECT {_COLUMNS} FROM peers ORDER BY host")]  # noqa: S608


def find_followers(db: sqlite3.Connection) -> list[Peer]:
    """Neighbours that hear of every change here."""
    rows = db.execute(
        f"""
        SELECT {_COLUMNS} FROM peers
        WHERE follower = 'accepted' AND blocked IS NULL AND suspended IS NULL
        """  # noqa: S608
    )
    return [_peer(row) for row in rows]


def remove(db: sqlite3.Connection, host: str) -> None:
    """Forgets a node, with every shop and listing that came from it."""
    db.execute("DELETE FROM peers WHERE host = ?", (host,))


def change_added(db: sqlite3.Connection, host: str, now: datetime) -> None:
    """Notes that our side chose it."""
    db.execute("UPDATE peers SET added = ifnull(added, ?) WHERE host = ?", (times.stamp(now), host))


def change_following(
    db: sqlite3.Connection, host: str, state: FollowState | None, follow: str | None
) -> None:
    """Where our Follow of it stands, and that Follow's id."""
    db.execute("UPDATE peers SET following = ?, follow = ? WHERE host = ?", (state, follow, host))


def change_follower(
    db: sqlite3.Connection, host: str, state: FollowState | None, follow: str | None
) -> None:
    """Where its Follow of us stands, and that Follow's id."""
    db.execute(
        "UPDATE peers SET follower = ?, follower_follow = ? WHERE host = ?", (state, follow, host)
    )


def follow_ids(db: sqlite3.Connection, host: str) -> tuple[str | None, str | None]:
    """The ids of our Follow of it, and of its Follow of us."""
    row = db.execute("SELECT follow, follower_follow FROM peers WHERE host = ?", (host,)).fetchone()
    return (None, None) if row is None else (row[0], row[1])


def change_blocked(db: sqlite3.Connection, host: str, at: datetime | None) -> None:
    """Blocks, or with None unblocks."""
    db.execute("UPDATE peers SET blocked = ? WHERE host = ?", (times.stamp_or_none(at), host))


def change_suspended(
    db: sqlite3.Connection, host: str, at: datetime | None, why: str | None
) -> None:
    """Suspends for a reason, or with None ends it."""
    db.execute(
        "UPDATE peers SET suspended = ?, suspended_why = ? WHERE host = ?",
        (times.stamp_or_none(at), why, host),
    )


def count_requests(db: sqlite3.Connection) -> int:
    """How many nodes asked to be neighbours and wait for a steward."""
    return int(
        db.execute(
            "SELECT count(*) FROM peers WHERE added IS NULL AND follower = 'requested'"
        ).fetchone()[0]
    )


def note_problem(db: sqlite3.Connection, host: str, problem: str) -> None:
    """Notes what went wrong with a neighbour, for the steward."""
    db.execute("UPDATE peers SET problem = ? WHERE host = ?", (problem, host))


def mark_heard(db: sqlite3.Connection, host: str, now: datetime) -> None:
    """Notes a sign of life."""
    db.execute("UPDATE peers SET heard = ? WHERE host = ?", (times.stamp(now), host))


def is_silent(db: sqlite3.Connection, host: str, since: datetime) -> bool:
    """Whether nothing was heard of a peer since `since`."""
    row = db.execute(
        "SELECT 1 FROM peers WHERE host = ? AND heard < ?", (host, times.stamp(since))
    ).fetchone()
    return row is not None


def find_silent(
    db: sqlite3.Connection, since: datetime, longer: datetime
) -> tuple[frozenset[str], frozenset[str]]:
    """Hosts that nothing was heard of since `since`, and those of them silent for even `longer`."""
    rows = db.execute(
        "SELECT host, heard <= ? FROM peers WHERE heard <= ?",
        (times.stamp(longer), times.stamp(since)),
    ).fetchall()
    return frozenset(row[0] for row in rows), frozenset(row[0] for row in rows if row[1])


def want_sync(db: sqlite3.Connection, host: str, at: datetime) -> None:
    """Asks for a reading of its change sequence at `at`, unless one is due earlier."""
    db.execute(
        """
        UPDATE peers SET sync_wanted = min(ifnull(sync_wanted, :at), :at)
        WHERE host = :host AND following = 'accepted' AND blocked IS NULL AND suspended IS NULL
        """,
        {"host": host, "at": times.fine(at)},
    )


def find_to_sync(db: sqlite3.Connection, now: datetime) -> list[Peer]:
    """Neighbours whose change sequence is to be read now."""
    rows = db.execute(
        f"""
        SELECT {_COLUMNS} FROM peers
        WHERE sync_wanted <= ? AND following = 'accepted' AND blocked IS NULL
            AND suspended IS NULL
        ORDER BY sync_wanted
        """,  # noqa: S608
        (times.fine(now),),
    )
    return [_peer(row) for row in rows]


def next_sync(db: sqlite3.Connection) -> datetime | None:
    """When the next reading of a neighbour's change sequence is due."""
    row = db.execute(
        """
        SELECT min(sync_wanted) FROM peers
        WHERE following = 'accepted' AND blocked IS NULL AND suspended IS NULL
        """
    ).fetchone()
    return times.moment_or_none(row[0])


def forget_sync(db: sqlite3.Connection, host: str) -> None:
    """What was read of it is gone: the next reading begins at the beginning."""
    db.execute(
        """
        UPDATE peers SET cursor = 0, sync_started = NULL, sync_total = NULL, sync_done = NULL,
            synced = NULL, digest_agrees = NULL, etag = NULL, theirs = NULL, held = NULL
        WHERE host = ?
        """,
        (host,),
    )


def begin_sync(db: sqlite3.Connection, host: str, next_at: datetime) -> None:
    """A reading begins: the next is due at `next_at`, unless one is asked for in the meantime."""
    db.execute("UPDATE peers SET sync_wanted = ? WHERE host = ?", (times.fine(next_at), host))


def change_sync(
    db: sqlite3.Connection, host: str, *, cursor: int, total: int | None, done: int | None
) -> None:
    """How far a reading has come. Written with what was read, so that it resumes there."""
    db.execute(
        "UPDATE peers SET cursor = ?, sync_total = ?, sync_done = ? WHERE host = ?",
        (cursor, total, done, host),
    )


def start_full_pass(db: sqlite3.Connection, host: str, now: datetime) -> None:
    """Begins again from number 0; what is not met until the end will be removed."""
    db.execute(
        """
        UPDATE peers SET cursor = 0, sync_started = ?, sync_total = NULL, sync_done = 0,
            etag = NULL
        WHERE host = ?
        """,
        (times.stamp(now), host),
    )


def full_pass_started(db: sqlite3.Connection, host: str) -> datetime | None:
    """When the full pass that is under way began; None where none is."""
    row = db.execute("SELECT sync_started FROM peers WHERE host = ?", (host,)).fetchone()
    return None if row is None else times.moment_or_none(row[0])


def finish_sync(
    db: sqlite3.Connection,
    host: str,
    now: datetime,
    *,
    digest_agrees: bool | None,
    theirs: int | None,
    held: int,
    etag: str | None,
) -> None:
    """Closes a reading, with what the comparison at its end gave."""
    db.execute(
        """
        UPDATE peers SET synced = :now, heard = :now, digest_agrees = :agrees, problem = NULL,
            sync_started = NULL, theirs = :theirs, held = :held, etag = :etag
        WHERE host = :host
        """,
        {
            "now": times.stamp(now),
            "agrees": digest_agrees,
            "theirs": theirs,
            "held": held,
            "etag": etag,
            "host": host,
        },
    )


def confirm_sync(db: sqlite3.Connection, host: str, now: datetime) -> None:
    """Closes a reading that found nothing new since the last one."""
    db.execute(
        "UPDATE peers SET synced = :now, heard = :now, problem = NULL WHERE host = :host",
        {"now": times.stamp(now), "host": host},
    )


def postpone_sync(db: sqlite3.Connection, host: str, problem: str, next_at: datetime) -> None:
    """Notes why a reading failed, and when to try again."""
    note_problem(db, host, problem)
    want_sync(db, host, next_at)


def find_unmet(db: sqlite3.Connection, host: str, since: datetime) -> tuple[list[str], list[str]]:
    """Ids of shops and of listings of a peer that a full pass begun at `since` has not met."""
    shops = db.execute(
        "SELECT id FROM shops WHERE peer = ? AND seen < ?", (host, times.stamp(since))
    )
    listings = db.execute(
        """
        SELECT listings.id FROM listings JOIN shops ON shops.id = listings.shop
        WHERE shops.peer = ? AND listings.seen < ?
        """,
        (host, times.stamp(since)),
    )
    return [row[0] for row in shops], [row[0] for row in listings]


def find_unmet_posts(db: sqlite3.Connection, host: str, since: datetime) -> list[str]:
    """Ids of news and events of a peer that a full pass begun at `since` has not met."""
    rows = db.execute(
        "SELECT id FROM posts WHERE peer = ? AND seen < ?", (host, times.stamp(since))
    )
    return [row[0] for row in rows]


def find_shop_uris(db: sqlite3.Connection, host: str) -> list[str]:
    """Ids of the shops held of a peer, those met longest ago first."""
    rows = db.execute("SELECT uri FROM shops WHERE peer = ? ORDER BY seen, uri", (host,))
    return [row[0] for row in rows]


def find_longest_unseen(
    db: sqlite3.Connection, host: str, before: datetime, limit: int
) -> list[str]:
    """Ids of listings, news and events held of a peer that were not met since `before`, longest
    ago first."""
    rows = db.execute(
        """
        SELECT listings.uri, listings.seen FROM listings JOIN shops ON shops.id = listings.shop
        WHERE shops.peer = :host AND listings.seen < :before
        UNION ALL
        SELECT uri, seen FROM posts WHERE peer = :host AND seen < :before
        ORDER BY seen LIMIT :limit
        """,
        {"host": host, "before": times.stamp(before), "limit": limit},
    )
    return [row[0] for row in rows]
