"""Model values and errors as JSON objects, and the frames that carry them between the processes.

Imports only errors, chain and orjson: the worker and the parent share it. Bytes are ``0x`` strings
in lower case. Integers that may exceed 53 bits are ``0x`` quantities, the others plain numbers.
A frame is four bytes of length, big-endian, and that many bytes of JSON. With the highest bit of
the length set it is a *ready* answer: eight bytes of request id and the text of the value, which
nobody parses on its way to the client.
"""

import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

import orjson

from twisted_chainws import errors
from twisted_chainws.chain.model import (
    AccessListEntry,
    Authorization,
    Block,
    EthereumExtras,
    EthereumHeader,
    EvmTransaction,
    Kind,
    Log,
    NamedEvent,
    NamedParam,
    NamedValue,
    NativeTransaction,
    Receipt,
    Transaction,
    Withdrawal,
)
from twisted_chainws.chain.types import Address20, Hash32
from twisted_chainws.errors import ChainwsError, SourceUnavailable

LENGTH_BYTES: Final = 4
_ID_BYTES: Final = 8
_READY: Final = 1 << 31
_JSON_SAFE: Final = 1 << 53
_V = TypeVar("_V")


@dataclass(frozen=True, slots=True)
class RawJson:
    """The text of a JSON value that is passed through as it is, and copied as rarely as can be."""

    text: bytes | memoryview


def render_frame(message: Any) -> bytes:
    """Return a JSON value with its length in front; an answer may have a `RawJson` as its value."""
    return b"".join(frame_pieces(message))


def frame_pieces(message: Any) -> tuple[bytes | memoryview, ...]:
    """Return such a frame in pieces, so that a long text need not be copied."""
    if len(message) == 2 and isinstance(message[1], RawJson):  # noqa: PLR2004 - id and value
        request_id, text = message[0], message[1].text
        length = _READY | _ID_BYTES + len(text)
        head = length.to_bytes(LENGTH_BYTES, "big") + request_id.to_bytes(_ID_BYTES, "big")
        return head, text
    body = orjson.dumps(message)
    return len(body).to_bytes(LENGTH_BYTES, "big"), body


class FrameParser:
    """Bytes in, messages out; what is incomplete waits for more."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Any]:
        """Yield each message that ``data`` completes; the value of a ready one is a Fragment.

        Raises:
            orjson.JSONDecodeError: a frame holds no JSON.
        """
        buffer = self._buffer
        buffer += data
        start = 0
        try:
            while len(buffer) - start >= LENGTH_BYTES:
                length = int.from_bytes(buffer[start : start + LENGTH_BYTES], "big")
                body_start = start + LENGTH_BYTES
                end = body_start + (length & ~_READY)
                if len(buffer) < end:
                    break
                start = end
                if length & _READY:
                    text_start = body_start + _ID_BYTES
                    request_id = int.from_bytes(buffer[body_start:text_start], "big")
                    text = bytes(memoryview(buffer)[text_start:end])
                    yield [request_id, orjson.Fragment(text)]
                else:
                    yield orjson.loads(bytes(memoryview(buffer)[body_start:end]))
        finally:
            del buffer[:start]


def encode_hex(value: bytes) -> str:
    """Return ``0x`` and two lower-case digits per byte."""
    return "0x" + value.hex()


def decode_hex(text: str) -> bytes:
    """Return the bytes of a ``0x`` string.

    Raises:
        ValueError: the text is no such string.
    """
    if not text.startswith("0x"):
        raise ValueError(f"expected 0x hex, got {text!r}")
    return bytes.fromhex(text[2:])


def decode_quantity(value: int | str) -> int:
    """Return the integer of a number or of a ``0x`` quantity.

    Raises:
        ValueError: the text is no quantity.
    """
    return value if isinstance(value, int) else int(value, 16)


def _names(cls: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(cls))


_HEADER: Final = _names(EthereumHeader)
_EVM: Final = _names(EvmTransaction)
_NATIVE: Final = _names(NativeTransaction)
_RECEIPT: Final = _names(Receipt)
_VALUES: Final[dict[str, type[Any]]] = {
    cls.__name__: cls
    for cls in (
        AccessListEntry,
        Authorization,
        Log,
        NamedEvent,
        Withdrawal,
        EthereumHeader,
        EthereumExtras,
        Receipt,
    )
}


def _encode(value: Any) -> Any:
    """Encode any member of a model value: JSON of the shape the member's annotation implies."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return value if -_JSON_SAFE < value < _JSON_SAFE else hex(value)
    if isinstance(value, tuple):
        return [_encode(item) for item in value]
    if isinstance(value, NamedParam):
        return _encode_param(value)
    return {name: _encode(getattr(value, name)) for name in _fields_of(value.__class__)}


@cache
def _fields_of(cls: Any) -> tuple[str, ...]:
    return _names(cls)


def encode_transaction(transaction: Transaction) -> dict[str, Any]:
    """Return a transaction of any kind; ``kind`` tells which."""
    names = _EVM if isinstance(transaction, EvmTransaction) else _NATIVE
    shape = {name: _encode(getattr(transaction, name)) for name in names}
    shape["kind"] = transaction.kind.value
    return shape


def encode_block(block: Block) -> dict[str, Any]:
    """Return a block with its transactions, receipts and header."""
    return {
        "number": block.number,
        "hash": encode_hex(block.hash),
        "parent_hash": encode_hex(block.parent_hash),
        "timestamp": block.timestamp,
        "transactions": [encode_transaction(item) for item in block.transactions],
        "receipts": [_encode(item) for item in block.receipts],
        "extras": _encode(block.extras),
    }


@cache
def _decoders(cls: Any) -> tuple[tuple[str, Any], ...]:
    hints = get_type_hints(cls)
    return tuple((name, _decoder(hints[name])) for name in _fields_of(cls))


def _decoder(hint: Any) -> Any:
    """Return the function that decodes a member of this annotation."""
    while hasattr(hint, "__supertype__"):
        hint = hint.__supertype__
    if get_origin(hint) is tuple:
        item = _decoder(get_args(hint)[0])
        return lambda value: tuple(item(member) for member in value)
    if get_origin(hint) in {types.UnionType, Union}:
        (inner,) = (_decoder(member) for member in get_args(hint) if member is not types.NoneType)
        return lambda value: None if value is None else inner(value)
    if hint in _VALUES.values():
        return lambda value: _decode(hint, value)
    return _PLAIN.get(hint, _same)


def _decode(cls: Callable[..., _V], shape: Mapping[str, Any]) -> _V:
    return cls(**{name: decoder(shape[name]) for name, decoder in _decoders(cls)})


def _encode_param(param: NamedParam) -> dict[str, Any]:
    return {"name": param.name, "type": param.type, "value": _encode_named(param.value)}


def _encode_named(value: NamedValue) -> Any:
    """Encode a value whose kind no annotation tells."""
    if isinstance(value, tuple):
        return [_encode_named(item) for item in value]
    encoded = _encode(value)
    if isinstance(encoded, str) and not isinstance(value, str):
        return {type(value).__name__: encoded}
    return encoded


def _decode_param(shape: Mapping[str, Any]) -> NamedParam:
    value = _decode_named(shape["value"])
    return NamedParam(name=shape["name"], type=shape["type"], value=value)


def _decode_named(value: Any) -> NamedValue:
    if isinstance(value, list):
        return tuple(_decode_named(item) for item in value)
    if isinstance(value, dict):
        return decode_hex(value["bytes"]) if "bytes" in value else decode_quantity(value["int"])
    plain: int | str | bool = value
    return plain


def _same(value: Any) -> Any:
    return value


_PLAIN: Final[dict[Any, Any]] = {
    bytes: decode_hex,
    int: decode_quantity,
    NamedParam: _decode_param,
}


def decode_transaction(shape: Mapping[str, Any]) -> Transaction:
    """Return the transaction that ``encode_transaction`` encoded.

    Raises:
        KeyError: a member is missing.
        ValueError: a member is malformed.
    """
    if shape["kind"] == Kind.EVM.value:
        return _decode(EvmTransaction, shape)
    return NativeTransaction(
        kind=Kind(shape["kind"]),
        hash=Hash32(decode_hex(shape["hash"])),
        sender=Address20(decode_hex(shape["sender"])),
        raw=decode_hex(shape["raw"]),
    )


def decode_block(shape: Mapping[str, Any]) -> Block:
    """Return the block that ``encode_block`` encoded.

    Raises:
        KeyError: a member is missing.
        ValueError: a member is malformed.
    """
    return Block(
        number=shape["number"],
        hash=Hash32(decode_hex(shape["hash"])),
        parent_hash=Hash32(decode_hex(shape["parent_hash"])),
        timestamp=shape["timestamp"],
        transactions=tuple(decode_transaction(item) for item in shape["transactions"]),
        receipts=tuple(_decode(Receipt, item) for item in shape["receipts"]),
        extras=_decode(EthereumExtras, shape["extras"]),
    )


def encode_error(error: ChainwsError) -> dict[str, Any]:
    """Return the class name and the facts of a model error."""
    facts = {
        name: value if isinstance(value, float) else _encode(value)
        for name, value in ((item.name, getattr(error, item.name)) for item in fields(error))
    }
    return {"error": type(error).__name__, "facts": facts}


def decode_error(shape: Mapping[str, Any]) -> ChainwsError:
    """Return the model error that ``encode_error`` encoded.

    What is no model error was a fault of the worker: it becomes ``SourceUnavailable``.
    """
    cls = getattr(errors, shape["error"], None)
    if not (isinstance(cls, type) and issubclass(cls, ChainwsError)):
        return SourceUnavailable(reason="the development chain's engine failed on this request")
    hints = get_type_hints(cls)
    facts = {}
    for name, value in shape["facts"].items():
        hint = hints[name]
        plain = hint not in {bytes, int}
        facts[name] = (
            value if plain else decode_hex(value) if hint is bytes else decode_quantity(value)
        )
    return cls(**facts)
