"""What a draft makes of transactions, and whether the world accepts its blocks."""

from hashlib import sha256
from typing import Any

import pytest
import rlp
from eth.chains.base import Chain
from eth.db.atomic import AtomicDB
from eth.vm.forks.prague import PragueVM
from eth.vm.forks.prague.blocks import PragueBlock
from eth.vm.forks.prague.constants import DEPOSIT_CONTRACT_ADDRESS, DEPOSIT_EVENT_SIGNATURE_HASH
from eth.vm.forks.prague.transactions import Authorization
from eth_keys import keys
from eth_typing import Address
from eth_utils import ValidationError, keccak

from tests.sources.devchain.engine.building import (
    ALICE,
    ALICE_KEY,
    BOB,
    BOB_KEY,
    CAROL,
    CHAIN_ID,
    CLEARS,
    ENDLESS,
    GAS_LIMIT,
    GENESIS_TIME,
    GWEI,
    RECORDS,
    STORE,
    build,
    deployment,
    genesis,
    mine,
    transaction,
)
from twisted_chainws.chain.model import (
    EvmTransaction,
    Kind,
    NamedEvent,
    NamedParam,
    NativeTransaction,
    Receipt,
)
from twisted_chainws.chain.types import Address20, Gas, Hash32, Wei
from twisted_chainws.errors import (
    BlockGasLimitExceeded,
    NonceTooHigh,
    TransactionRejected,
    UndecodableTransaction,
)
from twisted_chainws.sources.devchain.engine.core import Engine
from twisted_chainws.sources.devchain.engine.draft import NativeOperation
from twisted_chainws.sources.devchain.engine.head import genesis_accounts


def authorization(key: bytes, target: bytes, nonce: int) -> Authorization:
    """Sign a delegation of the key's account to ``target``."""
    message = b"\x05" + rlp.encode([CHAIN_ID, target, nonce])
    parity, r, s = keys.PrivateKey(key).sign_msg(message).vrs
    return Authorization(chain_id=CHAIN_ID, address=target, nonce=nonce, y_parity=parity, r=r, s=s)


def of_every_type() -> list[Any]:
    """Return one transaction of each type, in nonce order; one is a creation."""
    blob = b"\x01" + bytes(31)
    word = (99).to_bytes(32, "big")
    return [
        transaction(nonce=0, type=0),
        transaction(nonce=1, type=1, to=STORE, gas=100_000, data=word, access_list=[(STORE, [0])]),
        transaction(nonce=2, type=2, to=b"", gas=200_000, data=deployment(b"\x5f\x5f\xf3")),
        transaction(nonce=3, type=3, max_fee_per_blob_gas=5, blob_versioned_hashes=[blob]),
        transaction(
            nonce=4,
            type=4,
            gas=100_000,
            authorization_list=[authorization(BOB_KEY, STORE, 0)],
        ),
    ]


def test_every_type_of_transaction_runs_and_reads_back(engine: Engine) -> None:
    """Types 0 to 4 and a creation run, and the block reads back from disk as it was sealed."""
    block = mine(engine, *of_every_type())
    engine.rollback()
    assert engine.block(block.hash) == block
    kinds = [item.type for item in block.transactions if isinstance(item, EvmTransaction)]
    assert kinds == [0, 1, 2, 3, 4]
    assert all(receipt.succeeded for receipt in block.receipts)
    created = block.receipts[2].contract_address
    assert created is not None
    reader = engine.read(block.hash)
    assert reader.code(created) == b"\x5f\x5f\xf3"
    assert reader.code(BOB) == b"\xef\x01\x00" + STORE
    assert reader.storage(STORE, 0) == 99
    assert block.receipts[1].logs[0].topics == (Hash32((99).to_bytes(32, "big")),)
    assert block.receipts[3].blob_gas_used == 131_072
    assert block.receipts[3].blob_gas_price == 1
    assert block.receipts[4].cumulative_gas_used == block.extras.header.gas_used
    assert sum(receipt.gas_used for receipt in block.receipts) == block.extras.header.gas_used


def test_the_hash_is_keccak_of_the_header(engine: Engine) -> None:
    """A block is called by the keccak of its RLP header, a transaction by that of its bytes."""
    block = mine(engine, *of_every_type())
    header = rlp.decode(engine.raw_block(block.hash))[0]
    assert keccak(rlp.encode(header)) == block.hash
    for item in block.transactions:
        assert keccak(item.raw) == item.hash
    assert block.extras.size == len(engine.raw_block(block.hash))


def test_a_stock_prague_chain_accepts_the_blocks(engine: Engine) -> None:
    """Three blocks with all types import into an unmodified py-evm chain with equal roots."""

    class Stock(Chain):
        chain_id = CHAIN_ID
        vm_configuration = ((0, PragueVM),)

    stock = Stock.from_genesis(
        AtomicDB(),
        {
            "difficulty": 0,
            "gas_limit": GAS_LIMIT,
            "timestamp": GENESIS_TIME,
            "base_fee_per_gas": GWEI,
            "extra_data": b"",
            "parent_beacon_block_root": bytes(32),
        },
        {
            address: {
                "balance": account.balance,
                "nonce": account.nonce,
                "code": account.code,
                "storage": dict(account.storage),
            }
            for address, account in genesis_accounts(genesis()).items()
        },
    )
    blocks = [
        mine(engine, *of_every_type()),
        mine(engine),
        mine(engine, transaction(BOB_KEY, nonce=1, to=RECORDS, gas=200_000)),
    ]
    for block in blocks:
        imported = stock.import_block(rlp.decode(engine.raw_block(block.hash), PragueBlock))
        assert imported.imported_block.hash == block.hash


def test_code_sees_the_header_that_is_sealed(engine: Engine) -> None:
    """PREVRANDAO, TIMESTAMP, NUMBER and BASEFEE are those of the sealed header."""
    block = mine(
        engine,
        transaction(to=RECORDS, gas=200_000),
        mix_hash=b"\x11" * 32,
        timestamp=GENESIS_TIME + 500,
        base_fee=3 * GWEI,
    )
    reader = engine.read(block.hash)
    seen = [reader.storage(RECORDS, slot) for slot in range(4)]
    assert seen == [int.from_bytes(b"\x11" * 32, "big"), GENESIS_TIME + 500, 1, 3 * GWEI]
    assert block.extras.header.base_fee_per_gas == 3 * GWEI


def test_headers_may_do_what_a_development_chain_needs(engine: Engine) -> None:
    """Equal timestamps, another gas limit, base fee 0 and extra data are sealed as asked."""
    block = mine(
        engine, timestamp=GENESIS_TIME, gas_limit=60_000_000, base_fee=0, extra_data=b"hello"
    )
    header = block.extras.header
    assert (header.timestamp, header.gas_limit) == (GENESIS_TIME, 60_000_000)
    assert (header.base_fee_per_gas, header.extra_data) == (0, b"hello")
    assert mine(engine).extras.header.gas_limit == 60_000_000


def test_a_refused_transaction_leaves_the_draft_as_it_was(engine: Engine) -> None:
    """A block with refused transactions in between equals the block without them."""
    plain = build(engine, [transaction(nonce=0), transaction(nonce=1)])
    draft = engine.draft(
        engine.head_hash,
        timestamp=GENESIS_TIME + 1,
        gas_limit=GAS_LIMIT,
        coinbase=bytes(20),
        mix_hash=bytes(31) + b"\x07",
    )
    draft.add(transaction(nonce=0))
    for bad in (
        transaction(nonce=0),
        transaction(nonce=5),
        transaction(nonce=1, value=10**30),
        transaction(nonce=1, max_fee_per_gas=1, max_priority_fee_per_gas=1),
        transaction(nonce=1, gas=GAS_LIMIT),
        transaction(nonce=1, gas=20_000),
    ):
        with pytest.raises(TransactionRejected):
            draft.add(bad)
    draft.add(transaction(nonce=1))
    assert draft.seal() == plain


def test_a_full_block_says_how_much_gas_is_left(engine: Engine) -> None:
    """A transaction over what is left is refused with that number; a smaller one still fits."""
    draft = engine.draft(
        engine.head_hash,
        timestamp=GENESIS_TIME + 1,
        gas_limit=50_000,
        coinbase=bytes(20),
        mix_hash=bytes(32),
    )
    draft.add(transaction(nonce=0))
    with pytest.raises(BlockGasLimitExceeded) as caught:
        draft.add(transaction(nonce=1, gas=30_000))
    assert caught.value.limit == draft.gas_left == 29_000
    draft.add(transaction(nonce=1))


def test_blob_gas_is_limited(engine: Engine) -> None:
    """A block holds nine blobs and not a tenth."""
    blob = b"\x01" + bytes(31)
    nine = transaction(nonce=0, type=3, max_fee_per_blob_gas=5, blob_versioned_hashes=[blob] * 9)
    draft = engine.draft(
        engine.head_hash,
        timestamp=GENESIS_TIME + 1,
        gas_limit=GAS_LIMIT,
        coinbase=bytes(20),
        mix_hash=bytes(32),
    )
    draft.add(nine)
    with pytest.raises(BlockGasLimitExceeded):
        draft.add(
            transaction(nonce=1, type=3, max_fee_per_blob_gas=5, blob_versioned_hashes=[blob])
        )


def test_a_nonce_gap_is_refused(engine: Engine) -> None:
    """A draft takes the next nonce only."""
    with pytest.raises(NonceTooHigh):
        build(engine, [transaction(nonce=3)])


def native(sender: bytes, amount: int, receiver: bytes) -> NativeOperation:
    """Return a native transfer that fails when the sender is poor."""

    def apply(state: Any) -> Receipt:
        if state.get_balance(sender) < amount:
            raise ValueError("poor")
        state.delta_balance(sender, -amount)
        state.delta_balance(receiver, amount)
        return Receipt(
            succeeded=True,
            gas_used=Gas(20_000),
            cumulative_gas_used=Gas(20_000),
            effective_gas_price=Wei(500),
            contract_address=None,
            logs=(),
            bloom=bytes(256),
            blob_gas_used=None,
            blob_gas_price=None,
            events=(
                NamedEvent(
                    address=Address20(receiver),
                    name="transfer",
                    params=(NamedParam(name="amount", type="uint256", value=amount),),
                ),
            ),
        )

    record = NativeTransaction(
        kind=Kind.ONTOLOGY, hash=Hash32(b"\x0a" * 32), sender=Address20(sender), raw=b"raw"
    )
    return NativeOperation(transaction=record, gas=20_000, apply=apply)


def test_a_native_transaction_changes_the_state_of_its_block(engine: Engine) -> None:
    """A native transaction is listed after the EVM ones and its effect is in the state root."""
    draft = engine.draft(
        engine.head_hash,
        timestamp=GENESIS_TIME + 1,
        gas_limit=GAS_LIMIT,
        coinbase=bytes(20),
        mix_hash=bytes(32),
    )
    draft.add(transaction(nonce=0))
    draft.native(native(BOB, 1_000, CAROL))
    with pytest.raises(ValueError, match="poor"):
        draft.native(native(CAROL, 10**30, BOB))
    draft.state.set_balance(Address(b"\xda" * 20), 2**256 - 1)
    with pytest.raises(UndecodableTransaction, match="maximum uint256"):
        draft.native(native(CAROL, 1, b"\xda" * 20))
    with pytest.raises(RuntimeError):
        draft.add(transaction(nonce=1))
    block = draft.seal()
    engine.set_head(block.hash)
    engine.commit()
    engine.rollback()
    assert engine.block(block.hash) == block
    assert [item.kind for item in block.transactions] == [Kind.EVM, Kind.ONTOLOGY]
    assert engine.read(block.hash).balance(CAROL) == 1_001
    assert mine(engine, transaction(nonce=1)).parent_hash == block.hash
    assert engine.read(engine.head_hash).balance(CAROL) == 1_002


def test_equal_input_gives_equal_hashes(tmp_path: Any) -> None:
    """Two chains fed with the same transactions and times have the same twenty hashes."""
    runs = []
    for name in ("one", "two"):
        engine = Engine.open(str(tmp_path / name), genesis())
        runs.append([mine(engine, transaction(nonce=number)).hash for number in range(20)])
        engine.close()
    assert runs[0] == runs[1]


def test_an_impersonated_transaction_has_its_sender_after_a_restart(tmp_path: Any) -> None:
    """A marked transaction sends from an address without key and reads back with that sender."""
    path = str(tmp_path / "chain")
    engine = Engine.open(path, genesis())
    engine.edit(lambda state: state.set_balance(CAROL, 10**18))
    for kind in range(5):
        extra: dict[str, Any] = {}
        if kind == 3:
            extra = {"max_fee_per_blob_gas": 5, "blob_versioned_hashes": [b"\x01" + bytes(31)]}
        if kind == 4:
            extra = {"authorization_list": [authorization(ALICE_KEY, STORE, 0)], "gas": 90_000}
        values = {
            "type": kind,
            "chain_id": CHAIN_ID,
            "nonce": kind,
            "gas": 21_000,
            "to": BOB,
            "value": 3,
            "data": b"",
            "gas_price": 2 * GWEI,
            "max_fee_per_gas": 2 * GWEI,
            "max_priority_fee_per_gas": GWEI,
        } | extra
        mine(engine, engine.unsigned(values, CAROL))
    hashes = [engine.canonical_hash(number) for number in range(1, 6)]
    engine.close()
    again = Engine.open(path, genesis())
    assert [again.block(item).transactions[0].sender for item in hashes] == [CAROL] * 5
    assert all(again.block(item).receipts[0].succeeded for item in hashes)
    assert again.read(again.head_hash).code(ALICE) == b"\xef\x01\x00" + STORE
    again.close()


def test_the_zero_address_can_be_impersonated(engine: Engine) -> None:
    """Address zero, whose mark has r = 0, sends like any other."""
    engine.edit(lambda state: state.set_balance(bytes(20), 10**18))
    for kind in (0, 2):
        values = {"type": kind, "chain_id": CHAIN_ID, "nonce": kind // 2, "gas": 21_000, "to": BOB}
        values |= {"value": 1, "data": b"", "gas_price": 2 * GWEI, "max_fee_per_gas": 2 * GWEI}
        block = mine(engine, engine.unsigned(values, bytes(20)), coinbase=CAROL)
        assert block.transactions[0].sender == bytes(20)


def test_what_a_receipt_shows_was_paid(engine: Engine) -> None:
    """With much call data and many refunds the receipt's gas is the floor that was charged."""
    before = engine.read(engine.head_hash).balance(ALICE)
    clearing = transaction(to=CLEARS, value=0, gas=200_000, data=b"\x01" * 2_000)
    block = mine(engine, clearing, coinbase=CAROL)
    receipt = block.receipts[0]
    paid = before - engine.read(engine.head_hash).balance(ALICE)
    assert receipt.gas_used == 21_000 + 10 * 4 * 2_000
    assert paid == receipt.gas_used * receipt.effective_gas_price
    assert receipt.gas_used == block.extras.header.gas_used


def test_a_failed_transaction_is_in_the_block(engine: Engine) -> None:
    """Running out of gas is a receipt with status failed and all gas used."""
    block = mine(engine, transaction(to=ENDLESS, gas=30_000))
    assert not block.receipts[0].succeeded
    assert block.receipts[0].gas_used == 30_000


@pytest.mark.parametrize("header", [{"timestamp": GENESIS_TIME - 1}, {"extra_data": bytes(33)}])
def test_an_impossible_header_is_refused(engine: Engine, header: dict[str, Any]) -> None:
    """Time does not run backwards and extra data ends at 32 bytes."""
    with pytest.raises(ValidationError):
        build(engine, **header)
    assert engine.height == 0


def test_a_deposit_event_enters_the_requests_hash(engine: Engine) -> None:
    """A log of the deposit contract is a request of EIP-6110; other blocks have none."""
    topic = DEPOSIT_EVENT_SIGNATURE_HASH.hex()
    code = bytes.fromhex(f"7f{topic}6102405fa100")
    engine.edit(lambda state: state.set_code(DEPOSIT_CONTRACT_ADDRESS, code))
    plain = mine(engine, transaction(nonce=0))
    deposit = transaction(nonce=1, to=DEPOSIT_CONTRACT_ADDRESS, value=0, gas=100_000)
    block = mine(engine, deposit)
    request = sha256(b"\x00" + bytes(192)).digest()
    assert plain.extras.header.requests_hash == sha256(b"").digest()
    assert block.extras.header.requests_hash == sha256(request).digest()
