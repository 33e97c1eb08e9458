"""``eth_simulateV1``: blocks of calls that are never part of the chain. Sans-I/O.

The source makes the blocks; here are the payload, its limits, and the shapes of the answer.

Source: go-ethereum internal/ethapi/api.go (``SimulateV1``) and simulate.go, 02b73d4e; checked
against the execution-apis tests.
"""

from collections.abc import Mapping
from typing import Any, Final

from twisted_chainws.chain.model import Block, Log
from twisted_chainws.chain.types import Address20, Hash32
from twisted_chainws.dialects.ethereum import calls, decode
from twisted_chainws.dialects.ethereum.arguments import refuse, takes
from twisted_chainws.dialects.ethereum.decode import BlockRef
from twisted_chainws.dialects.ethereum.encode import encode_block, encode_log, encode_quantity
from twisted_chainws.dialects.ethereum.errors import (
    CLIENT_LIMIT_EXCEEDED,
    REVERTED,
    VM_ERROR,
)
from twisted_chainws.dialects.ethereum.revert import encode_revert_message
from twisted_chainws.dialects.ethereum.state import ask
from twisted_chainws.dialects.outcomes import Handler, Json
from twisted_chainws.dialects.view import View

MAX_BLOCKS: Final = 256
MAX_CALLS_PER_BLOCK: Final = 5_000
MAX_CALLS: Final = 10_000

_BLOCK: Final = calls.members(
    {
        "blockOverrides": calls.members(
            {
                **calls.BLOCK_FIELDS,
                "beaconRoot": decode.hash32,
                "withdrawals": calls.WITHDRAWALS,
            },
            calls.BLOCK_OVERRIDES,
        ),
        "stateOverrides": calls.state_overrides,
        "calls": calls.listed(calls.simulated_call, "[]ethapi.TransactionArgs"),
    },
    "ethapi.simBlock",
)
_PAYLOAD: Final = calls.members(
    {
        "blockStateCalls": calls.listed(_BLOCK, "[]ethapi.simBlock"),
        "traceTransfers": decode.boolean,
        "validation": decode.boolean,
        "returnFullTransactions": decode.boolean,
    },
    "ethapi.simOpts",
)


def payload(value: Any) -> dict[str, Any]:
    """Read what shall be simulated; numbers and bytes come out as the engine takes them.

    Raises:
        InvalidOverride: an account has both ``state`` and ``stateDiff``.
    """
    shape: dict[str, Any] = calls.encode(_PAYLOAD(value))
    return shape


def _refuse_size(blocks: list[dict[str, Any]]) -> None:
    if not blocks:
        refuse("empty input")
    if len(blocks) > MAX_BLOCKS:
        refuse("too many blocks", code=CLIENT_LIMIT_EXCEEDED)
    total = 0
    for block in blocks:
        count = len(block.get("calls", ()))
        if count > MAX_CALLS_PER_BLOCK:
            refuse(
                f"too many calls in block: {count} > {MAX_CALLS_PER_BLOCK}",
                code=CLIENT_LIMIT_EXCEEDED,
            )
        total += count
        if total > MAX_CALLS:
            refuse(f"too many calls: {total} > {MAX_CALLS}", code=CLIENT_LIMIT_EXCEEDED)


@takes(payload, decode.block, required=1)
def simulate(view: View, wanted: dict[str, Any], ref: BlockRef | None) -> Json:
    """Answer ``eth_simulateV1``: the blocks, each with how its calls ended."""
    blocks = wanted.get("blockStateCalls", [])
    _refuse_size(blocks)
    for block in blocks:
        for call in block.get("calls", ()):
            calls.refuse_foreign_chain(view, call)
    full = wanted.get("returnFullTransactions", False)
    params = {
        "blocks": blocks,
        "transfers": wanted.get("traceTransfers", False),
        "validation": wanted.get("validation", False),
        "at": decode.position(view, ref),
    }
    return ask("simulate", params, lambda answer: [_show(item, full=full) for item in answer])


def _show(simulated: Mapping[str, Any], *, full: bool) -> dict[str, Any]:
    block: Block = simulated["block"]
    results = [_result(block, at, call) for at, call in enumerate(simulated["calls"])]
    return encode_block(block, full=full) | {"calls": results}


def _result(block: Block, position: int, call: Mapping[str, Any]) -> dict[str, Any]:
    logs = [encode_log(block, position, item["index"], _log(item)) for item in call["logs"]]
    shape = {
        "returnData": call["output"],
        "logs": logs,
        "gasUsed": encode_quantity(call["gas_used"]),
        "maxUsedGas": encode_quantity(call["gas_peak"]),
        "status": "0x1",
    }
    if "revert" in call:
        data = call["revert"]
        text = encode_revert_message(bytes.fromhex(data[2:]))
        shape |= {
            "status": "0x0",
            "error": {"message": text, "code": REVERTED, "data": data},
        }
    elif "failure" in call:
        shape |= {"status": "0x0", "error": {"message": call["failure"], "code": VM_ERROR}}
    return shape


def _log(item: Mapping[str, Any]) -> Log:
    return Log(
        address=Address20(bytes.fromhex(item["address"][2:])),
        topics=tuple(Hash32(bytes.fromhex(topic[2:])) for topic in item["topics"]),
        data=bytes.fromhex(item["data"][2:]),
    )


SIMULATE: Final[Mapping[str, Handler]] = {"eth_simulateV1": simulate}
"""The method that simulates blocks."""
