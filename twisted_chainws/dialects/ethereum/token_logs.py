"""Token transfers as the standards log them: ERC-20, ERC-721 and ERC-1155. Sans-I/O.

Source: EIP-20, EIP-721, EIP-1155, sections on events; Solidity ABI specification.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from eth_hash.auto import keccak

from twisted_chainws.chain.model import Block, Kind, Log
from twisted_chainws.chain.types import Address20, Hash32

TRANSFER: Final = Hash32(keccak(b"Transfer(address,address,uint256)"))
TRANSFER_SINGLE: Final = Hash32(keccak(b"TransferSingle(address,address,address,uint256,uint256)"))
TRANSFER_BATCH: Final = Hash32(
    keccak(b"TransferBatch(address,address,address,uint256[],uint256[])")
)

_WORD: Final = 32
_FUNGIBLE_TOPICS: Final = 3
_TOKEN_TOPICS: Final = 4


class Standard(StrEnum):
    """Which standard a transfer follows, in the words of Alchemy's categories."""

    ERC20 = "erc20"
    ERC721 = "erc721"
    ERC1155 = "erc1155"


class TokenAmount(NamedTuple):
    """So many of one token of a contract."""

    token_id: int
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenTransfer:
    """What one log says was transferred.

    Attributes:
        value: raw amount of an ERC-20 transfer; None for the others.
        tokens: which tokens of the contract; one for ERC-721, none for ERC-20.
    """

    standard: Standard
    contract: Address20
    sender: Address20
    recipient: Address20
    value: int | None
    tokens: tuple[TokenAmount, ...]


class LoggedTransfer(NamedTuple):
    """A transfer and where its log stands."""

    position: int
    log_index: int
    transfer: TokenTransfer


def transfers_in(block: Block) -> Iterator[LoggedTransfer]:
    """Yield the token transfers of the EVM transactions of a block, in the order of their logs."""
    for found in block.logs():
        if block.transactions[found.transaction_index].kind is Kind.EVM:
            transfer = decode_transfer(found.log)
            if transfer is not None:
                yield LoggedTransfer(found.transaction_index, found.log_index, transfer)


def decode_transfer(log: Log) -> TokenTransfer | None:
    """Read a log as a transfer; None when it is none, or none of a known form."""
    count = len(log.topics)
    if count == _FUNGIBLE_TOPICS:
        if log.topics[0] != TRANSFER or len(log.data) != _WORD:
            return None
        return _transfer(log, Standard.ERC20, 1, value=_number(log.data))
    if count != _TOKEN_TOPICS:
        return None
    tokens: tuple[TokenAmount, ...]
    if log.topics[0] == TRANSFER:
        tokens = (TokenAmount(_number(log.topics[3]), 1),) if not log.data else ()
        standard, sender = Standard.ERC721, 1
    elif log.topics[0] == TRANSFER_SINGLE:
        words = _words(log.data)
        tokens = (TokenAmount(*words),) if len(words) == len(TokenAmount._fields) else ()
        standard, sender = Standard.ERC1155, 2
    elif log.topics[0] == TRANSFER_BATCH:
        tokens = _batch(_words(log.data))
        standard, sender = Standard.ERC1155, 2
    else:
        return None
    return _transfer(log, standard, sender, tokens=tokens) if tokens else None


def _transfer(
    log: Log,
    standard: Standard,
    sender: int,
    *,
    value: int | None = None,
    tokens: tuple[TokenAmount, ...] = (),
) -> TokenTransfer:
    """Make a transfer whose sender is in the topic at ``sender``, its recipient in the next."""
    return TokenTransfer(
        standard=standard,
        contract=log.address,
        sender=Address20(log.topics[sender][12:]),
        recipient=Address20(log.topics[sender + 1][12:]),
        value=value,
        tokens=tokens,
    )


def _number(word: bytes) -> int:
    return int.from_bytes(word, "big")


def _words(data: bytes) -> list[int]:
    """Cut ABI data into words; what is no whole number of words has none."""
    if len(data) % _WORD:
        return []
    return [_number(data[at : at + _WORD]) for at in range(0, len(data), _WORD)]


def _batch(words: list[int]) -> tuple[TokenAmount, ...]:
    """Read two ABI arrays of equal length; () when they are not that."""
    ids, values = _array(words, 0), _array(words, 1)
    if len(ids) != len(values):
        return ()
    return tuple(TokenAmount(*pair) for pair in zip(ids, values, strict=True))


def _array(words: list[int], place: int) -> list[int]:
    """Return the array whose offset, in bytes, stands at ``place``."""
    if place >= len(words):
        return []
    start = words[place] // _WORD
    if words[place] % _WORD or start >= len(words):
        return []
    items = words[start + 1 : start + 1 + words[start]]
    return items if len(items) == words[start] else []
