"""What every test may use."""

import hypothesis
import pytest
from hypothesis import settings

from tests.skipping import MARK

# A machine that has much else to do takes longer, which is no fault of what is tested.
settings.register_profile("echoppe", deadline=None)
settings.load_profile("echoppe")


def pytest_configure(config: pytest.Config) -> None:
    """An example may take as long as a busy machine lets it: 200 ms of the clock, which is what
    Hypothesis allows otherwise, say nothing of the code. What else it has settled stays, on CI the
    same examples each time."""
    hypothesis.settings.register_profile(
        "suite",
        parent=hypothesis.settings(),
        deadline=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
    hypothesis.settings.load_profile("suite")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A skip is easily overlooked among dots; by reports, since tests may run in processes of
    their own."""
    reasons: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", []):
        _, _, reason = report.longrepr
        if MARK in reason:
            reason = reason.partition(MARK)[2]
            reasons[reason] = reasons.get(reason, 0) + 1
    for reason, count in reasons.items():
        what, _, why = reason.partition(": ")
        terminalreporter.section(f"NOT TESTED, {count} tests: {what}", red=True, bold=True)
        terminalreporter.line(why, red=True)
