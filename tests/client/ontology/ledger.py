"""A chain of Ontology blocks to tell of: real headers, hashes, signatures and proofs."""

from dataclasses import dataclass
from typing import Any, Final

from tests.dialects.ontology.vectors import vectors
from twisted_chainws.chain.types import Hash32
from twisted_chainws.client.ontology import Invocation, Key, shown_hash, sign, transfer
from twisted_chainws.dialects.ontology.address import decode_base58, encode_reversed
from twisted_chainws.dialects.ontology.block import Header, encode_block
from twisted_chainws.dialects.ontology.merkle import ZERO_HASH, BlockTree, transactions_root
from twisted_chainws.dialects.ontology.transaction import Transaction, encode_transaction

SECRETS: Final = [bytes.fromhex(one["private_key"]) for one in vectors("accounts")]
ALICE, BOB = map(Key, SECRETS)
ONT: Final = "01" + "00" * 19
ONG: Final = "02" + "00" * 19
TOKEN: Final = "77" * 20


def payment(nonce: int, amount: int = 1, invocation: Invocation | None = None) -> Transaction:
    """Return a transaction of ALICE's; each nonce makes another one."""
    invocation = invocation or transfer("ont", ALICE, BOB.address, amount)
    return sign(invocation, nonce=nonce, gas_price=2_500)


def notice(contract: str, *states: Any) -> dict[str, Any]:
    """Return what a contract told."""
    return {"ContractAddress": contract, "States": list(states), "IsEvm": False}


def moved(contract: str = ONT, amount: int = 1) -> dict[str, Any]:
    """Return what is told of a transfer from ALICE to BOB."""
    return notice(contract, "transfer", ALICE.address, BOB.address, amount)


@dataclass(frozen=True, kw_only=True)
class Mined:
    """A transaction and what it told."""

    transaction: Transaction
    notices: tuple[Any, ...] = ()
    succeeded: bool = True

    @property
    def hash(self) -> str:
        return shown_hash(self.transaction)


def did(nonce: int, *contracts: str, succeeded: bool = True) -> Mined:
    """Return a transaction that has moved what some contracts keep; ONT unless others are named."""
    return Mined(
        transaction=payment(nonce),
        notices=tuple(map(moved, contracts or (ONT,))),
        succeeded=succeeded,
    )


@dataclass(frozen=True, kw_only=True)
class Mining:
    """A block and what is in it."""

    header: Header
    mined: tuple[Mined, ...]

    @property
    def hash(self) -> str:
        return encode_reversed(self.header.hash)

    @property
    def raw(self) -> str:
        """The block as nodes exchange it."""
        raws = [encode_transaction(one.transaction) for one in self.mined]
        return encode_block(self.header, raws).hex()

    @property
    def json(self) -> dict[str, Any]:
        """The block as the API shows it, as far as clients look at it."""
        header = self.header
        return {
            "Hash": self.hash,
            "Size": len(self.raw) // 2,
            "Header": {
                "Version": header.version,
                "PrevBlockHash": encode_reversed(header.previous_hash),
                "TransactionsRoot": encode_reversed(header.transactions_root),
                "BlockRoot": encode_reversed(header.block_root),
                "Timestamp": header.timestamp,
                "Height": header.height,
                "ConsensusData": header.consensus_data,
                "Hash": self.hash,
            },
            "Transactions": [
                {"Hash": one.hash, "Height": header.height, "TxType": 209} for one in self.mined
            ],
        }

    @property
    def hashes(self) -> dict[str, Any]:
        """The hashes of its transactions."""
        names = [one.hash for one in self.mined]
        return {"Hash": self.hash, "Height": self.header.height, "Transactions": names}

    @property
    def events(self) -> list[dict[str, Any]]:
        """What its transactions did."""
        return [
            {
                "TxHash": one.hash,
                "State": int(one.succeeded),
                "GasConsumed": 50_000_000,
                "Notify": list(one.notices) or None,
                "GasStepUsed": 20_000,
                "TxIndex": index,
                "CreatedContract": "00" * 20,
            }
            for index, one in enumerate(self.mined)
        ]


class Ledger:
    """A chain.

    Attributes:
        chain: the blocks by height.
        known: by hash, those that have left as well.
    """

    def __init__(self, height: int = 5) -> None:
        self.chain: list[Mining] = []
        self.known: dict[str, Mining] = {}
        self._tree = BlockTree()
        self._salt = 0
        for _ in range(height + 1):
            self.mine()

    @property
    def height(self) -> int:
        return len(self.chain) - 1

    def mine(self, *mined: Mined) -> Mining:
        """Add a block; each is another one."""
        self._salt += 1
        root = transactions_root([one.transaction.hash for one in mined])
        self._tree.append(root)
        header = Header(
            version=0,
            previous_hash=self.chain[-1].header.hash if self.chain else ZERO_HASH,
            transactions_root=root,
            block_root=self._tree.root() if self.chain else ZERO_HASH,
            timestamp=1_700_000_000 + len(self.chain),
            height=len(self.chain),
            consensus_data=2**63 + self._salt,
            consensus_payload=b"",
            next_bookkeeper=decode_base58(ALICE.address),
            bookkeepers=(),
            signatures=(),
        )
        block = Mining(header=header, mined=mined)
        self.chain.append(block)
        self.known[block.hash] = block
        return block

    def reorganise(self, depth: int, *blocks: list[Mined]) -> list[Mining]:
        """Replace the highest blocks; return the new ones."""
        for _ in range(depth):
            self.chain.pop()
            self._tree.pop()
        return [self.mine(*mined) for mined in blocks]

    def block_of(self, tx_hash: str) -> Mining | None:
        """Return the block of a transaction."""
        return next((b for b in self.chain if any(one.hash == tx_hash for one in b.mined)), None)

    def proof(self, block: Mining) -> dict[str, Any]:
        """Prove that a block belongs to the chain."""
        hashes: tuple[Hash32, ...] = self._tree.proof(block.header.height)
        return {
            "Type": "MerkleProof",
            "TransactionsRoot": encode_reversed(block.header.transactions_root),
            "BlockHeight": block.header.height,
            "CurBlockRoot": encode_reversed(self.chain[-1].header.block_root),
            "CurBlockHeight": self.height,
            "TargetHashes": [encode_reversed(one) for one in hashes] or None,
        }
