"""The two sides between which every chain flows: a Source that feeds, a Sink that is fed.

Sans-I/O: only the shapes of the calls. The service is a Sink; ``sources/*`` are Sources.
"""

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Protocol

from twisted_chainws.chain.forks import ForkSchedule
from twisted_chainws.chain.model import Block, Kind, Transaction
from twisted_chainws.chain.types import Hash32


class Sink(Protocol):
    """What a source may tell; plain calls from the reactor thread, in the order of events."""

    def publish(self, block: Block) -> None:
        """Announce a block on top of the head.

        Raises:
            UnknownParent: the block does not follow the head.
        """

    def reorganise(self, ancestor: Hash32, applied: Sequence[Block]) -> None:
        """Announce that everything above ``ancestor`` left and ``applied`` (maybe nothing) joined.

        Args:
            ancestor: hash of a canonical block that stays.
            applied: oldest first; the first one's parent is ``ancestor``.

        Raises:
            UnknownParent: the ancestor is not canonical or the branch is not connected.
        """

    def pending(self, transaction: Transaction) -> None:
        """Announce a transaction that became executable; also one that returned after a reorg."""

    def queued(self, transaction: Transaction) -> None:
        """Announce a transaction that waits for an earlier nonce."""

    def dropped(self, transaction_hash: Hash32) -> None:
        """Announce that a pooled transaction is gone without being mined (dropped, replaced)."""

    def unhealthy(self, reason: str) -> None:
        """Report that the source cannot answer for now; one line, fit for a log."""


class Source(Protocol):
    """Where a chain comes from. All questions and answers are JSON-like values.

    Hashes, addresses and data are ``0x`` hex strings in lower case; quantities are ``int`` when
    they always fit 53 bits and ``0x`` quantity strings otherwise. What a source cannot do is
    ``Unsupported``.

    Attributes:
        chain_id: EIP-155; right as soon as ``start`` has returned.
        forks: which rules count when; the same.
    """

    chain_id: int
    forks: ForkSchedule

    async def start(self, sink: Sink) -> tuple[Block, ...]:
        """Start and return the canonical chain known so far, oldest first, never empty.

        Calls of ``sink`` may follow as soon as this has returned, and continue from the last
        block returned.
        """

    async def stop(self) -> None:
        """Stop cleanly; no call of the sink follows."""

    def submit(self, kind: Kind, raw: bytes) -> Awaitable[str]:
        """Send a signed transaction and return its hash.

        Raises:
            TransactionRejected: one of its subclasses.
        """

    def query(self, method: str, params: Mapping[str, Any]) -> Awaitable[Any]:
        """Ask something that the model does not hold (state, execution, development commands).

        Raises:
            ChainwsError: as the method defines.
        """
