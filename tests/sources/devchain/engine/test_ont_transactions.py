"""Transactions of the Ontology family: checks in the node's order, and what they do."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.sources.devchain.engine.driving import Driven, driven
from tests.sources.devchain.engine.ont_sending import (
    GENESIS_ONT,
    GOVERNANCE,
    STRANGER,
    address,
    ong_transfer,
    ont_transfer,
    owned,
    signed,
    submit,
    transfer,
)
from tests.sources.devchain.engine.ont_states import COIN, FEE, ONG, ONT, PRICE, UNIT
from twisted_chainws import errors
from twisted_chainws.chain.model import Block, Kind, NativeTransaction
from twisted_chainws.dialects.ontology.address import encode_base58
from twisted_chainws.dialects.ontology.program import Witness
from twisted_chainws.dialects.ontology.script import build_call, build_push
from twisted_chainws.dialects.ontology.tokens import Transfer, transfer_event
from twisted_chainws.dialects.ontology.transaction import (
    Deploy,
    Transaction,
    TransactionType,
    encode_transaction,
)
from twisted_chainws.dialects.ontology.values import Struct
from twisted_chainws.sources.devchain.codec import encode_hex
from twisted_chainws.sources.devchain.engine.head import LEDGER_ADDRESS
from twisted_chainws.sources.devchain.engine.ont_transactions import decode_ontology

_START = 10_000 * COIN


def _head(node: Driven) -> Block:
    return node.hub.engine.block(node.hub.engine.head_hash)


def test_a_transfer_of_ont(tmp_path: Path) -> None:
    """ONT moves, the fee is governance's, and the block lists transaction, payer and events."""
    with driven(tmp_path) as node:
        node.ask("set_coinbase", address=encode_hex(b"\xc0" * 20))
        sent = ont_transfer()
        assert submit(node, sent) == encode_hex(sent.hash)
        assert owned(node, address(), STRANGER, GOVERNANCE) == [
            ((GENESIS_ONT - 5) * UNIT, _START - FEE),
            (5 * UNIT, 0),
            (0, FEE),
        ]
        (record,), (receipt,) = _head(node).transactions, _head(node).receipts
        assert isinstance(record, NativeTransaction)
        assert (record.kind, record.sender, record.hash) == (Kind.ONTOLOGY, address(), sent.hash)
        assert record.raw == encode_transaction(sent)
        assert receipt.succeeded
        assert (receipt.gas_used, receipt.effective_gas_price) == (20_000, PRICE * UNIT)
        assert receipt.events == (
            transfer_event(ONT, Transfer(source=address(), target=STRANGER, amount=5 * UNIT)),
            transfer_event(ONG, Transfer(source=address(), target=GOVERNANCE, amount=FEE)),
        )
        assert _head(node).extras.header.gas_used == 0
        assert node.hub.balance_of(b"\xc0" * 20) == 0


def test_a_transfer_of_ong_is_one_of_the_coin(tmp_path: Path) -> None:
    """What Ontology calls ONG is what the other families count in wei."""
    with driven(tmp_path) as node:
        submit(node, ong_transfer(7, gas_price=0))
        assert owned(node, address(), STRANGER) == [
            (GENESIS_ONT * UNIT, _START - 7 * UNIT),
            (0, 7 * UNIT),
        ]
        assert int(node.ask("balance", address=encode_hex(STRANGER), at=node.head), 16) == 7 * UNIT
        (receipt,) = _head(node).receipts
        moved = Transfer(source=address(), target=STRANGER, amount=7 * UNIT)
        assert receipt.events == (transfer_event(ONG, moved),)


def test_another_may_pay(tmp_path: Path) -> None:
    """The payer is whoever the transaction names, and has to sign as well as who spends."""
    with driven(tmp_path) as node:
        submit(node, signed(transfer(ONT, 3, address(1), STRANGER), 0, 1))
        assert owned(node, address(), address(1), STRANGER) == [
            (GENESIS_ONT * UNIT, _START - FEE),
            ((GENESIS_ONT - 3) * UNIT, _START),
            (3 * UNIT, 0),
        ]


def test_what_fails_in_a_block_pays_all_the_same(tmp_path: Path) -> None:
    """Two transfers of all there is: each is fine alone, the second one finds nothing."""
    with driven(tmp_path, mining=False) as node:
        sent = [ont_transfer(GENESIS_ONT, nonce=nonce) for nonce in (1, 2)]
        for item in sent:
            submit(node, item)
        node.ask("mine")
        assert [item.hash for item in _head(node).transactions] == [item.hash for item in sent]
        good, bad = _head(node).receipts
        assert (good.succeeded, bad.succeeded) == (True, False)
        paid = Transfer(source=address(), target=GOVERNANCE, amount=FEE)
        assert bad.events == (transfer_event(ONG, paid),)
        assert bad.cumulative_gas_used == 2 * bad.gas_used == 40_000
        assert owned(node, address(), STRANGER) == [
            (0, _START - 2 * FEE),
            (GENESIS_ONT * UNIT, 0),
        ]


def _unauthentic() -> Transaction:
    return replace(ont_transfer(), witnesses=ont_transfer(nonce=9).witnesses)


def _unsigned_payer() -> Transaction:
    bare = signed(transfer(ONT, 1, address(), STRANGER), 1)
    return replace(bare, witnesses=signed(transfer(ONT, 1, address(), STRANGER)).witnesses)


def _deploy() -> Transaction:
    payload = Deploy(
        code=b"\x51", vm_flags=1, name=b"", version=b"", author=b"", email=b"", description=b""
    )
    return signed(b"", type=TransactionType.DEPLOY, payload=payload, gas_limit=20_000_000)


_POOR = address(9)
"""Owns 0.05 ONG, which is one fee, and 10^8 ONT."""

_INSUFFICIENT = (
    "[NeoVmService] service system call error!: [SystemCall] service execution error!: "
    "[Invoke] Native serivce function execute error!: [Transfer] balance insufficient. "
    f"contract:{ONT[::-1].hex()}, account:{encode_base58(address())}, "
    "fromBalance:99999995000000000,value:100000001000000000, "
    "err: balance sub underflow: a: 99999995000000000, b: 100000001000000000"
)


@pytest.mark.parametrize(
    ("sent", "error", "facts"),
    [
        (
            ont_transfer(GENESIS_ONT + 1),
            errors.ExecutionFailed,
            {"reason": _INSUFFICIENT},
        ),
        (signed(b"\x67" + bytes(20)), errors.Unsupported, {}),
        (_deploy(), errors.Unsupported, {}),
        (signed(b"\x51", type=TransactionType.INVOKE_WASM), errors.Unsupported, {}),
        (
            ont_transfer(gas_limit=2**63, gas_price=2),
            errors.FeeOverflow,
            {"gas": 2**63, "price": 2 * UNIT},
        ),
        (
            ont_transfer(gas_limit=19_999),
            errors.OfferTooLow,
            {"minimum_gas": 20_000, "minimum_price": 0},
        ),
        (
            signed(b"\x51" + b"\x61" * 1024, gas_limit=39_999),
            errors.GasBelowUse,
            {"gas": 39_999, "needed": 40_000},
        ),
        (
            signed(b"\x51" + b"\x61" * 1024, index=9, gas_limit=40_000),
            errors.FeeAboveBalance,
            {"payer": _POOR, "fee": 2 * FEE},
        ),
        (_unauthentic(), errors.InvalidSignature, {}),
        (_unsigned_payer(), errors.InvalidSignature, {}),
        (ont_transfer(nonce=50), errors.AlreadyMined, {}),
    ],
)
def test_what_is_refused(
    tmp_path: Path, sent: Transaction, error: type[errors.ChainwsError], facts: dict[str, Any]
) -> None:
    """Each rule has its own exception, and nothing of a refused transaction stays."""
    with driven(tmp_path) as node:
        node.ask("set_balance", address=encode_hex(_POOR), value=hex(FEE))
        submit(node, ont_transfer(nonce=50))
        with pytest.raises(error) as refused:
            submit(node, sent)
        found = {name: getattr(refused.value, name) for name in facts}
        assert found == facts
        assert node.hub.engine.height == 1
        assert len(node.hub.pool) == 0


_WAITING = ont_transfer(nonce=60)
_MANY_STEPS = b"\x51" + b"\x61" * 1024


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (signed(b"\x67" + bytes(20), gas_limit=1), errors.Unsupported),
        (ont_transfer(GENESIS_ONT + 1, gas_limit=2**63), errors.ExecutionFailed),
        (replace(_WAITING, witnesses=_unauthentic().witnesses), errors.AlreadyKnown),
        (ont_transfer(gas_limit=1, gas_price=2**64 - 1), errors.OfferTooLow),
        (ont_transfer(gas_limit=19_999, gas_price=2**64 - 1), errors.FeeOverflow),
        (signed(_MANY_STEPS, gas_limit=19_999), errors.OfferTooLow),
        (signed(_MANY_STEPS, index=9, gas_limit=20_000), errors.GasBelowUse),
        (
            replace(signed(_MANY_STEPS, index=9), witnesses=_unauthentic().witnesses),
            errors.FeeAboveBalance,
        ),
        (
            replace(ont_transfer(nonce=50), witnesses=_unauthentic().witnesses),
            errors.InvalidSignature,
        ),
    ],
)
def test_of_two_mistakes_the_first_is_told(
    tmp_path: Path, sent: Transaction, error: type[errors.ChainwsError]
) -> None:
    """The checks come in the order in which the node makes them."""
    with driven(tmp_path) as node:
        node.ask("set_balance", address=encode_hex(_POOR), value=hex(FEE))
        submit(node, ont_transfer(nonce=50))
        node.ask("set_automine", enabled=False)
        submit(node, _WAITING)
        with pytest.raises(error):
            submit(node, sent)
        assert len(node.hub.pool) == 1


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (ont_transfer(GENESIS_ONT + 1), errors.ExecutionFailed),
        (ont_transfer(gas_limit=2**63), errors.PoolFull),
        (ont_transfer(nonce=60), errors.AlreadyKnown),
    ],
)
def test_a_full_pool(tmp_path: Path, sent: Transaction, error: type[errors.ChainwsError]) -> None:
    """What waits already and what fails are told before there is no room, all else after."""
    with driven(tmp_path, pool_size=1, mining=False) as node:
        submit(node, _WAITING)
        with pytest.raises(error):
            submit(node, sent)


def test_a_script_that_asks_for_many_transfers(tmp_path: Path) -> None:
    """What a script may cause goes by its length, like its price: here twenty thousand moves."""
    one = build_push(Struct([address(), STRANGER, 1]))
    many = b"\x6b\x00\xc6" + b"\x76\x6a\xc8" * 140 + b"\x6c\x75"
    counted = b"\x6b\x00\xc6\x76" + build_push(140 * 140) + b"\xc8"
    code = one + many + counted + b"\x76\x6a\xc8" * 140 + b"\x6c\x75"
    call = build_push(b"transfer") + build_push(ONG) + b"\x00\x68\x16Ontology.Native.Invoke"
    with (
        driven(tmp_path) as node,
        pytest.raises(errors.ExecutionFailed, match="exceeded the step limit"),
    ):
        submit(node, signed(code + call))


def test_the_witness_of_a_forged_entry_counts_in_a_trial(tmp_path: Path) -> None:
    """Who claims to be another is believed until the signature is looked at."""
    bare = ont_transfer()
    program = bare.witnesses[0].verification
    forged = replace(bare, witnesses=(Witness(invocation=b"", verification=program),))
    with driven(tmp_path) as node:
        with pytest.raises(errors.InvalidSignature):
            submit(node, forged)
        with pytest.raises(errors.ExecutionFailed, match="authentication failed!"):
            submit(node, replace(bare, witnesses=()))


def test_gas_is_bounded_by_the_block_only_where_it_can_be_used(tmp_path: Path) -> None:
    """A limit that no script of that length reaches is no claim; a long script may be too much."""
    with driven(tmp_path, gas_limit=100_000) as node:
        submit(node, ont_transfer(gas_limit=10**12, gas_price=1))
        assert len(_head(node).transactions) == 1
        long = signed(b"\x51" + b"\x61" * 5 * 1024, gas_limit=10**9, gas_price=0)
        with pytest.raises(errors.BlockGasLimitExceeded) as refused:
            submit(node, long)
        assert (refused.value.gas, refused.value.limit) == (120_000, 100_000)
        assert len(node.hub.pool) == 0


def test_they_wait_independently_and_behind_the_evm(tmp_path: Path) -> None:
    """By price, then by arrival; no nonce of anybody is in their way or counted up."""
    with driven(tmp_path, mining=False) as node:
        cheap, dear, other = (
            ont_transfer(nonce=3, gas_price=1),
            ont_transfer(nonce=1, gas_price=9),
            ong_transfer(index=1, nonce=7, gas_price=1),
        )
        for item in (cheap, dear, other):
            submit(node, item)
        with pytest.raises(errors.AlreadyKnown):
            submit(node, dear)
        evm = node.send(0)
        assert node.hub.pool.standing(cheap.hash) == "pending"
        pending = node.ask("pending_block")
        node.ask("mine")
        mined = [encode_hex(item.hash) for item in _head(node).transactions]
        assert mined == [evm, *(encode_hex(item.hash) for item in (dear, cheap, other))]
        assert [item["hash"] for item in pending["transactions"]] == mined
        assert node.hub.nonce_of(address()) == 0
        assert len(node.hub.pool) == 0


def test_what_cannot_run_any_more_leaves_the_pool(tmp_path: Path) -> None:
    """Without the least fee a payer's transactions are dropped, the others are mined."""
    with driven(tmp_path, mining=False) as node:
        poor, rich = ont_transfer(index=0), ont_transfer(index=1)
        submit(node, poor)
        submit(node, rich)
        node.events()
        node.ask("set_balance", address=encode_hex(address()), value=hex(FEE - 1))
        assert "dropped" in node.events()
        node.ask("mine")
        assert [item.hash for item in _head(node).transactions] == [rich.hash]


def test_a_fee_that_was_spent_meanwhile(tmp_path: Path) -> None:
    """What finds its payer without the least fee is left out of the block and dropped."""
    with driven(tmp_path, mining=False) as node:
        spent, second = ong_transfer((_START - FEE) // UNIT, nonce=1), ont_transfer(nonce=2)
        submit(node, spent)
        submit(node, second)
        node.ask("mine")
        assert [item.hash for item in _head(node).transactions] == [spent.hash]
        assert len(node.hub.pool) == 0
        assert owned(node, address())[0][1] == 0


def test_an_account_that_has_no_room_for_more(tmp_path: Path) -> None:
    """Coin from nowhere may fill an account: a transfer to it fails, and blocks go on."""
    with driven(tmp_path, mining=False) as node:
        submit(node, ong_transfer(nonce=1))
        node.ask("set_balance", address=encode_hex(STRANGER), value=hex(2**256 - 1))
        node.ask("mine")
        assert [item.succeeded for item in _head(node).receipts] == [False]
        assert owned(node, address(), STRANGER) == [
            (GENESIS_ONT * UNIT, _START - FEE),
            (0, 2**256 - 1),
        ]
        with pytest.raises(errors.ExecutionFailed, match="too large token balance"):
            submit(node, ong_transfer(nonce=2))


def test_a_fee_that_nobody_can_take(tmp_path: Path) -> None:
    """When governance has no room for more, what would pay it is left out, and blocks go on."""
    with driven(tmp_path, mining=False) as node:
        submit(node, ong_transfer(nonce=1))
        submit(node, ong_transfer(nonce=2, gas_price=0))
        node.ask("set_balance", address=encode_hex(GOVERNANCE), value=hex(2**256 - 1))
        node.ask("mine")
        assert [item.hash for item in _head(node).transactions] == [
            ong_transfer(nonce=2, gas_price=0).hash
        ]
        assert len(node.hub.pool) == 0


def test_what_becomes_unsupported_meanwhile(tmp_path: Path) -> None:
    """A script whose contract is a balance: the chain has the one, and not the other."""
    balance = build_call(ONG, "balanceOfV2", STRANGER)
    code = b"\x00\x04name" + balance + b"\x00\x68\x16Ontology.Native.Invoke"
    with driven(tmp_path, mining=False) as node:
        node.ask("set_balance", address=encode_hex(STRANGER), value=hex(1 << 152))
        submit(node, signed(code))
        submit(node, ont_transfer())
        node.ask("set_balance", address=encode_hex(STRANGER), value=hex(3 << 152))
        node.ask("mine")
        assert [item.hash for item in _head(node).transactions] == [ont_transfer().hash]
        assert len(node.hub.pool) == 0


def test_an_operation_runs_once(tmp_path: Path) -> None:
    """The same transaction cannot be in a chain twice, and a bad signature in none."""
    with driven(tmp_path) as node:
        draft = node.hub.engine.draft(
            node.hub.engine.head_hash,
            timestamp=node.hub.next_timestamp(),
            gas_limit=1_000_000,
            coinbase=bytes(20),
            mix_hash=bytes(32),
        )
        native = decode_ontology(encode_transaction(ont_transfer()), deadline=0)
        assert draft.native(native.operation()).cumulative_gas_used == 20_000
        with pytest.raises(errors.AlreadyMined):
            draft.native(native.operation())
        other = replace(ont_transfer(nonce=2), witnesses=ont_transfer().witnesses)
        forged = decode_ontology(encode_transaction(other), deadline=0)
        with pytest.raises(errors.InvalidSignature):
            draft.native(forged.operation())
        assert len(draft.natives) == 1


def test_an_answer_that_cannot_be_shown_is_a_failure(tmp_path: Path) -> None:
    """As in the node, a value too large for pre-execution keeps a transaction out."""
    code = b"\x4e" + (70_000).to_bytes(4, "little") + bytes(70_000)
    with driven(tmp_path) as node, pytest.raises(errors.ExecutionFailed, match="length over max"):
        submit(node, signed(code, gas_limit=10**7))


def _busy_script() -> bytes:
    """Return a long script that moves ONT 92,160 times: one entry, shared by lists of lists."""
    entry = build_push(address()) + b"\x6a\x7c\xc8" + build_push(STRANGER) + b"\x6a\x7c\xc8"
    shared = (
        b"\x00\xc6\x6b" + entry + b"\x51\x6a\x7c\xc8\x6c" + b"\x76" * 1023 + b"\x02\x00\x04\xc1"
    )
    call = b"\x08transfer" + build_push(ONT) + b"\x00\x68\x16Ontology.Native.Invoke"
    # Its length is what lets it do so much.
    return shared + b"\x6b" + (b"\x6a" + call + b"\x75") * 90 + b"\x61" * 200_000


def test_what_runs_too_long_is_refused(tmp_path: Path) -> None:
    """A script may ask for much work; it gets as much time as a call of the EVM."""
    with driven(tmp_path, call_timeout_s=0.2) as node:
        with pytest.raises(errors.ExecutionTimeout):
            submit(node, signed(_busy_script(), gas_limit=10**6))
        raw = encode_hex(encode_transaction(signed(_busy_script())))
        with pytest.raises(errors.ExecutionTimeout):
            node.ask("ontology_execute", raw=raw, at=node.head)
        submit(node, ont_transfer())
        assert owned(node, STRANGER) == [(5 * UNIT, 0)]


def test_a_question_may_be_sent(tmp_path: Path) -> None:
    """What changes nothing is mined like all else."""
    with driven(tmp_path) as node:
        submit(node, signed(build_call(ONT, "balanceOf", address())))
        (receipt,) = _head(node).receipts
        assert receipt.succeeded
        assert len(receipt.events) == 1


def test_calls_of_the_evm_leave_the_ledger_alone(tmp_path: Path) -> None:
    """The ledger's account is also a precompile's, and calling that touches it."""
    with driven(tmp_path) as node:
        submit(node, ont_transfer())
        node.send(to=encode_hex(LEDGER_ADDRESS), value="0x0", gas=hex(100_000))
        assert owned(node, STRANGER) == [(5 * UNIT, 0)]
        with pytest.raises(errors.AlreadyMined):
            submit(node, ont_transfer())
