"""Transaction requests are completed."""

from typing import Any

import pytest

from twisted_chainws.errors import InvalidControl
from twisted_chainws.sources.devchain.engine.filling import Defaults, complete, request_sender

_DEFAULTS = Defaults(chain_id=1, nonce=7, gas=50_000, base_fee=100, blob_base_fee=3)
_GWEI = 10**9


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        ({}, 2),
        ({"gasPrice": "0x1"}, 0),
        ({"gasPrice": "0x1", "accessList": []}, 1),
        ({"accessList": []}, 2),
        ({"blobVersionedHashes": []}, 3),
        ({"authorizationList": []}, 4),
        ({"type": "0x1"}, 1),
        ({"type": "0x2", "gasPrice": "0x1"}, 2),
    ],
)
def test_the_members_imply_the_type(request_: dict[str, Any], kind: int) -> None:
    """A named type rules, else the members tell."""
    assert complete(request_, _DEFAULTS).type == kind


def test_what_is_missing_is_filled_in() -> None:
    """Nonce, gas, chain id and fees come from the node."""
    fields = complete({"to": "0x" + "11" * 20}, _DEFAULTS)
    assert (fields.chain_id, fields.nonce, fields.gas, fields.value) == (1, 7, 50_000, 0)
    assert fields.max_priority_fee_per_gas == _GWEI
    assert fields.max_fee_per_gas == 2 * 100 + _GWEI


@pytest.mark.parametrize(
    ("request_", "fees"),
    [
        ({"maxFeePerGas": "0x5"}, (5, 5)),
        ({"maxPriorityFeePerGas": "0x5"}, (205, 5)),
        ({"type": 2, "gasPrice": "0x5"}, (5, 5)),
        ({"maxFeePerGas": "0x9", "maxPriorityFeePerGas": "0x5"}, (9, 5)),
    ],
)
def test_given_fees_stay(request_: dict[str, Any], fees: tuple[int, int]) -> None:
    """Cap and tip are what was offered, and the other one fits."""
    fields = complete(request_, _DEFAULTS)
    assert (fields.max_fee_per_gas, fields.max_priority_fee_per_gas) == fees


def test_legacy_and_blob_prices() -> None:
    """A legacy price covers base fee and tip; the blob price is doubled for safety."""
    assert complete({"type": "0x0"}, _DEFAULTS).gas_price == 100 + _GWEI
    assert complete({"type": "0x3"}, _DEFAULTS).max_fee_per_blob_gas == 6


def test_faulty_requests() -> None:
    """An unknown type and a missing sender are refused."""
    with pytest.raises(InvalidControl):
        complete({"type": "0x7"}, _DEFAULTS)
    with pytest.raises(InvalidControl):
        request_sender({})
