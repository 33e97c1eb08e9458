"""Whole states as files: gzip of JSON, as anvil writes and reads it.

A dump holds accounts and where they were taken: the header at the head, which anvil goes on from.
Other blocks and all transactions are left out.

Source: foundry crates/anvil/src/eth/backend/db.rs (``SerializableState``), 2a5df2c; anvil 1.7.1,
observed.
"""

import gzip
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
import rlp
from eth.abc import DatabaseAPI, StateAPI
from eth.constants import BLANK_ROOT_HASH, EMPTY_SHA3
from eth.rlp.accounts import Account
from eth_typing import Address
from rlp.sedes import big_endian_int
from trie import HexaryTrie
from trie.iter import NodeIterator

from twisted_chainws.errors import ExecutionFailed, InvalidControl
from twisted_chainws.sources.devchain.codec import decode_hex, decode_quantity, encode_hex
from twisted_chainws.sources.devchain.engine.preimages import name_of

MAX_BYTES: Final = 1 << 28
"""How large a dump may be once it is unpacked."""

_MAGIC: Final = b"\x1f\x8b"
_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS
_ADDRESS, _UINT64, _UINT256 = 20, (1 << 64) - 1, (1 << 256) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedAccount:
    """An account of a dump; ``storage`` has slots and words as integers."""

    address: bytes
    nonce: int
    balance: int
    code: bytes
    storage: Mapping[int, int]


def dump_accounts(db: DatabaseAPI, root: bytes) -> dict[str, dict[str, Any]]:
    """List a state: address -> ``nonce``, ``balance``, ``code``, ``storage``.

    Raises:
        ExecutionFailed: the database is older than its list of names.
    """
    return {
        encode_hex(name): {
            "nonce": account.nonce,
            "balance": hex(account.balance),
            "code": "0x" if account.code_hash == EMPTY_SHA3 else encode_hex(db[account.code_hash]),
            "storage": {
                encode_hex(slot): f"0x{rlp.decode(word, big_endian_int):064x}"
                for slot, word in _leaves(db, account.storage_root)
            },
        }
        for name, account in (
            (name, rlp.decode(encoded, Account)) for name, encoded in _leaves(db, root)
        )
    }


def _leaves(db: DatabaseAPI, root: bytes) -> Iterator[tuple[bytes, bytes]]:
    if root == BLANK_ROOT_HASH:
        return
    for hashed, value in NodeIterator(HexaryTrie(db, root)).items():
        name = name_of(db, hashed)
        if name is None:
            raise ExecutionFailed(reason="state dump is not available")
        yield name, value


def pack(shape: Mapping[str, Any]) -> bytes:
    """Return a dump as a file; the same state gives the same bytes."""
    return gzip.compress(orjson.dumps(shape), mtime=0)


def unpack(data: bytes) -> Mapping[str, Any]:
    """Return the JSON of a dump, packed or not.

    Raises:
        InvalidControl: it is no dump, or too large.
    """
    if data.startswith(_MAGIC):
        unpacker = zlib.decompressobj(_GZIP_WINDOW)
        try:
            data = unpacker.decompress(data, MAX_BYTES)
        except zlib.error as error:
            raise _undecodable() from error
        if not unpacker.eof:
            raise _undecodable()
    try:
        shape = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise _undecodable() from error
    if not isinstance(shape, dict) or not isinstance(shape.get("accounts"), dict):
        raise _undecodable()
    return shape


def read_accounts(shape: Mapping[str, Any]) -> list[LoadedAccount]:
    """Return the accounts of a dump.

    Raises:
        InvalidControl: one of them is malformed.
    """
    try:
        return [_account(name, given) for name, given in shape["accounts"].items()]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _undecodable() from error


def read_timestamp(shape: Mapping[str, Any]) -> int:
    """Return when a dump was taken, seconds; 0 if it does not say so.

    Raises:
        InvalidControl: what it says is no time.
    """
    block = shape.get("block") or {}
    try:
        return _number(block.get("timestamp", 0), _UINT64)
    except (TypeError, ValueError, AttributeError) as error:
        raise _undecodable() from error


def _account(name: str, given: Mapping[str, Any]) -> LoadedAccount:
    address = decode_hex(name)
    if len(address) != _ADDRESS:
        raise ValueError(name)
    return LoadedAccount(
        address=address,
        nonce=_number(given["nonce"], _UINT64),
        balance=_number(given["balance"], _UINT256),
        code=decode_hex(given["code"]),
        storage={
            _number(slot, _UINT256): _number(word, _UINT256)
            for slot, word in given["storage"].items()
        },
    )


def _number(value: int | str, highest: int) -> int:
    number = decode_quantity(value)
    if type(value) is bool or not 0 <= number <= highest:
        raise ValueError(value)
    return number


def _undecodable() -> InvalidControl:
    return InvalidControl(reason="Failed to decode state dump")


def lay_accounts(state: StateAPI, accounts: Iterable[LoadedAccount]) -> None:
    """Lay accounts over a state; nonces never fall, slots that are not named stay."""
    for account in accounts:
        address = Address(account.address)
        state.set_balance(address, account.balance)
        state.set_nonce(address, max(account.nonce, state.get_nonce(address)))
        state.set_code(address, account.code)
        for slot, word in account.storage.items():
            state.set_storage(address, slot, word)
