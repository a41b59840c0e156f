"""What waits for stewards: counted as it is, told by mail once a week and only if there is any."""

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from node import accounts, digest
from node.model import FollowState, Report, Role
from node.store import mails, peers, reports
from node.translation import Catalogues
from tests import ground
from tests.ground import NOW

SAY = Catalogues().speak("fr")
ROOMY = digest.Disk(500 * 10**9, 1000 * 10**9, 10**6)


@pytest.fixture(autouse=True)
def disk(monkeypatch: pytest.MonkeyPatch) -> dict[str, digest.Disk]:
    """A disk with room, whatever this machine's is."""
    held = {"disk": ROOMY}
    monkeypatch.setattr(digest, "disk", lambda folder: held["disk"])
    return held


def invite(db: Any, email: str | None, role: Role = Role.STEWARD) -> None:
    accounts.invite(
        db, email, role, account_id=ground.new_id(), token=ground.new_id(), now=NOW,
        territory=ground.PESSAC,
    )  # fmt: skip


def due(db: Any, days: float) -> int:
    return digest.queue_due(
        db, ground.URIS, "Pessac", Path(), SAY, NOW + timedelta(days=days)
    )  # fmt: skip


def report(db: Any) -> None:
    reports.add(
        db,
        Report(
            id=ground.new_id(),
            uri=f"https://{ground.PEER}/flags/1",
            actor=f"https://{ground.PEER}/users/instance",
            host=ground.PEER,
            objects=(f"{ground.URIS.origin}/users/x",),
            words="faux prix",
            at=NOW,
        ),
    )


def test_a_mail_once_a_week_and_only_if_something_waits(tmp_path: Path) -> None:
    with ground.opened(tmp_path / "node") as db:
        invite(db, None)  # the first steward, whom nobody can write to
        invite(db, "nadia@example.fr")
        invite(db, "paul@example.fr")
        invite(db, "journal@example.fr", Role.PUBLISHER)
        assert due(db, 0) == 0
        report(db)
        assert [due(db, 1), due(db, 2), due(db, 7.9)] == [2, 0, 0]
        assert due(db, 8) == 2  # it is still open
        for one in reports.find_open(db):
            reports.close(db, one.id, NOW)
        assert due(db, 20) == 0
        texts = [one.text for one in mails.find_due(db, NOW + timedelta(days=8), 10)]
        assert len(texts) == 4
        assert "Signalements ouverts\u202f: 1" in texts[0]
        assert "Boutiques" not in texts[0]  # what is none is not told
        assert f"{ground.URIS.origin}/gestion" in texts[0]


def test_silent_neighbours_are_those_that_agreed(tmp_path: Path) -> None:
    with ground.opened(tmp_path / "node") as db:
        for host, follows, heard in (
            ("silent.example", FollowState.ACCEPTED, 5), ("alive.example", FollowState.ACCEPTED, 1),
            ("asked.example", FollowState.REQUESTED, 9),
        ):  # fmt: skip
            peers.add(db, host, f"https://{host}", f"https://{host}/i", host, "echoppe")
            peers.change_following(db, host, follows, f"https://x/{host}")
            peers.change_follower(db, host, follows, f"https://y/{host}")
            peers.mark_heard(db, host, NOW - timedelta(days=heard))
        assert digest.numbers(db, Path(), NOW).silent == ("silent.example",)


@pytest.mark.parametrize(("free", "low"), [(500 * 10**9, False), (99 * 10**9, True), (10**8, True)])
def test_a_disk_is_low_by_share_or_in_full(
    tmp_path: Path, disk: dict[str, digest.Disk], free: int, low: bool
) -> None:
    disk["disk"] = dataclasses.replace(ROOMY, free=free)
    with ground.opened(tmp_path / "node") as db:
        invite(db, "nadia@example.fr")
        assert digest.numbers(db, Path(), NOW).disk.is_low is low
        assert due(db, 0) == int(low)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (850_000_000, "850\u202fMo"),
        (12_400_000_000, "12\u202fGo"),
        (1_500_000_000_000, "1,5\u202fTo"),
    ],
)
def test_sizes_as_people_say_them(count: int, text: str) -> None:
    assert digest.size(count, SAY) == text
