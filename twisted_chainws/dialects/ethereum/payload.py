"""``testing_buildBlockV1``: a block to order, as the engine API shows it. Sans-I/O.

For development chains. The block is not part of the chain afterwards, and no blobs are bundled:
only their hashes are kept here.

Source: execution-apis ``src/testing/testing_buildBlockV1.yaml``, 033ca6e; go-ethereum
eth/catalyst/api_testing.go and beacon/engine/types.go, 02b73d4e.
"""

from collections.abc import Mapping
from typing import Any, Final

from twisted_chainws.chain.model import Block
from twisted_chainws.dialects.ethereum import calls, decode
from twisted_chainws.dialects.ethereum.arguments import takes
from twisted_chainws.dialects.ethereum.encode import (
    encode_block,
    encode_data,
    evm_transactions,
)
from twisted_chainws.dialects.ethereum.state import ask
from twisted_chainws.dialects.outcomes import Handler, Json
from twisted_chainws.dialects.view import View

_ATTRIBUTES: Final = calls.members(
    {
        "timestamp": decode.quantity,
        "prevRandao": decode.hash32,
        "suggestedFeeRecipient": decode.address,
        "withdrawals": calls.WITHDRAWALS,
        "parentBeaconBlockRoot": decode.hash32,
    },
    "engine.PayloadAttributes",
    required=frozenset({"timestamp", "prevRandao", "suggestedFeeRecipient"}),
)

_RENAMED: Final[Mapping[str, str]] = {
    "parentHash": "parentHash",
    "feeRecipient": "miner",
    "stateRoot": "stateRoot",
    "receiptsRoot": "receiptsRoot",
    "logsBloom": "logsBloom",
    "prevRandao": "mixHash",
    "blockNumber": "number",
    "gasLimit": "gasLimit",
    "gasUsed": "gasUsed",
    "timestamp": "timestamp",
    "extraData": "extraData",
    "baseFeePerGas": "baseFeePerGas",
    "blockHash": "hash",
    "withdrawals": "withdrawals",
    "blobGasUsed": "blobGasUsed",
    "excessBlobGas": "excessBlobGas",
}
"""Member of an execution payload -> member of a block."""


@takes(
    decode.hash32,
    _ATTRIBUTES,
    calls.listed(decode.data, "[]hexutil.Bytes"),
    decode.data,
    required=2,
)
def build_block(
    _view: View,
    parent: bytes,
    attributes: dict[str, Any],
    transactions: list[bytes] | None,
    extra_data: bytes | None,
) -> Json:
    """Answer ``testing_buildBlockV1``: the payload; without transactions, of what the pool has."""
    params = {
        "parent": encode_data(parent),
        "attributes": calls.encode(attributes),
        "transactions": calls.encode(transactions),
        "extra_data": encode_data(extra_data or b""),
    }
    return ask("build_block", params, _envelope)


def _envelope(answer: Mapping[str, Any]) -> Json:
    block: Block = answer["block"]
    shown = encode_block(block, full=False)
    payload = {name: shown[member] for name, member in _RENAMED.items()}
    payload["transactions"] = [encode_data(item.raw) for item in evm_transactions(block)]
    return {
        "executionPayload": payload,
        "blockValue": answer["value"],
        "blobsBundle": {"commitments": [], "proofs": [], "blobs": []},
        "executionRequests": answer["requests"],
        "shouldOverrideBuilder": False,
    }


PAYLOAD: Final[Mapping[str, Handler]] = {"testing_buildBlockV1": build_block}
"""The method that builds blocks to order."""
