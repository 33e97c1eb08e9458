"""The chain as a Zilliqa ledger: Tx blocks that follow each other. Sans-I/O.

Applying a block computes only its hash, which the next one holds; everything else that a Tx block
has is a function of the block and of the hash before it, made on demand. Texts are kept. Undoing
forgets the hash, which is exact.

There is no committee: its hash is zero, so that anybody can compute a block's hash from what is
published, and the header is signed by one development key that everybody may know. All
transactions lie in one microblock, that of shard 0.

Source: ``zilliqa.md`` 6.4 to 6.7.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from twisted_chainws.chain.model import Block, Receipt
from twisted_chainws.chain.ops import Advance
from twisted_chainws.chain.types import Address20, Gas, Hash32
from twisted_chainws.dialects.links import Links
from twisted_chainws.dialects.texts import BoundedTexts
from twisted_chainws.dialects.zilliqa import schnorr
from twisted_chainws.dialects.zilliqa.listing import list_transactions
from twisted_chainws.dialects.zilliqa.transaction import WEI_PER_QA
from twisted_chainws.dialects.zilliqa.tx_block import (
    MAX_AMOUNT,
    ZERO_HASH,
    MicroBlockInfo,
    TxBlock,
    TxBlockHeader,
    encode_header,
    hash_micro_blocks,
    header_hash,
)

DEVELOPMENT_SECRET: Final = hashlib.sha256(b"chainws Zilliqa development header key").digest()
"""Signs headers. Known to all: a signature of it says that this is a development chain."""

BLOCKS_PER_DS_EPOCH: Final = 100

MOST_CONTRACTS: Final = 100_000
"""Addresses that are remembered as contracts; behind it remembering begins anew."""

_HEADER_VERSION: Final = 1
_US_PER_S: Final = 10**6
_SHARD: Final = 0

Form: TypeAlias = Callable[[TxBlock], bytes]
"""Makes one JSON text of a block; a module-level function, for it is part of the key."""


@dataclass(frozen=True, slots=True)
class _Link:
    """A block's hash, that of the block before it, and how many transactions end with it."""

    previous: Hash32
    own: Hash32
    total: int


class ZilliqaLedger:
    """Hashes of the canonical blocks, and texts that were made of them.

    Args:
        secret: of the key that signs headers, 32 bytes.
        history: how many blocks below the head are kept; None keeps all. Not below what the
            chain itself keeps, or blocks cannot be undone.
        max_bytes: of all texts together; the least recently used ones go first.
    """

    __slots__ = ("_contracts", "_links", "_secret", "_texts", "public_key")

    def __init__(
        self,
        *,
        secret: bytes = DEVELOPMENT_SECRET,
        history: int | None = None,
        max_bytes: int = 33_554_432,
    ) -> None:
        self._links: Links[_Link] = Links(history=history)
        self._secret = secret
        self.public_key = schnorr.public_key_of(secret)
        self._texts = BoundedTexts(max_bytes=max_bytes)
        self._contracts: set[Address20] = set()

    def apply(self, advance: Advance) -> None:
        """Forget the hashes of undone blocks, compute those of applied ones."""
        for block in advance.undone:
            self._links.pop(block)
        if advance.undone:
            # One of them may have created any of these.
            self._contracts.clear()
        for block in advance.applied:
            self._push(block)

    def is_contract(self, address: Address20) -> bool:
        """Tell whether an address is remembered as a contract; False says nothing."""
        return address in self._contracts

    def remember_contracts(self, addresses: Iterable[Address20]) -> None:
        """Remember that these addresses are contracts, until blocks are undone."""
        self._contracts.update(addresses)
        if len(self._contracts) > MOST_CONTRACTS:
            self._contracts.clear()

    def tx_block(self, block: Block) -> TxBlock:
        """Return a canonical block as Zilliqa sees it, signed.

        Raises:
            UnknownBlockHash: it is not canonical, or no longer kept.
        """
        link = self._links.of(block)
        ids = _ids(block)
        header = self._header(block, link.previous)
        return TxBlock(
            header=header,
            hash=link.own,
            timestamp_us=block.timestamp * _US_PER_S,
            micro_blocks=(_micro_block(block.number, ids),),
            transaction_ids=(ids,),
            signature=schnorr.sign(self._secret, encode_header(header)),
        )

    def block_hash(self, block: Block) -> Hash32:
        """Return what Zilliqa calls a block.

        Raises:
            UnknownBlockHash: it is not canonical, or no longer kept.
        """
        return self._links.of(block).own

    def transactions_up_to(self, block: Block) -> int:
        """Count the transactions of a block and of all before it that this ledger has seen.

        Raises:
            UnknownBlockHash: the block is not canonical, or no longer kept.
        """
        return self._links.of(block).total

    def text(self, block: Block, form: Form) -> bytes:
        """Return ``form`` of the Tx block, made once while it is kept.

        Raises:
            UnknownBlockHash: the block is not canonical, or no longer kept.
        """
        self._links.of(block)
        return self._texts.get((block.hash, form), lambda: form(self.tx_block(block)))

    def _push(self, block: Block) -> None:
        parent = self._links.below(block)
        # The first block has nothing below: genesis names zero, another what the source says.
        previous = block.parent_hash if parent is None else parent.own
        own = header_hash(self._header(block, previous))
        total = len(_ids(block)) + (parent.total if parent else 0)
        self._links.push(block, _Link(previous, own, total))

    def _header(self, block: Block, previous: Hash32) -> TxBlockHeader:
        ids = _ids(block)
        receipts = [receipt for _, _, receipt in list_transactions(block)]
        return TxBlockHeader(
            version=_HEADER_VERSION,
            committee_hash=ZERO_HASH,
            previous_hash=previous,
            gas_limit=block.extras.header.gas_limit,
            gas_used=Gas(sum(receipt.gas_used for receipt in receipts)),
            fees_qa=_fees_qa(receipts),
            number=block.number,
            state_root=block.extras.header.state_root,
            state_delta_hash=ZERO_HASH,
            micro_blocks_hash=hash_micro_blocks((_micro_block(block.number, ids),)),
            transaction_count=len(ids),
            miner_public_key=self.public_key,
            ds_block_number=1 + block.number // BLOCKS_PER_DS_EPOCH,
        )


def _ids(block: Block) -> tuple[Hash32, ...]:
    return tuple(transaction.hash for _, transaction, _ in list_transactions(block))


def _micro_block(number: int, ids: tuple[Hash32, ...]) -> MicroBlockInfo:
    root = Hash32(hashlib.sha256(b"".join(ids)).digest()) if ids else ZERO_HASH
    return MicroBlockInfo(
        hash=Hash32(hashlib.sha256(number.to_bytes(8, "big") + root).digest()),
        transactions_root=root,
        shard_id=_SHARD,
    )


def _fees_qa(receipts: Iterable[Receipt]) -> int:
    """Sum what the senders paid for gas; more than Zilliqa can write is cut to that."""
    wei = sum(
        receipt.gas_used * receipt.effective_gas_price
        + (receipt.blob_gas_used or 0) * (receipt.blob_gas_price or 0)
        for receipt in receipts
    )
    return min(wei // WEI_PER_QA, MAX_AMOUNT)
