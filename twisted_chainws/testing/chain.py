"""A scripted chain: blocks that are real values with real header hashes, and a source of them."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from eth_hash.auto import keccak
from twisted.internet.defer import Deferred, fail, succeed

from twisted_chainws.chain.forks import DEVELOPMENT
from twisted_chainws.chain.model import (
    Block,
    EthereumExtras,
    EthereumHeader,
    EvmTransaction,
    Kind,
    Log,
    Receipt,
)
from twisted_chainws.chain.ports import Sink
from twisted_chainws.chain.types import Address20, BlockNumber, Gas, Hash32, Timestamp, Wei
from twisted_chainws.dialects.ethereum.rlp_codec import header_hash
from twisted_chainws.errors import ChainwsError, Unsupported

EMPTY_ROOT: Final = Hash32(
    bytes.fromhex("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421")
)
"""Root of an empty trie."""

EMPTY_UNCLES: Final = Hash32(
    bytes.fromhex("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347")
)
"""Hash of an empty list of uncles."""

ALICE: Final = Address20(b"\x11" * 20)
"""Who sends when nobody is named."""

BOB: Final = Address20(b"\x22" * 20)
"""Who receives when nobody is named."""

CHAIN_ID: Final = 31_337
"""Of the scripted chain."""

TRANSFER_GAS: Final = 21_000


def make_transaction(
    nonce: int,
    *,
    sender: Address20 = ALICE,
    to: Address20 | None = BOB,
    value: int = 1,
    data: bytes = b"",
) -> EvmTransaction:
    """Make a dynamic-fee transaction; its bytes are not signed, its hash is unique."""
    raw = b"\x02" + sender + nonce.to_bytes(8, "big") + value.to_bytes(32, "big") + data
    return EvmTransaction(
        hash=Hash32(keccak(raw)),
        sender=sender,
        raw=raw,
        type=2,
        chain_id=CHAIN_ID,
        nonce=nonce,
        to=to,
        value=Wei(value),
        gas_limit=Gas(100_000),
        gas_price=None,
        max_fee_per_gas=Wei(2_000_000_000),
        max_priority_fee_per_gas=Wei(1_000_000_000),
        data=data,
        access_list=(),
        max_fee_per_blob_gas=None,
        blob_versioned_hashes=None,
        authorizations=None,
        v=0,
        r=1,
        s=1,
    )


def make_block(
    parent: Block | None = None,
    transactions: Sequence[tuple[EvmTransaction, Sequence[Log]]] = (),
    *,
    salt: bytes = b"",
) -> Block:
    """Make a block on ``parent`` (None makes a genesis) from transactions and their logs.

    Args:
        parent: the block below.
        transactions: each with the logs it left; every one succeeds and takes 21,000 gas.
        salt: goes into the extra data, so that two branches differ.
    """
    number = 0 if parent is None else parent.number + 1
    gas_used = TRANSFER_GAS * len(transactions)
    header = EthereumHeader(
        parent_hash=Hash32(bytes(32)) if parent is None else parent.hash,
        uncles_hash=EMPTY_UNCLES,
        coinbase=Address20(bytes(20)),
        state_root=EMPTY_ROOT,
        transactions_root=EMPTY_ROOT,
        receipts_root=EMPTY_ROOT,
        bloom=bytes(256),
        difficulty=0,
        number=BlockNumber(number),
        gas_limit=Gas(30_000_000),
        gas_used=Gas(gas_used),
        timestamp=Timestamp(1_700_000_000 + number),
        extra_data=salt,
        mix_hash=Hash32(bytes(32)),
        nonce=bytes(8),
        base_fee_per_gas=Wei(1_000_000_000),
        withdrawals_root=EMPTY_ROOT,
        blob_gas_used=Gas(0),
        excess_blob_gas=Gas(0),
        parent_beacon_block_root=Hash32(bytes(32)),
        requests_hash=None,
    )
    return Block(
        number=header.number,
        hash=header_hash(header),
        parent_hash=header.parent_hash,
        timestamp=header.timestamp,
        transactions=tuple(transaction for transaction, _ in transactions),
        receipts=tuple(
            _receipt(logs, TRANSFER_GAS * position)
            for position, (_, logs) in enumerate(transactions, start=1)
        ),
        extras=EthereumExtras(header=header, size=600, uncles=(), withdrawals=()),
    )


def _receipt(logs: Sequence[Log], cumulative: int) -> Receipt:
    return Receipt(
        succeeded=True,
        gas_used=Gas(TRANSFER_GAS),
        cumulative_gas_used=Gas(cumulative),
        effective_gas_price=Wei(2_000_000_000),
        contract_address=None,
        logs=tuple(logs),
        bloom=bytes(256),
        blob_gas_used=None,
        blob_gas_price=None,
        events=(),
    )


class FakeSource:
    """A chain that does what the test says.

    Attributes:
        chain_id: that of development chains, like ``forks``.
        blocks: the canonical chain, oldest first.
        answers: query name -> a function of its parameters, or an exception to fail with.
        asked: every query so far, (name, parameters).
        submitted: every raw transaction so far.
    """

    def __init__(self, blocks: Iterable[Block] = ()) -> None:
        self.chain_id = CHAIN_ID
        self.forks = DEVELOPMENT
        self.blocks = list(blocks) or [make_block()]
        self.answers: dict[str, Callable[[Mapping[str, Any]], Any] | ChainwsError] = {}
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self.submitted: list[bytes] = []
        self._sink: Sink | None = None

    @property
    def sink(self) -> Sink:
        """The sink it was started with."""
        if self._sink is None:
            raise RuntimeError("the source was not started")
        return self._sink

    async def start(self, sink: Sink) -> tuple[Block, ...]:
        """Return the blocks so far."""
        self._sink = sink
        return tuple(self.blocks)

    async def stop(self) -> None:
        """Forget the sink: no call of it follows."""
        self._sink = None

    def submit(self, kind: Kind, raw: bytes) -> "Deferred[str]":
        """Note the bytes and answer their keccak."""
        if kind is not Kind.EVM:
            return fail(Unsupported(reason=f"no {kind} transactions here"))
        self.submitted.append(raw)
        return succeed("0x" + keccak(raw).hex())

    def query(self, method: str, params: Mapping[str, Any]) -> Awaitable[Any]:
        """Answer as ``answers`` says; anything else is Unsupported."""
        self.asked.append((method, params))
        answer = self.answers.get(method, Unsupported(reason=f"no answer for {method}"))
        if isinstance(answer, ChainwsError):
            return fail(answer)
        return succeed(answer(params))

    def mine(self, *transactions: tuple[EvmTransaction, Sequence[Log]], salt: bytes = b"") -> Block:
        """Put a block on the head and publish it."""
        block = make_block(self.blocks[-1], transactions, salt=salt)
        self.blocks.append(block)
        self.sink.publish(block)
        return block

    def reorganise(
        self, depth: int, branch: Sequence[Sequence[tuple[EvmTransaction, Sequence[Log]]]]
    ) -> tuple[Block, ...]:
        """Replace the last ``depth`` blocks by one block per element of ``branch``."""
        del self.blocks[len(self.blocks) - depth :]
        ancestor = self.blocks[-1]
        applied = []
        for transactions in branch:
            applied.append(make_block(self.blocks[-1], transactions, salt=b"reorg"))
            self.blocks.append(applied[-1])
        self.sink.reorganise(ancestor.hash, applied)
        return tuple(applied)
