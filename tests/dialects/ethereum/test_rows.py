"""The methods of a development node, name by name, with what each answers.

Source: ``ethereum.md`` 5.10 (anvil 1.7.1, EDR 0.18): a ``hardhat_`` name answers as Hardhat does.
"""

from typing import Any, Final

import pytest

from tests.dialects.ethereum.asking import ask, fault, make_view
from tests.strategies import make_chain
from twisted_chainws.dialects.ethereum.encode import encode_block
from twisted_chainws.dialects.ethereum.methods import METHODS, methods_of
from twisted_chainws.dialects.view import Profile

A, WORD = "0x" + "01" * 20, "0x" + "03" * 32
BLOCKS: Final = make_chain(3)
HEAD: Final = f"0x{BLOCKS[-1].hash.hex()}"
NODE: Final = {
    "number": 2,
    "timestamp": 7,
    "hash": HEAD,
    "hardfork": "prague",
    "chain_id": 31337,
    "base_fee": "0x1",
    "gas_limit": 9,
    "coinbase": A,
    "gas_price": "0x2",
    "instance": WORD,
    "time_offset": 0,
    "snapshots": {},
}
NOTHING: Final[tuple[Any, ...]] = (None,)

ROWS: Final[tuple[tuple[str, list[Any], tuple[Any, ...], Any], ...]] = (
    # name, parameters, what the source says, result
    ("evm_mine", [], ({"hashes": [HEAD]},), "0x0"),
    ("anvil_mine_detailed", [], ({"hashes": [HEAD]},), [encode_block(BLOCKS[-1], full=True)]),
    ("evm_mine_detailed", [], ({"hashes": [HEAD]},), [encode_block(BLOCKS[-1], full=True)]),
    ("anvil_mine", [], ({"hashes": [HEAD]},), None),
    ("hardhat_mine", [], ({"hashes": [HEAD]},), True),
    ("anvil_setAutomine", [True], NOTHING, None),
    ("evm_setAutomine", [True], NOTHING, None),
    ("anvil_getAutomine", [], (True,), True),
    ("hardhat_getAutomine", [], (False,), False),
    ("anvil_setIntervalMining", [1], NOTHING, None),
    ("evm_setIntervalMining", [1], NOTHING, None),
    ("anvil_getIntervalMining", [], (5.0,), 5),
    ("anvil_getIntervalMining", [], (None,), None),
    ("anvil_setBalance", [A, 1], NOTHING, None),
    ("hardhat_setBalance", [A, 1], NOTHING, True),
    ("tenderly_setBalance", [A, 1], NOTHING, None),
    ("anvil_addBalance", [A, 1], NOTHING, None),
    ("anvil_setNonce", [A, 1], NOTHING, None),
    ("evm_setAccountNonce", [A, 1], NOTHING, None),
    ("hardhat_setNonce", [A, 1], ("0x0", None), True),
    ("anvil_setCode", [A, "0x00"], NOTHING, None),
    ("hardhat_setCode", [A, "0x00"], NOTHING, True),
    ("anvil_setStorageAt", [A, 0, WORD], NOTHING, True),
    ("hardhat_setStorageAt", [A, 0, WORD], NOTHING, True),
    ("anvil_setCoinbase", [A], NOTHING, None),
    ("hardhat_setCoinbase", [A], NOTHING, True),
    ("anvil_setChainId", [1], NOTHING, None),
    ("anvil_impersonateAccount", [A], NOTHING, None),
    ("hardhat_impersonateAccount", [A], NOTHING, True),
    ("anvil_stopImpersonatingAccount", [A], (True,), None),
    ("hardhat_stopImpersonatingAccount", [A], (False,), False),
    ("anvil_autoImpersonateAccount", [True], NOTHING, None),
    ("anvil_dropTransaction", [WORD], (WORD,), WORD),
    ("anvil_dropTransaction", [WORD], (None,), None),
    ("hardhat_dropTransaction", [WORD], (WORD,), True),
    ("hardhat_dropTransaction", [WORD], (None,), False),
    ("anvil_dropAllTransactions", [], NOTHING, None),
    ("anvil_removePoolTransactions", [A], NOTHING, None),
    ("evm_snapshot", [], ("0x0",), "0x0"),
    ("anvil_snapshot", [], ("0x1",), "0x1"),
    ("evm_revert", ["0x0"], (True,), True),
    ("anvil_revert", ["0x0"], (False,), False),
    ("evm_increaseTime", [5], (5,), 5),
    ("anvil_increaseTime", [5], (5,), 5),
    ("evm_setNextBlockTimestamp", [5], NOTHING, None),
    ("anvil_setNextBlockTimestamp", [5], NOTHING, None),
    ("evm_setTime", [5], (3,), 3),
    ("anvil_setTime", [5], (3,), 3),
    ("anvil_setBlockTimestampInterval", [5], (False,), None),
    ("anvil_removeBlockTimestampInterval", [], (True,), True),
    ("evm_setBlockGasLimit", [5], NOTHING, True),
    ("anvil_setNextBlockBaseFeePerGas", [5], NOTHING, None),
    ("hardhat_setNextBlockBaseFeePerGas", [5], NOTHING, True),
    ("anvil_setNextBlockPrevRandao", [WORD], NOTHING, None),
    ("hardhat_setPrevRandao", [WORD], NOTHING, True),
    ("anvil_setLoggingEnabled", [True], (), None),
    ("hardhat_setLoggingEnabled", [True], (), True),
    ("anvil_reset", [], (None, NODE), None),
    ("hardhat_reset", [], (None, NODE), True),
    ("anvil_dumpState", [], ("0x1f8b",), "0x1f8b"),
    ("hardhat_dumpState", [], ("0x1f8b",), "0x1f8b"),
    ("anvil_loadState", ["0x1f8b"], (True,), True),
    ("hardhat_loadState", ["0x1f8b"], (True,), True),
    ("anvil_reorg", [1], NOTHING, None),
    ("anvil_rollback", [1], NOTHING, None),
    ("eth_sendUnsignedTransaction", [{"from": A, "to": A}], (WORD,), WORD),
    ("eth_requestAccounts", [], ([A],), [A]),
)

OBJECTS: Final = ("anvil_nodeInfo", "anvil_metadata", "hardhat_metadata")
"""Methods that describe the node; what they answer is tested where they are."""

REFUSED: Final = ("anvil_setMinGasPrice", "hardhat_setMinGasPrice")
"""Every block has a base fee here."""


@pytest.mark.parametrize(("name", "params", "answers", "expected"), ROWS)
def test_each_method_answers_as_its_node_does(
    name: str, params: list[Any], answers: tuple[Any, ...], expected: Any
) -> None:
    """Null, true, a number or text: clients check it."""
    result, _ = ask(METHODS[name], params, *answers, view=make_view(BLOCKS))
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize("name", OBJECTS)
def test_what_describes_the_node_is_there(name: str) -> None:
    """An object comes back."""
    result, _ = ask(METHODS[name], [], NODE)
    assert isinstance(result, dict)


@pytest.mark.parametrize("name", REFUSED)
def test_a_least_gas_price_is_refused(name: str) -> None:
    """As anvil does it after London."""
    assert fault(METHODS[name], [1]).message.endswith("is not supported when EIP-1559 is active")


@pytest.mark.parametrize("profile", [*Profile])
def test_every_profile_but_one_has_all_of_them(profile: Profile) -> None:
    """go-ethereum knows none of these names."""
    names = {*(row[0] for row in ROWS), *OBJECTS, *REFUSED}
    known = names & set(methods_of(profile))
    assert known == (set() if profile is Profile.GETH else names)


def test_no_name_is_forgotten() -> None:
    """Whatever the tables have in these namespaces is shown above, or is another name for it."""
    shown = {*(row[0] for row in ROWS), *OBJECTS, *REFUSED}
    also = {
        "anvil_setBlockGasLimit",
        "hardhat_addBalance",
        "hardhat_autoImpersonateAccount",
        "hardhat_dropAllTransactions",
        "tenderly_addBalance",
    }
    prefixes = ("anvil_", "evm_", "hardhat_", "tenderly_")
    assert {name for name in METHODS if name.startswith(prefixes)} == (shown | also) - {
        "eth_sendUnsignedTransaction",
        "eth_requestAccounts",
    }
