"""What each inbox must still hear: one row for an object at an inbox, whatever happened to it."""

import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from node.model import Delivery
from node.store import deliveries, delivery_hosts, queues
from tests import ground
from tests.ground import NOW

HOST, OTHER = "boutiques.merignac.example", "boutiques.talence.example"
ITEM = "https://boutiques.pessac.example/users/fleurs/items/1"
MINUTE = timedelta(minutes=1)
LATER = NOW + timedelta(days=365)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with ground.opened(tmp_path) as opened:
        ground.open_shop(opened, "fleurs")
        yield opened


def add(
    db: sqlite3.Connection,
    verb: str,
    item: str = ITEM,
    host: str = HOST,
    minutes: float = 0,
    body: str | None = None,
) -> None:
    deliveries.add(
        db,
        inbox=f"https://{host}/inbox",
        host=host,
        object_uri=item,
        sender="fleurs",
        verb=verb,
        body=body,
        now=NOW + minutes * MINUTE,
    )


def due(db: sqlite3.Connection, host: str = HOST, minutes: float = 9999) -> list[Delivery]:
    return deliveries.find_due(db, host, NOW + minutes * MINUTE, 100)


def only(db: sqlite3.Connection) -> Delivery:
    (row,) = due(db)
    return row


def due_hosts(db: sqlite3.Connection, now: datetime) -> list[str]:
    """Hosts to deliver to."""
    return [host for host, _ in deliveries.find_due_hosts(db, now)]


@pytest.mark.parametrize(
    ("verbs", "left"),
    [
        (["Create"], "Create"),
        (["Create", "Update"], "Create"),
        (["Create", "Update", "Update"], "Create"),
        (["Create", "Delete"], "Delete"),
        (["Create", "Update", "Delete"], "Delete"),
        (["Update", "Update"], "Update"),
        (["Update", "Delete"], "Delete"),
        (["Update", "Create"], "Create"),
    ],
)
def test_changes_that_still_wait_become_one(
    db: sqlite3.Connection, verbs: list[str], left: str
) -> None:
    for verb in verbs:
        add(db, verb)
    row = only(db)
    assert (row.verb, row.version, row.object) == (left, len(verbs), ITEM)


def test_each_inbox_and_each_object_has_a_row_of_its_own(db: sqlite3.Connection) -> None:
    add(db, "Create")
    add(db, "Delete", item=f"{ITEM}2")
    add(db, "Update", host=OTHER)
    assert [(row.object, row.verb) for row in due(db)] == [(ITEM, "Create"), (f"{ITEM}2", "Delete")]
    assert [row.verb for row in due(db, OTHER)] == ["Update"]


def test_what_was_delivered_is_gone(db: sqlite3.Connection) -> None:
    add(db, "Create")
    deliveries.remove(db, [only(db)])
    assert due(db) == []
    assert deliveries.next_due(db) is None


@pytest.mark.parametrize(
    ("first", "second", "left"),
    [
        ("Create", "Update", "Update"),  # the inbox knows it now
        ("Create", "Delete", "Delete"),
        ("Update", "Update", "Update"),
        ("Update", "Delete", "Delete"),
    ],
)
def test_what_changed_while_it_was_delivered_is_still_to_be_told(
    db: sqlite3.Connection, first: str, second: str, left: str
) -> None:
    add(db, first)
    under_way = only(db)
    add(db, second)
    deliveries.remove(db, [under_way])
    assert only(db).verb == left
    deliveries.remove(db, [only(db)])
    assert due(db) == []


def test_what_arrived_together_is_written_down_together(db: sqlite3.Connection) -> None:
    for item in range(4):
        add(db, "Create", item=f"{ITEM}{item}")
    under_way = due(db)
    deliveries.give_up(db, under_way[3], "500", NOW)
    add(db, "Create", item=f"{ITEM}3")
    add(db, "Update", item=f"{ITEM}1")  # changed meanwhile
    add(db, "Create", item=f"{ITEM}9")  # not sent
    deliveries.remove(db, [*under_way[:3], due(db)[-2]])
    assert [(row.object, row.verb) for row in due(db)] == [
        (f"{ITEM}1", "Update"),
        (f"{ITEM}9", "Create"),
    ]
    assert queues.find_failed(db) == []  # it arrived after all


def test_many_inboxes_hear_of_one_thing_in_the_order_given(db: sqlite3.Connection) -> None:
    add(db, "Create")
    deliveries.add_all(
        db,
        [
            (f"https://{OTHER}/é", OTHER, NOW + MINUTE),
            (f"https://{HOST}/inbox", HOST, NOW + MINUTE),
            (f"https://{HOST}/2", HOST, NOW),
        ],
        object_uri=ITEM,
        sender="fleurs",
        verb="Update",
        body="{}",
        now=NOW,
    )
    told = [*due(db), *due(db, OTHER)]
    assert [(row.inbox, row.verb, row.due, row.version, row.body) for row in told] == [
        (f"https://{HOST}/inbox", "Create", NOW, 2, "{}"),  # waited already, and still does
        (f"https://{HOST}/2", "Update", NOW, 1, "{}"),
        (f"https://{OTHER}/é", "Update", NOW + MINUTE, 1, "{}"),
    ]
    assert told[1].id > told[2].id
    deliveries.add_all(db, [], object_uri=ITEM, sender="fleurs", verb="Delete", body=None, now=NOW)
    assert len(due(db)) == 2


def test_giving_up_what_was_sent_does_not_drop_what_came_meanwhile(db: sqlite3.Connection) -> None:
    """An Update was refused for good while the Delete after it was written down."""
    add(db, "Update")
    under_way = only(db)
    add(db, "Delete")
    deliveries.give_up(db, under_way, "400", NOW)
    assert [row.verb for row in due(db)] == ["Delete"]


def test_putting_off_what_was_sent_keeps_what_came_meanwhile(db: sqlite3.Connection) -> None:
    add(db, "Update")
    under_way = only(db)
    add(db, "Delete")
    deliveries.postpone(db, under_way, "500", NOW + MINUTE)
    assert only(db).verb == "Delete"


def test_what_was_given_up_is_shown_to_the_steward(db: sqlite3.Connection) -> None:
    for number in range(1100):
        add(db, "Create", item=f"{ITEM}{number}")
    for row in deliveries.find_due(db, HOST, LATER, 2000):
        deliveries.give_up(db, row, "404 Not Found", NOW)
    assert due(db) == []
    kept = db.execute("SELECT object, verb, attempts, error FROM failed_deliveries").fetchall()
    assert len(kept) == 1000
    assert tuple(kept[-1]) == (f"{ITEM}1099", "Create", 1, "404 Not Found")


def test_oldest_first_and_nothing_before_its_time(db: sqlite3.Connection) -> None:
    for number, minutes in enumerate((3, 1, 2, 1)):
        add(db, "Create", item=f"{ITEM}{number}", minutes=minutes)
    assert due(db, minutes=0.9) == []
    assert [row.object[-1] for row in due(db, minutes=2)] == ["1", "3", "2"]
    assert [row.object[-1] for row in due(db)] == ["1", "3", "2", "0"]
    assert len(deliveries.find_due(db, HOST, LATER, 2)) == 2


def test_one_that_is_put_off_does_not_hold_the_others(db: sqlite3.Connection) -> None:
    add(db, "Create")
    add(db, "Create", item=f"{ITEM}2")
    deliveries.postpone(db, due(db)[0], "503", NOW + 5 * MINUTE)
    assert [row.object for row in due(db, minutes=1)] == [f"{ITEM}2"]
    late = due(db)[-1]
    assert (late.object, late.attempts, late.error, late.due) == (
        ITEM, 1, "503", NOW + 5 * MINUTE,
    )  # fmt: skip
    add(db, "Update", minutes=2)  # something new: tried at once, and counted anew
    again = next(row for row in due(db, minutes=2) if row.object == ITEM)
    assert (again.attempts, again.verb) == (0, "Create")


def test_a_host_that_fails_is_left_alone_and_the_others_are_not(db: sqlite3.Connection) -> None:
    add(db, "Create")
    add(db, "Create", host=OTHER)
    delivery_hosts.leave_alone(db, HOST, "refused", NOW, NOW + MINUTE)
    assert due_hosts(db, NOW) == [OTHER]
    assert sorted(due_hosts(db, NOW + MINUTE)) == [HOST, OTHER]
    assert delivery_hosts.failures(db, HOST) == (1, NOW)
    assert delivery_hosts.failures(db, OTHER) == (0, None)
    delivery_hosts.leave_alone(db, HOST, "timed out", NOW + MINUTE, NOW + 5 * MINUTE)
    assert delivery_hosts.failures(db, HOST) == (2, NOW)
    assert due_hosts(db, NOW + 4 * MINUTE) == [OTHER]
    assert sorted(due_hosts(db, NOW + 5 * MINUTE)) == [HOST, OTHER]
    assert deliveries.count_by_host(db) == {HOST: (1, "timed out"), OTHER: (1, None)}


def test_a_sign_of_life_revives_a_host_once(db: sqlite3.Connection) -> None:
    add(db, "Create")
    delivery_hosts.leave_alone(db, HOST, "refused", NOW, LATER)
    assert due_hosts(db, NOW + MINUTE) == []
    assert delivery_hosts.revive(db, HOST)
    assert due_hosts(db, NOW + MINUTE) == [HOST]
    assert delivery_hosts.failures(db, HOST) == (0, None)
    assert not delivery_hosts.revive(db, HOST)
    assert not delivery_hosts.revive(db, "unknown.example")
    delivery_hosts.leave_alone(db, HOST, "again", NOW + MINUTE, LATER)
    assert delivery_hosts.failures(db, HOST) == (1, NOW + MINUTE)


def test_the_next_time_counts_hosts_that_are_left_alone_at_theirs(db: sqlite3.Connection) -> None:
    assert deliveries.next_due(db) is None
    add(db, "Create", minutes=3)
    assert deliveries.next_due(db) == NOW + 3 * MINUTE
    delivery_hosts.leave_alone(db, HOST, "refused", NOW, NOW + 10 * MINUTE)
    assert deliveries.next_due(db) == NOW + 10 * MINUTE
    add(db, "Create", host=OTHER, minutes=5)
    assert deliveries.next_due(db) == NOW + 5 * MINUTE
    delivery_hosts.revive(db, HOST)
    assert deliveries.next_due(db) == NOW + 3 * MINUTE
    delivery_hosts.leave_alone(db, HOST, "refused", NOW, NOW + MINUTE)  # over before it is due
    assert deliveries.next_due(db) == NOW + 3 * MINUTE


def test_what_is_due_for_an_inbox_or_host_that_is_gone_is_dropped(db: sqlite3.Connection) -> None:
    add(db, "Create")
    add(db, "Create", host=OTHER)
    deliveries.remove_inbox(db, f"https://{HOST}/inbox", NOW)
    assert (len(due(db)), len(due(db, OTHER))) == (0, 1)
    deliveries.remove_host(db, OTHER, NOW)
    assert due(db, OTHER) == []


def test_a_host_that_wants_the_newer_signatures_is_remembered_for_a_time(
    db: sqlite3.Connection,
) -> None:
    assert not delivery_hosts.wants_rfc9421(db, HOST, NOW)
    delivery_hosts.remember_rfc9421(db, HOST, NOW + MINUTE)
    assert delivery_hosts.wants_rfc9421(db, HOST, NOW)
    assert not delivery_hosts.wants_rfc9421(db, HOST, NOW + MINUTE)
    delivery_hosts.leave_alone(db, HOST, "refused", NOW, LATER)
    delivery_hosts.revive(db, HOST)
    assert delivery_hosts.wants_rfc9421(db, HOST, NOW)


def test_a_letter_with_a_body_keeps_it(db: sqlite3.Connection) -> None:
    add(db, "Follow", body='{"type":"Follow"}')
    assert only(db).body == '{"type":"Follow"}'


def give_up(db: sqlite3.Connection, why: str = "404 Not Found") -> None:
    for row in due(db):
        deliveries.give_up(db, row, why, NOW)


def test_what_was_given_up_is_replayed(db: sqlite3.Connection) -> None:
    add(db, "Create")
    add(db, "Follow", item=f"{ITEM}#follow", body='{"type":"Follow"}')
    add(db, "Create", host=OTHER)
    give_up(db)
    delivery_hosts.leave_alone(db, HOST, "refused", NOW, LATER)
    assert [(one.host, one.verb, one.error) for one in queues.find_failed(db)] == [
        (HOST, "Follow", "404 Not Found"),
        (HOST, "Create", "404 Not Found"),
    ]
    assert queues.replay(db, OTHER, NOW) == (0, 1)
    assert due(db) == []
    assert queues.replay(db, HOST, NOW) == (2, 0)
    assert [(row.verb, row.body, row.attempts) for row in due(db)] == [
        ("Create", None, 0),
        ("Follow", '{"type":"Follow"}', 0),
    ]
    assert queues.find_failed(db) == []
    assert HOST in due_hosts(db, NOW)  # the breaker is closed again


def test_all_hosts_are_replayed_at_once(db: sqlite3.Connection) -> None:
    add(db, "Create")
    give_up(db)
    add(db, "Create", item=f"{ITEM}2")
    deliveries.postpone(db, due(db)[0], "500", LATER)
    assert queues.replay(db, None, NOW) == (1, 1)
    assert {row.object for row in due(db, minutes=0)} == {ITEM, f"{ITEM}2"}


def test_a_failure_is_forgotten_when_a_later_state_arrives(db: sqlite3.Connection) -> None:
    add(db, "Create")
    give_up(db)
    add(db, "Update")
    deliveries.remove(db, [only(db)])
    assert queues.find_failed(db) == []


def test_the_steward_sees_what_waits_by_host(db: sqlite3.Connection) -> None:
    add(db, "Create", minutes=1)
    add(db, "Create", item=f"{ITEM}2", minutes=3)
    add(db, "Create", host=OTHER)
    delivery_hosts.leave_alone(db, HOST, "refused", NOW, NOW + 9 * MINUTE)
    first, second = queues.find_queues(db)
    assert (first.host, first.waiting, first.since, first.failures) == (OTHER, 1, NOW, 0)
    assert (second.host, second.waiting, second.since) == (HOST, 2, NOW + MINUTE)
    assert (second.due, second.failures, second.failing_since, second.error) == (
        NOW + 9 * MINUTE, 1, NOW, "refused",
    )  # fmt: skip


def test_a_host_that_asks_for_patience_has_not_failed(db: sqlite3.Connection) -> None:
    """DLV-06."""
    add(db, "Create")
    delivery_hosts.leave_alone(db, HOST, "429", NOW, NOW + 5 * MINUTE, failed=False)
    assert due_hosts(db, NOW) == []
    assert due_hosts(db, NOW + 5 * MINUTE) == [HOST]
    assert delivery_hosts.failures(db, HOST) == (0, None)


def test_after_a_week_one_delivery_stays_as_the_probe(db: sqlite3.Connection) -> None:
    """DLV-04."""
    for number in range(5):
        add(db, "Create", item=f"{ITEM}{number}")
    add(db, "Create", host=OTHER)
    delivery_hosts.leave_alone(db, HOST, "refused", NOW, LATER)
    delivery_hosts.leave_alone(db, OTHER, "refused", NOW + 2 * MINUTE, LATER)
    assert deliveries.find_unavailable(db, NOW + MINUTE) == {HOST}
    assert deliveries.give_up_unavailable(db, NOW + MINUTE, NOW + MINUTE) == 4
    assert only(db).object == f"{ITEM}4"
    assert len(due(db, OTHER)) == 1
    assert {one.object for one in queues.find_failed(db)} == {f"{ITEM}{n}" for n in range(4)}
    delivery_hosts.revive(db, HOST)
    assert deliveries.find_unavailable(db, LATER) == {OTHER}


def test_a_clock_that_was_set_back_stalls_nothing(db: sqlite3.Connection) -> None:
    """DLV-16."""
    add(db, "Create", minutes=60 * 48)
    delivery_hosts.leave_alone(db, HOST, "refused", NOW, NOW + timedelta(days=3))
    deliveries.mend_times(db, NOW, NOW + timedelta(days=1))
    assert due_hosts(db, NOW) == [HOST]
    assert len(due(db, minutes=0)) == 1
    add(db, "Create", host=OTHER, minutes=60)
    deliveries.mend_times(db, NOW, NOW + timedelta(days=1))
    assert due(db, OTHER, minutes=0) == []  # an honest hour stays one


def test_whether_too_much_waits(db: sqlite3.Connection) -> None:
    for number in range(3):
        add(db, "Create", item=f"{ITEM}{number}")
    assert deliveries.holds_more_than(db, 2)
    assert not deliveries.holds_more_than(db, 3)


def test_prices_are_told_at_once_and_then_once_in_ten_minutes(db: sqlite3.Connection) -> None:
    def when(minutes: float) -> float:
        apart = 10 * MINUTE
        due_at = deliveries.when_quiet(db, ITEM, NOW + minutes * MINUTE, apart)
        return (due_at - NOW) / MINUTE

    assert [when(at) for at in (0, 1, 2, 9)] == [0, 10, 10, 10]
    assert [when(at) for at in (11, 15)] == [20, 20]
    assert when(45) == 45
    deliveries.prune_told(db, NOW + 60 * MINUTE)
    assert when(46) == 46
    assert when(-500) == -500  # the clock was set back
