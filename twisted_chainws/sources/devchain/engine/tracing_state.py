"""``prestateTracer``: the accounts and slots that a transaction touched, before it and after.

Source: go-ethereum eth/tracers/native/prestate.go, 02b73d4e. One thing differs: there an account
that exists neither before nor after counts as changed, with a code hash of zeros.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import orjson
import rlp
from eth._utils.address import generate_contract_address, generate_safe_contract_address
from eth.vm.forks.cancun.state import CancunState
from eth.vm.forks.prague.constants import (
    DELEGATION_DESIGNATION_PREFIX,
    MAGIC,
    SET_CODE_TRANSACTION_TYPE,
)
from eth_hash.auto import keccak
from eth_keys import keys
from eth_typing import Address

from twisted_chainws.sources.devchain.engine.opcode_names import CODES
from twisted_chainws.sources.devchain.engine.tracing import (
    CALLS,
    CREATE,
    CREATE2,
    SELFDESTRUCT,
    Budget,
    Context,
    Frame,
    Tracer,
    to_address,
    to_int,
)

_STORAGE: Final = frozenset(CODES[name] for name in ("SLOAD", "SSTORE"))
_LOOKS: Final = frozenset(
    CODES[name] for name in ("EXTCODECOPY", "EXTCODEHASH", "EXTCODESIZE", "BALANCE", "SELFDESTRUCT")
)
_CALL_ARGUMENTS: Final = 5
_CREATE2_ARGUMENTS: Final = 4
_DELEGATION_BYTES: Final = 23
_EMPTY_HASH: Final = keccak(b"")
_MOST_INIT_CODE: Final = 1 << 20
"""A creation from so much memory that has not been paid for yet fails; it is not looked at."""
_ACCOUNT_BYTES: Final = 300
_SLOT_BYTES: Final = 140


@dataclass(frozen=True, slots=True, kw_only=True)
class StateOptions:
    """What ``prestateTracer`` shows.

    Attributes:
        diff: what changed, before and after, instead of all that was touched.
        code: the code of accounts.
        storage: their slots.
        include_empty: also accounts that were nothing before.
    """

    diff: bool = False
    code: bool = True
    storage: bool = True
    include_empty: bool = False


@dataclass(slots=True)
class _Account:
    balance: int
    nonce: int
    code: bytes
    slots: dict[int, int] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not (self.balance or self.nonce or self.code)


class StateTracer(Tracer):
    """Looks at each account and slot when it is first touched."""

    steps = _STORAGE | _LOOKS | CALLS | {CREATE, CREATE2}

    def __init__(self, options: StateOptions, budget: Budget) -> None:
        """Look at what ``options`` say, as long as ``budget`` lasts."""
        self._options = options
        self._budget = budget
        self._state: Any = None
        self._pre: dict[bytes, _Account] = {}
        self._created: set[bytes] = set()
        self._deleted: set[bytes] = set()
        self._fresh: list[tuple[bytes, int | None]] = []
        self._fresh_marks: list[tuple[set[bytes], bytes]] = []
        self._result = "{}"

    def begin(self, context: Context) -> None:
        """Look at sender, recipient, coinbase and those who authorise something."""
        self._state = state = context.state
        transaction = context.transaction
        sender = bytes(transaction.sender)
        if transaction.to:
            to = bytes(transaction.to)
            self._look_at_delegate(to)
        else:
            to = generate_contract_address(Address(sender), state.get_nonce(Address(sender)))
            self._created.add(to)
        for address in (sender, to, bytes(state.coinbase)):
            self._look(address)
        for authorization in _authorizations(transaction):
            authority = _authority(authorization)
            if authority is not None:
                self._look(authority)

    def step(self, opcode: int, computation: Any) -> None:
        """Look at what the opcode is going to touch."""
        self._fresh.clear()
        self._fresh_marks.clear()
        values = computation._stack.values  # noqa: SLF001
        address = computation.msg.storage_address
        if opcode in _STORAGE and values:
            self._look_in(address, to_int(values[-1]))
        elif opcode in _LOOKS and values:
            self._look(to_address(values[-1]))
            if opcode == SELFDESTRUCT and self._is_deleted(address):
                self._mark(self._deleted, address)
        elif opcode in CALLS and len(values) >= _CALL_ARGUMENTS:
            self._look(to_address(values[-2]))
            self._look_at_delegate(to_address(values[-2]))
        elif opcode == CREATE:
            nonce = computation.state.get_nonce(address)
            self._look_at_new(generate_contract_address(address, nonce))
        elif opcode == CREATE2 and len(values) >= _CREATE2_ARGUMENTS:
            self._look_at_create2(computation, address, values)

    def charged(self, computation: Any, cost: int, error: str | None) -> None:  # noqa: ARG002
        """Take back what an opcode would have touched that does not run."""
        if error is None:
            return
        for address, slot in self._fresh:
            if slot is None:
                del self._pre[address]
            elif address in self._pre:
                del self._pre[address].slots[slot]
        for marks, address in self._fresh_marks:
            marks.discard(address)

    def end(self, top: Frame) -> None:  # noqa: ARG002
        """Compare, while the state is there."""
        options = self._options
        if options.diff:
            post, pre = self._compare()
            shapes = {"post": post, "pre": pre}
            text = orjson.dumps(shapes, option=orjson.OPT_SORT_KEYS)
        else:
            shown = {
                f"0x{address.hex()}": self._shape(account)
                for address, account in self._pre.items()
                if options.include_empty or not account.is_empty
            }
            text = orjson.dumps(shown, option=orjson.OPT_SORT_KEYS)
        self._result = text.decode()

    def result(self) -> str:
        """Return address -> account, or such maps as ``pre`` and ``post``."""
        return self._result

    # Looking

    def _look(self, address: bytes) -> None:
        if address in self._pre:
            return
        key = Address(address)
        code = bytes(self._state.get_code(key))
        self._budget.take(_ACCOUNT_BYTES + 2 * len(code))
        self._pre[address] = _Account(
            balance=self._state.get_balance(key), nonce=self._state.get_nonce(key), code=code
        )
        self._fresh.append((address, None))

    def _look_in(self, address: bytes, slot: int) -> None:
        account = self._pre.get(address)
        if not self._options.storage or account is None or slot in account.slots:
            return
        self._budget.take(_SLOT_BYTES)
        account.slots[slot] = self._state.get_storage(Address(address), slot)
        self._fresh.append((address, slot))

    def _look_at_delegate(self, address: bytes) -> None:
        code = bytes(self._state.get_code(Address(address)))
        if code.startswith(DELEGATION_DESIGNATION_PREFIX) and len(code) == _DELEGATION_BYTES:
            self._look(code[len(DELEGATION_DESIGNATION_PREFIX) :])

    def _look_at_new(self, address: bytes) -> None:
        self._look(address)
        self._mark(self._created, address)

    def _look_at_create2(self, computation: Any, address: bytes, values: list[Any]) -> None:
        offset, size, salt = (to_int(item) for item in values[-2:-5:-1])
        if size > len(computation._memory) and size > _MOST_INIT_CODE:  # noqa: SLF001
            return
        code = computation.memory_read_bytes(offset, size).ljust(size, b"\0")
        self._look_at_new(generate_safe_contract_address(address, salt, code))

    def _is_deleted(self, address: bytes) -> bool:
        """Tell whether self-destruction deletes: since Cancun only what is new (EIP-6780)."""
        return address in self._created or not isinstance(self._state, CancunState)

    def _mark(self, marks: set[bytes], address: bytes) -> None:
        if address not in marks:
            marks.add(address)
            self._fresh_marks.append((marks, address))

    # Showing

    def _shape(self, account: _Account) -> dict[str, Any]:
        shape: dict[str, Any] = {"balance": hex(account.balance)}
        if account.code and self._options.code:
            shape["code"] = f"0x{account.code.hex()}"
        if account.code:
            shape["codeHash"] = f"0x{keccak(account.code).hex()}"
        if account.nonce:
            shape["nonce"] = account.nonce
        if account.slots:
            shape["storage"] = _slots(account.slots)
        return shape

    def _compare(self) -> tuple[dict[str, Any], dict[str, Any]]:
        post: dict[str, Any] = {}
        pre: dict[str, Any] = {}
        for address, account in self._pre.items():
            name = f"0x{address.hex()}"
            if address not in self._deleted:
                change = self._change(address, account)
                if change is None:
                    continue
                post[name] = change
            if not account.is_empty:
                pre[name] = self._shape(account)
        return post, pre

    def _change(self, address: bytes, account: _Account) -> dict[str, Any] | None:
        """Return how an account differs now, None if it does not; unchanged slots are dropped."""
        state, key = self._state, Address(address)
        balance, nonce, code = state.get_balance(key), state.get_nonce(key), state.get_code(key)
        change: dict[str, Any] = {}
        if balance != account.balance:
            change["balance"] = hex(balance)
        if code != account.code:
            change["codeHash"] = f"0x{(keccak(code) if code else _EMPTY_HASH).hex()}"
            if self._options.code:
                change["code"] = f"0x{code.hex()}"
        modified = bool(change) or nonce != account.nonce
        if nonce and nonce != account.nonce:
            change["nonce"] = nonce
        now = {slot: state.get_storage(key, slot) for slot in account.slots}
        changed = {slot for slot, word in now.items() if word != account.slots[slot]}
        written = {slot: now[slot] for slot in changed if now[slot]}
        account.slots = {
            slot: word for slot, word in account.slots.items() if word and slot in changed
        }
        if written:
            change["storage"] = _slots(written)
        return change if modified or changed else None


def _slots(slots: dict[int, int]) -> dict[str, str]:
    return {f"0x{slot:064x}": f"0x{word:064x}" for slot, word in slots.items()}


def _authorizations(transaction: Any) -> Any:
    if transaction.type_id != SET_CODE_TRANSACTION_TYPE:
        return ()
    return transaction.authorization_list


def _authority(authorization: Any) -> bytes | None:
    """Recover who signed an authorization; None when nobody can have."""
    item = authorization
    message = MAGIC + rlp.encode([item.chain_id, item.address, item.nonce])
    try:
        signature = keys.Signature(vrs=(item.y_parity, item.r, item.s))
        return bytes(signature.recover_public_key_from_msg(message).to_canonical_address())
    except Exception:  # noqa: BLE001 - whatever the numbers are, they come from strangers
        return None
