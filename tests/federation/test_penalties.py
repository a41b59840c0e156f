"""Who is refused unread after failures: the claimed host from that address, and nobody else."""

from federation import limits
from federation.penalties import Penalties

GOOD, BAD = "good.example", "bad.example"
HERE, THERE = "192.0.2.1", "198.51.100.7"


def fail(penalties: Penalties, claimed: str, address: str | None, times: float, now: float) -> None:
    for _ in range(int(times)):
        penalties.failed(claimed, address, now)


def test_dos_06_who_fails_too_often_waits_and_may_then_speak_again() -> None:
    penalties = Penalties()
    fail(penalties, BAD, HERE, limits.FAILURES_OF_HOST - 1, 0)
    assert penalties.wait(BAD, HERE, 0) is None
    penalties.failed(BAD, HERE, 0)
    wait = penalties.wait(BAD, HERE, 0)
    assert wait == 1 / limits.FAILURES_OF_HOST_PER_SECOND
    assert penalties.wait(BAD, HERE, wait) is None
    penalties.failed(BAD, HERE, wait)
    assert penalties.wait(BAD, HERE, wait) is not None


def test_dos_44_nobody_uses_up_the_turn_of_a_server_that_proved_itself() -> None:
    """Not from another address, whatever is claimed."""
    penalties = Penalties()
    penalties.proved(GOOD, HERE, 0)
    fail(penalties, GOOD, THERE, 1000, 0)
    assert penalties.wait(GOOD, THERE, 0) is not None
    assert penalties.wait(GOOD, HERE, 0) is None
    fail(penalties, BAD, HERE, limits.FAILURES_OF_HOST, 0)
    assert penalties.wait(BAD, HERE, 0) is not None
    assert penalties.wait(GOOD, HERE, 0) is None


def test_dos_45_another_name_every_time_does_not_help() -> None:
    penalties = Penalties()
    for number in range(int(limits.FAILURES_OF_ADDRESS)):
        assert penalties.wait(f"{number}.example", HERE, 0) is None
        penalties.failed(f"{number}.example", HERE, 0)
    assert penalties.wait("fresh.example", HERE, 0) is not None
    assert penalties.wait("fresh.example", THERE, 0) is None


def test_dos_45_strangers_together_have_a_bound_and_the_known_are_not_under_it() -> None:
    penalties = Penalties()
    penalties.proved(GOOD, None, 0)
    for number in range(int(limits.FAILURES_OF_STRANGERS)):
        penalties.failed(f"{number}.example", f"2001:db8:{number:x}::/64", 0)
    assert penalties.wait("fresh.example", "2001:db8:ffff::/64", 0) is not None
    assert penalties.wait(GOOD, None, 0) is None


def test_a_true_request_makes_up_for_one_that_failed() -> None:
    penalties = Penalties()
    for _ in range(1000):
        penalties.failed(GOOD, None, 0)
        penalties.proved(GOOD, None, 0)
    assert penalties.wait(GOOD, None, 0) is None


def test_what_is_remembered_is_bounded() -> None:
    penalties = Penalties()
    for number in range(2 * limits.PENALISED):
        penalties.failed(f"{number}.example", f"192.0.2.{number}", 0)
        penalties.proved(f"{number}.example", None, 0)
    assert len(penalties._left) <= limits.PENALISED
    assert len(penalties._proved) <= limits.PROVED_HOSTS
