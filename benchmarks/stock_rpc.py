"""What the compared servers answer: three methods, nothing validated, nothing looked up."""

from typing import Any, Final

import orjson

HEAD: Final = {
    "parentHash": "0x" + "1" * 64,
    "sha3Uncles": "0x" + "2" * 64,
    "miner": "0x" + "0" * 40,
    "stateRoot": "0x" + "3" * 64,
    "transactionsRoot": "0x" + "4" * 64,
    "receiptsRoot": "0x" + "5" * 64,
    "logsBloom": "0x" + "0" * 512,
    "difficulty": "0x0",
    "number": "0x1b4",
    "gasLimit": "0x1c9c380",
    "gasUsed": "0x5208",
    "timestamp": "0x6550c1a0",
    "extraData": "0x",
    "mixHash": "0x" + "6" * 64,
    "nonce": "0x0000000000000000",
    "baseFeePerGas": "0x3b9aca00",
    "withdrawalsRoot": "0x" + "7" * 64,
    "blobGasUsed": "0x0",
    "excessBlobGas": "0x0",
    "parentBeaconBlockRoot": "0x" + "0" * 64,
    "requestsHash": "0x" + "8" * 64,
    "hash": "0x" + "9" * 64,
}
"""A header of the size that a real one has."""


def answer(payload: bytes | str) -> tuple[str, bytes]:
    """Return the method asked for and the reply to it."""
    request: dict[str, Any] = orjson.loads(payload)
    method: str = request["method"]
    result = {"eth_blockNumber": "0x1b4", "eth_subscribe": "0x" + "a" * 32}.get(method, "0x0")
    return method, orjson.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result})


def notice() -> bytes:
    """Return the notice of one head."""
    params = {"subscription": "0x" + "a" * 32, "result": HEAD}
    return orjson.dumps({"jsonrpc": "2.0", "method": "eth_subscription", "params": params})
