from typing import Any

import pytest

from twisted_chainws.client.errors import Misuse
from twisted_chainws.client.options import WEB_SOCKET, ClientOptions


def test_usual_values() -> None:
    """Without a word it is as the specification of clients wants it."""
    usual = ClientOptions()
    socket, backoff = usual.web_socket, usual.backoff
    assert socket.max_message_size >= 100 * 1024 * 1024
    assert (socket.ping_interval, socket.pong_timeout, socket.open_timeout) == (30, 10, 10)
    assert socket.compression is None
    assert (backoff.initial_s, backoff.factor, backoff.max_s) == (1, 1.5, 30)
    assert (backoff.spread, backoff.max_attempts) == ((0.8, 1.2), None)
    assert (usual.request_timeout_s, usual.heartbeat_s, usual.heartbeat_answer_s) == (30, 30, 10)
    assert (usual.queue_size, usual.backfill_blocks, usual.log_range_blocks) == (10_000, 120, 2000)
    assert (usual.rate_limit_retries, usual.rate_limit_wait_s) == (3, 1.0)
    assert (usual.stall_s, usual.behind_blocks) == (60, 10)
    WEB_SOCKET.check()


@pytest.mark.parametrize(
    "more",
    [
        *({name: -1} for name in ("heartbeat_s", "stall_s", "queue_size", "backfill_blocks")),
        *(
            {name: 0}
            for name in ("queue_size", "backfill_blocks", "batch_items", "request_timeout_s")
        ),
    ],
)
def test_numbers_that_cannot_be_meant(more: dict[str, Any]) -> None:
    """Negative numbers, and zero where it makes no sense, are refused by name."""
    with pytest.raises(Misuse, match=next(iter(more))):
        ClientOptions(**more)


def test_zero_where_it_means_never() -> None:
    """Zero turns off what can be turned off; a chain id is any number."""
    assert ClientOptions(heartbeat_s=0, stall_s=0, behind_wait_s=0, chain_id=0).stall_s == 0
