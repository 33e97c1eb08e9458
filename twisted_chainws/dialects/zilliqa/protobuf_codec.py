"""The little of protobuf's wire format that Zilliqa's hashes are made over. Sans-I/O.

Only numbers (wire type 0) and bytes (wire type 2) occur. What is read must be written as a node
writes it: fields ascending, each at most once, numbers in as few bytes as they need.

Source: protobuf, "Encoding"; ``zilliqa.md`` 6.3 to 6.5.
"""

from typing import Final

_NUMBER: Final = 0
_BYTES: Final = 2
_MAX_BITS: Final = 64


def encode_number(field: int, value: int) -> bytes:
    """Write a field that holds a number."""
    return _varint(field << 3 | _NUMBER) + _varint(value)


def encode_bytes(field: int, value: bytes) -> bytes:
    """Write a field that holds bytes or a message."""
    return _varint(field << 3 | _BYTES) + _varint(len(value)) + value


def encode_byte_array(field: int, value: bytes) -> bytes:
    """Write a field that holds the message ``ByteArray``, whose only field is the bytes."""
    return encode_bytes(field, encode_bytes(1, value))


class Reader:
    """The fields of one message; each is taken once, and ``finish`` finds what nobody took.

    Raises:
        ValueError: of all methods too: what was read is not as it has to be; the text says how.
    """

    __slots__ = ("_fields",)

    def __init__(self, message: bytes) -> None:
        self._fields = _split(message)

    def number(self, field: int, *, default: int | None = None) -> int:
        """Take a number; without a default it must be there."""
        value = self._fields.pop(field, default)
        if value is None:
            raise ValueError(f"field {field} is missing")
        if not isinstance(value, int):
            raise ValueError(f"field {field} is no number")  # noqa: TRY004 - of the input
        return value

    def data(self, field: int, *, length: int | None = None, default: bytes | None = None) -> bytes:
        """Take bytes, of a certain length if one is given."""
        value = self._fields.pop(field, default)
        if value is None:
            raise ValueError(f"field {field} is missing")
        if not isinstance(value, bytes):
            raise ValueError(f"field {field} holds no bytes")  # noqa: TRY004 - of the input
        if length is not None and len(value) != length:
            raise ValueError(f"field {field} has {len(value)} bytes, expected {length}")
        return value

    def byte_array(self, field: int, *, length: int) -> bytes:
        """Take a ``ByteArray`` of a certain length."""
        inner = Reader(self.data(field))
        value = inner.data(1, length=length)
        inner.finish()
        return value

    def finish(self) -> None:
        """Refuse fields that nobody took."""
        for field in self._fields:
            raise ValueError(f"field {field} is unknown")


def _split(message: bytes) -> dict[int, int | bytes]:
    fields: dict[int, int | bytes] = {}
    at, last = 0, 0
    while at < len(message):
        key, at = _read_varint(message, at)
        field, wire_type = key >> 3, key & 7
        if field <= last:
            raise ValueError(f"field {field} is out of order")
        if wire_type not in {_NUMBER, _BYTES}:
            raise ValueError(f"field {field} has wire type {wire_type}")
        value, at = _read_varint(message, at)
        fields[field], last = value, field
        if wire_type == _BYTES:
            fields[field] = message[at : at + value]
            at += value
    if at > len(message):
        raise ValueError("cut off")
    return fields


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    """Return a number and the place behind it."""
    value = shift = 0
    while at < len(message):
        byte = message[at]
        value |= (byte & 0x7F) << shift
        shift += 7
        at += 1
        if byte & 0x80:
            continue
        if value.bit_length() > _MAX_BITS or (byte == 0 and shift > 7):  # noqa: PLR2004 - one byte
            raise ValueError("a number is too long")
        return value, at
    raise ValueError("cut off")


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits a byte
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)
