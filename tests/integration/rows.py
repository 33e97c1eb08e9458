"""What one question is answered with, and how a wrong one is refused: rows for the sweep."""

from typing import Any, Final

from tests.contract import SET_TOPIC, selector
from tests.signing import ADDRESSES, signed

CONTRACT: Final = "0x5fbdb2315678afecb367f032d93f642f64180aa3"
ZERO: Final = "0x" + "00" * 32
NOBODY: Final = "0x" + "dd" * 20
HEAD: Final = "<the hash of the head>"
GET: Final = selector("get()")
ETHER: Final = 10**18
BOOM: Final = (
    "0x08c379a0" + f"{32:064x}" + f"{4:064x}" + b"boom".hex().ljust(64, "0")
)  # Error("boom")

Row = tuple[str, list[Any], Any]


def setting(value: int) -> dict[str, str]:
    """Describe a call of ``set(value)`` by the second account."""
    data = f"{selector('set(uint256)')}{value:064x}"
    return {"from": ADDRESSES[1], "to": CONTRACT, "data": data, "gas": "0x30d40"}


ANSWERS: Final[list[Row]] = [
    ("web3_sha3", ["0x"], "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
    ("net_listening", [], True),
    ("net_peerCount", [], "0x0"),
    ("txpool_status", [], {"pending": "0x0", "queued": "0x0"}),
    ("txpool_inspect", [], {"pending": {}, "queued": {}}),
    ("eth_syncing", [], False),
    ("eth_mining", [], False),
    ("eth_protocolVersion", [], "0x41"),
    ("eth_coinbase", [], "0x" + "00" * 20),
    ("eth_blockNumber", [], "0x2"),
    ("eth_getBlockByNumber", ["0x99", False], None),
    ("eth_getBlockByHash", [ZERO, True], None),
    ("eth_getHeaderByNumber", ["0x99"], None),
    ("eth_getBlockReceipts", ["0x99"], None),
    ("eth_getBlockReceipts", ["earliest"], []),
    ("eth_getBlockTransactionCountByHash", [HEAD], "0x1"),
    ("eth_getUncleCountByBlockHash", [HEAD], "0x0"),
    ("eth_getUncleByBlockNumberAndIndex", ["latest", "0x0"], None),
    ("eth_getTransactionByHash", [ZERO], None),
    ("eth_getTransactionReceipt", [ZERO], None),
    ("eth_getTransactionByBlockHashAndIndex", [HEAD, "0x1"], None),
    ("eth_getBalance", [NOBODY.upper().replace("0X", "0x"), None], "0x0"),
    ("eth_getCode", [CONTRACT, "0x0"], "0x"),
    ("eth_getStorageAt", [CONTRACT, "0", {"blockHash": HEAD}], f"0x{7:064x}"),
    ("eth_getStorageAt", [CONTRACT, "0x0", "0x1"], ZERO),
    ("eth_getStorageValues", [{CONTRACT: [ZERO]}], {CONTRACT: [f"0x{7:064x}"]}),
    ("eth_call", [{"to": CONTRACT, "data": GET}, HEAD], f"0x{7:064x}"),
    ("eth_call", [{"to": CONTRACT, "input": GET}, "0x1"], ZERO),
    (
        "eth_call",
        [{"data": "0x435f5260205ff3"}, "latest", None, {"number": "0x64"}],
        f"0x{100:064x}",
    ),
    ("eth_call", [{"to": NOBODY}, "latest", {NOBODY: {"code": "0x5f5f5260205ff3"}}], ZERO),
    ("eth_estimateGas", [{"from": ADDRESSES[0], "to": NOBODY, "value": "0x1"}], "0x5208"),
    ("eth_getLogs", [{"fromBlock": "0x0", "toBlock": "0x1"}], []),
    ("eth_getLogs", [{"address": CONTRACT, "topics": [SET_TOPIC, None, None]}], []),
    ("eth_feeHistory", ["0x0", "latest", [5]], {"oldestBlock": "0x0", "gasUsedRatio": None}),
    ("eth_unsubscribe", ["0x9cef478923ff08bf67fde6c64013158d"], False),
    ("eth_uninstallFilter", ["0x1"], False),
    ("anvil_getAutomine", [], True),
    ("anvil_getIntervalMining", [], None),
    ("evm_revert", ["0x999"], False),
    ("hardhat_stopImpersonatingAccount", [NOBODY], False),
    ("anvil_dropTransaction", [ZERO], None),
]

UNKNOWN: Final = "the method {} does not exist/is not available"
ARGUMENT: Final = "invalid argument {}: {}"
REFUSALS: Final[list[Row]] = [
    ("eth_getWork", [], (-32601, UNKNOWN.format("eth_getWork"))),
    ("net_version", [1], (-32602, "too many arguments, want at most 0")),
    ("eth_getBalance", [], (-32602, "missing value for required argument 0")),
    (
        "eth_getBalance",
        ["0x1234"],
        (-32602, ARGUMENT.format(0, "hex string has length 4, want 40 for common.Address")),
    ),
    ("eth_getBalance", [NOBODY, "0x99"], (-32000, "header not found")),
    ("eth_getBalance", [NOBODY, ZERO], (-32000, "header for hash not found")),
    (
        "eth_getBalance",
        [NOBODY, {"blockHash": HEAD, "blockNumber": "0x1"}],
        (
            -32602,
            ARGUMENT.format(
                1, "cannot specify both BlockHash and BlockNumber, choose one or the other"
            ),
        ),
    ),
    *(
        ("eth_getBlockByNumber", [number, False], (-32602, ARGUMENT.format(0, text)))
        for number, text in (
            ("2", "hex string without 0x prefix"),
            (2, "hex string without 0x prefix"),
            ("0x", 'hex string "0x"'),
            ("0x01", "hex number with leading zero digits"),
            ("0x1" + "0" * 16, "hex number > 64 bits"),
            ("0x8000000000000000", "block number larger than int64"),
            ("0xzz", "invalid hex string"),
        )
    ),
    ("eth_getStorageAt", [CONTRACT, "0xzz"], (-32602, 'invalid hex in storage key: "0xzz"')),
    ("eth_getStorageValues", [{}], (-32602, "empty request")),
    ("eth_call", [{"to": CONTRACT, "data": selector("fail()")}], (3, "execution reverted: boom")),
    ("eth_call", [{"data": "0xfe"}], (-32000, "invalid opcode: INVALID")),
    ("eth_call", [{"data": "0x56"}], (-32000, "stack underflow (0 <=> 1)")),
    (
        "eth_call",
        [{"to": NOBODY, "gasPrice": "0x1", "maxFeePerGas": "0x1"}],
        (-32000, "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified"),
    ),
    (
        "eth_estimateGas",
        [{"from": NOBODY, "to": ADDRESSES[0], "value": "0x1", "gasPrice": "0x1"}],
        (-32000, "insufficient funds for transfer"),
    ),
    (
        "eth_estimateGas",
        [setting(1) | {"gas": "0x5300"}],
        (-32000, "gas required exceeds allowance (21248)"),
    ),
    ("eth_getLogs", [{"blockHash": ZERO}], (-32000, "unknown block")),
    ("eth_getLogs", [{"fromBlock": "pending"}], (-32602, "pending logs are not supported")),
    (
        "eth_getLogs",
        [{"toBlock": "0x99"}],
        (-32602, "block range extends beyond current head block"),
    ),
    (
        "eth_getLogs",
        [{"fromBlock": "0x2", "toBlock": "0x1"}],
        (-32602, "invalid block range params"),
    ),
    ("eth_getFilterLogs", ["0x1"], (-32000, "filter not found")),
    ("eth_getFilterChanges", ["0x1"], (-32000, "filter not found")),
    ("eth_feeHistory", [1, "0x9"], (-32000, "request beyond head block: requested 9, head 2")),
    ("eth_feeHistory", [1, "latest", [101]], (-32000, "invalid reward percentile: 101.000000")),
    ("eth_sendTransaction", [{"to": NOBODY}], (-32000, "unknown account")),
    (
        "eth_sendTransaction",
        [{"from": ADDRESSES[0]}],
        (-32000, "contract creation without any data provided"),
    ),
    ("eth_sendRawTransaction", ["0x02"], (-32000, "typed transaction too short")),
    ("eth_sendRawTransaction", ["0x7fc0"], (-32000, "transaction type not supported")),
    (
        "eth_sendRawTransaction",
        [signed(2, 0, chainId=1)],
        (-32000, "invalid sender: invalid chain id for signer: have 1 want 31337"),
    ),
    (
        "eth_sendRawTransaction",
        [signed(0, 0)],
        (-32000, "nonce too low: next nonce 1, tx nonce 0"),
    ),
    (
        "eth_sendRawTransaction",
        [signed(2, 0, gas=20_999)],
        (-32000, "intrinsic gas too low: gas 20999, minimum needed 21000"),
    ),
    ("debug_getRawBlock", ["0x99"], (-32000, "header not found")),
    ("debug_setHead", ["0x2"], (-32000, "not allowed to rewind to a future block")),
    (
        "evm_setNextBlockTimestamp",
        [1],
        (-32602, "Timestamp error: 1 is lower than previous block's timestamp"),
    ),
    (
        "anvil_reorg",
        [100, []],
        (-32602, "Reorg depth must not exceed current chain height: current height 2, depth 100"),
    ),
    (
        "anvil_setMinGasPrice",
        [1],
        (-32602, "anvil_setMinGasPrice is not supported when EIP-1559 is active"),
    ),
]
