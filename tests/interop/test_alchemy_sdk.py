"""alchemy-sdk, unmodified, drives the server through what an application does."""

from typing import Any, Final

import pytest

pytestmark = pytest.mark.interop

CHECKS: Final = (
    "connects with its subprotocol",
    "reads the chain over its socket",
    "deploys a contract and explains a revert",
    "sends signed transactions of each type",
    "follows blocks, logs and pending transactions",
    "subscribes by party and follows a reorganisation",
    "asks for transfers page by page",
    "asks for receipts, balances and transfers of a token",
    "asks many things at once",
    "sees a reorganisation undo a log and repeat a height",
    "ends subscriptions when their listeners leave",
    "keeps the connection alive with its heartbeat",
    "leaves a connection that has fallen silent",
    "reconnects and fills the gap after the server was restarted",
)
PROFILES: Final = ("superset", "alchemy")


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", CHECKS)
def test_alchemy_sdk(report: Any, profile: str, name: str) -> None:
    """The SDK does what the sentence says, with the default profile and with the strict one."""
    found = report("alchemy-sdk", "ws", "--profile", profile)[name]
    assert found["ok"], found["detail"]


@pytest.mark.parametrize("profile", PROFILES)
def test_alchemy_sdk_report_is_complete(report: Any, profile: str) -> None:
    """The client ran exactly the checks listed here."""
    assert tuple(report("alchemy-sdk", "ws", "--profile", profile)) == CHECKS
