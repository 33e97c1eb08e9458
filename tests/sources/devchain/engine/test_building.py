"""Blocks of what the pool holds."""

from pathlib import Path

import pytest

from tests.assembler import assemble
from tests.sources.devchain.engine.driving import ADDRESSES, driven
from tests.sources.devchain.engine.paying import raw_payment, zilliqa_address
from twisted_chainws.chain.model import Kind
from twisted_chainws.errors import BuildTimeout
from twisted_chainws.sources.devchain.codec import encode_hex
from twisted_chainws.sources.devchain.engine.building import Watch
from twisted_chainws.sources.devchain.engine.jobs import Stuck
from twisted_chainws.sources.devchain.engine.limit import TimeUp

_ENDLESS = "0x" + assemble(":loop @loop JUMP").hex()
_SENDER = bytes.fromhex(ADDRESSES[0][2:])
_TARGET = "0x" + "c0" * 20
_HEAVY = {"to": _TARGET, "value": "0x0", "gas": hex(25_000_000), "gasPrice": hex(2 * 10**9)}


def test_what_does_not_fit_waits(tmp_path: Path) -> None:
    """A block is filled up to its gas limit; the rest comes in the next one."""
    with driven(tmp_path, mining=False, gas_limit=50_000) as node:
        for sender in range(3):
            node.send(sender, gas="0x5208")
        node.ask("mine")
        assert len(node.hub.engine.block(node.hub.engine.head_hash).transactions) == 2
        node.ask("mine")
        assert len(node.hub.engine.block(node.hub.engine.head_hash).transactions) == 1


def test_what_became_invalid_is_dropped(tmp_path: Path) -> None:
    """Two transactions that together cost more than the sender has: the second is dropped."""
    with driven(tmp_path, mining=False, balance_ether=10) as node:
        node.send(value=hex(6 * 10**18))
        node.send(value=hex(6 * 10**18))
        node.events()
        node.ask("mine")
        assert sorted(node.events()) == ["advance", "dropped"]
        assert len(node.hub.pool) == 0


def test_a_slow_transaction_is_left_out(tmp_path: Path) -> None:
    """The block is made without it; alone, it makes no block with automine."""
    with driven(tmp_path, build_timeout_s=0.1) as node:
        node.ask("set_code", address=_TARGET, code=_ENDLESS)
        with pytest.raises(BuildTimeout):
            node.ask("send", transaction={"from": node.ask("accounts")[0], **_HEAVY})
        assert node.hub.engine.height == 0
        assert len(node.hub.pool) == 0


def test_a_stuck_child_costs_only_its_transaction(tmp_path: Path) -> None:
    """The draft is begun again without the transaction that a child was killed over."""
    with driven(tmp_path, mining=False) as node:
        stuck, fine = (bytes.fromhex(node.send(sender)[2:]) for sender in (0, 1))
        command = node.node.write("mine", {})
        next(command)
        job = command.throw(Stuck(stuck))
        with pytest.raises(StopIteration):
            command.send(job.run(lambda _: None))
        block = node.hub.engine.block(node.hub.engine.head_hash)
        assert [item.hash for item in block.transactions] == [fine]
        assert stuck not in node.hub.pool


def test_a_child_stuck_for_no_known_reason_ends_the_command(tmp_path: Path) -> None:
    """Without a transaction to blame there is nothing to leave out."""
    with driven(tmp_path) as node:
        command = node.node.write("mine", {})
        next(command)
        with pytest.raises(BuildTimeout):
            command.throw(Stuck(b""))


def test_cheap_blocks_are_tried_in_place(tmp_path: Path) -> None:
    """Little gas is worth a try; much gas goes to a child at once."""
    with driven(tmp_path, mining=False) as node:
        node.send(gas="0x5208")
        node.ask("mine")
        assert node.jobs[-1].in_place
        node.send(gas=hex(2_000_000))
        node.ask("mine")
        assert not node.jobs[-1].in_place


def test_mix_hashes_differ_by_number_and_branch(tmp_path: Path) -> None:
    """No two blocks of a chain, nor the same heights of two branches, share their randomness."""
    with driven(tmp_path) as node:
        node.ask("mine", count=2)
        before = [node.hub.engine.block(node.hub.engine.canonical_hash(n)) for n in (1, 2)]
        node.ask("reorg", depth=2, transactions=[])
        after = [node.hub.engine.block(node.hub.engine.canonical_hash(n)) for n in (1, 2)]
        assert len({block.extras.header.mix_hash for block in (*before, *after)}) == 4


def test_watch_reports_before_it_runs() -> None:
    """The transaction is named before it runs; none is named with zeros."""
    said: list[bytes] = []
    watch = Watch(said.append, 1.0)
    assert watch.run(lambda: len(said), b"h" * 32) == 1
    watch.report(b"")
    assert said == [b"h" * 32, bytes(32)]
    assert watch.current == b""


def test_a_slow_transaction_does_not_hold_up_the_others(tmp_path: Path) -> None:
    """The block holds the fast ones; the slow one is dropped."""
    with driven(tmp_path, mining=False, build_timeout_s=0.3) as node:
        node.ask("set_code", address=_TARGET, code=_ENDLESS)
        slow = node.ask("send", transaction={"from": node.ask("accounts")[0], **_HEAVY})
        fast = node.send(1)
        node.ask("mine")
        block = node.hub.engine.block(node.hub.engine.head_hash)
        assert ["0x" + item.hash.hex() for item in block.transactions] == [fast]
        assert bytes.fromhex(slow[2:]) not in node.hub.pool
        assert not node.jobs[-1].in_place


def test_a_block_tried_in_place_may_be_interrupted(tmp_path: Path) -> None:
    """The moment that a block gets in place is enforced from inside; a child may try again."""
    with driven(tmp_path, mining=False) as node:
        node.ask("set_code", address=_TARGET, code=_ENDLESS)
        node.send(to=_TARGET, gas=hex(900_000))
        command = node.node.write("mine", {})
        job = next(command)
        assert job.in_place
        with pytest.raises(TimeUp):
            job.run(None)
        node.hub.engine.rollback()
        with pytest.raises(StopIteration):
            command.send(job.run(lambda _: None))
        assert node.hub.engine.height == 1


def test_nothing_to_mine_is_no_block(tmp_path: Path) -> None:
    """Where an empty block is not wanted none is made, before and after looking closer."""
    with driven(tmp_path, mining=False) as node:
        builder = node.node._reads._builder
        with pytest.raises(StopIteration) as ended:
            next(builder.mine(empty=False))
        assert ended.value.value is None
        node.send()
        making = builder.mine(empty=False)
        job = next(making)
        node.hub.engine.edit(lambda state: state.set_balance(_SENDER, 0))
        with pytest.raises(StopIteration) as ended:
            making.send(job.run(lambda _: None))
        assert ended.value.value is None
        assert (node.hub.engine.height, len(node.hub.pool)) == (0, 0)


def test_families_share_a_block(tmp_path: Path) -> None:
    """EVM transactions come first; what follows a native one of the same sender waits."""
    zilliqa = encode_hex(zilliqa_address())
    with driven(tmp_path, mining=False) as node:
        node.ask("impersonate", address=zilliqa)
        pay = {"kind": "zilliqa", "raw": encode_hex(raw_payment(nonce=2))}
        evm = {"from": zilliqa, "to": ADDRESSES[1], "value": "0x1"}
        node.ask("send", transaction=evm)
        node.ask("send_native", **pay)
        node.ask("send", transaction=evm)
        other = node.send(3)
        node.ask("send_native", kind="zilliqa", raw=encode_hex(raw_payment(4)))
        node.ask("mine", count=2)
        blocks = [node.hub.engine.block(node.hub.engine.canonical_hash(at)) for at in (1, 2)]
        kinds = [[item.kind for item in block.transactions] for block in blocks]
        assert kinds == [[Kind.EVM, Kind.EVM, Kind.ZILLIQA, Kind.ZILLIQA], [Kind.EVM]]
        assert other in {encode_hex(item.hash) for item in blocks[0].transactions}
        assert [item.cumulative_gas_used for item in blocks[0].receipts] == [
            21_000,
            42_000,
            42_050,
            42_100,
        ]
        assert node.hub.nonce_of(zilliqa_address()) == 3


def test_payments_wait_for_room(tmp_path: Path) -> None:
    """A native transaction that does not fit behind the others waits for the next block."""
    with driven(tmp_path, mining=False, gas_limit=21_060) as node:
        node.ask("send_native", kind="zilliqa", raw=encode_hex(raw_payment(0)))
        node.ask("send_native", kind="zilliqa", raw=encode_hex(raw_payment(1)))
        node.send()
        node.ask("mine")
        block = node.hub.engine.block(node.hub.engine.head_hash)
        assert [item.kind for item in block.transactions] == [Kind.EVM, Kind.ZILLIQA]
        assert len(node.hub.pool) == 1
