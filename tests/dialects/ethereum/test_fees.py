from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.ethereum.published import published_chain
from tests.dialects.ethereum.views import ask, at_base_fee, make_view, refusal
from tests.strategies import SENDERS, address20, make_block, make_chain, make_transaction, relaxed
from twisted_chainws.chain.model import Block
from twisted_chainws.chain.types import Gas, Wei
from twisted_chainws.dialects.ethereum import fees
from twisted_chainws.dialects.outcomes import Forward, Scan

GWEI = 10**9
GENESIS = make_block()


def paying_block(parent: Block, *tips: int, gas: int = 21_000) -> Block:
    """Make a block whose transactions pay these tips above one Gwei."""
    contents = [
        (make_transaction(address20(f"payer {at}"), salt=(parent.number, at)), ())
        for at in range(len(tips))
    ]
    block = make_block(parent, contents)
    receipts = tuple(
        replace(receipt, effective_gas_price=Wei(GWEI + tip), gas_used=Gas(gas))
        for receipt, tip in zip(block.receipts, tips, strict=True)
    )
    return replace(at_base_fee(block, GWEI, gas_used=Gas(gas * len(tips))), receipts=receipts)


@pytest.mark.parametrize(
    ("base", "used", "limit", "following"),
    [
        (GWEI, 15_000_000, 30_000_000, GWEI),
        (GWEI, 30_000_000, 30_000_000, 1_125_000_000),
        (GWEI, 0, 30_000_000, 875_000_000),
        (1, 30_000_000, 30_000_000, 2),
        (0, 0, 30_000_000, 0),
        (None, 0, 30_000_000, 0),
        (7, 0, 0, 7),
        (0x3B9ACA00, 0x36B3 * 10_000, 2 * 0x36B3 * 10_000, 0x3B9ACA00),
    ],
)
def test_next_base_fee(base: int | None, used: int, limit: int, following: int) -> None:
    """The base fee moves by at most an eighth, up by at least one wei."""
    block = at_base_fee(GENESIS, base, gas_used=Gas(used), gas_limit=Gas(limit))
    assert fees.next_base_fee(block.extras.header) == following
    assert ask(make_view([block]), "eth_baseFee") == hex(following)


def test_base_fees_of_the_published_chain() -> None:
    """The rule predicts the base fee of every block after the first London one."""
    blocks = [b for b in published_chain() if b.extras.header.base_fee_per_gas is not None]
    for parent, child in pairwise(blocks):
        predicted = fees.next_base_fee(parent.extras.header)
        assert predicted == child.extras.header.base_fee_per_gas


@pytest.mark.parametrize(
    ("excess", "fee"), [(None, 0), (0, 1), (5_007_716, 2), (50_077_160, 22_026)]
)
def test_blob_base_fee(excess: int | None, fee: int) -> None:
    """The blob fee grows with the power of e; before Cancun there is none."""
    block = at_base_fee(GENESIS, GWEI, excess_blob_gas=excess)
    assert ask(make_view([block]), "eth_blobBaseFee") == hex(fee)


def test_suggestion_without_offers() -> None:
    """Where nobody pays, one Gwei is suggested on top of the base fee."""
    view = make_view(make_chain(30))
    assert ask(view, "eth_maxPriorityFeePerGas") == hex(GWEI)
    assert ask(view, "eth_gasPrice") == hex(2 * GWEI)
    assert ask(make_view([at_base_fee(GENESIS, None)]), "eth_gasPrice") == hex(GWEI)


@pytest.mark.parametrize(
    ("tips", "suggested"),
    [
        ([[5]], 5),
        ([[0, 1]], GWEI),
        ([[9, 8, 7, 6, 5]], 6),
        ([[10], [20], [30], [40], [50], [60]], 40),
        ([[10**15]], 500 * GWEI),
    ],
)
def test_suggestion(tips: list[list[int]], suggested: int) -> None:
    """The suggestion is the 60th percentile of the three lowest real tips of each block."""
    blocks = [GENESIS]
    for of_block in tips:
        blocks.append(paying_block(blocks[-1], *of_block))
    view = make_view(blocks)
    assert ask(view, "eth_maxPriorityFeePerGas") == hex(suggested)


def test_a_miner_does_not_suggest_to_itself() -> None:
    """What the coinbase itself pays is no offer."""
    block = at_base_fee(
        make_block(GENESIS, [(make_transaction(), ())]), 999_999_000, coinbase=SENDERS[0]
    )
    assert fees.lowest_tips(block) == ()


HISTORY = [GENESIS]
HISTORY.append(paying_block(HISTORY[-1], 30, 10, 20))
HISTORY.append(at_base_fee(make_block(HISTORY[-1]), GWEI, gas_limit=Gas(0)))
VIEW = make_view(HISTORY)


def test_history() -> None:
    """The history has a row for each block and one fee more, that of the next block."""
    history = ask(VIEW, "eth_feeHistory", "0x5", "latest", [0, 50, 100])
    assert list(history) == [
        "oldestBlock", "reward", "baseFeePerGas", "gasUsedRatio", "baseFeePerBlobGas",
        "blobGasUsedRatio",
    ]  # fmt: skip
    assert history["oldestBlock"] == "0x0"
    assert history["reward"] == [["0x0"] * 3, ["0xa", "0x14", "0x1e"], ["0x0"] * 3]
    assert history["baseFeePerGas"] == [hex(GWEI)] * 4
    assert history["gasUsedRatio"] == [0, 63_000 / 30_000_000, 0]
    assert history["baseFeePerBlobGas"] == ["0x1"] * 4
    assert history["blobGasUsedRatio"] == [0, 0, 0]


@pytest.mark.parametrize("count", [1, "1", "0x1"])
@pytest.mark.parametrize("newest", ["latest", "pending", "0x2"])
def test_history_selectors(count: Any, newest: str) -> None:
    """The count comes in three forms; the pending block is not waited for."""
    history = ask(VIEW, "eth_feeHistory", count, newest)
    assert history["oldestBlock"] == "0x2"
    assert "reward" not in history
    assert "reward" not in ask(VIEW, "eth_feeHistory", count, newest, [])


def test_history_of_nothing() -> None:
    """Zero blocks have no history."""
    answer = {"oldestBlock": "0x0", "gasUsedRatio": None}
    assert ask(VIEW, "eth_feeHistory", "0x0", "latest") == answer


def test_history_before_london() -> None:
    """Blocks without a base fee count as zero, and so do blobs before Cancun."""
    old = at_base_fee(GENESIS, None, excess_blob_gas=None, blob_gas_used=None)
    history = ask(make_view([old]), "eth_feeHistory", 1, "latest", [50])
    assert history["baseFeePerGas"] == history["baseFeePerBlobGas"] == ["0x0", "0x0"]


@pytest.mark.parametrize(
    ("params", "code", "message"),
    [
        (["0x1", "0x9"], -32000, "request beyond head block: requested 9, head 2"),
        (["0x1", "latest", [101]], -32000, "invalid reward percentile: 101.000000"),
        (["0x1", "latest", [-1]], -32000, "invalid reward percentile: -1.000000"),
        (
            ["0x1", "latest", [50, 10]],
            -32000,
            "invalid reward percentile: #0:50.000000 >= #1:10.000000",
        ),
        (
            ["0x1", "latest", [1] * 101],
            -32000,
            "invalid reward percentile: over the query limit 100",
        ),
        (["0x1"], -32602, "missing value for required argument 1"),
    ],
)
def test_history_refusals(params: list[Any], code: int, message: str) -> None:
    """Requests that make no sense are refused in go-ethereum's words."""
    assert refusal(VIEW, "eth_feeHistory", *params) == (code, message)


def test_long_history_goes_in_steps() -> None:
    """Rewards of many blocks are gathered step by step, 1,024 blocks at most."""
    view = make_view(make_chain(1_100))
    outcome = ask(view, "eth_feeHistory", 2_000, "latest", [50])
    assert isinstance(outcome, Forward)
    assert isinstance(outcome.call, Scan)
    turns = 1
    while True:
        try:
            next(outcome.call.steps)
        except StopIteration as end:
            history: Any = outcome.then(end.value)
            break
        turns += 1
    assert turns == fees.MAX_HISTORY // fees.HISTORY_BLOCKS_PER_STEP - 1
    assert len(history["reward"]) == 1_024
    assert history["oldestBlock"] == hex(1_100 - 1_024)


@relaxed
@given(
    tips=st.lists(st.integers(0, 50), min_size=1, max_size=6),
    percentiles=st.lists(st.integers(0, 100), unique=True).map(sorted),
)
def test_rewards_ascend(tips: list[int], percentiles: list[int]) -> None:
    """Rewards are tips that were paid, ascending with the percentiles, from lowest to highest."""
    block = paying_block(GENESIS, *tips)
    row = fees.reward_row(block, tuple(float(item) for item in percentiles))
    assert row == sorted(row)
    assert set(row) <= set(tips)
    assert fees.reward_row(block, (0.0, 100.0)) == [min(tips), max(tips)]
