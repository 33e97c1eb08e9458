"""Everything needed to test programs against this package without a network or an EVM.

``FakeSource`` is a scripted chain whose blocks are real values with real header hashes;
``RecordingSink`` notes what a source says; ``connect`` joins a client and a server in memory,
through the real listener, WebSocket and session code, with no socket and no real time::

    pair = connect(FakeSource())
    assert pair.call("eth_blockNumber") == "0x0"
    identifier = pair.call("eth_subscribe", "newHeads")
    pair.source.mine()
    assert pair.notices(identifier)[0]["number"] == "0x1"
"""

from twisted_chainws.testing.chain import (
    ALICE,
    BOB,
    FakeSource,
    make_block,
    make_transaction,
)
from twisted_chainws.testing.memory import CallFailed, MemoryPair, connect
from twisted_chainws.testing.sink import RecordingSink

__all__ = [
    "ALICE",
    "BOB",
    "CallFailed",
    "FakeSource",
    "MemoryPair",
    "RecordingSink",
    "connect",
    "make_block",
    "make_transaction",
]
