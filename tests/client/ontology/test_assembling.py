from typing import Any

from tests.client.ontology.ledger import Ledger, Mining, did
from twisted_chainws.client.ontology.assembling import Assembler, Contents
from twisted_chainws.client.ontology.envelope import (
    BLOCK_HASHES,
    JSON_BLOCK,
    LOG,
    NOTIFY,
    RAW_BLOCK,
    Push,
)
from twisted_chainws.client.ontology.values import decode_block, decode_notify


class Stand:
    """An assembler, and what it makes of pushes."""

    def __init__(self, limit: int = 10) -> None:
        self.ledger = Ledger()
        self.strays = 0
        self.whole: list[Contents] = []
        self.assembler = Assembler(limit=limit, stray=self.stray)

    def stray(self) -> None:
        self.strays += 1

    def push(self, action: str, result: Any) -> None:
        notification = self.assembler.take(Push(action, result))
        if notification is not None:
            self.whole.append(notification.contents)

    def events(self, block: Mining) -> None:
        for event in block.events:
            self.push(NOTIFY, event)


def test_a_block() -> None:
    """All that belongs to a block is told with it, events in the order of its transactions."""
    stand = Stand()
    mined = stand.ledger.mine(did(1), did(2), did(3))
    for event in reversed(mined.events):
        stand.push(NOTIFY, event)
    stand.push(RAW_BLOCK, mined.raw)
    assert stand.whole == []
    stand.push(JSON_BLOCK, mined.json)
    stand.push(BLOCK_HASHES, mined.hashes)
    block = decode_block(mined.json)
    (contents,) = stand.whole
    assert contents.block == block
    assert contents.events == tuple(decode_notify(one, block) for one in mined.events)
    assert contents.raw_block is not None
    assert contents.raw_block.data.hex() == mined.raw
    assert stand.strays == 0


def test_events_behind_their_block() -> None:
    """They are told as they come, each once, and know their block."""
    stand = Stand()
    mined = stand.ledger.mine(did(1), did(2), did(3))
    stand.push(NOTIFY, mined.events[1])
    stand.push(JSON_BLOCK, mined.json)
    stand.push(JSON_BLOCK, stand.ledger.mine().json)
    for at in (2, 0, 0):
        stand.push(NOTIFY, mined.events[at])
    block = decode_block(mined.json)
    told = [decode_notify(one, block) for one in mined.events]
    assert [one.events for one in stand.whole] == [(told[1],), (), (told[2],), (told[0],)]
    assert [one.block for one in stand.whole[2:]] == [None, None]


def test_a_reorganisation() -> None:
    """A transaction that is taken in again tells again, with its new block."""
    stand = Stand()
    first = stand.ledger.mine(did(1))
    stand.events(first)
    stand.push(JSON_BLOCK, first.json)
    (second,) = stand.ledger.reorganise(1, [did(1), did(2)])
    stand.events(second)
    stand.push(JSON_BLOCK, second.json)
    assert [[event.block_hash for event in one.events] for one in stand.whole] == [
        [first.hash],
        [second.hash, second.hash],
    ]


def test_bytes_of_another_block() -> None:
    """Bytes go with the block whose hash they have, and with no other."""
    stand = Stand()
    first, second = stand.ledger.mine(), stand.ledger.mine()
    stand.push(RAW_BLOCK, first.raw)
    stand.push(JSON_BLOCK, second.json)
    stand.push(JSON_BLOCK, first.json)
    assert [one.raw_block for one in stand.whole] == [None, None]


def test_logs() -> None:
    """They are told at once: what is tried only stands in no block."""
    stand = Stand()
    stand.push(LOG, {"TxHash": "11" * 32, "ContractAddress": "77" * 20, "Message": "m"})
    (contents,) = stand.whole
    assert (contents.block, [one.message for one in contents.logs]) == (None, ["m"])


def test_what_cannot_be_read() -> None:
    """It is counted, and harms nothing else."""
    stand = Stand()
    for action in (NOTIFY, LOG, RAW_BLOCK, JSON_BLOCK):
        stand.push(action, "?")
    assert (stand.strays, stand.whole) == (4, [])
    stand.push(JSON_BLOCK, stand.ledger.mine().json)
    assert len(stand.whole) == 1


def test_events_that_never_find_a_block() -> None:
    """No more of them wait than may, and the oldest goes first."""
    stand = Stand(limit=2)
    mined = stand.ledger.mine(did(1), did(2), did(3))
    stand.events(mined)
    assert stand.strays == 1
    stand.push(JSON_BLOCK, mined.json)
    assert [one.index for one in stand.whole[0].events] == [1, 2]


def test_another_connection() -> None:
    """What came over a connection that has ended belongs to nothing any more."""
    stand = Stand()
    first = stand.ledger.mine(did(1), did(2))
    stand.push(NOTIFY, first.events[0])
    stand.push(RAW_BLOCK, first.raw)
    stand.assembler.forget()
    stand.push(JSON_BLOCK, first.json)
    stand.assembler.forget()
    stand.push(NOTIFY, first.events[1])
    assert [(one.events, one.raw_block) for one in stand.whole] == [((), None)]
