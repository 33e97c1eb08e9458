from typing import Any

import pytest

from tests.integration.rows import BOOM
from twisted_chainws.client.errors import RpcError
from twisted_chainws.client.ethereum.reverts import revert_data, revert_reason


@pytest.mark.parametrize(
    "data",
    [
        BOOM,
        f"Reverted {BOOM}",
        {"message": "Error: VM Exception …", "txHash": "0x" + "00" * 32, "data": BOOM},
        {"data": {"message": "…", "data": BOOM}},
        {"hash": None, "programCounter": 1, "result": BOOM, "reason": "boom", "message": "revert"},
        {"0x" + "11" * 32: {"error": "revert", "return": BOOM}, "stack": "at …", "name": "c"},
    ],
)
def test_data_wherever_it_is(data: Any) -> None:
    """geth, Parity, hardhat and ganache, new and old, put it in different places."""
    error = RpcError(3, "execution reverted", data)
    assert revert_data(error) == bytes.fromhex(BOOM[2:])
    assert revert_reason(error) == "boom"


@pytest.mark.parametrize(
    "data", [None, 1, [], {}, "", "boom", "0x1", "0xzz", {"message": "x"}, {"a": {"b": {}}}]
)
def test_no_data(data: Any) -> None:
    """What is no data is none."""
    error = RpcError(-32000, "reverted", data)
    assert revert_data(error) is None
    assert revert_reason(error) is None


def test_data_without_a_reason() -> None:
    """An empty revert and a custom error have data, and no words."""
    assert revert_data(RpcError(3, "", "0x")) == b""
    assert revert_reason(RpcError(3, "", "0x")) is None
    assert revert_reason(RpcError(3, "", "0x12345678")) is None


def test_nesting_has_an_end() -> None:
    """It does not look deeper than nodes nest."""
    data: Any = BOOM
    for _ in range(10):
        data = {"data": data}
    assert revert_data(RpcError(3, "", data)) is None
