"""What people report, what stewards decide about it, and who does not agree."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from node.store import times


@dataclass(frozen=True, slots=True)
class Notice:
    """What somebody reports; `id` is the hash of the secret that their receipt is found by.

    `object` is the ActivityPub id of a listing or a shop, or the address of another page here.
    Name, mail address and words are empty once they are no longer needed.
    """

    id: str
    object: str
    title: str
    reason: str
    words: str
    name: str
    email: str
    language: str
    at: datetime
    decision: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about an object, and why (Regulation (EU) 2022/2065, article 17).

    `target` is what the act is done to: the object itself, or its shop. `shop` is the id of the
    shop of ours that is told. `until` is by when it is to correct something, and `version` when the
    object had last been changed by then: another one tells that it was changed since.
    """

    id: str
    object: str
    target: str
    title: str
    shop: str | None
    act: str  # none, correct, hide, withdraw, suspend
    ground: str  # law, rules
    basis: str
    facts: str
    account: str
    at: datetime
    until: datetime | None = None
    noticed: bool = False
    forwarded: bool = False
    lifted: datetime | None = None
    version: datetime | None = None


@dataclass(frozen=True, slots=True)
class Appeal:
    """Who does not agree with a decision, and what became of that. `notice` is "" for the shop."""

    id: str
    decision: str
    notice: str
    words: str
    at: datetime
    outcome: str | None = None  # kept, changed
    answer: str = ""
    answered: datetime | None = None


# --- notices -------------------------------------------------------------------------------------


def add(db: sqlite3.Connection, notice: Notice) -> bool:
    """Keeps a notice; whether it is new."""
    return (
        db.execute(
            """
            INSERT OR IGNORE INTO notices
                (id, object, title, reason, words, name, email, language, at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            (
                notice.id,
                notice.object,
                notice.title,
                notice.reason,
                notice.words,
                notice.name,
                notice.email,
                notice.language,
                times.stamp(notice.at),
            ),
        ).rowcount
        > 0
    )


def get(db: sqlite3.Connection, notice_id: str) -> Notice | None:
    """The notice of that id."""
    row = db.execute("SELECT * FROM notices WHERE id = ?", (notice_id,)).fetchone()
    return None if row is None else _notice(row)


def find_open(db: sqlite3.Connection, limit: int) -> list[Notice]:
    """What nobody has decided about, the oldest first."""
    rows = db.execute(
        "SELECT * FROM notices WHERE decision IS NULL ORDER BY at, id LIMIT ?", (limit,)
    )
    return [_notice(row) for row in rows]


def find_open_about(db: sqlite3.Connection, about: str) -> list[Notice]:
    """What is open about an object."""
    rows = db.execute(
        "SELECT * FROM notices WHERE object = ? AND decision IS NULL ORDER BY at, id", (about,)
    )
    return [_notice(row) for row in rows]


def find_decided(db: sqlite3.Connection, decision_id: str) -> list[Notice]:
    """What a decision was an answer to."""
    rows = db.execute("SELECT * FROM notices WHERE decision = ? ORDER BY at, id", (decision_id,))
    return [_notice(row) for row in rows]


def count_open(db: sqlite3.Connection, about: str | None = None) -> int:
    """How many are open, of all or about one object."""
    return int(
        db.execute(
            """
            SELECT count(*) FROM notices
            WHERE decision IS NULL AND (:about IS NULL OR object = :about)
            """,
            {"about": about},
        ).fetchone()[0]
    )


def count_since(db: sqlite3.Connection, since: datetime, email: str | None = None) -> int:
    """How many came since a time, of all or of who named a mail address."""
    return int(
        db.execute(
            """
            SELECT count(*) FROM notices
            WHERE at > :since AND (:email IS NULL OR email = :email)
            """,
            {"since": times.stamp(since), "email": email},
        ).fetchone()[0]
    )


def decide(db: sqlite3.Connection, about: str, decision_id: str, seen: datetime) -> None:
    """Answers all that is open about an object, and came no later than `seen`, by a decision."""
    db.execute(
        "UPDATE notices SET decision = ? WHERE object = ? AND decision IS NULL AND at <= ?",
        (decision_id, about, times.stamp(seen)),
    )


def reopen(db: sqlite3.Connection, notice_id: str) -> None:
    """Puts a notice back to what is open."""
    db.execute("UPDATE notices SET decision = NULL WHERE id = ?", (notice_id,))


def forget(db: sqlite3.Connection, decided_before: datetime) -> None:
    """Empties what was decided before a time of all that people wrote: it is only counted then."""
    stamp = times.stamp(decided_before)
    db.execute(
        """
        UPDATE notices SET words = '', name = '', email = ''
        WHERE decision IN (SELECT id FROM decisions WHERE at < ?)
          AND (words != '' OR name != '' OR email != '')
        """,
        (stamp,),
    )
    db.execute(
        "UPDATE appeals SET words = '' WHERE answered IS NOT NULL AND answered < ? AND words != ''",
        (stamp,),
    )


def _notice(row: sqlite3.Row) -> Notice:
    return Notice(
        id=row["id"],
        object=row["object"],
        title=row["title"],
        reason=row["reason"],
        words=row["words"],
        name=row["name"],
        email=row["email"],
        language=row["language"],
        at=times.moment(row["at"]),
        decision=row["decision"],
    )


# --- decisions -----------------------------------------------------------------------------------


def add_decision(db: sqlite3.Connection, one: Decision) -> None:
    """Keeps a decision."""
    db.execute(
        """
        INSERT INTO decisions (id, object, target, title, shop, act, ground, basis, facts, account,
            at, until, noticed, forwarded, lifted, version)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (
            one.id,
            one.object,
            one.target,
            one.title,
            one.shop,
            one.act,
            one.ground,
            one.basis,
            one.facts,
            one.account,
            times.stamp(one.at),
            times.stamp_or_none(one.until),
            one.noticed,
            one.forwarded,
            times.stamp_or_none(one.lifted),
            times.stamp_or_none(one.version),
        ),
    )


def get_decision(db: sqlite3.Connection, decision_id: str) -> Decision | None:
    """The decision of that id."""
    row = db.execute("SELECT * FROM decisions WHERE id = ?", (decision_id,)).fetchone()
    return None if row is None else _decision(row)


def find_decisions_about(db: sqlite3.Connection, about: str) -> list[Decision]:
    """What was decided about an object, or done to it, the last first."""
    rows = db.execute(
        "SELECT * FROM decisions WHERE object = :it OR target = :it ORDER BY at DESC, id",
        {"it": about},
    )
    return [_decision(row) for row in rows]


def find_decisions_of_shop(db: sqlite3.Connection, shop: str, limit: int) -> list[Decision]:
    """What was decided about a shop of ours, the last first; what asks nothing of it left out."""
    rows = db.execute(
        """
        SELECT * FROM decisions WHERE shop = ? AND act != 'none' ORDER BY at DESC, id LIMIT ?
        """,
        (shop, limit),
    )
    return [_decision(row) for row in rows]


def find_corrections(db: sqlite3.Connection, limit: int, shop: str | None = None) -> list[Decision]:
    """What shops, or one, were asked to correct and nobody has decided on since, by its day."""
    rows = db.execute(
        """
        SELECT * FROM decisions WHERE act = 'correct' AND (:shop IS NULL OR shop = :shop)
          AND NOT EXISTS (
              SELECT 1 FROM decisions AS later
              WHERE later.object = decisions.object AND later.id != decisions.id
                AND later.at >= decisions.at)
        ORDER BY until, id LIMIT :limit
        """,
        {"shop": shop, "limit": limit},
    )
    return [_decision(row) for row in rows]


def lift(db: sqlite3.Connection, target: str, now: datetime) -> None:
    """Ends whatever an object is hidden by."""
    db.execute(
        """
        UPDATE decisions SET lifted = ?
        WHERE target = ? AND act IN ('hide', 'suspend') AND lifted IS NULL
        """,
        (times.stamp(now), target),
    )


def _decision(row: sqlite3.Row) -> Decision:
    return Decision(
        id=row["id"],
        object=row["object"],
        target=row["target"],
        title=row["title"],
        shop=row["shop"],
        act=row["act"],
        ground=row["ground"],
        basis=row["basis"],
        facts=row["facts"],
        account=row["account"],
        at=times.moment(row["at"]),
        until=times.moment_or_none(row["until"]),
        noticed=bool(row["noticed"]),
        forwarded=bool(row["forwarded"]),
        lifted=times.moment_or_none(row["lifted"]),
        version=times.moment_or_none(row["version"]),
    )


# --- appeals -------------------------------------------------------------------------------------


def add_appeal(db: sqlite3.Connection, one: Appeal) -> bool:
    """Keeps an appeal; whether it is the first of its side."""
    return (
        db.execute(
            """
            INSERT OR IGNORE INTO appeals (id, decision, notice, words, at) VALUES (?, ?, ?, ?, ?)
            """,
            (one.id, one.decision, one.notice, one.words, times.stamp(one.at)),
        ).rowcount
        > 0
    )


def get_appeal(db: sqlite3.Connection, decision_id: str, notice: str) -> Appeal | None:
    """The appeal of a side."""
    row = db.execute(
        "SELECT * FROM appeals WHERE decision = ? AND notice = ?", (decision_id, notice)
    ).fetchone()
    return None if row is None else _appeal(row)


def get_appeal_by_id(db: sqlite3.Connection, appeal_id: str) -> Appeal | None:
    """The appeal of that id."""
    row = db.execute("SELECT * FROM appeals WHERE id = ?", (appeal_id,)).fetchone()
    return None if row is None else _appeal(row)


def find_appeals(db: sqlite3.Connection, decision_id: str) -> list[Appeal]:
    """The appeals against a decision."""
    rows = db.execute("SELECT * FROM appeals WHERE decision = ? ORDER BY at, id", (decision_id,))
    return [_appeal(row) for row in rows]


def find_open_appeals(db: sqlite3.Connection, limit: int) -> list[Appeal]:
    """What nobody has answered, the oldest first."""
    rows = db.execute(
        "SELECT * FROM appeals WHERE outcome IS NULL ORDER BY at, id LIMIT ?", (limit,)
    )
    return [_appeal(row) for row in rows]


def answer_appeal(
    db: sqlite3.Connection, appeal_id: str, outcome: str, answer: str, now: datetime
) -> bool:
    """Answers an appeal, once; whether it was open."""
    return (
        db.execute(
            """
            UPDATE appeals SET outcome = ?, answer = ?, answered = ?
            WHERE id = ? AND outcome IS NULL
            """,
            (outcome, answer, times.stamp(now), appeal_id),
        ).rowcount
        > 0
    )


def _appeal(row: sqlite3.Row) -> Appeal:
    return Appeal(
        id=row["id"],
        decision=row["decision"],
        notice=row["notice"],
        words=row["words"],
        at=times.moment(row["at"]),
        outcome=row["outcome"],
        answer=row["answer"],
        answered=times.moment_or_none(row["answered"]),
    )


# --- counted -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Year:
    """A year in numbers: what was reported for what, what was done, and who did not agree."""

    year: int
    reasons: tuple[tuple[str, int], ...]
    from_servers: int
    acts: tuple[tuple[str, int], ...]
    unprompted: int  # decisions that nobody had asked for by a report
    median_hours: float | None  # from the report to the decision
    appeals: int
    changed: int

    @property
    def notices(self) -> int:
        """How many people reported something."""
        return sum(count for _, count in self.reasons)


def years(db: sqlite3.Connection) -> list[int]:
    """The years of which there is something to count, the last first."""
    rows = db.execute(
        """
        SELECT substr(at, 1, 4) FROM notices UNION SELECT substr(at, 1, 4) FROM decisions
        UNION SELECT substr(at, 1, 4) FROM reports ORDER BY 1 DESC
        """
    )
    return [int(row[0]) for row in rows]


def year(db: sqlite3.Connection, wanted: int) -> Year:
    """A year in numbers."""
    within = f"{wanted:04d}-%"

    def count(sql: str) -> int:
        return int(db.execute(sql, (within,)).fetchone()[0])

    def pairs(sql: str) -> tuple[tuple[str, int], ...]:
        return tuple((row[0], int(row[1])) for row in db.execute(sql, (within,)))

    hours = [
        float(row[0])
        for row in db.execute(
            """
            SELECT (julianday(decisions.at) - julianday(notices.at)) * 24 AS hours
            FROM notices JOIN decisions ON decisions.id = notices.decision
            WHERE notices.at LIKE ? ORDER BY hours
            """,
            (within,),
        )
    ]
    return Year(
        year=wanted,
        reasons=pairs(
            """
            SELECT reason, count(*) FROM notices WHERE at LIKE ?
            GROUP BY reason ORDER BY 2 DESC, 1
            """
        ),
        from_servers=count("SELECT count(*) FROM reports WHERE at LIKE ?"),
        acts=pairs("SELECT act, count(*) FROM decisions WHERE at LIKE ? GROUP BY act ORDER BY 1"),
        unprompted=count("SELECT count(*) FROM decisions WHERE noticed = 0 AND at LIKE ?"),
        median_hours=hours[len(hours) // 2] if hours else None,
        appeals=count("SELECT count(*) FROM appeals WHERE at LIKE ?"),
        changed=count("SELECT count(*) FROM appeals WHERE outcome = 'changed' AND at LIKE ?"),
    )
