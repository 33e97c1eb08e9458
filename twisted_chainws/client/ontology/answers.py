"""What the actions of an Ontology node give. Pure.

Hashes and the addresses of contracts are lower-case hex as nodes show them, accounts are ``A…``.
Amounts are whole units, 1 ONT and 10^-9 ONG, or scaled ones, 10^-9 ONT and 10^-18 ONG.

Source: ``ontology.md`` 4.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from twisted_chainws.client.errors import BadAnswer
from twisted_chainws.client.ontology.values import (
    Notice,
    Notify,
    decode_hash,
    decode_notices,
    decode_notify,
    hex_bytes,
    members_of,
)
from twisted_chainws.client.reading import number
from twisted_chainws.dialects.ontology.address import decode_hash as decode_reversed_hash
from twisted_chainws.dialects.ontology.merkle import verify_proof

__all__ = [
    "Balance", "Contract", "GasPrice", "MempoolState", "MerkleProof", "PreExecution", "Topics",
    "Transaction", "Verification", "decode_balance", "decode_contract_answer", "decode_event",
    "decode_events", "decode_gas_price", "decode_mempool_count", "decode_mempool_hashes",
    "decode_mempool_state", "decode_pre_execution", "decode_proof", "decode_text", "decode_topics",
    "decode_transaction",
]  # fmt: skip

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Topics:
    """What a connection has subscribed to.

    Attributes:
        events: whether to what transactions do.
        json_blocks: whether to blocks.
        raw_blocks: whether to blocks as nodes exchange them.
        hashes: whether to the hashes of a block's transactions.
        contracts: whose events; none for all.
    """

    events: bool
    json_blocks: bool
    raw_blocks: bool
    hashes: bool
    contracts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What an account owns.

    Attributes:
        ont: whole units of ``get_balance``, scaled ones of ``get_balance_v2``.
        ong: likewise.
        height: of the block after which that was so; None if the node does not say.
    """

    ont: int
    ong: int
    height: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GasPrice:
    """What gas has cost lately.

    Attributes:
        price: average, 10^-9 ONG per unit.
        height: of the block that it was taken from; 0 for none.
    """

    price: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """A transaction that has been taken into the chain.

    Attributes:
        hash: of the transaction.
        number: height of its block.
        type: 208 deploys, 209 invokes NeoVM, 210 invokes WASM, 211 is one of the EVM.
        nonce: makes it another one.
        gas_price: 10^-9 ONG.
        gas_limit: units.
        payer: who pays for gas.
        payload: an object; of one of the EVM its bytes in hex.
        sigs: entries of the signature section.
    """

    hash: str
    number: int
    type: int
    nonce: int
    gas_price: int
    gas_limit: int
    payer: str
    payload: Any
    sigs: tuple[Any, ...]
    raw: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A contract as it was deployed.

    Attributes:
        code: of it; of a native contract its address.
        vm_type: 1 for NeoVM, 3 for WASM.
    """

    code: bytes = field(repr=False)
    vm_type: int
    name: str
    version: str
    author: str
    email: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PreExecution:
    """What a transaction would do.

    Attributes:
        succeeded: whether it would.
        gas: units that it would take.
        result: what it leaves: hex, lists of it, or None; of one of the EVM base64.
        notices: what contracts would tell.
    """

    succeeded: bool
    gas: int
    result: Any
    notices: tuple[Notice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """How far a transaction that waits has been looked at.

    Attributes:
        height: at which.
        type: 0 for itself, 1 for what it needs of the chain.
        error: 0 for none.
    """

    height: int
    type: int
    error: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MempoolState:
    """A transaction that waits.

    Attributes:
        verifications: that it has passed.
        data: its bytes, empty if the node does not say.
    """

    verifications: tuple[Verification, ...]
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MerkleProof:
    """A proof that a block with certain transactions belongs to a chain.

    Attributes:
        transactions_root: of the block.
        number: its height.
        root: of the tree of blocks, as the block of ``last_number`` has it.
        last_number: height of that block.
        hashes: from leaf to root.
    """

    transactions_root: str
    number: int
    root: str
    last_number: int
    hashes: tuple[str, ...]

    @property
    def is_right(self) -> bool:
        """Whether the hashes lead from the one root to the other."""
        return verify_proof(
            decode_reversed_hash(self.transactions_root),
            self.number,
            self.last_number,
            [decode_reversed_hash(one) for one in self.hashes],
            decode_reversed_hash(self.root),
        )


def decode_text(raw: Any) -> str:
    """Read a text. Raises BadAnswer if it is none."""
    if not isinstance(raw, str):
        raise BadAnswer("not a text")
    return raw


def decode_topics(raw: Any) -> Topics:
    """Read what a connection has subscribed to. Raises BadAnswer if it cannot be that."""
    events, json_blocks, raw_blocks, hashes = members_of(
        raw, "SubscribeEvent", "SubscribeJsonBlock", "SubscribeRawBlock", "SubscribeBlockTxHashs"
    )
    return Topics(
        events=events is True,
        json_blocks=json_blocks is True,
        raw_blocks=raw_blocks is True,
        hashes=hashes is True,
        contracts=_each(decode_text, raw.get("ContractsFilter")),
    )


def decode_balance(raw: Any) -> Balance:
    """Read a balance. Raises BadAnswer if it is none."""
    ont, ong = members_of(raw, "ont", "ong")
    height = raw.get("height")
    return Balance(
        ont=number(ont), ong=number(ong), height=None if height is None else number(height)
    )


def decode_gas_price(raw: Any) -> GasPrice:
    """Read a price. Raises BadAnswer if it is none."""
    price, height = members_of(raw, "gasprice", "height")
    return GasPrice(price=number(price), height=number(height))


def decode_transaction(raw: Any) -> Transaction:
    """Read a transaction. Raises BadAnswer if it is none."""
    tx_hash, height, kind, nonce, payer, payload = members_of(
        raw, "Hash", "Height", "TxType", "Nonce", "Payer", "Payload"
    )
    price, limit = members_of(raw, "GasPrice", "GasLimit")
    return Transaction(
        hash=decode_hash(tx_hash),
        number=number(height),
        type=number(kind),
        nonce=number(nonce),
        gas_price=number(price),
        gas_limit=number(limit),
        payer=decode_text(payer),
        payload=payload,
        sigs=_each(lambda one: one, raw.get("Sigs")),
        raw=raw,
    )


def decode_contract_answer(raw: Any) -> Contract:
    """Read a contract. Raises BadAnswer if it is none."""
    code, kind = members_of(raw, "Code", "VmType")
    words = members_of(raw, "Name", "CodeVersion", "Author", "Email", "Description")
    name, version, author, email, description = map(decode_text, words)
    return Contract(
        code=hex_bytes(code),
        vm_type=number(kind),
        name=name,
        version=version,
        author=author,
        email=email,
        description=description,
    )


def decode_pre_execution(raw: Any) -> PreExecution:
    """Read what a transaction would do. Raises BadAnswer if it cannot be that."""
    state, gas, result = members_of(raw, "State", "Gas", "Result")
    return PreExecution(
        succeeded=number(state) == 1,
        gas=number(gas),
        result=result,
        notices=decode_notices(raw.get("Notify")),
    )


def decode_events(raw: Any) -> tuple[Notify, ...]:
    """Read what a block's transactions did; an empty text is nothing. Raises BadAnswer."""
    return () if raw == "" else _each(decode_notify, raw)


def decode_event(raw: Any) -> Notify | None:
    """Read what a transaction did, None if it is not known. Raises BadAnswer."""
    return None if raw in ("", None) else decode_notify(raw)


def decode_mempool_state(raw: Any) -> MempoolState:
    """Read the state of a transaction that waits. Raises BadAnswer if it is none."""
    (state,) = members_of(raw, "State")
    return MempoolState(
        verifications=_each(_verification, state), data=hex_bytes(raw.get("Raw", ""))
    )


def decode_mempool_count(raw: Any) -> tuple[int, int]:
    """Read how many transactions wait, verified ones and others. Raises BadAnswer."""
    counts = _each(number, raw)
    if len(counts) != 2:  # noqa: PLR2004 - verified, pending
        raise BadAnswer("not two numbers")
    return counts[0], counts[1]


def decode_mempool_hashes(raw: Any) -> tuple[str, ...]:
    """Read hashes of transactions that wait, as texts or as lists of bytes. Raises BadAnswer."""
    return _each(_mempool_hash, raw)


def decode_proof(raw: Any) -> MerkleProof:
    """Read a proof, right or not. Raises BadAnswer if it is none."""
    transactions_root, height, root, last_height, hashes = members_of(
        raw, "TransactionsRoot", "BlockHeight", "CurBlockRoot", "CurBlockHeight", "TargetHashes"
    )
    return MerkleProof(
        transactions_root=decode_hash(transactions_root),
        number=number(height),
        root=decode_hash(root),
        last_number=number(last_height),
        hashes=_each(decode_hash, hashes),
    )


def _verification(raw: Any) -> Verification:
    height, kind, error = members_of(raw, "Height", "Type", "ErrCode")
    # Errors may be negative, and are told as they are.
    code = error if isinstance(error, int) else number(error)
    return Verification(height=number(height), type=number(kind), error=code)


def _mempool_hash(raw: Any) -> str:
    if not isinstance(raw, list):
        return decode_hash(raw)
    try:
        internal = bytes(raw)
    except (TypeError, ValueError):
        raise BadAnswer("not bytes") from None
    return decode_hash(internal[::-1].hex())


def _each(decode: Callable[[Any], T], raw: Any) -> tuple[T, ...]:
    if raw is None:
        return ()
    if not isinstance(raw, list):
        raise BadAnswer("not a list")
    return tuple(map(decode, raw))
