"""The methods of a development node, asked of anvil and of us: the answers are of one form.

Where anvil itself answers otherwise than it says, or less than clients want, ours differ on
purpose; those methods are not here.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from tests.interop.nodes import Foreign
from tests.running import Running
from tests.signing import ADDRESSES
from tests.wire import RpcError, call_http

pytestmark = pytest.mark.interop

A, B = ADDRESSES[:2]
POOR, WORD = "0x" + "11" * 20, "0x" + "00" * 31 + "07"

CALLS: Final[tuple[tuple[Any, ...], ...]] = (
    ("evm_mine",),
    ("evm_mine", 5_000_000_000),
    ("evm_mine", "0x12a05f300"),
    ("evm_mine", {"timestamp": 5_000_000_100, "blocks": 2}),
    ("evm_mine", {"timestamp": 1}),
    ("anvil_mine_detailed",),
    ("evm_mine_detailed", {"timestamp": 5_000_002_000, "blocks": 2}),
    ("anvil_mine",),
    ("anvil_mine", None),
    ("anvil_mine", 0),
    ("anvil_mine", "0x2", "0x3"),
    ("anvil_setAutomine", False),
    ("anvil_getAutomine",),
    ("evm_setAutomine", True),
    ("hardhat_getAutomine",),
    ("anvil_setIntervalMining", 100),
    ("anvil_getIntervalMining",),
    ("anvil_getAutomine",),
    ("evm_setIntervalMining", 0),
    ("anvil_getIntervalMining",),
    ("anvil_getAutomine",),
    ("evm_setAutomine", True),
    ("anvil_setBalance", POOR, "0x5"),
    ("tenderly_setBalance", POOR, 5),
    ("anvil_addBalance", POOR, "0x5"),
    ("tenderly_addBalance", POOR, 1),
    ("eth_getBalance", POOR, "latest"),
    ("anvil_setNonce", POOR, 5),
    ("anvil_setNonce", POOR, 3),
    ("evm_setAccountNonce", POOR, "0x7"),
    ("eth_getTransactionCount", POOR, "latest"),
    ("anvil_setCode", POOR, "0x6000"),
    ("eth_getCode", POOR, "latest"),
    ("anvil_setStorageAt", POOR, "0x0", WORD),
    ("hardhat_setStorageAt", POOR, 1, WORD),
    ("eth_getStorageAt", POOR, "0x1", "latest"),
    ("anvil_setStorageAt", POOR, "0x1", "0x1"),
    ("anvil_setCode", POOR, "0x"),
    ("anvil_setCoinbase", POOR),
    ("anvil_setChainId", 31_337),
    ("anvil_impersonateAccount", POOR),
    ("anvil_stopImpersonatingAccount", POOR),
    ("anvil_stopImpersonatingAccount", POOR),
    ("anvil_autoImpersonateAccount", True),
    ("anvil_setBalance", POOR, hex(10**18)),
    ("eth_sendUnsignedTransaction", {"from": POOR, "to": B, "value": "0x1"}),
    ("anvil_dropTransaction", WORD),
    ("anvil_dropAllTransactions",),
    ("anvil_removePoolTransactions", POOR),
    ("evm_snapshot",),
    ("anvil_snapshot",),
    ("evm_revert", "0x1"),
    ("anvil_revert", "0x9"),
    ("evm_revert", 0),
    ("evm_setNextBlockTimestamp", 6_000_000_000),
    ("evm_setNextBlockTimestamp", 1),
    ("anvil_setNextBlockTimestamp", "0x165a0bc10"),
    ("evm_setTime", 7_000_000_000),
    ("evm_mine",),
    ("anvil_setBlockTimestampInterval", 5),
    ("anvil_removeBlockTimestampInterval",),
    ("anvil_removeBlockTimestampInterval",),
    ("evm_setBlockGasLimit", "0x1c9c380"),
    ("anvil_setBlockGasLimit", 30_000_000),
    ("anvil_setNextBlockBaseFeePerGas", "0x3b9aca00"),
    ("anvil_setMinGasPrice", "0x1"),
    ("hardhat_setMinGasPrice", "0x1"),
    ("anvil_setLoggingEnabled", True),
    ("anvil_nodeInfo",),
    ("anvil_mine", 9),
    ("anvil_reorg", 2, []),
    ("anvil_reorg", 1, [[{"from": A, "to": B, "value": "0x1"}, 0]]),
    ("anvil_reorg", 1, [[{"from": A, "to": B, "value": "0x1"}, 1]]),
    ("anvil_reorg", 10_000, []),
    ("anvil_rollback", 1),
    ("anvil_rollback", 10_000),
    ("anvil_loadState", "0x1234"),
    ("hardhat_loadState", "0x"),
    ("anvil_reset",),
    ("anvil_reset", None),
    ("eth_blockNumber",),
)

SHORT: Final = len("0x0123456789")

ANSWERED_MORE: Final = frozenset({"totalDifficulty"})
"""Members of anvil's blocks that are left out on purpose."""


def form(value: Any) -> Any:
    """Return what is to be the same: all of it, but for names of forks, hashes and amounts."""
    if isinstance(value, dict):
        return {name: form(one) for name, one in value.items() if name not in ANSWERED_MORE}
    if isinstance(value, list):
        return [form(one) for one in value]
    if isinstance(value, str):
        return ("hex", len(value) > 2 + 16) if value.startswith("0x") else "text"
    return type(value)


def answer(ask: Callable[..., Any], call: tuple[Any, ...]) -> Any:
    """Return the result if it is short, else its form; of an error the code."""
    try:
        found = ask(*call)
    except RpcError as error:
        return "error", error.code
    if isinstance(found, dict | list) or (isinstance(found, str) and len(found) > SHORT):
        return form(found)
    return found


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[Any, Any]]]:
    """Give for each call what anvil answers, and what we do."""
    with Foreign("anvil", tmp_path_factory.mktemp("anvil")) as anvil, Running("--silent") as ours:
        yield [
            (
                answer(lambda *call: call_http(anvil.port, *call), call),
                answer(lambda *call: call_http(ours.port, *call), call),
            )
            for call in CALLS
        ]


@pytest.mark.parametrize(
    "number", range(len(CALLS)), ids=lambda number: f"{number}-{CALLS[number][0]}"
)
def test_the_answers_are_of_one_form(answers: list[tuple[Any, Any]], number: int) -> None:
    """Null, true, numbers and texts as they are, others with the same members."""
    theirs, ours = answers[number]
    assert ours == theirs
