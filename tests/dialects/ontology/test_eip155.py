from typing import Any

import pytest
import rlp
from eth_account import Account
from eth_hash.auto import keccak

from tests.signing import ADDRESSES, KEYS
from twisted_chainws.dialects.ontology.eip155 import decode_eip155
from twisted_chainws.errors import UndecodableTransaction

CHAIN_ID = 12345
GWEI = 10**9


def legacy(**fields: Any) -> bytes:
    """Sign a legacy transaction of the first account."""
    transaction = {
        "chainId": CHAIN_ID,
        "nonce": 3,
        "to": "0x000000000000000000000000000000000000dEaD",
        "value": 10**18,
        "gas": 21_000,
        "gasPrice": 2_500 * GWEI,
        "data": b"",
    } | fields
    return bytes(
        Account.sign_transaction(
            {name: value for name, value in transaction.items() if value is not None}, KEYS[0]
        ).raw_transaction
    )


RAW = legacy()
FIELDS: list[bytes] = rlp.decode(RAW)


def changed(at: int, value: Any) -> bytes:
    """Write the transaction with another field, its signature being that of the first one."""
    fields: list[Any] = list(FIELDS)
    fields[at] = value
    return bytes(rlp.encode(fields))


@pytest.mark.parametrize("chain_id", [None, CHAIN_ID])
def test_protected(chain_id: int | None) -> None:
    """A signed transaction is read with its sender and called by its hash."""
    found = decode_eip155(RAW, chain_id=chain_id)
    assert "0x" + found.sender.hex() == ADDRESSES[0]
    assert (found.hash, found.raw, found.type) == (keccak(RAW), RAW, 0)
    assert (found.nonce, found.chain_id, found.value) == (3, CHAIN_ID, 10**18)
    assert (found.gas_limit, found.gas_price, found.data) == (21_000, 2_500 * GWEI, b"")
    assert found.to == bytes.fromhex("000000000000000000000000000000000000dead")


def test_creation() -> None:
    """Without a recipient it creates a contract."""
    found = decode_eip155(legacy(to="", data=b"\x60\x00"))
    assert found.to is None
    assert found.data == b"\x60\x00"


def test_unprotected() -> None:
    """A signature for no chain is taken only where any is."""
    raw = legacy(chainId=None)
    found = decode_eip155(raw)
    assert found.chain_id is None
    assert "0x" + found.sender.hex() == ADDRESSES[0]
    with pytest.raises(UndecodableTransaction, match="chain id None, expected 12345"):
        decode_eip155(raw, chain_id=CHAIN_ID)


def test_another_chain() -> None:
    """A transaction of another chain is refused."""
    with pytest.raises(UndecodableTransaction, match="EIP-155: chain id 12345, expected 58"):
        decode_eip155(RAW, chain_id=58)


ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
HIGH_S = (ORDER - int.from_bytes(FIELDS[8], "big")).to_bytes(32, "big")

BAD = [
    (b"", "EIP-155: "),
    (RAW + b"\0", "EIP-155: "),
    (RAW[:-1], "EIP-155: "),
    (b"\x02" + RAW, "EIP-155: "),
    (rlp.encode(b"text"), "no list of 9 fields"),
    (rlp.encode(FIELDS[:-1]), "no list of 9 fields"),
    (changed(5, [b""]), "a field is a list"),
    (changed(3, b"\1" * 19), "a recipient that is no address"),
    (changed(0, b"\0\1"), "nonce begins with a zero"),
    (changed(0, b"\1\0\0\0\0"), "nonce does not fit in 32 bits"),
    (changed(1, b"\1" + bytes(8)), "gas price does not fit in 64 bits"),
    (changed(2, b"\1" + bytes(8)), "gas limit does not fit in 64 bits"),
    (changed(4, b"\1" + bytes(32)), "value does not fit in 256 bits"),
    (changed(1, b"\1"), "gas price 1 is not a multiple of a gwei"),
    (changed(6, b""), "invalid signature"),
    (changed(6, b"\x1d"), "invalid signature"),
    (changed(7, b""), "invalid signature"),
    (changed(8, b""), "invalid signature"),
    (changed(8, HIGH_S), "invalid signature"),
]


@pytest.mark.parametrize(("raw", "reason"), BAD)
def test_bad(raw: bytes, reason: str) -> None:
    """What Ontology does not take is refused with the reason."""
    with pytest.raises(UndecodableTransaction, match=reason):
        decode_eip155(raw)
