"""The contracts of ONT and ONG: what each method demands, changes, tells and answers.

Whoever moves ONT lets both parties have the ONG that their ONT gave them until then. On networks
whose holders are given nothing any more, that ONG is theirs at once; else they may claim it from
ONT's contract by ``transferFrom``.

Allowances of zero are not kept, where the node keeps those that ``approve`` sets. Methods are all
there from the first block on. The other native contracts and governance's share of ONG are not
here, which is said.

Source: ``ontology.md`` 7 and 8.4; the node's ``native/ont``, ``native/ong``, ``native_service.go``
and ``smart_contract.go``, 26b5ad4f.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from twisted_chainws.chain.model import NamedEvent
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.ontology.address import encode_base58, encode_reversed
from twisted_chainws.dialects.ontology.binary_codec import encode_neo_integer
from twisted_chainws.dialects.ontology.script import NativeCall
from twisted_chainws.dialects.ontology.tokens import (
    GOVERNANCE_CONTRACT,
    METHODS,
    NATIVE_CONTRACTS,
    ONG_CONTRACT,
    ONT_CONTRACT,
    SCALE,
    TOKENS,
    AccountQuery,
    AllowanceQuery,
    Approval,
    ApprovedTransfer,
    ConstantQuery,
    Method,
    Token,
    Transfer,
    Transfers,
    decode_request,
    encode_answer,
    transfer_event,
)
from twisted_chainws.dialects.ontology.unbound import GENESIS_TIME, unbound_ong
from twisted_chainws.errors import ExecutionFailed, Unsupported
from twisted_chainws.sources.devchain.engine.ont_ledger import OntLedger

_YES: Final = b"\1"
_NO: Final = b"\0"
_INVOKE_FAILED: Final = "[Invoke] Native serivce function execute error!: "
_SCALED_DECIMALS: Final = 9
_MAX_U32: Final = 2**32 - 1
_MAX_WORD: Final = 2**256 - 1

_NAMES: Final = {address: name for name, address in NATIVE_CONTRACTS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """In what a contract is called.

    Attributes:
        ledger: is read and changed.
        witnesses: who agrees to what the script does.
        timestamp: of the block, seconds since the Unix epoch.
        deadline: see ``unbound.holder_deadline``.
        is_trial: nothing of this will stay; a clock that went back is no error then.
        events: what was told so far; more is added.
    """

    ledger: OntLedger
    witnesses: frozenset[Address20]
    timestamp: int
    deadline: int
    is_trial: bool
    events: list[NamedEvent] = field(default_factory=list)


def invoke(call: NativeCall, around: Surroundings) -> bytes:
    """Do what a native contract is called for, and return what it answers.

    Raises:
        ExecutionFailed: it fails, in the node's words; the ledger may be half changed.
        Unsupported: what is called for is not here.
    """
    token, method = TOKENS.get(call.contract), METHODS.get(call.method)
    if token is None:
        raise _no_contract(call.contract)
    if method is None:
        raise _no_method(call, token)
    try:
        return _Call(token, method, call, around).run()
    except ExecutionFailed as error:
        raise ExecutionFailed(reason=_INVOKE_FAILED + error.reason) from None


class _Call:
    """One call of one of the two contracts."""

    def __init__(
        self, token: Token, method: Method, call: NativeCall, around: Surroundings
    ) -> None:
        self._token = token
        self._method = method
        self._call = call
        self._around = around
        self._ledger = around.ledger

    def run(self) -> bytes:
        try:
            request = decode_request(self._method, self._call.arguments)
        except ValueError as error:
            what = _UNREADABLE[self._token.contract, _base_name(self._call.method)]
            raise ExecutionFailed(reason=f"{what} error!: {error}") from None
        return _HANDLERS[type(request)](self, request)

    def transfer(self, request: Transfers) -> bytes:
        told = []
        for item in request.items:
            if not item.amount:
                continue
            self._check_supply("transfer", item.amount)
            self._check_witness(item.source)
            self._move(item)
            told.append(transfer_event(self._token.contract, item))
        # Behind all that was released on the way: the call tells what it did when it is done.
        self._around.events.extend(told)
        return _YES

    def approve(self, request: Approval) -> bytes:
        self._check_supply("approve", request.amount)
        self._check_witness(request.owner)
        contract = self._token.contract
        self._ledger.set_allowance(contract, request.owner, request.spender, request.amount)
        return _YES

    def transfer_from(self, request: ApprovedTransfer) -> bytes:
        contract, item = self._token.contract, request.transfer
        if not item.amount:
            return _NO
        self._check_supply("transferFrom", item.amount)
        self._check_witness(request.spender)
        allowance = self._ledger.allowance(contract, item.source, request.spender)
        if allowance < item.amount:
            underflow = _underflow(allowance, item.amount)
            reason = f"[TransferFrom] approve balance insufficient: {underflow}"
            raise ExecutionFailed(reason=reason)
        left = allowance - item.amount
        self._ledger.set_allowance(contract, item.source, request.spender, left)
        self._move(item)
        self._around.events.append(transfer_event(contract, item))
        return _YES

    def account(self, request: AccountQuery) -> bytes:
        is_balance = _base_name(self._call.method) == "balanceOf"
        ask = self._ledger.balance if is_balance else self._ledger.allowances
        return encode_answer(self._method, ask(self._token.contract, request.account))

    def allowance(self, request: AllowanceQuery) -> bytes:
        found = self._ledger.allowance(self._token.contract, request.owner, request.spender)
        return encode_answer(self._method, found)

    def constant(self, _request: ConstantQuery) -> bytes:
        return _CONSTANTS[_base_name(self._call.method)](self._token, self._method)

    def _check_supply(self, doing: str, amount: int) -> None:
        token = self._token
        if amount > token.total_supply:
            raise ExecutionFailed(reason=_over_supply(token, self._method, doing, amount))

    def _check_witness(self, account: Address20) -> None:
        if account not in self._around.witnesses:
            raise ExecutionFailed(reason="authentication failed!")

    def _move(self, item: Transfer) -> None:
        ledger, contract = self._ledger, self._token.contract
        source_had = ledger.balance(contract, item.source)
        _take(ledger, contract, item.source, item.amount)
        target_had = ledger.balance(contract, item.target)
        _give(ledger, contract, item.target, item.amount)
        if contract == ONT_CONTRACT:
            _release(self._around, item.source, source_had)
            _release(self._around, item.target, target_had)


def _take(ledger: OntLedger, contract: Address20, account: Address20, amount: int) -> None:
    balance = ledger.balance(contract, account)
    if balance < amount:
        raise ExecutionFailed(
            reason=f"[Transfer] balance insufficient. contract:{encode_reversed(contract)}, "
            f"account:{encode_base58(account)}, fromBalance:{balance},value:{amount}, "
            f"err: {_underflow(balance, amount)}"
        )
    ledger.change_balance(contract, account, -amount)


def _give(ledger: OntLedger, contract: Address20, account: Address20, amount: int) -> None:
    # Only coin that came from nowhere can be so much.
    if ledger.balance(contract, account) + amount > _MAX_WORD:
        raise ExecutionFailed(reason="too large token balance")
    ledger.change_balance(contract, account, amount)


def _release(around: Surroundings, account: Address20, held: int) -> None:
    """Let an account have the ONG that its ONT gave since the last time.

    Args:
        around: of the call.
        account: whose ONT was just moved.
        held: its ONT before that.
    """
    ledger = around.ledger
    start, end = ledger.offset(account), min(around.timestamp, _MAX_U32) - GENESIS_TIME
    if end <= 0 or end == start:
        return
    if end < start:
        if around.is_trial:
            return
        reason = f"grant Ong error: wrong timestamp endOffset: {end} < startOffset: {start}"
        raise ExecutionFailed(reason=reason)
    whole = held // SCALE
    if whole:
        given = unbound_ong(whole, start, end, deadline=around.deadline) * SCALE
        claim = ledger.allowance(ONG_CONTRACT, ONT_CONTRACT, account) + given
        is_due = end > around.deadline and account != GOVERNANCE_CONTRACT
        ledger.set_allowance(ONG_CONTRACT, ONT_CONTRACT, account, 0 if is_due else claim)
        if is_due and claim:
            _pay_claim(around, account, claim)
    ledger.set_offset(account, end)


def _pay_claim(around: Surroundings, account: Address20, amount: int) -> None:
    try:
        _take(around.ledger, ONG_CONTRACT, ONT_CONTRACT, amount)
        _give(around.ledger, ONG_CONTRACT, account, amount)
    except ExecutionFailed as error:
        # It is a call of ONG's contract by ONT's.
        raise ExecutionFailed(reason=_INVOKE_FAILED + error.reason) from None
    item = Transfer(source=ONT_CONTRACT, target=account, amount=amount)
    around.events.append(transfer_event(ONG_CONTRACT, item))


def _base_name(method: str) -> str:
    return method.removesuffix("V2")


def _underflow(minuend: int, subtrahend: int) -> str:
    return f"balance sub underflow: a: {minuend}, b: {subtrahend}"


def _over_supply(token: Token, method: Method, doing: str, amount: int) -> str:
    """Say that there are not so many tokens, as unevenly as the node does.

    Scaled amounts stand in braces; where the node prints the address of one, here it stands itself.
    """
    shown, supply = f"{{{_show(amount)}}}", token.total_supply // SCALE
    if token.contract == ONG_CONTRACT:
        if doing == "approve":
            supply = token.total_supply
        elif doing == "transferFrom":
            doing = "approve"
    elif doing != "transfer" and not method.is_scaled:
        shown = str(amount // SCALE)
    return f"{doing} {token.symbol.lower()} amount:{shown} over totalSupply:{supply}"


def _show(amount: int) -> str:
    # Python writes no numbers of thousands of digits, and for others it takes long.
    return str(amount) if amount <= _MAX_WORD else f"2^{amount.bit_length() - 1} or more"


def _no_contract(contract: Address20) -> Exception:
    name = _NAMES.get(contract)
    if name is None:
        reason = f"Native contract address {contract.hex()} haven't been registered."
        return ExecutionFailed(reason=reason)
    return Unsupported(reason=f"the native contract {name} is not on this chain")


def _no_method(call: NativeCall, token: Token) -> Exception:
    if call.method == "init":
        what = f"Init {token.symbol.lower()} has been completed!"
        return ExecutionFailed(reason=_INVOKE_FAILED + what)
    if call.method == "unboundOngToGovernance" and token.contract == ONT_CONTRACT:
        return Unsupported(reason="governance is given no ONG on this chain")
    return ExecutionFailed(
        reason=f"Native contract {call.contract.hex()} doesn't support this function {call.method}."
    )


_STATES_UNREADABLE: Final = {
    "transferFrom": "[OntTransferFrom] State deserialize",
    "balanceOf": "[GetBalanceValue] get from address",
    "allowance": "[GetBalanceValue] get from address",
    "totalAllowance": "[TotalAllowance] get from address",
}

_UNREADABLE: Final[Mapping[tuple[Address20, str], str]] = {
    **{(token, name): text for token in TOKENS for name, text in _STATES_UNREADABLE.items()},
    (ONT_CONTRACT, "transfer"): "[Transfer] TransferStates deserialize",
    (ONG_CONTRACT, "transfer"): "[OngTransfer] TransferStates deserialize",
    (ONT_CONTRACT, "approve"): "[OntApprove] state deserialize",
    (ONG_CONTRACT, "approve"): "[OngApprove] state deserialize",
}
"""Contract and first version of a method -> what is said of arguments that cannot be read."""

_CONSTANTS: Final[Mapping[str, Callable[[Token, Method], bytes]]] = {
    "name": lambda token, _: token.name.encode(),
    "symbol": lambda token, _: token.symbol.encode(),
    "decimals": lambda token, method: encode_neo_integer(
        token.decimals + _SCALED_DECIMALS * method.is_scaled
    ),
    "totalSupply": lambda token, method: encode_answer(method, token.total_supply),
}

_HANDLERS: Final[Mapping[type, Callable[[_Call, Any], bytes]]] = {
    Transfers: _Call.transfer,
    Approval: _Call.approve,
    ApprovedTransfer: _Call.transfer_from,
    AccountQuery: _Call.account,
    AllowanceQuery: _Call.allowance,
    ConstantQuery: _Call.constant,
}
