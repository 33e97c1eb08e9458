"""Types of Solidity, and values in the contract ABI's encoding of them.

Events are read that anybody may emit, so nothing in the data is trusted: offsets and lengths stay
inside it, and the number of values is bounded whatever the offsets share.

Source: Solidity documentation, "Contract ABI Specification".
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from twisted_chainws.chain.model import NamedValue

MOST_VALUES: Final = 10_000
"""Values that one log may hold, those inside others included."""

DEEPEST: Final = 16
"""Arrays and tuples that may stand inside each other."""

_WORD: Final = 32
_ADDRESS: Final = 20
_INTEGER: Final = re.compile(r"(u?)int([0-9]{1,3})")
_FIXED_BYTES: Final = re.compile(r"bytes([0-9]{1,2})")
_ARRAY: Final = re.compile(r"(.+)\[([0-9]{0,6})\]", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class AbiType:
    """A type.

    Attributes:
        text: as it stands in a signature.
        size: bytes of a value in place; of one that stands elsewhere, of its offset.
        is_dynamic: whether it stands elsewhere.
        read: the data, where the value begins, and what may still be read -> the value.
    """

    text: str
    size: int
    is_dynamic: bool
    read: "Callable[[bytes, int, Budget], NamedValue]" = field(repr=False, compare=False)


class Budget:
    """How many values may still be read."""

    def __init__(self) -> None:
        self._left = MOST_VALUES

    def take(self, count: int = 1) -> None:
        """Count values.

        Raises:
            ValueError: that is too many.
        """
        self._left -= count
        if self._left < 0:
            raise ValueError(f"more than {MOST_VALUES} values")


def parse_type(entry: Mapping[str, Any], *, depth: int = 0) -> AbiType:
    """Read the type of a parameter as an ABI describes it.

    Raises:
        ValueError: it is none, or one that events are not read of.
    """
    text = entry.get("type")
    if not isinstance(text, str):
        raise ValueError("expected a type")  # noqa: TRY004 - a mistake of the ABI
    if depth > DEEPEST:
        raise ValueError(f"type: expected at most {DEEPEST} inside each other")
    array = _ARRAY.fullmatch(text)
    if array is not None:
        item = parse_type({**entry, "type": array[1]}, depth=depth + 1)
        return _array_type(item, int(array[2]) if array[2] else None)
    if text == "tuple":
        members = objects(entry, "components")
        return _tuple_type([parse_type(each, depth=depth + 1) for each in members])
    return _plain_type(text)


def objects(entry: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    """Return a member of an ABI that is a list of objects.

    Raises:
        ValueError: it is none.
    """
    found = entry.get(name)
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise ValueError(f"expected {name}, a list of objects")
    return found


def decode_values(types: Sequence[AbiType], data: bytes) -> tuple[NamedValue, ...]:
    """Read values that stand one after the other.

    Raises:
        ValueError: the data holds no such values.
    """
    return _read_members(types, data, 0, Budget())


def _plain_type(text: str) -> AbiType:
    if text in {"bytes", "string"}:
        read = _read_bytes if text == "bytes" else _read_string
        return AbiType(text=text, size=_WORD, is_dynamic=True, read=read)
    if text in {"uint", "int"}:
        text += "256"
    integer, fixed = _INTEGER.fullmatch(text), _FIXED_BYTES.fullmatch(text)
    if integer is not None and int(integer[2]) in range(8, 257, 8):
        bits = int(integer[2])
        return _static(text, _read_unsigned(bits) if integer[1] else _read_signed(bits))
    if fixed is not None and 0 < int(fixed[1]) <= _WORD:
        return _static(text, _read_fixed(int(fixed[1])))
    if text == "address":
        return _static(text, _read_address)
    if text == "bool":
        return _static(text, _read_bool)
    raise ValueError(f"type: expected one that events are read of, got {text[:80]!r}")


def _static(text: str, read: Callable[[bytes], NamedValue]) -> AbiType:
    return AbiType(
        text=text,
        size=_WORD,
        is_dynamic=False,
        read=lambda data, at, budget: read(_word(data, at, budget)),
    )


def _array_type(item: AbiType, length: int | None) -> AbiType:
    if length == 0 or not item.size:
        raise ValueError("type: expected an array of something")

    def read(data: bytes, at: int, budget: Budget) -> NamedValue:
        count = length
        if count is None:
            count, at = _length(data, at), at + _WORD
        if count > MOST_VALUES:
            raise ValueError(f"more than {MOST_VALUES} values")
        return _read_members([item] * count, data, at, budget)

    return AbiType(
        text=f"{item.text}[{'' if length is None else length}]",
        size=_WORD if length is None or item.is_dynamic else item.size * length,
        is_dynamic=length is None or item.is_dynamic,
        read=read,
    )


def _tuple_type(members: Sequence[AbiType]) -> AbiType:
    is_dynamic = any(member.is_dynamic for member in members)
    return AbiType(
        text=f"({','.join(member.text for member in members)})",
        size=_WORD if is_dynamic else sum(member.size for member in members),
        is_dynamic=is_dynamic,
        read=lambda data, at, budget: _read_members(members, data, at, budget),
    )


def _read_members(
    types: Sequence[AbiType], data: bytes, start: int, budget: Budget
) -> tuple[NamedValue, ...]:
    """Read values side by side; offsets count from where they begin."""
    budget.take(len(types))
    values, at = [], start
    for each in types:
        begin = start + _length(data, at) if each.is_dynamic else at
        values.append(each.read(data, begin, budget))
        at += each.size
    return tuple(values)


def _length(data: bytes, at: int) -> int:
    """Read a length or an offset, which is below that of the data."""
    found = int.from_bytes(_slice(data, at, _WORD), "big")
    if found > len(data):
        raise ValueError("a length or an offset outside the data")
    return found


def _word(data: bytes, at: int, _budget: Budget) -> bytes:
    return _slice(data, at, _WORD)


def _slice(data: bytes, at: int, length: int) -> bytes:
    found = data[at : at + length]
    if len(found) != length:
        raise ValueError("cut off")
    return found


def _read_bytes(data: bytes, at: int, _budget: Budget) -> bytes:
    return _slice(data, at + _WORD, _length(data, at))


def _read_string(data: bytes, at: int, budget: Budget) -> str:
    return _read_bytes(data, at, budget).decode()  # UnicodeDecodeError is a ValueError


def _read_unsigned(bits: int) -> Callable[[bytes], int]:
    def read(word: bytes) -> int:
        value = int.from_bytes(word, "big")
        if value >> bits:
            raise ValueError(f"more than {bits} bits")
        return value

    return read


def _read_signed(bits: int) -> Callable[[bytes], int]:
    def read(word: bytes) -> int:
        value = int.from_bytes(word, "big", signed=True)
        if not -(1 << (bits - 1)) <= value < 1 << (bits - 1):
            raise ValueError(f"more than {bits} bits")
        return value

    return read


def _read_fixed(length: int) -> Callable[[bytes], bytes]:
    def read(word: bytes) -> bytes:
        if any(word[length:]):
            raise ValueError(f"more than {length} bytes")
        return word[:length]

    return read


def _read_address(word: bytes) -> bytes:
    if any(word[:-_ADDRESS]):
        raise ValueError("more than an address")
    return word[-_ADDRESS:]


def _read_bool(word: bytes) -> bool:
    value = int.from_bytes(word, "big")
    if value > 1:
        raise ValueError("neither true nor false")
    return bool(value)
