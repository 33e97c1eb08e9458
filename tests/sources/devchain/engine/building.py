"""A chain with two rich accounts and a few contracts, and the shortest way to a block on it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from eth.abc import SignedTransactionAPI
from eth_keys import keys

from twisted_chainws.chain.model import Block
from twisted_chainws.sources.devchain.engine.core import Engine
from twisted_chainws.sources.devchain.engine.vm import TransactionFields, signed
from twisted_chainws.sources.devchain.genesis import Genesis, GenesisAccount

CHAIN_ID: Final = 31337
GAS_LIMIT: Final = 30_000_000
GAS_CAP: Final = 50_000_000
GENESIS_TIME: Final = 1_700_000_000
ETHER: Final = 10**18
GWEI: Final = 10**9

ALICE_KEY: Final = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
BOB_KEY: Final = bytes.fromhex("59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d")
ALICE: Final = keys.PrivateKey(ALICE_KEY).public_key.to_canonical_address()
BOB: Final = keys.PrivateKey(BOB_KEY).public_key.to_canonical_address()
CAROL: Final = bytes.fromhex("ca401" + "0" * 34 + "1")


def contract(number: int) -> bytes:
    """Return the address of a contract of the genesis state."""
    return b"\xc0" * 19 + bytes([number])


STORE, ENDLESS, REVERTS, ENVIRONMENT, CLEARS, TOUCHES, NESTED, RECORDS = map(contract, range(8))

CODE: Final[Mapping[bytes, str]] = {
    # stores the first word of the call data in slot 0 and logs it as a topic
    STORE: "60003560005560003560006000a100",
    # jumps to itself
    ENDLESS: "5b600056",
    # reverts with the word 42
    REVERTS: "602a60005260206000fd",
    # words: prevrandao, timestamp, number, basefee, coinbase, gaslimit, gasprice, blobbasefee
    ENVIRONMENT: "445f52426020524360405248606052416080524560a0523a60c0524a60e0526101005ff3",
    # clears slots 0 to 9
    CLEARS: "".join(f"5f60{slot:02x}55" for slot in range(10)) + "00",
    # calls precompile 1 with nothing
    TOUCHES: "5f5f5f5f5f600161fffff100",
    # hands the call data on to STORE; reverts when that fails
    NESTED: f"365f5f375f5f365f5f73{STORE.hex()}5af16026575f5ffd5b00",
    # stores prevrandao, timestamp, number, basefee
    RECORDS: "445f5542600155436002554860035500",
}


def genesis(accounts: Mapping[bytes, GenesisAccount] | None = None) -> Genesis:
    """Return the genesis all tests share, with more accounts when wanted."""
    contracts = {
        address: GenesisAccount(nonce=1, code=bytes.fromhex(code)) for address, code in CODE.items()
    }
    contracts[CLEARS] = GenesisAccount(
        nonce=1, code=bytes.fromhex(CODE[CLEARS]), storage=dict.fromkeys(range(10), 7)
    )
    rich = {address: GenesisAccount(balance=10_000 * ETHER) for address in (ALICE, BOB)}
    return Genesis(
        chain_id=CHAIN_ID,
        gas_limit=GAS_LIMIT,
        timestamp=GENESIS_TIME,
        base_fee=GWEI,
        accounts=rich | contracts | dict(accounts or {}),
    )


def fields(**changes: Any) -> TransactionFields:
    """Return a transfer of 1 wei to Carol, changed."""
    values: dict[str, Any] = {
        "type": 2,
        "chain_id": CHAIN_ID,
        "nonce": 0,
        "gas": 21_000,
        "to": CAROL,
        "value": 1,
        "data": b"",
        "gas_price": 10 * GWEI,
        "max_fee_per_gas": 10 * GWEI,
        "max_priority_fee_per_gas": GWEI,
    }
    return TransactionFields(**(values | changes))


def transaction(key: bytes = ALICE_KEY, **changes: Any) -> SignedTransactionAPI:
    """Return a signed transaction as it comes out of its raw bytes."""
    return Engine.decode(signed(fields(**changes), key).encode())


def build(
    engine: Engine,
    transactions: Sequence[SignedTransactionAPI] = (),
    *,
    parent: bytes | None = None,
    **header: Any,
) -> Block:
    """Seal a block on ``parent`` (the head when None) without making it the head."""
    parent_hash = engine.head_hash if parent is None else parent
    above = engine.header(parent_hash)
    values: dict[str, Any] = {
        "timestamp": above.timestamp + 1,
        "gas_limit": above.gas_limit,
        "coinbase": bytes(20),
        "mix_hash": bytes(31) + b"\x07",
    }
    draft = engine.draft(parent_hash, **(values | header))
    for item in transactions:
        draft.add(item)
    return draft.seal()


def mine(engine: Engine, *transactions: SignedTransactionAPI, **header: Any) -> Block:
    """Seal a block on the head, make it the head and commit."""
    block = build(engine, transactions, **header)
    engine.set_head(block.hash)
    engine.commit()
    return block


def deployment(runtime: bytes) -> bytes:
    """Return init code that returns ``runtime``."""
    return bytes.fromhex(f"61{len(runtime):04x}80600a5f395ff3") + runtime


def text(data: bytes) -> str:
    """Return ``0x`` hex."""
    return "0x" + data.hex()
