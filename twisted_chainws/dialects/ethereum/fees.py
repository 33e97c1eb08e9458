"""Handlers about fees: suggestions, the next base fee, the fee history. Sans-I/O.

All of it is computed from headers and receipts.

Source: ``ethereum.md`` 5.3, 5.7 (go-ethereum ``eth/gasprice``); EIP-1559; the fees of blobs are
in ``chain.forks``. The suggestion of a chain without paying transactions is one Gwei, as anvil's.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Final, NoReturn

from twisted_chainws.chain.forks import ForkSchedule
from twisted_chainws.chain.model import Block, EthereumHeader
from twisted_chainws.dialects.ethereum import decode
from twisted_chainws.dialects.ethereum.arguments import refuse, takes
from twisted_chainws.dialects.ethereum.decode import BlockRef
from twisted_chainws.dialects.ethereum.encode import encode_quantity, evm_transactions
from twisted_chainws.dialects.ethereum.errors import SERVER_ERROR
from twisted_chainws.dialects.ethereum.logs import Steps, in_steps
from twisted_chainws.dialects.ethereum.shapes import FeeHistory
from twisted_chainws.dialects.outcomes import Handler, Json
from twisted_chainws.dialects.view import View

SAMPLED_BLOCKS: Final = 20
SAMPLED_TIPS: Final = 3
SAMPLE_PERCENTILE: Final = 60
IGNORED_TIP: Final = 2
DEFAULT_TIP: Final = 10**9
MAX_TIP: Final = 500 * 10**9

MAX_HISTORY: Final = 1_024
MAX_PERCENTILES: Final = 100
HISTORY_BLOCKS_PER_STEP: Final = 64

_ELASTICITY: Final = 2
_CHANGE_DENOMINATOR: Final = 8


def next_base_fee(header: EthereumHeader) -> int:
    """Compute the base fee of the next block, wei; 0 before London.

    Source: EIP-1559.
    """
    base = header.base_fee_per_gas
    if base is None:
        return 0
    target = header.gas_limit // _ELASTICITY
    if target in {0, header.gas_used}:
        return base
    if header.gas_used > target:
        change = base * (header.gas_used - target) // target // _CHANGE_DENOMINATOR
        return base + max(change, 1)
    return base - base * (target - header.gas_used) // target // _CHANGE_DENOMINATOR


def _tips(block: Block) -> list[tuple[int, int]]:
    """List the tip per gas, wei, and the gas used of each EVM transaction."""
    base = block.extras.header.base_fee_per_gas or 0
    return [
        (receipt.effective_gas_price - base, receipt.gas_used)
        for receipt in block.receipts[: len(evm_transactions(block))]
    ]


def lowest_tips(block: Block) -> tuple[int, ...]:
    """List the lowest tips of a block that count as an offer, ascending."""
    own = block.extras.header.coinbase
    offers = [
        tip
        for transaction, (tip, _) in zip(evm_transactions(block), _tips(block), strict=True)
        if tip >= IGNORED_TIP and transaction.sender != own
    ]
    return tuple(sorted(offers)[:SAMPLED_TIPS])


def suggested_tip(view: View) -> int:
    """Suggest a tip, wei: the 60th percentile of the lowest tips of the last blocks."""
    head = view.chain.height
    oldest = max(head - SAMPLED_BLOCKS + 1, view.chain.oldest.number)
    offers: list[int] = sorted(
        tip
        for block in view.chain.blocks(oldest, head)
        for tip in view.ledger.figure(block, lowest_tips)
    )
    if not offers:
        return DEFAULT_TIP
    return min(offers[(len(offers) - 1) * SAMPLE_PERCENTILE // 100], MAX_TIP)


@takes()
def gas_price(view: View) -> Json:
    """Answer ``eth_gasPrice``: the suggested tip on top of the head's base fee."""
    base = view.chain.head.extras.header.base_fee_per_gas or 0
    return encode_quantity(suggested_tip(view) + base)


@takes()
def max_priority_fee(view: View) -> Json:
    """Answer ``eth_maxPriorityFeePerGas``."""
    return encode_quantity(suggested_tip(view))


@takes()
def base_fee(view: View) -> Json:
    """Answer ``eth_baseFee``: that of the next block."""
    return encode_quantity(next_base_fee(view.chain.head.extras.header))


@takes()
def current_blob_base_fee(view: View) -> Json:
    """Answer ``eth_blobBaseFee``."""
    return encode_quantity(view.chain.forks.blob_fee(view.chain.head.extras.header))


@takes(decode.fee_history_count, decode.block_number, decode.percentiles, required=2)
def fee_history(
    view: View, count: int, newest: BlockRef, percentiles: tuple[float, ...] | None
) -> Json:
    """Answer ``eth_feeHistory``; ``pending`` as the newest block means the head."""
    wanted = percentiles or ()
    if count < 1:
        return FeeHistory(oldestBlock="0x0", gasUsedRatio=None)
    _check_percentiles(wanted)
    last = _newest(view, newest)
    first = max(last - min(count, MAX_HISTORY) + 1, view.chain.oldest.number)
    blocks = list(view.chain.blocks(first, last))
    return in_steps(_history(blocks, wanted, view.chain.forks))


def _newest(view: View, ref: BlockRef) -> int:
    if ref.number is not None and ref.number > view.chain.height:
        _refuse(f"request beyond head block: requested {ref.number}, head {view.chain.height}")
    found = decode.resolve(view, ref)
    return found.number if isinstance(found, Block) else view.chain.height


def _check_percentiles(percentiles: tuple[float, ...]) -> None:
    if len(percentiles) > MAX_PERCENTILES:
        _refuse(f"invalid reward percentile: over the query limit {MAX_PERCENTILES}")
    for percentile in percentiles:
        if not 0 <= percentile <= 100:  # noqa: PLR2004 - per cent
            _refuse(f"invalid reward percentile: {percentile:f}")
    for index, (lower, upper) in enumerate(pairwise(percentiles)):
        if lower >= upper:
            _refuse(f"invalid reward percentile: #{index}:{lower:f} >= #{index + 1}:{upper:f}")


def _refuse(text: str) -> NoReturn:
    refuse(text, code=SERVER_ERROR)


def _history(blocks: list[Block], percentiles: tuple[float, ...], forks: ForkSchedule) -> Steps:
    """Gather the columns block by block; the rewards are what takes time."""
    rewards: list[list[str]] = []
    if percentiles:
        for index, block in enumerate(blocks):
            if index and index % HISTORY_BLOCKS_PER_STEP == 0:
                yield
            rewards.append([encode_quantity(tip) for tip in reward_row(block, percentiles)])
    headers = [block.extras.header for block in blocks]
    newest = headers[-1]
    history = FeeHistory(oldestBlock=encode_quantity(headers[0].number))
    if percentiles:
        history["reward"] = rewards
    base_fees = [header.base_fee_per_gas or 0 for header in headers]
    history["baseFeePerGas"] = _quantities([*base_fees, next_base_fee(newest)])
    history["gasUsedRatio"] = [_ratio(header.gas_used, header.gas_limit) for header in headers]
    blob_fees = [forks.blob_fee(header) for header in headers]
    history["baseFeePerBlobGas"] = _quantities([*blob_fees, forks.next_blob_fee(newest)])
    history["blobGasUsedRatio"] = [
        _ratio(header.blob_gas_used or 0, forks.blob_limit(header)) for header in headers
    ]
    return history


def _quantities(values: list[int]) -> list[str]:
    return [encode_quantity(value) for value in values]


def _ratio(used: int, limit: int) -> float:
    """Divide; whole results as ints, so that they are written as Go writes them."""
    ratio = used / limit if limit else 0
    return int(ratio) if ratio in {0, 1} else ratio


def reward_row(block: Block, percentiles: tuple[float, ...]) -> list[int]:
    """Find the tip at each percentile of the gas of a block, wei; zeros in an empty one."""
    tips = sorted(_tips(block))
    if not tips:
        return [0] * len(percentiles)
    row: list[int] = []
    position, gas = 0, tips[0][1]
    for percentile in percentiles:
        threshold = int(block.extras.header.gas_used * percentile / 100)
        while gas < threshold and position < len(tips) - 1:
            position += 1
            gas += tips[position][1]
        row.append(tips[position][0])
    return row


FEES: Final[Mapping[str, Handler]] = {
    "eth_gasPrice": gas_price,
    "eth_maxPriorityFeePerGas": max_priority_fee,
    "eth_baseFee": base_fee,
    "eth_blobBaseFee": current_blob_base_fee,
    "eth_feeHistory": fee_history,
}
