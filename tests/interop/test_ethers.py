"""ethers v6, unmodified, drives the server through what an application does."""

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
    "recognises a nonce too low",
    "recognises insufficient funds",
    "recognises an underpriced replacement",
    "recognises an unknown method",
    "asks many things at once",
    "follows blocks, pending transactions and events",
)
LIVE_CHECKS: Final = (
    "sees a reorganisation undo a log and repeat a height",
    "begins again with a new provider after the server was restarted",
)


@pytest.mark.parametrize(
    ("transport", "name"),
    [("ws", name) for name in CHECKS + LIVE_CHECKS] + [("http", name) for name in CHECKS],
)
def test_ethers(report: Any, transport: str, name: str) -> None:
    """Ethers v6 does what the sentence says, over this transport."""
    found = report("ethers", transport)[name]
    assert found["ok"], found["detail"]


@pytest.mark.parametrize("transport", ["ws", "http"])
def test_ethers_report_is_complete(report: Any, transport: str) -> None:
    """The client ran exactly the checks listed here."""
    expected = CHECKS + (LIVE_CHECKS if transport == "ws" else ())
    assert tuple(report("ethers", transport)) == expected
