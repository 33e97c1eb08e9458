"""Payments of the Zilliqa family: checks in the node's order, and what they do."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.sources.devchain.engine.driving import Driven, driven
from tests.sources.devchain.engine.paying import (
    FEE_WEI,
    PAYEE,
    payment,
    raw_payment,
    zilliqa_address,
)
from twisted_chainws import errors
from twisted_chainws.chain.model import Kind, NativeTransaction
from twisted_chainws.chain.types import Address20
from twisted_chainws.dialects.zilliqa.transaction import encode_transaction, pack_version
from twisted_chainws.sources.devchain.codec import encode_hex
from twisted_chainws.sources.devchain.engine.payments import decode_payment

_ETHER = 10**18


def pay(node: Driven, raw: bytes) -> str:
    """Submit a payment as through the pipe."""
    answer: str = node.ask("send_native", kind="zilliqa", raw=encode_hex(raw))
    return answer


def test_a_payment_moves_the_coin(tmp_path: Path) -> None:
    """Amount and fee leave the sender, the fee is the coinbase's, the nonce counts up."""
    with driven(tmp_path) as node:
        coinbase = b"\xc0" * 20
        node.ask("set_coinbase", address=encode_hex(coinbase))
        sent = payment(amount_qa=5, gas_limit=80)
        assert pay(node, encode_transaction(sent)) == encode_hex(sent.id)
        hub, sender = node.hub, zilliqa_address()
        assert hub.balance_of(sender) == 10_000 * _ETHER - 5 * 10**6 - FEE_WEI
        assert hub.balance_of(PAYEE) == 5 * 10**6
        assert hub.balance_of(coinbase) == FEE_WEI
        assert hub.nonce_of(sender) == 1
        block = hub.engine.block(hub.engine.head_hash)
        assert [item.hash for item in block.transactions] == [sent.id]
        (record,), (receipt,) = block.transactions, block.receipts
        assert isinstance(record, NativeTransaction)
        assert (record.kind, record.sender) == (Kind.ZILLIQA, sender)
        assert record.raw == encode_transaction(sent)
        assert receipt.succeeded
        assert (receipt.gas_used, receipt.effective_gas_price) == (50, 2 * 10**15)
        assert block.extras.header.gas_used == 0


def test_a_payment_of_nothing_makes_no_account(tmp_path: Path) -> None:
    """Only the fee moves, and no empty account comes into being."""
    with driven(tmp_path) as node:
        pay(node, raw_payment(amount_qa=0))
        reader = node.hub.reader()
        assert not reader.state.account_exists(PAYEE)
        assert reader.nonce(zilliqa_address()) == 1


def _unauthentic() -> bytes:
    return encode_transaction(replace(payment(), signature=payment(nonce=2).signature))


@pytest.mark.parametrize(
    ("raw", "error", "facts"),
    [
        (b"", errors.UndecodableTransaction, {}),
        (raw_payment(version=pack_version(333)), errors.WrongChainId, {"have": 333, "want": 222}),
        (
            raw_payment(version=pack_version(222, 2)),
            errors.WrongMessageVersion,
            {"have": 2, "want": 1},
        ),
        (
            raw_payment(code=b"s" * 76_801),
            errors.InitCodeTooLarge,
            {"size": 76_801, "limit": 76_800},
        ),
        (
            raw_payment(gas_price_qa=1_999_999_999),
            errors.Underpriced,
            {"tip": 1_999_999_999 * 10**6, "minimum": 2 * 10**15},
        ),
        (_unauthentic(), errors.InvalidSignature, {}),
        (raw_payment(gas_limit=49), errors.IntrinsicGasTooLow, {"gas": 49, "minimum": 50}),
        (raw_payment(nonce=0), errors.NonceTooLow, {"nonce": 0, "next_nonce": 1}),
        (raw_payment(amount_qa=10**16), errors.InsufficientFunds, {"balance": 10_000 * _ETHER}),
        (
            raw_payment(gas_limit=30_000_001, gas_price_qa=2 * 10**9, amount_qa=0),
            errors.InsufficientFunds,
            {},
        ),
        (raw_payment(nonce=3), errors.NonceTooHigh, {"nonce": 3, "next_nonce": 1}),
        (raw_payment(data=b"{}"), errors.Unsupported, {}),
        (raw_payment(code=b"scilla_version 0", to=bytes(20)), errors.Unsupported, {}),
        (raw_payment(to=bytes(20)), errors.RecipientMissing, {}),
        (raw_payment(to=b"\xcc" * 20), errors.RecipientIsContract, {}),
    ],
)
def test_what_is_refused(
    tmp_path: Path, raw: bytes, error: type[errors.ChainwsError], facts: dict[str, Any]
) -> None:
    """Each rule has its own exception, and nothing of a refused transaction stays."""
    with driven(tmp_path) as node:
        node.ask("set_code", address=encode_hex(b"\xcc" * 20), code="0x00")
        with pytest.raises(error) as refused:
            pay(node, raw)
        found = {name: getattr(refused.value, name) for name in facts}
        assert found == facts
        assert node.hub.engine.height == 0
        assert len(node.hub.pool) == 0


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"version": pack_version(1, 9), "code": b"s" * 80_000}, errors.WrongChainId),
        ({"version": pack_version(222, 9), "code": b"s" * 80_000}, errors.WrongMessageVersion),
        ({"code": b"s" * 80_000, "gas_price_qa": 1}, errors.InitCodeTooLarge),
        ({"gas_price_qa": 1, "gas_limit": 1}, errors.Underpriced),
        ({"gas_limit": 1, "nonce": 0}, errors.IntrinsicGasTooLow),
        ({"nonce": 0, "amount_qa": 10**18}, errors.NonceTooLow),
        ({"nonce": 5, "amount_qa": 10**18}, errors.InsufficientFunds),
        ({"nonce": 5, "to": bytes(20)}, errors.NonceTooHigh),
        ({"data": b"{}", "to": bytes(20), "gas_limit": 1}, errors.Unsupported),
    ],
)
def test_of_two_mistakes_the_first_is_told(
    tmp_path: Path, changes: dict[str, Any], error: type[errors.ChainwsError]
) -> None:
    """The checks come in the order in which the node makes them."""
    with driven(tmp_path) as node, pytest.raises(error):
        pay(node, raw_payment(**changes))


def test_a_signature_is_looked_at_before_the_account(tmp_path: Path) -> None:
    """A stranger's forged payment is forged first, and of no account then."""
    with driven(tmp_path) as node:
        node.ask("set_balance", address=encode_hex(zilliqa_address()), value="0x0")
        with pytest.raises(errors.InvalidSignature):
            pay(node, _unauthentic())
        with pytest.raises(errors.SenderUnknown):
            pay(node, raw_payment())


def test_gas_is_bounded_by_the_block(tmp_path: Path) -> None:
    """A sender who can pay for more gas than a block has is refused all the same."""
    with driven(tmp_path, balance_ether=10**9) as node:
        with pytest.raises(errors.BlockGasLimitExceeded) as refused:
            pay(node, raw_payment(gas_limit=30_000_001))
        assert (refused.value.gas, refused.value.limit) == (30_000_001, 30_000_000)


def test_pending_payments_count_as_done(tmp_path: Path) -> None:
    """The next nonce follows those that wait; one that waits already has been used."""
    with driven(tmp_path, mining=False) as node:
        for nonce in (1, 2):
            pay(node, raw_payment(nonce=nonce))
        with pytest.raises(errors.NonceTooLow) as low:
            pay(node, raw_payment(nonce=2))
        assert low.value.next_nonce == 3
        with pytest.raises(errors.NonceTooHigh) as high:
            pay(node, raw_payment(nonce=4))
        assert high.value.next_nonce == 3
        node.ask("mine")
        assert node.hub.nonce_of(zilliqa_address()) == 2


def test_what_cannot_run_any_more_leaves_the_pool(tmp_path: Path) -> None:
    """A payment whose sender became poor, or whose payee became a contract, is dropped."""
    with driven(tmp_path, mining=False) as node:
        pay(node, raw_payment(0))
        pay(node, raw_payment(1, to=Address20(b"\xcc" * 20)))
        pay(node, raw_payment(2))
        node.ask("set_balance", address=encode_hex(zilliqa_address(0)), value="0x1")
        node.ask("set_code", address=encode_hex(b"\xcc" * 20), code="0x00")
        node.events()
        node.ask("mine")
        block = node.hub.engine.block(node.hub.engine.head_hash)
        assert [item.hash for item in block.transactions] == [payment(2).id]
        assert "dropped" in node.events()
        assert len(node.hub.pool) == 0


def test_a_nonce_gap_is_no_operation(tmp_path: Path) -> None:
    """An operation runs only when its nonce is the next one."""
    with driven(tmp_path) as node:
        operation = decode_payment(raw_payment(nonce=2)).operation()
        draft = node.hub.engine.draft(
            node.hub.engine.head_hash,
            timestamp=node.hub.next_timestamp(),
            gas_limit=60,
            coinbase=bytes(20),
            mix_hash=bytes(32),
        )
        with pytest.raises(errors.NonceTooHigh):
            draft.native(operation)
        first = draft.native(decode_payment(raw_payment(nonce=1)).operation())
        assert first.cumulative_gas_used == 50
        with pytest.raises(errors.BlockGasLimitExceeded) as full:
            draft.native(operation)
        assert (full.value.gas, full.value.limit) == (50, 10)
