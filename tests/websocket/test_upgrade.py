from typing import Any

import pytest
from twisted.web.http import Request
from twisted.web.test.requesthelper import DummyChannel

from twisted_chainws.websocket.upgrade import wants_upgrade


@pytest.mark.parametrize(
    ("upgrade", "connection", "verdict"),
    [
        ("websocket", "Upgrade", True),
        ("WebSocket", "keep-alive, UPGRADE", True),
        (" websocket ", "upgrade", True),
        (None, "Upgrade", False),
        ("websocket", None, False),
        ("h2c", "Upgrade", False),
        ("websocket", "close", False),
    ],
)
def test_what_counts_as_an_upgrade(
    upgrade: str | None, connection: str | None, verdict: bool
) -> None:
    """Both headers must say so, in any case."""
    channel: Any = DummyChannel()
    request = Request(channel, False)
    for name, value in (("upgrade", upgrade), ("connection", connection)):
        if value is not None:
            request.requestHeaders.addRawHeader(name, value)
    assert wants_upgrade(request) is verdict
