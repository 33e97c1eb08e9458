"""States in which some accounts have ONT and ONG, and transactions for them."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from eth.abc import StateAPI
from eth.db.atomic import AtomicDB
from eth_typing import Address

from tests.sources.devchain.engine.building import genesis
from twisted_chainws.chain.model import NamedEvent
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.ontology.address import encode_base58
from twisted_chainws.dialects.ontology.script import build_call
from twisted_chainws.dialects.ontology.tokens import ONG_CONTRACT, ONT_CONTRACT
from twisted_chainws.dialects.ontology.transaction import Invoke, Transaction, TransactionType
from twisted_chainws.dialects.ontology.unbound import GENESIS_TIME
from twisted_chainws.dialects.ontology.values import Array, Struct, Value
from twisted_chainws.sources.devchain.accounts import WELL_KNOWN_ACCOUNTS
from twisted_chainws.sources.devchain.engine.head import LEDGER_ADDRESS, DevChain, create_chain
from twisted_chainws.sources.devchain.engine.ont_execution import Execution, execute
from twisted_chainws.sources.devchain.engine.ont_ledger import OntLedger, initial_storage
from twisted_chainws.sources.devchain.genesis import GenesisAccount

ANN, BEN, CAT = (Address20(it.ontology_address) for it in WELL_KNOWN_ACCOUNTS[:3])
NOBODY: Final = Address20(bytes(20))
ONT: Final = ONT_CONTRACT
ONG: Final = ONG_CONTRACT
UNIT: Final = 10**9
"""1 ONT, or 10^-9 ONG, scaled."""
COIN: Final = 10**18
"""1 ONG, scaled."""
LATER: Final = GENESIS_TIME + 100
PRICE: Final = 2_500
FEE: Final = 20_000 * PRICE * UNIT
"""Of a plain transfer at that price."""

SERVICE: Final = (
    "[NeoVmService] service system call error!: [SystemCall] service execution error!: "
)
INVOKE: Final = "[Invoke] Native serivce function execute error!: "

_HEX: Final = {ONT: "01" + 38 * "0", ONG: "02" + 38 * "0"}


def new_state(
    ont: Mapping[Address20, int] | None = None, ong: Mapping[Address20, int] | None = None
) -> StateAPI:
    """Return a fresh state; Ann has 1,000 ONT and 1,000 ONG if nothing is said."""
    holders = {ANN: 1_000 * UNIT} if ont is None else ont
    coins = {ANN: 1_000 * COIN} if ong is None else ong
    chain = _chain(frozenset(holders.items()), frozenset(coins.items()))
    state: StateAPI = chain.get_vm(chain.get_canonical_head()).state
    return state


@cache
def _chain(
    holders: frozenset[tuple[Address20, int]], coins: frozenset[tuple[Address20, int]]
) -> DevChain:
    accounts = {bytes(it): GenesisAccount(balance=amount) for it, amount in coins}
    accounts[LEDGER_ADDRESS] = GenesisAccount(
        nonce=1, balance=dict(coins).get(ONT, 0), storage=initial_storage(dict(holders))
    )
    return create_chain(AtomicDB(), genesis(accounts))


def transaction(code: bytes, payer: Address20 = ANN, **changes: Any) -> Transaction:
    """Return a transaction without witnesses; its price is 0 if nothing is said."""
    values: dict[str, Any] = {
        "type": TransactionType.INVOKE_NEO,
        "nonce": 1,
        "gas_price": 0,
        "gas_limit": 200_000,
        "payer": payer,
        "payload": Invoke(code=code),
        "witnesses": (),
    }
    return Transaction(**(values | changes))


def run(
    state: StateAPI,
    code: bytes,
    *signers: Address20,
    timestamp: int = LATER,
    deadline: int = 0,
    charge: bool = True,
    **changes: Any,
) -> Execution:
    """Run a script that these sign; Ann if nobody does."""
    return execute(
        transaction(code, **changes),
        state,
        witnesses=frozenset(signers or (ANN,)),
        timestamp=timestamp,
        deadline=deadline,
        charge=charge,
    )


def ask(
    state: StateAPI, contract: Address20, method: str, *arguments: Value, **options: Any
) -> Value | None:
    """Return what a contract answers; nobody signs."""
    done = run(state, build_call(contract, method, *arguments), NOBODY, **options)
    assert done.succeeded, done.reason
    return done.result


def balances(state: StateAPI, contract: Address20, *accounts: Address20) -> list[int]:
    """Return what accounts have, scaled."""
    ledger = OntLedger(state)
    return [ledger.balance(contract, account) for account in accounts]


def moves(done: Execution) -> list[tuple[Any, ...]]:
    """Return what an execution tells: contract, source, target, scaled amount."""
    return [_move(event) for event in done.events]


def _move(event: NamedEvent) -> tuple[Any, ...]:
    assert event.name == "transfer"
    return (event.address, *(param.value for param in event.params))


def root(state: StateAPI) -> bytes:
    """Return the root of the state as it is now."""
    return bytes(state.make_state_root())


def exists(state: StateAPI, account: Address20) -> bool:
    """Tell whether there is an account, be it empty."""
    return bool(state.account_exists(Address(account)))


def transfer(
    source: bytes, target: bytes, amount: int, contract: Address20 = ONT, version: str = ""
) -> bytes:
    """Write a transfer."""
    return build_call(contract, f"transfer{version}", Array([Struct([source, target, amount])]))


def short(owner: Address20, contract: Address20, balance: int, amount: int) -> str:
    """Return what is said when an account has too little."""
    return (
        f"[Transfer] balance insufficient. contract:{_HEX[contract]}, "
        f"account:{encode_base58(owner)}, fromBalance:{balance},value:{amount}, "
        f"err: balance sub underflow: a: {balance}, b: {amount}"
    )
