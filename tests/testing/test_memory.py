"""The in-memory pair: what users get to test their programs with."""

from collections.abc import Iterator

import pytest

from twisted_chainws.server.factory import ServerSettings
from twisted_chainws.testing import (
    BOB,
    CallFailed,
    FakeSource,
    MemoryPair,
    connect,
    make_transaction,
)


@pytest.fixture(name="pair")
def _pair() -> Iterator[MemoryPair]:
    pair = connect(FakeSource())
    yield pair
    pair.close()
    assert pair.clock.getDelayedCalls() == []


def test_call_goes_through_the_real_listener(pair: MemoryPair) -> None:
    """The handshake is a real one and a call is answered."""
    assert pair.response.startswith("HTTP/1.1 101 ")
    assert pair.call("eth_chainId") == "0x7a69"


def test_error_answers_are_raised(pair: MemoryPair) -> None:
    """A fault carries its code."""
    with pytest.raises(CallFailed) as caught:
        pair.call("eth_nothing")
    assert caught.value.error["code"] == -32601


def test_unanswered_call_fails(pair: MemoryPair) -> None:
    """A query that the source keeps open is no answer."""
    with pytest.raises(CallFailed):
        pair.call("eth_getBalance", "0x" + BOB.hex())
    with pytest.raises(AssertionError, match="was not answered"):
        pair.call("eth_sendRawTransactionSync", "0x02", "0x64")
    pair.advance(1.0)
    assert pair.messages[0]["error"]["code"] == 4


def test_notices_arrive_in_order_and_by_subscription(pair: MemoryPair) -> None:
    """Notices are taken once, of one subscription or of all."""
    heads = pair.call("eth_subscribe", "newHeads")
    hashes = pair.call("eth_subscribe", "newPendingTransactions")
    transaction = make_transaction(0)
    pair.source.sink.pending(transaction)
    pair.source.mine((transaction, []))
    pair.source.mine()
    assert [head["number"] for head in pair.notices(heads)] == ["0x1", "0x2"]
    assert pair.notices() == ["0x" + transaction.hash.hex()]
    assert pair.notices(hashes) == []


def test_raw_messages_and_long_ones(pair: MemoryPair) -> None:
    """Bytes go out as they are; answers over 64 KiB come back whole."""
    pair.send(b"{")
    assert pair.messages.pop()["error"]["code"] == -32700
    batch = [{"jsonrpc": "2.0", "id": number, "method": "eth_blockNumber"} for number in range(900)]
    pair.send(batch)
    assert len(pair.messages.pop()) == 900
    pair.send([{"jsonrpc": "2.0", "id": "x" * 70_000, "method": "eth_blockNumber"}])
    assert len(pair.messages.pop()[0]["id"]) == 70_000


def test_close_code_of_the_server_is_seen() -> None:
    """Shutting the listener down shows the client 1001."""
    pair = connect(FakeSource())
    assert pair.close_code is None
    pair.site.close_all()
    pair.flush()
    assert pair.close_code == 1001
    pair.advance(10)
    pair.close()


def test_settings_and_path_reach_the_listener() -> None:
    """A wrong key is refused before the upgrade."""
    pair = connect(FakeSource(), path="/v2/wrong", settings=ServerSettings(keys=("right",)))
    assert " 401 " in pair.response
    pair.advance(300)
    pair.close()
