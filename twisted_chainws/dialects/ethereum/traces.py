"""Handlers that ask the source how transactions and calls run. Sans-I/O.

The answer comes ready from the source. Which tracers there are is the source's business.

Source: ``ethereum.md`` 5.9; go-ethereum eth/tracers/api.go, 02b73d4e; Go's ``time.ParseDuration``.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from twisted_chainws.chain.model import Block, EvmTransaction
from twisted_chainws.chain.types import Hash32
from twisted_chainws.dialects.ethereum import calls, decode
from twisted_chainws.dialects.ethereum.arguments import Decoder, refuse, takes
from twisted_chainws.dialects.ethereum.decode import BlockRef
from twisted_chainws.dialects.ethereum.encode import encode_data, encode_quantity
from twisted_chainws.dialects.ethereum.errors import SERVER_ERROR
from twisted_chainws.dialects.ethereum.state import ask
from twisted_chainws.dialects.outcomes import Handler, Json
from twisted_chainws.dialects.view import View
from twisted_chainws.errors import TransactionNotFound, UnknownBlock, UnknownBlockHash

_UNITS_S: Final[Mapping[str, float]] = {
    "ns": 1e-9,
    "us": 1e-6,
    "\u00b5s": 1e-6,
    "\u03bcs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}
"""Both letters that are written for micro count."""

_PART: Final = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)([^0-9.]*)")


def parse_duration(text: str) -> float:
    """Read a duration as Go writes it (``1m30s``, ``500ms``); return seconds.

    Raises:
        ValueError: it is none, in Go's words.
    """
    digits = text[1:] if text[:1] in ("-", "+") else text
    if digits == "0":
        return 0.0
    seconds, position = 0.0, 0
    while position < len(digits):
        part = _PART.match(digits, position)
        if part is None:
            raise ValueError(f"time: invalid duration {json.dumps(text)}")
        number, unit = part.groups()
        if not unit:
            raise ValueError(f"time: missing unit in duration {json.dumps(text)}")
        if unit not in _UNITS_S:
            raise ValueError(
                f"time: unknown unit {json.dumps(unit)} in duration {json.dumps(text)}"
            )
        seconds += float(number) * _UNITS_S[unit]
        position = part.end()
    if not position:
        raise ValueError(f"time: invalid duration {json.dumps(text)}")
    return -seconds if text.startswith("-") else seconds


def _integer(value: Any) -> int:
    if type(value) is not int:
        raise decode.not_a(value, "int")
    return value


def _as_given(value: Any) -> Any:
    return value


def _no_other_rules(_value: Any) -> NoReturn:
    refuse("the rules of the chain cannot be overridden")


_OPTIONS: Final[Mapping[str, Decoder]] = {
    "enableMemory": decode.boolean,
    "disableStack": decode.boolean,
    "disableStorage": decode.boolean,
    "enableReturnData": decode.boolean,
    "limit": _integer,
    "overrides": _no_other_rules,
    "tracer": decode.text,
    "timeout": decode.text,
    "tracerConfig": _as_given,
}
_CALL_OPTIONS: Final[Mapping[str, Decoder]] = {
    **_OPTIONS,
    "stateOverrides": calls.state_overrides,
    "blockOverrides": calls.block_overrides,
    "txIndex": decode.quantity,
}

config: Final = calls.members(_OPTIONS, "tracers.TraceConfig")
"""What to trace and how."""

call_config: Final = calls.members(_CALL_OPTIONS, "tracers.TraceCallConfig")
"""The same for a call, and where it runs."""


def _tracing(options: dict[str, Any] | None) -> dict[str, Any]:
    """Return the members of a question that say how to trace."""
    given = options or {}
    asked: dict[str, Any] = {}
    if "timeout" in given:
        try:
            asked["timeout_s"] = parse_duration(given["timeout"])
        except ValueError as error:
            refuse(str(error), code=SERVER_ERROR)
    if "tracer" in given:
        asked["tracer"] = given["tracer"]
        if "tracerConfig" in given:
            asked["config"] = given["tracerConfig"]
        return asked
    shown = {
        "memory": given.get("enableMemory", False),
        "stack": not given.get("disableStack", False),
        "storage": not given.get("disableStorage", False),
        "return_data": given.get("enableReturnData", False),
        "limit": given.get("limit", 0),
    }
    return {**asked, "options": shown}


def _resolve(view: View, ref: BlockRef | None) -> Block | str:
    """Find a block; the tracing methods say in words of their own that there is none."""
    try:
        return decode.resolve(view, ref)
    except UnknownBlockHash as error:
        refuse(f"block {encode_data(error.block_hash)} not found", code=SERVER_ERROR)
    except UnknownBlock as error:
        if isinstance(error.block, str):
            raise
        refuse(f"block #{error.block} not found", code=SERVER_ERROR)


def _trace_block(view: View, ref: BlockRef, options: dict[str, Any] | None) -> Json:
    found = _resolve(view, ref)
    block = encode_data(found.hash) if isinstance(found, Block) else found
    return ask("trace_block", {"block": block, **_tracing(options)})


@takes(decode.hash32, config, required=1)
def trace_transaction(view: View, transaction_hash: Hash32, options: dict[str, Any] | None) -> Json:
    """Answer ``debug_traceTransaction``; only mined transactions can be traced."""
    found = view.chain.find(transaction_hash)
    if found is None or not isinstance(found[0].transactions[found[1]], EvmTransaction):
        raise TransactionNotFound(transaction_hash=encode_data(transaction_hash))
    params = {
        "block": encode_data(found[0].hash),
        "transaction": encode_data(transaction_hash),
        **_tracing(options),
    }
    return ask("trace_transaction", params)


@takes(decode.block_number, config, required=1)
def trace_block_by_number(view: View, ref: BlockRef, options: dict[str, Any] | None) -> Json:
    """Answer ``debug_traceBlockByNumber``."""
    return _trace_block(view, ref, options)


@takes(decode.hash32, config, required=1)
def trace_block_by_hash(view: View, block_hash: Hash32, options: dict[str, Any] | None) -> Json:
    """Answer ``debug_traceBlockByHash``."""
    return _trace_block(view, BlockRef(block_hash=block_hash), options)


@takes(decode.data, config, required=1)
def trace_block(_view: View, raw: bytes, options: dict[str, Any] | None) -> Json:
    """Answer ``debug_traceBlock``, which brings the block along."""
    return ask("trace_raw_block", {"raw": encode_data(raw), **_tracing(options)})


@takes(calls.call, decode.block, call_config, required=1)
def trace_call(
    view: View, call: dict[str, Any], ref: BlockRef | None, options: dict[str, Any] | None
) -> Json:
    """Answer ``debug_traceCall``."""
    found = _resolve(view, ref)
    if not isinstance(found, Block):
        refuse("tracing on top of pending is not supported", code=SERVER_ERROR)
    calls.refuse_foreign_chain(view, call)
    given = options or {}
    params: dict[str, Any] = {"call": call, "at": encode_data(found.hash), **_tracing(options)}
    for name, word in (
        ("stateOverrides", "state_overrides"),
        ("blockOverrides", "block_overrides"),
    ):
        if given.get(name):
            params[word] = given[name]
    if "txIndex" in given:
        params["index"] = encode_quantity(given["txIndex"])
    return ask("trace_call", params)


TRACES: Final[Mapping[str, Handler]] = {
    "debug_traceTransaction": trace_transaction,
    "debug_traceBlockByNumber": trace_block_by_number,
    "debug_traceBlockByHash": trace_block_by_hash,
    "debug_traceBlock": trace_block,
    "debug_traceCall": trace_call,
}
"""Methods that trace."""
