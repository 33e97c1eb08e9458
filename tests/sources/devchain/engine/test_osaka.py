"""What Osaka adds to Prague: an opcode, a precompile, other prices."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from eth.exceptions import VMError
from eth_utils import ValidationError

from tests.sources.devchain.engine.building import genesis, transaction
from twisted_chainws.chain.forks import PRAGUE_BLOBS, Fork, ForkSchedule
from twisted_chainws.errors import (
    ExecutionFailed,
    GasAllowanceExceeded,
    TooManyBlobs,
    TransactionGasTooHigh,
)
from twisted_chainws.sources.devchain.engine.checks import MAX_TRANSACTION_GAS, check_bounds
from twisted_chainws.sources.devchain.engine.core import Engine
from twisted_chainws.sources.devchain.engine.osaka import (
    OsakaVM,
    is_p256_signature,
    modexp_gas,
)
from twisted_chainws.sources.devchain.genesis import Genesis

OSAKA = ForkSchedule(
    forks=(Fork(name="osaka", rules="osaka", start=0, timed=True, blobs=PRAGUE_BLOBS),),
    deposit_contract=bytes(20),
    requests=False,
)
PUBLISHED_SIGNATURE = bytes.fromhex(
    "4cee90eb86eaa050036147a12d49004b6b9c72bd725d39d4785011fe190f0b4d"
    "a73bd4903f0ce3b639bbbf6e8e80d16931ff4bcf5993d58468e8fb19086e8cac"
    "36dbcd03009df8c59286b162af3bd7fcc0450c9aa81be5d10d312af6c66b1d60"
    "4aebd3099c618202fcfe16ae7770b0c49ab5eadf74b754204a3bb6060e44eff3"
    "7618b065f9832de4ca6ca971a7a1adc826d0f7c00181a5fb2ddf79ae00b4e10e"
)
"""The first one of the vectors of RIP-7212, which EIP-7951 keeps."""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A chain that is under Osaka from genesis on."""
    made = Engine.open(str(tmp_path / "chain"), osaka_genesis())
    yield made
    made.close()


def osaka_genesis() -> Genesis:
    """Return the usual genesis under the rules of Osaka."""
    usual = genesis()
    names = ("chain_id", "gas_limit", "timestamp", "base_fee", "accounts")
    return Genesis(**{name: getattr(usual, name) for name in names}, forks=OSAKA)


def call(engine: Engine, **request: str) -> bytes:
    """Run a call at the head."""
    return engine.call(request, engine.head_hash, gas_cap=10**7)


def code_of(value: int) -> str:
    """Return code that returns the leading zeros of a word."""
    return "0x7f" + value.to_bytes(32, "big").hex() + "1e60005260206000f3"


@pytest.mark.parametrize(
    ("value", "zeros"),
    [(0, 256), (1, 255), (2**255, 0), (2**256 - 1, 0), (2**255 - 1, 1), (2**254, 1), (0xFF, 248)],
)
def test_leading_zeros(engine: Engine, value: int, zeros: int) -> None:
    """CLZ counts the zero bits above the highest one; zero has 256 of them (EIP-7939)."""
    engine.edit(lambda state: state.set_code(b"\x77" * 20, bytes.fromhex(code_of(value)[2:])))
    assert int.from_bytes(call(engine, to="0x" + "77" * 20), "big") == zeros


def test_leading_zeros_cost_five(engine: Engine) -> None:
    """PUSH0 CLZ costs 7, and 5 more than PUSH0 alone."""
    used = [_gas_of(engine, code) for code in (b"\x5f\0", b"\x5f\x1e\0")]
    assert used[1] - used[0] == 5


def _gas_of(engine: Engine, code: bytes) -> int:
    engine.edit(lambda state: state.set_code(b"\x77" * 20, code))
    call = {"to": "0x" + "77" * 20}
    return engine.access_list(call, engine.head_hash, gas_cap=10**6).gas_used


def modexp_data(size: int, exponent: int) -> bytes:
    """Return input for a base and a modulus of so many bytes, all ones, and an exponent."""
    power = exponent.to_bytes(max(1, (exponent.bit_length() + 7) // 8), "big")
    lengths = (size, len(power), size)
    head = b"".join(length.to_bytes(32, "big") for length in lengths)
    return head + b"\xff" * size + power + b"\xff" * size


@pytest.mark.parametrize(
    ("size", "exponent", "gas"),
    [
        (64, 2, 500),
        (64, 3, 500),
        (64, 0x10001, 2_048),
        (128, 2, 512),
        (128, 0x10001, 8_192),
        (256, 2, 2_048),
        (256, 0x10001, 32_768),
        (512, 0x10001, 131_072),
        (1024, 2, 32_768),
        (1024, 0x10001, 524_288),
        (32, 2**255, 16 * 255),
        (32, 2**263, 16 * (255 + 16)),
        (32, 0, 500),
    ],
)
def test_the_price_of_modexp(size: int, exponent: int, gas: int) -> None:
    """Prices follow EIP-7883; the cases of powers 2 and 0x10001 are in its table."""
    assert modexp_gas(modexp_data(size, exponent)) == gas


def test_modexp_of_too_long_numbers(engine: Engine) -> None:
    """Base, exponent and modulus have 1,024 bytes at most (EIP-7823)."""
    with pytest.raises(VMError, match="1024 bytes"):
        modexp_gas(modexp_data(1025, 2))
    with pytest.raises(ExecutionFailed):
        call(engine, to="0x" + "05".rjust(40, "0"), data="0x" + modexp_data(1025, 2).hex())


def test_modexp_answers_as_before(engine: Engine) -> None:
    """Only the price is another one."""
    data = b"".join(n.to_bytes(32, "big") for n in (1, 1, 1)) + bytes([7, 5, 11])
    answer = call(engine, to="0x" + "05".rjust(40, "0"), data="0x" + data.hex())
    assert answer == bytes([pow(7, 5, 11)])


def signature() -> bytes:
    """Return input of P256VERIFY that was signed here."""
    digest = bytes(range(32))
    key = ec.derive_private_key(12345, ec.SECP256R1())
    r, s = decode_dss_signature(key.sign(digest, ec.ECDSA(Prehashed(SHA256()))))
    point = key.public_key().public_numbers()
    return digest + b"".join(n.to_bytes(32, "big") for n in (r, s, point.x, point.y))


def with_word(position: int, value: bytes) -> bytes:
    """Return the published input with one of its words replaced."""
    start = 32 * position
    return PUBLISHED_SIGNATURE[:start] + value + PUBLISHED_SIGNATURE[start + 32 :]


@pytest.mark.parametrize(
    ("data", "good"),
    [
        (PUBLISHED_SIGNATURE, True),
        (signature(), True),
        (with_word(0, bytes(32)), False),
        (with_word(1, bytes(32)), False),
        (with_word(2, bytes(32)), False),
        (with_word(2, b"\xff" * 32), False),
        (with_word(3, b"\xff" * 32), False),
        (with_word(3, bytes(32))[:128] + bytes(32), False),
    ],
)
def test_signatures_over_secp256r1(engine: Engine, data: bytes, good: bool) -> None:
    """The precompile at 256 answers 1 to a good signature and nothing to any other input."""
    assert is_p256_signature(data) is good
    answer = call(engine, to="0x" + "100".rjust(40, "0"), data="0x" + data.hex())
    assert answer == ((1).to_bytes(32, "big") if good else b"")


def test_a_signature_of_another_length(engine: Engine) -> None:
    """Input that is not 160 bytes long is none."""
    for data in (PUBLISHED_SIGNATURE[:-1], PUBLISHED_SIGNATURE + b"\0"):
        assert call(engine, to="0x" + "100".rjust(40, "0"), data="0x" + data.hex()) == b""


def test_the_gas_of_a_transaction_is_bounded(engine: Engine) -> None:
    """One transaction asks for at most 2^24 gas (EIP-7825)."""
    header: Any = engine.head
    vm = engine.chain.get_vm(header)
    assert isinstance(vm, OsakaVM)
    allowed = transaction(gas=MAX_TRANSACTION_GAS)
    vm.validate_transaction_against_header(header, allowed)
    with pytest.raises(ValidationError, match="transaction gas limit too high"):
        vm.validate_transaction_against_header(header, transaction(gas=MAX_TRANSACTION_GAS + 1))


def test_no_block_takes_more_than_the_rules_allow(engine: Engine) -> None:
    """A draft refuses too much gas by name, and an estimate never asks for it."""
    fields: dict[str, Any] = {"gas_limit": 10**8, "coinbase": bytes(20), "mix_hash": bytes(32)}
    draft = engine.draft(engine.head_hash, timestamp=engine.head.timestamp + 1, **fields)
    with pytest.raises(TransactionGasTooHigh) as caught:
        draft.add(transaction(gas=MAX_TRANSACTION_GAS + 1))
    assert (caught.value.gas, caught.value.cap) == (MAX_TRANSACTION_GAS + 1, MAX_TRANSACTION_GAS)
    endless = {"to": None, "data": "0x5b5f56"}
    with pytest.raises(GasAllowanceExceeded) as refused:
        engine.estimate(endless, engine.head_hash, gas_cap=10**8)
    assert refused.value.cap == MAX_TRANSACTION_GAS


@pytest.mark.parametrize(("count", "rules"), [(7, "osaka"), (6, "osaka"), (7, "prague")])
def test_the_blobs_of_a_transaction_are_bounded(count: int, rules: str) -> None:
    """More than six blobs are too many under Osaka only (EIP-7594)."""
    blobs = transaction(type=3, blob_versioned_hashes=(b"\1" * 32,) * count)
    fork = replace(OSAKA.forks[0], rules=rules)
    if count > 6 and rules == "osaka":
        with pytest.raises(TooManyBlobs) as caught:
            check_bounds(blobs, fork)
        assert (caught.value.count, caught.value.limit) == (count, 6)
    else:
        check_bounds(blobs, fork)
