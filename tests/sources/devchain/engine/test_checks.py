"""The rules py-evm leaves to its caller."""

from typing import Any

import pytest
from eth.constants import SECPK1_N

from tests.sources.devchain.engine.building import (
    ALICE,
    ALICE_KEY,
    BOB,
    CAROL,
    CHAIN_ID,
    ETHER,
    GAS_LIMIT,
    GWEI,
    STORE,
    fields,
    transaction,
)
from twisted_chainws import errors
from twisted_chainws.sources.devchain.engine.checks import (
    check_executable,
    check_stateful,
    check_stateless,
    floor_gas,
    highest_cost,
    init_code_gas,
    is_marked,
)
from twisted_chainws.sources.devchain.engine.core import Engine
from twisted_chainws.sources.devchain.engine.vm import DevLegacy, unsigned

BLOB = b"\x01" + bytes(31)


def stateless(**changes: Any) -> None:
    """Check a signed transaction of Alice's."""
    check_stateless(transaction(**changes), chain_id=CHAIN_ID, gas_limit=GAS_LIMIT)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"chain_id": 1}, errors.WrongChainId(have=1, want=CHAIN_ID)),
        ({"chain_id": 1, "type": 0}, errors.WrongChainId(have=1, want=CHAIN_ID)),
        ({"gas": 20_999}, errors.IntrinsicGasTooLow(gas=20_999, minimum=21_000)),
        ({"gas": GAS_LIMIT + 1}, errors.BlockGasLimitExceeded(gas=GAS_LIMIT + 1, limit=GAS_LIMIT)),
        (
            {"data": b"\x01" * 1_000, "gas": 37_000},
            errors.FloorGasTooLow(gas=37_000, minimum=61_000),
        ),
        (
            {"to": b"", "data": bytes(49_153), "gas": 5_000_000},
            errors.InitCodeTooLarge(size=49_153, limit=49_152),
        ),
        (
            {"to": b"", "data": bytes(64), "gas": 53_256},
            errors.IntrinsicGasTooLow(gas=53_256, minimum=53_260),
        ),
        (
            {"type": 1, "access_list": [(STORE, [1, 2])], "gas": 27_199},
            errors.IntrinsicGasTooLow(gas=27_199, minimum=27_200),
        ),
        ({"type": 3, "max_fee_per_blob_gas": 1}, errors.BlobsMissing()),
        (
            {"type": 3, "blob_versioned_hashes": [b"\x02" + bytes(31)]},
            errors.UndecodableTransaction(reason="rlp: invalid blob versioned hash"),
        ),
        (
            {"type": 4},
            errors.UndecodableTransaction(
                reason="rlp: set code transaction without authorizations"
            ),
        ),
        (
            {"value": 2**256},
            errors.UndecodableTransaction(reason="rlp: value larger than 256 bits"),
        ),
        ({"nonce": 2**64 - 1}, errors.NonceAtMaximum()),
        (
            {"nonce": 2**64},
            errors.UndecodableTransaction(
                reason="rlp: input string too long for uint64, decoding into .Nonce"
            ),
        ),
    ],
)
def test_each_rule_has_its_error(changes: dict[str, Any], error: errors.ChainwsError) -> None:
    """Every broken rule is named with its facts."""
    with pytest.raises(type(error)) as caught:
        stateless(**changes)
    assert vars(caught.value) == vars(error)


def test_a_tip_above_the_cap_names_the_sender() -> None:
    """The error carries sender, tip and cap."""
    with pytest.raises(errors.TipAboveFeeCap) as caught:
        stateless(max_fee_per_gas=1, max_priority_fee_per_gas=2)
    assert (caught.value.tip, caught.value.cap) == (2, 1)
    assert bytes.fromhex(caught.value.sender[2:]) == ALICE


def test_what_is_right_passes() -> None:
    """Valid transactions of each type raise nothing."""
    stateless()
    stateless(type=0)
    stateless(type=1, access_list=[(STORE, [1])], gas=25_300)
    stateless(type=3, max_fee_per_blob_gas=1, blob_versioned_hashes=[BLOB])
    stateless(to=b"", data=bytes(64), gas=53_260)
    stateless(data=b"\x01" * 1_000, gas=61_000)


def test_an_oversized_transaction_is_refused() -> None:
    """131,072 bytes are the limit."""
    with pytest.raises(errors.TransactionTooLarge) as caught:
        stateless(data=bytes(131_072), gas=2_000_000)
    assert caught.value.limit == 131_072


def test_a_legacy_signature_without_chain_id_is_refused() -> None:
    """Pre EIP-155 transactions are not replay-protected."""
    good: Any = transaction(type=0)
    bare = DevLegacy(**{name: getattr(good, name) for name in good._meta.field_names} | {"v": 27})
    with pytest.raises(errors.UnprotectedTransaction):
        check_stateless(bare, chain_id=CHAIN_ID, gas_limit=GAS_LIMIT)


@pytest.mark.parametrize(
    "change", [{"r": 0}, {"s": 0}, {"r": SECPK1_N}, {"s": SECPK1_N - 1}, {"r": 5, "s": 5}]
)
def test_bad_signatures_are_refused(change: dict[str, int]) -> None:
    """Zero, out of range, malleable and unrecoverable signatures have no sender."""
    good: Any = transaction(type=0)
    values = {name: getattr(good, name) for name in good._meta.field_names}
    bad = DevLegacy(**values | change)
    with pytest.raises(errors.InvalidSignature):
        check_stateless(bad, chain_id=CHAIN_ID, gas_limit=GAS_LIMIT)


def test_a_marked_transaction_is_recognised() -> None:
    """Impersonated transactions pass the signature rule and are told apart from signed ones."""
    for kind in (0, 2):
        marked = unsigned(fields(type=kind), CAROL)
        assert is_marked(marked)
        check_stateless(marked, chain_id=CHAIN_ID, gas_limit=GAS_LIMIT)
        assert not is_marked(transaction(type=kind))


def test_nonce_and_funds(engine: Engine) -> None:
    """A used nonce and a short balance are refused; a later nonce passes until it must run."""
    engine.edit(lambda state: state.set_nonce(ALICE, 5))
    state = engine.read(engine.head_hash).state
    with pytest.raises(errors.NonceTooLow) as low:
        check_stateful(transaction(nonce=4), state)
    assert (low.value.next_nonce, low.value.nonce) == (5, 4)
    check_stateful(transaction(nonce=9), state)
    with pytest.raises(errors.NonceTooHigh):
        check_executable(transaction(nonce=9), state, base_fee=0, blob_base_fee=1)
    expensive = transaction(nonce=5, value=10_000 * ETHER)
    with pytest.raises(errors.InsufficientFunds) as poor:
        check_stateful(expensive, state)
    assert poor.value.balance == 10_000 * ETHER
    assert poor.value.cost == highest_cost(expensive) == 10_000 * ETHER + 21_000 * 10 * GWEI


def test_blob_gas_counts_as_cost() -> None:
    """The most a blob transaction may cost includes its blobs."""
    blobs = transaction(type=3, max_fee_per_blob_gas=7, blob_versioned_hashes=[BLOB, BLOB])
    assert highest_cost(blobs) == 21_000 * 10 * GWEI + 1 + 2 * 131_072 * 7


def test_fee_caps_below_the_price(engine: Engine) -> None:
    """A cap under the base fee, or under the blob price, is refused."""
    state = engine.read(engine.head_hash).state
    with pytest.raises(errors.FeeCapBelowBaseFee) as caught:
        check_executable(transaction(), state, base_fee=11 * GWEI, blob_base_fee=1)
    assert (caught.value.cap, caught.value.base_fee) == (10 * GWEI, 11 * GWEI)
    blob = transaction(type=3, max_fee_per_blob_gas=1, blob_versioned_hashes=[BLOB])
    check_executable(blob, state, base_fee=GWEI, blob_base_fee=1)
    with pytest.raises(errors.FeeCapBelowBaseFee):
        check_executable(blob, state, base_fee=GWEI, blob_base_fee=2)


def test_a_sender_with_code_is_refused_unless_delegated(engine: Engine) -> None:
    """EIP-3607 holds, but not for delegations of EIP-7702 and not for impersonation."""
    engine.edit(lambda state: state.set_code(ALICE, b"\x00"))
    state = engine.read(engine.head_hash).state
    with pytest.raises(errors.SenderNotExternallyOwned) as caught:
        check_stateful(transaction(ALICE_KEY), state)
    assert bytes.fromhex(caught.value.address[2:]) == ALICE
    check_stateful(unsigned(fields(), ALICE), state)
    engine.edit(lambda state: state.set_code(ALICE, b"\xef\x01\x00" + BOB))
    check_stateful(transaction(ALICE_KEY), engine.read(engine.head_hash).state)


def test_gas_of_data() -> None:
    """Init code costs 2 per word, the floor 10 per zero and 40 per other byte."""
    assert init_code_gas(b"", bytes(33)) == 4
    assert init_code_gas(BOB, bytes(33)) == 0
    assert floor_gas(b"\x00\x01") == 21_050
