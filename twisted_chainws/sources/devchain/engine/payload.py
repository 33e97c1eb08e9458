"""A block to somebody's order: its header fields, its transactions. It is built and not kept.

Source: go-ethereum eth/catalyst/api_testing.go and miner/worker.go, 02b73d4e.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from eth_utils import to_checksum_address

from twisted_chainws.chain.model import Block
from twisted_chainws.errors import (
    ExecutionFailed,
    NonceTooHigh,
    NonceTooLow,
    UndecodableTransaction,
)
from twisted_chainws.sources.devchain.codec import (
    decode_hex,
    decode_quantity,
    encode_block,
    encode_hex,
)
from twisted_chainws.sources.devchain.engine.building import Builder
from twisted_chainws.sources.devchain.engine.checks import check_stateless, is_marked
from twisted_chainws.sources.devchain.engine.draft import Draft
from twisted_chainws.sources.devchain.engine.hub import Hub
from twisted_chainws.sources.devchain.engine.requests import parse_withdrawals

MAX_EXTRA_DATA: Final = 32
WANTED_GAS_LIMIT: Final = 60_000_000
"""Where the gas limit moves, step by step. Source: go-ethereum miner.DefaultConfig, 02b73d4e."""

_BOUND_DIVISOR: Final = 1_024


def next_gas_limit(parent: int) -> int:
    """Return the gas limit of the next block: as near to the wanted one as the rules allow."""
    step = max(parent // _BOUND_DIVISOR - 1, 0)
    if parent < WANTED_GAS_LIMIT:
        return min(parent + step, WANTED_GAS_LIMIT)
    return max(parent - step, WANTED_GAS_LIMIT)


class Payloads:
    """Builds blocks that are asked for in every detail."""

    def __init__(self, hub: Hub, builder: Builder) -> None:
        self._hub = hub
        self._builder = builder

    def build(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Build the block on the head that ``attributes`` describe.

        ``transactions`` are raw and all of them go in; None takes what the pool has. Answers
        ``block``, ``requests`` (EIP-7685) and ``value``, what its coinbase earns, wei.

        Raises:
            ExecutionFailed: the parent is not the head, or the header cannot be.
            TransactionRejected: a transaction cannot be in this block.
        """
        draft = self._draft(params)
        given: Sequence[str] | None = params["transactions"]
        if given is None:
            self._builder.fill(draft, frozenset(), lambda work, _hash: work())
        else:
            for index, raw in enumerate(given):
                self._add(draft, index, decode_hex(raw))
        block = draft.seal()
        return {
            "block": encode_block(block),
            "requests": [encode_hex(item) for item in draft.requests],
            "value": hex(_earned(block)),
        }

    def _draft(self, params: Mapping[str, Any]) -> Draft:
        engine, wanted = self._hub.engine, params["attributes"]
        head, timestamp = engine.head, decode_quantity(wanted["timestamp"])
        extra_data = decode_hex(params["extra_data"])
        if decode_hex(params["parent"]) != engine.head_hash:
            raise ExecutionFailed(reason="parentHash is not current head")
        if timestamp <= head.timestamp:
            reason = f"invalid timestamp, parent {head.timestamp} given {timestamp}"
            raise ExecutionFailed(reason=reason)
        if len(extra_data) > MAX_EXTRA_DATA:
            reason = f"extra data too long: {len(extra_data)} > {MAX_EXTRA_DATA}"
            raise ExecutionFailed(reason=reason)
        return engine.draft(
            engine.head_hash,
            timestamp=timestamp,
            gas_limit=next_gas_limit(head.gas_limit),
            coinbase=decode_hex(wanted["suggestedFeeRecipient"]),
            mix_hash=decode_hex(wanted["prevRandao"]),
            extra_data=extra_data,
            beacon_root=decode_hex(wanted.get("parentBeaconBlockRoot", "0x" + "00" * 32)),
            withdrawals=parse_withdrawals(wanted.get("withdrawals") or ()),
            ephemeral=True,
        )

    def _add(self, draft: Draft, index: int, raw: bytes) -> None:
        engine = self._hub.engine
        try:
            native = engine.decode(raw)
        except UndecodableTransaction as error:
            reason = f"invalid transaction {index}: {error.reason}"
            raise ExecutionFailed(reason=reason) from error
        if is_marked(native):
            raise ExecutionFailed(reason=f"invalid transaction {index}: invalid sender")
        check_stateless(native, chain_id=engine.chain_id, gas_limit=draft.header.gas_limit)
        try:
            draft.add(native)
        except (NonceTooHigh, NonceTooLow) as error:
            # Not in the words of the pool: here the block refuses.
            kind = "high" if isinstance(error, NonceTooHigh) else "low"
            who = to_checksum_address(native.sender)
            reason = f"nonce too {kind}: address {who}, tx: {error.nonce} state: {error.next_nonce}"
            raise ExecutionFailed(reason=reason) from error


def _earned(block: Block) -> int:
    base_fee = block.extras.header.base_fee_per_gas or 0
    return sum(item.gas_used * (item.effective_gas_price - base_fee) for item in block.receipts)
