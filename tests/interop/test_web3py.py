"""web3.py, unmodified, drives the server through what an application does."""

from typing import Any, Final

import pytest

pytestmark = pytest.mark.interop

CHECKS: Final = (
    "reads the chain",
    "estimates fees",
    "deploys a contract",
    "sends signed transactions of each type",
    "sends from an unlocked account",
    "writes and reads storage",
    "explains reverts",
    "mines a reverting transaction",
    "recognises refused transactions",
    "sends a batch",
    "uses filters",
    "traces what ran",
    "controls the node",
)
LIVE_CHECKS: Final = (
    "follows subscriptions",
    "sees a reorganisation undo a log and repeat a height",
    "reconnects after the server was restarted and subscribes again",
)


@pytest.mark.parametrize(
    ("transport", "name"),
    [("ws", name) for name in CHECKS + LIVE_CHECKS] + [("http", name) for name in CHECKS],
)
def test_web3(report: Any, transport: str, name: str) -> None:
    """web3.py does what the sentence says, over this transport."""
    found = report("web3", transport)[name]
    assert found["ok"], found["detail"]


@pytest.mark.parametrize("transport", ["ws", "http"])
def test_web3_report_is_complete(report: Any, transport: str) -> None:
    """The client ran exactly the checks listed here."""
    expected = CHECKS + (LIVE_CHECKS if transport == "ws" else ())
    assert tuple(report("web3", transport)) == expected
