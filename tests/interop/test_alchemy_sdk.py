"""alchemy-sdk, unmodified, drives the server through what is Alchemy's own."""

from typing import Any, Final

import pytest

pytestmark = pytest.mark.interop

CHECKS: Final = (
    "subscribes by party and follows a reorganisation",
    "asks for transfers page by page",
    "asks for receipts and balances",
)


@pytest.mark.parametrize("name", CHECKS)
def test_alchemy_sdk(report: Any, name: str) -> None:
    """The SDK does what the sentence says."""
    found = report("alchemy-sdk", "ws")[name]
    assert found["ok"], found["detail"]


def test_alchemy_sdk_report_is_complete(report: Any) -> None:
    """The client ran exactly the checks listed here."""
    assert tuple(report("alchemy-sdk", "ws")) == CHECKS
