from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.zilliqa.vectors import derivation
from twisted_chainws.client.errors import Misuse
from twisted_chainws.client.zilliqa.payments import encode_request, sender_of, sign_payment
from twisted_chainws.dialects.zilliqa.transaction import is_authentic

SAMPLE = derivation("payment_tx")
KEYS = derivation("keys")
SECRET = bytes.fromhex(KEYS[1]["privateKey"])
USUAL: dict[str, Any] = {"nonce": 2, "chain_id": 333, "gas_price_qa": 2_000_000_000}


def test_the_published_payment() -> None:
    """Signed anew, it is the published one: the same id, the same request but for the signature."""
    params = SAMPLE["params"]
    payment = sign_payment(SECRET, KEYS[0]["bech32"], int(params["amount"]), **USUAL)
    assert payment.id.hex() == SAMPLE["ID"]
    request = encode_request(payment)
    assert len(request.pop("signature")) == 128
    assert request == {name: value for name, value in params.items() if name != "chain_id"}
    assert sender_of(SECRET) == "0x" + KEYS[1]["address"]


@given(st.integers(1, 2**200), st.integers(0, 2**128 - 1), st.integers(0, 2**64 - 1))
def test_payments_are_authentic(secret: int, amount: int, nonce: int) -> None:
    """What is signed is verified by the key that it names."""
    key = secret.to_bytes(32, "big")
    payment = sign_payment(key, b"\x01" * 20, amount, **USUAL | {"nonce": nonce})
    assert is_authentic(payment)
    assert encode_request(payment)["amount"] == str(amount)


@pytest.mark.parametrize(
    ("secret", "amount", "more"),
    [(b"", 1, {}), (bytes(32), 1, {}), ("x", 1, {}), (SECRET, -1, {}), (SECRET, 2**128, {}),
     (SECRET, 1, {"nonce": -1}), (SECRET, 1, {"chain_id": 2**16})],
)  # fmt: skip
def test_misuse(secret: Any, amount: int, more: Any) -> None:
    """What does not fit is the caller's mistake, and the key is not told."""
    with pytest.raises(Misuse) as caught:
        sign_payment(secret, "0x" + "11" * 20, amount, **USUAL | more)
    assert SECRET.hex() not in str(caught.value)
