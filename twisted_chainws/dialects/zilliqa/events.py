"""What contracts tell, in Scilla's words. Sans-I/O.

Real nodes show no EVM logs in this protocol. Here a log is shown as an event: decoded where its
contract's ABI is known, else under its first topic with what it holds unread. This mapping is
ours.

Source: ``zilliqa.md`` 3.4 and 4 for the shapes; the Scilla reference for the types.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from twisted_chainws.chain.model import Log, NamedEvent, NamedParam, NamedValue, Receipt
from twisted_chainws.dialects.zilliqa import shapes

ANONYMOUS: Final = "anonymous"
"""Name of an event whose log has no topic."""

_TYPES: Final = 1_024
"""Solidity types whose word is remembered."""

_INTEGER: Final = re.compile(r"(u?int)([0-9]{1,3})?")
_FIXED_BYTES: Final = re.compile(r"bytes([0-9]{1,2})")
_WIDTHS: Final = (32, 64, 128, 256)
_WORDS: Final = {"address": "ByStr20", "bytes": "ByStr", "string": "String", "bool": "Bool"}


def named_events(receipt: Receipt) -> tuple[NamedEvent, ...]:
    """Return the events of a transaction in the order of execution.

    A source that decodes any log of a receipt names all of them, in order, those it cannot decode
    by ``raw_event``; one that decodes none leaves them all to this function.
    """
    return receipt.events or tuple(raw_event(log) for log in receipt.logs)


def raw_event(log: Log) -> NamedEvent:
    """Return a log that nobody can decode as an event: the first topic is its name."""
    topics = [
        NamedParam(name=f"topic{at}", type="bytes32", value=topic)
        for at, topic in enumerate(log.topics)
    ]
    return NamedEvent(
        address=log.address,
        name="0x" + log.topics[0].hex() if log.topics else ANONYMOUS,
        params=(*topics[1:], NamedParam(name="data", type="bytes", value=log.data)),
    )


def encode_event(event: NamedEvent) -> shapes.Event:
    """Encode an event as an EventLog item lists it; the address stands outside."""
    return {"_eventname": event.name, "params": _params(event.params)}


def encode_receipt_event(event: NamedEvent) -> shapes.ReceiptEvent:
    """Encode an event as a receipt lists it."""
    return {
        "_eventname": event.name,
        "address": "0x" + event.address.hex(),
        "params": _params(event.params),
    }


@lru_cache(maxsize=_TYPES)
def scilla_type(solidity: str) -> str:
    """Return Scilla's word for a Solidity type, of integers the next wider one that it has.

    Arrays are lists, whether their length is fixed or not. What Scilla has no word for keeps its
    own; tuples are shown as lists, too.
    """
    if solidity.endswith("]"):
        item = scilla_type(solidity[: solidity.rindex("[")])
        return f"List ({item})"
    integer, fixed = _INTEGER.fullmatch(solidity), _FIXED_BYTES.fullmatch(solidity)
    if integer is not None:
        bits = int(integer[2] or _WIDTHS[-1])
        width = next((width for width in _WIDTHS if width >= bits), bits)
        return f"{integer[1].capitalize()}{width}"
    if fixed is not None:
        return f"ByStr{int(fixed[1])}"
    return _WORDS.get(solidity, solidity)


def _params(params: Iterable[NamedParam]) -> list[shapes.Param]:
    return [
        {"type": scilla_type(param.type), "value": _value(param.value), "vname": param.name}
        for param in params
    ]


def _value(value: NamedValue) -> shapes.Value:
    if isinstance(value, tuple):
        return [_value(item) for item in value]
    if isinstance(value, bool):
        return {"argtypes": [], "arguments": [], "constructor": str(value)}
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)
