"""Blocks to order: what is in them, what they are refused for, that they are not kept."""

from pathlib import Path
from typing import Any

import pytest

from tests.signing import ADDRESSES, signed
from tests.sources.devchain.engine.building import ALICE, fields
from tests.sources.devchain.engine.driving import Driven, driven
from twisted_chainws import errors
from twisted_chainws.chain.model import Block
from twisted_chainws.dialects.ethereum.rlp_codec import header_hash
from twisted_chainws.sources.devchain.codec import decode_block, encode_hex
from twisted_chainws.sources.devchain.engine.payload import next_gas_limit
from twisted_chainws.sources.devchain.engine.vm import unsigned

BOB, RANDOM, ROOT = "0x" + "0b" * 20, "0x" + "22" * 32, "0x" + "33" * 32


def order(node: Driven, transactions: list[str] | None = None, **more: Any) -> dict[str, Any]:
    """Order a block on the head, one second later unless told otherwise."""
    attributes = {
        "timestamp": hex(node.hub.engine.head.timestamp + 1),
        "prevRandao": RANDOM,
        "suggestedFeeRecipient": BOB,
    }
    params = {
        "parent": more.pop("parent", node.head),
        "extra_data": more.pop("extra_data", "0x"),
        "attributes": attributes | more,
        "transactions": transactions,
    }
    answer: dict[str, Any] = node.ask("build_block", **params)
    return answer


def built(answer: dict[str, Any]) -> Block:
    """Return the block of an answer."""
    return decode_block(answer["block"])


def test_a_block_is_what_was_ordered(tmp_path: Path) -> None:
    """Header fields, transactions in their order, withdrawals; what the coinbase earns."""
    raw = [signed(0, 0), signed(1, 0), signed(0, 1)]
    withdrawal = {"index": "0x1", "validatorIndex": "0x2", "address": BOB, "amount": "0x3"}
    with driven(tmp_path, mining=False) as node:
        answer = order(
            node,
            raw,
            timestamp=hex(node.hub.engine.head.timestamp + 9),
            parentBeaconBlockRoot=ROOT,
            withdrawals=[withdrawal],
            extra_data="0x1234",
        )
        block = built(answer)
        header = block.extras.header
        assert [encode_hex(item.raw) for item in block.transactions] == raw
        assert header.timestamp == node.hub.engine.head.timestamp + 9
        assert (encode_hex(header.coinbase), encode_hex(header.mix_hash)) == (BOB, RANDOM)
        assert header.parent_beacon_block_root == bytes.fromhex(ROOT[2:])
        assert (header.extra_data, header.gas_used) == (b"\x12\x34", 3 * 21_000)
        (paid,) = block.extras.withdrawals or ()
        assert (paid.index, paid.amount_gwei) == (1, 3)
        assert answer["value"] == hex(3 * 21_000 * 10**9)
        assert answer["requests"] == []
        assert block.hash == header_hash(header)


def test_a_withdrawal_is_part_of_the_state(tmp_path: Path) -> None:
    """The state root tells."""
    withdrawal = {"address": BOB, "amount": "0x3"}
    with driven(tmp_path) as node:
        with_it = built(order(node, [], withdrawals=[withdrawal])).extras.header
        without = built(order(node, [])).extras.header
        assert with_it.state_root != without.state_root
        assert with_it.withdrawals_root != without.withdrawals_root


def test_the_block_is_not_kept(tmp_path: Path) -> None:
    """Head, pool and state stay as they are."""
    with driven(tmp_path, mining=False) as node:
        head = node.head
        block = built(order(node, [signed(0, 0)]))
        assert node.head == head
        assert len(node.hub.pool) == 0
        assert node.ask("nonce", address=ADDRESSES[0], at=head) == "0x0"
        with pytest.raises(errors.UnknownBlockHash):
            node.hub.engine.header(block.hash)


def test_without_a_list_the_pool_is_taken(tmp_path: Path) -> None:
    """An empty list takes nothing."""
    with driven(tmp_path, mining=False) as node:
        node.ask("send_raw", raw=signed(0, 0))
        assert len(built(order(node, None)).transactions) == 1
        assert len(built(order(node, [])).transactions) == 0
        assert len(node.hub.pool) == 1


@pytest.mark.parametrize(
    ("transactions", "more", "error", "reason"),
    [
        ([], {"parent": ROOT}, errors.ExecutionFailed, "parentHash is not current head"),
        (
            [],
            {"extra_data": "0x" + "00" * 33},
            errors.ExecutionFailed,
            "extra data too long: 33 > 32",
        ),
        (
            [signed(0, 7)],
            {},
            errors.ExecutionFailed,
            "nonce too high: address 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266, tx: 7 state: 0",
        ),
        (
            [signed(0, 0), signed(0, 0, value=2)],
            {},
            errors.ExecutionFailed,
            "nonce too low: address 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266, tx: 0 state: 1",
        ),
        (
            [encode_hex(unsigned(fields(), ALICE).encode())],
            {},
            errors.ExecutionFailed,
            "invalid transaction 0: invalid sender",
        ),
        ([signed(0, 0), "0x7f"], {}, errors.UnsupportedTransactionType, None),
        ([signed(0, 0, chainId=1)], {}, errors.WrongChainId, None),
        ([signed(0, 0, value=10**24)], {}, errors.InsufficientFunds, None),
        (
            [signed(0, 0, gas=31_000_000, maxFeePerGas=10**9)],
            {},
            errors.BlockGasLimitExceeded,
            None,
        ),
    ],
)
def test_what_cannot_be_built_is_refused(
    tmp_path: Path, transactions: list[str], more: Any, error: Any, reason: str | None
) -> None:
    """One transaction that does not fit refuses the whole block."""
    with driven(tmp_path) as node:
        with pytest.raises(error) as caught:
            order(node, transactions, **more)
        if reason is not None:
            assert caught.value.reason == reason


def test_undecodable_transactions_are_named_by_their_place(tmp_path: Path) -> None:
    """The text begins with which one it was."""
    with driven(tmp_path) as node, pytest.raises(errors.ExecutionFailed) as caught:
        order(node, [signed(0, 0), "0xc0"])
    assert caught.value.reason.startswith("invalid transaction 1: rlp: ")


def test_time_only_goes_forward(tmp_path: Path) -> None:
    """The parent's own time is too early."""
    with driven(tmp_path) as node:
        now = node.hub.engine.head.timestamp
        with pytest.raises(errors.ExecutionFailed) as caught:
            order(node, [], timestamp=hex(now))
        assert caught.value.reason == f"invalid timestamp, parent {now} given {now}"


@pytest.mark.parametrize(
    ("parent", "expected"),
    [
        (200_000_000, 199_804_689),
        (60_000_001, 60_000_000),
        (60_000_000, 60_000_000),
        (59_999_999, 60_000_000),
        (30_000_000, 30_029_295),
        (1_000, 1_000),
    ],
)
def test_the_gas_limit_moves_as_far_as_it_may(parent: int, expected: int) -> None:
    """By less than a 1,024th of the parent's, towards 60 million."""
    assert next_gas_limit(parent) == expected
