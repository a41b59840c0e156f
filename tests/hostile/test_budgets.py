"""What a stranger may cost: every bound is told in SECURITY.md, and has a test; and those tests
that have no better place."""

import asyncio
from typing import Any, cast

import pytest

from federation import limits
from node.courtesy import Residents
from node.exchange import backlog
from node.exchange.backlog import Backlog
from node.exchange.context import Context
from node.model import Received
from tests.ground import NOW
from tests.hostile import budgets, cases


def test_every_bound_is_told_with_its_value() -> None:
    """SECURITY.md has the very table that `python -m tests.hostile.budgets` prints."""
    assert budgets.table() in (cases.ROOT.parent / "SECURITY.md").read_text(encoding="utf-8")


def test_every_bound_has_a_test_that_is_there() -> None:
    bounds = {name for name in vars(limits) if name.isupper()}
    assert bounds == budgets.HELD[limits].keys()
    names = budgets.tests()
    for module in budgets.HELD.values():
        for _, begin in module.values():
            assert any(name.startswith(begin) for name in names), begin


def test_dos_06_a_queue_has_an_end() -> None:
    """In number, in bytes, and for each host."""
    waiting = Backlog(cast(Context, None))
    for _ in range(backlog.OF_HOST_MOST):
        assert not waiting.is_full_of("a.example")
        waiting._count("a.example", 1, 1)
    assert waiting.is_full_of("a.example")
    assert not waiting.is_full_of("b.example")
    for number in range(backlog.QUEUE_MOST - backlog.OF_HOST_MOST):
        assert not waiting.is_full()
        waiting._count(f"{number}.example", 1, 1)
    assert waiting.is_full()
    waiting = Backlog(cast(Context, None))
    waiting._count("a.example", backlog.QUEUE_BYTES_MOST, 1)
    assert waiting.is_full()


@pytest.mark.anyio
async def test_dos_06_slow_work_has_few_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for the network of one host takes few places, and does not hold up another's."""
    monkeypatch.setattr(backlog, "PATIENCE", 0.01)
    hosts = ["slow.example"] * 20 + ["other.example"] * 3
    rows = [Received(n, f"https://{host}/u", b"{}", NOW, 0) for n, host in enumerate(hosts)]
    begun: list[str] = []

    class Node:
        """Rows in a list, in the order in which they came."""

        database = property(lambda self: self)
        residents = Residents()

        def clock(self) -> Any:
            return NOW

        async def read(self, function: Any, *args: Any) -> Any:
            if function.__name__ == "count_by_host":
                return []
            _, most, busy, stalled = args
            due = [row for row in rows if row.id not in busy
                   and not any(host in row.actor for host in stalled)]  # fmt: skip
            return due[: min(most, backlog.SLOW_OF_HOST)]

    async def prepare(_: Any, row: Received) -> Any:
        begun.append(row.actor)
        await asyncio.Event().wait()

    async def apply(_: Any, works: Any) -> list[Any]:
        assert not works
        return []

    monkeypatch.setattr(backlog.inbox, "prepare_at_once", lambda *_: None)
    monkeypatch.setattr(backlog.inbox, "prepare", prepare)
    monkeypatch.setattr(backlog.inbox, "apply", apply)
    waiting = Backlog(cast(Context, Node()))
    acting = asyncio.create_task(waiting.act())
    for _ in range(200):
        await asyncio.sleep(0.01)
        if acting.done():
            break
    assert begun.count("https://slow.example/u") == backlog.SLOW_OF_HOST
    assert begun.count("https://other.example/u") == 3
    await waiting.stop()
    acting.cancel()
