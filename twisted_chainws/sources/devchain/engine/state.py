"""States to read from, to call on, and to edit between blocks."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from eth.abc import BlockHeaderAPI, StateAPI
from eth.constants import BLANK_ROOT_HASH
from eth_typing import Address

from twisted_chainws.sources.devchain.engine.head import LEDGER_ADDRESS, DevChain
from twisted_chainws.sources.devchain.engine.vm import DevState

_KEPT_STATES = 4
_READS_PER_STATE = 20_000

Change = Callable[[StateAPI], None]


def state_at(
    chain: DevChain,
    header: BlockHeaderAPI,
    root: bytes,
    *,
    env: Mapping[str, Any] | None = None,
    state_class: type[DevState] | None = None,
) -> DevState:
    """Return a throw-away state; nothing done to it is written anywhere.

    Args:
        chain: over the database to read.
        header: whose number, time and ancestors the code sees.
        root: state root, which may differ from the header's after an edit.
        env: header fields to replace (``base_fee_per_gas``, ``timestamp`` …).
        state_class: what to make; None takes that of the block's fork.
    """
    vm = chain.get_vm(header)
    context = vm.create_execution_context(
        header.copy(**env) if env else header,
        vm.previous_hashes,
        vm.chain_context,
    )
    made: DevState = (state_class or vm.get_state_class())(chain.chaindb.db, context, root)
    return made


class StateReader:
    """Reads accounts of one state."""

    def __init__(self, state: StateAPI) -> None:
        """Read from ``state``, which nobody may change."""
        self.state = state
        self.reads = 0

    def balance(self, address: bytes) -> int:
        """Return the balance, wei; 0 for an absent account."""
        self.reads += 1
        return int(self.state.get_balance(Address(address)))

    def nonce(self, address: bytes) -> int:
        """Return the nonce; 0 for an absent account."""
        self.reads += 1
        return int(self.state.get_nonce(Address(address)))

    def code(self, address: bytes) -> bytes:
        """Return the code; empty without any."""
        self.reads += 1
        return bytes(self.state.get_code(Address(address)))

    def storage(self, address: bytes, slot: int) -> int:
        """Return a storage word as an integer; 0 when never written."""
        self.reads += 1
        return int(self.state.get_storage(Address(address), slot))


class ReaderCache:
    """Keeps the readers of the last few states: a warm balance costs half a microsecond."""

    def __init__(self) -> None:
        """Start empty."""
        self._readers: OrderedDict[bytes, StateReader] = OrderedDict()

    def get(self, root: bytes, make: Callable[[], StateAPI]) -> StateReader:
        """Return the reader of a state root, made by ``make`` when it is not kept."""
        reader = self._readers.get(root)
        # A state remembers every account it was asked for, so it is replaced in time.
        if reader is None or reader.reads > _READS_PER_STATE:
            reader = self._readers[root] = StateReader(make())
        self._readers.move_to_end(root)
        while len(self._readers) > _KEPT_STATES:
            self._readers.popitem(last=False)
        return reader

    def clear(self) -> None:
        """Forget all."""
        self._readers.clear()


def edit_state(chain: DevChain, header: BlockHeaderAPI, root: bytes, change: Change) -> bytes:
    """Apply ``change`` on top of ``root``, write the nodes and return the new root.

    Accounts that the change leaves empty are removed (EIP-161); an exception of ``change`` leaves
    everything as it was. Never interrupt this.
    """
    state = state_at(chain, header, root)
    change(state)
    keep_ledger(state)
    _drop_empty_accounts(state)
    state.persist()
    return bytes(state.state_root)


def keep_ledger(state: StateAPI) -> None:
    """Give the ledger account nonce 1 if it has none.

    With nonce 0, no balance and no code it counts as empty, and the first contract that calls the
    precompile at its address would delete it together with its storage.
    """
    if state.get_nonce(Address(LEDGER_ADDRESS)) == 0:
        state.set_nonce(Address(LEDGER_ADDRESS), 1)


def _drop_empty_accounts(state: DevState) -> None:
    accounts: Any = state._account_db  # noqa: SLF001
    for key in tuple(accounts._journaltrie.diff().pending_keys()):  # noqa: SLF001
        address = Address(key)
        has_storage = (
            address in accounts._dirty_accounts  # noqa: SLF001
            or accounts._get_storage_root(address) != BLANK_ROOT_HASH  # noqa: SLF001
        )
        if not has_storage and state.account_is_empty(address):
            state.delete_account(address)
