"""Making blocks: choosing transactions, drafting, moving the head.

A block of little gas is tried in place for a moment; else a child drafts and seals it and hands
over what it wrote. A transaction that runs too long is left out and the draft begun again.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeAlias

from eth_utils import keccak

from twisted_chainws.chain.model import Block
from twisted_chainws.errors import (
    BlockGasLimitExceeded,
    BuildTimeout,
    TransactionRejected,
    Unsupported,
)
from twisted_chainws.sources.devchain.engine.draft import Draft
from twisted_chainws.sources.devchain.engine.hub import Hub
from twisted_chainws.sources.devchain.engine.jobs import Job, Progress, Stuck
from twisted_chainws.sources.devchain.engine.limit import TimeUp, within
from twisted_chainws.sources.devchain.engine.mempool import Entry, Selection

_CHEAP_GAS: Final = 1_000_000
_CHEAP_COUNT: Final = 8
_IN_PLACE_S: Final = 0.010
"""How long a cheap block may keep reads waiting before a child takes over."""


Run: TypeAlias = Callable[[Callable[[], Any], bytes], Any]
"""Does the work of one transaction, whose hash is the second argument."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """A sealed block that is not the head yet.

    Attributes:
        refused: hashes of transactions that turned out not to be executable.
        slow: hashes of transactions that ran past the limit.
    """

    block: Block
    refused: frozenset[bytes]
    slow: frozenset[bytes]


class Builder:
    """Makes blocks of what the pool holds."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def header_fields(self) -> dict[str, Any]:
        """Return what the header of the next block says, for ``Engine.draft``."""
        hub, control = self._hub, self._hub.control
        mix_hash = control.next_prev_randao
        return {
            "timestamp": hub.next_timestamp(),
            "gas_limit": control.gas_limit,
            "coinbase": control.coinbase,
            "mix_hash": mix_hash or self.mix_hash(hub.engine.height + 1),
            "base_fee": control.next_base_fee,
        }

    def mix_hash(self, number: int) -> bytes:
        """Return what PREVRANDAO is in a block, 32 bytes, other ones on each branch."""
        control = self._hub.control
        salt = number.to_bytes(8, "big") + control.branches.to_bytes(8, "big")
        return bytes(keccak(control.randomness + salt))

    def next_base_fee(self) -> int:
        """Return the base fee of the next block, wei."""
        fee = self._hub.control.next_base_fee
        return self._hub.engine.next_base_fee(self._hub.engine.head) if fee is None else fee

    def next_blob_base_fee(self) -> int:
        """Return the price of blob gas in the next block, wei."""
        return self._hub.engine.next_blob_base_fee(self._hub.engine.head)

    def fill(
        self,
        draft: Draft,
        skip: frozenset[bytes],
        run: Run,
    ) -> frozenset[bytes]:
        """Add executable transactions by tip and arrival until none fits.

        Those of the EVM come first; what a sender has behind one of another family waits for the
        next block if it is for the EVM again.

        Args:
            draft: to fill.
            skip: hashes to leave out.
            run: calls its first argument, given the hash as the second.

        Returns:
            The hashes of transactions that turned out not to be executable.
        """
        fees = {
            "base_fee": draft.header.base_fee_per_gas,
            "blob_base_fee": self.next_blob_base_fee(),
        }
        filling = _Filling(draft, skip, run)
        foreign = filling.take(self._hub.pool.select(**fees), foreign=False)
        filling.take(Selection(foreign, **fees), foreign=True)
        return frozenset(filling.refused)

    def mine(self, *, empty: bool) -> Generator[Job, Any, Block | None]:
        """Make the next block of what the pool holds, and make it the head, uncommitted.

        Args:
            empty: whether a block without transactions is worth it.

        Returns:
            The block, or None when it would have been empty.

        Raises:
            BuildTimeout: nothing but transactions that run too long.
        """
        hub = self._hub
        fields, now = self.header_fields(), hub.now()
        if not empty and not hub.pool.select(
            base_fee=self.next_base_fee(), blob_base_fee=self.next_blob_base_fee()
        ):
            return None
        assembly = yield from self.build(partial(self._assemble, fields))
        for transaction_hash in (*assembly.refused, *assembly.slow):
            hub.pool.remove(transaction_hash)
        if not empty and not assembly.block.transactions:
            hub.engine.rollback()
            if assembly.slow:
                hub.commit()
                raise BuildTimeout(timeout_s=hub.settings.build_timeout_s)
            return None
        # A child's memory is gone: without this the block would be decoded and recovered again.
        hub.engine.keep_block(assembly.block)
        hub.move_head(assembly.block.hash)
        hub.control = hub.control.after_block(timestamp=fields["timestamp"], now=now)
        senders = {item.sender for item in assembly.block.transactions}
        hub.pool.refresh(senders, hub.balance_of)
        block: Block = assembly.block
        return block

    def build(
        self, assemble: Callable[[frozenset[bytes], Progress | None], Any]
    ) -> Generator[Job, Any, Any]:
        """Run ``assemble(skip, progress)`` as a job until no transaction gets stuck."""
        stuck: frozenset[bytes] = frozenset()
        cheap = self._is_cheap()
        if not cheap:
            # The pool's news need not wait for a block that takes long.
            self._hub.commit()
        while True:
            job = Job(
                run=partial(assemble, stuck),
                killed=Stuck,
                timeout_s=self._hub.settings.build_timeout_s,
                in_place=cheap,
                writes=True,
            )
            try:
                return (yield job)
            except Stuck as error:
                if error.transaction_hash in stuck | {b""}:
                    timeout_s = self._hub.settings.build_timeout_s
                    raise BuildTimeout(timeout_s=timeout_s) from None
                stuck |= {error.transaction_hash}

    def _is_cheap(self) -> bool:
        gas = 0
        for count, entry in enumerate(self._hub.pool.entries()):
            gas += entry.gas
            if count >= _CHEAP_COUNT or gas > _CHEAP_GAS:
                return False
        return True

    def _assemble(
        self, fields: dict[str, Any], skip: frozenset[bytes], progress: Progress | None
    ) -> Assembly:
        hub = self._hub
        slow = skip
        while True:
            draft = hub.engine.draft(hub.engine.head_hash, **fields)
            try:
                if progress is None:
                    refused = within(_IN_PLACE_S, partial(self.fill, draft, slow, _just_run))
                else:
                    watch = Watch(progress, hub.settings.build_timeout_s)
                    refused = self.fill(draft, slow, watch.run)
            except TimeUp:
                if progress is None:
                    raise
                slow |= {watch.current}
                continue
            return Assembly(block=draft.seal(), refused=refused, slow=slow)


class _Filling:
    """Moves transactions from a selection into a draft.

    Attributes:
        refused: hashes of those that turned out not to be executable.
    """

    def __init__(self, draft: Draft, skip: frozenset[bytes], run: Run) -> None:
        self._draft = draft
        self._skip = skip
        self._run = run
        self.refused: set[bytes] = set()

    def take(self, selection: Selection, *, foreign: bool) -> list[list[Entry]]:
        """Add the transactions of the EVM, or those of the other families, until none fits.

        Returns:
            What the senders have from their first transaction of the other sort on.
        """
        others: list[list[Entry]] = []
        while selection and self._draft.gas_left:
            entry = selection.peek()
            if entry.is_foreign != foreign:
                others.append(selection.skip())
            elif entry.hash in self._skip or not self._add(entry):
                selection.skip()
            else:
                selection.take()
        return others

    def _add(self, entry: Entry) -> bool:
        draft, native = self._draft, entry.native
        add = (
            partial(draft.native, native.operation())
            if entry.is_foreign
            else partial(draft.add, native)
        )
        try:
            self._run(add, entry.hash)
        except BlockGasLimitExceeded:
            return False
        except (TransactionRejected, Unsupported):
            self.refused.add(entry.hash)
            return False
        return True


class Watch:
    """Runs transactions in a child, each within its limit, and reports which."""

    def __init__(self, progress: Progress, timeout_s: float) -> None:
        self._progress = progress
        self._timeout_s = timeout_s
        self.current = b""

    def report(self, transaction_hash: bytes) -> None:
        """Tell which transaction runs now; 32 zero bytes stand for none."""
        self.current = transaction_hash
        self._progress(transaction_hash or bytes(32))

    def run(self, work: Callable[[], Any], transaction_hash: bytes) -> Any:
        """Do the work of one transaction.

        Raises:
            TimeUp: it ran past the limit; ``current`` tells which.
        """
        self.report(transaction_hash)
        return within(self._timeout_s, work)


def _just_run(work: Callable[[], Any], _hash: bytes) -> Any:
    return work()
