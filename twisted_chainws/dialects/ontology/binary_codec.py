"""How Ontology writes numbers and bytes. Sans-I/O.

Numbers of fixed width are little-endian. A *varuint* is one byte below ``FD``, else ``FD``, ``FE``
or ``FF`` and 2, 4 or 8 bytes; only the shortest form is read. *Varbytes* are a varuint and so many
bytes. A *neo integer* is little-endian two's complement of any length, zero being empty.

Source: ``ontology.md`` 6 and 6.9; the node's ``common/zero_copy_source.go`` and
``common/bigint.go``, 26b5ad4f.
"""

from typing import Final

from twisted_chainws.chain.types import Address20, Hash32

_WIDE: Final = {0xFD: 2, 0xFE: 4, 0xFF: 8}
_HASH_LENGTH: Final = 32
_ADDRESS_LENGTH: Final = 20


def encode_varuint(value: int) -> bytes:
    """Write a number below 2^64 in the shortest form."""
    if value < 0xFD:  # noqa: PLR2004 - the first mark
        return bytes([value])
    for mark, width in _WIDE.items():
        if value < 1 << 8 * width:
            return bytes([mark]) + value.to_bytes(width, "little")
    raise ValueError("the number does not fit in 64 bits")


def encode_varbytes(value: bytes) -> bytes:
    """Write bytes behind their number."""
    return encode_varuint(len(value)) + value


def encode_neo_integer(value: int) -> bytes:
    """Write a number of any size in as few bytes as it needs; zero in none."""
    if not value:
        return b""
    # One bit more than the magnitude for the sign; ~value is the magnitude of a negative number.
    width = (value if value > 0 else ~value).bit_length() // 8 + 1
    return value.to_bytes(width, "little", signed=True)


def decode_neo_integer(encoded: bytes) -> int:
    """Read a number of any size, however wide it is written."""
    return int.from_bytes(encoded, "little", signed=True)


class Reader:
    """Takes one value after the other from bytes.

    Attributes:
        position: where the next value begins.

    Raises:
        ValueError: of all methods: what was read is not as it has to be; the text says how.
    """

    __slots__ = ("_data", "position")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    @property
    def remaining(self) -> int:
        """How many bytes nobody took yet."""
        return len(self._data) - self.position

    def take(self, length: int) -> bytes:
        """Take so many bytes."""
        if length > self.remaining:
            raise ValueError("unexpected EOF")
        start, self.position = self.position, self.position + length
        return self._data[start : self.position]

    def since(self, start: int) -> bytes:
        """Return again what was taken from a position on."""
        return self._data[start : self.position]

    def number(self, width: int) -> int:
        """Take a number of so many bytes."""
        return int.from_bytes(self.take(width), "little")

    def varuint(self) -> int:
        """Take a varuint."""
        first = self.number(1)
        width = _WIDE.get(first)
        if width is None:
            return first
        value = self.number(width)
        if len(encode_varuint(value)) != width + 1:
            raise ValueError("irregular data")
        return value

    def varbytes(self) -> bytes:
        """Take varbytes."""
        return self.take(self.varuint())

    def hash32(self) -> Hash32:
        """Take a hash."""
        return Hash32(self.take(_HASH_LENGTH))

    def address(self) -> Address20:
        """Take an address."""
        return Address20(self.take(_ADDRESS_LENGTH))

    def finish(self) -> None:
        """Refuse bytes that nobody took."""
        if self.remaining:
            raise ValueError(f"{self.remaining} bytes too many")
