"""The values that NeoVM computes with, and how they leave it. Sans-I/O.

Bytes, integers and booleans are Python's; arrays are shared by whoever holds them, structs are
copied when they are appended.

Source: ``ontology.md`` 6.8 and 7.3; the node's ``vm/neovm/types``, 26b5ad4f.
"""

from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from twisted_chainws.dialects.ontology.binary_codec import (
    decode_neo_integer,
    encode_neo_integer,
    encode_varbytes,
)
from twisted_chainws.errors import ExecutionFailed

MAX_ITEMS: Final = 1_024
"""Of an array, of a copied struct, and of all that is shown of one value."""

MAX_SHOWN_BYTES: Final = 65_536

_BYTES_PER_STEP: Final = 16
_MAX_INTEGER_BYTES: Final = 32
_DEEPEST_ARGUMENT: Final = 10
_DEEPEST_SHOWN: Final = 200
"""JSON writers stop somewhere above; the node itself would go down as far as ``MAX_ITEMS``."""


@dataclass(eq=False, slots=True)
class Array:
    """A list of values."""

    items: list["Value"] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Struct:
    """A list of values that is copied when it is appended to another one."""

    items: list["Value"] = field(default_factory=list)


Value: TypeAlias = bytes | int | bool | Array | Struct


class Budget:
    """How much one script may still do: steps, values that it makes, copies and hands over.

    The node bounds the steps alone. There, as here, a short script can ask for much more work than
    it has steps.
    """

    __slots__ = ("_left",)

    def __init__(self, left: int = 400_000) -> None:
        self._left = left

    def spend(self, count: int) -> None:
        """Do so much.

        Raises:
            ExecutionFailed: that is too much.
        """
        self._left -= count
        if self._left < 0:
            raise ExecutionFailed(reason="[NeoVmService] vm execution exceeded the step limit!")


def as_bytes(value: Value) -> bytes:
    """Return what a value that is no list is as bytes.

    Raises:
        ExecutionFailed: it is a list.
    """
    if isinstance(value, bytes):
        return value
    if isinstance(value, bool):
        return bytes([value])
    if isinstance(value, int):
        return encode_neo_integer(value)
    raise ExecutionFailed(reason="bad type")


def as_integer(value: Value) -> int:
    """Return what a value that is no list is as a number of 64 bits.

    Raises:
        ExecutionFailed: it is a list, or does not fit.
    """
    number = value if isinstance(value, int) else decode_neo_integer(as_bytes(value))
    if len(encode_neo_integer(number)) > _MAX_INTEGER_BYTES:
        raise ExecutionFailed(reason="the biginteger over max size 32bit")
    if not -(1 << 63) <= number < 1 << 63:
        raise ExecutionFailed(reason="integer underflow")
    return number


def append(target: Array | Struct, value: Value) -> None:
    """Add a value to a list, a struct itself and not a copy.

    Raises:
        ExecutionFailed: the list is full.
    """
    if len(target.items) >= MAX_ITEMS:
        raise ExecutionFailed(reason="the array over max size")
    target.items.append(value)


def copy_struct(source: Struct, budget: Budget) -> Struct:
    """Copy a struct and the structs in it.

    Raises:
        ExecutionFailed: there is too much in it.
    """
    whole, count = Struct(), 0
    work = [(source, whole)]
    while work:
        if count > MAX_ITEMS:
            raise ExecutionFailed(reason="over max struct clone length")
        old, new = work.pop()
        count += len(old.items)
        budget.spend(len(old.items))
        for item in old.items:
            if isinstance(item, Struct):
                child = Struct()
                work.append((item, child))
                new.items.append(child)
            else:
                new.items.append(item)
    return whole


def encode_argument(value: Value, budget: Budget) -> bytes:
    """Write a value as native contracts read their arguments.

    Raises:
        ExecutionFailed: it holds itself, or is too deep or too large.
    """
    encoded = bytearray()
    _write_argument(value, encoded, budget, 0)
    return bytes(encoded)


def _write_argument(value: Value, encoded: bytearray, budget: Budget, depth: int) -> None:
    if depth > _DEEPEST_ARGUMENT:
        reason = "runtime serialize: can not serialize circular reference data"
        raise ExecutionFailed(reason=reason)
    budget.spend(1)
    if isinstance(value, Array | Struct):
        if isinstance(value, Array):
            encoded += encode_varbytes(encode_neo_integer(len(value.items)))
        for item in value.items:
            _write_argument(item, encoded, budget, depth + 1)
    elif isinstance(value, bool):
        encoded.append(value)
    else:
        written = encode_varbytes(as_bytes(value))
        budget.spend(len(written) // _BYTES_PER_STEP)
        encoded += written


def encode_value(value: Value) -> Any:
    """Encode a value as pre-execution shows it: hex, and lists of it; an empty list is null.

    Raises:
        ExecutionFailed: there is too much in it.
    """
    return _Showing().encode(value, 0)


class _Showing:
    """Counts what is shown of one value."""

    def __init__(self) -> None:
        self._items = 0
        self._bytes = 0

    def encode(self, value: Value, depth: int) -> Any:
        if isinstance(value, Array | Struct):
            return [self._encode_item(item, depth + 1) for item in value.items] or None
        shown = as_bytes(value) if isinstance(value, bytes) or value else b"\0"
        self._bytes += len(shown)
        if self._bytes > MAX_SHOWN_BYTES:
            raise ExecutionFailed(reason="length over max parameters convert length")
        return shown.hex()

    def _encode_item(self, item: Value, depth: int) -> Any:
        self._items += 1
        if self._items > MAX_ITEMS or depth > _DEEPEST_SHOWN:
            raise ExecutionFailed(reason="over max parameters convert length")
        return self.encode(item, depth)
