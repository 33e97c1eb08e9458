from hypothesis import given

from tests.strategies import (
    Step,
    chains,
    make_block,
    make_log,
    make_transaction,
    relaxed,
    steps,
)
from twisted_chainws.chain.canonical import CanonicalChain
from twisted_chainws.chain.journal import MemoryJournal
from twisted_chainws.chain.model import Block, Log
from twisted_chainws.chain.ops import Advance
from twisted_chainws.chain.types import Seq
from twisted_chainws.subscriptions.events import (
    HeadAdded,
    LogEvent,
    ReceiptsAdded,
    TransactionMined,
    events_of,
)


def block_with_logs(parent: Block, *data: bytes) -> Block:
    """A block whose transactions log these bytes, one each."""
    held = [(make_transaction(nonce=at), [make_log(data=one)]) for at, one in enumerate(data)]
    return make_block(parent, held)


def test_a_reorg_is_told_in_the_order_of_the_wire() -> None:
    """Removed logs, removed transactions, then each new block: head, logs, mined, receipts."""
    base = make_block()
    old = [block_with_logs(base, b"1", b"2")]
    old.append(block_with_logs(old[0], b"3"))
    new = [block_with_logs(base, b"4")]
    new.append(make_block(new[0]))
    told = list(events_of(Advance(seq=Seq(1), undone=(old[1], old[0]), applied=tuple(new))))
    removed = [event for event in told[:3] if isinstance(event, LogEvent) and event.removed]
    assert [event.log.data for event in removed] == [b"1", b"2", b"3"]
    assert [event.block for event in removed] == [old[0], old[0], old[1]]
    assert [event.transaction_index for event in removed] == [0, 1, 0]
    assert told[3:7] == [
        TransactionMined(block=old[0], position=0, removed=True),
        TransactionMined(block=old[0], position=1, removed=True),
        TransactionMined(block=old[1], position=0, removed=True),
        HeadAdded(block=new[0]),
    ]
    added = told[7]
    assert isinstance(added, LogEvent)
    assert (added.log.data, added.log_index, added.removed) == (b"4", 0, False)
    assert told[8:] == [
        TransactionMined(block=new[0], position=0, removed=False),
        ReceiptsAdded(block=new[0], positions=(0,)),
        HeadAdded(block=new[1]),
        ReceiptsAdded(block=new[1], positions=()),
    ]


def test_a_mined_transaction_knows_itself() -> None:
    """The event leads to the transaction at its place."""
    block = block_with_logs(make_block(), b"1", b"2")
    event = TransactionMined(block=block, position=1, removed=False)
    assert event.transaction is block.transactions[1]


@relaxed
@given(chains(), steps())
def test_logs_balance(blocks: list[Block], step: Step) -> None:
    """Adding the logs told as added and taking away those told as removed gives those there are."""
    chain = CanonicalChain(blocks)

    def present() -> dict[tuple[bytes, int], Log]:
        return {
            (block.hash, found.log_index): found.log
            for block in chain.blocks(0, chain.height)
            for found in block.logs()
        }

    known = present()
    for event in events_of(MemoryJournal(epoch=1).advance(step.play(chain))):
        if isinstance(event, LogEvent):
            key = (bytes(event.block.hash), event.log_index)
            if event.removed:
                assert known.pop(key) == event.log
            else:
                assert key not in known
                known[key] = event.log
    assert known == present()


@relaxed
@given(chains(), steps())
def test_mined_transactions_balance(blocks: list[Block], step: Step) -> None:
    """Folding mined and removed transactions gives those on the chain, each in its block."""
    chain = CanonicalChain(blocks)

    def present() -> set[tuple[bytes, int]]:
        return {
            (bytes(block.hash), position)
            for block in chain.blocks(0, chain.height)
            for position in range(len(block.transactions))
        }

    known = present()
    for event in events_of(MemoryJournal(epoch=1).advance(step.play(chain))):
        if isinstance(event, TransactionMined):
            key = (bytes(event.block.hash), event.position)
            assert (key in known) is event.removed
            known ^= {key}
    assert known == present()
