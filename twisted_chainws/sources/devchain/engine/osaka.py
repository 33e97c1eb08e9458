"""The rules of Osaka on top of Prague's, which py-evm does not have yet.

Source: EIP-7607 (the list of Osaka); EIP-7823 and EIP-7883 (modexp), EIP-7825 (gas of a
transaction), EIP-7892 (blob parameters), EIP-7918 (blob fee), EIP-7939 (CLZ), EIP-7951
(secp256r1). What a block's bytes may be (EIP-7934) is checked by the import.
"""

from collections.abc import Mapping
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from eth.abc import BlockHeaderAPI, ComputationAPI, SignedTransactionAPI
from eth.exceptions import VMError
from eth.precompiles.modexp import modexp
from eth.vm.forks.prague.computation import PragueComputation
from eth.vm.opcode import as_opcode
from eth_typing import Address
from eth_utils import ValidationError

from twisted_chainws.chain.forks import PRAGUE_BLOBS, Fork
from twisted_chainws.sources.devchain.engine.checks import MAX_TRANSACTION_GAS
from twisted_chainws.sources.devchain.engine.vm import DevState, DevVM

MAX_BLOCK_BYTES: Final = (10 << 20) - (2 << 20)
"""Most bytes of an encoded block (EIP-7934)."""

OSAKA: Final = Fork(name="osaka", rules="osaka", start=0, timed=True, blobs=PRAGUE_BLOBS)
"""A fork of these rules with the blobs of Prague, for states that no schedule tells more."""

_CLZ: Final = 0x1E
_CLZ_GAS: Final = 5
_WORD_BITS: Final = 256

_MODEXP_LIMIT: Final = 1024
_MODEXP_MINIMUM: Final = 500
_WORD: Final = 32

_P256_GAS: Final = 6_900
_P256_INPUT: Final = 160


def count_leading_zeros(computation: ComputationAPI) -> None:
    """Replace the top of the stack by how many zero bits it begins with (EIP-7939)."""
    value = computation.stack_pop1_int()
    computation.stack_push_int(_WORD_BITS - value.bit_length())


def modexp_gas(data: bytes) -> int:
    """Return the gas of a modular exponentiation (EIP-7883).

    Raises:
        VMError: base, exponent or modulus is longer than 1,024 bytes (EIP-7823).
    """
    base, exponent, modulus = _modexp_lengths(data)
    if max(base, exponent, modulus) > _MODEXP_LIMIT:
        raise VMError("one or more of base/exponent/modulus length exceeded 1024 bytes")
    longest = max(base, modulus)
    words = -(-longest // 8)
    complexity = 16 if longest <= _WORD else 2 * words * words
    head = int.from_bytes(_slice(data, 96 + base, min(_WORD, exponent)), "big")
    rounds = max(head.bit_length() - 1, 0)
    if exponent > _WORD:
        rounds += 16 * (exponent - _WORD)
    return max(_MODEXP_MINIMUM, complexity * max(rounds, 1))


def _modexp_lengths(data: bytes) -> tuple[int, int, int]:
    first, second, third = (
        int.from_bytes(_slice(data, start, _WORD), "big") for start in (0, 32, 64)
    )
    return first, second, third


def _slice(data: bytes, start: int, length: int) -> bytes:
    return data[start : start + length].ljust(length, b"\0")


def p256_verify(computation: ComputationAPI) -> ComputationAPI:
    """Run the precompile at address 256: 1 as a word for a good signature, else nothing."""
    computation.consume_gas(_P256_GAS, reason="P256VERIFY Precompile")
    data = bytes(computation.msg.data)
    good = len(data) == _P256_INPUT and is_p256_signature(data)
    computation.output = (1).to_bytes(_WORD, "big") if good else b""
    return computation


def is_p256_signature(data: bytes) -> bool:
    """Tell whether hash, r, s, x and y, 32 bytes each, are a signature over secp256r1."""
    digest, *words = (data[start : start + _WORD] for start in range(0, _P256_INPUT, _WORD))
    r, s, x, y = (int.from_bytes(word, "big") for word in words)
    try:
        key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        key.verify(encode_dss_signature(r, s), digest, ec.ECDSA(Prehashed(SHA256())))
    except (ValueError, InvalidSignature):
        return False
    return True


OSAKA_OPCODES: Final[Mapping[int, Any]] = {
    **PragueComputation.opcodes,
    _CLZ: as_opcode(logic_fn=count_leading_zeros, mnemonic="CLZ", gas_cost=_CLZ_GAS),
}
OSAKA_PRECOMPILES: Final[Mapping[Address, Any]] = {
    **PragueComputation.get_precompiles(),
    Address((5).to_bytes(20, "big")): modexp(gas_calculator=modexp_gas),
    Address((0x100).to_bytes(20, "big")): p256_verify,
}


class OsakaComputation(PragueComputation):
    """Runs code by the rules of Osaka."""

    opcodes = OSAKA_OPCODES
    _precompiles = OSAKA_PRECOMPILES


class OsakaState(DevState):
    """A state whose code runs by the rules of Osaka."""

    computation_class = OsakaComputation
    fork = OSAKA


class OsakaVM(DevVM):
    """Rules of Osaka, headers of a development chain."""

    fork = "osaka"
    _state_class = OsakaState

    def validate_transaction_against_header(
        self, header: BlockHeaderAPI, transaction: SignedTransactionAPI
    ) -> None:
        """Refuse what asks for more gas than one transaction may have."""
        if transaction.gas > MAX_TRANSACTION_GAS:
            raise ValidationError(
                f"transaction gas limit too high (cap: {MAX_TRANSACTION_GAS}, "
                f"tx: {transaction.gas})"
            )
        super().validate_transaction_against_header(header, transaction)
