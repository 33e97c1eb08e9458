"""What a failed call has returned, wherever a node has put it. Pure.

Source: ``ethereum.md`` 1.5, 9 (hardhat and ganache nest it in an object); Parity and Nethermind
write ``Reverted 0x…``.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from twisted_chainws.client.errors import RpcError
from twisted_chainws.dialects.ethereum.revert import revert_reason as reason_of_data

__all__ = ["revert_data", "revert_reason"]

_HEX: Final = re.compile(r"(?:Reverted )?0x((?:[0-9a-fA-F]{2})*)")
_MEMBERS: Final = ("data", "result", "return", "returnData", "output")
_DEEPEST: Final = 4


def revert_data(error: RpcError) -> bytes | None:
    """Return the bytes that a contract has returned with its revert, None if there are none."""
    return _find(error.data, _DEEPEST)


def revert_reason(error: RpcError) -> str | None:
    """Return the reason of a revert in words, None if it has none."""
    data = revert_data(error)
    return None if data is None else reason_of_data(data)


def _find(value: Any, depth: int) -> bytes | None:
    if isinstance(value, str):
        found = _HEX.fullmatch(value.strip())
        return None if found is None else bytes.fromhex(found[1])
    if not isinstance(value, Mapping) or not depth:
        return None
    for name in _MEMBERS:
        inner = _find(value.get(name), depth - 1)
        if inner is not None:
            return inner
    for each in value.values():
        # Old ganache: the hash of the transaction, and below it the details.
        if isinstance(each, Mapping):
            inner = _find(each, depth - 1)
            if inner is not None:
                return inner
    return None
