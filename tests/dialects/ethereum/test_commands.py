from collections.abc import Mapping
from typing import Any, TypeAlias

import pytest

from tests.dialects.ethereum.asking import ask, fault
from twisted_chainws.dialects.ethereum.commands import COMMANDS
from twisted_chainws.dialects.outcomes import Query

A = "0x" + "01" * 20
WORD = "0x" + "03" * 32
HANDLERS = {name: handler for item in COMMANDS for name, handler in item.handlers().items()}

Row: TypeAlias = tuple[str, Any, str, Mapping[str, Any], Any, Any]
"""Method, parameters, word of the source and its parameters, its answer, the result."""

ROWS: list[Row] = [
    ("anvil_setBalance", [A, "0x10"], "set_balance", {"address": A, "value": "0x10"}, None, None),
    ("tenderly_setBalance", [A, 16], "set_balance", {"address": A, "value": "0x10"}, None, None),
    ("hardhat_setBalance", [A, "16"], "set_balance", {"address": A, "value": "0x10"}, None, True),
    ("anvil_addBalance", [A, 1], "add_balance", {"address": A, "value": "0x1"}, None, None),
    ("anvil_setNonce", [A, 7], "set_nonce", {"address": A, "nonce": "0x7"}, None, None),
    ("evm_setAccountNonce", [A, "7"], "set_nonce", {"address": A, "nonce": "0x7"}, None, None),
    ("anvil_setCode", [A, "0xAB"], "set_code", {"address": A, "code": "0xab"}, None, None),
    ("hardhat_setCode", [A, "0x"], "set_code", {"address": A, "code": "0x"}, None, True),
    (
        "anvil_setStorageAt",
        [A, "0x1", WORD],
        "set_storage",
        {"address": A, "slot": "0x" + "0" * 63 + "1", "word": WORD},
        None,
        True,
    ),
    (
        "hardhat_setStorageAt",
        [A, WORD, WORD],
        "set_storage",
        {"address": A, "slot": WORD, "word": WORD},
        None,
        True,
    ),
    ("anvil_impersonateAccount", [A], "impersonate", {"address": A}, None, None),
    ("hardhat_impersonateAccount", [A], "impersonate", {"address": A}, None, True),
    ("anvil_stopImpersonatingAccount", [A], "stop_impersonating", {"address": A}, None, None),
    ("hardhat_stopImpersonatingAccount", [A], "stop_impersonating", {"address": A}, True, True),
    ("hardhat_stopImpersonatingAccount", [A], "stop_impersonating", {"address": A}, False, False),
    ("anvil_autoImpersonateAccount", [True], "auto_impersonate", {"enabled": True}, None, None),
    ("anvil_dropTransaction", [WORD], "drop", {"hash": WORD}, WORD, WORD),
    ("anvil_dropTransaction", [WORD], "drop", {"hash": WORD}, None, None),
    ("hardhat_dropTransaction", [WORD], "drop", {"hash": WORD}, WORD, True),
    ("hardhat_dropTransaction", [WORD], "drop", {"hash": WORD}, None, False),
    ("anvil_dropAllTransactions", [], "drop_all", {}, None, None),
    ("anvil_removePoolTransactions", [A], "remove_pool_transactions", {"address": A}, None, None),
    ("hardhat_mine", ["0x3"], "mine", {"count": 3}, {"hashes": []}, True),
    ("hardhat_mine", [None, 5], "mine", {"interval_s": 5}, {"hashes": []}, True),
    ("evm_setAutomine", [False], "set_automine", {"enabled": False}, None, None),
    ("anvil_setAutomine", [True], "set_automine", {"enabled": True}, None, None),
    ("anvil_getAutomine", [], "automine", {}, True, True),
    ("hardhat_getAutomine", [], "automine", {}, False, False),
    ("anvil_setIntervalMining", [5], "set_interval", {"seconds": 5}, None, None),
    ("evm_setIntervalMining", ["0x0"], "set_interval", {"seconds": 0}, None, None),
    ("anvil_getIntervalMining", [], "interval", {}, None, None),
    ("anvil_getIntervalMining", [], "interval", {}, 5.0, 5),
    ("anvil_getIntervalMining", [], "interval", {}, 0.5, 0.5),
    ("evm_snapshot", [], "snapshot", {}, "0x0", "0x0"),
    ("anvil_snapshot", [], "snapshot", {}, "0x1", "0x1"),
    ("evm_revert", ["0x1"], "revert", {"id": "0x1"}, True, True),
    ("anvil_revert", [1], "revert", {"id": "0x1"}, False, False),
    ("anvil_rollback", [], "rollback", {}, None, None),
    ("anvil_rollback", [2], "rollback", {"depth": 2}, None, None),
    ("evm_increaseTime", [60], "increase_time", {"seconds": 60}, 61, 61),
    ("anvil_increaseTime", ["0x3c"], "increase_time", {"seconds": 60}, 61, 61),
    ("evm_setNextBlockTimestamp", ["9"], "set_next_timestamp", {"timestamp": 9}, None, None),
    ("evm_setTime", [1_800_000_000], "set_time", {"timestamp": 1_800_000_000}, 5, 5),
    ("anvil_setTime", [1_800_000_000_500], "set_time", {"timestamp": 1_800_000_000}, 5, 5),
    (
        "anvil_setBlockTimestampInterval",
        [12],
        "set_timestamp_interval",
        {"seconds": 12},
        None,
        None,
    ),
    ("anvil_setCoinbase", [A], "set_coinbase", {"address": A}, None, None),
    ("hardhat_setCoinbase", [A], "set_coinbase", {"address": A}, None, True),
    ("evm_setBlockGasLimit", ["0x989680"], "set_block_gas_limit", {"limit": 10**7}, None, True),
    (
        "anvil_setNextBlockBaseFeePerGas",
        ["1000000000000"],
        "set_next_base_fee",
        {"value": hex(10**12)},
        None,
        None,
    ),
    ("hardhat_setNextBlockBaseFeePerGas", [7], "set_next_base_fee", {"value": "0x7"}, None, True),
    ("anvil_setNextBlockPrevRandao", [WORD], "set_prev_randao", {"value": WORD}, None, None),
    ("hardhat_setPrevRandao", [WORD], "set_prev_randao", {"value": WORD}, None, True),
]


@pytest.mark.parametrize("row", ROWS)
def test_commands_are_one_word_of_the_source(row: Row) -> None:
    """Numbers come in three forms; the answer is the one of the node whose name it is."""
    method, params, word, sent, answer, expected = row
    result, calls = ask(HANDLERS[method], params, answer)
    assert result == expected
    assert type(result) is type(expected)
    assert calls == [Query(method=word, params=sent)]


@pytest.mark.parametrize(
    ("method", "params", "text"),
    [
        ("anvil_setBalance", [A], "missing value for required argument 1"),
        (
            "anvil_setBalance",
            [A, 2**256],
            "invalid argument 1: invalid number, want an integer of at most 256 bits",
        ),
        (
            "anvil_setNonce",
            [A, 2**64],
            "invalid argument 1: invalid number, want an integer of at most 64 bits",
        ),
        (
            "anvil_setStorageAt",
            [A, "0x1", "0x1234"],
            "invalid argument 2: hex string has length 4, want 64 for common.Hash",
        ),
        (
            "evm_increaseTime",
            [-1],
            "invalid argument 0: invalid number, want an integer of at most 53 bits",
        ),
        (
            "evm_setAutomine",
            [1],
            "invalid argument 0: json: cannot unmarshal number into Go value of type bool",
        ),
        ("evm_snapshot", [1], "too many arguments, want at most 0"),
    ],
)
def test_wrong_parameters_are_refused(method: str, params: Any, text: str) -> None:
    """Nothing reaches the source."""
    refusal = fault(HANDLERS[method], params)
    assert (refusal.code, refusal.message) == (-32602, text)


def test_every_name_belongs_to_one_command() -> None:
    """A name that two rows claim would be answered by the last one."""
    names = [name for item in COMMANDS for name in (*item.names, *item.hardhat_names)]
    assert len(names) == len(set(names)) == len(HANDLERS)
