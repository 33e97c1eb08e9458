"""The forwarded methods against a real engine, over HTTP: what both sides believe must agree."""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest

from tests.running import Running
from tests.signing import signed
from tests.wire import RpcError, call_http

pytestmark = pytest.mark.integration

Ask: TypeAlias = Callable[..., Any]
STRANGER = "0x" + "c0" * 20
WORD = "0x" + "03" * 32
ZERO_WORD = "0x" + "00" * 32
RETURNS_ONE = "0x60016000526001601ff3"
TYPED = {
    "types": {
        "EIP712Domain": [{"name": "name", "type": "string"}],
        "Mail": [{"name": "x", "type": "uint256"}],
    },
    "primaryType": "Mail",
    "domain": {"name": "a"},
    "message": {"x": 1},
}


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """Give one server to all tests of this module."""
    with Running("--silent") as server:
        yield server


@pytest.fixture
def ask(running: Running) -> Ask:
    """Give a chain at genesis and a function that calls its methods."""

    def call(method: str, *params: Any) -> Any:
        return call_http(running.port, method, *params)

    call("anvil_reset")
    return call


def refusal(ask: Ask, method: str, *params: Any) -> str:
    """Return the message with which a call fails."""
    with pytest.raises(RpcError) as caught:
        ask(method, *params)
    return caught.value.message


def test_state_is_edited_and_read(ask: Ask) -> None:
    """Each edit is seen by the read that belongs to it."""
    ask("anvil_setBalance", STRANGER, 10**18)
    ask("anvil_addBalance", STRANGER, "5")
    assert ask("eth_getBalance", STRANGER) == hex(10**18 + 5)
    ask("anvil_setNonce", STRANGER, 5)
    assert "must not be smaller" in refusal(ask, "hardhat_setNonce", STRANGER, 4)
    assert ask("hardhat_setNonce", STRANGER, "0x6") is True
    assert ask("eth_getTransactionCount", STRANGER, "pending") == "0x6"
    ask("anvil_setCode", STRANGER, RETURNS_ONE)
    assert ask("eth_getCode", STRANGER) == RETURNS_ONE
    assert ask("eth_call", {"to": STRANGER}) == "0x01"
    assert ask("anvil_setStorageAt", STRANGER, 1, WORD) is True
    assert ask("eth_getStorageAt", STRANGER, "1") == WORD
    assert ask("eth_getStorageValues", {STRANGER: [ZERO_WORD]}) == {STRANGER: [ZERO_WORD]}
    proofs = ask("eth_getProof", STRANGER, ["0x01", ZERO_WORD])["storageProof"]
    assert [(item["key"], item["value"]) for item in proofs] == [
        ("0x1", hex(int(WORD, 16))),
        (ZERO_WORD, "0x0"),
    ]


def test_execution_takes_overrides(ask: Ask) -> None:
    """State and block are as the call wants them, for that call."""
    timestamp_returned = "0x4260005260206000f3"
    accounts = {STRANGER: {"code": timestamp_returned}}
    result = ask("eth_call", {"to": STRANGER}, "latest", accounts, {"time": "0xffffffff"})
    assert int(result, 16) == 0xFFFFFFFF
    assert ask("eth_estimateGas", {"to": STRANGER, "value": "0x0"}) == "0x5208"
    listed = ask("eth_createAccessList", {"to": STRANGER, "data": "0x"})
    assert listed == {"accessList": [], "gasUsed": "0x5208"}


def test_sending_needs_a_key_or_impersonation(ask: Ask) -> None:
    """Somebody else's account can be used once that is commanded."""
    first, second = ask("eth_accounts")[:2]
    assert ask(
        "eth_getTransactionReceipt", ask("eth_sendTransaction", {"from": first, "to": second})
    )
    given = {"from": STRANGER, "to": second}
    assert "unknown account" in refusal(ask, "eth_sendTransaction", given)
    ask("anvil_setBalance", STRANGER, 10**18)
    assert ask("hardhat_impersonateAccount", STRANGER) is True
    assert ask("eth_getTransactionReceipt", ask("eth_sendTransaction", given))["from"] == STRANGER
    assert ask("hardhat_stopImpersonatingAccount", STRANGER) is True
    assert ask("hardhat_stopImpersonatingAccount", STRANGER) is False
    assert ask("eth_getTransactionReceipt", ask("eth_sendUnsignedTransaction", given))


def test_transactions_are_completed_and_signed(ask: Ask) -> None:
    """What was signed can be sent, and the receipt awaited."""
    first, second = ask("eth_accounts")[:2]
    given = {"from": first, "to": second, "value": "0x1"}
    assert ask("eth_fillTransaction", given)["tx"]["gas"] == "0x5208"
    signed = ask("eth_signTransaction", given)
    assert "from" not in signed["tx"]
    receipt = ask("eth_sendRawTransactionSync", signed["raw"], 10_000)
    assert receipt["transactionHash"] == signed["tx"]["hash"]
    assert receipt["status"] == "0x1"
    pending = ask("eth_getBlockByNumber", "pending", True)
    assert (pending["number"], pending["hash"]) == ("0x2", None)


def test_messages_are_signed(ask: Ask) -> None:
    """Both names of a signature agree, and typed data may be text."""
    account = ask("eth_accounts")[0]
    signature = ask("eth_sign", account, "0xab")
    assert len(signature) == 2 + 2 * 65
    assert ask("personal_sign", "0xab", account) == signature
    assert len(ask("eth_signTypedData_v4", account, TYPED)) == 2 + 2 * 65
    broken = TYPED | {"message": {}}
    assert "invalid typed data" in refusal(ask, "eth_signTypedData_v4", account, broken)


def test_the_pool_is_managed(ask: Ask) -> None:
    """Waiting transactions are listed, replaced and dropped."""
    first, second = ask("eth_accounts")[:2]
    ask("evm_setAutomine", False)
    assert ask("anvil_getAutomine") is False
    given = {"from": first, "to": second, "value": "0x1", "nonce": "0x0"}
    cheap = ask("eth_sendTransaction", given | {"gas": "0x5208", "gasPrice": "0x77359400"})
    assert [item["hash"] for item in ask("eth_pendingTransactions")] == [cheap]
    dear = ask("eth_resend", given, "0x98989898")
    assert ask("anvil_dropTransaction", cheap) is None
    assert ask("anvil_dropTransaction", dear) == dear
    assert ask("hardhat_dropTransaction", dear) is False
    ask("eth_sendTransaction", given)
    ask("anvil_removePoolTransactions", first)
    ask("eth_sendTransaction", given)
    ask("anvil_dropAllTransactions")
    assert ask("eth_pendingTransactions") == []
    ask("anvil_setIntervalMining", 100)
    assert ask("anvil_getIntervalMining") == 100
    ask("evm_setIntervalMining", 0)
    assert ask("anvil_getIntervalMining") is None


def test_blocks_are_mined_on_command(ask: Ask) -> None:
    """Number, timestamps and header fields are as commanded."""
    assert ask("evm_mine", {"timestamp": 4_000_000_000, "blocks": 2}) == "0x0"
    assert ask("hardhat_mine", "0x2", 10) is True
    assert ask("eth_blockNumber") == "0x4"
    assert "lower than previous" in refusal(ask, "evm_setNextBlockTimestamp", 1)
    ask("evm_setNextBlockTimestamp", 4_000_009_000)
    ask("anvil_setCoinbase", STRANGER)
    ask("evm_setBlockGasLimit", 20_000_000)
    ask("anvil_setNextBlockBaseFeePerGas", 7)
    ask("hardhat_setPrevRandao", WORD)
    (block,) = ask("anvil_mine_detailed")
    expected = {
        "number": "0x5",
        "timestamp": hex(4_000_009_000),
        "miner": STRANGER,
        "gasLimit": hex(20_000_000),
        "baseFeePerGas": "0x7",
        "mixHash": WORD,
    }
    assert {name: block[name] for name in expected} == expected
    ask("anvil_setBlockTimestampInterval", 12)
    (block,) = ask("evm_mine_detailed")
    assert int(block["timestamp"], 16) == 4_000_009_012
    assert ask("anvil_removeBlockTimestampInterval") is True
    assert ask("anvil_removeBlockTimestampInterval") is False
    before = ask("evm_increaseTime", 1)
    assert ask("evm_increaseTime", "0x3c") == before + 60
    assert isinstance(ask("evm_setTime", 4_100_000_000_000), int)


def test_the_last_nonce_is_never_used(ask: Ask) -> None:
    """No transaction may have it; calls of an account that has reached it work."""
    first, second = ask("eth_accounts")[:2]
    transfer = {"from": first, "to": second}
    assert refusal(ask, "eth_sendRawTransaction", signed(0, 2**64 - 1)) == "nonce has max value"
    ask("anvil_setNonce", first, hex(2**64 - 1))
    assert refusal(ask, "eth_sendTransaction", transfer) == "nonce has max value"
    assert ask("eth_call", transfer) == "0x"
    assert ask("eth_estimateGas", transfer) == "0x5208"


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("anvil_mine", ["0xffffffffffff"]),
        ("hardhat_mine", ["0xffffffffffff", 60]),
        ("evm_mine", [{"blocks": 0xFFFFFFFFFFFF}]),
    ],
)
def test_no_command_mines_for_ever(ask: Ask, method: str, params: list[Any]) -> None:
    """Too many blocks are refused at once, so that the next command need not wait."""
    assert "100000, the mine-cap of this chain" in refusal(ask, method, *params)
    ask("evm_mine")
    assert ask("eth_blockNumber") == "0x1"


def test_the_chain_goes_back(ask: Ask) -> None:
    """Snapshots, reorganisations, rollbacks and the reset."""
    first, second = ask("eth_accounts")[:2]
    snapshot = ask("evm_snapshot")
    ask("anvil_mine", 3)
    assert ask("anvil_metadata")["snapshots"][snapshot][0] == 0
    old = ask("eth_getBlockByNumber", "latest", False)["hash"]
    given = {"from": first, "to": second, "value": "0x9"}
    ask("anvil_reorg", 2, [[given, 1]])
    head = ask("eth_getBlockByNumber", "latest", False)
    assert head["number"] == "0x3"
    assert head["hash"] != old
    assert len(head["transactions"]) == 1
    assert "must not exceed" in refusal(ask, "anvil_reorg", 2, [[given, 2]])
    assert "current height 3, depth 9" in refusal(ask, "anvil_reorg", 9)
    ask("anvil_rollback")
    assert ask("eth_blockNumber") == "0x2"
    assert "current height 2, depth 9" in refusal(ask, "anvil_rollback", 9)
    assert ask("evm_revert", snapshot) is True
    assert ask("evm_revert", snapshot) is False
    assert ask("eth_blockNumber") == "0x0"


def test_the_node_describes_itself(ask: Ask) -> None:
    """A new chain id shows everywhere, until the reset."""
    ask("anvil_setChainId", 1337)
    assert ask("eth_chainId") == "0x539"
    info = ask("anvil_nodeInfo")
    assert info["currentBlockNumber"] == "0x0"
    assert info["environment"]["chainId"] == 1337
    metadata = ask("hardhat_metadata")
    assert metadata["chainId"] == 1337
    ask("anvil_reset")
    assert ask("eth_chainId") == "0x7a69"
    assert ask("hardhat_metadata")["instanceId"] != metadata["instanceId"]


def test_blocks_are_simulated(ask: Ask) -> None:
    """Calls run in blocks that are linked to the head; nothing of them stays."""
    rich = ask("eth_accounts")[0]
    call = {"from": rich, "to": STRANGER, "value": "0x5"}
    wanted = {
        "blockStateCalls": [{"calls": [call]}, {"calls": [{"to": STRANGER}]}],
        "traceTransfers": True,
        "returnFullTransactions": True,
    }
    head = ask("eth_getBlockByNumber", "latest", False)
    for place in ("latest", "pending"):
        first, second = ask("eth_simulateV1", wanted, place)
        assert second["parentHash"] == first["hash"]
        assert first["transactions"][0]["from"] == rich
        assert first["calls"][0]["logs"][0]["blockHash"] == first["hash"]
        assert second["calls"] == [
            {
                "returnData": "0x",
                "logs": [],
                "gasUsed": "0x5208",
                "maxUsedGas": "0x5208",
                "status": "0x1",
            }
        ]
    assert ask("eth_simulateV1", wanted)[0]["parentHash"] == head["hash"]
    assert ask("eth_getBlockByNumber", "latest", False) == head
    assert ask("eth_getBalance", STRANGER) == "0x0"
    poor = {"blockStateCalls": [{"calls": [call | {"from": STRANGER}]}]}
    with pytest.raises(RpcError) as caught:
        ask("eth_simulateV1", poor)
    assert caught.value.code == -38014


def test_a_state_is_dumped_and_loaded(ask: Ask) -> None:
    """What was written in blocks and by hand comes back after a reset, in a block of its own."""
    rich = ask("eth_accounts")[0]
    ask("eth_sendTransaction", {"from": rich, "to": STRANGER, "value": "0x5"})
    ask("anvil_setStorageAt", STRANGER, "0x7", WORD)
    ask("anvil_setCode", STRANGER, RETURNS_ONE)
    dump = ask("anvil_dumpState")
    ask("anvil_reset")
    assert ask("eth_getBalance", STRANGER) == "0x0"
    assert ask("anvil_loadState", dump) is True
    assert ask("eth_blockNumber") == "0x1"
    assert ask("eth_getBalance", STRANGER) == "0x5"
    assert ask("eth_getStorageAt", STRANGER, "0x7") == WORD
    assert ask("eth_getCode", STRANGER) == RETURNS_ONE
    assert ask("eth_getTransactionCount", rich) == "0x1"
    assert refusal(ask, "anvil_loadState", "0x00") == "Failed to decode state dump"
