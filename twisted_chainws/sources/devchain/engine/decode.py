"""Raw bytes to py-evm transactions."""

import rlp
from eth.abc import SignedTransactionAPI
from eth.exceptions import UnrecognizedTransactionType
from eth_utils import ValidationError
from rlp.exceptions import RLPException

from twisted_chainws.errors import (
    TransactionTooShort,
    UndecodableTransaction,
    UnsupportedTransactionType,
)
from twisted_chainws.sources.devchain.engine.vm import DevBuilder

_BLOB_TYPE = 3
_KNOWN_TYPES = (1, 2, 3, 4)
_FIRST_LEGACY_BYTE = 0xC0


def decode_transaction(raw: bytes) -> SignedTransactionAPI:
    """Decode a signed transaction, see `Engine.decode`."""
    if not raw:
        raise TransactionTooShort
    try:
        if raw[0] >= _FIRST_LEGACY_BYTE:
            transaction: SignedTransactionAPI = DevBuilder.decode(raw)
        else:
            transaction = _decode_typed(raw)
    except UnrecognizedTransactionType as error:
        raise UnsupportedTransactionType from error
    except (RLPException, ValidationError, ValueError, TypeError) as error:
        raise UndecodableTransaction(reason=f"rlp: {_first_line(error)}") from error
    return transaction


def _decode_typed(raw: bytes) -> SignedTransactionAPI:
    if raw[0] not in _KNOWN_TYPES:
        raise UnsupportedTransactionType
    if len(raw) == 1:
        raise TransactionTooShort
    if raw[0] == _BLOB_TYPE:
        # The network form carries the sidecar behind the transaction: a list in a list.
        items = rlp.decode(raw[1:])
        if items and isinstance(items[0], list):
            raw = raw[:1] + rlp.encode(items[0])
    transaction: SignedTransactionAPI = DevBuilder.decode(raw)
    return transaction


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
