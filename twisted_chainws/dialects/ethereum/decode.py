"""Shapes to model values: numbers, bytes, block selectors; geth's exact refusals.

Sans-I/O. Imports errors, chain and dialects.base. A public function that takes one JSON value is a
decoder for ``arguments.takes``: whatever the value, it returns, or raises InvalidArgument or
Refused. Log filters have a module of their own, ``criteria``.
"""

import json
import re
from binascii import unhexlify
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from twisted_chainws.chain.model import Block
from twisted_chainws.chain.types import Address20, Hash32
from twisted_chainws.dialects.ethereum.arguments import InvalidArgument, refuse
from twisted_chainws.dialects.view import View
from twisted_chainws.errors import NotCanonical, UnknownBlock, UnknownBlockHash

PENDING: Final = "pending"
TAGS: Final = frozenset({"latest", "safe", "finalized", "earliest", "pending"})

_HASH_TEXT_LENGTH: Final = 66
_HIGHEST_BLOCK: Final = 2**63 - 1
_HEX: Final = re.compile(r"[0-9a-fA-F]*")
_DIGITS: Final = re.compile(r"[0-9]{1,78}")  # 78 decimal digits hold any 256-bit number
_PREFIXES: Final = ("0x", "0X")


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockRef:
    """A block selector: exactly one of ``tag``, ``number`` and ``block_hash`` is not None.

    Attributes:
        tag: one of TAGS.
        require_canonical: whether a hash on a side branch is an error (EIP-1898).
    """

    tag: str | None = None
    number: int | None = None
    block_hash: Hash32 | None = None
    require_canonical: bool = False


LATEST: Final = BlockRef(tag="latest")
_TAG_REFS: Final = {tag: BlockRef(tag=tag) for tag in TAGS}


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageKey:
    """A storage slot and how it was written.

    Attributes:
        word: 32 bytes, padded on the left.
        given_length: bytes of the text, 0 to 32.
    """

    word: bytes
    given_length: int


def json_kind(value: Any) -> str:
    """Name the JSON type of a value in the words of Go's decoder."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, list):
        return "array"
    return "object" if isinstance(value, dict) else "number"


def not_a(value: Any, go_type: str) -> InvalidArgument:
    """Make the error for a JSON value of the wrong type."""
    return InvalidArgument(
        f"json: cannot unmarshal {json_kind(value)} into Go value of type {go_type}"
    )


def hex_number(text: str, bits: int) -> int:
    """Read a QUANTITY text; its errors are those of go-ethereum's ``hexutil``."""
    if not text:
        raise InvalidArgument("empty hex string")
    if not text.startswith(_PREFIXES):
        raise InvalidArgument("hex string without 0x prefix")
    digits = text[2:]
    if not digits:
        raise InvalidArgument('hex string "0x"')
    if digits[0] == "0" and len(digits) > 1:
        raise InvalidArgument("hex number with leading zero digits")
    if not _HEX.fullmatch(digits):
        raise InvalidArgument("invalid hex string")
    if len(digits) > bits // 4:
        raise InvalidArgument(f"hex number > {bits} bits")
    return int(digits, 16)


def _quantity(bits: int, go_type: str) -> Callable[[Any], int]:
    def decoder(value: Any) -> int:
        if not isinstance(value, str):
            lenient = value if type(value) is int and 0 <= value < 1 << bits else None
            raise InvalidArgument(
                f"json: cannot unmarshal non-string into Go value of type {go_type}",
                lenient=lenient,
            )
        return hex_number(value, bits)

    return decoder


quantity = _quantity(64, "hexutil.Uint64")
"""A QUANTITY of at most 64 bits."""

quantity256 = _quantity(256, "hexutil.Big")
"""A QUANTITY of at most 256 bits."""


def fee_history_count(value: Any) -> int:
    """Read a block count: QUANTITY, decimal string or JSON number, at most 64 bits.

    Source: go-ethereum common/math HexOrDecimal64, 02b73d4e.
    """
    try:
        return loose_number(value, bits=64)
    except InvalidArgument:
        text = value if isinstance(value, str) else json.dumps(value)
        raise InvalidArgument(f"invalid hex or decimal integer {json.dumps(text)}") from None


def loose_number(value: Any, *, bits: int = 256) -> int:
    """Read a number of a development method: JSON number, decimal string or hex string.

    A JSON number above 64 bits arrives as a float; it is taken when it is whole.
    """
    number = _loose(value)
    if number is None or not 0 <= number < 1 << bits:
        raise InvalidArgument(f"invalid number, want an integer of at most {bits} bits")
    return number


def loose_number64(value: Any) -> int:
    """Read a number of a development method that fits 64 bits."""
    return loose_number(value, bits=64)


def loose_number53(value: Any) -> int:
    """Read a number of a development method that any JSON reader takes as it is."""
    return loose_number(value, bits=53)


def _loose(value: Any) -> int | None:
    if type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    if not isinstance(value, str):
        return None
    if _DIGITS.fullmatch(value):
        return int(value)
    digits = value[2:]
    return int(digits, 16) if value.startswith(_PREFIXES) and _is_hex(digits) else None


def _is_hex(digits: str) -> bool:
    return bool(digits) and _HEX.fullmatch(digits) is not None


def percentiles(value: Any) -> tuple[float, ...]:
    """Read a list of JSON numbers; their range is not checked here."""
    if not isinstance(value, list):
        raise not_a(value, "[]float64")
    for item in value:
        if type(item) not in {int, float}:
            raise not_a(item, "float64")
    return tuple(float(item) for item in value)


def hex_bytes(text: str) -> bytes:
    """Read a DATA text; its errors are those of go-ethereum's ``hexutil.Decode``."""
    if not text:
        raise InvalidArgument("empty hex string")
    if not text.startswith(_PREFIXES):
        raise InvalidArgument("hex string without 0x prefix")
    if len(text) % 2:
        raise InvalidArgument("hex string of odd length")
    try:
        return unhexlify(text[2:])
    except ValueError:  # also what it raises for a digit outside ASCII
        raise InvalidArgument("invalid hex string") from None


def _typed_bytes(value: Any, go_type: str) -> bytes:
    if not isinstance(value, str):
        raise InvalidArgument(f"json: cannot unmarshal non-string into Go value of type {go_type}")
    try:
        return hex_bytes(value) if value else b""
    except InvalidArgument as problem:
        raise InvalidArgument(
            f"json: cannot unmarshal {problem.text} into Go value of type {go_type}"
        ) from None


def data(value: Any) -> bytes:
    """Read DATA of any length."""
    return _typed_bytes(value, "hexutil.Bytes")


def _fixed_bytes(value: Any, size: int, go_type: str) -> bytes:
    found = _typed_bytes(value, go_type)
    if len(found) != size:
        raise InvalidArgument(
            f"hex string has length {2 * len(found)}, want {2 * size} for {go_type}"
        )
    return found


def address(value: Any) -> Address20:
    """Read an address of 20 bytes, any letter case."""
    return Address20(_fixed_bytes(value, 20, "common.Address"))


def hash32(value: Any) -> Hash32:
    """Read a hash or word of 32 bytes."""
    return Hash32(_fixed_bytes(value, 32, "common.Hash"))


def boolean(value: Any) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise not_a(value, "bool")
    return value


def text(value: Any) -> str:
    """Read a string."""
    if not isinstance(value, str):
        raise not_a(value, "string")
    return value


def storage_key(value: Any) -> StorageKey:
    """Read a storage slot: up to 32 bytes of hex, ``0x`` optional, odd digits allowed.

    Raises:
        Refused: the slot is too long or no hex, in geth's words.

    Source: go-ethereum internal/ethapi decodeStorageKey, 02b73d4e.
    """
    given = text(value)
    digits = given[2:] if given.startswith(_PREFIXES) else given
    if len(digits) > 2 * 32:
        refuse(f"storage key too long (want at most 32 bytes): {json.dumps(given)}")
    if not _HEX.fullmatch(digits):
        refuse(f"invalid hex in storage key: {json.dumps(given)}")
    return StorageKey(word=unhexlify(digits.rjust(64, "0")), given_length=(len(digits) + 1) // 2)


def block_number(value: Any) -> BlockRef:
    """Read a selector that may be a tag or a number, not a hash."""
    if isinstance(value, str):
        return _TAG_REFS.get(value) or BlockRef(number=_height(value))
    lenient = None
    if type(value) is int and 0 <= value <= _HIGHEST_BLOCK:
        lenient = BlockRef(number=value)
    raise InvalidArgument("hex string without 0x prefix", lenient=lenient)


def block(value: Any) -> BlockRef:
    """Read a selector: a tag, a number, a hash of 66 characters or an EIP-1898 object."""
    if isinstance(value, dict):
        return _block_object(value)
    if isinstance(value, str) and len(value) == _HASH_TEXT_LENGTH:
        return BlockRef(block_hash=Hash32(hex_bytes(value)))
    return block_number(value)


def _height(value: str) -> int:
    number = hex_number(value, 64)
    if number > _HIGHEST_BLOCK:
        raise InvalidArgument("block number larger than int64")
    return number


def _block_object(value: dict[str, Any]) -> BlockRef:
    number, block_hash = value.get("blockNumber"), value.get("blockHash")
    if number is not None and block_hash is not None:
        raise InvalidArgument(
            "cannot specify both BlockHash and BlockNumber, choose one or the other"
        )
    if number is not None:
        return block_number(number)
    if block_hash is None:
        raise InvalidArgument("must specify either BlockHash or BlockNumber")
    canonical = value.get("requireCanonical")
    return BlockRef(
        block_hash=hash32(block_hash),
        require_canonical=canonical is not None and boolean(canonical),
    )


Resolved: TypeAlias = Block | Literal["pending"]


def resolve(view: View, ref: BlockRef | None) -> Resolved:
    """Find the block that a selector means; None is ``latest``, ``pending`` stays a word.

    Raises:
        UnknownBlock: no block of this number, or no such tag yet.
        UnknownBlockHash: no block of this hash.
        NotCanonical: the block must be canonical and is not.
        HistoryPruned: the block is no longer kept.
    """
    chain = view.chain
    if ref is None or ref.tag == "latest":
        return chain.head
    if ref.block_hash is not None:
        return _by_hash(view, ref.block_hash, require_canonical=ref.require_canonical)
    if ref.number is not None:
        found = chain.at(ref.number)
    elif ref.tag == PENDING:
        return PENDING
    elif ref.tag == "earliest":
        return chain.oldest
    else:
        found = chain.safe if ref.tag == "safe" else chain.finalized
    if found is None:
        raise UnknownBlock(block=ref.number if ref.number is not None else str(ref.tag))
    return found


def _by_hash(view: View, block_hash: Hash32, *, require_canonical: bool) -> Block:
    found = view.chain.block(block_hash)
    if found is None:
        raise UnknownBlockHash(block_hash=block_hash)
    if require_canonical and not view.chain.is_canonical(block_hash):
        raise NotCanonical(block_hash=block_hash)
    return found


def position(view: View, ref: BlockRef | None) -> str:
    """Say where the source shall look: ``0x`` + block hash, or ``pending``.

    Raises:
        ChainError: as ``resolve``.
    """
    found = resolve(view, ref)
    return found if isinstance(found, str) else f"0x{found.hash.hex()}"
