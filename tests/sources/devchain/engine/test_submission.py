"""Taking transactions."""

from pathlib import Path

import pytest
import rlp
from eth_hash.auto import keccak

from tests.signing import signed
from tests.sources.devchain.engine.building import ALICE_KEY, fields, transaction
from tests.sources.devchain.engine.driving import ADDRESSES, driven
from twisted_chainws import errors
from twisted_chainws.chain.model import EvmTransaction
from twisted_chainws.sources.devchain.codec import decode_hex, decode_transaction, encode_hex
from twisted_chainws.sources.devchain.engine.vm import unsigned

_STRANGER = "0x" + "ab" * 20


def test_a_fee_above_the_cap_is_refused_and_the_cap_can_go(tmp_path: Path) -> None:
    """The cap is in ether; 0 means none."""
    raw = signed(0, 0, gas=1_000_000, maxFeePerGas=2 * 10**12)
    with driven(tmp_path) as node, pytest.raises(errors.FeeAboveLimit) as caught:
        node.ask("send_raw", raw=raw)
    assert (caught.value.fee, caught.value.cap) == (2 * 10**18, 10**18)
    (tmp_path / "free").mkdir()
    with driven(tmp_path / "free", fee_cap_ether=0) as node:
        node.ask("send_raw", raw=raw)
        assert node.hub.engine.height == 1


def test_own_transactions_may_offer_no_tip(tmp_path: Path) -> None:
    """The minimum tip is for transactions from outside."""
    with driven(tmp_path) as node:
        node.ask("set_next_base_fee", value="0x0")
        node.send(gasPrice="0x0")
        receipt = node.hub.engine.block(node.hub.engine.head_hash).receipts[0]
        assert receipt.effective_gas_price == 0


def test_a_request_is_filled_from_the_pool(tmp_path: Path) -> None:
    """The nonce follows the pending ones, the gas is estimated, the fees follow the base fee."""
    with driven(tmp_path, mining=False) as node:
        node.send()
        node.send()
        first, second = (entry.transaction for entry in node.hub.pool)
        assert isinstance(first, EvmTransaction)
        assert isinstance(second, EvmTransaction)
        assert (first.nonce, second.nonce) == (0, 1)
        assert first.gas_limit == 21_000
        assert first.max_fee_per_gas == 2 * 875_000_000 + 10**9


@pytest.mark.parametrize("extra", [{}, {"gasPrice": "0x77359400"}])
def test_a_filled_request_carries_no_signature(tmp_path: Path, extra: dict[str, str]) -> None:
    """What is only completed shows zeros where the signature will be."""
    with driven(tmp_path) as node:
        request = {"from": ADDRESSES[0], "to": ADDRESSES[1], "value": "0x1", **extra}
        filled = node.ask("fill", transaction=request)
        signed_fields = decode_hex(filled["raw"])[0 if extra else 1 :]
        *fields, v, r, s = rlp.decode(signed_fields)
        assert (v, r, s) == (b"", b"", b"")
        assert bytes.fromhex(ADDRESSES[1][2:]) in fields
        assert filled["transaction"]["hash"] == encode_hex(keccak(decode_hex(filled["raw"])))


def test_a_failing_estimate_refuses_the_request(tmp_path: Path) -> None:
    """What reverts in the estimate is not taken."""
    with driven(tmp_path) as node:
        node.ask("set_code", address=_STRANGER, code="0x5f5ffd")
        with pytest.raises(errors.ExecutionReverted):
            node.send(to=_STRANGER)
        assert node.hub.engine.height == 0


def test_a_poor_impersonated_sender_is_told(tmp_path: Path) -> None:
    """Impersonation gives a signature, not money."""
    with driven(tmp_path) as node:
        request = {"from": _STRANGER, "to": ADDRESSES[0], "gas": "0x5208"}
        with pytest.raises(errors.InsufficientFunds):
            node.ask("send_unsigned", transaction=request)


def test_contracts_send_while_impersonated(tmp_path: Path) -> None:
    """An account with code may send when it is impersonated."""
    with driven(tmp_path) as node:
        node.ask("set_code", address=_STRANGER, code="0x00")
        node.ask("set_balance", address=_STRANGER, value=hex(10**18))
        node.ask("impersonate", address=_STRANGER)
        node.ask("send", transaction={"from": _STRANGER, "to": ADDRESSES[0], "value": "0x5"})
        block = node.hub.engine.block(node.hub.engine.head_hash)
        assert block.transactions[0].sender == decode_hex(_STRANGER)
        assert block.receipts[0].succeeded


def test_signing_without_a_key_is_refused(tmp_path: Path) -> None:
    """Only requests of the node's own accounts are signed."""
    with driven(tmp_path) as node:
        request = {"from": _STRANGER, "to": ADDRESSES[0]}
        with pytest.raises(errors.UnknownAccount):
            node.ask("sign_transaction", transaction=request)
        with pytest.raises(errors.UnknownAccount):
            node.ask("send", transaction=request)


def test_a_fee_cap_below_the_base_fee_waits(tmp_path: Path) -> None:
    """It is pending without a block, and mined when the base fee has fallen far enough."""
    with driven(tmp_path) as node:
        cheap = signed(0, 0, maxFeePerGas=800_000_000, maxPriorityFeePerGas=1)
        node.ask("send_raw", raw=cheap)
        assert (node.hub.engine.height, node.events()) == (0, ["pending"])
        node.ask("mine")
        node.ask("mine")
        assert len(node.hub.pool) == 0


def test_raw_transactions_are_checked_before_they_are_taken(tmp_path: Path) -> None:
    """A named sender is no signature, and outsiders must offer the least tip."""
    with driven(tmp_path, minimum_tip_wei=5, mining=False) as node:
        marked = unsigned(fields(), bytes.fromhex(ADDRESSES[0][2:])).encode()
        with pytest.raises(errors.InvalidSignature):
            node.ask("send_raw", raw="0x" + marked.hex())
        low = transaction(ALICE_KEY, max_priority_fee_per_gas=4)
        with pytest.raises(errors.Underpriced) as caught:
            node.ask("send_raw", raw="0x" + low.encode().hex())
        assert (caught.value.tip, caught.value.minimum) == (4, 5)
        assert len(node.hub.pool) == 0
        enough = transaction(ALICE_KEY, max_priority_fee_per_gas=5)
        assert node.ask("send_raw", raw="0x" + enough.encode().hex()) == "0x" + enough.hash.hex()
        assert len(node.hub.pool) == 1


def test_anybodys_name_may_be_used_without_leave(tmp_path: Path) -> None:
    """A transaction without signature is taken in the name of its sender."""
    stranger = "0x" + "ab" * 20
    request = {"from": stranger, "to": ADDRESSES[1], "value": "0x1"}
    with driven(tmp_path) as node:
        node.ask("set_balance", address=stranger, value=hex(10**18))
        sent = node.ask("send_unsigned", transaction=request)
        (mined,) = node.hub.engine.block(node.hub.engine.head_hash).transactions
        assert ("0x" + mined.hash.hex(), "0x" + mined.sender.hex()) == (sent, stranger)


def test_a_named_gas_limit_is_kept(tmp_path: Path) -> None:
    """Filling and signing estimate nothing when the request names its gas."""
    request = {"from": ADDRESSES[0], "to": ADDRESSES[1], "gas": "0x7530"}
    with driven(tmp_path) as node:
        for word in ("fill", "sign_transaction"):
            shown = decode_transaction(node.ask(word, transaction=request)["transaction"])
            assert isinstance(shown, EvmTransaction)
            assert shown.gas_limit == 30_000
