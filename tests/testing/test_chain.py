"""The scripted chain."""

import pytest
import pytest_twisted

from twisted_chainws.chain.model import Kind
from twisted_chainws.dialects.ethereum.rlp_codec import header_hash
from twisted_chainws.errors import Unsupported
from twisted_chainws.testing import FakeSource, RecordingSink, make_block, make_transaction


def test_blocks_have_real_hashes_and_follow_each_other() -> None:
    """The hash is that of the header; a salt makes another block."""
    genesis = make_block()
    block = make_block(genesis, [(make_transaction(0), [])])
    assert block.hash == header_hash(block.extras.header)
    assert (block.parent_hash, block.number) == (genesis.hash, 1)
    assert make_block(genesis, salt=b"x").hash != make_block(genesis).hash
    assert block.receipts[0].cumulative_gas_used == block.extras.header.gas_used


@pytest_twisted.ensureDeferred
async def test_source_mines_and_reorganises() -> None:
    """What it tells the sink is what it holds."""
    source = FakeSource()
    sink = RecordingSink(await source.start(RecordingSink()))
    await source.start(sink)
    source.mine((make_transaction(0), []))
    source.mine()
    source.reorganise(2, [[], [(make_transaction(1), [])], []])
    assert sink.chain == source.blocks
    assert [block.number for block in sink.undone] == [2, 1]
    await source.stop()
    with pytest.raises(RuntimeError):
        source.mine()


@pytest_twisted.ensureDeferred
async def test_queries_answer_as_scripted() -> None:
    """Answers are functions or errors; the rest is Unsupported; everything is noted."""
    source = FakeSource()
    source.answers["balance"] = lambda params: params["address"]
    assert await source.query("balance", {"address": "0x1"}) == "0x1"
    with pytest.raises(Unsupported):
        await source.query("code", {})
    assert [name for name, _ in source.asked] == ["balance", "code"]
    assert (await source.submit(Kind.EVM, b"\x01")).startswith("0x")
    with pytest.raises(Unsupported):
        await source.submit(Kind.ZILLIQA, b"")
