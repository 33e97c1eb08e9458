"""`Engine`: blocks, head, edits, calls and control state over one SQLite file.

No pool, no clock, no commands: those are `mempool` and `node`. Work that may be interrupted
(`limit.within`) is `call`, `estimate`, `access_list` and `Draft.add`; never `seal`, `edit`,
`set_head` or `commit`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from eth.abc import BlockHeaderAPI, SignedTransactionAPI, StateAPI, WithdrawalAPI

from twisted_chainws.sources.devchain.engine import convert, proofs
from twisted_chainws.sources.devchain.engine.calls import CallSite, run
from twisted_chainws.sources.devchain.engine.database import OverlayDB
from twisted_chainws.sources.devchain.engine.decode import decode_transaction
from twisted_chainws.sources.devchain.engine.draft import Draft, DraftFields
from twisted_chainws.sources.devchain.engine.dumping import dump_accounts
from twisted_chainws.sources.devchain.engine.estimate import (
    AccessListResult,
    access_list,
    estimate,
)
from twisted_chainws.sources.devchain.engine.head import DevChain, open_chain
from twisted_chainws.sources.devchain.engine.replay import Replay, decode_block
from twisted_chainws.sources.devchain.engine.requests import (
    parse_block_overrides,
    parse_call,
    parse_state_overrides,
)
from twisted_chainws.sources.devchain.engine.simulate import Simulation
from twisted_chainws.sources.devchain.engine.simulate_block import Mode, SimulatedBlock
from twisted_chainws.sources.devchain.engine.simulate_plan import plan_blocks
from twisted_chainws.sources.devchain.engine.state import StateReader, state_at
from twisted_chainws.sources.devchain.engine.store import BlockStore
from twisted_chainws.sources.devchain.engine.vm import TransactionFields, unsigned

Json = Mapping[str, Any]
Place = bytes | Draft
"""A block hash, or a sealed ephemeral draft (the pending block)."""


class Engine(BlockStore):
    """One development chain in one file."""

    # Building

    def draft(
        self,
        parent_hash: bytes,
        *,
        timestamp: int,
        gas_limit: int,
        coinbase: bytes,
        mix_hash: bytes,
        base_fee: int | None = None,
        extra_data: bytes = b"",
        beacon_root: bytes = bytes(32),
        withdrawals: tuple[WithdrawalAPI, ...] = (),
        ephemeral: bool = False,
    ) -> Draft:
        """Start a block on any kept block.

        Args:
            parent_hash: of the parent.
            timestamp: seconds, not below the parent's.
            gas_limit: of the new block.
            coinbase: 20 bytes.
            mix_hash: 32 bytes, what PREVRANDAO returns.
            base_fee: wei; None follows EIP-1559.
            extra_data: up to 32 bytes.
            beacon_root: 32 bytes, the parent beacon block root.
            withdrawals: paid at the end of the block.
            ephemeral: nothing of the draft is ever written, not even when it is sealed; such a
                sealed draft serves as the pending block.

        Raises:
            UnknownBlockHash: there is no such parent.
        """
        parent = self.header(parent_hash)
        chain = self._chain
        if ephemeral:
            chain = self._overlay(chain)
        fields = DraftFields(
            timestamp=timestamp,
            gas_limit=gas_limit,
            coinbase=coinbase,
            mix_hash=mix_hash,
            base_fee=base_fee,
            extra_data=extra_data,
            beacon_root=beacon_root,
            withdrawals=withdrawals,
        )
        sealed = None if ephemeral else self.keep_block
        return Draft(chain, parent, self.root(parent_hash), fields, on_sealed=sealed)

    # Reads

    def read(self, at: Place) -> StateReader:
        """Return a reader of the state at a block.

        Raises:
            UnknownBlockHash: there is no such block.
        """
        chain, header, root = self._place(at)
        if chain is not self._chain:
            return StateReader(state_at(chain, header, root))
        return self._readers.get(root, lambda: state_at(chain, header, root))

    def trial(self, at: Place) -> StateAPI:
        """Return a state to be spoiled: of a block that follows one, a second later, at once.

        Raises:
            UnknownBlockHash: there is no such block.
        """
        chain, header, root = self._place(at)
        env = {"block_number": header.block_number + 1, "timestamp": header.timestamp + 1}
        return state_at(chain, header, root, env=env)

    def proof(self, address: bytes, slots: Sequence[int], at: Place) -> proofs.AccountProof:
        """Prove an account and slots against the state at a block.

        Raises:
            UnknownBlockHash: there is no such block.
        """
        chain, _, root = self._place(at)
        return proofs.prove(chain, root, address, slots)

    def call(
        self,
        call: Json,
        at: Place,
        *,
        gas_cap: int,
        state_overrides: Json | None = None,
        block_overrides: Json | None = None,
    ) -> bytes:
        """Run a call and return its output.

        Args:
            call: normalised call object, see `requests`.
            at: the block.
            gas_cap: the highest gas limit, and the limit when the call names none.
            state_overrides: accounts to replace for this call.
            block_overrides: header fields to replace for this call.

        Raises:
            ExecutionReverted: with the revert data.
            ExecutionFailed: any other EVM failure.
            PrecheckFailed: refused before the first opcode.
            InvalidOverride: the overrides contradict each other.
            UnknownBlockHash: there is no such block.
        """
        request = parse_call(call)
        site = self._site(at, state_overrides, block_overrides)
        outcome = run(site, request, min(request.gas or gas_cap, gas_cap))
        if outcome.error is not None:
            raise outcome.error
        return outcome.output

    def estimate(
        self,
        call: Json,
        at: Place,
        *,
        gas_cap: int,
        state_overrides: Json | None = None,
        block_overrides: Json | None = None,
    ) -> int:
        """Return a gas limit for a call, at most 1.5 % above the least one; args as `call`.

        Raises:
            ExecutionReverted: it reverts with any gas.
            ExecutionFailed: it fails for another reason than gas.
            GasAllowanceExceeded: no allowed limit is enough.
            EstimateFailed: refused before the first opcode.
            InvalidOverride: the overrides contradict each other.
            UnknownBlockHash: there is no such block.
        """
        site = self._site(at, state_overrides, block_overrides)
        return estimate(site, parse_call(call), gas_cap)

    def access_list(
        self,
        call: Json,
        at: Place,
        *,
        gas_cap: int,
        state_overrides: Json | None = None,
        block_overrides: Json | None = None,
    ) -> AccessListResult:
        """Return the access list of a call; args as `call`.

        Raises:
            PrecheckFailed: refused before the first opcode.
            InvalidOverride: the overrides contradict each other.
            UnknownBlockHash: there is no such block.
        """
        request = parse_call(call)
        site = self._site(at, state_overrides, block_overrides)
        return access_list(site, request, min(request.gas or gas_cap, gas_cap))

    def dump_accounts(self) -> dict[str, dict[str, Any]]:
        """List the state at the head, see `dumping.dump_accounts`.

        Raises:
            ExecutionFailed: the file is older than its list of names.
        """
        return dump_accounts(self._db, self.root(self.head_hash))

    def simulate(
        self, blocks: Sequence[Json], at: Place, *, mode: Mode, gas_cap: int
    ) -> list[SimulatedBlock]:
        """Make blocks of calls on top of a block; nothing of them is kept.

        Args:
            blocks: normalised ``blockStateCalls``, see `simulate_plan`.
            at: the block to build on.
            mode: what is asked for.
            gas_cap: the most gas of all calls together.

        Raises:
            SimulationRefused: its subclass that names the rule, or itself.
            InvalidOverride: the overrides contradict each other.
            Unsupported: a call in a block of rules before Prague.
            UnknownBlockHash: there is no such block.
        """
        chain, header, root = self._place(at)
        planned = plan_blocks(blocks, number=header.block_number, timestamp=header.timestamp)
        simulation = Simulation(self._overlay(chain), header, root, mode=mode, gas_cap=gas_cap)
        return simulation.run(planned)

    # Traces

    def replay(self, at: Place) -> Replay:
        """Prepare to run the EVM transactions of a block again, one after the other.

        Raises:
            UnknownBlockHash: there is no such block.
        """
        if isinstance(at, Draft):
            return Replay(at.chain, at.chain.block(at.header), at.base_root)
        header = self.header(at)
        return Replay(self._chain, self._chain.block(header), self.base_root(at))

    def replay_aside(self, block_hash: bytes) -> tuple[Replay, DevChain]:
        """Do the same on a chain that is thrown away and takes the states in between.

        Raises:
            UnknownBlockHash: there is no such block.
        """
        chain, header = self._overlay(self._chain), self.header(block_hash)
        return Replay(chain, chain.block(header), self.base_root(block_hash)), chain

    def replay_raw(self, raw: bytes) -> tuple[Replay, BlockHeaderAPI]:
        """Prepare to run a block that comes as RLP; return its header, too.

        Raises:
            ExecutionFailed: it is no block.
            UnknownBlockHash: there is no parent of it.
        """
        block = decode_block(self._chain, raw)
        if self.is_kept(block.hash):
            return self.replay(block.hash), block.header
        root = self.root(block.header.parent_hash)
        return Replay(self._chain, block, root), block.header

    def call_site(
        self,
        at: Place,
        state_overrides: Json | None,
        block_overrides: Json | None,
        *,
        between: tuple[DevChain, bytes] | None = None,
    ) -> CallSite:
        """Return where calls run.

        Args:
            at: the block.
            state_overrides: accounts to replace.
            block_overrides: header fields to replace.
            between: chain and state root to use instead of the block's own.

        Raises:
            UnknownBlockHash: there is no such block.
        """
        site = self._site(at, state_overrides, block_overrides)
        return site if between is None else replace(site, chain=between[0], root=between[1])

    # Transactions and fees

    @staticmethod
    def decode(raw: bytes) -> SignedTransactionAPI:
        """Decode a signed transaction; a blob transaction may come with its sidecar.

        Raises:
            UndecodableTransaction: not RLP, or not the fields of its type.
            UnsupportedTransactionType: an unknown envelope.
            TransactionTooShort: an envelope without content.
        """
        return decode_transaction(raw)

    @staticmethod
    def unsigned(fields: TransactionFields | Json, sender: bytes) -> SignedTransactionAPI:
        """Make a transaction with a marked signature, for impersonation.

        Args:
            fields: or a mapping of its attributes.
            sender: 20 bytes.
        """
        if not isinstance(fields, TransactionFields):
            fields = TransactionFields(**fields)
        return unsigned(fields, sender)

    next_base_fee = staticmethod(convert.next_base_fee)

    # Inside

    def _overlay(self, chain: DevChain) -> DevChain:
        return open_chain(OverlayDB(chain.chaindb.db), self.chain_id, self.forks)

    def _place(self, at: Place) -> tuple[DevChain, BlockHeaderAPI, bytes]:
        if isinstance(at, Draft):
            return at.chain, at.header, bytes(at.header.state_root)
        return self._chain, self.header(at), self.root(at)

    def _site(
        self, at: Place, state_overrides: Json | None, block_overrides: Json | None
    ) -> CallSite:
        chain, header, root = self._place(at)
        return CallSite(
            chain=chain,
            header=header,
            root=root,
            accounts=parse_state_overrides(state_overrides),
            block=parse_block_overrides(block_overrides),
        )
