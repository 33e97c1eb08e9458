"""viem, unmodified, drives the server through what an application does."""

from typing import Any, Final

import pytest

pytestmark = pytest.mark.interop

CHECKS: Final = (
    "reads the chain",
    "lists the accounts",
    "estimates fees",
    "deploys a contract",
    "sends signed transactions of each type",
    "delegates an account with a set-code transaction",
    "sends from an unlocked account",
    "writes and reads storage",
    "reads the past and overridden state",
    "proves an account",
    "makes an access list",
    "explains a revert reason",
    "explains a panic and a custom error",
    "mines a reverting transaction",
    "recognises a nonce too low",
    "recognises insufficient funds",
    "recognises an unknown method",
    "asks many things at once",
    "watches blocks, pending transactions and events",
    "uses filters",
    "traces what ran",
    "controls the node",
    "holds transactions back without automine",
)
LIVE_CHECKS: Final = (
    "sees a reorganisation undo a log",
    "keeps the connection alive with id null",
    "subscribes again by itself after the server was restarted",
)


@pytest.mark.parametrize(
    ("transport", "name"),
    [("ws", name) for name in CHECKS + LIVE_CHECKS] + [("http", name) for name in CHECKS],
)
def test_viem(report: Any, transport: str, name: str) -> None:
    """Viem does what the sentence says, over this transport."""
    found = report("viem", transport)[name]
    assert found["ok"], found["detail"]


@pytest.mark.parametrize("transport", ["ws", "http"])
def test_viem_report_is_complete(report: Any, transport: str) -> None:
    """The client ran exactly the checks listed here."""
    expected = CHECKS + (LIVE_CHECKS if transport == "ws" else ())
    assert tuple(report("viem", transport)) == expected
